"""The kinds that the contract suite is run over."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TypeAlias

import pytest

from tests.contract.exchange import exchange_harness
from tests.contract.files import file_harness
from tests.contract.google import allowlist_harness, gateway_harness
from tests.contract.harness import Harness
from tests.contract.mimecast import mimecast_harness
from tests.contract.names import spf_harness
from tests.contract.scene import Scene, opened_scene

Opening: TypeAlias = Callable[[Path], AbstractContextManager[Harness]]

KINDS: dict[str, Opening] = {
    "file": file_harness,
    "spf": spf_harness,
    "mimecast": mimecast_harness,
    "google_allowlist": allowlist_harness,
    "google_gateway": gateway_harness,
    "exchange": exchange_harness,
}


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who waits for a service to come back, or for a change to show, waits a moment only."""
    sleep = time.sleep
    monkeypatch.setattr(time, "sleep", lambda seconds: sleep(min(seconds, 0.01)))


@pytest.fixture(params=list(KINDS))
def harness(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Harness]:
    """Each kind of target in turn."""
    folder = tmp_path / "outside"
    folder.mkdir()
    with KINDS[request.param](folder) as one:
        yield one


@pytest.fixture
def scene(harness: Harness, tmp_path: Path) -> Iterator[Scene]:
    """An installation in which nothing has happened yet."""
    with opened_scene(tmp_path / "state", harness) as one:
        yield one
