"""How long a change takes against a vendor whose every answer takes 50 ms.

What the answers cost must be their number times 50 ms, and nothing more: so each run is made
again in turn with answers that take no time, and the difference is compared with that product.
Other work on the machine would drown it. So what counts is how long the run waited for
something, as the kernel accounts it: neither at work nor standing in line for a processor
(/proc/PID/schedstat, Documentation/scheduler/sched-stats.rst of Linux).
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import get_native_id
from typing import Any, Protocol

from tests.bench.processes import Bench, Command
from tests.bench.vendors import LIST, PROBE, SPOOFING, Case, Company, company

Json = dict[str, Any]

DELAY = 0.05
TIMED = (SPOOFING, LIST, PROBE)

_BIN = Path(sys.executable).parent
_ENDED_WELL = (0, 2)
"""In line, or waiting for a person."""


@dataclass(frozen=True, slots=True)
class Took:
    """Seconds of one run, without those in line for a processor, and of them those it waited."""

    whole: float
    waited: float

    def since(self, before: Took) -> Took:
        """What came after an earlier account."""
        return Took(self.whole - before.whole, self.waited - before.waited)


def _took(wall: float, account: str) -> Took:
    try:
        ran, stood, _ = (int(one) / 1e9 for one in Path(account).read_text().split())
    except OSError:  # another system, or a kernel that keeps no such account
        return Took(wall, wall)
    return Took(wall - stood, wall - stood - ran)


def timed(work: Callable[[], object]) -> Took:
    """How long this thread is at something."""
    account = f"/proc/self/task/{get_native_id()}/schedstat"
    before = _took(time.perf_counter(), account)
    work()
    return _took(time.perf_counter(), account).since(before)


class Runner(Protocol):
    """One installation for one case, and how its runs are made."""

    def configure(self, *, changed: bool) -> None:
        """What is wanted from now on."""
        ...

    def sync(self) -> Took:
        """One run."""
        ...

    def box(self) -> str:
        """What a person is to paste."""
        ...


Opening = Callable[[Company, Case], Runner]


class Processes:
    """Each run is a process of its own, as a timer starts it."""

    def __init__(self, bench: Bench, outside: Company, case: Case) -> None:
        self._bench, self._outside, self._case = bench, outside, case

    def configure(self, *, changed: bool) -> None:
        """What is wanted from now on."""
        self._config = self._outside.configure("exosync.yaml", self._case, changed=changed)

    def sync(self) -> Took:
        """One run."""
        command = exosync(self._config, "sync")
        began = time.perf_counter()
        with subprocess.Popen(
            command,
            env=self._bench.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as process:
            # The kernel's account is there until the ended process is waited for.
            os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
            took = _took(time.perf_counter() - began, f"/proc/{process.pid}/schedstat")
        if process.returncode not in _ENDED_WELL:
            raise SystemExit(f"{' '.join(command)} ended with {process.returncode}")
        return took

    def box(self) -> str:
        """What a person is to paste."""
        return told(self._bench, self._config, "todo", "show", "google", "--copy")


def exosync(config: Path, *words: str) -> Command:
    """A command over a configuration."""
    return [str(_BIN / "exosync"), "--config", str(config), *words]


def told(bench: Bench, config: Path, *words: str) -> str:
    """What a command prints. Raises SystemExit if it does not end well."""
    command = exosync(config, *words)
    done = subprocess.run(
        command, env=bench.environment, capture_output=True, text=True, check=False
    )
    if done.returncode not in _ENDED_WELL:
        raise SystemExit(f"{' '.join(command)}: {done.stdout}{done.stderr}")
    return done.stdout


def settled(bench: Bench, outside: Company, config: Path) -> None:
    """Bring everything in line; a person pastes what is asked for."""
    told(bench, config, "sync")
    outside.paste(told(bench, config, "todo", "show", "google", "--copy"))
    found = json.loads(told(bench, config, "sync", "--json"))
    if found["outcome"] != "in_sync":
        raise SystemExit(f"not in line: {found}")


@dataclass(frozen=True, slots=True)
class Turn:
    """One run: the words for it, and what makes it have something to do."""

    title: str
    prepare: Callable[[], object]


Turned = tuple[Took, int]
"""How long a turn took, and how many requests the vendor got."""


def measure_times(folder: Path, rounds: int, opened: Opening) -> list[Json]:
    """One row for each turn of each case."""
    folder.mkdir()
    return [row for case in TIMED for row in _case(folder, rounds, case, opened)]


def _case(folder: Path, rounds: int, case: Case, opened: Opening) -> Iterator[Json]:
    own = folder / f"case-{TIMED.index(case)}"
    own.mkdir()
    with company(own, [case], strict=False) as outside:
        runner = opened(outside, case)
        turns = list(_turns(runner, outside, case))
        _taken(runner, outside, turns, 0)
        pairs = [
            (_taken(runner, outside, turns, DELAY), _taken(runner, outside, turns, 0))
            for _ in range(rounds)
        ]
    for number, turn in enumerate(turns):
        figures = _figures([(slow[number], quick[number]) for slow, quick in pairs])
        yield {"vendor": case.vendor, "title": case.title, "turn": turn.title, **figures}


def _turns(runner: Runner, outside: Company, case: Case) -> Iterator[Turn]:
    for title, changed in (("a range added", True), ("a range removed", False)):

        def wanted(changed: bool = changed) -> None:
            runner.configure(changed=changed)

        if case is LIST:
            yield Turn(f"{title}: a person is asked", wanted)
            yield Turn(f"{title}: what the person did is read", lambda: outside.paste(runner.box()))
        else:
            yield Turn(title, wanted)
    yield Turn("nothing to do", lambda: None)


def _taken(runner: Runner, outside: Company, turns: Sequence[Turn], delay: float) -> list[Turned]:
    """Every turn once."""
    found = []
    for turn in turns:
        turn.prepare()
        outside.slow(delay)
        outside.asked()
        found.append((runner.sync(), len(outside.asked())))
        outside.slow(0)
    return found


def _figures(pairs: Sequence[tuple[Turned, Turned]]) -> Json:
    """Medians in milliseconds, and how many times the bare delays the answers and all cost."""
    (requests,) = {sent for pair in pairs for _, sent in pair}
    bare = requests * DELAY
    slow = statistics.median(one.whole for (one, _), _ in pairs)
    quick = statistics.median(one.whole for _, (one, _) in pairs)
    answers = statistics.median(one.waited - other.waited for (one, _), (other, _) in pairs)
    return {
        "requests": requests,
        "bare_ms": round(bare * 1e3),
        "slow_ms": round(slow * 1e3),
        "quick_ms": round(quick * 1e3),
        "whole_ratio": round(slow / bare, 2),
        "answers_ratio": round(answers / bare, 2),
    }
