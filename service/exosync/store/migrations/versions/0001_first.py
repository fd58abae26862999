"""The first tables.

A migration is never changed once it was released; the tables are written out here, so that
it stays what it was when exosync.store.tables goes on.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from exosync.errors import StoreError

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

STRICT = {"sqlite_strict": True}
NUMBERED = {"sqlite_strict": True, "sqlite_autoincrement": True}


def upgrade() -> None:
    """Make the tables."""
    _feed()
    _runs()
    _plans()
    _steps()
    _targets()
    _events()


def downgrade() -> None:
    """There is no way back."""
    message = (
        "migrations go forward only: stop exosync, install the earlier version and put the copy "
        "that was made before the migration (FILE.before-REVISION) in the place of FILE"
    )
    raise StoreError(message)


def _id() -> sa.Column[Any]:
    return sa.Column("id", sa.Integer, primary_key=True)


def _text(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Text, nullable=False)


def _maybe(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Text)


def _number(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Integer, nullable=False)


def _key(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Text, primary_key=True)


def _partial(name: str, table: str, column: str, condition: str) -> None:
    op.create_index(name, table, [column], sqlite_where=sa.text(condition))


def _feed() -> None:
    op.create_table("meta", _key("name"), _text("value"), **STRICT)
    op.create_table(
        "feed",
        _key("instance"),
        _maybe("latest"),
        _maybe("checked_at"),
        _maybe("not_before"),
        _number("failures"),
        _text("error"),
        **STRICT,
    )
    op.create_table(
        "snapshots",
        _key("instance"),
        _key("version"),
        _text("sha256"),
        sa.Column("body", sa.LargeBinary, nullable=False),
        _text("fetched_at"),
        _text("source"),
        **STRICT,
    )
    op.create_table(
        "adoptions",
        _id(),
        _text("instance"),
        _text("version"),
        _text("adopted_at"),
        sa.ForeignKeyConstraint(
            ["instance", "version"], ["snapshots.instance", "snapshots.version"]
        ),
        **NUMBERED,
    )
    op.create_index("adoptions_instance_id_idx", "adoptions", ["instance", "id"])


def _runs() -> None:
    op.create_table(
        "runs",
        _id(),
        _text("command"),
        _text("started_at"),
        _maybe("finished_at"),
        _text("last_at"),
        _maybe("outcome"),
        _maybe("version"),
        _maybe("report"),
        _text("fingerprint"),
        _number("repeats"),
        _text("error"),
        **NUMBERED,
    )
    op.create_index("runs_command_id_idx", "runs", ["command", "id"])
    _partial("runs_unfinished_idx", "runs", "id", "finished_at IS NULL")


def _plans() -> None:
    op.create_table(
        "plans",
        _key("id"),
        _text("target"),
        _text("version"),
        _number("adopting"),
        _text("ingredients"),
        _text("body"),
        _number("refused"),
        sa.Column("run_id", sa.Integer, sa.ForeignKey("runs.id")),
        _text("status"),
        _text("created_at"),
        _text("last_seen_at"),
        _maybe("closed_at"),
        sa.Column("superseded_by", sa.Text, sa.ForeignKey("plans.id")),
        **STRICT,
    )
    op.create_index("plans_run_id_idx", "plans", ["run_id"])
    _partial("plans_open_idx", "plans", "target", "status = 'open'")
    op.create_table(
        "approvals",
        _id(),
        sa.Column("plan_id", sa.Text, sa.ForeignKey("plans.id"), nullable=False),
        _text("by"),
        _text("why"),
        _text("at"),
        _maybe("spent_at"),
        **NUMBERED,
    )
    op.create_index("approvals_plan_id_id_idx", "approvals", ["plan_id", "id"])


def _steps() -> None:
    op.create_table(
        "steps",
        _id(),
        sa.Column("run_id", sa.Integer, sa.ForeignKey("runs.id"), nullable=False),
        sa.Column("plan_id", sa.Text, sa.ForeignKey("plans.id"), nullable=False),
        _text("target"),
        _text("resource"),
        _text("summary"),
        _text("expects"),
        _text("gives"),
        _text("intended_at"),
        _maybe("outcome"),
        _maybe("concluded_at"),
        _text("error"),
        **NUMBERED,
    )
    op.create_index("steps_run_id_idx", "steps", ["run_id"])
    op.create_index("steps_plan_id_idx", "steps", ["plan_id"])
    op.create_index("steps_target_intended_at_idx", "steps", ["target", "intended_at"])
    _partial("steps_unfinished_idx", "steps", "target", "outcome IS NULL")


def _targets() -> None:
    op.create_table(
        "targets",
        _key("name"),
        _text("kind"),
        _text("mode"),
        _text("state"),
        _text("since"),
        _maybe("version"),
        _text("resources"),
        _maybe("plan"),
        sa.Column("verified", sa.Integer),
        _maybe("verified_at"),
        _maybe("seen_at"),
        _number("failures"),
        _text("error"),
        _text("report"),
        **STRICT,
    )


def _events() -> None:
    op.create_table(
        "events",
        _id(),
        _text("at"),
        _text("kind"),
        _text("severity"),
        _maybe("target"),
        _text("title"),
        _text("body"),
        sa.Column("run_id", sa.Integer, sa.ForeignKey("runs.id")),
        **NUMBERED,
    )
    op.create_index("events_kind_id_idx", "events", ["kind", "id"])
    op.create_index("events_run_id_idx", "events", ["run_id"])
