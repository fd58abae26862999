"""What the harnesses of HTTP services share: a tap in the stand-in's one way in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tests.contract.harness import Counted, Failure
from tests.standins.web import Reply, Request


class Tapped(Counted):
    """A harness that every request passes before the stand-in answers it."""

    broken = Reply(503)
    """What a write that must fail gets: the service cannot now, and has done nothing."""

    def __init__(self) -> None:
        super().__init__()
        self._is_silent = False
        self._cut_after: int | None = None

    def tap(self, request: Request, answer: Callable[[Request], Reply]) -> Reply:
        """Count a request, break it if that is wanted, else have it answered."""
        if self._is_silent:
            return Reply(manner="reset")
        if not self._is_write(request):
            self._reads += 1
            return answer(request)
        try:
            self._before_write()
        except Failure:
            return self.broken
        reply = answer(request)
        self.history.append(self.listed())
        if self.writes == self._cut_after:
            self._is_silent = True
            return Reply(manner="reset")
        return reply

    @contextmanager
    def unplugged(self) -> Iterator[None]:
        """Every connection is reset."""
        self._is_silent = True
        try:
            yield
        finally:
            self._is_silent = False

    @contextmanager
    def cut_after(self, number: int) -> Iterator[None]:
        """Let write `number` from now on be done, and every connection be reset from then on."""
        self._cut_after = self.writes + number
        try:
            yield
        finally:
            self._cut_after, self._is_silent = None, False

    def _is_write(self, request: Request) -> bool:
        raise NotImplementedError
