"""Several writes as one."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from exosync.errors import StoreError, UsageError
from exosync.store import Store
from tests.support.state import AT, URL, WORLD, connection_of, plan, put_empty_state, snapshot


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """An empty state."""
    put_empty_state(tmp_path)
    with Store.open(URL, base=tmp_path) as opened:
        yield opened


def event(store: Store, title: str = "t", run_id: int | None = None) -> None:
    """Something to write."""
    store.add_event("k", "info", target=None, title=title, body={}, run_id=run_id, at=AT)


def titles(store: Store) -> list[str]:
    """What was written."""
    return [one.title for one in reversed(store.events(99))]


def test_all_of_a_transaction_is_stored(store: Store) -> None:
    """And is seen inside it before that."""
    with store.transaction():
        event(store, "one")
        assert ["one"] == titles(store)
        event(store, "two")
    assert ["one", "two"] == titles(store)


def test_nothing_of_a_transaction_that_failed_is_stored(store: Store) -> None:
    """Whatever the error is, it comes out as it is."""
    with pytest.raises(KeyError, match="mine"), store.transaction():
        event(store)
        raise KeyError("mine")
    assert [] == titles(store)
    event(store, "after")
    assert ["after"] == titles(store)


def test_a_transaction_inside_another_joins_it(store: Store) -> None:
    """What the inner one wrote falls with the outer one."""
    with pytest.raises(KeyError), store.transaction():
        with store.transaction():
            event(store)
        raise KeyError
    assert [] == titles(store)


def test_others_see_a_transaction_whole_or_not_at_all(tmp_path: Path) -> None:
    """A reader does not wait for a writer."""
    with Store.open(URL, base=tmp_path) as store, Store.open(URL, base=tmp_path) as other:
        with store.transaction():
            event(store, "one")
            event(store, "two")
            assert [] == titles(other)
        assert ["one", "two"] == titles(other)


def test_a_question_without_an_answer_spoils_nothing(store: Store) -> None:
    """A UsageError is raised before anything is written."""
    with store.transaction():
        event(store)
        with pytest.raises(UsageError):
            store.find_plan("nosuch")
    assert ["t"] == titles(store)


def test_a_failed_write_that_is_caught_still_undoes_its_transaction(store: Store) -> None:
    """Half of what belongs together must not be stored because somebody caught the error."""
    expected = "nothing of its transaction was stored"
    with pytest.raises(StoreError, match=expected), store.transaction():
        event(store, "one")
        with pytest.raises(StoreError, match="FOREIGN KEY"):
            event(store, "two", run_id=99)
    assert [] == titles(store)
    with store.transaction():
        event(store, "after")
    assert ["after"] == titles(store)


def test_a_disk_that_fills_up_undoes_the_transaction(store: Store) -> None:
    """SQLite then ends the transaction by itself; the state goes on working with more room."""
    event(store, "before")
    pages = connection_of(store).execute("PRAGMA page_count").fetchone()[0]
    connection_of(store).execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StoreError, match="no space is left"), store.transaction():
        event(store, "one")
        for number in range(500):
            event(store, "x" * 1000 + str(number))
    assert ["before"] == titles(store)
    connection_of(store).execute(f"PRAGMA max_page_count = {2**30}")
    event(store, "after")
    assert ["before", "after"] == titles(store)


def test_every_method_is_a_transaction_of_its_own(store: Store) -> None:
    """A method that fails half-way leaves nothing of itself."""
    store.save_plan(plan("aaaa00000001"), AT)
    store.approve("aaaa00000001", by="ada", why="", at=AT)
    with pytest.raises(StoreError, match="time zone"):
        store.save_plan(plan("bbbb00000001"), AT.replace(tzinfo=None))
    with pytest.raises(StoreError, match="time zone"):
        store.mark_plan("aaaa00000001", "applied", AT.replace(tzinfo=None))
    assert ["aaaa00000001"] == [one.id for one in store.open_plans()]
    assert store.approval("aaaa00000001") is not None


def test_a_version_is_stored_and_adopted_as_one(store: Store) -> None:
    """The way a run uses it: a crash in between leaves neither."""
    with pytest.raises(KeyError), store.transaction():
        store.add_snapshot(snapshot())
        store.adopt(WORLD, "2026010100", AT)
        raise KeyError
    assert store.snapshot(WORLD, "2026010100") is None
    assert store.adopted(WORLD) is None


def test_the_threads_of_a_process_write_in_turn(tmp_path: Path) -> None:
    """However many they are: none is told that another process holds the state."""
    Store.open(URL, base=tmp_path).close()
    errors: list[StoreError] = []

    def write_slowly() -> None:
        try:
            with Store.open(URL, base=tmp_path) as store, store.transaction():
                store.client_id()
                time.sleep(0.8)
        except StoreError as error:
            errors.append(error)

    threads = [threading.Thread(target=write_slowly) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [] == errors
