"""How fast the range algebra is beside netaddr, `ipaddress` and the C library ipset_c.

    python tests/bench/bench_ranges.py [--json] [--sizes 100,1000] [--repeats 7] [--no-slow]

All candidates do the same work on the same texts in one process, in turn, round by round; the
figure is the median over the rounds. Before anything is timed, all must give equal results.

* list: read the texts, merge them, write the fewest CIDRs;
* difference: of two sets that stand ready, as the fewest CIDRs;
* contains: whether one address, given as text, is in a set that stands ready.

`ipaddress` has no sets: its difference is left out, and it contains by asking each network.
ipset_c takes no mixed families: it gets the lists ready parted, which is in its favour.
"""

from __future__ import annotations

import argparse
import ipaddress
import json
import os
import platform
import random
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2] / "service"))

import netaddr

from exosync.core.ranges import IpRanges

try:
    import ipset_c
except ImportError:
    ipset_c = None

OURS = "exosync"
SIZES = (100, 1_000, 10_000, 100_000)
IPV6_SHARE = 0.2
SLOW = 20_000  # ranges from which on --no-slow leaves `ipaddress` out
SAMPLE_SECONDS = 0.01
SEED = 20190107

Operations = Mapping[str, Callable[[], object]]


@dataclass(frozen=True)
class Input:
    """Two lists of CIDRs that share half of their ranges, and one address."""

    one: list[str]
    other: list[str]
    address: str


@dataclass(frozen=True)
class Row:
    """The medians of one operation at one size, in microseconds a call."""

    operation: str
    ranges: int
    cidrs: int
    micros: dict[str, float]

    def ratio(self, candidate: str) -> float | None:
        """How many times as long as ours a candidate takes."""
        taken = self.micros.get(candidate)
        return taken / self.micros[OURS] if taken is not None else None


# Input


def blocks(count: int, rng: random.Random) -> list[str]:
    """Random CIDRs, about every fourth one of a pair, so that there is something to merge."""
    found: list[str] = []
    while len(found) < count:
        if rng.random() < IPV6_SHARE:
            prefix = rng.randint(40, 64)
            size = 1 << 128 - prefix
            first = (0x2 << 124 | rng.getrandbits(124)) & -size
            pair = [str(ipaddress.IPv6Address(one)) for one in (first, first ^ size)]
        else:
            prefix = rng.randint(18, 28)
            size = 1 << 32 - prefix
            first = rng.randrange(1 << 24, 224 << 24) & -size
            pair = [str(ipaddress.IPv4Address(one)) for one in (first, first ^ size)]
        found += [f"{one}/{prefix}" for one in (pair if rng.random() < 1 / 7 else pair[:1])]
    return found[:count]


def make_input(count: int) -> Input:
    """The same for the same count in every run."""
    rng = random.Random(SEED + count)
    one = blocks(count, rng)
    other = one[: count // 2] + blocks(count - count // 2, rng)
    rng.shuffle(one)
    rng.shuffle(other)
    four = [cidr for cidr in one if ":" not in cidr]
    return Input(one, other, str(ipaddress.ip_network(four[len(four) // 2])[0]))


def parted(cidrs: Iterable[str]) -> tuple[list[str], list[str]]:
    """IPv4 and IPv6."""
    listed = list(cidrs)
    return [one for one in listed if ":" not in one], [one for one in listed if ":" in one]


# Candidates: each gives its operations on an input


def exosync_operations(data: Input) -> Operations:
    """Ours."""
    one, other = IpRanges.parse(data.one), IpRanges.parse(data.other)

    def difference() -> tuple[str, ...]:
        return (one - other).cidrs()

    return {
        "list": lambda: IpRanges.parse(data.one).cidrs(),
        "difference": difference,
        "contains": lambda: data.address in one,
    }


def netaddr_operations(data: Input) -> Operations:
    """netaddr's own merging, and its sets."""
    one, other = netaddr.IPSet(data.one), netaddr.IPSet(data.other)
    return {
        "list": lambda: [str(cidr) for cidr in netaddr.cidr_merge(data.one)],
        "difference": lambda: [str(cidr) for cidr in (one - other).iter_cidrs()],
        "contains": lambda: data.address in one,
    }


def ipaddress_operations(data: Input) -> Operations:
    """The standard library."""

    def merged() -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
        four: list[ipaddress.IPv4Network] = []
        six: list[ipaddress.IPv6Network] = []
        for network in map(ipaddress.ip_network, data.one):
            if isinstance(network, ipaddress.IPv4Network):
                four.append(network)
            else:
                six.append(network)
        return [*ipaddress.collapse_addresses(four), *ipaddress.collapse_addresses(six)]

    networks = merged()

    def contains() -> bool:
        address = ipaddress.ip_address(data.address)
        return any(address in network for network in networks)

    return {"list": lambda: [str(network) for network in merged()], "contains": contains}


def ipset_c_operations(data: Input) -> Operations:
    """The C library, a set a family."""
    make = ipset_c.IPSet
    four, six = parted(data.one)
    four_set, six_set = make(four), make(six)
    other_four_set, other_six_set = map(make, parted(data.other))
    return {
        "list": lambda: make(four).getCidrs() + make(six).getCidrs(),
        "difference": lambda: (
            (four_set - other_four_set).getCidrs() + (six_set - other_six_set).getCidrs()
        ),
        "contains": lambda: four_set.isContainsCidr(data.address),
    }


def candidates(count: int, *, slow: bool) -> dict[str, Callable[[Input], Operations]]:
    """Who takes part at this size; ours first."""
    found: dict[str, Callable[[Input], Operations]] = {
        OURS: exosync_operations,
        "netaddr": netaddr_operations,
    }
    if slow or count < SLOW:
        found["ipaddress"] = ipaddress_operations
    if ipset_c is not None:
        found["ipset_c"] = ipset_c_operations
    return found


# Timing


def plain(result: object) -> object:
    """A result that can be compared: lists of CIDRs in one order."""
    if isinstance(result, (list, tuple)):
        return sorted(result, key=IpRanges.sort_key)
    return result


def check_equal(operation: str, calls: Operations) -> int:
    """The length of the result; raises SystemExit if two candidates differ."""
    expected = plain(calls[OURS]())
    for name, call in calls.items():
        if plain(call()) != expected:
            raise SystemExit(f"{operation}: {name} and {OURS} give different results")
    return len(expected) if isinstance(expected, list) else 1


def calls_a_sample(call: Callable[[], object]) -> int:
    """How many calls make a sample long enough to be timed."""
    count = 1
    while (taken := seconds(call, count)) < SAMPLE_SECONDS:
        count = max(count + 1, int(count * min(10, 1.2 * SAMPLE_SECONDS / max(taken, 1e-9))))
    return count


def seconds(call: Callable[[], object], count: int) -> float:
    """The processor time of so many calls; other work on the machine is left out of it."""
    begin = time.process_time()
    for _ in range(count):
        call()
    return time.process_time() - begin


def medians(calls: Operations, repeats: int) -> dict[str, float]:
    """Microseconds a call, the candidates taking turns in every round."""
    counts = {name: calls_a_sample(call) for name, call in calls.items()}
    taken: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(repeats):
        for name, call in calls.items():
            taken[name].append(seconds(call, counts[name]) / counts[name])
    return {name: statistics.median(values) * 1e6 for name, values in taken.items()}


def measure(sizes: Iterable[int], *, repeats: int, slow: bool) -> Iterator[Row]:
    """Every operation at every size."""
    for count in sizes:
        data = make_input(count)
        ready = {name: make(data) for name, make in candidates(count, slow=slow).items()}
        for operation in ready[OURS]:
            calls = {name: one[operation] for name, one in ready.items() if operation in one}
            cidrs = check_equal(operation, calls)
            yield Row(operation, count, cidrs, medians(calls, repeats))


# Telling


def machine() -> dict[str, Any]:
    """Where and with what it ran."""
    libraries = ["netaddr", *(["ipset_c"] if ipset_c is not None else [])]
    return {
        "machine": f"{platform.system()} {platform.machine()}, {processor()}, {os.cpu_count()} CPUs",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "libraries": {name: version(name) for name in libraries},
    }


def processor() -> str:
    """The processor's name, where the system tells it."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.processor() or "unknown processor"
    names = [line.partition(":")[2].strip() for line in text.splitlines() if "model name" in line]
    return names[0] if names else "unknown processor"


def duration(micros: float | None) -> str:
    """A time in the unit that suits it."""
    if micros is None:
        return "–"
    if micros < 1_000:
        return f"{micros:.3g} µs"
    if micros < 1_000_000:
        return f"{micros / 1_000:.3g} ms"
    return f"{micros / 1_000_000:.3g} s"


def times(ratio: float | None) -> str:
    """A ratio, as a factor."""
    return "–" if ratio is None else f"{ratio:.2g} ×" if ratio < 10 else f"{ratio:,.0f} ×"


def markdown(rows: Iterable[Row]) -> Iterator[str]:
    """The table, with a line on what it was made on."""
    about = machine()
    libraries = ", ".join(f"{name} {number}" for name, number in about["libraries"].items())
    yield f"{about['machine']}; {about['python']}; {libraries}."
    yield "Medians of processor time; in brackets how many times as long as exosync."
    yield ""
    others = ("netaddr", "ipaddress", "ipset_c")
    yield f"| operation | ranges | exosync | {' | '.join(others)} |"
    yield "| --- | ---: | ---: | ---: | ---: | ---: |"
    for row in rows:
        cells = [
            f"{duration(row.micros.get(name))} ({times(row.ratio(name))})"
            if name in row.micros
            else "–"
            for name in others
        ]
        yield (
            f"| {row.operation} | {row.ranges:,} | {duration(row.micros[OURS])} "
            f"| {' | '.join(cells)} |"
        )


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--repeats", type=int, default=7, help="rounds (default 7)")
    parser.add_argument("--no-slow", action="store_true", help="no ipaddress at large sizes")
    parser.add_argument(
        "--sizes",
        type=lambda text: [int(one) for one in text.split(",")],
        default=SIZES,
        help="numbers of ranges, by comma (default 100,1000,10000,100000)",
    )
    return parser.parse_args()


def main() -> None:
    """Measure and print."""
    chosen = arguments()
    rows = measure(chosen.sizes, repeats=chosen.repeats, slow=not chosen.no_slow)
    if not chosen.json:
        for line in markdown(rows):
            print(line, flush=True)
        return
    told = [
        {
            "operation": row.operation,
            "ranges": row.ranges,
            "cidrs": row.cidrs,
            "microseconds": row.micros,
            "ratios": {name: row.ratio(name) for name in row.micros if name != OURS},
        }
        for row in rows
    ]
    print(json.dumps({**machine(), "rows": told}, indent=2))


if __name__ == "__main__":
    main()
