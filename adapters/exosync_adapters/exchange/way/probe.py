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
from exosync_adapters.exchange.admin.graph import OLDEST, Trace, TraceEvent

HEADER = "X-Exosync-Probe"

_POOL = re.compile(r"OutboundIpPoolName['\"]?\W+(?:String\W+)?([A-Za-z0-9._ -]+)", re.IGNORECASE)
_LATER = (
    "look for its id there later (Exchange admin center: Mail flow > Message trace), or ask again:"
)
_AGE = (
    f"it shows a message some time after it was sent, and for {OLDEST.days} days; its id is the "
    "Message-ID in its headers. To ask again:"
)
_UNDER_WAY = "it is not at its end yet; to ask again:"
_FEW_OTHERS = 5
_NOT_LEFT = "it did not leave Exchange Online, or not yet"
_ARRIVED, _LOST = ("delivered", "expanded"), ("failed", "quarantined", "filteredasspam")
_MOVING = ("pending", "gettingstatus", "")


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


def known(sender: str, recipient: str, message_id: str) -> Sent:
    """What can be told of a message by its id: whether it is one of `message`'s, and not when."""
    pattern = rf"<exosync-[0-9a-f]{{32}}@{re.escape(sender.rpartition('@')[2])}>"
    return Sent(sender, recipient, message_id, is_own=re.fullmatch(pattern, message_id) is not None)


def records(sent: Sent, traces: Sequence[Trace]) -> Sequence[Trace]:
    """Those of the traces that are for its recipient, the first received first.

    What was sent here went to one recipient, whatever the trace calls that.
    """
    found = [one for one in traces if one.recipient.lower() == sent.recipient.lower()]
    if not found and sent.at is not None:
        found = list(traces)
    return sorted(found, key=lambda one: one.received)


def became(
    sent: Sent, traces: Sequence[Trace], events: Sequence[TraceEvent], way: Way
) -> tuple[Stage, ...]:
    """What the trace tells, beside what was told before; one stage at least."""
    if not traces:
        return (_not_shown(sent),)
    found = records(sent, traces)
    if not found:
        return (_of_others(sent, traces),)
    return tuple(_stages(sent, found, events, way))


def _not_shown(sent: Sent) -> Stage:
    title, why = "the message trace does not show the message", _AGE
    if sent.at is not None:
        title, why = f"{title} yet", _LATER
    return Stage("happened", "message trace", title, None, Sure.SEEN, (why, sent.again))


def _of_others(sent: Sent, traces: Sequence[Trace]) -> Stage:
    """It has other recipients: a group's members, say, or the one meant by another address."""
    named = sorted({one.recipient for one in traces})
    more = f" and {len(named) - _FEW_OTHERS} more" if len(named) > _FEW_OTHERS else ""
    title = f"the message trace shows the message, and not for {sent.recipient}"
    says = f"there it is for {', '.join(named[:_FEW_OTHERS])}{more}: ask for whom you mean"
    return Stage("happened", "message trace", title, None, Sure.SEEN, (says,))


def _stages(
    sent: Sent, found: Sequence[Trace], events: Sequence[TraceEvent], way: Way
) -> Iterator[Stage]:
    trace = found[0]
    further = (_UNDER_WAY, sent.again) if trace.status.lower() in _MOVING else ()
    yield Stage(
        "happened",
        "message trace",
        f"Exchange Online says: {trace.status or 'nothing of its state'}",
        _arrived(trace.status),
        Sure.SEEN,
        (*_told(events), *_besides(sent, found), *further),
    )
    left = bool(trace.to_ip)
    if way.leaves is not None or left:
        yield _leaving(trace, way, left=left)
    pool = next((told[1].strip() for one in events if (told := _POOL.search(one.data))), "")
    if pool:
        yield _from_pool(pool, way)


def _told(events: Sequence[TraceEvent]) -> Iterator[str]:
    for one in events:
        yield f"{one.at}: {one.event}{f' ({one.description})' if one.description else ''}"


def _besides(sent: Sent, found: Sequence[Trace]) -> Iterator[str]:
    """What makes this another message than the one whose way was told, or one of several."""
    named = found[0].sender
    if named and named.lower() != sent.sender.lower():
        yield f"its sender is {named}: the way was told for {sent.sender}"
    if len(found) > 1:
        yield f"the message trace has {len(found)} of this id and recipient: this is the first"


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
