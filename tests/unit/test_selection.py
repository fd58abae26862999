"""Mail is what is Exchange's and carries TCP 25, whatever its id."""

from __future__ import annotations

import json
from typing import Any

import pytest

from exosync.core.endpoints import INSTANCES, Snapshot, parse_endpoints
from exosync.core.intake import RULES, IntakeLimits, intake
from exosync.core.ranges import IpRanges
from exosync.core.selection import KNOWN, mail_ranges
from exosync.core.target import Severity
from exosync.errors import FeedRejected
from tests.standins.endpoints import answer_body, published

VERSIONS = [(instance, version) for instance in INSTANCES for version in published(instance)]
LIMITS = IntakeLimits()


def snapshot(
    *sets: dict[str, Any], instance: str = "Worldwide", version: str = "2024073100"
) -> Snapshot:
    """A snapshot of these sets; each gets an id and Exchange's area if it has none."""
    full = [{"id": 10 + at, "serviceArea": "Exchange", **one} for at, one in enumerate(sets)]
    return parse_endpoints(json.dumps(full), instance=instance, version=version, where="test")


def real(instance: str, version: str) -> Snapshot:
    """A version that was published."""
    body = answer_body(instance, version)
    return parse_endpoints(body, instance=instance, version=version, where=version)


@pytest.mark.parametrize(("instance", "version"), VERSIONS)
def test_every_published_version_has_its_known_mail_sets(instance: str, version: str) -> None:
    """The sets chosen by area and port are the known ones, in all clouds, and fit for adoption."""
    found = mail_ranges(real(instance, version))

    assert set(KNOWN[instance]) == {number for number, _ in found.sets}
    assert () == found.findings
    intake(real(instance, version), found.ranges, adopted_version=None, limits=LIMITS)


def test_mail_of_worldwide_is_six_ranges() -> None:
    """The list as it has been since July 2019."""
    found = mail_ranges(real("Worldwide", "2026081400"))

    expected = (
        *("40.92.0.0/15", "40.107.0.0/16", "52.100.0.0/14", "104.47.0.0/17"),
        *("2a01:111:f400::/48", "2a01:111:f403::/48"),
    )
    assert ((10, expected),) == found.sets
    assert IpRanges.parse(expected) == found.ranges


def test_a_mail_set_without_addresses_is_chosen_and_adds_none() -> None:
    """In the clouds of the US government one of the two sets gives host names alone."""
    found = mail_ranges(real("USGovDoD", "2024073100"))

    assert (4, ()) in found.sets
    assert found.ranges


@pytest.mark.parametrize("ports", ["25", "25,443", "25, 53,80", " 587 , 25", "20-30", "1-65535"])
def test_port_25_is_found_in_any_spelling(ports: str) -> None:
    """Ports come as one text with commas, blanks and ranges."""
    found = mail_ranges(snapshot({"tcpPorts": ports, "ips": ["40.92.0.0/15"]}))

    assert IpRanges.parse("40.92.0.0/15") == found.ranges


@pytest.mark.parametrize(
    "one",
    [
        {"tcpPorts": "443"},
        {"tcpPorts": "250,2525,125"},
        {"udpPorts": "25"},
        {"tcpPorts": "25", "serviceArea": "Common"},
        {"tcpPorts": "25", "serviceArea": "MEM"},
        {},
    ],
)
def test_without_a_set_that_carries_mail_a_snapshot_is_rejected(one: dict[str, Any]) -> None:
    """UDP 25, other ports and other areas are not mail."""
    with pytest.raises(FeedRejected, match="TCP port 25") as caught:
        mail_ranges(snapshot({"ips": ["40.92.0.0/15"], **one}))
    assert "no_mail_set" == caught.value.rule


def test_the_service_area_is_read_in_any_case() -> None:
    """Exchange is exchange."""
    assert mail_ranges(snapshot({"serviceArea": "EXCHANGE", "tcpPorts": "25"})).sets


def test_a_new_id_is_used_and_told() -> None:
    """The ids are a cross-check that stops nothing."""
    found = mail_ranges(snapshot({"id": 99, "tcpPorts": "25", "ips": ["40.92.0.0/15"]}))

    assert IpRanges.parse("40.92.0.0/15") == found.ranges
    assert ["mail_set_new", "mail_set_gone"] == [one.rule for one in found.findings]
    assert {Severity.INFO} == {one.severity for one in found.findings}


def test_a_known_set_that_lost_its_addresses_is_told() -> None:
    """Set 10 of Worldwide has always held addresses."""
    (finding,) = mail_ranges(snapshot({"id": 10, "tcpPorts": "25"})).findings

    assert "mail_set_addresses" == finding.rule
    assert "set 10 has no addresses" in finding.message


def test_addresses_in_several_mail_sets_count_once() -> None:
    """The same range stands in several sets."""
    one = {"tcpPorts": "25", "ips": ["40.92.0.0/15"]}

    found = mail_ranges(snapshot(one, one))

    assert ("40.92.0.0/15",) == found.ranges.cidrs()
    assert 2 == len(found.sets)


# Intake: what a version must pass to be adopted

GOOD = IpRanges.parse(["40.92.0.0/15", "40.107.0.0/16", "52.100.0.0/14", "104.47.0.0/17"])
ANY = snapshot({"tcpPorts": "25"}, version="2024073100")


def refused(
    mail: IpRanges, *, adopted: str | None = None, limits: IntakeLimits = LIMITS
) -> FeedRejected:
    """The refusal of these mail ranges."""
    with pytest.raises(FeedRejected) as caught:
        intake(ANY, mail, adopted_version=adopted, limits=limits)
    assert caught.value.rule in RULES
    return caught.value


def test_no_address_is_refused() -> None:
    """An empty list is never adopted."""
    assert "empty" == refused(IpRanges()).rule


def test_too_few_ranges_are_refused_with_figures_and_setting() -> None:
    """What was seen, what the limit is, and where it is set."""
    error = refused(IpRanges.parse(["40.92.0.0/15", "52.100.0.0/14"]))

    assert "min_ranges" == error.rule
    assert "only 2 ranges are mail, 4 are the least (guards.min_ranges)" in str(error)


def test_an_older_version_is_refused() -> None:
    """The service may answer with an older version than the adopted one."""
    error = refused(GOOD, adopted="2024080100")

    assert "backward_version" == error.rule
    assert "2024080100" in str(error)


@pytest.mark.parametrize("adopted", [None, "2024073100", "2024073000"])
def test_the_same_or_a_newer_version_passes(adopted: str | None) -> None:
    """Nothing is said of what is in order."""
    intake(ANY, GOOD, adopted_version=adopted, limits=LIMITS)


@pytest.mark.parametrize(
    ("cidr", "setting"),
    [
        ("40.0.0.0/12", "guards.widest_ipv4"),
        ("2a01::/31", "guards.widest_ipv6"),
        ("::/0", "widest_ipv6"),
    ],
)
def test_a_range_that_is_too_wide_is_refused(cidr: str, setting: str) -> None:
    """IPv4 shorter than /13, IPv6 shorter than /32."""
    error = refused(GOOD | IpRanges.parse(cidr))

    assert "too_wide" == error.rule
    assert setting in str(error)


def test_the_widest_allowed_ranges_pass() -> None:
    """The limits themselves are within."""
    wide = GOOD | IpRanges.parse(["20.0.0.0/13", "2a01::/32"])
    intake(ANY, wide, adopted_version=None, limits=LIMITS)


def test_a_wide_range_cut_into_pieces_is_still_too_wide() -> None:
    """Ranges are judged as addresses, not as they were written."""
    pieces = [f"{first}.0.0.0/9" for first in range(20, 24)]
    pieces += [f"{first}.128.0.0/9" for first in range(20, 24)]

    error = refused(GOOD | IpRanges.parse(pieces), limits=IntakeLimits(widest_ipv4=8))

    assert "too_wide" == error.rule
    assert "20.0.0.0/6" in str(error)


@pytest.mark.parametrize("cidr", ["10.0.0.0/16", "127.0.0.1/32", "2001:db8::/48", "fe80::/64"])
def test_space_that_is_not_public_is_refused(cidr: str) -> None:
    """The space's name and its source are told."""
    error = refused(GOOD | IpRanges.parse(cidr))

    assert "special_space" == error.rule
    assert "RFC" in str(error)
    assert cidr in str(error)


def test_everything_that_is_wrong_is_told_at_once() -> None:
    """One refusal, all reasons; the first one names it."""
    error = refused(IpRanges.parse("0.0.0.0/0"), adopted="2026081400")

    assert "min_ranges" == error.rule
    for rule in ("min_ranges", "backward_version", "too_wide", "special_space"):
        assert f"{rule}: " in str(error)
