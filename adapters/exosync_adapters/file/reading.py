"""What stands in a file: whose it is, and which ranges it holds. Pure.

The text itself tells its format, so a file that was written in another format before the
configuration changed is still read in full. Lines end at LF alone, as the tools have it.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from exosync.core.ranges import IpRanges
from exosync.errors import RangeError
from exosync_adapters.file.formats import CSV_COLUMNS, HEADER_END
from exosync_adapters.file.mark import Mark

_COMMENT = re.compile(r"#.*|^\s*(?://|;|--).*")
_CSV_START = f"{CSV_COLUMNS[0]},"
# Bounded and possessive, so that no text can make the search slow. 45 is the length of the
# longest IPv6 address.
_TOKEN = re.compile(r"(?<![\w.])[0-9A-Fa-f:.]{2,45}+(?:/[0-9]{1,3}+)?+(?![\w:/])")


@dataclass(frozen=True, slots=True)
class Reading:
    """A file's text (LATIN-1 where it is not UTF-8), the marks in it and its ranges."""

    text: str
    marks: frozenset[Mark]
    ranges: IpRanges
    utf8: bool = True

    @property
    def blank(self) -> bool:
        """Whether nothing but white space is in it, so that there is nothing to own."""
        return not self.text.strip("\ufeff \t\r\n\f\v")

    def belongs_to(self, mark: Mark) -> bool:
        """Whether it carries this mark and no other."""
        return self.utf8 and self.marks == {mark}

    @property
    def owner_words(self) -> str:
        """What it carries, in words."""
        if not self.utf8:
            return "no UTF-8 text"
        if not self.marks:
            return "no mark of exosync"
        named = sorted((one.owner, one.target) for one in self.marks)
        told = " and of ".join(f"owner={owner}, target={target}" for owner, target in named)
        return f"the mark of {told}"


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the file that holds an address: its number from 1, its text, its comment."""

    number: int
    text: str
    note: str


def read(data: bytes, *, first_only: bool = False) -> Reading:
    """Read a whole file.

    `first_only`: on a line that begins with a CIDR, what follows is no range but what the
    file says of it (Postfix).
    """
    try:
        text, utf8 = data.decode(), True
    except UnicodeDecodeError:
        text, utf8 = data.decode("latin-1"), False
    return Reading(text, Mark.found_in(text), ranges_in(text, first_only=first_only), utf8)


def ranges_in(text: str, *, first_only: bool = False) -> IpRanges:
    """The ranges in a text; what is no address is passed over, host bits are cleared."""
    plain = text.removeprefix("\ufeff")
    found = _json_cidrs(plain)
    if found is None:
        found = _csv_cidrs(plain)
    if found is None:
        lines = plain.split("\n")
        found = [token for line in lines for token in _tokens(line, first_only=first_only)]
    return _parsed(found)


def line_with(text: str, address: IpRanges, *, first_only: bool = False) -> Line | None:
    """The first line that holds any of an address, with the comment right above it."""
    plain = text.removeprefix("\ufeff")
    most = 1 if plain.startswith((_CSV_START, "{")) else None
    before = ""
    for number, line in enumerate(plain.split("\n"), start=1):
        tokens = islice(_tokens(line, first_only=first_only), most)
        if not address.isdisjoint(_parsed(tokens)):
            is_note = before.startswith("#") and not before.startswith(HEADER_END)
            note = before.removeprefix("#").strip() if is_note else ""
            return Line(number, line.strip().removesuffix(","), note)
        before = line.strip()
    return None


def _json_cidrs(text: str) -> list[str] | None:
    """The CIDRs of a JSON file: ours by its list of ranges, another by all of its text."""
    if not text.lstrip().startswith(("{", "[")):
        return None
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    rows = value.get("ranges") if isinstance(value, dict) else None
    if isinstance(rows, list) and all(isinstance(row, dict) for row in rows):
        return [str(row.get("cidr", "")) for row in rows]
    return _TOKEN.findall(text)


def _csv_cidrs(text: str) -> list[str] | None:
    """The first column of a CSV file with our header."""
    if not text.startswith(_CSV_START):
        return None
    try:
        rows = list(csv.reader(io.StringIO(text, newline="")))
    except csv.Error:
        return None
    return [row[0].strip() for row in rows[1:] if row]


def _tokens(line: str, *, first_only: bool) -> Iterator[str]:
    """The texts in a line, comments left out, that may be addresses or CIDRs."""
    # Postfix also takes [2001:db8::]/32.
    plain = _COMMENT.sub("", line).replace("]/", "/")
    found = list(_TOKEN.finditer(plain))
    if first_only and found and not plain[: found[0].start()].strip(" \t["):
        found = found[:1]
    for token in found:
        text = token.group() if "/" in token.group() else token.group().rstrip(".")
        # A plain number is no address, and "::" is punctuation more often than an address.
        if text != "::" and ("." in text or ":" in text):
            yield text


def _parsed(tokens: Iterable[str]) -> IpRanges:
    texts = list(tokens)
    try:
        return IpRanges.parse(texts, strict=False)
    except RangeError:
        return IpRanges.parse(filter(_is_range, texts), strict=False)


def _is_range(text: str) -> bool:
    try:
        IpRanges.parse(text, strict=False)
    except RangeError:
        return False
    return True
