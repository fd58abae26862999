"""A whole exosync with a feed, targets and a clock that a test moves."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from exosync.approval import approve_plan
from exosync.assembly import Assembly, assembled
from exosync.config import load
from exosync.reconcile import adopt_target, apply_plan, reconcile
from exosync.running import run_once
from tests.standins.endpoints import EndpointsStandIn
from tests.support.state import put_empty_state

Json = dict[str, Any]

START = datetime(2026, 11, 23, 12, tzinfo=UTC)


@dataclass
class World:
    """One installation. Each call opens the state anew, as one command after another does."""

    folder: Path
    feed: EndpointsStandIn
    targets: list[Json]
    settings: Json = field(default_factory=dict)
    now: datetime = START

    def __post_init__(self) -> None:
        if "state" not in self.settings:
            put_empty_state(self.folder)

    def pass_time(self, **parts: float) -> None:
        """Move the clock on by days, hours or minutes."""
        self.now += timedelta(**parts)

    def publish(self, version: str) -> None:
        """Microsoft publishes a version, and enough time goes by to be allowed to ask."""
        self.feed.publish(version)
        self.pass_time(hours=1)

    @property
    def config_file(self) -> Path:
        """The configuration, as it stands now."""
        path = self.folder / "exosync.yaml"
        whole = {"feed": {"url": self.feed.url}, **self.settings, "targets": self.targets}
        path.write_text(yaml.safe_dump(whole, sort_keys=False))
        return path

    @contextmanager
    def opened(self) -> Iterator[Assembly]:
        """Everything that a run goes by."""
        environ = {"PATH": os.environ["PATH"]}
        loaded = load(self.config_file, environ=environ)
        with assembled(
            loaded, environ=environ, progress=lambda _: None, now=lambda: self.now
        ) as assembly:
            yield assembly

    def sync(self, *, writing: bool = True) -> Json:
        """One run; gives its report."""
        with self.opened() as one:
            work = lambda run_id: reconcile(one.rules, one.store, run_id, writing=writing)  # noqa: E731
            return run_once(one.store, one.rules, "sync" if writing else "plan", work)[1]

    def plan(self) -> Json:
        """A run that writes nothing outside."""
        return self.sync(writing=False)

    def apply(self, plan_id: str) -> Json:
        """What `exosync apply` does."""
        with self.opened() as one:
            record = one.store.find_plan(plan_id)
            work = lambda run_id: apply_plan(one.rules, one.store, run_id, record)  # noqa: E731
            return run_once(one.store, one.rules, "apply", work)[1]

    def adopt(self, target: str) -> Json:
        """What `exosync adopt` does."""
        with self.opened() as one:
            work = lambda run_id: adopt_target(one.rules, one.store, run_id, target)  # noqa: E731
            return run_once(one.store, one.rules, "adopt", work)[1]

    def approve(self, plan_id: str) -> None:
        """What `exosync approve` does."""
        with self.opened() as one:
            record = one.store.find_plan(plan_id)
            approve_plan(one.store, record, by="a tester", why="a test", at=self.now)


def only(told: Json) -> Json:
    """The report's one target."""
    (target,) = told["targets"]
    found: Json = target
    return found


def rules(target: Json, what: str = "refusals") -> list[str]:
    """The names of a target's refusals or findings."""
    return [one["rule"] for one in target[what]]
