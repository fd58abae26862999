"""A step for a person with a script: what is to be known comes before it, for nobody reads past it."""

from __future__ import annotations

from typing import Any

import pytest

from exosync.render.todo import html, markdown, text

Json = dict[str, Any]


def view(lines: int) -> Json:
    """A step as `exosync todo show --json` prints it, with so many lines to paste."""
    return {
        "target": "exchange",
        "setting": "rule",
        "plan": "aaaa00000001",
        "opened_at": "2026-11-26T03:44:00+00:00",
        "due_at": "2026-11-28T03:44:00+00:00",
        "overdue": False,
        "task": {
            "title": "Create the rule",
            "who": "an Exchange administrator",
            "place": "Exchange admin center",
            "box": "\n".join(f"script line {number}" for number in range(1, lines + 1)),
            "found": "",
            "fields": [{"name": "Rule mode", "value": "Enforce"}],
            "instructions": ["Connect first."],
            "reasons": ["It is made disabled."],
            "confirmation": "read",
            "delay": "0s",
            "added": [],
            "removed": [],
        },
    }


@pytest.mark.parametrize("render", [text, markdown, html])
def test_a_long_text_to_paste_comes_last(render: Any) -> None:
    """A short one comes first, as it always did; either is whole."""
    for lines, comes_last in ((3, False), (90, True)):
        told = render(view(lines))
        places = [told.index(one) for one in ("Rule mode", "Connect first", "It is made disabled")]
        assert sorted(places) == places
        assert comes_last is (told.index("script line 1") > max(places))
        assert f"script line {lines}" in told
        assert told.index("exosync ack exchange rule") > told.index(f"script line {lines}")


def test_how_to_get_a_long_text_by_itself_is_told() -> None:
    """Who pastes from a terminal wants nothing around it."""
    assert "exosync todo show exchange rule --copy" in text(view(90))
    assert "--copy" not in text(view(3))
