"""Whether a transport rule acts on a message, as far as can be told. Pure.

Three values: True, False, and None where it cannot be told. A condition or exception that is
not modelled here may hold or not, so it never makes an answer more certain than it is.

Sources: New-TransportRule (learn.microsoft.com/powershell/module/exchangepowershell) for what
each parameter looks at; "Manage mail flow rules" for how they go together: all conditions, any
of a condition's values, no exception.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from exosync_adapters.exchange.compare import address as plain
from exosync_adapters.exchange.moments import is_past
from exosync_adapters.exchange.records import DomainType, Listing, Organisation, Rule
from exosync_adapters.exchange.way.letters import (
    ABSENT,
    Groups,
    Message,
    Party,
    Truth,
    agreed,
    both,
    domain_of,
    either,
    is_member,
    negated,
)

Values = tuple[str, ...]


def applies(rule: Rule, message: Message, organisation: Organisation, groups: Groups) -> Truth:
    """Whether a rule's conditions hold for a message and none of its exceptions does."""
    asked = _Asked(message, organisation, groups, original=rule.recipient_address == "Original")
    conditions = both(truth for _, truth in _judged(rule.conditions, asked))
    exceptions = either(truth for _, truth in _judged(_plain(rule.exceptions), asked))
    unknown = (None for _ in unmodelled(rule))
    return both((conditions, negated(exceptions), *unknown))


def doubts(
    rule: Rule, message: Message, organisation: Organisation, groups: Groups
) -> tuple[str, ...]:
    """What of a rule's conditions and exceptions cannot be told, for people."""
    asked = _Asked(message, organisation, groups, original=rule.recipient_address == "Original")
    found = [
        f"{prefix}{name} {', '.join(parts[name])}"
        for prefix, parts in (("", rule.conditions), ("ExceptIf", _plain(rule.exceptions)))
        for name, truth in _judged(parts, asked)
        if truth is None
    ]
    return (*found, *unmodelled(rule))


def in_force(rule: Rule, at: datetime) -> Truth:
    """Whether a rule does what it says: enabled, enforced, and at its time."""
    if not rule.enabled or rule.mode in ("Audit", "AuditAndNotify"):
        return False
    begun = is_past(rule.activates, at) if rule.activates else True
    ended = is_past(rule.expires, at) if rule.expires else False
    enforced = True if rule.mode == "Enforce" else None
    return both((enforced, begun, negated(ended)))


TO_MEMBERS, FROM_MEMBERS = "SentToMemberOf", "FromMemberOf"
"""The parameters that name groups, of a rule's conditions and exceptions."""


def named_groups(
    rule: Rule, parameter: str | tuple[str, ...] = (TO_MEMBERS, FROM_MEMBERS)
) -> Iterator[str]:
    """The groups in a rule's conditions and exceptions, in lower case."""
    for name, values in (*rule.conditions.items(), *rule.exceptions.items()):
        if name.endswith(parameter):
            yield from (value.lower() for value in values)


def unmodelled(rule: Rule) -> Iterator[str]:
    """The classes among a rule's conditions and exceptions that no parameter explains.

    A class bears the name of its parameter (Microsoft.Exchange.MessagingPolicies.Rules.Tasks);
    what looks at a header has two parameters.
    """
    given = {*rule.conditions, *_plain(rule.exceptions)}
    for one in rule.predicates:
        name = one.rpartition(".")[2]
        stem = name.removesuffix("Predicate")
        if stem != name and _OF_CLASS.get(stem, stem) not in given:
            yield stem


def unmodelled_actions(rule: Rule) -> Iterator[str]:
    """The same among its actions."""
    for one in rule.predicates:
        name = one.rpartition(".")[2]
        stem = name.removesuffix("Action")
        if stem != name and _OF_CLASS.get(stem, stem) not in rule.actions:
            yield stem


_OF_CLASS = {
    "HeaderContains": "HeaderContainsMessageHeader",
    "HeaderMatches": "HeaderMatchesMessageHeader",
    "RedirectMessage": "RedirectMessageTo",
    "RejectMessage": "RejectMessageReasonText",
    "SetHeader": "SetHeaderName",
    "SmtpRejectMessage": "SmtpRejectMessageRejectText",
}


@dataclass(frozen=True, slots=True)
class _Asked:
    """What every condition is judged by. `original`: a rule looks at addresses as they were sent to."""

    message: Message
    organisation: Organisation
    groups: Groups
    original: bool = False


_Judge = Callable[[Values, _Asked, Mapping[str, Values]], Truth]


def _plain(exceptions: Mapping[str, Values]) -> dict[str, Values]:
    return {name.removeprefix("ExceptIf"): values for name, values in exceptions.items()}


def _judged(parts: Mapping[str, Values], asked: _Asked) -> Iterator[tuple[str, Truth]]:
    """Each condition; the second parameter of a pair is looked at with the first.

    Whether a rule goes by a group's own address or by its members', nobody has published.
    """
    to_group = asked.message.to.group
    for name, values in parts.items():
        if _FIRST_OF.get(name) in parts:
            continue
        judge = None if to_group and name in _OF_RECIPIENTS else _JUDGES.get(name)
        yield name, judge(values, asked, parts) if judge else None


_OF_RECIPIENTS = frozenset({"RecipientDomainIs", "SentTo", "SentToMemberOf", "SentToScope"})


def _recipient_domain(values: Values, asked: _Asked, _parts: Mapping[str, Values]) -> Truth:
    """Subdomains count too (New-TransportRule, RecipientDomainIs).

    A rule looks at the primary address unless it says otherwise (RecipientAddressType). Whether
    that holds for domains too is not told, so an alias at another domain leaves it open.
    """
    to = asked.message.to
    domains = {asked.message.domain}
    if to.main and not asked.original:
        domains.add(domain_of(to.main))
    told = agreed(any(_within(one, value.lower()) for value in values) for one in domains)
    return told or (None if _is_odd(values) else told)


def _sender_domain(values: Values, asked: _Asked, _parts: Mapping[str, Values]) -> Truth:
    """Of a subdomain it is not told everywhere that it counts."""
    domain = domain_of(asked.message.sender)
    if any(domain == value.lower() for value in values):
        return True
    unsure = _is_odd(values) or any(_within(domain, value.lower()) for value in values)
    return None if unsure else False


def _is_odd(values: Values) -> bool:
    """Whether one is several domains in one word, or none: what such a word matches is not told."""
    return any(set(one) & {*" ,;*@"} for one in values)


def _within(domain: str, parent: str) -> bool:
    return domain == parent or domain.endswith(f".{parent}")


def _sent_to(values: Values, asked: _Asked, _parts: Mapping[str, Values]) -> Truth:
    return _is_one_of(values, asked.message.recipient, asked.message.to)


def _from(values: Values, asked: _Asked, _parts: Mapping[str, Values]) -> Truth:
    return _is_one_of(values, asked.message.sender, asked.message.by)


def _is_one_of(values: Values, address: str, party: Party) -> Truth:
    """By any address; what is no address may be the name of anybody."""
    named = {plain(value) for value in values}
    if named & {plain(address), *party.addresses}:
        return True
    surely_other = party.told and all("@" in one for one in named)
    return False if surely_other else None


def _sent_to_member(values: Values, asked: _Asked, _parts: Mapping[str, Values]) -> Truth:
    who, party = asked.message.recipient, asked.message.to
    return either(is_member(one, asked.groups, who, party) for one in values)


def _from_member(values: Values, asked: _Asked, _parts: Mapping[str, Values]) -> Truth:
    who, party = asked.message.sender, asked.message.by
    return either(is_member(one, asked.groups, who, party) for one in values)


def _sent_to_scope(values: Values, asked: _Asked, _parts: Mapping[str, Values]) -> Truth:
    domain = asked.organisation.domain(asked.message.domain)
    return _scoped(values, _is_internal(asked, domain.type if domain else None))


def _from_scope(values: Values, asked: _Asked, _parts: Mapping[str, Values]) -> Truth:
    """Whose address is at an accepted domain is inside if the connection was authenticated."""
    domain = asked.organisation.domain(domain_of(asked.message.sender))
    internal = _is_internal(asked, domain.type if domain else None)
    return _scoped(values, both((internal, asked.message.inside or None)))


def _is_internal(asked: _Asked, found: DomainType | None) -> Truth:
    """The domain's own mail counts as the organization's: authoritative or internal relay."""
    if found in (DomainType.AUTHORITATIVE, DomainType.INTERNAL_RELAY):
        return True
    if found is None:
        return None if Listing.DOMAINS in asked.organisation.incomplete else False
    return None


def _scoped(values: Values, inside: Truth) -> Truth:
    if values == ("InOrganization",):
        return inside
    return negated(inside) if values == ("NotInOrganization",) else None


def _header_contains(values: Values, asked: _Asked, parts: Mapping[str, Values]) -> Truth:
    """One of the words is in the header; where a word begins and ends is not told."""
    held = _header(values, asked)
    words = parts.get("HeaderContainsWords", ())
    if held is None or not words:
        return None
    return either(_holds(word.lower(), held.lower()) for word in words)


def _holds(word: str, text: str) -> Truth:
    if word in (text, *text.split()):
        return True
    return None if word in text else False


def _header_matches(values: Values, asked: _Asked, _parts: Mapping[str, Values]) -> Truth:
    """Patterns are not tried; what is not there matches none."""
    return False if _header(values, asked) == ABSENT else None


def _header(values: Values, asked: _Asked) -> str | None:
    name = next(iter(values), "").lower()
    return asked.message.headers.get(name)


_JUDGES: Mapping[str, _Judge] = {
    "RecipientDomainIs": _recipient_domain,
    "SenderDomainIs": _sender_domain,
    "SentTo": _sent_to,
    "From": _from,
    "SentToMemberOf": _sent_to_member,
    "FromMemberOf": _from_member,
    "SentToScope": _sent_to_scope,
    "FromScope": _from_scope,
    "HeaderContainsMessageHeader": _header_contains,
    "HeaderMatchesMessageHeader": _header_matches,
}

_FIRST_OF = {
    "HeaderContainsWords": "HeaderContainsMessageHeader",
    "HeaderMatchesPatterns": "HeaderMatchesMessageHeader",
}
