"""How often somebody may try a wrong token."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable
from math import ceil


class Tries:
    """Counts wrong tries by where they come from; `most` within so many seconds are let pass.

    `clock` gives seconds that only go forward. Of the places at most `places` are remembered,
    those that tried last.
    """

    def __init__(
        self,
        clock: Callable[[], float],
        *,
        most: int = 10,
        within: float = 300,
        places: int = 1000,
    ) -> None:
        self._clock, self._most, self._within, self._places = clock, most, within, places
        self._wrong: OrderedDict[str, deque[float]] = OrderedDict()

    def wait(self, place: str) -> int:
        """The seconds that a place has to wait until it may try again; 0 if it may now."""
        times = self._recent(place)
        if len(times) < self._most:
            return 0
        return max(1, ceil(times[0] + self._within - self._clock()))

    def wrong(self, place: str) -> None:
        """A place tried a wrong token."""
        times = self._recent(place)
        times.append(self._clock())
        while len(times) > self._most:
            times.popleft()
        self._wrong[place] = times
        self._wrong.move_to_end(place)
        while len(self._wrong) > self._places:
            self._wrong.popitem(last=False)

    def right(self, place: str) -> None:
        """A place showed the right one."""
        self._wrong.pop(place, None)

    def _recent(self, place: str) -> deque[float]:
        times = self._wrong.get(place, deque())
        while times and times[0] <= self._clock() - self._within:
            times.popleft()
        return times
