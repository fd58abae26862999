"""What is believed of a target from what its last run reported, without asking it."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

import pytest

from exosync.config import TargetConfig
from exosync.core.desired import Desired
from exosync.core.ranges import IpRanges
from exosync.store import TargetState
from exosync.views.coverage import Remembered, coverage_of

Json = dict[str, Any]

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
DESIRED = Desired("Worldwide", "2", IpRanges.parse(["40.92.0.0/15", "2a01:111:f400::/48"]))


def target(families: str = "both") -> TargetConfig:
    """A configured target, as far as it is looked at."""
    return cast("TargetConfig", SimpleNamespace(name="edge", kind="file", families=families))


def state(*, version: str = "2", verified: bool | None = None, **report: Any) -> TargetState:
    """How it stood, and what its last run reported."""
    base: Json = {"owned": [], "foreign": [], "asserted": [], "changes": []}
    return TargetState(
        name="edge",
        kind="file",
        mode="apply",
        state="in_sync",
        since=NOW,
        version=version,
        verified=verified,
        seen_at=NOW,
        report={**base, **report},
    )


def foreign(*cidrs: str) -> Json:
    """An entry of somebody else."""
    return {"where": "there", "text": "an entry", "ranges": list(cidrs)}


def asserted(*cidrs: str) -> Json:
    """What somebody said is so."""
    return {"setting": "list", "by": "ada", "at": NOW.isoformat(), "ranges": list(cidrs)}


def added(cidr: str, was: str = "") -> Json:
    """A change that had to be made."""
    return {"change": "widened" if was else "added", "cidr": cidr, "was": was, "text": ""}


V4, V6 = "40.92.0.0/15", "2a01:111:f400::/48"
IPV4_ALONE = {"rule": "ipv6_inexpressible", "severity": "info", "message": "takes IPv4"}
"""What Mimecast's policies tell of themselves: a proof of theirs shows nothing of IPv6."""


@pytest.mark.parametrize(
    ("known", "missing", "unsure", "seen"),
    [
        ([], [], [V4, V6], None),
        ([V4, V6], [], [], state(owned=[V4, V6])),
        ([V4], [V6], [], state(owned=[V4])),
        ([V4], [V6], [], state(owned=[V4], changes=[added(V6)], foreign=[foreign()])),
        ([V4], [], [V6], state(owned=[V4], foreign=[foreign()])),
        ([V4, V6], [], [], state(owned=[V4], foreign=[foreign(V6)])),
        ([V4, V6], [], [], state(verified=True, foreign=[foreign()])),
        ([], [], [V4, V6], state(verified=True, version="1", foreign=[foreign()])),
        ([V4], [V6], [], state(verified=True, owned=[V4], findings=[IPV4_ALONE])),
        ([], [], [V4, V6], state(owned=[V4, V6], asserted=[asserted(V4, V6)])),
        ([], [], [V4, V6], state(owned=None)),
        (["40.92.0.0/16"], ["40.93.0.0/16", V6], [], state(owned=["40.92.0.0/16"])),
    ],
)
def test_a_range_is_known_missing_or_not_proven(
    known: list[str], missing: list[str], unsure: list[str], seen: TargetState | None
) -> None:
    """Missing is only what was seen not to be there; a person's word proves nothing."""
    told = coverage_of(target(), seen, DESIRED)
    assert (known, missing, unsure) == (told["known"], told["missing"], told["unsure"])


def test_a_target_of_one_family_lacks_nothing_of_the_other() -> None:
    """It is not meant to have it."""
    told = coverage_of(target("ipv4"), state(owned=[V4]), DESIRED)
    assert ([V4], []) == (told["known"], told["missing"])


def test_what_is_owned_and_not_desired_is_told_besides() -> None:
    """As what a refused removal leaves behind."""
    assert ["192.0.2.0/24"] == coverage_of(target(), state(owned=[V4, "192.0.2.0/24"]), DESIRED)[
        "besides"
    ]


@pytest.mark.parametrize(
    ("knows", "says", "seen"),
    [
        (None, "no run has looked", None),
        (True, "own entries", state(owned=[V4])),
        (True, "others put there", state(foreign=[foreign("40.0.0.0/8")])),
        (True, "proven to be let in", state(verified=True, foreign=[foreign()])),
        (True, "several entries", state(owned=["40.92.0.0/16"], foreign=[foreign("40.93.0.0/16")])),
        (None, "asserted by ada", state(owned=[V4], asserted=[asserted(V4)])),
        (False, "not there", state()),
        (False, "not all of it", state(owned=["40.92.0.0/16"])),
        (
            False,
            "not there",
            state(changes=[added("40.92.0.0/14", "40.94.0.0/15")], foreign=[foreign()]),
        ),
        (None, "other entries may let it in", state(foreign=[foreign()])),
    ],
)
def test_a_remembered_target_answers_with_where_it_knows_it_from(
    knows: bool | None, says: str, seen: TargetState | None
) -> None:
    """And never claims more than its last run saw."""
    told = Remembered(target(), seen, DESIRED).about(IpRanges.parse(V4))
    assert knows is told["knows"]
    assert says in told["says"][0]
