"""The values that pass through the DNS client: servers, keys, TXT RRsets and problems.

Pure: nothing here speaks to a server, and nothing here loads dnspython.
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
import re
from dataclasses import dataclass, field
from enum import StrEnum

from exosync.core.target import ABSENT, digest
from exosync.errors import ConfigError, TargetDenied, TargetError, TargetUnreachable

MAX_STRING = 255
"""Octets in one character-string (RFC 1035, section 3.3)."""

ALGORITHMS = (
    "hmac-sha224",
    "hmac-sha256",
    "hmac-sha384",
    "hmac-sha512",
    "hmac-sha256-128",
    "hmac-sha384-192",
    "hmac-sha512-256",
    "hmac-sha1",
)
"""The TSIG algorithms of RFC 8945, section 6, without MD5, which it says not to use."""

_KEY_NAME = re.compile(r"[A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63})*\.?")


@dataclass(frozen=True, slots=True, order=True)
class Server:
    """A DNS server: `host` is a name or an address, `port` serves TCP.

    `name` is the server's own name where `host` is an address that was found for it. It is
    for people alone: two servers with the same host and port are the same.
    """

    host: str
    port: int = 53
    name: str = field(default="", compare=False)

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def label(self) -> str:
        """Host and port for a person, with the server's name if it has one."""
        return f"{self.name} ({self})" if self.name and self.name != self.host else str(self)

    @property
    def address(self) -> str | None:
        """The host if it is an IP address, without IPv6 scope; None if it is a name."""
        try:
            return str(ipaddress.ip_address(self.host.partition("%")[0]))
        except ValueError:
            return None


@dataclass(frozen=True, slots=True)
class Key:
    """A TSIG key (RFC 8945): its name, its algorithm and its secret in base64.

    Raises ConfigError, which never shows the secret, if one of them cannot be used.
    """

    name: str
    algorithm: str
    secret: str = field(repr=False)

    def __post_init__(self) -> None:
        if not _KEY_NAME.fullmatch(self.name) or len(self.name) > 253:
            raise ConfigError(f"{self.name!r} is not the name of a TSIG key: use a domain name")
        object.__setattr__(self, "name", self.name.lower().rstrip("."))
        object.__setattr__(self, "algorithm", self.algorithm.lower().rstrip("."))
        if self.algorithm not in ALGORITHMS:
            known = ", ".join(ALGORITHMS)
            raise ConfigError(
                f"key {self.name}: {self.algorithm!r} is no algorithm for TSIG; use one of {known}"
            )
        object.__setattr__(self, "secret", _base64(self.name, self.secret))


def _base64(name: str, secret: str) -> str:
    text = "".join(secret.split())
    try:
        octets = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        octets = b""
    if not octets:
        raise ConfigError(
            f"key {name}: the secret is not base64; give what stands between the quotes "
            "after `secret` in the server's key file, and nothing else of that file"
        )
    return text


@dataclass(frozen=True, slots=True)
class TxtRRset:
    """All TXT records at one name.

    `name` has no dot at its end. Each of `values` is one record, as its character-strings,
    byte for byte; their order means nothing (RFC 2181, section 5), so they are kept sorted.
    `ttl` is in seconds. No values and no TTL means that there are none: `absent(name)`.
    `wildcard` says that a query was answered from a wildcard, though nothing stands there.
    """

    name: str
    ttl: int | None
    values: tuple[tuple[bytes, ...], ...]
    wildcard: bool = field(default=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", self.name.lower().rstrip("."))
        object.__setattr__(self, "values", tuple(sorted(set(self.values))))
        if (self.ttl is None) == bool(self.values):
            raise ValueError("a TXT RRset has values and a TTL, or neither")

    @classmethod
    def absent(cls, name: str, *, wildcard: bool = False) -> TxtRRset:
        """What stands where there is no TXT record."""
        return cls(name, None, (), wildcard)

    @classmethod
    def of(cls, name: str, ttl: int, *texts: str) -> TxtRRset:
        """An RRset of these texts, each cut into character-strings."""
        return cls(name, ttl, tuple(txt_strings(text) for text in texts))

    @property
    def exists(self) -> bool:
        """Whether there is a TXT record."""
        return bool(self.values)

    @property
    def texts(self) -> tuple[str, ...]:
        """Each record as one text, its strings joined without blanks (RFC 7208, section 3.3).

        Octets that are not UTF-8 come as lone surrogates (PEP 383), so nothing is lost.
        """
        return tuple(b"".join(v).decode("utf-8", "surrogateescape") for v in self.values)

    @property
    def token(self) -> str:
        """A digest of values and TTL, whatever their order; ABSENT where there is none.

        The TTL belongs to it: it decides how long others go on seeing what was there.
        """
        if not self.exists:
            return ABSENT
        return digest({"ttl": self.ttl, "txt": [[s.hex() for s in v] for v in self.values]})


def txt_strings(text: str) -> tuple[bytes, ...]:
    """A text as character-strings: cut after every 255 octets, wherever that falls.

    Readers join the strings without blanks (RFC 7208, section 3.3), so a cut at a blank that
    drops the blank would change the record. An empty text is one empty string.
    """
    octets = text.encode("utf-8", "surrogateescape")
    starts = range(0, max(len(octets), 1), MAX_STRING)
    return tuple(octets[start : start + MAX_STRING] for start in starts)


class Trouble(StrEnum):
    """What was wrong with a server's answer to a question."""

    UNREACHABLE = "unreachable"
    REFUSED = "refused"
    SERVER_FAILURE = "server_failure"
    NOT_AUTHORITATIVE = "not_authoritative"
    CNAME = "cname"
    MALFORMED = "malformed"


@dataclass(frozen=True, slots=True)
class DnsProblem:
    """Why one server gave no usable answer. `message` names the server and what to do."""

    server: Server
    trouble: Trouble
    message: str

    def __str__(self) -> str:
        return self.message

    def error(self) -> TargetError:
        """The same as an error of the tree."""
        if self.trouble is Trouble.UNREACHABLE:
            return TargetUnreachable(self.message)
        if self.trouble is Trouble.REFUSED:
            return TargetDenied(self.message)
        return TargetError(self.message)


def is_silent(answer: TxtRRset | DnsProblem) -> bool:
    """Whether a server gave no answer at all, rather than a wrong one."""
    return isinstance(answer, DnsProblem) and answer.trouble is Trouble.UNREACHABLE


@dataclass(frozen=True, slots=True)
class DnsAnswer:
    """What live DNS says of one name and type, following CNAMEs.

    `rcode` is NOERROR, NXDOMAIN, SERVFAIL (for every other code too) or TIMEOUT. `records`
    are texts: of TXT the joined strings, of MX the exchange, of PTR the name, of A and AAAA
    the address, none of them with a dot at the end. `source` is who answered, `problem` why
    there is no answer.
    """

    rcode: str
    records: tuple[str, ...] = ()
    source: str = ""
    problem: str = ""
