"""The outbox: how each channel stands, and its messages from the first event to the last try."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, func, insert, select, text, update

from exosync.store.records import (
    ChannelRecord,
    EventRecord,
    Json,
    MessageRecord,
    MessageState,
)
from exosync.store.session import Session, new_id, put
from exosync.store.tables import channels, events, messages, runs

_FAR = timedelta(hours=25)
"""Nothing is put off by more than a day: what lies further ahead was, before the clock was set back."""

_TO_DO = text("messages.state IN ('open', 'waiting')")
"""The condition of the partial index, in its own words: else it would not be used."""

UNSENT = (MessageState.OPEN, MessageState.WAITING, MessageState.GIVEN_UP)


@dataclass(frozen=True, slots=True)
class Backlog:
    """How many messages of a channel are in a state, and since when the oldest."""

    channel: str
    state: MessageState
    count: int
    oldest: datetime


class Messages(Session):
    """The part of the store about channels and their messages."""

    def enrol_channel(self, name: str) -> ChannelRecord:
        """How a channel stands; one that was never seen starts at the newest event."""
        with self._writing() as connection:
            known = _channel(connection, name)
            if known is not None:
                return known
            newest = connection.execute(select(func.max(events.c.id))).scalar() or 0
            record = ChannelRecord(name, collected=newest)
            connection.execute(insert(channels).values(**asdict(record)))
            return record

    def channel_state(self, name: str) -> ChannelRecord | None:
        """How a channel stands; None if it was never seen."""
        with self._reading() as connection:
            return _channel(connection, name)

    def channel_states(self) -> list[ChannelRecord]:
        """How every channel stands, by name; also those that are no longer configured."""
        with self._reading() as connection:
            rows = connection.execute(select(channels).order_by(channels.c.name)).mappings()
            return [ChannelRecord(**row) for row in rows]

    def save_channel(self, record: ChannelRecord) -> None:
        """Replace what is known of a channel."""
        values = asdict(record)
        with self._writing() as connection:
            put(connection, channels, {"name": values.pop("name")}, values)

    def events_after(self, event_id: int, limit: int) -> list[EventRecord]:
        """The events after that one, oldest first, at most `limit`."""
        query = select(events).where(events.c.id > event_id).order_by(events.c.id).limit(limit)
        with self._reading() as connection:
            return [EventRecord(**row) for row in connection.execute(query).mappings()]

    def events_of(self, ids: Collection[int]) -> list[EventRecord]:
        """The events of these ids, oldest first."""
        query = select(events).where(events.c.id.in_(ids)).order_by(events.c.id)
        with self._reading() as connection:
            return [EventRecord(**row) for row in connection.execute(query).mappings()]

    def is_a_run_at_work(self) -> bool:
        """Whether a run has begun and not ended."""
        query = select(runs.c.id).where(runs.c.finished_at.is_(None)).limit(1)
        with self._reading() as connection:
            return connection.execute(query).first() is not None

    def first_run_at(self) -> datetime | None:
        """When the oldest run that is kept began; None if there was none."""
        query = select(runs.c.started_at).order_by(runs.c.id).limit(1)
        with self._reading() as connection:
            found: datetime | None = connection.execute(query).scalar()
            return found

    def add_message(
        self,
        *,
        key: str,
        channel: str,
        thread: str,
        severity: str,
        events: Sequence[int],
        opened_at: datetime,
        due_at: datetime,
    ) -> int:
        """Open a message that gathers events; gives its number."""
        with self._writing() as connection:
            return new_id(
                connection,
                messages,
                key=key,
                channel=channel,
                thread=thread,
                severity=severity,
                events=list(events),
                state=MessageState.OPEN.value,
                opened_at=opened_at,
                due_at=due_at,
                attempts=0,
                error="",
            )

    def extend_message(self, number: int, *, events: Sequence[int], severity: str) -> None:
        """An open message tells of these events from now on."""
        self._change_message(number, events=list(events), severity=severity)

    def close_message(self, number: int, *, body: Json, severity: str, due_at: datetime) -> None:
        """An open message is composed, and waits to be sent."""
        waiting = MessageState.WAITING.value
        self._change_message(
            number, body=dict(body), severity=severity, state=waiting, due_at=due_at
        )

    def begin_attempt(self, number: int, *, due_at: datetime) -> None:
        """A message is about to be sent; if nothing is heard of that, it is tried at `due_at`."""
        self._change_message(number, attempts=messages.c.attempts + 1, due_at=due_at)

    def message_sent(self, number: int, at: datetime) -> None:
        """A message has arrived."""
        self._change_message(number, state=MessageState.SENT.value, sent_at=at, error="")

    def message_failed(
        self, number: int, *, error: str, state: MessageState, due_at: datetime, body: Json
    ) -> None:
        """A message has not arrived, or not everywhere: it waits, or is given up."""
        self._change_message(number, error=error, state=state.value, due_at=due_at, body=dict(body))

    def _change_message(self, number: int, **values: Any) -> None:
        with self._writing() as connection:
            connection.execute(update(messages).where(messages.c.id == number).values(**values))

    def postpone_messages(self, channel: str, until: datetime) -> None:
        """What a channel has to send waits until then, at least."""
        where = _waiting(channel) & (messages.c.due_at < until)
        with self._writing() as connection:
            connection.execute(update(messages).where(where).values(due_at=until))

    def hasten_messages(self, channel: str, at: datetime) -> None:
        """What a channel has to send is due at once."""
        where = _waiting(channel) & (messages.c.due_at > at)
        with self._writing() as connection:
            connection.execute(update(messages).where(where).values(due_at=at))

    def revive_messages(self, numbers: Collection[int], at: datetime) -> None:
        """Messages that wait or were given up are due at once."""
        values = {"state": MessageState.WAITING.value, "due_at": at}
        where = messages.c.id.in_(numbers) & messages.c.state.in_(
            (MessageState.WAITING.value, MessageState.GIVEN_UP.value)
        )
        with self._writing() as connection:
            connection.execute(update(messages).where(where).values(**values))

    def open_messages(self, channel: str) -> list[MessageRecord]:
        """The messages of a channel that still gather events, oldest first."""
        where = (messages.c.channel == channel) & (messages.c.state == MessageState.OPEN.value)
        return self._messages(select(messages).where(_TO_DO, where).order_by(messages.c.id))

    def due_message(self, channel: str, now: datetime) -> MessageRecord | None:
        """The message that a channel sends next: the least tried first, then the oldest."""
        due = (messages.c.due_at <= now) | (messages.c.due_at > now + _FAR)
        where = _waiting(channel) & due
        order = (messages.c.attempts, messages.c.id)
        return next(
            iter(self._messages(select(messages).where(where).order_by(*order).limit(1))), None
        )

    def is_channel_idle(self, name: str, now: datetime) -> bool:
        """Whether there is nothing to do for a channel: no new event, nothing open, nothing due."""
        newest = select(func.max(events.c.id)).scalar_subquery()
        known = select(channels.c.collected >= func.coalesce(newest, 0))
        with self._reading() as connection:
            collected = connection.execute(known.where(channels.c.name == name)).scalar()
        if not collected or self.due_message(name, now) is not None:
            return False
        return not self.open_messages(name)

    def first_waiting(self, channel: str) -> datetime | None:
        """When a channel comes to try a message that is composed; None if there is none."""
        query = select(func.min(messages.c.due_at)).where(_waiting(channel))
        with self._reading() as connection:
            found: datetime | None = connection.execute(query).scalar()
            return found

    def next_due(self, channel: str) -> datetime | None:
        """When there is next something to do for a channel; None if nothing waits."""
        query = select(func.min(messages.c.due_at)).where(_TO_DO, messages.c.channel == channel)
        with self._reading() as connection:
            found: datetime | None = connection.execute(query).scalar()
            return found

    def messages(
        self,
        limit: int,
        *,
        states: Collection[MessageState] | None = None,
        channel: str | None = None,
    ) -> list[MessageRecord]:
        """The newest messages first, at most `limit`."""
        query = select(messages).order_by(messages.c.id.desc()).limit(limit)
        if states is not None:
            query = query.where(messages.c.state.in_([one.value for one in states]))
        if channel is not None:
            query = query.where(messages.c.channel == channel)
        return self._messages(query)

    def message(self, number: int) -> MessageRecord | None:
        """One message by its number; None if there is none."""
        found = self._messages(select(messages).where(messages.c.id == number))
        return found[0] if found else None

    def messages_by_key(self, beginning: str) -> list[MessageRecord]:
        """The messages whose key begins so, at most two: enough to know that it is not unique."""
        where = messages.c.key.startswith(beginning, autoescape=True)
        return self._messages(select(messages).where(where).order_by(messages.c.id).limit(2))

    def conversation(self, channel: str, thread: str, limit: int) -> list[MessageRecord]:
        """The messages of a thread that were composed, newest first."""
        where = (messages.c.channel == channel) & (messages.c.thread == thread)
        composed = where & (messages.c.state != MessageState.OPEN.value)
        return self._messages(
            select(messages).where(composed).order_by(messages.c.id.desc()).limit(limit)
        )

    def opened_at(self, channel: str, limit: int) -> list[datetime]:
        """When the newest messages of a channel were opened, newest first."""
        query = select(messages.c.opened_at).where(messages.c.channel == channel)
        with self._reading() as connection:
            found = connection.execute(query.order_by(messages.c.id.desc()).limit(limit))
            return list(found.scalars())

    def backlogs(self) -> list[Backlog]:
        """How many messages are not sent, by channel and state."""
        by = (messages.c.channel, messages.c.state)
        query = (
            select(*by, func.count(), func.min(messages.c.opened_at))
            .where(messages.c.state.in_([one.value for one in UNSENT]))
            .group_by(*by)
            .order_by(*by)
        )
        with self._reading() as connection:
            rows = connection.execute(query).all()
            return [Backlog(one, MessageState(state), n, at) for one, state, n, at in rows]

    def _messages(self, query: Select[Any]) -> list[MessageRecord]:
        with self._reading() as connection:
            return [_message(row) for row in connection.execute(query).mappings()]


def _waiting(channel: str) -> ColumnElement[bool]:
    return and_(
        _TO_DO, messages.c.channel == channel, messages.c.state == MessageState.WAITING.value
    )


def _channel(connection: Connection, name: str) -> ChannelRecord | None:
    row = connection.execute(select(channels).where(channels.c.name == name)).mappings().first()
    return ChannelRecord(**row) if row else None


def _message(row: Mapping[Any, Any]) -> MessageRecord:
    return MessageRecord(**{**row, "state": MessageState(row["state"])})
