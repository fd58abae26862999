"""Every way in which the database can fail is a StoreError that says what to do."""

from __future__ import annotations

import inspect
import os
import sqlite3
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy.exc

from exosync.errors import StoreError
from exosync.store import (
    Acknowledgement,
    ChannelRecord,
    FeedState,
    MessageState,
    ServiceRecord,
    Store,
    TaskOutcome,
)
from exosync.store.engine import _use_wal
from exosync.store.failures import explain, mapped
from tests.support.children import child
from tests.support.state import (
    AT,
    URL,
    WORLD,
    bound_by_permissions,
    fill,
    plan,
    raw,
    snapshot,
    target,
)

CODES = {
    name: value
    for name, value in vars(sqlite3).items()
    if name.startswith("SQLITE_") and isinstance(value, int) and 0 < value & 0xFF < 27
}


def write(store: Store) -> None:
    """Something that needs the write lock."""
    store.add_event("k", "info", target=None, title="t", body={}, run_id=None, at=AT)


@pytest.fixture
def filled(tmp_path: Path) -> Path:
    """The file of a state with something in every table, closed."""
    with Store.open(URL, base=tmp_path) as store:
        fill(store)
    return store.path


def refusal(base: Path) -> str:
    """What opening the state there and writing to it fails with."""
    with pytest.raises(StoreError) as caught, Store.open(URL, base=base) as store:
        write(store)
    return str(caught.value)


def test_a_missing_folder(tmp_path: Path) -> None:
    """It is not made: it may be a disk that is not mounted."""
    base = tmp_path / "nowhere"
    assert f"the folder {base} does not exist: create it" in refusal(base)
    assert not base.exists()


def test_a_folder_that_is_a_file(tmp_path: Path) -> None:
    """Said by the operating system."""
    (tmp_path / "file").touch()
    assert "Not a directory" in refusal(tmp_path / "file")


def test_a_path_that_is_a_folder(tmp_path: Path) -> None:
    """A common slip with volumes of containers."""
    (tmp_path / "exosync.db").mkdir()
    assert f"{tmp_path / 'exosync.db'} is a folder" in refusal(tmp_path)


def test_a_read_only_folder_at_the_first_start(tmp_path: Path) -> None:
    """The file cannot be made."""
    tmp_path.chmod(0o500)
    with bound_by_permissions():
        assert f"no permission to write {tmp_path}" in refusal(tmp_path)


def test_a_folder_that_is_closed_to_us_is_told(filled: Path) -> None:
    """Not even whether there is a state in it can be seen then."""
    filled.parent.chmod(0)
    try:
        with bound_by_permissions(), pytest.raises(StoreError, match="no permission to write"):
            Store.open(URL, base=filled.parent)
    finally:
        filled.parent.chmod(0o700)


def test_a_read_only_folder(filled: Path) -> None:
    """SQLite needs to make its companions there."""
    filled.parent.chmod(0o500)
    with bound_by_permissions():
        assert f"no permission to write {filled.parent} as user id" in refusal(filled.parent)


def test_a_read_only_file_can_be_read_and_not_written(filled: Path) -> None:
    """Nothing outside is written then: a run writes to the state first."""
    filled.chmod(0o400)
    with bound_by_permissions(), Store.open(URL, base=filled.parent) as store:
        assert 1 == len(store.runs(9))
        with pytest.raises(StoreError, match=f"read-only.*no permission to write {filled}"):
            write(store)


def test_no_permission(filled: Path) -> None:
    """A state that root made and a service is to use."""
    filled.chmod(0)
    with bound_by_permissions():
        assert f"no permission to write {filled}" in refusal(filled.parent)


def test_not_a_database(tmp_path: Path) -> None:
    """And it is not overwritten."""
    path = tmp_path / "exosync.db"
    path.write_bytes(b"feed: {instance: Worldwide}\n" * 100)
    assert f"{path} is damaged, or is no state of exosync" in refusal(tmp_path)
    assert path.read_bytes().startswith(b"feed:")


def test_a_database_of_something_else(tmp_path: Path) -> None:
    """Its tables are told, and no table of ours is put beside them."""
    with raw(tmp_path / "exosync.db") as connection:
        connection.execute("CREATE TABLE recipes (name TEXT)")
    assert "database of something else (its tables: recipes)" in refusal(tmp_path)
    with raw(tmp_path / "exosync.db") as connection:
        assert [("recipes",)] == connection.execute("SELECT name FROM sqlite_master").fetchall()


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_truncated_file(filled: Path, share: float) -> None:
    """A copy that was cut short."""
    os.truncate(filled, int(filled.stat().st_size * share) // 512 * 512)
    assert f"{filled} is damaged" in refusal(filled.parent)


def test_a_file_with_a_damaged_page(filled: Path) -> None:
    """Found when that page is read."""
    with filled.open("r+b") as file:
        file.seek(4096)
        file.write(os.urandom(filled.stat().st_size - 4096))
    assert f"{filled} is damaged" in refusal(filled.parent)


def test_a_state_of_a_newer_version(filled: Path) -> None:
    """It is not touched."""
    with raw(filled) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    before = filled.read_bytes()
    told = refusal(filled.parent)
    assert "written by a newer version of exosync (revision 9999; this one knows" in told
    assert before == filled.read_bytes()


def test_tables_that_somebody_took_away(filled: Path) -> None:
    """Told as what it is, not as a fault of the program."""
    with raw(filled) as connection:
        connection.execute("DROP TABLE events")
    assert "are not as this version of exosync left them: no such table" in refusal(filled.parent)


def test_a_lock_held_by_another_process(filled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is waited for, and then told; reading goes on."""
    monkeypatch.setattr("exosync.store.engine.BUSY_SECONDS", 0.1)
    with (
        child("hold_database", filled) as (process, told),
        Store.open(URL, base=filled.parent) as store,
    ):
        assert "holding" == told()
        assert 1 == len(store.runs(9))
        with pytest.raises(StoreError, match=f"{filled} is locked by another process"):
            write(store)
        process.kill()
        process.join()
        write(store)


def test_a_lock_held_by_another_process_at_the_first_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite itself would not wait here, so exosync does."""
    monkeypatch.setattr("exosync.store.engine.BUSY_SECONDS", 0.1)
    path = tmp_path / "exosync.db"
    path.touch()
    with child("hold_database", path) as (process, told):
        assert "holding" == told()
        with pytest.raises(StoreError, match=f"{path} is locked by another process"):
            Store.open(URL, base=tmp_path)
        process.kill()
        process.join()
    Store.open(URL, base=tmp_path).close()


def test_a_file_system_without_shared_memory(tmp_path: Path) -> None:
    """Where write-ahead logging is not to be had, SQLite stays in another mode."""
    expected = r"cannot use write-ahead logging \(journal mode memory"
    with raw(Path(":memory:")) as connection, pytest.raises(StoreError, match=expected):
        _use_wal(connection, tmp_path / "exosync.db")


def test_a_library_that_is_too_old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Said before a file is made."""
    monkeypatch.setattr("exosync.store.engine.OLDEST_SQLITE", (99, 0, 0))
    with pytest.raises(StoreError, match=r"SQLite 3.* is too old: exosync needs"):
        Store.open(URL, base=tmp_path)
    assert [] == list(tmp_path.iterdir())


def test_a_full_disk_at_the_first_start(tmp_path: Path) -> None:
    """No half-made state is left: with room, the next start makes it."""
    with child("open_with_small_files", tmp_path) as (_, told):
        assert "reading or writing the state" in told()
    with Store.open(URL, base=tmp_path) as store:
        write(store)


def test_a_full_disk_later(filled: Path) -> None:
    """What was stored before is still there."""
    with child("fill_with_small_files", filled.parent) as (_, told):
        message, stored = told().split("|")
    assert "reading or writing the state" in message
    with Store.open(URL, base=filled.parent) as store:
        assert int(stored) == len(store.events(100_000)) - 1
        assert 1 == len(store.runs(9))


def test_another_thread(filled: Path) -> None:
    """A store belongs to the thread that opened it."""
    errors: list[Exception] = []

    def use() -> None:
        try:
            write(store)
        except StoreError as error:
            errors.append(error)

    with Store.open(URL, base=filled.parent) as store:
        thread = threading.Thread(target=use)
        thread.start()
        thread.join()
    assert "thread" in str(errors[0])


ASKED: dict[str, Any] = {"plan_id": "p", "gives": "g", "body": {}, "at": AT, "due_at": AT}
MESSAGE: dict[str, Any] = {
    "key": "msg_1",
    "channel": "ops",
    "thread": "t",
    "severity": "info",
    "events": [1],
    "opened_at": AT,
    "due_at": AT,
}
FAILED: dict[str, Any] = {
    "error": "no answer",
    "state": MessageState.WAITING,
    "due_at": AT,
    "body": {},
}

CALLS: dict[str, Callable[[Store], object]] = {
    "transaction": lambda store: store.transaction().__enter__(),
    "client_id": lambda store: store.client_id(),
    "feed_state": lambda store: store.feed_state(WORLD),
    "save_feed_state": lambda store: store.save_feed_state(WORLD, FeedState()),
    "add_snapshot": lambda store: store.add_snapshot(snapshot()),
    "snapshot": lambda store: store.snapshot(WORLD, "2026010100"),
    "snapshots": lambda store: store.snapshots(WORLD),
    "adopt": lambda store: store.adopt(WORLD, "2026010100", AT),
    "adopted": lambda store: store.adopted(WORLD),
    "adoptions": lambda store: store.adoptions(WORLD, since=AT),
    "begin_run": lambda store: store.begin_run("sync", AT),
    "finish_run": lambda store: store.finish_run(
        1, outcome="in_sync", version=None, report={}, fingerprint="", at=AT
    ),
    "abandon_run": lambda store: store.abandon_run(1, "error", AT),
    "interrupted": lambda store: store.interrupted(AT),
    "run": lambda store: store.run(1),
    "runs": lambda store: store.runs(9),
    "intend": lambda store: store.intend(
        1, "p", "edge", resource="r", summary="s", expects="e", gives="g", at=AT
    ),
    "conclude": lambda store: store.conclude(1, "done", AT),
    "unfinished": lambda store: store.unfinished("edge"),
    "steps": lambda store: store.steps(1),
    "steps_of_plan": lambda store: store.steps_of_plan("p"),
    "steps_since": lambda store: store.steps_since("edge", AT),
    "steps_of_runs_since": lambda store: store.steps_of_runs_since("edge", AT),
    "add_event": write,
    "last_event": lambda store: store.last_event("edge", ["k"]),
    "event": lambda store: store.event(1),
    "events": lambda store: store.events(9, kinds=["k"]),
    "save_plan": lambda store: store.save_plan(replace(plan(), run_id=1), AT),
    "find_plan": lambda store: store.find_plan("p"),
    "mark_plan": lambda store: store.mark_plan("p", "applied", AT),
    "close_plans": lambda store: store.close_plans("edge", AT),
    "open_plans": lambda store: store.open_plans(),
    "approve": lambda store: store.approve("p", by="ada", why="", at=AT),
    "approval": lambda store: store.approval("p"),
    "approvals": lambda store: store.approvals("p"),
    "open_tasks": lambda store: store.open_tasks("edge"),
    "last_tasks": lambda store: store.last_tasks("edge"),
    "add_task": lambda store: store.add_task(**ASKED, target="edge", setting="s", resource="r"),
    "renew_task": lambda store: store.renew_task(1, plan_id="p", body={}),
    "change_task": lambda store: store.change_task(1, **ASKED),
    "remind_task": lambda store: store.remind_task(1, AT),
    "claim_task": lambda store: store.claim_task(1, by="ada", at=AT, due_at=AT),
    "close_task": lambda store: store.close_task(1, TaskOutcome.SEEN, AT),
    "acknowledge": lambda store: store.acknowledge(
        Acknowledgement("edge", "s", "p", "r", "g", [], by="ada", note="", at=AT)
    ),
    "acknowledged": lambda store: store.acknowledged("edge"),
    "memory": lambda store: store.memory("edge"),
    "save_memory": lambda store: store.save_memory("edge", {}),
    "target_state": lambda store: store.target_state("edge"),
    "target_states": lambda store: store.target_states(),
    "save_target_state": lambda store: store.save_target_state(target()),
    "pause": lambda store: store.pause("edge", by="ada", why="", at=AT),
    "resume": lambda store: store.resume("edge"),
    "pauses": lambda store: store.pauses(),
    "pause_of": lambda store: store.pause_of("edge"),
    "trigger": lambda store: store.trigger("edge", by="ada", at=AT),
    "take_triggers": lambda store: store.take_triggers(AT),
    "service": lambda store: store.service(),
    "save_service": lambda store: store.save_service(ServiceRecord(1, "h", "0", AT, AT)),
    "beat": lambda store: store.beat(AT),
    "turns": lambda store: store.turns(),
    "begin_turn": lambda store: store.begin_turn("edge", AT),
    "end_turn": lambda store: store.end_turn("edge", seconds=1),
    "plan_turn": lambda store: store.plan_turn("edge", None),
    "plan_turns": lambda store: store.plan_turns({"edge": None}),
    "enrol_channel": lambda store: store.enrol_channel("ops"),
    "channel_state": lambda store: store.channel_state("ops"),
    "channel_states": lambda store: store.channel_states(),
    "save_channel": lambda store: store.save_channel(ChannelRecord("ops", 0)),
    "events_after": lambda store: store.events_after(0, 9),
    "events_of": lambda store: store.events_of([1]),
    "is_a_run_at_work": lambda store: store.is_a_run_at_work(),
    "first_run_at": lambda store: store.first_run_at(),
    "add_message": lambda store: store.add_message(**MESSAGE),
    "extend_message": lambda store: store.extend_message(1, events=[1], severity="info"),
    "close_message": lambda store: store.close_message(1, body={}, severity="info", due_at=AT),
    "begin_attempt": lambda store: store.begin_attempt(1, due_at=AT),
    "message_sent": lambda store: store.message_sent(1, AT),
    "message_failed": lambda store: store.message_failed(1, **FAILED),
    "postpone_messages": lambda store: store.postpone_messages("ops", AT),
    "hasten_messages": lambda store: store.hasten_messages("ops", AT),
    "revive_messages": lambda store: store.revive_messages([1], AT),
    "open_messages": lambda store: store.open_messages("ops"),
    "due_message": lambda store: store.due_message("ops", AT),
    "is_channel_idle": lambda store: store.is_channel_idle("ops", AT),
    "next_due": lambda store: store.next_due("ops"),
    "messages": lambda store: store.messages(9),
    "message": lambda store: store.message(1),
    "first_waiting": lambda store: store.first_waiting("ops"),
    "messages_by_key": lambda store: store.messages_by_key("msg"),
    "conversation": lambda store: store.conversation("ops", "t", 9),
    "opened_at": lambda store: store.opened_at("ops", 9),
    "backlogs": lambda store: store.backlogs(),
}


def test_every_method_is_among_the_calls() -> None:
    """So that the next tests miss none."""
    public = {
        name
        for name, _ in inspect.getmembers(Store, inspect.isfunction)
        if not name.startswith("_") and name != "close"
    }
    assert public == set(CALLS)


@pytest.mark.parametrize("name", [name for name in CALLS if name != "transaction"])
def test_every_method_maps_the_databases_errors(name: str, tmp_path: Path) -> None:
    """Here all tables are gone."""
    with Store.open(URL, base=tmp_path) as store:
        with raw(store.path) as connection:
            for (table,) in connection.execute(
                "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
            ).fetchall():
                connection.execute(f"DROP TABLE {table}")
        with pytest.raises(StoreError, match="no such table"):
            CALLS[name](store)


@pytest.mark.parametrize("name", CALLS)
def test_every_method_maps_the_errors_of_the_library(name: str, tmp_path: Path) -> None:
    """Here the connection is closed."""
    store = Store.open(URL, base=tmp_path)
    store.close()
    with pytest.raises(StoreError, match="could not be used"):
        CALLS[name](store)


@pytest.mark.parametrize("code", CODES.values(), ids=list(CODES))
def test_every_code_of_sqlite_is_a_store_error(code: int, tmp_path: Path) -> None:
    """The message names the file and more than the bare error."""
    error = sqlite3.OperationalError("complaint")
    error.sqlite_errorcode = code
    path = tmp_path / "exosync.db"
    path.touch()
    with pytest.raises(StoreError) as caught, mapped(path):
        raise sqlalchemy.exc.OperationalError("SELECT secret", {"p": "hunter2"}, error)
    told = str(caught.value)
    assert str(path) in told or str(path.parent) in told
    assert not {"SELECT", "hunter2"} & set(told.replace(",", " ").split())


@pytest.mark.parametrize(
    "kind",
    [
        kind
        for kind in vars(sqlalchemy.exc).values()
        if inspect.isclass(kind) and issubclass(kind, sqlalchemy.exc.SQLAlchemyError)
    ],
)
def test_every_error_of_the_library_is_a_store_error(kind: type[Exception], tmp_path: Path) -> None:
    """Whatever it is made of."""
    error: Any = BaseException.__new__(kind)
    error.orig = ValueError("why")
    with pytest.raises(StoreError, match=r"exosync\.db"), mapped(tmp_path / "exosync.db"):
        raise error


def test_an_error_that_is_not_the_databases_goes_through(tmp_path: Path) -> None:
    """It is a fault of ours, and must be seen as one."""
    with pytest.raises(ZeroDivisionError), mapped(tmp_path):
        raise ZeroDivisionError


@pytest.mark.parametrize("code", ["SQLITE_CANTOPEN", "SQLITE_READONLY"])
def test_a_file_that_vanished_is_told(tmp_path: Path, code: str) -> None:
    """As such, not as a lack of permission."""
    error = sqlite3.OperationalError("unable to open database file")
    error.sqlite_errorcode = getattr(sqlite3, code)
    assert "does not exist any more" in explain(error, tmp_path / "exosync.db")
