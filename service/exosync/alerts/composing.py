"""From events to the one JSON object that a message is: what mail, webhook and chat are made of.

Its shape is published (`exosync/schemas/alert.schema.json`). It holds no secret, and no text
in it can steer a terminal or begin a line of its own, but where a text has several lines by
its nature (what is to be pasted, and the like).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from exosync.alerts.gathering import DIGEST
from exosync.alerts.kinds import VERSION_KINDS, advice, foremost, worst
from exosync.alerts.standing import Named, steps, target_part
from exosync.alerts.titles import MOST_IN_A_TITLE, digest_title, title_of, version_title
from exosync.core.words import cleaned, plural, short
from exosync.secrets import redact
from exosync.store import EventRecord, TargetState, TaskRecord

Json = dict[str, Any]

TEST = "test"
_LOSING = ("removed", "narrowed")


@dataclass(frozen=True, slots=True)
class Scene:
    """What a message is composed from besides its events: how things stand at that moment.

    `targets` are the configured ones that the channel tells of, `done` the steps that a run
    did at a target, in words. `reply_to` is the key of the conversation's first message.
    `grace` is how long what Microsoft removes stays at the targets.
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
    grace: timedelta = timedelta(0)


def compose(events: Sequence[EventRecord], scene: Scene) -> Json:
    """The message that tells of these events, as JSON values."""
    told = next((one for one in reversed(events) if one.kind in VERSION_KINDS), None)
    version = _version_part(told, scene.grace) if told else None
    parts = [_part(one, events, scene) for one in _subjects(events, scene)]
    made: Json = {
        "id": scene.key,
        "type": DIGEST if scene.thread == DIGEST else (told or foremost(events)).kind,
        "at": scene.now.isoformat(),
        "channel": scene.channel,
        "owner": scene.owner,
        "severity": worst(one.severity for one in events),
        "title": short(_title(events, scene, version, parts), MOST_IN_A_TITLE),
        "thread": scene.thread,
        "reply_to": scene.reply_to,
        "version": version,
        "targets": parts,
        "next": steps(pair for one in events if one.target is None for pair in advice(one)),
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
        "title": f"A test of the channel {scene.channel}: it works",
        "thread": scene.thread,
        "reply_to": None,
        "version": None,
        "targets": [],
        "next": [{"why": "nothing has happened: somebody ran exosync alerts test", "command": ""}],
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


def _subjects(events: Sequence[EventRecord], scene: Scene) -> list[Named]:
    """The targets that the message tells of: all for a version or a heartbeat, else the events'."""
    if any(one.kind in (*VERSION_KINDS, "heartbeat") for one in events) and scene.thread != DIGEST:
        return list(scene.targets)
    known = {one.name: one for one in scene.targets}
    names = dict.fromkeys(one.target for one in events if one.target is not None)
    gone = [Named(name, "", "") for name in names if name not in known]
    return [*(one for one in scene.targets if one.name in names), *gone]


def _part(named: Named, events: Sequence[EventRecord], scene: Scene) -> Json:
    # What a digest tells of may be over: what to do follows from how things stand.
    told = [one for one in events if one.target == named.name and scene.thread != DIGEST]
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


def _version_part(event: EventRecord, grace: timedelta) -> Json:
    body, changes = event.body, changes_in(event.body)
    loses = any(one["change"] in _LOSING for one in changes)
    return {
        "instance": _text(body.get("instance")),
        "version": _text(body.get("version")),
        "previous": _text(body.get("previous")) or None,
        "changes": changes,
        "kept_until": (event.at + grace).isoformat() if loses and grace else None,
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


def _title(
    events: Sequence[EventRecord], scene: Scene, version: Json | None, parts: Sequence[Json]
) -> str:
    if scene.thread == DIGEST:
        return digest_title(events)
    return title_of(events) if version is None else version_title(version, parts)


def _text(value: object) -> str:
    return value if isinstance(value, str) else "" if value is None else str(value)
