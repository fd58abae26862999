"""A plan's id stands for exactly what would be done; additions never wait for removals."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from fractions import Fraction
from typing import Any

import pytest

from exosync.core.desired import Desired
from exosync.core.guards import Limits
from exosync.core.plan import Drafting, Plan, decide, ingredients, may_write, state_of
from exosync.core.ranges import IpRanges
from exosync.core.target import (
    ABSENT,
    Action,
    Actor,
    Draft,
    Finding,
    Mode,
    Observed,
    Phase,
    Refusal,
    State,
    Step,
    digest,
    split,
)
from exosync.core.tasks import Confirmation, Task

FOUR = ("40.92.0.0/15", "40.107.0.0/16", "52.100.0.0/14", "104.47.0.0/17")
NEW = "52.112.0.0/17"
LIMITS = Limits(min_ranges=1)


def desired(*cidrs: str, version: str = "2024073100") -> Desired:
    """What a version makes desired."""
    return Desired("Worldwide", version, IpRanges.parse(cidrs))


def drafting(owned: IpRanges) -> Drafting:
    """A target as small as can be: one resource that holds a list."""

    def draft_for(wish: Desired) -> Draft:
        steps = []
        before = owned
        for phase, stage in split(wish, owned):
            if stage.ranges != before:
                after = stage.ranges
                steps.append(
                    Step(
                        "list",
                        phase,
                        Action.UPDATE,
                        "write",
                        str(before),
                        str(after),
                        digest(list(before)),
                        digest(list(after)),
                    )
                )
                before = after
        return Draft(base=owned, goal=wish.ranges, steps=tuple(steps))

    return draft_for


def decided(
    owned: tuple[str, ...], *cidrs: str, limits: Limits = LIMITS
) -> tuple[Draft, tuple[Refusal, ...], tuple[Finding, ...]]:
    """What is decided for a target that owns something."""
    there = IpRanges.parse(owned)
    return decide(
        drafting(there),
        desired(*cidrs),
        families="both",
        limits=limits,
        feed_age=timedelta(),
        proven=IpRanges(),
        adopting=False,
    )


def plan(**kinds: Any) -> Plan:
    """A plan with one step."""
    step = Step("list", Phase.ADD, Action.CREATE, "write", "", "a", ABSENT, "t")
    draft = Draft(base=IpRanges(), goal=IpRanges.parse(FOUR), steps=(step,))
    made = Plan(
        "edge", draft, (), {"version": "v", "observed": "o", "steps": "s", "configuration": "c"}
    )
    return replace(made, **kinds)


def test_additions_come_in_a_stage_before_removals() -> None:
    """Between the stages nothing is missing."""
    draft, refusals, _ = decided(
        (*FOUR, "23.103.0.0/32"), *FOUR, NEW, limits=Limits(min_ranges=1, max_shrink=Fraction(1))
    )

    assert () == refusals
    assert [Phase.ADD, Phase.REMOVE] == [one.phase for one in draft.steps]


def test_a_refused_removal_does_not_hold_up_an_addition() -> None:
    """The addition gets a plan of its own, free of refusals, and says why."""
    draft, refusals, findings = decided(FOUR, *FOUR[:3], NEW)

    assert () == refusals
    assert ["removal_held_back"] == [one.rule for one in findings]
    assert IpRanges.parse((*FOUR, NEW)) == draft.goal
    assert [Phase.ADD] == [one.phase for one in draft.steps]


def test_a_removal_alone_is_refused() -> None:
    """There is nothing to go first, so the removal is the plan, and it is refused."""
    draft, refusals, findings = decided(FOUR, *FOUR[:3])

    assert ["shrink"] == [one.rule for one in refusals]
    assert () == findings
    assert IpRanges.parse(FOUR[:3]) == draft.goal


@pytest.mark.parametrize("name", ["version", "observed", "steps", "configuration"])
def test_the_id_changes_with_each_thing_it_stands_for(name: str) -> None:
    """And the difference can be told in words."""
    one = plan()
    other = plan(ingredients={**one.ingredients, name: "other"})

    assert one.id != other.id
    assert 1 == len(other.differs(one.ingredients))


def test_the_same_plan_has_the_same_id() -> None:
    """The id holds no time and no chance."""
    assert plan().id == plan().id
    assert 12 == len(plan().id or "")


def test_a_plan_without_steps_has_no_id() -> None:
    """There is nothing to apply or approve."""
    assert plan(draft=Draft(IpRanges(), IpRanges())).id is None


def test_a_plan_without_ranges_outlives_a_new_version() -> None:
    """An approval of it does not lapse because Microsoft has published meanwhile."""
    seen, draft = Observed(IpRanges(), {"rule": "1"}), Draft(IpRanges(), IpRanges())
    old, new = (
        ingredients(desired(*FOUR, version=one), seen, draft, {}, lists_ranges=False)
        for one in ("2024073100", "2024073101")
    )
    assert old == new


def test_ingredients_cover_version_observation_steps_and_configuration() -> None:
    """Each alone changes its own digest."""
    seen = Observed(IpRanges(), {"list": "1"})
    draft = plan().draft
    base = ingredients(desired(*FOUR), seen, draft, {"path": "/a"})

    assert (
        base["version"]
        != ingredients(desired(*FOUR, version="2024073101"), seen, draft, {})["version"]
    )
    assert (
        base["observed"]
        != ingredients(desired(), Observed(IpRanges(), {"list": "2"}), draft, {})["observed"]
    )
    assert base["steps"] != ingredients(desired(), seen, Draft(IpRanges(), IpRanges()), {})["steps"]
    assert (
        base["configuration"]
        != ingredients(desired(), seen, draft, {"path": "/b"})["configuration"]
    )


def test_an_approval_lifts_what_can_be_lifted_and_no_more() -> None:
    """A rule that no approval can make right stands."""
    soft = Refusal("shrink", "", "", approvable=True)
    hard = Refusal("two_spf_records", "", "")
    one = plan(refusals=(soft, hard), approved=True)

    assert (hard,) == one.standing


@pytest.mark.parametrize(
    ("made", "wrote", "verified", "expected"),
    [
        (plan(refusals=(Refusal("shrink", "", "", approvable=True),)), False, None, State.REFUSED),
        (plan(), False, None, State.PENDING),
        (plan(draft=Draft(IpRanges(), IpRanges())), False, True, State.IN_SYNC),
        (plan(draft=Draft(IpRanges(), IpRanges())), True, True, State.APPLIED),
        (plan(draft=Draft(IpRanges(), IpRanges())), True, False, State.FAILED),
    ],
)
def test_a_target_is_called_what_it_is(
    made: Plan, wrote: bool, verified: bool | None, expected: State
) -> None:
    """Refusal before pending, pending before applied."""
    assert expected == state_of(made, wrote=wrote, verified=verified)


def test_a_plan_of_steps_for_a_person_waits() -> None:
    """exosync has done its part."""
    step = replace(plan().draft.steps[0], by=Actor.PERSON)
    waiting = plan(draft=replace(plan().draft, steps=(step,)))

    assert State.WAITING == state_of(waiting, wrote=True, verified=None)


@pytest.mark.parametrize("mode", list(Mode))
def test_only_mode_apply_writes_by_itself(mode: Mode) -> None:
    """And never what is refused or takes something over."""
    assert (mode is Mode.APPLY) == may_write(mode, plan())
    assert not may_write(mode, plan(refusals=(Refusal("shrink", "", "", approvable=True),)))
    assert not may_write(mode, plan(adopting=True))


def two_places(owned: IpRanges, acknowledged: IpRanges) -> Drafting:
    """A target of two settings: a list that exosync writes, and a box that a person fills."""
    listed = drafting(owned)

    def draft_for(wish: Desired) -> Draft:
        draft = listed(wish)
        boxed = [
            replace(one, resource="box", by=Actor.PERSON, task=TASK)
            for one in drafting(acknowledged)(wish).steps
        ]
        steps = sorted((*draft.steps, *boxed), key=lambda one: one.phase is Phase.REMOVE)
        return replace(draft, base=owned | acknowledged, steps=tuple(steps))

    return draft_for


TASK = Task("box", "fill the box", "a console", "text", "ada", Confirmation.READ, IpRanges())


def test_a_removal_of_our_own_waits_for_no_person() -> None:
    """It is offered for approval while a person still has to add something elsewhere."""
    owned, nothing = IpRanges.parse(FOUR), IpRanges()
    draft, refusals, _ = decide(
        two_places(owned, nothing),
        desired(*FOUR[:3]),
        families="both",
        limits=LIMITS,
        feed_age=timedelta(),
        proven=nothing,
        adopting=False,
    )
    made = plan(draft=draft, refusals=refusals)

    assert ["shrink"] == [one.rule for one in refusals]
    assert [("box", Phase.ADD), ("list", Phase.REMOVE)] == [
        (one.resource, one.phase) for one in draft.steps
    ]
    assert ["box"] == [one.resource for one in made.tasks]
    assert () == made.own_steps()
    assert ["list"] == [one.resource for one in replace(made, approved=True).own_steps()]


def test_what_is_refused_at_one_place_holds_up_no_other() -> None:
    """A refusal that names its resources covers those alone."""
    first = plan().draft.steps[0]
    other = replace(first, resource="other")
    draft = replace(plan().draft, steps=(first, other))
    made = plan(draft=draft, refusals=(Refusal("mark_lost", "", "", resources=("list",)),))

    assert (other,) == made.own_steps()
    assert may_write(Mode.APPLY, made)
    assert State.REFUSED == state_of(made, wrote=True, verified=None)


def test_nothing_is_asked_of_people_that_is_refused() -> None:
    """Nobody should paste what a guard has stopped."""
    step = replace(plan().draft.steps[0], by=Actor.PERSON, task=TASK)
    draft = replace(plan().draft, steps=(step,))
    soft = Refusal("growth", "", "", approvable=True)

    assert () == plan(draft=draft, refusals=(soft,)).tasks
    assert (step,) == plan(draft=draft, refusals=(soft,), approved=True).tasks


def test_what_is_only_asserted_is_a_state_of_its_own() -> None:
    """As long as nothing is to be done."""
    done = plan(draft=Draft(IpRanges(), IpRanges()))

    assert State.ASSERTED == state_of(done, wrote=False, verified=None, asserted=True)
    assert State.APPLIED == state_of(done, wrote=True, verified=None, asserted=True)
    assert State.FAILED == state_of(done, wrote=False, verified=False, asserted=True)


def test_a_refusal_elsewhere_lets_no_refused_removal_reach_a_person() -> None:
    """The box asks for the addition alone, though another setting is refused as well."""

    def draft_for(wish: Desired) -> Draft:
        box = drafting(IpRanges.parse(FOUR))(wish)
        after = str(wish.ranges)
        asked = [
            replace(one, resource="box", by=Actor.PERSON, task=replace(TASK, box=after))
            for one in box.steps[:1]
        ]
        scoped = Refusal("two_policies", "", "", resources=("bypass",))
        return replace(box, steps=tuple(asked), refusals=(scoped,))

    draft, refusals, _ = decide(
        draft_for,
        desired(*FOUR[:3], NEW),
        families="both",
        limits=LIMITS,
        feed_age=timedelta(),
        proven=IpRanges(),
        adopting=False,
    )

    (step,) = draft.steps
    assert step.task is not None
    assert FOUR[3] in step.task.box
    assert NEW in step.task.box
    assert ["two_policies"] == [one.rule for one in refusals]
