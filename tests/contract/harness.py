"""What the contract suite needs of a kind of target: its remote system, from the other side.

A harness is everybody but exosync. It knows what the remote system truly holds, whatever the
adapter says of it; it does what people do; it breaks what can break. The suite itself knows no
kind of target.

What a kind cannot do by its nature, or what cannot be done to it, stands in `cannot` with the
reason, and the tests that need it are skipped with that reason.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from enum import StrEnum
from typing import Any, Protocol

import pytest

from exosync.core.ranges import IpRanges
from exosync.errors import TargetDenied, TargetError, TargetUnreachable

Json = dict[str, Any]


class Can(StrEnum):
    """What a test may need."""

    LISTS = "ranges are what it holds"
    WRITE = "exosync writes it by itself"
    ASK = "its steps are for a person"
    READ = "what is there can be read"
    SHARE = "others have entries beside ours"
    HIDE = "it has secrets"
    SWAP = "a change at the last moment is noticed"
    STAGES = "additions and removals are two writes"
    UNPLUG = "it can be out of reach"
    LOCK_OUT = "exosync can lack rights"
    RESTORE = "its state can be put back"


class Harness(Protocol):
    """One kind of target with the setting that is tried.

    What holds no ranges (it cannot `LISTS`) changes when its configuration does (`change`), and is
    right when what it holds is its `goal`.

    `where` are words of which an error names at least one: the host, the path, the account.
    `approves` are the refusals that people lift when they meet them.
    `reads` and `writes` count what reached the remote system, refused attempts too. `history`
    are the ranges that it let through after each write, `unreachable` and `denied` the errors
    for what their names say.
    """

    @property
    def name(self) -> str:
        """The kind, and the setting if it has several."""
        ...

    @property
    def target(self) -> Json:
        """The target's configuration without name and mode."""
        ...

    @property
    def cannot(self) -> Mapping[Can, str]:
        """What does not fit this kind, with the reason."""
        ...

    @property
    def where(self) -> tuple[str, ...]:
        """Words of which an error names at least one."""
        ...

    @property
    def families(self) -> tuple[int, ...]:
        """The address families that can be expressed."""
        ...

    @property
    def reads(self) -> int:
        """How often the remote system was read."""
        ...

    @property
    def writes(self) -> int:
        """How often exosync set out to write it."""
        ...

    @property
    def history(self) -> list[IpRanges]:
        """What was let through after each write."""
        ...

    @property
    def approves(self) -> frozenset[str]:
        """The refusals that people lift as part of every first run."""
        ...

    @property
    def unreachable(self) -> type[TargetError]:
        """The error for a remote system that does not answer."""
        ...

    @property
    def denied(self) -> type[TargetError]:
        """The error for credentials or rights that do not do."""
        ...

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must never be shown, what was given out meanwhile included."""
        ...

    def state(self) -> object:
        """All that the remote system holds, as a value that can be compared."""
        ...

    def listed(self) -> IpRanges:
        """The ranges that it lets through on our account, read without the adapter."""
        ...

    def held(self) -> object:
        """What it holds of ours: the ranges, or what else it is about."""
        ...

    def goal(self) -> object:
        """What it should hold of ours, where that is no ranges."""
        ...

    def change(self) -> None:
        """Want something else, in `target`, where that is no ranges."""
        ...

    def foreign(self) -> object:
        """What others have there, byte for byte."""
        ...

    def add_foreign(self) -> None:
        """Let others put something there."""
        ...

    def put_by_hand(self, ranges: IpRanges) -> None:
        """Let a person enter ranges as one does without exosync."""
        ...

    def damage(self) -> None:
        """Let somebody take one of our ranges away."""
        ...

    def do(self, task: Json) -> None:
        """Do a person's step as it is written."""
        ...

    def at_last_moment(self, action: Callable[[], None]) -> None:
        """Do something once, between the adapter's own look and the next write."""
        ...

    def failing(self, number: int) -> AbstractContextManager[None]:
        """Let write `number` from now on fail, and every later one."""
        ...

    def unplugged(self) -> AbstractContextManager[None]:
        """Nobody reaches the remote system meanwhile."""
        ...

    def locked_out(self) -> AbstractContextManager[None]:
        """What exosync has as credentials or rights does not do meanwhile."""
        ...

    def snapshot(self) -> Callable[[], None]:
        """Keep the state as it is now; gives what puts it back."""
        ...


def needs(harness: Harness, *abilities: Can) -> None:
    """Skip a test that this kind cannot take, with the reason."""
    for one in abilities:
        if one in harness.cannot:
            pytest.skip(f"{harness.name}: {harness.cannot[one]}")


class Failure(Exception):
    """What a write that was made to fail ends with inside a harness."""


class Counted:
    """The part of a harness that counts, remembers and breaks."""

    unreachable: type[TargetError] = TargetUnreachable
    denied: type[TargetError] = TargetDenied
    families: tuple[int, ...] = (4, 6)
    approves: frozenset[str] = frozenset()

    def __init__(self) -> None:
        self._reads = 0
        self.writes = 0
        self.history: list[IpRanges] = []
        self._last_moment: list[Callable[[], None]] = []
        self._fails_from: int | None = None

    @property
    def reads(self) -> int:
        """How often the remote system was read."""
        return self._reads

    def at_last_moment(self, action: Callable[[], None]) -> None:
        """Do something once, between the adapter's own look and the next write."""
        self._last_moment.append(action)

    @contextmanager
    def failing(self, number: int) -> Iterator[None]:
        """Let write `number` from now on fail, and every later one."""
        self._fails_from = self.writes + number
        try:
            yield
        finally:
            self._fails_from = None

    def listed(self) -> IpRanges:
        """The ranges that are let through on our account."""
        raise NotImplementedError

    def held(self) -> object:
        """What it holds of ours: the ranges, or what else it is about."""
        return self.listed()

    def goal(self) -> object:
        """What it should hold of ours, where that is no ranges."""
        raise NotImplementedError

    def change(self) -> None:
        """Want something else, in `target`, where that is no ranges."""
        raise NotImplementedError

    def _before_write(self) -> None:
        """A write arrives. Raises Failure if it is one that must fail."""
        while self._last_moment:
            self._last_moment.pop()()
        self.writes += 1
        if self._fails_from is not None and self.writes >= self._fails_from:
            raise Failure
