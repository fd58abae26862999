"""What the stand-in of Mimecast answers with: JSON, and errors in each of the known shapes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from tests.standins.mimecast_switches import ErrorShape
from tests.standins.web import Reply

Json = Any

_JSON = {"Content-Type": "application/json"}


@dataclass(frozen=True, slots=True)
class Wrong:
    """One thing that is wrong with a request: `field` names where."""

    code: str
    message: str
    field: str = ""

    @property
    def sentence(self) -> str:
        """The message with its field, for the shapes that have no place for one."""
        return f"{self.field}: {self.message}" if self.field else self.message


class Refused(Exception):
    """A request that a function does not carry out."""

    def __init__(self, status: int, wrongs: Iterable[Wrong]) -> None:
        self.status = status
        self.wrongs = tuple(wrongs)
        super().__init__("; ".join(one.sentence for one in self.wrongs))


def json_reply(value: Json, status: int = 200, headers: Mapping[str, str] | None = None) -> Reply:
    """A body of JSON."""
    return Reply(status, {**_JSON, **(headers or {})}, json.dumps(value).encode())


def gateway_error(
    status: int, code: str, message: str, headers: Mapping[str, str] | None = None
) -> Reply:
    """What the gateway before the functions says: always flat, with a real status (R7, ELA, SEN)."""
    return json_reply({"fail": [{"code": code, "message": message}]}, status, headers)


def function_error(shape: ErrorShape, refused: Refused) -> Reply:
    """What a function says, in the shape of this account."""
    status = 200 if shape == "fail_nested_200" else refused.status
    return json_reply(_error_body(shape, refused), status)


def nested_failures(failures: Iterable[tuple[Json, Wrong]]) -> list[Json]:
    """The entries of `fail` in answers with status 200; `key` is the item of the request (POR)."""
    return [{"key": key, "errors": [_full(wrong)]} for key, wrong in failures]


def _error_body(shape: ErrorShape, refused: Refused) -> Json:
    wrongs, text = refused.wrongs, str(refused)
    match shape:
        case "fail_flat":
            return {"fail": [{"code": one.code, "message": one.sentence} for one in wrongs]}
        case "fail_nested_200":
            fail = [{"errors": [_full(one) for one in wrongs]}]
            return {"meta": {"status": 200}, "data": [], "fail": fail}
        case "failures":
            return {"failures": [{"message": one.sentence} for one in wrongs]}
        case "errors":
            return {"errors": [_full(one) for one in wrongs]}
    return {shape: text}


def _full(wrong: Wrong) -> Json:
    named = {"field": wrong.field} if wrong.field else {}
    return {"code": wrong.code, "message": wrong.message, **named}
