"""Making silence visible: what has not been heard of for long, and what comes to its end.

Each function compares the state with the clock and writes an event once, when a thing begins
and when it ends; the service calls them every few minutes.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from exosync.core.target import State
from exosync.core.words import plural
from exosync.store import EventRecord, Store, TargetState

WARN_BEFORE = (timedelta(days=30), timedelta(days=7), timedelta(days=1))
"""How long before its end people are told of a certificate or credential."""

OUT_OF_REACH = 8
"""So many failures in a row, some four hours of them, and people are told of a version not had."""


@dataclass(frozen=True, slots=True)
class Ending:
    """A certificate or credential with the moment from which it is no longer good."""

    what: str
    at: datetime


def watch_feed(
    store: Store, instance: str, *, after: timedelta, since: datetime, now: datetime
) -> None:
    """Tell when Microsoft's list was last confirmed too long ago, and when it is again.

    `since` is when the service came to watch: before, silence was nobody's fault.
    """
    state, adopted = store.feed_state(instance), store.adopted(instance)
    last = _last_of(store, None, "feed_stale", "feed_back")
    if adopted is None:
        if last is None and state.failures:
            title = f"no version of Microsoft's list could be had yet: {state.error}"
            _tell(store, "feed_stale", "warning", None, title, now)
        return
    confirmed = max(filter(None, (state.checked_at, adopted.adopted_at)))
    lacking = state.latest not in (None, adopted.version) and state.failures >= OUT_OF_REACH
    if lacking or now - max(confirmed, since) >= after:
        if last is None or last.kind != "feed_stale":
            why = f": {state.error}" if state.error else ""
            title = f"Microsoft's list was last confirmed {confirmed:%Y-%m-%d %H:%M} UTC{why}"
            if lacking:
                title = f"Microsoft's version {state.latest} is out and cannot be had{why}"
            _tell(store, "feed_stale", "warning", None, title, now)
    elif (
        last is not None
        and last.kind == "feed_stale"
        and not state.failures
        and now - confirmed < after
    ):
        _tell(store, "feed_back", "info", None, "Microsoft's list is confirmed again", now)


def watch_targets(
    store: Store, names: Iterable[str], *, after: timedelta, since: datetime, now: datetime
) -> None:
    """Tell of targets that no run could look at for too long, once each silence, and of its end.

    Of one that fails people have been told already, and are told again while runs come.
    """
    for name in names:
        known = store.target_state(name)
        seen = (known.seen_at if known else None) or since
        last = _last_of(store, name, "target_stale", "target_back")
        if now - max(seen, since) < after:
            if last is not None and last.kind == "target_stale" and _is_seen_since(known, last.at):
                _tell(store, "target_back", "info", name, f"{name} is looked at again", now)
            continue
        failed = _last_of(store, name, "target_failed", "still_failing")
        if failed is not None and now - failed.at < after:
            continue
        if last is None or last.kind != "target_stale" or last.at < max(seen, since):
            failing = known is not None and known.state == State.FAILED
            why = "it fails" if failing else "no run has ended"
            title = f"{name} was last looked at {seen:%Y-%m-%d %H:%M} UTC: {why}"
            _tell(store, "target_stale", "warning", name, title, now)


def _is_seen_since(known: TargetState | None, at: datetime) -> bool:
    """Whether a run has looked at a target since; that a service was just started is no look."""
    return known is not None and known.seen_at is not None and known.seen_at >= at


def watch_slow(store: Store, *, after: timedelta, now: datetime) -> None:
    """Tell of runs that are at work for very long, once each run."""
    for turn in store.turns().values():
        if turn.started_at is None or now - turn.started_at < after:
            continue
        about = None if turn.name.startswith(":") else turn.name
        last = _last_of(store, about, "target_slow")
        if last is None or last.at < turn.started_at:
            title = f"{turn.name.lstrip(':')}: a run is at work since {turn.started_at:%H:%M} UTC"
            _tell(store, "target_slow", "warning", about, title, now)


def watch_endings(store: Store, endings: Iterable[Ending], *, now: datetime) -> None:
    """Tell of what comes to its end: 30, 7 and 1 days before, and when it is over."""
    told = {
        one.body.get("what"): one
        for one in reversed(store.events(200, kinds=["credential_ending"]))
    }
    for one in endings:
        left = one.at - now
        stage = sum(left <= span for span in (*WARN_BEFORE, timedelta(0)))
        before = told.get(one.what)
        same = before is not None and before.body.get("ends") == one.at.isoformat()
        if stage == 0 or (before is not None and same and before.body.get("stage", 0) >= stage):
            continue
        when = "is over" if left <= timedelta(0) else f"ends in {plural(left.days, 'day')}"
        store.add_event(
            "credential_ending",
            "error" if stage > 2 else "warning",
            target=None,
            title=f"{one.what} {when} ({one.at:%Y-%m-%d %H:%M} UTC)",
            body={"what": one.what, "ends": one.at.isoformat(), "stage": stage},
            run_id=None,
            at=now,
        )


def certificates(path: Path, what: str) -> Iterator[Ending]:
    """The ends of the certificates in a PEM file; nothing if it cannot be read as such."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        context.load_verify_locations(cafile=str(path))
    except (OSError, ValueError):
        return
    for one in context.get_ca_certs():
        ends = datetime.fromtimestamp(ssl.cert_time_to_seconds(str(one["notAfter"])), UTC)
        yield Ending(f"certificate {_common_name(one)} in {what}", ends)


def _common_name(certificate: Mapping[str, object]) -> str:
    subject = certificate.get("subject", ())
    assert isinstance(subject, tuple)
    names = [value for part in subject for key, value in part if key == "commonName"]
    return names[0] if names else str(certificate.get("serialNumber"))


def _last_of(store: Store, target: str | None, *kinds: str) -> EventRecord | None:
    return store.last_event(target, kinds)


def _tell(
    store: Store, kind: str, severity: str, target: str | None, title: str, now: datetime
) -> None:
    store.add_event(kind, severity, target=target, title=title, body={}, run_id=None, at=now)
