"""The alerts: how each channel stands, and what is in its outbox."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from exosync.store import ChannelRecord, MessageRecord
from exosync.views.moments import iso
from exosync.views.source import Source

Json = dict[str, Any]


def alerts_view(source: Source, limit: int) -> Json:
    """The channels, and the newest messages, at most `limit`.

    A channel that is no longer configured is listed for as long as messages of it are left.
    """
    store = source.store
    kinds: dict[str, str | None] = {one.name: one.kind for one in source.config.alerts.channels}
    known = {one.name: one for one in store.channel_states()}
    unsent: dict[str, dict[str, int]] = {}
    for one in store.backlogs():
        unsent.setdefault(one.channel, {})[one.state.value] = one.count
    return {
        "channels": [
            channel_json(
                known.get(name) or ChannelRecord(name, 0), kinds.get(name), unsent.get(name, {})
            )
            for name in dict.fromkeys([*kinds, *unsent])
        ],
        "messages": [message_json(one) for one in store.messages(limit)],
    }


def channel_json(known: ChannelRecord, kind: str | None, unsent: Mapping[str, int]) -> Json:
    """How a channel stands: whether it is down, and how many messages of it are not sent."""
    return {
        "name": known.name,
        "kind": kind,
        "down_since": iso(known.down_since),
        "failures": known.failures,
        "error": known.error or None,
        "sent_at": iso(known.sent_at),
        "gathering": unsent.get("open", 0),
        "waiting": unsent.get("waiting", 0),
        "given_up": unsent.get("given_up", 0),
    }


def message_json(one: MessageRecord) -> Json:
    """A message of the outbox; its events are shown by their ids."""
    return {
        "id": one.key,
        "channel": one.channel,
        "thread": one.thread,
        "title": (one.body or {}).get("title"),
        "severity": one.severity,
        "events": [f"e-{number}" for number in one.events],
        "state": one.state.value,
        "opened_at": iso(one.opened_at),
        "due_at": iso(one.due_at),
        "attempts": one.attempts,
        "sent_at": iso(one.sent_at),
        "error": one.error or None,
    }
