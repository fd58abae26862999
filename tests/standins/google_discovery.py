"""Checks of requests and answers against Google's discovery documents.

The documents are those in the google-api-python-client wheel. Unknown members, parameters and
paths are violations; so is whatever has another type, format, pattern or enumerated value.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any
from urllib.parse import unquote

from jsonschema import Draft202012Validator

from tests.standins.web import Request

Json = Any

INT64 = r"^-?[0-9]{1,19}$"
INT32 = {"minimum": -(2**31), "maximum": 2**31 - 1}
DATE_TIME = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$"
_FORMATS: dict[tuple[str, str], Json] = {
    ("string", "int64"): {"pattern": INT64},
    ("string", "uint64"): {"pattern": r"^[0-9]{1,20}$"},
    ("string", "date-time"): {"pattern": DATE_TIME},
    ("string", "google-datetime"): {"pattern": DATE_TIME},
    ("string", "google-duration"): {"pattern": r"^-?\d+(\.\d{1,9})?s$"},
    ("string", "byte"): {"pattern": r"^[A-Za-z0-9+/_-]*={0,2}$"},
    ("integer", "int32"): INT32,
    ("integer", "uint32"): {"minimum": 0, "maximum": 2**32 - 1},
}


@dataclass(frozen=True, slots=True)
class Method:
    """One method of an API, and the path parameters of the request that called it."""

    api: str
    id: str
    described: Json
    parameters: Mapping[str, str]


class Discovery:
    """One discovery document."""

    def __init__(self, api: str) -> None:
        package = files("googleapiclient.discovery_cache")
        text = package.joinpath("documents", f"{api}.json").read_text("utf-8")
        self.api = api
        self.document: Json = json.loads(text)
        self._methods = [
            (described, _pattern(described.get("flatPath", described["path"])))
            for described in _methods(self.document)
        ]

    def method(self, verb: str, path: str) -> Method | None:
        """The method that a verb and a path call; None if there is none."""
        for described, pattern in self._methods:
            if described["httpMethod"] == verb and pattern.fullmatch(path.lstrip("/")):
                named = _pattern(described["path"]).fullmatch(path.lstrip("/"))
                given = {} if named is None else named.groupdict()
                values = {name: unquote(value) for name, value in given.items()}
                return Method(self.api, described["id"], described, values)
        return None

    def request_problems(self, method: Method, request: Request) -> list[str]:
        """What is wrong with a request; nothing if it is as the document says."""
        own = method.described.get("parameters", {})
        found = [
            problem
            for name, value in method.parameters.items()
            for problem in _value_problems(name, value, own.get(name, {}))
        ]
        allowed = {**self.document["parameters"], **_located(own, "query")}
        for name, value in request.query.items():
            if name not in allowed:
                found.append(f"unknown parameter {name!r}")
            else:
                found += _value_problems(name, value, allowed[name])
        found += [
            f"parameter {name!r} is missing"
            for name, one in _located(own, "query").items()
            if one.get("required") and name not in request.query
        ]
        return found + self._body_problems(method, request)

    def answer_problems(self, method: Method, body: bytes) -> list[str]:
        """What is wrong with an answer of status 200."""
        schema = method.described["response"]["$ref"]
        return self._problems(schema, body, nulls=False)

    def problems(self, schema: str, value: Json) -> list[str]:
        """What is wrong with a value of a schema."""
        return _told(self._validator(schema, nulls=False), value)

    def _body_problems(self, method: Method, request: Request) -> list[str]:
        wanted = method.described.get("request", {}).get("$ref")
        if wanted is None:
            return ["a body where none is taken"] if request.body else []
        kinds = [v for k, v in request.headers.items() if k.lower() == "content-type"]
        if not kinds or kinds[0].partition(";")[0].strip().lower() != "application/json":
            return ["the body's type is not application/json"]
        # In a request null stands for what is not there (protobuf's JSON mapping).
        return self._problems(wanted, request.body, nulls=True)

    def _problems(self, schema: str, body: bytes, *, nulls: bool) -> list[str]:
        try:
            value = json.loads(body)
        except ValueError:
            return ["the body is no JSON"]
        return _told(self._validator(schema, nulls=nulls), value)

    def _validator(self, schema: str, *, nulls: bool) -> Draft202012Validator:
        return _validator(self.api, schema, nulls)


@cache
def discovery(api: str) -> Discovery:
    """A document, read once: "cloudidentity.v1", "admin.reports_v1", "iamcredentials.v1"."""
    return Discovery(api)


@cache
def _validator(api: str, schema: str, nulls: bool) -> Draft202012Validator:
    return Draft202012Validator(json_schema(discovery(api).document, schema, nulls=nulls))


def json_schema(document: Json, name: str, *, nulls: bool = False) -> Json:
    """JSON Schema for one of a document's schemas; `nulls` lets null stand for anything."""
    schemas = document["schemas"]
    defined = {one: _converted(schemas[one], nulls=nulls) for one in _reached(schemas, name)}
    return {"$ref": f"#/$defs/{name}", "$defs": defined}


def _converted(described: Json, *, nulls: bool) -> Json:
    """One schema. Nothing is required: the documents say that in prose alone."""
    if "$ref" in described:
        converted: Json = {"$ref": f"#/$defs/{described['$ref']}"}
        return {"anyOf": [converted, {"type": "null"}]} if nulls else converted
    kind = described.get("type", "any")
    if kind == "any":
        return {}
    schema: Json = {"type": [kind, "null"] if nulls else kind}
    schema |= _FORMATS.get((kind, described.get("format", "")), {})
    if kind == "object":
        schema |= _object(described, nulls=nulls)
    if kind == "array":
        schema["items"] = _converted(described["items"], nulls=nulls)
    if "enum" in described:
        schema["enum"] = [*described["enum"], None] if nulls else described["enum"]
    if "pattern" in described:
        schema["pattern"] = described["pattern"]
    return schema


def _object(described: Json, *, nulls: bool) -> Json:
    members = described.get("properties", {})
    other = described.get("additionalProperties")
    return {
        "properties": {name: _converted(one, nulls=nulls) for name, one in members.items()},
        "additionalProperties": False if other is None else _converted(other, nulls=nulls),
    }


def _reached(schemas: Json, name: str) -> list[str]:
    """A schema and those that it refers to."""
    found: list[str] = []
    waiting = [name]
    while waiting:
        one = waiting.pop()
        if one not in found:
            found.append(one)
            waiting += _references(schemas[one])
    return found


def _references(described: Json) -> Iterator[str]:
    if isinstance(described, dict):
        if isinstance(described.get("$ref"), str):
            yield described["$ref"]
        for value in described.values():
            yield from _references(value)
    elif isinstance(described, list):
        for value in described:
            yield from _references(value)


def _told(validator: Draft202012Validator, value: Json) -> list[str]:
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(value)]


def _methods(part: Json) -> Iterator[Json]:
    yield from part.get("methods", {}).values()
    for resource in part.get("resources", {}).values():
        yield from _methods(resource)


def _pattern(path: str) -> re.Pattern[str]:
    """A path's template: {+name} may hold slashes, {name} none."""
    parts = re.split(r"\{(\+?\w+)\}", path)
    for at in range(1, len(parts), 2):
        name = parts[at].lstrip("+")
        held = ".+" if parts[at].startswith("+") else "[^/]+?"
        parts[at] = f"(?P<{name}>{held})"
    for at in range(0, len(parts), 2):
        parts[at] = re.escape(parts[at])
    return re.compile("".join(parts))


def _located(parameters: Json, where: str) -> dict[str, Json]:
    return {name: one for name, one in parameters.items() if one.get("location") == where}


def _value_problems(name: str, value: str, described: Json) -> list[str]:
    """What is wrong with a parameter's text."""
    kind = described.get("type", "string")
    if kind == "integer" and not _is_within(value, described):
        return [f"parameter {name!r} is {value!r}"]
    if kind == "boolean" and value not in ("true", "false"):
        return [f"parameter {name!r} is {value!r}, neither true nor false"]
    if "enum" in described and value not in described["enum"]:
        return [f"parameter {name!r} is {value!r}, which is not one of its values"]
    if "pattern" in described and not re.fullmatch(described["pattern"], value):
        return [f"parameter {name!r} is {value!r}, not {described['pattern']}"]
    return []


def _is_within(value: str, described: Json) -> bool:
    if not re.fullmatch(r"-?\d+", value):
        return False
    low = int(described.get("minimum", INT32["minimum"]))
    high = int(described.get("maximum", INT32["maximum"]))
    return low <= int(value) <= high
