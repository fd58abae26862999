"""A tenant as immutable records, and what each command makes of it: an oracle without I/O."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from exosync.core.desired import Desired
from exosync.core.ranges import IpRanges
from exosync.core.target import Draft, Observed, Step
from exosync.core.tasks import Known
from exosync_adapters.exchange import ExchangeSettings, plan
from exosync_adapters.exchange.aim import Aim
from exosync_adapters.exchange.clouds import CLOUDS
from exosync_adapters.exchange.records import (
    AcceptedDomain,
    Call,
    Connector,
    DomainType,
    Organisation,
    Rule,
)
from exosync_adapters.exchange.seen import Groups, Seen, observed, seen

DOMAIN, TENANT = "example.com", "8a3bd10e-5b2c-4f6d-9a11-0c6f7e2d1b34"
NAME, MARK = "exosync example.com", "exosync:owner=exosync;target=way-out"
NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
MAIL = IpRanges.parse(["40.92.0.0/15", "104.47.0.0/17"])

ROUTE = "RouteMessageOutboundConnector"
_CONDITIONS = ("RecipientDomainIs", "SentToMemberOf")
_ACTIONS = (ROUTE, "SetHeaderName", "SetHeaderValue")


def settings(**keys: Any) -> ExchangeSettings:
    """Everyone but a group is routed to two hosts, by rest, but for the given keys."""
    chosen: dict[str, Any] = {
        "tenant": TENANT,
        "client_id": "2f9c1d77-4e0a-4c53-8f0e-6f1f5a9b7c21",
        "credentials": {"kind": "secret", "secret": {"env": "SECRET"}},
        "write": "rest",
        "domain": DOMAIN,
        "far_side": "mimecast",
        "smart_hosts": ["a.far.example", "b.far.example"],
        "routed": {"everyone_but": "here@example.com"},
    }
    return ExchangeSettings.model_validate(chosen | keys)


def aim(**keys: Any) -> Aim:
    """What the target `way-out` wants."""
    return Aim(settings(**keys), "exosync", "way-out")


def connector(**fields: Any) -> Connector:
    """Our connector as it should be, but for the given fields."""
    return replace(aim().connector, guid="guid-connector", **fields)


def rule(**fields: Any) -> Rule:
    """Our rule as it should be, on, but for the given fields."""
    return replace(aim().rule, guid="guid-rule", **fields)


def tenant(
    *things: Connector | Rule,
    type_: DomainType = DomainType.INTERNAL_RELAY,
    **fields: Any,
) -> Organisation:
    """A tenant with these connectors and rules, the rules in this order."""
    rules = [one for one in things if isinstance(one, Rule)]
    return Organisation(
        connectors=tuple(one for one in things if isinstance(one, Connector)),
        rules=tuple(replace(one, priority=place) for place, one in enumerate(rules)),
        **{"domains": (AcceptedDomain(DOMAIN, type_),), "dehydrated": False, **fields},
    )


def look(
    organisation: Organisation,
    *,
    of: Aim | None = None,
    remembered: Mapping[str, Any] | None = None,
    gone: Iterable[str] = (),
    known_as: Mapping[str, str] | None = None,
) -> Observed:
    """One observation."""
    known = Known(now=NOW, remembered=remembered or {})
    return observed(seen(of or aim(), organisation, known, Groups(frozenset(gone), known_as or {})))


def drafted(
    organisation: Organisation, *, adopting: bool = False, cloud: str = "worldwide", **how: Any
) -> Draft:
    """The draft over a tenant."""
    what: Seen = look(organisation, **how).detail
    if adopting:
        return plan.adoption(what)
    return plan.plan(Desired("Worldwide", "2026081400", MAIL), what, CLOUDS[cloud])


def told(draft: Draft) -> list[str]:
    """The names of the refusals."""
    return [one.rule for one in draft.refusals]


def cmdlets(draft: Draft) -> list[str]:
    """The commands of a draft in order."""
    return [call.cmdlet for step in draft.steps for call in step.detail]


def may(draft: Draft) -> list[Step]:
    """The steps that may be done once what can be approved is."""
    standing = [one for one in draft.refusals if not one.approvable]
    return [step for step in draft.steps if not any(one.covers(step) for one in standing)]


def after(organisation: Organisation, call: Call) -> Organisation:
    """The tenant after a command."""
    given: dict[str, Any] = dict(call.parameters)
    verb, _, noun = call.cmdlet.partition("-")
    if noun == "AcceptedDomain":
        kind = DomainType(given["DomainType"])
        domains = tuple(
            replace(one, type=kind) if one.name == given["Identity"] else one
            for one in organisation.domains
        )
        return replace(organisation, domains=domains)
    if noun == "OutboundConnector":
        return replace(organisation, connectors=_connectors(organisation, verb, given))
    return replace(organisation, rules=_rules(organisation, verb, given))


def _connectors(
    organisation: Organisation, verb: str, given: dict[str, Any]
) -> tuple[Connector, ...]:
    there = organisation.connectors
    if verb == "New":
        assert not any(one.name.lower() == given["Name"].lower() for one in there), "twice"
        fresh = Connector("", f"guid-{len(there)}-new", True, "Partner", False, use_mx=True)
        return (*there, _set_connector(fresh, given))
    identity = given.pop("Identity")
    (found,) = (one for one in there if identity in (one.guid, one.name))
    if verb == "Remove":
        users = [one for one in organisation.rules if one.connector == found.name]
        assert not users, "a rule names it"
        return tuple(one for one in there if one is not found)
    return tuple(_set_connector(one, given) if one is found else one for one in there)


_FIELDS = {
    "Name": "name",
    "Enabled": "enabled",
    "ConnectorType": "type",
    "IsTransportRuleScoped": "scoped",
    "UseMXRecord": "use_mx",
    "SmartHosts": "smart_hosts",
    "RecipientDomains": "recipient_domains",
    "TlsSettings": "tls",
    "TlsDomain": "tls_domain",
    "TestMode": "test_mode",
    "AllAcceptedDomains": "all_accepted_domains",
    "Comment": "comment",
}


def _set_connector(one: Connector, given: Mapping[str, Any]) -> Connector:
    assert set(given) <= set(_FIELDS), given
    lists = ("SmartHosts", "RecipientDomains")
    values: dict[str, Any] = {
        _FIELDS[name]: tuple(sorted(value or ())) if name in lists else value
        for name, value in given.items()
    }
    texts = {name: "" for name, value in values.items() if value is None}
    return replace(one, **{**values, **texts})


def _rules(organisation: Organisation, verb: str, given: dict[str, Any]) -> tuple[Rule, ...]:
    there = list(organisation.rules)
    given.pop("Confirm", None)
    place = given.pop("Priority", None)
    if verb == "New":
        fresh = Rule("", f"guid-{len(there)}-new", 0, given.pop("Enabled"), "Enforce")
        there.insert(len(there) if place is None else place, _set_rule(fresh, given, organisation))
        return _numbered(there)
    identity = given.pop("Identity")
    (found,) = (one for one in there if identity in (one.guid, one.name))
    at = there.index(found)
    del there[at]
    if verb == "Remove":
        return _numbered(there)
    if verb in ("Enable", "Disable"):
        changed = replace(found, enabled=verb == "Enable")
    else:
        assert set(given) == {"Comments"} or ROUTE in given, "a rule without an action"
        changed = _set_rule(found, given, organisation)
    there.insert(at if place is None else place, changed)
    return _numbered(there)


def _numbered(rules: list[Rule]) -> tuple[Rule, ...]:
    return tuple(replace(one, priority=place) for place, one in enumerate(rules))


def _set_rule(one: Rule, given: Mapping[str, Any], organisation: Organisation) -> Rule:
    parts: dict[str, Any] = {
        "conditions": dict(one.conditions),
        "exceptions": dict(one.exceptions),
        "actions": dict(one.actions),
    }
    plain = {"Name": "name", "Mode": "mode", "StopRuleProcessing": "stops", "Comments": "comments"}
    fields: dict[str, Any] = {plain[name]: given[name] for name in plain if name in given}
    for name, value in given.items():
        if name in plain:
            continue
        part = (
            "conditions" if name in _CONDITIONS else "actions" if name in _ACTIONS else "exceptions"
        )
        assert part != "exceptions" or name.startswith("ExceptIf"), name
        values = tuple(value) if isinstance(value, list) else (value,)
        if name == ROUTE:
            (target,) = (c for c in organisation.connectors if value in (c.guid, c.name))
            assert target.enabled, "a rule to a connector that is off"
            values = (target.name,)
        if value is None:
            parts[part].pop(name, None)
        else:
            parts[part][name] = values
    changed = replace(one, **fields, **parts)
    assert changed.conditions, "a rule for everybody"
    return changed
