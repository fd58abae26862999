"""From events to what arrives: collected once, told together, tried for days, never lost."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from exosync.alerts import check_outbox, enrol, flush, pending, try_channel
from exosync.alerts.outbox import AT_ONCE
from exosync.errors import AlertError, ConfigError
from exosync.store import MessageState, RunLock
from tests.alerts.conftest import Founder
from tests.alerts.kit import AT, Office, event, hook, no


def states(office: Office) -> list[str]:
    """How the messages stand, oldest first."""
    return [one.state.value for one in office.messages()]


def test_an_event_arrives_once(office: Office) -> None:
    """And is remembered as sent."""
    office.happen("target_failed", title="edge failed: no answer")
    ticked = office.tick()
    assert (1, 1, 0) == (ticked.collected, ticked.sent, ticked.failed)
    assert ["edge failed: no answer"] == office.pigeon().told
    assert (0, 0) == (office.tick().collected, office.tick().sent)
    assert ["sent"] == states(office)
    assert 1 == len(office.pigeon().messages)


def test_a_channel_that_is_new_starts_at_the_newest_event(found: Founder) -> None:
    """Nobody wants the history of years by mail."""
    one = found(hook())
    one.happen("target_failed", title="old")
    assert 0 == one.tick().collected
    one.happen("target_recovered", title="new")
    one.tick()
    assert ["new"] == one.pigeon().told


def test_a_channel_can_be_made_known_before_a_run(found: Founder) -> None:
    """So that the very first run is told of."""
    one = found(hook())
    with one.opened() as store:
        enrol(store, one.loaded.config)
        enrol(store, one.loaded.config)
    one.happen("feed_adopted", title="first version")
    one.run("2026112500", edge="in_sync")
    one.tick()
    assert ["first version"] == one.pigeon().told


def test_a_new_version_waits_for_its_targets_and_is_one_message(office: Office) -> None:
    """It closes as soon as all have been run against it."""
    office.happen("ranges_changed", title="new version")
    office.tick()
    run = office.run("2026112500", edge="applied")
    office.happen("applied", target="edge", run=run, title="edge: 1 step done")
    office.pass_time(seconds=30)
    office.tick()
    assert [] == office.pigeon().messages
    run = office.run("2026112500", spf="refused")
    office.happen("refused", target="spf", run=run, title="spf: refused by shrink")
    office.tick()
    assert ["new version", "edge: 1 step done", "spf: refused by shrink"] == office.pigeon().told
    assert 1 == len(office.pigeon().messages)


def test_a_target_that_is_not_run_is_not_waited_for_longer_than_the_group(office: Office) -> None:
    """The message says that it was not looked at yet."""
    office.happen("ranges_changed")
    office.tick()
    office.pass_time(minutes=1, seconds=59)
    office.tick()
    assert [] == office.pigeon().messages
    office.pass_time(seconds=1)
    office.tick()
    (title,) = office.pigeon().titles
    assert "of 2 targets 2 not looked at yet" in title


def test_a_run_at_work_is_waited_for_five_times_as_long(office: Office) -> None:
    """Not for ever: a run may have died."""
    office.happen("ranges_changed")
    with office.opened() as store:
        store.begin_run("sync spf", office.now, scope="spf")
    office.tick()
    office.pass_time(minutes=9, seconds=59)
    office.tick()
    assert [] == office.pigeon().messages
    office.pass_time(seconds=1)
    office.tick()
    assert 1 == len(office.pigeon().messages)


def test_a_channel_for_one_target_does_not_wait_for_the_others(found: Founder) -> None:
    """Nor does it tell of them."""
    one = found(hook(labels=["of-edge"]), targets=("edge", "spf"))
    one.tick()
    one.happen("ranges_changed", title="new version")
    one.happen("target_failed", target="spf", title="spf failed")
    one.run("2026112500", edge="applied")
    one.tick()
    (message,) = one.pigeon().messages
    assert ["edge"] == [part["name"] for part in message.alert["targets"]]
    assert ["new version"] == one.pigeon().told


def test_a_failure_and_its_end_are_one_conversation(office: Office) -> None:
    """The second failure begins another."""
    for kind in ("target_failed", "still_failing", "target_recovered", "target_failed"):
        office.happen(kind)
        office.tick()
        office.pass_time(hours=1)
    alerts = [one.alert for one in office.pigeon().messages]
    first = alerts[0]["id"]
    assert [None, first, first, None] == [one["reply_to"] for one in alerts]
    assert 1 == len({one["thread"] for one in alerts})


def test_many_events_at_once_are_all_taken(office: Office) -> None:
    """More than one transaction takes, and above the limit in digests."""
    count = AT_ONCE + 5
    with office.opened() as store, store.transaction():
        for number in range(count):
            made = event("target_failed", title=f"number {number}")
            store.add_event(
                made.kind,
                made.severity,
                target="edge",
                title=made.title,
                body=dict(made.body),
                run_id=None,
                at=office.now,
            )
    assert count == office.tick().collected
    office.pass_time(hours=1)
    office.tick()
    assert [f"number {number}" for number in range(count)] == sorted(
        office.pigeon().told, key=lambda one: int(one.split()[1])
    )


def test_above_the_limit_one_message_tells_the_rest(found: Founder) -> None:
    """An hour later there is room again."""
    one = found(hook(max_per_hour=3))
    one.tick()
    for number in range(10):
        one.happen("config_changed", title=f"number {number}")
        one.tick()
        one.pass_time(minutes=1)
    assert 3 == len(one.pigeon().messages)
    one.pass_time(hours=1)
    one.tick()
    assert 4 == len(one.pigeon().messages)
    assert "7 events in one message" == one.pigeon().titles[-1]
    assert [f"number {number}" for number in range(10)] == one.pigeon().told


def test_a_failure_is_tried_again_with_the_same_key(office: Office) -> None:
    """Later each time."""
    office.happen("target_failed")
    office.pigeon().script = [no(), no(), no(), None]
    waits = []
    while not office.pigeon().messages:
        ticked = office.tick()
        if ticked.next_at:
            waits.append((ticked.next_at - office.now).total_seconds() / 60)
            office.now = ticked.next_at - timedelta(seconds=1)
            assert 0 == office.tick().failed, "not before it is due"
            office.pass_time(seconds=1)
    assert [1, 2, 5] == waits
    assert 4 == len(office.pigeon().tried)
    assert 1 == len(set(office.pigeon().tried))


def test_a_channel_that_is_down_is_told_by_the_others_once(found: Founder) -> None:
    """And that it works again."""
    one = found(hook("ops"), hook("boss", events=["channel_*"]))
    one.tick("ops")
    one.tick("boss")
    one.pigeon("ops").script = [no("busy")] * 5
    one.happen("target_failed")
    for _ in range(6):
        one.tick("ops")
        one.tick("boss")
        one.pass_time(hours=1)
    down, up = one.pigeon("boss").messages
    assert "alerts by ops do not arrive: busy" == down.alert["title"]
    assert "alerts by ops arrive again, after 3 hours" == up.alert["title"]
    assert down.key == up.alert["reply_to"]
    assert 1 == len(one.pigeon("ops").messages)
    assert 2 == len(one.events("channel_down", "channel_up"))


def test_two_failures_are_no_news(office: Office) -> None:
    """Servers are restarted now and then."""
    office.happen("target_failed")
    office.pigeon().script = [no(), no(), None]
    for _ in range(3):
        office.tick()
        office.pass_time(minutes=5)
    assert [] == office.events("channel_down")
    assert ["sent"] == states(office)


def test_a_refusal_for_good_is_told_at_once_and_tried_seldom(office: Office) -> None:
    """A person has to mend something."""
    office.happen("target_failed")
    office.pigeon().script = [no("550 no such user", permanent=True)]
    ticked = office.tick()
    assert ["alerts by ops do not arrive: 550 no such user"] == office.events("channel_down")
    assert office.now + timedelta(hours=1) == ticked.next_at
    assert ["waiting"] == states(office)


def test_one_message_that_is_refused_does_not_hold_up_the_others(office: Office) -> None:
    """Nor is it told of again and again, and when its time is over it is given up."""
    office.happen("target_failed", title="poison")
    poison = no("413 too large", permanent=True)
    office.pigeon().script = [poison]
    office.tick()
    office.happen("feed_stale", title="another")
    office.tick()
    office.pass_time(minutes=1)
    office.pigeon().script = [None, poison]
    assert (1, 1) == ((ticked := office.tick()).sent, ticked.failed)
    assert ["another"] == office.pigeon().told
    for _ in range(40):
        office.pass_time(hours=6)
        office.pigeon().script = [poison]
        office.tick()
    assert 1 == len(office.events("channel_down"))
    assert ["given_up", "sent"] == states(office)


def test_a_message_that_does_not_arrive_for_a_week_is_given_up_and_kept(office: Office) -> None:
    """It is shown, and can be tried again."""
    office.happen("target_failed")
    office.pigeon().script = [no("busy")] * 100
    tries = 0
    while "waiting" in states(office) or not tries:
        ticked = office.tick()
        tries += ticked.failed
        office.now = ticked.next_at or office.now
    assert office.now >= AT + timedelta(days=7)
    assert 30 < tries < 40
    (message,) = office.messages()
    assert (MessageState.GIVEN_UP, "busy") == (message.state, message.error)
    assert 0 == office.tick().failed
    with office.opened() as store:
        (health,) = pending(store, office.loaded.config)
        store.revive_messages([message.id], office.now)
    assert (1, "busy") == (health.given_up, health.error)
    office.pigeon().script = []
    assert 1 == office.tick().sent


def test_a_machine_that_was_off_for_longer_tries_at_least_once(office: Office) -> None:
    """Its messages are not given up unseen."""
    office.happen("target_failed")
    office.pigeon().script = [no()]
    office.tick()
    office.pass_time(days=30)
    assert 1 == office.tick().sent


def test_a_backlog_waits_as_one(office: Office) -> None:
    """A dead server is not knocked at for each message."""
    for number in range(20):
        office.happen("config_changed", title=f"number {number}")
        office.tick()
    office.pigeon().messages.clear()
    office.pigeon().tried.clear()
    office.pass_time(hours=2)
    office.pigeon().script = [no()] * 8
    for number in range(20):
        office.happen("feed_stale", title=f"number {number}")
        office.tick()
        office.pass_time(seconds=15)
    assert 3 == len(office.pigeon().tried)
    office.pigeon().script = []
    office.pass_time(hours=6)
    office.tick()
    assert 20 == len(office.pigeon().messages)


def test_a_channel_may_ask_for_a_longer_pause(office: Office) -> None:
    """As by Retry-After."""
    office.happen("target_failed")
    office.pigeon().script = [no(retry_after=timedelta(hours=2))]
    assert office.now + timedelta(hours=2) == office.tick().next_at


def test_who_has_a_message_does_not_get_it_again(office: Office) -> None:
    """Where only some of the recipients were refused; it is told once, and the rest goes on."""
    office.happen("target_failed", title="first")
    refused = no("not for b@example.com: 550", permanent=True, done=["a@example.com"])
    office.pigeon().script = [refused, refused, None]
    office.tick()
    office.happen("feed_stale", title="second")
    ticked = office.tick()
    assert (0, 1) == (ticked.sent, ticked.failed), "the other message is not held up"
    (told,) = office.events("channel_down")
    assert "do not arrive everywhere (only a@example.com)" in told
    office.pass_time(hours=1)
    office.tick()
    assert [["a@example.com"], ["a@example.com"]] == [
        list(one.done) for one in office.pigeon().messages
    ]
    assert all("delivered_to" not in one.alert for one in office.pigeon().messages)


@pytest.mark.parametrize(
    "fault", [ConfigError("secret file x does not exist"), RuntimeError("a fault of a library")]
)
def test_whatever_goes_wrong_in_a_channel_stays_there(office: Office, fault: Exception) -> None:
    """It is a failure like any other."""
    office.happen("target_failed")
    office.pigeon().script = [fault]
    ticked = office.tick()
    assert 1 == ticked.failed
    assert str(fault) in ticked.error
    office.pass_time(minutes=1)
    assert 1 == office.tick().sent


def test_one_process_at_a_time_has_a_channel_in_hand(office: Office) -> None:
    """The other one says so, and does nothing."""
    office.happen("target_failed")
    lock = RunLock(office.folder / "exosync.db", command="another", what="alerts ops")
    with lock.held(at=AT):
        ticked = office.tick()
    assert (True, 0) == (ticked.busy, ticked.collected)
    assert 1 == office.tick().sent


def test_a_channel_at_rest_does_not_touch_the_disk(office: Office) -> None:
    """It is asked every few seconds."""
    office.tick()
    path = office.folder / "exosync.db-wal"
    before = path.stat() if path.exists() else None
    with office.opened() as store, RunLock(store.path, command="x", what="alerts ops").held(at=AT):
        assert not office.tick().busy, "not even the lock is taken"
    after = path.stat() if path.exists() else None
    assert before == after


def test_a_clock_that_was_set_back_does_not_silence_a_channel(office: Office) -> None:
    """What was put off until a future that is far away is due."""
    office.happen("target_failed")
    office.pigeon().script = [no()]
    office.tick()
    office.pass_time(days=-300)
    assert 1 == office.tick().sent


def test_a_channel_that_is_gone_keeps_its_messages_and_check_says_so(office: Office) -> None:
    """They could be wanted."""
    office.happen("target_failed")
    office.pigeon().script = [no()]
    office.tick()
    office.channels = [hook("new")]
    with office.opened() as store:
        checks = dict(check_outbox(store, office.loaded.config))
        kinds = [(one.name, one.kind) for one in pending(store, office.loaded.config)]
    assert [("new", "webhook"), ("ops", None)] == kinds
    assert checks["ops"].ok is None
    assert "no longer configured: 1 message waiting" == checks["ops"].message
    assert checks["new"].ok


def test_check_tells_of_channels_that_are_down_and_of_what_was_given_up(office: Office) -> None:
    """And of a route that leads nowhere."""
    office.happen("target_failed")
    office.pigeon().script = [no("busy", permanent=True)]
    office.tick()
    office.channels = [hook(targets=["edeg"])]
    with office.opened() as store:
        outbox, routing = [check for _, check in check_outbox(store, office.loaded.config)]
    assert outbox.ok is False
    assert "down since 2026-11-25 10:17 UTC: busy; 1 message waiting" == outbox.message
    assert routing.ok is None
    assert "fit no target" in routing.message
    office.pass_time(days=8)
    office.pigeon().script = [no("busy")]
    office.tick()
    with office.opened() as store:
        one = next(check for _, check in check_outbox(store, office.loaded.config))
    assert "1 message given up" in one.message


def test_a_test_goes_past_the_outbox(office: Office) -> None:
    """And raises what went wrong."""
    key = try_channel(office.job(), "exosync", AT)
    assert [key] == office.pigeon().tried
    assert [] == office.messages()
    office.pigeon().script = [no("busy")]
    with pytest.raises(AlertError, match="busy"):
        try_channel(office.job(), "exosync", AT)


def test_a_command_sends_what_it_can_in_its_time(found: Founder) -> None:
    """The rest stays for the next one; here there is no time at all."""
    one = found(hook())
    with one.opened() as store:
        enrol(store, one.loaded.config)
    one.happen("target_failed")
    with one.opened() as store:
        (ticked,) = flush(store, one.loaded, {}, one.now, seconds=0)
    assert (1, 0, 0) == (ticked.collected, ticked.sent, ticked.failed)
    assert ["waiting"] == states(one)


def test_a_command_turns_to_channels_that_work_first(found: Founder) -> None:
    """One that hangs would take all of the time, at each command anew."""
    one = found(hook("hangs"), hook("works"))
    for name in ("hangs", "works"):
        one.tick(name)
    one.happen("target_failed")
    one.pigeon("hangs").script = [no()]
    one.tick("hangs")
    with one.opened() as store:
        ticked = flush(store, one.loaded, {}, one.now, seconds=0)
    assert ["works", "hangs"] == [each.channel for each in ticked]


def test_a_command_without_channels_does_nothing(found: Founder) -> None:
    """Not even the heartbeat."""
    one = found(settings={"heartbeat": "weekly"})
    with one.opened() as store:
        assert () == flush(store, one.loaded, {}, one.now)
    assert [] == one.events("heartbeat")


def test_a_command_tells_of_silence_where_no_service_watches(found: Founder) -> None:
    """Of the feed, of targets, and that all is well or not."""
    one = found(hook(), settings={"heartbeat": "weekly"})
    one.run("2026112500", edge="failed")
    one.pass_time(days=3)
    with one.opened() as store:
        (ticked,) = flush(store, one.loaded, {}, one.now, seconds=0)
    assert ticked.collected
    assert 1 == len(one.events("target_stale"))
    assert 1 == len(one.events("heartbeat"))


def everything(office: Office) -> list[dict[str, Any]]:
    """All that arrived."""
    return [one.alert for one in office.pigeon().messages]


def test_a_message_tells_how_things_stood_when_it_was_made(office: Office) -> None:
    """Not when it arrives, days later perhaps."""
    office.run("2026112500", edge="failed")
    office.happen("target_failed")
    office.pigeon().script = [no()]
    office.tick()
    office.run("2026112500", edge="in_sync")
    office.pass_time(hours=1)
    office.tick()
    (alert,) = everything(office)
    assert "failed" == alert["targets"][0]["state"]
    assert AT.isoformat() == alert["at"]
