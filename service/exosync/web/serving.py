"""The page's server, in a thread of its own."""

from __future__ import annotations

import socket
import threading
import time
from typing import TYPE_CHECKING

import uvicorn

from exosync.core.listen import split_listen
from exosync.errors import ConfigError
from exosync.web.hasty import MOST_AT_ONCE, PATIENCE, HastyProtocol

if TYPE_CHECKING:
    from fastapi import FastAPI

START_WITHIN = 10.0  # seconds


class PageServer:
    """Serves an application from `start` to `stop`.

    `patience` is how many seconds a request may take to come in, `most` how many connections
    may be open before those that are only waited for give way; those at work may be twice as
    many.
    """

    def __init__(
        self, app: FastAPI, *, patience: float = PATIENCE, most: int = MOST_AT_ONCE
    ) -> None:
        self._app, self._most = app, most
        kept = {"patience": patience, "most": most}
        self._protocol = type("Protocol", (HastyProtocol,), kept)
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None

    def start(self, listen: str) -> str:
        """Listen on an address and port; gives what it is called by: http://127.0.0.1:8620.

        Raises ConfigError if nobody can listen there.
        """
        bound = _bound(listen)
        config = uvicorn.Config(
            self._app,
            http=self._protocol,
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            ws="none",
            lifespan="off",
            limit_concurrency=self._most * 2,
            timeout_graceful_shutdown=2,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=self._server.run, args=([bound],), name="exosync-web", daemon=True
        )
        self._thread.start()
        until = time.monotonic() + START_WITHIN
        while not self._server.started and self._thread.is_alive() and time.monotonic() < until:
            time.sleep(0.01)
        return _url(bound)

    def is_alive(self) -> bool:
        """Whether it serves."""
        return self._thread is not None and self._thread.is_alive()

    def stop(self, within: float = 5.0) -> None:
        """Let open requests end, and stop; at most so many seconds."""
        if self._server is None or self._thread is None:
            return
        self._app.state.closing.set()
        self._server.should_exit = True
        self._thread.join(within)


def _bound(listen: str) -> socket.socket:
    address, port = split_listen(listen)
    family = socket.AF_INET6 if address.version == 6 else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((str(address), port))
    except OSError as error:
        bound.close()
        raise ConfigError(f"web.listen: nobody can listen on {listen}: {error.strerror}") from error
    return bound


def _url(bound: socket.socket) -> str:
    host, port = bound.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
