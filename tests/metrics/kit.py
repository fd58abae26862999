"""A service's figures after real runs, and promtool to check them with."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from exosync.assembly import assembled
from exosync.config import Loaded, load
from exosync.core.meter import FEED
from exosync.metrics import Metrics
from exosync.reconcile import Outcome, reconcile
from exosync.running import run_once
from exosync.store import MessageState, ServiceRecord, Store
from tests.bench.vendors import EXTRA, LIST, SPOOFING, Company, company

if TYPE_CHECKING:
    from prometheus_client.metrics_core import Metric

DEPLOY = Path(__file__).parents[2] / "deploy"
PROMTOOL = shutil.which("promtool")

needs_promtool = pytest.mark.skipif(PROMTOOL is None, reason="promtool is not installed")

CHANNELS = [
    {"name": "ops", "kind": "webhook", "url": "https://hooks.example.com", "secret": {"env": "A"}},
    {"name": "desk", "kind": "webhook", "url": "https://desk.example.com", "secret": {"env": "A"}},
]


def promtool(*words: str, given: str | None = None) -> subprocess.CompletedProcess[str]:
    """Run promtool; what it says of faults is on stdout and stderr, so they are one here."""
    assert PROMTOOL is not None
    return subprocess.run(
        [PROMTOOL, *words],
        input=given,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
        timeout=60,
    )


@dataclass
class Watched:
    """An installation whose runs are counted as the service counts them."""

    config_file: Path
    environ: dict[str, str]
    now: datetime = field(default_factory=lambda: datetime.now(UTC).replace(microsecond=0))

    def __post_init__(self) -> None:
        self.metrics = Metrics(self.loaded(), now=lambda: self.now)

    def loaded(self) -> Loaded:
        """The configuration as the file has it."""
        return load(self.config_file, environ=self.environ)

    def change(self, **settings: object) -> None:
        """Write other settings into the configuration."""
        known = yaml.safe_load(self.config_file.read_text())
        self.config_file.write_text(yaml.safe_dump({**known, **settings}, sort_keys=False))

    @contextmanager
    def store(self) -> Iterator[Store]:
        """The state."""
        loaded = self.loaded()
        with Store.open(loaded.config.state, base=loaded.base) as store:
            yield store

    def run(self, name: str) -> None:
        """One run over a target or the feed, counted."""
        with (
            assembled(
                self.loaded(),
                environ=self.environ,
                progress=lambda _: None,
                now=lambda: self.now,
                meters=self.metrics.meter,
                only=() if name == FEED else (name,),
            ) as one,
            self.metrics.run(name) as seen,
        ):
            feed = one.rules.feed if name == FEED else replace(one.rules.feed, feed=None)
            rules = replace(one.rules, feed=feed)

            def work(run_id: int) -> Outcome:
                return seen(reconcile(rules, one.store, run_id, writing=True))

            run_once(one.store, rules, "sync", work, scope=name)

    def families(self) -> dict[str, Metric]:
        """What a scrape gives, by the name that stands behind `# TYPE`."""
        text = self.metrics.render().decode()
        return {
            one.name + ("_total" if one.type == "counter" else ""): one
            for one in text_string_to_metric_families(text)
        }

    def figure(self, name: str, **labels: str) -> float | None:
        """One figure; None if there is none."""
        found = [
            sample.value
            for family in self.families().values()
            for sample in family.samples
            if (name, labels) == (sample.name, sample.labels)
        ]
        assert len(found) <= 1
        return found[0] if found else None


@contextmanager
def watched(folder: Path) -> Iterator[tuple[Watched, Company]]:
    """Seven targets that come to stand in different ways, none run yet."""
    with company(folder, [SPOOFING, LIST], strict=False) as outside:
        settings = outside.configuration(SPOOFING, LIST, edge=True)
        settings["targets"] += [
            {"name": "broken", "kind": "file", "mode": "apply", "path": "no/such/exo.txt"},
            {"name": "planned", "kind": "file", "mode": "plan", "path": "planned.txt"},
            {"name": "taken", "kind": "file", "mode": "apply", "path": "taken.txt"},
            {"name": "looked_at", "kind": "file", "mode": "watch", "path": "looked-at.txt"},
        ]
        settings["ranges"]["extra"] = [{"cidr": EXTRA, "name": "relay", "reason": "ours"}]
        settings["alerts"] = {"channels": CHANNELS}
        (folder / "taken.txt").write_text("192.0.2.1\n")
        path = folder / "exosync.yaml"
        path.write_text(yaml.safe_dump(settings, sort_keys=False))
        yield Watched(path, {**os.environ, **outside.environ}), outside


def live(one: Watched) -> None:
    """Three days: all is run, a person does not do what is asked, another one changes a file."""
    names = [target.name for target in one.loaded().config.targets]
    for name in (FEED, *names):
        one.run(name)
    one.now += timedelta(days=3)
    file = one.config_file.parent / "exo.txt"
    file.write_text(file.read_text() + "192.0.2.1\n")
    for name in (FEED, *names):
        one.run(name)


def serve(one: Watched) -> None:
    """What a service leaves in the state besides its runs."""
    with one.store() as store:
        store.save_service(ServiceRecord(4711, "mail1", "0.1.0", one.now, one.now))
        names = [FEED, *(target.name for target in one.loaded().config.targets)]
        store.plan_turns(dict.fromkeys(names, one.now + timedelta(hours=1)))
        store.begin_turn("edge", one.now)
        store.pause("planned", by="ada", why="moving house", at=one.now)
        for channel, state in (
            ("ops", MessageState.WAITING),
            ("ops", MessageState.GIVEN_UP),
            ("gone", MessageState.WAITING),
        ):
            add_message(store, channel, state, one.now)
        store.save_channel(replace(store.enrol_channel("desk"), down_since=one.now, failures=3))
        store.save_channel(replace(store.enrol_channel("ops"), sent_at=one.now))


def add_message(store: Store, channel: str, state: MessageState, at: datetime) -> None:
    """A message that was tried."""
    store.enrol_channel(channel)
    number = store.add_message(
        key=f"msg_{channel}_{state}",
        channel=channel,
        thread="t",
        severity="info",
        events=[1],
        opened_at=at,
        due_at=at,
    )
    store.message_failed(number, error="refused", state=state, due_at=at, body={})
