"""How smart hosts stand over many runs: what is told begins and ends slowly, and never flaps."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exosync.core.target import Severity
from exosync_adapters.exchange.findings.hosts import TOLD_AS, of_standing
from exosync_adapters.exchange.settings import ExchangeSettings
from exosync_adapters.exchange.way.host_records import Certificate, HostSeen
from exosync_adapters.exchange.way.standing import (
    LASTS,
    MUTE,
    NOT_LOOKED,
    HostStanding,
    Standing,
    Trouble,
    may_talk,
    seen_as,
    stood,
)
from tests.support.tenants import settings

GATE, SPARE = "gate.far.test", "spare.far.test"
BEGIN = datetime(2026, 11, 26, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
GOOD = Certificate(("mx.google.com",), BEGIN + timedelta(days=90), trusted=True)


def wanted(**keys: Any) -> ExchangeSettings:
    """Two hosts of somebody's."""
    return settings(**{"smart_hosts": [GATE, SPARE], "far_side": "other", **keys})


def host(name: str = GATE, **parts: Any) -> HostSeen:
    """A host that does all that is wanted, but for these parts."""
    made = HostSeen(
        name, ("192.0.2.7",), exists=True, answers=True, starttls=True, certificate=GOOD
    )
    return replace(made, **parts)


FINE = host()
GONE = HostSeen(GATE, exists=False)
UNTOLD = HostSeen(GATE, trouble="its name cannot be looked up")
SILENT = host(answers=False, starttls=None, certificate=None)
PLAIN = host(starttls=False, certificate=None)
REFUSES = host(starttls=None, certificate=None)
LOOKED_UP = host(answers=None, starttls=None, certificate=None)


def after(*looks: HostSeen, every: timedelta = HOUR, **keys: Any) -> Standing:
    """What is told after these looks at one host."""
    of = wanted(smart_hosts=[GATE, SPARE], **keys)
    standing = NOT_LOOKED
    for number, one in enumerate(looks):
        standing = stood(standing, {one.name: one}, of, BEGIN + number * every)
    return standing


def told(standing: Standing, **keys: Any) -> list[str]:
    """The findings by name."""
    return [one.rule for one in of_standing(standing, wanted(smart_hosts=[GATE], **keys))]


@pytest.mark.parametrize("trouble", [one for one in Trouble if one])
def test_each_trouble_is_told_by_the_finding_that_the_page_names(trouble: Trouble) -> None:
    """The page names it where it tells the way of a message."""
    assert [TOLD_AS[trouble]] == told(Standing(hosts={GATE: HostStanding(trouble)}))


@pytest.mark.parametrize(
    ("looks", "rules"),
    [
        ([FINE], []),
        ([GONE], ["host_unresolved"]),
        ([PLAIN], ["host_no_starttls"]),
        ([FINE, GONE], []),
        ([FINE, GONE, GONE], ["host_unresolved"]),
        ([FINE, GONE, FINE, GONE], []),
        ([GONE, FINE], ["host_unresolved"]),
        ([GONE, FINE, FINE], []),
        ([GONE, LOOKED_UP, LOOKED_UP], []),
        ([PLAIN, LOOKED_UP, LOOKED_UP, REFUSES, REFUSES], ["host_no_starttls"]),
        ([PLAIN, REFUSES, FINE, REFUSES, FINE], []),
        ([PLAIN, UNTOLD, REFUSES, UNTOLD], ["host_no_starttls"]),
        ([PLAIN, UNTOLD, REFUSES, UNTOLD, UNTOLD], ["host_unresolved"]),
        ([FINE, SILENT], []),
        ([FINE, SILENT, SILENT], ["host_silent"]),
        ([FINE, SILENT, SILENT, REFUSES], ["host_silent"]),
        ([FINE, SILENT, SILENT, REFUSES, REFUSES], []),
        ([UNTOLD, UNTOLD, UNTOLD], []),
        ([FINE, UNTOLD], []),
        ([FINE, UNTOLD, UNTOLD], ["host_unresolved"]),
        ([SILENT], []),
        ([SILENT, SILENT], ["hosts_out_of_reach"]),
        ([SILENT, SILENT, SILENT, FINE], []),
    ],
)
def test_what_is_told_of_a_host_takes_two_looks_to_change(
    looks: list[HostSeen], rules: list[str]
) -> None:
    """A fact of the very first look is told at once; silence only where something was heard."""
    assert rules == told(after(*looks))


def test_looks_that_follow_on_each_others_heels_count_as_one() -> None:
    """Two commands in a minute prove no more than one."""
    assert [] == told(after(FINE, GONE, GONE, GONE, every=timedelta(minutes=4)))
    assert ["host_unresolved"] == told(
        after(FINE, GONE, GONE, GONE, GONE, every=timedelta(minutes=4))
    )


def test_one_silent_host_among_others_that_answer_is_told() -> None:
    """Port 25 is open then, so its silence is its own; and it need never have answered."""
    standing = NOT_LOOKED
    for number in range(2):
        seen = {GATE: SILENT, SPARE: host(SPARE)}
        standing = stood(standing, seen, wanted(), BEGIN + number * HOUR)
    (finding,) = of_standing(standing, wanted())

    assert ("host_silent", True) == (finding.rule, GATE in finding.message)
    assert SPARE not in finding.message
    assert "Others answer" in finding.message


@pytest.mark.parametrize("quiet", [SILENT, UNTOLD])
def test_a_new_host_that_says_nothing_is_not_told_of_at_once(quiet: HostSeen) -> None:
    """It may be restarting, or its name be on its way, though others answer."""
    of, before = wanted(), after(host(SPARE), host(SPARE))
    seen = {SPARE: host(SPARE), GATE: quiet}
    once = stood(before, seen, of, BEGIN + 2 * HOUR)
    twice = stood(once, seen, of, BEGIN + 3 * HOUR)

    assert ([], 1) == (list(of_standing(once, of)), len(list(of_standing(twice, of))))


def test_a_clock_that_was_set_back_holds_nothing_up() -> None:
    """What began in the future begins anew now."""
    of, at = wanted(smart_hosts=[GATE]), BEGIN - timedelta(days=30)
    standing = after(FINE, GONE)
    for number in range(2):
        standing = stood(standing, {GATE: GONE}, of, at + number * HOUR)

    assert ["host_unresolved"] == told(standing)


def test_silence_of_all_hosts_is_told_as_what_it_may_be() -> None:
    """A machine that is no longer let out sees the same."""
    (finding,) = of_standing(after(FINE, SILENT, SILENT), wanted(smart_hosts=[GATE]))

    assert "still let out on port 25" in finding.message


def test_where_nobody_ever_answered_port_25_is_left_alone_for_a_day() -> None:
    """One finding says so, as a note; two looks are made before."""
    once, twice = after(SILENT), after(SILENT, SILENT)
    of = wanted(smart_hosts=[GATE])
    (finding,) = of_standing(twice, of)

    assert Severity.INFO is finding.severity
    assert may_talk(once, of, BEGIN + HOUR)
    assert not may_talk(twice, of, BEGIN + 2 * HOUR)
    assert may_talk(twice, of, BEGIN + HOUR + MUTE)
    heard = after(SILENT, SILENT, LOOKED_UP, FINE)
    assert (True, []) == (may_talk(heard, of, BEGIN + 4 * HOUR), told(heard))


@pytest.mark.parametrize(
    ("certificate", "keys", "trouble"),
    [
        (replace(GOOD, names=("other.test",)), {}, Trouble.NONE),
        (replace(GOOD, trusted=False), {"tls": "trusted"}, Trouble.UNTRUSTED),
        (replace(GOOD, until=BEGIN), {"tls": "trusted"}, Trouble.EXPIRED),
        (replace(GOOD, until=BEGIN), {"tls": "any_certificate"}, Trouble.NONE),
        (GOOD, {"tls": "trusted"}, Trouble.NONE),
        (GOOD, {"tls": "name", "tls_name": "gate.far.test"}, Trouble.MISNAMED),
        (GOOD, {"tls": "name", "tls_name": "mx.google.com"}, Trouble.NONE),
        (GOOD, {"far_side": "google_workspace"}, Trouble.NONE),
        (
            replace(GOOD, names=("mx.google.com.evil.test", "notgoogle.com")),
            {"far_side": "google_workspace"},
            Trouble.STRANGER,
        ),
        (replace(GOOD, names=("mx.far.test",)), {"far_side": "mimecast"}, Trouble.NONE),
        (Certificate(trouble="it could not be read"), {"tls": "trusted"}, Trouble.NONE),
    ],
)
def test_a_certificate_is_judged_as_the_connector_does(
    certificate: Certificate, keys: dict[str, Any], trouble: Trouble
) -> None:
    """Which names Mimecast's hosts show is not published, so nothing is told of them."""
    seen = host(certificate=certificate)

    assert trouble is seen_as(seen, wanted(**keys), BEGIN).trouble


def test_every_trouble_has_its_words() -> None:
    """Each is one finding with the hosts it is of, and holds no address of the moment."""
    of = wanted(tls="name", tls_name="gate.far.test")
    rules = {
        Trouble.UNRESOLVED: "host_unresolved",
        Trouble.UNTOLD: "host_unresolved",
        Trouble.SILENT: "host_silent",
        Trouble.NO_STARTTLS: "host_no_starttls",
        Trouble.EXPIRED: "host_certificate",
        Trouble.MISNAMED: "host_certificate",
        Trouble.UNTRUSTED: "host_certificate",
        Trouble.STRANGER: "host_not_far_side",
    }
    assert {*Trouble} - {Trouble.NONE} == {*rules}
    for trouble, rule in rules.items():
        both = Standing(hosts={GATE: HostStanding(trouble), SPARE: HostStanding(trouble)})
        found = list(of_standing(both, of))
        assert [rule] == [one.rule for one in found]
        assert all(f"{GATE}, {SPARE}" in one.message for one in found)


def test_other_settings_forget_what_was_told_under_the_old_ones() -> None:
    """What the connector no longer looks at is no trouble any more."""
    strict: dict[str, Any] = {"tls": "trusted"}
    bad = host(certificate=replace(GOOD, trusted=False))
    before = after(bad, **strict)
    now = stood(before, {GATE: bad}, wanted(smart_hosts=[GATE]), BEGIN + HOUR)

    assert ["host_certificate"] == told(before, **strict)
    assert ([], True) == (told(now), now.reached)


def test_a_host_that_is_configured_no_more_is_forgotten() -> None:
    """And a new one begins anew."""
    before = after(GONE)
    now = stood(before, {SPARE: host(SPARE)}, wanted(smart_hosts=[SPARE]), BEGIN + HOUR)

    assert {SPARE: HostStanding()} == now.hosts


BLIND_FOR = {
    Trouble.SILENT: (LOOKED_UP,),
    Trouble.NO_STARTTLS: (LOOKED_UP, REFUSES),
}
"""Looks that do not come as far as a trouble is, and so say nothing of it."""

SIGHTS = st.sampled_from([FINE, GONE, UNTOLD, SILENT, PLAIN, REFUSES, LOOKED_UP])
PAUSES = st.sampled_from([1, 5, 9, 10, 60, 1440, -30]).map(lambda one: timedelta(minutes=one))


def last_in_a_row(
    looks: list[tuple[datetime, Trouble, HostSeen]], trouble: Trouble
) -> list[datetime]:
    """When the last looks were that all saw this."""
    return [at for at, _, _ in takewhile(lambda one: one[1] is trouble, reversed(looks))]


@given(st.lists(st.tuples(SIGHTS, PAUSES), min_size=1, max_size=30))
def test_findings_change_only_after_two_looks_in_a_row(
    story: list[tuple[HostSeen, timedelta]],
) -> None:
    """Whatever a host does: but for the first look at it, the last two agree on what is new.

    Looks that say nothing of it do not count.
    """
    of = wanted(smart_hosts=[GATE])
    at, standing = BEGIN, NOT_LOOKED
    looks: list[tuple[datetime, Trouble, HostSeen]] = []
    for seen, pause in story:
        before, at = standing, at + pause
        standing = stood(standing, {GATE: seen}, of, at)
        sight = seen_as(seen, of, at, named=standing.named, reached=standing.reached)
        looks.append((at, sight.trouble, seen))
        if not before.hosts or told(before) == told(standing):
            continue
        if "hosts_out_of_reach" in told(before) + told(standing):
            assert standing.is_mute or standing.reached
            continue
        new = standing.hosts[GATE].trouble
        telling = [one for one in looks if one[2] not in BLIND_FOR.get(new, ())]
        assert new is sight.trouble
        assert any(at - one >= LASTS for one in last_in_a_row(telling, new))


@given(st.lists(SIGHTS, max_size=12), st.integers(0, 1))
def test_a_host_that_comes_and_goes_at_every_look_never_changes_what_is_told(
    between: list[HostSeen], first: int
) -> None:
    """The very thing that would flap."""
    standing = after(FINE, *between, *([FINE, FINE] if first else [GONE, GONE]))
    rules = told(standing)
    of, at = wanted(smart_hosts=[GATE]), BEGIN + timedelta(days=9)
    for number in range(6):
        seen = (GONE, FINE)[(number + first) % 2]
        standing = stood(standing, {GATE: seen}, of, at + number * HOUR)
        assert rules == told(standing)


@given(
    st.builds(
        Standing,
        st.text(max_size=5),
        st.booleans(),
        st.booleans(),
        st.none() | st.datetimes(timezones=st.just(UTC)),
        st.none() | st.datetimes(timezones=st.just(UTC)),
        st.dictionaries(
            st.text(max_size=5),
            st.builds(
                HostStanding,
                st.sampled_from(Trouble),
                st.none() | st.sampled_from(Trouble),
                st.none() | st.datetimes(timezones=st.just(UTC)),
            ),
            max_size=3,
        ),
    )
)
def test_what_is_remembered_comes_back_the_same_through_json(standing: Standing) -> None:
    """The store keeps it as JSON."""
    assert standing == Standing.read(json.loads(json.dumps(standing.remembered)))


@pytest.mark.parametrize(
    "broken",
    [
        None,
        7,
        {},
        {"hosts": {}},
        {**NOT_LOOKED.remembered, "hosts": [GATE]},
        {**NOT_LOOKED.remembered, "hosts": {GATE: ["of another version", None, None]}},
        {**NOT_LOOKED.remembered, "hosts": {GATE: ["silent"]}},
        {**NOT_LOOKED.remembered, "tried": "yesterday"},
    ],
)
def test_what_cannot_be_read_was_never_known(broken: object) -> None:
    """Never a traceback."""
    assert NOT_LOOKED == Standing.read(broken)


def test_a_time_without_a_zone_is_no_time() -> None:
    """It could be any."""
    raw = {**NOT_LOOKED.remembered, "tried": "2026-11-26T12:00:00"}
    assert NOT_LOOKED == Standing.read(raw)
