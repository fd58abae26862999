"""What waits for a person."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from exosync.store import TaskRecord
from exosync.views.moments import iso
from exosync.views.source import Source

Json = dict[str, Any]


def task_rows(source: Source) -> list[Json]:
    """The steps that wait for a person, at the targets that are configured."""
    names = {one.name for one in source.config.targets}
    return [task_view(one, source.now) for one in source.store.open_tasks() if one.target in names]


def task_view(task: TaskRecord, now: datetime) -> Json:
    """One step that waits for a person."""
    return {
        "target": task.target,
        "setting": task.setting,
        "plan": task.plan_id,
        "opened_at": iso(task.opened_at),
        "changed_at": iso(task.changed_at),
        "due_at": iso(task.due_at),
        "overdue": now >= task.due_at,
        "reminders": task.reminders,
        "claimed_by": task.claimed_by,
        "claimed_at": iso(task.claimed_at),
        "task": dict(task.body),
    }
