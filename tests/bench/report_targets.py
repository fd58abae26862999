"""The part of docs/benchmarks.md about the targets of vendors."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

Json = dict[str, Any]

TITLE = "## Mimecast and Google Workspace"
TARGETS = "`python tests/bench/bench_targets.py`"

FILE, MAIL, GOOGLE, BOTH = "file", "mimecast", "google_workspace", "both"
"""What is measured beside each other; `both` are the second and the third."""

_WORDS = {MAIL: "Mimecast", GOOGLE: "Google Workspace", BOTH: "both"}


def section(told: Json) -> Iterator[str]:
    """The whole part; in the page it takes the place of the older one."""
    versions = ", ".join(f"{name} {number}" for name, number in told["versions"].items())
    yield TITLE
    yield ""
    yield f"{TARGETS}: both vendors are stand-ins on loopback."
    yield "`python -m tests.bench targets` measures this part alone again."
    yield ""
    yield f"- {told['date']}, {told['machine']}, {told['python']}"
    yield f"- {versions}"
    yield f"- {told['rounds']} counted runs of each process, {told['changes']} against slow answers"
    yield ""
    yield from _requests(told)
    yield from _times(told)
    yield from _adds(told)


def _requests(told: Json) -> Iterator[str]:
    yield "### Requests"
    yield ""
    yield "Each request to the vendor, those for tokens included. Several numbers are several runs:"
    yield "between two of them a person did what was asked for. In brackets is the fewest that could"
    yield "do it, where that is less: each token, list and write once, and once more each list that"
    yield "was written to. The change adds one range (for `spf_bypass` a domain, for"
    yield "`permitted_addresses` a recipient), the removal takes it away."
    yield ""
    yield "What goes beyond the fewest: where there is no compare-and-swap, what is to be changed is"
    yield "read once more before it and after it; before a policy is made at Mimecast, the whole list"
    yield "is looked through for its mark; and after a write every setting of the target is read anew."
    yield "Without a key, each of Google's scopes has a token of its own, and so has its source."
    yield ""
    yield "| | `check` | first run | nothing to do | a change | a removal | four days later |"
    yield "| --- | ---: | ---: | ---: | ---: | ---: | ---: |"
    for row in told["requests"]:
        cells = " | ".join(counts(runs) for runs in row["stages"].values())
        yield f"| {row['vendor']}: {row['title']} | {cells} |"
    yield ""


def counts(runs: Sequence[Json]) -> str:
    """`2`, or `2, 4` for two runs; with the fewest in brackets where that is less: `6 (4)`."""
    return ", ".join(
        f"{one['sent']} ({one['least']})" if one["least"] < one["sent"] else f"{one['sent']}"
        for one in runs
    )


def _times(told: Json) -> Iterator[str]:
    yield "### Applying and verifying against slow answers"
    yield ""
    yield "Every answer of the vendor takes 50 ms. The bare minimum is the number of requests times"
    yield "that. *whole* is the run, without the time that it stood in line for a processor: first in"
    yield "a process that is loaded already, then as a process of its own, whose start is most of it."
    yield "Each was made again in turn with answers that take no time. What the run waited for"
    yield "besides then is what the *answers cost*, and should be the bare minimum. Left out is the"
    yield "second that Google wants between two requests (`page_pause`): before a patch, and between"
    yield "two pages."
    yield ""
    yield "| | requests | bare minimum | whole, loaded | answers cost | whole, started | answers cost |"
    yield "| --- | ---: | ---: | ---: | ---: | ---: | ---: |"
    for loaded, process in zip(told["times"]["loaded"], told["times"]["process"], strict=True):
        yield (
            f"| {loaded['vendor']}: {loaded['title']}; {loaded['turn']} | {loaded['requests']} "
            f"| {loaded['bare_ms']} ms | {_whole(loaded)} | {_times_bare(loaded)} "
            f"| {_whole(process)} | {_times_bare(process)} |"
        )
    yield ""


def _whole(one: Json) -> str:
    return f"{one['slow_ms']} ms ({one['whole_ratio']:g} ×)"


def _times_bare(one: Json) -> str:
    return f"{one['answers_ratio']:g} ×"


def _adds(told: Json) -> Iterator[str]:
    yield "### What a target adds to a run"
    yield ""
    yield "`exosync sync` with nothing to do: a file target alone, and what one of a vendor beside it"
    yield "adds. Where Microsoft is asked too, its `requests` is loaded already when Mimecast needs it."
    yield ""
    yield "| requests to Microsoft | a file target alone | + Mimecast | + Google Workspace | + both |"
    yield "| ---: | ---: | ---: | ---: | ---: |"
    for one in told["syncs"]:
        cells = " | ".join(_added(one, name) for name in _WORDS)
        yield f"| {one['requests_to_microsoft']} | {_alone(one)} | {cells} |"
    yield ""
    yield "What loading alone adds, to a process that has loaded all that a file target needs"
    yield f"({_alone(told['imports'])}):"
    yield ""
    names = list(told["imports"]["cpu_ms_beyond"])
    yield f"| {' | '.join(_WORDS.get(name, f'{name} alone') for name in names)} |"
    yield f"| {' | '.join('---:' for _ in names)} |"
    yield f"| {' | '.join(_added(told['imports'], name) for name in names)} |"
    yield ""
    start = told["help"]
    yield (
        f"`exosync --help` takes {start['cpu_ms']:g} ms where a file target alone is configured; "
        f"where both are, {round(start['cpu_ms_beyond'][BOTH]):+d} ms."
    )
    yield "Nothing of a vendor's library is loaded where no target needs it"
    yield "(`tests/unit/test_imports.py` holds that)."
    yield ""


def _alone(one: Json) -> str:
    return f"{one['cpu_ms']:.0f} ms, {one['peak_mb'][FILE]:g} MB"


def _added(one: Json, name: str) -> str:
    more = one["peak_mb"][name] - one["peak_mb"][FILE]
    return f"+ {one['cpu_ms_beyond'][name]:.0f} ms, + {more:.1f} MB"
