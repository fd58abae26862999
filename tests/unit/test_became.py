"""Who is asked what became of a message, and for how long."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, cast

from exosync.cli.became import became
from exosync.core.trace import Sent, Stage, Sure
from exosync.reconcile import Rules

SENT = Sent("ada@example.com", "alan@example.com", "<1@example.com>")
MINUTE = timedelta(minutes=1)


class Place:
    """A target that takes a moment to say one thing; `waits` is how long it was let wait."""

    def __init__(self, name: str, *, ok: bool | None = True) -> None:
        self.name, self._ok = name, ok
        self.target, self.waits = self, list[timedelta]()

    def arrived(self, _sent: Sent, *, within: timedelta) -> Sequence[Stage]:
        """As a mailbox does."""
        return self.happened(_sent, within)

    def happened(self, _sent: Sent, within: timedelta) -> Sequence[Stage]:
        """As a message trace does."""
        self.waits.append(within)
        time.sleep(0.01)
        return (Stage("happened", self.name, "so it was", self._ok, Sure.SEEN),)


def waits(router: Place, *others: Place) -> list[timedelta]:
    """For how long each of the others was let wait, in order."""
    rules = cast("Rules", SimpleNamespace(jobs=others, progress=lambda _: None))
    told: Any = became(router, SENT, rules, leaves=True, is_ours=True, within=MINUTE)
    assert [router.name, *(one.name for one in others)] == [one["target"] for one in told["stages"]]
    return [one for other in others for one in other.waits]


def test_all_together_wait_no_longer_than_was_said() -> None:
    """What one has used up the next has no more."""
    first, second = waits(Place("exchange"), Place("one"), Place("two"))
    assert MINUTE > first > second


def test_for_what_is_lost_nobody_waits() -> None:
    """Each is asked once all the same."""
    assert [timedelta(0)] * 2 == waits(Place("exchange", ok=False), Place("one"), Place("two"))
