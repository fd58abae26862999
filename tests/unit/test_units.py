"""Durations, shares and sizes, as people write them."""

from __future__ import annotations

import re
from datetime import timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exosync.core.units import (
    DURATION_PATTERN,
    LONGEST,
    SHARE_PATTERN,
    SIZE_PATTERN,
    Share,
    duration_text,
    parse_duration,
    parse_size,
    size_text,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("30d", timedelta(days=30)),
        ("1h", timedelta(hours=1)),
        ("90s", timedelta(seconds=90)),
        ("2w", timedelta(weeks=2)),
        ("1h30m", timedelta(minutes=90)),
        ("1w1d1h1m1s", timedelta(weeks=1, days=1, hours=1, minutes=1, seconds=1)),
        (" 5m ", timedelta(minutes=5)),
        ("0", timedelta(0)),
        ("0s", timedelta(0)),
    ],
)
def test_a_duration_is_read(text: str, expected: timedelta) -> None:
    """Whole numbers with units, the largest first, are added up."""
    assert expected == parse_duration(text)


@pytest.mark.parametrize(
    "text", ["", " ", "d", "1.5h", "-1d", "1m1h", "1h1h", "1 h", "1M", "1D", "30 days", "99999999w"]
)
def test_what_is_no_duration_is_refused(text: str) -> None:
    """A capital M could mean months, and a century is enough for anybody."""
    with pytest.raises(ValueError, match="a duration is"):
        parse_duration(text)


def test_a_duration_without_unit_is_refused_with_a_hint() -> None:
    """Nothing says whether 30 are days or seconds."""
    with pytest.raises(ValueError, match="needs its unit: write 30d, 30h, 30m or 30s"):
        parse_duration("30")


@given(st.integers(0, int(LONGEST.total_seconds())))
def test_a_duration_survives_writing_and_reading(seconds: int) -> None:
    """What is written reads as the same, and fits the pattern of the JSON Schema."""
    text = duration_text(timedelta(seconds=seconds))
    assert timedelta(seconds=seconds) == parse_duration(text)
    assert re.search(DURATION_PATTERN, text)


def test_a_negative_duration_is_not_written() -> None:
    """There is no text that would read as it."""
    with pytest.raises(ValueError, match="not negative"):
        duration_text(timedelta(seconds=-1))


@pytest.mark.parametrize(
    ("text", "fraction", "written"),
    [
        ("10%", Fraction(1, 10), "10%"),
        ("0.5 %", Fraction(1, 200), "0.5%"),
        ("100%", Fraction(1), "100%"),
        ("250%", Fraction(5, 2), "250%"),
        ("33.333333%", Fraction(33_333_333, 100_000_000), "33.333333%"),
        ("0%", Fraction(0), "0%"),
        ("0", Fraction(0), "0%"),
    ],
)
def test_a_share_is_read_exactly(text: str, fraction: Fraction, written: str) -> None:
    """Per cents become exact fractions and are written back as per cents."""
    share = Share.parse(text)
    assert (fraction, written) == (share.fraction, str(share))


@pytest.mark.parametrize("text", ["", "%", "-1%", "0,5%", "1e3%", "ten%", "10%%", "1.%"])
def test_what_is_no_share_is_refused(text: str) -> None:
    """Only plain numbers and a per cent sign make a share."""
    with pytest.raises(ValueError, match="written in per cent"):
        Share.parse(text)


@pytest.mark.parametrize(("text", "meant"), [("0.1", "10%"), ("1", "100%"), ("25", "25%")])
def test_a_share_without_sign_is_refused_with_a_hint(text: str, meant: str) -> None:
    """0.1 could mean a tenth or a tenth of a per cent."""
    with pytest.raises(ValueError, match=f"write {meant}"):
        Share.parse(text)


def test_shares_compare_by_their_size() -> None:
    """A share can be held against another, and none is negative."""
    assert Share.parse("9.9%") < Share.parse("10%") == Share(Fraction(1, 10))
    with pytest.raises(ValueError, match="not negative"):
        Share(Fraction(-1))


@given(st.integers(0, 10**12))
def test_a_share_survives_writing_and_reading(millionths: int) -> None:
    """What is written reads as the same, and fits the pattern of the JSON Schema."""
    share = Share(Fraction(millionths % 10**11, 10**8))
    assert share == Share.parse(str(share))
    assert re.search(SHARE_PATTERN, str(share))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("8MiB", 8_388_608),
        ("8 MiB", 8_388_608),
        ("500kB", 500_000),
        ("1GB", 10**9),
        ("7B", 7),
        ("0", 0),
    ],
)
def test_a_size_is_read(text: str, expected: int) -> None:
    """Binary and decimal units are told apart by their names."""
    assert expected == parse_size(text)


@pytest.mark.parametrize("text", ["", "MiB", "8mb", "8 M", "1.5MiB", "-1B", "²MiB", "8MiBs"])
def test_what_is_no_size_is_refused(text: str) -> None:
    """The message lists the units."""
    with pytest.raises(ValueError, match="the units are B, kB, KiB, MB, MiB, GB, GiB"):
        parse_size(text)


def test_a_size_without_unit_is_refused_with_a_hint() -> None:
    """Nothing says whether 8 are bytes or megabytes."""
    with pytest.raises(ValueError, match="needs its unit: write 8MiB, 8KiB or 8B"):
        parse_size("8")


@given(st.integers(0, 10**9 - 1), st.sampled_from([1, 1000, 1024, 1000**2, 1024**2, 1024**3]))
def test_a_size_survives_writing_and_reading(count: int, unit: int) -> None:
    """What is written reads as the same, and fits the pattern of the JSON Schema."""
    text = size_text(count * unit)
    assert count * unit == parse_size(text)
    assert re.search(SIZE_PATTERN, text)


def test_a_negative_size_is_not_written() -> None:
    """There is no text that would read as it."""
    with pytest.raises(ValueError, match="not negative"):
        size_text(-1)
