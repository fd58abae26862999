"""Marks in descriptions: written, read back, damaged, and never too long."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exosync_adapters.mimecast.marks import (
    LONGEST,
    Mark,
    described,
    fits,
    is_damaged,
    words_of,
)

MARK = Mark("exosync", "mimecast", "example.com", 1)
TEXT = "exosync exosync/mimecast example.com 1: Exchange Online may send as this domain"

names = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), min_size=1, max_size=12)


def test_a_mark_is_short_and_tells_whose_it_is() -> None:
    """Neither a hash nor a time: it is kept with every message."""
    assert TEXT == MARK.describe("Exchange Online may send as this domain")
    assert MARK == Mark.read(TEXT)


@given(names, names, st.sampled_from(["example.com", "everyone", "group"]), st.integers(1, 9999))
def test_what_is_written_is_read_back(owner: str, target: str, sender: str, number: int) -> None:
    """Whatever owner and target are called."""
    mark = Mark(owner, target, sender, number)

    assert mark == Mark.read(f"{mark} words: that / follow 2:")


@given(names, names, names, names)
def test_two_marks_read_the_same_only_if_they_are(a: str, b: str, c: str, d: str) -> None:
    """No owner's name can run over into the target's."""
    one, other = Mark(a, b, "group", 1), Mark(c, d, "group", 1)

    assert (one == other) == (str(one) == str(other))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Branch 7",
        "exosync exosync/mimecast example.com 1 without a colon",
        "exosync exosync/mimecast example.com 0: x",
        "exosync exosync mimecast example.com 1: x",
        "an exosync exosync/mimecast example.com 1: x",
    ],
)
def test_other_texts_are_no_marks(text: str) -> None:
    """The mark stands at the beginning, whole."""
    assert Mark.read(text) is None


@pytest.mark.parametrize(
    ("text", "damaged"),
    [
        (TEXT, False),
        (TEXT.replace(":", ""), True),
        (TEXT.replace("example.com 1", "example.com one"), True),
        (TEXT.upper().replace(":", ""), True),
        ("exosync other/mimecast example.com 1", False),
        ("exosync", False),
        ("Branch 7", False),
    ],
)
def test_a_mark_that_was_edited_is_seen(text: str, damaged: bool) -> None:
    """It begins like one of ours and is none."""
    assert damaged == is_damaged(text, "exosync", "mimecast")


def test_descriptions_are_cut_to_the_room_there_is() -> None:
    """The mark stays whole."""
    found = MARK.describe("words " * 100)

    assert len(found) <= LONGEST
    assert MARK == Mark.read(found)


@pytest.mark.parametrize(
    ("found", "wanted"),
    [
        (None, f"{MARK} new"),
        (f"{MARK} edited by a person", f"{MARK} edited by a person"),
        ("Legitimate spoof", f"{MARK} Legitimate spoof"),
        ("exosync other/one example.com 3: their words", f"{MARK} their words"),
        ("", f"{MARK} new"),
    ],
)
def test_what_people_wrote_stays(found: str | None, wanted: str) -> None:
    """Another's mark gives way to ours."""
    assert wanted == described(MARK, found, "new")


def test_words_are_what_follows_the_mark() -> None:
    """All of it where there is no mark."""
    assert ("words", "no mark") == (words_of(f"{MARK} words"), words_of(" no mark "))


def test_long_names_leave_no_room() -> None:
    """So that it is told before anything is written."""
    assert fits("exosync", "mimecast", "example.com")
    assert not fits("exosync", "mimecast", f"{'x' * 60}.{'y' * 60}.example")
