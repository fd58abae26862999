"""The state: everything that exosync must not forget, in one SQLite file.

SQLite in WAL mode with synchronous=FULL: what was committed survives the loss of power, and
readers never wait for a writer. It needs a local disk and one machine: over NFS neither WAL
nor locks can be relied on. Several machines on one state are what PostgreSQL is for, in a
later release.
"""

from __future__ import annotations

from exosync.store.lock import Holder, RunLock, over
from exosync.store.records import (
    ABANDONED,
    INTERRUPTED,
    Acknowledgement,
    Adoption,
    Approval,
    ChannelRecord,
    EventRecord,
    FeedState,
    Json,
    MessageRecord,
    MessageState,
    PauseRecord,
    PlanRecord,
    PlanStatus,
    RunRecord,
    ServiceRecord,
    SnapshotInfo,
    SnapshotRecord,
    StepOutcome,
    StepRecord,
    TargetState,
    TaskOutcome,
    TaskRecord,
    TriggerRecord,
    TurnRecord,
)
from exosync.store.store import Store

__all__ = [
    "ABANDONED",
    "INTERRUPTED",
    "Acknowledgement",
    "Adoption",
    "Approval",
    "ChannelRecord",
    "EventRecord",
    "FeedState",
    "Holder",
    "Json",
    "MessageRecord",
    "MessageState",
    "PauseRecord",
    "PlanRecord",
    "PlanStatus",
    "RunLock",
    "RunRecord",
    "ServiceRecord",
    "SnapshotInfo",
    "SnapshotRecord",
    "StepOutcome",
    "StepRecord",
    "Store",
    "TargetState",
    "TaskOutcome",
    "TaskRecord",
    "TriggerRecord",
    "TurnRecord",
    "over",
]
