"""What a record and all that it includes authorise, read off the texts.

Pure, apart from `gather`, which is handed the way to fetch a record. Only terms that name
addresses can be read like this; `a`, `mx`, `exists`, `ptr` and macros depend on more than
texts and count as authorising nobody. The result is therefore never too large.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from exosync.core.ranges import IpRanges
from exosync_adapters.rfc7208.record import Record, SpfSyntaxError, Term, find_spf, parse

MOST_RECORDS = 40
"""Records fetched of one tree; ten lookups allow eleven, so this only bounds broken trees."""

MOST_VISITS = 200
"""Records looked into by one walk: one that includes another twice, and so on, has no end."""

EVERYWHERE = IpRanges.parse(["0.0.0.0/0", "::/0"])

Fetch = Callable[[str], tuple[str, ...] | None]
"""The TXT values at a name; None if no server gave an answer."""

Records = Mapping[str, str]
"""The one SPF record at each name of a tree."""


def gather(names: tuple[str, ...], fetch: Fetch) -> dict[str, str]:
    """The SPF record of each of these names and of every name that they lead to.

    A name with no record, with several, or without an answer is left out.
    """
    found: dict[str, str] = {}
    waiting, seen = list(names), set(names)
    while waiting and len(seen) <= MOST_RECORDS:
        name = waiting.pop(0)
        text = the_record(fetch(name) or ())
        if text is None:
            continue
        found[name] = text
        following = [one for one in names_in(text) if one not in seen]
        seen.update(following)
        waiting += following
    return found


def the_record(texts: tuple[str, ...]) -> str | None:
    """The one SPF record among TXT values; None if there is none or more than one."""
    places = find_spf(texts)
    return texts[places[0]] if len(places) == 1 else None


def names_in(text: str) -> tuple[str, ...]:
    """The names that a record includes or redirects to, without those that hold a macro."""
    record = _parsed(text)
    return tuple(dict.fromkeys(one.plain_domain for one in _leading(record) if one.plain_domain))


def authorised(records: Records, name: str) -> IpRanges:
    """The addresses that the record at this name surely gives `pass`."""
    return _Walk(records).at(name, EVERYWHERE, frozenset())[0]


def expansion(records: Records, name: str) -> IpRanges | None:
    """The same, or None where the record or one that it includes is missing or broken."""
    passed, broken = _Walk(records).at(name, EVERYWHERE, frozenset())
    return None if broken else passed


def reached(records: Records, name: str) -> frozenset[str]:
    """The names whose `pass` is also a pass of this name, itself among them."""
    found: set[str] = set()
    waiting = [name]
    while waiting:
        one = waiting.pop()
        if one in found:
            continue
        found.add(one)
        record = _parsed(records.get(one, ""))
        waiting += [term.plain_domain for term in _leading(record) if term.qualifier in ("+", "")]
    return frozenset(found - {""})


def undetermined(records: Records) -> bool:
    """Whether any record has a passing term whose addresses no text tells."""
    parsed = [_parsed(text) for text in records.values()]
    return any(
        "%" in term.domain or term.name in ("a", "mx", "ptr", "exists")
        for record in parsed
        if record is not None
        for term in (*record.reached, *((record.redirect,) if record.redirect else ()))
    )


def _leading(record: Record | None) -> list[Term]:
    if record is None:
        return []
    includes = [term for term in record.reached if term.name == "include"]
    return includes + ([record.redirect] if record.redirect else [])


def _parsed(text: str) -> Record | None:
    try:
        return parse(text)
    except SpfSyntaxError:
        return None


class _Walk:
    """One evaluation of all addresses at once, term by term as RFC 7208, section 4.6.2, has it.

    Each call gives the part of `left` that passes, and the part that ends in an error.
    """

    def __init__(self, records: Records) -> None:
        self._records = records
        self._visits = 0

    def at(self, name: str, left: IpRanges, above: frozenset[str]) -> tuple[IpRanges, IpRanges]:
        """The record at a name. `above` are the names on the way to it."""
        self._visits += 1
        record = _parsed(self._records.get(name, ""))
        if record is None or name in above or self._visits > MOST_VISITS:
            return IpRanges(), left
        passed = broken = IpRanges()
        for term in record.reached:
            matched, errors = self._matched(term, left, above | {name})
            if term.passes:
                passed |= matched
            broken |= errors
            left = left - matched - errors
        more, errors = self._rest(record, left, above | {name})
        return passed | more, broken | errors

    def _matched(
        self, term: Term, left: IpRanges, above: frozenset[str]
    ) -> tuple[IpRanges, IpRanges]:
        if term.name == "include" and "%" not in term.domain:
            return self.at(term.plain_domain, left, above)
        return term.ranges & left, IpRanges()

    def _rest(
        self, record: Record, left: IpRanges, above: frozenset[str]
    ) -> tuple[IpRanges, IpRanges]:
        """What no mechanism matched goes to `all`, else to the redirect."""
        if record.all is not None:
            return (left if record.all.passes else IpRanges()), IpRanges()
        if record.redirect is not None:
            return self.at(record.redirect.plain_domain, left, above)
        return IpRanges(), IpRanges()
