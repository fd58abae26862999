"""Google's own patch, tried where the configuration says so, and what it may answer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from exosync.core.ranges import IpRanges
from exosync.core.target import (
    Actor,
    Draft,
    Phase,
)
from exosync.errors import (
    StepDeclined,
    TargetConflict,
    TargetDenied,
    TargetUnreachable,
)
from tests.standins import google_replies as replies
from tests.standins.google_switches import (
    READ_POLICIES,
    WRITE_POLICIES,
    Switches,
)
from tests.standins.web import Reply
from tests.support.google_bench import (
    FIRST,
    FOREIGN,
    START,
    Bench,
    Make,
    benches,
    rules,
)


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    """Make benches."""
    with benches(tmp_path) as made:
        yield made


# Writing by the API


def probing(make: Make, entries: Sequence[str] | None = (FOREIGN,), **switches: Any) -> Bench:
    """A target that may try Google's patch; its pauses move the stand-in's clock."""
    pauses: list[float] = []
    standin = {
        "allowlist": entries,
        "switches": Switches(**switches),
        "now": lambda: START + timedelta(seconds=sum(pauses)),
    }
    bench = make(standin, write="probe", settle="4s")
    bench.pauses = pauses
    bench.made()
    return bench


def test_what_the_api_writes_is_read_back(make: Make) -> None:
    """Additions first, then removals, foreign entries as they are; and it is ours."""
    bench = probing(make, mutate="works")
    first = bench.plan(*FIRST)
    for step in first.steps:
        bench.apply(step)
    bench.look()
    second = bench.plan(FIRST[0], "104.47.0.0/17")
    for step in second.steps:
        bench.apply(step)

    assert [Actor.EXOSYNC] == [step.by for step in first.steps]
    assert [Phase.ADD, Phase.REMOVE] == [step.phase for step in second.steps]
    assert [FOREIGN, FIRST[0], "104.47.0.0/17"] == bench.google.allowlist
    assert () == bench.plan(FIRST[0], "104.47.0.0/17").steps
    assert [FOREIGN] == bench.strangers
    assert bench.pauses.count(2.0) == 0


def test_what_foreign_entries_let_in_is_not_written(make: Make) -> None:
    """Then there is only the removal."""
    bench = probing(make, ["104.47.0.0/16"], mutate="works")
    bench.apply(bench.plan(*FIRST).steps[0])
    bench.look()

    (step,) = bench.plan(FIRST[0], "104.47.0.0/17").steps
    bench.apply(step)

    assert Phase.REMOVE is step.phase
    assert ["104.47.0.0/16", FIRST[0]] == bench.google.allowlist


def test_writing_twice_is_harmless(make: Make) -> None:
    """The second time nothing is written."""
    bench = probing(make, mutate="works")
    (step,) = bench.plan(*FIRST).steps

    bench.apply(step)
    bench.apply(step)

    assert 1 == sum(one.startswith("PATCH") for one in bench.calls())


def test_a_name_that_changes_with_the_value_does_no_harm(make: Make) -> None:
    """Whether it does is unknown: each write reads it anew."""
    bench = probing(make, mutate="works", renamed=True)
    bench.apply(bench.plan(*FIRST).steps[0])
    bench.look()

    for step in bench.plan(FIRST[0], "104.47.0.0/17").steps:
        bench.apply(step)

    assert [FOREIGN, FIRST[0], "104.47.0.0/17"] == bench.google.allowlist


@pytest.mark.parametrize(
    "reply", [replies.failing(500), replies.entity_not_found(), replies.error(501, "no")]
)
def test_a_refusal_that_would_come_in_each_run_does_not_keep_a_person_waiting(
    make: Make, reply: Reply
) -> None:
    """GAM meets 404 and 500 from these methods too: the step is asked for."""
    bench = probing(make, mutate="works")
    (step,) = bench.plan(*FIRST).steps
    bench.google.script(reply, path="/v1/policies/")

    with pytest.raises(StepDeclined, match="status"):
        bench.apply(step)
    assert [Actor.PERSON] == [one.by for one in bench.plan(*FIRST).steps]


def test_an_error_of_the_server_after_which_it_is_done_is_no_refusal(make: Make) -> None:
    """Only reading tells."""
    bench = probing(make, mutate="works")
    (step,) = bench.plan(*FIRST).steps
    bench.google.script(replies.failing(500), path="/v1/policies/")
    bench.google.before(
        "PATCH", "/v1/policies", lambda: bench.google.set_allowlist([FOREIGN, *FIRST])
    )

    bench.apply(step)

    assert () == bench.plan(*FIRST).steps


@pytest.mark.parametrize("status", [400, 403, 404])
def test_a_page_of_a_proxy_is_no_refusal(make: Make, status: int) -> None:
    """The next run tries again, and nothing is left to a person for it."""
    bench = probing(make, mutate="works")
    (step,) = bench.plan(*FIRST).steps
    bench.google.script(replies.html(status), path="/v1/policies/")

    with pytest.raises(TargetUnreachable, match="proxy"):
        bench.apply(step)
    assert [Actor.EXOSYNC] == [one.by for one in bench.plan(*FIRST).steps]


def test_a_write_leaves_google_the_time_that_it_wants_between_requests(make: Make) -> None:
    """It refuses what comes less than about a second after a reading."""
    bench = probing(make, mutate="works")
    (step,) = bench.plan(*FIRST).steps
    bench.pauses.clear()

    bench.apply(step)

    assert [1.0] == bench.pauses


@pytest.mark.parametrize(
    ("mutate", "why"),
    [
        ("unimplemented", "status 501"),
        ("bad_request", "status 400"),
        ("forbidden", "status 403"),
        ("operation_error", "ended the change with an error"),
        ("ignored", "after 4 s the list does not show it"),
        ("pending", "after 4 s the list does not show it"),
    ],
)
def test_what_the_api_declines_goes_to_a_person(make: Make, mutate: str, why: str) -> None:
    """At once, in later runs, and until something else is to be done."""
    bench = probing(make, mutate=mutate)
    (step,) = bench.plan(*FIRST).steps

    with pytest.raises(StepDeclined, match=why):
        bench.apply(step)

    again = bench.plan(*FIRST)
    later = [bench.made().observe(bench.known), bench.plan(*FIRST)][1]
    for draft in (again, later):
        assert isinstance(draft, Draft)
        assert [Actor.PERSON] == [one.by for one in draft.steps]
        assert "write_declined" in rules(draft.findings)
    assert [Actor.EXOSYNC] == [one.by for one in bench.plan(FIRST[0]).steps]
    assert [FOREIGN] == bench.google.allowlist


def test_once_additions_are_declined_the_removals_are_not_tried(make: Make) -> None:
    """Both are one change to the person who makes it."""
    bench = probing(make, mutate="works")
    bench.apply(bench.plan(*FIRST).steps[0])
    bench.google.switch(mutate="unimplemented")
    bench.look()
    bench.calls()

    for step in bench.plan(FIRST[0], "104.47.0.0/17").steps:
        with pytest.raises(StepDeclined):
            bench.apply(step)

    assert 1 == sum(one.startswith("PATCH") for one in bench.calls())


def test_a_pending_change_that_shows_in_time_is_done(make: Make) -> None:
    """The operation cannot be polled: the list is read until it shows."""
    bench = probing(make, mutate="pending", pending=timedelta(seconds=3))
    (step,) = bench.plan(*FIRST).steps

    bench.apply(step)

    assert [1.0, 2.0, 2.0] == bench.pauses
    assert () == bench.plan(*FIRST).steps


def test_a_change_that_shows_late_is_ours_all_the_same(make: Make) -> None:
    """It was declined as too slow, so a person was asked; it shows before that is done."""
    bench = probing(make, mutate="pending", pending=timedelta(minutes=5))
    (step,) = bench.plan(*FIRST).steps
    with pytest.raises(StepDeclined):
        bench.apply(step)
    bench.plan(*FIRST)

    bench.pauses.append(300)

    assert IpRanges.parse(FIRST) == bench.made().observe(bench.known).owned
    assert () == bench.plan(*FIRST).steps


def test_an_answer_that_is_lost_is_looked_up(make: Make) -> None:
    """It was written before the connection broke."""
    bench = probing(make, mutate="lost")
    (step,) = bench.plan(*FIRST).steps

    bench.apply(step)

    assert () == bench.plan(*FIRST).steps
    assert IpRanges.parse(FIRST) == bench.look().owned


def test_a_connection_that_breaks_before_anything_is_done_is_no_refusal(make: Make) -> None:
    """The next run tries again."""
    bench = probing(make, mutate="works")
    (step,) = bench.plan(*FIRST).steps
    bench.google.script(replies.reset(), path="/v1/policies/")

    with pytest.raises(TargetUnreachable, match="nothing of the change shows"):
        bench.apply(step)
    assert [Actor.EXOSYNC] == [one.by for one in bench.plan(*FIRST).steps]


def test_a_write_that_is_asked_to_wait_is_no_refusal(make: Make) -> None:
    """Neither is it repeated."""
    bench = probing(make, mutate="works")
    (step,) = bench.plan(*FIRST).steps
    bench.google.script(replies.too_many_requests(), path="/v1/policies/")

    with pytest.raises(TargetUnreachable):
        bench.apply(step)
    assert 1 == sum(one.startswith("PATCH") for one in bench.calls())


def test_a_list_that_a_person_changed_is_not_written_over(make: Make) -> None:
    """Between the plan and the write."""
    bench = probing(make, mutate="works")
    (step,) = bench.plan(*FIRST).steps
    bench.google.before("GET", "/v1/policies", lambda: bench.google.set_allowlist(["192.0.2.1"]))

    with pytest.raises(TargetConflict, match="nothing was written"):
        bench.apply(step)
    assert ["192.0.2.1"] == bench.google.allowlist


def test_a_token_that_dies_before_the_write_is_renewed(make: Make) -> None:
    """The write is made once."""
    bench = probing(make, mutate="works")
    (step,) = bench.plan(*FIRST).steps
    bench.google.before("PATCH", "/v1/policies", bench.google.expire_tokens)

    bench.apply(step)

    assert [FOREIGN, *FIRST] == bench.google.allowlist


@pytest.mark.parametrize(
    "switches", [{"also_on": ("org_unit",)}, {"system_default": True, "also_on": ("admin_group",)}]
)
def test_only_the_one_list_at_the_top_is_tried(make: Make, switches: dict[str, Any]) -> None:
    """Whatever else there is goes to a person."""
    bench = probing(make, mutate="works", **switches)

    assert [Actor.PERSON] == [one.by for one in bench.plan(*FIRST).steps]


def test_no_list_is_created(make: Make) -> None:
    """Where there is none, a person makes the first."""
    bench = probing(make, None, mutate="works")

    assert [Actor.PERSON] == [one.by for one in bench.plan(*FIRST).steps]


def test_writing_needs_its_own_scope_and_reading_only_does_not(make: Make) -> None:
    """The writing one is asked for only where it is to be tried."""
    bench = make({"allowlist": FIRST, "delegated": [READ_POLICIES]}, write="probe")

    with pytest.raises(TargetDenied, match=f"{WRITE_POLICIES}:"):
        bench.look()
    bench.made(write="never")
    assert IpRanges.parse(FIRST) == bench.look().detail.found.ranges
