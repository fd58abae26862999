"""Sets of IPv4 and IPv6 addresses as one immutable value.

Inside, each family is two ascending tuples of integers: where its spans start, and the
address after each span's last. Spans are disjoint and never touch, so equal sets are equal
tuples. Everything is done on the starts and the ends separately, which leaves the loops to
`sorted`, `map` and `compress`: with both sorted, the ends before a start tell how many spans
are open there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache

from exosync.core.addresses import (
    FAMILIES,
    IPV4,
    IPV6,
    Family,
    cidrs4,
    cidrs6,
    family_of,
    read_block,
    read_blocks,
)
from exosync.core.spans import (
    NOTHING,
    Spans,
    blocks,
    common,
    gathered,
    holds,
    joined,
    within,
    without,
)

_REPR_MOST = 8  # CIDRs


@dataclass(frozen=True, slots=True, repr=False)
class IpRanges:
    """A set of IPv4 and IPv6 addresses, made by `IpRanges.parse`; `IpRanges()` is empty.

    It compares by its addresses alone, however they were written. An IPv4-mapped address
    (::ffff:0:0/96) is IPv6. Its texts are the fewest CIDRs that hold exactly these
    addresses, IPv4 first, in address order: IPv4 in dotted decimals, IPv6 as RFC 5952 has it
    (mixed notation for ::ffff:0:0/96 alone), a single address with /32 or /128.
    """

    _v4: Spans = field(default=NOTHING, init=False)
    _v6: Spans = field(default=NOTHING, init=False)

    @classmethod
    def parse(cls, items: str | Iterable[str], *, strict: bool = True) -> IpRanges:
        """Read CIDRs ("40.92.0.0/15", "2a01:111:f403::/48") and bare addresses.

        A plain text is one item. Host bits are refused, or cleared if not `strict`.
        Refused always: short forms, leading zeros in IPv4 and in prefix lengths, netmasks,
        zones, blanks, and digits beyond ASCII. Raises RangeError for the first bad item.
        """
        starts4, ends4, starts6, ends6 = read_blocks(
            [items] if isinstance(items, str) else list(items), strict=strict
        )
        return _made(joined(starts4, ends4), joined(starts6, ends6))

    @staticmethod
    def sort_key(cidr: str) -> tuple[int, int, int]:
        """A CIDR's place in address order: its family, first address and prefix length."""
        family, first, size = read_block(cidr)
        return family.version, first, family.prefix(size)

    def union(self, *others: IpRanges) -> IpRanges:
        """The addresses of all of them."""
        every = (self, *others)
        v4, v6 = zip(*((one._v4, one._v6) for one in every), strict=True)  # noqa: SLF001 ours
        return _made(gathered(v4), gathered(v6))

    def __or__(self, other: IpRanges) -> IpRanges:
        if not isinstance(other, IpRanges):
            return NotImplemented
        return self.union(other)

    def __and__(self, other: IpRanges) -> IpRanges:
        if not isinstance(other, IpRanges):
            return NotImplemented
        return _made(common(self._v4, other._v4), common(self._v6, other._v6))

    def __sub__(self, other: IpRanges) -> IpRanges:
        if not isinstance(other, IpRanges):
            return NotImplemented
        return _made(without(self._v4, other._v4), without(self._v6, other._v6))

    def __xor__(self, other: IpRanges) -> IpRanges:
        if not isinstance(other, IpRanges):
            return NotImplemented
        return (self - other) | (other - self)

    def __le__(self, other: IpRanges) -> bool:
        if not isinstance(other, IpRanges):
            return NotImplemented
        return within(self._v4, other._v4) and within(self._v6, other._v6)

    def __ge__(self, other: IpRanges) -> bool:
        if not isinstance(other, IpRanges):
            return NotImplemented
        return other <= self

    def __contains__(self, item: object) -> bool:
        """Whether all of an address, a CIDR (both as text) or other ranges is in here.

        Raises RangeError for a text that is neither.
        """
        if isinstance(item, IpRanges):
            return item <= self
        if not isinstance(item, str):
            raise TypeError(f"IpRanges hold texts and IpRanges, not {type(item).__name__}")
        family, first, size = read_block(item)
        return holds(self._v4 if family is IPV4 else self._v6, first, first + size)

    def isdisjoint(self, other: IpRanges) -> bool:
        """Whether no address is in both."""
        return not self & other

    def __bool__(self) -> bool:
        return bool(self._v4[0] or self._v6[0])

    def __len__(self) -> int:
        """The number of minimal CIDRs."""
        return sum(len(blocks(self._spans(family))[0]) for family in FAMILIES)

    def __iter__(self) -> Iterator[str]:
        return iter(self.cidrs())

    def __repr__(self) -> str:
        cidrs = self.cidrs()
        if not cidrs:
            return "IpRanges()"
        if len(cidrs) <= _REPR_MOST:
            return f"IpRanges.parse({list(cidrs)!r})"
        return f"<IpRanges of {len(cidrs):,} CIDRs: {', '.join(cidrs[:3])}, …, {cidrs[-1]}>"

    def cidrs(self) -> tuple[str, ...]:
        """The fewest CIDRs that hold exactly these addresses."""
        return (*cidrs4(*blocks(self._v4)), *cidrs6(*blocks(self._v6)))

    def split(self, *, ipv4: int, ipv6: int) -> tuple[str, ...]:
        """The minimal CIDRs, those with a prefix shorter than given cut into that length.

        `count_split` tells beforehand how many. Raises ValueError for a prefix length that
        the family does not have.
        """
        return tuple(
            family.text(part) + family.suffixes[min(size, most)]
            for family, first, size, most in self._cuts(ipv4, ipv6)
            for part in range(first, first + size, min(size, most))
        )

    def count_split(self, *, ipv4: int, ipv6: int) -> int:
        """How many CIDRs `split` would give, without making them."""
        return sum(max(1, size // most) for _, _, size, most in self._cuts(ipv4, ipv6))

    def addresses(self, version: int) -> int:
        """The number of addresses of one family, 4 or 6."""
        starts, ends = self._spans(family_of(version))
        return sum(ends) - sum(starts)

    def family(self, version: int) -> IpRanges:
        """The part of one family, 4 or 6."""
        return _made(self._v4, NOTHING) if family_of(version) is IPV4 else _made(NOTHING, self._v6)

    def intervals(self, version: int) -> tuple[tuple[int, int], ...]:
        """First and last address of every span of one family, as integers, in order."""
        starts, ends = self._spans(family_of(version))
        return tuple((first, end - 1) for first, end in zip(starts, ends, strict=True))

    def widest(self, version: int) -> int | None:
        """The shortest prefix length among the minimal CIDRs of one family, None without any."""
        family = family_of(version)
        _, sizes = blocks(self._spans(family))
        return family.prefix(max(sizes)) if sizes else None

    def first(self, version: int) -> str | None:
        """The lowest address of one family, None without any."""
        family = family_of(version)
        starts, _ = self._spans(family)
        return family.text(starts[0]) if starts else None

    def samples(self) -> tuple[str, ...]:
        """One address inside each minimal CIDR, in their order.

        It is the middle one, since the first of a network may be treated in its own way;
        of one or two addresses it is the first.
        """
        return tuple(
            family.text(first + size // 2 if size > 2 else first)
            for family, first, size in self._all_blocks()
        )

    def outside(self, version: int) -> str | None:
        """One public unicast address of a family that is in none of the ranges, or None.

        It is the middle of the widest gap, so it is far from what neighbours may hold.
        """
        family = family_of(version)
        gaps = (_public() - self).intervals(version)
        if not gaps:
            return None
        first, last = max(gaps, key=lambda gap: gap[1] - gap[0])
        return family.text((first + last + 1) // 2)

    def _spans(self, family: Family) -> Spans:
        return self._v4 if family is IPV4 else self._v6

    def _all_blocks(self) -> Iterator[tuple[Family, int, int]]:
        for family in FAMILIES:
            for first, size in zip(*blocks(self._spans(family)), strict=True):
                yield family, first, size

    def _cuts(self, ipv4: int, ipv6: int) -> Iterator[tuple[Family, int, int, int]]:
        """Every minimal block with the size that it may have at most."""
        for family, prefix in ((IPV4, ipv4), (IPV6, ipv6)):
            if not 0 <= prefix <= family.bits:
                raise ValueError(f"IPv{family.version} has no prefix length {prefix}")
        most = {IPV4: 1 << 32 - ipv4, IPV6: 1 << 128 - ipv6}
        for family, first, size in self._all_blocks():
            yield family, first, size, most[family]


def _made(v4: Spans, v6: Spans) -> IpRanges:
    made = IpRanges()
    object.__setattr__(made, "_v4", v4)
    object.__setattr__(made, "_v6", v6)
    return made


@cache
def _public() -> IpRanges:
    return IpRanges.parse(("0.0.0.0/0", "2000::/3")) - IpRanges.parse(_NOT_PUBLIC)


# What is not public unicast: IANA's special-purpose registries (RFC 6890) and multicast.
# Outside 2000::/3 nothing is given out of IPv6.
_NOT_PUBLIC = (
    *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16"),
    *("172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24"),
    *("192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24", "198.18.0.0/15"),
    *("198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/3"),
    *("2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3ffe::/16"),
    "3fff::/20",
)
