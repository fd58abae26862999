"""A report as text, Markdown and HTML: what targets say can never become markup."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from typing import Any

import pytest

from exosync.core.words import clean, plural
from exosync.render import todo
from exosync.render.documents import html, markdown
from exosync.render.text import render

HOSTILE = "<script>alert(1)</script> | **x** `y` ``` [a](http://b) \x1b[2J"
FINDING = {"rule": "drift", "message": HOSTILE, "severity": "warning"}
STEP = {
    "resource": "file:/x", "phase": "add", "action": "update", "by": "person",
    "summary": HOSTILE, "before": f"```\n{HOSTILE}", "after": "````", "status": "planned",
    "task": None,
}  # fmt: skip
REFUSAL = {
    "rule": "shrink", "message": HOSTILE, "seen": HOSTILE, "limit": "10%",
    "setting": "guards.max_shrink", "approvable": True, "phase": "remove", "resources": [],
}  # fmt: skip

ASSERTED = {"setting": HOSTILE, "by": HOSTILE, "at": "2026-11-25T10:00:00+00:00", "ranges": []}
TASK = {
    "setting": HOSTILE, "title": HOSTILE, "place": HOSTILE, "box": f"```\n{HOSTILE}", "found": HOSTILE,
    "fields": [{"name": HOSTILE, "value": HOSTILE}], "instructions": [HOSTILE],
    "reasons": [HOSTILE], "who": HOSTILE, "confirmation": "read", "delay": "1d",
    "ranges": ["192.0.2.0/24"], "added": ["192.0.2.0/24"], "removed": [],
}  # fmt: skip
TODO = {
    "target": "edge", "setting": HOSTILE, "plan": "0123456789ab", "overdue": True,
    "opened_at": "2026-11-25T10:00:00+00:00", "due_at": "2026-11-27T10:00:00+00:00", "task": TASK,
}  # fmt: skip


def told(**parts: Any) -> dict[str, Any]:
    """A report with one target."""
    target = {
        "name": "edge", "kind": "file", "mode": "plan", "state": "refused", "plan": "0123456789ab",
        "approved": False, "changes": [], "steps": [STEP], "refusals": [REFUSAL],
        "findings": [FINDING], "foreign": [{"where": HOSTILE, "text": HOSTILE, "ranges": []}],
        "owned": [], "verified": None, "checks": [], "asserted": [ASSERTED], "error": None,
    }  # fmt: skip
    feed: dict[str, Any] = {"asked": True, "requests": 1, "adopted": False, "previous": None}
    return {
        "version": "2024073100", "instance": "Worldwide", "outcome": "refused",
        "feed": {**feed, "changes": [], "error": HOSTILE}, "ranges": None, "findings": [FINDING],
        "targets": [{**target, **parts}],
    }  # fmt: skip


class Tags(HTMLParser):
    """The tags that a browser would see."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """One more."""
        self.seen.add(tag)
        assert not [name for name, _ in attrs if name.startswith("on") or name in ("src", "href")]


PAGES = pytest.mark.parametrize("page", [html(told()), todo.html(TODO)], ids=["report", "todo"])
TEXTS = pytest.mark.parametrize(
    "text", [markdown(told()), todo.markdown(TODO)], ids=["report", "todo"]
)


@PAGES
def test_html_holds_no_script_and_loads_nothing(page: str) -> None:
    """Whatever stood in a record or a message."""
    tags = Tags()
    tags.feed(page)
    assert {"html", "table", "pre"} <= tags.seen
    assert not {"script", "img", "link", "a", "iframe"} & tags.seen


@TEXTS
def test_markdown_keeps_texts_as_texts(text: str) -> None:
    """No tag, no link, no bold; a fence is longer than any in what it holds."""
    outside, fence = [], ""
    for line in text.splitlines():
        if fence:
            fence = "" if line == fence else fence
        elif line.startswith("```"):
            fence = line
        else:
            outside.append(line)
    assert "" == fence
    assert not [line for line in outside if "<script" in line.replace("\\<", "")]
    assert not [line for line in outside if "[a](" in line.replace("\\[", "")]


@pytest.mark.parametrize("text", [render(told()), todo.text(TODO)], ids=["report", "todo"])
def test_text_holds_no_control_character(text: str) -> None:
    """But the colours of its own."""
    assert "\x1b[2J" not in text
    assert "\\x1b[2J" in text


def test_a_run_of_an_earlier_release_is_shown_all_the_same() -> None:
    """Its report has no word of what was asserted."""
    report = told()
    del report["targets"][0]["asserted"], report["targets"][0]["steps"][0]["task"]
    assert "edge" in render(report)
    assert "edge" in markdown(report)
    assert "edge" in html(report)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain – ünïcode\n\ttext", "plain – ünïcode\n\ttext"),
        ("\x1b[31m\r\x00\x7f\x9b", "\\x1b[31m\\r\\x00\\x7f\\x9b"),
        ("a\u202eb\ud800", "a\\u202eb\\ud800"),
    ],
)
def test_clean_shows_what_could_move_a_terminal(text: str, expected: str) -> None:
    """As escapes; lines and tabs stay."""
    assert expected == clean(text)


@pytest.mark.parametrize(
    ("count", "noun", "expected"),
    [(1, "target", "1 target"), (2, "target", "2 targets"), (1200, "entry", "1,200 entries")],
)
def test_counts_read_well(count: int, noun: str, expected: str) -> None:
    """In English."""
    assert expected == plural(count, noun)


def test_next_steps_name_the_command() -> None:
    """What a person may want to do, ready to copy."""
    assert "exosync approve 0123456789ab" in render(told())
    hard = {**REFUSAL, "approvable": False, "rule": "foreign_owner"}
    assert "exosync adopt edge" in render(told(refusals=[hard], plan=None))
    namesake = {**hard, "rule": "not_owned"}
    assert "exosync adopt edge" in render(told(refusals=[namesake], plan=None))
    part = {**hard, "resources": ["other"]}
    assert "exosync approve 0123456789ab" in render(told(refusals=[REFUSAL, part]))
    assert "exosync approve 0123456789ab" not in render(told(refusals=[REFUSAL, hard]))
    assert "exosync apply 0123456789ab" in render(told(state="pending", refusals=[]))
    assert json.dumps(told())


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (["rule"], "exosync todo show edge has the text to paste"),
        (["rule", "rule"], "exosync todo show edge has the text to paste"),
        (
            ["connector", "rule"],
            "exosync todo show edge connector and exosync todo show edge rule have the texts to paste",
        ),
    ],
    ids=["one", "two steps of one", "two"],
)
def test_the_text_to_paste_is_named_so_that_it_is_found(settings: list[str], expected: str) -> None:
    """Where several things wait at a target, `todo show` wants to know which."""
    steps = [{**STEP, "status": "planned", "task": {**TASK, "setting": one}} for one in settings]
    assert f"the steps marked so; {expected}" in render(told(steps=steps))
