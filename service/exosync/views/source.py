"""What every view is made from."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import UTC, datetime

from exosync.config import Config
from exosync.core.desired import Desired
from exosync.core.endpoints import Snapshot
from exosync.core.selection import MailRanges
from exosync.desire import RangeRules, wanted
from exosync.errors import FeedError
from exosync.pull import held
from exosync.store import Adoption, Store


class Shelf:
    """Stored versions that were read already: they never change, and reading one takes a while.

    Whole snapshots are large, so only the `most` last ones are kept; mail ranges are all kept.
    """

    def __init__(self, most: int = 4) -> None:
        self._most = most
        self._snapshots: OrderedDict[tuple[str, str], Snapshot] = OrderedDict()
        self._mail: dict[tuple[str, str], MailRanges] = {}
        self._desired: _Kept | None = None

    def snapshot(self, store: Store, instance: str, version: str) -> Snapshot:
        """What a version says. Raises UsageError if it is not in the state."""
        key = (instance, version)
        found = self._snapshots.get(key)
        if found is None:
            found, self._mail[key] = held(store, instance, version)
            self._snapshots[key] = found
            while len(self._snapshots) > self._most:
                self._snapshots.popitem(last=False)
        return found

    def mail(self, store: Store, instance: str, version: str) -> MailRanges:
        """Its mail ranges. Raises UsageError if it is not in the state."""
        key = (instance, version)
        found = self._mail.get(key)
        if found is None:
            _, found = held(store, instance, version)
            self._mail[key] = found
        return found

    def desired(self, store: Store, instance: str, rules: RangeRules, now: datetime) -> Desired:
        """What is desired; it stays so until a version is adopted or what is leaving is gone.

        Raises FeedError before the first version is adopted.
        """
        adopted = store.adopted(instance)
        if adopted is None:
            message = "no version is adopted yet: run exosync sync, or exosync feed import"
            raise FeedError(message)
        kept = self._desired
        if kept and kept.of == (instance, adopted, rules) and kept.since <= now < kept.until:
            return kept.desired
        found = wanted(rules, store, instance, now).desired
        until = min((one.until for one in found.leaving), default=_FOR_EVER)
        self._desired = _Kept((instance, adopted, rules), now, until, found)
        return found


_FOR_EVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class _Kept:
    """What was desired, and what that rests on."""

    of: tuple[str, Adoption, RangeRules]
    since: datetime
    until: datetime
    desired: Desired


@dataclass(frozen=True, slots=True)
class Source:
    """The state, the configuration in force, what it says of the ranges, and the moment (UTC)."""

    store: Store
    config: Config
    ranges: RangeRules
    now: datetime
    shelf: Shelf = field(default_factory=Shelf)

    @property
    def instance(self) -> str:
        """Microsoft's cloud."""
        return self.config.feed.instance

    def snapshot(self, version: str) -> Snapshot:
        """What a stored version says."""
        return self.shelf.snapshot(self.store, self.instance, version)

    def mail(self, version: str) -> MailRanges:
        """The mail ranges of a stored version."""
        return self.shelf.mail(self.store, self.instance, version)

    def desired(self) -> Desired:
        """What is desired now. Raises FeedError before the first version is adopted."""
        return self.shelf.desired(self.store, self.instance, self.ranges, self.now)
