"""What people tell a running service from another process: pause, resume, trigger."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from exosync.errors import UsageError
from exosync.store import PauseRecord, Store


def pause(
    store: Store, target: str, *, by: str, why: str, at: datetime
) -> tuple[PauseRecord, bool]:
    """Hold all writing at a target (everywhere, if it is empty) until it is resumed.

    Gives the pause that is in force, and whether it is a new one.
    """
    with store.transaction():
        fresh = store.pause(target, by=by, why=why, at=at)
        if fresh:
            reason = f": {why}" if why else ""
            title = f"{_words(target)} paused by {by}{reason}"
            _tell(store, "paused", target, title, {"by": by, "why": why}, at)
        found = next(one for one in store.pauses() if one.target == target)
    return found, fresh


def resume(store: Store, target: str, *, by: str, at: datetime) -> bool:
    """End a pause and ask for a run; False if there is none."""
    with store.transaction():
        found = store.resume(target)
        if found:
            _tell(store, "resumed", target, f"{_words(target)} resumed by {by}", {"by": by}, at)
            store.trigger(target, by=by, at=at)
    return found


def known_target(name: str | None, names: Collection[str]) -> str:
    """The target's name, or the empty one for all. Raises UsageError if there is none such."""
    if name is not None and name not in names:
        message = f"there is no target {name!r}; configured are: {', '.join(names)}"
        raise UsageError(message)
    return name or ""


def _words(target: str) -> str:
    return target or "all writing"


def _tell(
    store: Store, kind: str, target: str, title: str, body: dict[str, str], at: datetime
) -> None:
    store.add_event(kind, "info", target=target or None, title=title, body=body, run_id=None, at=at)
