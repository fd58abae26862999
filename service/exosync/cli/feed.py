"""feed versions, diff, show, changes, import."""

from __future__ import annotations

import re
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from exosync.cli.common import config_option, json_option, locked, minute, opened, wait_option
from exosync.cli.output import put, say, say_json, table
from exosync.core.words import clean_json
from exosync.errors import FeedError, UsageError

if TYPE_CHECKING:
    from exosync.assembly import Assembly
    from exosync.pull import Pulled


@click.group(short_help="Look at Microsoft's versions, or bring one in from a file.")
def feed() -> None:
    """Look at Microsoft's versions, or bring one in from a file."""


@feed.command(short_help="List the versions in the state.")
@config_option
@json_option
def versions(*, as_json: bool) -> None:
    """List the versions in the state, oldest first, with what each changed in the mail ranges."""
    from exosync.cli.source import source
    from exosync.views.versions import version_rows

    with opened() as assembly:
        rows = version_rows(source(assembly))
    if as_json:
        say_json(rows)
        return
    if not rows:
        say(f"no version of {assembly.instance} yet: run exosync sync, or exosync feed import")
        return
    table(
        [
            (
                r["version"],
                minute(r["adopted_at"]),
                str(len(r["mail"])),
                r["changed"],
                r["source"],
            )
            for r in rows
        ],
        head=("version", "adopted (UTC)", "mail ranges", "changes", "from"),
    )


@feed.command(short_help="Tell how the mail ranges differ between two versions.")
@config_option
@json_option
@click.argument("a", metavar="A")
@click.argument("b", metavar="B")
def diff(*, a: str, b: str, as_json: bool) -> None:
    """Tell how the mail ranges differ between version A and version B, address by address."""
    from exosync.cli.source import source
    from exosync.views.versions import difference_view

    with opened() as assembly:
        view = difference_view(source(assembly), a, b)
    if as_json:
        say_json(view)
    elif not view["changes"]:
        say(f"the mail ranges of {a} and {b} are the same")
    for one in () if as_json else view["changes"]:
        say(one["text"])


@feed.command(short_help="Show what a version says.")
@config_option
@json_option
@click.argument("version", metavar="V")
@click.option("--raw", is_flag=True, help="Print the whole stored answer in its canonical form.")
def show(*, version: str, raw: bool, as_json: bool) -> None:
    """Show version V: where it comes from, and its mail ranges set by set."""
    from exosync.cli.source import source
    from exosync.views.versions import version_view

    with opened() as assembly:
        view = version_view(source(assembly), version)
        body = assembly.store.snapshot(assembly.instance, version)
    if raw and body is not None:
        put(clean_json(body.body))
    elif as_json:
        say_json(view)
    else:
        from exosync.render.text import render_version

        put(render_version(view))


@feed.command(short_help="Print what Microsoft says changed after a version.")
@config_option
@json_option
@click.argument("version", metavar="V")
def changes(*, version: str, as_json: bool) -> None:
    """Ask Microsoft what changed after version V (0000000000: since July 2018). One request.

    The answer carries no service area, so sets that are gone cannot be told apart: sets known
    to the state are named.
    """
    from exosync.cli.source import source
    from exosync.views.versions import published_changes

    with opened() as assembly:
        client = assembly.rules.feed.feed
        if client is None:
            message = "feed.offline is set: Microsoft is not asked"
            raise FeedError(message)
        rows = published_changes(source(assembly), client, version)
    if as_json:
        say_json(rows)
        return
    for row in rows:
        say(f"{row['version']}  {row['set']}: {row['text']}")


@feed.command("import", short_help="Bring in a saved answer of /endpoints.")
@config_option
@json_option
@wait_option
@click.argument("file", type=click.Path(allow_dash=True))
@click.option("--instance", help="Microsoft's cloud [default: that of the configuration].")
@click.option("--version", help="The ten-digit version [default: the file's name, if it is one].")
def import_(
    *, file: str, instance: str | None, version: str | None, as_json: bool, wait: float
) -> None:
    """Bring in a saved answer of /endpoints/INSTANCE, for places without a way to Microsoft.

    The same rules hold as for a fetched one: a version that is older than the adopted one, or
    broken, is refused and nothing changes.
    """
    from exosync.core.meter import FEED

    with opened() as assembly, locked(assembly, "feed import", scope=FEED, wait=wait):
        pulled = _bring_in(assembly, file, instance, version or _version_of(file))
    if as_json:
        from exosync.report import feed_json

        say_json({"version": pulled.version, **feed_json(pulled)})
        return
    again = "" if pulled.adopted_now else " already; it is confirmed"
    say(f"version {pulled.version} is adopted{again}")
    for one in pulled.news:
        say(f"  {one.text}")


def _bring_in(assembly: Assembly, file: str, instance: str | None, version: str) -> Pulled:
    from exosync.core.endpoints import instance_name, parse_endpoints
    from exosync.pull import bring_in

    name = instance_name(instance) if instance else assembly.instance
    body = _read(file)
    where = "standard input" if file == "-" else file
    snapshot = parse_endpoints(body, instance=name, version=version, where=where)
    rules = replace(assembly.rules.feed, instance=name)
    return bring_in(
        snapshot,
        rules,
        assembly.store,
        assembly.rules.now(),
        source=where if file == "-" else f"file {where}",
    )


def _version_of(file: str) -> str:
    found = re.fullmatch(r"[0-9]{10}", Path(file).stem)
    if not found:
        message = (
            f"which version is {file}? Say so with --version (ten digits, as /version gave it)"
        )
        raise UsageError(message)
    return found[0]


def _read(file: str) -> bytes:
    try:
        return sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as error:
        message = f"{file} cannot be read: {error.strerror}"
        raise UsageError(message) from error
