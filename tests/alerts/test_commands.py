"""`exosync alerts`, and what the other commands do with alerts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from exosync.store import RunLock, Store
from tests.alerts.kit import AT, event
from tests.standins.endpoints import EndpointsStandIn
from tests.standins.smtp import Fault, SmtpStandIn
from tests.standins.web import Reply
from tests.standins.webhook import WebhookStandIn
from tests.support.cli import Shell

OLD, NEW = "2020072800", "2024073100"
SCHEMA = json.loads(files("exosync.schemas").joinpath("alert.schema.json").read_text("utf-8"))


@pytest.fixture
def receiver() -> Iterator[WebhookStandIn]:
    """Who is told by webhook."""
    with WebhookStandIn() as one:
        yield one


@pytest.fixture
def server() -> Iterator[SmtpStandIn]:
    """Who is told by mail."""
    with SmtpStandIn() as one:
        yield one


@pytest.fixture
def feed() -> Iterator[EndpointsStandIn]:
    """Microsoft's smallest cloud."""
    with EndpointsStandIn(instance="USGovGCCHigh", version=OLD) as one:
        yield one


@pytest.fixture
def shell(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    feed: EndpointsStandIn,
    receiver: WebhookStandIn,
    server: SmtpStandIn,
) -> Shell:
    """One file target, a channel by mail and one by webhook."""
    (tmp_path / "hook").write_text("a secret of the hook")
    made = Shell(tmp_path, capsys)
    smtp = {"host": "127.0.0.1", "port": server.port, "starttls": False}
    made.configure(
        feed={"url": feed.url, "instance": "USGovGCCHigh"},
        schedule={"feed": "0s"},
        targets=[{"name": "edge", "kind": "file", "mode": "apply", "path": "exo.txt"}],
        alerts={
            "channels": [
                {"name": "ops", "kind": "mail", "to": ["ada@example.com"], "smtp": smtp},
                {
                    "name": "hook",
                    "kind": "webhook",
                    "url": receiver.url,
                    "secret": {"file": "hook"},
                },
            ]
        },
    )
    return made


def run(shell: Shell, *words: str) -> Any:
    """A command of this folder."""
    return shell.run("--config", str(shell.folder / "exosync.yaml"), *words)


def happen(shell: Shell, kind: str = "target_failed") -> None:
    """Something happens."""
    made = event(kind)
    with Store.open("sqlite:///exosync.db", base=shell.folder) as store:
        store.add_event(
            kind,
            made.severity,
            target=made.target,
            title=made.title,
            body=dict(made.body),
            run_id=None,
            at=AT,
        )


def test_a_sync_tells_both_channels_of_the_first_and_of_every_new_version(
    shell: Shell, feed: EndpointsStandIn, receiver: WebhookStandIn, server: SmtpStandIn
) -> None:
    """Each in one message, as published."""
    assert 0 == run(shell, "sync").code
    feed.publish(NEW)
    assert 0 == run(shell, "sync").code
    assert 0 == run(shell, "sync").code, "nothing new, so nobody is told"

    first, second = receiver.alerts
    for alert in (first, second):
        jsonschema.validate(alert, SCHEMA)
    assert ["feed_adopted", "ranges_changed"] == [one["type"] for one in receiver.alerts]
    assert ["feed_adopted", "applied"] == [one["kind"] for one in first["events"]]
    assert (NEW, OLD) == (second["version"]["version"], second["version"]["previous"])
    assert "applied" == second["targets"][0]["state"]
    assert second["targets"][0]["done"]
    subjects = [str(one.message["Subject"]) for one in server.mails]
    assert [f"[exosync] {one['title']}" for one in receiver.alerts] == subjects
    assert "52.244.65.13/32" in server.mails[1].part("plain")


def test_a_channel_that_is_down_does_not_change_how_a_sync_ends(
    shell: Shell, receiver: WebhookStandIn, server: SmtpStandIn
) -> None:
    """Its message waits."""
    server.script(Fault("connect", "421 too busy"))
    ended = run(shell, "sync")
    assert 0 == ended.code
    assert "421 too busy" in ended.err
    assert 1 == len(receiver.alerts)
    listed = run(shell, "alerts", "list", "--json").json
    (waiting,) = listed["messages"]
    assert ("ops", "waiting", 1) == (waiting["channel"], waiting["state"], waiting["attempts"])
    assert {"ops": 1, "hook": 0} == {one["name"]: one["waiting"] for one in listed["channels"]}


def test_a_test_message_is_sent_at_once(
    shell: Shell, receiver: WebhookStandIn, server: SmtpStandIn
) -> None:
    """And what came of it is said."""
    ended = run(shell, "alerts", "test", "ops")
    assert 0 == ended.code
    assert "ops: the test message was taken (msg_" in ended.out
    assert "[exosync] A test of the channel ops: it works" == server.mails[0].message["Subject"]
    told = run(shell, "alerts", "test", "hook", "--json")
    (alert,) = receiver.alerts
    assert told.json["id"] == alert["id"]
    jsonschema.validate(alert, SCHEMA)


def test_a_test_that_fails_ends_with_4(shell: Shell, receiver: WebhookStandIn) -> None:
    """With the reason."""
    receiver.script(Reply(401, {}, b"who are you?"), Reply(401))
    ended = run(shell, "alerts", "test", "hook")
    assert 4 == ended.code
    assert "answers 401 Unauthorized: who are you?" in ended.out
    assert run(shell, "alerts", "test", "hook", "--json").json["ok"] is False
    (shell.folder / "hook").unlink()
    missing = run(shell, "alerts", "test", "hook")
    assert 4 == missing.code
    assert "does not exist" in missing.out


@pytest.mark.parametrize("words", [("test", "nobody"), ("retry", "nobody")])
def test_a_channel_that_does_not_exist_is_wrong_usage(shell: Shell, words: tuple[str, str]) -> None:
    """With those that do, or where to look."""
    ended = run(shell, "alerts", *words)
    assert 64 == ended.code
    assert "ops, hook" in ended.err or "alerts list" in ended.err


def test_the_list_shows_channels_and_what_waits(shell: Shell, server: SmtpStandIn) -> None:
    """In words, and with --all what was sent."""
    run(shell, "sync")
    quiet = run(shell, "alerts", "list").out
    assert "nothing waits to be sent" in quiet
    assert "works" in quiet
    happen(shell)
    server.script(*[Fault("connect", "421 too busy")] * 2)
    run(shell, "sync")
    busy = run(shell, "alerts", "list").out
    assert "tried 1 time: 127.0.0.1" in busy
    assert "edge: target failed" in busy
    everything = run(shell, "alerts", "list", "--all").out
    assert 2 == everything.count("first version"), "one by each channel"
    assert 4 == everything.count("msg_")


def test_retry_sends_what_waits(shell: Shell, server: SmtpStandIn) -> None:
    """All of it, a channel's, or one message by the beginning of its id."""
    assert "nothing waits" in run(shell, "alerts", "retry").out
    run(shell, "sync")
    happen(shell)
    server.script(*[Fault("connect", "421 too busy")] * 2)
    run(shell, "sync")
    failed = run(shell, "alerts", "retry")
    assert 4 == failed.code
    assert "0 of 1 message arrived" in failed.out
    assert "421 too busy" in failed.out
    (waiting,) = run(shell, "alerts", "list", "--json").json["messages"]
    assert 64 == run(shell, "alerts", "retry", "msg_").code, "several begin so"
    good = run(shell, "alerts", "retry", waiting["id"][:-2], "--json")
    assert (0, 1) == (good.code, good.json["arrived"])
    sent = run(shell, "alerts", "retry", waiting["id"])
    assert 64 == sent.code
    assert "nothing to send again" in sent.err


def test_retry_leaves_a_channel_to_whoever_has_it_in_hand(
    shell: Shell, server: SmtpStandIn
) -> None:
    """The service tries at once: the message is due."""
    server.script(Fault("connect", "421 too busy"))
    run(shell, "sync")
    path = shell.folder / "exosync.db"
    with RunLock(path, command="exosync serve", what="alerts ops").held(at=AT):
        ended = run(shell, "alerts", "retry", "ops")
    assert 4 == ended.code
    assert "has it in hand" in ended.out


def test_what_belongs_to_a_channel_that_is_gone_is_said(shell: Shell, server: SmtpStandIn) -> None:
    """By list, retry and check."""
    server.script(Fault("connect", "421 too busy"))
    run(shell, "sync")
    path = shell.folder / "exosync.yaml"
    path.write_text(path.read_text().replace("name: ops", "name: new"))
    assert "no longer configured" in run(shell, "alerts", "list").out
    assert "cannot be sent" in run(shell, "alerts", "retry", "ops").out
    checked = run(shell, "check", "--json").json["checks"]
    assert any(
        one["subject"] == "channel ops" and "no longer configured" in one["message"]
        for one in checked
    )


def test_check_tries_every_channel_and_sends_nothing(
    shell: Shell, receiver: WebhookStandIn, server: SmtpStandIn
) -> None:
    """And a template that is broken is no failure: the built-in one takes its place."""
    run(shell, "sync")
    before = len(receiver.requests), len(server.mails)
    folder = shell.folder / "templates"
    folder.mkdir()
    (folder / "mail.txt").write_text("{{ nothing }}")
    path = shell.folder / "exosync.yaml"
    path.write_text(path.read_text().replace("alerts:", "alerts:\n  templates: templates"))
    ended = run(shell, "check", "--json")
    found = {(one["subject"], one["name"]): one["ok"] for one in ended.json["checks"]}
    assert 0 == ended.code
    assert found[("channel ops", "server")]
    assert found[("channel hook", "receiver")]
    assert found[("channel hook", "outbox")]
    assert found[("templates", "mail.txt")] is None
    assert before == (len(receiver.requests), len(server.mails))


def test_without_channels_the_list_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nobody is told of anything."""
    shell = Shell(tmp_path, capsys)
    shell.configure(targets=[{"name": "edge", "kind": "file", "path": "exo.txt"}])
    assert "nobody is told" in run(shell, "alerts", "list").out
