"""What is worth telling of a target after a run: each thing once, when it begins and ends."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from exosync.core.holds import WAITS_FOR_OTHERS
from exosync.core.target import State
from exosync.core.words import plural
from exosync.desk import Look
from exosync.store import Store, TargetState

_RIGHT = (State.IN_SYNC, State.APPLIED, State.ASSERTED)

Told = tuple[str, str, str, Mapping[str, Any]]
"""An event's kind, severity and title, and what its body holds besides."""


@dataclass(frozen=True, slots=True)
class News:
    """How a target stood before and stands after a run, and what there is to tell of that."""

    store: Store
    before: TargetState | None
    look: Look
    repeat: tuple[timedelta, ...]
    at: datetime

    @property
    def _name(self) -> str:
        return self.look.job.name

    @property
    def _was(self) -> str | None:
        return self.before.state if self.before else None

    def told(self) -> Iterator[Told]:
        """The events, in the order in which they read well."""
        if self.look.done:
            steps, by = plural(len(self.look.done), "step"), self.look.applied
            # The plan that is open now may be another already.
            plan = {"plan": by.id} if by else {}
            yield "applied", "info", f"{self._name}: {steps} done", plan
        yield from self._drift()
        yield from self._failing()
        yield from self._plan()

    def _drift(self) -> Iterator[Told]:
        if any(one.rule == "drift" for one in self.look.findings):
            yield "drift", "warning", f"{self._name} was changed by somebody else", {}
            drifted = True
        else:
            drifted = False
        state = self.look.state
        if state not in _RIGHT or not (self.look.done or state != self._was):
            return
        last = self.store.last_event(self._name, ("drift", "drift_repaired"))
        if drifted or (last is not None and last.kind == "drift"):
            yield "drift_repaired", "info", f"{self._name} is again as it should be", {}

    def _failing(self) -> Iterator[Told]:
        failed = self.look.state is State.FAILED
        why = self.look.error or "not verified"
        if failed and self._was != State.FAILED:
            yield "target_failed", "error", f"{self._name} failed: {why}", {}
        elif failed:
            yield from self._still_failing(str(why))
        elif self._was == State.FAILED:
            yield "target_recovered", "info", f"{self._name} works again", {}

    def _still_failing(self, why: str) -> Iterator[Told]:
        last = self.store.last_event(self._name, ("target_failed", "still_failing"))
        times = last.body.get("times", 0) if last else 0
        wait = self.repeat[min(times, len(self.repeat) - 1)]
        if last is not None and self.at < last.at + wait:
            return
        assert self.before is not None
        since = self.before.since
        title = f"{self._name} fails since {since:%Y-%m-%d %H:%M} UTC: {why}"
        yield "still_failing", "warning", title, {"times": times + 1, "since": since.isoformat()}

    def _plan(self) -> Iterator[Told]:
        plan, state = self.look.plan, self.look.state
        new = plan is not None and plan.id != (self.before.plan if self.before else None)
        if state is State.REFUSED and plan and (new or self._was != State.REFUSED):
            rules = ", ".join(dict.fromkeys(one.rule for one in plan.standing))
            yield "refused", "warning", f"{self._name}: refused by {rules}", {}
        held = self.look.held
        if state is State.PENDING and new and not (held and held.rule == WAITS_FOR_OTHERS):
            told = f"a plan waits: {held.message}" if held else "a plan waits to be applied"
            yield "plan_waits", "info", f"{self._name}: {told}", {}
