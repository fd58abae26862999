"""Doing one step: read, compare, write once, read back until it shows.

The interface has no compare-and-swap: nothing in a record changes with each change. So each write
comes after a reading and a comparison with what the plan was made over; what somebody changes
between the two is lost in the parameters that are set, and in no other. An answer that does not
come is looked for by the mark before anything is said to have failed, and nothing is ever made
a second time.

Readings can lag behind a write for seconds to minutes, so they are repeated (`settle`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from exosync.core.target import Step
from exosync.core.tasks import Known
from exosync.errors import TargetConflict, TargetError, TargetUnreachable
from exosync_adapters.exchange import compare
from exosync_adapters.exchange.admin.client import Admin
from exosync_adapters.exchange.admin.faults import ExistsError, MissingError, UnansweredError
from exosync_adapters.exchange.admin.listing import crowd
from exosync_adapters.exchange.aim import CONNECTOR, Aim
from exosync_adapters.exchange.records import Call, Connector, Rule
from exosync_adapters.exchange.seen import Groups, Seen, seen, tokens

_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 15.0
_LOOK_UP = 30.0
"""Seconds for which something is looked for whose making was not answered."""


class Writer:
    """Does the steps of one target. `groups` are as the plan was made over, and `settle` are the seconds within which a change must show."""

    def __init__(
        self,
        aim: Aim,
        admin: Admin,
        groups: Groups,
        *,
        settle: float,
        pause: Callable[[float], None],
    ) -> None:
        self._aim, self._admin, self._groups = aim, admin, groups
        self._settle, self._pause = settle, pause

    def apply(self, step: Step, known: Known) -> None:
        """Do a step. `known` holds the Guids that were remembered.

        Raises TargetConflict where its object is not as the plan was made over, TargetUnreachable
        where nobody can tell whether it was done, and what the client raises.
        """
        now = self._look(known)
        if _holds(now, step):
            return
        self._must_be_expected(now, step)
        for call in step.detail:
            self._write(call, step, known)
        self._wait(step, known)

    def _look(self, known: Known) -> Seen:
        return seen(self._aim, crowd(self._admin), known, self._groups)

    def _must_be_expected(self, now: Seen, step: Step) -> None:
        if now.doubts:
            why = "; ".join(f"{name.value}: {one}" for name, one in now.doubts.items())
            raise TargetError(
                f"target {self._aim.target}: a listing is not whole ({why}), so nothing was written"
            )
        found = dict(tokens(now)).get(step.resource)
        if found != step.expects:
            raise self._conflict(step, "it was changed meanwhile")
        if marks(step):
            self._must_be_as_shown(now, step)
        elif step.action == "create" and _namesake(now, step.resource) is not None:
            raise self._conflict(step, "another of that name is there by now")

    def _must_be_as_shown(self, now: Seen, step: Step) -> None:
        """What is taken over has no token of ours: it must be as people saw it in the plan."""
        one = _namesake(now, step.resource)
        if one is None or shown(now, one) != step.before:
            raise self._conflict(step, "what was to be taken over was changed meanwhile")

    def _write(self, call: Call, step: Step, known: Known) -> None:
        try:
            self._admin.write(call)
        except UnansweredError as error:
            self._find_out(step, known, error)
        except ExistsError as error:
            raise self._conflict(step, f"another of that name is there by now: {error}") from None
        except MissingError as error:
            if step.action != "delete":
                what = "what it names is not there" if step.action == "create" else "it is gone"
                raise self._conflict(step, f"{what}: {error}") from None

    def _find_out(self, step: Step, known: Known, error: TargetError) -> None:
        """Whether a write that was not answered was done: it is not sent again."""
        why = "it does not show that this was done"
        try:
            if self._shows(step, known, within=min(self._settle, _LOOK_UP)):
                return
        except TargetError as unseen:
            why = f"whether this was done cannot be seen now ({unseen})"
        raise TargetUnreachable(
            f"{error}; {why}; the next run looks again, by the mark, before it does anything"
        ) from None

    def _wait(self, step: Step, known: Known) -> None:
        done = f"target {self._aim.target}: “{step.summary}” was done, but"
        try:
            if self._shows(step, known, within=self._settle):
                return
        except TargetError as error:
            kind = TargetUnreachable if isinstance(error, TargetUnreachable) else TargetError
            raise kind(f"{done} it could not be read back: {error}") from None
        raise TargetError(
            f"{done} after {self._settle:g} s it does not read back so: see it in the admin "
            "center, or raise settle"
        )

    def _shows(self, step: Step, known: Known, *, within: float) -> bool:
        """Whether a step is seen to be done, now or before the time is over."""
        return any(_holds(self._look(known), step) for _ in self._looks(within))

    def _looks(self, within: float) -> Iterator[None]:
        """Now, and again after ever longer pauses, until the time is over."""
        yield None
        paused, pause = 0.0, _FIRST_PAUSE
        while paused < within:
            pause = min(pause, within - paused)
            self._pause(pause)
            paused, pause = paused + pause, min(pause * 2, _LONGEST_PAUSE)
            yield None

    def _conflict(self, step: Step, what: str) -> TargetConflict:
        return TargetConflict(
            f"target {self._aim.target}: “{step.summary}”: {what}; nothing was written: run again "
            "to plan from what is there now"
        )


def marks(step: Step) -> bool:
    """Whether a step takes something over."""
    calls: tuple[Call, ...] = step.detail
    return step.action == "update" and any(
        {"Comment", "Comments"} & set(one.parameters) for one in calls
    )


def shown(now: Seen, one: Connector | Rule) -> str:
    """An object and its comment, as the plan to take it over shows it before."""
    if isinstance(one, Connector):
        return compare.text({**now.connector(one), "Comment": one.comment})
    return compare.text({**now.as_named(one), "Comments": one.comments})


def _holds(now: Seen, step: Step) -> bool:
    """Whether a resource is as the step leaves it; what may be there unseen has no token."""
    return dict(tokens(now)).get(step.resource) == step.gives


def _namesake(now: Seen, resource: str) -> Connector | Rule | None:
    found = now.holding
    return found.connector.namesake if resource == CONNECTOR else found.rule.namesake
