"""What an address or a host name is, as far as Microsoft's list and our own can tell."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from exosync.core.desired import Desired
from exosync.core.endpoints import EndpointSet, Snapshot
from exosync.core.ranges import IpRanges
from exosync.core.selection import MailRanges
from exosync.core.special import special

RELAY_POOL = IpRanges.parse("40.95.0.0/16")
"""Exchange Online's relay pool: published neither in the web service nor in SPF, by design
(Microsoft Learn, "Outbound delivery pools in EOP")."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One thing that can be said. `kind` is a stable name, `text` a sentence."""

    kind: str
    text: str


def explain_address(
    address: IpRanges, snapshot: Snapshot, mail: MailRanges, desired: Desired, since: str
) -> tuple[Answer, ...]:
    """Everything that can be said of one address, the most telling first.

    An address is a single one or a range. `since` tells in words since which version it has
    been mail.
    """
    told = [
        *_mail(address, mail, since),
        *_leaving(address, desired),
        *_named(address, desired),
        *_relay(address, desired),
        *_other(address, snapshot, mail),
        *_special(address),
    ]
    return tuple(told) or (
        Answer("unknown", "it is in nothing that Microsoft publishes for this cloud"),
    )


def explain_host(host: str, snapshot: Snapshot) -> tuple[Answer, ...]:
    """The endpoint sets whose names cover a host."""
    name = host.rstrip(".").lower()
    found = [
        Answer("set", f"{_covering(name, one)} is in {describe_set(one)}")
        for one in snapshot.sets
        if _covering(name, one)
    ]
    if "rly" in name.split(".", 1)[0] and name.endswith(".outlook.com"):
        found.append(Answer("relay_pool", "a name with “rly” is one of the relay pool"))
    return tuple(found) or (Answer("unknown", "no endpoint set names this host"),)


def describe_set(one: EndpointSet) -> str:
    """An endpoint set in a few words."""
    ports = f", TCP {one.tcp_ports}" if one.tcp_ports else ""
    return f"set {one.id} ({one.service_area}{ports}, {one.category or 'no category'})"


def since_version(address: IpRanges, newest_first: Iterable[tuple[str, IpRanges]]) -> str:
    """In words, since which of the stored versions an address has been there without a break."""
    since = ""
    for version, ranges in newest_first:
        if not address <= ranges:
            return since and f"since version {since}"
        since = version
    return since and f"since version {since} or earlier"


def _mail(address: IpRanges, mail: MailRanges, since: str) -> Iterator[Answer]:
    when = f", {since}" if since else ""
    found = [(set_id, _within(address, cidrs)) for set_id, cidrs in mail.sets]
    for set_id, cidr in found:
        if cidr:
            yield Answer("mail", f"it is Exchange Online's mail: {cidr} in set {set_id}{when}")
    which = _which(address, mail.ranges)
    if which and not any(cidr for _, cidr in found):
        kind = "mail" if address <= mail.ranges else "mail_part"
        yield Answer(kind, f"{which} is Exchange Online's mail{when}")


def _leaving(address: IpRanges, desired: Desired) -> Iterator[Answer]:
    for one in desired.leaving:
        which = _which(address, one.ranges)
        if which:
            stays = (address & one.ranges) <= IpRanges().union(
                *(extra.ranges for extra in desired.extras)
            )
            end = (
                "it stays, since the configuration adds it"
                if stays
                else f"it is leaving on {one.until:%Y-%m-%d}"
            )
            gone = f"Microsoft took {which} away (first seen gone {one.since:%Y-%m-%d})"
            yield Answer("leaving", f"{gone}; {end}")


def _named(address: IpRanges, desired: Desired) -> Iterator[Answer]:
    for extra in desired.extras:
        which = _which(address, extra.ranges)
        if which:
            text = f"the configuration adds {which}: {extra.name} ({extra.reason})"
            yield Answer("extra", text)
    for out in desired.exclusions:
        which = _which(address, out.ranges)
        if which:
            yield Answer(
                "excluded", f"the configuration takes {which} out: {out.name} ({out.reason})"
            )


def _relay(address: IpRanges, desired: Desired) -> Iterator[Answer]:
    which = _which(address, RELAY_POOL)
    if which:
        known = (address & RELAY_POOL) <= desired.ranges
        advice = "" if known else "; add it under ranges.extra if you need it"
        text = (
            f"{which} is in Exchange Online's relay pool, which Microsoft publishes neither in its "
            f"list nor in SPF: forwarded mail leaves from it{advice}"
        )
        yield Answer("relay_pool", text)


def _other(address: IpRanges, snapshot: Snapshot, mail: MailRanges) -> Iterator[Answer]:
    chosen = {set_id for set_id, _ in mail.sets}
    for one in snapshot.sets:
        cidr = _within(address, one.ips)
        if cidr and one.id not in chosen:
            what = "client access" if one.service_area.lower() == "exchange" else "another service"
            yield Answer("other", f"{what}: {cidr} in {describe_set(one)}")


def _special(address: IpRanges) -> Iterator[Answer]:
    for cidr, name, source in special(address)[:_FEW]:
        which = _which(address, IpRanges.parse(cidr))
        yield Answer("special", f"{which} is {name} address space ({source})")


_FEW = 5


def _which(address: IpRanges, ranges: IpRanges) -> str:
    """How much of an address range is in `ranges`, as the subject of a sentence; "" if nothing."""
    common = address & ranges
    if not common:
        return ""
    if common == address:
        return "it"
    cidrs = common.cidrs()
    more = f" and {len(cidrs) - _FEW:,} more" if len(cidrs) > _FEW else ""
    return f"part of it ({', '.join(cidrs[:_FEW])}{more})"


def _within(address: IpRanges, cidrs: Sequence[str]) -> str | None:
    return next((cidr for cidr in cidrs if address <= IpRanges.parse(cidr)), None)


def _covering(name: str, one: EndpointSet) -> str | None:
    return next((url for url in one.urls if fnmatchcase(name, url.lower())), None)
