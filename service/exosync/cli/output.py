"""Saying things: results on stdout, and nothing from outside that could steer a terminal."""

from __future__ import annotations

import io
import json
import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import click

from exosync.core.words import clean_json, one_line
from exosync.errors import ExosyncError


def say(words: str = "", **style: Any) -> None:
    """One line of a result, whatever characters came into it from outside."""
    safe = one_line(words)
    put(click.style(safe, **style) if style else safe)


def say_json(value: Any) -> None:
    """A result as JSON."""
    try:
        put(clean_json(json.dumps(value, indent=2, ensure_ascii=False)), strictly=True)
    except UnicodeEncodeError:
        put(json.dumps(value, indent=2))


def put(text: str, *, strictly: bool = False) -> None:
    """Write to stdout what is safe already: a line, or several.

    A reader that has seen enough (`exosync history | head -1`) is no error: the command goes
    on, and ends as it would have. What the terminal's encoding lacks is shown as escapes,
    unless `strictly` (UnicodeEncodeError then). Raises ExosyncError if the disk is full.
    """
    try:
        click.echo(text)
    except UnicodeEncodeError as error:
        if strictly:
            raise
        click.echo(text.encode(error.encoding, "backslashreplace").decode(error.encoding))
    except BrokenPipeError:
        _write_nowhere()
    except OSError as error:
        _write_nowhere()
        message = f"the result cannot be written to standard output: {error.strerror}"
        raise ExosyncError(message) from error


def _write_nowhere() -> None:
    """From now on: Python would complain at the end of what it could not write."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def table(
    rows: Sequence[tuple[str, ...]],
    *,
    head: tuple[str, ...],
    colours: Mapping[str, str] | None = None,
) -> None:
    """Rows in aligned columns; on a terminal the last column wraps.

    `colours` are those of cells by their whole text.
    """
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    terminal = sys.stdout.isatty()
    wide = shutil.get_terminal_size().columns if terminal else 100_000
    page = io.StringIO()
    console = Console(file=page, force_terminal=terminal, width=wide, highlight=False)
    grid = Table(box=None, pad_edge=False, show_edge=False, header_style="bold")
    for name in head:
        grid.add_column(name, overflow="fold", no_wrap=name is not head[-1])
    for row in rows:
        cells = [one_line(cell) for cell in row]
        grid.add_row(*(Text(cell, style=(colours or {}).get(cell, "")) for cell in cells))
    console.print(grid)
    for line in page.getvalue().splitlines():
        put(line.rstrip())
