"""Texts folded to a terminal's columns: no line is wider, and nothing is lost."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from exosync.render.folding import folded
from exosync.render.way import drawn

WIDE = "送信コネクタ：東京本社から大阪支社へ転送する"

words = st.text(alphabet="ab-.é送コ：한ﾃق", max_size=40)


@given(parts=st.lists(words, max_size=6), width=st.integers(min_value=3, max_value=40))
def test_no_line_has_more_columns_and_every_character_is_there(
    parts: list[str], width: int
) -> None:
    """However wide the characters are; `rich` counts columns by tables of its own."""
    text = " ".join(parts)
    lines = folded(text, width)
    assert [] == [one for one in lines if cell_len(one) > width or not one]
    assert "".join(text.split()) == "".join("".join(lines).split())


def test_plain_words_fill_a_line_and_none_is_broken_at_a_hyphen() -> None:
    """The last column is used."""
    assert ["a mx-1.test", "bb ccc"] == folded("a mx-1.test bb ccc", 11)


@pytest.mark.parametrize("width", [32, 60])
def test_a_station_with_a_wide_name_keeps_to_its_side_of_the_line(width: int) -> None:
    """A rule or a connector may be called anything."""
    stage = {
        "kind": "rule",
        "title": f"{WIDE} (priority 1) acts",
        "ok": True,
        "sure": "seen",
        "says": [f"routes to the connector {WIDE}"],
    }
    way = {"target": "exchange", "error": None, "ok": True, "stages": [stage]}
    view = {"from": "ada@example.com", "to": "alan@example.com", "ways": [way]}
    told = [text for text, _ in drawn(view, width=width)]
    assert width >= max(cell_len(one) for one in told)
    assert 2 == "".join(one.removeprefix(" │").strip() for one in told).count(WIDE)
