"""Lists of the stand-in of Mimecast, page by page, in each of the shapes that are known."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.standins.mimecast_replies import Refused, Wrong
from tests.standins.mimecast_switches import Switches

Json = Any


@dataclass(frozen=True, slots=True)
class Page:
    """Where a page begins, how much it may hold, and whether it goes on from another."""

    start: int
    size: int
    is_first: bool


def asked_page(query: Mapping[str, str], switches: Switches) -> Page:
    """The page that a query asks for."""
    text = query.get("pageSize", str(switches.page_size_default))
    size = int(text) if text.isdecimal() else 0
    if not 1 <= size <= switches.page_size_max:
        most = switches.page_size_max
        raise Refused(400, [Wrong("err_validation_range", f"must be 1 to {most}", "pageSize")])
    token = query.get("pageToken", "")
    return Page(_start(token) if token else 0, size, is_first=not token)


def wrapped(items: Sequence[Json], next_token: str | None, switches: Switches) -> Json:
    """The body of a list: its items in their wrapper, the next token in its place."""
    if switches.list_wrapper == "bare":
        return list(items)
    body: dict[str, Json] = {switches.list_wrapper: list(items)}
    if next_token is None:
        return body
    *outer, last = switches.next_token_place.split(".")
    inner = body
    for name in outer:
        inner = inner.setdefault(name, {})
    inner[last] = next_token
    return body


def next_token(page: Page, count: int, switches: Switches) -> str | None:
    """The token of the page after this one, of `count` items in all; None when it is the last."""
    after = page.start + page.size
    if after < count or (switches.last_page_empty and after == count):
        return _token(after)
    return None


def _token(start: int) -> str:
    """POR's example NDY6bnVsbA== says "46:null"."""
    return base64.b64encode(f"{start}:null".encode()).decode()


def _start(token: str) -> int:
    try:
        text = base64.b64decode(token, validate=True).decode()
        return int(text.removesuffix(":null"))
    except (binascii.Error, ValueError):
        wrong = Wrong("err_validation_token", "is not a page token", "pageToken")
        raise Refused(400, [wrong]) from None
