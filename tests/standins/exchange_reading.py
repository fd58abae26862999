"""The commands that read, as the stand-in of Exchange Online answers them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from tests.standins.exchange_org import Org
from tests.standins.exchange_records import shown_rule
from tests.standins.exchange_replies import ARGUMENT, BINDING, Refused, not_found
from tests.standins.exchange_switches import Switches
from tests.standins.exchange_types import BOOL, LIST, SIZE, TEXT, Kind, enum

Json = Any
Record = dict[str, Any]
Parameters = Mapping[str, Json]

TEST_MODE_WARNING = (
    "There is at least one test mode connector which is not included in the result. Please use "
    "-IncludeTestModeConnectors to include it."
)
"""DLConversionV2 159 has the first sentence and the name of the parameter."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a command gives. `size` is how much may come at once, None for everything."""

    value: tuple[Record, ...] = ()
    warnings: tuple[str, ...] = ()
    size: int | None = None


Reading = Callable[[Org, Parameters, Switches], Outcome]


def connectors(org: Org, given: Parameters, switches: Switches) -> Outcome:
    """Get-OutboundConnector."""
    if "Identity" in given:
        return _one(org.connectors, org.connector, given, switches)
    found = org.connectors
    warnings: tuple[str, ...] = ()
    wants_test_mode = given.get("IncludeTestModeConnectors", False)
    if not wants_test_mode:
        is_hidden = any(one["TestMode"] for one in found)
        warnings = (TEST_MODE_WARNING,) if is_hidden else ()
        found = [one for one in found if not one["TestMode"]]
    elif switches.test_mode == "only":
        found = [one for one in found if one["TestMode"]]
    scoped = given.get("IsTransportRuleScoped", False if switches.hide_scoped else None)
    if scoped is not None:
        found = [one for one in found if one["IsTransportRuleScoped"] == scoped]
    return Outcome(tuple(found), warnings, _size(given))


def rules(org: Org, given: Parameters, switches: Switches) -> Outcome:
    """Get-TransportRule: in the order of priorities."""
    shown = [shown_rule(one, number) for number, one in enumerate(org.rules)]
    if "Identity" in given:
        return _one(shown, lambda name: _shown(shown, org.rule(name)), given, switches)
    state = given.get("State")
    found = [one for one in shown if state is None or one["State"] == state]
    return Outcome(tuple(found), size=_size(given))


def domains(org: Org, given: Parameters, switches: Switches) -> Outcome:
    """Get-AcceptedDomain."""
    if "Identity" in given:
        return _one(org.domains, org.domain, given, switches)
    return Outcome(tuple(org.domains), size=_size(given))


def organization(org: Org, given: Parameters, switches: Switches) -> Outcome:
    """Get-OrganizationConfig, of hundreds of properties the few that we know of."""
    record = {
        "Name": org.initial_domain,
        "DisplayName": org.initial_domain.partition(".")[0].title(),
        "Guid": org.guid,
        # Public code: false is not yet readiness.
        "IsDehydrated": switches.dehydrated == "yes",
        "IsValid": True,
    }
    return Outcome((record,))


def members(org: Org, given: Parameters, switches: Switches) -> Outcome:
    """Get-DistributionGroupMember; nested groups are members like others."""
    identity = needed("Identity", given)
    group = org.recipient(identity) or _named(org.recipients, identity)
    found = org.groups.get(group["PrimarySmtpAddress"].lower()) if group else None
    if found is None:
        raise not_found(identity)
    return Outcome(tuple(org.recipient(one) or _contact(one) for one in found), size=_size(given))


def recipients(org: Org, given: Parameters, switches: Switches) -> Outcome:
    """Get-Recipient."""
    if given.get("Filter"):
        raise Refused(ARGUMENT, "This stand-in knows no filters.")
    identity = given.get("Identity")
    if identity is not None:
        found = org.recipient(identity) or _named(org.recipients, identity)
        if found is None:
            raise not_found(identity)
        return Outcome((found,))
    types = given.get("RecipientTypeDetails") or []
    kept = [one for one in org.recipients if not types or one["RecipientTypeDetails"] in types]
    return Outcome(tuple(kept), size=_size(given))


def needed(name: str, given: Parameters) -> str:
    """A parameter that must be there. Raises Refused."""
    value = given.get(name)
    if not value:
        text = (
            f"Cannot process command because of one or more missing mandatory parameters: {name}."
        )
        raise Refused(BINDING, text)
    return str(value)


_LISTING: dict[str, Kind] = {"Identity": TEXT, "ResultSize": SIZE}

READING: dict[str, tuple[Reading, dict[str, Kind]]] = {
    "Get-OutboundConnector": (
        connectors,
        {**_LISTING, "IncludeTestModeConnectors": BOOL, "IsTransportRuleScoped": BOOL},
    ),
    "Get-TransportRule": (
        rules,
        {
            **_LISTING,
            "State": enum("RuleState", "Enabled", "Disabled"),
            "Filter": TEXT,
            "DlpPolicy": TEXT,
            "ExcludeConditionActionDetails": BOOL,
        },
    ),
    "Get-AcceptedDomain": (domains, _LISTING),
    "Get-OrganizationConfig": (organization, {}),
    "Get-DistributionGroupMember": (members, _LISTING),
    "Get-Recipient": (
        recipients,
        {
            **_LISTING,
            "Filter": TEXT,
            "RecipientType": LIST,
            "RecipientTypeDetails": LIST,
            "Properties": LIST,
        },
    ),
}


def _one(
    among: Iterable[Record],
    find: Callable[[str], Record | None],
    given: Parameters,
    switches: Switches,
) -> Outcome:
    """The one of that identity; none or an unknown one may give everything (docs)."""
    identity = given["Identity"]
    found = find(identity) if identity else None
    if found is not None:
        return Outcome((found,))
    if identity is None or switches.unknown_identity == "all":
        return Outcome(tuple(among), size=_size(given))
    raise not_found(identity)


def _shown(shown: list[Record], rule: Record | None) -> Record | None:
    return next((one for one in shown if rule and one["Guid"] == rule["Guid"]), None)


def _size(given: Parameters) -> int | None:
    size = given.get("ResultSize", 1000)
    if str(size).casefold() == "unlimited":
        return None
    try:
        return int(size)
    except ValueError:
        text = f"Cannot process argument transformation on parameter 'ResultSize': {size!r}."
        raise Refused(BINDING, text) from None


def _named(among: Iterable[Record], name: str) -> Record | None:
    wanted = name.casefold()
    return next(
        (one for one in among if wanted in (one["Name"].casefold(), one["Guid"].casefold())), None
    )


def _contact(address: str) -> Record:
    return {
        "Name": address.partition("@")[0],
        "PrimarySmtpAddress": address,
        "RecipientType": "MailContact",
        "RecipientTypeDetails": "MailContact",
    }
