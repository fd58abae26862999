"""A receiving mail server of the model: real SMTP on loopback, STARTTLS and XCLIENT.

The address that a message seems to come from is given by `XCLIENT ADDR=…` (Postfix,
XCLIENT_README): loopback has no others. It is taken only from loopback, and the conversation then
begins anew, as that document says; TLS stays.
"""

from __future__ import annotations

import asyncio
import ssl
from contextlib import suppress
from dataclasses import replace
from email import message_from_bytes
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, Protocol, cast

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from tests.standins.mailflow_letter import Hop, Letter, Verdict, received

if TYPE_CHECKING:
    from tests.standins.mailflow_post import Post

TAKEN = "250 2.0.0 taken"


class Station(Protocol):
    """A mail server of the model: who it is, what it takes, and what it does then.

    `host` is the name that it greets with. `users` may sign in with their passwords.
    """

    name: str
    host: str
    users: dict[str, str]

    def at_recipient(self, letter: Letter, recipient: str) -> str:
        """The reply to RCPT; `letter` has no content yet."""
        ...

    def at_data(self, letter: Letter) -> str:
        """The reply to the whole message."""
        ...

    def forward(self, letter: Letter) -> None:
        """Deliver or send on what was taken; called by a worker."""
        ...


class _Session(Session):
    """A session without what aiosmtpd sets by itself, and warns of when it does."""

    login_data: Any = None


class Conversation(SMTP):
    """One connection. `source` is the address that its client seems to have."""

    def __init__(self, post: Post, station: Station, tls: ssl.SSLContext | None) -> None:
        self.post, self.station = post, station
        self.source = ""
        super().__init__(
            _Handler(self),
            hostname=station.host,
            tls_context=tls,
            authenticator=self._signs_in,
            auth_exclude_mechanism=() if station.users else ("LOGIN", "PLAIN"),
            loop=post.loop,
        )

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Know the client's address; the one that XCLIENT gave outlives STARTTLS."""
        super().connection_made(transport)
        peer = transport.get_extra_info("peername")
        self.source = self.source or peer[0]

    async def smtp_XCLIENT(self, arg: str | None) -> None:  # noqa: N802  (aiosmtpd's names)
        """Take another address for the client's own, if it is on loopback."""
        assert self.session is not None
        if not ip_address(cast("tuple[str, int]", self.session.peer)[0]).is_loopback:
            await self.push("550 5.7.0 Error: insufficient authorization")
            return
        given = dict(one.partition("=")[::2] for one in (arg or "").upper().split())
        try:
            self.source = str(ip_address(given["ADDR"].removeprefix("IPV6:")))
        except (KeyError, ValueError):
            await self.push("501 5.5.4 Bad XCLIENT parameter syntax")
            return
        secured = self.session.ssl
        self.envelope = self._create_envelope()
        peer, self.session = self.session.peer, self._create_session()
        self.session.peer, self.session.ssl = peer, secured
        await self.push(f"220 {self.hostname} ESMTP")

    def _create_session(self) -> Session:
        return _Session(self.loop)

    def abort(self) -> None:
        """Close the connection without a word."""
        if self.transport is not None:
            cast("asyncio.Transport", self.transport).abort()

    def letter(self, envelope: Envelope) -> Letter:
        """What is known of the message so far."""
        session = self.session
        assert session is not None
        content = envelope.original_content or b""
        return Letter(
            id=str(message_from_bytes(content).get("Message-ID", "")).strip("<> "),
            sender=str(envelope.mail_from or ""),
            to=tuple(envelope.rcpt_tos),
            content=content,
            source=self.source,
            tls=_version(session),
            user=str(session.auth_data) if session.authenticated else "",
        )

    def _signs_in(
        self, _server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, given: Any
    ) -> AuthResult:
        assert isinstance(given, LoginPassword)
        user, password = given.login.decode(), given.password.decode()
        good = password == self.station.users.get(user)
        return AuthResult(success=good, handled=False, auth_data=user)


class _Handler:
    """Asks the station. What is taken is noted here; what is refused, by who sent it."""

    def __init__(self, conversation: Conversation) -> None:
        self._conversation = conversation

    async def handle_EHLO(  # noqa: N802  (aiosmtpd's names)
        self, _server: SMTP, session: Session, _envelope: Envelope, host: str, lines: list[str]
    ) -> list[str]:
        session.host_name = host
        return [lines[0], "250-XCLIENT ADDR", *lines[1:]]

    async def handle_RCPT(  # noqa: N802
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: Any
    ) -> str:
        letter = self._conversation.letter(envelope)
        reply = await self._asked(self._conversation.station.at_recipient, letter, address)
        if is_good(reply):
            envelope.rcpt_tos.append(address)
        return _as_lines(reply)

    async def handle_DATA(self, _server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        here = self._conversation
        letter = here.letter(envelope)
        reply = await self._asked(here.station.at_data, letter)
        if is_good(reply):
            self._note(letter, reply)
            header = received(letter, session.host_name or "unknown", here.station.host)
            here.post.accept(here.station, replace(letter, content=header + letter.content))
        return _as_lines(reply)

    async def _asked(self, question: Any, *given: Any) -> str:
        """The station's answer, which may take a while: it asks the DNS."""
        loop = self._conversation.post.loop
        return cast("str", await loop.run_in_executor(None, question, *given))

    def _note(self, letter: Letter, reply: str) -> None:
        here = self._conversation
        for recipient in letter.to:
            hop = Hop(letter.id, recipient, here.station.name, Verdict.TAKEN, says=reply)
            here.post.note(replace(hop, source=letter.source, tls=letter.tls))


def is_good(reply: str) -> bool:
    """Whether a reply is a yes."""
    return reply.startswith("2")


def _as_lines(reply: str) -> str:
    """A reply of several lines, as RFC 5321 section 4.2.1 has them."""
    code, lines = reply[:3], reply[4:].split("\n")
    return "\r\n".join([*(f"{code}-{one}" for one in lines[:-1]), f"{code} {lines[-1]}"])


def _version(session: Session) -> str:
    found: dict[str, Any] | None = session.ssl
    if found is None:
        return ""
    with suppress(AttributeError):
        return str(found["ssl_object"].version() or "")
    return "TLS"
