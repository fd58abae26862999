"""Sending what is due: at least once, with the same key at every try, for days if need be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from exosync.alerts.channel import ChannelJob, Message
from exosync.alerts.composing import safe
from exosync.alerts.delays import delay
from exosync.core.words import plural
from exosync.errors import AlertError, ExosyncError
from exosync.log import get_logger
from exosync.secrets import redact
from exosync.store import ChannelRecord, MessageRecord, MessageState, Store

DOWN_AFTER = 3
"""So many failures in a row make a channel down."""

AT_ONCE = 50
_DELIVERED = "delivered_to"


@dataclass(frozen=True, slots=True)
class Sent:
    """What came of sending: how many arrived, failed, and were given up, and the last error."""

    sent: int = 0
    failed: int = 0
    given_up: int = 0
    error: str = ""


def deliver(
    store: Store,
    job: ChannelJob,
    *,
    keep_trying: timedelta,
    now: datetime,
    go_on: Callable[[], bool] = lambda: True,
) -> Sent:
    """Send what is due, until something fails. The caller holds the channel's lock.

    Before each try it is written down that it is made, after it what came of it: a crash in
    between makes a repeat, never a loss.
    """
    told = Sent()
    for _ in range(AT_ONCE):
        message = store.due_message(job.name, now) if go_on() else None
        if message is None:
            break
        channel = store.enrol_channel(job.name)
        store.begin_attempt(
            message.id, due_at=now + delay(message.attempts + 1, 0, permanent=False)
        )
        error = _sent(job, message)
        if error is None:
            _arrived(store, channel, message, now)
            told = replace(told, sent=told.sent + 1)
            continue
        over = _failed(store, channel, message, error, now=now, keep_trying=keep_trying)
        told = replace(
            told, failed=told.failed + 1, given_up=told.given_up + over, error=str(error)
        )
        if is_of_the_channel(channel, message, error):
            break
    return told


def is_of_the_channel(channel: ChannelRecord, message: MessageRecord, error: AlertError) -> bool:
    """Whether a failure tells something of the channel, and not of one message alone.

    A message that some recipients have, or that is refused for good once more while others
    arrive, holds up nothing.
    """
    again = error.permanent and message.attempts > 0 and channel.failures == 0
    return not error.done and not again


def _sent(job: ChannelJob, message: MessageRecord) -> AlertError | None:
    """Try once. Whatever goes wrong in a channel is that channel's failure."""
    alert = dict(message.body or {})
    done = alert.pop(_DELIVERED, ())
    try:
        # Once more: this process may know secrets that the one which composed it did not.
        job.channel.send(Message(safe(alert), done))
    except AlertError as error:
        return error
    except ExosyncError as error:
        return AlertError(str(error))
    except Exception as error:  # noqa: BLE001  (a library's fault must not stop other channels)
        get_logger().warning("alert_channel_fault", channel=job.name, exc_info=error)
        return AlertError(f"{type(error).__name__}: {redact(str(error))}")
    return None


def _arrived(store: Store, channel: ChannelRecord, message: MessageRecord, now: datetime) -> None:
    with store.transaction():
        store.message_sent(message.id, now)
        store.save_channel(replace(channel, down_since=None, failures=0, error="", sent_at=now))
        if channel.down_since is not None:
            store.hasten_messages(channel.name, now)
            _tell_up(store, channel, now)


def _failed(
    store: Store,
    channel: ChannelRecord,
    message: MessageRecord,
    error: AlertError,
    *,
    now: datetime,
    keep_trying: timedelta,
) -> bool:
    """Write a failure down; gives whether the message is given up."""
    of_channel = is_of_the_channel(channel, message, error)
    failures = channel.failures + 1 if of_channel else 0
    wait = delay(message.attempts + 1, failures, permanent=error.permanent)
    due_at = now + max(wait, error.retry_after or timedelta(0))
    over = now >= message.opened_at + keep_trying
    body = dict(message.body or {})
    if error.done:
        body[_DELIVERED] = sorted({*body.get(_DELIVERED, ()), *error.done})
    with store.transaction():
        store.message_failed(
            message.id,
            error=str(error),
            state=MessageState.GIVEN_UP if over else MessageState.WAITING,
            due_at=due_at,
            body=body,
        )
        down_since = channel.down_since
        if down_since is None and _is_down(message, error, failures):
            down_since = now
            _tell_down(store, channel, error, now)
        store.save_channel(
            replace(channel, failures=failures, error=str(error), down_since=down_since)
        )
        if of_channel:
            again = max(delay(1, failures, permanent=False), error.retry_after or timedelta(0))
            store.postpone_messages(channel.name, now + again)
    get_logger().warning(
        "alert_not_sent",
        channel=channel.name,
        message=message.key,
        attempts=message.attempts + 1,
        given_up=over,
        error=str(error),
    )
    return over


def _is_down(message: MessageRecord, error: AlertError, failures: int) -> bool:
    """Whether people are to be told that a channel does not work.

    One message that is refused again and again, while others arrive, was told of once.
    """
    return failures >= DOWN_AFTER or (
        message.attempts == 0 and (error.permanent or bool(error.done))
    )


def _tell_down(store: Store, channel: ChannelRecord, error: AlertError, now: datetime) -> None:
    reached = ", ".join(error.done)
    part = f" everywhere (only {reached})" if reached else ""
    _tell(
        store,
        "channel_down",
        "error",
        f"alerts by {channel.name} do not arrive{part}: {error}",
        {"channel": channel.name, "error": str(error), "since": now.isoformat()},
        now,
    )


def _tell_up(store: Store, channel: ChannelRecord, now: datetime) -> None:
    assert channel.down_since is not None
    hours = int((now - channel.down_since).total_seconds() // 3600)
    span = f"after {plural(hours, 'hour')}" if hours else "after less than an hour"
    _tell(
        store,
        "channel_up",
        "info",
        f"alerts by {channel.name} arrive again, {span}",
        {"channel": channel.name, "since": channel.down_since.isoformat()},
        now,
    )


def _tell(
    store: Store, kind: str, severity: str, title: str, body: dict[str, str], now: datetime
) -> None:
    store.add_event(kind, severity, target=None, title=title, body=body, run_id=None, at=now)
