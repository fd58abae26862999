"""What the stages of a run hand to each other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from exosync.core.guards import Limits
from exosync.core.plan import Plan, state_of
from exosync.core.target import Finding, Mode, Observed, State, Step, Target, Verification
from exosync.core.tasks import TaskRules
from exosync.core.windows import Window
from exosync.desire import Wanted
from exosync.errors import ExosyncError
from exosync.store import Store


@dataclass(frozen=True, slots=True)
class Job:
    """One target with the service's own settings for it.

    A target that could not be built has an `error` instead. `windows` are the hours in which
    a run may write. Not `lists_ranges`: what the target holds is something else.
    """

    name: str
    kind: str
    mode: Mode
    families: str
    owner: str
    target: Target | None
    error: ExosyncError | None = None
    windows: tuple[Window, ...] = ()
    lists_ranges: bool = True


@dataclass(frozen=True, slots=True)
class Desk:
    """What every stage needs: the state, the clock, what is wanted, and the guards' limits.

    `others` are the targets that write and are no part of this run, `behind` those that list
    ranges and do not let in all that is desired, as far as is known.
    """

    store: Store
    run_id: int
    wanted: Wanted
    limits: Limits
    tasks: TaskRules
    now: Callable[[], datetime]
    progress: Callable[[str], None]
    others: tuple[str, ...] = ()
    behind: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Look:
    """One target in the middle of a run: what was seen, what is planned, what was done.

    `held` tells why the plan's own steps are not done now.
    """

    job: Job
    observed: Observed | None = None
    plan: Plan | None = None
    findings: tuple[Finding, ...] = ()
    done: tuple[Step, ...] = ()
    declined: bool = False
    applied: Plan | None = None
    verification: Verification | None = None
    error: ExosyncError | None = None
    held: Finding | None = None

    @property
    def state(self) -> State:
        """How the target stands."""
        if self.error is not None or self.plan is None:
            return State.FAILED
        proof = self.verification
        return state_of(
            self.plan,
            wrote=bool(self.done),
            verified=proof.ok if proof else None,
            asserted=bool(proof and proof.asserted),
        )
