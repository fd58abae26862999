"""The commands that change transport rules, with what they refuse."""

from __future__ import annotations

from typing import Any, Final

from tests.standins.exchange_connectors import changed, check_name, stored
from tests.standins.exchange_org import Org
from tests.standins.exchange_predicates import (
    ACTION_KINDS,
    ACTIONS,
    CONDITION_KINDS,
    EXCEPT,
    EXCEPTIONS,
    PAIRS,
)
from tests.standins.exchange_reading import Outcome, Parameters, needed
from tests.standins.exchange_records import shown_rule
from tests.standins.exchange_replies import ARGUMENT, NOT_FOUND, Refused, not_found
from tests.standins.exchange_switches import Switches
from tests.standins.exchange_types import BOOL, INT, TEXT, TIME, Kind, enum

Record = dict[str, Any]

MOST_RULES: Final = 300
LONGEST_COMMENTS: Final = 1024

_MODE = enum("RuleMode", "Audit", "AuditAndNotify", "Enforce")
SET_KINDS: Final[dict[str, Kind]] = {
    "Identity": TEXT,
    "Name": TEXT,
    "Comments": TEXT,
    "Mode": _MODE,
    "Priority": INT,
    "ActivationDate": TIME,
    "ExpiryDate": TIME,
    "RecipientAddressType": enum("RecipientAddressType", "Original", "Resolved"),
    "RuleErrorAction": enum("RuleErrorAction", "Ignore", "Defer"),
    "SenderAddressLocation": enum(
        "SenderAddressLocation", "Header", "Envelope", "HeaderOrEnvelope"
    ),
    "StopRuleProcessing": BOOL,
    **CONDITION_KINDS,
    **{f"{EXCEPT}{name}": kind for name, kind in CONDITION_KINDS.items()},
    **ACTION_KINDS,
}
NEW_KINDS: Final[dict[str, Kind]] = {
    **{name: kind for name, kind in SET_KINDS.items() if name != "Identity"},
    "Enabled": BOOL,
}
ENABLE_KINDS: Final[dict[str, Kind]] = {"Identity": TEXT, "Mode": _MODE}

_NO_ACTION = (  # CIPP 5379
    "To be valid, all rules have to include at least one action. Please specify an action. "
    "(Parameter 'Actions')"
)


def new(org: Org, given: Parameters, switches: Switches) -> Outcome:
    """New-TransportRule gives what it made; it comes last unless told otherwise."""
    name = needed("Name", given)
    check_name(name, [one["Name"] for one in org.rules], switches)
    if len(org.rules) >= MOST_RULES:  # a secondary source; words ours
        raise Refused(ARGUMENT, f"There can't be more than {MOST_RULES} rules.")
    asked = _resolved(org, stored(given))
    _check(org, asked, asked)
    at = _place(asked.pop("Priority", len(org.rules)), len(org.rules))
    state = "Enabled" if asked.pop("Enabled", True) else "Disabled"
    made = org.add_rule(name, at=at, **{"State": state, **asked})
    return Outcome((shown_rule(made, at),))


def set_(org: Org, given: Parameters, switches: Switches) -> Outcome:
    """Set-TransportRule changes what is named alone."""
    held = _known(org, given)
    asked = _resolved(org, stored(given))
    if "Name" in asked:
        others = [one["Name"] for one in org.rules if one is not held]
        check_name(needed("Name", given), others, switches)
    _check(org, asked, {**held, **asked})
    at = asked.pop("Priority", org.rules.index(held))
    _place(at, len(org.rules) - 1)
    has_moved = at != org.rules.index(held)
    if has_moved:
        org.rules.remove(held)
        org.rules.insert(at, held)
        org.changed(held)
    outcome = changed(org, held, asked)
    return Outcome() if has_moved else outcome


def enable(org: Org, given: Parameters, switches: Switches) -> Outcome:
    """Enable-TransportRule, perhaps in another mode."""
    mode = {"Mode": given["Mode"]} if given.get("Mode") else {}
    return changed(org, _known(org, given), {"State": "Enabled", **mode})


def disable(org: Org, given: Parameters, switches: Switches) -> Outcome:
    """Disable-TransportRule."""
    return changed(org, _known(org, given), {"State": "Disabled"})


def remove(org: Org, given: Parameters, switches: Switches) -> Outcome:
    """Remove-TransportRule; those behind it move up."""
    org.rules.remove(_known(org, given))
    return Outcome()


def _known(org: Org, given: Parameters) -> Record:
    identity = needed("Identity", given)
    found = org.rule(identity)
    if found is None:
        raise not_found(identity)
    return found


def _resolved(org: Org, asked: Record) -> Record:
    """A connector is kept by its name, however it was given (public code)."""
    route = asked.get("RouteMessageOutboundConnector")
    if not route:
        return asked
    found = org.connector(route)
    if found is None:  # likely; words ours
        raise Refused(ARGUMENT, f"The outbound connector '{route}' couldn't be found.")
    if not found["Enabled"]:
        raise Refused(ARGUMENT, f"The outbound connector '{route}' is disabled.")
    return {**asked, "RouteMessageOutboundConnector": found["Name"]}


def _check(org: Org, asked: Record, whole: Record) -> None:
    if len(asked.get("Comments") or "") > LONGEST_COMMENTS:
        raise Refused(ARGUMENT, f"Comments can't be longer than {LONGEST_COMMENTS} characters.")
    if not any(_is_set(whole, name) for name in ACTIONS):
        raise Refused(ARGUMENT, _NO_ACTION)
    for one, other in PAIRS:
        if _is_set(whole, one) != _is_set(whole, other):
            raise Refused(ARGUMENT, f"{one} and {other} must be specified together.")  # words ours
    groups = [name for name in (*CONDITION_KINDS, *EXCEPTIONS) if name.endswith("MemberOf")]
    for address in (one for name in groups for one in asked.get(name) or ()):
        if address.lower() not in org.groups:  # ours: unknown groups are likely to be refused
            text = f"Couldn't find object '{address}'. Please make sure that it was spelled correctly or specify a different object."
            raise Refused(NOT_FOUND, text)


def _is_set(rule: Record, name: str) -> bool:
    return rule.get(name) not in (None, [], "", False)


def _place(at: int, most: int) -> int:
    if not 0 <= at <= most:  # words ours
        raise Refused(ARGUMENT, f"The priority must be between 0 and {most}.")
    return at
