"""What the documentation says is so, and what there is is documented."""

from __future__ import annotations

import ast
import importlib.util
import re
import shlex
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import click
import pytest
import yaml

from exosync import errors

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
REFERENCE = DOCS / "reference"
EXAMPLES = sorted((ROOT / "deploy" / "examples").glob("*.yaml"))

A_TARGET = {"name": "edge", "kind": "file", "path": "exo.txt", "format": "plain"}
"""What a block that shows only a part of a configuration is completed with."""


@cache
def generator() -> ModuleType:
    """docs/_generate.py as a module; docs is no package."""
    spec = importlib.util.spec_from_file_location("_generate", DOCS / "_generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@cache
def text_of(*, by_hand: bool) -> str:
    """All pages and the README, or only those that a person wrote."""
    pages = [
        path
        for path in sorted(DOCS.rglob("*.md"))
        if "_build" not in path.parts and not (by_hand and path.is_relative_to(REFERENCE))
    ]
    return "\n".join(path.read_text(encoding="utf-8") for path in [*pages, ROOT / "README.md"])


def commands() -> list[tuple[str, ...]]:
    """The words of every command, the root first."""
    from exosync.cli import cli

    return list(generator().walk(cli))


def rule_names() -> Iterator[str]:
    """Every rule that the source refuses by: `Refusal("name", …)`, `rule="name"` and the like."""
    for path in [*(ROOT / "service").rglob("*.py"), *(ROOT / "adapters").rglob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                yield from _rules_in(node)


def _rules_in(call: ast.Call) -> Iterator[str]:
    name = call.func.id if isinstance(call.func, ast.Name) else ""
    named = [one.value for one in call.keywords if one.arg == "rule"]
    first = call.args[:1] if name in {"Refusal", "rejected"} else []
    for value in named + first:
        if isinstance(value, ast.Constant) and isinstance(value.value, str):
            yield value.value


def yaml_blocks(text: str) -> Iterator[str]:
    """The fenced blocks of a page that are marked as YAML, without their indent."""
    for indent, block in re.findall(r"^([ ]*)```yaml\n(.*?)^\1```", text, re.MULTILINE | re.DOTALL):
        yield re.sub(rf"^{indent}", "", block, flags=re.MULTILINE)


def all_yaml_blocks() -> list[Any]:
    """Every YAML block of the README and of the pages, named by its place."""
    found = []
    for path in [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]:
        if path.exists() and "_build" not in path.parts:
            blocks = yaml_blocks(path.read_text(encoding="utf-8"))
            name = path.relative_to(ROOT)
            found += [pytest.param(one, id=f"{name}-{n}") for n, one in enumerate(blocks, start=1)]
    return found


def shown_commands() -> Iterator[tuple[str, str]]:
    """Every `$ exosync …` of the README and of the pages: the page's name, and the words."""
    for path in [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]:
        if "_build" not in path.parts:
            text = re.sub(r"\\\n\s*", "", path.read_text(encoding="utf-8"))
            shown = re.findall(r"^\s*\$ (?:\S*/)?exosync (.*)$", text, re.MULTILINE)
            yield from ((path.name, line) for line in shown)


def complaint(line: str) -> str:
    """What exosync says against a line of a shell, without running it; empty if nothing."""
    words = shlex.split(line, comments=True)
    ends = [words.index(one) for one in ("|", ">", "&", "&&") if one in words]
    return _against(words[: min(ends, default=len(words))])


def _against(words: list[str]) -> str:
    from exosync.cli import cli

    name, context = "exosync", None
    command: click.Command = cli
    try:
        while True:
            context = command.make_context(name, words, parent=context)
            words = [*context._protected_args, *context.args]  # click's own, of a group
            if not words or not isinstance(command, click.Group):
                return ""
            _, found, words = command.resolve_command(context, words)
            assert found is not None
            name, command = found.name or "", found
    except click.UsageError as error:
        return error.format_message()


@pytest.mark.parametrize(
    "name",
    [
        "commands.md",
        "settings.md",
        "configuration.schema.json",
        "run.schema.json",
        "alert.schema.json",
    ],
)
def test_reference_pages_are_what_the_code_says(name: str) -> None:
    """The pages in the tree are those that `make reference` writes."""
    assert generator().pages()[name] == (REFERENCE / name).read_text(encoding="utf-8"), (
        "run: make reference"
    )


def test_every_command_is_explained_by_a_person() -> None:
    """Every command without commands of its own is named in a page that is not generated."""
    pages = text_of(by_hand=True)
    leaves = [
        path for path in commands() if path and not isinstance(generator().find(path), click.Group)
    ]
    assert leaves
    assert [] == [one for one in leaves if f"exosync {' '.join(one)}" not in pages]


def test_every_option_and_argument_is_documented() -> None:
    """Every option of every command stands in the pages, and says what it is for."""
    pages = text_of(by_hand=False)
    missing, silent = [], []
    for path in commands():
        for parameter in generator().find(path).params:
            if not isinstance(parameter, click.Option) or parameter.hidden:
                continue
            place = f"{' '.join(path)} {parameter.opts[0]}"
            missing += [place for one in parameter.opts if one not in pages]
            silent += [] if parameter.help else [place]
    assert [] == missing
    assert [] == silent


def test_every_command_that_is_shown_can_be_given() -> None:
    """Its name, options and arguments are those that there are."""
    shown = list(shown_commands())
    assert len(shown) > 100
    assert "extra argument" in complaint("plan exchange")
    assert [] == [
        f"{page}: exosync {line}: {complaint(line)}" for page, line in shown if complaint(line)
    ]


def test_every_command_says_what_it_is_for() -> None:
    """Every command has a first sentence and a short line for the list of commands."""
    silent = [one for one in commands() if not (generator().find(one).help or "").strip()]
    assert [] == silent


def test_every_setting_is_described_and_documented() -> None:
    """Every key of the configuration has a description, and stands in the pages."""
    from exosync.config import describe_settings

    pages = text_of(by_hand=False)
    settings = describe_settings()
    assert [] == [one.key for one in settings if not one.description]
    assert [] == [one.key for one in settings if f"`{one.key}`" not in pages]


def test_every_exit_code_is_documented() -> None:
    """The codes of the error tree and of a run's outcomes stand in the table of exit codes."""
    from exosync.report import EXIT_CODES

    def tree(kind: type[errors.ExosyncError]) -> Iterator[type[errors.ExosyncError]]:
        yield kind
        for below in kind.__subclasses__():
            yield from tree(below)

    codes = {one.exit_code for one in tree(errors.ExosyncError)} | set(EXIT_CODES.values())
    page = (REFERENCE / "exit-codes.md").read_text(encoding="utf-8")
    assert codes <= {int(one) for one in re.findall(r"^\| (\d+) \|", page, re.MULTILINE)}


def test_every_guard_is_explained_by_a_person() -> None:
    """Every guard is named in the concepts."""
    from exosync.core.guards import RULES

    concepts = (DOCS / "concepts.md").read_text(encoding="utf-8")
    assert [] == [name for name in RULES if f"`{name}`" not in concepts]


def test_every_rule_that_the_source_refuses_by_is_documented() -> None:
    """The page of rules is complete: no name is used in the code that does not stand there."""
    page = (REFERENCE / "rules.md").read_text(encoding="utf-8")
    assert [] == sorted({name for name in rule_names() if f"`{name}`" not in page})


@pytest.mark.parametrize("block", all_yaml_blocks())
def test_yaml_in_the_pages_is_a_configuration(block: str, tmp_path: Path) -> None:
    """What the pages show as YAML is accepted; a block without targets is given one."""
    from exosync.config import load

    values = yaml.safe_load(block)
    if "targets" not in values:
        block += yaml.safe_dump({"targets": [A_TARGET]})
    file = tmp_path / "exosync.yaml"
    file.write_text(block, encoding="utf-8")
    assert load(file, environ={}).config.targets


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_examples_are_configurations(path: Path) -> None:
    """Every file in deploy/examples is accepted."""
    from exosync.config import load

    assert load(path, environ={}).config.targets


def test_links_to_files_of_the_tree_lead_somewhere() -> None:
    """The README and the other texts at the top name no file that is not there."""
    broken = []
    for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"):
        links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", (ROOT / name).read_text(encoding="utf-8"))
        broken += [f"{name}: {link}" for link in links if not (ROOT / link).exists()]
    assert [] == broken
