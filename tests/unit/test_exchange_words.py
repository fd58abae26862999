"""The tasks for a person: the script, and the same for those who click."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from exosync.core.ranges import IpRanges
from exosync.core.tasks import Confirmation, Task
from exosync_adapters.exchange.person import console, script
from exosync_adapters.exchange.person.script import ScriptStep, What
from exosync_adapters.exchange.person.words import task
from exosync_adapters.exchange.records import Call
from exosync_adapters.exchange.settings import ExchangeSettings

MARK = "exosync:owner=exosync;target=exchange"
NAME = "exosync example.com"
TENANT = "8a3bd10e-5b2c-4f6d-9a11-0c6f7e2d1b34"

CALLS = {
    What.CREATE_CONNECTOR: Call(
        "New-OutboundConnector",
        {
            "Name": NAME,
            "ConnectorType": "Partner",
            "Enabled": True,
            "IsTransportRuleScoped": True,
            "UseMXRecord": False,
            "SmartHosts": ["mx1.other.example", "mx2.other.example"],
            "TlsSettings": "EncryptionOnly",
            "Comment": MARK,
        },
    ),
    What.CHANGE_CONNECTOR: Call("Set-OutboundConnector", {"Identity": NAME, "TestMode": False}),
    What.CREATE_RULE: Call(
        "New-TransportRule",
        {
            "Name": NAME,
            "Enabled": False,
            "RecipientDomainIs": ["example.com"],
            "ExceptIfSentToMemberOf": ["here@example.com"],
            "RouteMessageOutboundConnector": NAME,
            "Comments": MARK,
        },
    ),
    What.CHANGE_RULE: Call(
        "Set-TransportRule",
        {
            "Identity": NAME,
            "SentToMemberOf": None,
            "StopRuleProcessing": False,
            "RouteMessageOutboundConnector": NAME,
        },
    ),
    What.SWITCH_RULE_ON: Call("Enable-TransportRule", {"Identity": NAME}),
    What.SWITCH_RULE_OFF: Call("Disable-TransportRule", {"Identity": NAME, "Confirm": False}),
    What.REMOVE_RULE: Call("Remove-TransportRule", {"Identity": NAME, "Confirm": False}),
    What.SWITCH_CONNECTOR_OFF: Call("Set-OutboundConnector", {"Identity": NAME, "Enabled": False}),
    What.REMOVE_CONNECTOR: Call("Remove-OutboundConnector", {"Identity": NAME, "Confirm": False}),
    What.MARK: Call("Set-OutboundConnector", {"Identity": NAME, "Comment": f"Since 2019\n{MARK}"}),
    What.INTERNAL_RELAY: Call(
        "Set-AcceptedDomain", {"Identity": "example.com", "DomainType": "InternalRelay"}
    ),
}
"""A call for each step."""

RESOURCES = {"TransportRule": "rule", "OutboundConnector": "connector", "AcceptedDomain": "domain"}


def settings(**changes: Any) -> ExchangeSettings:
    """A configuration."""
    basic = {
        "tenant": TENANT,
        "domain": "example.com",
        "far_side": "other",
        "smart_hosts": ["mx1.other.example", "mx2.other.example"],
        "routed": {"everyone_but": "here@example.com"},
    }
    return ExchangeSettings.model_validate({**basic, **changes})


def step(what: What) -> ScriptStep:
    """A step of a kind."""
    name = "example.com" if what is What.INTERNAL_RELAY else NAME
    connector = NAME if what in (What.CREATE_RULE, What.CHANGE_RULE, What.SWITCH_RULE_ON) else ""
    return ScriptStep(
        what,
        (CALLS[what],),
        name=name,
        mark=MARK,
        tenant=TENANT,
        domain="example.com",
        connector=connector,
    )


def asked(what: What, confirmation: Confirmation = Confirmation.READ, **changes: Any) -> Task:
    """The task of a step."""
    return task(step(what), settings=settings(**changes), confirmation=confirmation)


def test_a_connector_that_gets_another_name_has_its_rule_follow_at_once() -> None:
    """The order of the two scripts matters, so the person is told."""
    call = Call("Set-OutboundConnector", {"Identity": NAME, "Name": "The way out"})
    renamed = replace(step(What.CHANGE_CONNECTOR), calls=(call,))
    one = task(renamed, settings=settings(), confirmation=Confirmation.READ)

    assert any("right after this one" in line for line in one.instructions)
    usual = asked(What.CHANGE_CONNECTOR).instructions
    assert not any("right after this one" in line for line in usual)


@pytest.mark.parametrize("what", What)
def test_a_task_has_all_that_a_person_needs(what: What) -> None:
    """What, where, the script, who, and why; there are no ranges in it."""
    one = asked(what)

    assert RESOURCES[CALLS[what].cmdlet.partition("-")[2]] == one.setting
    assert script.text(step(what)) == one.box
    assert one.place.startswith("Exchange admin center: Mail flow > ")
    assert "an Exchange administrator" in one.who
    assert one.reasons
    assert IpRanges() == one.ranges
    assert step(what).name in one.title
    assert one.title[0].isupper()


@pytest.mark.parametrize("what", What)
def test_a_rule_takes_half_an_hour(what: What) -> None:
    """Of connectors and domains Microsoft tells no time."""
    expected = timedelta(minutes=30) if "TransportRule" in CALLS[what].cmdlet else timedelta(0)
    assert expected == asked(what).delay


def test_how_exosync_learns_of_it_is_told() -> None:
    """It reads back, or somebody acknowledges."""
    read, blind = (
        asked(What.CREATE_RULE, confirmation)
        for confirmation in (Confirmation.READ, Confirmation.ACKNOWLEDGED)
    )
    assert (Confirmation.READ, Confirmation.ACKNOWLEDGED) == (read.confirmation, blind.confirmation)
    assert "reads it back" in read.instructions[-1]
    assert "exosync ack" in blind.instructions[-1]


def test_the_connector_for_those_who_click() -> None:
    """The pages of the wizard in their order, with its own words."""
    assert (
        ("Connection from", "Office 365"),
        ("Connection to", "Partner organization"),
        ("Name", NAME),
        ("Description", MARK),
        ("Use of connector", console.ONLY_FOR_RULES),
        ("Routing", "Route email through these smart hosts"),
        ("Routing, smart hosts", "mx1.other.example, mx2.other.example"),
        (
            "Security restrictions, with “Always use Transport Layer Security (TLS)” ticked",
            "Any digital certificate, including self-signed certificates",
        ),
        ("Turn it on", "on"),
    ) == asked(What.CREATE_CONNECTOR).fields


def test_the_rule_for_those_who_click() -> None:
    """Conditions, action, exceptions; and it stays disabled."""
    assert (
        ("Name", NAME),
        ("Apply this rule if: The recipient > domain is", "example.com"),
        ("Do the following: Redirect the message to > the following connector", NAME),
        ("Except if: The recipient > is a member of this group", "here@example.com"),
        ("Comments", MARK),
        ("Enable or disable rule", "off"),
    ) == asked(What.CREATE_RULE).fields


@pytest.mark.parametrize(
    ("what", "field"),
    [
        (What.CHANGE_RULE, ("and: The recipient > is a member of this group", "take it out")),
        (What.CHANGE_RULE, ("Stop processing more rules", "do NOT tick it")),
        (What.CHANGE_CONNECTOR, ("by PowerShell alone: TestMode", "do NOT tick it")),
        (What.MARK, ("Description", f"Since 2019 [new line] {MARK}")),
        (What.SWITCH_RULE_ON, ("Enable or disable rule", "on")),
        (What.SWITCH_RULE_OFF, ("Enable or disable rule", "off")),
        (What.SWITCH_CONNECTOR_OFF, ("Turn it on", "off")),
        (What.INTERNAL_RELAY, ("This accepted domain is", "Internal relay")),
    ],
)
def test_a_change_names_what_changes(what: What, field: tuple[str, str]) -> None:
    """And what the console does not show is said to be for PowerShell."""
    assert field in asked(what).fields


@pytest.mark.parametrize("what", [What.REMOVE_RULE, What.REMOVE_CONNECTOR])
def test_to_remove_there_is_nothing_to_fill_in(what: What) -> None:
    """But it must be off."""
    one = asked(what)
    assert () == one.fields
    assert any("and delete it" in line for line in one.instructions)


@pytest.mark.parametrize("what", What)
def test_who_clicks_writes_the_mark_where_the_script_would(what: What) -> None:
    """By it exosync knows what it may change."""
    writes = {"Comment", "Comments"} & set(CALLS[what].parameters)
    told = [line for line in asked(what).instructions if f"the line “{MARK}”" in line]
    assert len(writes) == len(told)


def test_the_wizard_wants_an_address_for_validation() -> None:
    """One that the configuration names, if it names any."""
    without = asked(What.CREATE_CONNECTOR)
    named = asked(What.CREATE_CONNECTOR, validation_recipients=["bob@example.com"])
    assert any("Validation email" in line for line in without.instructions)
    assert not any("Validation email" in line for line in named.instructions)


@pytest.mark.parametrize(
    ("routed", "says"),
    [
        ({"group": "elsewhere@example.com"}, "that of the members of elsewhere@example.com"),
        ({"everyone_but": "here@example.com"}, "everyone but the members of here@example.com"),
        ({"whole_domain": "acknowledged"}, "everyone, mailboxes here too"),
    ],
)
def test_to_switch_on_says_whose_mail_goes_where(routed: dict[str, str], says: str) -> None:
    """And warns of the whole domain."""
    reasons = asked(What.SWITCH_RULE_ON, routed=routed).reasons

    assert says in reasons[0]
    assert "mx1.other.example, mx2.other.example" in reasons[0]
    assert ("whole_domain" in routed) == any("No group tells apart" in one for one in reasons)


def test_an_internal_relay_is_asked_for_with_what_it_costs() -> None:
    """Blocking at the edge ends for the whole domain, and mail may loop by MX."""
    told = " ".join(asked(What.INTERNAL_RELAY).reasons)
    assert "550 5.4.1" in told
    assert "directory-based edge blocking is off for the whole domain" in told
    assert "554 5.4.14" in told


def test_names_of_others_cannot_pretend_to_be_lines() -> None:
    """What people called things stays in one line of title and fields."""
    odd = ScriptStep(
        What.MARK,
        (Call("Set-OutboundConnector", {"Comment": f"a\nb\x1b[0m\n{MARK}"}),),
        name="a\nb",
        mark=MARK,
        tenant=TENANT,
        domain="example.com",
    )
    one = task(odd, settings=settings(), confirmation=Confirmation.READ)
    assert "Mark the outbound connector “a\\nb” as exosync's" == one.title
    assert all(value.isprintable() for _, value in one.fields)
