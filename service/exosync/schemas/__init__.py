"""The published JSON Schemas of what exosync prints."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any


def run_schema() -> dict[str, Any]:
    """The schema of the object that `plan`, `sync`, `apply` and `adopt` print with `--json`."""
    return _schema("run.schema.json")


def alert_schema() -> dict[str, Any]:
    """The schema of an alert, as a webhook gets it."""
    return _schema("alert.schema.json")


def _schema(name: str) -> dict[str, Any]:
    text = files("exosync.schemas").joinpath(name).read_text("utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema
