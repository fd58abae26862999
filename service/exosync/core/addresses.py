"""Addresses and blocks as texts and as integers: what `IpRanges` reads and prints.

A block is a first address and a size, the number of its addresses: a power of two.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from socket import AF_INET, AF_INET6, AddressFamily, inet_pton
from struct import pack, unpack

from exosync.errors import RangeError

_SHOWN_MOST = 60  # characters of an offending text


@dataclass(frozen=True, slots=True, eq=False)
class Family:
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


# Texts to blocks


def read_blocks(items: Iterable[str], *, strict: bool) -> tuple[list[int], ...]:
    """Starts and ends of the IPv4 items, then of the IPv6 items, in the order given.

    inet_pton of glibc and of musl takes no short forms, leading zeros in IPv4, zones or
    blanks; the tables of sizes hold exactly the prefix lengths as they may be written.
    """
    found: tuple[list[int], ...] = ([], [], [], [])
    starts4, ends4, starts6, ends6 = found
    sizes4, sizes6, number = IPV4.sizes, IPV6.sizes, int.from_bytes  # local names are faster
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


def read_block(text: str) -> tuple[Family, int, int]:
    """Family, first address and size of one CIDR or address."""
    starts4, ends4, starts6, ends6 = read_blocks([text], strict=True)
    if starts4:
        return IPV4, starts4[0], ends4[0] - starts4[0]
    return IPV6, starts6[0], ends6[0] - starts6[0]


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
    family = IPV6 if ":" in address else IPV4
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


def cidrs4(firsts: list[int], sizes: list[int]) -> list[str]:
    """The texts of IPv4 blocks."""
    text, suffixes = _OCTETS, IPV4.suffixes
    octets = iter(pack(f">{len(firsts)}I", *firsts))
    blocks = zip(octets, octets, octets, octets, sizes, strict=True)
    return [
        f"{text[a]}.{text[b]}.{text[c]}.{text[d]}{suffixes[size]}" for a, b, c, d, size in blocks
    ]


def cidrs6(firsts: list[int], sizes: list[int]) -> list[str]:
    """The texts of IPv6 blocks."""
    suffixes = IPV6.suffixes
    return [_text6(first) + suffixes[size] for first, size in zip(firsts, sizes, strict=True)]


# Tables


def _table(version: int, bits: int, af: AddressFamily, text: Callable[[int], str]) -> Family:
    sizes = {str(prefix): 1 << bits - prefix for prefix in range(bits + 1)}
    suffixes = {size: f"/{prefix}" for prefix, size in sizes.items()}
    return Family(version, bits, af, sizes, suffixes, text)


def family_of(version: int) -> Family:
    """The family of IP version 4 or 6; ValueError for any other."""
    if version == 4:
        return IPV4
    if version == 6:
        return IPV6
    raise ValueError(f"there is no IP version {version!r}, only 4 and 6")


_OCTETS = [str(value) for value in range(256)]
_ZERO_RUNS = [":" + "0:" * count for count in range(8, 1, -1)]
IPV4 = _table(4, 32, AF_INET, _text4)
IPV6 = _table(6, 128, AF_INET6, _text6)
FAMILIES = (IPV4, IPV6)
