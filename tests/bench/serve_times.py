"""How soon the service is there, and how soon a new version is at every target and told of.

Real processes, with the page; the stand-ins of Microsoft and of the receiver are in the
measuring process. The feed is asked every two seconds, and what counts starts with the question
that is answered with the new version: in real life the wait for that question comes before it.
"""

from __future__ import annotations

import os
import socket
import statistics
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests

from tests.bench.serve_world import Outside, account, outside
from tests.support.served import Served, serving, until

Json = dict[str, Any]

POLL = "2s"
PATIENCE = 300.0
IDLE_AFTER = 20.0
IDLE_SECONDS = 60.0
REFRESH = 60.0
"""So often an open page fetches itself anew, without any news (exosync/web/assets/page.js)."""


def spread(values: Sequence[float], digits: int = 2) -> Json:
    """The median, the 99th percentile (the nearest rank), the least and the most."""
    ordered = sorted(values)
    rank = max(-(-len(ordered) * 99 // 100), 1)
    found = {
        "p50": statistics.median(ordered),
        "p99": ordered[rank - 1],
        "least": ordered[0],
        "most": ordered[-1],
    }
    return {"n": len(ordered), **{key: round(value, digits) for key, value in found.items()}}


# From a new version to every target, and to people


def measure_versions(folder: Path, targets: int, versions: int) -> Json:
    """Seconds from the question to the last target that is proven right, and to the alert."""
    with outside(folder, versions + 1) as there:
        names = there.configure(targets, feed=POLL)
        with serving(folder) as served:
            settled(served, there, names, f"{there.publish()}")
            taken = [_version(served, there, names) for _ in range(versions)]
            assert served.stop() == 0
    return {
        "targets": targets,
        "versions": versions,
        **{key: spread([one[key] for one in taken]) for key in taken[0]},
    }


def _version(served: Served, there: Outside, names: Sequence[str]) -> dict[str, float]:
    before = account(served.process.pid).cpu
    version = there.publish()
    proven = settled(served, there, names, version)
    asked = there.feed.told[version]
    return {
        "first_target": min(proven) - asked,
        "all_targets": max(proven) - asked,
        "alert": there.heard[version] - asked,
        "cpu": account(served.process.pid).cpu - before,
    }


def settled(served: Served, there: Outside, names: Sequence[str], version: str) -> list[float]:
    """Wait until a version was told of and is proven at each target; gives when it was."""
    until(lambda: version in there.heard, seconds=PATIENCE)
    with served.store() as store:

        def proven() -> list[float]:
            known = [store.target_state(name) for name in names]
            return [
                one.verified_at.timestamp()
                for one in known
                if one and one.verified_at and (one.version, one.verified) == (version, True)
            ]

        until(lambda: len(proven()) == len(names), seconds=PATIENCE)
        return proven()


# The start


def measure_start(folder: Path, targets: int, rounds: int) -> Json:
    """Seconds from the start of the process until it is ready, and until all was run once."""
    with outside(folder, 0) as there:
        names = there.configure(targets)
        taken = [_start(folder, len(names) + 1) for _ in range(rounds + 1)]
    return {
        "targets": targets,
        "rounds": rounds,
        "first": {key: round(value, 2) for key, value in taken[0].items()},
        **{key: spread([one[key] for one in taken[1:]]) for key in taken[0]},
    }


def _start(folder: Path, runs: int) -> dict[str, float]:
    place = folder / "notify"
    place.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(place))
        manager.settimeout(PATIENCE)
        began = time.monotonic()
        with serving(folder, {"NOTIFY_SOCKET": str(place)}) as served:
            while not manager.recv(4096).startswith(b"READY=1"):
                pass
            ready = time.monotonic() - began
            cpu = account(served.process.pid).cpu
            until(lambda: ended(served) >= runs, seconds=PATIENCE)
            all_run = time.monotonic() - began
            whole = account(served.process.pid).cpu
            assert served.stop() == 0
    return {"ready": ready, "ready_cpu": cpu, "all_run": all_run, "all_run_cpu": whole}


def ended(served: Served) -> int:
    """How many runs have ended since the start."""
    return sum(one.get("event") == "run" for one in list(served.lines))


# Nothing to do


def measure_idle(folder: Path, targets: int, rounds: int) -> Json:
    """Milliseconds of processor time a minute, with no page open and with one."""
    with outside(folder, 0) as there:
        names = there.configure(targets)
        with serving(folder) as served:
            until(lambda: ended(served) > len(names), seconds=PATIENCE)
            time.sleep(IDLE_AFTER)
            closed = [_minute(served) for _ in range(rounds)]
            with page_open(served.url):
                time.sleep(IDLE_AFTER)
                opened = [_minute(served) for _ in range(rounds)]
            runs = ended(served) - len(names) - 1
            assert served.stop() == 0
    return {
        "targets": targets,
        "seconds": IDLE_SECONDS,
        "runs_meanwhile": runs,
        "closed": spread(closed, 0),
        "open": spread(opened, 0),
    }


def _minute(served: Served) -> float:
    before, began = account(served.process.pid).cpu, time.monotonic()
    time.sleep(IDLE_SECONDS)
    used = account(served.process.pid).cpu - before
    return used * 1e3 * 60 / (time.monotonic() - began)


@contextmanager
def page_open(url: str) -> Iterator[None]:
    """Ask for what a browser with the first page open asks for (exosync/web/assets/page.js)."""
    over = threading.Event()
    stream = requests.get(f"{url}/live", stream=True, timeout=60)

    def listen() -> None:
        fetched = time.monotonic()
        for line in stream.iter_lines():
            if over.is_set():
                return
            if line.startswith(b"event: pulse") or time.monotonic() > fetched + REFRESH:
                requests.get(url, timeout=60)
                fetched = time.monotonic()

    listener = threading.Thread(target=listen, daemon=True)
    listener.start()
    try:
        yield
    finally:
        over.set()
        listener.join(30)
        stream.close()


def told_of(say: Callable[[str], None], parts: Mapping[str, Callable[[], Json]]) -> Json:
    """What each of these measures, with a word before each."""
    found = {}
    for name, measure in parts.items():
        say(name)
        found[name] = measure()
    return found


def load() -> float:
    """How many processes stand in line or are at work on the machine, over the last minute."""
    return round(os.getloadavg()[0], 1)
