"""A judge of SPF that is not ours: pyspf, over a DNS that the test hands it.

pyspf passes the test suite of RFC 7208. It is used by tests alone.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import dns.message
import dns.query
import dns.rdatatype

with warnings.catch_warnings():
    # pyspf 2.0.14 is older than Python's warning on escapes such as \d.
    warnings.simplefilter("ignore")
    import spf

Ask = Callable[[str, str], list[Any]]
"""The records of a name and type, as pyspf wants them: TXT as tuples of octet strings."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What pyspf says: a word of RFC 7208, section 2.6, its reason, and the lookups."""

    result: str
    reason: str
    lookups: int
    voids: int


def judge(address: str, domain: str, ask: Ask, *, record: str | None = None) -> Judgement:
    """Evaluate mail of a domain from an address; `record` stands in for the domain's own."""
    before = spf.DNSLookup
    spf.DNSLookup = lambda name, rdtype, *_args: [
        ((name, rdtype), one) for one in ask(name, rdtype)
    ]
    try:
        query = spf.query(address, f"postmaster@{domain}", domain)
        result, _, reason = query.check(record)
    finally:
        spf.DNSLookup = before
    return Judgement(result, reason, query.lookups, query.void_lookups)


def any_host(_name: str, rdtype: str) -> list[Any]:
    """A DNS where every host exists and no name has an SPF record."""
    known: dict[str, list[Any]] = {
        "A": ["203.0.113.1"],
        "AAAA": ["2001:db8:ffff::1"],
        "MX": [(10, "mx.example.net")],
    }
    return known.get(rdtype, [])


def from_texts(texts: dict[str, str]) -> Ask:
    """A DNS of nothing but one TXT value at each of these names."""

    def ask(name: str, rdtype: str) -> list[Any]:
        found = texts.get(name.lower().rstrip("."))
        return [(found.encode(),)] if found and rdtype == "TXT" else []

    return ask


def from_server(address: str, port: int) -> Ask:
    """The DNS as one server tells it, asked over TCP each time."""

    def ask(name: str, rdtype: str) -> list[Any]:
        if rdtype == "SPF":  # type 99, which RFC 7208 no longer knows
            return []
        query = dns.message.make_query(name, rdtype, use_edns=False)
        answer = dns.query.tcp(query, address, port=port, timeout=60)
        wanted = dns.rdatatype.from_text(rdtype)
        return [_value(one) for rrset in answer.answer if rrset.rdtype == wanted for one in rrset]

    return ask


def _value(record: Any) -> Any:
    match record.rdtype:
        case dns.rdatatype.TXT:
            return record.strings
        case dns.rdatatype.MX:
            return record.preference, record.exchange
        case dns.rdatatype.PTR:
            return record.target.to_text(omit_final_dot=True)
        case _:
            return record.address
