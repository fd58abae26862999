"""What the state remembers of Microsoft's feed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exosync.errors import StoreError, UsageError
from exosync.store import Adoption, FeedState, SnapshotInfo, Store
from tests.support.state import AT, URL, WORLD, put_empty_state, raw, snapshot

DAY = timedelta(days=1)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """An empty state."""
    put_empty_state(tmp_path)
    with Store.open(URL, base=tmp_path) as opened:
        yield opened


def test_the_client_id_is_a_random_guid(store: Store) -> None:
    """And stays the same."""
    first = store.client_id()
    assert (4, first) == (UUID(first).version, store.client_id())


def test_a_feed_that_was_never_asked_has_an_empty_state(store: Store) -> None:
    """Not None: every caller would have to ask."""
    assert FeedState() == store.feed_state(WORLD)


def test_each_instance_has_a_feed_state_of_its_own(store: Store) -> None:
    """Saving replaces it as a whole."""
    store.save_feed_state(WORLD, FeedState("2026010100", AT, AT + DAY, 3, "429"))
    store.save_feed_state("China", FeedState(checked_at=AT))
    store.save_feed_state("China", FeedState("2026020100"))
    assert FeedState("2026010100", AT, AT + DAY, 3, "429") == store.feed_state(WORLD)
    assert FeedState("2026020100") == store.feed_state("China")


def test_a_snapshot_comes_back_whole(store: Store) -> None:
    """The body is kept compressed."""
    given_one = snapshot(body="[" + "1," * 50_000 + "1]")
    store.add_snapshot(given_one)
    assert given_one == store.snapshot(WORLD, "2026010100")
    with raw(store.path) as connection:
        size = connection.execute("SELECT length(body) FROM snapshots").fetchone()[0]
    assert size < 1_000


def test_an_unknown_snapshot_is_none(store: Store) -> None:
    """A version belongs to its instance."""
    store.add_snapshot(snapshot())
    assert store.snapshot(WORLD, "2026020100") is None
    assert store.snapshot("China", "2026010100") is None


def test_the_same_snapshot_again_changes_nothing(store: Store) -> None:
    """It stays where and when it was fetched first."""
    store.add_snapshot(snapshot())
    store.add_snapshot(replace(snapshot(), fetched_at=AT + DAY, source="file x.json"))
    assert snapshot() == store.snapshot(WORLD, "2026010100")


def test_other_content_under_a_stored_version_is_refused(store: Store) -> None:
    """A snapshot is immutable; both origins are told."""
    store.add_snapshot(snapshot())
    other = replace(snapshot(body="[]"), source="file x.json")
    with pytest.raises(UsageError, match=r"other content.*endpoints\.example.*file x\.json"):
        store.add_snapshot(other)
    assert snapshot() == store.snapshot(WORLD, "2026010100")


def test_a_digest_that_is_not_the_bodys_is_refused(store: Store) -> None:
    """The digest is what proves later that nothing was changed."""
    with pytest.raises(StoreError, match="SHA-256"):
        store.add_snapshot(replace(snapshot(), body="[]"))
    assert [] == store.snapshots(WORLD)


def test_a_snapshot_that_was_changed_in_the_file_is_never_used(store: Store) -> None:
    """Its digest gives it away."""
    store.add_snapshot(snapshot())
    store.add_snapshot(snapshot("2026020100", "[]"))
    with raw(store.path) as connection:
        connection.execute(
            "UPDATE snapshots SET body = (SELECT body FROM snapshots WHERE version = '2026020100')"
        )
    with pytest.raises(StoreError, match="version 2026010100 of Worldwide is damaged"):
        store.snapshot(WORLD, "2026010100")


def test_snapshots_are_listed_by_version_without_bodies(store: Store) -> None:
    """Whatever the order in which they came."""
    for version in ("2026030100", "2026010100", "2026020100"):
        store.add_snapshot(snapshot(version))
    store.add_snapshot(replace(snapshot("2026040100"), instance="China"))
    found = store.snapshots(WORLD)
    assert ["2026010100", "2026020100", "2026030100"] == [one.version for one in found]
    first = snapshot()
    assert SnapshotInfo(WORLD, first.version, first.sha256, AT, first.source) == found[0]


def test_nothing_counts_before_the_first_adoption(store: Store) -> None:
    """A stored version is not an adopted one."""
    store.add_snapshot(snapshot())
    assert store.adopted(WORLD) is None
    assert [] == store.adoptions(WORLD)


def test_adopting_what_counts_already_changes_nothing(store: Store) -> None:
    """Its moment stays the first one."""
    store.add_snapshot(snapshot())
    store.adopt(WORLD, "2026010100", AT)
    store.adopt(WORLD, "2026010100", AT + DAY)
    assert [Adoption("2026010100", AT)] == store.adoptions(WORLD)
    assert Adoption("2026010100", AT) == store.adopted(WORLD)


def test_an_older_version_cannot_count_again(store: Store) -> None:
    """Adopting goes one way only."""
    for version in ("2026010100", "2026020100"):
        store.add_snapshot(snapshot(version))
        store.adopt(WORLD, version, AT)
    with pytest.raises(StoreError, match="2026010100 is older than 2026020100"):
        store.adopt(WORLD, "2026010100", AT + DAY)


def test_only_a_stored_version_can_count(store: Store) -> None:
    """Otherwise a crash could leave a version whose ranges nobody knows."""
    store.add_snapshot(replace(snapshot(), instance="China"))
    with pytest.raises(StoreError, match="must be stored before it can count"):
        store.adopt(WORLD, "2026010100", AT)


def adopt_at(store: Store, instance: str, days: list[int]) -> None:
    """Adopt one version after the other at these days after AT."""
    for number, day in enumerate(days):
        record = replace(snapshot(f"20260101{number:02}"), instance=instance)
        store.add_snapshot(record)
        store.adopt(instance, record.version, AT + day * DAY)


@pytest.mark.parametrize(
    ("since", "expected"),
    [
        (-1, [0, 10, 20]),
        (0, [0, 10, 20]),
        (5, [0, 10, 20]),
        (10, [0, 10, 20]),
        (11, [10, 20]),
        (99, [20]),
    ],
)
def test_adoptions_since_begin_with_what_counted_then(
    store: Store, since: int, expected: list[int]
) -> None:
    """What was taken away by the first adoption after `since` can only be told from it."""
    adopt_at(store, WORLD, [0, 10, 20])
    found = store.adoptions(WORLD, since=AT + since * DAY)
    assert [AT + day * DAY for day in expected] == [one.adopted_at for one in found]


def test_a_clock_that_was_set_back_hides_no_adoption(store: Store) -> None:
    """The order is that of adoption, and nothing at or after `since` is missing."""
    adopt_at(store, WORLD, [0, 90, 10])
    found = store.adoptions(WORLD, since=AT + 20 * DAY)
    assert [0, 90, 10] == [(one.adopted_at - AT).days for one in found]


@settings(
    max_examples=25,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(days=st.lists(st.integers(0, 50), max_size=6), since=st.integers(-1, 51))
def test_adoptions_since_are_an_end_of_all_adoptions(
    store: Store, days: list[int], since: int
) -> None:
    """With all that are at or after `since`, and one from before where there is one."""
    instance = str(uuid4())
    adopt_at(store, instance, days)
    every = store.adoptions(instance)
    found = store.adoptions(instance, since=AT + since * DAY)
    left_out, rest = every[: len(every) - len(found)], every[len(every) - len(found) :]
    assert rest == found
    assert all(one.adopted_at < AT + since * DAY for one in left_out)
    assert bool(every) == bool(found)
    assert not left_out or found[0].adopted_at < AT + since * DAY
