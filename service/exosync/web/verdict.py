"""What the first screen says at a glance, from how everything stands."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from exosync.core.words import STATE_WORDS, plural

Json = dict[str, Any]

GOOD, WARN, BAD, NONE = "good", "warn", "bad", "none"
"""The tones in which a state, or the outcome of a run, is shown; each has an icon and a word besides its colour."""

TONES: dict[str | None, str] = {
    "in_sync": GOOD,
    "applied": GOOD,
    "asserted": GOOD,
    "pending": WARN,
    "waiting": WARN,
    "refused": BAD,
    "failed": BAD,
    "interrupted": WARN,
    "abandoned": BAD,
    None: NONE,
}

_URGENT = ("failed", "refused", "pending", "waiting", None, "asserted", "applied", "in_sync")


@dataclass(frozen=True, slots=True)
class Verdict:
    """The first screen's sentence, its tone, and what there is to say besides."""

    tone: str
    sentence: str
    besides: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Freshness:
    """How fresh Microsoft's list is: a word and its tone."""

    word: str
    tone: str


def verdict(status: Json) -> Verdict:
    """Whether all is as desired, and if not, what most needs a person."""
    targets = status["targets"]
    count = Counter(one["state"] for one in targets)
    total = plural(len(targets), "target")
    besides = tuple(_besides(status, count))
    if count["failed"]:
        return Verdict(BAD, f"{count['failed']:,} of {total} failed", besides)
    if count["refused"]:
        return Verdict(BAD, f"{count['refused']:,} of {total} refused a change", besides)
    waiting = count["pending"] + count["waiting"]
    if waiting:
        verb = "waits" if waiting == 1 else "wait"
        return Verdict(WARN, f"{waiting:,} of {total} {verb} for a person", besides)
    if status["version"] is None or count[None] == len(targets):
        return Verdict(NONE, "No run has looked at anything yet", besides)
    if count[None]:
        return Verdict(WARN, f"{count[None]:,} of {total} not looked at yet", besides)
    whole = "The target is" if len(targets) == 1 else f"All {total} are"
    return Verdict(WARN if besides else GOOD, f"{whole} as desired", besides)


def _besides(status: Json, count: Counter[str | None]) -> Iterator[str]:
    if status["feed"]["failures"]:
        yield "Microsoft's list could not be confirmed the last time"
    if status["paused"]:
        yield "all writing is paused"
    held = sum(1 for one in status["targets"] if one["paused"])
    if held:
        yield f"{plural(held, 'target')} paused"
    overdue = sum(1 for one in status["todo"] if one["overdue"])
    if overdue:
        yield f"{plural(overdue, 'step')} for a person overdue"
    if count["failed"] and count["refused"]:
        yield f"{count['refused']:,} refused"


def freshness(
    checked_at: datetime | None, *, now: datetime, every: timedelta, stale_after: timedelta
) -> Freshness:
    """How fresh the list is that was last confirmed then, if it is asked for `every` so long."""
    if checked_at is None:
        return Freshness("never confirmed", NONE)
    age = now - checked_at
    if age >= stale_after:
        return Freshness("stale", BAD)
    return (
        Freshness("late", WARN)
        if age > 3 * every + timedelta(minutes=15)
        else Freshness("fresh", GOOD)
    )


def by_urgency(targets: list[Json]) -> list[Json]:
    """Those first that most need a person; within a state in the order of the configuration."""
    return sorted(targets, key=lambda one: _URGENT.index(one["state"]))


def tally(targets: list[Json]) -> list[Json]:
    """How many targets stand how, the most urgent first."""
    count = Counter(one["state"] for one in targets)
    return [
        {
            "state": state,
            "word": STATE_WORDS[state] if state else "not looked at yet",
            "tone": TONES[state],
            "count": count[state],
        }
        for state in _URGENT
        if count[state]
    ]
