"""Whether a request keeps the contract of the Mimecast API, as the schemas write it down."""

from __future__ import annotations

import json
from collections.abc import Iterator

from tests.standins.mimecast_access import token_form
from tests.standins.mimecast_routes import Route
from tests.standins.mimecast_schemas import violations
from tests.standins.web import Request

_WRITTEN = {
    "anti-spoofing": "anti-spoofing-written",
    "anti-spoofing-bypass": "anti-spoofing-bypass-written",
    "managed-senders": "managed-senders-request",
    "outbound": "outbound-addresses",
    "compat": "compat-request",
}
_NO_LIST = ("managed-senders", "outbound", "compat")
_FORM = "application/x-www-form-urlencoded"


def violations_of(request: Request, route: Route) -> list[str]:
    """What goes against the contract, a line each."""
    headers = {name.lower(): value for name, value in request.headers.items()}
    kind = headers.get("content-type", "").partition(";")[0]
    if route.name == "token":
        wrong_kind = [] if kind == _FORM else [f"Content-Type is not {_FORM}"]
        return wrong_kind + violations("token-request", dict(token_form(request)))
    return [*_query(request, route), *_body(request, route, kind)]


def _query(request: Request, route: Route) -> Iterator[str]:
    """POR: a list takes a page's size and token, nothing else takes anything."""
    lists = request.method == "GET" and route.name not in _NO_LIST and not route.wanted
    known = {"pageSize", "pageToken"} if lists else set()
    for name in request.query.keys() - known:
        yield f"the query has no {name}"


def _body(request: Request, route: Route, kind: str) -> Iterator[str]:
    if request.method in ("GET", "DELETE"):
        if request.body:
            yield "the body must be empty"
        return
    if kind != "application/json":
        yield "Content-Type is not application/json"
    try:
        body = json.loads(request.body)
    except ValueError:
        yield "the body is not JSON"
        return
    part = "#/$defs/create" if request.method == "POST" and route.wanted == "" else ""
    name = _WRITTEN.get(route.name, "policy-written")
    yield from violations(name if route.name in _NO_LIST else name + part, body)
