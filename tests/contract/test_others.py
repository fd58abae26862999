"""What others have there stays, and is taken over only on a person's word."""

from __future__ import annotations

from tests.contract.harness import Can, needs
from tests.contract.scene import ADDED, INSIDE, KEPT, NEW, OUTSIDE, REMOVED, TARGET, Scene, job_of


def test_what_others_have_there_is_never_touched(scene: Scene) -> None:
    """Byte for byte the same after the first run, after a change, and after a removal."""
    needs(scene.harness, Can.SHARE)
    scene.harness.add_foreign()
    before = scene.harness.foreign()

    scene.work()
    assert before == scene.harness.foreign()
    scene.change()
    told = scene.work()

    assert before == scene.harness.foreign()
    if scene.lists:
        assert scene.expected(REMOVED).isdisjoint(scene.harness.listed())
    assert told["verified"] is not False


def test_what_is_there_by_hand_is_listed_and_left_alone(scene: Scene) -> None:
    """It is foreign, with its ranges, until somebody says otherwise."""
    needs(scene.harness, Can.LISTS, Can.READ)
    by_hand = scene.expected(KEPT | REMOVED)
    scene.harness.put_by_hand(by_hand)
    before = scene.harness.state()
    scene.mode = "plan"

    told = scene.sync()

    assert before == scene.harness.state()
    listed = {cidr for one in told["foreign"] for cidr in one["ranges"]}
    assert set(by_hand.cidrs()) <= listed
    assert [] == told["owned"]


def test_adopting_plans_and_applying_takes_over(scene: Scene) -> None:
    """`adopt` writes nothing; its plan makes what is there ours, and all else stays."""
    needs(scene.harness, Can.READ, Can.SHARE)
    scene.harness.add_foreign()
    others = scene.harness.foreign()
    by_hand = scene.expected(KEPT | REMOVED)
    scene.harness.put_by_hand(by_hand)
    before, writes = scene.harness.state(), scene.harness.writes
    scene.mode = "plan"
    scene.sync()

    plan = scene.world.adopt(TARGET)["targets"][0]
    assert (before, writes) == (scene.harness.state(), scene.harness.writes)
    if plan["plan"] is not None:
        _approve_if_refused(scene, plan)
        scene.world.apply(plan["plan"])
    scene.mode = "apply"
    scene.settle()
    told = scene.sync()

    assert ("in_sync", True) == (told["state"], told["verified"])
    if scene.lists:
        assert set(by_hand.cidrs()) <= set(told["owned"])
    else:
        assert scene.harness.goal() == scene.harness.held()
    assert others == scene.harness.foreign()


def test_what_was_taken_over_follows_the_next_change(scene: Scene) -> None:
    """Removed ranges that a person had entered go, since they are ours now."""
    needs(scene.harness, Can.LISTS, Can.READ)
    scene.harness.put_by_hand(scene.expected(KEPT | REMOVED))
    scene.mode = "plan"
    scene.sync()
    plan = scene.world.adopt(TARGET)["targets"][0]
    if plan["plan"] is not None:
        _approve_if_refused(scene, plan)
        scene.world.apply(plan["plan"])
    scene.mode = "apply"
    scene.settle()

    scene.world.publish(NEW)
    told = scene.work()

    assert scene.expected(KEPT | ADDED) == scene.harness.listed()
    assert told["verified"] is True


def test_tells_whether_it_knows_an_address(scene: Scene) -> None:
    """Yes of one inside, no of one outside; where nobody can know, it says so and why."""
    needs(scene.harness, Can.LISTS)
    scene.work()
    with scene.world.opened() as one:
        job = job_of(one)
        assert job.target is not None
        seen = scene.observed(one)
        inside, outside = (job.target.explain(address, seen) for address in (INSIDE, OUTSIDE))

    can_tell = Can.READ not in scene.harness.cannot
    assert ((True, False) if can_tell else (None, None)) == (inside.knows, outside.knows)
    assert inside.says
    assert inside.says != outside.says


def test_what_it_says_that_it_can_do_is_so(scene: Scene) -> None:
    """The declared capabilities are those that the other tests meet."""
    with scene.world.opened() as one:
        target = job_of(one).target
        assert target is not None
        declared = target.capabilities

    cannot = scene.harness.cannot
    assert (Can.READ not in cannot, Can.WRITE not in cannot, Can.SWAP not in cannot) == (
        declared.read,
        declared.write,
        declared.compare_and_swap,
    )
    assert (6 in scene.harness.families) is declared.ipv6


def _approve_if_refused(scene: Scene, plan: dict[str, object]) -> None:
    if plan["refusals"]:
        scene.world.approve(str(plan["plan"]))
