"""Runs, steps and events in the state."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from exosync.errors import StoreError
from exosync.store import (
    ABANDONED,
    INTERRUPTED,
    EventRecord,
    RunRecord,
    StepOutcome,
    StepRecord,
    Store,
)
from tests.support.state import AT, URL, plan, put_empty_state

HOUR = timedelta(hours=1)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """An empty state."""
    put_empty_state(tmp_path)
    with Store.open(URL, base=tmp_path) as opened:
        yield opened


def finish(store: Store, run_id: int, fingerprint: str = "same", hours: int = 0) -> int:
    """Finish a run so many hours after AT."""
    return store.finish_run(
        run_id,
        outcome="in_sync",
        version="2026010100",
        report={"outcome": "in_sync"},
        fingerprint=fingerprint,
        at=AT + hours * HOUR,
    )


def sync(store: Store, fingerprint: str = "same", hours: int = 0, command: str = "sync") -> int:
    """A whole run; gives the id under which it is kept."""
    return finish(store, store.begin_run(command, AT + hours * HOUR), fingerprint, hours)


def event(store: Store, kind: str = "drift", run_id: int | None = None) -> int:
    """An event."""
    return store.add_event(
        kind, "warning", target="edge", title="changed", body={"n": 1}, run_id=run_id, at=AT
    )


def intend(store: Store, run_id: int, hours: int = 0, target: str = "edge") -> int:
    """A step of the plan that is stored for it."""
    store.save_plan(plan(target=target), AT)
    return store.intend(
        run_id,
        "aaaa00000001",
        target,
        resource="/etc/exo.cidr",
        summary="write",
        expects="absent",
        gives=f"token{hours}",
        at=AT + hours * HOUR,
    )


def test_a_run_at_work_has_no_outcome(store: Store) -> None:
    """It is in the state from its first moment on."""
    run_id = store.begin_run("sync", AT)
    expected = RunRecord(run_id, "sync", AT, None, AT, None, None, None, "", 0, "")
    assert expected == store.run(run_id)


def test_a_finished_run_keeps_its_report(store: Store) -> None:
    """As plain JSON values."""
    run_id = store.begin_run("sync", AT)
    report = {"outcome": "applied", "targets": [{"name": "edge", "verified": None}]}
    store.finish_run(
        run_id,
        outcome="applied",
        version="2026010100",
        report=report,
        fingerprint="f",
        at=AT + HOUR,
    )
    expected = RunRecord(
        run_id, "sync", AT, AT + HOUR, AT + HOUR, "applied", "2026010100", report, "f", 0, ""
    )
    assert expected == store.run(run_id)


def test_an_unknown_run_is_none(store: Store) -> None:
    """Asking is no error."""
    assert store.run(7) is None


def test_runs_that_found_the_same_are_counted_in_the_first(store: Store) -> None:
    """Hourly runs over years do not pile up; the last one's time is kept."""
    kept = [sync(store, hours=hour) for hour in range(4)]
    assert [kept[0]] * 4 == kept
    (only,) = store.runs(10)
    assert (3, AT, AT + 3 * HOUR) == (only.repeats, only.finished_at, only.last_at)


def test_a_run_that_found_something_else_is_kept(store: Store) -> None:
    """And ends the counting: A, B, A are three runs."""
    kept = [sync(store, each, hour) for hour, each in enumerate(["a", "a", "b", "a"])]
    assert [kept[0], kept[0], kept[2], kept[3]] == kept
    assert [("a", 0), ("b", 0), ("a", 1)] == [
        (one.fingerprint, one.repeats) for one in store.runs(9)
    ]


def test_each_command_is_counted_for_itself(store: Store) -> None:
    """A plan by hand in between does not split the hourly runs."""
    first = sync(store)
    between = sync(store, command="plan")
    assert first == sync(store)
    assert between == sync(store, command="plan")


def test_without_a_fingerprint_nothing_is_counted(store: Store) -> None:
    """The empty one says that a run is like no other."""
    assert sync(store, "") != sync(store, "")


@pytest.mark.parametrize("points", ["step", "event", "plan"])
def test_a_run_that_something_points_to_is_always_kept(store: Store, points: str) -> None:
    """It did something; counting it elsewhere would lose what, or misplace it."""
    first = sync(store)
    run_id = store.begin_run("sync", AT)
    if points == "step":
        intend(store, run_id)
    elif points == "event":
        event(store, run_id=run_id)
    else:
        store.save_plan(replace(plan(), run_id=run_id), AT)
    assert run_id == finish(store, run_id)
    assert [run_id, first] == [one.id for one in store.runs(9)]
    assert 0 == store.runs(9)[0].repeats


def test_an_id_is_never_given_twice(store: Store) -> None:
    """Not even that of a run which was counted elsewhere: it may stand in a log."""
    first = store.begin_run("sync", AT)
    finish(store, first)
    second = store.begin_run("sync", AT)
    finish(store, second)
    assert store.run(second) is None
    assert store.begin_run("sync", AT) > second > first


def test_a_run_is_finished_once(store: Store) -> None:
    """The second time is a fault of the caller."""
    run_id = sync(store)
    with pytest.raises(StoreError, match=f"r-{run_id} is finished already"):
        finish(store, run_id)
    with pytest.raises(StoreError, match="r-99 is not in the state"):
        finish(store, 99)


def test_an_error_that_ends_a_run_is_kept(store: Store) -> None:
    """Under an outcome of its own; the same error again is counted."""
    kept = [
        store.abandon_run(store.begin_run("apply", AT), error, AT + hour * HOUR)
        for hour, error in enumerate(["disk full", "disk full", "no such plan"])
    ]
    assert [kept[0], kept[0], kept[2]] == kept
    found = [(one.outcome, one.error, one.repeats, one.report) for one in store.runs(9)]
    assert [(ABANDONED, "no such plan", 0, None), (ABANDONED, "disk full", 1, None)] == found


def test_runs_of_a_process_that_died_are_interrupted(tmp_path: Path) -> None:
    """Each is told once; the runs of this process are at work."""
    with Store.open(URL, base=tmp_path) as store:
        dead = [store.begin_run("sync", AT), store.begin_run("apply", AT)]
        sync(store)
    with Store.open(URL, base=tmp_path) as store:
        own = store.begin_run("sync", AT)
        found = store.interrupted(AT + HOUR)
        assert dead == [one.id for one in found]
        assert {(INTERRUPTED, AT + HOUR)} == {(one.outcome, one.finished_at) for one in found}
        assert [] == store.interrupted(AT + HOUR)
        alive = store.run(own)
        assert alive is not None
        assert alive.outcome is None


def test_a_run_that_was_taken_for_dead_can_still_finish(tmp_path: Path) -> None:
    """What it has to tell is worth more than the guess."""
    with Store.open(URL, base=tmp_path) as store, Store.open(URL, base=tmp_path) as other:
        run_id = store.begin_run("plan", AT)
        other.interrupted(AT)
        finish(store, run_id)
        found = store.run(run_id)
    assert found is not None
    assert "in_sync" == found.outcome


def test_an_interrupted_run_ends_the_counting(tmp_path: Path) -> None:
    """What came before it and after it are told apart."""
    with Store.open(URL, base=tmp_path) as store:
        first = sync(store)
        store.begin_run("sync", AT)
    with Store.open(URL, base=tmp_path) as store:
        store.interrupted(AT)
        assert first != sync(store)


def test_runs_come_newest_first_page_by_page(store: Store) -> None:
    """The next page begins before the last id of this one."""
    ids = [sync(store, str(number)) for number in range(5)]
    first = store.runs(2)
    rest = store.runs(9, before_id=first[-1].id)
    assert ids[::-1] == [one.id for one in first + rest]


def test_a_step_is_unfinished_until_it_is_concluded(store: Store) -> None:
    """What a crash leaves open is what must be looked at again."""
    run_id = store.begin_run("sync", AT)
    step_id = intend(store, run_id)
    expected = StepRecord(
        id=step_id,
        run_id=run_id,
        plan_id="aaaa00000001",
        target="edge",
        resource="/etc/exo.cidr",
        summary="write",
        expects="absent",
        gives="token0",
        intended_at=AT,
        outcome=None,
        concluded_at=None,
        error="",
    )
    assert [expected] == store.unfinished("edge")
    assert [] == store.unfinished("spf")
    store.conclude(step_id, "conflict", at=AT + HOUR, error="it changed")
    assert [] == store.unfinished("edge")
    done = replace(
        expected, outcome=StepOutcome.CONFLICT, concluded_at=AT + HOUR, error="it changed"
    )
    assert [done] == store.steps(run_id) == store.steps_of_plan("aaaa00000001")


@pytest.mark.parametrize("outcome", list(StepOutcome))
def test_every_outcome_of_a_step_is_kept(store: Store, outcome: StepOutcome) -> None:
    """By its word."""
    step_id = intend(store, store.begin_run("sync", AT))
    store.conclude(step_id, outcome, AT)
    assert [outcome] == [one.outcome for one in store.steps_of_plan("aaaa00000001")]


def test_a_step_is_concluded_once(store: Store) -> None:
    """The first outcome stands."""
    step_id = intend(store, store.begin_run("sync", AT))
    store.conclude(step_id, "done", AT)
    with pytest.raises(StoreError, match="concluded already"):
        store.conclude(step_id, "failed", AT)
    with pytest.raises(ValueError, match="perhaps"):
        store.conclude(step_id, "perhaps", AT)
    assert [StepOutcome.DONE] == [one.outcome for one in store.steps_of_plan("aaaa00000001")]


def test_no_step_without_its_plan(store: Store) -> None:
    """After a crash somebody must be able to see what was meant."""
    run_id = store.begin_run("sync", AT)
    values: dict[str, Any] = dict.fromkeys(("resource", "summary", "expects", "gives"), "x")
    with pytest.raises(StoreError, match="plan nosuchplan must be stored before"):
        store.intend(run_id, "nosuchplan", "edge", **values, at=AT)


def test_steps_since_are_those_that_may_have_changed_something(store: Store) -> None:
    """So that what exosync wrote itself is not taken for a change by somebody else."""
    run_id = store.begin_run("sync", AT)
    outcomes = ["done", "found_done", "failed", "conflict", "found_undone", "found_changed", "done"]
    for hour, outcome in enumerate(outcomes):
        store.conclude(intend(store, run_id, hour), outcome, AT + hour * HOUR)
    store.conclude(intend(store, run_id, 9, target="spf"), "done", AT)
    since = store.steps_since("edge", AT)
    assert ["token1", "token2", "token6"] == [one.gives for one in since]


def test_steps_of_runs_since_are_those_of_the_run_that_ended_then_and_of_later_ones(
    store: Store,
) -> None:
    """They were intended before it ended; only what may have changed something counts."""
    for hour, outcome in ((0, "failed"), (1, "failed"), (2, "conflict"), (3, "done")):
        run_id = store.begin_run("sync", AT + hour * HOUR)
        store.conclude(intend(store, run_id, hour), outcome, AT + hour * HOUR)
        finish(store, run_id, hours=hour)

    found = store.steps_of_runs_since("edge", AT + HOUR)

    assert ["token1", "token3"] == [one.gives for one in found]
    assert [] == store.steps_of_runs_since("spf", AT)


def test_one_event_is_found_by_its_id(store: Store) -> None:
    """And None stands for none."""
    number = event(store)
    found = store.event(number)
    assert found is not None
    assert "drift" == found.kind
    assert store.event(number + 1) is None


def test_events_come_newest_first_page_by_page(store: Store) -> None:
    """With everything that was told of them."""
    run_id = store.begin_run("sync", AT)
    ids = [event(store, run_id=run_id) for _ in range(4)]
    first = store.events(1)
    assert [
        EventRecord(ids[-1], AT, "drift", "warning", "edge", "changed", {"n": 1}, run_id)
    ] == first
    assert ids[-2::-1] == [one.id for one in store.events(9, before_id=ids[-1])]


def test_events_of_some_kinds(store: Store) -> None:
    """In one order, whichever kind they are of."""
    kinds = ["a", "b", "c", "a", "b", "c"]
    ids = [event(store, kind) for kind in kinds]
    assert [ids[4], ids[3], ids[1]] == [one.id for one in store.events(3, kinds={"a", "b"})]
    assert [ids[1], ids[0]] == [
        one.id for one in store.events(9, before_id=ids[3], kinds=["a", "b", "a"])
    ]
    assert [] == store.events(9, kinds=[])


def test_an_event_belongs_to_a_run_that_is_there(store: Store) -> None:
    """Foreign keys are enforced."""
    with pytest.raises(StoreError, match="FOREIGN KEY"):
        event(store, run_id=99)
