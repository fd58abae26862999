"""The heartbeat: when it is due, and what it says."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from exosync.alerts import heartbeat_event
from exosync.alerts.heartbeat import is_due
from exosync.store import ChannelRecord, FeedState
from tests.alerts.kit import AT, Office, hook, state, task
from tests.support.state import plan

MONDAY = datetime(2026, 11, 23, tzinfo=UTC)


@pytest.mark.parametrize(
    ("every", "last", "now", "due"),
    [
        ("off", None, AT, False),
        ("weekly", None, AT, True),
        ("weekly", MONDAY, AT, False),
        ("weekly", MONDAY - timedelta(seconds=1), MONDAY, True),
        ("weekly", MONDAY - timedelta(seconds=1), MONDAY - timedelta(milliseconds=1), False),
        ("monthly", None, AT, True),
        ("monthly", datetime(2026, 11, 1, tzinfo=UTC), AT, False),
        ("monthly", datetime(2026, 10, 31, 23, 59, tzinfo=UTC), AT, True),
        ("weekly", AT + timedelta(days=400), AT, True),
    ],
)
def test_it_comes_once_a_week_or_month(
    every: str, last: datetime | None, now: datetime, *, due: bool
) -> None:
    """The first one at once, then at the first chance from Monday, or from the first, on (UTC)."""
    assert due == is_due(every, last, now)


def office(folder: Path, **settings: str) -> Office:
    """Two targets, and a heartbeat every week."""
    settings = {"heartbeat": "weekly", **settings}
    return Office(folder, [hook()], settings, targets=("edge", "spf"))


def beat(one: Office) -> str | None:
    """The title of the heartbeat, if there is one."""
    with one.opened() as store:
        number = heartbeat_event(store, one.loaded.config, one.now)
        found = store.event(number) if number else None
        return found.title if found else None


def test_all_is_well_where_everything_is_as_desired(tmp_path: Path) -> None:
    """And it is said once."""
    one = office(tmp_path)
    with one.opened() as store:
        store.save_feed_state("Worldwide", FeedState("2026112500", AT, None))
        for name in ("edge", "spf"):
            store.save_target_state(state(name))
    assert "All is well: 2 targets as desired" == beat(one)
    assert beat(one) is None
    one.pass_time(days=7)
    assert "Not all is well: Microsoft's list was last confirmed 2026-11-25 10:17 UTC" == beat(one)


def test_what_is_not_well_is_named(tmp_path: Path) -> None:
    """Everything of it."""
    one = office(tmp_path)
    with one.opened() as store:
        store.save_target_state(state("edge", "failed"))
        run = store.begin_run("sync", AT)
        store.save_plan(plan(task().plan_id), AT)
        store.add_task(
            target="edge",
            setting="s",
            plan_id=task().plan_id,
            resource="r",
            gives="g",
            body={},
            at=AT,
            due_at=AT,
        )
        store.finish_run(run, outcome="failed", version=None, report={}, fingerprint="", at=AT)
        store.save_channel(ChannelRecord("ops", 0, down_since=AT))
    assert (
        "Not all is well: 1 target failed, 1 target not looked at yet, Microsoft's list was never "
        "confirmed, alerts by ops do not arrive, 1 step for a person" == beat(one)
    )


def test_without_it_nothing_is_told(tmp_path: Path) -> None:
    """It is off by default."""
    assert beat(office(tmp_path, heartbeat="off")) is None
