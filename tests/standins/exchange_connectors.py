"""The commands that change outbound connectors, with what they refuse.

Likely, and seen by nobody whose report we know: that a duplicate's type is
ADObjectAlreadyExistsException, that New gives what it made, that Set with nothing to do warns.
"""

from __future__ import annotations

import re
from ipaddress import ip_network
from typing import Any, Final

from tests.standins import exchange_replies as replies
from tests.standins.exchange_org import Org
from tests.standins.exchange_reading import Outcome, Parameters, needed
from tests.standins.exchange_replies import ARGUMENT, Refused, not_found
from tests.standins.exchange_switches import Switches
from tests.standins.exchange_types import BOOL, LIST, TEXT, TIME, Kind, enum

Record = dict[str, Any]

LONGEST_NAME: Final = 64

_MTA_STS = enum("MtaStsMode", "Opportunistic", "None")
NEW_KINDS: Final[dict[str, Kind]] = {
    "Name": TEXT,
    "AllAcceptedDomains": BOOL,
    "CloudServicesMailEnabled": BOOL,
    "Comment": TEXT,
    "ConnectorSource": enum("TenantConnectorSource", "Default", "HybridWizard", "Migrated"),
    "ConnectorType": enum("TenantConnectorType", "OnPremises", "Partner"),
    "Enabled": BOOL,
    "IsTransportRuleScoped": BOOL,
    "MtaStsMode": _MTA_STS,
    "RecipientDomains": LIST,
    "RouteAllMessagesViaOnPremises": BOOL,
    "SenderRewritingEnabled": BOOL,
    "SmartHosts": LIST,
    "SmtpDaneMode": enum("SmtpDaneMode", "Opportunistic", "Mandatory", "None"),
    "TestMode": BOOL,
    "TlsDomain": TEXT,
    "TlsSettings": enum(
        "TlsAuthLevel", "EncryptionOnly", "CertificateValidation", "DomainValidation"
    ),
    "UseMXRecord": BOOL,
}
SET_KINDS: Final[dict[str, Kind]] = {
    **NEW_KINDS,
    "Identity": TEXT,
    "IsValidated": BOOL,
    "LastValidationTimestamp": TIME,
    "ValidationRecipients": LIST,
}
IDENTITY_KINDS: Final[dict[str, Kind]] = {"Identity": TEXT}

_FOR_ON_PREMISES = ("AllAcceptedDomains", "RouteAllMessagesViaOnPremises", "SenderRewritingEnabled")
_HOST = re.compile(
    r"[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9])?(\.[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9])?)+\.?"
)
_DOMAIN = re.compile(r"\*|(\*\.)?[^*@\s]+")
_COMMON = ("Identity", "Confirm", "WhatIf", "ErrorAction")


def new(org: Org, given: Parameters, switches: Switches) -> Outcome:
    """New-OutboundConnector gives what it made."""
    name = needed("Name", given)
    check_name(name, [one["Name"] for one in org.connectors], switches)
    asked = stored(given)
    if "SenderRewritingEnabled" in asked:  # CIPP 3873: of a Partner even to say it is refused
        _check_on_premises("SenderRewritingEnabled", asked)
    _check(asked, {"UseMXRecord": True, "ConnectorType": "Partner"} | asked)
    return Outcome((org.add_connector(name, **asked),))


def set_(org: Org, given: Parameters, switches: Switches) -> Outcome:
    """Set-OutboundConnector gives nothing, and warns if there is nothing to do."""
    held = _known(org, given)
    asked = stored(given)
    others = [one["Name"] for one in org.connectors if one is not held]
    if "Name" in asked:
        check_name(needed("Name", given), others, switches)
    _check(asked, {**held, **asked})
    warnings: tuple[str, ...] = ()
    if held["Enabled"] and asked.get("Enabled") is False:
        warnings = _check_unreferenced(org, held, switches)
    if "Name" in asked and switches.rename_follows:
        _rename(org, held["Name"], asked["Name"])
    return changed(org, held, asked, warnings)


def remove(org: Org, given: Parameters, switches: Switches) -> Outcome:
    """Remove-OutboundConnector gives nothing."""
    held = _known(org, given)
    warnings = _check_unreferenced(org, held, switches)
    org.connectors.remove(held)
    return Outcome(warnings=warnings)


def stored(given: Parameters) -> Record:
    """The parameters that are properties."""
    return {name: value for name, value in given.items() if name not in _COMMON}


def check_name(name: str, others: list[str], switches: Switches) -> None:
    """Refuse a name that is too long, or there already in any case. The first text is ours."""
    if len(name) > LONGEST_NAME:
        text = f"The length of the property is too long. The maximum length is {LONGEST_NAME} and the length of the value provided is {len(name)}."
        raise Refused("Microsoft.Exchange.Data.DataValidationException", text)
    if name.casefold() in (one.casefold() for one in others):
        text = f"The object '{name}' already exists. Please specify a different name."
        raise Refused(replies.EXISTS, text, status=switches.duplicate_status)


def changed(org: Org, held: Record, asked: Record, warnings: tuple[str, ...] = ()) -> Outcome:
    """Change a record; a change that changes nothing is told in a warning."""
    if all(held.get(name) == value for name, value in asked.items()):
        text = (
            f"The command completed successfully but no settings of '{held['Name']}' have been "
            "modified."
        )
        return Outcome(warnings=(*warnings, text))
    held.update(asked)
    org.changed(held)
    return Outcome(warnings=warnings)


def _known(org: Org, given: Parameters) -> Record:
    identity = needed("Identity", given)
    found = org.connector(identity)
    if found is None:
        raise not_found(identity)
    return found


def _check(asked: Record, whole: Record) -> None:
    for name in _FOR_ON_PREMISES:
        if whole.get(name):
            _check_on_premises(name, whole)
    for host in asked.get("SmartHosts", []):
        _check_host(host)
    for domain in asked.get("RecipientDomains", []):
        if not _DOMAIN.fullmatch(domain):
            raise Refused(ARGUMENT, f"The domain '{domain}' is not valid.")  # words ours
    if whole["UseMXRecord"] is False and not whole.get("SmartHosts"):
        raise Refused(ARGUMENT, "SmartHosts must be specified if UseMXRecord is false.")
    if whole["UseMXRecord"] and whole.get("SmartHosts"):  # unknown
        raise Refused(ARGUMENT, "SmartHosts must not be specified if UseMXRecord is true.")
    if whole.get("TlsSettings") == "DomainValidation" and not whole.get("TlsDomain"):  # unknown
        raise Refused(ARGUMENT, "TlsDomain must be specified for DomainValidation.")


def _check_on_premises(name: str, whole: Record) -> None:
    if whole.get("ConnectorType", "Partner") != "OnPremises":
        text = f"The {name} parameter can only be specified for Connector type OnPremises."
        raise Refused(ARGUMENT, text)  # CIPP 3873


def _check_host(host: str) -> None:
    """A name, an address or a CIDR, without a port (office-docs-powershell 5599); words ours."""
    try:
        ip_network(host.strip("[]"), strict=False)
    except ValueError:
        if not _HOST.fullmatch(host):
            raise Refused(ARGUMENT, f"The smart host '{host}' is not valid.") from None


def _check_unreferenced(org: Org, held: Record, switches: Switches) -> tuple[str, ...]:
    """Likely; whether it is refused, and in which words, is not known."""
    naming = [one["Name"] for one in org.rules if org.routed(one) is held]
    if not naming or switches.referenced == "allowed":
        return ()
    text = f"The connector '{held['Name']}' is used by these transport rules: {', '.join(naming)}."
    if switches.referenced == "warned":
        return (text,)
    raise Refused("System.InvalidOperationException", text)


def _rename(org: Org, former: str, name: str) -> None:
    for rule in org.rules:
        if rule.get("RouteMessageOutboundConnector") == former:
            rule["RouteMessageOutboundConnector"] = name
