"""What a person is asked for, each with the command that does it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from shlex import quote
from typing import Any

from exosync.core.words import ADOPTABLE, adopting, can_be_approved

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Ask:
    """One thing: at which target, why, the command, and where more stands."""

    target: str
    why: str
    command: str
    link: str = ""
    tone: str = "warn"


def asks(status: Mapping[str, Any]) -> list[Ask]:
    """Everything that waits for a person, what was refused first."""
    return [
        *_refused(status),
        *_plans(status),
        *_steps(status),
        *_adopting(status),
        *_paused(status),
    ]


def ack_command(task: Json) -> str:
    """What says that a step is done."""
    where = f"{quote(task['target'])} {quote(task['setting'])}"
    return f"exosync ack {where} --plan {task['plan']} --by NAME"


def show_command(task: Json) -> str:
    """What shows a step on a terminal."""
    return f"exosync todo show {quote(task['target'])} {quote(task['setting'])}"


def _refused(status: Mapping[str, Any]) -> Iterator[Ask]:
    for one in status["targets"]:
        if one["state"] != "refused":
            continue
        name, plan = one["name"], one["plan"]
        link = f"/targets/{name}"
        rules = ", ".join(dict.fromkeys(each["rule"] for each in one["refusals"]))
        if plan and can_be_approved(one["refusals"]):
            command = f"exosync approve {plan} --why 'REASON'"
            yield Ask(name, f"refused by {rules}: approve it if it is right", command, link, "bad")
        elif any(each["rule"] in ADOPTABLE for each in one["refusals"]):
            command = f"exosync adopt {quote(name)}"
            yield Ask(name, "what is there does not carry this target's mark", command, link, "bad")
        else:
            yield Ask(name, f"refused by {rules}: has to be mended there", "", link, "bad")


def _plans(status: Mapping[str, Any]) -> Iterator[Ask]:
    for one in status["targets"]:
        if one["state"] not in ("pending", "waiting"):
            continue
        if one["mode"] == "watch":
            why = "not as desired, and only watched: mode: plan lets exosync write or ask"
            yield Ask(one["name"], why, "", f"/targets/{one['name']}")
        elif one["state"] == "pending" and one["plan"]:
            command = f"exosync apply {one['plan']}"
            yield Ask(one["name"], "a plan waits to be applied", command, f"/plans/{one['plan']}")


def _steps(status: Mapping[str, Any]) -> Iterator[Ask]:
    for one in status["todo"]:
        why = str(one["task"]["title"])
        if one["overdue"]:
            why = f"overdue: {why}"
        elif one["claimed_by"]:
            why = f"done, says {one['claimed_by']}, and not seen yet: {why}"
        link = f"/todo#{one['target']}-{one['setting']}"
        tone = "bad" if one["overdue"] else "warn"
        yield Ask(one["target"], why, show_command(one), link, tone)


def _adopting(status: Mapping[str, Any]) -> Iterator[Ask]:
    for plan, command in adopting(status):
        why = "a plan would take over what is there"
        yield Ask(plan["target"], why, command, f"/plans/{plan['id']}")


def _paused(status: Mapping[str, Any]) -> Iterator[Ask]:
    if status["paused"]:
        yield Ask("", f"all writing is paused{_by(status['paused'])}", "exosync resume")
    for one in status["targets"]:
        if one["paused"]:
            why = f"paused{_by(one['paused'])}"
            command = f"exosync resume {quote(one['name'])}"
            yield Ask(one["name"], why, command, f"/targets/{one['name']}")


def _by(pause: Json) -> str:
    why = f": {pause['why']}" if pause["why"] else ""
    return f" by {pause['by']}{why}"
