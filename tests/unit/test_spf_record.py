"""SPF records as text: parsing, comparing terms, and putting one term in."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from exosync.core.ranges import IpRanges
from exosync_adapters.rfc7208.record import (
    SpfSyntaxError,
    count_lookups,
    find_spf,
    has_term,
    insert_term,
    owner_of,
    parse,
    parse_term,
    ranges_in,
)
from tests.support.judge import any_host, judge

MICROSOFT = "include:spf.protection.outlook.com"

# Examples of RFC 7208: section 3, appendix A and section 7.4, and shapes from its section 12.
VALID = [
    "v=spf1",
    "v=spf1 ",
    "V=SPF1 -ALL",
    "v=spf1 +mx a:colo.example.com/28 -all",
    "v=spf1 a mx -all",
    "v=spf1 a -all",
    "v=spf1 a:example.org -all",
    "v=spf1 mx/30 mx:example.org/30 -all",
    "v=spf1 ptr -all",
    "v=spf1 ip4:192.0.2.128/28 -all",
    "v=spf1 include:example.com include:example.net -all",
    "v=spf1 redirect=example.org",
    "v=spf1 exists:%{ir}.%{l1r+-}._spf.%{d} -all",
    "v=spf1 mx -all exp=explain._spf.%{d}",
    "v=spf1 a/24//64 mx//64 a:x.example.com//48 ~all",
    "v=spf1 ip6:2001:db8::/32 ip6:::ffff:192.0.2.1 ?all",
    "v=spf1 ip4:192.0.2.1/0 ip6:::/0 -all",
    "v=spf1  a   mx  -all  ",
    "v=spf1 exo-owner=prod-1 -all",
    "v=spf1 a:foo/bar.example.com -all",
    "v=spf1 include:_spf.%{d2} include:x.%{o} -all",
    "v=spf1 a:example.com. -all",
    "v=spf1 some.name=%%%_%-x -all",
]

INVALID = [
    "v=spf10 -all",
    "v=spf2 -all",
    " v=spf1 -all",
    "v=spf1,a -all",
    "v=spf1 foo -all",
    "v=spf1 ipv4:192.0.2.1 -all",
    "v=spf1 ip4: -all",
    "v=spf1 ip4 -all",
    "v=spf1 ip4:192.0.2 -all",
    "v=spf1 ip4:192.0.2.0/33 -all",
    "v=spf1 ip4:192.0.2.0/024 -all",
    "v=spf1 ip4:192.0.2.0/ -all",
    "v=spf1 ip4:192.0.02.1 -all",
    "v=spf1 ip4:192.0.2.256 -all",
    "v=spf1 ip4:2001:db8::1 -all",
    "v=spf1 ip6:192.0.2.1 -all",
    "v=spf1 ip6:2001:db8::/129 -all",
    "v=spf1 ip6:2001:db8:: /32 -all",
    "v=spf1 ip6:fe80::1%eth0 -all",
    "v=spf1 include -all",
    "v=spf1 include: -all",
    "v=spf1 include:localhost -all",
    "v=spf1 include:example.123 -all",
    "v=spf1 include:exa%mple.com -all",
    "v=spf1 include:%{x}.example.com -all",
    "v=spf1 include:%{c}.example.com -all",
    "v=spf1 exists:%{d0}.example.com -all",
    "v=spf1 include:example.com/24 -all",
    "v=spf1 a:example.com/33 -all",
    "v=spf1 a//129 -all",
    "v=spf1 a/24/64 -all",
    "v=spf1 a: -all",
    "v=spf1 mx:example.com/ -all",
    "v=spf1 -all.",
    "v=spf1 all:example.com",
    "v=spf1 +-all",
    "v=spf1 redirect=a.example redirect=b.example",
    "v=spf1 exp=a.example a exp=b.example",
    "v=spf1 redirect= -all",
    "v=spf1 +redirect=example.com",
    "v=spf1 redirect:example.com",
    "v=spf1 1name=x -all",
    "v=spf1 name=a%b -all",
    "v=spf1 \ta -all",
    "v=spf1 a:exämple.com -all",
]


@pytest.mark.parametrize("text", VALID)
def test_takes_a_valid_record(text: str) -> None:
    """What the grammar of RFC 7208 allows is parsed, and no character of it is lost."""
    record = parse(text)

    assert text == record.text
    assert [word for word in text.split(" ")[1:] if word] == [term.text for term in record.terms]
    assert all(text[one.start :].startswith(one.text) for one in record.terms)


@pytest.mark.parametrize("text", INVALID)
def test_refuses_an_invalid_record(text: str) -> None:
    """A break of the grammar anywhere is an error, as for every verifier."""
    with pytest.raises(SpfSyntaxError):
        parse(text)


def test_names_the_term_that_is_wrong() -> None:
    """The message leads a person to the place."""
    with pytest.raises(SpfSyntaxError, match=r"'ip4:192\.0\.2\.0/33': the prefix length"):
        parse("v=spf1 a ip4:192.0.2.0/33 -all")


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        ([], ()),
        (["google-site-verification=x", "v=spf10 -all", "v=spf1-all"], ()),
        (["x", "v=spf1 -all"], (1,)),
        (["v=spf1", "V=SPF1 a -all", "v=spf1;"], (0, 1)),
    ],
)
def test_selects_records_by_their_version(texts: list[str], expected: tuple[int, ...]) -> None:
    """A record is one only if `v=spf1` is followed by a space or the end (RFC 7208, 4.5)."""
    assert expected == find_spf(texts)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("v=spf1 -all", f"v=spf1 {MICROSOFT} -all"),
        ("v=spf1  a  mx ~all  exo=1 ", f"v=spf1  a  mx {MICROSOFT} ~all  exo=1 "),
        ("v=spf1 a ALL mx -all", f"v=spf1 a {MICROSOFT} ALL mx -all"),
        ("v=spf1 a redirect=x.example", f"v=spf1 a {MICROSOFT} redirect=x.example"),
        ("v=spf1 exp=e.example a", f"v=spf1 {MICROSOFT} exp=e.example a"),
        ("v=spf1 exp=e.example a ?all", f"v=spf1 exp=e.example a {MICROSOFT} ?all"),
        ("v=spf1 a", f"v=spf1 a {MICROSOFT}"),
        ("v=spf1 a ", f"v=spf1 a {MICROSOFT}"),
        ("v=spf1", f"v=spf1 {MICROSOFT}"),
    ],
)
def test_puts_a_term_in_the_right_place(text: str, expected: str) -> None:
    """Before `all`; without it before redirect and exp; else at the end."""
    assert expected == insert_term(text, MICROSOFT)


def test_does_not_edit_a_broken_record() -> None:
    """A record with a syntax error is left to its owner."""
    with pytest.raises(SpfSyntaxError):
        insert_term("v=spf1 a foo -all", MICROSOFT)


def test_does_not_put_in_a_broken_term() -> None:
    """Not even exosync's own mistake gets into a record."""
    with pytest.raises(SpfSyntaxError):
        insert_term("v=spf1 -all", "include:")


@pytest.mark.parametrize(
    ("text", "term"),
    [
        ("v=spf1 include:SPF.Protection.Outlook.COM -all", MICROSOFT),
        ("v=spf1 +include:spf.protection.outlook.com. -all", MICROSOFT),
        ("v=spf1 a mx -all", "a:example.com"),
        ("v=spf1 mx:example.com/32//128 -all", "mx"),
        ("v=spf1 ip4:192.0.2.0/24 -all", "ip4:192.0.2.7"),
        ("v=spf1 ip4:192.0.2.0/25 ip4:192.0.2.128/25 -all", "ip4:192.0.2.0/24"),
        ("v=spf1 ip6:2001:db8::/32 -all", "ip6:2001:DB8:1::/48"),
    ],
)
def test_finds_a_term_by_its_meaning(text: str, term: str) -> None:
    """Writing it differently does not make it missing."""
    assert has_term(parse(text), parse_term(term), domain="example.com")


@pytest.mark.parametrize(
    ("text", "term"),
    [
        ("v=spf1 -include:spf.protection.outlook.com -all", MICROSOFT),
        ("v=spf1 -all include:spf.protection.outlook.com", MICROSOFT),
        ("v=spf1 include:xspf.protection.outlook.com -all", MICROSOFT),
        ("v=spf1 include=spf.protection.outlook.com -all", MICROSOFT),
        ("v=spf1 a:example.org -all", "a"),
        ("v=spf1 a/24 -all", "a"),
        ("v=spf1 ip4:192.0.2.0/25 -all", "ip4:192.0.2.0/24"),
        ("v=spf1 ~ip4:192.0.2.0/24 -all", "ip4:192.0.2.0/24"),
        ("v=spf1 -all ip4:192.0.2.0/24", "ip4:192.0.2.0/24"),
    ],
)
def test_does_not_take_another_term_for_it(text: str, term: str) -> None:
    """A term that does not authorise, or that is never reached, does not count."""
    assert not has_term(parse(text), parse_term(term), domain="example.com")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("v=spf1 ip4:192.0.2.1 exo-owner=prod -all", "prod"),
        ("v=spf1 EXO-Owner=prod -all", "prod"),
        ("v=spf1 foo exo-owner=prod -all", "prod"),
        ("v=spf1 exo-owner=a exo-owner=b -all", None),
        ("v=spf1 xexo-owner=prod -all", None),
        ("v=spf1 -all", None),
    ],
)
def test_reads_the_mark(text: str, expected: str | None) -> None:
    """The mark is found in a damaged record too; two marks are none."""
    assert expected == owner_of(text)


def test_reads_the_ranges_of_a_damaged_record() -> None:
    """What can be read of a record counts, what does not authorise does not."""
    text = "v=spf1 ip4:192.0.2.0/24 ip4:300.1.1.1 ~ip4:198.51.100.1 +ip6:2001:db8::1 foo -all"

    assert IpRanges.parse(["192.0.2.0/24", "2001:db8::1"]) == ranges_in(text)


def test_counts_the_lookups_of_the_record_itself() -> None:
    """ip4, ip6, all and exp cost nothing; what is never reached costs nothing."""
    text = "v=spf1 a mx ptr exists:x.example include:y.example ip4:192.0.2.1 exp=e.example"

    assert 5 == count_lookups(parse(text))
    assert 6 == count_lookups(parse(f"{text} redirect=z.example"))
    assert 5 == count_lookups(parse(f"{text} redirect=z.example -all include:never.example"))


def _label() -> st.SearchStrategy[str]:
    return st.from_regex(r"[a-z][a-z0-9]{0,8}", fullmatch=True)


NAMES = st.tuples(_label(), _label()).map(".".join)
NETWORKS = st.one_of(
    st.tuples(st.ip_addresses(v=4), st.integers(0, 32)).map(lambda x: f"ip4:{x[0]}/{x[1]}"),
    st.tuples(st.ip_addresses(v=6), st.integers(0, 128)).map(lambda x: f"ip6:{x[0]}/{x[1]}"),
    st.ip_addresses().map(lambda x: f"ip{x.version}:{x}"),
)
TERMS = st.one_of(
    NETWORKS,
    NAMES.map("include:{}".format),
    NAMES.map("a:{}".format),
    NAMES.map("mx:{}/24//64".format),
    st.sampled_from(["a", "mx", "a/24", "+a", "?mx", "exists:%{i}.x.example", "note=x", "-all"]),
)
RECORDS = st.tuples(st.lists(TERMS, max_size=8), st.sampled_from([" ", "  "])).map(
    lambda made: made[1].join(["v=spf1", *made[0]])
)


@given(RECORDS, st.one_of(NETWORKS, NAMES.map("include:{}".format)))
def test_an_edit_adds_one_term_and_changes_nothing_else(text: str, term: str) -> None:
    """Taking the term and one space away again gives the old record, byte for byte."""
    edited = insert_term(text, term)
    places = [one.start for one in parse(edited).terms if one.text == term]
    taken_out = {edited[:start] + edited[start + len(term) + 1 :] for start in places}
    taken_out |= {edited[: start - 1] + edited[start + len(term) :] for start in places}

    assert text in taken_out


@given(RECORDS, st.one_of(NETWORKS, NAMES.map("include:{}".format)))
def test_a_term_that_was_put_in_is_found(text: str, term: str) -> None:
    """Planning again after an edit finds nothing missing."""
    assert has_term(parse(insert_term(text, term)), parse_term(term), domain="example.com")


FRAGMENTS = st.sampled_from(
    [
        *("a", "mx", "ip4:", "ip6:", "exists:", "all", "exp=", "e1", "x.example"),
        *("192.0.2.1", "2001:db8::", "::", ":", "/", "//", "24", "033", "129"),
        *("%{d}", "%{i2r.-}", "%", ".", "-", "~", "="),
    ]
)


@given(st.lists(st.lists(FRAGMENTS, min_size=1, max_size=4).map("".join), max_size=4))
def test_accepts_nothing_that_an_independent_evaluator_refuses(words: list[str]) -> None:
    """A record that is taken as valid is no permanent error to pyspf."""
    text = " ".join(["v=spf1", *words])
    try:
        parse(text)
    except SpfSyntaxError:
        return
    assume(len({one.lower() for one in words}) == len(words))  # pyspf: no modifier twice
    said = judge("192.0.2.9", "example.com", any_host, record=text)

    assert said.result != "permerror", said.reason


@given(RECORDS.filter(lambda text: "include" not in text))
def test_makes_valid_records_only(text: str) -> None:
    """What an edit leaves behind is valid to pyspf too."""
    edited = insert_term(text, "ip4:198.51.100.0/24")
    said = judge("198.51.100.7", "example.com", any_host, record=edited)

    assert said.result != "permerror", said.reason


@given(NETWORKS)
def test_reads_the_same_network_as_the_standard_library(term: str) -> None:
    """Host bits are legal and masked (RFC 7208, 5.6)."""
    network = ipaddress.ip_network(term.partition(":")[2], strict=False)

    assert IpRanges.parse([str(network)]) == parse_term(term).ranges
