"""Trying the state, the feed and the targets without changing anything."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from exosync.core.target import Check
from exosync.desk import Job
from exosync.errors import ExosyncError
from exosync.pull import FeedRules, confirm
from exosync.store import Store


def check_state(store: Store) -> Check:
    """Whether the state can be written (opening it has shown that it can be read)."""
    try:
        with store.transaction():
            store.client_id()
    except ExosyncError as error:
        return Check("database", ok=False, message=str(error))
    return Check("database", ok=True, message=f"{store.path}")


def check_feed(rules: FeedRules, store: Store, now: datetime) -> Iterator[Check]:
    """Whether Microsoft answers. `/version` is not asked more often than the rules allow."""
    adopted = store.adopted(rules.instance)
    if rules.feed is None:
        yield Check("service", ok=None, message="feed.offline is set: Microsoft is not asked")
    else:
        yield _answers(rules, store, now)
    if adopted is None:
        remedy = "run exosync sync" if rules.feed else "run exosync feed import FILE"
        yield Check("version", ok=None, message="no version is adopted yet", remedy=remedy)
    else:
        told = f"{adopted.version} adopted {adopted.adopted_at:%Y-%m-%d %H:%M} UTC"
        yield Check("version", ok=True, message=told)


def _answers(rules: FeedRules, store: Store, now: datetime) -> Check:
    try:
        latest, asked = confirm(rules, store, now)
    except ExosyncError as error:
        remedy = (
            "look at feed.url, feed.proxy and feed.ca_bundle, and at the way out to the network"
        )
        return Check("service", ok=False, message=str(error), remedy=remedy)
    when = "now" if asked else "within the hour, so not asked again"
    return Check("service", ok=True, message=f"{rules.source} says {latest} is newest ({when})")


def check_target(job: Job) -> Iterator[Check]:
    """What a target says of itself; an error becomes a failed check."""
    try:
        if job.target is None:
            yield Check("settings", ok=False, message=str(job.error))
            return
        yield from job.target.check()
    except ExosyncError as error:
        yield Check("target", ok=False, message=str(error))
