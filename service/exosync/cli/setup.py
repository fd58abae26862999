"""init, config show|schema, completion."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

from exosync.cli.common import config_option, json_option, load_config
from exosync.cli.output import put, say, say_json
from exosync.cli.scenario import refuse_without_scenario, scenario_options, scenario_text
from exosync.core.words import clean
from exosync.errors import UsageError


@click.command(short_help="Write a commented starter configuration.")
@click.argument("file", type=click.Path(allow_dash=True), default="exosync.yaml")
@click.option("--force", is_flag=True, help="Overwrite a file that is there.")
@click.option(
    "--kind",
    "kinds",
    multiple=True,
    metavar="KIND",
    help="Kind of a target to begin with; may be given several times [default: file, spf].",
)
@scenario_options
def init(
    *, file: str, force: bool, kinds: tuple[str, ...], scenario: str | None, **answers: Any
) -> None:
    """Write a commented starter configuration to FILE [default: exosync.yaml; - for stdout].

    With --scenario split-domain it is the whole configuration for one domain whose mailboxes are
    in Exchange Online and in another system; on a terminal it asks for what no option says, but
    for --spf and --instance.
    """
    _refuse(file, force=force)
    if scenario is None:
        refuse_without_scenario(answers)
        text = _starter(kinds)
    elif kinds:
        raise UsageError("--kind and --scenario do not go together: a scenario has its own targets")
    else:
        text = scenario_text(answers)
    _write(text, file, force=force)


def _starter(kinds: tuple[str, ...]) -> str:
    from exosync.starter import STARTERS, starter_text

    unknown = [one for one in kinds if one not in STARTERS]
    if unknown:
        message = f"there is no example of {unknown[0]!r}, only of {', '.join(STARTERS)}"
        raise UsageError(message)
    return starter_text(kinds=kinds or ("file", "spf"))


def _refuse(file: str, *, force: bool) -> None:
    """What can be told of the place before anybody answers anything is told before."""
    if file == "-":
        return
    path = Path(file)
    there = os.path.lexists(path)
    if there and not force:
        raise UsageError(_THERE.format(file))
    if not there and not os.access(path.parent, os.W_OK):
        wrong = "may not be written to" if path.parent.is_dir() else "is no folder that is there"
        raise UsageError(f"{file} cannot be written: {path.parent} {wrong}")


_THERE = "{} is there already; it was not touched (--force overwrites it)"


def _write(text: str, file: str, *, force: bool) -> None:
    if file == "-":
        put(text.rstrip("\n"))
        return
    path = Path(file)
    try:
        with path.open("w" if force else "x", encoding="utf-8") as stream:
            stream.write(text)
    except FileExistsError as error:
        raise UsageError(_THERE.format(file)) from error
    except OSError as error:
        message = f"{file} cannot be written: {error.strerror}"
        raise UsageError(message) from error
    say(f"wrote {file}")
    say("  next: edit it, then exosync check, then exosync plan")


@click.group(short_help="Show the configuration in force, or its JSON Schema.")
def config() -> None:
    """Show the configuration in force, or its JSON Schema."""


@config.command("show", short_help="Print the configuration in force, defaults included.")
@config_option
@json_option
def show(*, as_json: bool) -> None:
    """Print the configuration in force, defaults included; secrets only as references."""
    from exosync.config import shown

    loaded = load_config()
    values = shown(loaded.config)
    if as_json:
        say_json(values)
        return
    import yaml

    say(f"# {loaded.path}")
    text = yaml.safe_dump(values, sort_keys=False, allow_unicode=True)
    if text != clean(text):
        text = yaml.safe_dump(values, sort_keys=False)
    put(text.rstrip("\n"))


@config.command("schema", short_help="Print the JSON Schema of the configuration.")
def schema() -> None:
    """Print the JSON Schema of the configuration, for editors and other checks."""
    from exosync.config import schema as make

    say_json(make())


@click.command(short_help="Print the shell's completion script.")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(*, shell: str) -> None:
    """Print the completion script of SHELL; for bash: eval "$(exosync completion bash)"."""
    from click.shell_completion import get_completion_class

    from exosync.cli import cli

    made = get_completion_class(shell)
    assert made is not None
    put(made(cli, {}, "exosync", "_EXOSYNC_COMPLETE").source())
