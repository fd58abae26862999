"""What `exosync serve` is measured in: a feed with as many versions as needed, and a receiver."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.standins.endpoints import EndpointsStandIn, answer_body
from tests.standins.web import Reply, Request
from tests.standins.webhook import WebhookStandIn
from tests.support.served import configure, file_target

Json = dict[str, Any]

FIRST = 2026090100
"""The first of the made-up versions; what they do not add is as published."""

_REAL = "2026081400"
_MAIL = 10  # the id of Exchange Online's set for mail, as published
_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


class Feed(EndpointsStandIn):
    """The feed, which knows when it first told of each version."""

    def __init__(self, data: Path) -> None:
        super().__init__(data=data, version=f"{FIRST}")
        self.told: dict[str, float] = {}

    def _honest(self, request: Request) -> Reply:
        version = self._latest[self._instance]
        if request.path.startswith("/version"):
            self.told.setdefault(version, time.time())
        del self.requests[:]
        return super()._honest(request)


@dataclass
class Outside:
    """A folder for an installation, the feed, and who is told of changes."""

    folder: Path
    feed: Feed
    hook: WebhookStandIn
    heard: dict[str, float] = field(default_factory=dict)
    _number: int = FIRST

    def configure(self, targets: int, **schedule: str) -> list[str]:
        """Write a configuration with so many file targets; gives their names."""
        names = [f"t{number:03}" for number in range(targets)]
        channel = {"name": "hook", "kind": "webhook", "url": self.hook.url}
        (self.folder / "secret").write_text("whsec_c2VjcmV0")
        configure(
            self.folder,
            self.feed.url,
            guards={"max_growth": "100%"},
            schedule=schedule,
            alerts={"channels": [{**channel, "secret": {"file": "secret"}}]},
            targets=[file_target(name) for name in names],
        )
        return names

    def publish(self) -> str:
        """Let the next version be the newest."""
        self._number += 1
        self.feed.publish(f"{self._number}")
        return f"{self._number}"

    def hears(self, request: Request) -> None:
        """Note when a version was told of."""
        version = json.loads(request.body)["version"]
        if version:
            self.heard.setdefault(version["version"], time.time())
        del self.hook.requests[:], self.hook.taken[:]


@contextmanager
def outside(folder: Path, versions: int) -> Iterator[Outside]:
    """All that there is outside, in a folder of its own."""
    folder.mkdir()
    make_versions(folder / "feed", versions + 1)
    with Feed(folder / "feed") as feed, WebhookStandIn() as hook:
        one = Outside(folder, feed, hook)
        hook.came = one.hears
        yield one


def make_versions(data: Path, count: int, *, moving: bool = False) -> list[str]:
    """Write made-up versions, for a stand-in to publish; gives them, oldest first.

    Each adds a range; `moving` ones take away that of the last.
    """
    sets = json.loads(answer_body("Worldwide", _REAL))
    (data / "Worldwide").mkdir(parents=True)
    versions = [f"{FIRST + number}" for number in range(count)]
    for number, version in enumerate(versions):
        added = [range_of(one) for one in range(number if moving else 0, number + 1)]
        found = [{**one, "ips": one["ips"] + added} if one["id"] == _MAIL else one for one in sets]
        (data / "Worldwide" / f"{version}.json").write_text(json.dumps(found))
    return versions


def range_of(number: int) -> str:
    """What the version of that number adds; it touches no other's."""
    return f"52.{96 + number // 128}.{2 * number % 256}.0/24"


@dataclass(frozen=True, slots=True)
class Account:
    """What the kernel says of a process: seconds of processor time, bytes, threads, open files."""

    cpu: float
    resident: int
    threads: int
    files: int


def account(pid: int) -> Account:
    """How a process stands (proc(5): stat, statm and fd)."""
    own = Path("/proc") / str(pid)
    after_name = (own / "stat").read_text().rpartition(") ")[2].split()
    resident = int((own / "statm").read_text().split()[1]) * _PAGE
    cpu = (int(after_name[11]) + int(after_name[12])) / _TICKS
    return Account(cpu, resident, int(after_name[17]), len(list((own / "fd").iterdir())))
