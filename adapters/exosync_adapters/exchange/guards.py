"""Which rules stand against what would be done. Pure; the words are in `rules`."""

from __future__ import annotations

from collections.abc import Iterator

from exosync.core.desired import Desired
from exosync.core.ranges import IpRanges
from exosync.core.target import Draft, Refusal, Step
from exosync.errors import RangeError
from exosync_adapters.exchange import compare, rules
from exosync_adapters.exchange.aim import (
    CONNECTOR,
    LONGEST_COMMENT,
    RULE,
    Aim,
    Found,
    mark_in,
    with_mark,
)
from exosync_adapters.exchange.clouds import Cloud
from exosync_adapters.exchange.findings.foreign import covers, is_in_force, may_take
from exosync_adapters.exchange.records import Call, Connector, Rule, folded, length
from exosync_adapters.exchange.seen import Seen

_ON_PREMISES = ("RouteAllMessagesViaOnPremises", "SenderRewritingEnabled")
"""What only connectors to the company's own servers have, and exosync does not write."""

_ADOPTED_BY_OTHERS = frozenset({"hybridwizard", "migrated"})


def doubles(seen: Seen) -> tuple[Refusal, ...]:
    """Marks that stand twice."""
    pairs = ((CONNECTOR, seen.holding.connector.marked), (RULE, seen.holding.rule.marked))
    return tuple(
        rules.mark_twice(resource, things, seen.aim.mark)
        for resource, things in pairs
        if len(things) > 1
    )


def strangers(seen: Seen) -> tuple[Refusal, ...]:
    """What has our name or was ours, and does not carry our mark; doubles besides."""
    return (*doubles(seen), *_strangers(seen))


def _strangers(seen: Seen) -> Iterator[Refusal]:
    aim, holding = seen.aim, seen.holding
    pairs: tuple[tuple[str, Found[Connector] | Found[Rule], str], ...] = (
        (CONNECTOR, holding.connector, aim.settings.connector_name),
        (RULE, holding.rule, aim.settings.rule_name),
    )
    for resource, found, name in pairs:
        one = found.namesake
        if one is None or any(folded(ours.name) == folded(name) for ours in found.marked):
            continue
        words = rules.mark_lost if found.was_ours else rules.not_owned
        yield words(resource, one, aim.mark, aim.target)


def unknown_parts(seen: Seen) -> tuple[Refusal, ...]:
    """Ours, changed by somebody in a way that exosync does not know."""
    rule = seen.owned.rule
    more = compare.more(rule) if rule is not None else ()
    return (rules.rule_has_more(rule, more),) if rule is not None and more else ()


def on_premises(seen: Seen) -> tuple[Refusal, ...]:
    """Ours, made a connector of the other type with what only that can have."""
    ours = seen.owned.connector
    parts = [one for one in _ON_PREMISES if ours is not None and one in ours.others]
    if ours is None or ours.type != "OnPremises" or not parts:
        return ()
    return (rules.connector_on_premises(ours, parts),)


def renamed(seen: Seen) -> tuple[Refusal, ...]:
    """Ours would get another name while others' rules name it."""
    ours, rule = seen.owned.connector, seen.owned.rule
    if ours is None or folded(ours.name) == folded(seen.aim.settings.connector_name):
        return ()
    users = tuple(one for one in seen.users(ours) if one is not rule)
    return (rules.connector_in_use(ours, users, removed=False),) if users else ()


def over(draft: Draft, desired: Desired, seen: Seen, cloud: Cloud) -> tuple[Refusal, ...]:
    """What is refused of these steps, whoever does them."""
    return tuple(_over(draft, desired, seen, cloud)) if draft.steps else ()


def _over(draft: Draft, desired: Desired, seen: Seen, cloud: Cloud) -> Iterator[Refusal]:
    settings = seen.aim.settings
    yield from _of_the_tenant(draft, seen, cloud)
    if settings.remove:
        return
    own = own_hosts(settings.hosts, desired.ranges)
    if own:
        yield rules.own_host(own)
    yield from _of_groups(seen)
    for step in draft.steps:
        yield from _too_wide(step)
    if any(acts(step, seen) for step in draft.steps):
        yield from _before_acting(seen)
    elif settings.write == "rest":
        more = [one for step in draft.steps for one in widened(step, seen)]
        if more and seen.owned.rule is not None:
            yield rules.rule_widened(seen.owned.rule, more)


def _of_the_tenant(draft: Draft, seen: Seen, cloud: Cloud) -> Iterator[Refusal]:
    """What the tenant does not take, whatever is planned."""
    count = len(seen.organisation.rules)
    if seen.organisation.dehydrated:
        yield rules.dehydrated()
    if seen.aim.settings.write == "rest" and not cloud.proven:
        yield rules.cloud_unproven(cloud.name)
    if count >= rules.MOST_RULES and any(_makes_rule(step) for step in draft.steps):
        yield rules.rules_full(count)


def _of_groups(seen: Seen) -> Iterator[Refusal]:
    """What is no group: of those who are here, or another that the rule names."""
    settings, gone = seen.aim.settings, seen.groups.gone
    if settings.routed.everyone_but in gone:
        yield rules.whole_domain(str(settings.routed.everyone_but))
    if settings.routed.group in gone:
        yield rules.no_group(str(settings.routed.group), "routed.group")
    if settings.exceptions.group in gone:
        yield rules.no_group(str(settings.exceptions.group), "exceptions.group")


def _before_acting(seen: Seen) -> Iterator[Refusal]:
    settings = seen.aim.settings
    if seen.spares_nobody:
        yield rules.group_empty(str(settings.routed.everyone_but), settings.domain)
    earlier = routing_before(seen)
    if earlier:
        yield rules.rule_before(earlier, settings.domain)
    if settings.write == "rest":
        yield rules.rule_switch_on(settings.rule_name, settings.domain)


def widened(step: Step, seen: Seen) -> tuple[str, ...]:
    """By which parameters a rule that acts would route people whom it does not route now."""
    rule = seen.owned.rule
    if step.resource != RULE or rule is None or not rule.enabled:
        return ()
    now = seen.rule(rule)
    return tuple(
        name
        for call in step.detail
        for name in call.parameters
        if name in _PEOPLE
        and _PEOPLE[name](_set(name, now.get(name)), _set(name, call.parameters[name]))
    )


def _set(name: str, value: object) -> frozenset[str]:
    found = compare.normal(name, value)
    return frozenset(found) if isinstance(found, list) else frozenset()


def _less_narrow(now: frozenset[str], then: frozenset[str]) -> bool:
    """Of a condition: it goes, or holds for others too."""
    return bool(now) and not (then and then <= now)


def _less_excepted(now: frozenset[str], then: frozenset[str]) -> bool:
    return not now <= then


_PEOPLE = {
    "RecipientDomainIs": _less_narrow,
    "SentToMemberOf": _less_narrow,
    "ExceptIfSentToMemberOf": _less_excepted,
}
"""What decides whose mail is routed, and when a change of it routes more people."""


def acts(step: Step, seen: Seen) -> bool:
    """Whether a rule that did not act before acts after this step."""
    calls: tuple[Call, ...] = step.detail
    if any(one.cmdlet == "Enable-TransportRule" for one in calls):
        return True
    rule = seen.owned.rule
    return (
        step.resource == RULE
        and rule is not None
        and rule.enabled
        and rule.mode.lower() != "enforce"
    )


def own_hosts(hosts: tuple[str, ...], ranges: IpRanges) -> tuple[str, ...]:
    """The smart hosts that are addresses of Exchange Online's."""
    found = []
    for one in hosts:
        try:
            addresses = IpRanges.parse(one)
        except RangeError:
            continue
        if not addresses.isdisjoint(ranges):
            found.append(one)
    return tuple(found)


def routing_before(seen: Seen) -> tuple[Rule, ...]:
    """Others' rules that come before ours, act, and route mail for the domain."""
    ours = seen.owned.rule
    return tuple(
        one
        for one in seen.organisation.rules
        if one is not ours
        and (ours is None or one.priority < ours.priority)
        and is_in_force(one, seen.memory.at)
        and one.connector
        and _holds_for(one, seen.aim.settings.domain)
        and may_take(one, seen.aim.settings.domain, seen.organisation)
    )


def _holds_for(rule: Rule, domain: str) -> bool:
    """Whether a rule names a domain, or looks at nothing of a message."""
    domains = rule.conditions.get("RecipientDomainIs", ())
    return covers(domains, domain) if domains else not rule.conditions


def _too_wide(step: Step) -> Iterator[Refusal]:
    for call in step.detail:
        given = call.parameters
        if call.cmdlet in ("New-TransportRule", "Set-TransportRule"):
            domains = given.get("RecipientDomainIs", "kept" if _sets(call) else None)
            if not domains or "*" in domains:
                yield rules.no_recipient_condition("a rule without a recipient's domain", RULE)
        if "*" in (given.get("RecipientDomains") or ()):
            yield rules.no_recipient_condition("a connector for every domain", CONNECTOR)


def _makes_rule(step: Step) -> bool:
    return any(call.cmdlet == "New-TransportRule" for call in step.detail)


def _sets(call: Call) -> bool:
    return call.cmdlet.startswith("Set-")


def adoptable(one: Connector | Rule, aim: Aim, *, was_ours: bool) -> Iterator[Refusal]:
    """Why something is not taken over. What was ours has the mark that `owner` then made."""
    theirs = mark_in(comments(one, aim)[0])
    if theirs and not was_ours:
        yield rules.marked_by_another(
            one, theirs, CONNECTOR if isinstance(one, Connector) else RULE
        )
    if isinstance(one, Connector) and (one.test_mode or one.source.lower() in _ADOPTED_BY_OTHERS):
        yield rules.not_adoptable(one)
    if isinstance(one, Rule) and length(comments(one, aim)[1]) > LONGEST_COMMENT:
        yield rules.comment_full(one, RULE)


def comments(one: Connector | Rule, aim: Aim) -> tuple[str, str]:
    """The comment before it is marked, and after."""
    before = one.comment if isinstance(one, Connector) else one.comments
    return before, with_mark(before, aim.mark)
