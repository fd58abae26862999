"""What only a person can do at Mimecast, and what nobody can read there."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from exosync.core.desired import Desired
from exosync.core.ranges import IpRanges
from exosync.core.target import ABSENT, Action, Actor, Context, Draft, Phase, Step, Target
from exosync.core.tasks import Asserted, Confirmation, Known
from exosync.errors import UsageError
from exosync_adapters.mimecast import kind

MAIL = IpRanges.parse(["40.92.0.0/15", "40.107.0.0/16", "2a01:111:f400::/48"])
V4, NEW = MAIL.family(4), IpRanges.parse("23.103.0.0/16")
START = datetime(2026, 11, 25, 12, tzinfo=UTC)


def target(folder: Path = Path(), **keys: Any) -> Target:
    """A target that asks nobody anything."""
    settings = kind.settings.model_validate(
        {
            "url": "http://127.0.0.1:9",
            "client_id": {"env": "ID"},
            "client_secret": {"env": "SECRET"},
            "settings": ["permitted_senders"],
            **keys,
        }
    )
    context = Context(
        owner="exosync",
        families="both",
        instance="Worldwide",
        base=folder,
        reveal=lambda _: pytest.fail("a secret was read"),
        pause=lambda _: None,
    )
    return kind.build("mimecast", settings, context)


def desired(ranges: IpRanges = MAIL) -> Desired:
    """What should be let through."""
    return Desired("Worldwide", "2026081400", ranges)


def claims(ranges: IpRanges = V4, *, setting: str = "permitted_senders", **more: Any) -> Known:
    """A person acknowledged it."""
    said = Asserted(setting, "ada", START, ranges, **more)
    return Known(now=START, acknowledged={setting: said})


def drafted(of: Target, known: Known, ranges: IpRanges = MAIL) -> Draft:
    """The draft over what is known."""
    return of.plan(desired(ranges), of.observe(known))


def test_permitted_senders_are_a_step_for_a_person() -> None:
    """With the list to paste, the way there, the fields, and why."""
    (step,) = drafted(target(), Known()).steps

    task = step.task
    assert task is not None
    assert (Actor.PERSON, Phase.ADD, Action.CREATE, ABSENT) == (
        step.by,
        step.phase,
        step.action,
        step.expects,
    )
    assert "40.92.0.0/15\n40.107.0.0/16" == task.box
    assert ("permitted_senders", Confirmation.ACKNOWLEDGED, V4) == (
        task.setting,
        task.confirmation,
        task.ranges,
    )
    assert "Gateway | Policies | Permitted Senders" in task.place
    reasons = " ".join(task.reasons)
    for words in ("does not skip anti-spoofing", "every Microsoft tenant", "Blocked Senders"):
        assert words in reasons
    assert timedelta(minutes=5) == task.delay
    assert "/32" in str(task.fields)


def test_what_was_acknowledged_stands_for_what_is_there() -> None:
    """No step, and it is asserted, not verified."""
    of = target()
    observed = of.observe(claims())

    assert () == of.plan(desired(), observed).steps
    proof = of.verify(desired(), observed)
    assert (None, ["permitted_senders"]) == (proof.ok, [one.setting for one in proof.asserted])


def test_a_change_asks_for_the_whole_list_again() -> None:
    """And tells what changes in it."""
    (step,) = drafted(target(), claims(), (V4 - IpRanges.parse("40.107.0.0/16")) | NEW).steps

    assert step.task is not None
    assert (NEW, IpRanges.parse("40.107.0.0/16")) == (step.task.added, step.task.removed)
    assert (Phase.ADD, Action.UPDATE) == (step.phase, step.action)


def test_a_mere_removal_is_one() -> None:
    """So that additions elsewhere go first."""
    (step,) = drafted(target(), claims(V4 | NEW)).steps

    assert Phase.REMOVE is step.phase


def test_what_was_said_long_ago_is_to_be_looked_at_once_more() -> None:
    """Nothing changes; the person only looks."""
    (step,) = drafted(target(), claims(due_again=True)).steps

    assert (step.before, step.expects) == (step.after, step.gives)
    assert step.task is not None
    assert "still right" in step.task.title


def test_what_is_not_acknowledged_is_not_proven() -> None:
    """Neither right nor wrong."""
    of = target()

    proof = of.verify(desired(), of.observe())

    assert [None] == [check.ok for check in proof.checks]


def test_without_ipv4_no_person_is_asked() -> None:
    """An empty list would be no condition at all."""
    draft = drafted(target(), claims(), IpRanges.parse("2a01:111:f400::/48"))

    assert (["empty"], ()) == ([one.rule for one in draft.refusals], draft.steps)


def test_ipv6_is_told() -> None:
    """It cannot be expressed there."""
    assert "ipv6_inexpressible" in [one.rule for one in drafted(target(), claims()).findings]


@pytest.mark.parametrize(
    ("address", "knows"), [("40.92.0.1", True), ("192.0.2.1", None), ("2a01:111:f400::1", None)]
)
def test_explain_tells_what_was_asserted(address: str, knows: bool | None) -> None:
    """What was not is unknown: nobody can read it."""
    of = target()

    assert knows == of.explain(IpRanges.parse(address), of.observe(claims())).knows


def test_a_step_for_a_person_is_never_done_by_exosync() -> None:
    """It is a mistake to ask for it."""
    of = target()
    (step,) = drafted(of, Known()).steps

    with pytest.raises(UsageError, match="for a person"):
        of.apply(step)


SHAPES: Mapping[str, Any] = {
    "under a name": {"permittedSenders": [{"sourceIPs": ["40.92.0.0/15", "40.107.0.0/16"]}]},
    "by its type": {
        "policies": [
            {"type": "Permitted Senders", "conditions": {"sourceIPs": ["40.92.0.0/15"]}},
            {"option": "permit_sender", "sourceIPs": ["40.107.0.0/16"]},
        ]
    },
}


@pytest.mark.parametrize("shape", SHAPES)
def test_a_snapshot_supports_what_was_acknowledged(tmp_path: Path, shape: str) -> None:
    """In a form that nobody has confirmed; it stays asserted."""
    of = target(tmp_path, snapshot="export.json")
    (tmp_path / "export.json").write_text(json.dumps(SHAPES[shape]))
    os.utime(tmp_path / "export.json", (START.timestamp() + 1,) * 2)

    proof = of.verify(desired(), of.observe(claims()))

    assert [("snapshot", True)] == [(one.name, one.ok) for one in proof.checks]
    assert proof.ok is None


@pytest.mark.parametrize(
    ("text", "age", "words"),
    [
        (None, 1, "cannot be read"),
        ("no JSON", 1, "cannot be read"),
        ("{}", -1, "older than the last change"),
        ('{"blocked": [{"sourceIPs": ["40.92.0.0/15"]}]}', 1, "shows no permitted sender for"),
    ],
)
def test_a_snapshot_that_does_not_help_proves_nothing_wrong(
    tmp_path: Path, text: str | None, age: float, words: str
) -> None:
    """It is told, and no more."""
    of = target(tmp_path, snapshot="export.json")
    path = tmp_path / "export.json"
    if text is not None:
        path.write_text(text)
        os.utime(path, (START.timestamp() + age,) * 2)

    (check,) = of.verify(desired(), of.observe(claims())).checks

    assert check.ok is None
    assert words in check.message


PAIRS = [{"sender": "share@example.com", "to": ["a@example.org", "b@example.org"]}]


def permits(*entries: dict[str, Any]) -> Target:
    """A target that permits sender addresses."""
    return target(settings=["permitted_addresses"], permitted_addresses=list(entries) or PAIRS)


def confirmed(*pairs: str, key: str = "permitted_addresses") -> Known:
    """Mimecast's answer confirmed these."""
    return Known(now=START, remembered={key: {one: START.isoformat() for one in pairs}})


def test_pairs_that_nobody_confirmed_are_permitted_in_one_step() -> None:
    """And only those."""
    (step,) = drafted(permits(), confirmed("share@example.com a@example.org")).steps

    assert (("share@example.com", "b@example.org"),) == step.detail
    assert "share@example.com a@example.org\n" == step.before
    assert "permit 1 pair" in step.summary


def test_confirmed_pairs_are_asserted_by_the_answer() -> None:
    """For nothing reads them."""
    of = permits()
    known = confirmed("share@example.com a@example.org", "share@example.com b@example.org")
    observed = of.observe(known)

    assert () == of.plan(desired(), observed).steps
    (claim,) = of.verify(desired(), observed).asserted
    assert ("permitted_addresses", "Mimecast's answer", START) == (
        claim.setting,
        claim.by,
        claim.at,
    )
    assert known.remembered["permitted_addresses"] == observed.remember["permitted_addresses"]


def taken_away(known: Known) -> tuple[Step, ...]:
    """The steps once one recipient is left."""
    return drafted(permits({"sender": "share@example.com", "to": ["a@example.org"]}), known).steps


def test_a_pair_that_left_the_configuration_is_a_task() -> None:
    """No call takes a permission away."""
    known = confirmed("share@example.com a@example.org", "share@example.com b@example.org")

    (step,) = taken_away(known)

    assert step.task is not None
    assert (Actor.PERSON, Phase.REMOVE, ABSENT) == (step.by, step.phase, step.gives)
    assert "share@example.com b@example.org" == step.task.box


def test_a_pair_that_a_person_took_away_is_forgotten() -> None:
    """What was acknowledged before it left does not count."""
    pairs = {"share@example.com a@example.org": START.isoformat()}
    left = {"share@example.com b@example.org": START.isoformat()}
    remembered = {"permitted_addresses": pairs, "permitted_addresses_leaving": left}

    def known(said: timedelta) -> Known:
        claim = Asserted("permitted_addresses", "ada", START + said)
        return Known(START, {"permitted_addresses": claim}, remembered=remembered)

    assert () == taken_away(known(timedelta(minutes=1)))
    assert 1 == len(taken_away(known(timedelta(minutes=-1))))


@pytest.mark.parametrize(
    "remembered",
    [
        {"permitted_addresses": "x"},
        {"permitted_addresses": {"no pair": "no time"}},
        {"permitted_addresses": {"a@b.example": START.isoformat()}},
        {"permitted_addresses": {"share@example.com a@example.org": "2026-01-01"}},
    ],
)
def test_what_is_remembered_wrongly_is_passed_over(remembered: dict[str, Any]) -> None:
    """The pairs are permitted again."""
    (step,) = drafted(permits(), Known(now=START, remembered=remembered)).steps

    assert 2 == len(step.detail)


def test_an_address_says_nothing_of_permitted_names() -> None:
    """So that it cannot be told."""
    of = permits()

    assert of.explain(IpRanges.parse("40.92.0.1"), of.observe()).knows is None
