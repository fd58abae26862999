"""Runs that kill themselves at a point: `python -m tests.support.zygote`.

Each line on standard input is a folder, a point and the clock; each answer is how that run
ended, as `waitpid` gives it, and what it printed. A run is a child of this process, which has
imported everything once: so it costs a hundredth of a second and not a whole start.

Points are just before every commit that changes the state, and before and after every outside
write: to end between two of them is to end at one of them.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event

from exosync.assembly import assembled
from exosync.config import load
from exosync.reconcile import reconcile
from exosync.running import run_once
from tests.support.points import Points, Ticking

_WARM = (
    "alembic.command",
    "exosync_adapters.file.target",
    "exosync_adapters.spf.target",
    "exosync_adapters.spf.observe",
    "exosync_adapters.spf.rehearse",
    "exosync_adapters.spf.verify",
    "exosync_adapters.mimecast.target",
    "exosync_adapters.wire",
    "exosync_adapters.google_workspace.target",
    "exosync_adapters.exchange.target",
    "msal",
    "google.oauth2.service_account",
    "google_auth_httplib2",
    "googleapiclient.discovery",
)


@dataclass(frozen=True, slots=True)
class Ended:
    """How a run ended: `signal` is 0 if it ended by itself, then with `code`."""

    signal: int
    code: int
    said: str


class Zygote:
    """The process that runs are made from, from outside."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def run_until(self, folder: Path, point: int, now: datetime) -> Ended:
        """One run with the configuration in a folder, to its end or to a point."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps([str(folder), point, now.isoformat()]) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, "the zygote died"
        status, said = json.loads(line)
        return Ended(os.WTERMSIG(status), os.WEXITSTATUS(status), said)


@contextmanager
def zygote() -> Iterator[Zygote]:
    """A process that runs can be made from."""
    command = [sys.executable, "-m", "tests.support.zygote"]
    # Of a run that ends like this nobody would know which lines it reached.
    environ = {key: value for key, value in os.environ.items() if not key.startswith("COVERAGE_")}
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environ
    ) as process:
        yield Zygote(process)
        assert process.stdin is not None
        process.stdin.close()


def main() -> None:
    """Make runs until there is nothing more to read."""
    for name in _WARM:
        __import__(name)
    is_warm = False
    for line in sys.stdin:
        words = json.loads(line)
        if not is_warm:
            # What pydantic builds at the first use is there for every run.
            load(Path(words[0]) / "exosync.yaml", environ={})
            is_warm = True
        sys.stdout.write(json.dumps(_made(*words)) + "\n")
        sys.stdout.flush()


def _made(*words: Any) -> tuple[int, str]:
    ours, its = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(ours)
        _be_a_run(its, [str(one) for one in words])
    os.close(its)
    with os.fdopen(ours, encoding="utf-8") as stream:
        said = stream.read()
    return os.waitpid(pid, 0)[1], said


def _be_a_run(its: int, words: list[str]) -> None:
    """Never comes back."""
    code = 1
    with os.fdopen(its, "w", encoding="utf-8") as stream:
        try:
            _run_until(Path(words[0]), int(words[1]), datetime.fromisoformat(words[2]))
            code = 0
        except BaseException:  # noqa: BLE001  (told, and never let back into the parent's loop)
            traceback.print_exc(file=stream)
        stream.flush()
        os._exit(code)


def _run_until(folder: Path, last: int, now: datetime) -> None:
    points = Points(last)
    event.listen(Engine, "commit", points.commit)
    loaded = load(folder / "exosync.yaml", environ={})
    with assembled(loaded, environ={}, progress=lambda _: None, now=lambda: now) as one:
        for job in one.rules.jobs:
            object.__setattr__(job, "target", Ticking(job.target, points))
        work = lambda run_id: reconcile(one.rules, one.store, run_id, writing=True)  # noqa: E731
        run_once(one.store, one.rules, "sync", work)


if __name__ == "__main__":
    main()
