"""Whole runs with Google: asked, done, seen; adopted; tried by API and left to a person."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from exosync.errors import ConfigError
from tests.standins.endpoints import EndpointsStandIn
from tests.standins.google import GoogleStandIn
from tests.support.google_bench import BASIC, FOREIGN
from tests.support.world import World, only, rules

OLD, NEW = "2018102900", "2019010700"
"""The newer version widens a range and narrows another."""

AT_ONCE = {
    "ranges": {"grace": "0s"},
    "guards": {"max_shrink": "100%", "max_growth": "9999%"},
}
"""Additions and removals become one plan."""


@pytest.fixture
def feed() -> Iterator[EndpointsStandIn]:
    """Microsoft."""
    with EndpointsStandIn(version=OLD) as service:
        yield service


@pytest.fixture
def google(tmp_path: Path) -> Iterator[GoogleStandIn]:
    """An account with one entry of somebody's."""
    with GoogleStandIn(allowlist=[FOREIGN]) as service:
        service.key_file(tmp_path)
        yield service
    assert [] == service.violations


def world(tmp_path: Path, feed: EndpointsStandIn, google: GoogleStandIn, **keys: Any) -> World:
    """An installation with Google alone."""
    target = {"name": "google", "kind": "google_workspace", "mode": "apply", "url": google.url}
    return World(tmp_path, feed, [{**target, **BASIC, "page_pause": "0s", **keys}], AT_ONCE)


def paste(google: GoogleStandIn, target: dict[str, Any]) -> None:
    """What a person does with the box."""
    (task,) = [step["task"] for step in target["steps"] if step["by"] == "person"]
    google.set_allowlist(task["box"].split(", "))


def test_a_version_is_brought_in_by_a_person_and_proven(
    tmp_path: Path, feed: EndpointsStandIn, google: GoogleStandIn
) -> None:
    """Waiting, pasted, seen; then a new version, which takes out ours and leaves the rest."""
    place = world(tmp_path, feed, google)
    waiting = only(place.sync())
    paste(google, waiting)
    seen = only(place.sync())
    place.publish(NEW)
    again = only(place.sync())
    paste(google, again)
    done = only(place.sync())

    assert ["waiting", "in_sync", "waiting", "in_sync"] == [
        one["state"] for one in (waiting, seen, again, done)
    ]
    assert (True, True) == (seen["verified"], done["verified"])
    assert "person_acted" in rules(seen, "findings")
    assert "drift" not in rules(seen, "findings") + rules(done, "findings")
    assert {"widened", "narrowed"} <= {one["change"] for one in again["changes"]}
    assert google.allowlist is not None
    assert FOREIGN == google.allowlist[0]
    assert "40.107.0.0/16" in google.allowlist
    assert "40.107.0.0/17" not in google.allowlist


def test_a_run_without_changes_costs_one_token_and_one_page(
    tmp_path: Path, feed: EndpointsStandIn, google: GoogleStandIn
) -> None:
    """And none of the audit log."""
    place = world(tmp_path, feed, google)
    paste(google, only(place.sync()))
    place.sync()
    google.requests.clear()

    place.sync()

    assert ["POST /token", "GET /v1/policies"] == google.calls()


def test_what_is_there_already_is_adopted_and_leaves_with_the_ranges(
    tmp_path: Path, feed: EndpointsStandIn, google: GoogleStandIn
) -> None:
    """Entries that somebody pasted before exosync came: the same, and part of one."""
    google.set_allowlist([FOREIGN, "40.107.0.0/17", "40.92.0.0/15", "52.100.0.0/14"])
    place = world(tmp_path, feed, google)
    before = only(place.sync())
    plan: str = only(place.adopt("google"))["plan"]

    adopted = only(place.apply(plan))
    paste(google, adopted)
    place.sync()
    place.publish(NEW)
    step = only(place.sync())["steps"][0]

    assert "held_by_others" in rules(before, "findings")
    assert "held_by_others" not in rules(adopted, "findings")
    assert "40.107.0.0/17" in step["before"].split("\n")
    assert FOREIGN == step["after"].split("\n")[0]
    assert "40.107.0.0/17" not in step["after"].split("\n")


def test_what_the_api_declines_waits_for_a_person_in_the_same_run(
    tmp_path: Path, feed: EndpointsStandIn, google: GoogleStandIn
) -> None:
    """And is not tried again for the same list."""
    place = world(tmp_path, feed, google, write="probe", settle="0s")
    first = only(place.sync())
    google.requests.clear()
    second = only(place.sync())
    patched = [one for one in google.calls() if one.startswith("PATCH")]
    paste(google, second)
    third = only(place.sync())

    assert ["waiting", "waiting", "in_sync"] == [one["state"] for one in (first, second, third)]
    assert ["person"] == [one["by"] for one in second["steps"]]
    assert "write_declined" in rules(second, "findings")
    assert [] == patched


def test_what_the_api_writes_is_applied_and_remembered(
    tmp_path: Path, feed: EndpointsStandIn, google: GoogleStandIn
) -> None:
    """Through two versions: ours come and go, and what is foreign stays."""
    google.switch(mutate="works")
    place = world(tmp_path, feed, google, write="probe", settle="0s")
    first = only(place.sync())
    place.publish(NEW)
    second = only(place.sync())
    third = only(place.sync())

    assert ["applied", "applied", "in_sync"] == [one["state"] for one in (first, second, third)]
    assert (True, True) == (first["verified"], second["verified"])
    assert google.allowlist is not None
    assert FOREIGN == google.allowlist[0]
    assert "40.107.0.0/17" not in google.allowlist


def test_two_targets_of_one_account_are_refused(
    tmp_path: Path, feed: EndpointsStandIn, google: GoogleStandIn
) -> None:
    """Before anything is asked."""
    place = world(tmp_path, feed, google)
    other = {**place.targets[0], "name": "gateway", "setting": "inbound_gateway"}
    place.targets.append(other)

    with pytest.raises(ConfigError, match="choose one of email_allowlist and inbound_gateway"):
        place.sync()
    assert [] == google.calls()


def test_half_a_paste_is_no_growth(
    tmp_path: Path, feed: EndpointsStandIn, google: GoogleStandIn
) -> None:
    """What people were asked for passed the guards: the other half is still asked for."""
    place = world(tmp_path, feed, google)
    place.settings = {}
    (step,) = only(place.sync())["steps"]
    half = step["task"]["box"].split(", ")
    google.set_allowlist(half[: len(half) // 2])

    left = only(place.sync())

    assert ("waiting", []) == (left["state"], left["refusals"])
    google.set_allowlist(left["steps"][0]["task"]["box"].split(", "))
    assert "in_sync" == only(place.sync())["state"]
