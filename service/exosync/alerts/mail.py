"""A channel by SMTP: one conversation with a server, bounded in time."""

from __future__ import annotations

import smtplib
import socket
import ssl
from base64 import b64encode
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path

from exosync.alerts.channel import Message, failed
from exosync.alerts.mime import address_of, as_mail
from exosync.alerts.rendering import Pages
from exosync.core.causes import causes
from exosync.core.target import Check
from exosync.core.words import one_line, short
from exosync.errors import AlertError, ConfigError, ExosyncError
from exosync.secrets import REDACTOR, redact
from exosync.watchdog import Watchdog

PORTS = {"tls": 465, "starttls": 587, "plain": 25}
SOON = 14
"""Days before its end from which on the server's certificate is warned of."""

_MECHANISMS = frozenset(("CRAM-MD5", "PLAIN", "LOGIN"))
_CAUGHT = (OSError, smtplib.SMTPException, ValueError)


@dataclass(frozen=True, slots=True)
class SmtpWay:
    """How the server is reached. `password` reads it, or is None where nobody signs in."""

    host: str
    port: int
    way: str
    seconds: float
    user: str | None = None
    password: Callable[[], str] | None = None
    ca_bundle: Path | None = None
    helo: str | None = None

    @property
    def place(self) -> str:
        """The server, as messages name it."""
        return f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class MailChannel:
    """Mail to some people by one server."""

    to: Sequence[str]
    sender: str
    smtp: SmtpWay
    pages: Pages

    def send(self, message: Message) -> None:
        """Hand the mail to the server. Raises AlertError; `done` are those who have it."""
        mail = as_mail(message.alert, self.pages, to=self.to, sender=self.sender)
        left = [one for one in self.to if one not in message.done]
        with _conversation(self.smtp) as server:
            refused = _handed_over(server, mail, address_of(self.sender), left, self.smtp)
        if refused:
            raise _partly(refused, self.smtp, [one for one in self.to if one not in refused])

    def check(self) -> Iterator[Check]:
        """Connect, secure, sign in and say goodbye; no mail is sent."""
        try:
            with _conversation(self.smtp) as server:
                _answered(server.noop(), "NOOP", self.smtp)
                yield from _secured(server, self.smtp)
        except ExosyncError as error:
            yield failed("server", error)


def _secured(server: smtplib.SMTP, way: SmtpWay) -> Iterator[Check]:
    signed_in = f", signed in as {way.user}" if way.user else ", without signing in"
    words = {"tls": "TLS", "starttls": "STARTTLS", "plain": "no TLS"}[way.way]
    told = f"{way.place} answers ({words}{signed_in})"
    if way.way == "plain":
        yield Check("server", ok=True, message=told)
        return
    assert isinstance(server.sock, ssl.SSLSocket)
    certificate = server.sock.getpeercert() or {}
    ends = str(certificate.get("notAfter", ""))
    days = int((ssl.cert_time_to_seconds(ends) - datetime.now(UTC).timestamp()) // 86400)
    remedy = "see that it is renewed in time" if days < SOON else ""
    message = f"{told}; its certificate ends in {days} days"
    yield Check("server", ok=None if days < SOON else True, message=message, remedy=remedy)


class _Server(smtplib.SMTP):
    """A server whose connection a watchdog can cut, from the first byte on."""

    def __init__(self, way: SmtpWay, watchdog: Watchdog) -> None:
        self._way = way
        self._watchdog = watchdog
        self._twin: socket.socket | None = None
        # smtplib would look its own name up in DNS if none were given.
        super().__init__(
            way.host, way.port, local_hostname=way.helo or "localhost", timeout=way.seconds
        )

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        context = _context(self._way) if self._way.way == "tls" else None
        raw = socket.create_connection((host, port), timeout)
        try:
            # From here on the watchdog is the one clock; this one only stands behind it.
            raw.settimeout(timeout * 2)
            # TLS takes the socket over; what is cut at its twin is cut there too.
            self._twin = raw.dup()
            self._watchdog.watch(self._twin)
            return context.wrap_socket(raw, server_hostname=host) if context else raw
        except BaseException:
            raw.close()
            self.close()
            raise

    def close(self) -> None:
        """Close the connection, and its twin."""
        super().close()
        if self._twin is not None:
            self._twin.close()


@contextmanager
def _conversation(way: SmtpWay) -> Iterator[smtplib.SMTP]:
    """A greeted, secured and signed-in server. Every fault comes out as an AlertError."""
    with Watchdog(way.seconds) as watchdog, ExitStack() as stack:
        try:
            server = _Server(way, watchdog)
            stack.callback(server.close)
            assert server.sock is not None
            server.local_hostname = way.helo or _own_name(server.sock)
            _greeted(server, way)
            _signed_in(server, way)
            yield server
            with suppress(*_CAUGHT):
                # The mail is with the server: how it says goodbye changes nothing.
                server.quit()
        except _CAUGHT as error:
            raise _alert_error(error, way, overdue=watchdog.fired) from error


def _own_name(connection: socket.socket) -> str:
    """The machine's full name, else its address as RFC 5321 section 4.1.3 writes it."""
    name = socket.gethostname()
    if "." in name.strip("."):
        return name
    address = connection.getsockname()[0]
    return f"[IPv6:{address}]" if ":" in address else f"[{address}]"


def _context(way: SmtpWay) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(way.ca_bundle) if way.ca_bundle else None)


def _greeted(server: smtplib.SMTP, way: SmtpWay) -> None:
    server.ehlo_or_helo_if_needed()
    if way.way != "starttls":
        return
    if not server.has_extn("starttls"):
        raise AlertError(f"{way.place} offers no STARTTLS, and nothing is sent without it")
    _answered(server.starttls(context=_context(way)), "STARTTLS", way)
    server.ehlo_or_helo_if_needed()


def _signed_in(server: smtplib.SMTP, way: SmtpWay) -> None:
    if way.user is None or way.password is None:
        return
    password = way.password()
    if not f"{way.user}{password}".isascii():
        raise ConfigError("user and password must be ASCII: SMTP has no other way to sign in")
    for text in (password, f"\0{way.user}\0{password}"):
        # As it goes over the line (RFC 4616): a server may say it back.
        REDACTOR.add(b64encode(text.encode()).decode())
    if not _MECHANISMS.intersection(server.esmtp_features.get("auth", "").upper().split()):
        raise AlertError(f"{way.place} offers no way to sign in that is known here")
    try:
        server.login(way.user, password)
    except smtplib.SMTPAuthenticationError as error:
        code, words = error.smtp_code, error.smtp_error
        told = f"{way.place} does not let {way.user} sign in: {_said(code, words)}"
        raise AlertError(told, permanent=code >= 500) from None


def _handed_over(
    server: smtplib.SMTP, mail: EmailMessage, sender: str, to: Sequence[str], way: SmtpWay
) -> dict[str, tuple[int, bytes]]:
    """Hand the mail over; gives those of `to` whom the server refuses."""
    _answered(server.mail(sender), f"the sender {sender}", way)
    refused = {}
    for one in to:
        code, words = server.rcpt(one)
        if code not in (250, 251):
            refused[one] = (code, words)
    if len(refused) < len(to):
        _answered(server.data(mail.as_bytes()), "the mail", way)
    return refused


def _partly(refused: dict[str, tuple[int, bytes]], way: SmtpWay, done: Sequence[str]) -> AlertError:
    told = "; ".join(f"{one}: {_said(*answer)}" for one, answer in refused.items())
    permanent = all(code >= 500 for code, _ in refused.values())
    return AlertError(f"{way.place} does not take mail for {told}", permanent=permanent, done=done)


def _answered(answer: tuple[int, bytes], what: str, way: SmtpWay) -> None:
    code, words = answer
    if not 200 <= code < 300:
        told = f"{way.place} refuses {what}: {_said(code, words)}"
        raise AlertError(told, permanent=code >= 500)


def _said(code: int, words: bytes | str) -> str:
    text = words.decode("utf-8", "backslashreplace") if isinstance(words, bytes) else words
    return f"{code} {short(one_line(redact(text.replace(chr(10), ' '))), 200)}"


def _alert_error(error: Exception, way: SmtpWay, *, overdue: bool) -> AlertError:
    """What went wrong below SMTP, or in its grammar, in words for a person."""
    if overdue:
        return AlertError(f"{way.place} did not take the mail within {way.seconds:g} s")
    if isinstance(error, smtplib.SMTPResponseException):
        told = f"{way.place} refuses: {_said(error.smtp_code, error.smtp_error)}"
        return AlertError(told, permanent=error.smtp_code >= 500)
    cause = causes(error)[-1]
    reason = redact(
        one_line(getattr(cause, "strerror", None) or str(cause) or type(cause).__name__)
    )
    if any(isinstance(one, ssl.SSLCertVerificationError) for one in causes(error)):
        return AlertError(f"{way.place} cannot be trusted: {reason}")
    return AlertError(f"{way.place} cannot be used: {short(reason, 200)}")
