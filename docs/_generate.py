"""Writes the pages of docs/reference from the code: `make reference`.

tests/unit/test_docs.py holds the pages in the tree against what this makes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.testing import CliRunner

from exosync.core.words import FINDINGS

if TYPE_CHECKING:
    from exosync.config import Setting

FOLDER = Path(__file__).parent / "reference"
NOTE = "<!-- Written by `make reference`; do not edit. -->\n\n"

RULE_MODULES = (
    ("Guards", "exosync.core.guards"),
    ("Before a version is adopted", "exosync.core.intake"),
    ("SPF targets", "exosync_adapters.spf.rules"),
)
"""Where the names of rules stand, each a mapping RULES of names to meanings."""

OTHER_RULES = {
    "File targets": {
        "empty": "no range of the target's address families is desired",
        "foreign_owner": "the file that is there does not carry this target's mark",
        "template_mark": "the template does not print the mark",
    },
    "When Microsoft's answer is read": {
        "redirect": "the answer leads to another address; redirects are not followed",
        "bad_request": "the service takes the question for wrong (status 400)",
        "denied": "the service or a proxy wants credentials, or lets nobody in (401, 403, 407)",
        "not_found": "there is no such instance or page (404)",
        "http_status": "the status is none that the service answers with",
        "too_large": "the answer is larger than `feed.max_size`",
        "html": "a web page came in place of JSON",
        "not_text": "the answer is neither UTF-8 nor marked UTF-16",
        "not_json": "the answer is empty or not JSON",
        "truncated": "the answer ends in the middle",
        "too_deep": "lists or objects are nested too deeply",
        "bad_text": "a text holds half a surrogate pair",
        "bad_number": "a number is not one of JSON, or out of range",
        "duplicate_key": "a key stands twice in one object",
        "wrong_type": "a value has another type than it must have",
        "missing_field": "a field that must be there is missing",
        "duplicate_id": "two endpoint sets have the same id",
        "bad_cidr": "a range is no CIDR, or has host bits",
        "bad_ports": "ports are not numbers, blanks, commas and ranges",
        "no_mail_set": "no endpoint set carries mail",
        "bad_version": "a version is not ten digits",
        "bad_instance": "the instance is none of Microsoft's clouds",
        "wrong_instance": "the answer speaks of other instances than the one asked for",
        "different_content": "a version that is stored came again with other contents",
    },
    "Applying and approving": {
        "stale_plan": "the plan is no longer what would be done, or is done already",
        "watched": "the target is in mode watch, which is never written",
    },
}
"""Rules whose meaning stands nowhere but here."""

FIXED_CODES = {
    0: "all is as desired",
    1: "an unexpected error, or the state cannot be used",
    2: "changes are pending, or wait for a person",
    3: "refused: approval is needed, or a plan is stale",
    4: "the feed or a target failed",
    5: "another run holds the lock",
    64: "wrong usage or configuration",
    130: "stopped by the keyboard",
}
"""What each exit code means."""


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
        "rules.md": rules(),
        "exit-codes.md": exit_codes(),
        "json.md": json_page(),
        "configuration.schema.json": configuration_schema(),
        "run.schema.json": run_schema(),
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


def all_rules() -> dict[str, dict[str, str]]:
    """The rules' names and meanings, by heading."""
    found = {title: dict(import_module(name).RULES) for title, name in RULE_MODULES}
    return found | OTHER_RULES


def rules() -> str:
    """The names of all rules that refuse."""
    parts = [
        "# Rules\n\n",
        NOTE,
        "The names do not change; they stand in `refusals` of the JSON output.\n",
    ]
    for title, found in all_rules().items():
        parts.append(f"\n## {title}\n\n| rule | refuses when |\n| --- | --- |\n")
        parts += [f"| `{name}` | {meaning} |\n" for name, meaning in found.items()]
    parts.append("\n## Findings\n\nThese stop nothing; they stand in `findings`.\n\n")
    return "".join(parts) + _named("finding", FINDINGS)


def _named(what: str, found: dict[str, str]) -> str:
    rows = "".join(f"| `{name}` | {meaning} |\n" for name, meaning in found.items())
    return f"| {what} | means |\n| --- | --- |\n{rows}"


def exit_codes() -> str:
    """What the command ends with."""
    rows = "".join(f"| {code} | {meaning} |\n" for code, meaning in FIXED_CODES.items())
    return (
        "# Exit codes\n\n" + NOTE + "`exosync plan`, `sync` and `apply` end with the code of the "
        "target that needs a person most.\n\n| code | means |\n| --- | --- |\n" + rows
    )


def json_page() -> str:
    """The page that leads to the JSON Schemas."""
    return (
        "# JSON\n\n"
        + NOTE
        + "Every reading command has `--json`. The shapes are published as JSON "
        "Schema (draft 2020-12):\n\n"
        "- {download}`the configuration file <configuration.schema.json>`, the same as "
        "`exosync config schema` prints, for editors;\n"
        "- {download}`the result of plan, sync and apply <run.schema.json>`.\n"
    )


def configuration_schema() -> str:
    """The JSON Schema of the configuration."""
    from exosync.config import schema

    return _json(schema())


def run_schema() -> str:
    """The JSON Schema of a run's result."""
    from exosync import schemas

    return _json(schemas.run_schema())


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
