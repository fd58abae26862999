"""Reading whole lists: every wrapper and every place of the next token that has been seen.

The portal documents `definitions`, public clients observed `policies` and `data`; the token
stands in one of several places (Scriptception/terraform-provider-mimecast, Akonis,
demisto/content). What is not understood is an error: half a list would look like policies that
are gone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from exosync.errors import TargetError

PAGE_SIZE = 100
"""The most that one page may hold (scraped developer portal: 1 to 100)."""

_MOST_PAGES = 10_000
_WRAPPERS = ("definitions", "policies", "data", "items")
_TOKENS = ("nextPage", "nextPageToken", "nextToken", "next_token", "next")
_OF_A_PAGE = frozenset(
    {"meta", "fail", "pagination", "pageSize", "pageToken", "totalCount", *_TOKENS}
)

Fetch = Callable[[Mapping[str, str]], Any]
"""Asks for one page by its query."""


def read_all(fetch: Fetch, what: str) -> list[Mapping[str, Any]]:
    """Every item of a list, each id once. Raises TargetError if it cannot be read in full."""
    found: list[Mapping[str, Any]] = []
    query, tokens = {"pageSize": str(PAGE_SIZE)}, set[str]()
    for _ in range(_MOST_PAGES):
        items, token = page(fetch(query), what)
        found += items
        if token is None:
            return _once_each(found)
        if token in tokens:
            raise TargetError(
                f"{what}: the list is incomplete, for Mimecast gives the same next page again "
                f"after {len(found):,} entries; nothing of it is used"
            )
        tokens.add(token)
        query = {"pageSize": str(PAGE_SIZE), "pageToken": token}
    raise TargetError(f"{what}: the list does not end after {_MOST_PAGES:,} pages")


def page(body: Any, what: str) -> tuple[list[Mapping[str, Any]], str | None]:
    """The items of one page, and the token of the next one if there is one.

    Raises TargetError for a shape that is not known.
    """
    items = _items(body)
    if items is None or not all(map(_has_id, items)):
        shape = ", ".join(sorted(body)[:8]) if isinstance(body, Mapping) else type(body).__name__
        raise TargetError(
            f"{what}: the answer has a shape that exosync does not know ({shape or 'nothing'}), so "
            "what is there cannot be told"
        )
    return items, _token(body)


def _has_id(item: Any) -> bool:
    return isinstance(item, Mapping) and bool(item.get("id") or item.get("policyId"))


def _items(body: Any) -> list[Any] | None:
    if isinstance(body, list):
        return body
    if not isinstance(body, Mapping) or not body:
        return None
    named = [name for name in _WRAPPERS if name in body]
    if not named:
        # Null, empty and absent are one: a page may be all about the page.
        return [] if body.keys() <= _OF_A_PAGE else None
    value = body[named[0]]
    if value is None:
        return []
    if isinstance(value, Mapping):
        return _items(value)
    return value if isinstance(value, list) else None


def _token(body: Any) -> str | None:
    if not isinstance(body, Mapping):
        return None
    meta = body.get("meta")
    places = [body, body.get("pagination"), meta]
    places += [meta.get("pagination")] if isinstance(meta, Mapping) else []
    for place in places:
        if isinstance(place, Mapping):
            for name in _TOKENS:
                value = place.get(name)
                if isinstance(value, (str, int)) and value and value is not True:
                    return str(value)
    return None


def _once_each(items: list[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Pages shift when somebody adds a policy meanwhile: what is told twice counts once."""
    seen: dict[str, Mapping[str, Any]] = {}
    for item in items:
        seen.setdefault(str(item.get("id") or item.get("policyId")), item)
    return list(seen.values())
