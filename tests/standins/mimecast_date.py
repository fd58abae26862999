"""The `Date` header of a stand-in, from a clock of its own."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler
from typing import cast

from tests.standins.web import Server


def dated(server: Server, date: Callable[[], datetime]) -> Server:
    """A server whose `Date` header follows a clock."""

    def date_time_string(*_: object) -> str:
        return format_datetime(date().astimezone(UTC), usegmt=True)

    handler = cast("type[BaseHTTPRequestHandler]", server.RequestHandlerClass)
    own = {"date_time_string": date_time_string}
    server.RequestHandlerClass = type("Dated", (handler,), own)
    return server
