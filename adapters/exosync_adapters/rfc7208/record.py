"""An SPF record as text: strict parsing, comparing terms, and putting one term in.

Pure. The grammar is that of RFC 7208, section 12; a record that breaks it anywhere gives
`permerror` for all mail (section 4.6), so nothing here guesses. Every term keeps its exact
text and its place, so that an edit changes nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from exosync.core.ranges import IpRanges
from exosync.errors import RangeError

OWNER_MODIFIER = "exo-owner"
"""Name of the modifier that marks a record as ours; unknown modifiers are ignored (section 6)."""

LOOKUP_TERMS = frozenset({"include", "a", "mx", "ptr", "exists", "redirect"})
"""The terms that count towards the limit of ten lookups (section 4.6.4)."""

_MECHANISMS = frozenset({"all", "include", "a", "mx", "ptr", "ip4", "ip6", "exists"})
_VERSION = re.compile(r"v=spf1(?= |\Z)", re.IGNORECASE)
_MODIFIER = re.compile(r"([A-Za-z][A-Za-z0-9\-_.]*)=(.*)")
_DIRECTIVE = re.compile(r"([+\-?~]?)([A-Za-z][A-Za-z0-9]*)(.*)")
_MACRO = r"%(?:[%_-]|\{[slodiphvSLODIPHV](?:0*[1-9][0-9]*)?[rR]?[.\-+,/_=]*\})"
_LABEL = r"(?:[A-Za-z0-9]*[A-Za-z][A-Za-z0-9]*|[A-Za-z0-9]+-[A-Za-z0-9-]*[A-Za-z0-9])"
_MACRO_STRING = re.compile(rf"(?:{_MACRO}|[!-$&-~])*")
_DOMAIN = re.compile(rf"(?:{_MACRO}|[!-$&-~])*(?:\.{_LABEL}\.?|{_MACRO})")
_LENGTHS = re.compile(r"(.*?)(?:/([0-9]+))?(?://([0-9]+))?", re.DOTALL)
_NUMBER = re.compile(r"0|[1-9][0-9]{0,2}")


class SpfSyntaxError(ValueError):
    """A text is not a valid SPF record or term. Does not leave this package."""


@dataclass(frozen=True, slots=True)
class Term:
    """One directive or modifier: its exact `text` and where it starts in the record.

    `qualifier` is one of + - ~ ? and empty for a modifier; `domain` is the domain-spec (or a
    modifier's value) as written, empty where none is given; `ranges` are those of ip4 and
    ip6; `length4` and `length6` are the prefix lengths of `a` and `mx`.
    """

    text: str
    start: int
    name: str
    qualifier: str = ""
    domain: str = ""
    ranges: IpRanges = IpRanges()
    length4: int = 32
    length6: int = 128

    @property
    def passes(self) -> bool:
        """Whether a match of this term authorises."""
        return self.qualifier == "+"

    @property
    def plain_domain(self) -> str:
        """The domain-spec in lower case without its last dot; empty if it holds a macro."""
        return "" if "%" in self.domain else self.domain.lower().rstrip(".")


@dataclass(frozen=True, slots=True)
class Record:
    """A parsed record: its exact text and its terms in order."""

    text: str
    terms: tuple[Term, ...]

    @property
    def reached(self) -> tuple[Term, ...]:
        """The mechanisms before the first `all`; what stands after it is never evaluated."""
        found: list[Term] = []
        for term in self.terms:
            if term.name == "all" and term.qualifier:
                break
            if term.qualifier:
                found.append(term)
        return tuple(found)

    @property
    def all(self) -> Term | None:
        """The first `all`."""
        return next((one for one in self.terms if one.name == "all" and one.qualifier), None)

    def modifier(self, name: str) -> Term | None:
        """The first modifier of this name."""
        return next((one for one in self.terms if one.name == name and not one.qualifier), None)

    @property
    def redirect(self) -> Term | None:
        """The redirect that takes effect: an `all` anywhere disables it (section 6.1)."""
        return None if self.all else self.modifier("redirect")


def is_spf(text: str) -> bool:
    """Whether a TXT value is an SPF record: `v=spf1` and then a space or the end (4.5)."""
    return _VERSION.match(text) is not None


def find_spf(texts: Sequence[str]) -> tuple[int, ...]:
    """The places of the SPF records among the TXT values of a name; more than one is wrong."""
    return tuple(place for place, text in enumerate(texts) if is_spf(text))


def parse(text: str) -> Record:
    """Parse a whole record, strictly.

    Raises SpfSyntaxError, which names the term.
    """
    if not is_spf(text):
        raise SpfSyntaxError("it does not begin with v=spf1 and a space")
    terms = tuple(
        parse_term(found.group(), start=found.start()) for found in _words(text) if found.start()
    )
    for name in ("redirect", "exp"):
        if sum(1 for one in terms if one.name == name and not one.qualifier) > 1:
            raise SpfSyntaxError(f"{name}= stands in it more than once")
    return Record(text, terms)


def parse_term(text: str, *, start: int = 0) -> Term:
    """Parse one term. Raises SpfSyntaxError."""
    if not text or not text.isascii() or not text.isprintable() or " " in text:
        raise SpfSyntaxError(f"{text!r} holds a character that is not allowed in a term")
    if found := _MODIFIER.fullmatch(text):
        return _modifier(text, start, found[1].lower(), found[2])
    found = _DIRECTIVE.fullmatch(text)
    if found is None or found[2].lower() not in _MECHANISMS:
        raise SpfSyntaxError(f"{text!r} is not a mechanism of RFC 7208")
    return _directive(text, start, found[1] or "+", found[2].lower(), found[3])


def insert_term(text: str, term: str) -> str:
    """The record with one more term in the right place, every other byte as it was.

    Immediately before the first `all`, for nothing after it is reached; without one, before
    the first `redirect=` or `exp=`; else at the end. Raises SpfSyntaxError if the record or
    the term is not valid.
    """
    record = parse(text)
    parse_term(term)
    ends = [one for one in (record.modifier("redirect"), record.modifier("exp")) if one]
    before = record.all or min(ends, key=lambda one: one.start, default=None)
    if before is not None:
        return f"{text[: before.start]}{term} {text[before.start :]}"
    return f"{text}{term}" if text.endswith(" ") else f"{text} {term}"


def has_term(record: Record, term: Term, *, domain: str) -> bool:
    """Whether the record holds this term or one that means the same, where it is reached.

    Upper and lower case, a leading `+`, a trailing dot and a left out `<domain>` make no
    difference. An ip4 or ip6 term is there when the passing ip terms together hold all of
    its addresses.
    """
    reached = record.reached
    if term.name in ("ip4", "ip6"):
        return term.ranges <= _union(one.ranges for one in reached if one.passes)
    wanted = _meaning(term, domain)
    return any(_meaning(one, domain) == wanted for one in reached)


def owner_of(text: str) -> str | None:
    """The id in the mark `exo-owner=<id>`; None without a mark, or with marks that differ.

    Works on a record with a syntax error too, for a damaged record of ours is still ours.
    """
    found = {
        match[2]
        for word in _words(text)
        if (match := _MODIFIER.fullmatch(word.group())) and match[1].lower() == OWNER_MODIFIER
    }
    return found.pop() if len(found) == 1 else None


def ranges_in(text: str) -> IpRanges:
    """The addresses of the passing ip4 and ip6 terms; what cannot be parsed is left out."""
    found: list[IpRanges] = []
    for word in _words(text):
        try:
            term = parse_term(word.group())
        except SpfSyntaxError:
            continue
        if term.passes:
            found.append(term.ranges)
    return _union(found)


def count_lookups(record: Record) -> int:
    """How many of the record's own terms count towards the ten lookups; nothing nested."""
    return sum(term.name in LOOKUP_TERMS for term in record.reached) + bool(record.redirect)


def _words(text: str) -> Iterable[re.Match[str]]:
    return re.finditer(r"[^ ]+", text)


def _union(parts: Iterable[IpRanges]) -> IpRanges:
    return IpRanges().union(*parts)


def _meaning(term: Term, domain: str) -> tuple[str, str, str, int, int]:
    written = term.domain.lower().rstrip(".")
    implied = domain if term.name in ("a", "mx", "ptr") else ""
    return (term.qualifier, term.name, written or implied, term.length4, term.length6)


def _modifier(text: str, start: int, name: str, value: str) -> Term:
    shape = _DOMAIN if name in ("redirect", "exp") else _MACRO_STRING
    if shape.fullmatch(value) is None:
        raise SpfSyntaxError(f"{text!r} has no valid value")
    return Term(text, start, name, domain=value)


def _directive(text: str, start: int, qualifier: str, name: str, rest: str) -> Term:
    match name:
        case "all":
            if rest:
                raise SpfSyntaxError(f"{text!r}: all takes no argument")
            return Term(text, start, name, qualifier)
        case "ip4" | "ip6":
            return Term(text, start, name, qualifier, ranges=_network(text, name, rest))
        case "include" | "exists":
            return Term(text, start, name, qualifier, domain=_domain(text, rest))
        case "ptr":
            return Term(text, start, name, qualifier, domain=_domain(text, rest) if rest else "")
        case _:
            return _host(text, start, qualifier, name, rest)


def _domain(text: str, rest: str) -> str:
    if not rest.startswith(":") or _DOMAIN.fullmatch(rest[1:]) is None:
        raise SpfSyntaxError(f"{text!r} has no valid domain name")
    return rest[1:]


def _host(text: str, start: int, qualifier: str, name: str, rest: str) -> Term:
    found = _LENGTHS.fullmatch(rest)
    if found is None:  # pragma: no cover - the pattern matches every text
        raise SpfSyntaxError(f"{text!r} is not valid")
    host, four, six = found.groups()
    return Term(
        text,
        start,
        name,
        qualifier,
        domain=_domain(text, host) if host else "",
        length4=_length(text, four, 32),
        length6=_length(text, six, 128),
    )


def _network(text: str, name: str, rest: str) -> IpRanges:
    limit = 32 if name == "ip4" else 128
    address, slash, length = rest[1:].partition("/")
    if not rest.startswith(":"):
        raise SpfSyntaxError(f"{text!r} names no address")
    bits = _length(text, length if slash else None, limit)
    try:
        if (":" in address) != (name == "ip6"):
            raise RangeError
        return IpRanges.parse(f"{address}/{bits}", strict=False)
    except RangeError:
        raise SpfSyntaxError(f"{text!r} holds no valid {name} address") from None


def _length(text: str, digits: str | None, limit: int) -> int:
    if digits is None:
        return limit
    if _NUMBER.fullmatch(digits) is None or int(digits) > limit:
        raise SpfSyntaxError(f"{text!r}: the prefix length is not 0 to {limit}")
    return int(digits)
