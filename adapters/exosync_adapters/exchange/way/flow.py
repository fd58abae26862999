"""Where Exchange Online sends a message, from what is observed. Pure.

What cannot be told makes the way fork; nothing is ever more certain than what it rests on.

Sources: "Manage accepted domains in Exchange Online" (an authoritative domain refuses unknown
recipients at its edge, before any rule; an internal relay sends them on), New-TransportRule and
New-OutboundConnector (learn.microsoft.com). That a rule which routes comes before a mailbox
here is what CodeTwo and SEPPmail document of their own rules.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from exosync.core.trace import Stage, Sure
from exosync_adapters.exchange.compare import resolved
from exosync_adapters.exchange.records import (
    AcceptedDomain,
    Connector,
    DomainType,
    Listing,
    Organisation,
    folded,
)
from exosync_adapters.exchange.way.letters import Groups, Message, Truth, agreed, both, either
from exosync_adapters.exchange.way.walk import Walk


class Going(StrEnum):
    """What becomes of a message: by which means it goes on, or where it ends."""

    CONNECTOR = "connector"
    MX = "mx"
    HERE = "here"
    REFUSED = "refused"
    TAKEN = "taken"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Exit:
    """One end that the way may have in Exchange Online.

    `name` is that of the connector, `connector` the connector itself (None: there is none of
    that name, or it was not read), `rule` what leads to it. `why` says so to people.
    """

    going: Going
    why: str
    name: str = ""
    connector: Connector | None = None
    rule: str = ""


@dataclass(frozen=True, slots=True)
class Flow:
    """The way through Exchange Online: `exits` has several where it cannot be told which.

    `left` is the message as it leaves, with the headers that rules set.
    """

    stages: tuple[Stage, ...]
    exits: tuple[Exit, ...]
    left: Message

    @property
    def leaves(self) -> Truth:
        """Whether the message leaves Exchange Online."""
        leaving = (Going.CONNECTOR, Going.MX)
        return agreed(
            None if one.going is Going.UNKNOWN else one.going in leaving for one in self.exits
        )


def flow(organisation: Organisation, message: Message, groups: Groups, *, ours: str = "") -> Flow:
    """Follow one message through accepted domain, rules and connectors.

    `ours` is the name of the rule that should route it: it is told of even where it does nothing.
    """
    domain = organisation.domain(message.domain)
    first = _domain_stage(organisation, domain, message)
    refused = _refused_at_the_edge(domain, message)
    if refused is True:
        return Flow((first,), (Exit(Going.REFUSED, _EDGE),), message)
    walk = Walk(message, ours=folded(ours))
    for rule in organisation.rules:
        walk.meet(rule, organisation, groups)
    exits = list(_exits(organisation, walk))
    if refused is None:
        exits.append(Exit(Going.REFUSED, f"{_EDGE}, if {message.recipient} is not known here"))
    return Flow((first, *walk.stages, *walk.rest(organisation)), _once(exits), walk.message)


_EDGE = "refused at the edge: 550 5.4.1 Recipient address rejected: Access denied"


def _once(exits: Iterable[Exit]) -> tuple[Exit, ...]:
    """One exit for each end, whatever leads to it."""
    found: dict[tuple[Going, str], Exit] = {}
    for one in exits:
        where = one.connector.guid if one.connector else one.name
        found.setdefault((one.going, where), one)
    return tuple(found.values())


def _refused_at_the_edge(domain: AcceptedDomain | None, message: Message) -> Truth:
    """Mail from outside to a recipient that an authoritative domain does not know."""
    if domain is None or domain.type is not DomainType.AUTHORITATIVE:
        return False if domain is None or domain.type is not DomainType.UNKNOWN else None
    outside = None if message.inside is None else not message.inside
    unknown = None if message.to.exists is None else not message.to.exists
    return both((outside, unknown))


def _domain_stage(
    organisation: Organisation, domain: AcceptedDomain | None, message: Message
) -> Stage:
    incomplete = organisation.incomplete.get(Listing.DOMAINS, "")
    if domain is None:
        title = f"{message.domain} is no accepted domain"
        why = (f"the list of accepted domains is not whole: {incomplete}",) if incomplete else ()
        whole = None if incomplete else True
        return Stage("domain", message.domain, title, whole, Sure.SEEN, why)
    if domain.type is DomainType.UNKNOWN and incomplete:
        title = f"the type of the accepted domain {domain.name} is not known"
        return Stage("domain", domain.name, title, None, Sure.SEEN, (incomplete,))
    title = f"{domain.name} is an accepted domain: {domain.type or 'of a type unknown to exosync'}"
    ok, sure, says = _by_type(domain, message)
    return Stage("domain", domain.name, title, ok, sure, says)


def _by_type(domain: AcceptedDomain, message: Message) -> tuple[Truth, Sure, tuple[str, ...]]:
    known, who = message.to.exists, message.recipient
    if domain.type is DomainType.UNKNOWN:
        return None, Sure.SEEN, ()
    if domain.type is DomainType.EXTERNAL_RELAY:
        untold = "what Exchange Online does with mail to a domain of this type is not published"
        return None, Sure.UNPROVEN, (untold,)
    if domain.type is not DomainType.AUTHORITATIVE:
        there = {True: f"{who} is a recipient here", False: f"{who} is not known here: sent on"}
        return True, Sure.SEEN, ((there[known],) if known is not None else ())
    if known:
        return True, Sure.SEEN, (f"{who} is a recipient here",)
    if known is None:
        return None, Sure.DOCUMENTED, (f"whether {who} is a recipient here is not known",)
    refuses = f"{who} is not known here, and an authoritative domain refuses who is not known"
    if message.inside is False:
        return False, Sure.DOCUMENTED, (refuses, _EDGE)
    later = "whether a rule takes what is sent from inside before that is not documented"
    return None, Sure.UNPROVEN, (refuses, later)


def _exits(organisation: Organisation, walk: Walk) -> Iterator[Exit]:
    """Where the message may go on to, after the rules."""
    if Listing.RULES in organisation.incomplete:
        yield Exit(Going.UNKNOWN, "a rule that was not read may act")
    sure_end = next((told for told, truth in walk.ends if truth), None)
    if sure_end is not None:
        yield Exit(Going.TAKEN, sure_end)
        return
    for told, _ in walk.ends:
        yield Exit(Going.TAKEN, told)
    for rule, _ in walk.routes.values():
        name = rule.connector
        found = resolved(name, organisation.connectors)
        why = f"the rule {rule.name} routes it to the connector {name}"
        yield Exit(Going.CONNECTOR, why, found.name if found else name, found, rule.name)
    if not any(truth for _, truth in walk.routes.values()):
        yield from unrouted(organisation, walk.message)


def unrouted(organisation: Organisation, message: Message) -> Iterator[Exit]:
    """Where a message goes that no rule routes."""
    domain = organisation.domain(message.domain)
    if domain is None and Listing.DOMAINS in organisation.incomplete:
        yield Exit(Going.UNKNOWN, "the list of accepted domains is not whole")
    elif domain is not None and domain.type is DomainType.UNKNOWN:
        yield Exit(Going.UNKNOWN, "the domain's type is not known")
    elif domain is None:
        yield from _outward(organisation, message)
    else:
        yield from _at_home(organisation, domain, message)


def _at_home(
    organisation: Organisation, domain: AcceptedDomain, message: Message
) -> Iterator[Exit]:
    who, to = message.recipient, message.to
    if to.group:
        yield Exit(Going.UNKNOWN, f"{who} is a group: each of its members gets it, by his own way")
        return
    is_so = "" if to.exists else ", if it has one"
    if to.exists is not False and to.mailbox is not False:
        yield Exit(Going.HERE, f"delivered to the mailbox of {who} here{is_so}")
    if to.exists is not False and not to.mailbox:
        perhaps = "is" if to.exists else "may be"
        why = f"{who} {perhaps} a recipient without a mailbox here: sent on from there"
        yield Exit(Going.UNKNOWN, why)
    if to.exists:
        return
    if domain.type is DomainType.AUTHORITATIVE:
        yield Exit(Going.REFUSED, f"{who} is not known here, and the domain is authoritative")
    else:
        yield from _outward(organisation, message)


def _outward(organisation: Organisation, message: Message) -> Iterator[Exit]:
    """By a connector for the recipient's domain, else by MX."""
    found = [
        (one, truth)
        for one in organisation.connectors
        if (truth := _takes(one, organisation, message.domain)) is not False
    ]
    for one, truth in found:
        is_so = "" if truth and len(found) == 1 else ", perhaps: which connector wins is not told"
        why = f"the connector {one.name} is for {message.domain}{is_so}"
        yield Exit(Going.CONNECTOR, why, one.name, one)
    if Listing.CONNECTORS in organisation.incomplete:
        yield Exit(Going.UNKNOWN, "a connector that was not read may take it")
    if not any(truth for _, truth in found):
        yield Exit(
            Going.MX, f"no rule and no connector takes it: sent to the MX of {message.domain}"
        )


def _takes(connector: Connector, organisation: Organisation, domain: str) -> Truth:
    """Whether a connector is used for a domain without any rule that names it."""
    if connector.scoped or not connector.enabled:
        return False
    accepted = connector.all_accepted_domains and organisation.domain(domain) is not None
    named = either((accepted, *(_covers(one, domain) for one in connector.recipient_domains)))
    return None if named and connector.test_mode else named


def _covers(pattern: str, domain: str) -> Truth:
    """Whether `*.a` covers a itself is not documented."""
    if pattern in ("*", domain):
        return True
    parent = pattern.removeprefix("*.")
    if parent == pattern:
        return False
    return None if domain == parent else domain.endswith(f".{parent}")
