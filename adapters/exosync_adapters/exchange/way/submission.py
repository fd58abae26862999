"""Sending one message from a mailbox: by Microsoft Graph, or by SMTP submission.

Microsoft Learn, "user: sendMail" (a message as MIME, in base64, with the permission Mail.Send),
and "Authenticated SMTP submission in Exchange Online". Microsoft switches passwords for the latter
off for tenants from the end of 2026 on. Nobody of ours has tried either at a live tenant.
"""

from __future__ import annotations

import base64
import smtplib
import ssl
from collections.abc import Callable
from email.message import EmailMessage
from pathlib import Path
from urllib.parse import quote

from exosync.core.words import one_line, short
from exosync.errors import ConfigError, TargetDenied, TargetError, TargetUnreachable
from exosync_adapters.exchange.admin.faults import Trouble, UnansweredError
from exosync_adapters.exchange.admin.session import Request, Session
from exosync_adapters.exchange.admin.tokens import Reveal
from exosync_adapters.exchange.settings import ProbeSettings
from exosync_adapters.fields import host_and_port
from exosync_adapters.mask import Mask

PERMISSION = "Mail.Send"
_SUBMISSION = 587


def by_graph(session: Session, message: EmailMessage, *, user: str) -> None:
    """Have Graph send a message from a user's mailbox; it is sent once and never again.

    Raises TargetDenied, TargetUnreachable and TargetError.
    """
    what = f"{session.host}: sendMail as {user}"
    url = f"{session.service}/v1.0/users/{quote(user, safe='@')}/sendMail"
    headers = {"Content-Type": "text/plain", "Accept": "application/json"}
    data = base64.b64encode(message.as_bytes())
    _, _, fault = session.ask(Request("POST", url, what, headers, data, reads=False))
    if fault is None:
        return
    told = session.clean(f"{what}: {fault.told}")
    if fault.trouble in (Trouble.TOKEN, Trouble.DENIED):
        raise TargetDenied(
            f"{told}; the application needs the permission {PERMISSION} of Microsoft Graph with "
            "admin consent"
        )
    raise TargetError(told)


def by_smtp(
    settings: ProbeSettings,
    message: EmailMessage,
    *,
    reveal: Reveal,
    base: Path,
    timeout: float,
    connect: Callable[..., smtplib.SMTP] = smtplib.SMTP,
) -> None:
    """Sign in with STARTTLS and hand over a message; `timeout` is for each answer, in seconds.

    Raises ConfigError, TargetDenied, TargetUnreachable and TargetError, never with the password;
    UnansweredError where the message may have been taken.
    """
    assert settings.password is not None, "settings.py sees to it"
    host, port = host_and_port(settings.server, port=_SUBMISSION)
    context = _context(base / settings.ca_bundle if settings.ca_bundle else None)
    mask = Mask()
    password = reveal(settings.password)
    mask.add(password, base64.b64encode(password.encode()).decode())
    given = taken = False
    try:
        with connect(host, port, local_hostname="localhost", timeout=timeout) as server:
            server.starttls(context=context)
            server.login(settings.user, password)
            given = True
            server.send_message(message)
            taken = True
    except (OSError, ValueError, smtplib.SMTPException) as error:
        if taken:  # only the good-bye failed
            return
        told = _told(f"{host}:{port}", error, mask)
        if given and isinstance(told, TargetUnreachable):
            raise UnansweredError(str(told)) from None
        raise told from None


def _context(bundle: Path | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=str(bundle) if bundle else None)
    except (OSError, ValueError) as error:
        raise ConfigError(f"probe.ca_bundle: {bundle} cannot be read: {error}") from None


def _told(place: str, error: Exception, mask: Mask) -> TargetError:
    match error:
        case smtplib.SMTPAuthenticationError():
            remedy = (
                "see probe.user and probe.password, and whether SMTP AUTH is on for the mailbox"
            )
            return TargetDenied(f"{place} refuses the sign-in: {_answer(error, mask)}; {remedy}")
        case smtplib.SMTPRecipientsRefused():
            answers = "; ".join(
                _reply(code, text, mask) for code, text in error.recipients.values()
            )
            return TargetError(f"{place} does not take the recipient: {answers}")
        case smtplib.SMTPResponseException():
            return TargetError(f"{place} does not take the message: {_answer(error, mask)}")
        case smtplib.SMTPNotSupportedError():
            return TargetError(f"{place} offers no STARTTLS or no way to sign in: {error}")
    said = error.strerror if isinstance(error, OSError) else ""  # without its number
    why = mask.clean(short(str(said or error) or type(error).__name__, 200))
    return TargetUnreachable(f"{place} cannot be reached: {why}")


def _answer(error: smtplib.SMTPResponseException, mask: Mask) -> str:
    return _reply(error.smtp_code, error.smtp_error, mask)


def _reply(code: int, text: bytes | str, mask: Mask) -> str:
    plain = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    return mask.clean(short(one_line(f"{code} {plain}"), 300))
