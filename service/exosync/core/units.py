"""Durations, shares and sizes, as people write them: `30d`, `10%`, `8MiB`.

A bare number is refused, since nothing says what it counts; 0 alone is clear in any unit.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from fractions import Fraction
from typing import Self

_NUMBER = "[0-9]{1,9}"

DURATION_PATTERN = f"^(0|(?=[0-9]){''.join(f'({_NUMBER}{unit})?' for unit in 'wdhms')})$"
"""What a duration looks like, for a JSON Schema."""

SHARE_PATTERN = r"^(0|[0-9]{1,6}(\.[0-9]{1,6})? ?%)$"
"""What a share looks like, for a JSON Schema."""

SIZE_PATTERN = r"^(0|[0-9]{1,9} ?(B|kB|MB|GB|KiB|MiB|GiB))$"
"""What a size looks like, for a JSON Schema."""

LONGEST = timedelta(days=36_525)
"""A hundred years: far under what a date can hold, far over what anybody means."""

_SECONDS = {"w": 604_800, "d": 86_400, "h": 3_600, "m": 60, "s": 1}
_BYTES = {
    "GiB": 1024**3,
    "GB": 1000**3,
    "MiB": 1024**2,
    "MB": 1000**2,
    "KiB": 1024,
    "kB": 1000,
    "B": 1,
}
_PART = re.compile(r"([0-9]{1,9})([wdhms])")


def parse_duration(text: str) -> timedelta:
    """Read `30d`, `1h30m` or `2w`: whole numbers with w, d, h, m or s, largest unit first.

    Raises ValueError.
    """
    plain = text.strip()
    if plain.isdecimal() and plain.strip("0"):
        raise ValueError(
            f"a duration needs its unit: write {plain}d, {plain}h, {plain}m or {plain}s"
        )
    if not re.fullmatch(DURATION_PATTERN, plain):
        raise ValueError("a duration is written like 30d, 1h30m or 90s, largest unit first")
    seconds = sum(int(count) * _SECONDS[unit] for count, unit in _PART.findall(plain))
    if seconds > LONGEST.total_seconds():
        raise ValueError(f"a duration is at most {duration_text(LONGEST)} (a hundred years)")
    return timedelta(seconds=seconds)


def duration_text(span: timedelta) -> str:
    """Write a duration so that `parse_duration` reads the same; parts of a second are dropped.

    Raises ValueError if it is negative.
    """
    rest = span.days * 86_400 + span.seconds
    if rest < 0:
        raise ValueError("a duration is not negative")
    parts = []
    for unit in "dhms":
        count, rest = divmod(rest, _SECONDS[unit])
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"


@dataclass(frozen=True, slots=True, order=True)
class Share:
    """A part of a whole: `fraction` 1/10 is written `10%`. Exact, ordered, never negative.

    Raises ValueError if it is negative.
    """

    fraction: Fraction

    def __post_init__(self) -> None:
        if self.fraction < 0:
            raise ValueError("a share is not negative")

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `10%` or `0.5 %`. Raises ValueError."""
        plain = text.strip()
        if not re.fullmatch(SHARE_PATTERN, plain):
            raise ValueError(f"a share is written in per cent, like 10% or 0.5%{_meant(plain)}")
        return cls(Fraction(plain.rstrip("% ")) / 100)

    def __str__(self) -> str:
        percent = self.fraction * 100
        exact = f"{float(percent):.6f}".rstrip("0").rstrip(".")
        return f"{exact}%"


def _meant(plain: str) -> str:
    """What a number without its sign may have stood for."""
    if not re.fullmatch(r"[0-9]{1,6}(\.[0-9]{1,6})?", plain):
        return ""
    number = Fraction(plain)
    if number > 1:
        return f": write {plain}% if that is meant"
    return f": write {Share(number)} for a part of {plain}"


def parse_size(text: str) -> int:
    """Read `8MiB`, `500 kB` or `100B` as bytes. Raises ValueError."""
    plain = text.strip()
    if plain.isdecimal() and plain.strip("0"):
        raise ValueError(f"a size needs its unit: write {plain}MiB, {plain}KiB or {plain}B")
    if not re.fullmatch(SIZE_PATTERN, plain):
        units = ", ".join(reversed(_BYTES))
        raise ValueError(f"a size is written like 8MiB; the units are {units}")
    unit = plain.lstrip("0123456789 ")
    return int(plain.removesuffix(unit)) * _BYTES[unit or "B"]


def size_text(count: int) -> str:
    """Write a number of bytes in the largest unit that tells it exactly.

    Raises ValueError if it is negative.
    """
    if count < 0:
        raise ValueError("a size is not negative")
    whole = (unit for unit, size in _BYTES.items() if count and count % size == 0)
    unit = next(whole, "B")
    return f"{count // _BYTES[unit]}{unit}"
