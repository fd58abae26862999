"""Writes of which nobody hears whether they were done: whole runs, and the run after.

Where the answer is lost after the tenant has done it, nothing is made twice, and what exosync did
itself is nobody's doing but its own.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.contract.conftest import no_pauses
from tests.contract.exchange import ExchangeHarness, exchange_harness
from tests.contract.scene import TARGET, Scene, opened_scene
from tests.standins.exchange import ExchangeStandIn
from tests.standins.exchange_requests import command_of
from tests.standins.web import Reply, Request

__all__ = ["no_pauses"]

Json = dict[str, Any]

WRITES = (
    ("make", "New-OutboundConnector"),
    ("make", "New-TransportRule"),
    ("make", "Enable-TransportRule"),
    ("change", "Set-OutboundConnector"),
    ("change", "Set-TransportRule"),
    ("remove", "Disable-TransportRule"),
    ("remove", "Remove-TransportRule"),
    ("remove", "Set-OutboundConnector"),
    ("remove", "Remove-OutboundConnector"),
)
THROTTLED: Json = {"throttle": 10_000, "throttle_tells": "retry_after", "throttle_seconds": 300}
MANY = 10_000
AFTER: dict[str, Json] = {
    "seen late": {"stale_reads": 4},
    "not seen in this run": {"stale_reads": MANY},
    "nothing can be read": THROTTLED,
}


@pytest.fixture
def harness(tmp_path: Path) -> Iterator[ExchangeHarness]:
    """A tenant, and a target that exosync writes by itself."""
    folder = tmp_path / "outside"
    folder.mkdir()
    with exchange_harness(folder) as one:
        yield one


@pytest.fixture
def scene(harness: ExchangeHarness, tmp_path: Path) -> Iterator[Scene]:
    """An installation in which nothing has happened yet."""
    with opened_scene(tmp_path / "state", harness) as one:
        yield one


@pytest.fixture
def tenant(harness: ExchangeHarness) -> ExchangeStandIn:
    """The tenant."""
    return harness.tenant


def begin(scene: Scene, story: str) -> None:
    """Have something to do: the first run, a change, or the end of it all."""
    if story == "make":
        return
    scene.work()
    if story == "change":
        scene.change()
        return
    scene.harness.target["remove"] = True
    scene.mode = scene.mode
    scene.world.pass_time(hours=1)


def at(tenant: ExchangeStandIn, cmdlet: str, **switches: Any) -> None:
    """Set switches just before the next command of that name is carried out."""

    def arm(command: Any) -> None:
        if command.cmdlet == cmdlet:
            tenant.before_write = None
            tenant.switch(**switches)

    tenant.before_write = arm


def until(scene: Scene, tenant: ExchangeStandIn, cmdlet: str) -> Json:
    """The report of the run that sent a command, with approvals on the way to it."""
    for _ in range(3):
        told = scene.sync()
        if cmdlet in tenant.cmdlets:
            return told
        assert scene.approved(told), told
    raise AssertionError(f"{cmdlet} was never sent")


def recovered(scene: Scene, tenant: ExchangeStandIn) -> Json:
    """All is well again an hour later; the report once there is nothing left to do."""
    tenant.switch(throttle=0, stale_reads=0, drop_before=0, drop_after=0)
    tenant.catch_up()
    scene.world.pass_time(hours=1)
    return scene.work()


def events(scene: Scene) -> set[str]:
    """The kinds of all that was told."""
    with scene.world.opened() as one:
        return {event.kind for event in one.store.events(1000) if event.target == TARGET}


def end(scene: Scene, story: str) -> object:
    """What the tenant holds of ours in the end."""
    return ([], []) if story == "remove" else scene.harness.goal()


@pytest.mark.parametrize("after", AFTER)
@pytest.mark.parametrize(("story", "cmdlet"), WRITES)
def test_what_was_done_unheard_is_not_done_again_and_nobodys_doing(
    scene: Scene, tenant: ExchangeStandIn, story: str, cmdlet: str, after: str
) -> None:
    """The connection breaks once the tenant has done it, and then it may not be seen either."""
    begin(scene, story)
    tenant.asked.clear()
    at(tenant, cmdlet, drop_after=1, **AFTER[after])

    told = until(scene, tenant, cmdlet)
    is_seen = after == "seen late"
    assert is_seen is (told["state"] != "failed"), told
    last = recovered(scene, tenant)

    assert end(scene, story) == scene.harness.held()
    assert last["state"] in ("applied", "in_sync")
    assert 1 == tenant.cmdlets.count(cmdlet)
    assert not {"drift", "person_acted"} & events(scene)
    assert is_seen is ("target_failed" not in events(scene))


@pytest.mark.parametrize(("story", "cmdlet"), WRITES)
def test_what_was_not_done_unheard_is_done_by_the_next_run(
    scene: Scene, tenant: ExchangeStandIn, story: str, cmdlet: str
) -> None:
    """The run that does not know sends it once."""
    begin(scene, story)
    tenant.asked.clear()
    at(tenant, cmdlet, drop_before=1)

    told = until(scene, tenant, cmdlet)
    assert "failed" == told["state"]
    assert "it does not show that this was done; the next run looks again" in told["error"]
    assert 1 == tenant.cmdlets.count(cmdlet)
    recovered(scene, tenant)

    assert end(scene, story) == scene.harness.held()
    assert 2 == tenant.cmdlets.count(cmdlet)
    assert not {"drift", "person_acted"} & events(scene)


@pytest.mark.parametrize("cmdlet", ["New-OutboundConnector", "New-TransportRule"])
def test_what_shows_only_after_the_next_run_is_not_made_twice(
    scene: Scene, tenant: ExchangeStandIn, cmdlet: str
) -> None:
    """That run sends it again, since it sees nothing: the tenant refuses it for its name."""
    at(tenant, cmdlet, drop_after=1, stale_reads=MANY)
    until(scene, tenant, cmdlet)
    scene.world.pass_time(minutes=1)
    told = scene.sync()
    assert ("failed", True) == (told["state"], "another of that name" in told["error"])

    recovered(scene, tenant)

    assert scene.harness.goal() == scene.harness.held()
    assert 2 == tenant.cmdlets.count(cmdlet)
    assert not {"drift", "person_acted"} & events(scene)


def test_what_cannot_be_looked_up_is_said_to_be_unknown(
    scene: Scene, tenant: ExchangeStandIn
) -> None:
    """The error tells of the write first, and then why nobody knows."""
    at(tenant, "New-OutboundConnector", drop_after=1, **THROTTLED)
    told = scene.sync()["error"]
    write, unseen = told.index("New-OutboundConnector: "), told.index("whether this was done")
    assert write < unseen < told.index("Microsoft asks to be left alone for 300 s")


def test_what_was_answered_and_cannot_be_read_back_is_said_to_be_done(
    scene: Scene, tenant: ExchangeStandIn
) -> None:
    """And the next run finds it as its own."""
    at(tenant, "New-OutboundConnector", **THROTTLED)
    told = scene.sync()
    assert "” was done, but it could not be read back: " in told["error"]

    recovered(scene, tenant)

    assert scene.harness.goal() == scene.harness.held()
    assert 1 == tenant.cmdlets.count("New-OutboundConnector")
    assert "drift" not in events(scene)


def test_a_last_look_that_lags_behind_makes_no_drift(
    scene: Scene, harness: ExchangeHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rule shows, and then another server has not heard of it yet: the next run knows it."""
    honest, looks = harness.tap, 0

    def tap(request: Request, answer: Callable[[Request], Reply]) -> Reply:
        nonlocal looks
        reply, command = honest(request, answer), command_of(request)
        if command is None or command.cmdlet != "Get-TransportRule":
            return reply
        looks += bool(harness.tenant.org.rules)
        if looks < 2:
            return reply
        told = json.loads(reply.body)
        return replace(reply, body=json.dumps({**told, "value": []}).encode())

    monkeypatch.setattr(harness, "tap", tap)
    told = scene.sync()
    assert (2, "pending") == (len(told["steps"]), told["state"])
    monkeypatch.setattr(harness, "tap", honest)

    scene.world.pass_time(hours=1)
    scene.work()

    assert scene.harness.goal() == scene.harness.held()
    assert "drift" not in events(scene)
