"""Records of Exchange Online: what a new one holds, and how one reads.

The properties are those of records that G2O captured and of the docs. Which sidecar a type has,
beyond System.Int32 and System.Guid, is ours.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from tests.standins.exchange_predicates import (
    ACTION_KINDS,
    ACTIONS,
    CONDITION_KINDS,
    CONDITIONS,
    EXCEPTIONS,
)
from tests.standins.exchange_switches import Switches
from tests.standins.exchange_types import BOOL

Json = Any
Record = dict[str, Any]

RULE_LISTS = frozenset({"Conditions", "Exceptions", "Actions"})


def new_domain(name: str, type_: str) -> Record:
    """An accepted domain."""
    return {
        "Name": name,
        "DomainName": name,
        "DomainType": type_,
        "Default": False,
        "InitialDomain": False,
        "MatchSubDomains": False,
        "OutboundOnly": False,
        "AddressBookEnabled": True,
        "SendingFromDomainDisabled": False,
        "AuthenticationType": "Managed",
    }


def new_connector(name: str) -> Record:
    """An outbound connector as New-OutboundConnector leaves it if nothing else is said (docs)."""
    return {
        "Name": name,
        "Enabled": True,
        "UseMXRecord": True,
        "Comment": "",
        "ConnectorType": "Partner",
        "ConnectorSource": "Default",
        "RecipientDomains": [],
        "SmartHosts": [],
        "TlsDomain": None,
        "TlsSettings": None,
        "IsTransportRuleScoped": False,
        "RouteAllMessagesViaOnPremises": False,
        "CloudServicesMailEnabled": False,
        "AllAcceptedDomains": False,
        "SenderRewritingEnabled": False,
        "MtaStsMode": "Opportunistic",
        "SmtpDaneMode": "Opportunistic",
        "TestMode": False,
        "ValidationRecipients": [],
        "IsValidated": False,
        "LastValidationTimestamp": None,
        "AdminDisplayName": "",
        "IsValid": True,
    }


def new_rule(name: str) -> Record:
    """A transport rule without conditions and actions."""
    return {
        "Name": name,
        "DlpPolicy": None,
        "DlpPolicyId": "00000000-0000-0000-0000-000000000000",
        "Comments": None,
        "CreatedBy": "Admin",
        "LastModifiedBy": "Admin",
        "ManuallyModified": False,
        "ActivationDate": None,
        "ExpiryDate": None,
        "State": "Enabled",
        "Mode": "Enforce",
        "RuleErrorAction": "Ignore",
        "RuleSubType": "None",
        "SenderAddressLocation": "Header",
        "RecipientAddressType": "Resolved",
        "UseLegacyRegex": False,
        "StopRuleProcessing": False,
        "IsValid": True,
    }


def shown_rule(rule: Record, priority: int) -> Record:
    """A rule with what an answer adds: its place, its text, the classes of its parts."""
    kinds = {**CONDITION_KINDS, **ACTION_KINDS}
    flags = {name: False for name, kind in kinds.items() if kind is BOOL}  # false or null: unknown
    known = {**dict.fromkeys((*CONDITIONS, *EXCEPTIONS, *ACTIONS)), **flags, **rule}
    further: Mapping[str, list[str]] = rule.get("_further", {})
    parts = {"Conditions": CONDITIONS, "Exceptions": EXCEPTIONS, "Actions": ACTIONS}
    lists = {
        name: [*dict.fromkeys(_classes(rule, among)), *further.get(name, [])]
        for name, among in parts.items()
    }
    text = (
        f"If the message:\r\n\t…\r\nTake the following actions:\r\n\t{', '.join(lists['Actions'])}"
    )
    return {**known, **lists, "Priority": priority, "Description": text, "Size": len(text)}


def read_back(record: Record, switches: Switches) -> Record:
    """A record as an answer gives it: Identity, sidecars, empty lists as they read."""
    shown = {name: value for name, value in record.items() if not name.startswith("_")}
    shown.setdefault("Identity", shown["Name"])
    found: Record = {}
    for name, value in shown.items():
        if switches.sidecars:
            found |= {f"{name}@{kind}": text for kind, text in _sidecars(value)}
        found[name] = _written(name, value, switches)
    return found


def moment(when: datetime) -> str:
    """Seven digits of a second, as .NET writes (G2O)."""
    return f"{when:%Y-%m-%dT%H:%M:%S.%f}0Z"


def _classes(rule: Record, among: Mapping[str, str]) -> Iterator[str]:
    for name, class_ in among.items():
        if rule.get(name) not in (None, [], False, ""):
            yield class_


def _written(name: str, value: Json, switches: Switches) -> Json:
    if isinstance(value, datetime):
        # G2O: this one comes without Z.
        return moment(value).rstrip("Z" if name == "LastValidationTimestamp" else "")
    if value != []:
        return value
    if switches.empty_as == "as_seen":
        return None if name in RULE_LISTS else []
    return None if switches.empty_as == "null" else []


def _sidecars(value: Json) -> Iterator[tuple[str, str]]:
    match value:
        case bool():
            yield "data.type", "System.Boolean"
        case int():
            yield "data.type", "System.Int32"
        case datetime():
            yield "data.type", "System.DateTime"
        case list():
            yield "odata.type", "#Collection(String)"
        case str() if _is_guid(value):
            yield "odata.type", "#Guid"
            yield "data.type", "System.Guid"


def _is_guid(text: str) -> bool:
    try:
        return len(text) == 36 and bool(UUID(text))
    except ValueError:
        return False
