"""A stand-in of a mail server: real SMTP on loopback by aiosmtpd, in good and in bad days.

    with SmtpStandIn() as server:
        server.script(Fault("rcpt", "451 4.7.1 come back later"), None)
        ...
        server.mails

The first connection meets the first fault of the script, and so on; None is an honest one.
Replies are written as the RFCs write them: 4xx may pass, 5xx will not (RFC 5321 section 4.2.1).
"""

from __future__ import annotations

import asyncio
import shutil
import ssl
import subprocess
import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any, Self, cast

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

HANG = "hang"
CLOSE = "close"
_PATIENCE = 60


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong, and where in the conversation.

    `at` is connect, ehlo, starttls, auth, mail, rcpt, data (before the text), middle (within
    it), dot (after it: the mail is kept, but the client does not learn it) or quit. `reply` is what
    the server says instead, or HANG, or CLOSE.
    """

    at: str
    reply: str = CLOSE


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail that the server took."""

    sender: str
    to: tuple[str, ...]
    content: bytes
    secured: bool
    user: str | None

    @property
    def message(self) -> EmailMessage:
        """The mail, read as RFC 5322 has it."""
        return message_from_bytes(self.content, policy=policy.default)

    def part(self, subtype: str) -> str:
        """The text of its part of this subtype: plain or html."""
        found = self.message.get_body((subtype,))
        assert found is not None, f"there is no text/{subtype}"
        return str(found.get_content()).replace("\r\n", "\n")


@dataclass
class SmtpStandIn:
    """The server. `users` may sign in with their passwords, `refuse` are recipients' replies."""

    tls: ssl.SSLContext | None = None
    starttls: ssl.SSLContext | None = None
    users: Mapping[str, str] = field(default_factory=dict)
    refuse: dict[str, str] = field(default_factory=dict)
    mails: list[Mail] = field(default_factory=list)
    greetings: list[str] = field(default_factory=list)
    port: int = 0

    def __post_init__(self) -> None:
        self.faults: deque[Fault | None] = deque()
        self.hanging = threading.Event()
        self.loop = asyncio.new_event_loop()
        self.closing = asyncio.Event()
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self._sessions: set[_Conversation] = set()

    def __enter__(self) -> Self:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._listen(), self.loop).result(_PATIENCE)
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self.loop).result(_PATIENCE)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(_PATIENCE)
        self.loop.close()

    def script(self, *faults: Fault | None) -> None:
        """What the next connections meet, in order."""
        self.faults.extend(faults)

    async def _listen(self) -> None:
        self._server = await self.loop.create_server(
            self._conversation, "127.0.0.1", self.port, ssl=self.tls
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def _end(self) -> None:
        self.closing.set()
        self._server.close()
        for one in self._sessions:
            one.abort()
        tasks = [one for one in asyncio.all_tasks() if one is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _conversation(self) -> SMTP:
        fault = self.faults.popleft() if self.faults else None
        made = _Conversation(self, fault)
        self._sessions.add(made)
        return made


class _Handler:
    """Keeps what arrives."""

    def __init__(self, stand: SmtpStandIn) -> None:
        self._stand = stand

    async def handle_RCPT(  # noqa: N802  (aiosmtpd's names)
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: Any
    ) -> str:
        if address in self._stand.refuse:
            return self._stand.refuse[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        content = envelope.original_content or b""
        user = session.auth_data if session.authenticated else None
        self._stand.mails.append(
            Mail(
                str(envelope.mail_from),
                tuple(envelope.rcpt_tos),
                content,
                secured=session.ssl is not None or self._stand.tls is not None,
                user=cast("str | None", user),
            )
        )
        assert isinstance(server, _Conversation)
        await server.meets("dot")
        return "250 2.0.0 taken"


class _Conversation(SMTP):
    """One connection, with the fault that it meets."""

    def __init__(self, stand: SmtpStandIn, fault: Fault | None) -> None:
        self._stand = stand
        self._fault = fault
        super().__init__(
            _Handler(stand),
            hostname="mail.stand-in.test",
            tls_context=stand.starttls,
            authenticator=self._signs_in,
            auth_require_tls=False,
            # Without a user nobody is offered to sign in.
            auth_exclude_mechanism=() if stand.users else ("LOGIN", "PLAIN"),
            loop=stand.loop,
        )

    def _signs_in(
        self, _server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, given: Any
    ) -> AuthResult:
        assert isinstance(given, LoginPassword)
        user, password = given.login.decode(), given.password.decode()
        good = password == self._stand.users.get(user)
        return AuthResult(success=good, handled=False, auth_data=user)

    def abort(self) -> None:
        """Close the connection without a word."""
        if self.transport is not None:
            cast("asyncio.Transport", self.transport).abort()

    async def meets(self, at: str) -> bool:
        """Let the fault happen if this is its place; whether it was."""
        if self._fault is None or self._fault.at != at:
            return False
        reply = self._fault.reply
        if reply == HANG:
            self._stand.hanging.set()
            await self._stand.closing.wait()
        elif reply == CLOSE:
            self.abort()
            # What goes on from here would speak into nothing.
            raise asyncio.CancelledError
        else:
            await self.push(reply)
        return True

    async def _handle_client(self) -> None:
        if not await self.meets("connect"):
            await super()._handle_client()

    async def smtp_EHLO(self, hostname: str) -> None:  # noqa: N802
        self._stand.greetings.append(hostname)
        if not await self.meets("ehlo"):
            await super().smtp_EHLO(hostname)

    async def smtp_STARTTLS(self, arg: str) -> None:  # noqa: N802
        if not await self.meets("starttls"):
            await super().smtp_STARTTLS(arg)

    async def smtp_AUTH(self, arg: str) -> None:  # noqa: N802
        if not await self.meets("auth"):
            await super().smtp_AUTH(arg)

    async def smtp_MAIL(self, arg: str) -> None:  # noqa: N802
        if not await self.meets("mail"):
            await super().smtp_MAIL(arg)

    async def smtp_RCPT(self, arg: str) -> None:  # noqa: N802
        if not await self.meets("rcpt"):
            await super().smtp_RCPT(arg)

    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802
        if await self.meets("data"):
            return
        if self._fault is not None and self._fault.at == "middle":
            await self.push("354 go on")
            await self._reader.readuntil()
            await self.meets("middle")
            return
        await super().smtp_DATA(arg)

    async def smtp_QUIT(self, arg: str) -> None:  # noqa: N802
        if not await self.meets("quit"):
            await super().smtp_QUIT(arg)


@dataclass(frozen=True, slots=True)
class Authority:
    """A certificate authority of the test's own, and a server's certificate by it."""

    bundle: Path
    server: ssl.SSLContext


def authority(folder: Path, *names: str, days: int = 90) -> Authority:
    """Make both by openssl; the certificate is for these names (127.0.0.1 by default)."""
    openssl = shutil.which("openssl")
    assert openssl, "openssl makes the certificates of test servers"
    alternatives = ",".join(f"IP:{one}" if one[0].isdigit() else f"DNS:{one}" for one in names)
    made = {"ca": ("ca.key", "ca.pem"), "server": ("server.key", "server.pem")}
    for subject, (key, certificate) in made.items():
        words = [openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
        words += ["-nodes", "-days", str(days), "-subj", f"/CN=test {subject}"]
        words += ["-keyout", str(folder / key), "-out", str(folder / certificate)]
        if subject == "server":
            words += ["-CA", str(folder / "ca.pem"), "-CAkey", str(folder / "ca.key")]
            words += ["-addext", f"subjectAltName={alternatives or 'IP:127.0.0.1'}"]
            words += ["-addext", "basicConstraints=critical,CA:FALSE"]
        subprocess.run(words, check=True, capture_output=True, timeout=60)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem", folder / "server.key")
    return Authority(folder / "ca.pem", context)
