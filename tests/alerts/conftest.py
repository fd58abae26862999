"""Offices for the tests, closed at their end."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.alerts.kit import Office, hook


class Founder:
    """Makes offices in a folder of the test's own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.made: list[Office] = []

    def __call__(self, *channels: dict[str, Any], **options: Any) -> Office:
        """An office with these channels; their history begins now."""
        one = Office(self._folder, list(channels), **options)
        self.made.append(one)
        return one


@pytest.fixture
def found(tmp_path: Path) -> Iterator[Founder]:
    """Founds an office."""
    founder = Founder(tmp_path)
    yield founder
    for one in founder.made:
        one.close()


@pytest.fixture
def office(found: Founder) -> Office:
    """Two targets and one channel, which is known already."""
    made = found(hook(), targets=("edge", "spf"))
    made.tick()
    return made
