"""Policies as values: one form for every way in which an account shows them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exosync.core.ranges import IpRanges
from exosync_adapters.mimecast.policy import (
    EVERYONE,
    INTERNAL,
    Party,
    Sources,
    created,
    differences,
    entries_of,
    with_entries,
    written,
)
from exosync_adapters.mimecast.reading import read_party, read_policy

ITEM: dict[str, Any] = {
    "id": "eNo1",
    "description": "exosync exosync/mimecast example.com 1: words",
    "option": "no_action",
    "fromPart": "both",
    "from": {"type": "email_domain", "domain": "example.com"},
    "to": {"type": "internal_addresses"},
    "enabled": True,
    "enforced": False,
    "override": True,
    "bidirectional": False,
    "fromEternal": True,
    "toEternal": True,
    "fromDateTime": "1900-01-01T00:00:00+0000",
    "toDateTime": "2100-01-01T23:59:59+0000",
    "sourceIPs": ["40.92.0.0/15", "104.47.0.0/17"],
    "hostnames": [],
}
POLICY = read_policy(ITEM)

cidrs = st.lists(
    st.tuples(st.integers(0, 2**32 - 1), st.integers(8, 32)).map(
        lambda one: f"{'.'.join(str(one[0] >> shift & 255) for shift in (24, 16, 8, 0))}/{one[1]}"
    ),
    min_size=1,
    max_size=12,
)


@pytest.mark.parametrize(
    "changes",
    [
        {"sourceIPs": ["104.47.0.0/17", "40.92.0.0/15"]},
        {"sourceIPs": ["104.47.0.1/17", "40.92.0.0/15", "40.92.0.0/15"]},
        {"hostnames": None},
        {"id": "another", "description": "exosync exosync/mimecast example.com 1: edited"},
        {"fromDateTime": None, "toDateTime": None},
        {"fromEternal": None, "toEternal": None},
        {"fromEternal": False, "toEternal": False},
        {"fromEternal": False, "fromDateTime": "1900-01-01"},
        {"toEternal": False, "toDateTime": "2100-01-01T23:59:59Z"},
        {"toEternal": False, "toDateTime": "2100-01-01T23:59:59+00:00"},
        {"toEternal": False, "toDateTime": 4102531199000},
        {"enforced": True, "createTime": "2024-01-01", "lastUpdated": "x", "definitionId": "7"},
        {"option": "NO_ACTION", "fromPart": "BOTH", "bidirectional": None},
        {"from": {"type": "email_domain", "domain": "EXAMPLE.com.", "group": None}},
        {"locked": False, "tags": []},
    ],
)
def test_the_same_policy_reads_the_same(changes: dict[str, Any]) -> None:
    """Null, absent and empty are one, order means nothing, and times come in many forms."""
    found = read_policy({**ITEM, **changes})

    assert () == differences(POLICY, found)
    assert POLICY.token == found.token


@pytest.mark.parametrize("absent", ["hostnames", "bidirectional", "fromDateTime", "enforced"])
def test_an_absent_field_is_an_empty_one(absent: str) -> None:
    """Nothing else changes."""
    found = read_policy({name: value for name, value in ITEM.items() if name != absent})

    assert POLICY.token == found.token


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"option": "apply"}, ("option",)),
        ({"fromPart": "envelope_from"}, ("fromPart",)),
        ({"from": {"type": "everyone"}}, ("from",)),
        ({"to": {"type": "everyone"}}, ("to",)),
        ({"enabled": False}, ("enabled",)),
        ({"override": None}, ("override",)),
        ({"bidirectional": True}, ("bidirectional",)),
        ({"fromEternal": False, "fromDateTime": "2026-01-01"}, ("fromEternal",)),
        ({"toEternal": False, "toDateTime": "2026-12-31T23:59:59+0000"}, ("toEternal",)),
        ({"toEternal": False, "toDateTime": "some day"}, ("toEternal",)),
        ({"sourceIPs": []}, ("sourceIPs",)),
        ({"sourceIPs": ["40.92.0.0/15"]}, ("sourceIPs",)),
        ({"sourceIPs": [*ITEM["sourceIPs"], "mail.example"]}, ("sourceIPs",)),
        ({"hostnames": ["mail.example"]}, ("hostnames",)),
    ],
)
def test_each_field_that_differs_is_named(changes: dict[str, Any], fields: tuple[str, ...]) -> None:
    """By the API's name, and the token differs with it."""
    found = read_policy({**ITEM, **changes})

    assert fields == differences(POLICY, found)
    assert POLICY.token != found.token


def test_conditions_may_stand_in_an_object_of_their_own() -> None:
    """As the older form of policies has them."""
    item = {name: value for name, value in ITEM.items() if name != "sourceIPs"}

    found = read_policy({**item, "conditions": {"sourceIPs": ITEM["sourceIPs"]}})

    assert POLICY.token == found.token


def test_an_unknown_field_is_kept_and_counts() -> None:
    """It may be a condition that is not understood."""
    found = read_policy({**ITEM, "countries": ["XX"]})

    assert {"countries": '["XX"]'} == dict(found.unknown)
    assert POLICY.token != found.token


@pytest.mark.parametrize(
    ("value", "party"),
    [
        ({"type": "profile_group", "group": {"id": "g", "name": "n"}}, Party("profile_group", "g")),
        ({"type": "profile_group", "groupId": "g"}, Party("profile_group", "g")),
        ({"type": "everyone", "domain": ""}, EVERYONE),
        ("internal_addresses", INTERNAL),
        (None, Party("")),
        (
            {"type": "individual_email_address", "emailAddress": "A@b.example"},
            Party("individual_email_address", "a@b.example"),
        ),
    ],
)
def test_a_group_is_written_and_read_in_two_ways(value: object, party: Party) -> None:
    """And every other party in one."""
    assert party == read_party(value)


def test_what_is_written_reads_back_as_it_was() -> None:
    """Groups by groupId."""
    group = replace(POLICY, sender=Party("profile_group", "g"))
    body = created(group)

    assert {"type": "profile_group", "groupId": "g"} == body["from"]
    assert () == differences(group, read_policy(body))


def test_a_patch_holds_the_named_fields_alone() -> None:
    """The others stay as they are."""
    assert {"enabled": True, "sourceIPs": ["40.92.0.0/15", "104.47.0.0/17"]} == written(
        POLICY, ("enabled", "sourceIPs")
    )


@given(cidrs, st.sampled_from([None, 16, 24, 32]))
def test_entries_hold_just_the_ranges(texts: list[str], split_to: int | None) -> None:
    """However wide they may be, and each with its suffix."""
    ranges = IpRanges.parse(texts, strict=False)
    if split_to and ranges.count_split(ipv4=split_to, ipv6=128) > 5000:
        return
    entries = entries_of(ranges, split_to)

    assert ranges == IpRanges.parse(entries)
    assert all(int(one.split("/")[1]) >= (split_to or 0) for one in entries)


@given(cidrs, st.randoms())
def test_sources_are_compared_by_addresses(texts: list[str], random: Any) -> None:
    """Order, doubles and host bits make no difference."""
    shuffled = [*texts, texts[0]]
    random.shuffle(shuffled)

    assert Sources.read(texts) == Sources.read(shuffled)


def test_ranges_written_wider_than_wanted_do_not_serve() -> None:
    """Written finer than wanted they do."""
    whole = IpRanges.parse("40.92.0.0/22")
    wide, fine = with_entries(POLICY, whole, None), with_entries(POLICY, whole, 24)

    assert ("sourceIPs",) == differences(fine, wide)
    assert () == differences(wide, fine)


def test_a_bare_address_has_a_suffix() -> None:
    """Mimecast wants CIDR form wherever an address is entered."""
    assert ("192.0.2.1/32",) == Sources.read(["192.0.2.1"]).entries
