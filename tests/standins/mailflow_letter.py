"""What travels through the model of mail flow, and the account of its way."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import format_datetime, getaddresses, make_msgid
from enum import StrEnum


class Verdict(StrEnum):
    """What a station did with a message for one recipient.

    TAKEN: accepted by SMTP. ROUTED: a station chose where it goes next. DELIVERED: put into a
    mailbox. REFUSED: turned away by SMTP. FAILED: given up by a station that had taken it.
    DEFERRED: the next host said 4xx or could not be reached; the model tries once.
    """

    TAKEN = "taken"
    ROUTED = "routed"
    DELIVERED = "delivered"
    REFUSED = "refused"
    FAILED = "failed"
    DEFERRED = "deferred"


@dataclass(frozen=True, slots=True)
class Letter:
    """A message as a station has it.

    `source` is the address that it came from, `tls` the version of TLS ("" for none), `user` who
    signed in ("" for nobody).
    """

    id: str
    sender: str
    to: tuple[str, ...]
    content: bytes
    source: str
    tls: str = ""
    user: str = ""

    @property
    def message(self) -> EmailMessage:
        """The message, read as RFC 5322 has it."""
        return message_from_bytes(self.content, policy=policy.default)

    @property
    def author_domain(self) -> str:
        """The domain of the From header; that of the envelope's sender if there is none."""
        found = re.findall(r"@([^\s>,]+)", str(self.message.get("From", "")))
        return (found[0] if found else domain_of(self.sender)).lower()

    @property
    def hops(self) -> int:
        """How many servers it has passed, by its Received headers (RFC 5321, section 6.3)."""
        return len(self.message.get_all("Received", []))

    @property
    def sources(self) -> tuple[str, ...]:
        """The addresses that it came from, the last one first; the header is `received`'s."""
        given = (str(one) for one in self.message.get_all("Received", []))
        return tuple(found[1] for one in given if (found := re.search(r"\(\[([^\]]+)\]\)", one)))


@dataclass(frozen=True, slots=True)
class Hop:
    """One thing that happened to a message for one recipient at one station.

    `source` is the address that the station saw, `to` and `via` tell where a station sent it:
    the next host and the connector. `says` is the reply or the reason.
    """

    message: str
    recipient: str
    station: str
    verdict: Verdict
    source: str = ""
    tls: str = ""
    host: str = ""
    via: str = ""
    says: str = ""

    def __str__(self) -> str:
        parts = [self.station, str(self.verdict), self.recipient]
        for word, value in (("from", self.source), ("by", self.via), ("to", self.host)):
            parts += [word, value] if value else []
        return " ".join(parts) + (f" ({self.tls})" if self.tls else "") + f": {self.says}"


@dataclass(frozen=True, slots=True)
class Journey:
    """All that happened to one message for one recipient, in order."""

    hops: tuple[Hop, ...]

    @property
    def stations(self) -> tuple[str, ...]:
        """Those that took it, in order."""
        return tuple(one.station for one in self.hops if one.verdict is Verdict.TAKEN)

    @property
    def delivered_at(self) -> str:
        """The station in whose mailbox it ended; empty if in none."""
        return next((one.station for one in self._those(Verdict.DELIVERED)), "")

    @property
    def refusal(self) -> Hop | None:
        """The last refusal."""
        return next(iter(self._those(Verdict.REFUSED)[::-1]), None)

    @property
    def end(self) -> Hop:
        """How it ended."""
        return self.hops[-1]

    def seen_at(self, station: str) -> Hop:
        """Its first arrival at a station, taken or refused."""
        arrivals = (Verdict.TAKEN, Verdict.REFUSED)
        return next(one for one in self.hops if one.station == station and one.verdict in arrivals)

    def _those(self, verdict: Verdict) -> list[Hop]:
        return [one for one in self.hops if one.verdict is verdict]

    def __str__(self) -> str:
        return "\n".join(map(str, self.hops))


def domain_of(address: str) -> str:
    """What is behind the @, in lower case."""
    return address.rpartition("@")[2].lower()


def received(letter: Letter, helo: str, host: str) -> bytes:
    """The header that a server puts before what it takes (RFC 5321, section 4.4)."""
    how = "ESMTPS" if letter.tls else "ESMTP"
    return f"Received: from {helo} ([{letter.source}]) by {host} with {how}\r\n".encode("ascii")


def with_headers(content: bytes, headers: Sequence[tuple[str, str]]) -> bytes:
    """The content with these headers set: one of the same name gives way."""
    head, gap, body = content.partition(b"\r\n\r\n")
    for name, value in headers:
        old = re.compile(rb"(?im)^%s:.*\r\n([ \t].*\r\n)*" % re.escape(name).encode())
        head = old.sub(b"", head + b"\r\n").rstrip(b"\r\n")
        head += f"\r\n{name}: {value}".encode()
    return head + gap + body


def written(sender: str, to: Iterable[str], subject: str) -> Letter:
    """A message as its author hands it in."""
    recipients = tuple(to)
    message = EmailMessage()
    message["From"], message["To"] = sender, ", ".join(recipients)
    message["Subject"], message["Date"] = subject, format_datetime(datetime.now(UTC))
    message["Message-ID"] = make_msgid(domain=domain_of(sender))
    message.set_content("The usual place?\n")
    content = message.as_bytes(policy=message.policy.clone(linesep="\r\n"))
    return Letter(str(message["Message-ID"]).strip("<>"), sender, recipients, content, source="")


def read_letter(sender: str, content: bytes) -> Letter:
    """A message that is there already, to everybody in its header To."""
    message = message_from_bytes(content, policy=policy.default)
    to = tuple(one for _, one in getaddresses([str(message["To"])]))
    lines = re.sub(rb"\r?\n", b"\r\n", content)
    return Letter(str(message["Message-ID"]).strip("<>"), sender, to, lines, source="")
