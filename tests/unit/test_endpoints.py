"""Answers of the web service become values, or are refused by name."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from exosync.core.endpoints import (
    INSTANCES,
    EndpointSet,
    Ports,
    PublishedChange,
    Snapshot,
    instance_name,
    parse_changes,
    parse_endpoints,
    parse_version,
)
from exosync.core.ranges import IpRanges
from exosync.errors import FeedRejected, UsageError
from tests.standins.endpoints import answer_body, published

VERSIONS = [(instance, version) for instance in INSTANCES for version in published(instance)]

MAIL = {
    "id": 10,
    "serviceArea": "Exchange",
    "serviceAreaDisplayName": "Exchange Online",
    "urls": ["*.mail.protection.outlook.com"],
    "ips": ["40.92.0.0/15", "2a01:111:f403::/48"],
    "tcpPorts": "25",
    "expressRoute": True,
    "category": "Allow",
    "required": True,
    "notes": "Mail",
}


def parsed(body: bytes | str) -> Snapshot:
    """The snapshot of a body."""
    return parse_endpoints(body, instance="Worldwide", version="2024073100", where="somewhere")


def rule_of(body: bytes | str) -> str:
    """The rule by which a body is refused; where it was is always told."""
    with pytest.raises(FeedRejected, match=r"^somewhere") as caught:
        parsed(body)
    return caught.value.rule


def one_set(**fields: Any) -> str:
    """An answer of one set, with some fields changed."""
    return json.dumps([{**MAIL, **fields}])


def without(*keys: str) -> str:
    """An answer of one set, without some fields."""
    return json.dumps([{key: value for key, value in MAIL.items() if key not in keys}])


# What is read


def test_a_set_is_read_whole() -> None:
    """Every field that means something has its place."""
    expected = EndpointSet(
        id=10,
        service_area="Exchange",
        urls=("*.mail.protection.outlook.com",),
        ips=("40.92.0.0/15", "2a01:111:f403::/48"),
        ranges=IpRanges.parse(["40.92.0.0/15", "2a01:111:f403::/48"]),
        tcp_ports=Ports.parse("25"),
        udp_ports=Ports(),
        category="Allow",
        required=True,
        express_route=True,
        notes="Mail",
    )

    assert (expected,) == parsed(json.dumps([MAIL])).sets


@pytest.mark.parametrize(("instance", "version"), VERSIONS)
def test_every_published_version_is_read_back_from_its_canonical_text(
    instance: str, version: str
) -> None:
    """What is stored is the canonical text, and it says the same."""
    body = answer_body(instance, version)

    first = parse_endpoints(body, instance=instance, version=version, where="file")
    again = parse_endpoints(first.canonical, instance=instance, version=version, where="state")

    assert first == again
    assert len(json.loads(body)) == len(first.sets)


def test_what_is_blank_is_left_out_by_the_service_and_empty_here() -> None:
    """Most sets have no addresses, many no ports."""
    (one,) = parsed('[{"id": 8, "serviceArea": "Exchange"}]').sets

    assert EndpointSet(id=8, service_area="Exchange") == one
    assert not one.ranges
    assert not one.tcp_ports


def test_unknown_fields_and_areas_are_fine_and_kept() -> None:
    """A field that nobody knows yet stays in the canonical text."""
    snapshot = parsed(one_set(serviceArea="MEM", futureField={"b": [2, 1], "a": 1.5}))

    assert "MEM" == snapshot.sets[0].service_area
    assert '"futureField":{"a":1.5,"b":[2,1]}' in snapshot.canonical


def test_the_canonical_text_does_not_depend_on_order_and_blanks() -> None:
    """Sets are ordered by id and names are sorted; lists stay as they were given."""
    other = {"serviceArea": "Common", "id": 3}
    turned = dict(reversed(MAIL.items()))

    first = parsed(json.dumps([MAIL, other]))
    second = parsed(json.dumps([other, turned], indent=4))

    assert first == second
    assert (3, 10) == tuple(one.id for one in first.sets)
    assert hashlib.sha256(first.canonical.encode()).hexdigest() == first.sha256
    assert parsed(one_set(ips=MAIL["ips"][::-1])).sha256 != parsed(one_set()).sha256  # type: ignore[index]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_byte_order_mark_is_no_obstacle(encoding: str) -> None:
    """Answers that were saved on Windows begin with one."""
    assert parsed(one_set()) == parsed(one_set().encode(encoding))
    assert parsed(one_set()) == parsed("\ufeff" + one_set())


def test_texts_are_kept_to_one_visible_line() -> None:
    """They end up on terminals and in logs; the canonical text keeps them as they came."""
    (one,) = parsed(one_set(notes="a\nb\u001b[31m", serviceArea=" Exchange ", urls=["x\ty"])).sets

    assert "a b [31m" == one.notes
    assert "Exchange" == one.service_area
    assert ("x y",) == one.urls


def test_null_is_the_same_as_blank_where_nothing_hangs_on_it() -> None:
    """A category or a note may be null; addresses and ports may not."""
    (one,) = parsed(one_set(category=None, notes=None, required=None, expressRoute=None)).sets

    assert ("", "", False, False) == (one.category, one.notes, one.required, one.express_route)


def test_no_sets_at_all_is_an_answer() -> None:
    """That none of them carries mail is found by the selection."""
    assert () == parsed("[]").sets


# What is refused


@pytest.mark.parametrize(
    ("body", "rule"),
    [
        (b"", "not_json"),
        (b" \n", "not_json"),
        (b"Service unavailable", "not_json"),
        (b"[] []", "not_json"),
        (b"[{'id': 1}]", "not_json"),
        (b'"text', "not_json"),
        (b"<!DOCTYPE html><html></html>", "html"),
        (b"\xef\xbb\xbf  <html>", "html"),
        ("\n<?xml version='1.0'?><rss/>", "html"),
        (b"[", "truncated"),
        (b'[{"id": 1, "serviceArea": "Exch', "truncated"),
        (b'[{"id": 1}, {"id": 2}', "truncated"),
        (b'[{"id": 1', "truncated"),
        (b'{"latest": {"a": 1}', "truncated"),
        (b"[\xff\xfe]", "not_text"),
        (b"\xff\xfe[", "not_text"),
        (b"[NaN]", "bad_number"),
        (b'[{"x": -Infinity}]', "bad_number"),
        (b"[1e999]", "bad_number"),
        (b'[{"id": ' + b"9" * 5000 + b"}]", "bad_number"),
        (b'[{"id": 1, "id": 2}]', "duplicate_key"),
        (b'[{"id": 1, "x": {"ips": [], "ips": []}}]', "duplicate_key"),
        (b'[{"id": 1, "serviceArea": "\\ud800"}]', "bad_text"),
        (b'[{"\\udfff": 1}]', "bad_text"),
        (b"[" * 200_000, "too_deep"),
        (b'{"a":' * 200_000, "too_deep"),
        (b"{}", "wrong_type"),
        (b'"text"', "wrong_type"),
        (b"null", "wrong_type"),
        (b"[1]", "wrong_type"),
        (b"[[]]", "wrong_type"),
        (b"[null]", "wrong_type"),
    ],
)
def test_what_is_no_answer_is_refused_by_name(body: bytes | str, rule: str) -> None:
    """The traps of JSON, and what proxies put in place of it."""
    assert rule == rule_of(body)


@pytest.mark.parametrize(
    ("fields", "rule"),
    [
        ({"id": "10"}, "wrong_type"),
        ({"id": True}, "wrong_type"),
        ({"id": 10.0}, "wrong_type"),
        ({"id": None}, "wrong_type"),
        ({"id": -1}, "wrong_type"),
        ({"serviceArea": None}, "wrong_type"),
        ({"serviceArea": 7}, "wrong_type"),
        ({"serviceArea": " "}, "wrong_type"),
        ({"urls": "*.outlook.com"}, "wrong_type"),
        ({"urls": [1]}, "wrong_type"),
        ({"ips": None}, "wrong_type"),
        ({"ips": "40.92.0.0/15"}, "wrong_type"),
        ({"ips": {"40.92.0.0/15": 1}}, "wrong_type"),
        ({"ips": [{"cidr": "40.92.0.0/15"}]}, "wrong_type"),
        ({"ips": ["40.92.0.0/15", None]}, "wrong_type"),
        ({"tcpPorts": 25}, "wrong_type"),
        ({"tcpPorts": None}, "wrong_type"),
        ({"tcpPorts": ["25"]}, "wrong_type"),
        ({"udpPorts": 443}, "wrong_type"),
        ({"category": 1}, "wrong_type"),
        ({"required": "true"}, "wrong_type"),
        ({"expressRoute": 1}, "wrong_type"),
        ({"notes": []}, "wrong_type"),
        ({"tcpPorts": "25;443"}, "bad_ports"),
        ({"tcpPorts": "smtp"}, "bad_ports"),
        ({"tcpPorts": "0"}, "bad_ports"),
        ({"tcpPorts": "65536"}, "bad_ports"),
        ({"tcpPorts": "995-993"}, "bad_ports"),
        ({"udpPorts": "٢٥"}, "bad_ports"),
    ],
)
def test_a_field_of_the_wrong_kind_is_refused_by_name(fields: dict[str, Any], rule: str) -> None:
    """The message names the field."""
    assert rule == rule_of(one_set(**fields))
    with pytest.raises(FeedRejected, match=next(iter(fields))):
        parsed(one_set(**fields))


@pytest.mark.parametrize("key", ["id", "serviceArea"])
def test_a_set_without_identity_or_area_is_refused(key: str) -> None:
    """Nothing can be said of it."""
    assert "missing_field" == rule_of(without(key))


@pytest.mark.parametrize(
    "cidr",
    [
        *("40.92.0.1/15", "2a01:111:f403::1/48", "40.92.0.0/33", "::/129", "40.92.0.0/-1"),
        *(
            "40.92.0.0",
            "2a01:111:f403::",
            "40.92.0.0/",
            "/15",
            "",
            " ",
            "40.92.0/15",
            "256.0.0.0/8",
        ),
        *(" 40.92.0.0/15", "40.92.0.0/15\n", "40.92.0.0/255.254.0.0", "040.92.0.0/15"),
        *("40.92.0.0/015", "fe80::%eth0/64", "४0.92.0.0/15", "40.92.0.0-40.93.255.255", "10/8"),
    ],
)
def test_a_bad_cidr_is_refused_with_its_place(cidr: str) -> None:
    """Set, field, index and text are told."""
    with pytest.raises(FeedRejected, match=r"^somewhere, set 10: ips\[1\]") as caught:
        parsed(one_set(ips=["40.107.0.0/16", cidr]))
    assert "bad_cidr" == caught.value.rule


def test_doubled_ids_are_refused() -> None:
    """Nobody could say which of two sets 10 is the one."""
    body = json.dumps([MAIL, {**MAIL, "ips": []}])

    assert "duplicate_id" == rule_of(body)


@pytest.mark.parametrize(
    "version",
    ["", "202407310", "20240731001", "2024-07-31", "２０２４０７３１００", "2024073100\n"],
)
def test_a_version_that_is_not_ten_digits_is_refused(version: str) -> None:
    """Ten ASCII digits and nothing else."""
    with pytest.raises(FeedRejected) as caught:
        parse_endpoints("[]", instance="Worldwide", version=version, where="file")
    assert "bad_version" == caught.value.rule


def test_an_unknown_instance_is_refused() -> None:
    """Germany was one until 2021."""
    with pytest.raises(FeedRejected) as caught:
        parse_endpoints("[]", instance="Germany", version="2024073100", where="file")
    assert "bad_instance" == caught.value.rule


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ('{"instance": "Worldwide", "latest": "2018063000"}', "an object of /version"),
        ('[{"id": 3, "endpointSetId": 33}]', "an answer of /changes"),
        ('{"value": [], "Count": 0}', "'value', 'Count'"),
    ],
)
def test_the_wrong_answer_is_recognised(body: str, words: str) -> None:
    """Whoever imports the wrong file is told which it is."""
    with pytest.raises(FeedRejected, match=words):
        parsed(body)


def test_a_message_shows_little_of_what_offends() -> None:
    """Texts are shortened, and control characters do not come through."""
    with pytest.raises(FeedRejected) as caught:
        parsed(one_set(ips=["\u001b[31m" + "x" * 100_000]))

    assert len(str(caught.value)) < 300
    assert "\u001b" not in str(caught.value)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
FIELDS = st.dictionaries(st.sampled_from([*MAIL, "udpPorts", "x"]), JSON, max_size=4)


def tolerated(body: bytes | str) -> None:
    """Either a snapshot that reads back the same, or a refusal; nothing else is raised."""
    try:
        snapshot = parsed(body)
    except FeedRejected:
        return
    assert snapshot == parsed(snapshot.canonical)


@given(st.binary() | st.text())
@example(b"\x00")
@example(b"\xfe\xff\xd8\x00")
@example(b"[" * 990)
@example(b'[{"id":0,"x":' + b"[" * 400 + b"]" * 400 + b"}]")
def test_no_bytes_raise_anything_but_a_refusal(body: bytes | str) -> None:
    """Whatever comes over the wire."""
    tolerated(body)


@given(st.lists(FIELDS.map(lambda fields: {**MAIL, **fields}), max_size=3) | JSON)
def test_no_json_raises_anything_but_a_refusal(value: Any) -> None:
    """Whatever type stands wherever."""
    tolerated(json.dumps(value))


@given(st.data())
def test_no_damaged_answer_raises_anything_but_a_refusal(data: st.DataObject) -> None:
    """A real answer with a piece cut out or overwritten."""
    body = answer_body("USGovDoD", "2024073100")
    start = data.draw(st.integers(0, len(body)))
    end = data.draw(st.integers(start, min(len(body), start + 40)))
    patch = data.draw(st.binary(max_size=4))

    tolerated(body[:start] + patch + body[end:])


@given(st.integers(1, len(answer_body("Worldwide", "2026081400").strip()) - 1))
def test_no_truncated_answer_is_ever_read(length: int) -> None:
    """Half an answer is not a shorter list."""
    assert "truncated" == rule_of(answer_body("Worldwide", "2026081400").strip()[:length])


# Ports


@pytest.mark.parametrize(
    ("text", "spans"),
    [
        ("25", ((25, 25),)),
        ("143, 587, 993, 995", ((143, 143), (587, 587), (993, 993), (995, 995))),
        ("143, 587, 993-995", ((143, 143), (587, 587), (993, 995))),
        ("3478,3479,3480,3481", ((3478, 3481),)),
        ("50000 - 59999,443", ((443, 443), (50_000, 59_999))),
        (" 443 , 80,", ((80, 80), (443, 443))),
        ("", ()),
    ],
)
def test_ports_are_read_from_one_text(text: str, spans: tuple[tuple[int, int], ...]) -> None:
    """Commas, blanks and ranges, in any order."""
    ports = Ports.parse(text)

    assert spans == ports.spans
    assert ports == Ports.parse(str(ports))


@given(st.sets(st.integers(1, 65_535), max_size=20), st.integers(0, 65_536))
def test_a_port_is_in_what_names_it(named: set[int], port: int) -> None:
    """Against a plain set of numbers."""
    ports = Ports.parse(",".join(map(str, named)))

    assert (port in named) == (port in ports)
    assert bool(named) == bool(ports)


def test_only_numbers_are_ports() -> None:
    """A text is never in them."""
    assert "25" not in Ports.parse("25")


# Instances and /version


@pytest.mark.parametrize("text", ["worldwide", "WORLDWIDE", " Worldwide "])
def test_an_instance_is_named_as_the_service_spells_it(text: str) -> None:
    """The service itself takes any case."""
    assert "Worldwide" == instance_name(text)


def test_an_unknown_instance_is_wrong_usage() -> None:
    """The known ones are told."""
    with pytest.raises(UsageError, match="USGovGCCHigh"):
        instance_name("Germany")


@pytest.mark.parametrize(
    "body",
    [
        '{"instance": "Worldwide", "latest": "2018063000"}',
        '{"instance": "worldwide", "latest": "2018063000", "versions": ["2018063000", "2018062000"]}',
        '{"instance": "Worldwide", "latest": "2018063000", "serviceArea": "Common"}',
        '[{"instance": "China", "latest": "2017010100"}, {"instance": "Worldwide", "latest": "2018063000"}]',
    ],
)
def test_the_newest_version_is_read(body: str) -> None:
    """One object, or a list of all instances; unknown fields do not matter."""
    assert "2018063000" == parse_version(body, instance="Worldwide")


@pytest.mark.parametrize(
    ("body", "rule"),
    [
        ("<html>", "html"),
        ('{"instance": "Worldwide", "lat', "truncated"),
        ("7", "wrong_type"),
        ("[7]", "wrong_type"),
        ("[]", "wrong_instance"),
        ('{"instance": "China", "latest": "2018063000"}', "wrong_instance"),
        ('[{"instance": "Worldwide", "latest": "1"}, {"instance": "WORLDWIDE"}]', "wrong_instance"),
        ('{"instance": "Worldwide"}', "missing_field"),
        ('{"latest": "2018063000"}', "missing_field"),
        ('{"instance": "Worldwide", "latest": 2018063000}', "wrong_type"),
        ('{"instance": "Worldwide", "latest": "201806300"}', "bad_version"),
        ('{"instance": "Worldwide", "latest": "2018063000 "}', "bad_version"),
        ('{"instance": "Worldwide", "latest": "２０１８０６３０００"}', "bad_version"),
    ],
)
def test_a_broken_version_is_refused_by_name(body: str, rule: str) -> None:
    """The instance must be the one that was asked for, and its version ten digits."""
    with pytest.raises(FeedRejected, match="/version for Worldwide") as caught:
        parse_version(body, instance="Worldwide")
    assert rule == caught.value.rule


# /changes


def test_published_changes_are_read() -> None:
    """A record as it is today, with a field that nobody knows."""
    record = {
        "id": 1,
        "endpointSetId": 10,
        "disposition": "Change",
        "impact": "AddedIp",
        "version": "2019072900",
        "previous": {"category": "Allow"},
        "add": {
            "effectiveDate": "20190828",
            "ips": ["2a01:111:f400::/48"],
            "urls": ["*.mx.microsoft"],
        },
        "remove": {"ips": ["2a01:111:f400:7c00::/54"]},
        "future": None,
    }

    expected = PublishedChange(
        id=1,
        endpoint_set_id=10,
        disposition="change",
        impact="AddedIp",
        version="2019072900",
        add_ips=("2a01:111:f400::/48",),
        add_urls=("*.mx.microsoft",),
        remove_ips=("2a01:111:f400:7c00::/54",),
        effective_date="20190828",
    )
    assert (expected,) == parse_changes(json.dumps([record]))


def test_old_records_are_read() -> None:
    """Before version 2018112800 there was no impact; additions and removals are left out if empty."""
    record = {
        "id": 3,
        "endpointSetId": 33,
        "changeDescription": "Removing old IP prefixes",
        "disposition": "Change",
        "version": "2018031301",
        "remove": {"ips": ["65.55.127.0/24"]},
    }

    (change,) = parse_changes(json.dumps([record]))

    assert "" == change.impact
    assert () == change.add_ips
    assert ("65.55.127.0/24",) == change.remove_ips


@pytest.mark.parametrize(
    ("body", "rule"),
    [
        ("{}", "wrong_type"),
        ("[1]", "wrong_type"),
        ('[{"endpointSetId": 1, "version": "2018031301"}]', "missing_field"),
        ('[{"id": 1, "version": "2018031301"}]', "missing_field"),
        ('[{"id": 1, "endpointSetId": 1, "version": "1"}]', "bad_version"),
        ('[{"id": 1, "endpointSetId": 1, "version": "2018031301", "add": []}]', "wrong_type"),
        (
            '[{"id": 1, "endpointSetId": 1, "version": "2018031301", "add": {"ips": "x"}}]',
            "wrong_type",
        ),
    ],
)
def test_broken_changes_are_refused_by_name(body: str, rule: str) -> None:
    """They are only shown, but still must be what they say."""
    with pytest.raises(FeedRejected, match="/changes") as caught:
        parse_changes(body)
    assert rule == caught.value.rule
