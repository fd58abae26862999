"""Looking at the smart hosts once a run: their names, and what they say on port 25.

Bounded: all hosts of a target at the same time, each within `WITHIN` from its name to its
certificate. What was seen of a host is good for all targets for a while, so a provider whose
customers all send to the same hosts does not call on them once a customer; and where this machine
is let out to nobody, it is not waited for once a customer either.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime

from exosync_adapters.exchange.settings import ExchangeSettings
from exosync_adapters.exchange.way.host_records import HostSeen
from exosync_adapters.exchange.way.hosts import Resolve, Trial, by_dns, located, try_host
from exosync_adapters.exchange.way.resolving import live_dns
from exosync_adapters.exchange.way.standing import (
    LASTS,
    NOT_LOOKED,
    Standing,
    may_talk,
    stood,
)

WITHIN = 5.0
"""Seconds for all hosts of a target; half of them at most for their names."""

_ENOUGH = 8
"""So many silent hosts, and none that answers: the next is not waited for."""

_MANY = 1000

Key = tuple[str, tuple[str, ...], bool]
"""A host, the resolvers that are asked for it, and whether it is talked to."""


@dataclass(frozen=True, slots=True)
class Looked:
    """How hosts stand after a look, and what it saw itself."""

    standing: Standing = NOT_LOOKED
    seen: Mapping[str, HostSeen] = field(default_factory=dict)


@dataclass(slots=True)
class _Place:
    """What was last seen of a host; one look at a time."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    at: datetime | None = None
    seen: HostSeen | None = None


@dataclass(slots=True)
class _Silence:
    """Those who were silent since somebody last answered; it holds for `LASTS`."""

    hosts: set[str] = field(default_factory=set)
    since: datetime | None = None

    def hear(self, seen: HostSeen, at: datetime) -> None:
        if seen.answers:
            self.hosts.clear()
        elif seen.answers is False:
            if not self._lasts(at):
                self.hosts, self.since = set(), at
            self.hosts.add(seen.name)

    def is_general(self, at: datetime) -> bool:
        """Whether so many were silent that it must be here."""
        return len(self.hosts) >= _ENOUGH and self._lasts(at)

    def _lasts(self, at: datetime) -> bool:
        return self.since is not None and abs(at - self.since) < LASTS


class Watcher:
    """Looks at hosts, at each once in `LASTS` by the clock of the runs. Thread-safe."""

    def __init__(self, how: Trial | None = None) -> None:
        self._how = how or Trial(within=WITHIN)
        self._lock = threading.Lock()
        self._places: dict[Key, _Place] = {}
        self._silence = _Silence()

    def begin(
        self, settings: ExchangeSettings, before: Standing, at: datetime
    ) -> Callable[[], Looked]:
        """Begin to look; what is given back waits for the end of it, and tells how hosts stand."""
        if settings.remove or settings.try_hosts == "never":
            return Looked
        talk, resolve = may_talk(before, settings, at), _resolving(settings, self._how.within / 4)
        # It is not waited for where the tenant cannot be read: each look ends by itself.
        pool = ThreadPoolExecutor(max_workers=len(settings.hosts))
        looks = {
            name: pool.submit(self._seen, (name, settings.resolvers, talk), resolve, at)
            for name in settings.hosts
        }
        pool.shutdown(wait=False)

        def end() -> Looked:
            seen = {name: look.result() for name, look in looks.items()}
            return Looked(stood(before, seen, settings, at), seen)

        return end

    def _seen(self, key: Key, resolve: Resolve, at: datetime) -> HostSeen:
        name, _, talk = key
        place = self._place(key, at)
        with place.lock:
            if place.seen is not None and _is_fresh(place, at):
                return place.seen
            with self._lock:
                talk = talk and not self._silence.is_general(at)
            if not talk:
                seen = located(name, resolve)
            else:
                seen = try_host(name, resolve=resolve, how=self._how)
                with self._lock:
                    self._silence.hear(seen, at)
            place.seen, place.at = replace(seen, at=at), at
            return place.seen

    def _place(self, key: Key, at: datetime) -> _Place:
        with self._lock:
            if len(self._places) > _MANY:
                self._places = _fresh(self._places, at)
            return self._places.setdefault(key, _Place())


def _fresh(places: Mapping[Key, _Place], at: datetime) -> dict[Key, _Place]:
    return {key: one for key, one in places.items() if _is_fresh(one, at)}


def _is_fresh(place: _Place, at: datetime) -> bool:
    # Of several targets at a time, the one that came first may be the last to get here.
    return place.at is not None and abs(at - place.at) < LASTS


def _resolving(settings: ExchangeSettings, lifetime: float) -> Resolve:
    """DNS, made ready once a host has a name to look up."""
    lock, made = threading.Lock(), list[Resolve]()

    def resolve(name: str) -> list[str]:
        with lock:
            if not made:
                made.append(by_dns(live_dns(settings, lifetime=lifetime)))
        return [*made[0](name)]

    return resolve


WATCHER = Watcher()
"""The one that all targets of a process share."""
