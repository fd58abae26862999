"""Steps for people: asked for, reminded of, acknowledged, seen to be done."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from exosync.core.target import Mode, Observed, Step
from exosync.core.tasks import Confirmation, TaskRules
from exosync.core.units import parse_duration
from exosync.core.words import plural
from exosync.desk import Look
from exosync.errors import RefusedError, UsageError
from exosync.forms import Json, task_json
from exosync.store import Acknowledgement, PlanRecord, Store, TaskOutcome, TaskRecord


def keep_tasks(store: Store, look: Look, rules: TaskRules, run_id: int, at: datetime) -> None:
    """Bring the open tasks of a target in line with its plan, and remind of what is overdue.

    A target that could not be looked at keeps its tasks as they are; of one that is only
    watched nothing is asked. What a plan to take something over asks for waits until it is
    seen, since no other plan asks for it again.
    """
    if look.plan is None or look.observed is None or look.error is not None:
        return
    desk = _Desk(store, look.job.name, rules, run_id, at)
    waiting = {one.setting: one for one in store.open_tasks(desk.target)}
    asked = () if look.job.mode is Mode.WATCH else look.plan.tasks
    for step in _first_of_each_setting(asked):
        assert step.task is not None
        assert look.plan.id is not None, "a plan with steps has an id"
        task = waiting.pop(step.task.setting, None)
        if task is not None and _is_done(task, step, look.observed):
            desk.end(task, look.observed)
            task = None
        desk.ask(step, look.plan.id, task)
    for task in waiting.values():
        if not look.plan.adopting and not desk.is_kept(task, look.observed):
            desk.end(task, look.observed)


def _is_done(task: TaskRecord, step: Step, observed: Observed) -> bool:
    """Whether what a task asked for is seen, and what is asked for now is the next thing."""
    seen = task.gives in observed.told(task.resource)
    return seen and task.gives != step.gives and task.resource not in observed.unread


def _first_of_each_setting(steps: tuple[Step, ...]) -> Iterator[Step]:
    """One thing at a time at one place: what comes after it is asked for by a later run."""
    seen: set[str] = set()
    for step in steps:
        assert step.task is not None
        if step.task.setting not in seen:
            seen.add(step.task.setting)
            yield step


class _Desk:
    """The tasks of one target in one run."""

    def __init__(
        self, store: Store, target: str, rules: TaskRules, run_id: int, at: datetime
    ) -> None:
        self.target = target
        self._store, self._rules, self._run_id, self._at = store, rules, run_id, at

    def ask(self, step: Step, plan_id: str, task: TaskRecord | None) -> None:
        """Open a task, change an open one, or remind of one that is overdue."""
        assert step.task is not None
        body, due_at = task_json(step.task), self._rules.due_at(self._at)
        if task is None:
            self._store.add_task(
                target=self.target,
                setting=step.task.setting,
                plan_id=plan_id,
                resource=step.resource,
                gives=step.gives,
                body=body,
                at=self._at,
                due_at=due_at,
            )
        elif task.gives != step.gives or task.body["box"] != body["box"]:
            self._store.change_task(
                task.id, plan_id=plan_id, gives=step.gives, body=body, at=self._at, due_at=due_at
            )
        else:
            self._store.renew_task(task.id, plan_id=plan_id, body=body)
            self._remind(task)
            return
        self._tell("person_needed", "warning", step.task.title, plan_id, step.task.setting, body)

    def is_kept(self, task: TaskRecord, observed: Observed) -> bool:
        """Whether a task is for taking something over, which is not done yet."""
        done = task.gives in observed.told(task.resource)
        return not done and self._store.find_plan(task.plan_id).adopting

    def end(self, task: TaskRecord, observed: Observed) -> None:
        """A task that no plan asks for any more: it was done, or is not needed."""
        seen = task.gives in observed.told(task.resource)
        outcome = TaskOutcome.SEEN if seen else TaskOutcome.DROPPED
        self._store.close_task(task.id, outcome, self._at)
        plan_id, setting = task.plan_id, task.setting
        if seen:
            self._tell("step_seen", "info", f"{setting}: done, and seen", plan_id, setting)
        else:
            self._tell("step_dropped", "info", f"{setting}: no longer needed", plan_id, setting)

    def _remind(self, task: TaskRecord) -> None:
        if not self._rules.is_to_remind(self._at, task.due_at, task.reminded_at):
            return
        self._store.remind_task(task.id, self._at)
        days = (self._at - task.opened_at).days
        words = f"{task.body['title']}: open for {plural(days, 'day')}, overdue"
        if task.claimed_by:
            words += f"; {task.claimed_by} said it is done, but it is not seen"
        self._tell("step_overdue", "warning", words, task.plan_id, task.setting, dict(task.body))

    def _tell(
        self,
        kind: str,
        severity: str,
        words: str,
        plan_id: str,
        setting: str,
        body: Json | None = None,
    ) -> None:
        self._store.add_event(
            kind,
            severity,
            target=self.target,
            title=f"{self.target}: {words}",
            body={"plan": plan_id, "setting": setting, **({"task": body} if body else {})},
            run_id=self._run_id,
            at=self._at,
        )


def find_task(store: Store, target: str, setting: str | None) -> TaskRecord:
    """The open task at a setting, or the target's only one. Raises UsageError."""
    found = store.open_tasks(target)
    fitting = [one for one in found if setting in (None, one.setting)]
    if len(fitting) == 1:
        return fitting[0]
    if not found:
        raise UsageError(f"nothing waits for a person at {target}: exosync todo lists what does")
    names = ", ".join(one.setting for one in found)
    if fitting:
        raise UsageError(f"several things wait at {target}: name one of {names}")
    raise UsageError(f"nothing waits for a person at {target} {setting}; open there: {names}")


def acknowledge(
    store: Store,
    task: TaskRecord,
    record: PlanRecord,
    *,
    by: str,
    note: str,
    rules: TaskRules,
    at: datetime,
) -> Confirmation:
    """Take a person's word that a task is done as a plan asked for it.

    What cannot be read counts as so from now on; what can be read still has to be seen.
    Gives which of the two it is. Raises RefusedError (`stale_plan`) if the task asks for
    something else by now.
    """
    _still_asks(task, record)
    confirmation = Confirmation(task.body["confirmation"])
    with store.transaction():
        if confirmation is Confirmation.ACKNOWLEDGED:
            store.acknowledge(_acknowledgement(task, by=by, note=note, at=at))
            store.close_task(task.id, TaskOutcome.ACKNOWLEDGED, at)
        else:
            due_at = rules.claim_due_at(at, parse_duration(task.body["delay"]))
            store.claim_task(task.id, by=by, at=at, due_at=due_at)
        store.add_event(
            "acknowledged",
            "info",
            target=task.target,
            title=f"{task.target}: {by} says that {task.setting} is done",
            body={"plan": task.plan_id, "setting": task.setting, "by": by, "why": note},
            run_id=None,
            at=at,
        )
        # A running service looks now, not when the target's turn comes.
        store.trigger(task.target, by=by, at=at)
    return confirmation


def _acknowledgement(task: TaskRecord, *, by: str, note: str, at: datetime) -> Acknowledgement:
    return Acknowledgement(
        target=task.target,
        setting=task.setting,
        plan_id=task.plan_id,
        resource=task.resource,
        gives=task.gives,
        cidrs=task.body["ranges"],
        by=by,
        note=note,
        at=at,
    )


def _still_asks(task: TaskRecord, record: PlanRecord) -> None:
    """Whether the plan that a person worked by asks for what is asked for now.

    Another plan may do so too: its id also stands for the target's other settings.
    """
    if record.target != task.target:
        raise UsageError(f"plan {record.id} is for {record.target}, not for {task.target}")
    if record.id == task.plan_id:
        return
    tasks = (step.get("task") or {} for step in record.body["steps"])
    same = ("setting", "box", "ranges")
    if any(all(one.get(key) == task.body[key] for key in same) for one in tasks):
        return
    message = (
        f"plan {record.id} for {task.target} is outdated: something else is to be done at "
        f"{task.setting} by now; nothing was acknowledged; see exosync todo show {task.target} "
        f"{task.setting} (plan {task.plan_id})"
    )
    raise RefusedError(message, rule="stale_plan")
