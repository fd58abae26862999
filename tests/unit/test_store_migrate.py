"""Migrations: from every earlier revision, forward only, with a copy made before."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from exosync.errors import StoreError
from exosync.store import Store
from exosync.store.engine import begin_with, connect
from exosync.store.migrate import OURS, Migrations, bring_up_to_date
from exosync.store.tables import metadata
from tests.support.children import child
from tests.support.migrations import bring, everything, later, revision_of, schema
from tests.support.state import AT, URL, fill, fill_people, fill_service, raw

DUMPS = Path(__file__).parents[1] / "data" / "state"
EARLIER = [None, *OURS.revisions[:-1]]


@pytest.fixture
def filled(tmp_path: Path) -> Path:
    """The folder of a state with something in every table."""
    base = tmp_path / "state"
    base.mkdir()
    with Store.open(URL, base=base) as store:
        fill(store)
    return base


def test_the_revisions_that_we_name_are_those_that_alembic_finds() -> None:
    """In one line, without branches."""
    config = Config()
    config.set_main_option("script_location", str(OURS.folder))
    found = [one.revision for one in ScriptDirectory.from_config(config).walk_revisions()]
    assert list(OURS.revisions) == found[::-1]


@pytest.mark.parametrize("start", EARLIER)
def test_the_migrated_schema_is_that_of_the_tables(tmp_path: Path, start: str | None) -> None:
    """From every earlier revision, the empty one too."""
    known = OURS.revisions[: 0 if start is None else OURS.revisions.index(start) + 1]
    if known:
        bring(tmp_path, Migrations(OURS.folder, known))
    Store.open(URL, base=tmp_path).close()
    engine = create_engine(f"sqlite:///{tmp_path / 'fresh.db'}", poolclass=NullPool)
    metadata.create_all(engine)
    assert schema(tmp_path / "fresh.db") == schema(tmp_path / "exosync.db")
    assert OURS.head == revision_of(tmp_path / "exosync.db")


@pytest.mark.parametrize("revision", OURS.revisions)
def test_a_state_as_each_revision_wrote_it_is_read_whole(tmp_path: Path, revision: str) -> None:
    """From a dump that the release with that revision made; none may be without one."""
    with raw(tmp_path / "exosync.db") as connection:
        connection.executescript((DUMPS / f"{revision}.sql").read_text())
    assert revision == revision_of(tmp_path / "exosync.db")
    (tmp_path / "fresh").mkdir()
    with (
        Store.open(URL, base=tmp_path) as old,
        Store.open(URL, base=tmp_path / "fresh") as fresh,
    ):
        fill(fresh)
        if revision < "0002":
            fill_people(old)
        if revision < "0003":
            fill_service(old)
        assert everything(fresh) == everything(old)
        assert "11111111-2222-4333-8444-555555555555" == old.client_id()
        assert old.begin_run("sync", AT) > old.runs(9)[-1].id


def test_a_later_release_finds_all_data(filled: Path, tmp_path: Path) -> None:
    """Two migrations at once; one of them builds a table anew that others point to."""
    bring(filled, later(tmp_path))
    with raw(filled / "exosync.db") as connection:
        assert [("1 STEP",)] == connection.execute("SELECT note FROM events").fetchall()
        assert [("mail1", "sync")] == connection.execute(
            "SELECT host, command FROM runs"
        ).fetchall()
        assert [] == connection.execute("PRAGMA foreign_key_check").fetchall()
        assert [("ok",)] == connection.execute("PRAGMA integrity_check").fetchall()
    assert "9002" == revision_of(filled / "exosync.db")


def test_foreign_keys_are_enforced_after_a_migration(filled: Path, tmp_path: Path) -> None:
    """They are off only while it runs."""
    known, path = later(tmp_path), filled / "exosync.db"
    connection = connect(path)
    bring_up_to_date(connection, path, known)
    assert 1 == connection.exec_driver_sql("PRAGMA foreign_keys").scalar()
    connection.close()


def test_a_copy_is_made_before_an_existing_state_is_migrated(filled: Path, tmp_path: Path) -> None:
    """Named after the revision that it was made before; it stands by itself, for its owner alone."""
    with Store.open(URL, base=filled) as store:
        expected = everything(store)
    bring(filled, later(tmp_path))
    assert ["exosync.db", "exosync.db.before-9001"] == sorted(one.name for one in filled.iterdir())
    copy = filled / "exosync.db.before-9001"
    assert 0o600 == stat.S_IMODE(copy.stat().st_mode)
    with raw(copy) as connection:
        assert ("delete",) == connection.execute("PRAGMA journal_mode").fetchone()
    back = tmp_path / "back"
    back.mkdir()
    copy.rename(back / "exosync.db")
    with Store.open(URL, base=back) as store:
        assert expected == everything(store)


def test_no_copy_is_made_of_nothing(tmp_path: Path) -> None:
    """Neither at the first start nor of a file that was made empty."""
    (tmp_path / "exosync.db").touch()
    Store.open(URL, base=tmp_path).close()
    assert ["exosync.db"] == [one.name for one in tmp_path.iterdir()]


def test_without_room_for_the_copy_nothing_is_migrated(filled: Path, tmp_path: Path) -> None:
    """Here its name is taken by a folder."""
    (filled / "exosync.db.before-9001.part").mkdir()
    with pytest.raises(StoreError, match=r"before-9001\.part"):
        bring(filled, later(tmp_path))
    assert OURS.head == revision_of(filled / "exosync.db")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("op.execute('UPDATE nosuch SET x = 1')", "no such table"),
        ("op.execute('DELETE FROM runs')", "a row of .* points to none in runs"),
        ("raise OSError('boom')", "boom"),
    ],
)
def test_a_migration_that_fails_leaves_the_revision_before(
    filled: Path, tmp_path: Path, body: str, expected: str
) -> None:
    """With all its data, and works once it is mended."""
    before = schema(filled / "exosync.db")
    first = "\n    op.add_column('events', sa.Column('note', sa.Text))\n    "
    with pytest.raises((StoreError, OSError), match=expected):
        bring(filled, later(tmp_path, **{"9001": first + body}))
    assert before == schema(filled / "exosync.db")
    assert OURS.head == revision_of(filled / "exosync.db")
    with Store.open(URL, base=filled) as store:
        assert 1 == len(store.runs(9))
    (tmp_path / "mended").mkdir()
    bring(filled, later(tmp_path / "mended"))
    assert "9002" == revision_of(filled / "exosync.db")


def test_a_migration_that_is_missing_is_a_store_error(filled: Path) -> None:
    """As after an installation that was cut short."""
    with pytest.raises(StoreError, match="could not be migrated to revision 9001"):
        bring(filled, Migrations(OURS.folder, (*OURS.revisions, "9001")))
    assert OURS.head == revision_of(filled / "exosync.db")


def test_a_later_state_is_not_opened_by_this_release(filled: Path, tmp_path: Path) -> None:
    """It would not know what it does to it."""
    bring(filled, later(tmp_path))
    with pytest.raises(StoreError, match=r"newer version of exosync \(revision 9002"):
        Store.open(URL, base=filled)


def test_there_is_no_way_back(filled: Path) -> None:
    """But the copy; and the refusal says so."""
    connection = connect(filled / "exosync.db")
    config = Config()
    config.set_main_option("script_location", str(OURS.folder))
    config.attributes["connection"] = connection
    begin_with(connection, "BEGIN IMMEDIATE")
    with pytest.raises(StoreError, match=r"forward only.*before-REVISION"), connection.begin():
        command.downgrade(config, "base")
    connection.close()
    assert OURS.head == revision_of(filled / "exosync.db")


def test_a_folder_with_a_percent_sign_is_no_obstacle(tmp_path: Path) -> None:
    """Alembic's configuration gives it a meaning."""
    strange = tmp_path / "100%(here)s"
    strange.mkdir()
    bring(tmp_path, later(strange))
    assert "9002" == revision_of(tmp_path / "exosync.db")


def test_processes_that_start_together_make_one_state(tmp_path: Path) -> None:
    """As when a scheduler and a person start exosync for the first time."""
    with (
        child("write_some", tmp_path, 20) as (_, first),
        child("write_some", tmp_path, 20) as (_, second),
        child("write_some", tmp_path, 20) as (_, third),
        child("write_some", tmp_path, 20) as (_, fourth),
    ):
        assert ["done"] * 4 == [first(), second(), third(), fourth()]
    with Store.open(URL, base=tmp_path) as store:
        assert 80 == len(store.events(100))


def test_processes_that_start_together_migrate_once(filled: Path, tmp_path: Path) -> None:
    """And the one copy is of the state before."""
    known = later(tmp_path)
    with (
        child("migrate", filled, known) as (_, first),
        child("migrate", filled, known) as (_, second),
        child("migrate", filled, known) as (_, third),
    ):
        assert ["done"] * 3 == [first(), second(), third()]
    assert "9002" == revision_of(filled / "exosync.db")
    assert OURS.head == revision_of(filled / "exosync.db.before-9001")
    assert [] == list(filled.glob("*.part"))
