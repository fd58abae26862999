"""The scene of the contract, around a real account."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.harness import Harness
from tests.contract.scene import Scene, opened_scene
from tests.live.mimecast import OWNER


@pytest.fixture
def scene(harness: Harness, tmp_path: Path) -> Iterator[Scene]:
    """An installation with an owner of its own, so that no other one's marks are touched."""
    with opened_scene(tmp_path / "state", harness, owner=OWNER) as one:
        yield one
