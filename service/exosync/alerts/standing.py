"""One target's part of a message: what was done, what waits, and what a person must still do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from exosync.alerts.kinds import advice
from exosync.core.holds import OUTSIDE_WINDOW, PAUSED, WAITS_FOR_OTHERS
from exosync.core.words import ADOPTABLE, can_be_approved
from exosync.store import EventRecord, TargetState, TaskRecord

Json = dict[str, Any]

_TELLING = (PAUSED, OUTSIDE_WINDOW, WAITS_FOR_OTHERS, "drift", "interrupted_step", "person_acted")
"""The findings that belong into a message; the others are true at every run."""

_HELD = (OUTSIDE_WINDOW, WAITS_FOR_OTHERS)
_UNDONE = ("pending", "refused", "waiting", "failed")


@dataclass(frozen=True, slots=True)
class Named:
    """A configured target: its name, kind and mode."""

    name: str
    kind: str
    mode: str


def target_part(
    named: Named,
    state: TargetState | None,
    tasks: Sequence[TaskRecord],
    events: Sequence[EventRecord],
    *,
    done: Sequence[str],
    now: datetime,
) -> Json:
    """How a target stands, as JSON values; `state` is None if no run has looked at it."""
    report: Mapping[str, Any] = state.report if state else {}
    return {
        "name": named.name,
        "kind": named.kind or (state.kind if state else ""),
        "mode": named.mode or (state.mode if state else ""),
        "state": state.state if state else None,
        "since": state.since.isoformat() if state else None,
        "version": state.version if state else None,
        "verified": state.verified if state else None,
        "seen_at": state.seen_at.isoformat() if state and state.seen_at else None,
        "failures": state.failures if state else 0,
        "done": list(done),
        "changes": _changes(state, events),
        "plan": state.plan if state else None,
        "refusals": _listed(report, "refusals", ("rule", "message")),
        "findings": [
            one
            for one in _listed(report, "findings", ("rule", "message"))
            if one["rule"] in _TELLING
        ],
        "error": (state.error or None) if state else None,
        "next": _next(named, state, events),
        "tasks": [_task(one, now) for one in tasks],
    }


def _changes(state: TargetState | None, events: Sequence[EventRecord]) -> list[Json]:
    """What was changed, by the events, or what is still to be changed, by the last run."""
    told = [one.body.get("changes") for one in events]
    mine = [one for one in told if isinstance(one, list) and one]
    if not mine and state is not None and state.state in _UNDONE:
        mine = [state.report.get("changes") or []]
    keys = ("change", "cidr", "was", "text")
    return _listed({"changes": mine[-1]}, "changes", keys) if mine else []


def _listed(values: Mapping[str, Any], key: str, keys: tuple[str, ...]) -> list[Json]:
    """The objects of a list with these keys as texts; what is no object is left out."""
    found = values.get(key)
    return [
        {name: str(one.get(name) or "") for name in keys}
        for one in (found if isinstance(found, list) else ())
        if isinstance(one, Mapping)
    ]


def _next(named: Named, state: TargetState | None, events: Sequence[EventRecord]) -> list[Json]:
    pairs = [*(_by_state(named, state) if state else ())]
    return steps([*pairs, *(pair for one in events for pair in advice(one))])


def steps(pairs: Iterable[tuple[str, str]]) -> list[Json]:
    """What to do, as JSON values; the same command only once, for the first reason given."""
    found: dict[str, Json] = {}
    for why, command in pairs:
        found.setdefault(command or why, {"why": why, "command": command})
    return list(found.values())


def _by_state(named: Named, state: TargetState) -> Iterator[tuple[str, str]]:
    """What a person can do about how a target stands."""
    rules = {str(one.get("rule")) for one in state.report.get("findings", ())}
    mode = named.mode or state.mode
    if PAUSED in rules:
        yield "to let it be written again", f"exosync resume {named.name}"
    elif state.state == "refused":
        yield from _about_refusal(named, state)
    elif state.state == "pending" and mode == "watch":
        yield "it is only watched; with mode: plan exosync could write", ""
    elif state.state == "pending" and rules.intersection(_HELD):
        yield "nothing: exosync does it by itself as soon as it may", ""
    elif state.state == "pending" and state.plan:
        yield "to see the plan", f"exosync show {state.plan}"
        yield "to do it", f"exosync apply {state.plan}"
    elif state.state == "failed":
        yield "to look now; exosync also tries again by itself", "exosync check"


def _about_refusal(named: Named, state: TargetState) -> Iterator[tuple[str, str]]:
    refusals = [one for one in state.report.get("refusals", ()) if isinstance(one, Mapping)]
    if any(one.get("rule") in ADOPTABLE for one in refusals):
        yield "to take it over", f"exosync adopt {named.name}"
    if state.plan:
        yield "to see the plan and the figures", f"exosync show {state.plan}"
        if can_be_approved(refusals):
            yield "if it is right", f"exosync approve {state.plan}"


def _task(task: TaskRecord, now: datetime) -> Json:
    """What a person is asked to do, with the commands that go with it."""
    body = task.body
    where = f"{task.target} {task.setting}"
    return {
        "setting": task.setting,
        "plan": task.plan_id,
        "opened_at": task.opened_at.isoformat(),
        "due_at": task.due_at.isoformat(),
        "overdue": now >= task.due_at,
        "claimed_by": task.claimed_by,
        "title": _said(body, "title"),
        "who": _said(body, "who"),
        "place": _said(body, "place"),
        "box": _said(body, "box"),
        "fields": _listed(body, "fields", ("name", "value")),
        "instructions": _lines(body, "instructions"),
        "reasons": _lines(body, "reasons"),
        "confirmation": _said(body, "confirmation"),
        "show": f"exosync todo show {where}",
        "ack": f"exosync ack {where} --plan {task.plan_id} --by NAME",
    }


def _said(body: Mapping[str, Any], key: str) -> str:
    value = body.get(key)
    return value if isinstance(value, str) else ""


def _lines(body: Mapping[str, Any], key: str) -> list[str]:
    value = body.get(key)
    return [str(one) for one in value] if isinstance(value, list) else []
