"""Graph: what became of each message, and sending one (learn.microsoft.com, Graph v1.0).

A trace is a record with the properties of exchangeMessageTrace; its `details` are those of
exchangeMessageTraceDetail. `or` in a filter is silently passed over (Nico77600's practice).
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import unquote
from uuid import uuid4

from tests.standins import exchange_replies as replies
from tests.standins.exchange_access import Access, Token
from tests.standins.exchange_clouds import CLOUDS
from tests.standins.exchange_org import Org
from tests.standins.exchange_requests import header
from tests.standins.exchange_switches import READ_TRACES, SEND_MAIL, Switches
from tests.standins.web import Reply, Request

Record = dict[str, Any]

ROOT = "/v1.0/admin/exchange/tracing/messageTraces"

_SEND = re.compile(r"/v1\.0/users/([^/]+)/sendMail")
_CLAUSE = re.compile(r"(\w+) (eq|ge|le) ('(?:[^']|'')*'|[^ ']+)")
_DETAILS = re.compile(
    r"/([^/]+)/(?:microsoft\.graph\.)?getDetailsByRecipient\(recipientAddress='(.*)'\)"
)
_FILTERS = {
    "eq": {"senderAddress", "recipientAddress", "messageId", "status", "fromIP", "toIP", "subject"},
    "ge": {"receivedDateTime"},
    "le": {"receivedDateTime"},
}
_OLDEST, _WINDOW, _USUAL = timedelta(days=90), timedelta(days=10), timedelta(days=2)


def add_trace(
    org: Org,
    sender: str,
    recipient: str,
    *,
    message_id: str,
    received: datetime,
    status: str = "delivered",
    **more: Any,
) -> Record:
    """Note what became of a message for one of its recipients; gives the record, to be changed.

    `more` are further properties (subject, fromIP, toIP, size), and `details`.
    """
    made = {
        "id": str(uuid4()),
        "senderAddress": sender,
        "recipientAddress": recipient,
        "messageId": message_id,
        "receivedDateTime": received,
        "subject": "",
        "status": status,
        "size": 4096,
        "fromIP": None,
        "toIP": None,
        "details": [],
        **more,
    }
    org.traces.append(made)
    return made


def detail(
    event: str, when: datetime, *, action: str = "", data: str = "", text: str = ""
) -> Record:
    """One event in the life of a message."""
    return {
        "id": str(uuid4()),
        "event": event,
        "action": action,
        "data": data,
        "description": text,
        "dateTime": when,
    }


class Graph:
    """Answers what is asked of Graph."""

    def __init__(self, org: Org, access: Access, now: Callable[[], datetime]) -> None:
        self._org, self._access, self._now = org, access, now

    def answer(self, request: Request, switches: Switches) -> Reply:
        """The answer to a request."""
        token = self._access.bearer(request, "graph")
        if token is None:
            return replies.graph_error(401, "InvalidAuthenticationToken", "Access token is empty.")
        path, sending = unquote(request.path), _SEND.fullmatch(unquote(request.path))
        if request.method == "POST" and sending:
            return _lacking(token, SEND_MAIL) or self._send(request, sending[1])
        traces = CLOUDS[switches.cloud].traces  # what the others answer instead is unknown
        if request.method != "GET" or not path.startswith(ROOT) or not traces:
            return replies.graph_error(404, "ResourceNotFound", "Resource not found.")
        shown = self._shown(switches)
        return _lacking(token, READ_TRACES) or (
            self._list(request, shown) if path == ROOT else _details(path.removeprefix(ROOT), shown)
        )

    def _send(self, request: Request, user: str) -> Reply:
        """A message as MIME, in base64; that it was taken says nothing of its arrival."""
        found = self._org.recipient(user)
        if found is None or found["RecipientTypeDetails"] != "UserMailbox":
            text = f"The requested user '{user}' is invalid."
            return replies.graph_error(404, "ErrorInvalidUser", text)
        if not header(request, "Content-Type").startswith("text/plain"):
            return _bad("This stand-in takes messages as MIME alone.")
        try:
            mime = base64.b64decode(request.body, validate=True)
        except ValueError:
            text = "Invalid base64 string for MIME content."
            return replies.graph_error(400, "ErrorMimeContentInvalidBase64String", text)
        self._org.send(user, mime)
        return Reply(202)

    def _shown(self, switches: Switches) -> list[Record]:
        until = self._now() - switches.trace_delay
        since = self._now() - _OLDEST
        return [one for one in self._org.traces if since <= one["receivedDateTime"] <= until]

    def _list(self, request: Request, shown: list[Record]) -> Reply:
        top = request.query.get("$top", "1000")
        if not top.isdecimal() or not 1 <= int(top) <= 5000:
            return _bad("The $top must be between 1 and 5000.")
        asked = request.query.get("$filter", "")
        clauses = {(name, sign): value for name, sign, value in _CLAUSE.findall(asked)}
        wrong = next((one for one in clauses if one[0] not in _FILTERS[one[1]]), None)
        if wrong is not None or (asked and not clauses):
            return _bad(f"The filter {asked!r} is not supported.")
        since, until = (_time(clauses.get(("receivedDateTime", one))) for one in ("ge", "le"))
        if since and until and until - since > _WINDOW:
            return _bad("A query covers ten days at most.")
        if since and self._now() - since > _OLDEST:
            return _bad("A query begins ninety days ago at most.")
        if since is None and until is None:  # docs, of Get-MessageTraceV2: the last 48 hours
            shown = [one for one in shown if one["receivedDateTime"] >= self._now() - _USUAL]
        found = [one for one in shown if _fits(one, clauses)]
        start = int(request.query.get("$skiptoken", "0"))
        return _page(request, found, start, int(top))


def _lacking(token: Token, role: str) -> Reply | None:
    if role in token.roles:
        return None
    text = f"The application needs {role}."
    return replies.graph_error(403, "Authorization_RequestDenied", text)


def _page(request: Request, found: list[Record], start: int, size: int) -> Reply:
    base = f"http://{header(request, 'Host')}"
    body: Record = {
        "@odata.context": f"{base}/v1.0/$metadata#admin/exchange/tracing/messageTraces",
        "value": [_plain(one) for one in found[start : start + size]],
    }
    if len(found) > start + size:
        rest = "&".join(
            f"{name}={value}" for name, value in request.query.items() if name != "$skiptoken"
        )
        body["@odata.nextLink"] = f"{base}{ROOT}?{rest}&$skiptoken={start + size}"
    return replies.json_reply(body)


def _details(rest: str, shown: list[Record]) -> Reply:
    asked = _DETAILS.fullmatch(rest)
    if asked is None:
        return replies.graph_error(404, "ResourceNotFound", "Resource not found.")
    wanted = asked[1], asked[2].replace("''", "'").lower()
    for one in shown:
        if (one["id"], one["recipientAddress"].lower()) == wanted:
            value = [{**_plain(event), "messageId": one["messageId"]} for event in one["details"]]
            return replies.json_reply({"value": value})
    return replies.json_reply({"value": []})  # unknown


def _fits(trace: Record, clauses: dict[tuple[str, str], str]) -> bool:
    return all(_holds(trace, name, sign, value) for (name, sign), value in clauses.items())


def _holds(trace: Record, name: str, sign: str, value: str) -> bool:
    if name == "receivedDateTime":
        when = _time(value)
        assert when is not None
        found: datetime = trace[name]
        return found >= when if sign == "ge" else found <= when
    plain = value.strip("'").replace("''", "'")
    return str(trace[name]).lower() == plain.lower()


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text.strip("'")) if text else None


def _plain(record: Record) -> Record:
    return {name: _written(value) for name, value in record.items() if name != "details"}


def _written(value: Any) -> Any:
    return f"{value.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}" if isinstance(value, datetime) else value


def _bad(text: str) -> Reply:
    return replies.graph_error(400, "BadRequest", text)
