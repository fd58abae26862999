"""Tasks for people, what they acknowledged, and what targets asked to remember."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from exosync.errors import StoreError

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

STRICT = {"sqlite_strict": True}
NUMBERED = {"sqlite_strict": True, "sqlite_autoincrement": True}


def upgrade() -> None:
    """Make the tables."""
    _tasks()
    _acknowledgements()
    op.create_table(
        "memories", sa.Column("target", sa.Text, primary_key=True), _text("value"), **STRICT
    )


def downgrade() -> None:
    """There is no way back."""
    message = (
        "migrations go forward only: stop exosync, install the earlier version and put the copy "
        "that was made before the migration (FILE.before-REVISION) in the place of FILE"
    )
    raise StoreError(message)


def _text(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Text, nullable=False)


def _maybe(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Text)


def _of_a_plan() -> tuple[sa.Column[Any], ...]:
    return (
        sa.Column("id", sa.Integer, primary_key=True),
        _text("target"),
        _text("setting"),
        sa.Column("plan_id", sa.Text, sa.ForeignKey("plans.id"), nullable=False),
        _text("resource"),
        _text("gives"),
    )


def _tasks() -> None:
    op.create_table(
        "tasks",
        *_of_a_plan(),
        _text("body"),
        _text("opened_at"),
        _text("changed_at"),
        _text("due_at"),
        _maybe("reminded_at"),
        sa.Column("reminders", sa.Integer, nullable=False),
        _maybe("claimed_by"),
        _maybe("claimed_at"),
        _maybe("closed_at"),
        _maybe("outcome"),
        **NUMBERED,
    )
    op.create_index("tasks_plan_id_idx", "tasks", ["plan_id"])
    op.create_index("tasks_target_setting_id_idx", "tasks", ["target", "setting", "id"])
    op.create_index(
        "tasks_open_idx", "tasks", ["target"], sqlite_where=sa.text("closed_at IS NULL")
    )


def _acknowledgements() -> None:
    op.create_table(
        "acknowledgements",
        *_of_a_plan(),
        _text("cidrs"),
        _text("by"),
        _text("note"),
        _text("at"),
        **NUMBERED,
    )
    op.create_index("acknowledgements_plan_id_idx", "acknowledgements", ["plan_id"])
    op.create_index(
        "acknowledgements_target_setting_id_idx", "acknowledgements", ["target", "setting", "id"]
    )
