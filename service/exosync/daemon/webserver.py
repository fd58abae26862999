"""The web server on a thread of its own."""

from __future__ import annotations

import socket
import threading
from typing import TYPE_CHECKING

from exosync.core.listen import split_listen
from exosync.errors import ConfigError

if TYPE_CHECKING:
    import uvicorn
    from fastapi import FastAPI

_GRACE = 5
"""Seconds that answers in hand may take when the server stops."""


def bind(listen: str) -> socket.socket:
    """A listening socket. Raises ConfigError if it cannot be had."""
    address, port = split_listen(listen)
    family = socket.AF_INET6 if address.version == 6 else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if family == socket.AF_INET6:
        listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    try:
        listener.bind((str(address), port))
        listener.listen(128)
    except OSError as error:
        listener.close()
        message = f"web.listen: {listen} cannot be listened on: {error.strerror or error}"
        raise ConfigError(message) from error
    return listener


class WebServer:
    """Serves an application on a socket until it is stopped."""

    def __init__(self, app: FastAPI, listener: socket.socket) -> None:
        self._listener = listener
        self._server = _server(app)
        self._thread = threading.Thread(target=self._run, name="exosync web", daemon=True)

    @property
    def url(self) -> str:
        """Where the page is, by the port that the system may have chosen."""
        host, port = self._listener.getsockname()[:2]
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    def start(self) -> None:
        """Begin to serve."""
        self._thread.start()

    def stop(self) -> None:
        """Stop; answers in hand have a few seconds."""
        self._server.should_exit = True
        self._thread.join(_GRACE + 1)
        self._listener.close()

    def _run(self) -> None:
        self._server.run(sockets=[self._listener])


def _server(app: FastAPI) -> uvicorn.Server:
    import uvicorn

    config = uvicorn.Config(
        app,
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,
        lifespan="off",
        timeout_graceful_shutdown=_GRACE,
        timeout_keep_alive=10,
        h11_max_incomplete_event_size=32 * 1024,
        limit_concurrency=200,
        ws="none",
    )
    return uvicorn.Server(config)
