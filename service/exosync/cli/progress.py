"""A bar on a terminal's stderr while something takes longer than a second."""

from __future__ import annotations

import io
import sys
import threading
from typing import TYPE_CHECKING

from exosync.core.words import one_line

if TYPE_CHECKING:
    from rich.progress import Progress as Bar


class Stderr(io.TextIOBase):
    """stderr, wherever it is just then: while a bar is shown, rich keeps it below what is told."""

    def write(self, text: str, /) -> int:
        """Write."""
        return sys.stderr.write(text)

    def flush(self) -> None:
        """Let it be seen."""
        sys.stderr.flush()

    def isatty(self) -> bool:
        """Whether it is a terminal."""
        return sys.stderr.isatty()


PATIENCE = 1.0
"""Seconds before anything is shown: most commands are over by then."""


class Progress:
    """What is being done, and how much of it is done.

    It is called with words whenever something begins; each call counts as one part of
    `parts`, which may grow. rich is imported and the bar drawn by a thread, since what takes
    long is waiting for somebody else. On anything but a terminal nothing is shown.
    """

    def __init__(self, parts: int = 0) -> None:
        self.parts = parts
        self._done = -1
        self._words = ""
        self._bar: Bar | None = None
        self._over = False
        self._lock = threading.Lock()
        self._timer = threading.Timer(PATIENCE, self._begin)
        self._timer.daemon = True

    def __call__(self, words: str) -> None:
        """Tell what begins now."""
        with self._lock:
            self._words, self._done = one_line(words), self._done + 1
            self._draw()
            first = self._done == 0 and not self._over
        if first and sys.stderr.isatty():
            self._timer.start()

    def over(self) -> None:
        """Take it away; nothing is shown from now on."""
        with self._lock:
            self._over = True
            self._timer.cancel()
            bar, self._bar = self._bar, None
        if bar is not None:
            bar.stop()

    def _begin(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, SpinnerColumn, TextColumn, TimeElapsedColumn
        from rich.progress import Progress as Bar
        from rich.table import Column

        words = TextColumn(
            "{task.description}",
            markup=False,
            table_column=Column(no_wrap=True, overflow="ellipsis", ratio=1),
        )
        columns = (SpinnerColumn(), BarColumn(20), TimeElapsedColumn(), words)
        with self._lock:
            if not self._over:
                self._bar = Bar(*columns, console=Console(stderr=True), transient=True, expand=True)
                self._bar.add_task("")
                self._draw()
                self._bar.start()

    def _draw(self) -> None:
        if self._bar is not None:
            (task,) = self._bar.task_ids
            total = max(self.parts, self._done + 1)
            self._bar.update(task, description=self._words, completed=self._done, total=total)
