"""Lists: every wrapper, every place of the next token, and nothing by halves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from exosync.errors import TargetError
from exosync_adapters.mimecast.paging import page, read_all

FIRST, SECOND = {"id": "1"}, {"id": "2"}


def placed(token: str, place: str) -> dict[str, Any]:
    """A body with a token at a dotted place."""
    body: dict[str, Any] = {}
    inner = body
    *outer, last = place.split(".")
    for name in outer:
        inner = inner.setdefault(name, {})
    inner[last] = token
    return body


PLACES = [
    "meta.nextPage",
    "meta.nextPageToken",
    "meta.pagination.next",
    "meta.pagination.nextPage",
    "meta.pagination.nextPageToken",
    "pagination.next",
    "nextToken",
    "next_token",
]


@pytest.mark.parametrize("wrapper", ["definitions", "policies", "data", "items"])
@pytest.mark.parametrize("place", PLACES)
def test_every_wrapper_and_place_of_the_token_is_read(wrapper: str, place: str) -> None:
    """The second page is asked for by its token, and has none itself."""
    asked: list[Mapping[str, str]] = []

    def fetch(query: Mapping[str, str]) -> Any:
        asked.append(query)
        first = "pageToken" not in query
        return {wrapper: [FIRST], **placed("abc", place)} if first else {wrapper: [SECOND]}

    assert [FIRST, SECOND] == read_all(fetch, "GET x")
    assert ["100", "100"] == [query["pageSize"] for query in asked]
    assert "abc" == asked[1]["pageToken"]


@pytest.mark.parametrize("token", [None, "", 0, False, True])
def test_what_is_no_token_ends_a_list(token: object) -> None:
    """Null, empty and absent are one."""
    assert ([FIRST], None) == page({"policies": [FIRST], "meta": {"nextPage": token}}, "GET x")


@pytest.mark.parametrize(
    "body",
    [
        [],
        {"definitions": []},
        {"policies": None},
        {"meta": {}},
        {"meta": {"status": 200}, "fail": []},
        {"data": {"policies": []}},
    ],
)
def test_an_empty_list_has_many_forms(body: Any) -> None:
    """Null, absent and empty are one."""
    assert ([], None) == page(body, "GET x")


@pytest.mark.parametrize(
    "body",
    [
        *(None, {}, "text", 7, {"results": []}, {"definitions": "x"}, {"policies": ["x"]}, [1]),
        {"data": [{"policies": [FIRST]}]},
    ],
)
def test_an_unknown_shape_is_no_empty_list(body: Any) -> None:
    """Policies that are not understood are not gone."""
    with pytest.raises(TargetError, match="has a shape that exosync does not know"):
        page(body, "GET x")


def test_an_empty_page_with_a_token_goes_on() -> None:
    """Only the token ends a list."""
    bodies = [{"policies": [], "nextToken": "a"}, {"policies": [FIRST]}]

    assert [FIRST] == read_all(lambda _: bodies.pop(0), "GET x")


def test_a_token_that_comes_again_is_an_error() -> None:
    """Half a list is never taken for the whole."""
    body = {"policies": [FIRST], "nextToken": "a"}

    with pytest.raises(TargetError, match="incomplete"):
        read_all(lambda _: body, "GET x")


def test_what_stands_on_two_pages_counts_once() -> None:
    """Pages shift when somebody adds a policy meanwhile."""
    bodies = [{"policies": [FIRST], "nextToken": "a"}, {"policies": [FIRST, SECOND]}]

    assert [FIRST, SECOND] == read_all(lambda _: bodies.pop(0), "GET x")
