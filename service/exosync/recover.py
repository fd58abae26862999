"""What happened at a target since it was last looked at: interrupted steps, others' changes."""

from __future__ import annotations

from exosync.core.target import Finding, Observed, Severity, State
from exosync.desk import Desk, Job
from exosync.recall import peoples_doing
from exosync.store import StepRecord

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
    # A step that failed may have been written all the same, and its outcome told too late.
    ours = {(one.resource, one.gives) for one in desk.store.steps_since(job.name, known.seen_at)}
    ours |= set(known.resources.items())
    moved = [
        name
        for name in observed.resources
        if name in known.resources and name not in observed.unread and not _is(name, observed, ours)
    ]
    asked = peoples_doing(desk.store, job.name)
    since = f"since {known.seen_at:%Y-%m-%d %H:%M} UTC"
    return tuple(
        _moved(name, since, asked=_is(name, observed, asked), state=known.state) for name in moved
    )


def _is(name: str, observed: Observed, states: set[tuple[str, str]]) -> bool:
    """Whether a resource is in one of these states, by the configuration of now or the one before."""
    return any((name, token) in states for token in observed.told(name))


def _moved(name: str, since: str, *, asked: bool, state: str) -> Finding:
    """What to say of a resource that changed and that exosync did not write."""
    if asked:
        message = f"{name} was changed {since}, as a person was asked to"
        return Finding("person_acted", message, Severity.INFO)
    if state == State.WAITING:
        message = f"{name} was changed {since}, while a step for a person was open"
        return Finding("person_acted", message, Severity.INFO)
    return Finding("drift", f"{name} was changed by somebody else {since}")
