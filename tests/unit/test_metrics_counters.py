"""What a process counts of its runs, its requests and its configuration."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from threading import Barrier, Thread

import pytest
from prometheus_client import CollectorRegistry

from exosync.core.meter import FEED
from exosync.core.plan import Plan
from exosync.core.ranges import IpRanges
from exosync.core.target import (
    Action,
    Check,
    Draft,
    Mode,
    Observed,
    Phase,
    Refusal,
    Step,
    Verification,
)
from exosync.desk import Job, Look
from exosync.errors import (
    ConfigError,
    ExosyncError,
    FeedError,
    FeedRejected,
    FeedThrottled,
    FeedUnreachable,
    StoreError,
    TargetConflict,
    TargetDenied,
    TargetError,
    TargetUnreachable,
)
from exosync.metrics.counters import (
    ConfigGauges,
    Makers,
    RequestCounters,
    RunCounters,
    forget,
)
from exosync.pull import Pulled
from exosync.reconcile import Outcome

AT = datetime(2026, 11, 25, 12, tzinfo=UTC)
JOB = Job("edge", "file", Mode.APPLY, "both", "exosync", None)
OLD = IpRanges.parse(["40.92.0.0/15", "40.107.0.0/17", "52.100.0.0/14"])
NEW = IpRanges.parse(["40.92.0.0/15", "40.107.0.0/16", "104.47.0.0/17"])


class Counted:
    """A registry with everything that counts, and what it tells."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.now = AT
        make = Makers(self.registry)
        self.runs = RunCounters(make, lambda: self.now)
        self.requests = RequestCounters(make)
        self.config = ConfigGauges(make, lambda: self.now)

    def run(self, outcome: Outcome, target: str = "edge") -> None:
        """One run that ends so."""
        with self.runs.run(target) as seen:
            assert outcome is seen(outcome)

    def __call__(self, name: str, **labels: str) -> float | None:
        """One figure."""
        return self.registry.get_sample_value(f"exosync_{name}", labels)

    def above_zero(self, name: str) -> Iterator[dict[str, str]]:
        """The labels of the series of a metric that have counted something."""
        for family in self.registry.collect():
            for one in family.samples:
                if one.name == f"exosync_{name}" and one.value:
                    yield one.labels


@pytest.fixture
def counted() -> Counted:
    """Nothing was counted yet, and there is one target."""
    made = Counted()
    made.runs.begin("edge")
    return made


def step(action: Action = Action.UPDATE) -> Step:
    """One step."""
    return Step("exo.txt", Phase.ADD, action, "write", "", "", "a", "b")


def plan(*steps: Step, refusals: tuple[Refusal, ...] = (), base: IpRanges = OLD) -> Plan:
    """A plan with these steps."""
    return Plan("edge", Draft(base, NEW, steps), refusals, {})


def outcome(*looks: Look, error: FeedError | None = None) -> Outcome:
    """How a run ended."""
    return Outcome(Pulled("2026112300", error=error), None, looks)


PROVEN = Verification((Check("read back", ok=True, message="as desired"),))
WRONG = Verification((Check("read back", ok=False, message="not as desired"),))


def test_a_run_is_counted_by_its_outcome_and_timed(counted: Counted) -> None:
    """With the moment when it ended, by the service's own clock."""
    counted.run(outcome(Look(JOB, plan=plan(), verification=PROVEN)))
    counted.now += timedelta(hours=1)
    counted.run(outcome(Look(JOB, plan=plan(step()))))

    assert (1, 1) == (
        counted("run_total", target="edge", outcome="in_sync"),
        counted("run_total", target="edge", outcome="pending"),
    )
    assert 2 == counted("run_duration_seconds_count", target="edge")
    assert counted.now.timestamp() == counted("last_run_timestamp_seconds", target="edge")


@pytest.mark.parametrize("error", [StoreError("full"), KeyboardInterrupt(), ZeroDivisionError()])
def test_a_run_that_raises_is_abandoned_and_the_error_goes_on(
    counted: Counted, error: BaseException
) -> None:
    """Also where its outcome was seen before, but could not be kept."""
    with pytest.raises(type(error)) as caught, counted.runs.run("edge") as seen:
        seen(outcome(Look(JOB, plan=plan(), verification=PROVEN)))
        raise error

    assert error is caught.value
    assert [{"target": "edge", "outcome": "abandoned"}] == list(counted.above_zero("run_total"))
    assert 1 == counted("run_duration_seconds_count", target="edge")


def test_what_a_run_changed_is_told_address_wise_once_it_was_read_back(counted: Counted) -> None:
    """From what was owned before to what is owned now; and each step that it did."""
    done = (step(Action.CREATE), step(), step())
    look = Look(
        JOB,
        observed=Observed(NEW, {}),
        plan=plan(base=NEW),
        done=done,
        applied=plan(*done),
        verification=PROVEN,
    )

    counted.run(outcome(look))

    changes = {one["action"] for one in counted.above_zero("changes_total")}
    assert {"added", "removed", "widened"} == changes
    assert (1, 2, 0) == tuple(
        counted("steps_total", target="edge", action=one.value)
        for one in (Action.CREATE, Action.UPDATE, Action.DELETE)
    )


def test_what_was_not_read_back_is_no_change_yet(counted: Counted) -> None:
    """The step was done all the same."""
    look = Look(JOB, plan=plan(step()), done=(step(),), error=TargetUnreachable("no answer"))

    counted.run(outcome(look))

    assert [] == list(counted.above_zero("changes_total"))
    assert 1 == counted("steps_total", target="edge", action="update")


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (TargetUnreachable("no answer"), "unreachable"),
        (TargetDenied("no"), "denied"),
        (TargetConflict("changed"), "conflict"),
        (ConfigError("no such file"), "configuration"),
        (FeedThrottled("later", not_before=AT), "feed"),
        (TargetError("strange"), "other"),
        (StoreError("full"), "other"),
    ],
)
def test_a_failure_is_counted_by_its_kind(counted: Counted, error: ExosyncError, kind: str) -> None:
    """As the error tree tells them apart, and never by the text."""
    counted.run(outcome(Look(JOB, error=error)))

    assert [{"target": "edge", "kind": kind}] == list(counted.above_zero("target_errors_total"))


def test_a_proof_that_fails_is_a_failure_of_its_own_kind(counted: Counted) -> None:
    """There is no error to go by."""
    counted.run(outcome(Look(JOB, plan=plan(), verification=WRONG)))

    found = list(counted.above_zero("target_errors_total"))
    assert [{"target": "edge", "kind": "not_verified"}] == found


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (FeedUnreachable("no answer"), "unreachable"),
        (FeedThrottled("later", not_before=AT), "throttled"),
        (FeedRejected("empty", rule="empty"), "rejected"),
        (FeedError("none"), "other"),
    ],
)
def test_a_feed_that_fails_is_counted_by_what_is_wrong(
    counted: Counted, error: FeedError, kind: str
) -> None:
    """The run counts as failed."""
    counted.run(outcome(error=error), FEED)

    assert [{"kind": kind}] == list(counted.above_zero("feed_errors_total"))
    assert 1 == counted("run_total", target=FEED, outcome="failed")


def test_refusals_that_stand_are_counted_by_their_rule(counted: Counted) -> None:
    """Those of a plan each time, that of the feed, and none that a person has lifted."""
    shrink = Refusal("shrink", "too much", "50%", approvable=True)
    two = plan(step(), refusals=(shrink, Refusal("empty", "nothing", "0")))
    lifted = Plan("edge", Draft(OLD, NEW, (step(),)), (shrink,), {}, approved=True)
    for _ in range(2):
        counted.run(outcome(Look(JOB, plan=two), Look(JOB, plan=lifted)))
    counted.run(outcome(error=FeedRejected("html", rule="html")), FEED)

    assert (2, 2, 1) == tuple(
        counted("refused_total", rule=one) for one in ("shrink", "empty", "html")
    )


def test_a_target_starts_at_zero(counted: Counted) -> None:
    """So that the first change, failure or step is seen as an increase."""
    assert (0, 0, 0) == (
        counted("changes_total", target="edge", action="added"),
        counted("steps_total", target="edge", action="update"),
        counted("target_errors_total", target="edge", kind="denied"),
    )
    assert 0 == counted("feed_errors_total", kind="rejected")


def test_requests_are_counted_and_timed_for_each_target(counted: Counted) -> None:
    """By outcome."""
    meter = counted.requests.meter("edge")
    for word, seconds in (("2xx", 0.2), ("2xx", 0.4), ("timeout", 30)):
        meter(word, seconds)

    assert (2, 1) == tuple(
        counted("http_requests_total", target="edge", outcome=one) for one in ("2xx", "timeout")
    )
    seconds_of = "http_request_duration_seconds"
    assert (3, 30.6) == (
        counted(f"{seconds_of}_count", target="edge"),
        counted(f"{seconds_of}_sum", target="edge"),
    )
    assert 2 == counted(f"{seconds_of}_bucket", target="edge", le="0.5")


def test_a_target_that_is_gone_leaves_no_series(counted: Counted) -> None:
    """Another one, and the feed, keep theirs."""
    counted.runs.begin("other")
    for name in ("edge", "other", FEED):
        counted.run(outcome(Look(JOB, error=TargetError("no"))), name)
        counted.requests.meter(name)("2xx", 1)

    forget((*counted.runs.of_targets, *counted.requests.of_targets), {"edge", FEED})

    left = {
        one.labels["target"]
        for family in counted.registry.collect()
        for one in family.samples
        if "target" in one.labels
    }
    assert {"other", FEED} <= left
    kept = {name for name in ("run_total", "http_requests_total") if _has(counted, name, "edge")}
    assert set() == kept


def _has(counted: Counted, name: str, target: str) -> bool:
    return any(one.get("target") == target for one in counted.above_zero(name))


def test_a_configuration_that_is_refused_shows_until_the_next_good_one(counted: Counted) -> None:
    """The moment is that of the last good one."""
    good, at = "config_last_reload_successful", "config_last_reload_success_timestamp_seconds"
    counted.config.tell(good=True)
    first = counted.now
    counted.now += timedelta(hours=1)
    counted.config.tell(good=False)

    assert (0, first.timestamp()) == (counted(good), counted(at))

    counted.config.tell(good=True)
    assert (1, counted.now.timestamp()) == (counted(good), counted(at))


def test_nothing_is_lost_where_many_threads_count(counted: Counted) -> None:
    """Targets are run side by side."""
    meter, start = counted.requests.meter("edge"), Barrier(8)

    def work() -> None:
        start.wait()
        for _ in range(200):
            meter("2xx", 0.1)
            counted.run(outcome(Look(JOB, error=TargetDenied("no"))))

    threads = [Thread(target=work) for _ in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()

    assert (1600, 1600, 1600) == (
        counted("http_requests_total", target="edge", outcome="2xx"),
        counted("run_total", target="edge", outcome="failed"),
        counted("target_errors_total", target="edge", kind="denied"),
    )
