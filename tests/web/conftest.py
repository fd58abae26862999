"""What the tests of the page share: one filled state, its page, and one browser."""

from __future__ import annotations

import fcntl
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.web.scene import Stage, fill, served

if TYPE_CHECKING:
    from playwright.sync_api import Browser

CHROMIUM = Path("/usr/bin/chromium")
SWITCHES = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

MakeStage = Callable[..., tuple[Stage, str]]


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A filled state, made once however many processes run the tests; nobody writes it."""
    base = tmp_path_factory.getbasetemp()
    base = base.parent if base.name.startswith("popen-") else base
    folder, done = base / "scene", base / "scene.done"
    with (base / "scene.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            folder.mkdir()
            fill(folder)
            done.touch()
    return folder


@pytest.fixture(scope="session")
def page_url(filled: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Its page, open to everybody on this machine."""
    with served(Stage(copied(filled, tmp_path_factory.mktemp("page")))) as url:
        yield url


@pytest.fixture
def make(filled: Path, tmp_path: Path) -> Iterator[MakeStage]:
    """Make pages of one's own: with settings, at an address."""
    with ExitStack() as stack:

        def made(listen: str = "127.0.0.1:0", **settings: object) -> tuple[Stage, str]:
            stage = Stage(copied(filled, tmp_path / "state"))
            stage.configure(**settings)
            return stage, stack.enter_context(served(stage, listen))

        yield made


@pytest.fixture(scope="module")
def browser(filled: Path) -> Iterator[Browser]:
    """Debian's Chromium.

    It is started after the state was filled, and ended with the tests of its module: its
    driver keeps an event loop in this thread, and the evaluation of SPF runs one of its own.
    """
    if not CHROMIUM.exists():
        pytest.skip(f"{CHROMIUM} is not there: apt-get install chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        made = driver.chromium.launch(executable_path=str(CHROMIUM), args=list(SWITCHES))
        yield made
        made.close()


def copied(filled: Path, to: Path) -> Path:
    """A copy of a filled state that a test may change."""
    shutil.copytree(filled, to, dirs_exist_ok=True)
    return to
