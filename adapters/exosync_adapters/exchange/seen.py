"""What was read of a tenant, with what is ours of it, and how it becomes an observation. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from exosync.core.ranges import IpRanges
from exosync.core.target import ABSENT, Finding, Foreign, Observed
from exosync.core.tasks import Known
from exosync_adapters.exchange import compare
from exosync_adapters.exchange.aim import CONNECTOR, DOMAIN, RULE, Aim, Holding, Owned
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
from exosync_adapters.exchange.way.letters import NOBODY, Folk

_OF_GROUPS = ("SentToMemberOf", "ExceptIfSentToMemberOf")

CROWD = (Listing.CONNECTORS, Listing.RULES)
"""The listings in which ours are looked for."""


@dataclass(frozen=True, slots=True)
class Groups:
    """What was found out about the configured groups.

    `gone` certainly do not exist. `known_as` are a group's other addresses and its name, in lower
    case, each with the address that is configured: how a rule gives a group back is not published.
    """

    gone: frozenset[str] = frozenset()
    known_as: Mapping[str, str] = field(default_factory=dict)


NOT_ASKED = Groups()
"""Of groups that nobody asked for."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What was read, what is ours of it, and what is remembered."""

    aim: Aim
    organisation: Organisation
    holding: Holding
    memory: Memory
    groups: Groups = NOT_ASKED

    @property
    def owned(self) -> Owned:
        """The connector and the rule that are ours."""
        return self.holding.owned

    @property
    def domain(self) -> AcceptedDomain | None:
        """The accepted domain of the configured name."""
        return self.organisation.domain(self.aim.settings.domain)

    @property
    def doubts(self) -> dict[Listing, str]:
        """Why ours may be there without being listed, or others beside it."""
        whole = self.organisation.incomplete
        return {name: whole[name] for name in CROWD if name in whole}

    def connector(self, one: Connector) -> dict[str, object]:
        """A connector as parameters."""
        return compare.connector_parameters(one)

    def rule(self, one: Rule) -> dict[str, object]:
        """A rule of this organisation as parameters; with its priority if that is configured."""
        priority = None if self.aim.settings.priority is None else one.priority
        found = compare.rule_parameters(one, route=self.route(one), priority=priority)
        return found | {name: self._as_configured(found[name]) for name in _OF_GROUPS}

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
    before = Memory.read(known.remembered)
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
    kept = without_comments(organisation)
    memory = replace(before, ids=ids, organisation=kept, at=known.now, folk=folk)
    if holding.rule.ours is not None and holding.rule.ours.enabled:
        memory = replace(memory, seen_on=known.now)
    elif RULE not in ids:
        memory = replace(memory, seen_on=None)
    return Seen(aim, organisation, holding, memory, groups)


def observed(what: Seen, findings: Iterable[Finding] = ()) -> Observed:
    """What was read, as every target tells it, with what was found besides."""
    told = [*findings, *_incomplete(what)]
    return Observed(
        owned=IpRanges(),
        resources=dict(tokens(what)),
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
        yield DOMAIN, domain_token(what.domain.type)
    elif Listing.DOMAINS not in incomplete:
        yield DOMAIN, ABSENT


def domain_token(kind: DomainType) -> str:
    """The token of an accepted domain: its type, for it is all that a step changes."""
    return f"type:{kind.value.lower()}"


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
