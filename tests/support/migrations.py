"""Migrations beyond our own, and ways to look at what they leave."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

from exosync.store import Store
from exosync.store.engine import connect
from exosync.store.migrate import OURS, Migrations, bring_up_to_date
from tests.support.state import WORLD, raw

LATER = {
    "9001": """
    op.add_column("events", sa.Column("note", sa.Text))
    op.execute("UPDATE events SET note = upper(title)")
""",
    "9002": """
    with op.batch_alter_table("runs") as batch:
        batch.add_column(sa.Column("host", sa.Text, nullable=False, server_default="mail1"))
    op.create_index("runs_host_idx", "runs", ["host"])
""",
}


def later(folder: Path, **steps: str) -> Migrations:
    """Our migrations with further ones, as a later release might bring."""
    there = folder / "migrations"
    shutil.copytree(OURS.folder, there, ignore=shutil.ignore_patterns("__pycache__"))
    before = OURS.head
    for revision, body in (steps or LATER).items():
        (there / "versions" / f"{revision}.py").write_text(
            "import sqlalchemy as sa\nfrom alembic import op\n"
            f"revision, down_revision = {revision!r}, {before!r}\n"
            f"def upgrade():{body}\n"
        )
        before = revision
    return Migrations(there, (*OURS.revisions, *(steps or LATER)))


def bring(base: Path, known: Migrations) -> None:
    """Open a state as the release with these migrations would."""
    path = base / "exosync.db"
    connection = connect(path)
    try:
        bring_up_to_date(connection, path, known)
    finally:
        connection.close()


def schema(path: Path) -> dict[str, str]:
    """All tables and indexes with their SQL, but for those that Alembic and SQLite make."""
    with raw(path) as connection:
        rows = connection.execute(
            "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL"
            " AND name NOT LIKE 'sqlite_%' AND name != 'alembic_version'"
        ).fetchall()
    return {name: _plain(sql) for name, sql in rows}


def _plain(sql: str) -> str:
    """Without the blanks that mean nothing: an added column is set with others."""
    return re.sub(r" ?([(),]) ?", r"\1", " ".join(sql.split()))


def revision_of(path: Path) -> str:
    """The revision that a file says it has."""
    with raw(path) as connection:
        return str(connection.execute("SELECT version_num FROM alembic_version").fetchone()[0])


def everything(store: Store) -> dict[str, Any]:
    """All that the state tells, but for the client id."""
    return {
        "feed": store.feed_state(WORLD),
        "snapshot": store.snapshot(WORLD, "2026010100"),
        "adoptions": store.adoptions(WORLD),
        "runs": store.runs(9),
        "steps": store.steps_of_plan("aaaa00000001"),
        "plans": store.open_plans(),
        "approvals": store.approvals("aaaa00000001"),
        "targets": store.target_states(),
        "events": store.events(9),
        **people(store),
        **service(store),
    }


def people(store: Store) -> dict[str, Any]:
    """The part that came with revision 0002."""
    return {
        "tasks": store.last_tasks("edge"),
        "acknowledged": store.acknowledged("edge"),
        "memory": store.memory("edge"),
    }


def service(store: Store) -> dict[str, Any]:
    """The part that came with revision 0003."""
    return {
        "pauses": store.pauses(),
        "service": store.service(),
        "turns": store.turns(),
    }
