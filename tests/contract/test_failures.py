"""What fails is told with its place, hurts nothing else, and is over when it is over."""

from __future__ import annotations

from exosync.report import EXIT_CODES
from tests.contract.harness import Can, Json, needs
from tests.contract.scene import ADDED, KEPT, REMOVED, TARGET, Scene, of


def test_half_a_plan_is_told_and_finished_by_the_next_run(scene: Scene) -> None:
    """The second of two writes fails: what was done is recorded, the other targets go on."""
    needs(scene.harness, Can.WRITE)
    if scene.lists:
        needs(scene.harness, Can.STAGES)
    scene.work()
    scene.add_bystander()
    scene.change()

    with scene.harness.failing(2):
        told = scene.world.sync()

    tried = of(told)
    assert ("failed", "failed", 4) == (
        told["outcome"],
        tried["state"],
        EXIT_CODES[told["outcome"]],
    )
    assert tried["error"]
    assert ["done", "planned"] == [one["status"] for one in tried["steps"]]
    assert ["done", "failed"] == scene.outcomes()
    assert ("applied", True) == (of(told, "beside")["state"], of(told, "beside")["verified"])
    if scene.lists:
        assert scene.expected(KEPT | ADDED | REMOVED) == scene.harness.listed()

    told = scene.world.sync()

    assert ("applied", True) == (of(told)["state"], of(told)["verified"])
    assert scene.goal(KEPT | ADDED) == scene.harness.held()


def test_the_very_first_write_may_fail_too(scene: Scene) -> None:
    """Nothing is there, nothing is said to be there, and the next run begins anew."""
    needs(scene.harness, Can.WRITE)
    before = scene.harness.state()

    with scene.harness.failing(1):
        told = scene.sync()

    assert "failed" == told["state"]
    assert ["failed"] == scene.outcomes()
    assert before == scene.harness.state()
    scene.work()
    assert scene.goal(KEPT | REMOVED) == scene.harness.held()


def test_what_cannot_be_reached_is_named_and_recovers(scene: Scene) -> None:
    """The error says where, once; the end of it is told too; nothing else suffers."""
    needs(scene.harness, Can.UNPLUG)
    scene.work()
    scene.add_bystander()
    before = scene.harness.state()
    with scene.harness.unplugged():
        told = scene.world.sync()
        scene.world.sync()

    tried = of(told)
    assert ("failed", "failed", "applied") == (
        told["outcome"],
        tried["state"],
        of(told, "beside")["state"],
    )
    assert isinstance(scene.world.errors[-1], scene.harness.unreachable)
    assert _says_where(scene, tried)
    assert before == scene.harness.state()
    assert "in_sync" == of(scene.world.sync())["state"]
    assert ["target_failed", "target_recovered"] == _events(scene)


def test_what_is_not_permitted_is_named_and_recovers(scene: Scene) -> None:
    """Wrong credentials or rights, when there is something to do."""
    needs(scene.harness, Can.LOCK_OUT)
    scene.work()
    scene.change()
    before = scene.harness.state()
    with scene.harness.locked_out():
        told = scene.sync()

    assert "failed" == told["state"], told
    assert isinstance(scene.world.errors[-1], scene.harness.denied)
    assert _says_where(scene, told)
    assert before == scene.harness.state()
    scene.work()
    assert scene.goal(KEPT | ADDED) == scene.harness.held()
    assert ["target_failed", "target_recovered"] == _events(scene)


def test_the_check_says_what_is_missing(scene: Scene) -> None:
    """All is well; then not, with a message; and trying changes nothing."""
    before = scene.harness.state()
    assert not [one for one in scene.check() if one.ok is False]
    assert before == scene.harness.state()

    needs(scene.harness, Can.LOCK_OUT)
    with scene.harness.locked_out():
        failed = [one for one in scene.check() if one.ok is False]

    assert failed
    assert all(one.message for one in failed)


def _says_where(scene: Scene, told: Json) -> bool:
    return any(where in told["error"] for where in (TARGET, *scene.harness.where))


def _events(scene: Scene) -> list[str]:
    with scene.world.opened() as one:
        kinds = [event.kind for event in reversed(one.store.events(100))]
    return [kind for kind in kinds if kind in ("target_failed", "target_recovered")]
