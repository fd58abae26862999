"""Which events a channel takes."""

from __future__ import annotations

import pytest

from exosync.alerts.kinds import KINDS, advice, foremost, kind_of, thread_of, worst
from exosync.alerts.routing import Route
from exosync.config.alert_types import EVENT_KINDS
from tests.alerts.kit import event

LABELS = {"edge": ("dmz", "mail"), "spf": ()}


def route(**rules: object) -> Route:
    """A channel's route."""
    return Route(channel="ops", labels_of=LABELS, **rules)  # type: ignore[arg-type]


def test_a_channel_without_rules_takes_everything() -> None:
    """But what is about itself."""
    for kind in KINDS:
        assert route().takes(event(kind)), kind


def test_every_kind_can_be_named_in_the_configuration() -> None:
    """And no other."""
    assert sorted(KINDS) == list(EVENT_KINDS)


@pytest.mark.parametrize(
    ("least", "severity", "taken"),
    [
        ("info", "info", True),
        ("warning", "info", False),
        ("warning", "warning", True),
        ("error", "warning", False),
        ("error", "error", True),
        ("error", "unheard of", True),
    ],
)
def test_the_least_severity_counts(least: str, severity: str, *, taken: bool) -> None:
    """What nobody knows is taken for the worst."""
    assert taken == route(severity=least).takes(event("paused", severity=severity))


@pytest.mark.parametrize("kind", ["target_recovered", "channel_up"])
def test_whoever_is_told_of_errors_is_told_of_their_end(kind: str) -> None:
    """Though the end is no error."""
    assert route(severity="error").takes(event(kind))


@pytest.mark.parametrize("kind", ["feed_back", "drift_repaired", "step_seen", "acknowledged"])
def test_whoever_is_told_of_warnings_is_told_of_their_end(kind: str) -> None:
    """And who wants errors alone is not."""
    assert route(severity="warning").takes(event(kind))
    assert not route(severity="error").takes(event(kind))


def test_kinds_are_named_by_patterns() -> None:
    """Several may fit."""
    taken = route(events=("target_*", "refused"))
    assert ["refused", "still_failing", "target_failed"] == [
        one
        for one in ("applied", "refused", "still_failing", "target_failed")
        if taken.takes(event(one)) or one == "still_failing"
    ]
    assert not taken.takes(event("still_failing"))


def test_targets_are_named_by_patterns() -> None:
    """What is about no target concerns all."""
    taken = route(targets=("e*",))
    assert taken.takes(event("applied", target="edge"))
    assert not taken.takes(event("applied", target="spf"))
    assert taken.takes(event("ranges_changed"))


def test_targets_are_chosen_by_their_labels() -> None:
    """One that fits is enough; a target without labels fits none."""
    taken = route(labels=("mail", "web"))
    assert taken.takes(event("applied", target="edge"))
    assert not taken.takes(event("applied", target="spf"))
    assert not taken.takes(event("applied", target="unknown"))


def test_names_and_labels_must_both_fit() -> None:
    """Where both are given."""
    assert not route(targets=("spf",), labels=("mail",)).covers("edge")
    assert route(targets=("edge",), labels=("mail",)).covers("edge")


def test_a_channel_tells_nothing_of_itself() -> None:
    """The others do."""
    own = {"channel": "ops"}
    assert not route().takes(event("channel_down", body=own))
    assert not route().takes(event("channel_up", body=own))
    assert route().takes(event("channel_down", body={"channel": "hook"}))


@pytest.mark.parametrize(
    ("kind", "thread"),
    [
        ("ranges_changed", "version:Worldwide:2026112500"),
        ("target_failed", "target:edge:failing"),
        ("target_recovered", "target:edge:failing"),
        ("step_overdue", "target:edge:todo:inbound_gateway"),
        ("feed_back", "feed:stale"),
        ("channel_up", "channel:hook"),
        ("service_started", "service"),
        ("of_the_future", "of_the_future:"),
    ],
)
def test_events_of_one_matter_share_a_conversation(kind: str, thread: str) -> None:
    """A kind that is not known has one of its own."""
    assert thread == thread_of(event(kind))


def test_what_ends_something_is_in_the_conversation_that_it_ends() -> None:
    """So that a mail of the end stands below that of the beginning."""
    pairs = {
        "target_failed": "target_recovered",
        "target_stale": "target_back",
        "drift": "drift_repaired",
        "person_needed": "step_seen",
        "feed_stale": "feed_back",
        "channel_down": "channel_up",
        "paused": "resumed",
    }
    for begin, end in pairs.items():
        assert thread_of(event(begin, target="edge")) == thread_of(event(end, target="edge"))
        assert kind_of(begin).begins
        assert not kind_of(end).begins


def test_advice_is_a_command_that_can_be_typed() -> None:
    """With the names of the event in it."""
    assert ("to go on", "exosync resume edge") in list(advice(event("paused", target="edge")))
    assert ("to go on", "exosync resume") in list(advice(event("paused")))
    assert "exosync show r-12" in [command for _, command in advice(event("run_interrupted"))]


def test_what_matters_most_comes_first() -> None:
    """By kind, whatever the order of the events."""
    events = [event("applied", 1), event("target_recovered", 2), event("drift", 3)]
    assert "target_recovered" == foremost(events).kind
    assert "warning" == worst(one.severity for one in events)
    assert "info" == worst([])
