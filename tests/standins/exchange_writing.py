"""All the commands that are not for reading alone, with their parameters."""

from __future__ import annotations

from collections.abc import Callable

from tests.standins import exchange_connectors as connectors
from tests.standins import exchange_rules as rules
from tests.standins.exchange_org import Org
from tests.standins.exchange_reading import Outcome, Parameters, needed
from tests.standins.exchange_replies import not_found
from tests.standins.exchange_switches import Switches
from tests.standins.exchange_types import BOOL, LIST, TEXT, Kind, enum

Writing = Callable[[Org, Parameters, Switches], Outcome]

_DOMAIN_KINDS = {
    "Identity": TEXT,
    "DomainType": enum("AcceptedDomainType", "Authoritative", "ExternalRelay", "InternalRelay"),
    "MatchSubDomains": BOOL,
    "OutboundOnly": BOOL,
}


def validate_connector(org: Org, given: Parameters, switches: Switches) -> Outcome:
    """Validate-OutboundConnector never sets IsValidated (docs).

    Its rows have TaskName and IsTaskSuccessful; which others there are is unknown.
    """
    identity = needed("Identity", given)
    held = org.connector(identity)
    if held is None:
        raise not_found(identity)
    needed("Recipients", given)
    rows = org.validate(held, list(given["Recipients"]))
    return Outcome(
        tuple({"Name": name, "TaskName": name, "IsTaskSuccessful": works} for name, works in rows)
    )


def set_domain(org: Org, given: Parameters, switches: Switches) -> Outcome:
    """Set-AcceptedDomain."""
    identity = needed("Identity", given)
    held = org.domain(identity)
    if held is None:
        raise not_found(identity)
    return connectors.changed(org, held, connectors.stored(given))


WRITING: dict[str, tuple[Writing, dict[str, Kind]]] = {
    "New-OutboundConnector": (connectors.new, connectors.NEW_KINDS),
    "Set-OutboundConnector": (connectors.set_, connectors.SET_KINDS),
    "Remove-OutboundConnector": (connectors.remove, connectors.IDENTITY_KINDS),
    "Validate-OutboundConnector": (validate_connector, {"Identity": TEXT, "Recipients": LIST}),
    "New-TransportRule": (rules.new, rules.NEW_KINDS),
    "Set-TransportRule": (rules.set_, rules.SET_KINDS),
    "Enable-TransportRule": (rules.enable, rules.ENABLE_KINDS),
    "Disable-TransportRule": (rules.disable, connectors.IDENTITY_KINDS),
    "Remove-TransportRule": (rules.remove, connectors.IDENTITY_KINDS),
    "Set-AcceptedDomain": (set_domain, _DOMAIN_KINDS),
}
