"""A plan: what would be done at one target, under an id that stands for exactly that."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from exosync.core.changes import Change, changes
from exosync.core.desired import Desired
from exosync.core.guards import Limits, guard
from exosync.core.ranges import IpRanges
from exosync.core.target import (
    Actor,
    Draft,
    Finding,
    Mode,
    Observed,
    Phase,
    Refusal,
    Severity,
    State,
    Step,
    digest,
)

INGREDIENTS: Mapping[str, str] = {
    "version": "the snapshot version",
    "observed": "what is observed at the target",
    "steps": "the steps",
    "configuration": "the configuration",
}
"""What a plan's id is a hash over, each with the words for it."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What would be done at one target.

    `ingredients` are the digests that `id` is made of. `approved` tells whether a person
    approved this very plan; `refusals` still lists what that approval lifts.
    """

    target: str
    draft: Draft
    refusals: tuple[Refusal, ...]
    ingredients: Mapping[str, str]
    adopting: bool = False
    approved: bool = False
    findings: tuple[Finding, ...] = field(default=())

    @property
    def id(self) -> str | None:
        """Twelve hexadecimal digits; None where there is nothing to do."""
        if not self.draft.steps:
            return None
        return digest([self.target, self.adopting, dict(self.ingredients)])[:12]

    @property
    def standing(self) -> tuple[Refusal, ...]:
        """The refusals that stand: all that no approval has lifted."""
        return tuple(one for one in self.refusals if not (self.approved and one.approvable))

    @property
    def changes(self) -> tuple[Change, ...]:
        """The change of the target's ranges, told address-wise."""
        return changes(self.draft.base, self.draft.goal)

    def is_refused(self, step: Step) -> bool:
        """Whether a refusal that stands covers a step; steps beside it go on."""
        return any(one.covers(step) for one in self.standing)

    def own_steps(self, phase: Phase | None = None) -> tuple[Step, ...]:
        """The steps that exosync may do itself, of one phase or of both."""
        return tuple(
            step
            for step in self.draft.steps
            if step.by is Actor.EXOSYNC
            and phase in (None, step.phase)
            and not self.is_refused(step)
        )

    @property
    def tasks(self) -> tuple[Step, ...]:
        """The steps that a person may do."""
        return tuple(one for one in self.draft.steps if one.task and not self.is_refused(one))

    def own_steps_left(self, done: Sequence[Step]) -> bool:
        """Whether exosync has steps of this plan still to do."""
        return any(step not in done for step in self.own_steps())

    def differs(self, other: Mapping[str, str]) -> list[str]:
        """In words, which ingredients are not those of another plan."""
        return [
            words
            for name, words in INGREDIENTS.items()
            if self.ingredients.get(name) != other.get(name)
        ]


def ingredients(
    desired: Desired,
    observed: Observed,
    draft: Draft,
    configuration: Mapping[str, Any],
    *,
    lists_ranges: bool = True,
) -> dict[str, str]:
    """The digests of everything that a plan's id stands for.

    A plan for a target that lists no ranges stays what it is when a new version comes.
    """
    steps = [
        [one.resource, one.phase, one.action, one.by, one.before, one.after, one.expects, one.gives]
        for one in draft.steps
    ]
    return {
        "version": digest([desired.instance, desired.version if lists_ranges else ""]),
        "observed": observed.token,
        "steps": digest(steps),
        "configuration": digest(dict(configuration)),
    }


_NOTHING = IpRanges()

Drafting = Callable[[Desired], Draft]
"""How a target makes a draft of what is desired, observation and rehearsal included."""


def decide(
    draft_for: Drafting,
    desired: Desired,
    *,
    families: str,
    limits: Limits,
    feed_age: timedelta,
    proven: IpRanges,
    granted: IpRanges = _NOTHING,
    adopting: bool,
) -> tuple[Draft, tuple[Refusal, ...], tuple[Finding, ...]]:
    """The draft to go on with, and the refusals that stand against it.

    An addition is never held up by a refused removal: where the target's removals are
    refused and its additions are not, the draft that adds and takes nothing away comes first,
    and the removal gets a plan of its own once that is done. What people have to add holds up
    no removal of exosync's own. A refusal that names its resources speaks for itself.
    """

    def judge(draft: Draft) -> tuple[Refusal, ...]:
        return draft.refusals + guard(
            draft,
            desired,
            limits=limits,
            feed_age=feed_age,
            proven=proven,
            granted=granted,
            adopting=adopting,
        )

    draft = draft_for(desired.only(families))
    refusals = judge(draft)
    whole = [one for one in refusals if not one.resources]
    if adopting or not whole or any(one.phase is not Phase.REMOVE for one in whole):
        return draft, refusals, ()
    if not _steps(draft, Phase.ADD):
        return draft, refusals, ()
    gentle = draft_for(desired.only(families).keeping(draft.base))
    held = judge(gentle)
    additions = _steps(gentle, Phase.ADD)
    if any(one.covers(step) for one in held if not one.resources for step in additions):
        return draft, refusals, ()
    own_removals = _steps(draft, Phase.REMOVE, Actor.EXOSYNC)
    if own_removals and not _steps(gentle, Phase.ADD, Actor.EXOSYNC):
        return replace(draft, steps=additions + own_removals), refusals, ()
    return gentle, held, tuple(_held_back(one) for one in refusals if one not in held)


def _steps(draft: Draft, phase: Phase, by: Actor | None = None) -> tuple[Step, ...]:
    return tuple(one for one in draft.steps if one.phase is phase and (by is None or one.by is by))


def _held_back(refusal: Refusal) -> Finding:
    return Finding(
        "removal_held_back",
        f"additions go first; the removal is refused ({refusal.rule}: {refusal.message}) and "
        "gets a plan of its own after them",
    )


def nothing_to_adopt() -> Finding:
    """A person asked to take over what is there, and there is nothing."""
    message = "nothing there waits to be taken over: the target is told as exosync plan tells it"
    return Finding("nothing_to_adopt", message, Severity.INFO)


def state_of(plan: Plan, *, wrote: bool, verified: bool | None, asserted: bool = False) -> State:
    """What to call a target once a run is done with it; `asserted`: in part on a person's word."""
    if plan.standing:
        return State.REFUSED
    if plan.own_steps():
        return State.PENDING
    if plan.draft.steps:
        return State.WAITING
    if verified is False:
        return State.FAILED
    if wrote:
        return State.APPLIED
    return State.ASSERTED if asserted else State.IN_SYNC


def may_write(mode: Mode, plan: Plan) -> bool:
    """Whether a run may do the plan's steps without being asked by a person."""
    return mode is Mode.APPLY and not plan.adopting and bool(plan.own_steps())
