"""Address space from which no mail comes over the public Internet, and who says so.

The table follows IANA's special-purpose address registries (RFC 6890) and adds multicast,
what is deprecated, and all of IPv6 outside 2000::/3, of which nothing is given out
(RFC 4291 section 2.4).
"""

from __future__ import annotations

from functools import cache

from exosync.core.ranges import IpRanges

# A block stands before those that hold it, so that each address gets its closest name.
_TABLE = (
    ("0.0.0.0/8", "this network's", "RFC 791 section 3.2"),
    ("10.0.0.0/8", "private", "RFC 1918"),
    ("100.64.0.0/10", "shared (carrier-grade NAT)", "RFC 6598"),
    ("127.0.0.0/8", "loopback", "RFC 1122 section 3.2.1.3"),
    ("169.254.0.0/16", "link-local", "RFC 3927"),
    ("172.16.0.0/12", "private", "RFC 1918"),
    ("192.0.0.0/24", "IETF protocol", "RFC 6890 section 2.1"),
    ("192.0.2.0/24", "documentation", "RFC 5737"),
    ("192.31.196.0/24", "AS112", "RFC 7535"),
    ("192.52.193.0/24", "multicast tunnelling (AMT)", "RFC 7450"),
    ("192.88.99.0/24", "6to4 relay", "RFC 7526"),
    ("192.168.0.0/16", "private", "RFC 1918"),
    ("192.175.48.0/24", "AS112", "RFC 7534"),
    ("198.18.0.0/15", "benchmarking", "RFC 2544"),
    ("198.51.100.0/24", "documentation", "RFC 5737"),
    ("203.0.113.0/24", "documentation", "RFC 5737"),
    ("224.0.0.0/4", "multicast", "RFC 5771"),
    ("255.255.255.255/32", "broadcast", "RFC 919"),
    ("240.0.0.0/4", "reserved", "RFC 1112 section 4"),
    ("::/128", "unspecified", "RFC 4291"),
    ("::1/128", "loopback", "RFC 4291"),
    ("::ffff:0.0.0.0/96", "IPv4-mapped", "RFC 4291"),
    ("::/96", "IPv4-compatible", "RFC 4291 section 2.5.5.1"),
    ("64:ff9b::/96", "IPv4 translation", "RFC 6052"),
    ("64:ff9b:1::/48", "local IPv4 translation", "RFC 8215"),
    ("100::/64", "discard-only", "RFC 6666"),
    ("100:0:0:1::/64", "dummy", "RFC 9780"),
    ("2001::/32", "Teredo", "RFC 4380"),
    ("2001:2::/48", "benchmarking", "RFC 5180"),
    ("2001:10::/28", "ORCHID", "RFC 4843"),
    ("2001:20::/28", "ORCHIDv2", "RFC 7343"),
    ("2001:30::/28", "drone remote identity", "RFC 9374"),
    ("2001::/23", "IETF protocol", "RFC 2928"),
    ("2001:db8::/32", "documentation", "RFC 3849"),
    ("2002::/16", "6to4", "RFC 3056"),
    ("2620:4f:8000::/48", "AS112", "RFC 7534"),
    ("3ffe::/16", "6bone", "RFC 3701"),
    ("3fff::/20", "documentation", "RFC 9637"),
    ("5f00::/16", "segment routing", "RFC 9602"),
    ("fc00::/7", "unique local", "RFC 4193"),
    ("fe80::/10", "link-local", "RFC 4291"),
    ("fec0::/10", "site-local", "RFC 3879"),
    ("ff00::/8", "multicast", "RFC 4291"),
    ("::/3", "reserved", "RFC 4291 section 2.4"),
    ("4000::/2", "reserved", "RFC 4291 section 2.4"),
    ("8000::/1", "reserved", "RFC 4291 section 2.4"),
)


def special(ranges: IpRanges) -> tuple[tuple[str, str, str], ...]:
    """The parts of `ranges` that are special-purpose space: CIDR, name of the space, source.

    Address by address: of a range that holds a special block, only that block is told. Each
    address is told once, in address order, IPv4 first.
    """
    found = []
    rest = ranges & _all()
    for block, name, source in _blocks():
        if not rest:
            break
        found += [(cidr, name, source) for cidr in (rest & block).cidrs()]
        rest -= block
    return tuple(sorted(found, key=lambda one: IpRanges.sort_key(one[0])))


@cache
def _blocks() -> tuple[tuple[IpRanges, str, str], ...]:
    return tuple((IpRanges.parse(cidr), name, source) for cidr, name, source in _TABLE)


@cache
def _all() -> IpRanges:
    return IpRanges.parse(cidr for cidr, _, _ in _TABLE)
