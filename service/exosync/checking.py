"""Trying the state, the feed and the targets without changing anything."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from exosync.core.target import Check
from exosync.desk import Job
from exosync.errors import ExosyncError
from exosync.pull import FeedRules, confirm
from exosync.secrets import reveal
from exosync.store import Store

if TYPE_CHECKING:
    from exosync.config import Loaded


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


SHORTEST_TOKEN = 16
"""Characters of web.token: who may guess without end must not guess it."""


def check_web(loaded: Loaded, environ: Mapping[str, str]) -> Iterator[Check]:
    """Whether the token of the page can be read, and is long enough; nothing without one."""
    ref = loaded.config.web.token
    if ref is None:
        return
    remedy = "make one with: openssl rand -base64 32"
    try:
        token = reveal(ref, base=loaded.base, environ=environ).strip()
    except ExosyncError as error:
        yield Check("web.token", ok=False, message=str(error), remedy=remedy)
        return
    if len(token) < SHORTEST_TOKEN:
        told = f"has {len(token)} characters; at least {SHORTEST_TOKEN} are needed"
        yield Check("web.token", ok=False, message=told, remedy=remedy)
        return
    yield Check("web.token", ok=True, message=f"read from {ref}")


def check_target(job: Job) -> Iterator[Check]:
    """What a target says of itself; an error becomes a failed check."""
    try:
        if job.target is None:
            yield Check("settings", ok=False, message=str(job.error))
            return
        yield from job.target.check()
    except ExosyncError as error:
        yield Check("target", ok=False, message=str(error))
