"""Which transport rules take hold of a message, and what they do to it. Pure.

Conditions of different parameters must all hold, values of one parameter are alternatives, any
exception ends a rule (learn.microsoft.com, "Mail flow rules in Exchange Online"). What several
recipients mean to one condition is not documented: whoever asks decides whom to ask about.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from tests.standins.exchange_org import Org, Record
from tests.standins.exchange_predicates import CONDITIONS
from tests.standins.mailflow_letter import Letter, domain_of

_EXCEPT = "ExceptIf"
_DEEPEST = 5
"""Groups in groups that are followed."""


@dataclass(frozen=True, slots=True)
class Ruling:
    """What the rules come to.

    `connector` is what RouteMessageOutboundConnector names, "" for none. `fired` are the rules
    that did something, `audited` those that would have, were they enforced. `not_modelled` are
    rules with conditions that this model does not know; they are passed over.
    """

    connector: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    needs_tls: bool = False
    rejected: str = ""
    fired: tuple[str, ...] = ()
    audited: tuple[str, ...] = ()
    not_modelled: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Case:
    """What a rule looks at: a message, for some of its recipients, in a tenant."""

    letter: Letter
    recipients: tuple[str, ...]
    org: Org
    headers: tuple[tuple[str, str], ...] = ()

    def header(self, name: str) -> list[str]:
        """The values of a header, those that earlier rules have set included."""
        given = [str(one) for one in self.letter.message.get_all(name, [])]
        return given + [value for key, value in self.headers if key.lower() == name.lower()]

    @property
    def sender(self) -> str:
        """The sender as rules see it: the From header (SenderAddressLocation Header)."""
        found = re.findall(r"[^\s<>,\"]+@[^\s<>,\"]+", str(self.letter.message.get("From", "")))
        return (found[0] if found else self.letter.sender).lower()


def rule_on(letter: Letter, recipients: Iterable[str], org: Org, rules: Sequence[Record]) -> Ruling:
    """Let the rules look at a message in the order of their priorities."""
    case, ruling = Case(letter, tuple(recipients), org), Ruling()
    for rule in filter(_in_force, rules):
        if _unknown(rule):
            ruling = replace(ruling, not_modelled=(*ruling.not_modelled, rule["Name"]))
            continue
        if not _fires(rule, case):
            continue
        if rule["Mode"] != "Enforce":
            ruling = replace(ruling, audited=(*ruling.audited, rule["Name"]))
            continue
        ruling = _acted(ruling, rule)
        case = replace(case, headers=ruling.headers)
        if rule["StopRuleProcessing"] or ruling.rejected:
            break
    return ruling


def members(org: Org, group: str, depth: int = 0) -> Iterator[str]:
    """Every address of every member of a group, of groups in it too."""
    for one in org.groups.get(group.lower(), ()):
        if one.lower() in org.groups and depth < _DEEPEST:
            yield from members(org, one, depth + 1)
        else:
            yield from addresses(org, one)


def addresses(org: Org, address: str) -> set[str]:
    """All addresses of whoever has this one, in lower case."""
    known = org.recipient(address)
    others = known["EmailAddresses"] if known else ()
    return {address.lower(), *(one.partition(":")[2].lower() for one in others)}


def accepted(org: Org, domain: str) -> Record | None:
    """The accepted domain that a name belongs to."""
    exact = org.domain(domain)
    return exact or next(
        (
            one
            for one in org.domains
            if one["MatchSubDomains"] and domain.endswith(f".{one['DomainName'].lower()}")
        ),
        None,
    )


def _in_force(rule: Record) -> bool:
    now = datetime.now(UTC)
    begins, ends = rule["ActivationDate"], rule["ExpiryDate"]
    early = isinstance(begins, datetime) and begins > now
    late = isinstance(ends, datetime) and ends <= now
    return rule["State"] == "Enabled" and not early and not late


def _acted(before: Ruling, rule: Record) -> Ruling:
    headers = before.headers
    if rule.get("SetHeaderName"):
        headers = (*headers, (str(rule["SetHeaderName"]), str(rule["SetHeaderValue"])))
    rejected = before.rejected
    if rule.get("RejectMessageReasonText") or rule.get("DeleteMessage"):
        rejected = str(rule.get("RejectMessageReasonText") or "deleted")
    return replace(
        before,
        connector=str(rule.get("RouteMessageOutboundConnector") or before.connector),
        headers=headers,
        needs_tls=before.needs_tls or bool(rule.get("RouteMessageOutboundRequireTls")),
        rejected=rejected,
        fired=(*before.fired, rule["Name"]),
    )


def _fires(rule: Record, case: Case) -> bool:
    """A rule without conditions takes hold of everything (New-TransportRule)."""
    conditions = {name: rule[name] for name in _TESTS if _is_set(rule.get(name))}
    exceptions = {
        name: rule[f"{_EXCEPT}{name}"] for name in _TESTS if _is_set(rule.get(_EXCEPT + name))
    }
    holds = all(_holds(name, value, rule, case, "") for name, value in conditions.items())
    return holds and not any(
        _holds(name, value, rule, case, _EXCEPT) for name, value in exceptions.items()
    )


def _unknown(rule: Record) -> list[str]:
    """Conditions and exceptions that the model does not know."""
    set_ = [name.removeprefix(_EXCEPT) for name, value in rule.items() if _is_set(value)]
    named = [name for name in set_ if name in CONDITIONS and name not in {*_TESTS, *_NAMED_BY}]
    further = rule.get("_further", {})
    return [*named, *further.get("Conditions", ()), *further.get("Exceptions", ())]


def _is_set(value: Any) -> bool:
    return value not in (None, [], "", False)


def _holds(name: str, value: Any, rule: Record, case: Case, before: str) -> bool:
    values = [str(one) for one in (value if isinstance(value, list) else [value])]
    if name != "HeaderMatchesPatterns":
        values = [one.lower() for one in values]
    header = str(rule.get(before + _HEADERS.get(name, "")) or "")
    return _TESTS[name](case, values, header)


def _is_at(address: str, domains: Iterable[str]) -> bool:
    """At one of these domains or below (New-TransportRule: RecipientDomainIs)."""
    own = domain_of(address)
    return any(own == one or own.endswith(f".{one}") for one in domains)


def _inside(case: Case, address: str) -> bool:
    """Every address of an accepted domain, whether it exists here or not."""
    found = accepted(case.org, domain_of(address))
    return found is not None and found["DomainType"] in ("Authoritative", "InternalRelay")


def _sent_to_member(case: Case, groups: list[str], _header: str) -> bool:
    inside = {one for group in groups for one in members(case.org, group)}
    return any(addresses(case.org, one) & inside for one in case.recipients)


def _scope(case: Case, values: list[str], _header: str) -> bool:
    scopes = {
        "inorganization" if _inside(case, one) else "notinorganization" for one in case.recipients
    }
    return bool(scopes & set(values))


def _from_scope(case: Case, values: list[str], _header: str) -> bool:
    internal = bool(case.letter.user) and _inside(case, case.sender)
    return ("inorganization" if internal else "notinorganization") in values


def _header_contains(case: Case, words: list[str], header: str) -> bool:
    return any(word in one.lower() for one in case.header(header) for word in words)


def _header_matches(case: Case, patterns: list[str], header: str) -> bool:
    return any(
        re.search(one, text, re.IGNORECASE) for text in case.header(header) for one in patterns
    )


def _recipients_have(case: Case, words: list[str], _header: str) -> bool:
    return any(word in one.lower() for one in case.recipients for word in words)


_HEADERS = {
    "HeaderContainsWords": "HeaderContainsMessageHeader",
    "HeaderMatchesPatterns": "HeaderMatchesMessageHeader",
}
_NAMED_BY = frozenset(_HEADERS.values())

_TESTS: dict[str, Callable[[Case, list[str], str], bool]] = {
    "RecipientDomainIs": lambda case, values, _: any(
        _is_at(one, values) for one in case.recipients
    ),
    "SentTo": lambda case, values, _: any(
        addresses(case.org, one) & set(values) for one in case.recipients
    ),
    "SentToMemberOf": _sent_to_member,
    "SentToScope": _scope,
    "FromScope": _from_scope,
    "From": lambda case, values, _: case.sender in values,
    "FromMemberOf": lambda case, values, _: any(
        case.sender in members(case.org, one) for one in values
    ),
    "SenderDomainIs": lambda case, values, _: _is_at(case.sender, values),
    "HeaderContainsWords": _header_contains,
    "HeaderMatchesPatterns": _header_matches,
    "RecipientAddressContainsWords": _recipients_have,
    "AnyOfRecipientAddressContainsWords": _recipients_have,
    "SubjectContainsWords": lambda case, values, _: _header_contains(case, values, "Subject"),
}
