"""What every request passes before anything else looks at it, and every answer on its way out."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, quote

from starlette.datastructures import Headers
from starlette.responses import RedirectResponse, Response

from exosync.core.words import short
from exosync.web.access import Access, Standing, Verdict
from exosync.web.headers import KEEP_NOTHING, SAFE
from exosync.web.hosts import host_of, is_meant
from exosync.web.port import Service
from exosync.web.problems import problem

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

LONGEST_PATH = 512
LONGEST_QUERY = 1024
DELAY = 0.5  # seconds, after a wrong token

OPEN = frozenset({"/livez", "/readyz", "/sign-in"})
"""What may be asked for without the token, as may the assets: none tells what the state holds."""

MACHINES = ("/api/", "/metrics", "/live")
"""Whoever asks here is a program: it is told what is wrong instead of being led to a page."""


class Gate:
    """An ASGI middleware: limits, the Host check, the token, and headers that keep a page safe.

    It leaves its verdict in the request's state.
    """

    def __init__(self, app: ASGIApp, *, service: Service, access: Access) -> None:
        self._app, self._service, self._access = app, service, access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer it here."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        safe = _safe(send)
        refused = _malformed(scope) or self._wrong_host(scope) or await self._stranger(scope)
        if refused is not None:
            await refused(scope, receive, safe)
            return
        # HEAD is answered as GET is, and the server leaves out the body; but a stream never ends.
        if scope["method"] == "HEAD" and scope["path"] != "/live":
            scope = {**scope, "method": "GET"}
        await self._app(scope, receive, safe)

    def _wrong_host(self, scope: Scope) -> Response | None:
        given = Headers(scope=scope).getlist("host")
        host = host_of(given[0]) if len(given) == 1 else None
        if host is None:
            return problem(400, "the request does not name one host")
        web = self._service.loaded().config.web
        if not is_meant(host, listen=web.listen or "127.0.0.1:0", names=web.hosts):
            return problem(421, "this server does not go by that name; web.hosts can name more")
        return None

    async def _stranger(self, scope: Scope) -> Response | None:
        """None for whoever may read, and for what anybody may."""
        verdict = self._access.judge(Headers(scope=scope), place_of(scope))
        scope.setdefault("state", {})["verdict"] = verdict
        if verdict.standing is Standing.WRONG:
            await asyncio.sleep(DELAY)
        path: str = scope["path"]
        if verdict.trusted or path in OPEN or path.startswith("/assets/"):
            return None
        return _turned_away(scope, verdict)


def place_of(scope: Scope) -> str:
    """Where a request comes from, as far as wrong tries are counted by it."""
    client = scope.get("client")
    return str(client[0]) if client else ""


def _malformed(scope: Scope) -> Response | None:
    query: bytes = scope["query_string"]
    if len(scope["path"]) > LONGEST_PATH:
        return problem(414, "the address is too long")
    if len(query) > LONGEST_QUERY:
        return problem(400, "what follows the ? is too long")
    names = [name for name, _ in parse_qsl(query.decode("latin-1"), keep_blank_values=True)]
    twice = next((one for one in names if names.count(one) > 1), None)
    if twice is not None:
        return problem(400, f"{short(twice, 40)} is given more than once")
    return None


def _turned_away(scope: Scope, verdict: Verdict) -> Response:
    if verdict.standing is Standing.UNREADABLE:
        return problem(503, "web.token cannot be read, so nobody is let in")
    if verdict.standing is Standing.TOO_OFTEN:
        detail = "too many wrong tokens came from there"
        return problem(429, detail, {"Retry-After": str(verdict.wait)})
    path: str = scope["path"]
    if path.startswith(MACHINES) or scope["method"] not in ("GET", "HEAD"):
        detail = "this needs the token: Authorization: Bearer TOKEN"
        return problem(401, detail, {"WWW-Authenticate": 'Bearer realm="exosync"'})
    query = scope["query_string"].decode("latin-1")
    asked = quote(path, safe="/") + (f"?{query}" if query else "")
    return RedirectResponse(f"/sign-in?next={quote(asked, safe='')}", 303)


def _safe(send: Send) -> Send:
    """Puts the headers on; an answer that may be kept has said so itself."""

    async def wrapped(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = [*message.get("headers", ()), *SAFE]
            if not any(name == KEEP_NOTHING[0] for name, _ in headers):
                headers.append(KEEP_NOTHING)
            message = {**message, "headers": headers}
        await send(message)

    return wrapped
