"""What became of a message: the message trace of Microsoft Graph, which is supported and only reads.

Microsoft Learn, Graph v1.0: "List messageTraces", "exchangeMessageTrace: getDetailsByRecipient",
with the permission ExchangeMessageTrace.Read.All, worldwide alone, 100 requests in five minutes; a
query covers ten days at most, and begins ninety days ago at most. Nobody of ours has tried it at a
live tenant. `or` in a filter is silently passed over (Nico77600/MessageTraceReport).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import quote, urlencode

from exosync.core.meter import Meter, unmetered
from exosync.errors import ConfigError, TargetDenied, TargetError
from exosync_adapters.exchange.admin import faults
from exosync_adapters.exchange.admin.faults import Fault, Trouble
from exosync_adapters.exchange.admin.session import Request, Session
from exosync_adapters.exchange.admin.times import now
from exosync_adapters.exchange.admin.tokens import Reveal
from exosync_adapters.exchange.clouds import Cloud
from exosync_adapters.exchange.settings import ExchangeSettings
from exosync_adapters.waiting import look_until

PERMISSION: Final = "ExchangeMessageTrace.Read.All"
PROVISIONED: Final = "8bd644d1-64a1-4d4b-ae52-2e0cbf64e373"
"""The application of Microsoft's that must be known in the tenant (Microsoft Learn,
"exchangeMessageTrace resource type", prerequisites)."""

LONGEST: Final = timedelta(days=10)
OLDEST: Final = timedelta(days=90)
"""What one query may cover, and how far back the trace goes."""

_MARGIN: Final = timedelta(hours=1)
"""The clocks may differ, and asking takes time: nothing older than allowed is asked for."""

_NEW: Final = timedelta(days=2)
"""What does not show yet was sent less than so long ago."""

_LATER: Final = "no run asks for it: a message can be asked for again by its id (trace --sent)"
_PATH: Final = "/v1.0/admin/exchange/tracing/messageTraces"
_MOST_PAGES: Final = 20


@dataclass(frozen=True, slots=True)
class Trace:
    """A message on its way to one recipient.

    `status` is gettingStatus, pending, failed, delivered, expanded, quarantined or
    filteredAsSpam. `to_ip` is the host that it was given to, if it left.
    """

    id: str
    message_id: str
    sender: str
    recipient: str
    status: str
    received: str = ""
    subject: str = ""
    from_ip: str = ""
    to_ip: str = ""


@dataclass(frozen=True, slots=True)
class TraceEvent:
    """One event in the life of a message, in the vendor's words (Receive, Send, Deliver, Fail, …).

    `data` may name the pool of addresses (OutboundIpPoolName; Microsoft Learn, "Outbound delivery
    pools"); its form is not documented.
    """

    at: str
    event: str
    action: str = ""
    description: str = ""
    data: str = ""


class Graph:
    """Graph's message traces. Nothing is loaded or asked before the first call.

    Every call raises ConfigError, TargetDenied, TargetUnreachable and TargetError.
    """

    def __init__(
        self,
        settings: ExchangeSettings,
        cloud: Cloud,
        *,
        reveal: Reveal,
        pause: Callable[[float], None],
        meter: Meter = unmetered,
    ) -> None:
        self._cloud = cloud
        self._session = Session(
            settings, cloud, cloud.graph, reveal=reveal, pause=pause, meter=meter
        )

    def find(self, *, since: datetime | None, message_id: str = "") -> tuple[Trace, ...]:
        """The traces of a message, or of all, one for each recipient; empty if none shows yet.

        `since` None is as far back as the trace goes. What is more than one query may cover is
        asked for piece by piece, from now backwards, until something is found. Both times are
        always told: without them Graph looks at the last 48 hours.
        """
        wanted = (f"messageId eq {_literal(message_id)}",) if message_id else ()
        present = now()
        oldest = present - OLDEST + _MARGIN
        first = oldest if since is None else max(since, oldest)
        for begin, end in _pieces(first, present):
            times = f"receivedDateTime ge {_moment(begin)}", f"receivedDateTime le {_moment(end)}"
            query = urlencode(
                {"$filter": " and ".join((*times, *wanted))}, quote_via=quote, safe="$"
            )
            if found := tuple(_trace(one) for one in self._listed(f"{_PATH}?{query}")):
                return found
        return ()

    def details(self, trace: Trace) -> tuple[TraceEvent, ...]:
        """What happened to a message for its recipient, in the order that Graph tells it."""
        address = quote(_literal(trace.recipient), safe="@'")
        path = (
            f"{_PATH}/{quote(trace.id, safe='')}/getDetailsByRecipient(recipientAddress={address})"
        )
        return tuple(_event(one) for one in self._listed(path))

    def wait_for(
        self, message_id: str, *, since: datetime | None, within: timedelta
    ) -> tuple[Trace, ...]:
        """The traces of a message, asked for again until it shows or the time is over.

        How long a message takes to show is not documented. What is old is asked for once.
        """
        first = since

        def look() -> tuple[Trace, ...]:
            nonlocal first
            found = self.find(since=first, message_id=message_id)
            first = since or now() - _NEW
            return found

        return look_until(look, within=within, pause=self._session.pause)

    def _listed(self, path: str) -> Iterator[Mapping[str, Any]]:
        if not self._cloud.trace:
            raise ConfigError(f"cloud: Graph has no message trace in {self._cloud.name}")
        url = f"{self._session.service}{path}"
        for _ in range(_MOST_PAGES):
            value = self._page(url)
            found = value.get("value")
            yield from (
                (one for one in found if isinstance(one, Mapping))
                if isinstance(found, list)
                else ()
            )
            url = str(value.get("@odata.nextLink") or "")
            if not url or not self._session.within(url):
                return

    def _page(self, url: str) -> Mapping[str, Any]:
        what = f"{self._session.host}: message trace"
        value, _, fault = self._session.ask(
            Request("GET", url, what, {"Accept": "application/json"})
        )
        if fault is None:
            return value
        raise self._error(what, fault)

    def _error(self, what: str, fault: Fault) -> TargetError:
        cleaned = self._session.cleaned(fault)
        if fault.trouble in (Trouble.TOKEN, Trouble.DENIED):
            return TargetDenied(
                f"{what}: {cleaned.told}; the application needs the permission {PERMISSION} of "
                "Microsoft Graph with admin consent, and the tenant a service principal for "
                f"Microsoft's application {PROVISIONED}"
            )
        return faults.error(what, "", cleaned, later=_LATER)


def _pieces(first: datetime, last: datetime) -> Iterator[tuple[datetime, datetime]]:
    """A time in pieces that one query may cover, the newest first; one at least."""
    end = last
    while True:
        begin = max(first, end - LONGEST)
        yield begin, end
        if begin <= first:
            return
        end = begin


def _trace(raw: Mapping[str, Any]) -> Trace:
    return Trace(
        id=_text(raw, "id"),
        message_id=_text(raw, "messageId"),
        sender=_text(raw, "senderAddress"),
        recipient=_text(raw, "recipientAddress"),
        status=_text(raw, "status"),
        received=_text(raw, "receivedDateTime"),
        subject=_text(raw, "subject"),
        from_ip=_text(raw, "fromIP"),
        to_ip=_text(raw, "toIP"),
    )


def _event(raw: Mapping[str, Any]) -> TraceEvent:
    return TraceEvent(
        at=_text(raw, "dateTime"),
        event=_text(raw, "event"),
        action=_text(raw, "action"),
        description=_text(raw, "description"),
        data=_text(raw, "data"),
    )


def _text(raw: Mapping[str, Any], name: str) -> str:
    value = raw.get(name)
    return "" if value is None else str(value).encode("utf-8", "replace").decode()


def _moment(when: datetime) -> str:
    return f"{when.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _literal(text: str) -> str:
    """A text in a filter of OData: its quotation marks doubled."""
    return "'" + text.replace("'", "''") + "'"
