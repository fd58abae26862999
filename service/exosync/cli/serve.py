"""serve, and what a running service is told from another process: pause, resume, trigger."""

from __future__ import annotations

import gc
import http.client
import os
from typing import TYPE_CHECKING

import click

from exosync.cli.common import config_option, json_option, load_config, opened, user
from exosync.cli.output import say, say_json

if TYPE_CHECKING:
    from exosync.config import Config

_ASK_SECONDS = 5


@click.command(short_help="Run for ever: all of this at its times, alerts, and a page to look at.")
@config_option
@click.option("--health", is_flag=True, help="Ask the service that runs here whether it lives.")
def serve(*, health: bool) -> int:
    """Pull the feed and run every target at its times, deliver alerts, and serve the page.

    SIGTERM ends it after the steps in hand, with 0. SIGHUP reads the configuration again; one
    that is wrong is refused, and the one in force stays. With --health nothing is served: it
    ends with 0 if the service at web.listen lives, with 1 if not.
    """
    loaded = load_config()
    if health:
        return _health(loaded.config)
    # A command is over before garbage matters; a service is not.
    gc.enable()
    from exosync.assembly import now_utc
    from exosync.daemon.service import Service

    return Service(loaded, read=load_config, environ=os.environ, now=now_utc).run()


def _health(config: Config) -> int:
    from exosync.core.listen import reachable

    if config.web.listen is None:
        say("web.listen is null: there is no address at which to ask")
        return 1
    host, port = reachable(config.web.listen)
    asked = http.client.HTTPConnection(host, port, timeout=_ASK_SECONDS)
    try:
        asked.request("GET", "/livez")
        answer = asked.getresponse()
        answer.read()
    except (OSError, http.client.HTTPException) as error:
        say(f"no answer from {config.web.listen}: {error}", fg="red")
        return 1
    finally:
        asked.close()
    lives = answer.status == 200
    say(f"{config.web.listen}: {'lives' if lives else 'does not live'} ({answer.status})")
    return 0 if lives else 1


@click.command(short_help="Hold all writing, at a target or everywhere.")
@config_option
@json_option
@click.argument("target", required=False)
@click.option("--by", help="Who pauses [default: the user who runs the command].")
@click.option("--why", "--reason", default="", help="Why; told wherever the pause is.")
def pause(*, target: str | None, by: str | None, why: str, as_json: bool) -> int:
    """Write nothing at TARGET, or anywhere, until `exosync resume`.

    Looking and planning go on, so drift is told and plans wait. It holds for the service and
    for one-shot commands alike; a person's `exosync apply` is refused too.
    """
    from exosync import control

    with opened() as assembly:
        names = [one.name for one in assembly.config.targets]
        found, fresh = control.pause(
            assembly.store,
            control.known_target(target, names),
            by=by or user(),
            why=why,
            at=assembly.rules.now(),
        )
    if as_json:
        told = {"target": target, "by": found.by, "why": found.why, "at": found.at.isoformat()}
        say_json({**told, "fresh": fresh})
    else:
        word = "paused" if fresh else "was paused already"
        say(f"{target or 'all writing'} {word}, by {found.by} at {found.at:%Y-%m-%d %H:%M} UTC")
        say(f"  next: exosync resume{f' {target}' if target else ''}")
    return 0


@click.command(short_help="End a pause.")
@config_option
@json_option
@click.argument("target", required=False)
@click.option("--by", help="Who resumes [default: the user who runs the command].")
def resume(*, target: str | None, by: str | None, as_json: bool) -> int:
    """End the pause of TARGET, or the one of all writing; a running service runs it at once."""
    from exosync import control

    with opened() as assembly:
        names = [one.name for one in assembly.config.targets]
        # The pause of a target that was renamed or removed must not stay for ever.
        names += [one.target for one in assembly.store.pauses() if one.target not in ("", *names)]
        at, known = assembly.rules.now(), control.known_target(target, names)
        was = control.resume(assembly.store, known, by=by or user(), at=at)
        still = assembly.store.pause_of(known) if target else None
    if as_json:
        say_json({"target": target, "was_paused": was, "still_paused": still is not None})
        return 0
    say(f"{target or 'all writing'} {'resumed' if was else 'was not paused'}")
    if still is not None:
        say(f"  all writing is still paused by {still.by}: exosync resume")
    return 0


@click.command(short_help="Ask exosync serve to run a target now.")
@config_option
@json_option
@click.argument("target", required=False)
@click.option("--by", help="Who asks [default: the user who runs the command].")
def trigger(*, target: str | None, by: str | None, as_json: bool) -> int:
    """Ask the service to run TARGET, or everything, within seconds.

    Microsoft is not asked more often for that than the configuration allows.
    """
    from exosync import control

    with opened() as assembly:
        names = [one.name for one in assembly.config.targets]
        at, known = assembly.rules.now(), control.known_target(target, names)
        service = assembly.store.service()
        lives = service is not None and service.lives(at)
        request = assembly.store.trigger(known, by=by or user(), at=at)
    if as_json:
        say_json({"target": target, "request": request, "service": lives})
        return 0
    say(f"asked for a run of {target or 'everything'}")
    if not lives:
        say("  no service is at work on this state: exosync serve, or exosync sync", fg="yellow")
    return 0
