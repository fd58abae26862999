"""Who is in the groups that decide, as a run asks and remembers it for the page."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from exosync_adapters.exchange.admin.listing import organisation
from exosync_adapters.exchange.settings import ExchangeSettings
from exosync_adapters.exchange.way.letters import STRANGER, Folk
from exosync_adapters.exchange.way.people import MOST_MEMBERS, People, folk
from tests.integration.test_exchange_client import Bench
from tests.standins.exchange import ExchangeStandIn

DOMAIN = "example.com"
ALICE, BOB, CAROL = (f"{one}@{DOMAIN}" for one in ("alice", "bob", "carol"))
ELSEWHERE, THEIRS, INNER = (f"{one}@{DOMAIN}" for one in ("elsewhere", "theirs", "inner"))


@pytest.fixture
def exchange() -> Iterator[ExchangeStandIn]:
    """Bob is elsewhere, carol in a group that somebody's rule names, within another."""
    with ExchangeStandIn(DOMAIN) as made:
        org = made.org
        org.add_recipient(ALICE)
        org.add_recipient(BOB, "MailUser", aliases=[f"robert@{DOMAIN}"])
        org.add_recipient(CAROL)
        org.add_group(ELSEWHERE, [BOB])
        org.add_group(INNER, [CAROL])
        org.add_group(THEIRS, [INNER])
        org.add_group(f"staff@{DOMAIN}", [ALICE])
        org.add_connector("theirs", IsTransportRuleScoped=True, SmartHosts=["192.0.2.1"])
        org.add_rule("theirs", SentToMemberOf=[THEIRS], RouteMessageOutboundConnector="theirs")
        org.add_rule("a note", SentToMemberOf=[f"staff@{DOMAIN}"], PrependSubject="x")
        yield made


def asked(exchange: ExchangeStandIn, most: int = MOST_MEMBERS) -> Folk:
    """What is remembered of this tenant."""
    bench = Bench(exchange, {"kind": "secret", "secret": {"env": "SECRET"}})
    settings = ExchangeSettings.model_validate(
        {
            "tenant": exchange.tenant,
            "domain": DOMAIN,
            "far_side": "google_workspace",
            "routed": {"group": ELSEWHERE},
            "validation_recipients": [BOB, f"nobody@{DOMAIN}"],
        }
    )
    return folk(settings, bench.admin, organisation(bench.admin), most=most)


def test_the_groups_that_decide_are_remembered_and_no_others(exchange: ExchangeStandIn) -> None:
    """Those of the configuration and of rules that route; who is in them has a mailbox or not."""
    found = asked(exchange)
    assert {ELSEWHERE: {BOB}, THEIRS: {INNER, CAROL}} == found.groups
    assert ALICE not in found.people
    assert (True, True) == (found.people[CAROL].exists, found.people[CAROL].mailbox)


def test_recipients_for_proofs_are_remembered_with_all_their_addresses(
    exchange: ExchangeStandIn,
) -> None:
    """Also that somebody is not known here."""
    found = asked(exchange).people
    assert (True, False, BOB) == (found[BOB].exists, found[BOB].mailbox, found[BOB].main)
    assert {BOB, f"robert@{DOMAIN}"} == found[BOB].addresses
    assert found[f"nobody@{DOMAIN}"].exists is False


def test_a_group_that_is_too_large_is_not_remembered(exchange: ExchangeStandIn) -> None:
    """Nobody of it: half of a group would be worse than none."""
    exchange.org.groups[ELSEWHERE].append(ALICE)
    assert {THEIRS: {INNER, CAROL}} == asked(exchange, most=1).groups


def test_what_may_not_be_asked_is_not_known(exchange: ExchangeStandIn) -> None:
    """A run goes on without it."""
    del exchange.org.groups[ELSEWHERE]
    assert [THEIRS] == list(asked(exchange).groups)


def test_who_writes_with_a_plus_may_be_somebody_known(exchange: ExchangeStandIn) -> None:
    """That is told; of who is not known without it either nothing is."""
    bench = Bench(exchange, {"kind": "secret", "secret": {"env": "SECRET"}})
    crowd = People(bench.admin, organisation(bench.admin))
    assert crowd.party(f"bob+x@{DOMAIN}").exists is None
    assert ["domain"] == [one.kind for one in crowd.troubles]
    assert STRANGER == crowd.party(f"zoe+x@{DOMAIN}")
    assert STRANGER == crowd.party(f"+x@{DOMAIN}")
    assert 1 == len(crowd.troubles)


def test_a_group_is_no_person(exchange: ExchangeStandIn) -> None:
    """It stands for its members: which way it takes as a whole, nobody can tell."""
    bench = Bench(exchange, {"kind": "secret", "secret": {"env": "SECRET"}})
    crowd = People(bench.admin, organisation(bench.admin))
    assert [True, False] == [crowd.party(one).group for one in (THEIRS, BOB)]
