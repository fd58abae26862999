"""Sets of IPv4 and IPv6 addresses as one immutable value.

Inside, each family is two ascending tuples of integers: where its spans start, and the
address after each span's last. Spans are disjoint and never touch, so equal sets are equal
tuples. Everything is done on the starts and the ends separately, which leaves the loops to
`sorted`, `map` and `compress`: with both sorted, the ends before a start tell how many spans
are open there.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from itertools import chain, compress
from operator import gt, lt
from socket import AF_INET, AF_INET6, AddressFamily, inet_pton
from struct import pack, unpack

from exosync.errors import RangeError

_Spans = tuple[tuple[int, ...], tuple[int, ...]]
_NOTHING: _Spans = ((), ())
_BEYOND = 1 << 129  # greater than any address of either family

_REPR_MOST = 8  # CIDRs
_SHOWN_MOST = 60  # characters of an offending text


@dataclass(frozen=True, slots=True, eq=False)
class _Family:
    """What differs between the families. A size is the number of addresses of a block."""

    version: int
    bits: int
    af: AddressFamily
    sizes: Mapping[str, int]
    suffixes: Mapping[int, str]
    text: Callable[[int], str]

    def prefix(self, size: int) -> int:
        """The prefix length of a block."""
        return self.bits + 1 - size.bit_length()


@dataclass(frozen=True, slots=True, repr=False)
class IpRanges:
    """A set of IPv4 and IPv6 addresses, made by `IpRanges.parse`; `IpRanges()` is empty.

    It compares by its addresses alone, however they were written. An IPv4-mapped address
    (::ffff:0:0/96) is IPv6. Its texts are the fewest CIDRs that hold exactly these
    addresses, IPv4 first, in address order: IPv4 in dotted decimals, IPv6 as RFC 5952 has it
    (mixed notation for ::ffff:0:0/96 alone), a single address with /32 or /128.
    """

    _v4: _Spans = field(default=_NOTHING, init=False)
    _v6: _Spans = field(default=_NOTHING, init=False)

    @classmethod
    def parse(cls, items: str | Iterable[str], *, strict: bool = True) -> IpRanges:
        """Read CIDRs ("40.92.0.0/15", "2a01:111:f403::/48") and bare addresses.

        A plain text is one item. Host bits are refused, or cleared if not `strict`.
        Refused always: short forms, leading zeros in IPv4 and in prefix lengths, netmasks,
        zones, blanks, and digits beyond ASCII. Raises RangeError for the first bad item.
        """
        starts4, ends4, starts6, ends6 = _read(
            [items] if isinstance(items, str) else list(items), strict=strict
        )
        return _made(_joined(starts4, ends4), _joined(starts6, ends6))

    @staticmethod
    def sort_key(cidr: str) -> tuple[int, int, int]:
        """A CIDR's place in address order: its family, first address and prefix length."""
        family, first, size = _block(cidr)
        return family.version, first, family.prefix(size)

    def union(self, *others: IpRanges) -> IpRanges:
        """The addresses of all of them."""
        every = (self, *others)
        v4, v6 = zip(*((one._v4, one._v6) for one in every), strict=True)  # noqa: SLF001 ours
        return _made(_gathered(v4), _gathered(v6))

    def __or__(self, other: IpRanges) -> IpRanges:
        if not isinstance(other, IpRanges):
            return NotImplemented
        return self.union(other)

    def __and__(self, other: IpRanges) -> IpRanges:
        if not isinstance(other, IpRanges):
            return NotImplemented
        return _made(_common(self._v4, other._v4), _common(self._v6, other._v6))

    def __sub__(self, other: IpRanges) -> IpRanges:
        if not isinstance(other, IpRanges):
            return NotImplemented
        return _made(_without(self._v4, other._v4), _without(self._v6, other._v6))

    def __xor__(self, other: IpRanges) -> IpRanges:
        if not isinstance(other, IpRanges):
            return NotImplemented
        return (self - other) | (other - self)

    def __le__(self, other: IpRanges) -> bool:
        if not isinstance(other, IpRanges):
            return NotImplemented
        return _within(self._v4, other._v4) and _within(self._v6, other._v6)

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
        family, first, size = _block(item)
        return _holds(self._v4 if family is _IPV4 else self._v6, first, first + size)

    def isdisjoint(self, other: IpRanges) -> bool:
        """Whether no address is in both."""
        return not self & other

    def __bool__(self) -> bool:
        return bool(self._v4[0] or self._v6[0])

    def __len__(self) -> int:
        """The number of minimal CIDRs."""
        return sum(len(_blocks(self._spans(family))[0]) for family in _FAMILIES)

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
        return (*_cidrs4(*_blocks(self._v4)), *_cidrs6(*_blocks(self._v6)))

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
        starts, ends = self._spans(_family(version))
        return sum(ends) - sum(starts)

    def family(self, version: int) -> IpRanges:
        """The part of one family, 4 or 6."""
        return _made(self._v4, _NOTHING) if _family(version) is _IPV4 else _made(_NOTHING, self._v6)

    def intervals(self, version: int) -> tuple[tuple[int, int], ...]:
        """First and last address of every span of one family, as integers, in order."""
        starts, ends = self._spans(_family(version))
        return tuple((first, end - 1) for first, end in zip(starts, ends, strict=True))

    def widest(self, version: int) -> int | None:
        """The shortest prefix length among the minimal CIDRs of one family, None without any."""
        family = _family(version)
        _, sizes = _blocks(self._spans(family))
        return family.prefix(max(sizes)) if sizes else None

    def first(self, version: int) -> str | None:
        """The lowest address of one family, None without any."""
        family = _family(version)
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
        family = _family(version)
        gaps = (_public() - self).intervals(version)
        if not gaps:
            return None
        first, last = max(gaps, key=lambda gap: gap[1] - gap[0])
        return family.text((first + last + 1) // 2)

    def _spans(self, family: _Family) -> _Spans:
        return self._v4 if family is _IPV4 else self._v6

    def _all_blocks(self) -> Iterator[tuple[_Family, int, int]]:
        for family in _FAMILIES:
            for first, size in zip(*_blocks(self._spans(family)), strict=True):
                yield family, first, size

    def _cuts(self, ipv4: int, ipv6: int) -> Iterator[tuple[_Family, int, int, int]]:
        """Every minimal block with the size that it may have at most."""
        for family, prefix in ((_IPV4, ipv4), (_IPV6, ipv6)):
            if not 0 <= prefix <= family.bits:
                raise ValueError(f"IPv{family.version} has no prefix length {prefix}")
        most = {_IPV4: 1 << 32 - ipv4, _IPV6: 1 << 128 - ipv6}
        for family, first, size in self._all_blocks():
            yield family, first, size, most[family]


def _made(v4: _Spans, v6: _Spans) -> IpRanges:
    made = IpRanges()
    object.__setattr__(made, "_v4", v4)
    object.__setattr__(made, "_v6", v6)
    return made


# Spans: the algebra


def _joined(starts: list[int], ends: list[int]) -> _Spans:
    """Spans of what may overlap and touch: one ends where all that started have ended."""
    if not starts:
        return _NOTHING
    starts.sort()
    ends.sort()
    later = starts[1:]
    apart = list(map(lt, ends, later))
    return (starts[0], *compress(later, apart)), (*compress(ends, apart), ends[-1])


def _gathered(parts: Iterable[_Spans]) -> _Spans:
    filled = [part for part in parts if part[0]]
    if len(filled) == 1:
        return filled[0]
    starts, ends = ([*chain.from_iterable(part[side] for part in filled)] for side in (0, 1))
    return _joined(starts, ends)


def _common(a: _Spans, b: _Spans) -> _Spans:
    """What is in both: from a start to the next end, where something is open already."""
    if not a[0] or not b[0]:
        return _NOTHING
    starts = sorted(a[0] + b[0])
    ends = sorted(a[1] + b[1])
    later = starts[1:]
    open_already = list(map(gt, ends, later))
    return tuple(compress(later, open_already)), tuple(compress(ends, open_already))


def _without(a: _Spans, b: _Spans) -> _Spans:
    """What is in `a` and in the gaps of `b`, the space before and after it included."""
    if not a[0] or not b[0]:
        return a
    return _common(a, ((-1, *b[1]), (*b[0], _BEYOND)))


def _holds(spans: _Spans, first: int, end: int) -> bool:
    starts, ends = spans
    at = bisect_right(starts, first)
    return at > 0 and end <= ends[at - 1]


def _within(a: _Spans, b: _Spans) -> bool:
    return all(_holds(b, first, end) for first, end in zip(*a, strict=True))


def _blocks(spans: _Spans) -> tuple[list[int], list[int]]:
    """The fewest aligned blocks that make up the spans: first addresses and sizes."""
    firsts: list[int] = []
    sizes: list[int] = []
    for first, end in zip(*spans, strict=True):
        size = end - first
        if not (first | size) & (size - 1):  # a power of two, and aligned to it
            firsts.append(first)
            sizes.append(size)
            continue
        at = first
        while at < end:
            size = min(at & -at or end, 1 << (end - at).bit_length() - 1)
            firsts.append(at)
            sizes.append(size)
            at += size
    return firsts, sizes


# Texts to blocks


def _read(items: Iterable[str], *, strict: bool) -> tuple[list[int], ...]:
    """Starts and ends of the IPv4 items, then of the IPv6 items, in the order given.

    inet_pton of glibc and of musl takes no short forms, leading zeros in IPv4, zones or
    blanks; the tables of sizes hold exactly the prefix lengths as they may be written.
    """
    found: tuple[list[int], ...] = ([], [], [], [])
    starts4, ends4, starts6, ends6 = found
    sizes4, sizes6, number = _IPV4.sizes, _IPV6.sizes, int.from_bytes  # local names are faster
    item = ""
    try:
        for item in items:
            address, slash, prefix = item.partition("/")
            if ":" in address:
                first = number(inet_pton(AF_INET6, address))
                size = sizes6[prefix] if slash else 1
                starts, ends = starts6, ends6
            else:
                first = number(inet_pton(AF_INET, address))
                size = sizes4[prefix] if slash else 1
                starts, ends = starts4, ends4
            if first & (size - 1):
                first = _network(first, size, strict=strict)
            starts.append(first)
            ends.append(first + size)
    except (AttributeError, KeyError, OSError, TypeError, ValueError):
        raise _refusal(item) from None
    return found


def _network(first: int, size: int, *, strict: bool) -> int:
    if strict:
        raise ValueError
    return first & -size


def _block(text: str) -> tuple[_Family, int, int]:
    """Family, first address and size of one CIDR or address."""
    starts4, ends4, starts6, ends6 = _read([text], strict=True)
    if starts4:
        return _IPV4, starts4[0], ends4[0] - starts4[0]
    return _IPV6, starts6[0], ends6[0] - starts6[0]


def _refusal(item: object) -> RangeError:
    return RangeError(f"{_shown(item)} is not an IP address or a CIDR: {_fault(item)}")


def _shown(item: object) -> str:
    if isinstance(item, str) and len(item) > _SHOWN_MOST:
        return repr(f"{item[:_SHOWN_MOST]}…")
    return repr(item)


def _fault(item: object) -> str:
    """Why an item was refused, in words; looks closely, since speed no longer matters."""
    if not isinstance(item, str):
        return f"it is not a text but of type {type(item).__name__}"
    faults = (
        (not item, "it is empty"),
        (not item.isascii(), "it has characters beyond ASCII"),
        (" " in item or not item.isprintable(), "it has blanks or control characters in it"),
        ("%" in item, "a zone (%) has no meaning in a list of ranges"),
    )
    return next((words for found, words in faults if found), None) or _fault_of_parts(item)


def _fault_of_parts(item: str) -> str:
    address, slash, prefix = item.partition("/")
    family = _IPV6 if ":" in address else _IPV4
    try:
        first = int.from_bytes(inet_pton(family.af, address))
    except (OSError, ValueError):
        part = "the part before the slash" if slash else "it"
        return f"{part} is not a whole IPv{family.version} address in plain notation"
    if slash and "." in prefix:
        return "netmasks are not read; write the prefix length"
    if slash and prefix not in family.sizes:
        return f"the prefix length must be a plain number from 0 to {family.bits}"
    network = first & -family.sizes[prefix]
    return f"it has bits set behind the prefix; the network is {family.text(network)}/{prefix}"


# Integers to texts


def _text4(value: int) -> str:
    return ".".join(map(str, value.to_bytes(4)))


def _text6(value: int) -> str:
    """The text of RFC 5952, sections 4 and 5.

    Own code, since the C libraries differ: glibc writes ::/96 in mixed notation too, and some
    releases of musl shorten a later run of zeros rather than an equally long one at the head.
    """
    if value & 0xFFFFFFFFFFFFFFFF or not value:
        return _long_text6(value)
    # Most networks end in four or more groups of zeros: then no other run is as long.
    high = value >> 64
    a, b, c, d = high >> 48, high >> 32 & 0xFFFF, high >> 16 & 0xFFFF, high & 0xFFFF
    if d:
        return "%x:%x:%x:%x::" % (a, b, c, d)  # noqa: UP031 twice as fast
    if c:
        return "%x:%x:%x::" % (a, b, c)  # noqa: UP031
    return "%x:%x::" % (a, b) if b else "%x::" % a  # noqa: UP031


def _long_text6(value: int) -> str:
    """The same of any address: the first of the longest runs of zero groups is shortened."""
    if value >> 32 == 0xFFFF:
        return f"::ffff:{_text4(value & 0xFFFFFFFF)}"
    text = ":%x:%x:%x:%x:%x:%x:%x:%x:" % unpack(">8H", value.to_bytes(16))  # noqa: UP031
    for run in _ZERO_RUNS:
        if run in text:
            before, _, after = text.partition(run)
            return f"{before[1:]}::{after[:-1]}"
    return text[1:-1]


def _cidrs4(firsts: list[int], sizes: list[int]) -> list[str]:
    text, suffixes = _OCTETS, _IPV4.suffixes
    octets = iter(pack(f">{len(firsts)}I", *firsts))
    blocks = zip(octets, octets, octets, octets, sizes, strict=True)
    return [
        f"{text[a]}.{text[b]}.{text[c]}.{text[d]}{suffixes[size]}" for a, b, c, d, size in blocks
    ]


def _cidrs6(firsts: list[int], sizes: list[int]) -> list[str]:
    suffixes = _IPV6.suffixes
    return [_text6(first) + suffixes[size] for first, size in zip(firsts, sizes, strict=True)]


# Tables


def _table(version: int, bits: int, af: AddressFamily, text: Callable[[int], str]) -> _Family:
    sizes = {str(prefix): 1 << bits - prefix for prefix in range(bits + 1)}
    suffixes = {size: f"/{prefix}" for prefix, size in sizes.items()}
    return _Family(version, bits, af, sizes, suffixes, text)


def _family(version: int) -> _Family:
    if version == 4:
        return _IPV4
    if version == 6:
        return _IPV6
    raise ValueError(f"there is no IP version {version!r}, only 4 and 6")


@cache
def _public() -> IpRanges:
    return IpRanges.parse(("0.0.0.0/0", "2000::/3")) - IpRanges.parse(_NOT_PUBLIC)


_OCTETS = [str(value) for value in range(256)]
_ZERO_RUNS = [":" + "0:" * count for count in range(8, 1, -1)]
_IPV4 = _table(4, 32, AF_INET, _text4)
_IPV6 = _table(6, 128, AF_INET6, _text6)
_FAMILIES = (_IPV4, _IPV6)

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
