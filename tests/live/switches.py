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
