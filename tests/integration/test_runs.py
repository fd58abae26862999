"""Whole runs: a feed over HTTP, a file target, and a clock that moves on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import jsonschema
import pytest

from exosync.core.ranges import IpRanges
from exosync.errors import RefusedError
from exosync.schemas import run_schema
from tests.standins.endpoints import EndpointsStandIn
from tests.standins.web import Reply
from tests.support.world import World, only, rules

OLD, NARROWED, SHRUNK, WIDENED = "2018102900", "2019010700", "2019022800", "2019072900"


@pytest.fixture
def feed() -> Iterator[EndpointsStandIn]:
    """Microsoft, at a version of late 2018."""
    with EndpointsStandIn(version=OLD) as service:
        yield service


@pytest.fixture
def world(tmp_path: Path, feed: EndpointsStandIn) -> World:
    """One file target in mode apply."""
    targets = [{"name": "edge", "kind": "file", "mode": "apply", "path": "exo.txt"}]
    return World(tmp_path, feed, targets)


def ranges_in(path: Path) -> IpRanges:
    """What a plain list holds."""
    lines = path.read_text().splitlines()
    return IpRanges.parse(line for line in lines if line and not line.startswith("#"))


def test_the_first_run_adopts_writes_and_proves(world: World) -> None:
    """From nothing to a verified file in one run, told in the published shape."""
    told = world.sync()

    jsonschema.validate(told, run_schema())
    edge = only(told)
    assert ("applied", OLD, "applied", True) == (
        told["outcome"],
        told["version"],
        edge["state"],
        edge["verified"],
    )
    assert ranges_in(world.folder / "exo.txt") == IpRanges.parse(told["ranges"]["microsoft"])
    assert ["done"] == [one["status"] for one in edge["steps"]]


def test_a_run_with_nothing_new_asks_nothing_within_the_hour(world: World) -> None:
    """`/version` at most once an hour, remembered across processes; `/endpoints` once a version."""
    world.sync()
    world.pass_time(minutes=59)
    world.sync()

    assert ["/version/Worldwide", "/endpoints/Worldwide"] == world.feed.paths()


def test_after_the_hour_a_run_with_nothing_new_costs_one_request(world: World) -> None:
    """A new version is fetched once."""
    world.sync()
    world.pass_time(hours=1)
    told = world.sync()

    assert "/version/Worldwide" == world.feed.paths()[-1]
    assert 3 == len(world.feed.requests)
    assert (1, "in_sync", True) == (
        told["feed"]["requests"],
        told["outcome"],
        only(told)["verified"],
    )


def test_the_same_guid_is_sent_by_every_process(world: World) -> None:
    """One ClientRequestId a state."""
    for _ in range(3):
        world.sync()
        world.pass_time(hours=1)

    assert 1 == len({one.query["clientrequestid"] for one in world.feed.requests})


def test_an_addition_is_written_at_once_and_a_removal_waits_out_its_grace(world: World) -> None:
    """2019010700 narrowed one range and widened another."""
    world.sync()
    world.publish(NARROWED)
    told = world.sync()

    there = ranges_in(world.folder / "exo.txt")
    assert IpRanges.parse("40.107.0.0/16") <= there, "widened at once"
    assert IpRanges.parse("40.94.0.0/15") <= there, "kept for the grace time"
    assert {"narrowed", "widened", "removed"} == {one["change"] for one in told["feed"]["changes"]}
    assert ["widened"] == [one["change"] for one in only(told)["changes"]]
    assert [world.now.isoformat()] == [one["since"] for one in told["ranges"]["leaving"]]


def test_a_large_removal_is_refused_until_approved(world: World) -> None:
    """After the grace time, not before; one approval, at the moment when it matters."""
    world.sync()
    world.publish(NARROWED)
    world.sync()
    before = (world.folder / "exo.txt").read_bytes()
    world.pass_time(days=30)

    refused = world.sync()

    edge = only(refused)
    assert ("refused", "refused", ["shrink"]) == (refused["outcome"], edge["state"], rules(edge))
    assert before == (world.folder / "exo.txt").read_bytes()
    jsonschema.validate(refused, run_schema())

    world.approve(edge["plan"])
    told = world.sync()

    assert ("applied", True) == (told["outcome"], only(told)["verified"])
    assert ranges_in(world.folder / "exo.txt") == IpRanges.parse(told["ranges"]["microsoft"])


def test_an_approval_dies_when_anything_it_stands_for_changes(world: World) -> None:
    """The file was changed after the approval: another plan, another id, refused again."""
    world.sync()
    world.publish(NARROWED)
    world.sync()
    world.pass_time(days=30)
    approved = only(world.sync())["plan"]
    world.approve(approved)
    with (world.folder / "exo.txt").open("a") as stream:
        stream.write("40.96.0.0/20\n")

    edge = only(world.sync())

    assert approved != edge["plan"]
    assert "shrink" in rules(edge)


def test_a_range_that_comes_back_is_never_taken_away(world: World) -> None:
    """23.103.144.0/20 left in 2018072800 and was back in 2018080200."""
    world.feed.publish("2018063000")
    world.sync()
    world.publish("2018072800")
    world.sync()
    world.pass_time(days=5)
    world.publish("2018080200")
    world.sync()
    world.pass_time(days=27)

    edge = only(world.sync())

    assert IpRanges.parse("23.103.144.0/20") <= IpRanges.parse(edge["owned"])
    assert "applied" == edge["state"], "the others that left are gone by now"
    assert not IpRanges.parse("23.103.212.0/22") <= IpRanges.parse(edge["owned"])


def test_a_removal_that_is_refused_does_not_hold_up_an_addition(world: World) -> None:
    """The added range is there after the same run that refuses the removal."""
    world.sync()
    world.publish(NARROWED)
    world.sync()
    world.settings = {
        "ranges": {"extra": [{"cidr": "40.95.0.0/16", "name": "relay pool", "reason": "ours"}]}
    }
    world.pass_time(days=30)
    (world.folder / "exo.txt").write_text(
        (world.folder / "exo.txt").read_text().replace("40.107.0.0/16\n", "")
    )

    told = world.sync()

    edge = only(told)
    assert ("refused", ["shrink"]) == (edge["state"], rules(edge))
    assert IpRanges.parse("40.107.0.0/16") <= ranges_in(world.folder / "exo.txt")
    assert ["done", "refused"] == [one["status"] for one in edge["steps"]]


@pytest.mark.parametrize("mode", ["plan", "watch"])
def test_only_mode_apply_is_written_by_a_run(world: World, mode: str) -> None:
    """Harmless by default."""
    world.targets[0]["mode"] = mode

    told = world.sync()

    assert ("pending", "pending") == (told["outcome"], only(told)["state"])
    assert not (world.folder / "exo.txt").exists()


def test_a_person_applies_a_plan(world: World) -> None:
    """In mode plan, `apply PLAN` writes exactly that."""
    world.targets[0]["mode"] = "plan"
    plan = only(world.sync())["plan"]

    told = world.apply(plan)

    assert ("applied", plan, True) == (told["outcome"], only(told)["plan"], only(told)["verified"])
    assert "in_sync" == world.sync()["outcome"]


def test_a_watched_target_is_not_written_even_by_a_person(world: World) -> None:
    """Mode watch means never."""
    world.targets[0]["mode"] = "watch"
    plan = only(world.sync())["plan"]

    with pytest.raises(RefusedError, match="mode watch"):
        world.apply(plan)
    assert not (world.folder / "exo.txt").exists()


def test_a_stale_plan_is_refused_by_name(world: World) -> None:
    """It tells what changed since, and writes nothing."""
    world.targets[0]["mode"] = "plan"
    plan = only(world.sync())["plan"]
    world.publish(NARROWED)
    world.sync()

    with pytest.raises(
        RefusedError, match=f"{plan} for edge is stale: the snapshot version"
    ) as told:
        world.apply(plan)
    assert "stale_plan" == told.value.rule
    assert not (world.folder / "exo.txt").exists()


def test_a_foreign_file_is_listed_and_left_alone_until_adopted(world: World) -> None:
    """Adoption is a plan like any other."""
    path = world.folder / "exo.txt"
    path.write_text("# somebody's list\n192.0.2.0/24\n")

    edge = only(world.sync())

    assert ("refused", ["foreign_owner"]) == (edge["state"], rules(edge))
    assert "# somebody's list\n192.0.2.0/24\n" == path.read_text()
    assert edge["foreign"]

    plan = only(world.adopt("edge"))
    assert path.read_text().startswith("# somebody's list"), "adopt only plans"
    world.sync()
    world.approve(plan["plan"])
    told = world.apply(plan["plan"])

    assert "applied" == told["outcome"]
    assert "in_sync" == world.sync()["outcome"]


def test_drift_is_told_and_repaired(world: World) -> None:
    """A range taken out by hand is back after the next run."""
    world.sync()
    path = world.folder / "exo.txt"
    good = path.read_bytes()
    path.write_bytes(good.replace(b"52.100.0.0/14\n", b""))

    edge = only(world.sync())

    assert "applied" == edge["state"]
    assert "drift" in rules(edge, "findings")
    assert good == path.read_bytes()


def test_one_target_that_fails_never_stops_another(world: World) -> None:
    """Every target stands for itself; the outcome tells each."""
    world.targets.insert(0, {"name": "gone", "kind": "file", "mode": "apply", "path": "no/such/x"})

    told = world.sync()

    assert ["failed", "applied"] == [one["state"] for one in told["targets"]]
    assert "failed" == told["outcome"]
    assert "no/such" in told["targets"][0]["error"]


@pytest.mark.parametrize(
    "reply",
    [
        Reply(500),
        Reply(200, {"Content-Type": "text/html"}, b"<html>maintenance</html>"),
        Reply(200, {}, b'[{"id": 10, "serviceArea": "Exchange", "ips": ["40.92.0.1/15"]}]'),
        Reply(200, {}, b"[]"),
    ],
    ids=["error", "html", "host bits", "empty"],
)
def test_a_bad_answer_leaves_everything_as_it_was(world: World, reply: Reply) -> None:
    """The adopted version stays in force, targets are still kept right, the run says failed."""
    world.settings = {"feed": {"url": world.feed.url, "attempts": 1}}
    world.sync()
    (world.folder / "exo.txt").unlink()
    world.publish(NARROWED)
    world.feed.script(None, reply)

    told = world.sync()

    assert ("failed", OLD) == (told["outcome"], told["version"])
    assert told["feed"]["error"]
    assert "applied" == only(told)["state"], "drift is repaired from the adopted version"


def test_a_version_that_could_not_be_fetched_is_not_lost(world: World) -> None:
    """The next run fetches it without asking for the version again."""
    world.settings = {"feed": {"url": world.feed.url, "attempts": 1}}
    world.sync()
    world.publish(NARROWED)
    world.feed.script(None, Reply(500))
    world.sync()
    told = world.sync()

    assert NARROWED == told["version"]
    assert ["/version/Worldwide", "/endpoints/Worldwide", "/endpoints/Worldwide"] == (
        world.feed.paths()[-3:]
    )


def test_who_is_told_to_come_back_later_does_so(world: World) -> None:
    """429 means an hour, and runs in between still say that the feed fails."""
    world.sync()
    world.publish(NARROWED)
    world.feed.script(None, Reply(429))
    assert "failed" == world.sync()["outcome"]
    asked = len(world.feed.requests)
    world.pass_time(minutes=50)

    told = world.sync()

    assert asked == len(world.feed.requests)
    assert ("failed", OLD) == (told["outcome"], told["version"])
    world.pass_time(minutes=11)
    assert NARROWED == world.sync()["version"]


def test_a_version_that_goes_backward_is_refused(world: World) -> None:
    """Nothing is adopted, and the run says so."""
    world.feed.publish(NARROWED)
    world.sync()
    world.publish(OLD)

    told = world.sync()

    assert ("failed", NARROWED) == (told["outcome"], told["version"])
    assert "backward_version" in told["feed"]["error"]


def test_exclusions_and_families_hold(world: World) -> None:
    """What the configuration takes out is shown, and not written."""
    world.targets[0]["families"] = "ipv4"
    world.settings = {
        "ranges": {"exclude": [{"cidr": "65.55.0.0/16", "name": "old", "reason": "never seen"}]}
    }

    told = world.sync()

    there = ranges_in(world.folder / "exo.txt")
    assert not there.family(6)
    assert there.isdisjoint(IpRanges.parse("65.55.0.0/16"))
    assert ["old"] == [one["name"] for one in told["ranges"]["excluded"]]


def test_runs_without_news_are_counted_and_not_piled_up(world: World) -> None:
    """Ten years of hourly runs must not become 87,600 rows."""
    for _ in range(5):
        world.sync()
        world.pass_time(hours=1)

    with world.opened() as one:
        runs = one.store.runs(10)
    assert [3, 0] == [run.repeats for run in runs]


def test_a_failure_is_told_once_and_so_is_its_end(world: World) -> None:
    """Events are for changes of state, not for every run."""
    (world.folder / "exo.txt").mkdir()
    world.sync()
    world.sync()
    (world.folder / "exo.txt").rmdir()
    world.sync()

    with world.opened() as one:
        kinds = [event.kind for event in reversed(one.store.events(20))]
    assert ["feed_adopted", "target_failed", "applied", "target_recovered"] == kinds
