"""An imagined company: what it has outside, its service, and what must never be seen there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any, TypeAlias

import yaml

from exosync.approval import approve_plan
from exosync.config import load
from exosync.control import pause, resume
from exosync.core.meter import FEED
from exosync.core.ranges import IpRanges
from exosync.core.units import duration_text
from exosync.errors import RefusedError
from tests.serve.microsoft import Microsoft, ranges_of
from tests.serve.simulated import Clock, Simulated
from tests.standins.mimecast import MimecastStandIn
from tests.standins.webhook import WebhookStandIn

Json = dict[str, Any]
Moment: TypeAlias = tuple[datetime, Callable[[], None]]

GRACE = timedelta(days=2)
MIDWAY = timedelta(hours=13)
"""So long is waited for a run that can be stopped in its midst."""

FILES = ("edge", "night")
"""Two files that are written, the second by night alone."""

WRITTEN = (*FILES, "mimecast")


@dataclass
class Company:
    """What there is outside, the service, and what was seen of both."""

    folder: Path
    versions: list[str]
    feed: Microsoft
    mail: MimecastStandIn
    hooks: dict[str, WebhookStandIn]
    service: Simulated
    chance: Random
    adopted: list[tuple[datetime, str]] = field(default_factory=list)
    paused: set[str] = field(default_factory=set)
    offs: list[tuple[datetime, datetime]] = field(default_factory=list)
    _held: dict[str, IpRanges] = field(default_factory=dict)
    _steps_to_stop: int | None = None
    _off_until: datetime | None = None

    # What is looked at all the time

    def look(self, name: str = "") -> None:
        """After each job, and before each step: what the files hold, and what may have gone."""
        if name == FEED:
            with self.service.store() as store:
                known = store.adopted("Worldwide")
            if known and known.version not in [version for _, version in self.adopted[-1:]]:
                self.adopted.append((self.service.clock.at, known.version))
        for file in FILES:
            path = self.folder / file / "exo.txt"
            if path.exists():
                self._compare(file, _read(path))

    def _compare(self, file: str, found: IpRanges) -> None:
        before, at = self._held.get(file, IpRanges()), self.service.clock.at
        self._held[file] = found
        if found == before:
            return
        assert file not in self.paused, f"{file} was written while it was paused"
        lost = before - found
        assert not lost & self._still_wanted(at), f"{file} lost {lost.cidrs()} too early, at {at}"
        if lost:
            newest = ranges_of(self.adopted[-1][1])
            assert newest <= found, f"{file} lost {lost.cidrs()} before all was added"
        if file == "night":
            assert 1 <= at.hour < 5, f"night was written at {at}"

    def _still_wanted(self, at: datetime) -> IpRanges:
        """What any version held that was in force within the grace time."""
        ends = [*(moment for moment, _ in self.adopted[1:]), at]
        held = [
            version
            for (_, version), end in zip(self.adopted, ends, strict=True)
            if at - GRACE < end
        ]
        return IpRanges().union(*map(ranges_of, [*held, self.adopted[-1][1]]))

    def stopping(self) -> bool:
        """Whether the service is told to stop, asked before each step of a run."""
        self.look()
        if self._steps_to_stop is None:
            return False
        self._steps_to_stop -= 1
        return self._steps_to_stop <= 0

    # What happens

    def live(self, moments: list[Moment]) -> None:
        """Let it all happen, each at its time."""
        self.service.start()
        for at, happens in sorted(moments, key=lambda one: one[0]):
            self._serve_until(at)
            happens()

    def _serve_until(self, at: datetime) -> None:
        service = self.service
        if self._off_until is not None:
            service.clock.at = max(service.clock.at, min(self._off_until, at))
            if service.clock.at < self._off_until:
                return
            self._off_until = None
            service.start()
        service.run_until(at)

    def dies(self) -> None:
        """The process is gone; what it knew is gone with it, and a new one starts at once."""
        self._off_until = self.service.clock.at

    def is_off(self, span: timedelta) -> None:
        """The machine is off for some time."""
        now = self.service.clock.at
        self.offs.append((now, now + span))
        self._off_until = now + span

    def stops_midway(self, steps: int) -> None:
        """The service is told to stop just before a step of a run."""
        if self._off_until is not None:
            return
        self._steps_to_stop = steps
        self.service.run_until(self.service.clock.at + MIDWAY)
        self._steps_to_stop = None
        self.dies()

    def person(self) -> None:
        """Somebody approves what is refused."""
        with self.service.store() as store:
            for name in WRITTEN:
                known = store.target_state(name)
                if known is None or known.state != "refused" or known.plan is None:
                    continue
                record = store.find_plan(known.plan)
                try:
                    approve_plan(store, record, by="ada", why="seen", at=self.service.clock())
                except RefusedError as error:
                    assert error.rule == "stale_plan", error  # noqa: PT017

    def pauses(self, name: str) -> None:
        """Somebody holds a target."""
        with self.service.store() as store:
            pause(store, name, by="ada", why="moving house", at=self.service.clock())
        self.paused.add(name)

    def resumes(self, name: str) -> None:
        """And lets it go."""
        self.paused.discard(name)
        with self.service.store() as store:
            resume(store, name, by="ada", at=self.service.clock())

    def tampers(self, file: str) -> None:
        """Somebody adds a range of their own to a file of ours."""
        path = self.folder / file / "exo.txt"
        if path.exists():
            path.write_text(f"{path.read_text()}192.0.2.0/24\n")
            self._held[file] = _read(path)

    def licences(self, products: frozenset[str]) -> None:
        """What our application may use at Mimecast."""
        self.mail.access.products = products

    def hides(self, file: str) -> None:
        """A file's folder is gone, as when a disk is not mounted."""
        (self.folder / file).rename(self.folder / f"{file}.away")

    def brings_back(self, file: str) -> None:
        """And is back with what it held."""
        (self.folder / f"{file}.away").rename(self.folder / file)


def _read(path: Path) -> IpRanges:
    lines = path.read_text().splitlines()
    return IpRanges.parse(one for one in lines if one and not one.startswith("#"))


@contextmanager
def company(
    folder: Path, versions: list[str], pace: timedelta, chance: Random
) -> Iterator[Company]:
    """All that there is, nothing run yet; things are done every `pace`."""
    clock = Clock()
    with (
        Microsoft(versions[0], lambda: clock.at) as feed,
        MimecastStandIn(strict=False) as mail,
        WebhookStandIn() as everything,
        WebhookStandIn() as urgent,
    ):
        hooks = {"all": everything, "urgent": urgent}
        path = folder / "exosync.yaml"
        path.write_text(yaml.safe_dump(_settings(feed, mail, hooks, pace), sort_keys=False))
        for file in (*FILES, "planned"):
            (folder / file).mkdir()
        environ = {"HOOK": "whsec_c2VjcmV0", "ID": "the-id", "SECRET": "the-secret-of-mimecast"}
        service = Simulated(load(path, environ=environ), environ, chance, clock)
        one = Company(folder, versions, feed, mail, hooks, service, chance)
        service.between, service.after = one.stopping, one.look
        yield one


def _settings(
    feed: Microsoft, mail: MimecastStandIn, hooks: dict[str, WebhookStandIn], pace: timedelta
) -> Json:
    often = duration_text(pace)

    def file(name: str, mode: str, **more: Any) -> Json:
        return {"name": name, "kind": "file", "mode": mode, "path": f"{name}/exo.txt", **more}

    account = {"client_id": {"env": "ID"}, "client_secret": {"env": "SECRET"}, "url": mail.url}
    spoofing = {"domains": ["example.com"], "settings": ["anti_spoofing"], "families": "ipv4"}
    common = {"kind": "webhook", "secret": {"env": "HOOK"}}
    urgent = {"severity": "warning", "targets": ["edge", "mimecast"], "max_per_hour": 5}
    return {
        "feed": {"url": feed.url, "attempts": 1, "read_timeout": "4s"},
        "ranges": {"grace": f"{GRACE.days}d"},
        "schedule": {"feed": often, "targets": often, "jitter": "5m"},
        "web": {"listen": None},
        "alerts": {
            "stale_after": "48h",
            "channels": [
                {"name": "all", "url": hooks["all"].url, **common},
                {"name": "urgent", "url": hooks["urgent"].url, **common, **urgent},
            ],
        },
        "targets": [
            file("edge", "apply"),
            file("night", "apply", windows=["01:00-05:00"], schedule="30 3 * * *"),
            file("planned", "plan", schedule="1d"),
            {"name": "mimecast", "kind": "mimecast", "mode": "apply", **account, **spoofing},
        ],
    }
