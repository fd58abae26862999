"""Which real accounts the environment names: see README.md."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

_PREFIX = "EXOSYNC_LIVE_"
MIMECAST = ("MIMECAST_URL", "MIMECAST_CLIENT_ID_FILE", "MIMECAST_CLIENT_SECRET_FILE")
MIMECAST_DOMAIN = "MIMECAST_DOMAIN"
GOOGLE = ("GOOGLE_CUSTOMER", "GOOGLE_ADMIN", "GOOGLE_KEY_FILE")
PERSON = "EXOSYNC_LIVE_GOOGLE_PERSON"
"""Seconds that a person at this terminal has for a step in the Admin console."""


MAILBOX = "GOOGLE_MAILBOX"
MESSAGES = ("EXCHANGE_SEND_FROM", "EXCHANGE_SEND_TO")
WAIT = "EXOSYNC_LIVE_EXCHANGE_SEND_WAIT"
"""Seconds for a message to show in its trace, and as many to arrive."""

EXCHANGE = tuple(
    f"EXCHANGE_{one}" for one in ("TENANT", "CLIENT_ID", "CERTIFICATE_FILE", "DOMAIN", "GROUP")
)
EXCHANGE_WRITE = "EXOSYNC_LIVE_EXCHANGE_WRITE"
"""`rest`: exosync writes in the tenant. Unset: it only reads."""

EXCHANGE_PERSON = "EXOSYNC_LIVE_EXCHANGE_PERSON"
"""Seconds that a person has for running one script in Exchange Online PowerShell."""


@dataclass(frozen=True)
class MimecastAccount:
    """An account of API 2.0, and the domain in it that tests may make policies for."""

    url: str
    client_id_file: Path
    client_secret_file: Path
    domain: str


@dataclass(frozen=True)
class GoogleAccount:
    """A Workspace account, its administrator, and a service account's key file.

    `patience` are the seconds that a person has for a step; 0: nobody is there. `url` stands for
    all of Google's hosts; empty: Google's own.
    """

    customer: str
    admin: str
    key_file: Path
    patience: float
    url: str


@dataclass(frozen=True)
class ExchangeTenant:
    """A tenant, the application in it, and a domain and a group that are there for tests.

    `writes`: exosync may write. `patience` are the seconds that a person has for a script; 0:
    nobody is there. `url` stands for all of Microsoft's hosts; empty: those of `cloud`.
    """

    tenant: str
    client_id: str
    certificate_file: Path
    domain: str
    group: str
    writes: bool
    patience: float
    cloud: str
    url: str


def mimecast_account() -> MimecastAccount:
    """The account that the environment names; skips the module if it names none."""
    url, client_id, secret, domain = _values((*MIMECAST, MIMECAST_DOMAIN), "Mimecast account")
    return MimecastAccount(url.rstrip("/"), Path(client_id), Path(secret), domain)


def google_account() -> GoogleAccount:
    """The account that the environment names; skips the module if it names none."""
    customer, admin, key_file = _values(GOOGLE, "Google Workspace account")
    patience = float(os.environ.get(PERSON) or 0)
    url = os.environ.get(f"{_PREFIX}GOOGLE_URL", "").rstrip("/")
    return GoogleAccount(customer, admin, Path(key_file), patience, url)


def google_mailbox() -> tuple[GoogleAccount, str]:
    """The account and the mailbox that may be looked into; skips the module if there is none."""
    account = google_account()
    (mailbox,) = _values((MAILBOX,), "mailbox at Google")
    return account, mailbox


def is_mailbox(address: str) -> GoogleAccount | None:
    """The account if this is the mailbox in it that may be looked into."""
    told = [os.environ.get(f"{_PREFIX}{name}", "") for name in (*GOOGLE, MAILBOX)]
    is_it = all(told) and told[-1].lower() == address.lower()
    return google_account() if is_it else None


def exchange_messages() -> tuple[ExchangeTenant, str, str, float]:
    """The tenant, whose mailbox may send to whom, and for how long it is waited.

    Skips the module if the environment does not say all of it.
    """
    tenant = exchange_tenant()
    sender, recipient = _values(MESSAGES, "message to send")
    return tenant, sender, recipient, float(os.environ.get(WAIT) or 600)


def exchange_tenant() -> ExchangeTenant:
    """The tenant that the environment names; skips the module if it names none."""
    tenant, client_id, certificate, domain, group = _values(EXCHANGE, "tenant of Exchange Online")
    return ExchangeTenant(
        tenant,
        client_id,
        Path(certificate),
        domain,
        group,
        writes=os.environ.get(EXCHANGE_WRITE) == "rest",
        patience=float(os.environ.get(EXCHANGE_PERSON) or 0),
        cloud=os.environ.get(f"{_PREFIX}EXCHANGE_CLOUD") or "worldwide",
        url=os.environ.get(f"{_PREFIX}EXCHANGE_URL", "").rstrip("/"),
    )


def _values(names: Sequence[str], what: str) -> list[str]:
    whole = [f"{_PREFIX}{name}" for name in names]
    if not all(os.environ.get(name) for name in whole):
        told = f"no real {what}: set {', '.join(whole)} (see tests/live/README.md)"
        pytest.skip(told, allow_module_level=True)
    return [os.environ[name] for name in whole]
