"""The HTTP side of the stand-ins: what comes, what goes back, and the ways to misbehave."""

from __future__ import annotations

import gzip
import socket
import struct
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it came: `path` still quoted; of a name's values in `query` the last counts.

    `pairs` has them all.
    """

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes = b""
    pairs: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Reply:
    """What goes back, and how: `manner` is one of the ways to misbehave, or "plain"."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    manner: str = "plain"


class Server(ThreadingHTTPServer):
    """Answers each request with what `answer` gives. `closing` ends what would go on for long."""

    daemon_threads = False  # so that closing waits for them: none outlives a test
    request_queue_size = 128  # who finds it full tries again after a second, or three

    def __init__(self, port: int, answer: Callable[[Request], Reply]) -> None:
        self.answer = answer
        self.closing = threading.Event()
        super().__init__(("127.0.0.1", port), _Handler)

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients go away in the middle of an answer; that is what some tests are about."""


class _Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        pairs = tuple(parse_qsl(parts.query, keep_blank_values=True))
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = dict(self.headers.items())
        request = Request(self.command, parts.path, dict(pairs), headers, body, pairs)
        reply = self.server.answer(request)
        self.close_connection = True
        getattr(self, f"_send_{reply.manner}")(reply)

    do_POST = do_PUT = do_PATCH = do_DELETE = do_GET  # noqa: N815  (the base's names)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (the base's name)
        """Say nothing: the requests are kept."""

    def _send_plain(self, reply: Reply) -> None:
        body, headers = reply.body, dict(reply.headers)
        accepts = "gzip" in self.headers.get("Accept-Encoding", "")
        if (
            reply.status == 200
            and accepts
            and len(body) > 1000
            and not headers.get("Content-Encoding")
        ):
            body, headers["Content-Encoding"] = gzip.compress(body), "gzip"  # ours: a server may
        self._head(reply.status, {**headers, "Content-Length": str(len(body))})
        self.wfile.write(body)

    def _send_truncated(self, reply: Reply) -> None:
        self._head(200, {"Content-Length": str(len(reply.body))})
        self.wfile.write(reply.body[: len(reply.body) // 2])

    def _send_chunks(self, reply: Reply, *, ended: bool = True) -> None:
        self._head(200, {"Transfer-Encoding": "chunked"})
        for start in range(0, len(reply.body), 8192):
            part = reply.body[start : start + 8192]
            self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
        if ended:
            self.wfile.write(b"0\r\n\r\n")

    def _send_truncated_chunks(self, reply: Reply) -> None:
        self._send_chunks(reply, ended=False)

    def _send_dripping(self, reply: Reply) -> None:
        self._head(200, {"Content-Length": str(len(reply.body) + 1_000_000)})
        self._drip(reply.body + b" " * 1_000_000)

    def _send_dripping_headers(self, reply: Reply) -> None:
        self._drip(b"HTTP/1.1 200 OK\r\n" + b"X-Slow: 1\r\n" * 100_000)

    def _send_reset(self, reply: Reply) -> None:
        # A linger time of zero makes closing a reset.
        linger = struct.pack("ii", 1, 0)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.connection.close()

    def _send_hang(self, reply: Reply) -> None:
        self.connection.settimeout(0.02)
        while not self._closing(0.02) and self._is_open():
            pass

    def _drip(self, data: bytes) -> None:
        for byte in data:
            if self._closing(0.02):
                return
            self.wfile.write(bytes([byte]))
            self.wfile.flush()

    def _closing(self, seconds: float) -> bool:
        return self.server.closing.wait(seconds)

    def _is_open(self) -> bool:
        try:
            received: bytes = self.connection.recv(1)
        except TimeoutError:
            return True
        except OSError:
            return False
        return received != b""

    def _head(self, code: int, headers: Mapping[str, str]) -> None:
        self.send_response(code)
        for name, value in {"Connection": "close", **headers}.items():
            self.send_header(name, value)
        self.end_headers()
