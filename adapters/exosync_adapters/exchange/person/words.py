"""What a person reads: the tasks, with Microsoft's own words for places and roles. Pure.

Sources: Microsoft Learn, "Mail flow rules in Exchange Online" (a rule takes 30 minutes or more),
"Manage accepted domains in Exchange Online" (what each type does), "Feature permissions in
Exchange Online" (who may); Microsoft365DSC's settings.json (the roles by name).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from exosync.core.ranges import IpRanges
from exosync.core.tasks import Confirmation, Task
from exosync_adapters.exchange.aim import CONNECTOR, DOMAIN, RULE
from exosync_adapters.exchange.person import console, script
from exosync_adapters.exchange.person.script import ScriptStep, What
from exosync_adapters.exchange.records import Call
from exosync_adapters.exchange.settings import ExchangeSettings

RULE_DELAY = timedelta(minutes=30)
"""Microsoft: a new or changed rule can take 30 minutes or more."""

_RESOURCES = {"OutboundConnector": CONNECTOR, "TransportRule": RULE, "AcceptedDomain": DOMAIN}
_PLACES = {CONNECTOR: console.CONNECTORS, RULE: console.RULES, DOMAIN: console.DOMAINS}
_ROLES = {
    CONNECTOR: "Remote and Accepted Domains",
    RULE: "Transport Rules",
    DOMAIN: "Remote and Accepted Domains",
}

_BY_HAND = {
    What.CREATE_CONNECTOR: "choose “Add a connector”, and fill in the pages as the fields say",
    What.CREATE_RULE: (
        "choose “Add a rule”, “Create a new rule”, fill in the pages as the fields say, and leave "
        "the rule disabled"
    ),
    What.REMOVE_RULE: "select the rule, see that it is disabled, and delete it",
    What.REMOVE_CONNECTOR: "select the connector, see that it is off, and delete it",
}
_EDIT = "open it, and change what the fields say, and nothing else"

_MADE_BEFORE = (
    "No rule uses it yet, so it changes the way of no message: connector first, then the rule"
)
_DISABLED = (
    "It is made disabled, so it changes the way of no message. To switch it on is a step of its "
    "own, once connector and rule are seen to be right"
)
_BLOCKING_OFF = (
    "An authoritative domain refuses at the edge, before any rule runs, whoever is not known "
    "here (“550 5.4.1 Recipient address rejected: Access denied”). As an internal relay it "
    "delivers known recipients as before and passes the others on, so mail to addresses that "
    "exist nowhere is refused by the other side and no longer here (directory-based edge blocking "
    "is off for the whole domain)"
)
_BY_MX = (
    "What no rule and no connector takes goes where the MX record leads. If that is Exchange "
    "Online itself, it loops until it is refused (“554 5.4.14 Hop count exceeded”)"
)
_BACK = "Whose mail went by it stays in Exchange Online from then on, or is refused if it is not known here"


def task(step: ScriptStep, *, settings: ExchangeSettings, confirmation: Confirmation) -> Task:
    """A step for a person: the script, and the same for those who click."""
    setting = _RESOURCES[step.noun]
    return Task(
        setting=setting,
        title=f"{step.title[:1].upper()}{step.title[1:]}",
        place=_PLACES[setting],
        box=script.text(step),
        who=f"an Exchange administrator, or somebody with the role “{_ROLES[setting]}”",
        confirmation=confirmation,
        ranges=IpRanges(),
        fields=console.fields(step.calls),
        instructions=tuple(_instructions(step, settings, confirmation)),
        reasons=tuple(_reasons(step, settings)),
        delay=RULE_DELAY if setting == RULE else timedelta(0),
    )


def _instructions(
    step: ScriptStep, settings: ExchangeSettings, confirmation: Confirmation
) -> Iterator[str]:
    yield (
        "Connect by Connect-ExchangeOnline (module ExchangeOnlineManagement 3 or later) to the "
        f"tenant {step.tenant}, and paste the text given here. That changes nothing yet."
    )
    yield (
        f"{script.FUNCTION} -WhatIf tells what it would do; {script.FUNCTION} does it. It stops, "
        "and says why, where something is not as it was planned for."
    )
    yield f"Or by hand: in the {_place(step)}, {_BY_HAND.get(step.what, _EDIT)}."
    if _writes_mark(step.calls):
        yield (
            f"By hand, the line “{step.mark}” must stand by itself at the end of the "
            "description or comments: by it exosync knows what it may change."
        )
    if step.what is What.CHANGE_CONNECTOR and any("Name" in one.parameters for one in step.calls):
        yield (
            "It gets another name. Whether the rule follows is unknown, so do the step for the rule "
            "right after this one, if there is one; not before it."
        )
    if step.what is What.CREATE_CONNECTOR and not settings.validation_recipients:
        yield (
            "By hand, the page “Validation email” wants an address of a mailbox that is on the "
            "other side alone."
        )
    yield _end(confirmation)


def _place(step: ScriptStep) -> str:
    return _PLACES[_RESOURCES[step.noun]]


def _writes_mark(calls: tuple[Call, ...]) -> bool:
    return any(name in one.parameters for one in calls for name in ("Comment", "Comments"))


def _end(confirmation: Confirmation) -> str:
    if confirmation is Confirmation.READ:
        return "exosync reads it back and sees when it is done."
    return "Acknowledge it with exosync ack: without credentials exosync cannot read it."


def _reasons(step: ScriptStep, settings: ExchangeSettings) -> Iterator[str]:
    match step.what:
        case What.CREATE_CONNECTOR:
            yield _way_out(settings)
            yield _MADE_BEFORE
        case What.CREATE_RULE:
            yield _way_out(settings)
            yield _DISABLED
        case What.SWITCH_RULE_ON:
            yield _way_out(settings)
            yield "A rule takes 30 minutes or more until it works; try it after that"
        case What.INTERNAL_RELAY:
            yield _BLOCKING_OFF
            yield _BY_MX
        case What.SWITCH_RULE_OFF | What.REMOVE_RULE:
            yield _BACK
        case What.SWITCH_CONNECTOR_OFF | What.REMOVE_CONNECTOR:
            yield "The rule goes before the connector, so that no rule points to nothing"
        case What.MARK:
            yield "With the mark it is exosync's, which then keeps it as the configuration says"
        case _:
            yield "It is not as the configuration says"
    if settings.routed.whole_domain and step.what in (What.CREATE_RULE, What.SWITCH_RULE_ON):
        yield _whole_domain(settings)


def _way_out(settings: ExchangeSettings) -> str:
    return (
        f"By connector and rule, mail to {settings.domain} leaves Exchange Online to "
        f"{', '.join(settings.hosts)}: that of {_whose(settings)}"
    )


def _whose(settings: ExchangeSettings) -> str:
    routed = settings.routed
    if routed.group:
        return f"the members of {routed.group}"
    if routed.everyone_but:
        return f"everyone but the members of {routed.everyone_but}"
    return "everyone, mailboxes here too"


def _whole_domain(settings: ExchangeSettings) -> str:
    return (
        f"No group tells apart whose mailbox is where: mail to every address at {settings.domain} "
        "goes away, also to mailboxes in Exchange Online, as was acknowledged in the configuration"
    )
