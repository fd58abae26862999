"""The pages of rules, events, exit codes and JSON hold every name that the source knows."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from exosync.alerts.kinds import KINDS
from exosync.config.alerts import EVENT_KINDS
from exosync.core import guards, holds, intake
from exosync.errors import ExosyncError, FeedRejected
from exosync.feed.verdicts import Answer, refusal
from exosync.report import EXIT_CODES
from exosync.schemas import run_schema
from exosync_adapters.exchange import rules as exchange_rules
from exosync_adapters.exchange.findings.collect import FINDINGS as EXCHANGE_FINDINGS
from exosync_adapters.file import atomic
from exosync_adapters.file.probes import writable
from exosync_adapters.google_workspace import rules as google_rules
from exosync_adapters.mimecast import rules as mimecast_rules
from exosync_adapters.spf import rules as spf_rules

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "docs" / "reference"
SOURCES = [*(ROOT / "service").rglob("*.py"), *(ROOT / "adapters").rglob("*.py")]
OPERATIONS = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
SEVERITIES = {"info", "warning", "error"}
SECTIONS = {
    "SPF targets": spf_rules.RULES,
    "Mimecast targets": mimecast_rules.RULES,
    "Google Workspace targets": google_rules.RULES,
    "Exchange Online targets": exchange_rules.RULES,
}
"""The sections of the page of rules that belong to one kind, and the kind's own rules."""


@cache
def page(name: str) -> str:
    """A page of the reference."""
    return (REFERENCE / name).read_text(encoding="utf-8")


@cache
def nodes() -> tuple[ast.AST, ...]:
    """Every node of every source file."""
    trees = (ast.parse(path.read_text(encoding="utf-8")) for path in SOURCES)
    return tuple(node for tree in trees for node in ast.walk(tree))


def calls(*names: str) -> Iterator[ast.Call]:
    """The calls of functions or classes of these names, plain or as attributes."""
    for node in nodes():
        if isinstance(node, ast.Call):
            called = node.func
            name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
            if name in names:
                yield node


def text_of(node: ast.expr | None) -> str:
    """The text that a node stands for; empty if it is computed."""
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def first_texts(*names: str) -> set[str]:
    """The texts that stand first in the calls of these names."""
    return {text_of(call.args[0]) for call in calls(*names) if call.args} - {""}


def rules_by_keyword() -> set[str]:
    """The texts given as `rule=`, wherever that is."""
    given = (one for node in nodes() if isinstance(node, ast.Call) for one in node.keywords)
    return {text_of(one.value) for one in given if one.arg == "rule"} - {""}


HOLDS = {holds.PAUSED, holds.OUTSIDE_WINDOW, holds.WAITS_FOR_OTHERS}
"""The findings that say why a run does not write now."""


def rules_of_answers() -> set[str]:
    """What answers are refused by for their status alone."""
    now = datetime(2026, 11, 23, tzinfo=UTC)
    found = (refusal(Answer(status, {}, b""), "https://x", now) for status in range(300, 500))
    return {one.rule for one in found if isinstance(one, FeedRejected)}


def all_refusals() -> set[str]:
    """Every rule that refuses a plan, an answer, a version, or to apply or approve."""
    tables = {*guards.RULES, *intake.RULES, *(name for one in SECTIONS.values() for name in one)}
    literal = first_texts("Refusal", "rejected", "_Figures") | rules_by_keyword()
    return literal | tables | rules_of_answers()


def probes(folder: Path) -> set[str]:
    """What a file target finds before it writes: each is the name of a finding."""
    file = folder / "a"
    atomic.write(file, b"a", permissions=0o644)
    (folder / "b").hardlink_to(file)
    return {check.name for check in writable(file, 1)} | {"mount"}


def event_kinds() -> Iterator[str]:
    """The kinds of event: given to `add_event` or a `_tell`, or in a tuple before a severity."""
    for call in calls("add_event", "_tell"):
        texts = [text_of(one) for one in call.args if text_of(one)]
        yield from set(texts[:1]) - SEVERITIES
    for node in nodes():
        if isinstance(node, ast.Tuple) and len(node.elts) > 2:
            kind, severity, more = (text_of(one) for one in node.elts[:3])
            told = kind and severity in SEVERITIES and more not in SEVERITIES
            yield from [kind] if told else []
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Tuple):
            names = [getattr(one, "id", "") for one in node.targets[0].elts]
            if names[:1] == ["kind"] and isinstance(node.value, ast.Tuple):
                yield from {text_of(node.value.elts[0])} - {""}


def events_told() -> set[str]:
    """The kinds that the page of events names."""
    told = page("events.md").partition("\n## Events")[2].partition("\n## Runs")[0]
    return named_first(told)


def words(heading: str) -> list[str]:
    """The kinds of event that a heading names: `feed_stale`, `feed_back`."""
    return re.findall(r"`([a-z_]+)`", heading)


def named_first(text: str) -> set[str]:
    """The names in the first column of a page's tables."""
    return set(re.findall(r"^\| `([a-z_0-9]+)` \|", text, re.MULTILINE))


def examples(name: str) -> list[Any]:
    """The blocks of JSON in a page, in order."""
    found = re.findall(r"^```json\n(.*?)^```", page(name), re.MULTILINE | re.DOTALL)
    return [json.loads(one) for one in found]


def test_every_rule_stands_on_the_page_of_rules(tmp_path: Path) -> None:
    """Refusals and findings: none is missing, and none that is gone is named."""
    known = all_refusals() | first_texts("Finding") | HOLDS | probes(tmp_path)

    assert known >= {"shrink", "html", "http_status", "stale_plan", "drift", "space"}
    assert known == named_first(page("rules.md"))


@pytest.mark.parametrize("section", SECTIONS)
def test_every_rule_of_a_kind_stands_in_the_section_of_the_kind(section: str) -> None:
    """A name that several kinds share has a row with each of them, and no row is left over."""
    told = page("rules.md").partition(f"\n## {section}\n")[2].partition("\n## ")[0]
    assert set(SECTIONS[section]) == named_first(told)


def test_what_can_be_approved_at_exchange_online_is_told_so() -> None:
    """The last column says yes of those that carry it, and no of all others."""
    source = (ROOT / "adapters/exosync_adapters/exchange/rules.py").read_text(encoding="utf-8")
    made = [one for one in ast.walk(ast.parse(source)) if isinstance(one, ast.Call)]
    approvable = {
        text_of(call.args[0])
        for call in made
        if getattr(call.func, "id", "") == "Refusal"
        and any(one.arg == "approvable" for one in call.keywords)
    }
    told = page("rules.md").partition("\n## Exchange Online targets\n")[2].partition("\n## ")[0]
    last = dict(re.findall(r"^\| `([a-z_]+)` \|.*\| (\w+)[^|]*\|$", told, re.MULTILINE))
    assert {"rule_switch_on"} <= approvable
    assert approvable == {name for name, can in last.items() if can == "yes"}


OF_EXCHANGE = set(EXCHANGE_FINDINGS) | {"listing_incomplete", "relay_without_connector"}
"""What is found at Exchange Online: by its own table, by looking, and by planning a removal."""


@pytest.mark.parametrize(
    ("path", "after"),
    [
        ("reference/rules.md", "\nOf an Exchange Online target."),
        ("guides/exchange.md", "\n## What is told\n"),
    ],
)
def test_every_finding_of_exchange_online_is_explained(path: str, after: str) -> None:
    """In the reference, and in the guide with what to do; and none that does not exist."""
    text = (ROOT / "docs" / path).read_text(encoding="utf-8").partition(after)[2]
    rows = re.findall(r"^\| (`[a-z_`, ]+`) \|", text.partition("\n## ")[0], re.MULTILINE)
    assert OF_EXCHANGE == {name for row in rows for name in words(row)}


def test_every_guard_names_its_settings_on_the_page() -> None:
    """The key that a refusal gives as its setting stands in the guard's row."""
    text = page("rules.md")
    rows = dict(re.findall(r"^\| `([a-z_]+)` \|(.*)$", text.split("## Before a")[0], re.MULTILINE))
    settings = {
        text_of(one.value)
        for call in calls("Refusal")
        for one in call.keywords
        if one.arg == "setting"
    }
    assert set(guards.RULES) == set(rows)
    missing = {one for one in settings if one.startswith("guards.") and one not in text}
    assert set() == missing


def test_every_event_stands_on_the_page_of_events() -> None:
    """Each kind, and no other."""
    kinds = set(event_kinds())

    assert kinds >= {"feed_stale", "still_failing", "paused", "channel_down", "heartbeat"}
    assert kinds == events_told()


def test_every_event_can_be_routed_and_has_a_conversation() -> None:
    """What happens can be named by a channel, and has its place among the alerts."""
    assert set() == events_told() - set(EVENT_KINDS)
    assert set() == events_told() - set(KINDS)


def test_what_to_do_is_told_for_every_event() -> None:
    """Operations has a section for each kind, and for nothing that does not happen."""
    told = OPERATIONS.partition("\n## What to do on each event\n")[2].partition("\n## ")[0]
    named = {name for line in re.findall(r"^### (.+)$", told, re.MULTILINE) for name in words(line)}
    assert events_told() == named


def test_every_exit_code_and_state_stands_on_the_page_of_exit_codes() -> None:
    """The codes of the error tree, and each state of a target with its code."""

    def tree(kind: type[ExosyncError]) -> Iterator[type[ExosyncError]]:
        yield kind
        for below in kind.__subclasses__():
            yield from tree(below)

    text = page("exit-codes.md")
    codes = {int(one) for one in re.findall(r"^\| (\d+) \|", text, re.MULTILINE)}
    assert set() == {one.exit_code for one in tree(ExosyncError)} - codes
    told = {
        state: int(code)
        for states, code in re.findall(
            r"^\| ((?:`[a-z_]+`(?:, )?)+) \| (\d) \|", text, re.MULTILINE
        )
        for state in re.findall(r"[a-z_]+", states)
    }
    assert told == EXIT_CODES


def test_the_example_of_a_run_is_one_by_the_schema() -> None:
    """The first example of the page of JSON."""
    jsonschema.validate(examples("json.md")[0], run_schema())


@pytest.mark.parametrize("name", ["json.md", "events.md", "rules.md"])
def test_examples_of_json_are_json(name: str) -> None:
    """Every block that says so can be read."""
    assert all(isinstance(one, dict | list) for one in examples(name))
