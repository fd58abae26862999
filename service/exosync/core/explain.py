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

    `since` tells in words since which version the address has been mail.
    """
    told = [
        *_mail(address, mail, since),
        *_leaving(address, desired),
        *_named(address, desired),
        *_relay(address, desired),
        *_other(address, snapshot, mail),
        *(
            Answer("special", f"it is {name} address space ({source})")
            for _, name, source in special(address)
        ),
    ]
    return tuple(told) or (Answer("unknown", "it is in nothing that Microsoft publishes"),)


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
    for set_id, cidrs in mail.sets:
        cidr = _within(address, cidrs)
        if cidr:
            when = f", {since}" if since else ""
            yield Answer("mail", f"it is Exchange Online's mail: {cidr} in set {set_id}{when}")


def _leaving(address: IpRanges, desired: Desired) -> Iterator[Answer]:
    for one in desired.leaving:
        if address <= one.ranges:
            text = (
                f"Microsoft took it away (first seen gone {one.since:%Y-%m-%d}); "
                f"it is leaving on {one.until:%Y-%m-%d}"
            )
            yield Answer("leaving", text)


def _named(address: IpRanges, desired: Desired) -> Iterator[Answer]:
    for extra in desired.extras:
        if address <= extra.ranges:
            yield Answer("extra", f"the configuration adds it: {extra.name} ({extra.reason})")
    for out in desired.exclusions:
        if address <= out.ranges:
            yield Answer("excluded", f"the configuration takes it out: {out.name} ({out.reason})")


def _relay(address: IpRanges, desired: Desired) -> Iterator[Answer]:
    if address <= RELAY_POOL:
        known = "" if address <= desired.ranges else "; add it under ranges.extra if you need it"
        text = (
            "it is in Exchange Online's relay pool, which Microsoft publishes neither in its list "
            f"nor in SPF: forwarded mail leaves from it{known}"
        )
        yield Answer("relay_pool", text)


def _other(address: IpRanges, snapshot: Snapshot, mail: MailRanges) -> Iterator[Answer]:
    chosen = {set_id for set_id, _ in mail.sets}
    for one in snapshot.sets:
        cidr = _within(address, one.ips)
        if cidr and one.id not in chosen:
            what = "client access" if one.service_area.lower() == "exchange" else "another service"
            yield Answer("other", f"{what}: {cidr} in {describe_set(one)}")


def _within(address: IpRanges, cidrs: Sequence[str]) -> str | None:
    return next((cidr for cidr in cidrs if address <= IpRanges.parse(cidr)), None)


def _covering(name: str, one: EndpointSet) -> str | None:
    return next((url for url in one.urls if fnmatchcase(name, url.lower())), None)
