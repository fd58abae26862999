"""What `exosync serve` costs, and how soon it does its work.

    python tests/bench/serve.py [--json] [--rounds 9] [--runs 10000] [PART ...]

Everything is started here, and nothing but loopback is talked to: stand-ins of Microsoft and of
a receiver of alerts, and the service as a process of its own. Parts, all without any named:

* start: until the service is ready, and until every target was run once;
* versions: from a new version at the feed to every target proven right, and to the alert;
* idle: processor time while there is nothing to do, without and with an open page;
* fresh, week, runs: memory after the start, over a week without its waiting, over many runs.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.bench.machine import machine
from tests.bench.report_serve import page
from tests.bench.serve_memory import measure_fresh, measure_runs, measure_week
from tests.bench.serve_times import load, measure_idle, measure_start, measure_versions

Json = dict[str, Any]

FEW, MANY = 4, 100
LIBRARIES = ("apscheduler", "fastapi", "sqlalchemy", "uvicorn")
VERSIONS = {FEW: 60, MANY: 30}


def parts(folder: Path, rounds: int, runs: int) -> Mapping[str, Callable[[], Json]]:
    """What there is to measure, each in a folder of its own."""
    minutes = max(rounds // 3, 1)
    return {
        **{f"start {n}": partial(measure_start, folder / f"s{n}", n, rounds) for n in (FEW, MANY)},
        **{
            f"versions {n}": partial(measure_versions, folder / f"v{n}", n, VERSIONS[n])
            for n in (FEW, MANY)
        },
        f"idle {FEW}": partial(measure_idle, folder / "idle", FEW, minutes),
        **{f"fresh {n}": partial(measure_fresh, folder / f"f{n}", n) for n in (FEW, MANY)},
        f"week {FEW}": partial(measure_week, folder / "week", FEW),
        f"runs {MANY}": partial(measure_runs, folder / "runs", MANY, runs),
    }


def measure(folder: Path, rounds: int, runs: int, wanted: list[str]) -> Json:
    """The wanted parts; how loaded the machine was stands beside each."""
    found: Json = {**machine("exosync", *LIBRARIES), "rounds": rounds, "parts": {}}
    for name, work in parts(folder, rounds, runs).items():
        if wanted and name.split()[0] not in wanted:
            continue
        print(f"measuring: {name}", file=sys.stderr, flush=True)
        before = load()
        found["parts"][name] = {**work(), "load": [before, load()]}
        print(json.dumps(found["parts"][name]), file=sys.stderr, flush=True)
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("parts", nargs="*", metavar="PART", help="what to measure (default all)")
    parser.add_argument("--json", action="store_true", help="print JSON instead of the page")
    parser.add_argument("--rounds", type=int, default=9, help="starts of each (default 9)")
    parser.add_argument("--runs", type=int, default=10_000, help="runs of the long part")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="exosync-bench-") as folder:
        told = measure(Path(folder), chosen.rounds, chosen.runs, chosen.parts)
    if chosen.json:
        print(json.dumps(told, indent=2))
        return
    print(page(told))


if __name__ == "__main__":
    main()
