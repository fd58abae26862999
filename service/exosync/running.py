"""A run from its first row in the state to its last."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from exosync.reconcile import Outcome, Rules
from exosync.remember import remember
from exosync.store import Store


def run_once(
    store: Store, rules: Rules, command: str, work: Callable[[int], Outcome], *, scope: str = ""
) -> tuple[int, dict[str, Any]]:
    """Begin a run, do its work and keep what came of it: the run's number and its report.

    The caller holds the lock of the `scope` (`exosync.store.over`), so a run over that which
    is still open belongs to a process that died.
    """
    for dead in store.interrupted(rules.now(), scope=scope):
        store.add_event(
            "run_interrupted",
            "warning",
            target=None,
            title=f"run r-{dead.id} ({dead.command}) was interrupted",
            body={"run": dead.id, "command": dead.command},
            run_id=dead.id,
            at=rules.now(),
        )
    run_id = store.begin_run(command, rules.now(), scope=scope)
    try:
        outcome = work(run_id)
    except BaseException as error:
        store.abandon_run(run_id, str(error) or type(error).__name__, rules.now())
        raise
    return remember(
        store,
        run_id,
        outcome,
        instance=rules.feed.instance,
        tasks=rules.tasks,
        repeat=rules.repeat,
        at=rules.now(),
    )
