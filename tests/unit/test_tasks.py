"""How people are waited for: when a task is due, when they are reminded, when to look again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from exosync.core.ranges import IpRanges
from exosync.core.target import Check, Verification
from exosync.core.tasks import Asserted, TaskRules

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
RULES = TaskRules(due=timedelta(days=2), remind=timedelta(days=1), confirm_again=timedelta(days=90))
ASSERTED = Asserted("inbound_gateway", "ada", NOW, IpRanges.parse("192.0.2.0/24"))


def test_a_task_is_due_some_time_after_it_was_asked_for() -> None:
    """The setting `todo.due`."""
    assert NOW + timedelta(days=2) == RULES.due_at(NOW)


@pytest.mark.parametrize(
    ("due", "reminded", "expected"),
    [
        (timedelta(hours=1), None, False),
        (timedelta(0), None, True),
        (timedelta(days=-3), timedelta(hours=-23), False),
        (timedelta(days=-3), timedelta(days=-1), True),
    ],
)
def test_people_are_reminded_once_a_task_is_due_and_then_at_intervals(
    due: timedelta, reminded: timedelta | None, *, expected: bool
) -> None:
    """Never before it is due, and not with every run."""
    last = None if reminded is None else NOW + reminded
    assert expected == RULES.is_to_remind(NOW, NOW + due, last)


@pytest.mark.parametrize(
    ("delay", "expected"),
    [(timedelta(0), timedelta(days=1)), (timedelta(days=3), timedelta(days=3))],
)
def test_what_a_person_says_is_done_gets_the_time_that_the_vendor_takes(
    delay: timedelta, expected: timedelta
) -> None:
    """And a day at least, so that nobody is reminded of what he has just done."""
    assert NOW + expected == RULES.claim_due_at(NOW, delay)


@pytest.mark.parametrize(("days", "expected"), [(89, False), (90, True)])
def test_a_persons_word_is_asked_for_again_after_a_time(days: int, *, expected: bool) -> None:
    """The setting `todo.confirm_again`."""
    assert expected == RULES.is_due_again(NOW + timedelta(days=days), NOW)


@pytest.mark.parametrize(
    ("ok", "asserted", "expected"),
    [
        (True, (), True),
        (None, (), None),
        (True, (ASSERTED,), None),
        (False, (ASSERTED,), False),
    ],
)
def test_what_is_asserted_is_never_called_verified(
    ok: bool | None, asserted: tuple[Asserted, ...], *, expected: bool | None
) -> None:
    """Neither is it a failure."""
    assert expected is Verification((Check("a", ok, "b"),), asserted).ok


def test_an_assertion_names_who_and_when() -> None:
    """In a few words."""
    assert "inbound_gateway: asserted by ada on 2026-11-25" == ASSERTED.words
