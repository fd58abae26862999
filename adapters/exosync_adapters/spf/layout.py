"""How ranges are laid out in records behind one name: today, one record.

Pure. One name is one RRset, so that a change of it is one atomic write and no cached mix of
old and new can lack an address. Layouts of several records can be added here without the
rest noticing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from exosync.core.ranges import IpRanges
from exosync.core.target import Refusal
from exosync_adapters.rfc7208.record import OWNER_MODIFIER

MAX_OCTETS = 450
"""Name and text of all TXT values at a name, so that an answer fits 512 octets (RFC 7208, 3.4)."""

MAX_TERMS = 60
"""Terms in one record: libspf2 1.2.10 does not evaluate what stands after the 64th mechanism."""


@dataclass(frozen=True, slots=True)
class Laid:
    """The record for a name: its text, its figures, and why it cannot be published, if so.

    `octets` counts the name without its last dot and the text of every TXT value there,
    `terms` counts everything after `v=spf1`.
    """

    name: str
    text: str
    octets: int
    terms: int
    refusal: Refusal | None = None


def layout(ranges: IpRanges, owner: str, *, name: str, beside: Sequence[str] = ()) -> Laid:
    """The one record that authorises exactly these ranges.

    IPv4 first, in address order, as few CIDRs as possible, then the owner's mark and `-all`.
    `beside` are the other TXT values at the name: they share its answer. What does not fit
    comes back with a refusal that no approval lifts, for a record that is silently ignored
    by some receivers authorises nobody.
    """
    terms = [*(address_term(cidr) for cidr in ranges.cidrs()), f"{OWNER_MODIFIER}={owner}", "-all"]
    text = " ".join(["v=spf1", *terms])
    octets = answer_size(name, [text, *beside])
    return Laid(name, text, octets, len(terms), _refusal(name, octets, len(terms)))


def address_term(cidr: str) -> str:
    """A CIDR as an SPF term; the length of a single address is left out (RFC 7208, 5.6)."""
    address, _, length = cidr.partition("/")
    if ":" in address:
        return f"ip6:{address if length == '128' else cidr}"
    return f"ip4:{address if length == '32' else cidr}"


def answer_size(name: str, texts: Sequence[str]) -> int:
    """Octets of a name and of all its TXT values, as RFC 7208, section 3.4, adds them up."""
    return len(name.rstrip(".")) + sum(len(text.encode(errors="surrogateescape")) for text in texts)


def _refusal(name: str, octets: int, terms: int) -> Refusal | None:
    if octets <= MAX_OCTETS and terms <= MAX_TERMS:
        return None
    return Refusal(
        "record_size",
        f"the ranges do not fit into one SPF record at {name}: {octets} octets and {terms} "
        "terms; take ranges out (ranges.exclude, families: ipv4), remove other TXT values "
        "there, or use method: include",
        seen=f"{octets} octets, {terms} terms",
        limit=f"{MAX_OCTETS} octets, {MAX_TERMS} terms",
    )
