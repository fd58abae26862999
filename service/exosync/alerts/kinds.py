"""The kinds of event: how serious, to which thread of a conversation, and what a person can do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from exosync.store import EventRecord

RANKS = {"info": 0, "warning": 1, "error": 2}
"""Severities, the least first."""

VERSION_KINDS = ("ranges_changed", "feed_adopted")
"""The kinds that tell of a new version."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of event.

    `thread` names the conversation that it belongs to; `{target}`, `{setting}` and the like
    are filled from the event. `begins`: it opens that conversation anew. `ends` is the severity
    of what it ends: who was told of that is told of its end. `advice` are pairs of why and
    command.
    """

    severity: str
    thread: str
    begins: bool = False
    ends: str = "info"
    advice: tuple[tuple[str, str], ...] = ()


_CHECK = (("to look now; exosync also tries again by itself", "exosync check"),)
_STATUS = (("to see how everything stands", "exosync status"),)

KINDS: dict[str, Kind] = {
    "target_failed": Kind("error", "target:{target}:failing", begins=True, advice=_CHECK),
    "still_failing": Kind("warning", "target:{target}:failing", advice=_CHECK),
    "target_recovered": Kind("info", "target:{target}:failing", ends="error"),
    "refused": Kind("warning", "target:{target}:plan", begins=True),
    "person_needed": Kind("warning", "target:{target}:todo:{setting}", begins=True),
    "step_overdue": Kind("warning", "target:{target}:todo:{setting}"),
    "acknowledged": Kind("info", "target:{target}:todo:{setting}", ends="warning"),
    "step_seen": Kind("info", "target:{target}:todo:{setting}", ends="warning"),
    "step_dropped": Kind("info", "target:{target}:todo:{setting}", ends="warning"),
    "drift": Kind("warning", "target:{target}:drift", begins=True),
    "drift_repaired": Kind("info", "target:{target}:drift", ends="warning"),
    "plan_waits": Kind("info", "target:{target}:plan", begins=True),
    "approved": Kind("info", "target:{target}:plan"),
    "applied": Kind("info", "target:{target}:plan"),
    "target_stale": Kind("warning", "target:{target}:stale", begins=True, advice=_STATUS),
    "target_back": Kind("info", "target:{target}:stale", ends="warning"),
    "target_slow": Kind("warning", "target:{target}:slow", begins=True, advice=_STATUS),
    "ranges_changed": Kind("warning", "version:{instance}:{version}", begins=True),
    "feed_adopted": Kind("info", "version:{instance}:{version}", begins=True),
    "feed_refused": Kind("warning", "feed:refused", begins=True, advice=_CHECK),
    "feed_stale": Kind("warning", "feed:stale", begins=True, advice=_CHECK),
    "feed_back": Kind("info", "feed:stale", ends="warning"),
    "credential_ending": Kind("warning", "credential:{what}"),
    "config_refused": Kind(
        "error", "config", begins=True, advice=(("to see what is wrong", "exosync check"),)
    ),
    "config_changed": Kind("info", "config"),
    "channel_down": Kind(
        "error",
        "channel:{channel}",
        begins=True,
        advice=(
            ("to try it", "exosync alerts test {channel}"),
            ("to see what waits", "exosync alerts list"),
        ),
    ),
    "channel_up": Kind("info", "channel:{channel}", ends="error"),
    "run_interrupted": Kind(
        "warning",
        "service:interrupted",
        begins=True,
        advice=(("to see how far it came", "exosync show r-{run}"),),
    ),
    "service_started": Kind("warning", "service"),
    "paused": Kind(
        "info",
        "paused:{target}",
        begins=True,
        advice=(("to go on", "exosync resume {target}"),),
    ),
    "resumed": Kind("info", "paused:{target}"),
    "heartbeat": Kind("info", "heartbeat"),
}
"""Every kind, those that matter most to a person first."""

_ORDER = {name: place for place, name in enumerate(KINDS)}


def kind_of(name: str) -> Kind:
    """A kind by its name; one that is not known has a conversation of its own."""
    return KINDS.get(name) or Kind("warning", f"{name}:{{target}}", begins=True)


def rank(severity: str) -> int:
    """The place of a severity; one that is not known is taken for the worst."""
    return RANKS.get(severity, max(RANKS.values()))


def weight(event: EventRecord) -> int:
    """How serious an event is to whom it concerns: as what it is, or as what it ends."""
    return max(rank(event.severity), rank(kind_of(event.kind).ends))


def worst(severities: Iterable[str]) -> str:
    """The most serious of them; `info` if there are none."""
    return max(severities, key=rank, default="info")


def foremost(events: Iterable[EventRecord]) -> EventRecord:
    """The event that matters most, by its kind; the oldest of several."""
    return min(events, key=lambda one: (place_of(one.kind), one.id))


def place_of(kind: str) -> int:
    """The place of a kind among all, those that matter most first."""
    return _ORDER.get(kind, len(_ORDER))


def thread_of(event: EventRecord) -> str:
    """The conversation that an event belongs to."""
    return _filled(kind_of(event.kind).thread, event)


def advice(event: EventRecord) -> Iterator[tuple[str, str]]:
    """What a person can do about an event: pairs of why and command."""
    for why, command in kind_of(event.kind).advice:
        yield why, _filled(command, event).strip()


def _filled(pattern: str, event: EventRecord) -> str:
    names = ("setting", "instance", "version", "channel", "run", "what")
    parts = {name: str(event.body.get(name) or "") for name in names}
    return pattern.format(target=event.target or "", **parts)
