"""Settings, formats, templates and reading back of kind `file`."""

from __future__ import annotations

import csv
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from exosync.core.desired import Desired
from exosync.core.ranges import IpRanges
from exosync.errors import ConfigError
from exosync_adapters.file.formats import CSV_COLUMNS, FORMATS, NOTE_BYTES, cut, one_line, render
from exosync_adapters.file.mark import Mark
from exosync_adapters.file.reading import line_with, ranges_in, read
from exosync_adapters.file.settings import KEYS_OF, NFT_WORDS, FileSettings, Format
from tests.support.file_targets import NASTY, desired, settings

MARK = Mark("exosync", "edge")
TEMPLATE = """\
# {{ mark }}
{% for entry in entries %}
{% if entry.note %}
# {{ entry.note }}
{% endif %}
allow {{ entry.cidr }};
{% endfor %}
"""
SMALL = desired("40.92.0.0/15", "2a01:111:f400::/48", extra=[("40.95.0.0/16", "relay", "ours")])

BY_LINE = [Format.PLAIN, Format.RSPAMD, Format.HAPROXY, Format.POSTFIX]

ADDRESSES = st.one_of(
    st.tuples(st.integers(0, 2**32 - 1), st.integers(0, 32)).map(
        lambda pair: (
            f"{'.'.join(str(pair[0] >> shift & 255) for shift in (24, 16, 8, 0))}/{pair[1]}"
        )
    ),
    st.tuples(st.lists(st.integers(0, 65535), min_size=8, max_size=8), st.integers(0, 128)).map(
        lambda pair: f"{':'.join(f'{group:x}' for group in pair[0])}/{pair[1]}"
    ),
)
RANGES = st.lists(ADDRESSES, min_size=1, max_size=8).map(
    lambda cidrs: IpRanges.parse(cidrs, strict=False)
)
TEXTS = st.one_of(st.text(max_size=80), st.sampled_from(NASTY))


def text_of(wanted: Desired, form: Format = Format.PLAIN, **keys: object) -> str:
    """The text of a file in one format."""
    if form is Format.TEMPLATE:
        keys = {"template": "list.j2", **keys}
    made = settings(format=form, **keys)
    data = render(wanted, owner="exosync", target="edge", settings=made, source=TEMPLATE)
    return data.decode()


def filled(source: str, wanted: Desired = SMALL) -> str:
    """What a template makes."""
    made = settings(format="template", template="list.j2")
    return render(wanted, owner="exosync", target="edge", settings=made, source=source).decode()


# --- formats


def test_plain_lists_the_ranges_with_notes_above() -> None:
    """A plain file is a header, then CIDRs in address order, notes in comments."""
    wanted = desired(
        "40.92.0.0/15",
        "2a01:111:f400::/48",
        extra=[("40.95.0.0/16", "relay", "ours")],
        leaving=["52.100.0.0/14"],
    )
    assert (
        "# Managed by exosync (owner=exosync, target=edge). Changes made by hand are overwritten.\n"
        "# Exchange Online's outgoing mail servers, instance Worldwide.\n"
        "40.92.0.0/15\n"
        "# extra: relay (ours)\n"
        "40.95.0.0/16\n"
        "# leaving on 2024-01-31\n"
        "52.100.0.0/14\n"
        "2a01:111:f400::/48\n"
    ) == text_of(wanted)


def test_what_is_kept_until_its_removal_says_so() -> None:
    """Between additions and removals, the file tells which ranges are about to go."""
    text = text_of(desired("40.92.0.0/15").keeping(IpRanges.parse("52.100.0.0/14")))
    assert "# no longer desired, kept until its removal is made\n52.100.0.0/14\n" in text


@pytest.mark.parametrize("form", [Format.RSPAMD, Format.HAPROXY])
def test_rspamd_and_haproxy_read_plain_lists(form: Format) -> None:
    """Their files are plain lists of CIDRs."""
    assert text_of(SMALL) == text_of(SMALL, form)


def test_postfix_lines_carry_the_value() -> None:
    """Each pattern of a Postfix table has its result."""
    text = text_of(SMALL, Format.POSTFIX, value="permit_auth_destination")
    assert "\n40.92.0.0/15 permit_auth_destination\n# extra" in text


def test_nftables_empties_its_sets_before_filling() -> None:
    """The file declares, empties and fills both sets."""
    text = text_of(SMALL, Format.NFTABLES, table="mail", set_name="exo")
    assert (
        "add table inet mail\n"
        "add set inet mail exo_v4 { type ipv4_addr; flags interval; }\n"
        "flush set inet mail exo_v4\n"
        "add set inet mail exo_v6 { type ipv6_addr; flags interval; }\n"
        "flush set inet mail exo_v6\n"
        "add element inet mail exo_v4 {\n"
        "    40.92.0.0/15,\n"
        "    # extra: relay (ours)\n"
        "    40.95.0.0/16,\n"
        "}\n"
        "add element inet mail exo_v6 {\n"
        "    2a01:111:f400::/48,\n"
        "}\n"
    ) == text.partition("Worldwide.\n")[2]


def test_ipset_fills_a_second_set_and_swaps() -> None:
    """The set in use is replaced whole."""
    text = text_of(SMALL, Format.IPSET, set_name="exo")
    assert (
        "create exo_v6 hash:net family inet6 -exist\n"
        "create exo_v6_new hash:net family inet6 -exist\n"
        "flush exo_v6_new\n"
        "add exo_v6_new 2a01:111:f400::/48\n"
        "swap exo_v6_new exo_v6\n"
        "destroy exo_v6_new\n"
    ) in text


def test_ipset_gets_a_prefix_of_length_0_in_halves() -> None:
    """hash:net takes no /0."""
    text = text_of(desired("0.0.0.0/0", "::/0"), Format.IPSET)
    assert "/0" not in text
    assert IpRanges.parse(["0.0.0.0/0", "::/0"]) == ranges_in(text)


def test_ipset_makes_room_beyond_its_default_size() -> None:
    """A set of more than 65,536 entries is created large enough."""
    many = desired(*(f"10.{n >> 8 & 255}.{n & 255}.{n >> 16 << 7}/32" for n in range(65_600)))
    text = text_of(many, Format.IPSET)
    assert "create exchange_online_v4 hash:net family inet maxelem 131072 -exist\n" in text
    assert "create exchange_online_v6 hash:net family inet6 -exist\n" in text


def test_terraform_gets_a_list_of_strings() -> None:
    """A .tfvars file assigns the list to the variable."""
    text = text_of(SMALL, Format.TERRAFORM, variable="exo")
    assert (
        "exo = [\n"
        '  "40.92.0.0/15",\n'
        "  # extra: relay (ours)\n"
        '  "40.95.0.0/16",\n'
        '  "2a01:111:f400::/48",\n'
        "]\n"
    ) == text.partition("Worldwide.\n")[2]


def test_json_tells_everything_of_every_entry() -> None:
    """JSON is an object with entries and a list of CIDRs a family."""
    value = json.loads(text_of(SMALL, Format.JSON))
    assert {"managed_by", "owner", "target", "instance", "ranges", "ipv4", "ipv6"} == set(value)
    assert ("exosync", "edge") == (value["owner"], value["target"])
    assert ["40.92.0.0/15", "40.95.0.0/16"] == value["ipv4"]
    assert ["2a01:111:f400::/48"] == value["ipv6"]
    assert {
        "cidr": "40.95.0.0/16",
        "family": "ipv4",
        "origin": "extra",
        "name": "relay",
        "reason": "ours",
        "leaving_on": None,
    } == value["ranges"][1]


def test_json_has_an_entry_a_line() -> None:
    """A difference between two files shows whole entries."""
    lines = text_of(SMALL, Format.JSON).split("\n")
    assert 3 == sum(line.startswith('    {"cidr": ') for line in lines)


def test_csv_is_plain_csv() -> None:
    """CSV has a header row, a row an entry and the mark in a column."""
    rows = list(csv.DictReader(io.StringIO(text_of(SMALL, Format.CSV))))
    assert list(CSV_COLUMNS) == list(rows[0])
    assert [
        ("40.92.0.0/15", "microsoft"),
        ("40.95.0.0/16", "extra"),
        ("2a01:111:f400::/48", "microsoft"),
    ] == [(row["cidr"], row["origin"]) for row in rows]
    assert {str(MARK)} == {row["managed_by"] for row in rows}


def test_csv_holds_no_formula() -> None:
    """A name that a spreadsheet would compute is made a text."""
    [row] = csv.DictReader(io.StringIO(text_of(desired("10.0.0.0/8", extra=[]), Format.CSV)))
    assert "" == row["name"]
    text = text_of(desired("10.0.0.0/8", extra=[("11.0.0.0/8", "=1+1", "@sum")]), Format.CSV)
    row = list(csv.DictReader(io.StringIO(text)))[1]
    assert ("'=1+1", "'@sum") == (row["name"], row["reason"])


@pytest.mark.parametrize("form", Format)
def test_neither_time_nor_version_stands_in_a_file(form: Format) -> None:
    """A new version with the same ranges changes no file."""
    later = Desired("Worldwide", "2025020200", SMALL.microsoft, SMALL.extras)
    assert text_of(SMALL, form) == text_of(later, form)


@pytest.mark.parametrize("form", Format)
@pytest.mark.parametrize("family", ["ipv4", "ipv6"])
def test_every_format_works_with_one_family(form: Format, family: str) -> None:
    """With one family alone, the file holds just that."""
    wanted = SMALL.only(family)
    text = text_of(wanted, form)
    assert wanted.ranges == ranges_in(text)
    assert "{ }" not in text
    assert "{\n}" not in text


@pytest.mark.parametrize("form", Format)
@pytest.mark.parametrize("nasty", NASTY)
def test_no_text_breaks_out_of_its_place(form: Format, nasty: str) -> None:
    """Names and reasons never become ranges, marks, lines or control characters."""
    wanted = desired("40.92.0.0/15", extra=[("40.95.0.0/16", nasty, nasty)])
    harmless = desired("40.92.0.0/15", extra=[("40.95.0.0/16", "a", "b")])
    text = text_of(wanted, form)
    read_back = read(text.encode(), first_only=form is Format.POSTFIX)
    assert wanted.ranges == read_back.ranges
    assert {MARK} == read_back.marks
    assert text.replace("\n", "").isprintable()
    assert text_of(harmless, form).count("\n") == text.count("\n")


@given(RANGES, RANGES, TEXTS, TEXTS, st.sampled_from(list(Format)))
def test_what_is_written_is_read_back(
    microsoft: IpRanges, extra: IpRanges, name: str, reason: str, form: Format
) -> None:
    """Every format gives back exactly the ranges and the mark, whatever the notes say."""
    wanted = desired(*microsoft.cidrs(), extra=[(cidr, name, reason) for cidr in extra.cidrs()])
    read_back = read(text_of(wanted, form).encode(), first_only=form is Format.POSTFIX)
    assert wanted.ranges == read_back.ranges
    assert read_back.belongs_to(MARK)


@given(RANGES, TEXTS, st.sampled_from(BY_LINE))
def test_lines_are_comments_or_entries(ranges: IpRanges, text: str, form: Format) -> None:
    """In the formats made of lines, what is no comment is one entry each."""
    wanted = desired("40.92.0.0/15", extra=[(cidr, text, text) for cidr in ranges.cidrs()])
    lines = text_of(wanted, form).split("\n")
    entries = [line.split(" ")[0] for line in lines if line and not line.startswith("#")]
    assert [entry.cidr for entry in wanted.entries()] == entries


@pytest.mark.parametrize("form", [Format.IPSET, Format.HAPROXY, Format.NFTABLES])
def test_no_line_is_longer_than_tools_read_at_once(form: Format) -> None:
    """ipset reads 1,023 bytes and takes the rest of the line for a command."""
    wanted = desired("40.92.0.0/15", extra=[("40.95.0.0/16", "ä" * 3000, "b" * 3000)])
    longest = max(len(line.encode()) for line in text_of(wanted, form).split("\n"))
    assert NOTE_BYTES < longest < 500


@given(st.text(), st.integers(3, 50))
def test_cut_keeps_whole_characters(text: str, most: int) -> None:
    """What is cut is still text, and no longer than asked for."""
    plain = one_line(text)
    assert most >= len(cut(plain, most).encode())
    assert plain == cut(plain, len(plain.encode()))


@given(st.text())
def test_one_line_is_one_printable_line(text: str) -> None:
    """Whatever goes in, one line of printable characters comes out, and stays so."""
    plain = one_line(text)
    assert plain.isprintable()
    assert plain == one_line(plain)
    assert not Mark.found_in(plain)


def test_every_format_can_be_made() -> None:
    """The table of formats is complete."""
    assert set(Format) == set(FORMATS)


# --- marks


@given(st.text(min_size=1), st.text(min_size=1))
def test_a_mark_is_found_again(owner: str, target: str) -> None:
    """Whatever the names, the mark in a text is the mark that was written."""
    try:
        mark = Mark(owner, target)
        text = mark.sentence
    except UnicodeEncodeError:
        return  # half a surrogate pair is no name
    assert {mark} == Mark.found_in(f"x {text} y")
    assert text.isascii()
    assert text.isprintable()


# --- templates


def test_a_template_gets_entries_and_lists() -> None:
    """A template can use entries, lists a family, owner, target, instance and mark."""
    text = filled(
        "# {{ mark }} {{ owner }} {{ target }} {{ instance }}\n"
        "{{ ranges | join(' ') }}|{{ ipv4 | join(' ') }}|{{ ipv6 | join(' ') }}\n"
        "{% for e in entries %}\n"
        "{{ e.cidr }} {{ e.family }} {{ e.origin }} {{ e.name }} {{ e.reason }} {{ e.leaving_on }}\n"
        "{% endfor %}\n"
    )
    assert (
        f"# {MARK.sentence} exosync edge Worldwide\n"
        "40.92.0.0/15 40.95.0.0/16 2a01:111:f400::/48|40.92.0.0/15 40.95.0.0/16|2a01:111:f400::/48\n"
        "40.92.0.0/15 ipv4 microsoft   \n"
        "40.95.0.0/16 ipv4 extra relay ours \n"
        "2a01:111:f400::/48 ipv6 microsoft   \n"
    ) == text


@pytest.mark.parametrize(
    ("source", "line"),
    [
        ("{{ mark }}\n{% for x in ranges %}\n", 2),
        ("{{ mark }}\n\n{{ rangse }}\n", 3),
        ("{{ mark }}\n{{ entries[0].cird }}\n", 2),
        ("{{ mark }}\n{{ 1 / 0 }}\n", 2),
        ("{{ mark }}\n{{ ''.__class__.__mro__ }}\n", 2),
        ("{{ mark }}\n{{ ranges.append('10.0.0.0/8') }}\n", 2),
        ("{{ mark }}\n{% include 'other' %}\n", 2),
        ("{{ mark }}\n{{ 'x' * 'y' }}\n", 2),
        ("{{ mark }}\n{{ 'x' | nosuchfilter }}\n", 2),
    ],
)
def test_a_wrong_template_is_told_by_file_and_line(source: str, line: int) -> None:
    """Syntax errors, unknown names and what the sandbox forbids name file and line."""
    with pytest.raises(ConfigError, match=rf"^list\.j2:{line}: the template "):
        filled(source)


def test_a_template_cannot_fill_the_memory() -> None:
    """A template that makes too much text is stopped."""
    source = (
        "{% for a in range(99999) %}{% for b in range(99999) %}{{ mark }}{% endfor %}{% endfor %}"
    )
    with pytest.raises(ConfigError, match="more than 16 MiB"):
        filled(source)


# --- settings


def test_every_setting_is_described() -> None:
    """The documentation is made from the descriptions."""
    assert [] == [name for name, one in FileSettings.model_fields.items() if not one.description]


def test_a_path_is_enough() -> None:
    """All but the path has a default."""
    made = settings()
    assert (Format.PLAIN, 0o644, "OK") == (made.format, made.mode, made.value)


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ({"path": ""}, "must name a file"),
        ({"path": ".."}, "must name a file"),
        ({"path": "a\nb"}, "control characters"),
        ({"format": "xml"}, "plain"),
        ({"format": "template"}, "needs the file"),
        ({"format": "template", "template": "list"}, "same file"),
        ({"template": "list.j2"}, "is for format template, not for plain"),
        ({"value": "permit"}, "is for format postfix"),
        ({"table": "mail"}, "is for format nftables, not"),
        ({"set_name": "exo"}, "is for format nftables and ipset"),
        ({"variable": "exo"}, "is for format terraform"),
        ({"format": "postfix", "value": "a\nb"}, "one line"),
        ({"format": "postfix", "value": "  "}, "not empty"),
        ({"format": "nftables", "set_name": "a b"}, "letters, digits"),
        ({"format": "nftables", "set_name": "1a"}, "starting with a letter"),
        ({"format": "nftables", "set_name": "a;flush ruleset"}, "letters, digits"),
        ({"format": "nftables", "table": "table"}, "word of the nft language"),
        ({"format": "nftables", "table": "x" * 65}, "1 to 64"),
        ({"format": "ipset", "set_name": "x" * 25}, "at most 24 are left"),
        ({"format": "ipset", "set_name": "-exist"}, "starting with a letter"),
        ({"format": "terraform", "variable": "a.b"}, "letters, digits"),
        ({"format": "terraform", "variable": "source"}, "keeps for itself"),
        ({"permissions": "rw-r--r--"}, "octal"),
        ({"permissions": "04755"}, "octal"),
        ({"permissions": "0646"}, "everybody"),
        ({"permissions": "0244"}, "owner read"),
        ({"mode": "0644"}, "Extra inputs"),
    ],
)
def test_a_wrong_setting_is_refused_with_the_reason(keys: dict[str, str], told: str) -> None:
    """What a tool would choke on is refused when the configuration is read."""
    with pytest.raises(ValidationError, match=told):
        settings(**keys)


@pytest.mark.parametrize("form", [one for one in Format if one is not Format.TEMPLATE])
def test_settings_with_every_default_written_out_are_settings(form: Format) -> None:
    """So that what `config show` prints can be used again."""
    one = settings(format=form)
    assert one == type(one).model_validate(one.model_dump(mode="json"))


@pytest.mark.parametrize(
    "keys",
    [
        {"format": "ipset", "set_name": "x" * 24},
        {"format": "nftables", "set_name": "x" * 64, "table": "filter"},
        {"format": "terraform", "variable": "exo-ranges"},
        {"permissions": "0600"},
        {"permissions": "640"},
        {"permissions": 640},
    ],
)
def test_what_the_tools_take_is_accepted(keys: dict[str, object]) -> None:
    """Names up to the limits, and permissions with or without the leading zero."""
    made = settings(**keys)
    assert set(keys) <= made.model_fields_set


def test_the_words_of_nft_are_no_tables() -> None:
    """Every reserved word is refused as a table."""
    for word in sorted(NFT_WORDS):
        with pytest.raises(ValidationError):
            settings(format="nftables", table=word)


def test_keys_for_some_formats_exist() -> None:
    """The table of such keys names real settings."""
    assert set(KEYS_OF) < set(FileSettings.model_fields)


# --- reading


@pytest.mark.parametrize(
    ("text", "cidrs"),
    [
        ("40.92.0.0/15\n", ["40.92.0.0/15"]),
        ("\ufeff40.92.0.0/15\r\n2a01:111::/32\r\n", ["40.92.0.0/15", "2a01:111::/32"]),
        ("40.92.0.0/15 # not 10.0.0.0/8\n#11.0.0.0/8\n", ["40.92.0.0/15"]),
        ("; 10.0.0.0/8\n// 10.0.0.0/8\n-- 10.0.0.0/8\n", []),
        ("192.0.2.1\n", ["192.0.2.1/32"]),
        ("40.93.1.1/15\n", ["40.92.0.0/15"]),
        ("[2001:db8::]/32 [2001:db9::1]\n", ["2001:db8::/32", "2001:db9::1/128"]),
        (
            "v=spf1 ip4:40.92.0.0/15 ip6:2a01:111:f400::/48 -all",
            ["40.92.0.0/15", "2a01:111:f400::/48"],
        ),
        ('x = ["40.92.0.0/15", "40.107.0.0/16"]', ["40.92.0.0/15", "40.107.0.0/16"]),
        ("add x {40.92.0.0/15,40.107.0.0/16}", ["40.92.0.0/15", "40.107.0.0/16"]),
        ("allow 40.92.0.0/15; see 40.107.0.1.", ["40.92.0.0/15", "40.107.0.1/32"]),
        ("std::vector 12:30:45 :: 4 45 x1.2.3.4 1.2.3.4.5 300.1.1.1 1.2.3.4/33 1.2.3.4/5/6", []),
        ("::ffff:1.2.3.0/120 ::1 ::/1", ["::ffff:1.2.3.0/120", "::1/128", "::/1"]),
        (
            '{"prefixes": ["40.92.0.0/15"], "note": "# 40.107.0.0/16"}',
            ["40.92.0.0/15", "40.107.0.0/16"],
        ),
        ('{"ranges": [{"cidr": "40.92.0.0/15", "reason": "10.0.0.0/8"}]}', ["40.92.0.0/15"]),
        ('{"ranges": []}', []),
        ("{ 40.92.0.0/15 }", ["40.92.0.0/15"]),
        ("[" * 100_000 + "40.92.0.0/15", ["40.92.0.0/15"]),
        (
            'cidr,name\n40.92.0.0/15,10.0.0.0/8\n\n"40.107.0.0/16","a\nb"\n',
            ["40.92.0.0/15", "40.107.0.0/16"],
        ),
        ('cidr,x\n40.92.0.0/15,"' + "y" * 200_000, ["40.92.0.0/15"]),
        ("", []),
        ("\n \x00\n", []),
    ],
)
def test_ranges_are_found_in_any_text(text: str, cidrs: list[str]) -> None:
    """Ranges are read from what people and tools write; comments and the rest are not."""
    assert IpRanges.parse(cidrs, strict=False) == ranges_in(text)


def test_what_postfix_answers_is_no_range() -> None:
    """On a line of a Postfix table, only the pattern is a range."""
    text = "40.92.0.0/15 REJECT not 10.0.0.0/8\n  [40.107.0.0/16] OK 11.0.0.0/8\n"
    assert IpRanges.parse(["40.92.0.0/15", "40.107.0.0/16"]) == ranges_in(text, first_only=True)


@pytest.mark.parametrize(
    "text", ["a." * 200_000 + "z", "a:" * 200_000 + "z", "1" * 400_000, ":" * 400_000]
)
def test_no_text_makes_reading_slow(text: str) -> None:
    """A line of addresses that never end is read in one pass (it would take minutes else)."""
    assert not ranges_in(text)


@given(st.binary(max_size=400))
def test_any_bytes_can_be_read(data: bytes) -> None:
    """Nothing that stands in a file stops the reader."""
    assert not read(data).belongs_to(MARK)


def test_what_is_not_utf8_is_nobodys() -> None:
    """A file in another encoding is foreign even with the mark in it, and its ranges are seen."""
    reading = read(f"# {MARK.sentence} \xe4\n40.92.0.0/15\n".encode("latin-1"))
    assert not reading.belongs_to(MARK)
    assert IpRanges.parse("40.92.0.0/15") == reading.ranges
    assert "no UTF-8 text" == reading.owner_words


@pytest.mark.parametrize(
    ("text", "belongs", "words"),
    [
        (f"# {MARK.sentence}\n", True, "owner=exosync, target=edge"),
        (f"# {Mark('exosync', 'other').sentence}\n", False, "owner=exosync, target=other"),
        (f"# {Mark('us', 'edge').sentence}\n", False, "owner=us, target=edge"),
        (
            f"# {MARK.sentence}\n# {Mark('us', 'edge').sentence}\n",
            False,
            "of owner=exosync, target=edge and of owner=us",
        ),
        ("40.92.0.0/15\n", False, "no mark"),
    ],
)
def test_a_file_belongs_to_the_one_mark_in_it(text: str, belongs: bool, words: str) -> None:
    """Another owner, another target or two marks are not ours."""
    reading = read(text.encode())
    assert belongs == reading.belongs_to(MARK)
    assert words in reading.owner_words


@pytest.mark.parametrize(
    ("data", "blank"), [(b"", True), (b"\xef\xbb\xbf \n\t", True), (b"\0", False)]
)
def test_white_space_is_nothing(data: bytes, blank: bool) -> None:
    """A file of white space holds nothing that could be anybody's."""
    assert blank == read(data).blank


@pytest.mark.parametrize(
    ("form", "address", "expected"),
    [
        (Format.PLAIN, "40.92.3.4", (3, "40.92.0.0/15", "")),
        (Format.PLAIN, "40.95.3.4", (5, "40.95.0.0/16", "extra: relay (10.0.0.0/8)")),
        (Format.POSTFIX, "40.95.3.4", (5, "40.95.0.0/16 OK", "extra: relay (10.0.0.0/8)")),
        (Format.NFTABLES, "40.95.3.4", (11, "40.95.0.0/16", "extra: relay (10.0.0.0/8)")),
        (Format.NFTABLES, "2a01:111:f400::9", (14, "2a01:111:f400::/48", "")),
        (
            Format.CSV,
            "40.95.3.4",
            (3, f'40.95.0.0/16,ipv4,extra,relay,10.0.0.0/8,,"{MARK}"', ""),
        ),
        (
            Format.JSON,
            "40.95.3.4",
            (
                8,
                (
                    '{"cidr": "40.95.0.0/16", "family": "ipv4", "origin": "extra", '
                    '"name": "relay", "reason": "10.0.0.0/8", "leaving_on": null}'
                ),
                "",
            ),
        ),
    ],
)
def test_the_line_of_an_address_is_found(
    form: Format, address: str, expected: tuple[int, str, str]
) -> None:
    """The line that holds an address comes with its number and the note above it."""
    extra = [("40.95.0.0/16", "relay", "10.0.0.0/8")]
    text = text_of(desired("40.92.0.0/15", "2a01:111:f400::/48", extra=extra), form)
    found = line_with(text, IpRanges.parse(address), first_only=form is Format.POSTFIX)
    assert found is not None
    assert expected == (found.number, found.text, found.note)


@pytest.mark.parametrize("form", Format)
def test_an_address_that_only_a_reason_names_has_no_line(form: Format) -> None:
    """What a reason mentions is not in the file."""
    text = text_of(desired("40.92.0.0/15", extra=[("40.95.0.0/16", "a", "10.0.0.0/8")]), form)
    assert line_with(text, IpRanges.parse("10.1.1.1")) is None
