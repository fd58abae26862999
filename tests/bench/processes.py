"""Whole processes timed in turn: processor time, wall time and peak memory of each.

What they are compared by is the ratio of the medians of runs that took turns, so that a
machine whose speed drifts hurts all alike. Processor time is the kernel's own account of the
finished child, so other work on the machine is hardly in it.
"""

from __future__ import annotations

import os
import statistics
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Command = list[str]

_KIBIBYTE = 1024 if sys.platform.startswith("linux") else 1
"""The unit of ru_maxrss (getrusage(2)); macOS counts bytes."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One run: seconds of processor and of wall time, and the peak of its memory in bytes."""

    cpu: float
    wall: float
    peak: int


@dataclass(frozen=True, slots=True)
class Bench:
    """Where and how often processes are run.

    Bytecode is kept in `folder`, for all of them alike: after the first run, which is not
    counted, nothing is compiled, whatever the environment says of writing bytecode.
    """

    folder: Path
    rounds: int

    @property
    def environment(self) -> dict[str, str]:
        """The variables of every run; none of exosync's own and none that changes Python."""
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("PYTHON", "EXOSYNC_", "COVERAGE_"))
        }
        return {**kept, "PYTHONPYCACHEPREFIX": str(self.folder / "bytecode")}

    def in_turn(self, commands: Mapping[str, Command]) -> dict[str, list[Sample]]:
        """Run all in every round, in order, after one round that does not count."""
        taken: dict[str, list[Sample]] = {name: [] for name in commands}
        for number in range(self.rounds + 1):
            for name, command in commands.items():
                sample = self.run(command)
                if number:
                    taken[name].append(sample)
        return taken

    def run(self, command: Command) -> Sample:
        """Run one command, its output thrown away; raises SystemExit if it does not end with 0."""
        said = self.folder / "stderr"
        silent = (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)
        kept = (os.POSIX_SPAWN_OPEN, 2, str(said), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        began = time.perf_counter()
        child = os.posix_spawn(command[0], command, self.environment, file_actions=[silent, kept])
        _, status, usage = os.wait4(child, 0)
        wall = time.perf_counter() - began
        if status:
            code = os.waitstatus_to_exitcode(status)
            raise SystemExit(f"{' '.join(command)} ended with {code}: {said.read_text()[-2000:]}")
        return Sample(usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss * _KIBIBYTE)


def compared(taken: Mapping[str, list[Sample]], ours: str, other: str) -> dict[str, Any]:
    """The medians of two of them in milliseconds, and how many times the other's ours takes."""
    cpu = {name: statistics.median(one.cpu for one in taken[name]) for name in (ours, other)}
    wall = {name: statistics.median(one.wall for one in taken[name]) for name in (ours, other)}
    return {
        "cpu_ms": {name: round(value * 1e3, 1) for name, value in cpu.items()},
        "wall_ms": {name: round(value * 1e3, 1) for name, value in wall.items()},
        "cpu_ratio": round(cpu[ours] / cpu[other], 2),
        "wall_ratio": round(wall[ours] / wall[other], 2),
    }


def peak(samples: Sequence[Sample]) -> int:
    """The largest peak of memory, in bytes."""
    return max(one.peak for one in samples)
