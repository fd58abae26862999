"""What the headers of a message tell of its last steps. Pure.

Only what Google's receiving server wrote is Google's word. It stands above what was there before,
so the topmost header counts; anybody can have written those below, and any text in them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_address

GOOGLE = "mx.google.com"
"""What Google's receiving server calls itself in Received and in Authentication-Results."""

WANTED = ("Received", "Authentication-Results")
"""The headers that are asked for, besides the message's id."""

Headers = Sequence[tuple[str, str]]
"""Names and values as the message has them, the topmost first."""

_LONGEST = 4000
_MOST = 30
_ADDRESS = re.compile(r"[\[(\s](?:IPv6:)?([0-9A-Fa-f:.]{2,45})[\])]")
_BY_GOOGLE = re.compile(rf" by {re.escape(GOOGLE)}(?![A-Za-z0-9._-])", re.IGNORECASE)
_RESULT = re.compile(r"\s*(spf|dkim|dmarc)\s*=\s*([a-z]{1,20})(?![a-z])", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Handover:
    """One server that took the message: from which address, under which name, and who it is."""

    address: str
    name: str
    by: str


def handovers(headers: Headers) -> tuple[Handover, ...]:
    """From the one to Google on, backwards; empty if no header tells of that one."""
    values = [one for one in _values(headers, "received") if one.lower().startswith("from ")]
    first = next((number for number, one in enumerate(values) if _BY_GOOGLE.search(one)), None)
    told = [_handover(value) for value in values[first:]] if first is not None else []
    if not told or told[0] is None or told[0].by != GOOGLE:
        return ()
    return tuple(one for one in told if one is not None)


def _handover(value: str) -> Handover | None:
    """`from NAME (… [ADDRESS]) by HOST …` (RFC 5321, section 4.4); None if it tells no address.

    NAME is what the client said of itself, even where that looks like an address.
    """
    words = value.split(" ", 2)
    if len(words) < 3 or words[0].lower() != "from":
        return None
    client, by, server = words[2].partition(" by ")
    host = re.match(r"[A-Za-z0-9._-]{1,255}", server)
    found = [one for text in _ADDRESS.findall(f" {client}") if (one := _address(text))]
    if not by or host is None or not found:
        return None
    return Handover(found[-1], words[1], host[0].lower())


def _address(text: str) -> str:
    try:
        return str(ip_address(text))
    except ValueError:
        return ""


def results(headers: Headers) -> Mapping[str, str]:
    """What Google's server made of SPF, DKIM and DMARC (RFC 8601), as far as it tells.

    Of several signatures one that holds is enough.
    """
    for value in _values(headers, "authentication-results"):
        server, *parts = _bare(value).split(";")
        if server.split()[:1] != [GOOGLE]:
            continue
        found: dict[str, str] = {}
        for method, result in _told(parts):
            if found.get(method) != "pass":
                found[method] = result
        return found
    return {}


def _told(parts: Sequence[str]) -> Iterator[tuple[str, str]]:
    for part in parts:
        if told := _RESULT.match(part):
            yield told[1].lower(), told[2].lower()


def _bare(value: str) -> str:
    """A value without comments and quoted strings (RFC 5322, section 3.2): both hold anything."""
    kept: list[str] = []
    depth, quoted, escaped = 0, False, False
    for character in value:
        if escaped:
            escaped = False
        elif character == "\\" and (depth or quoted):
            escaped = True
        elif character == '"' and not depth:
            quoted = not quoted
        elif not quoted and character in "()":
            depth = max(0, depth + (1 if character == "(" else -1))
        elif not depth and not quoted:
            kept.append(character)
    return "".join(kept)


def _values(headers: Headers, name: str) -> Iterator[str]:
    """The values of a header, each in one line; no more than a message has for good reasons."""
    found = [value for key, value in headers if key.lower() == name]
    return (" ".join(value[:_LONGEST].split()) for value in found[:_MOST])
