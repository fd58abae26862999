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
    with_mark,
)
from exosync_adapters.exchange.clouds import Cloud
from exosync_adapters.exchange.records import Call, Connector, Rule
from exosync_adapters.exchange.seen import Seen

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
        if one is None or any(ours.name.lower() == name.lower() for ours in found.marked):
            continue
        words = rules.mark_lost if found.was_ours else rules.not_owned
        yield words(resource, one, aim.mark, aim.target)


def unknown_parts(seen: Seen) -> tuple[Refusal, ...]:
    """Ours, changed by somebody in a way that exosync does not know."""
    rule = seen.owned.rule
    more = compare.more(rule) if rule is not None else ()
    return (rules.rule_has_more(rule, more),) if rule is not None and more else ()


def over(draft: Draft, desired: Desired, seen: Seen, cloud: Cloud) -> tuple[Refusal, ...]:
    """What is refused of these steps, whoever does them."""
    return tuple(_over(draft, desired, seen, cloud)) if draft.steps else ()


def _over(draft: Draft, desired: Desired, seen: Seen, cloud: Cloud) -> Iterator[Refusal]:
    settings = seen.aim.settings
    if seen.organisation.dehydrated:
        yield rules.dehydrated()
    if settings.write == "rest" and not cloud.proven:
        yield rules.cloud_unproven(cloud.name)
    if settings.remove:
        return
    own = own_hosts(settings.hosts, desired.ranges)
    if own:
        yield rules.own_host(own)
    if settings.routed.everyone_but in seen.groups.gone:
        yield rules.whole_domain(str(settings.routed.everyone_but))
    for step in draft.steps:
        yield from _too_wide(step)
    acting = [step for step in draft.steps if acts(step, seen)]
    if acting:
        yield from _before_acting(seen)


def _before_acting(seen: Seen) -> Iterator[Refusal]:
    settings = seen.aim.settings
    earlier = routing_before(seen)
    if earlier:
        yield rules.rule_before(earlier, settings.domain)
    if settings.write == "rest":
        yield rules.rule_switch_on(settings.rule_name, settings.domain)


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
        and one.enabled
        and one.mode.lower() == "enforce"
        and one.connector
        and _holds_for(one, seen.aim.settings.domain)
    )


def _holds_for(rule: Rule, domain: str) -> bool:
    """Whether a rule may hold for recipients at a domain; it does for subdomains too."""
    domains = [compare.host(one) for one in rule.conditions.get("RecipientDomainIs", ())]
    if not domains:
        return not rule.conditions
    return any(domain == one or domain.endswith(f".{one}") for one in domains)


def _too_wide(step: Step) -> Iterator[Refusal]:
    for call in step.detail:
        given = call.parameters
        if call.cmdlet in ("New-TransportRule", "Set-TransportRule"):
            domains = given.get("RecipientDomainIs", "kept" if _sets(call) else None)
            if not domains or "*" in domains:
                yield rules.no_recipient_condition("a rule without a recipient's domain", RULE)
        if "*" in (given.get("RecipientDomains") or ()):
            yield rules.no_recipient_condition("a connector for every domain", CONNECTOR)


def _sets(call: Call) -> bool:
    return call.cmdlet.startswith("Set-")


def adoptable(one: Connector | Rule, aim: Aim) -> Iterator[Refusal]:
    """Why something is not taken over."""
    if isinstance(one, Connector) and (one.test_mode or one.source.lower() in _ADOPTED_BY_OTHERS):
        yield rules.not_adoptable(one)
    if isinstance(one, Rule) and len(comments(one, aim)[1]) > LONGEST_COMMENT:
        yield rules.comment_full(one, RULE)


def comments(one: Connector | Rule, aim: Aim) -> tuple[str, str]:
    """The comment before it is marked, and after."""
    before = one.comment if isinstance(one, Connector) else one.comments
    return before, with_mark(before, aim.mark)
