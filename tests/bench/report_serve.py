"""docs/benchmarks-service.md from what `tests/bench/serve.py --json` prints."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Json = dict[str, Any]

FEW, MANY = 4, 100
OTHERS = "## The page and the image"
"""What begins the part that is written by hand."""

COMMAND = "python tests/bench/serve.py"
MB = 1e6


def page(told: Json) -> str:
    """The whole page; a part that was not measured is left out."""
    parts = told["parts"]
    sections = {
        "versions": _versions,
        "start": _start,
        "idle": _idle,
        "fresh": _fresh,
        "week": _week,
        "runs": _runs,
    }
    lines = list(_head(told))
    for name, section in sections.items():
        found = [one for key, one in parts.items() if key.split()[0] == name]
        if found:
            lines += ["", *section(found)]
    return "\n".join(lines) + "\n"


def _head(told: Json) -> Iterator[str]:
    versions = ", ".join(f"{name} {number}" for name, number in told["versions"].items())
    loads = [value for one in told["parts"].values() for value in one["load"]]
    yield "# What the service costs"
    yield ""
    yield "<!-- Written by `python -m tests.bench serve`: change tests/bench/report_serve.py; the last part is written by hand. -->"
    yield ""
    yield "How soon `exosync serve` does its work, and what it takes meanwhile. Microsoft's service and"
    yield "the receiver of alerts are stand-ins on loopback, the targets are files. The service is a"
    yield "process of its own, with its page, unless a section says otherwise."
    yield ""
    yield f"- {told['date']}, {told['machine']}, {told['python']}"
    yield f"- {versions}"
    yield (
        f"- The machine was shared: {min(loads):g} to {max(loads):g} processes were at work or stood "
        "in line for its cores."
    )
    yield "  Times of the clock are therefore longer than on one's own, and scattered; processor time is"
    yield "  the kernel's account, which hardly feels the others."


def _versions(found: list[Json]) -> Iterator[str]:
    yield "## From a new version to every target, and to people"
    yield ""
    yield f"`{COMMAND} versions`: a version comes out that adds one range. What counts starts with the"
    yield "question to Microsoft that is answered with the new version, and ends when the last target has"
    yield "been written, read back and proven right; and when the receiver has the one message that tells"
    yield "of it all. Seconds of the clock, as median, 99th percentile (the nearest rank) and range; the"
    yield "last column is the processor time that the service took for all of it."
    yield ""
    yield "| targets | versions | first target | all targets | p99 | range | alert | p99 | range | processor |"
    yield "| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
    for one in found:
        yield (
            f"| {one['targets']} | {one['versions']} | {_s(one['first_target'])} "
            f"| {_whole(one['all_targets'])} | {_whole(one['alert'])} | {_s(one['cpu'])} |"
        )
    yield ""
    yield "Before that comes the wait for the question: `schedule.feed`, an hour with Microsoft, so half an"
    yield "hour on average and an hour at most. Here it was asked every two seconds. The message waits for"
    yield "all targets, `alerts.group` (two minutes) at the most, five times that while runs are at work;"
    yield "then the service looks every two seconds whether there is something to send."
    yield "Where a version also takes ranges away from targets at once (`ranges.grace: 0s`), removals wait"
    yield "until all other targets know the version, which is looked at once a minute."


def _start(found: list[Json]) -> Iterator[str]:
    yield "## Start"
    yield ""
    yield f"`{COMMAND} start`: from the start of the process until it tells the service manager that it is"
    yield "ready, and until the feed and every target were run once. The first start finds no state: it"
    yield "makes one, fetches the list and writes every file; the others find all as it should be."
    yield ""
    yield "| targets | starts | ready | range | processor | all run | range | processor | first: ready | first: all run |"
    yield "| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
    for one in found:
        yield (
            f"| {one['targets']} | {one['rounds']} | {_s(one['ready'])} | {_range(one['ready'])} "
            f"| {_s(one['ready_cpu'])} | {_s(one['all_run'])} | {_range(one['all_run'])} "
            f"| {_s(one['all_run_cpu'])} | {one['first']['ready']:g} s | {one['first']['all_run']:g} s |"
        )


def _idle(found: list[Json]) -> Iterator[str]:
    yield "## With nothing to do"
    yield ""
    yield f"`{COMMAND} idle`: processor time a minute, over whole minutes in which no run was due, at the"
    yield "usual settings. The open page is what the page's script asks for: its stream, and the first"
    yield "page anew at each news and once a minute."
    yield ""
    yield "| targets | minutes of each | no page open | range | of a core | a page open | range | of a core |"
    yield "| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
    for one in found:
        cells = " | ".join(
            f"{one[key]['p50']:g} ms | {one[key]['least']:g} to {one[key]['most']:g} ms "
            f"| {one[key]['p50'] / 60_000:.2%}"
            for key in ("closed", "open")
        )
        yield f"| {one['targets']} | {one['closed']['n']} | {cells} |"
        if one["runs_meanwhile"]:
            yield ""
            yield f"{one['runs_meanwhile']} runs fell into these minutes."


def _fresh(found: list[Json]) -> Iterator[str]:
    yield "## Memory after the start"
    yield ""
    yield f"`{COMMAND} fresh`: resident memory after the first round of runs, and after the page, the"
    yield "metrics and the API were asked for once."
    yield ""
    yield "| targets | after the first runs | after the page |"
    yield "| ---: | ---: | ---: |"
    for one in found:
        yield f"| {one['targets']} | {_mb(one['before'])} | {_mb(one['after'])} |"


def _week(found: list[Json]) -> Iterator[str]:
    yield "## Memory over a day and a week"
    yield ""
    yield f"`{COMMAND} week`: a week at the usual settings without its waiting. One process does the"
    yield "service's jobs at their times by a clock that jumps from one to the next, on one thread and"
    yield "without the page; its metrics are read every five minutes."
    yield ""
    yield "| targets | runs | new versions, on the first day | after the first round | after 24 hours | after 7 days | growth a day, by its slope from the second day on |"
    yield "| ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
    for one in found:
        yield (
            f"| {one['targets']} | {one['runs']:,} | {one['versions']} | {_mb(one['first'])} "
            f"| {_mb(one['a_day'])} | {_mb(one['last'])} | {_kb(one['slope_a_day'])} |"
        )


def _runs(found: list[Json]) -> Iterator[str]:
    yield "## Memory over ten thousand runs"
    yield ""
    yield f"`{COMMAND} runs`: a real process, with all its threads, in which the feed and every target are"
    yield "asked for again (`exosync trigger`) as soon as all are done; every tenth time there is a new"
    yield "version. After each time its metrics and its first page are read."
    yield ""
    yield "| targets | runs | new versions | after the first round | after a quarter | at the end | most | growth for 1,000 runs, by its slope from a quarter on |"
    yield "| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
    for one in found:
        yield (
            f"| {one['targets']} | {one['runs']:,} | {one['versions']} | {_mb(one['first'])} "
            f"| {_mb(one['settled'])} | {_mb(one['last'])} | {_mb(one['most'])} "
            f"| {_kb(one['slope_a_thousand'])} |"
        )
    for one in found:
        threads, files = one["threads"], one["files"]
        yield ""
        yield (
            f"Threads: {threads[0]} after the first round, {threads[1]} at the end; open files: "
            f"{files[0]} and {files[1]}. The state took {_mb(one['state'])} then. A run takes "
            f"{one['cpu_a_run_ms']} ms of processor time, all that belongs to it included."
        )


def _whole(one: Json) -> str:
    return f"{_s(one)} | {one['p99']:g} s | {_range(one)}"


def _s(one: Json) -> str:
    return f"{one['p50']:g} s"


def _range(one: Json) -> str:
    return f"{one['least']:g} to {one['most']:g} s"


def _mb(size: int) -> str:
    return f"{size / MB:.1f} MB"


def _kb(size: int) -> str:
    return f"{size / 1e3:+.0f} kB"
