"""What the service does when signals come: whenever they come, and whatever the state says."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from exosync.config import Loaded, load
from exosync.daemon.service import Service
from exosync.store import Store
from tests.support.state import raw

NOW = datetime(2026, 11, 26, 9, 17, tzinfo=UTC)
PATIENCE = 120

SIGNALS_EVERYWHERE = """
import queue, signal, sys, threading
from datetime import datetime
from pathlib import Path
from exosync.config import load
from exosync.daemon.service import Service
from exosync.errors import ConfigError

def read():
    raise ConfigError("it is not whole")

now = datetime.fromisoformat(sys.argv[2])
loaded = load(Path(sys.argv[1]), environ={})
service = Service(loaded, read=read, environ={}, now=lambda: now)
ours, left = {threading.__file__, queue.__file__, sys.modules[Service.__module__].__file__}, 200

def signalled(frame, event, _arg):
    global left
    if frame.f_code.co_filename not in ours:
        return None
    if event == "line" and left:
        left -= 1
        signal.raise_signal(signal.SIGHUP if left else signal.SIGTERM)
    return signalled

with service._signals():
    sys.settrace(signalled)
    service._loop()
    sys.settrace(None)
print("ended")
"""


@pytest.fixture
def loaded(tmp_path: Path) -> Loaded:
    """The configuration of a service with one target."""
    path = tmp_path / "exosync.yaml"
    path.write_text("targets: [{name: edge, kind: file, path: exo.txt}]\n")
    return load(path, environ={})


def test_a_signal_may_come_at_any_moment(loaded: Loaded) -> None:
    """Between any two lines of the loop, and in the midst of what wakes it: nothing hangs."""
    words = [sys.executable, "-c", SIGNALS_EVERYWHERE, str(loaded.path), NOW.isoformat()]
    done = subprocess.run(words, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert (0, "ended\n") == (done.returncode, done.stdout), done.stderr


def test_a_state_that_is_locked_ends_no_service_that_reads_its_configuration_again(
    loaded: Loaded, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The new one is in force all the same; what could not be written down is so the next time."""
    fresh = loaded.config.model_copy(update={"owner": "other"})
    service = Service(
        loaded, read=lambda: replace(loaded, config=fresh), environ={}, now=lambda: NOW
    )
    with Store.open(loaded.config.state, base=loaded.base) as store:
        path = store.path
    monkeypatch.setattr("exosync.store.engine.BUSY_SECONDS", 0.1)
    with raw(path) as other:
        other.execute("BEGIN IMMEDIATE")
        service._read_again()
    assert "other" == service.loaded().config.owner
    service._read_again()
    with Store.open(loaded.config.state, base=loaded.base) as store:
        assert {":feed", "edge"} == store.turns().keys()
