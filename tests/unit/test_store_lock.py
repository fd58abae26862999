"""The run lock, tried with second processes."""

from __future__ import annotations

import json
import os
import re
import signal
import stat
from pathlib import Path

import pytest

from exosync.errors import LockHeldError, StoreError
from exosync.store import RunLock, over
from tests.support.children import child
from tests.support.state import AT, bound_by_permissions


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the database would be."""
    return tmp_path / "exosync.db"


def lock(path: Path) -> RunLock:
    """The lock as another command would take it."""
    return RunLock(path, command="exosync plan")


def test_the_file_says_who_holds_the_lock(path: Path) -> None:
    """It is empty afterwards, and stays."""
    file = path.with_name("exosync.db.run-lock")
    with lock(path).held(at=AT):
        told = json.loads(file.read_text())
        assert 0o600 == stat.S_IMODE(file.stat().st_mode)
    assert ["pid", "host", "user", "command", "since"] == list(told)
    assert (os.getpid(), os.uname().nodename) == (told["pid"], told["host"])
    assert ("exosync plan", "2026-11-23T10:00:00Z") == (told["command"], told["since"])
    assert "" == file.read_text()


def test_a_second_process_is_told_who_is_at_work(path: Path) -> None:
    """And once that one is killed the lock is free at once, though its text is still there."""
    with child("hold_lock", path) as (process, told):
        assert "holding" == told()
        expected = (
            rf"pid {process.pid} on host \S+, user \S+, `exosync sync`, since 2026-11-23T10:00:00Z"
        )
        with pytest.raises(LockHeldError, match=expected), lock(path).held(at=AT):
            pass
        process.kill()
        process.join()
    with lock(path).held(at=AT), child("try_lock", path) as (_, told):
        assert f"pid {os.getpid()} " in told()


def test_a_user_without_a_name_is_told_by_number(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As containers often run."""
    monkeypatch.setattr("os.geteuid", lambda: 54321)
    held = pytest.raises(LockHeldError, match="user id 54321")
    with lock(path).held(at=AT), held, lock(path).held(at=AT):
        pass


def test_the_same_process_cannot_take_it_twice(path: Path) -> None:
    """Two runs in one process are two runs."""
    with lock(path).held(at=AT):
        with pytest.raises(LockHeldError, match=f"pid {os.getpid()} "), lock(path).held(at=AT):
            pass
        with pytest.raises(LockHeldError), lock(path).held(at=AT):
            pass


def test_it_is_free_after_an_error(path: Path) -> None:
    """The error comes out as it is."""
    with pytest.raises(KeyError), lock(path).held(at=AT):
        raise KeyError
    with lock(path).held(at=AT):
        pass


def test_it_can_be_waited_for(path: Path) -> None:
    """Here the holder ends in time."""
    with child("hold_lock_for_a_moment", path) as (_, told):
        assert "holding" == told()
        with lock(path).held(60, at=AT):
            assert "let go" == told()


def test_waiting_ends(path: Path) -> None:
    """With the same error as if there had been none."""
    with child("hold_lock", path) as (_, told):
        assert "holding" == told()
        with pytest.raises(LockHeldError), lock(path).held(wait=0.15, at=AT):
            pass


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b'{"pid": 47',
        b"\xff\xfe\0",
        b"[]",
        b"null",
        b'{"pid": "x", "host": "", "user": "", "command": "", "since": ""}',
        b'{"pid": 1e999, "host": "", "user": "", "command": "", "since": ""}',
        b'{"pid": 1}',
        b"[" * 4096,
    ],
)
def test_a_text_that_cannot_be_read_is_put_up_with(path: Path, text: bytes) -> None:
    """Another process may just be writing it."""
    with child("hold_lock_saying", path, text) as (_, told):
        assert "holding" == told()
        with pytest.raises(LockHeldError, match="has not said who it is"), lock(path).held(at=AT):
            pass


def test_a_text_cannot_play_tricks_on_a_terminal(path: Path) -> None:
    """Control characters are taken out, and long texts cut."""
    names = dict.fromkeys(("host", "user", "since"), "x")
    text = json.dumps({"pid": 7, "command": "\x1b[2J\n" + "y" * 1000, **names}).encode()
    with child("hold_lock_saying", path, text) as (_, told):
        assert "holding" == told()
        with pytest.raises(LockHeldError) as caught, lock(path).held(at=AT):
            pass
    assert "`?[2J?yyy" in str(caught.value)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 300


def test_children_of_a_killed_holder_do_not_keep_it(path: Path) -> None:
    """Neither one that runs a program nor one that was only forked."""
    with child("hold_lock_as_a_parent", path) as (process, told):
        children = [int(each) for each in told().split()]
        process.kill()
        process.join()
        try:
            # A child closes its copy when it first runs, which may be after its parent's end.
            with lock(path).held(60, at=AT):
                pass
        finally:
            for each in children:
                os.kill(each, signal.SIGKILL)


def test_a_forked_child_does_not_let_it_go(path: Path) -> None:
    """Though it leaves the block that holds the lock."""
    with child("hold_lock_while_a_child_ends", path) as (process, told):
        assert "holding" == told()
        with pytest.raises(LockHeldError, match=f"pid {process.pid} "), lock(path).held(at=AT):
            pass


def test_a_read_only_folder_is_a_store_error(path: Path) -> None:
    """Not a lock that is held."""
    path.parent.chmod(0o500)
    expected = re.escape(f"no permission to write {path.parent}")
    with bound_by_permissions(), pytest.raises(StoreError, match=expected), lock(path).held(at=AT):
        pass


def test_a_lock_file_of_another_user_is_a_store_error(path: Path) -> None:
    """As root leaves it for a service that may not write it."""
    with lock(path).held(at=AT):
        pass
    path.with_name("exosync.db.run-lock").chmod(0)
    expected = re.escape(f"no permission to write {path}.run-lock")
    with bound_by_permissions(), pytest.raises(StoreError, match=expected), lock(path).held(at=AT):
        pass


def test_a_missing_folder_is_a_store_error(path: Path) -> None:
    """It is not made."""
    elsewhere = path.parent / "nowhere" / "exosync.db"
    with pytest.raises(StoreError, match="does not exist"), lock(elsewhere).held(at=AT):
        pass


def test_a_full_disk_is_a_store_error_and_frees_the_lock(path: Path) -> None:
    """The holder's name cannot be written, so nothing else could be either."""
    with child("lock_without_space", path) as (_, told):
        assert "cannot be opened or written: File too large" in told()
        with lock(path).held(at=AT):
            pass


def test_runs_over_different_things_share_the_run_lock(path: Path) -> None:
    """Those over one thing do not, and one over everything shares it with none."""
    with over(path, "edge", command="a", at=AT), over(path, ":feed", command="b", at=AT):
        for scope in ("edge", ":feed", ""):
            with pytest.raises(LockHeldError), over(path, scope, command="c", at=AT):
                pass
        with over(path, "other", command="c", at=AT):
            pass
    with over(path, "", command="a", at=AT), pytest.raises(LockHeldError, match="`a`"):  # noqa: SIM117
        with over(path, "edge", command="b", at=AT):
            pass


def test_the_locks_of_things_lie_in_a_folder_of_their_own(path: Path) -> None:
    """For its owner alone; their names are those of the things."""
    with over(path, "edge", command="a", at=AT):
        pass
    with RunLock(path, command="a", what="alerts ops").held(at=AT):
        pass
    folder = path.with_name("exosync.db.locks")
    assert 0o700 == stat.S_IMODE(folder.stat().st_mode)
    assert ["alerts.ops", "run.edge"] == sorted(one.name for one in folder.iterdir())
