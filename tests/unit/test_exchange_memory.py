"""What a target remembers: the same comes back, and what is broken was never known."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exosync_adapters.exchange.memory import Memory
from exosync_adapters.exchange.records import (
    AcceptedDomain,
    Connector,
    DomainType,
    Listing,
    Organisation,
    Rule,
)
from exosync_adapters.exchange.terms import Terms

TEXTS = st.text(max_size=8)
PARTS = st.dictionaries(TEXTS, st.lists(TEXTS, max_size=2).map(tuple), max_size=2)
ORGANISATIONS = st.builds(
    Organisation,
    domains=st.lists(st.builds(AcceptedDomain, TEXTS, st.sampled_from(DomainType))).map(tuple),
    connectors=st.lists(
        st.builds(
            Connector,
            TEXTS,
            TEXTS,
            st.booleans(),
            TEXTS,
            st.booleans(),
            st.booleans(),
            smart_hosts=st.lists(TEXTS, max_size=2).map(tuple),
            others=st.dictionaries(TEXTS, TEXTS, max_size=2),
        ),
        max_size=2,
    ).map(tuple),
    rules=st.lists(
        st.builds(
            Rule,
            TEXTS,
            TEXTS,
            st.integers(0, 299),
            st.booleans(),
            TEXTS,
            conditions=PARTS,
            exceptions=PARTS,
            actions=PARTS,
            predicates=st.lists(TEXTS, max_size=2).map(tuple),
        ),
        max_size=2,
    ).map(tuple),
    incomplete=st.dictionaries(st.sampled_from(Listing), TEXTS),
    dehydrated=st.sampled_from([None, True, False]),
)
MOMENTS = st.datetimes(timezones=st.just(UTC))
WHOLE = Memory(
    ids={"rule": "guid-rule"},
    seen_on=datetime(2026, 11, 26, 12, tzinfo=UTC),
    organisation=Organisation(rules=(Rule("ours", "guid-rule", 0, enabled=True, mode="Enforce"),)),
    at=datetime(2026, 11, 26, 12, tzinfo=UTC),
)


@given(
    st.builds(
        Memory,
        ids=st.dictionaries(TEXTS, TEXTS),
        seen_on=st.none() | MOMENTS,
        organisation=st.none() | ORGANISATIONS,
        at=st.none() | MOMENTS,
        terms=st.none()
        | st.builds(
            Terms,
            TEXTS,
            TEXTS,
            TEXTS,
            TEXTS,
            placed=st.booleans(),
            known_as=st.dictionaries(TEXTS, TEXTS, max_size=2),
        ),
        last_read=st.dictionaries(TEXTS, st.tuples(TEXTS, MOMENTS), max_size=2),
        relayed=st.frozensets(TEXTS, max_size=2),
        begun=st.none() | MOMENTS,
    )
)
def test_what_is_remembered_comes_back_the_same_through_json(memory: Memory) -> None:
    """The store keeps it as JSON."""
    assert memory == Memory.read(json.loads(json.dumps(memory.remembered)))


@given(
    st.dictionaries(
        st.sampled_from(
            ["ids", "organisation", "seen_on", "at", "terms", "last_read", "relayed", "begun"]
        ),
        st.recursive(
            st.none() | st.integers() | TEXTS,
            lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXTS, inner, max_size=2),
            max_leaves=6,
        ),
    )
)
def test_whatever_was_kept_is_read_or_was_never_known(remembered: dict[str, object]) -> None:
    """Never a traceback, also over what another version kept."""
    read = Memory.read(remembered)

    assert all(isinstance(one, str) for one in read.ids.values())
    assert read == Memory.read(json.loads(json.dumps(read.remembered)))


@pytest.mark.parametrize(
    ("key", "broken"),
    [
        ("domains", [{"name": "example.com"}]),
        ("rules", [{"name": "ours"}]),
        ("connectors", 7),
        ("incomplete", {"no such listing": "why"}),
    ],
)
def test_half_an_organisation_is_none(key: str, broken: object) -> None:
    """A way that is told from it would be wrong; the Guids stay."""
    told = WHOLE.remembered
    told["organisation"] = {**told["organisation"], key: broken}

    assert replace(WHOLE, organisation=None) == Memory.read(told)


def test_a_property_that_a_later_version_knows_is_passed_over() -> None:
    """So that going back a version does no harm."""
    told = WHOLE.remembered
    (rule,) = told["organisation"]["rules"]
    told["organisation"]["rules"] = [{**rule, "from_the_future": 1}]

    assert WHOLE == Memory.read(told)


def test_a_time_without_a_zone_is_no_time() -> None:
    """It could be any."""
    assert Memory(ids={}) == Memory.read({"at": "2026-11-26T12:00:00", "seen_on": "yesterday"})
    assert timedelta(0) == Memory.read({"at": "2026-11-26T12:00:00+00:00"}).at.utcoffset()  # type: ignore[union-attr]
