"""Which events a channel tells of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from exosync.alerts.kinds import rank, weight
from exosync.store import EventRecord

_OWN = ("channel_down", "channel_up")


@dataclass(frozen=True, slots=True)
class Route:
    """What a channel's configuration says of events. Empty means all.

    `events` and `targets` are patterns, `labels_of` the labels of every configured target.
    """

    channel: str
    events: tuple[str, ...] = ()
    severity: str = "info"
    targets: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    labels_of: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def takes(self, event: EventRecord) -> bool:
        """Whether the channel tells of this event.

        What is about no target concerns all of them. The end of something is as serious as the
        thing itself was. Of itself a channel tells nothing: while
        it is down that would wait, and when it works again there is nothing to do.
        """
        if event.kind in _OWN and event.body.get("channel") == self.channel:
            return False
        if weight(event) < rank(self.severity) or not _fits(event.kind, self.events):
            return False
        return event.target is None or self.covers(event.target)

    def covers(self, target: str) -> bool:
        """Whether the channel tells of this target."""
        labels = self.labels_of.get(target, ())
        return _fits(target, self.targets) and (
            not self.labels or any(one in self.labels for one in labels)
        )


def _fits(name: str, patterns: tuple[str, ...]) -> bool:
    return not patterns or any(fnmatchcase(name, one) for one in patterns)
