"""A second process that writes a file, to be killed, starved or shut in by a test.

`python -m tests.support.file_child FOLDER ACTION [ARGUMENT]`: FOLDER holds the file `list`.
"""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from itertools import cycle
from pathlib import Path

from exosync.errors import TargetError
from exosync_adapters.file import atomic
from exosync_adapters.file.target import FileTarget
from tests.support.file_targets import bring, desired, file_target, watched_target

PATIENCE = 60
"""So many seconds a child is waited for before a test is given up."""

NEW = ("40.92.0.0/15", "52.100.0.0/14", "2a01:111:f400::/48")
"""What a child writes."""


def command(folder: Path, action: str, argument: str = "") -> list[str]:
    """The command line of a child."""
    return [sys.executable, "-m", __spec__.name, str(folder), action, argument]


def environment() -> dict[str, str]:
    """The environment in which a child finds the same packages."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}


def run(words: Sequence[str], **more: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(
        words,
        env={**environment(), **more},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def namespaces(*kinds: str) -> list[str] | None:
    """What to put before a command to run it in namespaces of its own, None if we may not."""
    for words in (["unshare", *kinds], ["unshare", "--map-root-user", "--user", *kinds]):
        try:
            tried = subprocess.run([*words, "true"], capture_output=True, check=False)
        except FileNotFoundError:
            return None
        if tried.returncode == 0:
            return words
    return None


def kill_at(folder: Path, point: str) -> None:
    """Write, and be killed at a point."""

    def hook(reached: str) -> None:
        if reached == point:
            os.kill(os.getpid(), signal.SIGKILL)

    _write(watched_target(folder, hook))


def stop_at(folder: Path, point: str) -> None:
    """Write, and stay at a point until killed."""

    def hook(reached: str) -> None:
        if reached == point:
            print(reached, flush=True)  # noqa: T201 - to the test
            time.sleep(PATIENCE)

    _write(watched_target(folder, hook))


def starve(folder: Path, limit: str) -> None:
    """Write where no file may be larger than a limit."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(limit), int(limit)))
    _write(file_target(folder))


def write(folder: Path, _argument: str) -> None:
    """Write."""
    _write(file_target(folder))


def write_large(folder: Path, count: str) -> None:
    """Replace the file by so many bytes, again and again, each time of another letter."""
    for letter in cycle(b"abcdefghijklmnopqrstuvwxyz"):
        atomic.write(folder / "list", bytes([letter]) * int(count), permissions=0o644)


def check(folder: Path, _argument: str) -> None:
    """Tell what `check` finds wrong, and what a rehearsal finds, which is the same."""
    target = file_target(folder)
    wrong = [one.name for one in target.check() if not one.ok]
    observed, wanted = target.observe(), desired(*NEW)
    draft = target.rehearse(wanted, observed, target.plan(wanted, observed))
    if wrong != [one.rule for one in draft.findings]:
        wrong.append("a rehearsal finds otherwise")
    print(*wrong, sep="\n")  # noqa: T201 - to the test


def _write(target: FileTarget) -> None:
    bring(target, desired(*NEW))


ACTIONS: Mapping[str, Callable[[Path, str], None]] = {
    action.__name__: action for action in (kill_at, stop_at, starve, write, write_large, check)
}


def main(folder: str, action: str, argument: str) -> int:
    """Do one action; an error of the target is told in one line."""
    try:
        ACTIONS[action](Path(folder), argument)
    except TargetError as error:
        print(f"{type(error).__name__}: {error}")  # noqa: T201 - to the test
        return 4
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
