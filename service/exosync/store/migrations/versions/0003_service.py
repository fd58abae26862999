"""What a service that never stops needs: pauses, triggers, its heartbeat, and the alerts' outbox."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from exosync.errors import StoreError

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

STRICT = {"sqlite_strict": True}
NUMBERED = {"sqlite_strict": True, "sqlite_autoincrement": True}


def upgrade() -> None:
    """Make the tables, and let a run say what it is over."""
    op.add_column("runs", sa.Column("scope", sa.Text, nullable=False, server_default=""))
    op.create_index("events_target_id_idx", "events", ["target", "id"])
    _controls()
    _daemon()
    _outbox()


def downgrade() -> None:
    """There is no way back."""
    message = (
        "migrations go forward only: stop exosync, install the earlier version and put the copy "
        "that was made before the migration (FILE.before-REVISION) in the place of FILE"
    )
    raise StoreError(message)


def _key(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Text, primary_key=True)


def _id() -> sa.Column[Any]:
    return sa.Column("id", sa.Integer, primary_key=True)


def _text(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Text, nullable=False)


def _maybe(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Text)


def _number(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Integer, nullable=False)


def _controls() -> None:
    op.create_table("pauses", _key("target"), _text("by"), _text("why"), _text("at"), **STRICT)
    op.create_table(
        "triggers", _id(), _text("target"), _text("by"), _text("at"), _maybe("taken_at"), **NUMBERED
    )
    op.create_index(
        "triggers_open_idx", "triggers", ["id"], sqlite_where=sa.text("taken_at IS NULL")
    )


def _daemon() -> None:
    op.create_table(
        "service",
        _key("name"),
        _number("pid"),
        _text("host"),
        _text("version"),
        _text("started_at"),
        _text("beat_at"),
        _maybe("stopped_at"),
        **STRICT,
    )
    op.create_table(
        "turns",
        _key("name"),
        _maybe("next_at"),
        _maybe("started_at"),
        sa.Column("took_ms", sa.Integer),
        **STRICT,
    )


def _outbox() -> None:
    op.create_table(
        "channels",
        _key("name"),
        _number("collected"),
        _maybe("down_since"),
        _number("failures"),
        _text("error"),
        _maybe("sent_at"),
        **STRICT,
    )
    op.create_table(
        "messages",
        _id(),
        _text("key"),
        _text("channel"),
        _text("thread"),
        _text("severity"),
        _text("events"),
        _maybe("body"),
        _text("state"),
        _text("opened_at"),
        _text("due_at"),
        _number("attempts"),
        _maybe("sent_at"),
        _text("error"),
        **NUMBERED,
    )
    op.create_index("messages_channel_id_idx", "messages", ["channel", "id"])
    op.create_index("messages_channel_thread_id_idx", "messages", ["channel", "thread", "id"])
    op.create_index(
        "messages_open_idx",
        "messages",
        ["channel"],
        sqlite_where=sa.text("state IN ('open', 'waiting')"),
    )
