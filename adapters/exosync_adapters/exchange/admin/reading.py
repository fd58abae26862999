"""Records of Exchange Online as values of ours. Pure, and tolerant: absent is as null, "" or [].

What a property holds was seen by rknightion/graph2otel (a connector, two rules, accepted
domains) or is as Microsoft Learn documents it. A record that cannot be understood is told as
such: taken for something else, it would be planned upon.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from exosync_adapters.exchange.admin.parameters import ACTIONS, CONDITIONS, EXCEPT, NAMESPACE
from exosync_adapters.exchange.records import AcceptedDomain, Connector, DomainType, Rule
from exosync_adapters.fields import domain_name

Raw = Mapping[str, Any]


class UnreadableError(ValueError):
    """A record is not what it should be; the message says which and why."""


@dataclass(frozen=True, slots=True)
class Recipient:
    """Somebody whom the tenant knows. `type` is RecipientTypeDetails (UserMailbox, MailUser, …).

    `addresses` are all of its SMTP addresses in lower case, `address` the first of them,
    `external` the address elsewhere that its mail is sent to. `names` are what else a rule may
    know it by, in lower case; not the display name, which others may have too.
    """

    name: str
    type: str
    address: str
    addresses: frozenset[str]
    external: str = ""
    names: frozenset[str] = frozenset()


NEW_CONNECTOR: Mapping[str, str] = {
    "CloudServicesMailEnabled": "False",
    "MtaStsMode": "Opportunistic",
    "RouteAllMessagesViaOnPremises": "False",
    "SenderRewritingEnabled": "False",
    "SmtpDaneMode": "Opportunistic",
}
"""What a new connector has of what exosync does not model (New-OutboundConnector)."""

CONNECTOR_TYPES = ("Partner", "OnPremises")
TLS_LEVELS = ("EncryptionOnly", "CertificateValidation", "DomainValidation")
MODES = ("Enforce", "Audit", "AuditAndNotify")
ADDRESS_TYPES = ("Original", "Resolved")
"""Members of enumerations, as New-OutboundConnector and New-TransportRule name them."""

_IDENTITIES = (
    "Name",
    "Alias",
    "Identity",
    "DistinguishedName",
    "LegacyExchangeDN",
    "Guid",
    "ExchangeObjectId",
    "ExternalDirectoryObjectId",
)
"""What New-TransportRule takes for a recipient besides its address, and so may give back."""

_NUMBER = re.compile(r"[0-9]{1,9}")
_NO_NAME = re.compile(r'[\s,{}"]')


def accepted_domain(raw: Raw) -> AcceptedDomain:
    """One record of Get-AcceptedDomain. Raises UnreadableError."""
    written = _text(raw, "DomainName") or _text(raw, "Name")
    name = _host(written.removeprefix("*."))
    if not name:
        raise UnreadableError("an accepted domain without a name")
    kind = _text(raw, "DomainType")
    known = {one.value.lower(): one for one in DomainType}
    return AcceptedDomain(
        name,
        known.get(kind.lower(), DomainType.UNKNOWN),
        is_default=_flag(raw, "Default"),
        match_subdomains=_flag(raw, "MatchSubDomains") or written.startswith("*."),
        outbound_only=_flag(raw, "OutboundOnly"),
    )


def connector(raw: Raw) -> Connector:
    """One record of Get-OutboundConnector. Raises UnreadableError."""
    name, guid = _identity(raw, "an outbound connector")
    return Connector(
        name=name,
        guid=guid,
        enabled=_flag(raw, "Enabled", absent=True),
        type=_member(raw, "ConnectorType", CONNECTOR_TYPES),
        scoped=_flag(raw, "IsTransportRuleScoped"),
        use_mx=_flag(raw, "UseMXRecord", absent=True),
        smart_hosts=_sorted(raw, "SmartHosts", _smart_host),
        recipient_domains=_sorted(raw, "RecipientDomains", _recipient_domain),
        tls=_member(raw, "TlsSettings", TLS_LEVELS),
        tls_domain=_host(_text(raw, "TlsDomain")),
        test_mode=_flag(raw, "TestMode"),
        all_accepted_domains=_flag(raw, "AllAcceptedDomains"),
        comment=_text(raw, "Comment"),
        source=_text(raw, "ConnectorSource"),
        is_validated=_flag(raw, "IsValidated"),
        validated_at=_text(raw, "LastValidationTimestamp"),
        validation_recipients=_texts(raw, "ValidationRecipients"),
        others=dict(_others(raw)),
    )


def rule(raw: Raw) -> Rule:
    """One record of Get-TransportRule. Raises UnreadableError."""
    name, guid = _identity(raw, "a transport rule")
    return Rule(
        name=name,
        guid=guid,
        priority=_number(raw, "Priority"),
        enabled=_enabled(raw),
        mode=_member(raw, "Mode", MODES) or "Enforce",
        conditions=dict(_parts(raw, CONDITIONS)),
        exceptions=dict(_parts(raw, [f"{EXCEPT}{one}" for one in CONDITIONS])),
        actions=dict(_parts(raw, ACTIONS)),
        predicates=tuple(
            one.removeprefix(NAMESPACE)
            for listed in ("Conditions", "Exceptions", "Actions")
            for one in _texts(raw, listed)
        ),
        stops=_flag(raw, "StopRuleProcessing"),
        comments=_text(raw, "Comments"),
        error_action=_text(raw, "RuleErrorAction") or "Ignore",
        sender_address=_text(raw, "SenderAddressLocation") or "Header",
        recipient_address=_member(raw, "RecipientAddressType", ADDRESS_TYPES) or "Resolved",
        activates=_text(raw, "ActivationDate"),
        expires=_text(raw, "ExpiryDate"),
    )


def recipient(raw: Raw) -> Recipient:
    """One record of Get-Recipient. Raises UnreadableError."""
    primary = address(_text(raw, "PrimarySmtpAddress"))
    others = [one for one in _texts(raw, "EmailAddresses") if one.lower().startswith("smtp:")]
    addresses = frozenset(filter(None, (primary, *map(address, others))))
    if not addresses:
        raise UnreadableError("a recipient without an address")
    return Recipient(
        name=_text(raw, "Name") or _text(raw, "DisplayName"),
        type=_text(raw, "RecipientTypeDetails") or _text(raw, "RecipientType"),
        address=primary or min(addresses),
        addresses=addresses,
        external=address(_text(raw, "ExternalEmailAddress")),
        names=frozenset(
            one.lower() for one in map(raw.get, _IDENTITIES) if isinstance(one, str) and one
        ),
    )


def member(raw: Raw) -> str:
    """The address of one record of Get-DistributionGroupMember; "" if it has none."""
    return address(_text(raw, "PrimarySmtpAddress") or _text(raw, "WindowsLiveID"))


def is_dehydrated(raw: Raw) -> bool | None:
    """What a record of Get-OrganizationConfig says; None if it does not. Raises UnreadableError."""
    return None if raw.get("IsDehydrated") in (None, "") else _flag(raw, "IsDehydrated")


def address(text: str) -> str:
    """An address in lower case, its domain in A-labels, without the `smtp:` before it."""
    local, at, domain = text.strip().lower().removeprefix("smtp:").rpartition("@")
    return f"{local}@{_host(domain)}" if at else domain


def _identity(raw: Raw, what: str) -> tuple[str, str]:
    name = _text(raw, "Name") or _text(raw, "Identity")
    guid = (_text(raw, "Guid") or _text(raw, "ExchangeObjectId")).lower()
    if not name or not guid:
        raise UnreadableError(f"{what} ({name or guid or 'without a name'}) without Name or Guid")
    return name, guid


def _enabled(raw: Raw) -> bool:
    """State when it is read, Enabled when it is made (New-TransportRule)."""
    state = _text(raw, "State").lower()
    if state not in ("", "enabled", "disabled"):
        raise UnreadableError(f"State is {state!r}")
    return state == "enabled" if state else _flag(raw, "Enabled", absent=True)


def _others(raw: Raw) -> Iterator[tuple[str, str]]:
    for name, usual in NEW_CONNECTOR.items():
        values = [*_values(raw.get(name))]
        if values and values != [usual]:
            yield name, ", ".join(values)


def _parts(raw: Raw, among: list[str] | tuple[str, ...]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The parameters that say something: null, an empty list and False do not."""
    for name in among:
        values = tuple(_values(raw.get(name)))
        if name.endswith("DomainIs"):
            values = _domain_words(name, raw.get(name))
        if values and values != ("False",):
            yield name, values


def _domain_words(name: str, value: Any) -> tuple[str, ...]:
    """Domains of a condition. Each of a list is a word (New-TransportRule: Word[]), so any text."""
    values = tuple(_values(value))
    if not isinstance(value, list) or any(isinstance(one, (list, Mapping)) for one in value):
        _plain(name, values)
    return tuple(_host(one) for one in values)


def _text(raw: Raw, name: str) -> str:
    value = raw.get(name)
    if value is None or value == []:
        return ""
    if isinstance(value, (list, Mapping)):
        raise UnreadableError(f"{name} is a {type(value).__name__} and no text")
    return _clean(value)


def _member(raw: Raw, name: str, members: tuple[str, ...]) -> str:
    """A member of an enumeration, as the vendor writes it; of a number nobody says which it is."""
    text = _text(raw, name)
    if text.isdecimal():
        raise UnreadableError(f"{name} is the number {text}")
    return next((one for one in members if one.lower() == text.lower()), text)


def _flag(raw: Raw, name: str, *, absent: bool = False) -> bool:
    value = raw.get(name)
    if value is None or value == "":
        return absent
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    raise UnreadableError(f"{name} is neither true nor false")


def _number(raw: Raw, name: str) -> int:
    value = raw.get(name)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        return int(value)
    raise UnreadableError(f"{name} is no number")


def _texts(raw: Raw, name: str) -> tuple[str, ...]:
    return tuple(_values(raw.get(name)))


def _values(value: Any) -> Iterator[str]:
    """The values of a property as texts; one alone is as a list of one."""
    if value is None:
        return
    for one in value if isinstance(value, list) else [value]:
        if isinstance(one, (list, Mapping)):
            yield _clean(json.dumps(one, sort_keys=True, default=str))
        elif one is not None and (text := _clean(one)):
            yield text


def _sorted(raw: Raw, name: str, read: Callable[[str], str]) -> tuple[str, ...]:
    return tuple(sorted({read(one) for one in _plain(name, _texts(raw, name))} - {""}))


def _plain(name: str, values: tuple[str, ...]) -> tuple[str, ...]:
    """Values that are names each; an object, or several in one text, would pass for a name."""
    for one in values:
        if _NO_NAME.search(one.strip()):
            raise UnreadableError(f"{name} holds {one!r}, which is no name")
    return values


def _smart_host(text: str) -> str:
    """A name or address, which the admin centre writes in brackets."""
    return _host(text.strip("[]").removesuffix("/32"))


def _recipient_domain(text: str) -> str:
    """A domain without the `smtp:` before and the `;N` after it that inbound connectors show."""
    plain = text.lower().removeprefix("smtp:").partition(";")[0]
    return f"*.{_host(plain[2:])}" if plain.startswith("*.") else _host(plain)


def _host(text: str) -> str:
    """A name in A-labels and lower case, without a dot at its end; what is none, in lower case."""
    plain = text.strip().rstrip(".")
    try:
        return domain_name(plain)
    except ValueError:
        return plain.lower()


def _clean(value: object) -> str:
    # A lone surrogate is fine in JSON, and nowhere else.
    return str(value).encode("utf-8", "replace").decode()
