"""What sends mail on waits for what lets it in; a target without ranges is left alone by the rest."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from exosync.assembly import Assembly
from exosync.core.tasks import Confirmation
from exosync.holding import behind
from exosync.people import acknowledge
from tests.standins.endpoints import EndpointsStandIn
from tests.support.world import World, rules

Json = dict[str, Any]

WAY_OUT: Json = {
    "name": "out",
    "kind": "exchange",
    "mode": "plan",
    "tenant": "8a3bd10e-5b2c-4f6d-9a11-0c6f7e2d1b34",
    "domain": "example.com",
    "far_side": "other",
    "smart_hosts": ["127.0.0.25"],
    "routed": {"group": "there@example.com"},
}
"""Without credentials nothing is asked: what people acknowledge is what is there."""

EDGE: Json = {"name": "edge", "kind": "file", "mode": "plan", "path": "edge.txt"}
SWITCH = "Switch the mail flow rule “exosync example.com” on"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A way out, and one place that must let it in; the way out stands first."""
    with EndpointsStandIn() as feed:
        yield World(tmp_path, feed, [WAY_OUT, EDGE])


def _version(one: Assembly) -> str:
    adopted = one.store.adopted(one.instance)
    assert adopted is not None
    return adopted.version


def run(world: World) -> Json:
    """A run; gives the report by targets."""
    return {one["name"]: one for one in world.sync()["targets"]}


def people_act(world: World) -> list[str]:
    """People do and acknowledge what they are asked at the way out; gives what it was."""
    with world.opened() as one:
        tasks = one.store.open_tasks("out")
        for task in tasks:
            record = one.store.find_plan(task.plan_id)
            given = acknowledge(
                one.store, task, record, by="ada", note="", rules=one.rules.tasks, at=world.now
            )
            assert Confirmation.ACKNOWLEDGED is given
    return [str(task.body["title"]) for task in tasks]


def until_the_switch(world: World) -> None:
    """Connector and rule are made, and nothing of it acts yet."""
    run(world)
    assert 2 == len(people_act(world))


def test_nobody_is_asked_to_switch_on_while_a_receiver_is_behind(world: World) -> None:
    """The refusal names it; connector and rule could be made all the same."""
    until_the_switch(world)

    told = run(world)
    with world.opened() as one:
        late = behind(one.store, ("edge", "unheard-of"), {}, version=_version(one))

    assert ("edge", "unheard-of") == late
    assert ("refused", ["receivers_behind"]) == (told["out"]["state"], rules(told["out"]))
    assert "edge" == told["out"]["refusals"][0]["seen"]
    assert [] == people_act(world)


def test_once_all_are_settled_it_is_asked_in_the_same_run(world: World) -> None:
    """Whatever the order in the configuration: receivers are looked at first."""
    until_the_switch(world)
    edge = run(world)["edge"]["plan"]
    world.apply(edge)

    told = run(world)

    assert ("in_sync", "waiting") == (told["edge"]["state"], told["out"]["state"])
    assert [SWITCH] == people_act(world)
    assert "asserted" == run(world)["out"]["state"]


def test_a_run_that_lets_in_does_not_switch_on_yet(world: World) -> None:
    """What was written in this run has to be seen to be right first."""
    until_the_switch(world)
    world.targets[1] = {**EDGE, "mode": "apply"}

    first, second = run(world), run(world)

    assert ("applied", ["receivers_behind"]) == (first["edge"]["state"], rules(first["out"]))
    assert ("in_sync", "waiting") == (second["edge"]["state"], second["out"]["state"])


def test_what_is_only_still_to_be_removed_holds_up_nothing(tmp_path: Path) -> None:
    """Neither in the run that plans the removal nor by what its last run said."""
    with EndpointsStandIn(version="2018102900") as feed:
        gone = [{"cidr": "198.18.7.0/24", "name": "old", "reason": "a test"}]
        world = World(tmp_path, feed, [WAY_OUT, {**EDGE, "mode": "apply"}])
        world.settings = {"ranges": {"extra": gone}}
        edge = run(world)["edge"]
        world.approve(edge["plan"])
        people_act(world)
        run(world)
        world.settings = {}
        world.targets[1] = EDGE

        told = run(world)
        with world.opened() as one:
            late = behind(one.store, ("edge",), {}, version=_version(one))

    assert ("pending", "waiting") == (told["edge"]["state"], told["out"]["state"])
    assert () == late


def test_a_person_may_decide_otherwise(world: World) -> None:
    """By approving that very plan."""
    until_the_switch(world)
    world.approve(run(world)["out"]["plan"])

    told = run(world)

    assert "waiting" == told["out"]["state"]
    assert [SWITCH] == people_act(world)


def test_a_new_version_takes_nothing_back(tmp_path: Path) -> None:
    """A rule that is on stays on while receivers are brought up to a new version."""
    with EndpointsStandIn(version="2018102900") as feed:
        world = World(tmp_path, feed, [WAY_OUT, {**EDGE, "mode": "apply"}])
        for _ in range(4):
            run(world)
            people_act(world)
        world.targets[1] = EDGE
        world.publish("2019010700")

        told = run(world)

    assert ("asserted", "pending") == (told["out"]["state"], told["edge"]["state"])


def test_what_was_settled_for_an_older_version_is_behind(tmp_path: Path) -> None:
    """A target whose turn has not come yet since Microsoft published."""
    with EndpointsStandIn(version="2018102900") as feed:
        world = World(tmp_path, feed, [{**EDGE, "mode": "apply"}])
        run(world)
        run(world)
        with world.opened() as one:
            before = behind(one.store, ("edge",), {}, version=_version(one))
            after = behind(one.store, ("edge",), {}, version="2019010700")

    assert ((), ("edge",)) == (before, after)


def test_guards_on_ranges_leave_it_alone(world: World) -> None:
    """Many ranges more than there are must be desired; a connector is none of them."""
    world.settings = {"guards": {"min_ranges": 4}}
    run(world)
    world.settings = {"guards": {"min_ranges": 1000}}

    told = run(world)

    assert "min_ranges" in rules(told["edge"])
    assert ("waiting", []) == (told["out"]["state"], rules(told["out"]))
