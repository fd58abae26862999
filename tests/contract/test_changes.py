"""A real change of Microsoft's list, from the first run to its proof."""

from __future__ import annotations

from tests.contract.harness import Can, needs
from tests.contract.scene import ADDED, KEPT, NEW, REMOVED, SETTINGS, Scene


def test_a_change_is_carried_through_with_its_grace_time(scene: Scene) -> None:
    """The added range at once, the removed ones only after thirty days."""
    needs(scene.harness, Can.LISTS)
    scene.world.settings["ranges"] = {"grace": "30d"}
    scene.work()
    assert scene.expected(KEPT | REMOVED) == scene.harness.listed()

    scene.world.publish(NEW)
    scene.work()
    assert scene.expected(KEPT | REMOVED | ADDED) == scene.harness.listed()

    scene.world.pass_time(days=29)
    scene.work()
    assert scene.expected(KEPT | REMOVED | ADDED) == scene.harness.listed()

    scene.world.pass_time(days=2)
    told = scene.work()
    assert scene.expected(KEPT | ADDED) == scene.harness.listed()
    assert told["verified"] is not False


def test_no_range_is_ever_missing_that_is_wanted_before_and_after(scene: Scene) -> None:
    """Every state that the remote system was in during a change with removals at once."""
    needs(scene.harness, Can.LISTS)
    scene.work()
    del scene.harness.history[:]
    scene.world.publish(NEW)
    scene.work()

    states = scene.harness.history
    assert states, "a change is seen"
    assert all(scene.expected(KEPT) <= one for one in states)
    gone = [scene.expected(REMOVED).isdisjoint(one) for one in states]
    there = [scene.expected(ADDED) <= one for one in states]
    assert all(new or not old for new, old in zip(there, gone, strict=True)), "added before removed"
    assert (True, True) == (there[-1], gone[-1])


def test_additions_are_a_write_of_their_own_before_removals(scene: Scene) -> None:
    """So that one that fails in between leaves too much, and never too little."""
    needs(scene.harness, Can.LISTS, Can.STAGES)
    scene.work()
    del scene.harness.history[:]
    scene.world.publish(NEW)
    told = scene.sync()

    assert scene.expected(KEPT | ADDED | REMOVED) in scene.harness.history
    phases = [one["phase"] for one in told["steps"]]
    assert ["add", "remove"] == sorted(phases) == phases


def test_a_refused_removal_holds_up_no_addition(scene: Scene) -> None:
    """With the guards as they are by default, the large removal waits to be approved."""
    needs(scene.harness, Can.LISTS)
    scene.world.settings["guards"] = {**SETTINGS["guards"], "max_shrink": "10%"}
    scene.work()
    scene.world.publish(NEW)

    told = scene.settle()

    assert "refused" == told["state"], told
    assert scene.expected(KEPT | REMOVED | ADDED) == scene.harness.listed()
    scene.world.approve(told["plan"])
    scene.work()
    assert scene.expected(KEPT | ADDED) == scene.harness.listed()


def test_the_proof_fails_once_a_range_was_taken_away(scene: Scene) -> None:
    """Behind our back, and before any plan."""
    needs(scene.harness, Can.READ)
    scene.work()
    assert scene.verified() is True

    scene.harness.damage()

    assert scene.verified() is False


def test_a_range_that_was_taken_away_is_missed_and_comes_back(scene: Scene) -> None:
    """Drift is told, and repaired as every other change is made."""
    needs(scene.harness, Can.READ)
    scene.work()
    good = scene.harness.held()
    scene.harness.damage()
    assert good != scene.harness.held()

    first = scene.sync()
    assert "drift" in [one["rule"] for one in first["findings"]]
    scene.people_act()
    told = scene.settle()

    assert ("in_sync", True) == (told["state"], told["verified"])
    assert good == scene.harness.held()
