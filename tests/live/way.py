"""A loopback address in front of a real service, so that the contract's harness can listen in.

exosync asks this address, and what it asks goes on to the service. So the suite can count what
was written, cut the connection and let a write fail, at a real account as at a stand-in. What
is sent passes through this process unencrypted, and leaves the machine by TLS alone.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Self
from urllib.parse import urlencode, urlsplit

import requests

from tests.standins.web import Reply, Request, Server

_DROPPED = {"host", "content-length", "connection", "accept-encoding", "transfer-encoding"}
_KEPT = {
    *("content-type", "content-encoding", "retry-after", "rate-limit-reset"),
    *("x-ratelimit-reset", "x-request-id", "x-warnings"),
}
_PATIENCE = 60


class Way:
    """The server; `answer` gets each request and may hand it to `forward`."""

    def __init__(self, base_of: Callable[[str], str]) -> None:
        self._base_of = base_of
        self.answer: Callable[[Request], Reply] = self.forward
        self._server = Server(0, self._answered)
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.02,), daemon=True
        )

    @property
    def url(self) -> str:
        """Where exosync asks."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _answered(self, request: Request) -> Reply:
        return self.answer(request)

    def forward(self, request: Request) -> Reply:
        """Ask the service, and give back what it says, as it says it.

        A regional host that the service names below its own is asked in its place, as exosync
        itself would do if it knew the service.
        """
        query = f"?{urlencode(request.query)}" if request.query else ""
        headers = {
            name: value for name, value in request.headers.items() if name.lower() not in _DROPPED
        }
        headers["Accept-Encoding"] = "identity"
        url = f"{self._base_of(request.path)}{request.path}{query}"
        answer = _asked(request, url, headers)
        if answer.is_redirect and _below(answer.headers["location"], url):
            answer = _asked(request, answer.headers["location"], headers)
        kept = {name: value for name, value in answer.headers.items() if name.lower() in _KEPT}
        return Reply(answer.status_code, kept, answer.raw.read(decode_content=False))


def _asked(request: Request, url: str, headers: dict[str, str]) -> requests.Response:
    return requests.request(
        request.method,
        url,
        headers=headers,
        data=request.body or None,
        timeout=_PATIENCE,
        allow_redirects=False,
        stream=True,
    )


def _below(other: str, url: str) -> bool:
    """Whether an address is at a host below that of another, by the same scheme."""
    one, own = urlsplit(other), urlsplit(url)
    return one.scheme == own.scheme and (one.hostname or "").endswith(f".{own.hostname}")
