"""What differs between an object as it is and as it should be, in what exosync models alone. Pure.

Objects are compared as parameters of the commands that set them. What the vendor gives back
otherwise than it was given is made alike first: null, "" and [] are the same, lists are sets,
hosts, addresses and enumerations have no case (Microsoft365DSC#5500, CIPP#5383).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain
from typing import Final

from exosync.core.target import digest
from exosync_adapters.exchange.records import Connector, Rule, folded
from exosync_adapters.fields import domain_name

Parameters = Mapping[str, object]
"""Parameters by their names, as JSON values; what is not set is None."""

ROUTE: Final = "RouteMessageOutboundConnector"

_PLURAL = {
    "SmartHosts",
    "RecipientDomains",
    "RecipientDomainIs",
    "SentToMemberOf",
    "ExceptIfSentToMemberOf",
    "ExceptIfHeaderContainsWords",
}
_CONDITIONS = ("RecipientDomainIs", "SentToMemberOf")
_EXCEPTIONS = (
    "ExceptIfSentToMemberOf",
    "ExceptIfHeaderContainsMessageHeader",
    "ExceptIfHeaderContainsWords",
)
_ACTIONS = (ROUTE, "SetHeaderName", "SetHeaderValue")
_STATE: Final = "Enabled"
_STOP: Final = "StopRuleProcessing"
_MODELLED = {*_CONDITIONS, *_EXCEPTIONS, *_ACTIONS, _STOP}
_TELLING = {"SetAuditSeverity"}
"""Actions that only mark reports and message traces: the admin center has a box for that."""

_CLASSES = {"HeaderContains": "HeaderContainsWords", "SetHeader": "SetHeaderName"}
"""Classes that stand for two parameters each, by one of these."""


def connector_parameters(one: Connector) -> dict[str, object]:
    """A connector as the parameters that make it."""
    return {
        "Name": one.name,
        _STATE: one.enabled,
        "ConnectorType": one.type,
        "IsTransportRuleScoped": one.scoped,
        "UseMXRecord": one.use_mx,
        "SmartHosts": list(one.smart_hosts) or None,
        "RecipientDomains": list(one.recipient_domains) or None,
        "TlsSettings": one.tls or None,
        "TlsDomain": one.tls_domain or None,
        "TestMode": one.test_mode,
        "AllAcceptedDomains": one.all_accepted_domains,
    }


def rule_parameters(one: Rule, *, route: str, priority: int | None = None) -> dict[str, object]:
    """A rule as the parameters that make it; `Enabled` is set by commands of its own.

    `route` is the name of the connector that the rule means, "" for none; `priority` is left out
    if None.
    """
    found: dict[str, object] = {"Name": one.name, _STATE: one.enabled, "Mode": one.mode}
    for names, values in (
        (_CONDITIONS, one.conditions),
        (_EXCEPTIONS, one.exceptions),
        (_ACTIONS, one.actions),
    ):
        found |= {name: _value(name, values.get(name, ())) for name in names}
    found |= {ROUTE: route or None, _STOP: one.stops}
    return found if priority is None else {**found, "Priority": priority}


def resolved(name: str, connectors: Iterable[Connector]) -> Connector | None:
    """The connector that a rule means by a name or a Guid; the very same name first."""
    all_ = tuple(connectors)
    exact = (one for one in all_ if name in (one.name, one.guid))
    alike = (one for one in all_ if folded(name) in (folded(one.name), one.guid.lower()))
    return next(chain(exact, alike), None) if name else None


def differing(wanted: Parameters, seen: Parameters, *, but: Iterable[str] = ()) -> tuple[str, ...]:
    """The parameters that would have to be set."""
    return tuple(
        name
        for name in wanted
        if name not in but and normal(name, wanted[name]) != normal(name, seen.get(name))
    )


def token(parameters: Parameters) -> str:
    """The token of an object: whether it is switched on, and a digest of all that is modelled.

    The state can be read off it: of what nobody can read, what was acknowledged is all there is.
    """
    state = "on" if parameters[_STATE] else "off"
    return f"{state}:{digest({name: normal(name, value) for name, value in parameters.items()})}"


def text(parameters: Parameters) -> str:
    """An object for people who compare: a line for each parameter that is set."""
    lines = (f"{name}: {_shown(value)}" for name, value in parameters.items() if _is_set(value))
    return "\n".join(lines)


def more(rule: Rule) -> tuple[str, ...]:
    """What a rule has that exosync does not model: parameters, and classes without any of ours."""
    parameters = (*rule.conditions, *rule.exceptions, *rule.actions)
    strange = [one for one in parameters if one not in _MODELLED | _TELLING]
    stems = {one.removeprefix("ExceptIf") for one in (*parameters, *_TELLING, _STOP)}
    classes = [one for one in map(_stem, rule.predicates) if _CLASSES.get(one, one) not in stems]
    return (*strange, *classes)


def normal(name: str, value: object) -> object:
    """A value in the one form in which equal ones are equal."""
    if not _is_set(value):
        return None
    if isinstance(value, (list, tuple)):
        return sorted({_alike(name)(str(one)) for one in value}) or None
    return _alike(name)(value) if isinstance(value, str) else value


def host(value: str) -> str:
    """A name or an address of a host in A-labels and lower case, without brackets and last dot."""
    plain = value.strip().strip("[]").rstrip(".").lower()
    try:
        return plain if plain.isascii() else domain_name(plain)
    except ValueError:
        return plain


def address(value: str) -> str:
    """An address without `smtp:` before it and a priority after it, in lower case and A-labels."""
    plain = value.strip().lower().removeprefix("smtp:")
    before, _, after = plain.rpartition(";")
    bare = before if before and after.isdecimal() else plain
    local, at, domain = bare.rpartition("@")
    return f"{local}@{host(domain)}" if at else bare


def _same(value: str) -> str:
    return value


_ALIKE: dict[str, Callable[[str], str]] = {
    "SmartHosts": host,
    "RecipientDomains": host,
    "RecipientDomainIs": host,
    "TlsDomain": host,
    "SentToMemberOf": address,
    "ExceptIfSentToMemberOf": address,
    "SetHeaderValue": _same,
    ROUTE: _same,  # names were resolved: another connector's may differ in its case alone
}


def _alike(name: str) -> Callable[[str], str]:
    return _ALIKE.get(name, folded)


def _value(name: str, values: Sequence[str]) -> object:
    if not values:
        return None
    return list(values) if name in _PLURAL else values[0]


def _is_set(value: object) -> bool:
    return value is not None and value not in ("", [])


def _shown(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(sorted(str(one) for one in value))
    return str(value)


def _stem(class_name: str) -> str:
    last = class_name.rpartition(".")[2]
    for ending in ("Predicate", "Action"):
        last = last.removesuffix(ending)
    return last.removeprefix("ExceptIf")
