"""Maintenance windows: the hours in which a run may write.

A window is written `Mon-Fri 09:00-17:00 Europe/Berlin`: days (all, if there are none), hours on
the clock of a place, and that place as the tz database names it (UTC, if there is none). One
that ends before it begins goes on past midnight, and belongs to the day on which it began.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")

WINDOW_PATTERN = (
    r"^([A-Za-z]{3}(-[A-Za-z]{3})?(,[A-Za-z]{3}(-[A-Za-z]{3})?)* +)?"
    r"[0-9]{2}:[0-9]{2}-[0-9]{2}:[0-9]{2}( +[A-Za-z0-9_+/-]+)?$"
)
"""What a window looks like, for a JSON Schema."""

_PARTS = re.compile(
    r"(?:(?P<days>[A-Za-z,-]+) +)?"
    r"(?P<start>\d\d:\d\d)-(?P<end>\d\d:\d\d)"
    r"(?: +(?P<zone>[A-Za-z0-9_+/-]+))?"
)
_SHAPE = "a window is written like Mon-Fri 09:00-17:00 Europe/Berlin"


@dataclass(frozen=True, slots=True)
class Window:
    """Hours of the week at a place. `start` and `end` are minutes after midnight there."""

    text: str
    days: frozenset[int]
    start: int
    end: int
    zone: tzinfo

    @classmethod
    def parse(cls, text: str) -> Window:
        """Read one window. Raises ValueError."""
        plain = " ".join(text.split())
        found = _PARTS.fullmatch(plain)
        if found is None:
            raise ValueError(_SHAPE)
        start, end = _minutes(found["start"]), _minutes(found["end"])
        if start in (end, 24 * 60):
            raise ValueError("a window must last some time: write 00:00-24:00 for a whole day")
        return cls(plain, _days(found["days"]), start, end, _zone(found["zone"] or "UTC"))

    def contains(self, at: datetime) -> bool:
        """Whether it is open at that moment."""
        local = at.astimezone(self.zone)
        today = local.date()
        return any(
            begins <= at < ends
            for day in (today - timedelta(days=1), today)
            for begins, ends in self._on(day)
        )

    def openings(self, after: datetime) -> Iterator[datetime]:
        """When it opens next, in the eight days from then on, in UTC."""
        first = after.astimezone(self.zone).date()
        for ahead in range(9):
            for begins, _ in self._on(first + timedelta(days=ahead)):
                if begins > after:
                    yield begins

    def _on(self, day: date) -> Iterator[tuple[datetime, datetime]]:
        if day.weekday() in self.days:
            later = timedelta(days=1 if self.end <= self.start else 0)
            yield self._moment(day, self.start), self._moment(day + later, self.end)

    def _moment(self, day: date, minutes: int) -> datetime:
        days, rest = divmod(minutes, 24 * 60)
        hour = time(rest // 60, rest % 60)
        local = datetime.combine(day + timedelta(days=days), hour, self.zone)
        return local.astimezone(UTC)


def is_open(windows: Sequence[Window], at: datetime) -> bool:
    """Whether a run may write at that moment; without any window it always may."""
    return not windows or any(one.contains(at) for one in windows)


def next_opening(windows: Sequence[Window], after: datetime) -> datetime | None:
    """When the first of them opens after that moment; None without any."""
    return min((at for one in windows for at in one.openings(after)), default=None)


def _minutes(text: str) -> int:
    hour, minute = int(text[:2]), int(text[3:])
    if hour * 60 + minute > 24 * 60 or minute > 59:
        raise ValueError(f"{text} is no time of the day: 00:00 to 24:00")
    return hour * 60 + minute


def _days(text: str | None) -> frozenset[int]:
    if text is None:
        return frozenset(range(7))
    found: set[int] = set()
    for part in text.split(","):
        first, _, last = part.partition("-")
        start, end = _day(first), _day(last or first)
        found.update(one % 7 for one in range(start, end + (8 if end < start else 1)))
    return frozenset(found)


def _day(text: str) -> int:
    name = text.capitalize()
    if name not in DAYS:
        raise ValueError(f"{text!r} is no day: {', '.join(DAYS)}; {_SHAPE}")
    return DAYS.index(name)


def _zone(name: str) -> tzinfo:
    if name.upper() == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        message = f"{name} is no time zone that this machine knows: write it like Europe/Berlin"
        raise ValueError(message) from None
