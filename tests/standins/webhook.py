"""A stand-in of a webhook's receiver: real HTTP on loopback, in good and in bad days.

with WebhookStandIn() as receiver:
    receiver.script(Reply(503), None)
    ...
    receiver.alerts
"""

from __future__ import annotations

import json
import ssl
import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Self

from tests.standins.web import Reply, Request, Server

TAKEN = Reply(204)


class WebhookStandIn:
    """The receiver. `requests` are all that came, `taken` those that it said yes to."""

    def __init__(self, *, port: int = 0) -> None:
        self.requests: list[Request] = []
        self.taken: list[Request] = []
        self.came: Callable[[Request], None] = lambda _: None
        self.always: Reply | None = None
        self._script: deque[Reply | None] = deque()
        self._server = Server(port, self._reply)
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.02,), daemon=True
        )

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._server.server_port}/hooks/s3cr3t-way"

    @property
    def port(self) -> int:
        """The port alone."""
        return self._server.server_port

    def secured(self, context: ssl.SSLContext) -> str:
        """Speak TLS from now on; gives the address."""
        self._server.socket = context.wrap_socket(
            self._server.socket, server_side=True, do_handshake_on_connect=False
        )
        return self.url.replace("http:", "https:")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def script(self, *replies: Reply | None) -> None:
        """What the next requests get, in order; None is a yes."""
        self._script.extend(replies)

    @property
    def alerts(self) -> Sequence[dict[str, Any]]:
        """The objects that it said yes to, in order."""
        return [json.loads(one.body) for one in self.taken]

    @property
    def keys(self) -> list[str]:
        """The keys of all that came, in order."""
        return [one.headers["webhook-id"] for one in self.requests]

    def _reply(self, request: Request) -> Reply:
        self.requests.append(request)
        scripted = self._script.popleft() if self._script else None
        reply = scripted or self.always or TAKEN
        if reply is TAKEN:
            self.taken.append(request)
        self.came(request)
        return reply
