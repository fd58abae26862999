"""A second administrator, and what a vendor gives back otherwise: whole runs against the stand-in."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.integration.test_exchange_target import DOMAIN, MARK, NAME, SECRET, World
from tests.standins.exchange import ExchangeStandIn
from tests.standins.exchange_org import Org

HERE = f"here@{DOMAIN}"


@pytest.fixture
def settled() -> Iterator[World]:
    """A tenant in which everything is as it should be."""
    with ExchangeStandIn(DOMAIN, client_secret=SECRET) as tenant:
        tenant.org.domains[1]["DomainType"] = "InternalRelay"
        tenant.org.add_group(HERE, [f"ada@{DOMAIN}"])
        yield World(tenant)
        assert [] == tenant.dangerous


def connector(org: Org) -> dict[str, Any]:
    """The one that exosync made."""
    return org.connectors[0]


def rule(org: Org) -> dict[str, Any]:
    """The one that exosync made."""
    return org.rules[0]


@pytest.mark.parametrize(
    "change",
    [
        lambda org: connector(org).update(SmartHosts=["[127.0.0.3]", "127.0.0.2."]),
        lambda org: connector(org).update(Name=NAME.upper(), TlsSettings="encryptiononly"),
        lambda org: connector(org).update(Comment=f"ticket 7\r\n{MARK}\r\n\r\n"),
        lambda org: rule(org).update(RecipientDomainIs=["EXAMPLE.com."], Mode="enforce"),
        lambda org: rule(org).update(ExceptIfSentToMemberOf=["SMTP:Here@Example.COM"]),
        lambda org: rule(org).update(RouteMessageOutboundConnector=NAME.title()),
        lambda org: org.add_rule(NAME.upper(), SubjectContainsWords=["x"], PrependSubject="x"),
    ],
)
def test_what_means_the_same_is_left_alone(settled: World, change: Callable[[Org], object]) -> None:
    """Case, brackets, dots, line breaks; a namesake beside our rule."""
    settled.settle()
    writes = settled.tenant.writes
    change(settled.tenant.org)

    again = settled.run()

    assert ((), [], writes) == (again.draft.steps, again.rules, settled.tenant.writes)
    assert again.proof.ok


@pytest.mark.parametrize("key", ["Name", "Alias", "DistinguishedName", "LegacyExchangeDN", "Guid"])
def test_a_group_that_is_given_back_by_another_name_is_the_same(settled: World, key: str) -> None:
    """How a rule gives a group back is not published; nothing is set right run after run."""
    settled.settle()
    writes, org = settled.tenant.writes, settled.tenant.org
    group = org.recipient("here@example.com")
    assert group is not None
    rule(org)["ExceptIfSentToMemberOf"] = [group[key]]

    again = settled.run()

    assert ((), [], writes) == (again.draft.steps, again.rules, settled.tenant.writes)


def test_a_name_that_is_kept_in_another_composition_is_left_alone(settled: World) -> None:
    """64 characters with quotes of every kind, given back decomposed."""
    keys: dict[str, Any] = {
        "connector": "Zürich’s “way” ‘out’ 'of' \"here\"",
        "rule": f"Ä{'x' * 63}",
    }
    settled.settle(**keys)
    writes, org = settled.tenant.writes, settled.tenant.org
    for one in (connector(org), rule(org)):
        one["Name"] = unicodedata.normalize("NFD", one["Name"])

    again = settled.run(**keys)

    assert ((), [], writes) == (again.draft.steps, again.rules, settled.tenant.writes)


@pytest.mark.parametrize(
    "change",
    [
        lambda org: connector(org).update(Enabled=False),
        lambda org: connector(org).update(TestMode=True),
        lambda org: connector(org).update(RecipientDomains=["*"], IsTransportRuleScoped=False),
        lambda org: connector(org).update(Name="Bob's"),
        lambda org: rule(org).update(Mode="AuditAndNotify"),
        lambda org: rule(org).update(RecipientDomainIs=["example.net"]),
        lambda org: rule(org).update(State="Disabled", Name="Bob's"),
    ],
)
def test_what_another_administrator_changed_is_set_right_once(
    settled: World, change: Callable[[Org], object]
) -> None:
    """And comes to rest, with everything of others as it was."""
    settled.settle()
    org = settled.tenant.org
    org.add_connector("Theirs", SmartHosts=["relay.partner.example"], UseMXRecord=False)
    change(org)

    assert settled.settle().proof.ok

    writes = settled.tenant.writes
    settled.run()
    assert writes == settled.tenant.writes
    assert (["relay.partner.example"], [NAME]) == (
        org.connectors[1]["SmartHosts"],
        [one["Name"] for one in org.rules],
    )


def swapped(org: Org) -> None:
    """Another gets our name, and ours another."""
    connector(org)["Name"] = "Bob's"
    org.add_connector(NAME, UseMXRecord=False, SmartHosts=["bob.example"])


def copied(org: Org) -> None:
    """What the admin center calls to duplicate a rule: its comments come along."""
    kept = ("Name", "Guid", "WhenCreatedUTC", "WhenChangedUTC")
    parts = {name: value for name, value in rule(org).items() if name not in kept}
    org.add_rule(f"Copy of {NAME}", **parts)


def moved(org: Org) -> None:
    """The mark is cut out of ours, which gets another name, and put at another."""
    connector(org).update(Comment="mine now", Name="Bob's")
    org.add_connector("Partner", UseMXRecord=False, SmartHosts=["p.example"], Comment=MARK)


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        (swapped, "not_owned"),
        (copied, "mark_twice"),
        (moved, "not_owned"),
        (lambda org: connector(org).update(Comment=f"{MARK}\nticket 7"), "not_owned"),
        (lambda org: connector(org).update(Comment=None), "not_owned"),
        (lambda org: rule(org).update(SubjectContainsWords=["x"]), "rule_has_more"),
    ],
)
def test_what_cannot_be_told_is_left_to_a_person_however_often_one_looks(
    settled: World, change: Callable[[Org], object], refusal: str
) -> None:
    """Nothing is written, be it approved or not."""
    settled.settle()
    change(settled.tenant.org)
    before, writes = settled.held(), settled.tenant.writes

    for _ in range(3):
        assert refusal in settled.run().rules

    assert (before, writes) == (settled.held(), settled.tenant.writes)


def test_a_place_among_a_hundred_is_kept(settled: World) -> None:
    """Others move rules about: ours goes back to where it should be, and they stay in order."""
    org = settled.tenant.org
    for number in range(99):
        org.add_rule(f"r{number}", SubjectContainsWords=["y"], PrependSubject="x")
    settled.settle(priority=2)
    org.rules.append(org.rules.pop(2))

    assert settled.settle(priority=2).proof.ok

    assert [f"r{number}" for number in range(99)] == [
        one["Name"] for one in org.rules if one["Name"] != NAME
    ]
    assert NAME == org.rules[2]["Name"]
