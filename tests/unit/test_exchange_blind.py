"""A tenant that nobody reads: what people acknowledged stands for what is there."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from exosync.core.target import ABSENT, Actor, Draft, Observed
from exosync.core.tasks import Asserted, Confirmation, Known
from exosync_adapters.exchange import blind
from exosync_adapters.exchange.aim import Aim
from exosync_adapters.exchange.asserted import LAST_READING
from exosync_adapters.exchange.memory import Memory
from exosync_adapters.exchange.records import DomainType, Listing
from tests.unit.exchange_kit import DOMAIN, aim, cmdlets

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
BLIND: dict[str, Any] = {"credentials": None, "client_id": None, "write": "script"}


def blind_aim(**keys: Any) -> Aim:
    """What is wanted, without credentials."""
    return aim(**BLIND, **keys)


def look(of: Aim, *, due: tuple[str, ...] = (), **said: Any) -> Observed:
    """What people said, by resource; `due` are those that should be looked at once more."""
    acknowledged = {
        name: Asserted(name, "ada", NOW, due_again=name in due, gives=gives)
        for name, gives in said.items()
    }
    return blind.observed(of, Known(NOW, acknowledged))


def drafted(of: Aim, **how: Any) -> Draft:
    """What is planned over what people said."""
    return blind.plan(look(of, **how).detail)


def whole(of: Aim) -> dict[str, Any]:
    """The tokens that a whole set-up leads to, each acknowledged as it is asked for."""
    said: dict[str, Any] = {}
    for _ in range(6):
        for step in reversed(drafted(of, **said).steps):
            said[step.resource] = step.gives
    return said


def test_step_after_step_leads_to_all_that_is_wanted() -> None:
    """Connector, rule, switched on, domain; each by a person who acknowledges it."""
    of = blind_aim()
    first = drafted(of)
    said = whole(of)

    assert ["New-OutboundConnector", "New-TransportRule"] == cmdlets(first)
    assert all(step.by is Actor.PERSON for step in first.steps)
    assert {Confirmation.ACKNOWLEDGED} == {
        step.task.confirmation for step in first.steps if step.task
    }
    assert {"connector", "rule", "domain"} == set(said)
    assert () == drafted(of, **said).steps
    assert {"connector", "rule", "domain"} == look(of, **said).unread


def test_what_was_acknowledged_before_it_named_the_domain_is_not_asked_for_again() -> None:
    """It was of the domain that was configured; another one is asked for."""
    said = whole(blind_aim())
    older = {**said, "domain": said["domain"].removesuffix(f":{DOMAIN}")}
    seen = look(blind_aim(), **older)

    assert (1, ()) == (older["domain"].count(":"), blind.plan(seen.detail).steps)
    assert [DOMAIN] == seen.remember["relayed"]
    word = {"domain": Asserted("domain", "ada", NOW, due_again=False, gives=older["domain"])}
    later = Known(NOW, word, remembered=seen.remember)
    told = blind.observed(blind_aim(domain="example.org"), later).resources["domain"]
    assert said["domain"] == told


def test_the_rule_is_switched_on_only_over_a_connector_as_it_is_wanted() -> None:
    """And the domain's type comes after that."""
    of, said = blind_aim(), whole(blind_aim())
    (made,) = drafted(of, connector=said["connector"]).steps
    off = {"connector": said["connector"], "rule": made.gives}

    assert ["Enable-TransportRule"] == cmdlets(drafted(of, **off))
    older = drafted(of, **{**off, "connector": "on:of another configuration"})
    assert ["Set-OutboundConnector"] == cmdlets(older)


def test_a_change_of_the_configuration_is_asked_for_whole_and_keeps_the_state() -> None:
    """Nobody knows what stands there, so every parameter is given."""
    said = whole(blind_aim())
    of = blind_aim(routed={"group": "there@example.com"}, tls="trusted")
    connector, rule = drafted(of, **said).steps

    assert "CertificateValidation" == connector.detail[0].parameters["TlsSettings"]
    assert None is rule.detail[0].parameters["ExceptIfSentToMemberOf"]
    assert ["there@example.com"] == rule.detail[0].parameters["SentToMemberOf"]
    assert rule.gives.startswith("on:")
    off = drafted(of, **{**said, "rule": "off:of another configuration"})
    assert off.steps[1].gives.startswith("off:")


@pytest.mark.parametrize("resource", ["connector", "rule", "domain"])
def test_what_was_said_long_ago_is_asked_for_once_more(resource: str) -> None:
    """The very same: to look at it changes nothing."""
    of, said = blind_aim(), whole(blind_aim())
    (step,) = drafted(of, due=(resource,), **said).steps

    assert (resource, said[resource], said[resource]) == (step.resource, step.expects, step.gives)


def test_removal_is_asked_for_from_the_end() -> None:
    """The rule off and gone, then the connector; and then it is said that nothing is there."""
    of, said = blind_aim(remove=True), whole(blind_aim())

    assert ["Disable-TransportRule", "Remove-TransportRule"] == cmdlets(drafted(of, **said))
    assert ["Set-OutboundConnector", "Remove-OutboundConnector"] == cmdlets(
        drafted(of, **{**said, "rule": ABSENT})
    )
    left = {**said, "rule": "off:whatever it was"}
    assert "Remove-TransportRule" == cmdlets(drafted(of, **left))[0]
    gone = {**said, "rule": ABSENT, "connector": ABSENT}
    assert () == drafted(of, **gone).steps
    assert None is blind.verify(look(of, **gone).detail).ok


def test_what_nobody_said_is_never_proven() -> None:
    """Asserted at most; and what is missing is named."""
    of, said = blind_aim(), whole(blind_aim())
    proof = blind.verify(look(of, **said).detail)
    missing = blind.verify(look(of, connector=said["connector"]).detail)

    assert (None, ["connector", "rule"]) == (proof.ok, [one.setting for one in proof.asserted])
    assert False is missing.ok
    assert "rule" in missing.checks[0].message
    assert None is blind.verify(look(blind_aim(remove=True)).detail).ok


def test_the_way_of_a_message_goes_by_peoples_word_and_says_that_it_is_not_whole() -> None:
    """What else is in the tenant, nobody knows."""
    of, said = blind_aim(), whole(blind_aim())
    found = look(of, **said).detail.organisation

    assert (True, DomainType.INTERNAL_RELAY) == (found.rules[0].enabled, found.domain(DOMAIN).type)
    assert set(Listing) == set(found.incomplete)
    nothing = look(of).detail.organisation
    assert ((), ()) == (nothing.connectors, nothing.rules)
    assert DomainType.UNKNOWN is nothing.domain(DOMAIN).type


def test_of_a_word_and_a_reading_the_later_one_counts() -> None:
    """What exosync read itself, before it lost its credentials, is as good as a word, and no proof."""
    of, said = blind_aim(), whole(blind_aim())
    read = {name: (token, NOW) for name, token in said.items()}
    memory = Memory(ids={"rule": "guid-rule"}, last_read=read)

    alone = blind.observed(of, Known(NOW, remembered=memory.remembered))
    assert (said, ()) == (alone.resources, blind.plan(alone.detail).steps)
    assert {LAST_READING} == {one.by for one in blind.verify(alone.detail).asserted}
    kept = Memory.read(alone.remember)
    assert (read, memory.ids) == (kept.last_read, kept.ids)

    for hours, expected in ((-1, said["connector"]), (1, "on:as ada says")):
        at = NOW + timedelta(hours=hours)
        word = {"connector": Asserted("connector", "ada", at, gives="on:as ada says")}
        both = blind.observed(of, Known(NOW, word, remembered=memory.remembered))
        assert expected == both.resources["connector"]


def test_a_word_on_one_domain_says_nothing_of_another() -> None:
    """It is asked for anew, and the relay that is left is told by the word that was given."""
    said = whole(blind_aim())
    before = look(blind_aim(), **said)
    keys: dict[str, Any] = {"domain": "example.org", "routed": {"everyone_but": "here@example.org"}}
    of = blind_aim(**keys)
    word = {name: Asserted(name, "ada", NOW, gives=gives) for name, gives in said.items()}
    after = blind.observed(of, Known(NOW, word, remembered=before.remember))

    assert () == before.findings
    assert ["domain_left_behind"] == [one.rule for one in after.findings]
    assert DOMAIN in after.findings[0].message
    assert DomainType.UNKNOWN is after.detail.organisation.domain("example.org").type
    new = whole(of)
    assert said["domain"] != new["domain"]


@pytest.mark.parametrize(
    ("gone", "told"), [((), []), (("connector", "rule"), ["domain_left_behind"])]
)
def test_a_relay_is_left_behind_once_connector_and_rule_are_gone(
    gone: tuple[str, ...], told: list[str]
) -> None:
    """As long as the rule is there, mail is sent on as before."""
    said = {**whole(blind_aim()), **dict.fromkeys(gone, ABSENT)}
    assert told == [one.rule for one in look(blind_aim(remove=True), **said).findings]


def test_what_was_said_of_another_tenant_is_not_said_of_this_one() -> None:
    """Everything begins again, in later runs too; a word that is given from then on counts."""
    before = look(blind_aim(), **whole(blind_aim()))
    of = blind_aim(tenant="1f0de2a4-8c1b-4d7e-9f3a-2b6c5d4e3f21")
    later = NOW + timedelta(days=1)
    known = Known(later, before.detail.by_resource, remembered=before.remember)

    first = blind.observed(of, known)
    again = blind.observed(of, replace(known, remembered=first.remember))
    anew = {"connector": Asserted("connector", "ada", later, gives="on:new")}
    told = blind.observed(of, replace(known, acknowledged=anew, remembered=again.remember))

    assert {ABSENT} == {*first.resources.values(), *again.resources.values()}
    assert "on:new" == told.resources["connector"]
