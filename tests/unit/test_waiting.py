"""Looking for what takes its time to show."""

from __future__ import annotations

from datetime import timedelta

import pytest

from exosync_adapters.waiting import look_until


class Clock:
    """A clock that stands still but for pauses and looks."""

    def __init__(self, look: float, shows_at: float = 1e9) -> None:
        self.now, self.looks, self.pauses = 0.0, 0, list[float]()
        self._look, self._shows_at = look, shows_at

    def look(self) -> str:
        """Take a while, and find something from a time on."""
        self.now += self._look
        self.looks += 1
        return "found" if self.now >= self._shows_at else ""

    def pause(self, seconds: float) -> None:
        """Let the time pass."""
        self.pauses.append(seconds)
        self.now += seconds


def looked(clock: Clock, within: float) -> str:
    """What is found in so many seconds."""
    return look_until(
        clock.look,
        within=timedelta(seconds=within),
        pause=clock.pause,
        clock=lambda: clock.now,
    )


def test_the_pauses_grow_and_the_last_is_as_long_as_there_is_time() -> None:
    """And it is looked once more in the end."""
    clock = Clock(look=0)
    assert "" == looked(clock, 100)
    assert [2, 4, 8, 16, 30, 30, 10] == clock.pauses
    assert 8 == clock.looks


def test_what_looking_takes_counts() -> None:
    """A vendor that answers slowly makes the wait no longer; only the last look comes on top."""
    clock = Clock(look=9)
    looked(clock, 60)
    assert [2, 4, 8, 10] == clock.pauses
    assert 60 + 9 == clock.now


@pytest.mark.parametrize("within", [0, 5])
def test_it_is_looked_once_at_least(within: float) -> None:
    """Also where that alone takes longer than there is time."""
    clock = Clock(look=6)
    looked(clock, within)
    assert (1, []) == (clock.looks, clock.pauses)


def test_what_is_found_ends_it() -> None:
    """At once."""
    clock = Clock(look=1, shows_at=5)
    assert "found" == looked(clock, 100)
    assert [2, 4] == clock.pauses
