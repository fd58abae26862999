"""The sending side of the model: one SMTP conversation, with TLS as it is asked for."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_address

from tests.standins.mailflow_letter import Letter

_TIMEOUT = 60
"""Seconds; on loopback an answer comes at once, but a busy machine may be slow."""

NO_TLS = (
    "450 4.4.317 Cannot connect to remote server "
    "[Message=451 5.7.3 STARTTLS is required to send mail]"
)
"""As people met it: ex-shell.com, 2022-10-25."""

BAD_CERTIFICATE = "450 4.7.320 Certificate validation failed [Message={why}]"
"""As people met it: xostmoen.wordpress.com, 2017, with SubjectMismatch as the reason."""

NOT_REACHED = "450 4.4.316 Connection refused [Message=Socket error code 10061]"


@dataclass(frozen=True, slots=True)
class Tls:
    """How a conversation is to be secured: whether at all costs, and by which certificate."""

    required: bool = False
    trusted: bool = False
    name: str = ""


@dataclass(frozen=True, slots=True)
class Said:
    """What the other side said to each recipient, and the version of TLS; "" for none."""

    replies: Mapping[str, str]
    tls: str = ""

    @property
    def is_retried(self) -> bool:
        """Whether nobody was let in for now, so that another host may be tried."""
        return all(one.startswith("4") for one in self.replies.values())


class NotSentError(Exception):
    """The conversation ended before the message; the text is the reply to all recipients."""


def converse(
    port: int,
    letter: Letter,
    recipients: Sequence[str],
    *,
    source: str,
    helo: str,
    tls: Tls = Tls(),
    roots: ssl.SSLContext | None = None,
    login: tuple[str, str] | None = None,
) -> Said:
    """Hand a message over to the server at a port, as from the address `source`.

    `roots` trusts the authorities of the test; it is used where a certificate is looked at.
    """
    version = ""
    try:
        with smtplib.SMTP("127.0.0.1", port, helo, _TIMEOUT) as server:
            version = _secured(server, tls, roots)
            _seems_to_be(server, source)
            if login is not None:
                server.login(*login)
            return Said(_handed_over(server, letter, recipients), version)
    except NotSentError as error:
        return Said(dict.fromkeys(recipients, str(error)), version)
    except ConnectionRefusedError:
        return Said(dict.fromkeys(recipients, NOT_REACHED))


def _secured(server: smtplib.SMTP, tls: Tls, roots: ssl.SSLContext | None) -> str:
    server.ehlo()
    if not server.has_extn("starttls"):
        if tls.required:
            raise NotSentError(NO_TLS)
        return ""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT) if roots is None else roots
    if not tls.trusted:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.check_hostname = bool(tls.name)
    if tls.name:
        server._host = tls.name  # type: ignore[attr-defined]  # what smtplib compares with
    try:
        server.starttls(context=context)
    except ssl.SSLCertVerificationError as error:
        mismatch = "mismatch" in str(error).lower()
        why = "SubjectMismatch" if mismatch else "UntrustedRoot"
        raise NotSentError(BAD_CERTIFICATE.format(why=why)) from error
    server.ehlo()
    sock = server.sock
    return str(sock.version()) if isinstance(sock, ssl.SSLSocket) else ""


def _seems_to_be(server: smtplib.SMTP, source: str) -> None:
    prefix = "IPV6:" if ip_address(source).version == 6 else ""
    code, text = server.docmd("XCLIENT", f"ADDR={prefix}{source}")
    if code != 220:
        raise NotSentError(f"{code} {text.decode()}")
    server.ehlo()


def _handed_over(server: smtplib.SMTP, letter: Letter, recipients: Sequence[str]) -> dict[str, str]:
    code, text = server.mail(letter.sender)
    if code != 250:
        raise NotSentError(_reply(code, text))
    replies = {one: _reply(*server.rcpt(one)) for one in recipients}
    let_in = [one for one, reply in replies.items() if reply.startswith("2")]
    if let_in:
        reply = _reply(*server.data(letter.content))
        replies |= dict.fromkeys(let_in, reply)
    return replies


def _reply(code: int, text: bytes) -> str:
    return f"{code} {text.decode(errors='replace')}"
