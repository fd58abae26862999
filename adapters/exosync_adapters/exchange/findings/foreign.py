"""What others set up in the tenant that takes the same mail. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from exosync.core.target import Finding, Severity
from exosync_adapters.exchange import moments
from exosync_adapters.exchange.aim import Owned
from exosync_adapters.exchange.compare import address, host, more
from exosync_adapters.exchange.findings.connector import few, quoted
from exosync_adapters.exchange.records import Connector, DomainType, Organisation, Rule, folded
from exosync_adapters.exchange.settings import ExchangeSettings

CARVING = (
    "SentTo",
    "SentToMemberOf",
    "ExceptIfSentTo",
    "ExceptIfSentToMemberOf",
    "AnyOfToHeaderMemberOf",
    "ExceptIfAnyOfToHeaderMemberOf",
    "RecipientAddressContainsWords",
    "RecipientAddressMatchesPatterns",
    "RecipientADAttributeContainsWords",
    "RecipientADAttributeMatchesPatterns",
    "ExceptIfRecipientAddressContainsWords",
    "ExceptIfRecipientAddressMatchesPatterns",
    "ExceptIfRecipientADAttributeContainsWords",
    "ExceptIfRecipientADAttributeMatchesPatterns",
)
"""Conditions and exceptions that tell one recipient of a domain from another."""

_THEIRS = "it is not exosync's, so exosync leaves it: whoever looks after it must"


def carves_out(rule: Rule) -> bool:
    """Whether a rule tells the recipients of one domain apart."""
    return any(one in rule.conditions or one in rule.exceptions for one in CARVING)


def is_in_force(rule: Rule, now: datetime | None) -> bool:
    """Whether a rule acts, or will from some date on; without `now` none is over."""
    is_on = rule.enabled and rule.mode.lower() == "enforce"
    return is_on and not moments.is_past(rule.expires, now)


def may_take(rule: Rule, domain: str, organisation: Organisation) -> bool:
    """Whether mail to the domain may meet a rule's conditions, as far as they are understood."""
    if covers(rule.exceptions.get("ExceptIfRecipientDomainIs", ()), domain):
        return False
    domains = rule.conditions.get("RecipientDomainIs")
    if domains is not None and not covers(domains, domain):
        return False
    people = rule.conditions.get("SentTo", ())
    if people and all("@" in one and not _is_at(one, domain) for one in people):
        return False
    outside = rule.conditions.get("SentToScope", ()) == (
        "NotInOrganization",
    ) or rule.exceptions.get("ExceptIfSentToScope", ()) == ("InOrganization",)
    accepted = organisation.domain(domain)
    internal = accepted is not None and accepted.type in (
        DomainType.AUTHORITATIVE,
        DomainType.INTERNAL_RELAY,
    )
    return not (outside and internal)


def covers(domains: tuple[str, ...], domain: str) -> bool:
    """Whether one of the domains of a rule is this, or above it: names below a domain match too."""
    return any(f".{domain}".endswith(f".{host(one)}") for one in domains)


def _is_at(recipient: str, domain: str) -> bool:
    return address(recipient).rpartition("@")[2] == domain


def of_foreign(
    settings: ExchangeSettings,
    organisation: Organisation,
    owned: Owned,
    now: datetime | None,
) -> Iterator[Finding]:
    """Rules and connectors that are not ours and take mail to the domain."""
    routing = [
        one
        for one in organisation.rules
        if one != owned.rule
        and one.connector
        and is_in_force(one, now)
        and may_take(one, settings.domain, organisation)
    ]
    whole = [one for one in routing if _takes_whole_domain(one, settings.domain)]
    for one in whole:
        yield _domain_rule(one, settings, owned)
    yield from _of_places([one for one in routing if one not in whole], settings, owned)
    yield from _of_connectors(settings, organisation, owned)


def _takes_whole_domain(rule: Rule, domain: str) -> bool:
    """Whoever the recipient is. What a rule has besides, unknown, may tell recipients apart."""
    domains = rule.conditions.get("RecipientDomainIs", ())
    return covers(domains, domain) and not carves_out(rule) and not more(rule)


def _domain_rule(rule: Rule, settings: ExchangeSettings, owned: Owned) -> Finding:
    place = _place(rule, owned)
    return Finding(
        "foreign_domain_rule",
        f"the rule {quoted(rule.name)} (priority {rule.priority}{place}) sends mail to "
        f"{settings.domain} to the connector {quoted(rule.connector)}, whoever receives it: a "
        "rule comes before delivery, so mailboxes in Exchange Online get none of it, and of a "
        f"name that is on both sides only the other mailbox does; {_THEIRS} except those whose "
        "mailboxes are here, or switch it off once exosync's is on",
    )


def _place(rule: Rule, owned: Owned) -> str:
    if owned.rule is None:
        return ""
    return ", before exosync's" if rule.priority < owned.rule.priority else ", after exosync's"


def _of_places(routing: list[Rule], settings: ExchangeSettings, owned: Owned) -> Iterator[Finding]:
    """Without a rule of ours, which would come last, all are before it.

    What has the name that ours should have is to be taken over first, and told as a refusal.
    """
    ours = folded(settings.rule_name)
    routing = [one for one in routing if owned.rule or folded(one.name) != ours]
    last = owned.rule.priority if owned.rule else None
    before = [quoted(one.name) for one in routing if last is None or one.priority < last]
    after = [quoted(one.name) for one in routing if last is not None and one.priority > last]
    if before:
        yield Finding(
            "foreign_rule_before",
            f"rules before exosync's also route mail that may be to {settings.domain}: "
            f"{few(before)}; which connector takes a message that two rules route is not "
            "published, and a rule that stops the processing keeps exosync's from it. They are "
            f"not exosync's: whoever looks after them must except {settings.domain}",
        )
    if after:
        yield Finding(
            "foreign_rule_after",
            f"rules after exosync's also route mail that may be to {settings.domain}: "
            f"{few(after)}; which connector takes a message that two rules route is not "
            "published. They are not exosync's: whoever looks after them must except "
            f"{settings.domain}",
        )


def _of_connectors(
    settings: ExchangeSettings, organisation: Organisation, owned: Owned
) -> Iterator[Finding]:
    active = [
        one
        for one in organisation.connectors
        if one != owned.connector and one.enabled and not one.scoped and not one.test_mode
    ]
    for one in active:
        if "*" in one.recipient_domains:
            yield Finding(
                "connector_catches_all",
                f"the connector {quoted(one.name)} takes mail to every domain without any rule: "
                "what exosync's rule does not route leaves by it, mail to "
                f"{settings.domain} for who is not known here too; {_THEIRS} say whether that is "
                "meant",
                Severity.INFO,
            )
    accepted = organisation.domain(settings.domain) is not None
    names = [
        quoted(one.name)
        for one in active
        if _takes_domain(one, settings.domain) or (accepted and one.all_accepted_domains)
    ]
    if names:
        yield Finding(
            "foreign_connector",
            f"connectors that need no rule take mail to {settings.domain}: {few(names)}; a rule "
            "comes first, and what exosync's does not route leaves by them. They are not "
            "exosync's: whoever looks after them must say whether that is meant",
        )


def _takes_domain(connector: Connector, domain: str) -> bool:
    return any(
        one == domain or (one.startswith("*.") and domain.endswith(one[1:]))
        for one in connector.recipient_domains
    )
