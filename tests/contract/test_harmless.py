"""Harmless by default, and idle once all is right."""

from __future__ import annotations

import pytest

from tests.contract.harness import Can, needs
from tests.contract.scene import KEPT, Scene

DONE = ("applied", "in_sync", "asserted")


@pytest.mark.parametrize("mode", [None, "watch"])
def test_nothing_is_written_unless_the_mode_says_so(scene: Scene, mode: str | None) -> None:
    """Any number of runs, also over a new version: the remote system stays byte for byte.

    Without a mode it is `plan`.
    """
    scene.harness.add_foreign()
    before = scene.harness.state()
    scene.mode = mode

    for _ in range(2):
        told = scene.sync()
    scene.change()
    told = scene.sync()

    assert told["state"] in ("pending", "waiting"), told
    assert (mode or "plan") == told["mode"]
    assert told["steps"]
    assert (0, before) == (scene.harness.writes, scene.harness.state())


def test_a_plan_writes_nothing_even_where_runs_may(scene: Scene) -> None:
    """`exosync plan` in mode apply, before the first run and after a new version."""
    before = scene.harness.state()
    scene.world.plan()
    assert (0, before) == (scene.harness.writes, scene.harness.state())

    scene.work()
    writes, before = scene.harness.writes, scene.harness.state()
    scene.change()
    scene.world.plan()

    assert (writes, before) == (scene.harness.writes, scene.harness.state())


def test_from_nothing_to_all_that_is_wanted(scene: Scene) -> None:
    """The first run, with what people do, ends with everything let through."""
    told = scene.work()

    assert told["state"] in DONE
    if scene.lists:
        assert scene.expected(KEPT) <= scene.harness.listed()
    else:
        assert scene.harness.goal() == scene.harness.held()
    assert told["verified"] is not False


def test_the_second_run_writes_nothing_and_only_reads(scene: Scene) -> None:
    """It says that all is right, and how it knows: proven, or on somebody's word."""
    scene.work()
    writes, reads, before = scene.harness.writes, scene.harness.reads, scene.harness.state()

    told = scene.sync()

    assert (writes, before) == (scene.harness.writes, scene.harness.state())
    assert told["state"] in ("in_sync", "asserted")
    assert {"in_sync": True, "asserted": None}[told["state"]] is told["verified"]
    assert bool(told["asserted"]) is (told["state"] == "asserted")
    assert [] == told["steps"]
    if Can.READ not in scene.harness.cannot:
        assert reads < scene.harness.reads
        assert "in_sync" == told["state"]


def test_an_applied_plan_is_not_done_twice(scene: Scene) -> None:
    """In mode plan a person applies; the run after it finds nothing to do."""
    needs(scene.harness, Can.WRITE)
    scene.mode = "plan"
    plan = scene.sync()["plan"]

    told = scene.applied(plan)

    assert "applied" == told["outcome"], told
    writes = scene.harness.writes
    assert "in_sync" == scene.sync()["state"]
    assert writes == scene.harness.writes
