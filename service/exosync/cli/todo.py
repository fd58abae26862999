"""todo and ack: what waits for a person, and a person's word that it is done."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from exosync.cli.common import config_option, json_option, minute, opened, user
from exosync.cli.output import put, say, say_json, table

if TYPE_CHECKING:
    from exosync.assembly import Assembly

Json = dict[str, Any]


@click.group(invoke_without_command=True, short_help="Show what waits for a person.")
@config_option
@json_option
@click.option("--exit-code", is_flag=True, help="End with 2 if something waits, else with 0.")
@click.pass_context
def todo(ctx: click.Context, *, as_json: bool, exit_code: bool) -> int:
    """List the steps that only a person can do: since when, for whom, due when.

    Asks nobody outside: the last run knows.
    """
    if ctx.invoked_subcommand is not None:
        return 0
    from exosync.cli.source import source
    from exosync.views.todo import task_rows

    with opened() as assembly:
        rows = task_rows(source(assembly))
    if as_json:
        say_json(rows)
    elif rows:
        _list(rows)
    else:
        say("nothing waits for a person")
    return 2 if rows and exit_code else 0


def _list(rows: list[Json]) -> None:
    table(
        [
            (
                one["target"],
                one["setting"],
                minute(one["opened_at"]),
                f"{minute(one['due_at'])}{' overdue' if one['overdue'] else ''}",
                one["plan"],
                f"{one['task']['title']} (for {one['task']['who']}){_claimed(one)}",
            )
            for one in rows
        ],
        head=("target", "setting", "since (UTC)", "due (UTC)", "plan", "what"),
    )
    say("the text to paste: exosync todo show TARGET SETTING")


def _claimed(one: Json) -> str:
    if not one["claimed_by"]:
        return ""
    return f"; done says {one['claimed_by']}, {minute(one['claimed_at'])}, not seen yet"


@todo.command(short_help="Show one step for a person, with the text to paste.")
@config_option
@json_option
@click.argument("target")
@click.argument("setting", required=False)
@click.option(
    "--format",
    "fmt",
    type=click.Choice(("text", "json", "markdown", "html")),
    default="text",
    show_default=True,
    help="How it is printed.",
)
@click.option(
    "--copy",
    is_flag=True,
    help="Put the text to paste on the clipboard; where there is none, print it bare.",
)
def show(*, target: str, setting: str | None, fmt: str, copy: bool, as_json: bool) -> None:
    """Show what a person is to do at TARGET: where, what to paste, what to tick, and why.

    SETTING may be left out where only one thing waits at the target.
    """
    from exosync.people import find_task
    from exosync.views.todo import task_view

    with opened() as assembly:
        task = find_task(assembly.store, target, setting)
        view = task_view(task, assembly.rules.now())
    if copy:
        _copy(view["task"]["box"])
    elif as_json or fmt == "json":
        say_json(view)
    else:
        from exosync.render import todo as render

        put(getattr(render, fmt)(view))


def _copy(box: str) -> None:
    """To the clipboard where a person sits at this machine; else bare, for a pipe."""
    import sys

    if sys.stdout.isatty():
        import pyperclip

        try:
            pyperclip.copy(box)
        except pyperclip.PyperclipException:
            pass
        else:
            click.echo("copied to the clipboard", err=True)
            return
    put(box)


@click.command(short_help="Say that a step for a person is done.")
@config_option
@json_option
@click.argument("target")
@click.argument("setting")
@click.option(
    "--plan", "plan_id", metavar="PLAN", required=True, help="The plan that was followed."
)
@click.option("--by", help="Who did it [default: the user who runs the command].")
@click.option("--note", default="", help="What there is to say of it; kept with it.")
def ack(
    *, target: str, setting: str, plan_id: str, by: str | None, note: str, as_json: bool
) -> int:
    """Acknowledge that a person did what PLAN asks for at SETTING of TARGET.

    What cannot be read counts as asserted from now on, by NAME, for the ranges of the plan.
    What can be read still has to be seen by a run. A plan that asks for something else than
    what is to be done now is outdated: nothing is acknowledged, and the command ends with 3.
    """
    from exosync.people import acknowledge, find_task

    with opened() as assembly:
        _known_target(assembly, target)
        task = find_task(assembly.store, target, setting)
        record = assembly.store.find_plan(plan_id)
        who, rules = by or user(), assembly.rules
        confirmation = acknowledge(
            assembly.store, task, record, by=who, note=note, rules=rules.tasks, at=rules.now()
        )
    told = {"target": target, "setting": setting, "plan": task.plan_id, "by": who, "note": note}
    if as_json:
        say_json({**told, "confirmation": confirmation.value})
        return 0
    say(f"{target} {setting}: {who} says that it is done (plan {task.plan_id})")
    if confirmation.value == "read":
        say(f"  it counts once a run has seen it; {task.body['title']} stays open until then")
    else:
        say("  it cannot be read, so it counts as asserted; the next run goes by it")
    return 0


def _known_target(assembly: Assembly, target: str) -> None:
    from exosync.errors import UsageError

    known = [one.name for one in assembly.config.targets]
    if target not in known:
        message = f"there is no target {target!r}; configured are: {', '.join(known)}"
        raise UsageError(message)
