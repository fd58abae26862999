"""What only a person can do, what a person said was done, and what is remembered of it.

Some settings can be read and not written, some neither. A step for a person carries a
`Task`: everything that the person needs, in the vendor's own words. How it ends depends on
its `Confirmation`: it is read back, or a person acknowledges it and it stays *asserted*.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from exosync.core.ranges import IpRanges


class Confirmation(StrEnum):
    """How exosync learns that a task is done."""

    READ = "read"
    ACKNOWLEDGED = "acknowledged"


@dataclass(frozen=True, slots=True)
class Task:
    """What a person is asked to do, written for that person.

    `setting` is what `ack` and `todo` call it, unique within the target. `place` is the way
    to it in the vendor's console, `box` the text to paste, bare, `found` what stands there now
    as far as it can be read, and `fields` what else to enter or tick, each with its value. `ranges` are there once it is done; `added` and
    `removed` are what changes. `delay` is how long the vendor says that a change takes.
    """

    setting: str
    title: str
    place: str
    box: str
    who: str
    confirmation: Confirmation
    ranges: IpRanges
    added: IpRanges = IpRanges()
    removed: IpRanges = IpRanges()
    found: str = ""
    fields: tuple[tuple[str, str], ...] = ()
    instructions: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    delay: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True)
class Asserted:
    """What somebody said is so and nobody can read: by whom, since when, for which ranges.

    `due_again` tells that it was so long ago that it should be looked at once more. `gives` is
    the token that the acknowledged step gives its resource.
    """

    setting: str
    by: str
    at: datetime
    ranges: IpRanges = IpRanges()
    due_again: bool = False
    gives: str = ""

    @property
    def words(self) -> str:
        """`inbound_gateway: asserted by ada on 2026-11-25`, for people."""
        return f"{self.setting}: asserted by {self.by} on {self.at:%Y-%m-%d}"


@dataclass(frozen=True, slots=True)
class Asked:
    """The newest task of a setting: what it asked to add, since when, and whether it is open."""

    added: IpRanges
    since: datetime
    is_open: bool


@dataclass(frozen=True, slots=True)
class Known:
    """What exosync knows of a target besides what can be read there, all by setting.

    `remembered` is what the target itself gave as `Observed.remember` the last time.
    """

    now: datetime = datetime(1970, 1, 1, tzinfo=UTC)
    acknowledged: Mapping[str, Asserted] = field(default_factory=dict)
    asked: Mapping[str, Asked] = field(default_factory=dict)
    remembered: Mapping[str, Any] = field(default_factory=dict)


NOTHING_KNOWN = Known()
"""A target that no run has looked at."""


REPEAT = (timedelta(hours=1), timedelta(hours=6), timedelta(hours=24))
"""When people are told again of a target that goes on failing, if nothing else is configured."""


@dataclass(frozen=True, slots=True)
class TaskRules:
    """How people are waited for.

    A task is due `due` after it was asked for; from then on a person is reminded every
    `remind`. What is only asserted is to be looked at once more after `confirm_again`.
    """

    due: timedelta = timedelta(days=2)
    remind: timedelta = timedelta(days=1)
    confirm_again: timedelta = timedelta(days=180)

    def due_at(self, asked_at: datetime) -> datetime:
        """When a task is due that was asked for then."""
        return asked_at + self.due

    def claim_due_at(self, claimed_at: datetime, delay: timedelta) -> datetime:
        """When a change that a person says was made should have been seen, if it is slow."""
        return claimed_at + max(delay, self.remind)

    def is_to_remind(self, now: datetime, due_at: datetime, reminded_at: datetime | None) -> bool:
        """Whether a person is to be reminded now of a task that is open."""
        return now >= due_at and (reminded_at is None or now >= reminded_at + self.remind)

    def is_due_again(self, now: datetime, acknowledged_at: datetime) -> bool:
        """Whether what was acknowledged then is to be looked at once more."""
        return now >= acknowledged_at + self.confirm_again
