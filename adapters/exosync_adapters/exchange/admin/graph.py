"""What became of a message: the message trace of Microsoft Graph, which is supported and only reads.

Microsoft Learn, Graph v1.0: "List messageTraces", "exchangeMessageTrace: getDetailsByRecipient",
with the permission ExchangeMessageTrace.Read.All, worldwide alone, 100 requests in five minutes.
Nobody of ours has tried it at a live tenant. `or` in a filter is silently passed over, and a query
covers ten days at most (Nico77600/MessageTraceReport).
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

PERMISSION: Final = "ExchangeMessageTrace.Read.All"
LONGEST: Final = timedelta(days=10)
FIRST: Final = timedelta(seconds=2)
EVERY: Final = timedelta(seconds=30)
"""How soon, and then how often it is asked whether a message shows: far below the limit."""

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

    def find(
        self,
        *,
        since: datetime,
        until: datetime | None = None,
        message_id: str = "",
        sender: str = "",
        recipient: str = "",
    ) -> tuple[Trace, ...]:
        """The traces that fit all that is given, one for each recipient; empty if none shows yet.

        Both times are always told: without them Graph looks at the last 48 hours.
        """
        last = until or now()
        first = max(since, last - LONGEST)
        clauses = [f"receivedDateTime ge {_moment(first)}", f"receivedDateTime le {_moment(last)}"]
        for name, value in (
            ("messageId", message_id),
            ("senderAddress", sender),
            ("recipientAddress", recipient),
        ):
            if value:
                clauses.append(f"{name} eq {_literal(value)}")
        query = urlencode({"$filter": " and ".join(clauses)}, quote_via=quote, safe="$")
        return tuple(_trace(one) for one in self._listed(f"{_PATH}?{query}"))

    def details(self, trace: Trace) -> tuple[TraceEvent, ...]:
        """What happened to a message for its recipient, in the order that Graph tells it."""
        address = quote(_literal(trace.recipient), safe="@'")
        path = (
            f"{_PATH}/{quote(trace.id, safe='')}/getDetailsByRecipient(recipientAddress={address})"
        )
        return tuple(_event(one) for one in self._listed(path))

    def wait_for(
        self,
        *,
        since: datetime,
        within: timedelta,
        message_id: str = "",
        sender: str = "",
        recipient: str = "",
    ) -> tuple[Trace, ...]:
        """The same as `find`, asked again until a message shows or the time is over.

        How long a message takes to show is not documented.
        """
        left, pause = within, FIRST
        while True:
            found = self.find(
                since=since, message_id=message_id, sender=sender, recipient=recipient
            )
            if found or left <= timedelta(0):
                return found
            pause = min(pause, left)
            self._session.pause(pause.total_seconds())
            left, pause = left - pause, min(pause * 2, EVERY)

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
                "Microsoft Graph with admin consent"
            )
        return faults.error(what, "", cleaned)


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
