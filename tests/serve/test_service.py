"""`exosync serve` as a process: its start, what it is told, and its end."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.serve.conftest import FIRST, SECOND
from tests.standins.endpoints import EndpointsStandIn
from tests.support.ports import refusing_port
from tests.support.served import PATIENCE, Served, configure, file_target, serving, until

SOON = {"feed": "2s", "jitter": "0"}


def command(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Another process, on the same state."""
    line = [sys.executable, "-m", "exosync", "--config", str(folder / "exosync.yaml"), *words]
    return subprocess.run(line, capture_output=True, text=True, timeout=PATIENCE, check=False)


def state_of(served: Served, name: str) -> Any:
    """How a target stands, and against which version."""
    with served.store() as store:
        known = store.target_state(name)
        return (known.state, known.version) if known else None


def runs_of(served: Served, command: str) -> int:
    """How often a command has run, those without news included."""
    with served.store() as store:
        return sum(one.repeats + 1 for one in store.runs(1000) if one.command == command)


def test_a_new_version_is_at_every_target_without_anybody_doing_anything(
    tmp_path: Path, feed: EndpointsStandIn
) -> None:
    """Each target has a run of its own; SIGTERM ends the service with 0."""
    configure(tmp_path, feed.url, targets=[file_target("a"), file_target("b")], schedule=SOON)
    with serving(tmp_path) as served:
        served.ready()
        assert ("applied", FIRST) == state_of(served, "a")
        feed.publish(SECOND)
        until(lambda: SECOND == (state_of(served, "a") or "")[1] == state_of(served, "b")[1])
        assert 0 == served.stop()
        assert "stopped" == served.lines[-1]["event"]
    with served.store() as store:
        assert {"feed", "sync a", "sync b"} == {one.command for one in store.runs(100)}
        record = store.service()
        assert record is not None
        assert record.stopped_at is not None
        assert None not in {one.finished_at for one in store.runs(100)}


def test_a_second_service_on_the_same_state_is_refused(
    tmp_path: Path, feed: EndpointsStandIn
) -> None:
    """With the code of a lock that is held, and who holds it."""
    configure(tmp_path, feed.url, targets=[file_target()])
    with serving(tmp_path) as served:
        served.ready()
        second = command(tmp_path, "serve")
        assert 5 == second.returncode
        assert f"pid {served.process.pid}" in second.stderr


def test_a_port_that_is_taken_is_told(tmp_path: Path, feed: EndpointsStandIn) -> None:
    """As a fault of the configuration; nothing was begun."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        listen = f"127.0.0.1:{taken.getsockname()[1]}"
        configure(tmp_path, feed.url, targets=[file_target()], web={"listen": listen})
        ended = command(tmp_path, "serve")
    assert 64 == ended.returncode
    assert f"web.listen: nobody can listen on {listen}" in ended.stderr
    assert [] == feed.requests


def test_its_health_is_asked_by_a_command(tmp_path: Path, feed: EndpointsStandIn) -> None:
    """For a container that has neither a shell nor curl."""
    with refusing_port() as port:
        listen = f"127.0.0.1:{port}"
        configure(tmp_path, feed.url, targets=[file_target()], web={"listen": listen})
        before = command(tmp_path, "serve", "--health")
        with serving(tmp_path) as served:
            served.ready()
            during = command(tmp_path, "serve", "--health")
    assert (1, 0) == (before.returncode, during.returncode)
    assert f"{listen}: lives (200)" in during.stdout


def test_a_paused_target_is_looked_at_and_not_written(
    tmp_path: Path, feed: EndpointsStandIn
) -> None:
    """Nor by a person's apply; once it is resumed it is written at once."""
    configure(tmp_path, feed.url, targets=[file_target()], schedule=SOON)
    with serving(tmp_path) as served:
        served.ready()
        before = (tmp_path / "edge.txt").read_text()
        assert 0 == command(tmp_path, "pause", "edge", "--why", "moving house").returncode
        feed.publish(SECOND)
        until(lambda: ("pending", SECOND) == state_of(served, "edge"))
        assert before == (tmp_path / "edge.txt").read_text()
        plan = served.told("plan_waits")
        assert "paused by" in plan.title
        applied = command(tmp_path, "apply", str(plan.body["plan"]), "--wait", "60s")
        assert 3 == applied.returncode
        assert "moving house" in applied.stderr
        assert 0 == command(tmp_path, "resume", "edge").returncode
        until(lambda: ("applied", SECOND) == state_of(served, "edge"))
    assert ["resumed", "paused"] == [one.kind for one in served.events("paused", "resumed")]


def test_the_pause_of_a_target_that_is_gone_can_be_ended(tmp_path: Path) -> None:
    """Else `check` would ask for that for ever."""
    configure(tmp_path, "http://127.0.0.1:9", targets=[file_target("old")])
    assert 0 == command(tmp_path, "pause", "old").returncode
    configure(tmp_path, "http://127.0.0.1:9", targets=[file_target("new")])
    assert 0 == command(tmp_path, "resume", "old").returncode
    assert 64 == command(tmp_path, "resume", "old").returncode


def test_a_run_is_triggered_from_another_process(tmp_path: Path, feed: EndpointsStandIn) -> None:
    """Of one target, or of all; what was tampered with is repaired then."""
    configure(tmp_path, feed.url, targets=[file_target("a"), file_target("b")])
    with serving(tmp_path) as served:
        served.ready()
        lines = (tmp_path / "a.txt").read_text().splitlines(keepends=True)
        (tmp_path / "a.txt").write_text("".join(lines[:-1]))
        assert 0 == command(tmp_path, "trigger", "b").returncode
        until(lambda: runs_of(served, "sync b") == 2)
        assert 1 == runs_of(served, "sync a")
        assert 0 == command(tmp_path, "trigger").returncode
        served.told("drift")
        served.told("drift_repaired")
        until(lambda: runs_of(served, "sync a") >= 2 and runs_of(served, "sync b") == 3)


def test_no_request_is_lost_whenever_it_comes(tmp_path: Path, feed: EndpointsStandIn) -> None:
    """Before a run, in the midst of one, or at its end: what is tampered with is mended soon."""
    configure(tmp_path, feed.url, targets=[file_target()])
    path = tmp_path / "edge.txt"
    with serving(tmp_path) as served:
        served.ready()
        good = path.read_text()
        broken = "".join(good.splitlines(keepends=True)[:-1])
        for delay in (0, 0.02, 0.05, 0.1, 0.2):
            runs = runs_of(served, "sync edge")
            with served.store() as store:
                store.trigger("edge", by="a tester", at=datetime.now(UTC))
            # At some point of the run that this begins.
            until(lambda: runs_of(served, "sync edge") > runs or served.is_at_work("edge"))  # noqa: B023
            time.sleep(delay)
            (tmp_path / "broken").write_text(broken)
            (tmp_path / "broken").replace(path)
            with served.store() as store:
                store.trigger("edge", by="a tester", at=datetime.now(UTC))
            until(lambda: path.read_text() == good)


def test_a_configuration_read_again_replaces_the_old_one_whole(
    tmp_path: Path, feed: EndpointsStandIn
) -> None:
    """Targets come and go without a restart."""
    configure(tmp_path, feed.url, targets=[file_target("a")])
    with serving(tmp_path) as served:
        served.ready()
        configure(tmp_path, feed.url, targets=[file_target("b")], guards={"min_ranges": 3})
        served.signal(signal.SIGHUP)
        until(lambda: state_of(served, "b"))
        told = served.told("config_changed")
        assert "changed: guards, target a, target b" in told.title
        with served.store() as store:
            assert {":feed", "b"} == set(store.turns())
        assert 0 == served.stop()


def test_a_wrong_configuration_is_refused_and_the_old_one_stays(
    tmp_path: Path, feed: EndpointsStandIn
) -> None:
    """It is told, and the next good one is taken."""
    good: dict[str, Any] = {"targets": [file_target("a")]}
    path = configure(tmp_path, feed.url, **good)
    with serving(tmp_path) as served:
        served.ready()
        path.write_text(path.read_text().replace("kind: file", "kind: xfile"))
        served.signal(signal.SIGHUP)
        refused = served.told("config_refused")
        assert "xfile" in refused.body["error"]
        assert "exosync_config_last_reload_successful 0.0" in served.get("/metrics").text
        configure(tmp_path, feed.url, **good, state="sqlite:///other.db")
        served.signal(signal.SIGHUP)
        until(lambda: len(served.events("config_refused")) == 2)
        assert "restart it" in served.events("config_refused")[0].body["error"]
        assert not (tmp_path / "other.db").exists()
        configure(tmp_path, feed.url, targets=[file_target("a"), file_target("c")])
        served.signal(signal.SIGHUP)
        until(lambda: state_of(served, "c"))


def test_after_a_crash_it_says_what_it_found(tmp_path: Path, feed: EndpointsStandIn) -> None:
    """And a service that was ended as it should be says nothing at its next start."""
    configure(tmp_path, feed.url, targets=[file_target()])
    with serving(tmp_path) as served:
        served.ready()
        served.kill()
    with served.store() as store:
        run_id = store.begin_run("sync edge", served.told("applied").at, scope="edge")
    with serving(tmp_path) as served:
        served.ready()
        started = served.told("service_started")
        assert f"it left r-{run_id} unfinished" in started.title
        assert 0 == served.stop()
    with serving(tmp_path) as served:
        served.ready()
        assert 1 == len(served.events("service_started"))


def test_one_target_that_hangs_delays_no_other(tmp_path: Path, feed: EndpointsStandIn) -> None:
    """With one place for all of them; SIGTERM leaves it behind within the grace time."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        at = f"127.0.0.1:{silent.getsockname()[1]}"
        dns = {"servers": [at], "resolvers": [at], "timeout": "60s"}
        hangs = {"name": "hangs", "kind": "spf", "domain": "example.com", "dns": dns}
        others = [file_target(name, schedule="1m") for name in ("a", "b", "c")]
        schedule = {**SOON, "workers": 1, "slow_after": "1s", "stop_within": "1s"}
        configure(tmp_path, feed.url, targets=[hangs, *others], schedule=schedule)
        with serving(tmp_path) as served:
            until(lambda: all(state_of(served, one["name"]) for one in others))
            feed.publish(SECOND)
            until(lambda: all(state_of(served, one["name"])[1] == SECOND for one in others))
            assert state_of(served, "hangs") is None
            with served.store() as store:
                assert store.turns()["hangs"].started_at is not None
            assert 0 == served.stop()
            assert "hangs" in served.logged("left at work")["jobs"]


def test_systemd_is_told_how_it_stands(tmp_path: Path, feed: EndpointsStandIn) -> None:
    """Ready, alive at the watchdog's pace, reading again, stopping."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(PATIENCE)
        environ = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "600000"}
        configure(tmp_path, feed.url, targets=[file_target()])
        with serving(tmp_path, environ) as served:
            assert "READY=1\nSTATUS=serving 1 target" in manager.recv(4096).decode()
            assert "WATCHDOG=1" == manager.recv(4096).decode()
            served.signal(signal.SIGHUP)
            told = until(lambda: (one := manager.recv(4096).decode()) != "WATCHDOG=1" and one)
            assert told.startswith("RELOADING=1\nMONOTONIC_USEC=")
            served.signal(signal.SIGTERM)
            words = iter(lambda: manager.recv(4096).decode().splitlines()[0], "STOPPING=1")
            assert {"READY=1", "WATCHDOG=1"} >= set(words)


def test_a_command_beside_the_service_waits_for_it_if_asked_to(
    tmp_path: Path, feed: EndpointsStandIn
) -> None:
    """The same state, the same targets; neither writes while the other does."""
    configure(tmp_path, feed.url, targets=[file_target()], schedule=SOON)
    with serving(tmp_path) as served:
        served.ready()
        assert 0 == command(tmp_path, "sync", "--wait", "60s").returncode
        assert 0 == served.stop()
