"""What the tests of alerts share: events and states as runs leave them, and a small installation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from exosync.alerts import ChannelJob, Message, Ticked, build_channels, tick
from exosync.alerts.composing import Scene
from exosync.alerts.kinds import KINDS, kind_of
from exosync.alerts.standing import Named
from exosync.config import Loaded, load
from exosync.core.target import Check
from exosync.errors import AlertError
from exosync.store import EventRecord, MessageRecord, Store, TargetState, TaskRecord
from tests.support.state import plan

AT = datetime(2026, 11, 25, 10, 17, tzinfo=UTC)
KEY = "msg_01m847vv40v3g97ej4mcfg811p"
SECRET = "a-secret-that-must-not-be-told"

CHANGE = {
    "change": "added",
    "cidr": "40.93.0.0/16",
    "was": "",
    "text": "added 40.93.0.0/16 (65,536 addresses)",
}
TASK = {
    "setting": "inbound_gateway",
    "title": "Gmail's inbound gateway: add 40.93.0.0/16",
    "place": "Admin console: Apps > Gmail > Inbound gateway",
    "box": "40.92.0.0/15\n40.93.0.0/16",
    "found": "",
    "fields": [{"name": "Reject all mail not from gateway IPs", "value": "do NOT tick it"}],
    "instructions": ["Open the console.", "Paste the lines."],
    "reasons": ["These are the ranges that Exchange Online sends mail from"],
    "who": "a Google Workspace administrator",
    "confirmation": "acknowledged",
    "delay": "0s",
    "ranges": ["40.92.0.0/15", "40.93.0.0/16"],
    "added": ["40.93.0.0/16"],
    "removed": [],
}

BODIES: Mapping[str, dict[str, Any]] = {
    "ranges_changed": {
        "instance": "Worldwide",
        "version": "2026112500",
        "previous": "2026081400",
        "changes": [CHANGE],
    },
    "feed_adopted": {
        "instance": "Worldwide",
        "version": "2026112500",
        "previous": None,
        "changes": [],
    },
    "person_needed": {"plan": "aaaa00000001", "setting": "inbound_gateway", "task": TASK},
    "step_overdue": {"plan": "aaaa00000001", "setting": "inbound_gateway", "task": TASK},
    "acknowledged": {"plan": "aaaa00000001", "setting": "inbound_gateway", "by": "ada", "why": ""},
    "step_seen": {"plan": "aaaa00000001", "setting": "inbound_gateway"},
    "step_dropped": {"plan": "aaaa00000001", "setting": "inbound_gateway"},
    "channel_down": {"channel": "hook", "error": "no answer", "since": AT.isoformat()},
    "channel_up": {"channel": "hook", "since": AT.isoformat()},
    "credential_ending": {"what": "certificate mail.pem", "ends": AT.isoformat(), "stage": 2},
    "run_interrupted": {"run": 12, "command": "sync"},
    "heartbeat": {"well": True, "targets": {"edge": "in_sync"}},
}
"""What an event of a kind holds, where that is not what a target's events hold."""

OF_TARGETS = tuple(name for name, kind in KINDS.items() if kind.thread.startswith("target:"))
_OF_A_TARGET = {
    "state": "failed",
    "plan": "aaaa00000001",
    "changes": [CHANGE],
    "refusals": [],
    "error": "no answer",
}


def event(
    kind: str,
    number: int = 1,
    *,
    target: str | None = None,
    title: str = "",
    body: Mapping[str, Any] | None = None,
    severity: str = "",
    run: int | None = None,
    minutes: int = 0,
) -> EventRecord:
    """An event as it would be read from the state; a target's is about `edge`."""
    if target is None and kind in OF_TARGETS:
        target = "edge"
    return EventRecord(
        id=number,
        at=AT + timedelta(minutes=minutes),
        kind=kind,
        severity=severity or kind_of(kind).severity,
        target=target,
        title=title or f"{target or 'exosync'}: {kind.replace('_', ' ')}",
        body=dict(body if body is not None else BODIES.get(kind, _OF_A_TARGET if target else {})),
        run_id=run,
    )


def state(
    name: str = "edge", how: str = "in_sync", version: str = "2026112500", **values: Any
) -> TargetState:
    """How a target stands."""
    known = {"kind": "file", "mode": "apply", "since": AT, "seen_at": AT, "verified": None}
    return TargetState(name=name, state=how, version=version, **{**known, **values})


def task(target: str = "google", **values: Any) -> TaskRecord:
    """A step that waits for a person."""
    known: dict[str, Any] = {
        "id": 1,
        "target": target,
        "setting": "inbound_gateway",
        "plan_id": "aaaa00000001",
        "resource": "inbound_gateway",
        "gives": "token",
        "body": TASK,
        "opened_at": AT,
        "changed_at": AT,
        "due_at": AT + timedelta(days=2),
    }
    return TaskRecord(**{**known, **values})


def scene(thread: str = "target:edge:failing", **values: Any) -> Scene:
    """How things stand when a message is composed."""
    known: dict[str, Any] = {
        "now": AT,
        "key": KEY,
        "channel": "ops",
        "owner": "exosync",
        "thread": thread,
        "targets": (Named("edge", "file", "apply"),),
        "states": {"edge": state()},
    }
    return Scene(**{**known, **values})


@dataclass
class Pigeon:
    """A channel that keeps what it is given, or does as its script says."""

    script: list[Exception | None] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    tried: list[str] = field(default_factory=list)

    def send(self, message: Message) -> None:
        """Keep it, unless the script has a failure next."""
        self.tried.append(message.key)
        failure = self.script.pop(0) if self.script else None
        if failure is not None:
            raise failure
        self.messages.append(message)

    def check(self) -> Iterator[Check]:
        """All is well."""
        yield Check("pigeon", ok=True, message="it flies")

    @property
    def told(self) -> list[str]:
        """The texts of all events that arrived, in order."""
        return [one["text"] for each in self.messages for one in each.alert["events"]]

    @property
    def titles(self) -> list[str]:
        """The titles of what arrived."""
        return [one.alert["title"] for one in self.messages]


def no(text: str = "no answer", **options: Any) -> AlertError:
    """A failure of a channel."""
    return AlertError(text, **options)


@dataclass
class Office:
    """An installation with channels that a test holds in its hand, and a clock that it moves."""

    folder: Path
    channels: list[dict[str, Any]]
    settings: dict[str, Any] = field(default_factory=dict)
    targets: Sequence[str] = ("edge",)
    now: datetime = AT

    def __post_init__(self) -> None:
        self.pigeons: dict[str, Pigeon] = {}
        self._store: Store | None = None
        self._loaded: tuple[str, Loaded] | None = None

    def close(self) -> None:
        """Close the state."""
        if self._store is not None:
            self._store.close()

    def reopen(self) -> None:
        """Open the state anew, as the next process does."""
        self.close()
        self._store = None

    @property
    def loaded(self) -> Loaded:
        """The configuration."""
        written = repr((self.channels, self.settings, self.targets))
        if self._loaded is None or self._loaded[0] != written:
            self._loaded = written, self._load()
        return self._loaded[1]

    def _load(self) -> Loaded:
        path = self.folder / "exosync.yaml"
        targets = [
            {"name": name, "kind": "file", "path": f"{name}.txt", "labels": [f"of-{name}"]}
            for name in self.targets
        ]
        alerts = {**self.settings, "channels": self.channels}
        path.write_text(yaml.safe_dump({"alerts": alerts, "targets": targets}))
        return load(path, environ={})

    @contextmanager
    def opened(self) -> Iterator[Store]:
        """The state, which stays open."""
        if self._store is None:
            self._store = Store.open("sqlite:///exosync.db", base=self.folder)
        yield self._store

    def pass_time(self, **parts: float) -> None:
        """Move the clock on."""
        self.now += timedelta(**parts)

    def happen(self, kind: str, **values: Any) -> int:
        """Write an event down; gives its id."""
        made = event(kind, **values)
        with self.opened() as store:
            return store.add_event(
                made.kind,
                made.severity,
                target=made.target,
                title=made.title,
                body=made.body,
                run_id=made.run_id,
                at=self.now,
            )

    def job(self, name: str = "ops") -> ChannelJob:
        """A channel as configured, but by pigeon."""
        found = next(one for one in build_channels(self.loaded, {}) if one.name == name)
        pigeon = self.pigeons.setdefault(name, Pigeon())
        return ChannelJob(found.name, found.kind, found.route, found.max_per_hour, pigeon)

    def tick(self, name: str = "ops") -> Ticked:
        """One turn of a channel."""
        job = self.job(name)
        with self.opened() as store:
            return tick(store, job, self.loaded.config, self.now)

    def pigeon(self, name: str = "ops") -> Pigeon:
        """The channel's way."""
        return self.pigeons.setdefault(name, Pigeon())

    def events(self, *kinds: str) -> list[str]:
        """The titles of events of these kinds, oldest first."""
        with self.opened() as store:
            return [one.title for one in reversed(store.events(1000, kinds=kinds))]

    def messages(self) -> list[MessageRecord]:
        """The outbox, oldest first."""
        with self.opened() as store:
            return list(reversed(store.messages(1000)))

    def run(self, version: str | None, **states: str) -> int:
        """A finished run that left targets in these states; gives its number."""
        with self.opened() as store, store.transaction():
            number = store.begin_run("sync", self.now)
            for name, how in states.items():
                store.save_target_state(state(name, how, version or "2026081400"))
            store.save_plan(plan(f"{number:012d}"), self.now)
            return store.finish_run(
                number, outcome="applied", version=version, report={}, fingerprint="", at=self.now
            )


def hook(name: str = "ops", **keys: Any) -> dict[str, Any]:
    """The configuration of a channel; where it leads does not matter."""
    made = {"name": name, "kind": "webhook", "url": "https://hooks.example.com/x"}
    return {**made, "secret": {"env": "HOOK"}, **keys}
