"""The service's work through months of real versions, with what goes wrong on the way.

CLOCK_SEEDS=20 lets twenty such stories happen, each with all versions and hourly runs,
which takes its time; without it there is a short one.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from random import Random

import pytest

from exosync.config import load
from exosync.core.target import Observed
from exosync.secrets import REDACTOR
from exosync.store import EventRecord, Store
from exosync_adapters.file.target import FileTarget
from tests.serve.company import WRITTEN, Company, company
from tests.serve.microsoft import VERSIONS
from tests.serve.months import DAY, HOUR, LONGEST_OFF, WAIT, Scale, plot
from tests.serve.simulated import START, WATCH_EVERY, Simulated
from tests.standins.endpoints import EndpointsStandIn
from tests.standins.endpoints_replies import status
from tests.standins.webhook import WebhookStandIn
from tests.support.served import configure, file_target

SEEDS = int(os.environ.get("CLOCK_SEEDS", "0"))
SCALE = Scale(len(VERSIONS), HOUR) if SEEDS else Scale(3, 8 * HOUR)
STALE_AFTER = 48 * HOUR
REPEAT = (HOUR, 6 * HOUR, 24 * HOUR)
ENDS = ("target_recovered", "target_back", "drift_repaired", "feed_back", "channel_up")
SLACK = LONGEST_OFF + WATCH_EVERY
"""Where something is told at the latest after its time: the service may have been off."""


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(SEEDS or 1))
def test_after_months_with_bad_days_all_is_right_and_all_was_told(
    tmp_path: Path, seed: int
) -> None:
    """What must never happen on the way is looked for before each step."""
    chance = Random(seed)
    with company(tmp_path, SCALE.drawn(chance), SCALE.pace, chance) as one:
        one.live(plot(one, SCALE))
        with one.service.store() as store:
            events = store.events(100_000)[::-1]
            all_is_right(one, store)
        nothing_went_wrong_inside(events)
        microsoft_was_asked_as_it_wants(one)
        silence_was_told(one, events)
        for name in WRITTEN:
            failures_were_told([event for event in events if event.target == name])
        everything_was_told_once(one.hooks["all"], events, lambda _: True)
        everything_was_told_once(one.hooks["urgent"], events, is_urgent)


def all_is_right(one: Company, store: Store) -> None:
    """Every target that is written is proven right on the newest version; nothing waits."""
    newest = one.versions[-1]
    states = {name: store.target_state(name) for name in (*WRITTEN, "planned")}
    for name in WRITTEN:
        known = states[name]
        assert known is not None
        assert (newest, True) == (known.version, known.verified), known
    assert not (one.folder / "planned" / "exo.txt").exists(), "a plan is not written"
    assert one.versions == [version for _, version in one.adopted]
    assert [] == [run for run in store.runs(100_000) if run.finished_at is None]
    assert [] == store.backlogs()


def nothing_went_wrong_inside(events: list[EventRecord]) -> None:
    """No fault of ours, nothing taken for dead."""
    assert [] == [one.title for one in events if "fault of exosync" in one.title]
    assert "run_interrupted" not in {one.kind for one in events}


def microsoft_was_asked_as_it_wants(one: Company) -> None:
    """For the version once an hour, for the list once a version, and not when it said later."""
    asked = [each for each in one.feed.asked if each.path.startswith("/version")]
    for before, after in pairwise(asked):
        gap = after.at - before.at
        if before.confirms:
            assert SCALE.pace <= gap, f"asked again after {gap} at {after.at}"
        elif before.instead and before.instead.status == 429:
            assert WAIT <= gap, f"asked again after {gap} at {after.at}"
    honest = Counter(each.path for each in one.feed.asked if each.instead is None)
    assert len(one.versions) == honest["/endpoints/Worldwide"]


def silence_was_told(one: Company, events: list[EventRecord]) -> None:
    """That the feed was silent for too long, and that it is back: each time, and once."""
    confirmed = [each.at for each in one.feed.asked if each.confirms]
    told = [event for event in events if event.kind in ("feed_stale", "feed_back")]
    silences = [
        (before, after) for before, after in pairwise(confirmed) if after - before > STALE_AFTER
    ]
    assert ["feed_stale", "feed_back"] * len(silences) == [each.kind for each in told]
    for (before, after), stale, back in zip(silences, told[::2], told[1::2], strict=True):
        assert before + STALE_AFTER <= stale.at <= before + STALE_AFTER + SLACK
        assert after <= back.at <= after + SLACK
    assert silences, "once it was silent for so long"


def failures_were_told(events: list[EventRecord]) -> None:
    """Each once, then less and less often, and its end."""
    told = [
        one for one in events if one.kind in ("target_failed", "still_failing", "target_recovered")
    ]
    times = 0
    for before, after in pairwise(told):
        match before.kind, after.kind:
            case "target_failed" | "still_failing", "still_failing":
                wait = REPEAT[min(times, len(REPEAT) - 1)]
                times += 1
                assert times == after.body["times"]
                assert wait <= after.at - before.at <= wait + SCALE.pace + LONGEST_OFF
            case "target_failed" | "still_failing", "target_recovered":
                times = 0
            case "target_recovered", "target_failed":
                pass
            case wrong:
                pytest.fail(f"{wrong} at {after.at}")
    assert [] == [one for one in told[-1:] if one.kind != "target_recovered"]


def is_urgent(event: EventRecord) -> bool:
    """What the second channel takes: what is serious, and that it is over."""
    serious = event.severity != "info" or event.kind in ENDS
    return serious and event.target in (None, "edge", "mimecast")


def everything_was_told_once(
    hook: WebhookStandIn, events: list[EventRecord], takes: Callable[[EventRecord], bool]
) -> None:
    """Each event came in one message; what came twice had the same key and said the same."""
    bodies: dict[str, set[bytes]] = {}
    for request in hook.requests:
        bodies.setdefault(request.headers["webhook-id"], set()).add(request.body)
    assert {1} == {len(one) for one in bodies.values()}
    arrived = {one.headers["webhook-id"] for one in hook.taken}
    assert arrived == bodies.keys(), "whatever was tried has arrived at last"
    told = Counter(
        event["id"] for (body,) in bodies.values() for event in json.loads(body)["events"]
    )
    own = ("channel_down", "channel_up")
    expected = [
        f"e-{one.id}"
        for one in events
        if takes(one) and not (one.kind in own and one.body["channel"] == hook_name(hook))
    ]
    assert Counter(expected) == told


def hook_name(hook: WebhookStandIn) -> str:
    """The channel that sends there, as its own messages say."""
    name: str = hook.alerts[0]["channel"]
    return name


def service_of(folder: Path, feed: EndpointsStandIn, *, schedule: str) -> Simulated:
    """A service with one target; people are told of six hours of silence."""
    path = configure(
        folder,
        feed.url,
        feed={"url": feed.url, "attempts": 1},
        web={"listen": None},
        schedule={"feed": "3h"},
        alerts={"stale_after": "6h"},
        targets=[file_target(schedule=schedule)],
    )
    return Simulated(load(path, environ={}), {}, Random(0))


def told(service: Simulated, *kinds: str) -> list[str]:
    """The events of these kinds, oldest first."""
    with service.store() as store:
        return [one.kind for one in store.events(1000, kinds=kinds)][::-1]


def test_a_service_that_is_started_again_and_again_still_tells_of_silence(
    tmp_path: Path, feed: EndpointsStandIn
) -> None:
    """The silence began before it did."""
    service = service_of(tmp_path, feed, schedule="3h")
    service.start()
    service.run_until(START + HOUR)
    feed.script(*[status(503)] * 1000)
    for hours in (4.5, 8.5):
        service.run_until(START + hours * HOUR)
        service.start()
    service.run_until(START + 12 * HOUR)
    assert ["feed_stale"] == told(service, "feed_stale", "feed_back")


def test_a_service_that_was_off_for_days_hears_of_everything_first(
    tmp_path: Path, feed: EndpointsStandIn
) -> None:
    """It was not the others that were silent."""
    service = service_of(tmp_path, feed, schedule="1h")
    service.start()
    service.run_until(START + HOUR)
    service.clock.at += 5 * DAY
    service.start()
    service.run_until(service.clock.at + 8 * HOUR)
    assert [] == told(service, "feed_stale", "feed_back", "target_stale")


def test_a_target_that_is_run_once_a_day_is_not_silent_in_between(
    tmp_path: Path, feed: EndpointsStandIn
) -> None:
    """Though people want to hear of six hours of silence."""
    service = service_of(tmp_path, feed, schedule="1d")
    service.start()
    service.run_until(START + 2 * DAY)
    assert [] == told(service, "target_stale")


def test_the_end_of_a_targets_silence_is_told(tmp_path: Path, feed: EndpointsStandIn) -> None:
    """Once, though the next run lies in the future by then."""
    service = service_of(tmp_path, feed, schedule="1d")
    service.start()
    service.run_until(START + HOUR)
    service.hold("edge")
    service.run_until(START + 2 * DAY)
    assert ["target_stale"] == told(service, "target_stale", "target_back")
    service.let_go("edge")
    service.run_until(START + 3 * DAY)
    assert ["target_stale", "target_back"] == told(service, "target_stale", "target_back")


def test_the_end_of_a_fault_of_our_own_is_told(
    tmp_path: Path, feed: EndpointsStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is told once, though it comes again every minute, and without what it may have known."""
    service = service_of(tmp_path, feed, schedule="1h")
    service.start()
    service.run_until(START + HOUR / 2)
    with monkeypatch.context() as broken:
        broken.setattr(FileTarget, "observe", failing)
        service.run_until(START + 2 * HOUR)
    service.run_until(START + 4 * HOUR)
    assert ["target_failed", "target_recovered"] == told(
        service, "target_failed", "still_failing", "target_recovered"
    )
    with service.store() as store:
        (failed,) = store.events(9, kinds=["target_failed"])
    assert "a fault of exosync ended the job: ZeroDivisionError: " in failed.title
    assert "hunter2-of-the-fault" not in failed.title


def failing(*_: object) -> Observed:
    """A fault as none foresaw it, which says too much."""
    REDACTOR.add("hunter2-of-the-fault")
    raise ZeroDivisionError("the password is hunter2-of-the-fault")
