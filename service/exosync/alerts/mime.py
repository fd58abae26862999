"""A message as a mail: text and HTML, threaded with those before it, never answered by robots."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import parseaddr
from typing import Any

from exosync.alerts.rendering import Pages, page, subject

Json = dict[str, Any]


def sender_for(given: str | None, to: Sequence[str]) -> str:
    """Whom the mail is from: as configured, else exosync at the domain of the first recipient."""
    return given or f"exosync <exosync@{to[0].rpartition('@')[2]}>"


def address_of(text: str) -> str:
    """The bare address."""
    return parseaddr(text)[1]


def as_mail(alert: Json, pages: Pages, *, to: Sequence[str], sender: str) -> EmailMessage:
    """The mail of a message, the same at every try.

    Both parts are quoted-printable, so that neither 8-bit characters nor long lines depend on
    the servers on the way (RFC 5321 section 4.5.3.1.6). Auto-Submitted is RFC 3834's;
    X-Auto-Response-Suppress is Exchange's (MS-OXCMAIL section 2.1.3.2.20).
    """
    mail = EmailMessage(policy=SMTP)
    name, address = parseaddr(sender)
    domain = address.rpartition("@")[2]
    mail["From"] = Address(name, addr_spec=address)
    mail["To"] = [Address(addr_spec=one) for one in to]
    mail["Subject"] = subject(pages.render("mail.subject", alert)[0])
    mail["Date"] = datetime.fromisoformat(alert["at"])
    mail["Message-ID"] = f"<{alert['id']}@{domain}>"
    if alert["reply_to"]:
        first = f"<{alert['reply_to']}@{domain}>"
        mail["In-Reply-To"] = first
        mail["References"] = first
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Auto-Response-Suppress"] = "All"
    mail["X-Exosync-Alert"] = alert["type"]
    mail["X-Exosync-Severity"] = alert["severity"]
    mail.set_content(page(pages.render("mail.txt", alert)[0]), cte="quoted-printable")
    mail.add_alternative(
        page(pages.render("mail.html", alert)[0]), subtype="html", cte="quoted-printable"
    )
    return mail
