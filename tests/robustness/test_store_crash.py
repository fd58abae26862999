"""The state when exosync is killed in the middle of something."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from exosync.store import Store
from exosync.store.migrate import OURS, Migrations
from tests.support.children import child
from tests.support.migrations import bring, everything, later, revision_of, schema
from tests.support.state import URL, fill, raw

KILLS = 25


def test_no_acknowledged_write_is_lost_and_none_is_torn(tmp_path: Path) -> None:
    """A writer is killed at a random moment, over and over, and goes on where it was."""
    chance = random.Random(20261123)
    acknowledged: set[int] = set()
    for _ in range(KILLS):
        with child("write_pairs", tmp_path) as (process, told):
            acknowledged.add(int(told()))
            for _ in range(chance.randrange(20)):
                acknowledged.add(int(told()))
            process.kill()
            try:
                while True:
                    acknowledged.add(int(told()))
            except EOFError:
                pass
    with Store.open(URL, base=tmp_path) as store:
        titles = {one.id: one.title for one in store.events(1_000_000)}
    assert acknowledged <= titles.keys()
    firsts = {each for each, title in titles.items() if title == "first of a pair"}
    seconds = {each for each, title in titles.items() if title == "second of a pair"}
    assert {each + 1 for each in firsts} == seconds
    with raw(tmp_path / "exosync.db") as connection:
        assert [("ok",)] == connection.execute("PRAGMA integrity_check").fetchall()


@pytest.mark.parametrize(
    ("filled", "stride"), [(False, 4), (True, 1)], ids=["first start", "existing state"]
)
def test_a_migration_that_is_killed_leaves_a_whole_revision(
    tmp_path: Path, *, filled: bool, stride: int
) -> None:
    """At a writing statement or a commit; the next start goes on from there, with all data."""
    known = later(tmp_path)
    whole = _schemas(tmp_path, known)
    points, stopped = 1, True
    while stopped:
        base = tmp_path / str(points)
        base.mkdir()
        if filled:
            with Store.open(URL, base=base) as store:
                fill(store)
        with child("migrate_as_far", base, known, points) as (process, told):
            stopped = told() == "stopped"
            process.kill()
            process.join()
        left = schema(base / "exosync.db")
        assert left == (whole[revision_of(base / "exosync.db")] if left else {})
        bring(base, known)
        assert whole[known.head] == schema(base / "exosync.db")
        assert [] == list(base.glob("*.part"))
        if filled:
            _same_data(base, tmp_path)
        points += stride
    assert points > 10


def _schemas(folder: Path, known: Migrations) -> dict[str, dict[str, str]]:
    """The schema of each revision."""
    found = {}
    for number, revision in enumerate(known.revisions, start=1):
        base = folder / f"whole-{revision}"
        base.mkdir()
        bring(base, Migrations(known.folder, known.revisions[:number]))
        found[revision] = schema(base / "exosync.db")
    return found


def _same_data(base: Path, folder: Path) -> None:
    """The copy made before the first migration holds what was there, and so does the state."""
    with raw(base / "exosync.db") as connection:
        assert [("1 STEP",)] == connection.execute("SELECT note FROM events").fetchall()
        assert [("mail1",)] == connection.execute("SELECT host FROM runs").fetchall()
    copy = base / "exosync.db.before-9001"
    assert OURS.head == revision_of(copy)
    back = folder / f"back-{base.name}"
    back.mkdir()
    copy.rename(back / "exosync.db")
    with Store.open(URL, base=back) as store:
        assert 1 == len(everything(store)["runs"])
