"""Trying a target without changing anything: host, token, roles, commands, listings, people."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial

from exosync.core.target import Check
from exosync.core.words import plural, short
from exosync.errors import ConfigError, ExosyncError, TargetError
from exosync_adapters.exchange.admin.certificates import certificate_end
from exosync_adapters.exchange.admin.client import Admin
from exosync_adapters.exchange.admin.listing import members, organisation, recipient
from exosync_adapters.exchange.admin.roles import MANAGE, MANAGE_V2
from exosync_adapters.exchange.admin.tokens import Reveal
from exosync_adapters.exchange.aim import Aim
from exosync_adapters.exchange.clouds import Cloud
from exosync_adapters.exchange.records import AcceptedDomain, DomainType, Listing, Organisation
from exosync_adapters.exchange.settings import ExchangeSettings
from exosync_adapters.exchange.way.host_records import HostSeen
from exosync_adapters.exchange.way.hosts import by_dns, try_hosts
from exosync_adapters.exchange.way.people import has_mailbox, is_group_type
from exosync_adapters.exchange.way.resolving import live_dns
from exosync_adapters.exchange.way.standing import Trouble, seen_as

READS = ("Get-OutboundConnector", "Get-TransportRule", "Get-AcceptedDomain")
WRITES = (
    "New-OutboundConnector",
    "Set-OutboundConnector",
    "Remove-OutboundConnector",
    "New-TransportRule",
    "Set-TransportRule",
    "Enable-TransportRule",
    "Disable-TransportRule",
    "Remove-TransportRule",
)
VALIDATES = ("Validate-OutboundConnector",)
"""The commands that are run, by what they are for."""

_SOON = timedelta(days=30)
"""A certificate that ends within this time wants a successor."""

_UNTRIED = (
    "Microsoft neither documents nor supports the interface by which exosync reads and, with "
    "write: rest, writes"
)


def check(
    aim: Aim,
    cloud: Cloud,
    admin: Admin | None,
    reveal: Reveal,
    probe: Callable[[], Iterator[Check]],
) -> Iterator[Check]:
    """Every check in turn; later ones are left out where an earlier one makes them senseless.

    `probe` checks what trace --send needs.
    """
    settings = aim.settings
    yield _host(settings, cloud)
    if admin is None:
        message = "none are given: nothing is read, and what people do is acknowledged"
        yield Check("credentials", ok=None, message=message)
    else:
        yield from _certificate(settings, reveal)
        yield from _asked(aim, admin)
    yield from probe()
    yield from _hosts(settings)
    yield Check("not tried", ok=None, message=_UNTRIED)


def _host(settings: ExchangeSettings, cloud: Cloud) -> Check:
    told = f"{cloud.exchange} (cloud {cloud.name})"
    if settings.url:
        told = f"{settings.url} stands for Microsoft's hosts of the cloud {cloud.name}"
    if cloud.proven:
        return Check("host", ok=True, message=told)
    return Check("host", ok=None, message=f"{told}: nobody has confirmed that it takes commands")


def _certificate(settings: ExchangeSettings, reveal: Reveal) -> Iterator[Check]:
    given = settings.credentials.certificate if settings.credentials else None
    if given is None:
        return
    try:
        end = certificate_end(reveal(given))
    except ExosyncError as error:
        yield Check("certificate", ok=False, message=str(error))
        return
    if end is not None:
        yield _until(end, datetime.now(UTC))


def _until(end: datetime, now: datetime) -> Check:
    left, at = end - now, f"{end:%Y-%m-%d %H:%M} UTC"
    if left > _SOON:
        return Check("certificate", ok=True, message=f"is good until {at}")
    remedy = "upload another one to the application, then put it here with its key"
    if left <= timedelta(0):
        return Check("certificate", ok=False, message=f"ended {at}", remedy=remedy)
    told = f"ends in {plural(left.days, 'day')} ({at})"
    return Check("certificate", ok=None, message=told, remedy=remedy)


def _asked(aim: Aim, admin: Admin) -> Iterator[Check]:
    try:
        roles = admin.roles()
    except (ConfigError, TargetError) as error:
        yield Check("token", ok=False, message=str(error))
        return
    yield Check("token", ok=True, message=f"is given for the tenant {aim.settings.tenant}")
    yield _roles(roles)
    yield from _commands(aim.settings, admin)
    try:
        found = organisation(admin)
    except TargetError as error:
        yield Check("listings", ok=False, message=str(error))
        return
    yield from _listings(found)
    yield _customisable(found, aim.settings)
    yield _domain(aim.settings, found.domain(aim.settings.domain))
    for group in dict.fromkeys(aim.groups):
        yield from _tried(f"group {group}", partial(_group, admin, group))
    for address in aim.settings.validation_recipients:
        yield from _tried(address, partial(_validates, admin, address))


def _roles(roles: frozenset[str]) -> Check:
    names = ", ".join(sorted(roles)) or "none"
    if not roles & {MANAGE, MANAGE_V2}:
        return Check(
            "application roles",
            ok=False,
            message=f"the token has {names}",
            remedy=f"give the application {MANAGE} with admin consent",
        )
    if MANAGE not in roles:
        message = f"the token has {names}: connectors and rules need {MANAGE}"
        return Check("application roles", ok=False, message=message)
    return Check("application roles", ok=True, message=f"the token has {names}")


def _commands(settings: ExchangeSettings, admin: Admin) -> Iterator[Check]:
    try:
        found = admin.commands()
    except TargetError as error:
        yield Check("commands", ok=None, message=str(error))
        return
    if found is None:
        yield Check("commands", ok=None, message="Exchange Online does not tell what may be run")
        return
    may = {one.lower() for one in found}
    yield _may("commands that read", READS, may)
    if settings.write == "rest":
        yield _may("commands that write", WRITES, may)
    if settings.validate_connector:
        yield _may("command that tries", VALIDATES, may)


def _may(name: str, needed: tuple[str, ...], may: set[str]) -> Check:
    missing = [one for one in needed if one.lower() not in may]
    if not missing:
        return Check(name, ok=True, message=f"the application may run {', '.join(needed)}")
    return Check(
        name,
        ok=False,
        message=f"the application may not run {', '.join(missing)}",
        remedy="give it the Entra role Global Reader to read, or Exchange Administrator to write; "
        "or a role group with “View-Only Configuration”, “Remote and Accepted Domains” and "
        "“Transport Rules”",
    )


def _listings(found: Organisation) -> Iterator[Check]:
    for listing, things in (
        (Listing.DOMAINS, found.domains),
        (Listing.CONNECTORS, found.connectors),
        (Listing.RULES, found.rules),
    ):
        why = found.incomplete.get(listing)
        if why is None:
            yield Check(listing.value, ok=True, message=f"read whole: {len(things):,}")
        else:
            message = f"{len(things):,} were told, which is not the whole: {short(why, 200)}"
            yield Check(listing.value, ok=None, message=message)


def _customisable(found: Organisation, settings: ExchangeSettings) -> Check:
    name = "organization"
    if found.dehydrated is None:
        return Check(name, ok=None, message="does not tell whether it can be customized")
    if found.dehydrated:
        return Check(
            name,
            ok=False if settings.write == "rest" else None,
            message="cannot be customized yet, so no connector or rule can be made",
            remedy="an administrator runs Enable-OrganizationCustomization, which cannot be undone",
        )
    return Check(name, ok=True, message="says that it can be customized, which is only a hint")


def _domain(settings: ExchangeSettings, domain: AcceptedDomain | None) -> Check:
    if domain is None:
        message = f"{settings.domain} is not among the tenant's accepted domains"
        return Check("domain", ok=False, message=message)
    kind = domain.type.value or "of an unknown type"
    if domain.type in (DomainType.EXTERNAL_RELAY, DomainType.UNKNOWN):
        message = (
            f"{domain.name} is {kind}: what Exchange Online does with mail to it is not published"
        )
        return Check("domain", ok=None, message=message)
    if domain.type is DomainType.AUTHORITATIVE and settings.routed.group is None:
        message = (
            f"{domain.name} is {kind}: mail from outside to addresses that are not known here is "
            "refused at the edge, before any rule"
        )
        return Check("domain", ok=None, message=message)
    return Check("domain", ok=True, message=f"{domain.name} is {kind}")


def _tried(name: str, look: Callable[[], Check]) -> Iterator[Check]:
    """What cannot be asked, for want of a role perhaps, is no failure of what is configured."""
    try:
        yield look()
    except TargetError as error:
        yield Check(name, ok=None, message=f"cannot be asked for: {error}")


def _group(admin: Admin, group: str) -> Check:
    name = f"group {group}"
    found = recipient(admin, group)
    if found is None:
        return Check(name, ok=False, message="nobody in the tenant has this address")
    if not is_group_type(found.type):
        return Check(name, ok=False, message=f"is a {found.type}, not a group")
    count = len(members(admin, group))
    if not count:
        return Check(name, ok=None, message=f"is a {found.type} without members")
    return Check(name, ok=True, message=f"is a {found.type} with {plural(count, 'member')}")


def _validates(admin: Admin, address: str) -> Check:
    """A recipient for proofs has a mailbox on the other side, and none here."""
    found = recipient(admin, address)
    if found is None:
        return Check(address, ok=True, message="is not known here, so it can only be elsewhere")
    if is_group_type(found.type):
        message = f"is a group here ({found.type}) and no mailbox, so it proves nothing"
        return Check(address, ok=False, message=message)
    if has_mailbox(found.type) or "PublicFolder" in found.type:
        message = f"has a mailbox here ({found.type}), so what arrives there proves nothing"
        return Check(address, ok=False, message=message)
    told = f"is known here as {found.type}"
    to = f", whose mail goes to {found.external}" if found.external else ""
    return Check(address, ok=True, message=f"{told}{to}; it has no mailbox here")


def _hosts(settings: ExchangeSettings) -> Iterator[Check]:
    live = live_dns(settings)
    for name, seen in try_hosts(settings.hosts, resolve=by_dns(live)).items():
        yield _smart_host(name, seen, settings, datetime.now(UTC))


_DOES_NOT_DO = {
    Trouble.EXPIRED: (False, "has expired, and the connector looks at it"),
    Trouble.MISNAMED: (False, "is not for tls_name, which the connector wants"),
    Trouble.UNTRUSTED: (None, "is not trusted by this machine; Exchange Online may trust it"),
    Trouble.STRANGER: (None, "has no name of Google's: is it the far side?"),
}
"""Certificates that the connector does not take, or perhaps does not."""


def _smart_host(name: str, seen: HostSeen, settings: ExchangeSettings, now: datetime) -> Check:
    """Port 25 is closed to most networks, so silence towards this machine proves nothing."""
    title = f"smart host {name}"
    if seen.exists is False:
        return Check(title, ok=False, message="does not resolve")
    if not seen.addresses:
        return Check(title, ok=None, message=seen.trouble or "cannot be tried")
    where = ", ".join(seen.addresses[:2])
    if not seen.answers:
        told = seen.trouble or f"{where}: no answer"
        message = f"{told}; many networks let nobody out on port 25"
        return Check(title, ok=None, message=message)
    if seen.starttls is False:
        return Check(title, ok=False, message=f"{where} answers and offers no STARTTLS")
    if seen.starttls is None:
        return Check(title, ok=None, message=f"{where}: {seen.trouble}")
    ok, trouble = _DOES_NOT_DO.get(seen_as(seen, settings, now).trouble, (True, ""))
    names = ", ".join(seen.certificate.names[:3]) if seen.certificate else ""
    shown = f"; its certificate ({short(names, 200)}) {trouble}" if trouble else ""
    return Check(title, ok=ok, message=f"{where} answers, and offers STARTTLS{shown}")
