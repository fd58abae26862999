"""A plan stands for exactly what it was made over, and a write for what was seen before it."""

from __future__ import annotations

import pytest

from exosync.errors import RefusedError, TargetConflict
from exosync.people import acknowledge
from tests.contract.harness import Can, needs
from tests.contract.scene import ADDED, BY, KEPT, NEW, TARGET, Scene


def test_a_plan_is_refused_once_the_remote_state_is_another(scene: Scene) -> None:
    """By name, with nothing written; and the next run goes on from what is there."""
    needs(scene.harness, Can.READ)
    scene.work()
    scene.change()
    scene.mode = "plan"
    plan = scene.sync()["plan"]
    scene.harness.damage()
    before, writes = scene.harness.state(), scene.harness.writes

    with pytest.raises(RefusedError, match=f"{plan} for {TARGET} is stale") as told:
        scene.world.apply(plan)

    assert ("stale_plan", 3) == (told.value.rule, told.value.exit_code)
    assert (before, writes) == (scene.harness.state(), scene.harness.writes)
    scene.mode = "apply"
    scene.work()
    if scene.lists:
        assert scene.expected(KEPT | ADDED) <= scene.harness.listed()
    else:
        assert scene.harness.goal() == scene.harness.held()


def test_a_plan_is_refused_once_the_version_is_another(scene: Scene) -> None:
    """Nothing of the older version is written any more."""
    needs(scene.harness, Can.LISTS)
    scene.mode = "plan"
    plan = scene.sync()["plan"]
    before = scene.harness.state()
    scene.world.publish(NEW)
    assert plan != scene.sync()["plan"]

    with pytest.raises(RefusedError, match="the snapshot version") as told:
        scene.world.apply(plan)

    assert "stale_plan" == told.value.rule
    assert (0, before) == (scene.harness.writes, scene.harness.state())


def test_an_outdated_step_cannot_be_acknowledged(scene: Scene) -> None:
    """A person who worked by the plan of an older version is told so, and nothing is taken."""
    needs(scene.harness, Can.ASK)
    plan = scene.sync()["plan"]
    scene.world.publish(NEW)
    scene.sync()

    with scene.world.opened() as one:
        record, (task,) = one.store.find_plan(plan), one.store.open_tasks(TARGET)
        with pytest.raises(RefusedError, match="outdated") as told:
            acknowledge(
                one.store,
                task,
                record,
                by=BY,
                note="",
                rules=one.rules.tasks,
                at=scene.world.now,
            )
        assert not one.store.acknowledged(TARGET)
    assert "stale_plan" == told.value.rule


def test_a_change_between_looking_and_writing_is_a_conflict(scene: Scene) -> None:
    """What somebody else wrote in between stays; the next run plans from there."""
    needs(scene.harness, Can.WRITE)
    scene.work()
    scene.change()
    meddled: list[object] = []

    def meddle() -> None:
        scene.harness.damage()
        meddled.append(scene.harness.state())

    scene.world.before_step.append(meddle)
    told = scene.sync()

    assert "failed" == told["state"], told
    assert isinstance(scene.world.errors[-1], TargetConflict)
    assert meddled == [scene.harness.state()]
    assert ["conflict"] == scene.outcomes()
    scene.work()
    assert scene.goal(KEPT | ADDED) == scene.harness.held()


def test_a_change_at_the_very_last_moment_is_a_conflict(scene: Scene) -> None:
    """Where the remote system compares and swaps in one, there is no gap at all."""
    needs(scene.harness, Can.WRITE, Can.SWAP)
    scene.work()
    scene.world.publish(NEW)
    meddled: list[object] = []

    def meddle() -> None:
        scene.harness.damage()
        meddled.append(scene.harness.state())

    scene.harness.at_last_moment(meddle)
    told = scene.sync()

    assert "failed" == told["state"], told
    assert meddled == [scene.harness.state()]
    scene.work()
    assert scene.expected(KEPT | ADDED) == scene.harness.listed()
