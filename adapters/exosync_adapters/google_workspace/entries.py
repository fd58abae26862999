"""The entries of a list of addresses: read, told apart, and written as the console takes them.

Pure. How Google gives an entry back is unknown: as it was typed, with or without /32, with
host bits or without. So entries are compared by the addresses that they stand for.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from ipaddress import ip_interface

from exosync.core.ranges import IpRanges

BETWEEN = ", "
"""What parts the entries of the email allowlist's box (Google Admin Help, answer 60751)."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry: its text as it stands there, and its addresses (none if it is no address).

    `has_host_bits` tells that the text names an address inside its network.
    """

    text: str
    ranges: IpRanges = IpRanges()
    has_host_bits: bool = False

    @property
    def canonical(self) -> str:
        """The same text for every way to write the same addresses."""
        cidrs = self.ranges.cidrs()
        return cidrs[0] if cidrs else self.text

    def is_within(self, ranges: IpRanges) -> bool:
        """Whether it is an address or a network, and all of it lies there."""
        # By its text, since the ranges are searched for that and gone through for a set.
        return bool(self.ranges) and self.canonical in ranges


def read_entry(text: str) -> Entry:
    """Read one entry: a CIDR, with host bits or without, or a bare address.

    What is neither is kept as it stands, without any address.
    """
    plain = text.strip()
    try:
        found = ip_interface(plain)
        ranges = IpRanges.parse(str(found.network))
    except ValueError:
        return Entry(plain)
    return Entry(plain, ranges, found.ip != found.network.network_address)


def read_entries(texts: Iterable[str]) -> tuple[Entry, ...]:
    """Read all entries, in their order; blank ones are none."""
    return tuple(read_entry(text) for text in texts if text.strip())


def box_text(texts: Iterable[str]) -> str:
    """The text of the email allowlist's box."""
    return BETWEEN.join(texts)


def lines(texts: Iterable[str]) -> str:
    """One entry a line."""
    return "\n".join(texts)


def ranges_of(entries: Iterable[Entry]) -> IpRanges:
    """All addresses of the entries."""
    return IpRanges().union(*(entry.ranges for entry in entries))


def canonical(entries: Iterable[Entry]) -> tuple[str, ...]:
    """What the entries say, without order and repetition."""
    return tuple(sorted({entry.canonical for entry in entries}))


def divide(
    entries: Sequence[Entry],
    *,
    claimed: IpRanges,
    adopted: IpRanges,
    foreign: Collection[str],
    settled: Collection[str] = (),
) -> tuple[tuple[Entry, ...], tuple[Entry, ...]]:
    """Our entries and the foreign ones, both in their order.

    An entry is ours if all of it is claimed: remembered as ours, or asked for. One that was
    foreign before (`foreign` holds its canonical text) stays so, wherever it lies: only
    adoption changes that. `settled` are ours from before if nothing was asked for since: what
    came inside those that are still there is somebody else's.
    """
    allowed = claimed | adopted
    kept = ranges_of(one for one in entries if one.canonical in settled)

    def is_ours(entry: Entry) -> bool:
        if not entry.is_within(allowed):
            return False
        if entry.canonical in settled or entry.is_within(adopted):
            return True
        return entry.canonical not in foreign and not entry.is_within(kept)

    ours: list[Entry] = []
    others: list[Entry] = []
    for entry in entries:
        (ours if is_ours(entry) else others).append(entry)
    return tuple(ours), tuple(others)


def layout(ranges: IpRanges, *, split_to: int | None) -> tuple[str, ...]:
    """The entries that exosync writes for ranges, in address order: IPv4 first, then IPv6."""
    return ranges.split(ipv4=split_to or 0, ipv6=0)
