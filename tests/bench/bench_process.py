"""How long whole processes take and how large they get: sync, --help, status, history.

    python tests/bench/bench_process.py [--json] [--rounds 15] [--records 5,1000] [--hours 87600]

Everything is started here: a stand-in of Microsoft's web service, BIND with one zone, and each
command as a process of its own; nothing but loopback is talked to. Processes that are compared
run in turn. exosync and octoDNS must be installed beside the Python that runs this.

* sync: `exosync sync` with one SPF target (method records) and nothing to do, against
  `octodns-sync` (YAML source, RFC 2136 provider) over the same zone with nothing to do; zones
  of several sizes, since octoDNS transfers and compares the whole zone and exosync its names;
* start: `exosync --help` against Python that does nothing;
* parts: what importing the libraries alone takes that a sync cannot do without;
* memory: the peak of that sync;
* decade: ten years of hourly runs in the state, and what that does to status and history.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.bench.machine import machine
from tests.bench.processes import Bench, compared, peak
from tests.standins.endpoints import EndpointsStandIn
from tests.support.bind import Bind, find_named
from tests.support.zones import TRANSFER, WIDE, zone_file

Json = dict[str, Any]

BIN = Path(sys.executable).parent
DOMAIN, MICROSOFT = "example.test", "protection.test"
OURS, THEIRS, PYTHON = "exosync", "octodns-sync", "python"
HOURS = 87_600
PARTS = ("click", "pydantic.main, pydantic.types", "sqlalchemy", "requests", "dns.message", "yaml")

CONFIG = """\
feed: {{url: "{feed}"}}
schedule: {{feed: {interval}}}
targets:
  - name: spf
    kind: spf
    mode: apply
    domain: {domain}
    method: records
    include: spf.{microsoft}
    dns:
      server: 127.0.0.1
      port: {port}
      resolvers: ["127.0.0.1:{port}"]
      key: {{name: {key.name}, algorithm: {key.algorithm}, secret: {{file: tsig}}}}
"""

OCTODNS = """\
manager: {{max_workers: 1}}
providers:
  config:
    class: octodns.provider.yaml.YamlProvider
    directory: {folder}
    default_ttl: 3600
    enforce_order: false
  bind:
    class: octodns_bind.Rfc2136Provider
    host: 127.0.0.1
    port: {port}
    key_name: {key.name}
    key_secret: {key.secret}
    key_algorithm: {key.algorithm}
zones:
  {domain}.: {{sources: [config], targets: [bind]}}
"""


@dataclass(frozen=True, slots=True)
class Peers:
    """Both programs over one zone, in line with it; `requests` were sent to the web service."""

    ours: list[str]
    theirs: list[str]
    feed: EndpointsStandIn


def zone(records: int) -> str:
    """A company's zone with so many records besides SOA and NS, before exosync publishes any."""
    kinds = ("IN A 192.0.2.{n}", "IN CNAME host0", "IN MX 10 host0", 'IN TXT "text {n}"')
    apex = ['@ IN TXT "v=spf1 include:_exo -all"'.replace("_exo", f"_exo.{DOMAIN}")]
    others = [f"host{i} " + kinds[i % 4].format(n=i % 250 + 1) for i in range(records - 3)]
    return zone_file(DOMAIN, *apex, *others)


def microsoft() -> str:
    """A zone with an SPF record as Microsoft's is."""
    terms = "ip4:40.92.0.0/15 ip4:40.107.0.0/16 ip4:52.100.0.0/14 ip4:104.47.0.0/17"
    return zone_file(MICROSOFT, f'spf IN TXT "v=spf1 {terms} ip6:2a01:111:f400::/48 -all"')


@contextmanager
def peers(bench: Bench, records: int, interval: str) -> Iterator[Peers]:
    """Servers, and both programs after a first run of each: from then on nothing is to do."""
    with (
        tempfile.TemporaryDirectory(dir=bench.folder) as name,
        EndpointsStandIn() as feed,
        Bind(Path(name, "bind"), {DOMAIN: zone(records), MICROSOFT: microsoft()}) as bind,
    ):
        folder, port = Path(name), bind.primary.port
        config = folder / "exosync.yaml"
        config.write_text(
            CONFIG.format(
                feed=feed.url,
                interval=interval,
                domain=DOMAIN,
                microsoft=MICROSOFT,
                port=port,
                key=WIDE,
            )
        )
        (folder / "tsig").write_text(WIDE.secret)
        ours = [str(BIN / "exosync"), "--config", str(config), "sync"]
        bench.run(ours)
        _expect(bench, [*ours, "--json"], '"state": "in_sync"')
        theirs = _octodns(bench, folder, port)
        yield Peers(ours, theirs, feed)


def _octodns(bench: Bench, folder: Path, port: int) -> list[str]:
    """Its configuration, with the zone as YAML by its own dump."""
    source, config = folder / "zones", folder / "octodns.yaml"
    source.mkdir()
    config.write_text(OCTODNS.format(folder=source, port=port, key=TRANSFER, domain=DOMAIN))
    common = ["--config-file", str(config), "--quiet"]
    dump = [str(BIN / "octodns-dump"), *common, "--output-dir", str(source), f"{DOMAIN}.", "bind"]
    bench.run(dump)
    sync = [str(BIN / "octodns-sync"), *common]
    _expect(bench, sync, "No changes were planned")
    return sync


def _expect(bench: Bench, command: list[str], words: str) -> None:
    """Run a command that must say these words."""
    done = subprocess.run(
        command, env=bench.environment, capture_output=True, text=True, check=False
    )
    if done.returncode or words not in done.stdout + done.stderr:
        raise SystemExit(f"{' '.join(command)}: no {words!r} in {done.stdout}{done.stderr}")


def measure_sync(bench: Bench, records: int, interval: str) -> Json:
    """A no-change sync against a no-change octodns-sync."""
    with peers(bench, records, interval) as both:
        before = len(both.feed.requests)
        taken = bench.in_turn({OURS: both.ours, THEIRS: both.theirs})
        requests = (len(both.feed.requests) - before) / (bench.rounds + 1)
    return {
        "records": records,
        "requests_a_run": round(requests, 2),
        **compared(taken, OURS, THEIRS),
        "peak_mb": {name: round(peak(samples) / 1e6, 1) for name, samples in taken.items()},
        # A child's peak is never told as less than ours was when it was started.
        "peak_floor_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3, 1),
    }


def measure_start(bench: Bench) -> Json:
    """`--help` against nothing at all."""
    commands = {OURS: [str(BIN / "exosync"), "--help"], PYTHON: [sys.executable, "-c", "pass"]}
    return compared(bench.in_turn(commands), OURS, PYTHON)


def measure_parts(bench: Bench) -> Json:
    """Processor time of Python with nothing, and of each library's import beyond that, in ms.

    Without the search for circles of garbage, as exosync imports them.
    """
    alone = "import gc; gc.disable(); import {}; gc.freeze()"
    commands = {PYTHON: [sys.executable, "-c", "pass"]}
    commands |= {name: [sys.executable, "-c", alone.format(name)] for name in PARTS}
    taken = bench.in_turn(commands)
    cpu = {name: statistics.median(one.cpu for one in runs) * 1e3 for name, runs in taken.items()}
    bare = cpu.pop(PYTHON)
    beyond = {name.partition(".")[0]: round(value - bare, 1) for name, value in cpu.items()}
    return {PYTHON: round(bare, 1), **beyond}


def measure_decade(bench: Bench, hours: int) -> Json:
    """status and history over ten years of runs against the same over a fresh state."""
    # Only now: it loads all of exosync, and no process below is told as smaller than this one.
    from tests.bench.decade import fill

    full, empty = fill(bench.folder, hours)
    found: Json = {
        "runs": full.runs,
        "rows": full.rows,
        "full_bytes": full.size,
        "empty_bytes": empty.size,
    }
    for command in ("status", "history"):
        common = {"full": full.config, "empty": empty.config}
        commands = {
            name: [str(BIN / "exosync"), "--config", str(config), command]
            for name, config in common.items()
        }
        found[command] = compared(bench.in_turn(commands), "full", "empty")
    return found


def measure(bench: Bench, records: list[int], hours: int) -> Json:
    """Everything. Each sync costs a request, but for the last: that is within the hour."""
    _say("sync")
    sync = [measure_sync(bench, count, "0s") for count in records]
    sync.append(measure_sync(bench, records[0], "1h"))
    _say("start")
    start, parts = measure_start(bench), measure_parts(bench)
    _say("decade")
    return {
        **machine("exosync", "octodns", "octodns-bind", "sqlalchemy", "pydantic", "dnspython"),
        "rounds": bench.rounds,
        "sync": sync,
        "start": start,
        "parts": parts,
        "decade": measure_decade(bench, hours),
    }


def _say(what: str) -> None:
    print(f"measuring: {what}", file=sys.stderr, flush=True)


def text(told: Json) -> Iterator[str]:
    """The figures as lines."""
    yield f"{told['machine']}; {told['python']}"
    for one in told["sync"]:
        yield (
            f"sync, {one['records']} records, {one['requests_a_run']:g} requests: "
            f"{_pair(one, OURS, THEIRS)}; peak {one['peak_mb'][OURS]} MB"
        )
    yield f"--help: {_pair(told['start'], OURS, PYTHON)}"
    yield "imports: " + ", ".join(f"{name} {value} ms" for name, value in told["parts"].items())
    decade = told["decade"]
    yield (
        f"{decade['runs']:,} runs: {decade['rows']} rows, {decade['full_bytes'] / 1e6:.2f} MB, "
        f"empty {decade['empty_bytes'] / 1e6:.2f} MB"
    )
    for command in ("status", "history"):
        yield f"{command}: {_pair(decade[command], 'full', 'empty')}"


def _pair(told: Json, ours: str, other: str) -> str:
    cpu = told["cpu_ms"]
    return (
        f"{cpu[ours]} against {cpu[other]} ms of processor time, {told['cpu_ratio']:g} times "
        f"(wall {told['wall_ratio']:g} times)"
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print JSON instead of lines")
    parser.add_argument("--rounds", type=int, default=15, help="runs of each (default 15)")
    parser.add_argument(
        "--records",
        type=lambda given: [int(one) for one in given.split(",")],
        default=[5, 1000],
        help="sizes of the zone, by comma (default 5,1000)",
    )
    parser.add_argument("--hours", type=int, default=HOURS, help=f"default {HOURS}")
    chosen = parser.parse_args()
    if find_named() is None:
        raise SystemExit("named is not installed (Debian: apt install bind9)")
    with tempfile.TemporaryDirectory(prefix="exosync-bench-") as folder:
        told = measure(Bench(Path(folder), chosen.rounds), chosen.records, chosen.hours)
    if chosen.json:
        print(json.dumps(told, indent=2))
        return
    for line in text(told):
        print(line)


if __name__ == "__main__":
    main()
