"""How often a vendor is asked: each request of each stage, as the stand-ins wrote it down.

    python tests/bench/vendor_requests.py

Runs are made in this process, over a clock of their own, so the counts are the same every time.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest.mock import patch
from urllib.parse import unquote

sys.path.insert(0, str(Path(__file__).parents[2]))

from exosync.checking import check_target
from exosync.people import acknowledge
from tests.bench.report_targets import counts
from tests.bench.vendor_times import Took, timed
from tests.bench.vendors import CASES, EXCHANGE, EXCHANGE_CASES, Case, Company, company
from tests.standins.exchange_requests import Command, command_of
from tests.standins.web import Request
from tests.support.world import World

Json = dict[str, Any]
Calls = list[str]

STAGES = ("check", "first", "none", "change", "removal", "later")
"""`later` is a run that finds nothing four days after a person's last step: Google's audit log,
which may lag by three, is not read any more."""

_TOKENS = ("/token", "/oauth/token")
_PATIENCE = 6
"""Runs until a stage is given up."""


class Asked:
    """One case, and what its runs ask."""

    def __init__(self, outside: Company, case: Case) -> None:
        self._outside, self._case = outside, case
        self.world = World(outside.folder, outside.feed, [], now=datetime.now(UTC))
        self.configure()

    def configure(self, *, changed: bool = False, removed: bool = False) -> None:
        """What is wanted from now on."""
        self.world.settings = self._outside.configuration(
            self._case, changed=changed, removed=removed
        )
        self.world.targets = self.world.settings.pop("targets")

    def stages(self) -> Iterator[tuple[str, list[list[Request]]]]:
        """Each stage with the requests of its runs; between two runs a person acts."""
        yield "check", [self.check()]
        yield "first", list(self.settled())
        yield "none", list(self.settled())
        self.configure(changed=True)
        yield "change", list(self.settled())
        self.configure(removed=True)
        yield "removal", list(self.settled())
        self.world.pass_time(days=4)
        yield "later", list(self.settled())

    def check(self) -> list[Request]:
        """What `exosync check` asks."""
        with self.world.opened() as one:
            found = [check for job in one.rules.jobs for check in check_target(job)]
        assert all(one.ok is not False for one in found), found
        return self._outside.asked()

    def settled(self) -> Iterator[list[Request]]:
        """Runs, and what people do between them, until nothing is left to do."""
        told: Json = {}
        for _ in range(_PATIENCE):
            self.world.pass_time(minutes=1)
            (told,) = self.world.sync()["targets"]
            asked = self._outside.asked()
            if told["state"] == "refused":
                self.world.approve(told["plan"])
                if any(one["status"] == "done" for one in told["steps"]):
                    yield asked
                continue
            yield asked
            if told["state"] in ("applied", "in_sync", "asserted"):
                return
            assert told["state"] == "waiting", told
            self._people_act()
        raise AssertionError(f"{self._case.title}: never settles: {told}")

    def sync(self) -> Took:
        """One run in a process that is loaded already."""
        return timed(self.world.sync)

    def box(self) -> str:
        """What a person is to paste."""
        with self.world.opened() as one:
            (task,) = one.store.open_tasks()
            return str(task.body["box"])

    def _people_act(self) -> None:
        with self.world.opened() as one:
            for task in one.store.open_tasks():
                if task.setting == "email_allowlist":
                    self._outside.paste(task.body["box"])
                    continue
                if self._case.vendor == EXCHANGE and self._case.keys.get("credentials", True):
                    self._outside.run_script(task.body["box"])
                    continue
                acknowledge(
                    one.store,
                    task,
                    one.store.find_plan(task.plan_id),
                    by="ada",
                    note="",
                    rules=one.rules.tasks,
                    at=self.world.now,
                )


@contextmanager
def asked(case: Case, folder: Path) -> Iterator[Asked]:
    """One case in a folder."""
    with company(folder, [case]) as outside, patch.dict(os.environ, outside.environ):
        yield Asked(outside, case)


def calls(requests: Sequence[Request]) -> Calls:
    """Method and path of each."""
    return [f"{one.method} {unquote(one.path)}" for one in requests]


def least(requests: Sequence[Request]) -> int:
    """The fewest that could do the same.

    Every token once, every list once, every write once, and once more each list that was
    written to: what is not read back is not proven.
    """
    commands = [one for one in map(command_of, requests) if one is not None]
    if commands:
        return len(requests) - len(commands) + _least_of_commands(commands)
    tokens = {(one.path, one.body) for one in requests if _is_of_a_token(one)}
    writes = [one for one in requests if one.method != "GET" and not _is_of_a_token(one)]
    reads = [one for one in requests if one.method == "GET"]
    found = len(tokens) + len(writes)
    for path in {one.path for one in reads if not _is_single(one, reads)}:
        written = any(one.path.startswith(path) for one in writes)
        pages = _pages([one for one in reads if one.path == path])
        found += pages[0] + (pages[-1] if written else 0)
    return min(found, len(requests))


def _least_of_commands(commands: Sequence[Command]) -> int:
    """The same of Exchange Online, where every command is a POST."""
    writes = [one.cmdlet for one in commands if one.is_write]
    reads = {(one.cmdlet, json.dumps(one.parameters)) for one in commands if not one.is_write}
    written = {name.partition("-")[2] for name in writes}
    again = [cmdlet for cmdlet, _ in reads if cmdlet.partition("-")[2] in written]
    return len(writes) + len(reads) + len(again)


def _is_of_a_token(one: Request) -> bool:
    return one.path in _TOKENS or one.path.endswith((":signJwt", "%3AsignJwt"))


def _is_single(one: Request, reads: Sequence[Request]) -> bool:
    """Whether it reads one entry of a list."""
    return any(one.path.startswith(f"{other.path}/") for other in reads)


def _pages(reads: Sequence[Request]) -> list[int]:
    """How many pages each reading of a list had."""
    found: list[int] = []
    for one in reads:
        if "pageToken" in one.query:
            found[-1] += 1
        else:
            found.append(1)
    return found


def measure_requests(
    folder: Path, said: Callable[[str], None] = lambda _: None, cases: Sequence[Case] = CASES
) -> list[Json]:
    """Requests of every stage of every case; of each run what was sent and the fewest."""
    rows = []
    for number, case in enumerate(cases):
        said(f"requests, {case.vendor}, {case.title}")
        own = folder / f"case-{number}"
        own.mkdir()
        with asked(case, own) as one:
            stages = {
                stage: [{"sent": len(run), "least": least(run)} for run in runs]
                for stage, runs in one.stages()
            }
        rows.append({"vendor": case.vendor, "title": case.title, "stages": stages})
    return rows


def text(rows: Sequence[Json]) -> Iterator[str]:
    """The figures as lines."""
    for row in rows:
        told = "; ".join(f"{stage} {counts(row['stages'][stage])}" for stage in STAGES)
        yield f"{row['vendor']}, {row['title']}: {told}"


def main() -> None:
    """Count and print."""
    with tempfile.TemporaryDirectory(prefix="exosync-bench-") as folder:
        for line in text(measure_requests(Path(folder), cases=(*CASES, *EXCHANGE_CASES))):
            print(line)


if __name__ == "__main__":
    main()
