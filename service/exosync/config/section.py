"""The base of every part of the configuration.

Building pydantic's validators is what costs at start-up, so they are built once, for the
whole configuration, when the first one is read (`defer_build`).
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """A part of the configuration: closed, unchangeable, and silent about what was put in."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
        coerce_numbers_to_str=True,
        defer_build=True,
    )
