"""The tables of the state, as the newest migration leaves them.

Only what SQLite and PostgreSQL both know is used, so that the same tables serve both. An
id of a run, step, event or adoption is never given twice, not even after a row is gone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    text,
)

from exosync.store.columns import Flag, JsonText, Moment, PackedText, Words

if TYPE_CHECKING:
    from sqlalchemy.schema import SchemaItem

NAMING = {
    "pk": "%(table_name)s_pkey",
    "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
    "ix": "%(table_name)s_%(column_0_N_name)s_idx",
}

metadata = MetaData(naming_convention=NAMING)


def _table(name: str, *parts: SchemaItem, numbered: bool = False) -> Table:
    options: dict[str, Any] = {"sqlite_strict": True}
    if numbered:
        parts = (Column("id", Integer, primary_key=True), *parts)
        options["sqlite_autoincrement"] = True
    return Table(name, metadata, *parts, **options)


def _partial(name: str, column: str, condition: str) -> Index:
    # PostgreSQL needs `postgresql_where` besides; naming it here would load that whole
    # dialect at every start, before there is any use for it.
    return Index(name, column, sqlite_where=text(condition))


meta = _table(
    "meta",
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
)

feed = _table(
    "feed",
    Column("instance", Text, primary_key=True),
    Column("latest", Text),
    Column("checked_at", Moment),
    Column("not_before", Moment),
    Column("failures", Integer, nullable=False),
    Column("error", Words, nullable=False),
)

snapshots = _table(
    "snapshots",
    Column("instance", Text, primary_key=True),
    Column("version", Text, primary_key=True),
    Column("sha256", Text, nullable=False),
    Column("body", PackedText, nullable=False),
    Column("fetched_at", Moment, nullable=False),
    Column("source", Words, nullable=False),
)

adoptions = _table(
    "adoptions",
    Column("instance", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("adopted_at", Moment, nullable=False),
    ForeignKeyConstraint(["instance", "version"], ["snapshots.instance", "snapshots.version"]),
    Index(None, "instance", "id"),
    numbered=True,
)

runs = _table(
    "runs",
    Column("command", Text, nullable=False),
    Column("started_at", Moment, nullable=False),
    Column("finished_at", Moment),
    Column("last_at", Moment, nullable=False),
    Column("outcome", Text),
    Column("version", Text),
    Column("report", JsonText),
    Column("fingerprint", Text, nullable=False),
    Column("repeats", Integer, nullable=False),
    Column("error", Words, nullable=False),
    Column("scope", Text, nullable=False, server_default=""),
    Index(None, "command", "id"),
    _partial("runs_unfinished_idx", "id", "finished_at IS NULL"),
    numbered=True,
)

plans = _table(
    "plans",
    Column("id", Text, primary_key=True),
    Column("target", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("adopting", Flag, nullable=False),
    Column("ingredients", JsonText, nullable=False),
    Column("body", JsonText, nullable=False),
    Column("refused", Flag, nullable=False),
    Column("run_id", Integer, ForeignKey("runs.id")),
    Column("status", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("last_seen_at", Moment, nullable=False),
    Column("closed_at", Moment),
    Column("superseded_by", Text, ForeignKey("plans.id")),
    Index(None, "run_id"),
    _partial("plans_open_idx", "target", "status = 'open'"),
)

approvals = _table(
    "approvals",
    Column("plan_id", Text, ForeignKey("plans.id"), nullable=False),
    Column("by", Words, nullable=False),
    Column("why", Words, nullable=False),
    Column("at", Moment, nullable=False),
    Column("spent_at", Moment),
    Index(None, "plan_id", "id"),
    numbered=True,
)

steps = _table(
    "steps",
    Column("run_id", Integer, ForeignKey("runs.id"), nullable=False),
    Column("plan_id", Text, ForeignKey("plans.id"), nullable=False),
    Column("target", Text, nullable=False),
    Column("resource", Words, nullable=False),
    Column("summary", Words, nullable=False),
    Column("expects", Text, nullable=False),
    Column("gives", Text, nullable=False),
    Column("intended_at", Moment, nullable=False),
    Column("outcome", Text),
    Column("concluded_at", Moment),
    Column("error", Words, nullable=False),
    Index(None, "run_id"),
    Index(None, "plan_id"),
    Index(None, "target", "intended_at"),
    _partial("steps_unfinished_idx", "target", "outcome IS NULL"),
    numbered=True,
)

targets = _table(
    "targets",
    Column("name", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("mode", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("since", Moment, nullable=False),
    Column("version", Text),
    Column("resources", JsonText, nullable=False),
    Column("plan", Text),
    Column("verified", Flag),
    Column("verified_at", Moment),
    Column("seen_at", Moment),
    Column("failures", Integer, nullable=False),
    Column("error", Words, nullable=False),
    Column("report", JsonText, nullable=False),
)

tasks = _table(
    "tasks",
    Column("target", Text, nullable=False),
    Column("setting", Text, nullable=False),
    Column("plan_id", Text, ForeignKey("plans.id"), nullable=False),
    Column("resource", Words, nullable=False),
    Column("gives", Text, nullable=False),
    Column("body", JsonText, nullable=False),
    Column("opened_at", Moment, nullable=False),
    Column("changed_at", Moment, nullable=False),
    Column("due_at", Moment, nullable=False),
    Column("reminded_at", Moment),
    Column("reminders", Integer, nullable=False),
    Column("claimed_by", Words),
    Column("claimed_at", Moment),
    Column("closed_at", Moment),
    Column("outcome", Text),
    Index(None, "plan_id"),
    Index(None, "target", "setting", "id"),
    _partial("tasks_open_idx", "target", "closed_at IS NULL"),
    numbered=True,
)

acknowledgements = _table(
    "acknowledgements",
    Column("target", Text, nullable=False),
    Column("setting", Text, nullable=False),
    Column("plan_id", Text, ForeignKey("plans.id"), nullable=False),
    Column("resource", Words, nullable=False),
    Column("gives", Text, nullable=False),
    Column("cidrs", JsonText, nullable=False),
    Column("by", Words, nullable=False),
    Column("note", Words, nullable=False),
    Column("at", Moment, nullable=False),
    Index(None, "plan_id"),
    Index(None, "target", "setting", "id"),
    numbered=True,
)

memories = _table(
    "memories",
    Column("target", Text, primary_key=True),
    Column("value", JsonText, nullable=False),
)

events = _table(
    "events",
    Column("at", Moment, nullable=False),
    Column("kind", Text, nullable=False),
    Column("severity", Text, nullable=False),
    Column("target", Text),
    Column("title", Words, nullable=False),
    Column("body", JsonText, nullable=False),
    Column("run_id", Integer, ForeignKey("runs.id")),
    Index(None, "kind", "id"),
    Index(None, "run_id"),
    Index(None, "target", "id"),
    numbered=True,
)

pauses = _table(
    "pauses",
    Column("target", Text, primary_key=True),
    Column("by", Words, nullable=False),
    Column("why", Words, nullable=False),
    Column("at", Moment, nullable=False),
)

triggers = _table(
    "triggers",
    Column("target", Text, nullable=False),
    Column("by", Words, nullable=False),
    Column("at", Moment, nullable=False),
    Column("taken_at", Moment),
    _partial("triggers_open_idx", "id", "taken_at IS NULL"),
    numbered=True,
)

service = _table(
    "service",
    Column("name", Text, primary_key=True),
    Column("pid", Integer, nullable=False),
    Column("host", Words, nullable=False),
    Column("version", Text, nullable=False),
    Column("started_at", Moment, nullable=False),
    Column("beat_at", Moment, nullable=False),
    Column("stopped_at", Moment),
)

turns = _table(
    "turns",
    Column("name", Text, primary_key=True),
    Column("next_at", Moment),
    Column("started_at", Moment),
    Column("took_ms", Integer),
)

channels = _table(
    "channels",
    Column("name", Text, primary_key=True),
    Column("collected", Integer, nullable=False),
    Column("down_since", Moment),
    Column("failures", Integer, nullable=False),
    Column("error", Words, nullable=False),
    Column("sent_at", Moment),
)

messages = _table(
    "messages",
    Column("key", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("thread", Words, nullable=False),
    Column("severity", Text, nullable=False),
    Column("events", JsonText, nullable=False),
    Column("body", JsonText),
    Column("state", Text, nullable=False),
    Column("opened_at", Moment, nullable=False),
    Column("due_at", Moment, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("sent_at", Moment),
    Column("error", Words, nullable=False),
    Index(None, "channel", "id"),
    Index(None, "channel", "thread", "id"),
    _partial("messages_open_idx", "channel", "state IN ('open', 'waiting')"),
    numbered=True,
)
