"""How values lie in the columns."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.dialects.sqlite.base import SQLiteDialect

from exosync.errors import StoreError
from exosync.store import FeedState, Store
from exosync.store.columns import JsonText, Moment, PackedText, Words
from tests.support.state import AT, URL, WORLD, raw, snapshot

DIALECT = SQLiteDialect()
TIMES = st.datetimes(
    min_value=datetime(1, 1, 3),  # noqa: DTZ001 (hypothesis wants it naive)
    max_value=datetime(9999, 12, 29),  # noqa: DTZ001
    timezones=st.sampled_from([UTC, timezone(timedelta(hours=-11)), timezone(timedelta(hours=14))]),
)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(TIMES, TIMES)
def test_the_text_of_a_moment_sorts_by_time(one: datetime, other: datetime) -> None:
    """So that an index on it is one on time."""
    first, second = (str(Moment().process_bind_param(each, DIALECT)) for each in (one, other))
    assert (one < other, one == other) == (first < second, first == second)


@given(TIMES)
def test_a_moment_comes_back_in_utc(one: datetime) -> None:
    """To the microsecond, from a text of fixed length."""
    text = Moment().process_bind_param(one, DIALECT)
    back = Moment().process_result_value(text, DIALECT)
    assert (one, UTC, 27) == (back, back and back.tzinfo, len(text or ""))


@given(VALUES.filter(lambda value: value is not None))
def test_json_comes_back(value: Any) -> None:
    """Whatever JSON can say, half surrogate pairs and NUL too, as text that any database takes."""
    text = JsonText().process_bind_param(value, DIALECT)
    assert text is not None
    assert text.isascii()
    assert "\0" not in text
    assert value == JsonText().process_result_value(text, DIALECT)


def test_json_is_canonical() -> None:
    """The order in which an object was made does not matter."""
    written = JsonText().process_bind_param({"b": [1, 2], "a": "é"}, DIALECT)
    assert '{"a":"\\u00e9","b":[1,2]}' == written


@given(st.text(st.characters(codec="utf-8")))
def test_packed_text_comes_back(value: str) -> None:
    """Compressed and not."""
    packed = PackedText().process_bind_param(value, DIALECT)
    assert value == PackedText().process_result_value(packed, DIALECT)


def test_words_from_outside_are_escaped_where_no_database_takes_them() -> None:
    """A file's name may hold bytes that are no UTF-8."""
    written = Words().process_bind_param("a\0b\udcffc é", DIALECT)
    assert "a\\x00b\\udcffc é" == written


def test_a_naive_time_is_refused(tmp_path: Path) -> None:
    """Nobody could tell what it means."""
    with Store.open(URL, base=tmp_path) as store:
        with pytest.raises(StoreError, match="without a time zone cannot be stored: 2026-11-23"):
            store.save_feed_state(WORLD, FeedState(checked_at=AT.replace(tzinfo=None)))
        assert FeedState() == store.feed_state(WORLD)


@pytest.mark.parametrize("value", [{"at": AT}, {"n": float("nan")}, {"s": {1, 2}}])
def test_what_is_not_json_is_refused(tmp_path: Path, value: dict[str, Any]) -> None:
    """And nothing of it is stored."""
    with Store.open(URL, base=tmp_path) as store:
        with pytest.raises(StoreError, match="takes no such value"):
            store.add_event("k", "info", target=None, title="t", body=value, run_id=None, at=AT)
        assert [] == store.events(1)


@pytest.mark.parametrize(
    ("statement", "what"),
    [
        ("UPDATE feed SET checked_at = 'yesterday'", "time"),
        ("UPDATE snapshots SET body = x'00'", "compressed text"),
        ("UPDATE events SET body = '{'", "JSON text"),
    ],
)
def test_values_that_somebody_else_wrote_are_a_store_error(
    tmp_path: Path, statement: str, what: str
) -> None:
    """They are told by what they should be."""
    with Store.open(URL, base=tmp_path) as store:
        store.save_feed_state(WORLD, FeedState(checked_at=AT))
        store.add_snapshot(snapshot())
        store.add_event("k", "info", target=None, title="t", body={}, run_id=None, at=AT)
        with raw(store.path) as connection:
            connection.execute(statement)
        with pytest.raises(StoreError, match=f"holds a {what} that cannot be read"):
            (store.feed_state(WORLD), store.snapshot(WORLD, "2026010100"), store.events(1))
