"""A company whose state holds one of everything, filled by real runs against the stand-ins.

    python -m tests.web.scene --port 8620

serves its page until it is stopped. It is March 2019: Microsoft has just taken twelve ranges
away, one target fails, one refuses, and a person is waited for.
"""

from __future__ import annotations

import argparse
import os
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml

from exosync.config import Loaded, load
from exosync.core.target import Check
from exosync.people import acknowledge
from exosync.store import ChannelRecord, ServiceRecord, Store
from exosync.web.app import create_app
from exosync.web.serving import PageServer
from tests.standins.dns import DnsStandin
from tests.standins.endpoints import EndpointsStandIn
from tests.standins.google import GoogleStandIn
from tests.standins.mimecast import MimecastStandIn
from tests.support.world import Json, World
from tests.support.zones import WIDE, zone_file

BEGIN = datetime(2018, 11, 20, 9, 12, tzinfo=UTC)
FIRST, SECOND, THIRD = "2018102900", "2019010700", "2019022800"
PARTNER = "203.0.113.9"
EVIL = "<script>alert(1)</script>"
"""Stands in whatever text comes from outside."""

NOW = "now"
"""The file that a filled state keeps its moment in."""

METRICS = b"# HELP exosync_up Whether it is up.\n# TYPE exosync_up gauge\nexosync_up 1\n"


class Stage:
    """The service behind the page, as a test sets it: a folder with a state, and a clock."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.moment = datetime.fromisoformat((folder / NOW).read_text())
        self.environ = {"PATH": os.environ["PATH"]}
        self.checks = [Check("first_run", ok=True, message="done")]
        self.beats = Check("loop", ok=True, message="beats")
        self.read_again()

    def configure(self, **settings: Any) -> None:
        """Change the configuration, and read it again."""
        path = self.folder / "exosync.yaml"
        path.write_text(yaml.safe_dump({**yaml.safe_load(path.read_text()), **settings}))
        self.read_again()

    def read_again(self) -> None:
        """What SIGHUP does."""
        self._loaded = load(self.folder / "exosync.yaml", environ=self.environ)

    def store(self) -> Store:
        """The state, opened."""
        return Store.open(self._loaded.config.state, base=self.folder)

    def loaded(self) -> Loaded:
        """The configuration in force."""
        return self._loaded

    def now(self) -> datetime:
        """The clock of the tests."""
        return self.moment

    def alive(self) -> Check:
        """Whether the heart beats."""
        return self.beats

    def ready(self) -> Sequence[Check]:
        """Whether everything can be used."""
        return self.checks

    def metrics(self) -> bytes:
        """Figures."""
        return METRICS


class Company:
    """What the stand-ins hold, and the person who sits before Google's console.

    `others` is what other people write wherever they can.
    """

    def __init__(
        self,
        folder: Path,
        stack: ExitStack,
        *,
        version: str = FIRST,
        begin: datetime = BEGIN,
        others: str = EVIL,
    ) -> None:
        self.others = others
        self.feed = stack.enter_context(EndpointsStandIn(version=version))
        self.mail = stack.enter_context(MimecastStandIn())
        self.google = stack.enter_context(GoogleStandIn())
        self.google.set_allowlist([PARTNER])
        self.dns = stack.enter_context(
            DnsStandin({"example.com": _zone(others)}, keys=[WIDE], grants={WIDE.name: ("*",)})
        )
        for name, text in (
            ("tsig", WIDE.secret),
            ("mimecast-id", "the-id"),
            ("mimecast-secret", "the-secret-of-mimecast"),
            ("hook", "whsec_c2VjcmV0LW9mLXRoZS10ZXN0cy1ub3QtYS1zZWNyZXQ="),
        ):
            (folder / name).write_text(text)
        self.world = World(folder, self.feed, _targets(self, folder), _settings(others), begin)

    def store(self) -> Store:
        """The state, opened."""
        return Store.open("sqlite:///exosync.db", base=self.world.folder)

    def sync(self, **time: float) -> dict[str, Json]:
        """Let time go by, and run; gives what was told of each target."""
        self.world.pass_time(**time)
        return {one["name"]: one for one in self.world.sync()["targets"]}

    def paste(self) -> None:
        """The person replaces the text of the box in Google's console, and saves."""
        with self.world.opened() as one:
            for task in one.store.open_tasks("google"):
                self.google.set_allowlist([part.strip() for part in task.body["box"].split(",")])

    def acknowledge(self) -> None:
        """The person enters the gateways, and says so."""
        with self.world.opened() as one:
            for task in one.store.open_tasks("gateway"):
                plan = one.store.find_plan(task.plan_id)
                acknowledge(
                    one.store,
                    task,
                    plan,
                    by="ada",
                    note="CHG-4711",
                    rules=one.rules.tasks,
                    at=self.world.now,
                )


def fill(folder: Path, others: str = EVIL) -> None:
    """Live through it all, and leave the state in a folder."""
    with ExitStack() as stack:
        company = Company(folder, stack, others=others)
        live_through(company)
        (folder / NOW).write_text(company.world.now.isoformat())


def live_through(company: Company) -> None:
    """From November 2018 to March 2019."""
    world = company.world
    company.sync()
    company.paste()
    company.acknowledge()
    company.sync(hours=2)
    company.feed.publish(SECOND)
    company.sync(days=48)
    company.paste()
    company.acknowledge()
    company.sync(days=1)
    file = world.folder / "edge.cidr"
    file.write_text("".join(file.read_text().splitlines(keepends=True)[:-3]))
    company.sync(days=6)
    refused = company.sync(days=26)
    for name, one in refused.items():
        if name != "branch" and one["state"] == "refused" and one["plan"]:
            world.approve(one["plan"])
    company.sync(hours=1)
    company.acknowledge()
    company.feed.publish(THIRD)
    company.sync(days=20)
    company.sync(days=2, hours=4)
    world.pass_time(minutes=7)
    with company.store() as store:
        serve(store, world)
        store.pause("spf", by="ada", why=f"the zone moves to another provider {EVIL}", at=world.now)
        tell(store, world.now)


def serve(store: Store, world: World) -> None:
    """What the service writes of itself."""
    now = world.now
    began, beat = now - timedelta(days=12), now - timedelta(seconds=9)
    store.save_service(ServiceRecord(4711, "mx1.example.com", "0.4.0", began, beat))
    names = [one["name"] for one in world.targets]
    turns = {name: now + timedelta(minutes=48 + n) for n, name in enumerate(names)}
    store.plan_turns({**turns, ":feed": now + timedelta(minutes=53)})
    for n, name in enumerate(names):
        store.begin_turn(name, now - timedelta(minutes=9))
        store.end_turn(name, seconds=0.4 + n)
        store.plan_turn(name, turns[name])
    store.begin_turn("mimecast", now - timedelta(seconds=2))


def tell(store: Store, now: datetime) -> None:
    """Messages in every state."""
    ids = [one.id for one in store.events(4)]
    for number, (channel, severity, title) in enumerate(
        (
            ("ops", "warning", "Version 2019022800: 12 ranges leave; nothing to be done yet"),
            ("ops", "error", f"archive fails {EVIL}"),
            ("hook", "error", "archive fails"),
            ("hook", "info", "all well"),
        )
    ):
        at = now - timedelta(hours=9 - number)
        store.enrol_channel(channel)
        one = store.add_message(
            key=f"msg_{number:08x}",
            channel=channel,
            thread=f"thread-{number}",
            severity=severity,
            events=ids[number : number + 1],
            opened_at=at,
            due_at=at + timedelta(minutes=2),
        )
        if title == "all well":
            continue
        body = {"title": title}
        store.close_message(one, body=body, severity=severity, due_at=now + timedelta(minutes=4))
        if channel == "ops":
            store.message_sent(one, at + timedelta(minutes=3))
    error = f"hooks.example.com answered 502 Bad Gateway {EVIL}"
    down = now - timedelta(hours=6)
    store.save_channel(ChannelRecord("hook", ids[0], down, 11, error, now - timedelta(days=3)))
    store.save_channel(ChannelRecord("ops", ids[0], None, 0, "", now - timedelta(hours=8)))


def _zone(others: str) -> str:
    return zone_file(
        "example.com",
        '@ IN TXT "v=spf1 ip4:192.0.2.25 include:_exo.example.com -all"',
        f'@ IN TXT "site-verification={others}"',
    )


def _settings(others: str) -> Json:
    return {
        "schedule": {"feed": "1h"},
        "ranges": {
            "extra": [
                {
                    "cidr": "40.95.0.0/16",
                    "name": "relay pool",
                    "reason": f"forwarded mail leaves from it {others}".strip(),
                },
            ],
            "exclude": [
                {"cidr": "65.55.88.0/24", "name": "seen spam", "reason": "ticket 4711 of 2018"}
            ],
        },
        "alerts": {
            "channels": [
                {
                    "name": "ops",
                    "kind": "mail",
                    "to": ["ops@example.com"],
                    "smtp": {"host": "mail.example.com"},
                },
                {
                    "name": "hook",
                    "kind": "webhook",
                    "url": "https://hooks.example.com/exosync",
                    "secret": {"file": "hook"},
                },
            ]
        },
    }


def _targets(company: Company, folder: Path) -> list[Json]:
    def file(name: str, mode: str, path: str, fmt: str = "plain") -> Json:
        return {"name": name, "kind": "file", "mode": mode, "path": path, "format": fmt}

    google: Json = {
        "name": "google",
        "kind": "google_workspace",
        "mode": "apply",
        "url": company.google.url,
        "customer": "C01abcdef",
        "admin": "postmaster@example.com",
        "credentials": {
            "kind": "key_file",
            "file": {"file": company.google.key_file(folder).name},
        },
        "setting": "email_allowlist",
        "audit": False,
    }
    return [
        {**file("edge", "apply", "edge.cidr", "postfix"), "labels": ["front", "berlin"]},
        {
            "name": "mimecast",
            "kind": "mimecast",
            "mode": "apply",
            "url": company.mail.url,
            "client_id": {"file": "mimecast-id"},
            "client_secret": {"file": "mimecast-secret"},
            "domains": ["example.com"],
            "settings": ["anti_spoofing"],
        },
        google,
        {
            "name": "gateway",
            "kind": "google_workspace",
            "mode": "apply",
            "customer": "C02abcdef",
            "admin": "postmaster@example.org",
            "setting": "inbound_gateway",
            "audit": False,
        },
        {
            "name": "spf",
            "kind": "spf",
            "mode": "apply",
            "domain": "example.com",
            "method": "records",
            "dns": {
                "server": "127.0.0.1",
                "port": company.dns.port,
                "resolvers": [f"127.0.0.1:{company.dns.port}"],
                "key": {"name": WIDE.name, "algorithm": WIDE.algorithm, "secret": {"file": "tsig"}},
            },
        },
        file("branch", "apply", "branch.json", "json"),
        file("lab", "plan", "lab.txt"),
        file("partner", "watch", "partner.csv", "csv"),
        file("archive", "apply", "not-there/archive.txt"),
    ]


@contextmanager
def served(stage: Stage, listen: str = "127.0.0.1:0") -> Iterator[str]:
    """The page over a real socket; gives its address."""
    server = PageServer(create_app(stage, environ=stage.environ))
    url = server.start(listen)
    try:
        yield url
    finally:
        server.stop()


def main() -> None:
    """Serve the scene."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8620)
    options = parser.parse_args()
    with TemporaryDirectory(prefix="exosync-scene-") as folder:
        fill(Path(folder))
        with served(Stage(Path(folder)), f"127.0.0.1:{options.port}") as url:
            sys.stdout.write(f"{url}\n")
            sys.stdout.flush()
            threading.Event().wait()


if __name__ == "__main__":
    main()
