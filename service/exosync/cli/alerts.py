"""alerts: try a channel, look at the outbox, send again what did not arrive."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import click

from exosync.cli.common import config_option, json_option, minute, opened
from exosync.cli.output import say, say_json, table
from exosync.core.words import plural
from exosync.errors import ExosyncError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from exosync.alerts import ChannelJob, Ticked
    from exosync.assembly import Assembly
    from exosync.store import MessageRecord

Json = dict[str, Any]

MOST = 1000
_STATES = {
    "open": "gathers events",
    "waiting": "waits",
    "sent": "sent",
    "given_up": "given up",
}
_COLOURS = {"gathers events": "yellow", "waits": "yellow", "sent": "green", "given up": "red"}


@click.group(short_help="Look at the messages to people, try a channel, send again.")
def alerts() -> None:
    """Tell people and programs: the channels, and what has not arrived yet."""


@alerts.command("test", short_help="Send a test message now.")
@config_option
@json_option
@click.argument("channel")
def try_one(*, channel: str, as_json: bool) -> int:
    """Send a test message by CHANNEL at once, and say what came of it.

    It goes past the outbox: nothing that waits is touched. Ends with 0 if the other side took
    it, else with 4.
    """
    from exosync.alerts import try_channel

    with opened() as assembly:
        job = _job(assembly, channel)
        try:
            key, error = try_channel(job, assembly.config.owner, assembly.rules.now()), None
        except ExosyncError as caught:
            key, error = None, str(caught)
        waiting = _waiting(assembly, channel)
    told = {"channel": channel, "kind": job.kind, "ok": error is None, "id": key, "error": error}
    if as_json:
        say_json({**told, "waiting": waiting})
        return 4 if error else 0
    if error:
        say(f"{channel}: the test message was not taken: {error}", fg="red")
        return 4
    say(f"{channel}: the test message was taken ({key})", fg="green")
    if waiting:
        say(f"  {plural(waiting, 'message')} not sent yet: exosync alerts retry {channel}")
    return 0


@alerts.command("list", short_help="Show the channels, and what has not arrived.")
@config_option
@json_option
@click.option(
    "--all", "everything", is_flag=True, help=f"Also what was sent, the newest {MOST} messages."
)
def list_all(*, everything: bool, as_json: bool) -> None:
    """Show how every channel stands, and the messages that have not arrived, newest first."""
    from exosync.cli.source import source
    from exosync.store.messages import UNSENT
    from exosync.views.alerts import alerts_view, message_json

    with opened() as assembly:
        view = alerts_view(source(assembly), MOST if everything else 1)
        if not everything:
            unsent = assembly.store.messages(MOST, states=UNSENT)
            view["messages"] = [message_json(one) for one in unsent]
    if as_json:
        say_json(view)
    elif not view["channels"]:
        say("no channels are configured: nobody is told of anything")
    else:
        _show(view)


def _show(view: Json) -> None:
    table(
        [
            (
                one["name"],
                one["kind"] or "no longer configured",
                _stands(one),
                minute(one["sent_at"]),
                str(one["gathering"] + one["waiting"] + one["given_up"]),
                one["error"] or "",
            )
            for one in view["channels"]
        ],
        head=("channel", "kind", "state", "last sent (UTC)", "unsent", "error"),
        colours={"works": "green", "down": "red"},
    )
    if not view["messages"]:
        say("nothing waits to be sent")
        return
    say()
    table(
        [
            (
                one["id"],
                one["channel"],
                _STATES[one["state"]],
                minute(one["opened_at"]),
                minute(one["due_at"]) if one["state"] in ("open", "waiting") else "",
                _what(one),
            )
            for one in view["messages"]
        ],
        head=("message", "channel", "state", "since (UTC)", "next try (UTC)", "what"),
        colours=_COLOURS,
    )


def _stands(one: Json) -> str:
    if one["down_since"]:
        return "down"
    return "works" if one["sent_at"] else "not used yet"


def _what(one: Json) -> str:
    title = one["title"] or plural(len(one["events"]), "event")
    tried = f", tried {plural(one['attempts'], 'time')}: {one['error']}" if one["error"] else ""
    return f"{title}{tried}"


@alerts.command("retry", short_help="Send again what did not arrive.")
@config_option
@json_option
@click.argument("what", metavar="[ID|CHANNEL]", required=False)
def retry(*, what: str | None, as_json: bool) -> int:
    """Try again now: one message by its ID, all of a CHANNEL, or everything that waits.

    What was given up is tried too. Ends with 0 if all arrived, else with 4.
    """
    from exosync.alerts import build_channels, tick
    from exosync.views.alerts import message_json

    with opened() as assembly:
        store, now = assembly.store, assembly.rules.now()
        chosen = _chosen(assembly, what)
        store.revive_messages([one.id for one in chosen], now)
        names = {one.channel for one in chosen}
        jobs = [one for one in build_channels(assembly.loaded, os.environ) if one.name in names]
        ticked = [tick(store, job, assembly.config, now) for job in jobs]
        gone = sorted(names - {one.name for one in jobs})
        left = [store.message(one.id) for one in chosen]
    arrived = sum(one is not None and one.state.value == "sent" for one in left)
    good = arrived == len(chosen)
    if as_json:
        rows = [message_json(one) for one in left if one is not None]
        say_json({"tried": len(chosen), "arrived": arrived, "messages": rows})
    else:
        _tell(len(chosen), arrived, ticked, gone)
    return 0 if good else 4


def _tell(tried: int, arrived: int, ticked: Sequence[Ticked], gone: Sequence[str]) -> None:
    if not tried:
        say("nothing waits to be sent")
        return
    say(f"{arrived:,} of {plural(tried, 'message')} arrived")
    for one in ticked:
        if one.busy:
            say(f"  {one.channel}: exosync serve has it in hand, and tries now", fg="yellow")
        elif one.error:
            say(f"  {one.channel}: {one.error}", fg="red")
    for name in gone:
        say(f"  {name}: is no longer configured, so its messages cannot be sent", fg="yellow")


def _chosen(assembly: Assembly, what: str | None) -> list[MessageRecord]:
    """The messages that are meant. Raises UsageError."""
    from exosync.store import MessageState

    states = (MessageState.WAITING, MessageState.GIVEN_UP)
    store = assembly.store
    known = {one.name for one in store.channel_states()}
    known |= {one.name for one in assembly.config.alerts.channels}
    if what is None or what in known:
        return store.messages(MOST, states=states, channel=what)
    found = store.messages_by_key(what)
    if len(found) != 1:
        why = "no channel and no message is called" if not found else "several messages begin with"
        raise UsageError(f"{why} {what!r}: exosync alerts list --all shows what there is")
    if found[0].state not in states:
        raise UsageError(f"{found[0].key} {_STATES[found[0].state.value]}: nothing to send again")
    return found


def _job(assembly: Assembly, name: str) -> ChannelJob:
    from exosync.alerts import build_channels

    jobs = {one.name: one for one in build_channels(assembly.loaded, os.environ)}
    if name not in jobs:
        known = ", ".join(jobs) or "none"
        raise UsageError(f"there is no channel {name!r}; configured are: {known}")
    return jobs[name]


def _waiting(assembly: Assembly, name: str) -> int:
    from exosync.alerts import pending

    found = (one for one in pending(assembly.store, assembly.config) if one.name == name)
    return sum(one.waiting + one.given_up for one in found)
