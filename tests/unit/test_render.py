"""A report as text, Markdown and HTML: what targets say can never become markup."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from typing import Any

import pytest

from exosync.core.words import clean, plural
from exosync.render.documents import html, markdown
from exosync.render.text import render

HOSTILE = "<script>alert(1)</script> | **x** `y` ``` [a](http://b) \x1b[2J"
FINDING = {"rule": "drift", "message": HOSTILE, "severity": "warning"}
STEP = {
    "resource": "file:/x", "phase": "add", "action": "update", "by": "person",
    "summary": HOSTILE, "before": f"```\n{HOSTILE}", "after": "````", "status": "planned",
}  # fmt: skip
REFUSAL = {
    "rule": "shrink", "message": HOSTILE, "seen": HOSTILE, "limit": "10%",
    "setting": "guards.max_shrink", "approvable": True,
}  # fmt: skip


def told(**parts: Any) -> dict[str, Any]:
    """A report with one target."""
    target = {
        "name": "edge", "kind": "file", "mode": "plan", "state": "refused", "plan": "0123456789ab",
        "approved": False, "changes": [], "steps": [STEP], "refusals": [REFUSAL],
        "findings": [FINDING], "foreign": [{"where": HOSTILE, "text": HOSTILE, "ranges": []}],
        "owned": [], "verified": None, "checks": [], "error": None,
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


def test_html_holds_no_script_and_loads_nothing() -> None:
    """Whatever stood in a record or a message."""
    tags = Tags()
    tags.feed(html(told()))
    assert {"html", "table", "pre"} <= tags.seen
    assert not {"script", "img", "link", "a", "iframe"} & tags.seen


def test_markdown_keeps_texts_as_texts() -> None:
    """No tag, no link, no bold; a fence is longer than any in what it holds."""
    text = markdown(told())
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


def test_text_holds_no_control_character() -> None:
    """But the colours of its own."""
    assert "\x1b[2J" not in render(told())
    assert "\\x1b[2J" in render(told())


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
    assert "exosync apply 0123456789ab" in render(told(state="pending", refusals=[]))
    assert json.dumps(told())
