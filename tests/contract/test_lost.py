"""The way out breaks just after a write was done: nobody hears of it, and nothing can be read.

Only for what is asked over HTTP: there is a moment between doing and telling.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from tests.contract.exchange import exchange_harness
from tests.contract.google import probe_harness
from tests.contract.http import Tapped
from tests.contract.mimecast import mimecast_harness
from tests.contract.scene import ADDED, KEPT, TARGET, Scene

Opening = Callable[[Path], AbstractContextManager[Tapped]]

KINDS: dict[str, Opening] = {
    "mimecast": mimecast_harness,
    "google_allowlist, write: probe": probe_harness,
    "exchange": exchange_harness,
}


@pytest.fixture(params=list(KINDS))
def harness(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Tapped]:
    """Each kind in turn that exosync writes over HTTP."""
    folder = tmp_path / "outside"
    folder.mkdir()
    with KINDS[request.param](folder) as one:
        yield one


@pytest.mark.parametrize("number", [1, 2])
def test_what_was_done_unheard_is_found_and_is_nobodys_doing(
    scene: Scene, harness: Tapped, number: int
) -> None:
    """The next run finishes what is left, and tells of no change by somebody else."""
    scene.work()
    scene.change()
    writes = harness.writes

    with harness.cut_after(number):
        told = scene.sync()
    assert "failed" == told["state"], told
    assert number == harness.writes - writes
    scene.world.pass_time(hours=1)
    last = scene.work()

    assert scene.goal(KEPT | ADDED) == scene.harness.held()
    assert last["verified"] is not False
    with scene.world.opened() as one:
        kinds = {event.kind for event in one.store.events(100) if event.target == TARGET}
    assert not {"drift", "person_acted"} & kinds
    assert {"target_failed", "target_recovered"} <= kinds
