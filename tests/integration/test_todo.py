"""Steps for people from end to end: asked for, reminded of, acknowledged, seen, dropped.

The target is Google's inbound gateway without the audit log: nobody can read or write it, so
nothing is asked outside, and every word of it is a person's.
"""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from exosync.core.ranges import IpRanges
from exosync.errors import RefusedError, UsageError
from exosync.people import acknowledge, find_task
from exosync.render.text import render
from exosync.schemas import run_schema
from tests.standins.endpoints import EndpointsStandIn
from tests.standins.mimecast import MimecastStandIn
from tests.support.cli import Shell
from tests.support.world import World, only, rules

FIRST, WIDENED = "2018102900", "2019010700"
GATEWAY = {
    "name": "google",
    "kind": "google_workspace",
    "mode": "apply",
    "customer": "C01abcdef",
    "admin": "postmaster@example.com",
    "setting": "inbound_gateway",
    "audit": False,
}
SETTING = "inbound_gateway"
EXCLUDED = {"cidr": "23.103.132.0/22", "name": "a test", "reason": "to be taken back"}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A company whose gateway only a person can set."""
    with EndpointsStandIn(version=FIRST) as feed:
        yield World(tmp_path, feed, [GATEWAY], {"ranges": {"grace": "0s"}})


def tasks(world: World) -> list[Any]:
    """What waits."""
    with world.opened() as one:
        return one.store.open_tasks("google")


def ack(
    world: World, plan: str, by: str = "ada", at: tuple[str, str] = ("google", SETTING)
) -> None:
    """What `exosync ack` does."""
    with world.opened() as one:
        task = find_task(one.store, *at)
        record = one.store.find_plan(plan)
        acknowledge(
            one.store, task, record, by=by, note="done", rules=one.rules.tasks, at=world.now
        )


def events(world: World, *kinds: str) -> list[str]:
    """The titles of events, oldest first."""
    with world.opened() as one:
        return [event.title for event in reversed(one.store.events(99, kinds=kinds))]


def test_a_setting_that_nobody_can_read_is_asserted_and_never_verified(world: World) -> None:
    """Waiting, acknowledged, asserted: by whom, since when, for which ranges."""
    waiting = only(world.sync())
    (step,) = waiting["steps"]
    assert ("waiting", "person", None) == (waiting["state"], step["by"], waiting["verified"])

    ack(world, waiting["plan"])
    told = world.sync()

    jsonschema.validate(told, run_schema())
    target = only(told)
    (asserted,) = target["asserted"]
    assert ("asserted", None, []) == (target["state"], target["verified"], target["steps"])
    assert (SETTING, "ada") == (asserted["setting"], asserted["by"])
    assert step["task"]["ranges"] == asserted["ranges"] == target["owned"]
    assert not {"drift", "person_acted"} & set(rules(target, "findings"))
    assert [] == tasks(world)


def test_a_second_run_asks_for_nothing_new_and_tells_nothing_twice(world: World) -> None:
    """The task keeps its beginning, and the plan its id."""
    first = only(world.sync())
    (before,) = tasks(world)
    world.pass_time(hours=5)
    second = only(world.sync())
    (after,) = tasks(world)
    assert first["plan"] == second["plan"]
    assert before == after
    assert 1 == len(events(world, "person_needed"))


def test_an_overdue_task_is_reminded_of_at_intervals(world: World) -> None:
    """Not before it is due, then every day, not with every run."""
    world.sync()
    world.pass_time(hours=47)
    world.sync()
    assert [] == events(world, "step_overdue")
    for _ in range(4):
        world.pass_time(hours=8)
        world.sync()
    told = events(world, "step_overdue")
    assert 2 == len(told)
    assert "open for 2 days, overdue" in told[0]


def test_an_outdated_plan_cannot_be_acknowledged(world: World) -> None:
    """Microsoft has changed the list since: what was pasted is not what is wanted."""
    old = only(world.sync())["plan"]
    world.publish(WIDENED)
    new = only(world.sync())["plan"]
    assert old != new
    with pytest.raises(RefusedError, match="outdated") as caught:
        ack(world, old)
    assert "stale_plan" == caught.value.rule
    assert 1 == len(tasks(world))
    ack(world, new)
    assert "asserted" == only(world.sync())["state"]


def test_another_plan_that_asks_for_the_same_can_be_acknowledged(world: World) -> None:
    """Its id changed for something else: a person need not paste the same twice."""
    old = only(world.sync())["plan"]
    world.settings = {**world.settings, "owner": "another"}
    new = only(world.sync())["plan"]
    assert old != new
    ack(world, old)
    assert "asserted" == only(world.sync())["state"]


def test_a_change_of_the_list_asks_again_and_starts_the_time_anew(world: World) -> None:
    """What was acknowledged stays the base of the next step: only the difference is told."""
    ack(world, only(world.sync())["plan"])
    world.sync()
    world.publish(WIDENED)
    told = only(world.sync())
    assert "waiting" == told["state"]
    (task,) = tasks(world)
    added, wanted = (IpRanges.parse(task.body[one]) for one in ("added", "ranges"))
    assert added
    assert added <= wanted
    assert added != wanted
    assert world.now == task.opened_at
    assert world.now + timedelta(days=2) == task.due_at


def test_what_is_no_longer_needed_is_dropped_and_told(world: World) -> None:
    """Microsoft takes its change back before the person was there."""
    ack(world, only(world.sync())["plan"])
    world.sync()
    world.settings = {"ranges": {"exclude": [EXCLUDED]}}
    world.sync()
    assert 1 == len(tasks(world))
    world.settings = {}
    assert "asserted" == only(world.sync())["state"]
    assert [] == tasks(world)
    assert 1 == len(events(world, "step_dropped"))


def test_a_persons_word_is_asked_for_again_after_half_a_year(world: World) -> None:
    """A step that changes nothing: look whether it is still so."""
    ack(world, only(world.sync())["plan"])
    world.pass_time(days=100)
    world.sync()
    assert "asserted" == only(world.sync())["state"]
    world.settings = {**world.settings, "guards": {"max_feed_age": "400d"}}
    world.pass_time(days=81)
    told = only(world.sync())
    (step,) = told["steps"]
    assert "waiting" == told["state"]
    assert step["before"] == step["after"]
    assert ([], []) == (step["task"]["added"], step["task"]["removed"])
    ack(world, told["plan"], by="grace")
    (asserted,) = only(world.sync())["asserted"]
    assert "grace" == asserted["by"]


def test_a_refused_plan_asks_nobody(world: World) -> None:
    """Half of the list would go: a guard says no, and so nothing waits for a person."""
    ack(world, only(world.sync())["plan"])
    world.sync()
    world.settings = {"ranges": {"grace": "0s"}, "guards": {"max_growth": "0%"}}
    world.publish(WIDENED)
    assert "refused" == only(world.sync())["state"]
    assert [] == tasks(world)


def test_of_a_target_that_is_only_watched_nothing_is_asked(world: World) -> None:
    """It waits, and says that it is only watched; what was asked before is dropped."""
    world.sync()
    world.targets = [{**GATEWAY, "mode": "watch"}]
    told = world.sync()
    assert "waiting" == only(told)["state"]
    assert [] == tasks(world)
    assert "is only watched" in render(told)
    assert "exosync todo" not in render(told)


def test_one_approval_is_enough_for_exosyncs_removal_and_for_a_persons(tmp_path: Path) -> None:
    """Half of the list goes: refused, approved once, done by exosync, then asked of a person."""
    with EndpointsStandIn(version="2019010700") as feed, MimecastStandIn() as mail:
        for name, text in (("id", "the-id"), ("secret", "the-secret-of-mimecast")):
            (tmp_path / name).write_text(text)
        target = {
            "name": "mimecast",
            "kind": "mimecast",
            "mode": "apply",
            "url": mail.url,
            "client_id": {"file": "id"},
            "client_secret": {"file": "secret"},
            "domains": ["example.com"],
            "settings": ["anti_spoofing", "permitted_senders"],
        }
        world = World(tmp_path, feed, [target], {"ranges": {"grace": "0s"}})
        ack(world, only(world.sync())["plan"], at=("mimecast", "permitted_senders"))
        world.sync()
        world.publish("2019022800")
        refused = only(world.sync())
        assert "shrink" in rules(refused)
        world.approve(refused["plan"])

        approved = only(world.sync())
        assert ("waiting", []) == (approved["state"], approved["refusals"])
        again = only(world.sync())
        assert ("waiting", []) == (again["state"], again["refusals"])
        ack(world, again["plan"], at=("mimecast", "permitted_senders"))
        assert "asserted" == only(world.sync())["state"]
        assert [] == mail.dangerous


@pytest.fixture
def shell(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Shell]:
    """The same company at the command line, after its first run."""
    monkeypatch.chdir(tmp_path)
    for name in [one for one in os.environ if one.startswith("EXOSYNC_")]:
        monkeypatch.delenv(name)
    with EndpointsStandIn(version=FIRST) as feed:
        made = Shell(tmp_path, capsys)
        made.configure(feed={"url": feed.url}, schedule={"feed": "0s"}, targets=[GATEWAY])
        assert 2 == made.run("sync").code
        yield made


def waiting(shell: Shell) -> Any:
    """The one thing that waits."""
    (one,) = shell.json("todo")
    return one


def test_todo_lists_what_waits_since_when_for_whom_and_until_when(shell: Shell) -> None:
    """In a table, and as JSON; the exit code only if asked for."""
    ended = shell.run("todo")
    one = waiting(shell)
    assert 0 == ended.code
    for word in ("google", SETTING, one["plan"], one["task"]["who"]):
        assert word in ended.out
    assert one["opened_at"][:10] in ended.out
    assert one["due_at"][:10] in ended.out
    assert 2 == shell.run("todo", "--exit-code").code


def test_a_plan_for_a_person_is_not_said_to_be_applied_once_it_is_approved(shell: Shell) -> None:
    """Nothing but a person does its steps."""
    ended = shell.run("approve", waiting(shell)["plan"])
    assert 0 == ended.code
    assert "exosync apply" not in ended.out
    assert "next: exosync sync asks a person for it, and exosync todo show google" in ended.out


def test_todo_show_has_all_that_a_person_needs(shell: Shell) -> None:
    """The place, the text to paste, the fields, the reasons, and how to say that it is done."""
    one = waiting(shell)
    ended = shell.run("todo", "show", "google", SETTING)
    for text in (one["task"]["place"], one["task"]["box"], *one["task"]["reasons"]):
        assert text in ended.out
    assert f"exosync ack google {SETTING} --plan {one['plan']}" in ended.out
    assert one == shell.json("todo", "show", "google")
    assert one == json.loads(shell.run("todo", "show", "google", "--format", "json").out)
    assert shell.run("todo", "show", "google", "--format", "markdown").out.startswith("# google")
    assert shell.run("todo", "show", "google", "--format", "html").out.startswith("<!doctype")


def test_copy_prints_the_bare_text_into_a_pipe(shell: Shell) -> None:
    """And nothing else, so that it can be sent on."""
    ended = shell.run("todo", "show", "google", "--copy")
    assert f"{waiting(shell)['task']['box']}\n" == ended.out


def test_copy_puts_the_text_on_the_clipboard_of_a_terminal(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Here the clipboard is a program that keeps what it is given."""
    box = waiting(shell)["task"]["box"]
    tools, kept = tmp_path / "bin", tmp_path / "clipboard"
    tools.mkdir()
    (tools / "xclip").write_text(f"#!/bin/sh\nexec cat >{kept}\n")
    (tools / "xclip").chmod(0o755)
    environ = {"PATH": f"{tools}:{os.environ['PATH']}", "DISPLAY": ":99"}
    printed = on_a_terminal(tmp_path, ("todo", "show", "google", "--copy"), environ)
    assert box == kept.read_text()
    assert box not in printed


def on_a_terminal(folder: Path, words: tuple[str, ...], environ: dict[str, str]) -> str:
    """What a command prints on a terminal of its own."""
    master, slave = pty.openpty()
    try:
        subprocess.run(
            [sys.executable, "-m", "exosync", *words],
            cwd=folder,
            env={**environ, "TERM": "dumb"},
            stdout=slave,
            stderr=slave,
            check=True,
        )
        return os.read(master, 65536).decode()
    finally:
        os.close(master)
        os.close(slave)


def test_ack_takes_a_persons_word_once(shell: Shell) -> None:
    """A second time there is nothing to acknowledge any more."""
    plan = waiting(shell)["plan"]
    words = ("ack", "google", SETTING, "--plan", plan, "--by", "ada")
    assert 0 == shell.run(*words).code
    assert "nothing waits for a person" in shell.run("todo").out
    again = shell.run(*words)
    assert 64 == again.code
    assert "nothing waits for a person at google" in again.err
    assert 0 == shell.run("sync").code
    assert "asserted by ada" in shell.run("status").out


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("ack", "nobody", SETTING, "--plan", "0"), "there is no target 'nobody'"),
        (("ack", "google", "email_allowlist", "--plan", "0"), "open there: inbound_gateway"),
        (("ack", "google", SETTING, "--plan", "ffffffffffff"), "there is no plan 'ffffffffffff'"),
        (("ack", "google", SETTING), "--plan"),
        (("todo", "show", "nobody"), "nothing waits for a person at nobody"),
    ],
)
def test_what_does_not_exist_is_told_with_what_does(
    shell: Shell, words: tuple[str, ...], told: str
) -> None:
    """Wrong usage, exit code 64, and nothing is acknowledged."""
    ended = shell.run(*words)
    assert 64 == ended.code
    assert told in ended.err
    assert waiting(shell)


def test_the_plan_of_another_target_is_refused(world: World) -> None:
    """It stands for something else."""
    world.targets = [GATEWAY, {"name": "edge", "kind": "file", "path": "exo.txt"}]
    plans = {one["name"]: one["plan"] for one in world.sync()["targets"]}
    with pytest.raises(UsageError, match="is for edge, not for google"):
        ack(world, plans["edge"])
