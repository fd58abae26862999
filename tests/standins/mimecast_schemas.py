"""The JSON Schemas of the Mimecast API, written by this project: see tests/data/mimecast."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from referencing import Registry, Resource

DATA = Path(__file__).parents[1] / "data" / "mimecast"


def violations(name: str, value: Any) -> list[str]:
    """What of a value goes against a schema: `name` is a file's, perhaps with `#/$defs/…`."""
    found = sorted(_validator(name).iter_errors(value), key=lambda one: list(map(str, one.path)))
    return [f"{one.json_path}: {one.message}" for one in found]


def check(name: str, value: Any) -> None:
    """Fail with the first violation, if there is one."""
    found = violations(name, value)
    if found:
        raise AssertionError(f"{name}: {found[0]}")


@cache
def _validator(name: str) -> Draft202012Validator:
    file, _, fragment = name.partition("#")
    reference = f"{file}.schema.json#{fragment}" if fragment else f"{file}.schema.json"
    return Draft202012Validator({"$ref": reference}, registry=_registry())


@cache
def _registry() -> Registry[Any]:
    found = {path.name: json.loads(path.read_text("utf-8")) for path in DATA.glob("*.schema.json")}
    return Registry().with_resources(
        (name, Resource.from_contents(schema)) for name, schema in found.items()
    )
