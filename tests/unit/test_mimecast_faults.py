"""What an answer says is wrong, in every shape that Mimecast is known to use."""

from __future__ import annotations

import json
from typing import Any

import pytest

from exosync_adapters.mimecast.faults import Fault, Trouble, Wrong, judge

WRONG = {"code": "err_validation", "message": "is not right", "field": "sourceIPs"}


def fault(status: int, body: Any, **headers: str) -> Fault:
    """The fault of an answer; there must be one."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    told = {name.replace("_", "-"): value for name, value in headers.items()}
    found = judge(status, told, data)[1]
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (400, {"fail": [WRONG]}),
        (200, {"meta": {"status": 200}, "data": [], "fail": [{"errors": [WRONG]}]}),
        (400, {"fail": [{"key": {"id": "x"}, "errors": [WRONG]}]}),
        (400, {"failures": [WRONG]}),
        (422, {"errors": [WRONG]}),
        (400, {"error": WRONG}),
        (400, {"message": "is not right"}),
        (400, {"error": "is not right"}),
        (400, {"errors": ["is not right"]}),
        (400, {"error": "x", "error_description": "is not right"}),
    ],
)
def test_every_shape_of_an_error_is_read(status: int, body: Any) -> None:
    """Flat, nested, with status 200, and as a text alone."""
    found = fault(status, body)

    assert Trouble.REJECTED is found.trouble
    assert "is not right" in found.told


@pytest.mark.parametrize(
    ("status", "body", "trouble"),
    [
        (401, {"fail": [{"code": "token_expired", "message": "x"}]}, Trouble.EXPIRED),
        (401, {}, Trouble.EXPIRED),
        (403, {"fail": [{"code": "app_forbidden", "message": "x"}]}, Trouble.DENIED),
        (404, {"fail": [{"code": "app_forbidden", "message": "x"}]}, Trouble.DENIED),
        (200, {"fail": [{"code": "app_forbidden", "message": "x"}]}, Trouble.DENIED),
        (200, {"meta": {"status": 403}, "data": []}, Trouble.DENIED),
        (200, {"meta": {"status": 404}, "fail": []}, Trouble.MISSING),
        (200, {"fail": [{"errors": [{"code": "err_not_found"}]}]}, Trouble.MISSING),
        (404, b"", Trouble.MISSING),
        (409, {"fail": [WRONG]}, Trouble.REJECTED),
        (302, b"", Trouble.REJECTED),
        (429, {"fail": [{"message": "slow"}]}, Trouble.THROTTLED),
        (408, b"", Trouble.BROKEN),
        (500, {"message": "oops"}, Trouble.BROKEN),
        (503, b"<html>down</html>", Trouble.BROKEN),
        (200, b"<html>a proxy's page</html>", Trouble.BROKEN),
    ],
)
def test_codes_and_statuses_tell_what_kind_of_trouble_it_is(
    status: int, body: Any, trouble: Trouble
) -> None:
    """The code first: the status of app_forbidden is not published."""
    assert trouble is fault(status, body).trouble


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("1500", 1.5), (" 20 ", 0.02), ("", None), ("soon", None), ("-5", None), ("9" * 30, None)],
)
def test_the_wait_is_in_milliseconds_as_text(header: str, seconds: float | None) -> None:
    """What is none is passed over."""
    assert seconds == fault(429, {}, x_ratelimit_reset=header).wait


def test_a_wait_may_be_absent() -> None:
    """The header is not always there."""
    assert fault(429, {}).wait is None


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, b"[]"),
        (201, b'{"id": "x"}'),
        (204, b""),
        (200, b'{"meta": {"status": 200}, "data": [], "fail": []}'),
        (200, b'{"message": "done"}'),
    ],
)
def test_what_is_well_is_no_fault(status: int, body: bytes) -> None:
    """A message beside a good status is none."""
    assert judge(status, {}, body)[1] is None


def test_half_an_answer_is_a_fault() -> None:
    """What is in it beside an error is not used."""
    assert Trouble.REJECTED is fault(200, {"data": [{"id": "x"}], "fail": [WRONG]}).trouble


def test_words_are_short_and_in_one_line() -> None:
    """Whatever the server says."""
    told = Wrong("a\nb\x1b[31m" + "x" * 1000, "code", "field").told

    assert told.isprintable()
    assert len(told) < 320


def test_many_errors_are_counted() -> None:
    """The first are shown."""
    many = {"fail": [{"code": str(number), "message": f"m{number}"} for number in range(40)]}

    assert fault(400, many).told.endswith("and 35 more")


def test_a_silent_error_is_told_by_its_status() -> None:
    """There is nothing else to tell."""
    assert "HTTP status 400" == fault(400, b"").told


def test_fields_are_found_in_their_place_and_in_words() -> None:
    """Some shapes have no place for them."""
    assert fault(400, {"fail": [WRONG]}).names("sourceIPs")
    assert fault(400, {"message": "sourceIPs[0]: x"}).names("sourceIPs")
    assert not fault(400, {"message": "description: x"}).names("sourceIPs")
