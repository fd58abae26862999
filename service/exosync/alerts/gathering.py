"""From events to messages: what belongs together is told together, and not too often.

* A new version is one message: it opens with the version, what the runs against it do at the
  targets joins it, and it closes when all have been run, or after a while.
* What one run found at one target is one message, in the conversation of what matters most.
* Above the channel's limit, everything else gathers in one message, the digest. Nothing is
  ever left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from exosync.alerts.kinds import VERSION_KINDS, foremost, thread_of, worst
from exosync.store import EventRecord

DIGEST = "digest"
MOST_IN_A_DIGEST = 200
ERRORS = 2
"""How many times the limit of an hour holds for errors."""

PATIENCE = 5
"""How many times its usual wait a new version is waited for while runs are at work."""

_HOUR = timedelta(hours=1)
_VERSION = "version:"


@dataclass(frozen=True, slots=True)
class Draft:
    """A message that gathers events. `number` is None until it is stored."""

    thread: str
    severity: str
    events: tuple[int, ...]
    opened_at: datetime
    due_at: datetime
    number: int | None = None

    @property
    def version(self) -> str | None:
        """The version that the message is about, if it is about one."""
        return self.thread.rpartition(":")[2] if self.thread.startswith(_VERSION) else None


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a new version is waited for, and how many messages an hour may bring."""

    group: timedelta
    max_per_hour: int


def gather(
    drafts: Iterable[Draft],
    events: Iterable[EventRecord],
    *,
    run_versions: Mapping[int, str | None],
    recent: Sequence[datetime],
    limits: Limits,
    now: datetime,
) -> tuple[Draft, ...]:
    """The drafts that are new or have grown by these events, in the order of their opening.

    `run_versions` tells the version that each run went by, `recent` when the newest messages
    were opened.
    """
    desk = _Desk([_Slot(one) for one in drafts], run_versions, recent, limits, now)
    for event in events:
        desk.put(event)
    return tuple(one.told() for one in desk.slots if one.events)


def is_ripe(draft: Draft, now: datetime, *, done: bool, at_work: bool, group: timedelta) -> bool:
    """Whether a draft is to be closed.

    `done`: every target has been run against its version; `at_work`: a run has not ended. One
    that was opened in the future (the clock was set back) is not waited for.
    """
    if draft.opened_at > now:
        return True
    if draft.version is None:
        return draft.due_at <= now
    overdue = draft.opened_at + group * PATIENCE
    return done or (draft.due_at <= now and (not at_work or overdue <= now))


@dataclass(slots=True)
class _Slot:
    """A draft with the events that join it now."""

    draft: Draft
    run: tuple[int, str] | None = None
    events: list[EventRecord] = field(default_factory=list)

    @property
    def size(self) -> int:
        return len(self.draft.events) + len(self.events)

    @property
    def is_new(self) -> bool:
        return self.draft.number is None

    def told(self) -> Draft:
        severity = worst([self.draft.severity, *(one.severity for one in self.events)])
        thread = self.draft.thread or thread_of(foremost(self.events))
        ids = (*self.draft.events, *(one.id for one in self.events))
        return replace(self.draft, thread=thread, severity=severity, events=ids)


@dataclass(slots=True)
class _Desk:
    slots: list[_Slot]
    run_versions: Mapping[int, str | None]
    recent: Sequence[datetime]
    limits: Limits
    now: datetime

    def put(self, event: EventRecord) -> None:
        """Let an event join the draft that it belongs to, or open one."""
        if event.kind in VERSION_KINDS:
            thread = thread_of(event)
            slot = self._slot(thread) or self._opened(thread, self.limits.group)
        else:
            slot = self._of_version(event) or self._of_moment(event) or self._fresh(event)
        slot.events.append(event)

    def _slot(self, thread: str) -> _Slot | None:
        return next((one for one in self.slots if one.draft.thread == thread), None)

    def _of_version(self, event: EventRecord) -> _Slot | None:
        """The newest open version that the event's run went by, or may have gone by."""
        if event.target is None or event.run_id is None:
            return None
        version = self.run_versions.get(event.run_id)
        open_ones = [one for one in reversed(self.slots) if one.draft.version]
        return next((one for one in open_ones if version in (None, one.draft.version)), None)

    def _of_moment(self, event: EventRecord) -> _Slot | None:
        """What was opened just now for the same run and target, or the same conversation."""
        fresh = [one for one in self.slots if one.is_new and one.draft.thread != DIGEST]
        run = _run(event)
        if run is not None:
            return next((one for one in fresh if one.run == run), None)
        thread = thread_of(event)
        alike = (one for one in fresh if one.run is None and one.draft.thread == thread)
        return next(alike, None)

    def _fresh(self, event: EventRecord) -> _Slot:
        # What pages somebody at night must not wait behind what does not.
        share = ERRORS if event.severity == "error" else 1
        room_at = self._room_at(self.limits.max_per_hour * share)
        if room_at > self.now:
            return self._digest() or self._opened(DIGEST, room_at - self.now)
        run = _run(event)
        slot = self._opened("" if run else thread_of(event), timedelta(0))
        slot.run = run
        return slot

    def _digest(self) -> _Slot | None:
        digests = (one for one in self.slots if one.draft.thread == DIGEST)
        return next((one for one in digests if one.size < MOST_IN_A_DIGEST), None)

    def _room_at(self, most: int) -> datetime:
        """When there may be one more message: that is now, unless the last hour had so many."""
        fresh = [self.now for one in self.slots if one.is_new]
        # What seems to lie in the future means that the clock was set back.
        earlier = [min(one, self.now) for one in self.recent]
        opened = sorted([*fresh, *earlier], reverse=True)
        return opened[most - 1] + _HOUR if len(opened) >= most else self.now

    def _opened(self, thread: str, wait: timedelta) -> _Slot:
        slot = _Slot(Draft(thread, "info", (), opened_at=self.now, due_at=self.now + wait))
        self.slots.append(slot)
        return slot


def _run(event: EventRecord) -> tuple[int, str] | None:
    if event.run_id is None or event.target is None:
        return None
    return event.run_id, event.target
