"""The page of ranges: the address space as a picture, and who knows what as a table."""

from __future__ import annotations

from typing import Any

from exosync.core.ranges import IpRanges
from exosync.core.words import plural
from exosync.errors import FeedError, UsageError
from exosync.views import Source
from exosync.views.coverage import coverage_view
from exosync.views.ranges import ranges_view
from exosync.web.space import Mark, Panel, panels

Json = dict[str, Any]

COLUMNS = 10
"""Up to so many targets each have a column in the table; beyond, they are counted."""

_ORIGINS = {"microsoft": "published by Microsoft", "extra": "extra", "leaving": "leaving"}


def picture(source: Source, target: str) -> Json:
    """What is desired and who knows it; of one target alone if `target` names it.

    Raises UsageError if there is no such target.
    """
    told: Json = {"ranges": None, "target": target, "columns": COLUMNS}
    try:
        desired = source.desired()
    except FeedError as error:
        return {**told, "problem": str(error)}
    covered = coverage_view(source, desired)["targets"]
    shown = [one for one in covered if target in ("", one["name"])]
    if not shown:
        raise UsageError(f"there is no target {target!r}")
    ranges = ranges_view(desired)
    knowing = [_Known(each) for each in shown]
    rows = [_row(one, knowing) for one in ranges["ranges"]]
    marks = [Mark(one["cidr"], _look(one), _words(one)) for one in rows]
    if target:
        marks += [
            Mark(one, "besides", f"{one}: not desired any more") for one in shown[0]["besides"]
        ]
    return {
        **told,
        "ranges": ranges,
        "covered": covered,
        "shown": shown,
        "rows": rows,
        "pictures": [_family(marks, desired.ranges, version) for version in (4, 6)],
        "problem": None,
    }


class _Known:
    """What one target knows, as values."""

    def __init__(self, one: Json) -> None:
        self.name: str = one["name"]
        self.known = IpRanges.parse(one["known"])
        self.missing = IpRanges.parse(one["missing"])
        self.unsure = IpRanges.parse(one["unsure"])

    def of(self, ranges: IpRanges) -> str | None:
        """Whether it knows a range: known, missing, unsure; None if it is not meant to."""
        if self.missing and not ranges.isdisjoint(self.missing):
            return "missing"
        if self.unsure and not ranges.isdisjoint(self.unsure):
            return "unsure"
        return "known" if ranges <= self.known else None


def _row(one: Json, targets: list[_Known]) -> Json:
    ranges = IpRanges.parse(one["cidr"])
    standing = {each.name: each.of(ranges) for each in targets}
    return {
        **one,
        "standing": standing,
        "missing": [name for name, how in standing.items() if how == "missing"],
        "unsure": [name for name, how in standing.items() if how == "unsure"],
        "known": sum(1 for how in standing.values() if how == "known"),
    }


def _look(row: Json) -> str:
    """What a range is drawn as: where it comes from, and whether anybody lacks it."""
    return f"{row['origin']}{' missing' if row['missing'] else ''}"


def _words(row: Json) -> str:
    told = f"{row['cidr']}: {_ORIGINS.get(row['origin'], row['origin'])}"
    if row["missing"]:
        return f"{told}, missing at {', '.join(row['missing'])}"
    return told


def _family(marks: list[Mark], ranges: IpRanges, version: int) -> Json:
    drawn: list[Panel] = panels(marks, version)
    return {
        "version": version,
        "panels": drawn,
        "count": len(ranges.family(version)),
        "amount": amount(ranges, version),
    }


def amount(ranges: IpRanges, version: int) -> str:
    """How many addresses there are of a family; of IPv6 the number of /64 networks."""
    count = ranges.addresses(version)
    if version == 4:
        return f"{count:,} {'address' if count == 1 else 'addresses'}"
    return plural(max(1, count >> 64) if count else 0, "/64 network")
