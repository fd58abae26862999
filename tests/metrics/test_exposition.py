"""What a scrape gives: documented, well formed, bounded, and right."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from exosync.core import guards, intake
from exosync.core.changes import ChangeKind
from exosync.core.meter import FEED, OUTCOMES
from exosync.core.target import Action, State
from exosync.metrics.counters import FEED_ERRORS, NOT_VERIFIED, TARGET_ERRORS
from exosync.store import ABANDONED
from tests.metrics.kit import Watched, needs_promtool, promtool

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "metrics.md"

ALLOWED = {
    "target": {FEED, "edge", "mimecast", "google", "broken", "planned", "taken", "looked_at"},
    "state": {one.value for one in State},
    "kind": {*FEED_ERRORS.values(), *TARGET_ERRORS.values(), NOT_VERIFIED}
    | {"file", "mimecast", "google_workspace"},
    "mode": {"watch", "plan", "apply"},
    "outcome": {one.value for one in State} | {ABANDONED, *OUTCOMES},
    "action": {one.value for one in ChangeKind} | {one.value for one in Action},
    "family": {"ipv4", "ipv6"},
    "source": {"microsoft", "extra", "leaving"},
    "channel": {"ops", "desk", "gone"},
    "feed_instance": {"USGovGCCHigh"},
    "version": {"2024073100"},
    "rule": {*guards.RULES, *intake.RULES, "foreign_owner"},
}
"""Every label of ours with all the values that it may have here."""


def documented() -> dict[str, tuple[str, frozenset[str]]]:
    """Each metric of the page with its type and its labels."""
    rows = re.findall(r"^\| `([a-z0-9_]+)` \| ([a-z]+) \|([^|]*)\|", PAGE.read_text(), re.MULTILINE)
    return {
        name: (kind, frozenset(re.findall(r"`([a-z_]+)`", labels))) for name, kind, labels in rows
    }


def test_every_metric_is_documented_with_its_type_and_labels(lived: Watched) -> None:
    """What a scrape gives stands on the page, and what stands there is given."""
    exposed = {
        name: (
            one.type,
            frozenset(label for sample in one.samples for label in sample.labels) - {"le"},
        )
        for name, one in lived.families().items()
    }

    assert documented() == exposed


@needs_promtool
def test_promtool_finds_nothing_to_blame(lived: Watched) -> None:
    """Prometheus' own rules for names, types and help texts."""
    done = promtool("check", "metrics", given=lived.metrics.render().decode())

    assert (0, "") == (done.returncode, done.stdout)


def test_labels_have_values_that_are_few_and_known(lived: Watched) -> None:
    """Neither an address nor the id of a plan nor a text: the number of series is bounded."""
    found = {
        (label, value)
        for name, one in lived.families().items()
        if name.startswith("exosync_") and name != "exosync_build_info"
        for sample in one.samples
        for label, value in sample.labels.items()
        if label != "le"
    }

    assert set() == {(label, value) for label, value in found if value not in ALLOWED[label]}


def test_the_figures_are_those_of_the_state(lived: Watched) -> None:
    """One target of each way to stand, and what waits there."""
    stands = {
        sample.labels["target"]: sample.labels["state"]
        for sample in lived.families()["exosync_target_state"].samples
        if sample.value
    }
    assert {
        "edge": "applied",
        "mimecast": "in_sync",
        "google": "waiting",
        "broken": "failed",
        "planned": "pending",
        "taken": "refused",
        "looked_at": "pending",
    } == stands
    waiting = {
        name: {
            sample.labels["target"]: sample.value
            for sample in lived.families()[f"exosync_{name}"].samples
            if sample.value
        }
        for name in (
            "plans_waiting",
            "tasks_open",
            "tasks_overdue",
            "paused",
            "drift_entries",
            "consecutive_failures",
        )
    }
    assert {
        "plans_waiting": {"planned": 1},
        "tasks_open": {"google": 1},
        "tasks_overdue": {"google": 1},
        "paused": {"planned": 1},
        "drift_entries": {"edge": 1},
        "consecutive_failures": {"broken": 2},
    } == waiting


def test_moments_are_those_of_the_clock(lived: Watched) -> None:
    """Proof, success, the next run, the heartbeat and the feed."""
    now = lived.now.timestamp()
    days = 24 * 3600
    verified = "exosync_target_last_verified_timestamp_seconds"
    success = "exosync_last_success_timestamp_seconds"

    assert (now, now) == (
        lived.figure(verified, target="edge"),
        lived.figure(success, target="planned"),
    )
    assert (None, None) == (
        lived.figure(verified, target="google"),
        lived.figure(success, target="broken"),
    )
    assert now - 3 * days == lived.figure(
        "exosync_target_state_since_timestamp_seconds", target="broken"
    )
    assert now + 3600 == lived.figure("exosync_next_run_timestamp_seconds", target=FEED)
    assert now == lived.figure("exosync_heartbeat_timestamp_seconds")
    assert 0 == lived.figure("exosync_feed_age_seconds")


def test_ranges_are_counted_by_family_and_source(lived: Watched) -> None:
    """GCC High publishes six and three; one extra is configured."""
    found = {
        (sample.labels["family"], sample.labels["source"]): sample.value
        for sample in lived.families()["exosync_ranges"].samples
    }

    assert {
        ("ipv4", "microsoft"): 6,
        ("ipv4", "extra"): 1,
        ("ipv4", "leaving"): 0,
        ("ipv6", "microsoft"): 3,
        ("ipv6", "extra"): 0,
        ("ipv6", "leaving"): 0,
    } == found


def test_channels_tell_what_they_have_not_sent(lived: Watched) -> None:
    """Messages of a channel that is configured no more are told too; it is neither up nor down."""
    figures = {
        name: {
            sample.labels["channel"]: sample.value
            for sample in lived.families()[f"exosync_{name}"].samples
        }
        for name in ("alerts_pending", "alerts_given_up", "channel_up")
    }

    assert {
        "alerts_pending": {"ops": 1, "desk": 0, "gone": 1},
        "alerts_given_up": {"ops": 1, "desk": 0, "gone": 0},
        "channel_up": {"ops": 1, "desk": 0},
    } == figures


@pytest.mark.parametrize(
    ("name", "labels", "expected"),
    [
        ("run_total", {"target": "broken", "outcome": "failed"}, 2),
        ("run_total", {"target": FEED, "outcome": "in_sync"}, 2),
        ("run_duration_seconds_count", {"target": "edge"}, 2),
        ("changes_total", {"target": "edge", "action": "added"}, 10),
        ("changes_total", {"target": "planned", "action": "added"}, 0),
        ("steps_total", {"target": "edge", "action": "create"}, 1),
        ("steps_total", {"target": "edge", "action": "update"}, 1),
        ("refused_total", {"rule": "foreign_owner"}, 2),
        ("refused_total", {"rule": "shrink"}, 0),
        ("target_errors_total", {"target": "broken", "kind": "other"}, 2),
        ("target_errors_total", {"target": "edge", "kind": "other"}, 0),
        ("feed_errors_total", {"kind": "unreachable"}, 0),
    ],
)
def test_what_runs_came_to_is_counted(
    lived: Watched, name: str, labels: dict[str, str], expected: int
) -> None:
    """Two rounds of runs: the first writes, the second repairs what somebody changed."""
    assert expected == lived.figure(f"exosync_{name}", **labels)
