"""Whatever happens, each event reaches each channel that wants it, and no crash loses one."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from queue import Queue
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from exosync.alerts import Message
from exosync.alerts.kinds import KINDS
from exosync.errors import AlertError
from exosync.store import Store
from tests.alerts.kit import AT, Office, Pigeon, event, hook
from tests.standins.webhook import WebhookStandIn

Json = dict[str, Any]
PATIENCE = 120.0


class CrashError(BaseException):
    """The process dies: nothing after this is done."""


@dataclass
class Unlucky(Pigeon):
    """A channel with a mishap for each try: none, a failure, or a crash before or after sending."""

    mishaps: list[str] = field(default_factory=list)

    def send(self, message: Message) -> None:
        """Send, or not."""
        mishap = self.mishaps.pop(0) if self.mishaps else ""
        if mishap == "crash before":
            raise CrashError
        if mishap in ("fails", "refuses"):
            raise AlertError(mishap, permanent=mishap == "refuses")
        super().send(message)
        if mishap == "crash after":
            raise CrashError


MISHAPS = st.sampled_from(["", "", "fails", "refuses", "crash before", "crash after"])
HAPPEN = st.tuples(
    st.just("happen"), st.sampled_from(sorted(KINDS)), st.sampled_from(["edge", "spf"])
)
RUN = st.tuples(st.just("run"), st.just(""), st.sampled_from(["edge", "spf"]))
TICK = st.tuples(st.just("tick"), MISHAPS, st.sampled_from(["ops", "boss", "both"]))
WAIT = st.tuples(st.just("wait"), st.just(""), st.integers(0, 24 * 60))
CHANNELS = [
    hook("ops", max_per_hour=1),
    hook("boss", severity="error", targets=["edge"], max_per_hour=1),
]


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A state to copy: making one takes longer than all the rest."""
    folder = tmp_path_factory.mktemp("fresh")
    Store.open("sqlite:///exosync.db", base=folder).close()
    return folder / "exosync.db"


@dataclass
class Life:
    """An office through good and bad times."""

    office: Office
    unlucky: dict[str, Unlucky] = field(
        default_factory=lambda: {"ops": Unlucky(), "boss": Unlucky()}
    )
    wanted: dict[str, list[str]] = field(default_factory=lambda: {"ops": [], "boss": []})
    count: int = 0

    def happen(self, kind: str, target: str) -> None:
        """Something happens, in a run or not."""
        about = target if KINDS[kind].thread.startswith("target:") else None
        self.count += 1
        text = f"event {self.count} of {kind}"
        run = self.office.run("2026112500") if self.count % 3 == 0 else None
        body = {"instance": "Worldwide", "version": "2026112500", "setting": "s"}
        self.office.happen(kind, target=about, title=text, run=run, body=body)
        made = event(kind, target=about, title=text, body=body)
        for name in self.wanted:
            if self.office.job(name).route.takes(made):
                self.wanted[name].append(text)

    def run(self, target: str) -> None:
        """A run ends."""
        self.office.run("2026112500", **{target: "in_sync"})

    def tick(self, name: str, mishap: str = "") -> None:
        """One turn, in which the first try may go wrong; after a crash everything is opened anew."""
        self.unlucky[name].mishaps = [mishap] if mishap else []
        self.office.pigeons[name] = self.unlucky[name]
        try:
            self.office.tick(name)
        except CrashError:
            self.office.reopen()

    def settle(self) -> None:
        """Let everything that waits go out."""
        quiet = 0
        for _ in range(40):
            self.office.pass_time(hours=7)
            for name in self.wanted:
                self.tick(name)
            unsent = any(one.state.value != "sent" for one in self.office.messages())
            quiet = 0 if unsent else quiet + 1
            # The end of one channel's trouble is told by the other.
            if quiet > 2:
                return


@settings(max_examples=30)
@given(actions=st.lists(HAPPEN | HAPPEN | TICK | RUN | WAIT, max_size=16))
def test_each_event_arrives_at_each_channel_that_takes_it(
    fresh: Path, actions: list[tuple[str, str, Any]]
) -> None:
    """Through failures, refusals, crashes, digests and versions; nothing else arrives."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copy(fresh, folder / "exosync.db")
        office = Office(folder, CHANNELS, {"keep_trying": "400d"}, targets=("edge", "spf"))
        life = Life(office)
        for channel in life.wanted:
            life.tick(channel)
        for action, what, where in actions:
            if action == "happen":
                life.happen(what, where)
            elif action == "run":
                life.run(where)
            elif action == "wait":
                office.now += timedelta(minutes=where)
            else:
                for channel in life.wanted if where == "both" else [where]:
                    life.tick(channel, what)
        life.settle()
        for channel, texts in life.wanted.items():
            told = {one for one in life.unlucky[channel].told if one.startswith("event ")}
            assert set(texts) == told, channel
        states = {one.state.value for one in office.messages()}
        assert states <= {"sent"}
        office.close()


PROGRAM = """
import sys
from datetime import datetime
from pathlib import Path
from exosync.alerts import build_channels, tick
from exosync.config import load
from exosync.store import Store
folder, now = Path(sys.argv[1]), datetime.fromisoformat(sys.argv[2])
loaded = load(folder / "exosync.yaml", environ={})
(job,) = build_channels(loaded, {})
with Store.open(loaded.config.state, base=folder) as store:
    print(tick(store, job, loaded.config, now).sent)
"""


@pytest.fixture
def receiver() -> Iterator[WebhookStandIn]:
    """Who is told."""
    with WebhookStandIn() as one:
        yield one


def deliver(folder: Path, now: str) -> subprocess.Popen[bytes]:
    """A process that delivers."""
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(folder), now],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": ":".join(path or "." for path in sys.path)},
    )


@pytest.mark.slow
def test_a_process_killed_between_sending_and_writing_it_down_sends_it_again(
    tmp_path: Path, receiver: WebhookStandIn
) -> None:
    """With the same id, so that the receiver drops it; then never more."""
    (tmp_path / "hook").write_text("a secret")
    channel = {"name": "ops", "kind": "webhook", "url": receiver.url, "secret": {"file": "hook"}}
    config: Json = {
        "alerts": {"channels": [channel]},
        "targets": [{"name": "edge", "kind": "file", "path": "x"}],
    }
    (tmp_path / "exosync.yaml").write_text(yaml.safe_dump(config))
    with Store.open("sqlite:///exosync.db", base=tmp_path) as store:
        store.enrol_channel("ops")
        made = event("target_failed")
        store.add_event(
            made.kind, "error", target="edge", title="edge failed", body={}, run_id=None, at=AT
        )
    came = threading.Event()
    started: Queue[subprocess.Popen[bytes]] = Queue()

    def kill(_request: object) -> None:
        if not came.is_set():
            # It may be so quick that nobody has been told yet which process it is.
            one = started.get(timeout=PATIENCE)
            os.kill(one.pid, signal.SIGKILL)
            one.wait()
            came.set()

    receiver.came = kill
    first = deliver(tmp_path, AT.isoformat())
    started.put(first)
    assert came.wait(PATIENCE)
    assert -signal.SIGKILL == first.returncode
    first.communicate()

    outs = []
    for minutes in (0, 1, 60):
        with deliver(tmp_path, (AT + timedelta(minutes=minutes)).isoformat()) as later:
            outs.append(later.communicate(timeout=PATIENCE)[0].split())
    assert [[b"0"], [b"1"], [b"0"]] == outs, "not at once, a minute later, then never more"
    assert 2 == len(receiver.keys)
    assert 1 == len(set(receiver.keys))
    assert receiver.requests[0].body == receiver.requests[1].body
