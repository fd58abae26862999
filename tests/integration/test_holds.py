"""Why a run does not write: a pause, a closed window, another target that is behind."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from exosync import control
from exosync.errors import RefusedError
from exosync.reconcile import Outcome, reconcile
from exosync.running import run_once
from tests.standins.endpoints import EndpointsStandIn
from tests.support.world import World, only, rules

OLD, NEW = "2018102900", "2019010700"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A file target in mode apply, on a Monday at noon UTC."""
    with EndpointsStandIn(version=OLD) as feed:
        yield World(tmp_path, feed, [edge()])


def edge(name: str = "edge", **settings: Any) -> dict[str, Any]:
    """A file target."""
    return {"name": name, "kind": "file", "mode": "apply", "path": f"{name}.txt", **settings}


def run_alone(world: World, name: str) -> dict[str, Any]:
    """What the service does for one target."""
    with world.opened() as one:
        jobs = tuple(job for job in one.rules.jobs if job.name == name)
        others = tuple(job.name for job in one.rules.jobs if job.name != name)
        feed = replace(one.rules.feed, feed=None)
        alone = replace(one.rules, jobs=jobs, others=others, feed=feed)

        def work(run_id: int) -> Outcome:
            return reconcile(alone, one.store, run_id, writing=True)

        return only(run_once(one.store, alone, f"sync {name}", work, scope=name)[1])


def pause(world: World, target: str = "") -> None:
    """What `exosync pause` does."""
    with world.opened() as one:
        control.pause(one.store, target, by="ada", why="moving house", at=world.now)


def resume(world: World, target: str = "") -> bool:
    """What `exosync resume` does."""
    with world.opened() as one:
        return control.resume(one.store, target, by="ada", at=world.now)


def events(world: World, *kinds: str) -> list[str]:
    """The titles of what happened, oldest first."""
    with world.opened() as one:
        return [event.title for event in reversed(one.store.events(99, kinds=kinds or None))]


@pytest.mark.parametrize("target", ["", "edge"])
def test_nothing_is_written_while_paused(world: World, target: str) -> None:
    """Everywhere or at one target; the plan waits, and a person's word does not lift that."""
    pause(world, target)
    held = only(world.sync())
    assert ("pending", ["paused"]) == (held["state"], rules(held, "findings"))
    assert not (world.folder / "edge.txt").exists()
    (title,) = events(world, "plan_waits")
    assert "edge: a plan waits: nothing is written, paused by ada since 2026-11-23" in title
    assert title.endswith(": moving house")
    with pytest.raises(RefusedError, match="exosync resume") as caught:
        world.apply(held["plan"])
    assert "paused" == caught.value.rule
    assert resume(world, target)
    assert "applied" == only(world.sync())["state"]


def test_a_pause_of_one_target_is_not_another_s(world: World) -> None:
    """And ending a pause that there is not says so."""
    world.targets.append(edge("other"))
    pause(world, "edge")
    states = {one["name"]: one["state"] for one in world.sync()["targets"]}
    assert {"edge": "pending", "other": "applied"} == states
    assert not resume(world)
    assert resume(world, "edge")


def test_the_pause_of_a_target_is_told_before_that_of_all(world: World) -> None:
    """It stays when that ends; a second pause does not replace the first."""
    with world.opened() as one:
        control.pause(one.store, "", by="bob", why="", at=world.now)
        control.pause(one.store, "edge", by="ada", why="", at=world.now)
        found, fresh = control.pause(one.store, "edge", by="eve", why="", at=world.now)
        assert ("ada", False) == (found.by, fresh)
        assert ("ada", "bob") == tuple(
            one.store.pause_of(name).by  # type: ignore[union-attr]
            for name in ("edge", "other")
        )


def test_a_plan_waits_for_its_window(world: World) -> None:
    """Outside it nothing is written by itself; a person's apply does not wait."""
    world.settings = {"schedule": {"windows": ["Mon-Fri 20:00-22:00 Europe/Berlin"]}}
    held = only(world.sync())
    assert ("pending", ["outside_window"]) == (held["state"], rules(held, "findings"))
    assert "a plan waits: waits for a maintenance window" in events(world, "plan_waits")[0]
    world.pass_time(hours=7)
    assert "applied" == only(world.sync())["state"]
    world.feed.publish(NEW)
    world.pass_time(days=1, hours=3)
    waiting = only(world.sync())
    assert "pending" == waiting["state"]
    assert "applied" == only(world.apply(waiting["plan"]))["state"]


def test_a_target_s_own_windows_replace_those_of_all(world: World) -> None:
    """An empty list means always."""
    world.settings = {"schedule": {"windows": ["20:00-22:00"]}}
    world.targets = [edge("a", windows=[]), edge("b", windows=["11:00-13:00"]), edge("c")]
    states = {one["name"]: one["state"] for one in world.sync()["targets"]}
    assert {"a": "applied", "b": "applied", "c": "pending"} == states


def test_in_a_window_or_not_what_is_right_stays_in_sync(world: World) -> None:
    """Nothing waits where nothing is to be done."""
    world.sync()
    world.settings = {"schedule": {"windows": ["20:00-22:00"]}}
    pause(world)
    told = only(world.sync())
    assert ("in_sync", []) == (told["state"], told["findings"])


def test_removals_wait_until_the_others_have_the_new_version(world: World) -> None:
    """Additions do not; nor do they wait for one that fails, or longer than an hour."""
    world.settings = {"ranges": {"grace": "0"}, "guards": {"max_shrink": "100%"}}
    world.targets = [edge("a"), edge("b")]
    world.sync()
    world.publish(NEW)
    with world.opened() as one:
        run_once(
            one.store,
            replace(one.rules, jobs=()),
            "feed",
            lambda run: reconcile(replace(one.rules, jobs=()), one.store, run, writing=False),
        )
    waits = run_alone(world, "a")
    assert ("pending", ["waits_for_others"]) == (waits["state"], rules(waits, "findings"))
    assert [("remove", "planned")] == [(s["phase"], s["status"]) for s in waits["steps"]][-1:]
    assert [] == events(world, "plan_waits")
    run_alone(world, "b")
    assert "applied" == run_alone(world, "a")["state"]


def test_one_that_is_never_run_is_waited_for_an_hour(world: World) -> None:
    """Then removals go on without it."""
    world.settings = {"ranges": {"grace": "0"}, "guards": {"max_shrink": "100%"}}
    world.sync()
    world.publish(NEW)
    world.plan()
    world.targets.append(edge("late"))
    assert "pending" == run_alone(world, "edge")["state"]
    world.pass_time(minutes=61)
    assert "applied" == run_alone(world, "edge")["state"]
