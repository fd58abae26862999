"""plan, sync, apply, approve, adopt."""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from exosync.cli.common import config_option, json_option, locked, opened, user, wait_option
from exosync.cli.output import put, say, say_json
from exosync.core.words import text_to_paste
from exosync.errors import RefusedError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from exosync.assembly import Assembly
    from exosync.reconcile import Outcome
    from exosync.store import PlanRecord

    Work = Callable[[int], Outcome]
    Prepare = Callable[[Assembly], tuple[str, Work]]

FORMATS = ("text", "json", "markdown", "html")

format_option = click.option(
    "--format",
    "fmt",
    type=click.Choice(FORMATS),
    default="text",
    show_default=True,
    help="How the result is printed.",
)


@click.command(short_help="Show what would be done, and why; write nothing outside.")
@config_option
@json_option
@format_option
@wait_option
def plan(*, as_json: bool, fmt: str, wait: float) -> int:
    """Fetch, compare and plan for every target. Nothing outside the state is written.

    Ends with 0 if all is as desired, 2 if something would be done, 3 if a rule refuses it.
    """
    from exosync.reconcile import reconcile

    def prepare(assembly: Assembly) -> tuple[str, Work]:
        return "", lambda run: reconcile(assembly.rules, assembly.store, run, writing=False)

    return _run("plan", prepare, "json" if as_json else fmt, wait)


@click.command(short_help="Run once: fetch, plan, guard, apply, verify, record.")
@config_option
@json_option
@format_option
@wait_option
def sync(*, as_json: bool, fmt: str, wait: float) -> int:
    """Run once over all targets.

    Writes only at targets with mode: apply; for the others it plans. One target's failure
    never stops another's.
    """
    from exosync.reconcile import reconcile

    def prepare(assembly: Assembly) -> tuple[str, Work]:
        return "", lambda run: reconcile(assembly.rules, assembly.store, run, writing=True)

    return _run("sync", prepare, "json" if as_json else fmt, wait)


@click.command(short_help="Do one plan, if it is still exactly what would be planned now.")
@config_option
@json_option
@wait_option
@click.argument("plan_id", metavar="PLAN")
def apply(*, plan_id: str, as_json: bool, wait: float) -> int:
    """Do the plan with the id PLAN (or a unique beginning of it).

    The target is observed again first: if anything the plan stands for has changed, the plan
    is stale, nothing is written, and the command ends with 3. A plan that was applied already
    ends with 0 if nothing is to be done at the target, else with 3.
    """
    from exosync.reconcile import apply_plan

    def prepare(assembly: Assembly) -> tuple[str, Work]:
        target = assembly.store.find_plan(plan_id).target

        def work(run_id: int) -> Outcome:
            # Read once more: until the lock was had, another run may have done it.
            record = assembly.store.find_plan(plan_id)
            if record.status != "applied":
                return apply_plan(assembly.rules, assembly.store, run_id, record)
            if not as_json:
                say(f"plan {record.id} was applied already; is the target still so?")
            return _look_again(assembly, run_id, record)

        return target, work

    return _run("apply", prepare, "json" if as_json else "text", wait)


def _look_again(assembly: Assembly, run_id: int, record: PlanRecord) -> Outcome:
    """See that nothing is to be done at an applied plan's target. Raises RefusedError if it is."""
    from exosync.reconcile import reconcile

    rules = assembly.rules
    jobs = tuple(one for one in rules.jobs if one.name == record.target)
    unasked = replace(rules.feed, feed=None)
    outcome = reconcile(
        replace(rules, jobs=jobs, feed=unasked), assembly.store, run_id, writing=False
    )
    if any(one.error is None and one.plan and one.plan.id for one in outcome.looks):
        message = (
            f"plan {record.id} for {record.target} was applied already, and something else is to "
            "be done by now; nothing was written; see `exosync plan` for what that is"
        )
        raise RefusedError(message, rule="stale_plan")
    return outcome


@click.command(short_help="Plan to take over what is already there at a target.")
@config_option
@json_option
@wait_option
@click.argument("target")
def adopt(*, target: str, as_json: bool, wait: float) -> int:
    """Plan to take over what is there at TARGET without exosync's mark.

    Nothing is written: the plan is applied like any other, with `exosync apply PLAN`.
    """
    from exosync.reconcile import adopt_target

    def prepare(assembly: Assembly) -> tuple[str, Work]:
        known = [one.name for one in assembly.rules.jobs]
        if target not in known:
            message = f"there is no target {target!r}; configured are: {', '.join(known)}"
            raise UsageError(message)
        return target, lambda run: adopt_target(assembly.rules, assembly.store, run, target)

    return _run("adopt", prepare, "json" if as_json else "text", wait)


@click.command(short_help="Lift the refusals of one plan.")
@config_option
@json_option
@click.argument("plan_id", metavar="PLAN")
@click.option("--by", help="Who approves [default: the user who runs the command].")
@click.option("--why", "--reason", default="", help="Why it is right; kept with the approval.")
def approve(*, plan_id: str, by: str | None, why: str, as_json: bool) -> int:
    """Lift the refusals of the plan with the id PLAN, and of no other.

    The approval dies when anything that the plan stands for changes. Nothing is written: the
    next `exosync sync` (mode: apply) or `exosync apply PLAN` does the steps.
    """
    from exosync.approval import approve_plan

    with opened() as assembly:
        record = assembly.store.find_plan(plan_id)
        approval, fresh = approve_plan(
            assembly.store, record, by=by or user(), why=why, at=assembly.rules.now()
        )
        if as_json:
            say_json(
                {
                    "plan": record.id,
                    "target": record.target,
                    "by": approval.by,
                    "at": approval.at.isoformat(),
                    "why": approval.why,
                    "fresh": fresh,
                }
            )
        elif fresh:
            say(f"plan {record.id} for {record.target} is approved by {approval.by}")
            say(f"  next: {_after_approval(record)}")
        else:
            say(
                f"plan {record.id} was approved by {approval.by} at {approval.at:%Y-%m-%d %H:%M} UTC"
            )
    return 0


def _after_approval(record: PlanRecord) -> str:
    if record.body["steps"] and all(one["by"] == "person" for one in record.body["steps"]):
        shows = text_to_paste(record.target, record.body["steps"])
        return f"exosync sync asks a person for it, and {shows}"
    return f"exosync apply {record.id}, or the next sync where the mode is apply"


def _run(command: str, prepare: Prepare, fmt: str, wait: float) -> int:
    """Begin a run, do it, keep it, and show it; gives the exit code.

    `prepare` gives what the run is over, and its work. It is shown after the lock was let go:
    whoever reads it may take his time.
    """
    from exosync.log import get_logger
    from exosync.report import EXIT_CODES
    from exosync.running import run_once

    with opened(rounds=2) as assembly, _telling(assembly):
        scope, work = prepare(assembly)
        with locked(assembly, command, scope=scope, wait=wait):
            kept, told = run_once(assembly.store, assembly.rules, command, work, scope=scope)
    _show(told, fmt)
    get_logger().info(
        "run",
        command=command,
        run=f"r-{kept}",
        version=told["version"],
        outcome=told["outcome"],
        requests=told["feed"]["requests"],
        targets={one["name"]: one["state"] for one in told["targets"]},
    )
    return EXIT_CODES[told["outcome"]]


@contextmanager
def _telling(assembly: Assembly) -> Iterator[None]:
    """Whatever comes of the run, people are told of it at its end, as far as that is quick.

    What does not leave within seconds stays in the outbox, for the next command or the service.
    """
    if not assembly.config.alerts.channels:
        yield
        return
    from exosync.alerts import enrol, flush
    from exosync.log import get_logger

    enrol(assembly.store, assembly.config)
    try:
        yield
    finally:
        for one in flush(assembly.store, assembly.loaded, os.environ, assembly.rules.now()):
            if one.error:
                get_logger().warning("channel", channel=one.channel, error=one.error)


def _show(told: dict[str, Any], fmt: str) -> None:
    if fmt == "json":
        say_json(told)
    elif fmt == "text":
        from exosync.render.text import render

        put(render(told))
    else:
        from exosync.render import documents

        put(getattr(documents, fmt)(told))
