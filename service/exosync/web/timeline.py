"""Microsoft's versions as a time line: what each brought and took away."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from math import log2
from typing import Any

from exosync.core.ranges import IpRanges

Json = dict[str, Any]

WIDTH = 1000.0
TALLEST = 40.0


@dataclass(frozen=True, slots=True)
class Bar:
    """A version: where it stands, and how tall what came and what went is drawn."""

    version: str
    x: float
    up: float
    down: float
    words: str


@dataclass(frozen=True, slots=True)
class Year:
    """The beginning of a year."""

    x: float
    name: str


@dataclass(frozen=True, slots=True)
class Timeline:
    """All versions from a little before the first to now."""

    begin: datetime
    bars: tuple[Bar, ...]
    years: tuple[Year, ...]


def date_of(version: str) -> datetime | None:
    """The day that a version is named after: YYYYMMDD and a number within the day.

    Source: Microsoft Learn, "Microsoft 365 IP Address and URL web service".
    """
    try:
        return datetime.strptime(version[:8], "%Y%m%d").replace(tzinfo=UTC)
    except ValueError:
        return None


def timeline(rows: Sequence[Json], now: datetime) -> Timeline | None:
    """The picture of the stored versions, oldest first; None without any."""
    dated = [(date_of(one["version"]), one) for one in rows]
    known = [(at, one) for at, one in dated if at is not None]
    if not known:
        return None
    begin = known[0][0] - max(now - known[0][0], timedelta(days=30)) / 25
    span = (now - begin).total_seconds()

    def place(at: datetime) -> float:
        return round((at - begin).total_seconds() / span * WIDTH, 1)

    ranges = [IpRanges.parse(one["mail"]) for _, one in known]
    bars = [Bar(known[0][1]["version"], place(known[0][0]), 4, 0, "the first version stored here")]
    for (before, after), (at, row) in zip(pairwise(ranges), known[1:], strict=True):
        came, went = len(after - before), len(before - after)
        words = f"{row['version']}: {row['changed'] or 'no changes'}"
        bars.append(Bar(row["version"], place(at), _tall(came), _tall(went), words))
    years = tuple(
        Year(place(datetime(year, 1, 1, tzinfo=UTC)), str(year))
        for year in range(begin.year + 1, now.year + 1)
    )
    return Timeline(begin, tuple(bars), years)


def _tall(count: int) -> float:
    return round(min(TALLEST, 8 + 9 * log2(count)), 1) if count else 0.0
