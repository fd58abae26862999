"""From events to the one JSON object that a message is: what mail, webhook and chat are made of.

Its shape is published (`exosync/schemas/alert.schema.json`). It holds no secret, and no text
in it can steer a terminal or begin a line of its own, but where a text has several lines by
its nature (what is to be pasted, and the like).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from exosync.alerts.gathering import DIGEST
from exosync.alerts.kinds import VERSION_KINDS, advice, foremost, worst
from exosync.alerts.standing import Named, target_part, target_title
from exosync.core.words import cleaned, plural, short
from exosync.secrets import redact
from exosync.store import EventRecord, TargetState, TaskRecord

Json = dict[str, Any]

TEST = "test"
MOST_IN_A_TITLE = 140


@dataclass(frozen=True, slots=True)
class Scene:
    """What a message is composed from besides its events: how things stand at that moment.

    `targets` are the configured ones that the channel tells of, `done` the steps that a run
    did at a target, in words. `reply_to` is the key of the conversation's first message.
    """

    now: datetime
    key: str
    channel: str
    owner: str
    thread: str
    reply_to: str | None = None
    targets: tuple[Named, ...] = ()
    states: Mapping[str, TargetState] = field(default_factory=dict)
    tasks: Sequence[TaskRecord] = ()
    done: Mapping[tuple[int, str], tuple[str, ...]] = field(default_factory=dict)


def compose(events: Sequence[EventRecord], scene: Scene) -> Json:
    """The message that tells of these events, as JSON values."""
    version = next((one for one in reversed(events) if one.kind in VERSION_KINDS), None)
    parts = [_part(one, events, scene) for one in _subjects(events, scene)]
    made: Json = {
        "id": scene.key,
        "type": DIGEST if scene.thread == DIGEST else _main(events, version).kind,
        "at": scene.now.isoformat(),
        "channel": scene.channel,
        "owner": scene.owner,
        "severity": worst(one.severity for one in events),
        "title": short(_title(events, scene, version, parts), MOST_IN_A_TITLE),
        "thread": scene.thread,
        "reply_to": scene.reply_to,
        "version": _version_part(version) if version else None,
        "targets": parts,
        "next": _next(one for one in events if one.target is None),
        "events": [_event_part(one) for one in events],
    }
    return safe(made)


def bare(events: Sequence[EventRecord], scene: Scene, why: str) -> Json:
    """The same events told without anything that could go wrong, where `compose` did."""
    title = f"{plural(len(events), 'event')}, told in short"
    made: Json = {
        "id": scene.key,
        "type": DIGEST,
        "at": scene.now.isoformat(),
        "channel": scene.channel,
        "owner": scene.owner,
        "severity": worst(one.severity for one in events),
        "title": title,
        "thread": scene.thread,
        "reply_to": scene.reply_to,
        "version": None,
        "targets": [],
        "next": [{"why": f"the message could not be composed ({why})", "command": ""}],
        "events": [{**_event_part(one), "body": {}} for one in events],
    }
    return safe(made)


def trial(scene: Scene) -> Json:
    """A message that says only that it arrives."""
    made: Json = {
        "id": scene.key,
        "type": TEST,
        "at": scene.now.isoformat(),
        "channel": scene.channel,
        "owner": scene.owner,
        "severity": "info",
        "title": f"a test of the channel {scene.channel}: it works",
        "thread": scene.thread,
        "reply_to": None,
        "version": None,
        "targets": [],
        "next": [],
        "events": [],
    }
    return safe(made)


def safe(made: Json) -> Json:
    """The same values without any secret, or anything that could steer where it is shown."""
    found: Json = cleaned(_redacted(made))
    return found


def _redacted(value: Any) -> Any:
    match value:
        case str():
            return redact(value)
        case dict():
            return {str(key): _redacted(one) for key, one in value.items()}
        case list() | tuple():
            return [_redacted(one) for one in value]
    return value


def _main(events: Sequence[EventRecord], version: EventRecord | None) -> EventRecord:
    return version or foremost(events)


def _subjects(events: Sequence[EventRecord], scene: Scene) -> list[Named]:
    """The targets that the message tells of: all for a version or a heartbeat, else the events'."""
    if any(one.kind in (*VERSION_KINDS, "heartbeat") for one in events) and scene.thread != DIGEST:
        return list(scene.targets)
    known = {one.name: one for one in scene.targets}
    names = dict.fromkeys(one.target for one in events if one.target is not None)
    return [known.get(name) or Named(name, "", "") for name in names]


def _part(named: Named, events: Sequence[EventRecord], scene: Scene) -> Json:
    told = [one for one in events if one.target == named.name]
    done = [
        line
        for run in dict.fromkeys(one.run_id for one in told if one.run_id is not None)
        for line in scene.done.get((run, named.name), ())
    ]
    return target_part(
        named,
        scene.states.get(named.name),
        [one for one in scene.tasks if one.target == named.name],
        told,
        done=done,
        now=scene.now,
    )


def _version_part(event: EventRecord) -> Json:
    body = event.body
    return {
        "instance": _text(body.get("instance")),
        "version": _text(body.get("version")),
        "previous": _text(body.get("previous")) or None,
        "changes": changes_in(body),
    }


def changes_in(body: Mapping[str, Any]) -> list[Json]:
    """The changes that an event carries; what is none is left out."""
    found = body.get("changes")
    keys = ("change", "cidr", "was", "text")
    return [
        {key: _text(one.get(key)) for key in keys}
        for one in (found if isinstance(found, list) else ())
        if isinstance(one, Mapping)
    ]


def _event_part(event: EventRecord) -> Json:
    return {
        "id": f"e-{event.id}",
        "at": event.at.isoformat(),
        "kind": event.kind,
        "severity": event.severity,
        "target": event.target,
        "text": event.title,
        "body": dict(event.body),
    }


def _next(events: Iterable[EventRecord]) -> list[Json]:
    pairs = dict.fromkeys(pair for one in events for pair in advice(one))
    return [{"why": why, "command": command} for why, command in pairs]


def _title(
    events: Sequence[EventRecord], scene: Scene, version: EventRecord | None, parts: list[Json]
) -> str:
    if scene.thread == DIGEST:
        errors = sum(one.severity == "error" for one in events)
        also = f", {plural(errors, 'error')} among them" if errors else ""
        return f"{plural(len(events), 'event')} in one message{also}"
    if version is not None:
        return "; ".join(filter(None, (_version_title(version), _outcome(parts))))
    main = foremost(events)
    more = len(events) - 1
    title = target_title(main, events)
    return f"{title} (and {plural(more, 'more event')})" if more else title


def _version_title(event: EventRecord) -> str:
    part = _version_part(event)
    cloud = "" if part["instance"] == "Worldwide" else f" ({part['instance']})"
    counts = ", ".join(_counted(part["changes"]))
    if counts:
        return f"Exchange Online{cloud}: {counts}"
    if part["previous"]:
        return f"Exchange Online{cloud}: version {part['version']}, mail ranges unchanged"
    return f"Exchange Online{cloud}: first version {part['version']} adopted"


def _counted(changes: list[Json]) -> Iterator[str]:
    """`2 ranges added`, `1 removed`: the noun stands once."""
    counts: dict[str, int] = {}
    for one in changes:
        word = "re-cut" if one["change"] == "recut" else one["change"]
        counts[word] = counts.get(word, 0) + 1
    for place, (word, count) in enumerate(counts.items()):
        yield f"{plural(count, 'range') if place == 0 else f'{count:,}'} {word}"


_OUTCOMES = {
    "failed": "{} failed",
    "refused": "{} refused",
    "pending": "{} to be applied",
    "waiting": "{} waiting for a person",
    None: "{} not looked at yet",
}


def _outcome(parts: list[Json]) -> str:
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
    rest = [f"{good:,} right"] if good else []
    if len(parts) == 1:
        return f"{parts[0]['name']}: {found[0].partition(' ')[2]}"
    return f"of {len(parts):,} targets {', '.join([*found, *rest])}"


def _text(value: object) -> str:
    return value if isinstance(value, str) else "" if value is None else str(value)
