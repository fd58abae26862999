"""How a target stood over time, as a small picture: a band of states, and a stem for each event.

The band is as exact as the events are: from each one on, the state that it tells of.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from math import log2
from typing import Any

from exosync.web.verdict import TONES

Json = dict[str, Any]

WIDTH = 1000.0
STEMS = 60.0
"""The height of the tallest stem; the picture is scaled to its place."""

SHORTEST, LONGEST = timedelta(days=2), timedelta(days=400)


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of the band: where it begins, how long it is, the state, and its tone."""

    x: float
    width: float
    state: str | None
    tone: str


@dataclass(frozen=True, slots=True)
class Stem:
    """An event: where it stands, how tall it is, what it looks like, and what is told of it."""

    x: float
    height: float
    look: str
    words: str


@dataclass(frozen=True, slots=True)
class Course:
    """The picture of a target's time, from `begin` to `end`."""

    begin: datetime
    end: datetime
    band: tuple[Stretch, ...]
    stems: tuple[Stem, ...]


def course(
    points: Sequence[Json], *, state: str | None, since: str | None, now: datetime
) -> Course | None:
    """The picture from a target's events (oldest first) and how it stands now.

    It begins a little before the first event, `LONGEST` ago at most. None if there is nothing.
    """
    if state is None or since is None:
        return None
    moments = [(datetime.fromisoformat(one["at"]), one) for one in points]
    first = min([datetime.fromisoformat(since), *(at for at, _ in moments)])
    span = min(LONGEST, max(SHORTEST, (now - first) * 1.02))
    begin = now - span
    scale = WIDTH / span.total_seconds()

    def place(at: datetime) -> float:
        return round(max(0.0, (at - begin).total_seconds() * scale), 1)

    turns: list[tuple[datetime, str | None]] = [(at, one["state"]) for at, one in moments]
    turns.append((max(datetime.fromisoformat(since), first), state))
    turns.sort(key=lambda one: one[0])
    ends = [*turns, (now, None)]
    band = tuple(
        Stretch(place(at), round(place(until) - place(at), 1), what, TONES.get(what, "none"))
        for (at, what), (until, _) in pairwise(ends)
        if until > begin and place(until) > place(at)
    )
    stems = tuple(_stem(place(at), one) for at, one in moments if at >= begin)
    return Course(begin, now, band, stems)


def _stem(x: float, point: Json) -> Stem:
    changes = int(point["changes"])
    height = min(STEMS, 12 + 10 * log2(1 + changes))
    words = f"{point['at'][:16].replace('T', ' ')}: {point['what']}, {changes} not as desired"
    return Stem(x, round(height, 1), _look(point["what"]), words)


def _look(what: str) -> str:
    if what.startswith(("drift", "target_failed", "still_failing")):
        return "bad"
    return "good" if what in ("applied", "target_recovered") else "warn"
