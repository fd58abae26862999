"""What the stand-in of the endpoints web service sends, faults included."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from typing import Any

from tests.standins.web import Reply

Json = Any


# Faults, ours but where said. Each stands for one request: service.script(hang(), reset()).


def status(code: int, headers: Mapping[str, str] | None = None, body: bytes = b"") -> Reply:
    """A status. 429 without Retry-After is what the page promises to who asks too often."""
    return Reply(code, headers or {}, body)


def html() -> Reply:
    """A sign-in page with status 200, as captive portals and proxies give it."""
    return Reply(200, {"Content-Type": "text/html"}, b"<!DOCTYPE html>\n<title>Sign in</title>\n")


def redirect(to: str) -> Reply:
    """A redirect, as a proxy's sign-in gives it."""
    return Reply(302, {"Location": to})


def wrong_json(value: Json) -> Reply:
    """Well-formed JSON that is not what was asked for."""
    return Reply(body=json.dumps(value).encode())


def truncated(body: bytes) -> Reply:
    """Half of a body, with the whole one's length announced."""
    return Reply(body=body, manner="truncated")


def truncated_chunks(body: bytes) -> Reply:
    """Chunks of a body without the one that ends it."""
    return Reply(body=body, manner="truncated_chunks")


def dripping(body: bytes) -> Reply:
    """A body that comes byte by byte and does not end for a long time."""
    return Reply(body=body, manner="dripping")


def dripping_headers() -> Reply:
    """Header lines without an end."""
    return Reply(manner="dripping_headers")


def oversize(size: int) -> Reply:
    """More than anybody asked for, sent in chunks so that no length gives it away."""
    return Reply(body=b"[" + b" " * (size - 2) + b"]", manner="chunks")


def gzip_bomb(size: int) -> Reply:
    """A small body that unpacks to a large one."""
    packed = gzip.compress(b"[" + b" " * (size - 2) + b"]")
    return Reply(200, {"Content-Encoding": "gzip"}, packed)


def reset() -> Reply:
    """A connection that is reset (recorded in 2020: some source addresses got nothing else)."""
    return Reply(manner="reset")


def hang() -> Reply:
    """A connection on which nothing ever comes (recorded in 2020, the same incident)."""
    return Reply(manner="hang")
