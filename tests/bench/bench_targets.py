"""What the targets of vendors cost: requests, time against slow answers, start and memory.

    python tests/bench/bench_targets.py [--json] [--rounds 15] [--changes 9]

Everything is started here, and nothing but loopback is talked to: stand-ins of Mimecast, of
Google's services and of Microsoft's, and each run of exosync as a process of its own.

* adds: `exosync sync` that finds nothing to do, with a file target alone, and with one of
  Mimecast, one of Google Workspace and both beside it;
* help: `exosync --help` where targets of both are configured, against a file target alone;
* imports: what loading each adapter adds to a process that has loaded what a file target needs;
* times: runs that change something while each answer takes 50 ms, see `vendor_times`;
* requests: of each stage of each setting, see `vendor_requests`.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import sys
import tempfile
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.bench.machine import machine
from tests.bench.processes import Bench, Command, Sample, peak
from tests.bench.report_targets import BOTH, FILE, GOOGLE, MAIL, section
from tests.bench.vendor_times import Processes, exosync, measure_times, settled
from tests.bench.vendors import LIST, SPOOFING, Case, Company, company

Json = dict[str, Any]

BESIDE: Mapping[str, tuple[Case, ...]] = {
    FILE: (),
    MAIL: (SPOOFING,),
    GOOGLE: (LIST,),
    BOTH: (SPOOFING, LIST),
}
"""What stands beside the file target."""

INTERVALS = {"0s": 1, "1h": 0}
"""Of asking Microsoft, with the requests to it that a run makes."""

_BASE = "exosync.assembly, exosync.running, exosync.report, exosync_adapters.file.target"
LOADS = {
    FILE: "",
    MAIL: "import exosync_adapters.mimecast.target, exosync_adapters.wire",
    GOOGLE: (
        "import exosync_adapters.google_workspace.target, google.oauth2.service_account; "
        "from exosync_adapters.google_workspace import libraries; libraries.load()"
    ),
    "requests": "import requests",
    "googleapiclient": (
        "import googleapiclient.discovery, google_auth_httplib2, google.oauth2.service_account"
    ),
}
"""What is loaded for a target, and how much of it is the libraries alone."""


LIBRARIES = (
    "requests",
    "google-api-python-client",
    "google-auth",
    "httplib2",
    "cryptography",
)


# What they add to a run that finds nothing to do


def measure_adds(bench: Bench) -> Json:
    """A row of syncs for each interval, and one of `--help`: processor time and peak memory."""
    folder = bench.folder / "adds"
    folder.mkdir()
    with company(folder, [SPOOFING, LIST], strict=False) as outside:
        settled(bench, outside, outside.configure("first.yaml", *BESIDE[BOTH], edge=True))
        syncs = [_syncs(bench, outside, interval) for interval in INTERVALS]
        commands = {
            name: exosync(outside.configure(f"{name}.yaml", *BESIDE[name], edge=True), "--help")
            for name in (FILE, BOTH)
        }
        return {"syncs": syncs, "help": figures(bench.in_turn(commands))}


def _syncs(bench: Bench, outside: Company, interval: str) -> Json:
    commands: dict[str, Command] = {}
    for name, cases in BESIDE.items():
        config = outside.configure(f"{name}-{interval}.yaml", *cases, edge=True, interval=interval)
        commands[name] = exosync(config, "sync")
    return {"requests_to_microsoft": INTERVALS[interval], **figures(bench.in_turn(commands))}


def figures(taken: Mapping[str, Sequence[Sample]]) -> Json:
    """Of the first, what it takes; of the others, what they take beyond it in the same round."""
    first, *others = taken
    beyond = {
        name: [one.cpu - base.cpu for one, base in zip(taken[name], taken[first], strict=True)]
        for name in others
    }
    return {
        "cpu_ms": _median([one.cpu for one in taken[first]]),
        "cpu_ms_beyond": {name: _median(runs) for name, runs in beyond.items()},
        "peak_mb": {name: round(peak(runs) / 1e6, 1) for name, runs in taken.items()},
    }


def _median(seconds: Sequence[float]) -> float:
    return round(statistics.median(seconds) * 1e3, 1)


# What loading them adds


def measure_imports(bench: Bench) -> Json:
    """Each adapter loaded after what every run with a file target loads."""
    return loading(bench, LOADS)


def loading(bench: Bench, loads: Mapping[str, str]) -> Json:
    """What each program takes beyond the first, after what a file target needs was loaded."""
    program = f"import gc; gc.disable(); import {_BASE}; {{}}"
    commands = {name: [sys.executable, "-c", program.format(more)] for name, more in loads.items()}
    return figures(bench.in_turn(commands))


# Everything


def measure(bench: Bench, changes: int) -> Json:
    """Everything. Memory first: no process is told as smaller than this one has been."""
    _say("what targets add")
    adds, imports = measure_adds(bench), measure_imports(bench)
    floor = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3, 1)
    _say("slow answers")
    processes = measure_times(bench.folder / "processes", changes, partial(Processes, bench))
    # Only now: it loads all of exosync and of Google's client.
    from tests.bench.vendor_requests import Asked, measure_requests

    loaded = measure_times(bench.folder / "loaded", changes * 2, Asked)
    return {
        **machine("exosync", *LIBRARIES),
        "rounds": bench.rounds,
        "changes": changes,
        **adds,
        "imports": imports,
        "peak_floor_mb": floor,
        "times": {"process": processes, "loaded": loaded},
        "requests": measure_requests(bench.folder, _say),
    }


def _say(what: str) -> None:
    print(f"measuring: {what}", file=sys.stderr, flush=True)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print JSON instead of a page's part")
    parser.add_argument("--rounds", type=int, default=15, help="runs of each (default 15)")
    parser.add_argument(
        "--changes", type=int, default=9, help="of those against slow answers (default 9)"
    )
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="exosync-bench-") as folder:
        told = measure(Bench(Path(folder), chosen.rounds), chosen.changes)
    if chosen.json:
        print(json.dumps(told, indent=2))
        return
    print("\n".join(section(told)))


if __name__ == "__main__":
    main()
