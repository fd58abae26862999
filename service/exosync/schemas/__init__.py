"""The published JSON Schemas of what exosync prints."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any


def run_schema() -> dict[str, Any]:
    """The schema of the object that `plan`, `sync`, `apply` and `adopt` print with `--json`."""
    text = files("exosync.schemas").joinpath("run.schema.json").read_text("utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema
