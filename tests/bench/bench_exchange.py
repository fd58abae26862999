"""What a target at Exchange Online costs: requests and memory.

    python tests/bench/bench_exchange.py [--json] [--rounds 3]

* sync: `exosync sync` that finds nothing to do, with a file target alone, and with one of
  Exchange Online beside it;
* imports: what loading adds to a process that has loaded what a file target needs;
* requests: of each stage of each way to write, see `vendor_requests`.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.bench.bench_targets import figures, loading
from tests.bench.machine import machine
from tests.bench.processes import Bench
from tests.bench.report_exchange import BESIDE, FILE, section
from tests.bench.vendor_times import exosync
from tests.bench.vendors import EXCHANGE_CASES, REST, Company, company

Json = dict[str, Any]

LOADS = {
    FILE: "",
    "the target": "import exosync_adapters.exchange.target",
    "with what asks": (
        "import exosync_adapters.exchange.target, exosync_adapters.wire; "
        "from exosync_adapters.exchange.admin import tokens; tokens.load()"
    ),
    "the same with a certificate": (
        "import exosync_adapters.exchange.target, exosync_adapters.wire; "
        "from exosync_adapters.exchange.admin import tokens; tokens.load(); "
        "import jwt, cryptography.x509"
    ),
    "requests alone": "import requests",
    "msal alone": "import msal",
}
"""What is loaded for a target, and how much of it is the libraries alone."""

LIBRARIES = ("msal", "pyjwt", "requests", "cryptography")


def measure_sync(bench: Bench) -> Json:
    """What both take."""
    folder = bench.folder / "sync"
    folder.mkdir()
    with company(folder, [REST]) as outside:
        outside.exchange.org.domains[-1]["DomainType"] = "InternalRelay"
        _settle(bench, outside)
        commands = {
            name: exosync(
                outside.configure(f"{name}.yaml", *cases, edge=True, interval="0s"), "sync"
            )
            for name, cases in ((FILE, ()), (BESIDE, (REST,)))
        }
        return figures(bench.in_turn(commands))


def _settle(bench: Bench, outside: Company) -> None:
    """Make connector and rule, and switch the rule on."""
    config = outside.configure("first.yaml", REST, edge=True)
    told = _told(bench, config, "sync")
    (plan,) = (one["plan"] for one in told["targets"] if one["state"] == "refused")
    approve = exosync(config, "approve", plan, "--why", "a benchmark")
    subprocess.run(approve, check=True, stdout=subprocess.DEVNULL)
    for _ in range(2):
        told = _told(bench, config, "sync")
    if told["outcome"] != "in_sync":
        raise SystemExit(f"not in line: {told}")


def _told(bench: Bench, config: Path, *words: str) -> Json:
    done = subprocess.run(
        [*exosync(config, *words), "--json"],
        env=bench.environment,
        capture_output=True,
        check=False,
    )
    found: Json = json.loads(done.stdout)
    return found


def measure(bench: Bench) -> Json:
    """Everything. Memory first: no process is told as smaller than this one has been."""
    sync, imports = measure_sync(bench), loading(bench, LOADS)
    # Only now: it loads all of exosync.
    from tests.bench.vendor_requests import measure_requests

    return {
        **machine("exosync", *LIBRARIES),
        "rounds": bench.rounds,
        "sync": sync,
        "imports": imports,
        "requests": measure_requests(bench.folder, cases=EXCHANGE_CASES),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print JSON instead of a page's part")
    parser.add_argument("--rounds", type=int, default=3, help="runs of each (default 3)")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="exosync-bench-") as folder:
        told = measure(Bench(Path(folder), chosen.rounds))
    print(json.dumps(told, indent=2) if chosen.json else "\n".join(section(told)))


if __name__ == "__main__":
    main()
