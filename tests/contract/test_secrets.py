"""No secret in anything that exosync says, writes or keeps."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from urllib.parse import quote

import pytest

from exosync.cli import run
from tests.contract.harness import Can, needs
from tests.contract.scene import BY, TARGET, Scene


@pytest.fixture
def command(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Callable[..., str]:
    """A command of the installation, logging every detail; gives all that it said."""
    for name in [one for one in os.environ if one.startswith("EXOSYNC_")]:
        monkeypatch.delenv(name)
    scene.world.settings["schedule"] = {"feed": "0s"}

    def ran(*words: str) -> str:
        capfd.readouterr()
        run(("--debug", "--config", str(scene.world.config_file), *words))
        said = capfd.readouterr()
        return said.out + said.err

    return ran


def test_no_secret_is_shown_or_kept(scene: Scene, command: Callable[..., str]) -> None:
    """Every command over a whole life, with every failure, and every file of the state."""
    needs(scene.harness, Can.HIDE)
    told = list(_life(scene, command))

    assert scene.harness.secrets
    secrets = [form for one in scene.harness.secrets for form in _forms(one)]
    for text in told:
        assert not [one for one in secrets if one in text], text
    for path in scene.world.folder.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert not [one for one in secrets if one.encode() in content], path
    if Can.WRITE not in scene.harness.cannot:
        assert '"state": "applied"' in "".join(told), "the life was one"


def _life(scene: Scene, command: Callable[..., str]) -> Iterator[str]:
    """What the commands say, one after another."""
    yield command("config", "show")
    yield command("check")
    yield command("plan", "--json")
    yield from _worked(scene, command)
    scene.change()
    with scene.harness.locked_out():
        yield from _looked(command)
    with scene.harness.unplugged():
        yield from _looked(command)
    with scene.harness.failing(1):
        yield command("sync")
    yield from _worked(scene, command)
    yield command("explain", "23.103.191.7")
    yield command("status", "--json")
    history = command("history", "--json")
    yield history
    for row in json.loads(history.partition("\n{")[0])[:4]:
        yield command("show", row["id"])


def _looked(command: Callable[..., str]) -> Iterator[str]:
    yield command("check", "--json")
    yield command("sync")


def _worked(scene: Scene, command: Callable[..., str]) -> Iterator[str]:
    """Runs, with what people do in between."""
    for _ in range(2):
        yield from _synced(scene, command)
        with scene.world.opened() as one:
            tasks = one.store.open_tasks(TARGET)
        if not tasks:
            return
        for task in tasks:
            yield command("todo", "show", TARGET, task.setting)
            scene.harness.do(dict(task.body))
            yield command("ack", TARGET, task.setting, "--plan", task.plan_id, "--by", BY)


def _synced(scene: Scene, command: Callable[..., str]) -> Iterator[str]:
    """A run, and another once what it is refused for as a matter of course is approved."""
    yield command("sync", "--json")
    with scene.world.opened() as one:
        state = one.store.target_state(TARGET)
    told = state.report if state is not None else {}
    if told.get("state") == "refused" and scene.approved(dict(told)):
        yield command("sync", "--json")


def _forms(secret: str) -> tuple[str, ...]:
    """A secret as it is, as a URL has it, and as JSON has it."""
    return secret, quote(secret, safe=""), json.dumps(secret)[1:-1]
