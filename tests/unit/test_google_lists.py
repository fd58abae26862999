"""Lists of entries: read, told apart, planned and remembered, without anything outside."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from time import perf_counter
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from exosync.core.desired import Desired
from exosync.core.ranges import IpRanges
from exosync.core.target import Actor, Observed
from exosync.core.tasks import Asked, Known
from exosync.errors import TargetError
from exosync_adapters.google_workspace import allowlist as flow
from exosync_adapters.google_workspace.allowlist_plan import can_write, plan, plan_adoption
from exosync_adapters.google_workspace.entries import (
    Entry,
    box_text,
    canonical,
    divide,
    layout,
    ranges_of,
    read_entries,
    read_entry,
)
from exosync_adapters.google_workspace.memory import Declined, Memory
from exosync_adapters.google_workspace.policies import ALLOWLIST, Allowlist, allowlist, filter_for
from exosync_adapters.google_workspace.probe import body_of
from exosync_adapters.google_workspace.settings import GoogleSettings

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
ROOT = "orgUnits/03ph8a2z23yjui6"

SETTINGS = GoogleSettings.model_validate(
    {
        "customer": "C01abcdef",
        "admin": "postmaster@example.com",
        "credentials": {"kind": "default"},
        "setting": "email_allowlist",
    }
)

# A small universe of sixteen addresses, so that ranges touch and cover each other; public ones.
cidrs = st.builds(
    lambda first, prefix: f"40.92.0.{first & -(1 << 32 - prefix)}/{prefix}",
    st.integers(0, 15),
    st.integers(28, 32),
)
written = st.one_of(
    cidrs,
    st.builds("40.92.0.{}/{}".format, st.integers(0, 15), st.integers(28, 32)),  # host bits
    st.builds("40.92.0.{}".format, st.integers(0, 15)),
    st.sampled_from(["2a01:111:f403::/48", "2A01:0111:F403:0::/48", "mail.example", "8.8.8"]),
)
lists = st.lists(written, max_size=6)
some_ranges = st.lists(cidrs, min_size=1, max_size=4).map(IpRanges.parse)


def read_box(text: str) -> tuple[Entry, ...]:
    """What the console makes of a box: entries between commas."""
    return read_entries(text.split(","))


def policy(entries: Sequence[str], **changes: Any) -> dict[str, Any]:
    """An ADMIN policy of the allowlist at the top."""
    basic = {
        "name": "policies/abc",
        "customer": "customers/C01abcdef",
        "policyQuery": {"query": "…", "orgUnit": ROOT, "sortOrder": 201.0},
        "setting": {"type": ALLOWLIST, "value": {"allowedIpAddresses": list(entries)}},
        "type": "ADMIN",
    }
    return {**basic, **changes}


OTHER: Mapping[str, Any] = {
    "name": "policies/other",
    "customer": "customers/C01abcdef",
    "policyQuery": {"orgUnit": ROOT},
    "setting": {"type": "settings/gmail.pop_access", "value": {}},
    "type": "SYSTEM",
}


def found(entries: Sequence[str]) -> Allowlist:
    """The allowlist with these entries."""
    policies = [OTHER, policy(entries)]
    return allowlist(policies, customer="C01abcdef", root_unit=None)


def seen(entries: Sequence[str], known: Known) -> Observed:
    """What is observed of these entries."""
    return flow.observed(found(entries), known, None, None)


def desired(ranges: IpRanges) -> Desired:
    """These ranges, as Microsoft's."""
    return Desired("Worldwide", "2026112300", ranges)


# Entries


@pytest.mark.parametrize(
    ("text", "expected", "host_bits"),
    [
        ("40.92.0.0/15", "40.92.0.0/15", False),
        (" 8.8.8.8/24 ", "8.8.8.0/24", True),
        ("192.0.2.1", "192.0.2.1/32", False),
        ("192.0.2.1/32", "192.0.2.1/32", False),
        ("2A01:0111:F403::1", "2a01:111:f403::1/128", False),
        ("2a01:111:f403::1/48", "2a01:111:f403::/48", True),
        ("8.8.8.0/255.255.255.0", "8.8.8.0/24", False),
        ("mail.example.net", "mail.example.net", False),
        ("8.8.8", "8.8.8", False),
        ("fe80::1%eth0", "fe80::1%eth0", False),
        ("10.0.0.1-10.0.0.9", "10.0.0.1-10.0.0.9", False),
    ],
)
def test_an_entry_is_read_by_its_addresses(text: str, expected: str, *, host_bits: bool) -> None:
    """However it is written; what is no address stays a text."""
    entry = read_entry(text)

    assert text.strip() == entry.text
    assert expected == entry.canonical
    assert host_bits is entry.has_host_bits


@given(lists)
def test_a_box_is_read_as_it_was_written(texts: list[str]) -> None:
    """Between commas, in order."""
    assert read_entries(texts) == read_box(box_text(texts))


@given(some_ranges, st.none() | st.integers(28, 32))
def test_the_layout_holds_exactly_the_ranges(ranges: IpRanges, split_to: int | None) -> None:
    """No range is wider than the split, none is lost."""
    texts = layout(ranges, split_to=split_to)

    assert ranges == IpRanges.parse(texts)
    assert all(int(one.partition("/")[2]) >= (split_to or 0) for one in texts)


# Ownership


@given(lists, some_ranges, some_ranges, lists)
def test_every_entry_is_ours_or_foreign_and_ours_only_if_claimed(
    texts: list[str], claimed: IpRanges, adopted: IpRanges, before: list[str]
) -> None:
    """In order; what was foreign stays so unless it was adopted."""
    entries = read_entries(texts)
    strangers = frozenset(canonical(read_entries(before)))

    ours, foreign = divide(entries, claimed=claimed, adopted=adopted, foreign=strangers)

    assert sorted(map(repr, entries)) == sorted(map(repr, ours + foreign))
    assert [one for one in entries if one in foreign] == list(foreign)
    assert [one for one in entries if one in ours] == list(ours)
    assert ranges_of(ours) <= claimed | adopted
    assert not any(one.canonical in strangers and not one.ranges <= adopted for one in ours)
    assert all(one.ranges for one in ours)


@given(lists, some_ranges, st.none() | st.integers(28, 32))
def test_what_a_person_pastes_ends_the_asking(
    texts: list[str], wanted: IpRanges, split_to: int | None
) -> None:
    """The list then holds what is wanted and every foreign entry, and no step is left."""
    settings = SETTINGS.model_copy(update={"split_to": split_to})
    before = seen(texts, Known(now=NOW))
    draft = plan("google", settings, desired(wanted), before)
    assume(draft.steps)
    (step,) = draft.steps
    assert step.task is not None

    known = Known(
        now=NOW + timedelta(hours=1),
        asked={"email_allowlist": Asked(step.task.added, NOW, is_open=True)},
        remembered=json.loads(json.dumps(before.remember)),
    )
    pasted = [one.text for one in read_box(step.task.box)]
    after = seen(pasted, known)

    assert step.gives == after.resources[flow.RESOURCE]
    assert [one.text for one in before.foreign] == pasted[: len(before.foreign)]
    assert set(canonical(read_entries([one.text for one in after.foreign]))) == set(
        canonical(read_entries([one.text for one in before.foreign]))
    )
    assert wanted <= after.detail.found.ranges
    assert after.owned <= wanted
    assert () == plan("google", settings, desired(wanted), after).steps
    assert flow.verify(desired(wanted), after).ok


@given(lists, some_ranges, some_ranges)
def test_a_later_change_takes_out_ours_alone(
    texts: list[str], first: IpRanges, second: IpRanges
) -> None:
    """Of what was pasted before, what is wanted no longer goes; foreign entries stay."""
    before = seen(texts, Known(now=NOW))
    draft = plan("google", SETTINGS, desired(first), before)
    assume(draft.steps)
    task = draft.steps[0].task
    assert task is not None
    asked = {"email_allowlist": Asked(task.added, NOW, is_open=True)}
    known = Known(now=NOW, asked=asked, remembered=before.remember)
    middle = seen([one.text for one in read_box(task.box)], known)

    later = plan("google", SETTINGS, desired(second), middle)

    assert middle.owned == later.base
    assert later.goal <= second
    assert second <= later.goal | middle.detail.held_by_others
    for step in later.steps:
        assert step.task is not None
        assert step.task.removed <= first - second
        strangers = [one.text for one in middle.foreign]
        assert strangers == [one.text for one in read_box(step.task.box)][: len(strangers)]


@given(lists, some_ranges)
def test_adoption_changes_what_is_ours_and_nothing_else(texts: list[str], wanted: IpRanges) -> None:
    """Only entries within what is wanted, and no guard sees growth."""
    before = seen(texts, Known(now=NOW))

    draft = plan_adoption(desired(wanted), before)

    assert draft.base == draft.goal
    assert draft.base <= wanted
    assert bool(draft.steps) is any(one.ranges and one.ranges <= wanted for one in before.foreign)
    for step in draft.steps:
        assert step.remember is not None
        after = flow.observed(found(texts), Known(now=NOW, remembered=step.remember), None, None)
        assert draft.goal == after.owned
        assert step.gives == after.resources[step.resource]
        assert before.resources[flow.RESOURCE] == after.resources[flow.RESOURCE]


@given(lists, some_ranges, some_ranges)
def test_what_the_api_is_asked_for_ends_the_same(
    texts: list[str], first: IpRanges, wanted: IpRanges
) -> None:
    """Additions before removals, and each step begins where the last one ended."""
    settings = SETTINGS.model_copy(update={"write": "probe"})
    known = Known(now=NOW, remembered={"ours": list(first.cidrs())})
    before = seen([*texts, *first.cidrs()], known)
    by_person = plan("google", SETTINGS, desired(wanted), before)

    steps = plan("google", settings, desired(wanted), before).steps

    assert bool(by_person.steps) is bool(steps)
    assert all(one.by is Actor.EXOSYNC for one in steps)
    token = before.resources[flow.RESOURCE]
    for step in steps:
        assert token == step.expects
        token = step.gives
    if steps:
        assert by_person.steps[0].gives == token


def test_the_list_that_the_box_shows_decides_what_is_pasted() -> None:
    """Of lists at several places only what is common to all is let in, and in the text."""
    unit = {"query": "…", "orgUnit": "orgUnits/other"}
    policies = [
        policy(["8.8.8.8", "9.9.9.9"], policyQuery=unit),
        policy(["9.9.9.9/32", "1.1.1.1"], policyQuery={**unit, "orgUnit": "orgUnits/third"}),
        OTHER,
    ]

    read = allowlist(policies, customer="C01abcdef", root_unit=None)

    assert not read.is_told
    assert ["9.9.9.9"] == [one.text for one in read.entries]
    assert IpRanges.parse("9.9.9.9") == read.ranges


def test_thousands_of_entries_are_planned_in_a_moment() -> None:
    """By other people's hands, and as many of ours."""
    texts = [f"203.0.{high}.{low}" for high in range(20) for low in range(256)]
    wanted = IpRanges.parse(
        [f"40.{high}.{low}.0/24" for high in range(40) for low in range(0, 256, 2)]
    )
    began = perf_counter()

    draft = plan("google", SETTINGS, desired(wanted), seen(texts, Known(now=NOW)))

    assert len(texts) + len(wanted) == len(draft.steps[0].after.split("\n"))
    assert perf_counter() - began < 5


def test_memory_is_kept_as_json() -> None:
    """And is the same when it comes back; nothing at all is no memory."""
    memory = Memory(
        ours=frozenset({"40.92.0.0/15"}),
        foreign=frozenset({"8.8.8.0/24", "mail.example"}),
        adopted=IpRanges.parse("40.92.0.0/16"),
        asked=IpRanges.parse("40.92.0.0/14"),
        declined=Declined("status 501", "abc"),
        token="def",
        since=NOW,
    )

    assert memory == Memory.read(json.loads(json.dumps(memory.remembered)))
    assert Memory() == Memory.read({})


def test_a_list_is_as_old_as_its_token() -> None:
    """It is new again when somebody changes it."""
    first = seen(["8.8.8.8"], Known(now=NOW))
    later = Known(now=NOW + timedelta(days=2), remembered=first.remember)

    assert timedelta(days=2) == seen(["8.8.8.8/32"], later).detail.age
    assert timedelta(0) == seen(["8.8.8.8", "9.9.9.9"], later).detail.age


# Policies


def test_the_filter_is_the_documented_one() -> None:
    """A backslash of the expression is written twice, as in Google's example."""
    assert (
        r"""customer == "customers/C01abcdef" && setting.type.matches('^settings/gmail\\..*$')"""
        == filter_for("C01abcdef")
    )


@pytest.mark.parametrize(
    "policies",
    [
        [],
        [policy(["8.8.8.8"], customer="customers/C09zzzzzz"), OTHER],
        [policy(["8.8.8.8"], customer="customers/C09zzzzzz")],
        [policy([], setting={"type": ALLOWLIST})],
        [policy([], setting={"type": ALLOWLIST, "value": None})],
        [policy([], setting={"type": ALLOWLIST, "value": []})],
        [policy([], setting={"type": ALLOWLIST, "value": {"allowedIpAddresses": None}})],
        [
            policy(
                [],
                setting={
                    "type": ALLOWLIST,
                    "value": {"allowedIpAddresses": [], "allowed_ip_addresses": ["8.8.8.8"]},
                },
            )
        ],
    ],
)
def test_what_is_not_understood_is_not_guessed(policies: list[Any]) -> None:
    """A list that is taken for empty would be pasted over."""
    with pytest.raises(TargetError):
        allowlist(policies, customer="C01abcdef", root_unit=None)


@pytest.mark.parametrize(
    ("policies", "root"),
    [
        ([OTHER], ROOT),
        ([OTHER, {**OTHER, "policyQuery": {"orgUnit": "orgUnits/other"}}], ""),
        ([{**OTHER, "policyQuery": {"orgUnit": ROOT, "group": "groups/g"}}], ""),
        ([{**OTHER, "type": "ADMIN"}], ""),
        ([{**OTHER, "policyQuery": None}], ""),
    ],
)
def test_the_top_unit_is_where_googles_defaults_are(policies: list[Any], root: str) -> None:
    """Or unknown, if they are at several places or at none."""
    assert root == allowlist(policies, customer="my_customer", root_unit=None).root


def test_googles_own_default_counts_where_people_set_nothing() -> None:
    """And is never written."""
    default = policy(["8.8.8.8"], type="SYSTEM")

    read = allowlist([OTHER, default], customer="C01abcdef", root_unit=None)

    assert IpRanges.parse("8.8.8.8") == read.ranges
    assert not can_write(read)


def test_a_body_for_patch_is_the_whole_policy_without_what_the_service_sets() -> None:
    """The key is spelled as it came, and what it was made from stays as it is."""
    before = policy(
        [],
        setting={
            "type": ALLOWLIST,
            "value": {"allowed_ip_addresses": ["8.8.8.8"]},
        },
    )
    listing = allowlist([before], customer="C01abcdef", root_unit=None).lists[0]

    body = body_of(listing, ("8.8.8.8", "9.9.9.9"))

    assert {
        "customer": "customers/C01abcdef",
        "policyQuery": {"orgUnit": ROOT},
        "setting": {
            "type": ALLOWLIST,
            "value": {"allowed_ip_addresses": ["8.8.8.8", "9.9.9.9"]},
        },
    } == body
    assert ["8.8.8.8"] == before["setting"]["value"]["allowed_ip_addresses"]
    assert "sortOrder" in before["policyQuery"]


def test_a_body_keeps_the_query_where_it_is_all_there_is() -> None:
    """It is immutable, and names the place where the helper fields do not."""
    listing = allowlist(
        [policy(["8.8.8.8"], policyQuery={"query": "entity.org_units.exists(…)"})],
        customer="C01abcdef",
        root_unit=None,
    ).lists[0]

    body = body_of(listing, ())

    assert {"query": "entity.org_units.exists(…)"} == body["policyQuery"]
