"""What is unusual about the rule that is ours. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from types import MappingProxyType

from exosync.core.target import Finding, Severity
from exosync.core.words import one_line
from exosync_adapters.exchange import moments
from exosync_adapters.exchange.aim import Owned
from exosync_adapters.exchange.compare import address, host, resolved
from exosync_adapters.exchange.findings.connector import PLAN_MENDS, few, quoted
from exosync_adapters.exchange.findings.foreign import CARVING, carves_out, is_in_force, may_take
from exosync_adapters.exchange.records import Listing, Organisation, Rule, folded
from exosync_adapters.exchange.routed import LoopBreaker
from exosync_adapters.exchange.settings import ExchangeSettings

_RECIPIENTS = (
    "RecipientDomainIs",
    "SentTo",
    "SentToMemberOf",
    "AnyOfToHeader",
    "AnyOfToCcHeader",
    "RecipientAddressContainsWords",
    "RecipientAddressMatchesPatterns",
    "RecipientADAttributeContainsWords",
    "RecipientADAttributeMatchesPatterns",
    "RecipientInSenderList",
)
"""Conditions of New-TransportRule that look at who receives."""

_EXCEPTED = "ExceptIfSentToMemberOf"
_LOOP_BREAKERS = ("ExceptIfHeaderContainsMessageHeader", "ExceptIfHeaderMatchesMessageHeader")


def of_rule(
    owned: Owned,
    settings: ExchangeSettings,
    organisation: Organisation,
    now: datetime | None,
    known_as: Mapping[str, str] = MappingProxyType({}),
) -> Iterator[Finding]:
    """What is unusual about the rule that is ours; `owned.rule` is there."""
    ours = owned.rule
    if ours is None:
        return
    name = f"the rule {quoted(ours.name)}"
    yield from _of_recipients(ours, name, settings, organisation)
    yield from _of_spared(ours, name, settings, known_as)
    yield from _of_force(ours, name, now)
    yield from _of_stops(ours, name, settings, organisation, now)
    yield from _of_its_connector(owned, name, organisation)
    yield from _of_loops(ours, name, settings)


def _of_loops(ours: Rule, name: str, settings: ExchangeSettings) -> Iterator[Finding]:
    breaker = settings.exceptions.loop_breaker
    if not any(one in ours.exceptions for one in _LOOP_BREAKERS):
        mend = (
            PLAN_MENDS
            if breaker
            else "give exceptions.loop_breaker, or see that the other side never routes back"
        )
        yield Finding(
            "loop_possible",
            f"{name} has no exception for a header that tells what was routed already: if the "
            "other side routes mail back that it does not know, it goes round until it is refused "
            f"(554 5.4.14); {mend}",
        )
    elif breaker is not None and not _is_stamped(ours, breaker):
        yield Finding(
            "loop_possible",
            f"{name} no longer sets the header by which it knows what it routed already: if the "
            f"other side routes mail back, it goes round until it is refused (554 5.4.14); {PLAN_MENDS}",
        )


def _is_stamped(ours: Rule, breaker: LoopBreaker) -> bool:
    """Whether the rule leaves alone what it has set a header on; it need not if another sets it."""
    if not breaker.stamp:
        return True
    words = ours.exceptions.get("ExceptIfHeaderContainsWords", ())
    headers = [one for name in _LOOP_BREAKERS for one in ours.exceptions.get(name, ())]
    is_set = {*map(folded, ours.actions.get("SetHeaderName", ()))} & {*map(folded, headers)}
    value = {*map(folded, ours.actions.get("SetHeaderValue", ()))}
    return bool(is_set) and (not words or bool(value & {*map(folded, words)}))


def _of_spared(
    ours: Rule, name: str, settings: ExchangeSettings, known_as: Mapping[str, str]
) -> Iterator[Finding]:
    """Of a rule that excepts groups, and not the one of those whose mailboxes are here.

    A group by a name that nobody could ask about may be that one.
    """
    wanted, here = settings.routed.everyone_but, ours.exceptions.get(_EXCEPTED, ())
    groups = {known_as.get(one, one) for one in map(address, here)}
    others = [one for one in CARVING if one != _EXCEPTED and _has(ours, one)]
    if not wanted or not groups or others or not all("@" in one for one in groups):
        return
    if address(wanted) not in map(address, groups):
        yield Finding(
            "rule_takes_local_mail",
            f"{name} does not except the members of {wanted}: a rule comes before delivery, so mail "
            f"to their mailboxes in Exchange Online goes to the other side too; {PLAN_MENDS}",
        )


def of_nobody(ours: Rule, settings: ExchangeSettings, *, spares_nobody: bool) -> Iterator[Finding]:
    """What a rule that is on does while the group of those whose mailboxes are here is empty."""
    if spares_nobody and ours.enabled and _EXCEPTED in ours.exceptions:
        yield Finding(
            "rule_takes_local_mail",
            f"nobody is in the group {settings.routed.everyone_but}, so the rule {quoted(ours.name)} takes "
            f"all mail to {settings.domain}, that of mailboxes here too: put those whose mailboxes are here "
            "into the group, or switch the rule off until then",
        )


def _has(rule: Rule, part: str) -> bool:
    return part in rule.conditions or part in rule.exceptions


def _of_recipients(
    ours: Rule, name: str, settings: ExchangeSettings, organisation: Organisation
) -> Iterator[Finding]:
    if not any(one in ours.conditions for one in _RECIPIENTS):
        yield Finding(
            "rule_without_recipients",
            f"{name} has no condition on who receives, so mail to everybody is sent to the other "
            f"side; {PLAN_MENDS}",
        )
        return
    if not carves_out(ours):
        acknowledged = settings.routed.whole_domain is not None
        yield Finding(
            "rule_takes_local_mail",
            f"{name} takes all mail to {settings.domain}: a rule comes before delivery, so mail "
            "to mailboxes in Exchange Online goes to the other side too; "
            + ("so it was acknowledged (routed.whole_domain)" if acknowledged else PLAN_MENDS),
            Severity.INFO if acknowledged else Severity.WARNING,
        )
    if settings.domain in map(host, ours.conditions.get("RecipientDomainIs", ())):
        yield from _of_subdomains(name, settings.domain, organisation)


def _of_subdomains(name: str, domain: str, organisation: Organisation) -> Iterator[Finding]:
    below = [one.name for one in organisation.domains if one.name.endswith(f".{domain}")]
    accepted = organisation.domain(domain)
    if accepted is not None and accepted.match_subdomains:
        below.append(f"every name below {accepted.name}")
    if below:
        yield Finding(
            "rule_subdomains",
            f"{name} looks for {domain}, and RecipientDomainIs also matches names below it: mail "
            f"to {few(below)} is routed as well; a rule of an administrator's before it, with "
            "“stop processing more rules”, keeps a name out",
        )


def _of_force(ours: Rule, name: str, now: datetime | None) -> Iterator[Finding]:
    if not ours.enabled:
        yield Finding(
            "rule_disabled",
            f"{name} is disabled, so no mail is routed to the other side; to switch it on is a "
            "plan of its own once connector and rule are right: exosync plan",
        )
    if ours.mode.lower() != "enforce":
        yield Finding(
            "rule_audit_mode",
            f"{name} is in the mode {quoted(ours.mode)}, which only tests: no mail is routed to "
            f"the other side; {PLAN_MENDS}",
        )
    told = list(_of_dates(ours, now))
    if told:
        yield Finding(
            "rule_dates",
            f"{name} {' and '.join(told)}: outside of that time no mail is routed to the other "
            "side; exosync sets no dates: whoever set them takes them out",
        )


def _of_dates(ours: Rule, now: datetime | None) -> Iterator[str]:
    """A beginning that is over is no matter any more."""
    for text, begins in ((ours.activates, True), (ours.expires, False)):
        over = moments.is_past(text, now)
        if text and not (begins and over):
            yield f"{_DATES[begins, over]} {one_line(text)}"


_DATES = {
    (True, None): "holds from",
    (True, False): "does not hold yet, but from",
    (False, None): "holds until",
    (False, True): "is over since",
    (False, False): "holds until",
}


def _of_stops(
    ours: Rule,
    name: str,
    settings: ExchangeSettings,
    organisation: Organisation,
    now: datetime | None,
) -> Iterator[Finding]:
    before = [
        quoted(one.name)
        for one in organisation.rules
        if one.priority < ours.priority
        and one.stops
        and is_in_force(one, now)
        and may_take(one, settings.domain, organisation)
    ]
    if before:
        yield Finding(
            "rule_below_stop",
            f"{name} comes after rules that stop the processing of more rules and may take mail "
            f"to {settings.domain}: {few(before)}; what they take is not routed. Whoever looks "
            "after them gives them an exception, or priority puts the rule before them",
        )


def _of_its_connector(owned: Owned, name: str, organisation: Organisation) -> Iterator[Finding]:
    ours, connector = owned.rule, owned.connector
    if ours is None:
        return
    if not ours.connector:
        yield Finding(
            "rule_connector_gone",
            f"{name} sends to no connector, so it routes no mail to the other side; {PLAN_MENDS}",
        )
        return
    found = resolved(ours.connector, organisation.connectors)
    if found is None:
        if Listing.CONNECTORS not in organisation.incomplete:
            yield Finding(
                "rule_connector_gone",
                f"{name} sends to the connector {quoted(ours.connector)}, which is not there: it "
                "was deleted or renamed, and what becomes of the mail is not published; "
                f"{PLAN_MENDS}",
            )
        return
    if found != connector:
        mend = PLAN_MENDS if connector else "exosync plan says what there is to do first"
        yield Finding(
            "rule_connector_other",
            f"{name} sends to the connector {quoted(ours.connector)}, which is not exosync's, "
            f"so nobody keeps it as it should be; {mend}",
        )
