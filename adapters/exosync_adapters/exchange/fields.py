"""The kinds of value that the keys of an `exchange` target hold."""

from __future__ import annotations

import re
from ipaddress import ip_network
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field

from exosync.core.ranges import IpRanges
from exosync.core.special import special
from exosync_adapters.exchange.records import folded, length
from exosync_adapters.fields import EmailAddress, full_domain_name

LONGEST_NAME = 64
"""Of a connector and of a rule (New-OutboundConnector, New-TransportRule)."""

_NO_HOSTS = frozenset(
    {
        *("this network's", "unspecified", "link-local", "site-local", "multicast", "broadcast"),
        *("reserved", "discard-only", "IPv4-mapped", "IPv4-compatible"),
    }
)
"""Spaces in which a smart host cannot be; private ones are told of."""

_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_HEADER = re.compile(r"[A-Za-z0-9-]{1,64}")


def _guid(text: str) -> str:
    plain = text.strip().lower()
    if not _GUID.fullmatch(plain):
        raise ValueError(f"{text!r} is not an id like 8a3bd10e-5b2c-4f6d-9a11-0c6f7e2d1b34")
    return plain


def _smart_host(text: str) -> str:
    """A name, or an address or CIDR; never with a port (New-OutboundConnector takes none)."""
    plain = text.strip().strip("[]")
    try:
        network = ip_network(plain)
    except ValueError:
        return _host_name(text, plain)
    alone = network.num_addresses == 1
    return _reachable(text, str(network.network_address if alone else network))


def _reachable(text: str, address: str) -> str:
    """An address or range that a host can have somewhere."""
    if "%" in address:
        raise ValueError(
            f"{text!r}: an address with a zone (%) is one of this machine's network alone"
        )
    for cidr, name, _ in special(IpRanges.parse(address)):
        if name in _NO_HOSTS:
            raise ValueError(f"{text!r}: no host has an address in {cidr}, which is {name} space")
    return address


def _host_name(text: str, plain: str) -> str:
    if re.search(r":\d+$", plain):
        raise ValueError(f"{text!r}: a smart host has no port: Exchange Online always uses 25")
    if re.fullmatch(r"[\d./]+", plain):
        raise ValueError(f"{text!r} is neither an address nor a range like 192.0.2.0/24")
    return full_domain_name(plain)


def _once(hosts: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(hosts))


def _name(text: str) -> str:
    plain = text.strip()
    if not plain or length(plain) > LONGEST_NAME or not plain.isprintable() or "*" in plain:
        raise ValueError(f"must be 1 to {LONGEST_NAME} characters, without * and line breaks")
    return plain


def _header(text: str) -> str:
    if not _HEADER.fullmatch(text):
        raise ValueError(f"{text!r} is not the name of a header: letters, digits and hyphens")
    return text


def _word(text: str) -> str:
    """It becomes the value of a header, so nothing in it may end the header."""
    plain = text.strip()
    if not plain or not plain.isascii() or not plain.isprintable():
        raise ValueError(f"{text!r} must be printable ASCII, and more than spaces")
    return plain


def once_each(words: tuple[str, ...]) -> tuple[str, ...]:
    """The words, or addresses, that differ in more than case: each where it stands first."""
    found: dict[str, str] = {}
    for one in words:
        found.setdefault(folded(one), one)
    return tuple(found.values())


def _place(value: object) -> object:
    """YAML reads `yes` and `on` as true, which pydantic takes for 1."""
    if isinstance(value, bool):
        raise ValueError("must be a whole number")
    return value


Guid = Annotated[str, AfterValidator(_guid)]
SmartHosts = Annotated[
    tuple[Annotated[str, AfterValidator(_smart_host)], ...], AfterValidator(_once)
]
ObjectName = Annotated[str, AfterValidator(_name)]
HeaderName = Annotated[str, AfterValidator(_header)]
Word = Annotated[str, Field(min_length=1, max_length=128), AfterValidator(_word)]
Words = Annotated[tuple[Word, ...], AfterValidator(once_each)]
Addresses = Annotated[tuple[EmailAddress, ...], AfterValidator(once_each)]
Place = Annotated[int, Field(ge=0, le=299), BeforeValidator(_place)]
