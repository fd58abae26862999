"""A tenant that nobody reads: what people acknowledged stands for what is there. Pure.

The token that an acknowledged step gives tells what its object then was: switched on or off, and
whether it was as it is wanted now. So does the token of what exosync itself read last, while it
still had credentials: of the two the later one counts, and neither is proof.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from exosync.core.ranges import IpRanges
from exosync.core.target import (
    ABSENT,
    Check,
    Draft,
    Observed,
    Step,
    Verification,
)
from exosync.core.tasks import Asserted, Known
from exosync_adapters.exchange import compare
from exosync_adapters.exchange.aim import CONNECTOR, DOMAIN, RULE, Aim
from exosync_adapters.exchange.asserted import UNREAD, asserted, domain_token, of_people
from exosync_adapters.exchange.compare import Parameters
from exosync_adapters.exchange.findings import domain
from exosync_adapters.exchange.memory import Memory
from exosync_adapters.exchange.records import AcceptedDomain, DomainType, Listing, Organisation
from exosync_adapters.exchange.seen import of_tenant
from exosync_adapters.exchange.steps import Maker, Object
from exosync_adapters.exchange.terms import Terms
from exosync_adapters.exchange.way.letters import NOBODY

_NOTHING = IpRanges()


@dataclass(frozen=True, slots=True)
class Said:
    """What was said of each resource last: by people, or by exosync's last reading."""

    aim: Aim
    by_resource: Mapping[str, Asserted]

    def token(self, resource: str) -> str:
        """The token of a resource on a person's word; of what nobody spoke of it is ABSENT."""
        found = self.by_resource.get(resource)
        return found.gives if found is not None and found.gives else ABSENT

    def is_due(self, resource: str) -> bool:
        """Whether it was so long ago that it should be looked at once more."""
        found = self.by_resource.get(resource)
        return found is not None and found.due_again

    @property
    def connector(self) -> Parameters:
        """The connector as it should be."""
        return compare.connector_parameters(self.aim.connector)

    @property
    def rule(self) -> Parameters:
        """The rule as it should be, switched on."""
        settings = self.aim.settings
        return compare.rule_parameters(
            self.aim.rule, route=settings.connector_name, priority=settings.priority
        )

    @property
    def organisation(self) -> Organisation:
        """The tenant as far as people's word goes: what else is there, nobody knows."""
        settings, rule = self.aim.settings, self.aim.rule
        is_there = {name: self.token(name) != ABSENT for name in (CONNECTOR, RULE)}
        is_on = self.token(RULE).startswith("on:")
        return Organisation(
            domains=(AcceptedDomain(settings.domain, self._domain_type),),
            connectors=(self.aim.connector,) if is_there[CONNECTOR] else (),
            rules=(replace(rule, enabled=is_on),) if is_there[RULE] else (),
            incomplete=dict.fromkeys(Listing, UNREAD),
        )

    @property
    def _domain_type(self) -> DomainType:
        name, said = self.aim.settings.domain, self.token(DOMAIN)
        kinds = (one for one in DomainType if said == domain_token(name, one))
        return next(kinds, DomainType.UNKNOWN)


def observed(aim: Aim, known: Known) -> Observed:
    """Nothing is asked. What was read last is kept for the day when there are credentials again."""
    before = of_tenant(Memory.read(known.remembered), aim, known)
    before = replace(before, terms=before.terms or Terms.of(aim, {}))
    said = Said(aim, asserted(known, before))
    tokens = {name: said.token(name) for name in (CONNECTOR, RULE, DOMAIN)}
    gone = {tokens[CONNECTOR], tokens[RULE]} == {ABSENT}
    memory = replace(
        before,
        organisation=said.organisation,
        at=known.now,
        folk=NOBODY,
        relayed=before.relayed | _relayed(known, before),
    )
    return Observed(
        _NOTHING,
        tokens,
        findings=tuple(domain.acknowledged(aim.settings, memory.relayed, gone=gone)),
        unread=frozenset(tokens),
        remember=memory.remembered,
        detail=said,
    )


def _relayed(known: Known, before: Memory) -> frozenset[str]:
    """The domain that somebody said was made an internal relay, be it the configured one or not."""
    one = of_people(known, before).get(DOMAIN)
    start = domain_token("", DomainType.INTERNAL_RELAY)
    is_relay = one is not None and one.gives.startswith(start)
    return frozenset({one.gives.removeprefix(start)}) if one and is_relay else frozenset()


def plan(said: Said) -> Draft:
    """The steps that a person has not yet acknowledged, one after another at each place."""
    steps = _removal(said) if said.aim.settings.remove else _keeping(said)
    return Draft(_NOTHING, _NOTHING, tuple(steps))


def _keeping(said: Said) -> Iterator[Step]:
    make = Maker(said.aim, blind=True)
    settings, wanted, now = said.aim.settings, said.connector, said.token(CONNECTOR)
    connector = Object(settings.connector_name)
    if now == ABSENT:
        yield make.create_connector(wanted)
    elif now != compare.token(wanted) or said.is_due(CONNECTOR):
        yield make.change_connector(connector, wanted, expects=now)
    yield from _rule(said, make, connector)


def _rule(said: Said, make: Maker, connector: Object) -> Iterator[Step]:
    on, now = said.rule, said.token(RULE)
    rule, off = Object(said.aim.settings.rule_name), {**on, "Enabled": False}
    if now == ABSENT:
        yield make.create_rule(on, connector)
    elif now not in (compare.token(on), compare.token(off)) or said.is_due(RULE):
        kept = on if now.startswith("on:") else off
        yield make.change_rule(rule, kept, connector, expects=now)
    elif said.token(CONNECTOR) != compare.token(said.connector):
        return
    elif now == compare.token(off):
        yield make.switch_rule_on(rule, off, connector, expects=now)
    else:
        yield from _domain(said, make)


def _domain(said: Said, make: Maker) -> Iterator[Step]:
    """Its type is not known, so a person is asked to see that it is the right one."""
    settings = said.aim.settings
    gives = domain_token(settings.domain, DomainType.INTERNAL_RELAY)
    if settings.accepted_domain != "internal_relay" or settings.routed.group is not None:
        return
    now = said.token(DOMAIN)
    if now != gives or said.is_due(DOMAIN):
        yield make.internal_relay(settings.domain, DomainType.UNKNOWN, expects=now, gives=gives)


def _removal(said: Said) -> Iterator[Step]:
    """The connector is asked for only once the rule is gone: the script does it no sooner."""
    make, settings = Maker(said.aim, blind=True), said.aim.settings
    rule, connector = Object(settings.rule_name), Object(settings.connector_name)
    now, off = said.token(RULE), {**said.rule, "Enabled": False}
    if now.startswith("on:"):
        yield make.switch_rule_off(rule, said.rule, expects=now)
        now = compare.token(off)
    if now != ABSENT:
        yield make.remove_rule(rule, off, expects=now)
        return
    now, off = said.token(CONNECTOR), {**said.connector, "Enabled": False}
    if now.startswith("on:"):
        yield make.switch_connector_off(connector, said.connector, expects=now)
        now = compare.token(off)
    if now != ABSENT:
        yield make.remove_connector(connector, off, expects=now)


def verify(said: Said) -> Verification:
    """What was said, as what it is: asserted."""
    wanted = _wanted(said)
    missing = [name for name, token in wanted.items() if said.token(name) != token]
    if missing:
        message = f"nobody has acknowledged that {' and '.join(missing)} are as wanted; {UNREAD}"
        return Verification((Check("acknowledged", ok=False, message=message),))
    found = tuple(said.by_resource[name] for name in wanted if name in said.by_resource)
    if not found:
        return Verification((Check("acknowledged", ok=None, message=UNREAD),))
    return Verification((), asserted=found)


def _wanted(said: Said) -> dict[str, str]:
    if said.aim.settings.remove:
        return {CONNECTOR: ABSENT, RULE: ABSENT}
    return {CONNECTOR: compare.token(said.connector), RULE: compare.token(said.rule)}
