"""The smart hosts in the way that is told from memory: as a run saw them, and no surer than runs tell."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exosync.core.trace import Stage, Sure, Way
from exosync_adapters.exchange.aim import Aim
from exosync_adapters.exchange.memory import Memory
from exosync_adapters.exchange.recalled import remembered_way
from exosync_adapters.exchange.settings import ExchangeSettings
from exosync_adapters.exchange.terms import Terms
from exosync_adapters.exchange.way.host_records import Certificate, HostSeen
from exosync_adapters.exchange.way.letters import Folk, Party
from exosync_adapters.exchange.way.looks import HOSTS, LOOKS, kept, recalled
from exosync_adapters.exchange.way.standing import NOT_LOOKED, Standing, stood
from tests.support.tenants import AT, GROUPS, organisation, settings

GATE, SPARE = "gate.example.net", "spare.example.net"
BOB = "bob@example.com"
HOUR = timedelta(hours=1)
CREDENTIALS: dict[str, Any] = {
    "client_id": "8a3bd10e-5b2c-4f6d-9a11-0c6f7e2d1b35",
    "credentials": {"kind": "secret", "secret": {"env": "SECRET"}},
}
FOLK = Folk(GROUPS, {BOB: Party(True, False, frozenset({BOB}), BOB)})


def wanted(*hosts: str, **keys: Any) -> ExchangeSettings:
    """A target that reads its tenant and sends to these hosts."""
    return settings(smart_hosts=[*hosts], far_side="other", **{**CREDENTIALS, **keys})


def host(name: str = GATE, **parts: Any) -> HostSeen:
    """A host that does all that is wanted, as a run saw it, but for these parts."""
    made = HostSeen(
        name,
        ("192.0.2.7",),
        exists=True,
        answers=True,
        greeting=f"{name} ESMTP",
        starttls=True,
        certificate=Certificate((name,), AT + timedelta(days=90), trusted=True),
        at=AT,
    )
    return replace(made, **parts)


GONE = host(addresses=(), exists=False, answers=None, starttls=None, certificate=None)
PLAIN = host(starttls=False, certificate=None, trouble="it offers no STARTTLS")
LOOKED_UP = host(answers=None, greeting="", starttls=None, certificate=None)


def told(of: ExchangeSettings, *looks: HostSeen) -> Way:
    """The way of bob's mail after runs an hour apart; each look is one run's."""
    standing: Standing = NOT_LOOKED
    seen: dict[str, HostSeen] = {}
    for number, one in enumerate(looks):
        seen[one.name] = replace(one, at=AT + number * HOUR)
        standing = stood(standing, seen, of, AT + number * HOUR)
    memory = Memory(organisation=organisation(of), at=AT, folk=FOLK).remembered
    hosts = {HOSTS: standing.remembered, LOOKS: kept(seen.values(), of)}
    found = remembered_way(of, json.loads(json.dumps(memory | hosts)), f"a@{of.domain}", BOB)
    assert found is not None
    return found


def hosts(found: Way) -> list[Stage]:
    """What is told of the hosts."""
    return [one for one in found.stages if one.kind == "smart_host"]


def test_a_host_is_told_as_the_run_saw_it_and_when() -> None:
    """In the words of `exosync trace`; nothing of the way is open then."""
    found = told(wanted(GATE), host())
    (one,) = hosts(found)
    assert (f"{GATE} (192.0.2.7)", True, Sure.SEEN) == (one.title, one.ok, one.sure)
    assert (f"answers: {GATE} ESMTP", f"as seen at {AT:%Y-%m-%d %H:%M} UTC") == (
        one.says[0],
        one.says[-1],
    )
    assert (True, ("ipv4",), AT) == (found.ok, found.families, found.seen_at)


def test_a_host_that_was_only_looked_up_is_open_and_its_addresses_are_known() -> None:
    """As with `try_hosts: resolve`."""
    found = told(wanted(GATE), LOOKED_UP)
    (one,) = hosts(found)
    assert (None, Sure.UNPROVEN, ("ipv4",)) == (one.ok, one.sure, found.families)
    assert ("it was not tried on port 25", "as seen at 2026-11-26 12:00 UTC") == one.says


def test_where_nobody_ever_answered_it_is_said_why_a_host_was_not_tried() -> None:
    """Port 25 is left alone for a day then."""
    silent = host(answers=False, greeting="", starttls=None, certificate=None)
    (one,) = hosts(told(wanted(GATE), silent, silent, LOOKED_UP))
    assert ("it was not tried on port 25", True) == (one.says[0], "once a day" in one.says[1])
    assert "once a day" not in str(hosts(told(wanted(GATE), LOOKED_UP)))


@pytest.mark.parametrize(
    ("looks", "ok", "doubt"),
    [
        ([PLAIN], False, ""),
        ([GONE], False, ""),
        ([host(), PLAIN], None, "one look showed it so"),
        ([host(), GONE, GONE], False, ""),
        ([PLAIN, host()], None, "runs tell host_no_starttls of it"),
        ([PLAIN, host(), host()], True, ""),
        ([GONE, host()], None, "runs tell host_unresolved of it"),
    ],
)
def test_one_look_is_no_surer_than_what_runs_tell(
    looks: Sequence[HostSeen], ok: bool | None, doubt: str
) -> None:
    """The page does not say that mail goes astray where no finding does, nor that it does not."""
    (one,) = hosts(told(wanted(GATE), *looks))
    assert ok is one.ok
    assert doubt in "\n".join(one.says)
    assert bool(doubt) == any("look" in each or "runs tell" in each for each in one.says)


def test_a_host_that_is_not_the_far_sides_is_told_as_the_finding_tells_it() -> None:
    """Its certificate is good, and has no name of Google's."""
    google = settings(smart_hosts=["smtp.google.com"], far_side="google_workspace", **CREDENTIALS)
    strange = host("smtp.google.com", certificate=Certificate(("mx.far.test",), trusted=True))
    (one,) = hosts(told(google, strange))
    assert one.ok is None
    assert "host_not_far_side" in one.says[-2]


def test_a_host_of_the_connector_that_no_run_looked_at_is_named_and_open() -> None:
    """Somebody put it into the connector; the configuration does not have it."""
    of, seen = wanted(GATE, SPARE), GONE
    first, second = hosts(told(of, seen))
    assert (None, "another host may take mail") == (first.ok, first.says[-2])
    assert (SPARE, None, Sure.UNPROVEN) == (second.title, second.ok, second.sure)


def test_without_credentials_hosts_are_told_as_they_were_seen() -> None:
    """What people said of the tenant is unproven; that says nothing of the hosts."""
    of = wanted(GATE, client_id=None, credentials=None)
    found = told(of, host())
    assert [Sure.SEEN] == [one.sure for one in hosts(found)]
    assert {Sure.UNPROVEN} == {one.sure for one in found.stages if one.kind == "rule"}


def test_of_another_tenant_than_the_configured_one_no_way_is_told() -> None:
    """What was read there is of somebody else's mail."""
    of = wanted(GATE)
    terms = Terms.of(Aim(of, "exosync", "exchange"), {})
    memory = Memory(organisation=organisation(of), at=AT, terms=terms).remembered
    assert remembered_way(of, memory, f"a@{of.domain}", BOB) is not None
    other = wanted(GATE, tenant="00000000-5b2c-4f6d-9a11-0c6f7e2d1b35")
    assert remembered_way(other, memory, f"a@{of.domain}", BOB) is None


texts = st.text(max_size=20)
moments = st.datetimes(timezones=st.just(UTC))
truths = st.sampled_from([True, False, None])
certificates = st.builds(
    Certificate,
    st.lists(texts, max_size=4).map(tuple),
    st.none() | moments,
    st.booleans(),
    texts,
)
looks = st.builds(
    HostSeen,
    texts,
    st.lists(texts, max_size=4).map(tuple),
    whole=st.booleans(),
    exists=truths,
    answers=truths,
    greeting=texts,
    starttls=truths,
    certificate=st.none() | certificates,
    trouble=texts,
    at=moments,
)


@given(one=looks)
def test_what_was_seen_comes_back_the_same_through_json(one: HostSeen) -> None:
    """Nothing is lost between two runs."""
    unique = replace(
        one,
        certificate=one.certificate
        and replace(one.certificate, names=tuple(dict.fromkeys(one.certificate.names))),
    )
    raw = json.loads(json.dumps(kept([unique], wanted(GATE))))
    assert {one.name: unique} == recalled(raw)


def test_however_much_a_host_shows_little_is_kept_and_nothing_untrue() -> None:
    """Of the names in a certificate the one that the connector wants is always kept."""
    names = (*(f"{number}.example.org" for number in range(2000)), "*.example.net")
    addresses = tuple(f"192.0.2.{number}" for number in range(200))
    crowded = host(addresses=addresses, certificate=Certificate(names, trusted=True))
    raw = kept([crowded], wanted(GATE, tls="name", tls_name=GATE))
    seen = recalled(raw)[GATE]
    assert seen.certificate is not None
    assert (51, True, 20, False) == (
        len(seen.certificate.names),
        seen.certificate.is_for(GATE),
        len(seen.addresses),
        seen.whole,
    )
    assert 4000 > len(json.dumps(raw))


@pytest.mark.parametrize(
    "broken",
    [
        None,
        {},
        "text",
        [None],
        [{}],
        [{"name": GATE}],
        [kept([replace(host(), at=None)], wanted(GATE))[0]],
        [{**kept([host()], wanted(GATE))[0], "certificate": 1}],
        [{**kept([host()], wanted(GATE))[0], "addresses": None}],
        [{**kept([host()], wanted(GATE))[0], "at": datetime(2026, 11, 26).isoformat()}],  # noqa: DTZ001
    ],
)
def test_what_cannot_be_read_was_never_seen(broken: object) -> None:
    """Of an older version of exosync, or of no time."""
    assert {} == recalled(broken)
