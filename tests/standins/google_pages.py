"""Page tokens: opaque to the client, and good only with the parameters of the first call."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Place:
    """Where a listing goes on, and the seed of its order."""

    at: int = 0
    seed: int = 0


def token(place: Place, query: Mapping[str, str]) -> str:
    """The token of a place."""
    held = {**asdict(place), "asked": _asked(query)}
    return base64.urlsafe_b64encode(json.dumps(held).encode()).decode()


def place(query: Mapping[str, str]) -> Place | None:
    """The place that a request's token names; None without one; ValueError for a wrong one."""
    text = query.get("pageToken")
    if not text:
        return None
    try:
        held = json.loads(base64.urlsafe_b64decode(text))
        at, seed, asked = int(held["at"]), int(held["seed"]), held["asked"]
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError("the page token is not valid") from error
    if asked != _asked(query):
        raise ValueError("the page token belongs to other parameters")
    return Place(at, seed)


def _asked(query: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in sorted(query.items()) if name != "pageToken"}
