"""From a configuration to everything that a run goes by."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from exosync.core.desired import Exclusion, Extra
from exosync.core.guards import Limits
from exosync.core.intake import IntakeLimits
from exosync.core.meter import FEED, Meter, Meters, no_meters, unmetered
from exosync.core.target import Context, Mode
from exosync.core.tasks import TaskRules
from exosync.desire import RangeRules
from exosync.desk import Job
from exosync.errors import ExosyncError
from exosync.feed import FeedClient
from exosync.pull import FeedRules
from exosync.reconcile import Rules
from exosync.secrets import reveal
from exosync.store import Store

if TYPE_CHECKING:
    from exosync.config import Config, Loaded, TargetConfig


def now_utc() -> datetime:
    """The clock of a real run."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Assembly:
    """An opened state, and the rules that the configuration makes."""

    loaded: Loaded
    store: Store
    rules: Rules

    @property
    def config(self) -> Config:
        """The configuration as in force."""
        return self.loaded.config

    @property
    def instance(self) -> str:
        """Microsoft's cloud."""
        return self.config.feed.instance


@contextmanager
def assembled(
    loaded: Loaded,
    *,
    environ: Mapping[str, str],
    progress: Callable[[str], None],
    now: Callable[[], datetime] = now_utc,
    meters: Meters = no_meters,
    only: Collection[str] | None = None,
) -> Iterator[Assembly]:
    """Open the state and put the rules together; closes the state at the end.

    `only` names the targets to build; the others are known to the rules by name alone.
    """
    config = loaded.config

    def wants(one: TargetConfig) -> bool:
        return only is None or one.name in only

    with Store.open(config.state, base=loaded.base) as store:
        rules = Rules(
            feed=feed_rules(config, store, loaded.base, now, meter=meters(FEED)),
            ranges=range_rules(config),
            limits=limits(config),
            tasks=task_rules(config),
            jobs=tuple(
                job(config, one, loaded.base, environ, meter=meters(one.name))
                for one in config.targets
                if wants(one)
            ),
            now=now,
            progress=progress,
            receivers=tuple(one.name for one in config.targets if one.lists_ranges),
            repeat=config.alerts.repeat,
            others=tuple(
                one.name
                for one in config.targets
                if one.mode is Mode.APPLY and one.lists_ranges and not wants(one)
            ),
        )
        yield Assembly(loaded, store, rules)


def feed_rules(
    config: Config,
    store: Store,
    base: Path,
    now: Callable[[], datetime],
    *,
    meter: Meter = unmetered,
) -> FeedRules:
    """How Microsoft is asked; a feed that is configured offline never is."""
    one = config.feed
    feed = None
    if not one.offline:
        feed = FeedClient(
            base_url=one.url,
            client_id=store.client_id(),
            connect_timeout=one.connect_timeout.total_seconds(),
            read_timeout=one.read_timeout.total_seconds(),
            deadline=one.deadline.total_seconds(),
            attempts=one.attempts,
            max_bytes=one.max_size,
            proxy=one.proxy,
            ca_bundle=base / one.ca_bundle if one.ca_bundle else None,
            pause=time.sleep,
            clock=now,
            meter=meter,
        )
    return FeedRules(
        instance=one.instance,
        source=one.url,
        interval=config.schedule.feed,
        limits=intake_limits(config),
        feed=feed,
    )


def intake_limits(config: Config) -> IntakeLimits:
    """The rules that a version must pass to be adopted."""
    return IntakeLimits(
        min_ranges=config.guards.min_ranges,
        widest_ipv4=config.guards.widest_ipv4,
        widest_ipv6=config.guards.widest_ipv6,
    )


def limits(config: Config) -> Limits:
    """The limits of the plan's guards."""
    one = config.guards
    return Limits(
        min_ranges=one.min_ranges,
        max_shrink=one.max_shrink.fraction,
        max_growth=one.max_growth.fraction,
        max_shrink_ranges=one.max_shrink_ranges,
        max_growth_ranges=one.max_growth_ranges,
        widest_ipv4=one.widest_ipv4,
        widest_ipv6=one.widest_ipv6,
        max_feed_age=one.max_feed_age,
    )


def range_rules(config: Config) -> RangeRules:
    """Grace time, extras and exclusions."""
    one = config.ranges
    return RangeRules(
        grace=one.grace,
        extras=tuple(Extra(each.ranges, each.name, each.reason) for each in one.extra),
        exclusions=tuple(Exclusion(each.ranges, each.name, each.reason) for each in one.exclude),
    )


def task_rules(config: Config) -> TaskRules:
    """How people are waited for."""
    one = config.todo
    return TaskRules(due=one.due, remind=one.remind, confirm_again=one.confirm_again)


def job(
    config: Config,
    one: TargetConfig,
    base: Path,
    environ: Mapping[str, str],
    *,
    meter: Meter = unmetered,
) -> Job:
    """One target, built by its kind. What cannot be built fails alone."""
    context = Context(
        owner=config.owner,
        families=one.families,
        instance=config.feed.instance,
        base=base,
        reveal=partial(reveal, base=base, environ=environ),
        pause=time.sleep,
        meter=meter,
    )
    try:
        target, error = one.kind_object.build(one.name, one.settings, context), None
    except ExosyncError as caught:
        target, error = None, caught
    windows = config.schedule.windows if one.windows is None else one.windows
    return Job(
        one.name,
        one.kind,
        one.mode,
        one.families,
        config.owner,
        target,
        error,
        windows=windows,
        lists_ranges=one.lists_ranges,
    )
