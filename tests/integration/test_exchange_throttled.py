"""A tenant that is asked too often: whole runs, in the midst of making, changing and removing.

What this interface's limits are is not published; see `tests.standins.exchange_switches`.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.contract.exchange import ExchangeHarness, exchange_harness
from tests.contract.scene import TARGET, Scene, opened_scene
from tests.standins.exchange_requests import command_of
from tests.standins.web import Reply, Request


class Clock:
    """The stand-in's clock, which only pauses move on: requests take no time."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 26, 12, tzinfo=UTC)
        self.pauses: list[float] = []

    def sleep(self, seconds: float) -> None:
        """Wait without waiting."""
        self.pauses.append(seconds)
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """What everybody waits by."""
    made = Clock()
    monkeypatch.setattr(time, "sleep", made.sleep)
    return made


@pytest.fixture
def harness(tmp_path: Path, clock: Clock) -> Iterator[ExchangeHarness]:
    """A tenant, and a target that exosync writes by itself."""
    folder = tmp_path / "outside"
    folder.mkdir()
    with exchange_harness(folder, now=lambda: clock.now) as one:
        yield one


@pytest.fixture
def scene(harness: ExchangeHarness, tmp_path: Path) -> Iterator[Scene]:
    """An installation in which nothing has happened yet."""
    with opened_scene(tmp_path / "state", harness) as one:
        yield one


def remove(scene: Scene) -> None:
    """Have all of it taken away."""
    scene.harness.target["remove"] = True
    scene.mode = scene.mode
    scene.world.pass_time(hours=1)


def told_of(scene: Scene) -> list[str]:
    """The kinds of what was told, oldest first."""
    with scene.world.opened() as one:
        found = [event.kind for event in one.store.events(1000) if event.target == TARGET]
    return found[::-1]


@pytest.mark.parametrize("tells", ["nothing", "retry_after"])
def test_at_the_limits_of_remote_powershell_a_whole_life_goes_through(
    scene: Scene, harness: ExchangeHarness, clock: Clock, tells: str
) -> None:
    """Without a pace of its own: each 429 is waited for, a write's too, and no run fails."""
    harness.tenant.switch(budget=25, throttle_tells=tells, throttle_seconds=5)

    scene.work()
    assert scene.harness.goal() == scene.harness.held()
    scene.change()
    scene.work()
    assert scene.harness.goal() == scene.harness.held()
    remove(scene)
    scene.work()

    assert ([], []) == scene.harness.held()
    assert {"applied", "approved", "refused"} == {*told_of(scene)}
    assert sum(clock.pauses) < 120
    assert clock.pauses, "the limit was met"


def test_answers_that_were_held_back_are_whole(scene: Scene, harness: ExchangeHarness) -> None:
    """The warning of a micro delay is about the time that it took, and about no record."""
    harness.tenant.switch(micro_delay=True)

    told = scene.work()

    assert scene.harness.goal() == scene.harness.held()
    assert "listing_incomplete" not in {one["rule"] for one in told["findings"]}
    remove(scene)
    scene.work()
    assert ([], []) == scene.harness.held()


@pytest.mark.parametrize(
    ("answered", "reply"),
    [
        (17, Reply(429, {"Retry-After": "300"})),
        (21, Reply(429)),
        (24, Reply(503)),
        (29, Reply(503, {"Retry-After": "300"})),
    ],
    ids=["429 for long", "429", "503", "503 for long"],
)
def test_a_tenant_that_answers_no_more_in_the_middle_is_left_in_order(
    scene: Scene,
    harness: ExchangeHarness,
    monkeypatch: pytest.MonkeyPatch,
    answered: int,
    reply: Reply,
) -> None:
    """Each run goes on where the last one had to end, and nothing is anybody else's doing."""
    left = answered
    honest = harness.tap

    def tap(request: Request, answer: object) -> Reply:
        nonlocal left
        left -= command_of(request) is not None
        return reply if left < 0 else honest(request, answer)  # type: ignore[arg-type]

    monkeypatch.setattr(harness, "tap", tap)

    def rested() -> int:
        """How many runs failed until there was nothing to do."""
        nonlocal left
        for failed in range(12):
            left = answered
            scene.world.pass_time(hours=1)
            told = scene.sync()
            if told["state"] == "refused":
                assert scene.approved(told)
                told = scene.sync()
            if told["state"] != "failed":
                return failed
            assert told["error"]
        raise AssertionError("never at rest")

    assert rested()
    assert scene.harness.goal() == scene.harness.held()
    remove(scene)
    assert rested()

    assert ([], []) == scene.harness.held()
    cmdlets = harness.tenant.cmdlets
    assert (1, 1) == (cmdlets.count("New-OutboundConnector"), cmdlets.count("New-TransportRule"))
    assert not {"drift", "person_acted"} & {*told_of(scene)}
    assert "target_recovered" in told_of(scene)
