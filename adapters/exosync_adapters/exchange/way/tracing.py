"""The way of one message, from Exchange Online's rules to the host that takes it.

`way` is pure; `live_way` asks who the people are and what the hosts say.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from exosync.core.trace import Pool, Stage, Sure, Way
from exosync_adapters.exchange.compare import resolved
from exosync_adapters.exchange.records import Organisation, folded
from exosync_adapters.exchange.settings import ExchangeSettings
from exosync_adapters.exchange.way.flow import Exit, Flow, Going, flow
from exosync_adapters.exchange.way.host_records import NOBODY_ASKED, Hosts
from exosync_adapters.exchange.way.hosts import AS_EXCHANGE, Trial
from exosync_adapters.exchange.way.letters import (
    ABSENT,
    SOMEBODY,
    Groups,
    Message,
    Party,
    Truth,
    agreed,
    domain_of,
    is_member,
    negated,
)
from exosync_adapters.exchange.way.loops import loop_stage
from exosync_adapters.exchange.way.matching import (
    applies,
    in_force,
    named_groups,
)
from exosync_adapters.exchange.way.stations import (
    connector_stage,
    families_of,
    host_stages,
    hosts_of,
    source_stage,
)

if TYPE_CHECKING:
    from exosync_adapters.exchange.admin.listing import Asked


def way(
    settings: ExchangeSettings,
    organisation: Organisation,
    message: Message,
    *,
    groups: Groups,
    hosts: Hosts = NOBODY_ASKED,
) -> Way:
    """Tell the way of one message from what was found out. Pure."""
    message = _to_a_group(message, groups)
    passed = flow(organisation, message, groups, ours=settings.rule_name)
    stages = [*passed.stages, *_onward(passed, organisation, hosts, message.at)]
    stages.append(_verdict(_as_named(settings, organisation), passed, groups))
    pool, families = Pool.EITHER, families_of(passed.exits, hosts)
    if passed.leaves is not False:
        pool, source = source_stage(organisation, message.sender, families)
        loop = loop_stage(settings, organisation, groups, passed, hosts)
        stages += [source, *([loop] if loop else [])]
    found = (host for one in passed.exits for host in hosts_of(one, message.domain, hosts))
    return Way(
        sender=message.sender,
        recipient=message.recipient,
        stages=tuple(stages),
        leaves=passed.leaves,
        hosts=tuple(dict.fromkeys(found)),
        pool=pool,
        families=families,
    )


def _to_a_group(message: Message, groups: Groups) -> Message:
    """The same message, of which it is known if it is for one of the groups that decide."""
    if message.recipient.lower() not in groups:
        return message
    return replace(message, to=replace(message.to, group=True))


def message_of(
    settings: ExchangeSettings,
    organisation: Organisation,
    sender: str,
    recipient: str,
    at: datetime,
    *,
    by: Party = SOMEBODY,
    to: Party = SOMEBODY,
) -> Message:
    """A new message, on which nobody has set the loop breaker yet.

    Who is at an accepted domain sends from inside, unless no mailbox of that address is here.
    """
    accepted = organisation.domain(domain_of(sender)) is not None
    inside: Truth = (None if by.exists is False else True) if accepted else False
    breaker = settings.exceptions.loop_breaker
    headers = {breaker.header.lower(): ABSENT} if breaker else {}
    return Message(sender, recipient, at, inside=inside, by=by, to=to, headers=headers)


def _onward(
    passed: Flow, organisation: Organisation, hosts: Hosts, at: datetime
) -> Iterator[Stage]:
    """What each end leads to; where there are several, nothing of it is certain."""
    forks = len(passed.exits) > 1
    if forks:
        says = tuple(one.why for one in passed.exits)
        title = f"one of {len(passed.exits)} ways: which cannot be told"
        yield Stage("delivery", "", title, None, Sure.UNPROVEN, says)
    for one in passed.exits:
        for stage in _end_stages(one, organisation, hosts, at):
            yield replace(stage, ok=None, title=f"perhaps: {stage.title}") if forks else stage


def _end_stages(
    one: Exit, organisation: Organisation, hosts: Hosts, at: datetime
) -> Iterator[Stage]:
    if one.going is not Going.CONNECTOR:
        return
    yield connector_stage(one, organisation)
    if one.connector is not None:
        yield from host_stages(one.connector, hosts, at)


def _as_named(settings: ExchangeSettings, organisation: Organisation) -> ExchangeSettings:
    """With the connector's name as it is in the tenant: another's may differ in its case alone."""
    ours = resolved(settings.connector_name, organisation.connectors)
    return settings.model_copy(update={"connector": ours.name}) if ours else settings


def _verdict(settings: ExchangeSettings, passed: Flow, groups: Groups) -> Stage:
    """Whether the message ends where the configuration wants it."""
    wanted = wanted_away(settings, passed.left, groups)
    ok = agreed(_as_wanted(one, settings, passed.left, wanted) for one in passed.exits)
    says = [*_wanted_words(settings, passed, wanted)]
    if wanted and passed.leaves and passed.left.to.mailbox:
        says.append(
            "a mailbox of that address is here too, and gets nothing of what the rule routes"
        )
    certain = passed.exits[0] if len(passed.exits) == 1 else None
    title = _end_words(certain) if certain else "where it ends cannot be told"
    return Stage("delivery", passed.left.recipient, title, ok, Sure.DOCUMENTED, tuple(says))


def _end_words(one: Exit) -> str:
    return f"leaves by the connector {one.name}" if one.going is Going.CONNECTOR else one.why


def wanted_away(settings: ExchangeSettings, message: Message, groups: Groups) -> Truth:
    """Whether the configuration wants the recipient's mail on the other side."""
    who, party = message.recipient, message.to
    if who.lower() in {one.lower() for one in settings.validation_recipients}:
        return True
    if party.group:
        return None
    routed, spared = settings.routed, settings.exceptions.group
    if spared and is_member(spared, groups, who, party):
        return False
    if routed.group:
        return is_member(routed.group, groups, who, party)
    if routed.everyone_but:
        return negated(is_member(routed.everyone_but, groups, who, party))
    return True


def _wanted_words(settings: ExchangeSettings, passed: Flow, wanted: Truth) -> Iterator[str]:
    message, by_ours = passed.left, any(_by_ours(one, settings) for one in passed.exits)
    if message.domain != settings.domain:
        yield f"{message.domain} is not the domain that this target is for"
        if by_ours:
            yield f"whether the other side takes mail for {message.domain} is not known"
    elif message.to.group:
        yield "ask for one of its members: which way it takes as a whole is not known"
    elif wanted is None:
        yield "whether the mailbox should be on the other side is not known"
    else:
        yield f"its mailbox should be {'on the other side' if wanted else 'here'}"


def _as_wanted(one: Exit, settings: ExchangeSettings, message: Message, wanted: Truth) -> Truth:
    """Whether one end is the one that is wanted."""
    if one.going in (Going.REFUSED, Going.TAKEN):
        return False
    if one.going is Going.UNKNOWN:
        return None
    away = one.going in (Going.CONNECTOR, Going.MX)
    if message.domain != settings.domain:
        return None if _by_ours(one, settings) else True
    if wanted is None:
        return None
    if away and wanted:
        return True if _by_ours(one, settings) else None
    if away and not message.to.mailbox:
        return None  # nobody of that address is here: that it is sent on may be right
    return away is wanted


def _by_ours(one: Exit, settings: ExchangeSettings) -> bool:
    """Whether it leaves by the connector of this target; a name alone may be written in any case."""
    name = settings.connector_name
    same = one.name == name if one.connector else folded(one.name) == folded(name)
    return one.going is Going.CONNECTOR and same


def live_way(
    settings: ExchangeSettings,
    admin: Asked | None,
    organisation: Organisation,
    sender: str,
    recipient: str,
    *,
    at: datetime | None = None,
    how: Trial = AS_EXCHANGE,
) -> Way:
    """The way now: people and groups are asked for, hosts are looked up and tried.

    `admin` is None where there are no credentials. What cannot be asked stays unknown, and is
    said.
    """
    from exosync_adapters.exchange.way.people import People

    now = at or datetime.now(UTC)
    people = People(admin, organisation) if admin else None
    by, to = (people.party(one) if people else SOMEBODY for one in (sender, recipient))
    message = message_of(settings, organisation, sender, recipient, now, by=by, to=to)
    deciding = _deciding(settings, organisation, message)
    groups = people.groups(deciding, (by, to)) if people else {}
    message = _to_a_group(message, groups)
    passed = flow(organisation, message, groups, ours=settings.rule_name)
    hosts = _ask_hosts(settings, passed, how)
    told = way(settings, organisation, message, groups=groups, hosts=hosts)
    if people is None:
        return on_peoples_word(told)
    return replace(told, stages=(*dict.fromkeys(people.troubles), *told.stages))


def on_peoples_word(told: Way) -> Way:
    """Without credentials nothing in the tenant was seen."""
    return replace(
        told,
        stages=tuple(
            replace(one, sure=Sure.UNPROVEN) if one.kind in ("domain", "rule", "connector") else one
            for one in told.stages
        ),
    )


def _deciding(
    settings: ExchangeSettings, organisation: Organisation, message: Message
) -> Iterator[str]:
    """The groups that decide: those of the configuration, and those of rules in doubt."""
    routed = settings.routed
    for one in (routed.group, routed.everyone_but, settings.exceptions.group):
        if one:
            yield one.lower()
    for rule in organisation.rules:
        if in_force(rule, message.at) is False:
            continue
        if applies(rule, message, organisation, {}) is None:
            yield from named_groups(rule)


def _ask_hosts(settings: ExchangeSettings, passed: Flow, how: Trial) -> Hosts:
    """Look up MX, and try the smart hosts that the message may be sent to."""
    if passed.leaves is False:
        return NOBODY_ASKED
    from exosync_adapters.exchange.way.hosts import by_dns, find_mx, try_hosts
    from exosync_adapters.exchange.way.resolving import live_dns

    live = live_dns(settings, lifetime=how.within / 2)
    domain = passed.left.domain
    names = [host for one in passed.exits if one.connector for host in one.connector.smart_hosts]
    seen = try_hosts(names, resolve=by_dns(live), how=how)
    return Hosts(seen, {domain: find_mx(domain, live)})
