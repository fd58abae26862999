"""What happened at a target since it was last looked at: interrupted steps, others' changes."""

from __future__ import annotations

from exosync.core.target import Finding, Observed, Severity, State
from exosync.desk import Desk, Job
from exosync.recall import peoples_doing
from exosync.store import StepRecord, TargetState

_RECOVERED = {
    "found_done": "had been written",
    "found_undone": "had not been written",
    "found_changed": "cannot be told: the place holds something else again",
}


def recover(desk: Desk, job: Job, observed: Observed) -> tuple[Finding, ...]:
    """What became of the steps that a crashed run left without an outcome."""
    findings = []
    for step in desk.store.unfinished(job.name):
        outcome = _outcome(step, observed)
        desk.store.conclude(step.id, outcome, at=desk.now())
        message = f"an interrupted run left “{step.summary}” unfinished; it {_RECOVERED[outcome]}"
        findings.append(Finding("interrupted_step", message))
    return tuple(findings)


def _outcome(step: StepRecord, observed: Observed) -> str:
    now_there = observed.told(step.resource)
    if step.gives in now_there:
        return "found_done"
    return "found_undone" if step.expects in now_there else "found_changed"


def drift(desk: Desk, job: Job, observed: Observed) -> tuple[Finding, ...]:
    """Resources that are not as the last run left them."""
    known = desk.store.target_state(job.name)
    if known is None or known.seen_at is None:
        return ()
    ours = {(one.resource, one.gives) for one in _written(desk, job.name, known)}
    ours |= set(known.resources.items())
    moved = [
        name
        for name in observed.resources
        if name in known.resources and name not in observed.unread and not _is(name, observed, ours)
    ]
    asked = peoples_doing(desk.store, job.name)
    open_ = {one.resource for one in desk.store.open_tasks(job.name)}
    since = f"since {known.seen_at:%Y-%m-%d %H:%M} UTC"
    return tuple(
        _moved(name, since, asked=_is(name, observed, asked), is_open=name in open_)
        for name in moved
    )


def _written(desk: Desk, name: str, known: TargetState) -> list[StepRecord]:
    """The steps since the last look, and those of the run that looked, or of all that failed.

    What they wrote may show only now: where an answer was lost, or a look came from a server that
    lagged behind.
    """
    assert known.seen_at is not None
    later = desk.store.steps_since(name, known.seen_at)
    if known.state == State.FAILED:
        return later + desk.store.steps_of_runs_since(name, known.since)
    # What stood only between two steps of that run is somebody else's doing if it is there again.
    last = {one.resource: one for one in desk.store.steps_of_runs_since(name, known.seen_at)}
    return [*later, *last.values()]


def _is(name: str, observed: Observed, states: set[tuple[str, str]]) -> bool:
    """Whether a resource is in one of these states, by the configuration of now or the one before."""
    return any((name, token) in states for token in observed.told(name))


def _moved(name: str, since: str, *, asked: bool, is_open: bool) -> Finding:
    """What to say of a resource that changed and that exosync did not write."""
    if asked:
        message = f"{name} was changed {since}, as a person was asked to"
        return Finding("person_acted", message, Severity.INFO)
    if is_open:
        message = f"{name} was changed {since}, while a step for a person was open there"
        return Finding("person_acted", message, Severity.INFO)
    return Finding("drift", f"{name} was changed by somebody else {since}")
