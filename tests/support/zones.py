"""Zone files for test servers, the same for BIND and for the stand-in."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TsigKey:
    """A TSIG key of a test server: it protects nothing."""

    name: str
    secret: str
    algorithm: str = "hmac-sha256"


WIDE = TsigKey("wide", "d2lkZS1rZXktb2YtdGhlLXRlc3RzLW5vdC1hLXNlY3JldA==")
"""May change every record of every zone."""

NARROW = TsigKey("narrow", "bmFycm93LWtleS1vZi10aGUtdGVzdHMtbm90LWEtc2VjcmV0")
"""May change TXT at the narrow names alone."""

TRANSFER = TsigKey("transfer", "dHJhbnNmZXIta2V5LW9mLXRoZS10ZXN0cy1uby1zZWNyZXQ=")
"""May transfer zones, and change nothing."""

NARROW_NAMES = ("_exo.example.test",)


def zone_file(apex: str, *records: str, servers: tuple[str, ...] = ("127.0.0.1",)) -> str:
    """A zone with serial 1, whose servers ns1, ns2 … stand in the zone with these addresses.

    `records` are lines of a zone file (RFC 1035, section 5) relative to the apex.
    """
    lines = [
        f"$ORIGIN {apex}.",
        "$TTL 300",
        "@ IN SOA ns1 hostmaster 1 3600 600 86400 60",
    ]
    for number, address in enumerate(servers, start=1):
        family = "AAAA" if ":" in address else "A"
        lines += [f"@ IN NS ns{number}", f"ns{number} IN {family} {address}"]
    return "\n".join([*lines, *records, ""])
