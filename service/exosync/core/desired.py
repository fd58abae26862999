"""What a target should hold, and where each range in it comes from."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from exosync.core.ranges import IpRanges


class Origin(StrEnum):
    """Why an address is desired."""

    MICROSOFT = "microsoft"
    EXTRA = "extra"
    LEAVING = "leaving"
    KEPT = "kept"


@dataclass(frozen=True, slots=True)
class Extra:
    """A range that the configuration adds to what Microsoft publishes."""

    ranges: IpRanges
    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class Exclusion:
    """A range that the configuration takes out of what Microsoft publishes."""

    ranges: IpRanges
    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class Leaving:
    """Addresses that Microsoft no longer publishes, still desired until `until` (UTC)."""

    ranges: IpRanges
    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class Entry:
    """One CIDR of a desired list, with its origin.

    `name` and `reason` are those of an extra, else empty. `until` is set for what is leaving.
    """

    cidr: str
    origin: Origin
    name: str = ""
    reason: str = ""
    until: datetime | None = None

    @property
    def note(self) -> str:
        """The origin in words for a comment; empty for what Microsoft publishes now."""
        match self.origin:
            case Origin.EXTRA:
                return f"extra: {self.name} ({self.reason})"
            case Origin.LEAVING if self.until is not None:
                return f"leaving on {self.until:%Y-%m-%d}"
            case Origin.KEPT:
                return "no longer desired, kept until its removal is made"
            case _:
                return ""


@dataclass(frozen=True, slots=True)
class Desired:
    """The ranges that a target should hold.

    `microsoft` are the mail ranges of the adopted snapshot without the exclusions;
    `kept` is only set while additions are made before removals.
    """

    instance: str
    version: str
    microsoft: IpRanges
    extras: tuple[Extra, ...] = ()
    leaving: tuple[Leaving, ...] = ()
    exclusions: tuple[Exclusion, ...] = ()
    kept: IpRanges = IpRanges()

    @property
    def ranges(self) -> IpRanges:
        """All desired addresses."""
        parts = [e.ranges for e in self.extras] + [one.ranges for one in self.leaving]
        return self.microsoft.union(self.kept, *parts)

    def only(self, families: str) -> Desired:
        """The part of one address family: `both`, `ipv4` or `ipv6`."""
        if families == "both":
            return self
        version = 4 if families == "ipv4" else 6

        def cut(ranges: IpRanges) -> IpRanges:
            return ranges.family(version)

        return replace(
            self,
            microsoft=cut(self.microsoft),
            kept=cut(self.kept),
            extras=tuple(replace(e, ranges=cut(e.ranges)) for e in self.extras if cut(e.ranges)),
            leaving=tuple(replace(e, ranges=cut(e.ranges)) for e in self.leaving if cut(e.ranges)),
        )

    def keeping(self, owned: IpRanges) -> Desired:
        """The same, and all of `owned` besides: the state between additions and removals."""
        return replace(self, kept=owned - self.ranges)

    def entries(self) -> tuple[Entry, ...]:
        """A disjoint CIDR list in address order, IPv4 first, each entry with its origin.

        An address that several origins name is listed once: Microsoft's own first, then
        extras in the order of the configuration, then what is leaving, then what is kept.
        """
        seen = self.microsoft
        found = [Entry(cidr, Origin.MICROSOFT) for cidr in self.microsoft.cidrs()]
        for extra in self.extras:
            found += [
                Entry(cidr, Origin.EXTRA, extra.name, extra.reason)
                for cidr in (extra.ranges - seen).cidrs()
            ]
            seen |= extra.ranges
        for one in self.leaving:
            found += [
                Entry(cidr, Origin.LEAVING, until=one.until) for cidr in (one.ranges - seen).cidrs()
            ]
            seen |= one.ranges
        found += [Entry(cidr, Origin.KEPT) for cidr in (self.kept - seen).cidrs()]
        return tuple(sorted(found, key=lambda entry: IpRanges.sort_key(entry.cidr)))
