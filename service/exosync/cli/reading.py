"""status, history, show, ranges: what the state knows. Nobody outside is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from exosync.cli.common import config_option, json_option, minute, opened
from exosync.cli.output import put, say, say_json, table
from exosync.core.words import (
    STATE_COLOURS,
    STATE_WORDS,
    adopting,
    asserted_text,
    next_steps,
    plural,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

Json = dict[str, Any]

_COLOURS = {STATE_WORDS[state]: colour for state, colour in STATE_COLOURS.items()}


@click.command(short_help="Show how every target stands.")
@config_option
@json_option
@click.option("--exit-code", is_flag=True, help="End as the last run did (0, 2, 3 or 4).")
def status(*, as_json: bool, exit_code: bool) -> int:
    """Show how every target stood when it was last looked at. Asks nobody outside."""
    from exosync.cli.source import source
    from exosync.report import worst
    from exosync.views.status import status_view

    with opened() as assembly:
        view = status_view(source(assembly))
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
    for line in (*_service(view), *_paused(view)):
        say(f"  {line}")
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


def _service(view: Json) -> Iterator[str]:
    """How the service stands, where there ever was one."""
    one = view["service"]
    if one is None:
        return
    if one["stopped_at"]:
        yield f"service stopped {minute(one['stopped_at'])}: exosync serve starts it"
    elif one["lives"]:
        yield f"service running since {minute(one['started_at'])} (pid {one['pid']} on {one['host']})"
    else:
        yield f"service not heard of since {minute(one['beat_at'])}: exosync serve starts it"


def _paused(view: Json) -> Iterator[str]:
    """Who holds the writing."""
    held = [(one["name"], one["paused"]) for one in view["targets"]]
    for name, pause in [("all writing", view["paused"]), *held]:
        if pause is not None:
            why = f": {pause['why']}" if pause["why"] else ""
            yield f"{name} paused by {pause['by']} since {minute(pause['at'])}{why}"


def _waiting(view: Json) -> Iterator[str]:
    """The steps for people, which only the last run's report has otherwise."""
    for one in view["todo"]:
        where = f"{one['target']} {one['setting']}"
        yield f"{one['target']}: a person must do {one['setting']}: exosync todo show {where}"


def _adopting(view: Json) -> Iterator[str]:
    """What takes something over, once a command says so."""
    for plan, command in adopting(view):
        yield f"{plan['target']}: to take over what is there, {command}"


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
    from exosync.views.history import history_rows

    with opened() as assembly:
        rows = history_rows(assembly.store, limit)
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


@click.command(short_help="Show one run, plan, event or version.")
@config_option
@json_option
@click.argument("what", metavar="ID")
def show(*, what: str, as_json: bool) -> None:
    """Show one thing by its id: r-12 (a run), e-7 (an event), a plan's id, or a version."""
    from exosync.cli.source import source
    from exosync.views.history import found_view

    with opened() as assembly:
        view = found_view(source(assembly), what)
    if as_json:
        say_json(view)
    else:
        from exosync.render import text

        put(getattr(text, f"render_{view['type']}")(view))


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
    from exosync.cli.source import source
    from exosync.views.ranges import ranges_view

    with opened() as assembly:
        desired = source(assembly).desired()
    part = desired.only(families)
    if as_json:
        say_json(ranges_view(desired, families))
    elif plain:
        put("\n".join(part.ranges.cidrs()))
    else:
        say(f"Exchange Online, {desired.instance}, version {desired.version}", bold=True)
        table(
            [(one.cidr, one.note or "Microsoft") for one in part.entries()], head=("range", "from")
        )
        for out in desired.exclusions:
            say(f"excluded: {', '.join(out.ranges.cidrs())} ({out.name}: {out.reason})")
