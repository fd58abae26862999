"""How often a thing is done: an interval or a cron expression, and longer pauses on failures."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta

from exosync.core.units import duration_text, parse_duration

FIRST_RETRY = timedelta(minutes=1)
LONGEST_RETRY = timedelta(hours=1)
SHORTEST = timedelta(minutes=1)
"""An interval is at least this: a target is observed by requests to somebody's service."""

CRON_PATTERN = r"^\S+( +\S+){4}$"
"""What a cron expression looks like, for a JSON Schema."""

_WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat", "sun")
_NICKNAMES = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@weekly": "0 0 * * 0",
}
_FIELDS = ("minute", "hour", "day", "month", "day_of_week")


@dataclass(frozen=True, slots=True)
class Pace:
    """Either `every` so long, or at the times of a `cron` expression, in UTC."""

    every: timedelta | None = None
    cron: str | None = None

    @classmethod
    def parse(cls, text: str) -> Pace:
        """Read `1h` or `*/30 * * * *`. Raises ValueError."""
        plain = " ".join(text.split())
        plain = _NICKNAMES.get(plain.lower(), plain)
        if len(plain.split(" ")) == 5:
            _check(plain)
            return cls(cron=plain)
        if plain.startswith("@") or " " in plain:
            raise ValueError(
                "a cron expression has five fields: minute, hour, day, month, day of the week"
            )
        every = parse_duration(plain)
        if every < SHORTEST:
            raise ValueError(f"must be at least {duration_text(SHORTEST)}")
        return cls(every=every)

    def __str__(self) -> str:
        return self.cron or duration_text(self.every or timedelta())

    def fields(self) -> dict[str, str]:
        """The fields of the cron expression by name, days of the week by theirs.

        Names, since 0 is Sunday to cron (POSIX, crontab) and Monday to APScheduler.
        """
        assert self.cron is not None
        given = dict(zip(_FIELDS, self.cron.lower().split(" "), strict=True))
        return {**given, "day_of_week": _named(given["day_of_week"])}


def back_off(failures: int, pace: Pace) -> timedelta:
    """How long to leave a target alone that failed so often in a row.

    A minute at first, twice as long each time, up to an hour, or to the interval if that is
    longer.
    """
    most = max(LONGEST_RETRY, pace.every or LONGEST_RETRY)
    doubled: int = 2 ** min(max(failures - 1, 0), 20)
    return min(FIRST_RETRY * doubled, most)


def _check(text: str) -> None:
    minute, hour, day, month, weekday = text.split(" ")
    if day != "*" and weekday != "*":
        # cron takes either, APScheduler demands both: nobody shall have to know.
        raise ValueError("give the day of the month or the day of the week, not both")
    for field, value in zip(_FIELDS, (minute, hour, day, month, weekday), strict=True):
        if not re.fullmatch(r"[0-9A-Za-z*/,-]+", value):
            raise ValueError(f"{value!r} is no {field.replace('_', ' ')} of a cron expression")


def _named(field: str) -> str:
    """Days of the week by name. A step counts from Sunday, as cron has it."""
    found = []
    for part in field.split(","):
        days, _, step = part.partition("/")
        if days == "*" and not step:
            return "*"
        first, _, last = ("0", "", "6") if days == "*" else days.partition("-")
        start, end = _number(first), _number(last or ("6" if step else first))
        if end < start:
            end += 7
        found += [_WEEKDAYS[one % 7] for one in range(start, end + 1, int(step or 1))]
    return ",".join(dict.fromkeys(found))


def _number(text: str) -> int:
    if text.isdecimal() and int(text) < 8:
        return int(text)
    if text[:3] in _WEEKDAYS:
        return _WEEKDAYS.index(text[:3])
    raise ValueError(f"{text!r} is no day of the week")
