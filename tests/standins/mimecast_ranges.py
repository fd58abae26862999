"""Which `sourceIPs` the stand-in of Mimecast takes, and how they read back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from ipaddress import ip_network

from tests.standins.mimecast_replies import Wrong
from tests.standins.mimecast_switches import Switches

_CODE = "err_validation_invalid_ip"
"""Ours: the codes of a bad address are unknown."""


def wrong_ranges(given: Sequence[str], switches: Switches) -> Iterator[Wrong]:
    """What is wrong with each, by its place in the list."""
    most = switches.max_source_ips
    if most is not None and len(given) > most:
        yield Wrong("err_validation_size", f"at most {most} entries are allowed", "sourceIPs")
    for place, text in enumerate(given):
        message = _wrong(text, switches)
        if message:
            yield Wrong(_CODE, f"{text!r} {message}", f"sourceIPs[{place}]")


def read_back(ranges: Sequence[str], switches: Switches, turn: int) -> list[str]:
    """The ranges as an answer shows them; `turn` is which reading it is."""
    found = list(ranges)
    if switches.strip_suffix_32:
        found = [one.removesuffix("/32") for one in found]
    if switches.reorder_lists and len(found) > 1:
        cut = 1 + turn % (len(found) - 1)
        found = [*found[cut:], *found[:cut]]
    return found


def _wrong(text: str, switches: Switches) -> str:
    try:
        network = ip_network(text, strict=False)
    except ValueError:
        return "is not an address range"
    if network.version == 6 and switches.ipv4_only:
        return "is not IPv4"
    if "/" not in text and switches.suffix_required:
        return "has no prefix length"
    if switches.host_bits_refused and _has_host_bits(text):
        return "has bits set beyond its prefix"
    limit = switches.prefix_limit
    if limit is not None and network.version == 4 and network.prefixlen < limit:
        return f"is wider than /{limit}"
    return ""


def _has_host_bits(text: str) -> bool:
    try:
        ip_network(text)
    except ValueError:
        return True
    return False
