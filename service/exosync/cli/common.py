"""What the commands share: options, and opening everything that they go by."""

from __future__ import annotations

import getpass
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO, cast

import click

from exosync.cli.progress import Progress, Stderr

if TYPE_CHECKING:
    from exosync.assembly import Assembly
    from exosync.config import Loaded

Command = Callable[..., Any]


def config_option(command: Command) -> Command:
    """`--config FILE` after the command's name too, where people also write it."""
    return click.option(
        "--config",
        "config_file",
        metavar="FILE",
        type=click.Path(),
        expose_value=False,
        callback=_take_config,
        help="Configuration file; the same as before the command's name.",
    )(command)


def json_option(command: Command) -> Command:
    """`--json`: the result as one JSON object on stdout."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON.")(command)


def _take_config(ctx: click.Context, _parameter: click.Parameter, value: str | None) -> None:
    if value is not None:
        ctx.find_root().obj["config"] = value


def load_config() -> Loaded:
    """The configuration that the command line, the environment and the file make."""
    from exosync.config import find_config, load
    from exosync.log import configure

    root = click.get_current_context().find_root().obj
    option = Path(root["config"]) if root["config"] else None
    loaded = load(find_config(option, os.environ), environ=os.environ)
    level = "debug" if root["debug"] else loaded.config.log.level
    configure(level=level, fmt=loaded.config.log.format, stream=cast("TextIO", Stderr()))
    return loaded


@contextmanager
def opened(*, rounds: int = 0) -> Iterator[Assembly]:
    """Configuration, state and targets, without the lock: for commands that only read.

    `rounds` tells the bar of progress how often every target is turned to.
    """
    from exosync.assembly import assembled

    progress = Progress()
    with assembled(load_config(), environ=os.environ, progress=progress) as assembly:
        progress.parts = 1 + rounds * len(assembly.rules.jobs)
        try:
            yield assembly
        finally:
            progress.over()


def wait_option(command: Command) -> Command:
    """`--wait DURATION`: for commands that another run may keep out."""
    return click.option(
        "--wait",
        metavar="DURATION",
        default="0s",
        show_default=True,
        callback=_seconds,
        help="How long to wait for another run at work there, such as one of exosync serve.",
    )(command)


def _seconds(_ctx: click.Context, _parameter: click.Parameter, value: str) -> float:
    from exosync.core.units import parse_duration

    try:
        return parse_duration(value).total_seconds()
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


@contextmanager
def locked(assembly: Assembly, command: str, *, scope: str = "", wait: float = 0) -> Iterator[None]:
    """Under the lock of what a command is over: for those that change a target, or the feed."""
    from exosync.store import over

    path, now = assembly.store.path, assembly.rules.now()
    with over(path, scope, command=f"exosync {command}", wait=wait, at=now):
        yield


def minute(moment: str | None) -> str:
    """A stored moment as people read it, in UTC."""
    return moment[:16].replace("T", " ") if moment else "never"


def user() -> str:
    """Who runs the command."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"
