"""The heartbeat: that all is well, or what is not, so that silence is never mistaken for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from exosync.alerts.health import ChannelHealth, pending
from exosync.core.words import plural
from exosync.store import FeedState, Store, TargetState

if TYPE_CHECKING:
    from exosync.config import Config

Json = dict[str, Any]

GOOD = ("in_sync", "applied", "asserted")


def heartbeat_event(store: Store, config: Config, now: datetime) -> int | None:
    """Tell that all is well, or what is not, if it is time to; gives the event's id."""
    with store.transaction():
        last = store.last_event(None, ("heartbeat",))
        if not is_due(config.alerts.heartbeat, last.at if last else None, now):
            return None
        title, body = heartbeat(
            config,
            {one.name: one for one in store.target_states()},
            store.feed_state(config.feed.instance),
            pending(store, config),
            todo=len(store.open_tasks()),
            now=now,
        )
        return store.add_event(
            "heartbeat", "info", target=None, title=title, body=body, run_id=None, at=now
        )


def is_due(every: str, last: datetime | None, now: datetime) -> bool:
    """Whether there was none yet in this week (from Monday on) or month, in UTC."""
    if every == "off":
        return False
    today = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    weekly = every == "weekly"
    begun = today - timedelta(days=today.weekday()) if weekly else today.replace(day=1)
    # One that seems to lie in the future was told before the clock was set back.
    return last is None or not begun <= last <= now


def heartbeat(
    config: Config,
    states: Mapping[str, TargetState],
    feed: FeedState,
    channels: Sequence[ChannelHealth],
    *,
    todo: int,
    now: datetime,
) -> tuple[str, Json]:
    """What the heartbeat says: its title and its body."""
    found = {one.name: states.get(one.name) for one in config.targets}
    wrong = [*_targets_wrong(found), *_feed_wrong(config, feed, now), *_channels_wrong(channels)]
    if todo:
        wrong.append(f"{plural(todo, 'step')} for a person")
    count = plural(len(found), "target")
    good = f"All is well: {count} as desired"
    body = {
        "well": not wrong,
        "instance": config.feed.instance,
        "version": feed.latest,
        "checked_at": feed.checked_at.isoformat() if feed.checked_at else None,
        "wrong": wrong,
        "targets": {name: one.state if one else None for name, one in found.items()},
        "todo": todo,
    }
    return good if not wrong else f"Not all is well: {', '.join(wrong)}", body


def _targets_wrong(found: Mapping[str, TargetState | None]) -> list[str]:
    words = {
        "failed": "failed",
        "refused": "refused",
        "pending": "pending",
        "waiting": "waiting for a person",
    }
    states = [one.state if one else None for one in found.values()]
    told = [
        f"{plural(states.count(state), 'target')} {word}"
        for state, word in words.items()
        if state in states
    ]
    if None in states:
        told.append(f"{plural(states.count(None), 'target')} not looked at yet")
    return told


def _feed_wrong(config: Config, feed: FeedState, now: datetime) -> list[str]:
    if config.feed.offline:
        return []
    if feed.checked_at is None:
        return ["Microsoft's list was never confirmed"]
    if now - feed.checked_at > config.alerts.stale_after:
        return [f"Microsoft's list was last confirmed {feed.checked_at:%Y-%m-%d %H:%M} UTC"]
    return []


def _channels_wrong(channels: Sequence[ChannelHealth]) -> list[str]:
    down = [f"alerts by {one.name} do not arrive" for one in channels if one.is_down]
    over = sum(one.given_up for one in channels)
    return [*down, *([f"{plural(over, 'alert')} given up"] if over else [])]
