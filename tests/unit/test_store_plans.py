"""Plans, approvals and the targets' states."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from exosync.errors import UsageError
from exosync.store import Approval, PlanStatus, Store
from tests.support.state import AT, URL, plan, put_empty_state, target

HOUR = timedelta(hours=1)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """An empty state."""
    put_empty_state(tmp_path)
    with Store.open(URL, base=tmp_path) as opened:
        yield opened


def test_a_plan_comes_back_with_when_it_was_made(store: Store) -> None:
    """What the caller put into the store's own fields is not looked at."""
    given = replace(plan(), status=PlanStatus.CLOSED, superseded_by="x", closed_at=AT)
    store.save_plan(given, AT + HOUR)
    expected = replace(plan(), created_at=AT + HOUR, last_seen_at=AT + HOUR)
    assert expected == store.find_plan("aaaa00000001")
    assert [expected] == store.open_plans()


def test_a_plan_seen_again_keeps_its_beginning(store: Store) -> None:
    """What is said against it may have changed: the limits are no part of its id."""
    runs = [store.begin_run("sync", AT) for _ in range(2)]
    store.save_plan(replace(plan(), run_id=runs[0]), AT)
    again = replace(plan(), run_id=runs[1], body={"refusals": []}, refused=False)
    store.save_plan(again, AT + HOUR)
    expected = replace(again, run_id=runs[0], created_at=AT, last_seen_at=AT + HOUR)
    assert expected == store.find_plan("aaaa00000001")


def test_a_new_plan_supersedes_the_targets_open_ones(store: Store) -> None:
    """And nobody else's; when and by which is kept."""
    store.save_plan(plan("aaaa00000001"), AT)
    store.save_plan(plan("bbbb00000001", target="spf"), AT)
    store.save_plan(plan("cccc00000001"), AT + HOUR)
    old = store.find_plan("aaaa")
    assert (PlanStatus.SUPERSEDED, AT + HOUR, "cccc00000001") == (
        old.status,
        old.closed_at,
        old.superseded_by,
    )
    assert ["cccc00000001", "bbbb00000001"] == [one.id for one in store.open_plans()]


def test_a_plan_that_comes_up_again_is_open_again(store: Store) -> None:
    """The one that had taken its place gives way."""
    for plan_id in ("aaaa00000001", "bbbb00000001", "aaaa00000001"):
        store.save_plan(plan(plan_id), AT)
    found = store.find_plan("aaaa00000001")
    assert (PlanStatus.OPEN, None, None) == (found.status, found.closed_at, found.superseded_by)
    assert "aaaa00000001" == store.find_plan("bbbb").superseded_by


def test_only_open_plans_are_superseded(store: Store) -> None:
    """What was applied stays applied."""
    store.save_plan(plan("aaaa00000001"), AT)
    store.mark_plan("aaaa00000001", "applied", AT)
    store.save_plan(plan("bbbb00000001"), AT)
    assert PlanStatus.APPLIED == store.find_plan("aaaa").status


@pytest.mark.parametrize("status", list(PlanStatus))
def test_a_plan_is_marked_with_its_end(store: Store, status: PlanStatus) -> None:
    """An open plan has none."""
    store.save_plan(plan(), AT)
    store.mark_plan("aaaa00000001", status, at=AT + HOUR)
    found = store.find_plan("aaaa00000001")
    closed_at = None if status is PlanStatus.OPEN else AT + HOUR
    assert (status, closed_at) == (found.status, found.closed_at)
    assert (status is PlanStatus.OPEN) == bool(store.open_plans())


def test_marking_needs_a_known_plan_and_a_known_word(store: Store) -> None:
    """Neither is guessed."""
    with pytest.raises(UsageError, match="no plan 'nosuch'"):
        store.mark_plan("nosuch", "applied", AT)
    with pytest.raises(ValueError, match="nearly"):
        store.mark_plan("nosuch", "nearly", AT)


def test_a_target_that_needs_no_plan_closes_its_open_ones(store: Store) -> None:
    """Other targets' plans wait on."""
    store.save_plan(plan("aaaa00000001"), AT)
    store.save_plan(plan("bbbb00000001", target="spf"), AT)
    store.close_plans("edge", AT + HOUR)
    store.close_plans("edge", AT + 2 * HOUR)
    closed = store.find_plan("aaaa")
    assert (PlanStatus.CLOSED, AT + HOUR) == (closed.status, closed.closed_at)
    assert ["bbbb00000001"] == [one.id for one in store.open_plans()]


def test_a_plan_is_found_by_a_unique_beginning(store: Store) -> None:
    """The whole id is found even where it begins another."""
    for plan_id in ("abc", "abcd", "b%c", "b_c"):
        store.save_plan(plan(plan_id), AT)
    found = [store.find_plan(each).id for each in ("abc", "abcd", "b%", "b_")]
    assert ["abc", "abcd", "b%c", "b_c"] == found


def test_an_ambiguous_beginning_names_the_plans(store: Store) -> None:
    """The first few, so that the message stays short."""
    for number in range(7):
        store.save_plan(plan(f"abc{number}"), AT)
    with pytest.raises(UsageError, match=r"several plans \(abc0, abc1, abc2, abc3, abc4 …\)"):
        store.find_plan("ab")


@pytest.mark.parametrize("prefix", ["", "zz", "aaaa000000011", "AAAA", "%"])
def test_an_unknown_plan_is_a_usage_error(store: Store, prefix: str) -> None:
    """Nothing is taken for a pattern."""
    store.save_plan(plan(), AT)
    with pytest.raises(UsageError, match="there is no plan"):
        store.find_plan(prefix)


def test_an_approval_says_who_and_why(store: Store) -> None:
    """And is for that plan alone."""
    store.save_plan(plan("aaaa00000001"), AT)
    store.save_plan(plan("bbbb00000001"), AT)
    approval = store.approve("aaaa00000001", by="ada", why="asked Microsoft", at=AT)
    assert Approval("aaaa00000001", "ada", "asked Microsoft", AT) == approval
    assert approval == store.approval("aaaa00000001")
    assert store.approval("bbbb00000001") is None


def test_approving_twice_keeps_the_first(store: Store) -> None:
    """The one that counts is given back, so that the caller can say so."""
    store.save_plan(plan(), AT)
    first = store.approve("aaaa00000001", by="ada", why="asked Microsoft", at=AT)
    assert first == store.approve("aaaa00000001", by="bob", why="me too", at=AT + HOUR)
    assert [first] == store.approvals("aaaa00000001")


def test_an_unknown_plan_cannot_be_approved(store: Store) -> None:
    """Nor a beginning of an id: `find_plan` is for that."""
    store.save_plan(plan(), AT)
    with pytest.raises(UsageError, match="no plan 'aaaa'"):
        store.approve("aaaa", by="ada", why="", at=AT)


def test_an_approval_outlives_being_superseded(store: Store) -> None:
    """When everything is again as it was, it is again the very plan that was approved."""
    store.save_plan(plan("aaaa00000001"), AT)
    approval = store.approve("aaaa00000001", by="ada", why="", at=AT)
    for plan_id in ("bbbb00000001", "aaaa00000001"):
        store.save_plan(plan(plan_id), AT)
        assert approval == store.approval("aaaa00000001")


def test_an_applied_plan_has_used_up_its_approval(store: Store) -> None:
    """Somebody who undoes by hand what was applied is not overruled by the old word."""
    store.save_plan(plan(), AT)
    first = store.approve("aaaa00000001", by="ada", why="", at=AT)
    store.mark_plan("aaaa00000001", "applied", AT + HOUR)
    assert store.approval("aaaa00000001") is None
    second = store.approve("aaaa00000001", by="bob", why="again", at=AT + 2 * HOUR)
    assert "bob" == second.by
    assert [replace(first, spent_at=AT + HOUR), second] == store.approvals("aaaa00000001")


@pytest.mark.parametrize("status", ["partly", "superseded", "closed", "open"])
def test_only_applying_uses_an_approval_up(store: Store, status: str) -> None:
    """A plan that failed on its way is still the plan that was approved."""
    store.save_plan(plan(), AT)
    approval = store.approve("aaaa00000001", by="ada", why="", at=AT)
    store.mark_plan("aaaa00000001", status, AT)
    assert approval == store.approval("aaaa00000001")


def test_a_targets_state_comes_back(store: Store) -> None:
    """Targets are listed by name."""
    assert store.target_state("edge") is None
    unseen = replace(
        target("spf", "failed"),
        version=None,
        verified=None,
        verified_at=None,
        seen_at=None,
        plan=None,
    )
    store.save_target_state(unseen)
    store.save_target_state(target("edge"))
    assert target("edge") == store.target_state("edge")
    assert [target("edge"), unseen] == store.target_states()


def test_a_state_that_lasts_keeps_its_beginning(store: Store) -> None:
    """Everything else is replaced."""
    store.save_target_state(target(state="failed"))
    again = replace(target(state="failed"), since=AT + HOUR, failures=2, verified=False)
    store.save_target_state(again)
    assert replace(again, since=AT) == store.target_state("edge")


def test_a_new_state_has_its_own_beginning(store: Store) -> None:
    """Also when it is one that was there before."""
    for hour, state in enumerate(["in_sync", "failed", "in_sync"]):
        store.save_target_state(replace(target(state=state), since=AT + hour * HOUR))
    found = store.target_state("edge")
    assert found is not None
    assert AT + 2 * HOUR == found.since
