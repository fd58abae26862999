"""A message that is sent to see what becomes of it, and what the trace tells of it. Pure.

The form of `data` in a trace's events is not documented; what names a pool of addresses in it is
taken for that (Microsoft Learn, "Outbound delivery pools": OutboundIpPoolName).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime
from uuid import uuid4

from exosync.core.trace import Pool, Sent, Stage, Sure, Way
from exosync_adapters.exchange.admin.graph import Trace, TraceEvent

HEADER = "X-Exosync-Probe"

_POOL = re.compile(r"OutboundIpPoolName['\"]?\W+(?:String\W+)?([A-Za-z0-9._ -]+)", re.IGNORECASE)
_LATER = (
    "look for its id there later (Exchange admin center: Mail flow > Message trace), or let exosync "
    "--wait for longer the next time"
)
_NOT_LEFT = "it did not leave Exchange Online, or not yet"
_ARRIVED, _LOST = ("delivered", "expanded"), ("failed", "quarantined", "filteredasspam")


def message(sender: str, recipient: str, *, at: datetime) -> tuple[EmailMessage, Sent]:
    """A message with an id unlike any other, that says what it is; and what was sent."""
    ident = uuid4().hex
    message_id = f"<exosync-{ident}@{sender.rpartition('@')[2]}>"
    mail = EmailMessage()
    mail["From"], mail["To"] = sender, recipient
    mail["Subject"] = f"exosync probe {ident[:8]}"
    mail["Date"], mail["Message-ID"] = format_datetime(at), message_id
    mail["Auto-Submitted"] = "auto-generated"
    mail[HEADER] = ident
    mail.set_content(
        "exosync sent this message to see whether mail reaches you by the way that it should.\n"
        "Nothing needs to be done with it, and it may be deleted.\n"
    )
    return mail, Sent(sender, recipient, message_id, at)


def became(traces: Sequence[Trace], events: Sequence[TraceEvent], way: Way) -> tuple[Stage, ...]:
    """What the trace tells, beside what was told before; one stage at least."""
    if not traces:
        return (
            Stage(
                "happened",
                "message trace",
                "the message trace does not show the message yet",
                None,
                Sure.SEEN,
                (_LATER,),
            ),
        )
    return tuple(_stages(traces[0], events, way))


def _stages(trace: Trace, events: Sequence[TraceEvent], way: Way) -> Iterator[Stage]:
    says = tuple(
        f"{one.at}: {one.event}{f' ({one.description})' if one.description else ''}"
        for one in events
    )
    yield Stage(
        "happened",
        "message trace",
        f"Exchange Online says: {trace.status or 'nothing of its state'}",
        _arrived(trace.status),
        Sure.SEEN,
        says,
    )
    left = bool(trace.to_ip)
    if way.leaves is not None or left:
        yield _leaving(trace, way, left=left)
    pool = next((found[1].strip() for one in events if (found := _POOL.search(one.data))), "")
    if pool:
        yield _from_pool(pool, way)


def _arrived(status: str) -> bool | None:
    plain = status.lower()
    if plain in _ARRIVED:
        return True
    return False if plain in _LOST else None


def _leaving(trace: Trace, way: Way, *, left: bool) -> Stage:
    foretold = {True: "to leave", False: "to stay", None: "unsure"}[way.leaves]
    what, is_as_told = f"it left for {trace.to_ip}", way.leaves
    if not left:
        stayed = way.leaves is False and _arrived(trace.status) is True
        what = "it stayed in Exchange Online" if stayed else _NOT_LEFT
        is_as_told = True if stayed else None
    hosts = f", to {', '.join(way.hosts)}" if way.hosts and way.leaves else ""
    told = f"foretold was: {foretold}{hosts}"
    return Stage("happened", trace.to_ip or "Exchange Online", what, is_as_told, Sure.SEEN, (told,))


def _from_pool(pool: str, way: Way) -> Stage:
    is_relay = "relay" in pool.lower() or "rly" in pool.lower()
    seen = Pool.RELAY if is_relay else Pool.MAIL
    ok = None if way.pool is Pool.EITHER else way.pool is seen
    told = f"foretold was: {way.pool.value}"
    return Stage("happened", pool, f"it left from the pool {pool}", ok, Sure.SEEN, (told,))
