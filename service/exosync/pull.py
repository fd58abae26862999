"""Asking Microsoft whether there is a new version, and adopting it if it is fit.

The rules of the service are kept here: `/version` at most once an hour (remembered in the
state, so also between processes), a new version is fetched once, and who is told to come
back later does so. A version counts only once it is adopted: a crash between being told of
it and adopting it loses nothing, since the next run fetches what is not yet adopted.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Protocol

from exosync.core.changes import Change, changes
from exosync.core.endpoints import Snapshot, parse_endpoints
from exosync.core.intake import IntakeLimits, intake
from exosync.core.ranges import IpRanges
from exosync.core.selection import MailRanges, mail_ranges
from exosync.core.target import Finding, Severity
from exosync.errors import FeedError, FeedRejected, FeedThrottled, UsageError
from exosync.store import FeedState, SnapshotRecord, Store


class Feed(Protocol):
    """Whoever answers as the endpoints web service does."""

    requests_made: int

    def version(self, instance: str) -> str:
        """The newest version."""
        ...

    def endpoints(self, instance: str) -> bytes:
        """The full answer of the newest version."""
        ...

    def changes(self, instance: str, version: str) -> bytes:
        """What changed after a version."""
        ...


@dataclass(frozen=True, slots=True)
class FeedRules:
    """What the configuration says of the feed. `feed` is None where it must not be asked."""

    instance: str
    source: str
    interval: timedelta
    limits: IntakeLimits
    feed: Feed | None = None


@dataclass(frozen=True, slots=True)
class Pulled:
    """What came of it.

    `version` is the adopted one (None before the first), `news` how its mail ranges differ
    from those of the version adopted before, `error` why no newer one could be had.
    """

    version: str | None
    asked: bool = False
    adopted_now: bool = False
    previous: str | None = None
    news: tuple[Change, ...] = ()
    error: FeedError | None = None
    requests: int = 0
    findings: tuple[Finding, ...] = field(default=())


def pull(rules: FeedRules, store: Store, now: datetime) -> Pulled:
    """Ask if it is time to, and adopt what is new. A failure is returned, not raised."""
    adopted = store.adopted(rules.instance)
    version = adopted.version if adopted else None
    if rules.feed is None:
        return Pulled(version)
    state = store.feed_state(rules.instance)
    try:
        state, asked = _ask(rules, rules.feed, store, state, now)
        pulled = Pulled(version, asked=asked)
        if state.latest is not None and state.latest != version:
            pulled = replace(_fetch(rules, rules.feed, store, state.latest, now), asked=asked)
        elif state.failures and not asked:
            return replace(pulled, error=_still_failing(state))
        well = replace(state, failures=0, error="", not_before=None)
        if well != state:
            store.save_feed_state(rules.instance, well)
        return replace(pulled, requests=rules.feed.requests_made)
    except FeedError as error:
        # Read again: what `_ask` learned before the failure is kept.
        state = store.feed_state(rules.instance)
        with store.transaction():
            store.save_feed_state(rules.instance, _failed(state, error, rules, now))
            if isinstance(error, FeedRejected) and str(error) != state.error:
                _tell_refused(rules, store, error, now)
        return Pulled(version, asked=True, error=error, requests=rules.feed.requests_made)


def confirm(rules: FeedRules, store: Store, now: datetime) -> tuple[str, bool]:
    """The newest version that Microsoft names, and whether it was asked just now.

    Adopts nothing. Raises FeedError.
    """
    assert rules.feed is not None
    state = store.feed_state(rules.instance)
    state, asked = _ask(rules, rules.feed, store, state, now)
    if state.latest is None or (state.failures and not asked):
        raise _still_failing(state)
    return state.latest, asked


def adopt(
    snapshot: Snapshot, rules: FeedRules, store: Store, now: datetime, *, source: str
) -> Pulled:
    """Put a snapshot through the intake rules and adopt it; FeedRejected if one says no."""
    mail = mail_ranges(snapshot)
    before = store.adopted(snapshot.instance)
    previous = before.version if before else None
    intake(snapshot, mail.ranges, adopted_version=previous, limits=rules.limits)
    old = held_ranges(store, snapshot.instance, previous)
    news = changes(old, mail.ranges) if previous else ()
    record = SnapshotRecord(
        instance=snapshot.instance,
        version=snapshot.version,
        sha256=snapshot.sha256,
        body=snapshot.canonical,
        fetched_at=now,
        source=source,
    )
    with store.transaction():
        store.add_snapshot(record)
        store.adopt(snapshot.instance, snapshot.version, now)
        _tell(store, snapshot, previous, news, now)
    return Pulled(
        snapshot.version,
        adopted_now=True,
        previous=previous,
        news=news,
        findings=mail.findings + _loud(old, mail.ranges),
    )


def bring_in(
    snapshot: Snapshot, rules: FeedRules, store: Store, now: datetime, *, source: str
) -> Pulled:
    """Adopt a snapshot that a person brought; the same version again only confirms it.

    Raises FeedRejected, and UsageError if the version is there with another content.
    """
    current = store.adopted(snapshot.instance)
    known = store.snapshot(snapshot.instance, snapshot.version)
    if current and known and current.version == snapshot.version == known.version:
        if known.sha256 != snapshot.sha256:
            message = f"version {snapshot.version} is in the state with another content; nothing was changed"
            raise FeedRejected(message, rule="different_content")
        pulled = Pulled(snapshot.version)
    else:
        pulled = adopt(snapshot, rules, store, now, source=source)
    state = store.feed_state(snapshot.instance)
    checked_at = now if rules.feed is None else state.checked_at
    store.save_feed_state(
        snapshot.instance, replace(state, latest=snapshot.version, checked_at=checked_at)
    )
    return pulled


def held(store: Store, instance: str, version: str) -> tuple[Snapshot, MailRanges]:
    """A stored version, read back: what it says and which of it is mail."""
    record = store.snapshot(instance, version)
    if record is None:
        message = f"version {version} of {instance} is not in the state: `exosync feed versions` lists those that are"
        raise UsageError(message)
    snapshot = parse_endpoints(
        record.body, instance=instance, version=version, where=f"stored version {version}"
    )
    return snapshot, mail_ranges(snapshot)


def held_ranges(store: Store, instance: str, version: str | None) -> IpRanges:
    """The mail ranges of a stored version; none for None."""
    return IpRanges() if version is None else held(store, instance, version)[1].ranges


def _ask(
    rules: FeedRules, feed: Feed, store: Store, state: FeedState, now: datetime
) -> tuple[FeedState, bool]:
    if state.not_before is not None and now < state.not_before:
        return state, False
    # A check that seems to lie in the future means that the clock was set back: ask again.
    if state.checked_at is not None and state.checked_at <= now < state.checked_at + rules.interval:
        return state, False
    latest = feed.version(rules.instance)
    known = replace(state, latest=latest, checked_at=now, not_before=None)
    store.save_feed_state(rules.instance, known)
    return known, True


def _fetch(rules: FeedRules, feed: Feed, store: Store, version: str, now: datetime) -> Pulled:
    state = store.feed_state(rules.instance)
    if state.not_before is not None and now < state.not_before:
        raise _still_failing(state)
    body = feed.endpoints(rules.instance)
    where = f"{rules.source}/endpoints/{rules.instance}"
    snapshot = parse_endpoints(body, instance=rules.instance, version=version, where=where)
    return adopt(snapshot, rules, store, now, source=where)


def _failed(state: FeedState, error: FeedError, rules: FeedRules, now: datetime) -> FeedState:
    not_before = state.not_before
    if isinstance(error, FeedThrottled):
        not_before = error.not_before
    elif isinstance(error, FeedRejected):
        # The same answer would be refused again: asking at once helps nobody.
        not_before = now + rules.interval
    return replace(state, failures=state.failures + 1, error=str(error), not_before=not_before)


def _still_failing(state: FeedState) -> FeedError:
    when = state.not_before
    if when is None:
        return FeedError(state.error)
    message = (
        f"not asked again before {when:%Y-%m-%d %H:%M} UTC; the last answer was: {state.error}"
    )
    return FeedThrottled(message, not_before=when)


def _loud(old: IpRanges, new: IpRanges) -> tuple[Finding, ...]:
    lost = old - new
    if not lost:
        return ()
    message = f"Microsoft no longer publishes {', '.join(lost.cidrs())}: kept until the grace time is over"
    return (Finding("feed_shrink", message, Severity.WARNING),)


def _tell_refused(rules: FeedRules, store: Store, error: FeedRejected, now: datetime) -> None:
    body = {"instance": rules.instance, "rule": error.rule, "error": str(error)}
    store.add_event(
        "feed_refused",
        "warning",
        target=None,
        title=f"Microsoft's answer is refused by {error.rule}; what was adopted stays",
        body=body,
        run_id=None,
        at=now,
    )


def _tell(
    store: Store,
    snapshot: Snapshot,
    previous: str | None,
    news: tuple[Change, ...],
    now: datetime,
) -> None:
    if previous is None:
        kind, title = "feed_adopted", f"first version {snapshot.version} adopted"
    elif news:
        kind, title = "ranges_changed", f"version {snapshot.version} changes the mail ranges"
    else:
        kind, title = "feed_adopted", f"version {snapshot.version} adopted, mail ranges unchanged"
    body = {
        "instance": snapshot.instance,
        "version": snapshot.version,
        "previous": previous,
        "changes": [one.as_json() for one in news],
    }
    store.add_event(
        kind,
        "warning" if news else "info",
        target=None,
        title=title,
        body=body,
        run_id=None,
        at=now,
    )
