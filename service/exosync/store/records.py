"""What the state holds, as values. Times are aware and in UTC; JSON fields are plain JSON values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, TypeAlias

Json: TypeAlias = Mapping[str, Any]
"""A JSON object."""


class PlanStatus(StrEnum):
    """What became of a plan.

    `partly`: some of its steps were done and others failed. `closed`: its target came to
    need no plan any more.
    """

    OPEN = "open"
    APPLIED = "applied"
    PARTLY = "partly"
    SUPERSEDED = "superseded"
    CLOSED = "closed"


class StepOutcome(StrEnum):
    """What became of an intended step.

    `declined`: the remote system does not do it at all. `found_…` is what was seen after a crash.
    """

    DONE = "done"
    FAILED = "failed"
    CONFLICT = "conflict"
    DECLINED = "declined"
    FOUND_DONE = "found_done"
    FOUND_UNDONE = "found_undone"
    FOUND_CHANGED = "found_changed"


class TaskOutcome(StrEnum):
    """How a task for a person ended: read back, taken on a person's word, or not needed any more."""

    SEEN = "seen"
    ACKNOWLEDGED = "acknowledged"
    DROPPED = "dropped"


INTERRUPTED = "interrupted"
"""The outcome of a run whose process died."""

ABANDONED = "abandoned"
"""The outcome of a run that an error ended before it could report."""


@dataclass(frozen=True, slots=True)
class FeedState:
    """What is known of one instance of the endpoints web service.

    `latest` is the newest version that it told of, `checked_at` when it last did,
    `not_before` when it may be asked again, `failures` how often in a row asking failed,
    and `error` the last failure in words.
    """

    latest: str | None = None
    checked_at: datetime | None = None
    not_before: datetime | None = None
    failures: int = 0
    error: str = ""


@dataclass(frozen=True, slots=True)
class SnapshotInfo:
    """A stored version of an instance without its body."""

    instance: str
    version: str
    sha256: str
    fetched_at: datetime
    source: str


@dataclass(frozen=True, slots=True)
class SnapshotRecord:
    """A stored version. `body` is its canonical text, `sha256` the digest of that as UTF-8."""

    instance: str
    version: str
    sha256: str
    body: str
    fetched_at: datetime
    source: str


@dataclass(frozen=True, slots=True)
class Adoption:
    """The moment from which a version counted."""

    version: str
    adopted_at: datetime


@dataclass(frozen=True, slots=True)
class RunRecord:
    """One run, shown as r-ID.

    `outcome` and `finished_at` are None while it is at work. `repeats` counts the later runs
    that found exactly the same and were counted here, the last of them at `last_at`.
    `error` is set if an error ended it. `scope` names what it was over: a target, `feed`, or
    everything if empty.
    """

    id: int
    command: str
    started_at: datetime
    finished_at: datetime | None
    last_at: datetime
    outcome: str | None
    version: str | None
    report: Json | None
    fingerprint: str
    repeats: int
    error: str
    scope: str = ""


@dataclass(frozen=True, slots=True)
class PlanRecord:
    """One plan. `ingredients` are the digests that its id stands for, `body` the plan as JSON.

    `run_id` is the run that made it first. From `status` on the fields are the store's own:
    what a caller gives there is not looked at.
    """

    id: str
    target: str
    version: str
    adopting: bool
    ingredients: Mapping[str, str]
    body: Json
    refused: bool
    run_id: int | None = None
    status: PlanStatus = PlanStatus.OPEN
    created_at: datetime | None = None
    last_seen_at: datetime | None = None
    closed_at: datetime | None = None
    superseded_by: str | None = None


@dataclass(frozen=True, slots=True)
class Approval:
    """A person's word for one plan. It is spent once that plan is applied."""

    plan_id: str
    by: str
    why: str
    at: datetime
    spent_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class StepRecord:
    """One outside write: intended, and concluded unless `outcome` is None.

    `expects` and `gives` are the resource's tokens before and after.
    """

    id: int
    run_id: int
    plan_id: str
    target: str
    resource: str
    summary: str
    expects: str
    gives: str
    intended_at: datetime
    outcome: StepOutcome | None
    concluded_at: datetime | None
    error: str


@dataclass(frozen=True, slots=True)
class TargetState:
    """How a target stands.

    `since` is when it came to its `state`, `version` the one that it was held against,
    `resources` the tokens that were last seen or written, `plan` the open plan's id,
    `verified` the last proof (None: none was made), `verified_at` the last good one,
    `failures` how often in a row it failed.
    """

    name: str
    kind: str
    mode: str
    state: str
    since: datetime
    version: str | None = None
    resources: Mapping[str, str] = field(default_factory=dict)
    plan: str | None = None
    verified: bool | None = None
    verified_at: datetime | None = None
    seen_at: datetime | None = None
    failures: int = 0
    error: str = ""
    report: Json = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TaskRecord:
    """A step for a person at one setting of a target, from when it is first needed to its end.

    `gives` is its resource's token once it is done, `body` the task as JSON. Its text may
    change while it is open: `plan_id` is the newest plan that asks for it, `changed_at` when
    it came to ask for what it asks. `claimed_by` said that it is done; nobody has seen it yet.
    """

    id: int
    target: str
    setting: str
    plan_id: str
    resource: str
    gives: str
    body: Json
    opened_at: datetime
    changed_at: datetime
    due_at: datetime
    reminded_at: datetime | None = None
    reminders: int = 0
    claimed_by: str | None = None
    claimed_at: datetime | None = None
    closed_at: datetime | None = None
    outcome: TaskOutcome | None = None


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """A person's word that a setting which nobody can read is as a plan wanted it."""

    target: str
    setting: str
    plan_id: str
    resource: str
    gives: str
    cidrs: Sequence[str]
    by: str
    note: str
    at: datetime


@dataclass(frozen=True, slots=True)
class EventRecord:
    """Something that happened and that people may want to be told."""

    id: int
    at: datetime
    kind: str
    severity: str
    target: str | None
    title: str
    body: Json
    run_id: int | None


@dataclass(frozen=True, slots=True)
class PauseRecord:
    """A person's word that nothing is to be written at a target (at all, if it is empty)."""

    target: str
    by: str
    why: str
    at: datetime


@dataclass(frozen=True, slots=True)
class TriggerRecord:
    """A person's request to run a target (all, if it is empty) now."""

    id: int
    target: str
    by: str
    at: datetime
    taken_at: datetime | None = None


SILENT = timedelta(minutes=2)
"""A service tells of itself every half minute: one that was not heard of so long is dead."""


@dataclass(frozen=True, slots=True)
class ServiceRecord:
    """The service as it tells of itself; `stopped_at` is set once it ended as it should."""

    pid: int
    host: str
    version: str
    started_at: datetime
    beat_at: datetime
    stopped_at: datetime | None = None

    def lives(self, now: datetime) -> bool:
        """Whether it has not ended, and was heard of in the last minutes."""
        return self.stopped_at is None and now - self.beat_at < SILENT


@dataclass(frozen=True, slots=True)
class TurnRecord:
    """When a job of the service comes next, since when it is at work, and how long it took last."""

    name: str
    next_at: datetime | None
    started_at: datetime | None
    seconds: float | None


@dataclass(frozen=True, slots=True)
class ChannelRecord:
    """How a channel stands.

    `collected` is the last event that was put into its messages, `failures` how often in a
    row sending failed, `error` the last failure in words, `sent_at` when a message last left.
    """

    name: str
    collected: int
    down_since: datetime | None = None
    failures: int = 0
    error: str = ""
    sent_at: datetime | None = None


class MessageState(StrEnum):
    """How a message stands: gathering events, to be sent, sent, or not tried any more."""

    OPEN = "open"
    WAITING = "waiting"
    SENT = "sent"
    GIVEN_UP = "given_up"


@dataclass(frozen=True, slots=True)
class MessageRecord:
    """A message of a channel's outbox.

    `key` is what receivers tell repeats by, `events` the ids of what it tells, `body` the
    message as JSON once it is composed, `due_at` when it is closed, then when it is tried.
    """

    id: int
    key: str
    channel: str
    thread: str
    severity: str
    events: Sequence[int]
    body: Json | None
    state: MessageState
    opened_at: datetime
    due_at: datetime
    attempts: int
    sent_at: datetime | None
    error: str
