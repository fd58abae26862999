"""What the commands share: options, opening everything, and saying things."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from exosync.core.words import clean

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
    configure(level=level, fmt=loaded.config.log.format, stream=sys.stderr)
    return loaded


@contextmanager
def opened() -> Iterator[Assembly]:
    """Configuration, state and targets, without the lock: for commands that only read."""
    from exosync.assembly import assembled

    with assembled(load_config(), environ=os.environ, progress=progress) as assembly:
        yield assembly


@contextmanager
def locked(command: str) -> Iterator[Assembly]:
    """The same under the run lock: for commands that change the state or a target."""
    from exosync.store import RunLock

    with (
        opened() as assembly,
        RunLock(assembly.store.path, command=command).held(at=assembly.rules.now()),
    ):
        yield assembly


def progress(words: str) -> None:
    """Say on a terminal what is being done; the line is overwritten by the next."""
    if sys.stderr.isatty():
        click.echo(f"\r\x1b[2K{words} …", nl=False, err=True)


def progress_over() -> None:
    """Take the line of progress away."""
    if sys.stderr.isatty():
        click.echo("\r\x1b[2K", nl=False, err=True)


def say(words: str = "", **style: Any) -> None:
    """One line of a result, whatever characters came into it from outside."""
    safe = clean(words)
    click.echo(click.style(safe, **style) if style else safe)


def say_rendered(words: str) -> None:
    """A result that is safe and coloured already."""
    click.echo(words)


def say_json(value: Any) -> None:
    """A result as JSON."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


def table(rows: list[tuple[str, ...]], *, head: tuple[str, ...]) -> None:
    """Rows in aligned columns; on a terminal the last column wraps."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    wide = None if sys.stdout.isatty() else 100_000
    console = Console(width=wide, no_color=None, soft_wrap=False, highlight=False)
    grid = Table(box=None, pad_edge=False, show_edge=False, header_style="bold")
    for name in head:
        grid.add_column(name, overflow="fold")
    for row in rows:
        grid.add_row(*(Text(clean(cell), style=_STYLES.get(cell, "")) for cell in row))
    with console.capture() as captured:
        console.print(grid)
    for line in captured.get().splitlines():
        click.echo(line.rstrip())


_STYLES = {
    "in_sync": "green",
    "applied": "green",
    "ok": "green",
    "pending": "yellow",
    "waiting": "yellow",
    "warn": "yellow",
    "refused": "red",
    "failed": "red",
    "fail": "red",
}


def minute(moment: str | None) -> str:
    """A stored moment as people read it, in UTC."""
    return moment[:16].replace("T", " ") if moment else "never"
