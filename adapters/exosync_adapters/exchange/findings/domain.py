"""What is unusual about the accepted domain, and about one that was the configured one before. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from exosync.core.target import Finding, Severity
from exosync_adapters.exchange.aim import Owned
from exosync_adapters.exchange.records import AcceptedDomain, DomainType, Listing, Organisation
from exosync_adapters.exchange.settings import ExchangeSettings

PLACE = "Exchange admin center: Mail flow > Accepted domains"
_BY_MX = (
    "whoever is not known here is not refused, but sent where the domain's MX leads, which may be "
    "back here until it is refused (554 5.4.14)"
)
_BACK = f"if all its mailboxes are here, make it authoritative again ({PLACE})"


def of_domain(settings: ExchangeSettings, organisation: Organisation) -> Iterator[Finding]:
    """What is unusual about the configured domain."""
    found = organisation.domain(settings.domain)
    if found is None:
        yield from _not_accepted(settings, organisation)
    elif found.type is DomainType.EXTERNAL_RELAY:
        yield _external(settings)
    elif found.type is DomainType.AUTHORITATIVE:
        yield _authoritative(settings, found.name)


def _not_accepted(settings: ExchangeSettings, organisation: Organisation) -> Iterator[Finding]:
    if Listing.DOMAINS not in organisation.incomplete:
        yield Finding(
            "domain_not_accepted",
            f"{settings.domain} is not an accepted domain of this tenant, so Exchange Online "
            "takes no mail for it from outside and treats it as somebody else's; an "
            "administrator adds it in the Microsoft 365 admin center, or tenant and domain are "
            "mended in the configuration",
        )


def _external(settings: ExchangeSettings) -> Finding:
    """Set-AcceptedDomain: what this type does is told of Exchange on premises alone."""
    right = (
        "authoritative, as long as the members of the group are recipients here, or an internal relay"
        if settings.routed.group
        else "an internal relay"
    )
    return Finding(
        "domain_external_relay",
        f"{settings.domain} is an external relay: a domain of servers that are not the "
        "company's own. Microsoft documents that type for Exchange on premises alone, and not "
        "what Exchange Online does with it: whether mailboxes here get their mail, and whether the "
        "rule sees it, nobody can tell. Where mailboxes are on both sides a person makes it "
        f"{right} ({PLACE})",
    )


def _authoritative(settings: ExchangeSettings, accepted: str) -> Finding:
    """`accepted` is the domain's own name, or that of the one above it which takes names below it."""
    if settings.routed.group:
        return Finding(
            "domain_authoritative",
            f"{settings.domain} is authoritative: mail from outside to somebody who is not known "
            "here is refused before any rule runs (550 5.4.1), so each mailbox on the other side "
            f"must be a recipient here too, which the members of {settings.routed.group} are",
            Severity.INFO,
        )
    return Finding(
        "domain_authoritative",
        f"{settings.domain} is authoritative: mail from outside to somebody whose mailbox is on "
        "the other side alone is refused at the edge, before any rule runs (550 5.4.1); "
        + (
            f"it is accepted as a name below {accepted}, whose type exosync does not ask to change: "
            f"a person makes {accepted} an internal relay, or accepts {settings.domain} by itself"
            if accepted != settings.domain
            else "a person makes the domain an internal relay once the rule is on: exosync asks for it"
            if settings.accepted_domain == "internal_relay"
            else "somebody must make the domain an internal relay, which accepted_domain: leave "
            "tells exosync not to ask for, or every such mailbox must be a mail user here"
        ),
    )


def left_behind(
    settings: ExchangeSettings, organisation: Organisation, relayed: Collection[str], owned: Owned
) -> Iterator[Finding]:
    """Internal relays that are left alone: of `relayed` a person made each as exosync asked."""
    for one in organisation.domains:
        if one.name != settings.domain and one.name in relayed and _is_relay(one):
            yield _renamed(one.name, settings, owned)
    own = next((one for one in organisation.domains if one.name == settings.domain), None)
    gone = owned == Owned() and not {Listing.CONNECTORS, Listing.RULES} & {*organisation.incomplete}
    if settings.remove and gone and own is not None and _is_relay(own):
        yield _after_removal(own.name, asked=own.name in relayed)


def acknowledged(
    settings: ExchangeSettings, relayed: Collection[str], *, gone: bool
) -> Iterator[Finding]:
    """The same of what nobody reads, by people's word; `gone` are connector and rule."""
    for name in sorted(relayed):
        if name != settings.domain or (settings.remove and gone):
            yield Finding(
                "domain_left_behind",
                f"{name} was made an internal relay, as exosync asked for, and "
                f"exosync looks after it no longer: {_BY_MX}. Nobody reads whether it still is one: "
                f"{_BACK}",
            )


def _renamed(name: str, settings: ExchangeSettings, owned: Owned) -> Finding:
    begin = (
        f"{name} is still an internal relay, as exosync asked for while the configuration named it; "
        f"now it names {settings.domain}, "
    )
    end = f"{_BY_MX}. Unless another target looks after it: {_BACK}"
    taken = owned.rule.conditions.get("RecipientDomainIs", ()) if owned.rule else ()
    if name in {one.lower() for one in taken}:
        begin += f"and once the rule is changed to that no mail of {name} goes to the other side: "
        return Finding("domain_left_behind", f"{begin}from then on {end}")
    begin += f"and this target sends no mail of {name} to the other side any more: "
    return Finding("domain_left_behind", begin + end)


def _after_removal(name: str, *, asked: bool) -> Finding:
    whose = ", as exosync asked for" if asked else ""
    return Finding(
        "domain_left_behind",
        f"{name} is still an internal relay{whose}, and connector and rule are gone: unless "
        f"somebody else's take it, {_BY_MX}; {_BACK}",
    )


def _is_relay(domain: AcceptedDomain) -> bool:
    return domain.type is DomainType.INTERNAL_RELAY
