"""Writes the pages of docs/reference from the code: `make reference`.

tests/unit/test_docs.py holds the pages in the tree against what this makes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.testing import CliRunner

if TYPE_CHECKING:
    from exosync.config import Setting

FOLDER = Path(__file__).parent / "reference"
NOTE = "<!-- Written by `make reference`; do not edit. -->\n\n"

SETTINGS_NOTE = """\
Keys of a section are joined by a dot; `[]` stands for each item of a list. Every key but those of
targets can also be set by a variable: `EXOSYNC_` and the key in capitals, with `__` for each dot
(`EXOSYNC_FEED__URL`).
"""


def pages() -> dict[str, str]:
    """The text of every page by its file name."""
    return {
        "commands.md": commands(),
        "settings.md": settings(),
        "configuration.schema.json": configuration_schema(),
        "run.schema.json": run_schema(),
        "alert.schema.json": alert_schema(),
    }


def walk(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The words of every command below one, itself first."""
    yield path
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            assert inner is not None, name
            yield from walk(inner, (*path, name))


def find(path: tuple[str, ...]) -> click.Command:
    """The command of these words."""
    from exosync.cli import cli

    found: click.Command = cli
    for name in path:
        assert isinstance(found, click.Group)
        inner = found.get_command(click.Context(found), name)
        assert inner is not None, name
        found = inner
    return found


def help_of(path: tuple[str, ...]) -> str:
    """What `--help` prints for a command on a terminal of 100 columns."""
    from exosync.cli import cli

    result = CliRunner().invoke(
        cli, [*path, "--help"], prog_name="exosync", env={"COLUMNS": "100"}, color=False
    )
    assert result.exit_code == 0, result.output
    return "\n".join(line.rstrip() for line in result.output.splitlines())


def commands() -> str:
    """What `--help` prints, for every command."""
    from exosync.cli import cli

    parts = ["# Commands\n\n" + NOTE + "What `--help` prints.\n"]
    for path in walk(cli):
        title = " ".join(("exosync", *path))
        parts.append(f"\n## {title}\n\n```text\n{help_of(path)}\n```\n")
    return "".join(parts)


def settings() -> str:
    """Every key of the configuration."""
    from exosync.config import describe_settings

    by_kind: dict[str, list[Setting]] = {}
    for one in describe_settings():
        by_kind.setdefault(one.kind, []).append(one)
    parts = ["# Settings\n\n", NOTE, SETTINGS_NOTE]
    for kind, found in by_kind.items():
        title = f"Targets of kind `{kind}`" if kind else "All keys but those of a kind"
        parts.append(f"\n## {title}\n\n| key | value | default | |\n| --- | --- | --- | --- |\n")
        parts += [_setting(one) for one in found]
    return "".join(parts)


def _setting(one: Setting) -> str:
    match one.default:
        case None:
            default = "required"
        case "" | "none":
            default = one.default
        case value:
            default = f"`{value}`"
    cells = (f"`{one.key}`", one.type, default, one.description)
    return "| " + " | ".join(cell.replace("|", r"\|").replace("\n", " ") for cell in cells) + " |\n"


def configuration_schema() -> str:
    """The JSON Schema of the configuration."""
    from exosync.config import schema

    return _json(schema())


def run_schema() -> str:
    """The JSON Schema of a run's result."""
    from exosync import schemas

    return _json(schemas.run_schema())


def alert_schema() -> str:
    """The JSON Schema of an alert."""
    from exosync import schemas

    return _json(schemas.alert_schema())


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def main() -> None:
    """Write all pages."""
    FOLDER.mkdir(exist_ok=True)
    for name, text in pages().items():
        (FOLDER / name).write_text(text, encoding="utf-8")
        print(f"wrote docs/reference/{name}")


if __name__ == "__main__":
    main()
