"""The state: everything that exosync must not forget, in one SQLite file.

SQLite in WAL mode with synchronous=FULL: what was committed survives the loss of power, and
readers never wait for a writer. It needs a local disk and one machine: over NFS neither WAL
nor locks can be relied on. Several machines on one state are what PostgreSQL is for, in a
later release.
"""

from __future__ import annotations

from exosync.store.lock import Holder, RunLock
from exosync.store.records import (
    ABANDONED,
    INTERRUPTED,
    Acknowledgement,
    Adoption,
    Approval,
    EventRecord,
    FeedState,
    Json,
    PlanRecord,
    PlanStatus,
    RunRecord,
    SnapshotInfo,
    SnapshotRecord,
    StepOutcome,
    StepRecord,
    TargetState,
    TaskOutcome,
    TaskRecord,
)
from exosync.store.store import Store

__all__ = [
    "ABANDONED",
    "INTERRUPTED",
    "Acknowledgement",
    "Adoption",
    "Approval",
    "EventRecord",
    "FeedState",
    "Holder",
    "Json",
    "PlanRecord",
    "PlanStatus",
    "RunLock",
    "RunRecord",
    "SnapshotInfo",
    "SnapshotRecord",
    "StepOutcome",
    "StepRecord",
    "Store",
    "TargetState",
    "TaskOutcome",
    "TaskRecord",
]
