"""What a tenant holds that decides where its mail goes, as immutable values. Pure.

Names of the properties are those of Get-AcceptedDomain, Get-OutboundConnector and
Get-TransportRule (learn.microsoft.com/powershell/module/exchangepowershell).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


def folded(name: str) -> str:
    """A name in the one form in which equal ones are equal: composed (NFC), and without case."""
    return unicodedata.normalize("NFC", name.strip()).casefold()


def length(text: str) -> int:
    """How long a text is for Exchange Online, which counts in UTF-16 as .NET does."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


class Listing(StrEnum):
    """What is listed; each can be incomplete by itself."""

    DOMAINS = "accepted domains"
    CONNECTORS = "outbound connectors"
    RULES = "transport rules"
    ORGANISATION = "organization"


class DomainType(StrEnum):
    """How a domain's unknown recipients are treated."""

    AUTHORITATIVE = "Authoritative"
    INTERNAL_RELAY = "InternalRelay"
    EXTERNAL_RELAY = "ExternalRelay"
    UNKNOWN = ""


@dataclass(frozen=True, slots=True)
class AcceptedDomain:
    """One domain of the tenant's own. `name` is in A-labels and lower case."""

    name: str
    type: DomainType
    is_default: bool = False
    match_subdomains: bool = False
    outbound_only: bool = False


@dataclass(frozen=True, slots=True)
class Connector:
    """One outbound connector.

    `tls` is TlsSettings ("" for none: TLS if it is offered), `smart_hosts` and
    `recipient_domains` are in lower case without dots at the end, sorted. `scoped`: it is used
    by rules that name it alone. `is_validated` and `validated_at` are what anyone may set.
    `others` are the further properties that have another value than a new connector's, as
    texts: what exosync does not model and never writes.
    """

    name: str
    guid: str
    enabled: bool
    type: str
    scoped: bool
    use_mx: bool
    smart_hosts: tuple[str, ...] = ()
    recipient_domains: tuple[str, ...] = ()
    tls: str = ""
    tls_domain: str = ""
    test_mode: bool = False
    all_accepted_domains: bool = False
    comment: str = ""
    source: str = ""
    is_validated: bool = False
    validated_at: str = ""
    validation_recipients: tuple[str, ...] = ()
    others: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Rule:
    """One transport rule.

    `conditions`, `exceptions` and `actions` map the parameter that sets each
    (`RecipientDomainIs`, `ExceptIfSentToMemberOf`, `RouteMessageOutboundConnector`, …) to its
    values as texts, in the order given; flags are `True`. `predicates` are the class names in
    Conditions, Exceptions and Actions: what is among them and not among the parameters is
    something that exosync does not model. `connector` is the name that
    RouteMessageOutboundConnector gives, "" for none. `mode` is Enforce, Audit or AuditAndNotify.
    `priority` 0 comes first.
    """

    name: str
    guid: str
    priority: int
    enabled: bool
    mode: str
    conditions: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    exceptions: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    actions: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    predicates: tuple[str, ...] = ()
    stops: bool = False
    comments: str = ""
    error_action: str = "Ignore"
    sender_address: str = "Header"
    recipient_address: str = "Resolved"
    activates: str = ""
    expires: str = ""

    @property
    def connector(self) -> str:
        """The name of the connector that it routes to; empty if it routes to none."""
        return next(iter(self.actions.get("RouteMessageOutboundConnector", ())), "")


@dataclass(frozen=True, slots=True)
class Organisation:
    """Everything of a tenant that decides where mail goes.

    `rules` are in the order of their priorities. `incomplete` tells of a listing why it may not
    be the whole: what is not in such a listing is never concluded to be absent. `dehydrated`:
    the organisation says that it cannot be customised yet; None if it was not told.
    """

    domains: tuple[AcceptedDomain, ...] = ()
    connectors: tuple[Connector, ...] = ()
    rules: tuple[Rule, ...] = ()
    incomplete: Mapping[Listing, str] = field(default_factory=dict)
    dehydrated: bool | None = None

    def domain(self, name: str) -> AcceptedDomain | None:
        """The accepted domain of that name, or the nearest that accepts its subdomains."""
        exact = next((one for one in self.domains if one.name == name), None)
        above = (
            one for one in self.domains if one.match_subdomains and name.endswith(f".{one.name}")
        )
        return exact or max(above, key=lambda one: len(one.name), default=None)


@dataclass(frozen=True, slots=True)
class Call:
    """One command of Exchange Online's: its name, and its parameters as JSON values."""

    cmdlet: str
    parameters: Mapping[str, object]
