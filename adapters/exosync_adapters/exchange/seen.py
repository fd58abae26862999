"""What was read of a tenant, with what is ours of it, and how it becomes an observation. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from exosync.core.ranges import IpRanges
from exosync.core.target import ABSENT, Finding, Foreign, Observed
from exosync.core.tasks import Known
from exosync_adapters.exchange import compare
from exosync_adapters.exchange.aim import CONNECTOR, DOMAIN, RULE, Aim, Found, Holding, Owned
from exosync_adapters.exchange.asserted import asserted, domain_token, unnamed_token, was_blind
from exosync_adapters.exchange.memory import Memory, without_comments
from exosync_adapters.exchange.records import (
    AcceptedDomain,
    Connector,
    DomainType,
    Listing,
    Organisation,
    Rule,
)
from exosync_adapters.exchange.rules import shown
from exosync_adapters.exchange.terms import Terms
from exosync_adapters.exchange.way.letters import NOBODY, Folk

_OF_GROUPS = ("SentToMemberOf", "ExceptIfSentToMemberOf")

CROWD = (Listing.CONNECTORS, Listing.RULES)
"""The listings in which ours are looked for."""


@dataclass(frozen=True, slots=True)
class Groups:
    """What was found out about the configured groups.

    `gone` are certainly no groups. `known_as` are a group's other addresses and names, in lower
    case, each with the address that is configured: how a rule gives a group back is not published.
    """

    gone: frozenset[str] = frozenset()
    known_as: Mapping[str, str] = field(default_factory=dict)

    def over(self, before: Mapping[str, str], groups: Iterable[str]) -> Groups:
        """With what was found out `before` of those `groups` that could not be asked for now."""
        missed = {*groups} - {*self.known_as.values(), *self.gone}
        kept = {name: one for name, one in before.items() if one in missed}
        return replace(self, known_as={**kept, **self.known_as})


NOT_ASKED = Groups()
"""Of groups that nobody asked for."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What was read, what is ours of it, and what is remembered, now and from `before`.

    `said` are the tokens that stood for it at the last look, if that read nothing; else None.
    """

    aim: Aim
    organisation: Organisation
    holding: Holding
    memory: Memory
    groups: Groups = NOT_ASKED
    before: Memory = field(default_factory=Memory)
    said: Mapping[str, str] | None = None

    @property
    def owned(self) -> Owned:
        """The connector and the rule that are ours."""
        return self.holding.owned

    @property
    def domain(self) -> AcceptedDomain | None:
        """The accepted domain of the configured name."""
        return self.organisation.domain(self.aim.settings.domain)

    @property
    def spares_nobody(self) -> bool:
        """Whether the group of those whose mailboxes are here was read, and nobody is in it."""
        here = self.aim.settings.routed.everyone_but
        return here is not None and self.memory.folk.groups.get(here.lower()) == frozenset()

    @property
    def doubts(self) -> dict[Listing, str]:
        """Why ours may be there without being listed, or others beside it."""
        whole = self.organisation.incomplete
        return {name: whole[name] for name in CROWD if name in whole}

    def connector(self, one: Connector) -> dict[str, object]:
        """A connector as parameters."""
        return compare.connector_parameters(one)

    def rule(self, one: Rule) -> dict[str, object]:
        """A rule of this organisation as parameters; with its place if that is configured."""
        priority = None if self.aim.settings.priority is None else self._place(one)
        found = compare.rule_parameters(one, route=self.route(one), priority=priority)
        return found | {name: self._as_configured(found[name]) for name in _OF_GROUPS}

    def _place(self, rule: Rule) -> int:
        """How many rules come before: its priority, but where others' leave gaps."""
        return sum(one.priority < rule.priority for one in self.organisation.rules)

    def as_named(self, one: Rule) -> dict[str, object]:
        """The same with the connector by the name that the rule itself gives, whosever it is."""
        return {**self.rule(one), compare.ROUTE: one.connector or None}

    def with_connector(self, one: Connector) -> Seen:
        """The same once a connector is ours."""
        holding = replace(self.holding, connector=Found((one,)))
        return replace(self, holding=holding)

    def _as_configured(self, groups: object) -> object:
        if not isinstance(groups, list):
            return groups
        return [self.groups.known_as.get(compare.address(one), one) for one in groups]

    @property
    def wanted_connector(self) -> dict[str, object]:
        """The connector as it should be."""
        return compare.connector_parameters(self.aim.connector)

    @property
    def wanted_rule(self) -> dict[str, object]:
        """The rule as it should be, switched on.

        No rule can come later than last.
        """
        aim, priority = self.aim, self.aim.settings.priority
        if priority is not None:
            others = len(self.organisation.rules) - (self.owned.rule is not None)
            priority = min(priority, others)
        return compare.rule_parameters(
            aim.rule, route=aim.settings.connector_name, priority=priority
        )

    def route(self, rule: Rule) -> str:
        """Ours goes by the name that it should have, whatever it is called now."""
        found = compare.resolved(rule.connector, self.organisation.connectors)
        ours = self.owned.connector
        if found is None:
            return rule.connector
        return self.aim.settings.connector_name if found is ours else found.name

    def users(self, connector: Connector) -> tuple[Rule, ...]:
        """The rules that name a connector, ours included."""
        connectors = self.organisation.connectors
        return tuple(
            one
            for one in self.organisation.rules
            if compare.resolved(one.connector, connectors) is connector
        )


def seen(
    aim: Aim,
    organisation: Organisation,
    known: Known,
    groups: Groups = NOT_ASKED,
    folk: Folk = NOBODY,
) -> Seen:
    """Find what is ours, and bring the memory in line with it."""
    former = Memory.read(known.remembered)
    before = of_tenant(former, aim, known)
    holding = aim.find(organisation, before.ids)
    ids = dict(before.ids)
    for resource, listing, one in (
        (CONNECTOR, Listing.CONNECTORS, holding.connector),
        (RULE, Listing.RULES, holding.rule),
    ):
        if one.was_ours:
            continue  # what was ours is there without its mark: that is told until it is settled
        if one.ours is not None:
            ids[resource] = one.ours.guid
        elif one.namesake is None and listing not in organisation.incomplete:
            ids.pop(resource, None)
    if before.terms is not None:
        groups = groups.over(before.terms.known_as, aim.groups)
    kept = without_comments(organisation)
    memory = replace(before, ids=ids, organisation=kept, at=known.now, folk=folk)
    if holding.rule.ours is not None and holding.rule.ours.enabled:
        memory = replace(memory, seen_on=known.now)
    elif RULE not in ids:
        memory = replace(memory, seen_on=None)
    memory = replace(
        memory,
        terms=Terms.of(aim, groups.known_as),
        relayed=_relayed(before, organisation, known),
    )
    what = Seen(aim, organisation, holding, memory, groups, former, _said(known, former))
    now = {name: (token, known.now) for name, token in tokens(what)}
    return replace(what, memory=replace(memory, last_read={**before.last_read, **now}))


def of_tenant(former: Memory, aim: Aim, known: Known) -> Memory:
    """What is remembered of the tenant that the configuration names: of another one nothing is."""
    another = former.terms is not None and former.terms.tenant != aim.settings.tenant
    return Memory(begun=known.now) if another else former


def _said(known: Known, former: Memory) -> dict[str, str] | None:
    if not was_blind(former):
        return None
    found = asserted(known, former)
    return {
        name: found[name].gives or ABSENT for name in (CONNECTOR, RULE, DOMAIN) if name in found
    }


def _relayed(before: Memory, organisation: Organisation, known: Known) -> frozenset[str]:
    """The internal relays that were made because a person was asked to."""
    asked = known.asked.get(DOMAIN)
    named = {before.terms.domain} if before.terms and asked is not None and asked.is_open else set()
    return frozenset(
        name
        for name in {*before.relayed, *named}
        if _may_relay(name, organisation, unlisted=name in before.relayed)
    )


def _may_relay(name: str, organisation: Organisation, *, unlisted: bool) -> bool:
    """Whether a domain is an internal relay; `unlisted`: of one that a cut listing may hide."""
    found = next((one for one in organisation.domains if one.name == name), None)
    if found is None:
        return unlisted and Listing.DOMAINS in organisation.incomplete
    return found.type is DomainType.INTERNAL_RELAY


def observed(what: Seen, findings: Iterable[Finding] = ()) -> Observed:
    """What was read, as every target tells it, with what was found besides."""
    told = [*findings, *_incomplete(what)]
    return Observed(
        owned=IpRanges(),
        resources=dict(tokens(what)),
        as_before=_as_before(what) | _unspoken(what),
        foreign=tuple(_foreign(what)),
        findings=tuple(told),
        remember=what.memory.remembered,
        detail=what,
    )


def tokens(what: Seen) -> Iterator[tuple[str, str]]:
    """The token of each resource; of one that may be there unseen there is none."""
    owned, incomplete = what.owned, what.organisation.incomplete
    if owned.connector is not None:
        yield CONNECTOR, compare.token(what.connector(owned.connector))
    elif Listing.CONNECTORS not in incomplete:
        yield CONNECTOR, ABSENT
    if owned.rule is not None:
        yield RULE, compare.token(what.rule(owned.rule))
    elif Listing.RULES not in incomplete:
        yield RULE, ABSENT
    if what.domain is not None:
        yield DOMAIN, domain_token(what.aim.settings.domain, what.domain.type)
    elif Listing.DOMAINS not in incomplete:
        yield DOMAIN, ABSENT


def _as_before(what: Seen) -> dict[str, str]:
    """The same told in the terms of the last look; of another tenant, what was told last."""
    before, now = what.before.terms, what.memory.terms
    if before is None and what.before.at is not None and what.domain is not None:
        return {DOMAIN: unnamed_token(what.domain.type)}
    if before is None or now is None or before == now:
        return {}
    if before.tenant != now.tenant:
        if what.said is not None:
            return {name: what.said.get(name, ABSENT) for name in (CONNECTOR, RULE, DOMAIN)}
        return {name: token for name, (token, _) in what.before.last_read.items()}
    aim = before.told_by(what.aim)
    holding = aim.find(what.organisation, what.before.ids)
    groups = replace(what.groups, known_as={**before.known_as, **what.groups.known_as})
    return dict(tokens(replace(what, aim=aim, holding=holding, groups=groups)))


def _unspoken(what: Seen) -> dict[str, str]:
    """A domain is there before exosync is; where nobody had spoken of it, it was taken for absent."""
    return {} if what.said is None or DOMAIN in what.said else {DOMAIN: ABSENT}


def _incomplete(what: Seen) -> Iterator[Finding]:
    for name, why in what.organisation.incomplete.items():
        yield Finding(
            "listing_incomplete",
            f"the listing of {name.value} is not whole ({shown(why)}): what is not in it may be "
            "there all the same",
        )


def _foreign(what: Seen) -> Iterator[Foreign]:
    """Everybody else's connectors, and the rules that route to a connector."""
    ours = what.owned
    for connector in what.organisation.connectors:
        if connector is not ours.connector:
            hosts = ", ".join(connector.smart_hosts) or "the recipient domain's MX"
            yield Foreign("outbound connector", f"{connector.name}: to {hosts}")
    for rule in what.organisation.rules:
        if rule is not ours.rule and rule.connector:
            yield Foreign("transport rule", f"{rule.name}: to the connector {rule.connector}")
