"""What a scrape reads from the state, as one value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from exosync.assembly import range_rules
from exosync.config import Config
from exosync.core.desired import Desired, Origin
from exosync.desire import wanted
from exosync.store import (
    Adoption,
    ChannelRecord,
    FeedState,
    PlanRecord,
    ServiceRecord,
    Store,
    TargetState,
    TaskRecord,
    TurnRecord,
)
from exosync.store.messages import Backlog

FAMILIES = {"ipv4": 4, "ipv6": 6}
SOURCES = (Origin.MICROSOFT, Origin.EXTRA, Origin.LEAVING)

Sizes = Mapping[tuple[str, str], int]
"""How many CIDRs are desired, by family and source."""


@dataclass(frozen=True, slots=True)
class Reading:
    """The state at one moment, and the configuration that it is looked at by."""

    config: Config
    now: datetime
    states: Mapping[str, TargetState]
    tasks: Sequence[TaskRecord]
    plans: Sequence[PlanRecord]
    paused: frozenset[str]
    turns: Mapping[str, TurnRecord]
    feed: FeedState
    adopted: Adoption | None
    sizes: Sizes
    service: ServiceRecord | None
    channels: Sequence[ChannelRecord]
    backlogs: Sequence[Backlog]


class Reader:
    """Reads a state. What is desired takes a while to work out, so it is kept for an hour."""

    def __init__(self) -> None:
        self._kept: tuple[object, Sizes] = (None, {})

    def read(self, store: Store, config: Config, now: datetime) -> Reading:
        """The state now. Raises StoreError, and UsageError where a version is missing."""
        instance = config.feed.instance
        adopted = store.adopted(instance)
        return Reading(
            config=config,
            now=now,
            states={one.name: one for one in store.target_states()},
            tasks=store.open_tasks(),
            plans=store.open_plans(),
            paused=frozenset(one.target for one in store.pauses()),
            turns=store.turns(),
            feed=store.feed_state(instance),
            adopted=adopted,
            sizes=self._sizes(store, config, adopted, now),
            service=store.service(),
            channels=store.channel_states(),
            backlogs=store.backlogs(),
        )

    def _sizes(
        self, store: Store, config: Config, adopted: Adoption | None, now: datetime
    ) -> Sizes:
        if adopted is None:
            return {}
        instance = config.feed.instance
        # What is leaving goes by time alone.
        key = (instance, config.ranges, adopted, f"{now:%Y-%m-%d %H}")
        if key != self._kept[0]:
            desired = wanted(range_rules(config), store, instance, now).desired
            self._kept = (key, sizes(desired))
        return self._kept[1]


def sizes(desired: Desired) -> Sizes:
    """How many CIDRs are desired: each counts once, for the first source that names it."""
    found = {(family, source.value): 0 for family in FAMILIES for source in SOURCES}
    for entry in desired.entries():
        family = "ipv6" if ":" in entry.cidr else "ipv4"
        found[family, entry.origin.value] += 1
    return found
