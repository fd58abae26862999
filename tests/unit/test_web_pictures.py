"""What is drawn: the address space, a target's course, the time line, and the first sentence."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exosync.core.ranges import IpRanges
from exosync.web.asks import asks
from exosync.web.course import WIDTH, course
from exosync.web.frames import ago, difference, lasted
from exosync.web.picture import amount
from exosync.web.space import MOST_PANELS, SIDE, SMALLEST, Mark, panels
from exosync.web.timeline import timeline
from exosync.web.verdict import by_urgency, freshness, tally, verdict

Json = dict[str, Any]

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
WORLDWIDE = (
    "40.92.0.0/15",
    "40.107.0.0/16",
    "52.100.0.0/14",
    "104.47.0.0/17",
    "2a01:111:f400::/48",
    "2a01:111:f403::/48",
)


def marks(*cidrs: str) -> list[Mark]:
    """Marks without a look."""
    return [Mark(one, "microsoft", one) for one in cidrs]


def test_ranges_lie_where_their_addresses_are() -> None:
    """92 is row 5, column 12; of a smaller part only as much of the square is taken."""
    drawn = {one.cidr: one for one in panels(marks(*WORLDWIDE), 4)}
    assert ["40.0.0.0/8", "52.0.0.0/8", "104.0.0.0/8"] == list(drawn)
    first, second = drawn["40.0.0.0/8"].pieces
    assert (12, 5, 2, 1) == (first.x, first.y, first.width, first.height)
    assert (11, 6, 1, 1) == (second.x, second.y, second.width, second.height)
    (half,) = drawn["104.0.0.0/8"].pieces
    assert (15, 2, 0.5) == (half.x, half.y, half.width)
    (six,) = panels(marks(*WORLDWIDE), 6)
    assert ("2a01:111:f400::/40", 48) == (six.cidr, six.square)
    assert [(0, 0), (3, 0)] == [(one.x, one.y) for one in six.pieces]


def test_what_is_wider_than_a_row_is_rows() -> None:
    """A /10 is four of them in a panel of a /8."""
    (panel,) = panels(marks("40.64.0.0/10"), 4)
    (piece,) = panel.pieces
    assert (0, 4, SIDE, 4) == (piece.x, piece.y, piece.width, piece.height)


@given(st.lists(st.ip_addresses(v=4).map(str), max_size=60), st.integers(0, 32))
def test_whatever_is_drawn_lies_in_its_panel(addresses: list[str], prefix: int) -> None:
    """Every range once, in a block that holds it, and not too many blocks."""
    cidrs = {str(ip_network(f"{one}/{prefix}", strict=False)) for one in addresses}
    drawn = panels(marks(*cidrs), 4)
    assert len(drawn) <= MOST_PANELS
    assert cidrs == {piece.words for panel in drawn for piece in panel.pieces}
    for panel in drawn:
        for piece in panel.pieces:
            assert ip_network(piece.words).subnet_of(ip_network(panel.cidr))  # type: ignore[arg-type]
            assert piece.width >= SMALLEST
            assert 0 <= piece.x <= piece.x + piece.width <= SIDE
            assert 0 <= piece.y <= piece.y + piece.height <= SIDE


def test_addresses_are_counted_as_people_do() -> None:
    """IPv6 in /64 networks."""
    ranges = IpRanges.parse(["40.92.0.0/15", "2a01:111:f400::/48", "192.0.2.1"])
    assert ("131,073 addresses", "65,536 /64 networks") == (amount(ranges, 4), amount(ranges, 6))
    assert ("1 address", "0 /64 networks") == (
        amount(IpRanges.parse("192.0.2.1"), 4),
        amount(IpRanges(), 6),
    )


def point(days: float, what: str, state: str, changes: int = 0) -> Json:
    """An event so many days ago."""
    at = (NOW - timedelta(days=days)).isoformat()
    return {"id": "e-1", "at": at, "what": what, "state": state, "changes": changes}


def test_a_course_is_a_band_from_the_first_event_to_now() -> None:
    """Each stretch in the state that the event before it tells of; the last one is how it stands."""
    points = [point(10, "applied", "applied", 6), point(4, "target_failed", "failed")]
    since = (NOW - timedelta(days=1)).isoformat()
    drawn = course(points, state="in_sync", since=since, now=NOW)
    assert drawn is not None
    assert ["good", "bad", "good"] == [one.tone for one in drawn.band]
    assert WIDTH == pytest.approx(drawn.band[-1].x + drawn.band[-1].width)
    assert ["good", "bad"] == [one.look for one in drawn.stems]
    assert drawn.stems[0].height > drawn.stems[1].height


def test_a_course_of_nothing_is_none() -> None:
    """And one with nothing but a state is a band."""
    assert course([], state=None, since=None, now=NOW) is None
    drawn = course([], state="failed", since=NOW.isoformat(), now=NOW + timedelta(hours=1))
    assert drawn is not None
    assert ["bad"] == [one.tone for one in drawn.band]


def test_a_long_course_begins_where_the_picture_does() -> None:
    """What was before stays outside of it."""
    points = [point(4000, "applied", "applied", 6), point(1, "drift", "applied", 1)]
    drawn = course(points, state="in_sync", since=NOW.isoformat(), now=NOW)
    assert drawn is not None
    assert 1 == len(drawn.stems)
    assert 0 == drawn.band[0].x


def test_the_time_line_tells_what_came_and_what_went() -> None:
    """In order, between a little before the first version and now."""
    rows = [
        {"version": "2018062900", "mail": ["40.92.0.0/14"], "changed": ""},
        {"version": "2019010700", "mail": ["40.92.0.0/15", "40.107.0.0/16"], "changed": "x"},
        {"version": "2020010100", "mail": ["40.92.0.0/15", "40.107.0.0/16"], "changed": ""},
    ]
    drawn = timeline(rows, NOW)
    assert drawn is not None
    assert [True, False] == [one.up > 0 for one in drawn.bars[1:]]
    assert [True, False] == [one.down > 0 for one in drawn.bars[1:]]
    places = [one.x for one in drawn.bars]
    assert sorted(places) == places
    assert 0 < places[0] < places[-1] < 1000
    assert ["2019", "2026"] == [drawn.years[0].name, drawn.years[-1].name]
    assert timeline([], NOW) is None


# The first sentence


def target(name: str, state: str | None, **values: Any) -> Json:
    """A target's row."""
    base: Json = {"name": name, "state": state, "mode": "apply", "plan": None, "refusals": []}
    return {**base, "paused": None, **values}


def status(*targets: Json, **values: Any) -> Json:
    """How everything stands."""
    base: Json = {"version": "1", "feed": {"failures": 0}, "paused": None, "todo": [], "plans": []}
    return {**base, "targets": list(targets), **values}


@pytest.mark.parametrize(
    ("states", "tone", "sentence"),
    [
        (["in_sync", "applied", "asserted"], "good", "All 3 targets are as desired"),
        (["in_sync"], "good", "The target is as desired"),
        (["in_sync", "pending", "waiting"], "warn", "2 of 3 targets wait for a person"),
        (["in_sync", "waiting"], "warn", "1 of 2 targets waits for a person"),
        (["refused", "waiting"], "bad", "1 of 2 targets refused a change"),
        (["refused", "failed", "in_sync"], "bad", "1 of 3 targets failed"),
        ([None, None], "none", "No run has looked at anything yet"),
        ([None, "in_sync"], "warn", "1 of 2 targets not looked at yet"),
    ],
)
def test_the_first_sentence_is_of_whom_most_needs_a_person(
    states: list[str | None], tone: str, sentence: str
) -> None:
    """And green only if nobody does."""
    told = verdict(status(*(target(str(n), one) for n, one in enumerate(states))))
    assert (tone, sentence) == (told.tone, told.sentence)


def test_whatever_else_is_wrong_takes_away_the_green() -> None:
    """Though all targets are as desired."""
    good = target("edge", "in_sync")
    for values in (
        {"feed": {"failures": 2}},
        {"paused": {"by": "ada"}},
        {"todo": [{"overdue": True}]},
    ):
        told = verdict(status(good, **values))
        assert ("warn", 1) == (told.tone, len(told.besides))


def test_targets_stand_in_the_order_of_urgency() -> None:
    """And are counted so."""
    rows = [target("a", "in_sync"), target("b", "failed"), target("c", None), target("d", "failed")]
    assert ["b", "d", "c", "a"] == [one["name"] for one in by_urgency(rows)]
    assert [("failed", 2), (None, 1), ("in_sync", 1)] == [
        (one["state"], one["count"]) for one in tally(rows)
    ]


@pytest.mark.parametrize(
    ("hours", "word"), [(0, "fresh"), (3, "fresh"), (4, "late"), (47, "late"), (48, "stale")]
)
def test_a_list_is_fresh_late_or_stale(hours: int, word: str) -> None:
    """By how often it is asked for, and by when people are told."""
    told = freshness(
        NOW - timedelta(hours=hours),
        now=NOW,
        every=timedelta(hours=1),
        stale_after=timedelta(hours=48),
    )
    assert word == told.word


def refusal(rule: str = "shrink", *, approvable: bool = True) -> Json:
    """A refusal."""
    return {"rule": rule, "approvable": approvable, "resources": []}


def test_a_person_is_asked_with_the_command_that_does_it() -> None:
    """What cannot be done by a command is told without one."""
    rows = [
        target("a", "refused", plan="aa", refusals=[refusal()]),
        target("b", "refused", plan="bb", refusals=[refusal("syntax", approvable=False)]),
        target("c", "refused", refusals=[refusal("foreign_owner", approvable=False)]),
        target("d", "pending", plan="dd"),
        target("e", "pending", plan="ee", mode="watch"),
        target("i", "refused", refusals=[refusal("not_owned", approvable=False)]),
        target("f", "in_sync", paused={"by": "ada", "why": ""}),
    ]
    task: Json = {
        "target": "g",
        "setting": "list",
        "plan": "gg",
        "task": {"title": "paste"},
        "overdue": False,
        "claimed_by": None,
    }
    plans = [
        {"id": one * 2, "target": one, "refused": one == "h", "adopting": True} for one in "ghj"
    ]
    told = asks(status(*rows, todo=[task], plans=plans, paused={"by": "ada", "why": "a move"}))
    assert {
        ("a", "exosync approve aa --why 'REASON'"),
        ("b", ""),
        ("c", "exosync adopt c"),
        ("d", "exosync apply dd"),
        ("e", ""),
        ("f", "exosync resume f"),
        ("g", "exosync todo show g list"),
        ("h", "exosync approve hh"),
        ("i", "exosync adopt i"),
        ("j", "exosync apply jj"),
        ("", "exosync resume"),
    } == {(one.target, one.command) for one in told}
    assert "all writing is paused by ada: a move" in {one.why for one in told}


@pytest.mark.parametrize(
    ("away", "words"),
    [
        (timedelta(seconds=10), "just now"),
        (timedelta(seconds=80), "1 minute ago"),
        (timedelta(minutes=89), "89 minutes ago"),
        (timedelta(hours=30), "30 hours ago"),
        (timedelta(days=3), "3 days ago"),
        (-timedelta(minutes=12), "in 12 minutes"),
    ],
)
def test_how_far_away_a_moment_is(away: timedelta, words: str) -> None:
    """In the largest unit that says enough."""
    assert words == ago(NOW - away, NOW)
    assert words == ago((NOW - away).isoformat(), NOW)


def test_how_long_something_took() -> None:
    """Seconds below a minute."""
    assert ["", "0.4 s", "2 minutes"] == [lasted(None), lasted(0.42), lasted(125)]


def test_a_difference_has_its_signs_and_its_end() -> None:
    """What stays is shown around what changes; a long one ends in words."""
    lines = difference({"before": "a\nb\nc\n", "after": "a\nx\nc\n"})
    assert [("same", "a"), ("remove", "b"), ("add", "x"), ("same", "c")] == [
        (look, text) for look, _, text in lines
    ]
    long = difference({"before": "", "after": "\n".join(map(str, range(1000)))})
    assert ("gap", "…", "and more") == long[-1]
    assert [] == difference({"before": "a", "after": "a"})
