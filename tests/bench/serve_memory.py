"""What the service's process takes of memory, over a week and over ten thousand runs."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import requests

from tests.bench.serve_times import PATIENCE, ended, settled
from tests.bench.serve_world import Account, account, outside
from tests.support.served import Served, serving, until

Json = dict[str, Any]

ROOT = Path(__file__).parents[2]
HOURS = 7 * 24
DAY = 24
NEWS = (6, 12, 18)
"""The hours of the first day in which a version comes out."""

VERSION_EVERY = 10
"""So many rounds of runs to a new version."""

SETTLED = 0.25
"""The part of the runs after which the slope is looked at: what is loaded once is there then."""


def measure_week(folder: Path, targets: int) -> Json:
    """Resident bytes at each hour of a week without its waiting."""
    with outside(folder, len(NEWS)) as there:
        there.configure(targets)
        words = [sys.executable, "-m", "tests.bench.serve_week", str(folder), str(HOURS)]
        samples = []
        with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
            assert process.stdout is not None
            for line in process.stdout:
                samples.append(json.loads(line))
                if samples[-1]["hours"] in NEWS:
                    there.publish()
        assert process.returncode == 0
        assert len(there.heard) == len(NEWS) + 1
    points = [(one["hours"], one["resident"]) for one in samples]
    return {
        "targets": targets,
        "runs": samples[-1]["runs"],
        "versions": len(NEWS),
        "first": points[0][1],
        "a_day": points[DAY][1],
        "last": points[-1][1],
        "slope_a_day": round(slope(points[DAY:]) * DAY),
    }


def measure_runs(folder: Path, targets: int, runs: int) -> Json:
    """A real process in which every target is asked for again as soon as all are done."""
    rounds = -(-runs // (targets + 1))
    with outside(folder, rounds // VERSION_EVERY + 1) as there:
        names = there.configure(targets)
        with serving(folder) as served:
            settled(served, there, names, f"{there.publish()}")
            samples = list(_rounds(served, there.publish, rounds, targets + 1))
            assert served.stop() == 0
        size = (folder / "exosync.db").stat().st_size
    points = [(count, one.resident) for count, one in samples]
    late = points[int(len(points) * SETTLED) :]
    first, last = samples[0][1], samples[-1][1]
    return {
        "targets": targets,
        "runs": points[-1][0],
        "versions": rounds // VERSION_EVERY,
        "first": first.resident,
        "settled": late[0][1],
        "last": last.resident,
        "most": max(one for _, one in points),
        "slope_a_thousand": round(slope(late) * 1000),
        "threads": [first.threads, last.threads],
        "files": [first.files, last.files],
        "cpu_a_run_ms": round((last.cpu - first.cpu) / (points[-1][0] - points[0][0]) * 1e3),
        "state": size,
    }


def _rounds(
    served: Served, publish: Callable[[], str], rounds: int, runs: int
) -> Iterator[tuple[int, Account]]:
    for number in range(rounds):
        if number % VERSION_EVERY == VERSION_EVERY - 1:
            publish()
        wanted = ended(served) + runs
        with served.store() as store:
            store.trigger("", by="a benchmark", at=datetime.now(UTC))
        until(partial(_has_run, served, wanted), seconds=PATIENCE)
        for way in ("/metrics", ""):
            requests.get(f"{served.url}{way}", timeout=PATIENCE).raise_for_status()
        yield ended(served), account(served.process.pid)


def _has_run(served: Served, wanted: int) -> bool:
    return ended(served) >= wanted


def slope(points: Sequence[tuple[float, float]]) -> float:
    """By how much the second grows with the first: the line of least squares."""
    middle_x = sum(x for x, _ in points) / len(points)
    middle_y = sum(y for _, y in points) / len(points)
    above = sum((x - middle_x) * (y - middle_y) for x, y in points)
    return above / (sum((x - middle_x) ** 2 for x, _ in points) or 1)


def measure_fresh(folder: Path, targets: int) -> Json:
    """What a process takes after its first round of runs, before and after its page was looked at."""
    with outside(folder, 0) as there:
        names = there.configure(targets)
        with serving(folder) as served:
            until(lambda: ended(served) > len(names), seconds=PATIENCE)
            time.sleep(2)
            before = account(served.process.pid)
            for way in ("", "/metrics", "/api/v1/status"):
                requests.get(f"{served.url}{way}", timeout=PATIENCE)
            after = account(served.process.pid)
            assert served.stop() == 0
    return {"targets": targets, "before": before.resident, "after": after.resident}
