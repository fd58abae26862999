"""status, history, show, ranges: what the state knows. Nobody outside is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from exosync.cli.common import config_option, json_option, minute, opened
from exosync.cli.output import put, say, say_json, table
from exosync.core.words import STATE_COLOURS, STATE_WORDS, asserted_text, next_steps, plural
from exosync.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from exosync.store import EventRecord, PlanRecord, RunRecord, Store

Json = dict[str, Any]

_COLOURS = {STATE_WORDS[state]: colour for state, colour in STATE_COLOURS.items()}


@click.command(short_help="Show how every target stands.")
@config_option
@json_option
@click.option("--exit-code", is_flag=True, help="End as the last run did (0, 2, 3 or 4).")
def status(*, as_json: bool, exit_code: bool) -> int:
    """Show how every target stood when it was last looked at. Asks nobody outside."""
    from exosync.cli.views import status_view
    from exosync.report import worst

    with opened() as assembly:
        view = status_view(assembly)
    if as_json:
        say_json(view)
    else:
        _show_status(view)
    code = worst([one["state"] for one in view["targets"]], failing=bool(view["feed"]["failures"]))
    return code if exit_code else 0


def _show_status(view: Json) -> None:
    from exosync.render.text import title

    say(title(view), bold=True)
    feed = view["feed"]
    if view["adopted_at"]:
        say(f"  adopted {minute(view['adopted_at'])}, last confirmed {minute(feed['checked_at'])}")
    if feed["error"]:
        say(f"  feed failing ({plural(feed['failures'], 'time')}): {feed['error']}", fg="red")
    table(
        [
            (
                one["name"],
                one["kind"],
                one["mode"],
                STATE_WORDS[one["state"]] if one["state"] else "not looked at yet",
                minute(one["since"]),
                {True: "yes", False: "no", None: ""}[one["verified"]],
                one["plan"] or "",
            )
            for one in view["targets"]
        ],
        head=("target", "kind", "mode", "state", "since (UTC)", "verified", "plan"),
        colours=_COLOURS,
    )
    for one in view["targets"]:
        for refusal in one["refusals"]:
            say(f"{one['name']}: refused by {refusal['rule']}: {refusal['message']}", fg="red")
        for asserted in one["asserted"]:
            say(f"{one['name']}: {asserted_text(asserted)}")
        if one["error"]:
            say(f"{one['name']}: {one['error']}", fg="red")
    for line in (*next_steps(view), *_waiting(view), *_adopting(view)):
        say(line)


def _waiting(view: Json) -> Iterator[str]:
    """The steps for people, which only the last run's report has otherwise."""
    for one in view["todo"]:
        where = f"{one['target']} {one['setting']}"
        yield f"{one['target']}: a person must do {one['setting']}: exosync todo show {where}"


def _adopting(view: Json) -> Iterator[str]:
    """The open plans that take something over: no run tells of them."""
    for plan in view["plans"]:
        if plan["adopting"]:
            how = "approve" if plan["refused"] else "apply"
            yield f"{plan['target']}: to take over what is there, exosync {how} {plan['id']}"


@click.command(short_help="Show what happened, newest first.")
@config_option
@json_option
@click.option(
    "-n",
    "--limit",
    type=click.IntRange(1, 10_000),
    default=30,
    show_default=True,
    help="How many lines at most.",
)
def history(*, limit: int, as_json: bool) -> None:
    """Show runs and events, newest first. A run that repeated without news is counted."""
    with opened() as assembly:
        rows = _history(assembly.store, limit)
    if as_json:
        say_json(rows)
        return
    if not rows:
        say("nothing has happened yet: run exosync sync")
        return
    table(
        [(one["id"], minute(one["at"]), one["what"], one["text"]) for one in rows],
        head=("id", "when (UTC)", "what", "result"),
        colours=_COLOURS,
    )


def _history(store: Store, limit: int) -> list[Json]:
    rows = [_run_row(one) for one in store.runs(limit)]
    rows += [_event_row(one) for one in store.events(limit)]
    return sorted(rows, key=lambda one: one["at"], reverse=True)[:limit]


def _run_row(run: RunRecord) -> Json:
    outcome = STATE_WORDS.get(run.outcome or "", run.outcome or "not finished")
    why = f": {run.error}" if run.error else ""
    times = f", {run.repeats + 1:,} times since {run.started_at:%Y-%m-%d}" if run.repeats else ""
    return {
        "id": f"r-{run.id}",
        "at": run.last_at.isoformat(),
        "what": run.command,
        "text": f"{outcome}{times}{why}",
        "outcome": run.outcome,
        "repeats": run.repeats,
        "version": run.version,
        "error": run.error or None,
    }


def _event_row(event: EventRecord) -> Json:
    plan = event.body.get("plan")
    also = f" (plan {plan})" if plan and plan not in event.title else ""
    return {
        "id": f"e-{event.id}",
        "at": event.at.isoformat(),
        "what": event.kind,
        "text": f"{event.title}{also}",
        "severity": event.severity,
        "target": event.target,
    }


@click.command(short_help="Show one run, plan, event or version.")
@config_option
@json_option
@click.argument("what", metavar="ID")
def show(*, what: str, as_json: bool) -> None:
    """Show one thing by its id: r-12 (a run), e-7 (an event), a plan's id, or a version."""
    with opened() as assembly:
        kind, view = _find(assembly.store, assembly.instance, what)
    if as_json:
        say_json({"type": kind, **view})
    else:
        from exosync.render import text

        put(getattr(text, f"render_{kind}")(view))


def _find(store: Store, instance: str, what: str) -> tuple[str, Json]:
    from exosync.cli.views import version_view

    if what[:2] in ("r-", "e-") and what[2:].isdigit():
        number = int(what[2:])
        found = store.run(number) if what[0] == "r" else store.event(number)
        if found is None:
            message = f"there is no {what}; exosync history lists what there is"
            raise UsageError(message)
        return ("run", _run_view(store, found)) if what[0] == "r" else ("event", _event_view(found))
    if len(what) == 10 and what.isdigit() and store.snapshot(instance, what):
        return "version", version_view(store, instance, what)
    return "plan", _plan_view(store, store.find_plan(what))


def _run_view(store: Store, run: Any) -> Json:
    return {
        "id": f"r-{run.id}",
        "command": run.command,
        "started_at": run.started_at.isoformat(),
        "last_at": run.last_at.isoformat(),
        "repeats": run.repeats,
        "outcome": run.outcome,
        "version": run.version,
        "error": run.error or None,
        "report": run.report,
        "journal": [_step_view(one) for one in store.steps(run.id)],
    }


def _step_view(step: Any) -> Json:
    return {
        "plan": step.plan_id,
        "target": step.target,
        "resource": step.resource,
        "summary": step.summary,
        "intended_at": step.intended_at.isoformat(),
        "outcome": step.outcome,
        "concluded_at": step.concluded_at.isoformat() if step.concluded_at else None,
        "error": step.error,
    }


def _event_view(event: Any) -> Json:
    return {**_event_row(event), "body": event.body}


def _plan_view(store: Store, plan: PlanRecord) -> Json:
    given = store.approvals(plan.id)
    approval = given[-1] if given else None
    return {
        **plan.body,
        "status": plan.status,
        "approval": {
            "by": approval.by,
            "at": approval.at.isoformat(),
            "why": approval.why,
        }
        if approval
        else None,
        "journal": [_step_view(one) for one in store.steps_of_plan(plan.id)],
    }


@click.command(short_help="Show the desired ranges and where each comes from.")
@config_option
@json_option
@click.option(
    "--families",
    type=click.Choice(["both", "ipv4", "ipv6"]),
    default="both",
    show_default=True,
    help="Which address families.",
)
@click.option("--plain", is_flag=True, help="Only the CIDRs, one a line, for other programs.")
def ranges(*, families: str, plain: bool, as_json: bool) -> None:
    """Show the desired ranges: Microsoft's, extras, and what is leaving. Asks nobody outside."""
    from exosync.desire import wanted
    from exosync.errors import FeedError

    with opened() as assembly:
        if assembly.store.adopted(assembly.instance) is None:
            message = "no version is adopted yet: run exosync sync, or exosync feed import"
            raise FeedError(message)
        rules = assembly.rules
        desired = wanted(rules.ranges, assembly.store, assembly.instance, rules.now()).desired
    part = desired.only(families)
    entries = part.entries()
    if as_json:
        say_json(
            {
                "instance": desired.instance,
                "version": desired.version,
                "ranges": [
                    {
                        "cidr": one.cidr,
                        "origin": one.origin.value,
                        "name": one.name,
                        "reason": one.reason,
                        "until": one.until.isoformat() if one.until else None,
                    }
                    for one in entries
                ],
                "excluded": [
                    {"cidrs": list(one.ranges.cidrs()), "name": one.name, "reason": one.reason}
                    for one in desired.exclusions
                ],
            }
        )
    elif plain:
        put("\n".join(part.ranges.cidrs()))
    else:
        say(f"Exchange Online, {desired.instance}, version {desired.version}", bold=True)
        table([(one.cidr, one.note or "Microsoft") for one in entries], head=("range", "from"))
        for out in desired.exclusions:
            say(f"excluded: {', '.join(out.ranges.cidrs())} ({out.name}: {out.reason})")
