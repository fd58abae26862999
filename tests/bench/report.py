"""docs/benchmarks.md from what the benchmarks print with --json.

    python tests/bench/report.py RANGES.json PROCESS.json TARGETS.json >docs/benchmarks.md

`make bench` does all three steps (`tests.bench.__main__`).
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.bench.bench_process import OURS, PYTHON, THEIRS
from tests.bench.bench_ranges import duration, times
from tests.bench.report_targets import section

Json = dict[str, Any]

RANGES = "`python tests/bench/bench_ranges.py`"
PROCESS = "`python tests/bench/bench_process.py`"


def report(ranges: Json, process: Json, targets: Json) -> str:
    """The whole page."""
    parts = (
        _head(ranges, process),
        _aims(ranges, process),
        _sync(process),
        _start(process),
        _decade(process),
        _algebra(ranges),
        section(targets),
    )
    return "\n".join(line for part in parts for line in part)


def _head(ranges: Json, process: Json) -> Iterator[str]:
    versions = {"exosync": "", **process["versions"], **ranges["libraries"]}
    told = ", ".join(f"{name} {number}" for name, number in versions.items())
    yield "# Speed and size"
    yield ""
    yield "<!-- Written by `make bench` from its measurements: change tests/bench/report.py. -->"
    yield ""
    yield "What matters here are ratios: what is compared ran in turn in the same minutes, and it is"
    yield "the medians that are compared. Times are processor time (user and system) as the kernel"
    yield "accounts it, so that other work on the machine is hardly in them. Bytecode is compiled"
    yield "beforehand for all. `make bench` measures it all again and writes this page."
    yield ""
    yield f"- {process['date']}, {process['machine']}, {process['python']}"
    yield f"- {told}"
    yield f"- {process['rounds']} counted runs of each process, after one that is not counted"
    yield ""


# Aims


def _aims(ranges: Json, process: Json) -> Iterator[str]:
    yield "## Aims"
    yield ""
    yield "| what | aim | measured | |"
    yield "| --- | --- | --- | --- |"
    for what, aim, measured, met in (*_range_aims(ranges), *_process_aims(process)):
        yield f"| {what} | {aim} | {measured} | {'met' if met else '**missed**'} |"
    yield ""


def _range_aims(ranges: Json) -> Iterator[tuple[str, str, str, bool]]:
    for operation in dict.fromkeys(one["operation"] for one in ranges["rows"]):
        rows = [one["ratios"] for one in ranges["rows"] if one["operation"] == operation]
        slowest = min(one["netaddr"] for one in rows)
        what = f"range algebra: {operation}"
        yield what, "5 times netaddr's speed", f"{slowest:.1f} times, at least", slowest >= 5
        c_library = [1 / one["ipset_c"] for one in rows if "ipset_c" in one]
        if c_library:
            most = max(c_library)
            yield (
                what,
                "within 5 times of the C library",
                f"{most:.1f} times, at most",
                most <= 5,
            )


def _process_aims(process: Json) -> Iterator[tuple[str, str, str, bool]]:
    for one in process["sync"]:
        if one["requests_a_run"]:
            what = f"`sync` without changes, a zone of {one['records']:,} records"
            ratio = one["cpu_ratio"]
            yield what, "not slower than `octodns-sync`", f"{ratio:g} times as long", ratio <= 1
    most = max(one["requests_a_run"] for one in process["sync"])
    yield "requests to Microsoft of that `sync`", "1", f"{most:g}, within the hour 0", most <= 1
    peak = max(one["peak_mb"][OURS] for one in process["sync"])
    yield "peak memory of that `sync`", "under 90 MB", f"{peak:g} MB", peak < 90
    ratio = process["start"]["cpu_ratio"]
    yield "`exosync --help`", "under 6 times Python's own start", f"{ratio:g} times", ratio < 6
    decade = process["decade"]
    for command in ("status", "history"):
        ratio = decade[command]["cpu_ratio"]
        what = f"`{command}` after {decade['runs']:,} hourly runs"
        yield what, "under 2 times that of an empty state", f"{ratio:g} times", ratio < 2


# Processes


def _sync(process: Json) -> Iterator[str]:
    yield "## A sync that finds nothing to do"
    yield ""
    yield f"{PROCESS}: `exosync sync` with one SPF target (`method: records`) against `octodns-sync`"
    yield "(YAML source, octodns-bind with TSIG) over the same zone of BIND 9, both with nothing to do."
    yield ""
    yield "| records in the zone | requests to Microsoft | exosync | octodns-sync | ratio | ratio of wall time | peak of exosync | peak of octodns-sync |"
    yield "| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
    for one in process["sync"]:
        cpu, peak = one["cpu_ms"], one["peak_mb"]
        yield (
            f"| {one['records']:,} | {one['requests_a_run']:g} | {cpu[OURS]:.0f} ms "
            f"| {cpu[THEIRS]:.0f} ms | {one['cpu_ratio']:g} | {one['wall_ratio']:g} "
            f"| {peak[OURS]:g} MB | {peak[THEIRS]:g} MB |"
        )
    yield ""
    yield "The two do not do the same work. octoDNS transfers the zone, compares it with its files and"
    yield "is done, so its time grows with the zone. exosync asks Microsoft for the version, reads its"
    yield "own names at every server, evaluates SPF for an address of every range as planned and as it"
    yield "is at each server, and writes a durable record of the run; the size of the zone is nothing"
    yield "to it."
    yield ""
    yield from _parts(process)


def _parts(process: Json) -> Iterator[str]:
    parts = dict(process["parts"])
    bare = parts.pop(PYTHON)
    small = process["sync"][0]["cpu_ms"]
    heaviest = max(parts, key=lambda name: parts[name])
    yield "Most of a single run is loading libraries. What importing each of them alone takes, beyond"
    yield f"the {bare:.0f} ms of Python itself (they share some of it, so this is no sum):"
    yield ""
    yield f"| {' | '.join(parts)} |"
    yield f"| {' | '.join('---:' for _ in parts)} |"
    yield f"| {' | '.join(f'{value:.0f} ms' for value in parts.values())} |"
    yield ""
    share = parts[heaviest] / small[THEIRS]
    yield f"{heaviest} alone takes {share:.0%} of the time of a whole `octodns-sync` over the small zone. As"
    yield "long as each run is a process of its own that loads these libraries, it cannot be as short"
    yield "as one of octoDNS over a small zone. What is done about it: nothing is imported that a run"
    yield "does not use (`tests/unit/test_imports.py` holds that), and Python's search for circles of"
    yield "garbage is off, since a command ends before they matter."
    yield ""


def _start(process: Json) -> Iterator[str]:
    start = process["start"]
    yield "## Start"
    yield ""
    yield f"{PROCESS}: `exosync --help` {start['cpu_ms'][OURS]:g} ms, `python -c pass`"
    yield (
        f"{start['cpu_ms'][PYTHON]:g} ms: {start['cpu_ratio']:g} times "
        f"(wall time {start['wall_ratio']:g} times)."
    )
    yield ""


def _decade(process: Json) -> Iterator[str]:
    decade = process["decade"]
    yield "## Ten years of hourly runs"
    yield ""
    yield f"{PROCESS}: every published version of the Worldwide cloud comes up in turn, spread over"
    yield "ten years, with a file target in mode apply; large removals are refused and approved, and"
    yield "once a month the service turns a run away. All runs between find nothing."
    yield ""
    yield (
        f"- {decade['runs']:,} runs take {decade['rows']:,} rows: runs that found the same are "
        "counted, not piled up"
    )
    yield (
        f"- the state takes {decade['full_bytes'] / 1e6:.2f} MB, "
        f"an empty one {decade['empty_bytes'] / 1e6:.2f} MB"
    )
    for command in ("status", "history"):
        one = decade[command]
        yield (
            f"- `{command}` takes {one['cpu_ms']['full']:.0f} ms, on an empty state "
            f"{one['cpu_ms']['empty']:.0f} ms: {one['cpu_ratio']:g} times "
            f"(wall time {one['wall_ratio']:g} times)"
        )
    yield ""


# Range algebra


def _algebra(ranges: Json) -> Iterator[str]:
    others = ("netaddr", "ipaddress", "ipset_c")
    yield "## Range algebra"
    yield ""
    yield f"{RANGES}: the same work on the same texts in one process, in turn; in brackets how many"
    yield "times as long as exosync. *list* reads texts, merges them and writes the fewest CIDRs,"
    yield "*difference* is that of two ready sets as CIDRs, *contains* asks a ready set for one address"
    yield "given as text. ipset_c is written in C; `ipaddress` has no sets, so no difference."
    yield ""
    yield f"| operation | ranges | exosync | {' | '.join(others)} |"
    yield "| --- | ---: | ---: | ---: | ---: | ---: |"
    for row in ranges["rows"]:
        micros, ratios = row["microseconds"], row["ratios"]
        cells = [
            f"{duration(micros[name])} ({times(ratios[name])})" if name in micros else "–"
            for name in others
        ]
        yield (
            f"| {row['operation']} | {row['ranges']:,} | {duration(micros[OURS])} "
            f"| {' | '.join(cells)} |"
        )
    yield ""


def main() -> None:
    """Read three files, print the page."""
    if len(sys.argv) != 4:
        raise SystemExit("usage: report.py RANGES.json PROCESS.json TARGETS.json")
    ranges, process, targets = (json.loads(Path(name).read_text()) for name in sys.argv[1:])
    print(report(ranges, process, targets), end="")


if __name__ == "__main__":
    main()
