"""Opening the state: where it is, how it is made, and what that costs."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from exosync.errors import ConfigError
from exosync.store import Store
from exosync.store.engine import database_path
from tests.support.state import AT, URL, connection_of, raw


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("sqlite:///exosync.db", "/etc/exosync/exosync.db"),
        ("sqlite:///state/a b%20c#d.db", "/etc/exosync/state/a b%20c#d.db"),
        ("sqlite:////var/lib/exosync/exosync.db", "/var/lib/exosync/exosync.db"),
        ("sqlite:///../exosync.db", "/etc/exosync/../exosync.db"),
    ],
)
def test_a_relative_file_starts_from_the_base(url: str, expected: str) -> None:
    """The name is taken as it is written; nothing in it is decoded."""
    assert Path(expected) == database_path(url, base=Path("/etc/exosync"))


@pytest.mark.parametrize(
    "url",
    ["", "exosync.db", "sqlite://", "sqlite:///", "sqlite:///:memory:", "sqlite:///x.db?mode=ro"],
)
def test_a_url_without_a_file_is_a_config_error(url: str) -> None:
    """A state in memory would forget everything."""
    with pytest.raises(ConfigError, match=r"sqlite:///exosync\.db"):
        database_path(url, base=Path())


def test_other_databases_are_refused_without_showing_a_password() -> None:
    """PostgreSQL comes later; its URL may carry a secret."""
    with pytest.raises(ConfigError, match=r"postgresql.* later release") as caught:
        Store.open("postgresql://exosync:hunter2@db/exosync", base=Path())
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o777])
def test_the_file_is_made_for_its_owner_alone(tmp_path: Path, umask: int) -> None:
    """Whatever the umask says; SQLite's companions get the same mode."""
    before = os.umask(umask)
    try:
        with Store.open(URL, base=tmp_path) as store:
            store.client_id()
            modes = {one.name: stat.S_IMODE(one.stat().st_mode) for one in tmp_path.iterdir()}
    finally:
        os.umask(before)
    expected = {"exosync.db": 0o600, "exosync.db-wal": 0o600, "exosync.db-shm": 0o600}
    assert expected == modes


def test_the_mode_of_an_existing_file_is_left_alone(tmp_path: Path) -> None:
    """A group that shares the state on purpose keeps it."""
    path = tmp_path / "exosync.db"
    path.touch()
    path.chmod(0o660)
    Store.open(URL, base=tmp_path).close()
    assert 0o660 == stat.S_IMODE(path.stat().st_mode)


def test_strange_names_are_opened_as_they_are(tmp_path: Path) -> None:
    """SQLite would read ? # and % in a URI of its own."""
    with Store.open("sqlite:///a %20#&ü.db", base=tmp_path) as store:
        store.client_id()
    assert [tmp_path / "a %20#&ü.db"] == list(tmp_path.iterdir())


def test_commits_survive_the_loss_of_power(tmp_path: Path) -> None:
    """WAL with synchronous=FULL; foreign keys are enforced; a lock is waited for."""
    with Store.open(URL, base=tmp_path) as store:
        connection = connection_of(store)
        names = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        found = [connection.execute(f"PRAGMA {name}").fetchone()[0] for name in names]
    assert ["wal", 2, 1, 5000] == found


def test_all_our_tables_are_strict(tmp_path: Path) -> None:
    """Only Alembic's own table is not."""
    Store.open(URL, base=tmp_path).close()
    with raw(tmp_path / "exosync.db") as connection:
        rows = connection.execute(
            "SELECT name FROM pragma_table_list WHERE schema = 'main' AND NOT strict"
            " AND name NOT LIKE 'sqlite_%'"
        ).fetchall()
    assert [("alembic_version",)] == rows


def test_what_was_written_is_there_at_the_next_opening(tmp_path: Path) -> None:
    """The client id is made once and kept."""
    with Store.open(URL, base=tmp_path) as store:
        first = store.client_id()
        assert tmp_path / "exosync.db" == store.path
    with Store.open(URL, base=tmp_path) as store:
        assert first == store.client_id()


def test_closing_twice_is_harmless(tmp_path: Path) -> None:
    """And leaves only the database behind."""
    store = Store.open(URL, base=tmp_path)
    store.close()
    store.close()
    assert ["exosync.db"] == [one.name for one in tmp_path.iterdir()]


def test_an_up_to_date_state_is_opened_without_alembic_or_the_orm(tmp_path: Path) -> None:
    """Each would double the time that a command takes to start."""
    Store.open(URL, base=tmp_path).close()
    code = (
        "import sys; from pathlib import Path; from exosync.store import Store\n"
        f"Store.open({URL!r}, base=Path({str(tmp_path)!r})).close()\n"
        "heavy = ('alembic', 'mako', 'sqlalchemy.orm', 'sqlalchemy.dialects.postgresql')\n"
        "print([one for one in heavy if one in sys.modules])"
    )
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, check=True)
    assert b"[]" == done.stdout.strip()


def test_what_is_worked_out_is_kept_and_the_file_is_not(tmp_path: Path) -> None:
    """The second opening has the SQL of the first, and sees the file that is there by then."""
    with Store.open(URL, base=tmp_path) as first:
        first.add_event("k", "info", target=None, title="t", body={}, run_id=None, at=AT)
        engine = first._connection.engine
    for one in tmp_path.glob("exosync.db*"):
        one.unlink()
    with Store.open(URL, base=tmp_path) as second:
        assert engine is second._connection.engine
        assert [] == second.events(9)
