"""What a message is called: the subject of a mail, the first line of everything else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from exosync.alerts.kinds import foremost, place_of
from exosync.core.words import plural, short
from exosync.store import EventRecord

Json = dict[str, Any]

MOST_IN_A_TITLE = 140
_TASK = 60

_OUTCOMES = {
    "failed": "{} failed",
    "refused": "{} refused",
    "pending": "{} pending",
    "waiting": "{} waiting for a person",
    None: "{} not looked at yet",
}


def digest_title(events: Sequence[EventRecord]) -> str:
    """Of many events that came too fast to be told one by one."""
    errors = sum(one.severity == "error" for one in events)
    also = f", {plural(errors, 'error')} among them" if errors else ""
    return f"{plural(len(events), 'event')} in one message{also}"


def version_title(version: Json, parts: Sequence[Json]) -> str:
    """Of a new version: what it changes, and how the targets stand."""
    cloud = "" if version["instance"] == "Worldwide" else f" ({version['instance']})"
    counts = ", ".join(_counted(version["changes"]))
    if counts:
        told = f"Exchange Online{cloud}: {counts}"
    elif version["previous"]:
        told = f"Exchange Online{cloud}: version {version['version']}, mail ranges unchanged"
    else:
        told = f"Exchange Online{cloud}: first version {version['version']} adopted"
    return "; ".join(filter(None, (told, _outcome(parts))))


def title_of(events: Sequence[EventRecord]) -> str:
    """Of anything else: what matters most first. What is about one target names it once."""
    ordered = sorted(events, key=lambda one: (place_of(one.kind), one.id))
    main = foremost(events)
    said = [_said(one) for one in ordered]
    if main.target is None or any(one.target != main.target for one in ordered):
        more = len(said) - 1
        return f"{said[0]} (and {plural(more, 'more event')})" if more else said[0]
    rest = [_without_name(text, main.target) for text in dict.fromkeys(said)]
    first = said[0]
    return first if len(rest) == 1 else f"{main.target}: {'; '.join(rest)}"


def _said(event: EventRecord) -> str:
    """An event in a few words: a step for a person lists its ranges further down."""
    task = event.body.get("task")
    title = task.get("title") if isinstance(task, Mapping) else None
    if not isinstance(title, str):
        return event.title
    words = {"person_needed": "a step for a person", "step_overdue": "overdue step for a person"}
    what = words.get(event.kind)
    return f"{event.target}: {what}: {short(title, _TASK)}" if what else event.title


def _without_name(text: str, name: str) -> str:
    rest = text.removeprefix(name)
    return rest.removeprefix(":").strip() if rest != text and rest[:1] in (":", " ") else text


def _counted(changes: Sequence[Json]) -> Iterator[str]:
    """`2 ranges added`, `1 removed`: the noun stands once."""
    counts: dict[str, int] = {}
    for one in changes:
        word = "re-cut" if one["change"] == "recut" else one["change"]
        counts[word] = counts.get(word, 0) + 1
    for place, (word, count) in enumerate(counts.items()):
        yield f"{plural(count, 'range') if place == 0 else f'{count:,}'} {word}"


def _outcome(parts: Sequence[Json]) -> str:
    """How the targets stand, in a few words: those that need a person first."""
    if not parts:
        return ""
    found = [
        words.format(sum(one["state"] == state for one in parts))
        for state, words in _OUTCOMES.items()
        if any(one["state"] == state for one in parts)
    ]
    good = sum(one["state"] not in _OUTCOMES for one in parts)
    if good == len(parts):
        return f"{parts[0]['name']} is right" if good == 1 else f"all {good:,} targets are right"
    if len(parts) == 1:
        return f"{parts[0]['name']}: {found[0].partition(' ')[2]}"
    rest = [f"{good:,} right"] if good else []
    return f"of {len(parts):,} targets {', '.join([*found, *rest])}"
