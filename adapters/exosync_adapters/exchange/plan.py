"""From what was read to what is to be done, in the order that never leaves mail without a way. Pure.

Connector first, then the rule, made switched off; the domain's type is a person's, once the rule
is on. Nothing is planned over a listing that is not whole.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from exosync.core.desired import Desired
from exosync.core.ranges import IpRanges
from exosync.core.target import Draft, Finding, Severity, Step
from exosync_adapters.exchange import compare, guards, rules
from exosync_adapters.exchange.aim import CONNECTOR, RULE
from exosync_adapters.exchange.asserted import domain_token
from exosync_adapters.exchange.clouds import Cloud
from exosync_adapters.exchange.compare import ROUTE, Parameters
from exosync_adapters.exchange.records import Connector, DomainType, Rule
from exosync_adapters.exchange.seen import CROWD, Seen
from exosync_adapters.exchange.steps import Maker, Object

_NOTHING = IpRanges()


def plan(desired: Desired, seen: Seen, cloud: Cloud) -> Draft:
    """What is to be done next; no step where all is as it should be."""
    draft = _Removal(seen).draft() if seen.aim.settings.remove else _Keeping(seen).draft()
    if seen.doubts and (draft.steps or draft.refusals or _lacks(seen)):
        return replace(draft, steps=(), refusals=(rules.incomplete(seen.doubts),))
    standing = guards.over(draft, desired, seen, cloud)
    return replace(draft, refusals=(*draft.refusals, *standing))


def _lacks(seen: Seen) -> bool:
    """Whether something of ours is not in the listing, or gone as it should be."""
    owned = (seen.owned.connector, seen.owned.rule)
    listings = seen.organisation.incomplete
    return any(one is None and name in listings for one, name in zip(owned, CROWD, strict=True))


class _Keeping:
    """The plan that makes connector and rule, and keeps them as they should be."""

    def __init__(self, seen: Seen) -> None:
        self._seen, self._make = seen, Maker(seen.aim)
        self._connector, self._rule = seen.owned.connector, seen.owned.rule

    def draft(self) -> Draft:
        """Steps on what is ours, and why others cannot be done."""
        refusals = (
            *guards.strangers(self._seen),
            *guards.unknown_parts(self._seen),
            *guards.renamed(self._seen),
            *guards.on_premises(self._seen),
        )
        held = {resource for one in refusals for resource in one.resources}
        return Draft(_NOTHING, _NOTHING, tuple(self._steps(held)), refusals)

    def _steps(self, held: set[str]) -> Iterator[Step]:
        if CONNECTOR in held and self._connector is None:
            return
        connector = self._for_connector()
        if connector is not None:
            yield connector
        if RULE in held and self._rule is None:
            return
        rule = self._for_rule()
        if rule is not None:
            yield rule
        elif connector is None and self._rule is not None:
            yield from self._last(self._rule)

    def _for_connector(self) -> Step | None:
        wanted, ours = self._seen.wanted_connector, self._connector
        if ours is None:
            return self._make.create_connector(wanted)
        now = self._seen.connector(ours)
        if not compare.differing(wanted, now):
            return None
        return self._make.change_connector(
            Object(ours.name, ours.guid, now), wanted, expects=compare.token(now)
        )

    def _for_rule(self) -> Step | None:
        wanted, ours = self._seen.wanted_rule, self._rule
        if ours is None:
            return self._make.create_rule(wanted, self._named)
        now = self._seen.rule(ours)
        wanted = {**wanted, "Enabled": ours.enabled}
        renamed = self._renamed_under(ours)
        if renamed is not None:
            now, wanted = {**now, ROUTE: renamed.name}, now
        if not compare.differing(wanted, now):
            return None
        return self._make.change_rule(
            Object(ours.name, ours.guid, now), wanted, self._named, expects=compare.token(now)
        )

    def _renamed_under(self, rule: Rule) -> Connector | None:
        """Our connector, if it gets another name while our rule names it.

        Whether rules follow is unknown. So the rule is pointed to it in the same plan, and what
        else is to be set in the rule comes after that.
        """
        ours = self._connector
        if ours is None or rule not in self._seen.users(ours):
            return None
        now = self._seen.connector(ours)
        return ours if "Name" in compare.differing(self._seen.wanted_connector, now) else None

    def _last(self, rule: Rule) -> Iterator[Step]:
        """Once connector and rule are seen to be right: the rule acts, then the domain follows."""
        if not rule.enabled:
            yield self._on(rule)
        else:
            yield from self._relay()

    def _on(self, rule: Rule) -> Step:
        now, last = self._seen.rule(rule), self._seen.memory.seen_on
        # So a plan to switch it on again is another one, and is approved anew.
        since = f"switched on when last seen so, {last:%Y-%m-%d %H:%M} UTC" if last else ""
        one = Object(rule.name, rule.guid, read=rule)
        return self._make.switch_rule_on(
            one, now, self._named, expects=compare.token(now), since=since
        )

    def _relay(self) -> Iterator[Step]:
        settings, domain = self._seen.aim.settings, self._seen.domain
        if settings.accepted_domain != "internal_relay" or settings.routed.group is not None:
            return
        if domain is None or domain.name != settings.domain:
            return
        if domain.type is not DomainType.AUTHORITATIVE:
            return
        yield self._make.internal_relay(
            domain.name,
            domain.type,
            expects=domain_token(domain.name, domain.type),
            gives=domain_token(domain.name, DomainType.INTERNAL_RELAY),
        )

    @property
    def _named(self) -> Object:
        """The connector as a rule should name it."""
        ours = self._connector
        name = self._seen.aim.settings.connector_name
        return Object(name, ours.guid if ours is not None else "")


class _Removal:
    """The plan that takes both away: the rule first, each switched off before it goes.

    A person is asked for the connector only once the rule is gone: the script does it no sooner.
    """

    def __init__(self, seen: Seen) -> None:
        self._seen, self._make = seen, Maker(seen.aim)

    def draft(self) -> Draft:
        """Steps on what is ours; what is not ours is nobody's here."""
        refusals = (*guards.doubles(self._seen), *guards.unknown_parts(self._seen))
        held = {resource for one in refusals for resource in one.resources}
        rule, connector = self._seen.owned.rule, self._seen.owned.connector
        steps: list[Step] = []
        if rule is not None and RULE not in held:
            steps += self._rule_steps(rule)
        if connector is not None and not held:
            users = tuple(one for one in self._seen.users(connector) if one is not rule)
            if users:
                refusals = (*refusals, rules.connector_in_use(connector, users))
            if rule is None or self._seen.aim.settings.write == "rest":
                steps += self._connector_steps(connector)
        return Draft(_NOTHING, _NOTHING, tuple(steps), refusals, tuple(self._findings(steps)))

    def _rule_steps(self, rule: Rule) -> Iterator[Step]:
        now, one = self._seen.rule(rule), Object(rule.name, rule.guid)
        off: Parameters = {**now, "Enabled": False}
        if rule.enabled:
            yield self._make.switch_rule_off(one, now, expects=compare.token(now))
        yield self._make.remove_rule(one, off, expects=compare.token(off))

    def _connector_steps(self, connector: Connector) -> Iterator[Step]:
        now, one = self._seen.connector(connector), Object(connector.name, connector.guid)
        off: Parameters = {**now, "Enabled": False}
        if connector.enabled:
            yield self._make.switch_connector_off(one, now, expects=compare.token(now))
        yield self._make.remove_connector(one, off, expects=compare.token(off))

    def _findings(self, steps: list[Step]) -> Iterator[Finding]:
        domain = self._seen.domain
        if steps and domain is not None and domain.type is DomainType.INTERNAL_RELAY:
            yield Finding(
                "relay_without_connector",
                f"{domain.name} is an internal relay: once connector and rule are gone, mail for "
                "recipients who are not known here goes where the domain's MX leads, which may be "
                "back here; see the domain's type before",
                Severity.WARNING,
            )


def adoption(seen: Seen) -> Draft:
    """Mark what has our names, and change nothing else."""
    if seen.doubts:
        return Draft(_NOTHING, _NOTHING, refusals=(rules.incomplete(seen.doubts),))
    refusals, steps = [*guards.doubles(seen)], []
    connector, rule = seen.holding.connector, seen.holding.rule
    make, then = Maker(seen.aim), seen
    if not connector.marked and connector.namesake is not None:
        one, now = connector.namesake, seen.connector(connector.namesake)
        standing = tuple(guards.adoptable(one, seen.aim, was_ours=connector.was_ours))
        refusals += standing
        if all(refusal.approvable for refusal in standing):
            then = seen.with_connector(one)
        comment = guards.comments(one, seen.aim)
        subject = Object(one.name, one.guid, now)
        steps.append(make.mark(CONNECTOR, subject, comment, gives=compare.token(now)))
    if not rule.marked and rule.namesake is not None:
        found = rule.namesake
        refusals += guards.adoptable(found, seen.aim, was_ours=rule.was_ours)
        subject = Object(found.name, found.guid, seen.as_named(found))
        gives = compare.token(then.rule(found))
        steps.append(make.mark(RULE, subject, guards.comments(found, seen.aim), gives=gives))
    return Draft(_NOTHING, _NOTHING, tuple(steps), tuple(refusals))
