"""The same calls for people who click: fields of the Exchange admin center with their values. Pure.

The wording is that of Microsoft's pages and of guides that walk through the wizard ("Scenario:
Conditional mail routing in Exchange Online", "Mail flow rule conditions and exceptions"); the
console is redesigned now and then, so it may have moved on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from exosync.core.words import one_line
from exosync_adapters.exchange.records import Call

CONNECTORS = "Exchange admin center: Mail flow > Connectors"
RULES = "Exchange admin center: Mail flow > Rules"
DOMAINS = "Exchange admin center: Mail flow > Accepted domains"

ONLY_FOR_RULES = (
    "Only when I have a transport rule set up that redirects messages to this connector"
)

_TLS = {
    "EncryptionOnly": "Any digital certificate, including self-signed certificates",
    "CertificateValidation": "Issued by a trusted certificate authority (CA)",
    "DomainValidation": "Issued by a trusted certificate authority (CA), and the name matches",
}
_TYPES = {"Partner": "Partner organization", "OnPremises": "Your organization's email server"}


def _plain(value: object) -> str:
    match value:
        case None | "" | [] | ():
            return "take it out"
        case bool():
            return "tick it" if value else "do NOT tick it"
        case list() | tuple():
            return ", ".join(one_line(str(one)) for one in value)
    return one_line(str(value))


def _lines(value: object) -> str:
    """A text of several lines, in one."""
    return " [new line] ".join(one_line(one) for one in str(value).splitlines())


def _of(names: Mapping[str, str]) -> Callable[[object], str]:
    return lambda value: names.get(str(value), _plain(value))


_FIELDS: Mapping[str, tuple[str, Callable[[object], str]]] = {
    "ConnectorType": ("Connection to", _of(_TYPES)),
    "Name": ("Name", _plain),
    "Comment": ("Description", _lines),
    "IsTransportRuleScoped": ("Use of connector", _of({"True": ONLY_FOR_RULES})),
    "UseMXRecord": (
        "Routing",
        _of(
            {
                "True": "Use the MX record associated with the partner's domain",
                "False": "Route email through these smart hosts",
            }
        ),
    ),
    "SmartHosts": ("Routing, smart hosts", _plain),
    "TlsSettings": (
        "Security restrictions, with “Always use Transport Layer Security (TLS)” ticked",
        _of(_TLS),
    ),
    "TlsDomain": ("Subject name or subject alternative name (SAN) matches", _plain),
    "ValidationRecipients": ("Validation email", _plain),
    "RecipientDomainIs": ("Apply this rule if: The recipient > domain is", _plain),
    "SentToMemberOf": ("and: The recipient > is a member of this group", _plain),
    "RouteMessageOutboundConnector": (
        "Do the following: Redirect the message to > the following connector",
        _plain,
    ),
    "SetHeaderName": ("and: Modify the message properties > set a message header", _plain),
    "SetHeaderValue": ("to the value", _plain),
    "ExceptIfSentToMemberOf": ("Except if: The recipient > is a member of this group", _plain),
    "ExceptIfHeaderContainsMessageHeader": (
        "Except if: The message headers > includes any of these words; header",
        _plain,
    ),
    "ExceptIfHeaderContainsWords": ("words", _plain),
    "Mode": ("Rule mode", _plain),
    "Priority": ("Priority", _plain),
    "StopRuleProcessing": ("Stop processing more rules", _plain),
    "Comments": ("Comments", _lines),
    "DomainType": ("This accepted domain is", _of({"InternalRelay": "Internal relay"})),
}
"""What the console calls each parameter, in the order of its pages."""

_SWITCHES = {"OutboundConnector": "Turn it on", "TransportRule": "Enable or disable rule"}
_NOT_IN_THE_CONSOLE = "by PowerShell alone: {}"


def fields(calls: tuple[Call, ...]) -> tuple[tuple[str, str], ...]:
    """The fields to enter or tick, each with its value; only what the calls would set."""
    return tuple(field for call in calls for field in _fields(call))


def _fields(call: Call) -> Iterator[tuple[str, str]]:
    verb, _, noun = call.cmdlet.partition("-")
    given = call.parameters
    if call.cmdlet == "New-OutboundConnector":
        yield "Connection from", "Office 365"
    for name, (label, shown) in _FIELDS.items():
        if name in given:
            yield label, shown(given[name])
    if "Enabled" in given:
        yield _SWITCHES.get(noun, "Enabled"), "on" if given["Enabled"] else "off"
    if verb in ("Enable", "Disable"):
        yield _SWITCHES.get(noun, "Enabled"), "on" if verb == "Enable" else "off"
    for name in given:
        if name not in _FIELDS and name not in ("Enabled", "Identity", "Confirm"):
            yield _NOT_IN_THE_CONSOLE.format(name), _plain(given[name])
