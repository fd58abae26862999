"""A run that is killed between any two steps is finished by the next one."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Iterator

import pytest

from tests.contract.harness import Can, needs
from tests.contract.scene import ADDED, KEPT, TARGET, Scene
from tests.support.zygote import Zygote, zygote


@pytest.fixture(scope="module")
def runs() -> Iterator[Zygote]:
    """Where runs come from that may be killed."""
    with zygote() as one:
        yield one


@pytest.mark.slow
def test_a_run_killed_at_any_point_is_finished_by_the_next(scene: Scene, runs: Zygote) -> None:
    """Nothing is lost, doubled or half done, and the journal says what became of each step."""
    needs(scene.harness, Can.RESTORE)
    scene.harness.add_foreign()
    others = scene.harness.foreign()
    scene.work()
    scene.change()
    story = _Story(scene)
    expected = story.undisturbed()

    point, outcomes = 0, set()
    while True:
        point += 1
        story.begin_again()
        ended = runs.run_until(scene.world.config_file.parent, point, scene.world.now)
        if not ended.signal:
            assert 0 == ended.code, ended.said
            break
        assert signal.SIGKILL == ended.signal
        assert not scene.lists or scene.expected(KEPT) <= scene.harness.listed(), point
        told = scene.work()
        assert told["verified"] is not False, (point, told)
        assert expected == (scene.harness.state(), told["owned"]), point
        assert others == scene.harness.foreign(), point
        outcomes |= story.journal()

    assert story.interrupted >= point - 5, "only before its first row is there nothing to tell"
    if Can.WRITE not in scene.harness.cannot:
        assert {"done", "found_done", "found_undone"} == outcomes


class _Story:
    """A change that is begun again and again, each time ending at another point."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._folder = scene.world.folder
        self._kept = self._folder.with_name("pristine")
        shutil.copytree(self._folder, self._kept)
        self._put_back = scene.harness.snapshot()
        self.interrupted = 0

    def begin_again(self) -> None:
        """Everything as it was before the change."""
        shutil.rmtree(self._folder)
        shutil.copytree(self._kept, self._folder)
        self._put_back()

    def undisturbed(self) -> object:
        """What comes of it when nothing is killed: the remote state, and what of it is ours."""
        told = self._scene.work()
        assert self._scene.goal(KEPT | ADDED) == self._scene.harness.held()
        return self._scene.harness.state(), told["owned"]

    def journal(self) -> set[str]:
        """What became of the steps that were found; none is without an outcome."""
        with self._scene.world.opened() as one:
            assert not one.store.unfinished(TARGET)
            steps = [step for run in one.store.runs(20) for step in one.store.steps(run.id)]
            self.interrupted += any(
                event.kind == "run_interrupted" for event in one.store.events(100)
            )
        return {str(step.outcome) for step in steps if step.target == TARGET}
