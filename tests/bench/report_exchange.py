"""The part of docs/benchmarks.md about Exchange Online's connector and rule."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.bench.report_targets import counts

Json = dict[str, Any]

TITLE = "## Exchange Online"
FILE, BESIDE = "file", "exchange"
"""What is measured: a file target alone, and one of Exchange Online beside it."""


def section(told: Json) -> Iterator[str]:
    """The whole part; in the page it takes the place of the older one."""
    versions = ", ".join(f"{name} {number}" for name, number in told["versions"].items())
    yield TITLE
    yield ""
    yield "`python tests/bench/bench_exchange.py`: Microsoft's hosts are a stand-in on loopback."
    yield "`python -m tests.bench exchange` measures this part alone again."
    yield ""
    yield f"- {told['date']}, {told['machine']}, {told['python']}"
    yield f"- {versions}"
    yield f"- {told['rounds']} counted runs of each process"
    yield ""
    yield from _requests(told)
    yield from _adds(told)


def _requests(told: Json) -> Iterator[str]:
    yield "Requests are counted as above. The first run of `write: rest` makes the connector and the"
    yield "rule, the second, once a person has approved it, switches the rule on; the third sees that a"
    yield "person has made the domain an internal relay. A change is that of the smart host, the removal"
    yield "takes rule and connector away. What goes beyond the fewest: connectors and rules are read"
    yield "before each write and after it, and everything once more at the end. Two requests of each run"
    yield "are for a token. Connectors are listed by two commands, or by up to four where no answer shows"
    yield "that two do: the first time, and after the removal."
    yield ""
    yield "| | `check` | first run | nothing to do | a change | a removal | four days later |"
    yield "| --- | ---: | ---: | ---: | ---: | ---: | ---: |"
    for row in told["requests"]:
        cells = " | ".join(counts(runs) for runs in row["stages"].values())
        yield f"| {row['title']} | {cells} |"
    yield ""


def _adds(told: Json) -> Iterator[str]:
    syncs, loads = told["sync"], told["imports"]
    yield "Peak memory of `exosync sync` with nothing to do, where Microsoft's list is asked for too:"
    yield f"{_alone(syncs)} with a file target alone, {_added(syncs, BESIDE)} with one of Exchange"
    yield "Online beside it."
    yield ""
    yield "What loading alone adds, to a process that has loaded all that a file target needs"
    yield f"({_alone(loads)}):"
    yield ""
    names = [one for one in loads["peak_mb"] if one != FILE]
    yield f"| {' | '.join(names)} |"
    yield f"| {' | '.join('---:' for _ in names)} |"
    yield f"| {' | '.join(_added(loads, one) for one in names)} |"
    yield ""
    yield "msal is loaded when the first token is needed, and cryptography only where a certificate signs"
    yield "(`tests/unit/test_imports.py` holds that)."
    yield ""


def _alone(one: Json) -> str:
    return f"{one['peak_mb'][FILE]:g} MB"


def _added(one: Json, name: str) -> str:
    more = one["peak_mb"][name] - one["peak_mb"][FILE]
    return f"+ {more:.1f} MB"
