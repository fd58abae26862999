"""A service as a process of its own: `exosync serve`, with what it logs."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests
import yaml

from exosync.store import EventRecord, Store
from tests.support.state import put_empty_state

PATIENCE = 120.0
"""Seconds; nobody waits so long, but on a machine that is very busy."""

Json = dict[str, Any]


@dataclass
class Served:
    """A running service in a folder."""

    folder: Path
    process: subprocess.Popen[str]
    lines: list[Json] = field(default_factory=list)
    _came: threading.Condition = field(default_factory=threading.Condition)
    _is_whole: bool = False

    def read(self) -> None:
        """Take what it logs, to its end."""
        assert self.process.stderr is not None
        for line in self.process.stderr:
            with self._came:
                self.lines.append(_parsed(line))
                self._came.notify_all()
        with self._came:
            self._is_whole = True
            self._came.notify_all()

    def logged(self, event: str, **values: Any) -> Json:
        """The first line of an event with these values; waits for it."""

        def fitting() -> Json | None:
            for one in self.lines:
                if one.get("event") == event and values.items() <= one.items():
                    return one
            return None

        with self._came:
            self._came.wait_for(lambda: fitting() or self._is_whole, timeout=PATIENCE)
            told = fitting()
        assert told, f"never logged {event} {values}: {self.lines}"
        return told

    @property
    def url(self) -> str:
        """Where its page is."""
        return str(self.logged("serving")["page"])

    def get(self, path: str) -> requests.Response:
        """Ask its page for something."""
        return requests.get(self.url + path, timeout=PATIENCE)

    def ready(self) -> None:
        """Wait until every target was run once."""
        until(lambda: self.get("/readyz").status_code == 200)

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self.process.send_signal(number)

    def stop(self) -> int:
        """End it as a container engine would; gives its exit code. All that it logged is there."""
        self.signal(signal.SIGTERM)
        code = self.process.wait(PATIENCE)
        with self._came:
            assert self._came.wait_for(lambda: self._is_whole, timeout=PATIENCE)
        return code

    def kill(self) -> None:
        """End it as a power cut would."""
        self.process.kill()
        self.process.wait(PATIENCE)

    def store(self) -> Store:
        """Its state, as another process sees it."""
        return Store.open("sqlite:///exosync.db", base=self.folder)

    def is_at_work(self, name: str) -> bool:
        """Whether a run over a target is at work."""
        with self.store() as store:
            turn = store.turns().get(name)
            return turn is not None and turn.started_at is not None

    def events(self, *kinds: str) -> list[EventRecord]:
        """What happened, newest first."""
        with self.store() as store:
            return store.events(1000, kinds=kinds or None)

    def told(self, kind: str) -> EventRecord:
        """The newest event of a kind; waits for it."""
        found: EventRecord = until(lambda: next(iter(self.events(kind)), None))
        return found


def until(look: Callable[[], Any], *, seconds: float = PATIENCE) -> Any:
    """Look until there is something to see."""
    end = time.monotonic() + seconds
    while not (seen := look()):
        assert time.monotonic() < end, "it never came"
        time.sleep(0.05)
    return seen


def configure(folder: Path, feed_url: str, **settings: Any) -> Path:
    """Write a configuration for a service on a port that the system chooses, and its state."""
    values = {
        "feed": {"url": feed_url},
        "log": {"format": "json"},
        "web": {"listen": "127.0.0.1:0"},
        **settings,
    }
    if "state" not in settings:
        put_empty_state(folder)
    path = folder / "exosync.yaml"
    path.write_text(yaml.safe_dump(values, sort_keys=False))
    return path


def file_target(name: str = "edge", **settings: Any) -> Json:
    """A target that is a file beside the configuration."""
    return {"name": name, "kind": "file", "mode": "apply", "path": f"{name}.txt", **settings}


@contextmanager
def serving(folder: Path, environ: Mapping[str, str] | None = None) -> Iterator[Served]:
    """Start the service of a folder's configuration; it is gone at the end."""
    words = [sys.executable, "-m", "exosync", "--config", str(folder / "exosync.yaml"), "serve"]
    process = subprocess.Popen(
        words,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        text=True,
        env={**os.environ, **(environ or {})},
    )
    served = Served(folder, process)
    reader = threading.Thread(target=served.read, daemon=True)
    reader.start()
    try:
        yield served
    finally:
        process.kill()
        process.wait()
        reader.join(PATIENCE)
        assert process.stderr is not None
        process.stderr.close()


def _parsed(line: str) -> Json:
    try:
        found: Json = json.loads(line)
    except ValueError:
        return {"event": "text", "text": line.rstrip()}
    return found
