"""check: try everything, change nothing."""

from __future__ import annotations

import os
from shlex import quote
from typing import TYPE_CHECKING, Any

import click

from exosync.cli.common import config_option, json_option, opened
from exosync.cli.output import say, say_json, table
from exosync.core.words import plural

if TYPE_CHECKING:
    from collections.abc import Iterator

    from exosync.assembly import Assembly
    from exosync.core.target import Check

WORDS = {True: "ok", False: "fail", None: "warn"}
_COLOURS = {"ok": "green", "warn": "yellow", "fail": "red"}

Json = dict[str, Any]


@click.command(short_help="Try the configuration, the feed and every target; change nothing.")
@config_option
@json_option
def check(*, as_json: bool) -> int:
    """Try the configuration, the feed, every target and every channel of alerts.

    That is reachability, credentials and permissions, and the way of a message to each of the validation recipients of Exchange Online. Nothing is changed or sent. Ends with 0 if all is right, else with 4.
    """
    with opened(rounds=1) as assembly:
        rows = [
            {
                "subject": subject,
                "name": one.name,
                "ok": one.ok,
                "message": one.message,
                "remedy": one.remedy,
            }
            for subject, one in _checks(assembly)
        ]
    good = all(one["ok"] is not False for one in rows)
    if as_json:
        say_json({"ok": good, "checks": rows})
    else:
        _show(rows, good=good)
    return 0 if good else 4


def _checks(assembly: Assembly) -> Iterator[tuple[str, Check]]:
    from exosync.checking import check_feed, check_state, check_target, check_web

    yield "configuration", _configuration(assembly)
    yield "state", check_state(assembly.store)
    yield from (("page", one) for one in check_web(assembly.loaded, os.environ))
    assembly.rules.progress("checking the feed")
    yield from (
        ("feed", one)
        for one in check_feed(assembly.rules.feed, assembly.store, assembly.rules.now())
    )
    for job in assembly.rules.jobs:
        assembly.rules.progress(f"checking {job.name}")
        yield from ((job.name, one) for one in check_target(job))
    yield from _ways(assembly)
    yield from _paused(assembly)
    if assembly.config.alerts.channels or assembly.store.backlogs():
        yield from _channels(assembly)


def _ways(assembly: Assembly) -> Iterator[tuple[str, Check]]:
    """The way of a message for each pair that a router wants to be told of."""
    from exosync.cli.trace import Inquiry
    from exosync.core.target import Check
    from exosync.render.way import verdict

    inquiry = Inquiry(assembly)
    for job in assembly.rules.jobs:
        for sender, recipient in getattr(job.target, "routes", tuple)():
            assembly.rules.progress(f"following a message to {recipient}")
            (way,) = inquiry.view(sender, recipient, only=job.name)["ways"]
            remedy = "" if way["ok"] else f"exosync trace {quote(sender)} {quote(recipient)}"
            ok = False if way["error"] else way["ok"]
            yield job.name, Check(f"way to {recipient}", ok, verdict(way), remedy)


def _paused(assembly: Assembly) -> Iterator[tuple[str, Check]]:
    from exosync.core.holds import paused
    from exosync.core.target import Check

    for one in assembly.store.pauses():
        told = paused(by=one.by, why=one.why, at=one.at).message
        remedy = f"exosync resume {one.target}".rstrip()
        yield one.target or "pause", Check("pause", ok=None, message=told, remedy=remedy)


def _channels(assembly: Assembly) -> Iterator[tuple[str, Check]]:
    from exosync.alerts import build_channels, check_channel, check_outbox, check_templates

    for channel in build_channels(assembly.loaded, os.environ):
        assembly.rules.progress(f"checking channel {channel.name}")
        yield from ((f"channel {channel.name}", one) for one in check_channel(channel))
    for name, one in check_outbox(assembly.store, assembly.config):
        yield f"channel {name}", one
    for one in check_templates(assembly.loaded, assembly.rules.now()):
        yield "templates", one


def _configuration(assembly: Assembly) -> Check:
    from exosync.core.target import Check

    count = plural(len(assembly.config.targets), "target")
    return Check("file", ok=True, message=f"{assembly.loaded.path}, {count}")


def _show(rows: list[Json], *, good: bool) -> None:
    table(list(_lines(rows)), head=("subject", "", "what", "result"), colours=_COLOURS)
    told = "all is right" if good else "something is wrong"
    warned = sum(one["ok"] is None for one in rows)
    if warned:
        told += f", {plural(warned, 'warning')}"
    say(told, fg="green" if good else "red", bold=True)


def _lines(rows: list[Json]) -> Iterator[tuple[str, ...]]:
    """Each check with what to do below its result; the subject only where it changes."""
    before = None
    for one in rows:
        subject = one["subject"] if one["subject"] != before else ""
        before = one["subject"]
        yield subject, WORDS[one["ok"]], one["name"], one["message"]
        if one["remedy"]:
            yield "", "", "", f"→ {one['remedy']}"
