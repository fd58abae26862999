"""Credentials: domain-wide delegation without a key or with one, or what the machine has.

Google's libraries are imported by `libraries.load` before anything here is called.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from exosync.core.secret import SecretRef
from exosync.core.urls import check_http_url
from exosync.errors import ConfigError
from exosync_adapters.google_workspace.settings import CredentialsSettings

Reveal = Callable[[SecretRef], str]


@dataclass(frozen=True, slots=True)
class Identity:
    """Credentials of google-auth for one scope, and whose they are.

    Not `delegates`: they can act for nobody else, so the administrator must be whose they are.
    """

    credentials: Any
    account: str = ""
    client_id: str = ""
    delegates: bool = True


def identity(settings: CredentialsSettings, scope: str, *, admin: str, reveal: Reveal) -> Identity:
    """The credentials for one scope, acting for the administrator; no token is got yet.

    Raises ConfigError for a key that is none, google-auth's errors for the rest.
    """
    if settings.kind == "key_file":
        assert settings.file is not None, "settings.py sees to it"
        return _by_key(reveal(settings.file), scope, admin)
    if settings.kind == "keyless":
        assert settings.service_account is not None, "settings.py sees to it"
        return _keyless(settings.service_account, scope, admin)
    return _of_machine(scope, admin)


def _by_key(text: str, scope: str, admin: str) -> Identity:
    info = _key(text)
    try:
        made = _library("google.oauth2.service_account").Credentials.from_service_account_info(
            info, scopes=[scope], subject=admin
        )
    except ValueError:  # its words may hold parts of the key
        raise ConfigError(
            "credentials.file: the private key in it cannot be read; make a new key of the "
            "service account and save Google's JSON as it is"
        ) from None
    return Identity(made, str(info["client_email"]), str(info.get("client_id") or ""))


def _key(text: str) -> Mapping[str, Any]:
    """A service account's key. Raises ConfigError, without any of the text, if it is none."""
    try:
        info = json.loads(text)
    except ValueError:
        raise ConfigError("credentials.file: is not JSON; save Google's file as it is") from None
    if not isinstance(info, dict) or info.get("type") != "service_account":
        raise ConfigError(
            "credentials.file: is not a service account's key (its `type` must be service_account)"
        )
    missing = [name for name in ("client_email", "private_key", "token_uri") if not info.get(name)]
    if missing:
        raise ConfigError(f"credentials.file: lacks {', '.join(missing)}")
    try:
        check_http_url(str(info["token_uri"]))
    except ValueError as error:
        raise ConfigError(f"credentials.file: token_uri: {error}") from None
    return info


def _keyless(account: str, scope: str, admin: str) -> Identity:
    made = _library("google.auth.impersonated_credentials").Credentials(
        _default(None), target_principal=account, target_scopes=[scope], subject=admin
    )
    return Identity(made, account)


def _of_machine(scope: str, admin: str) -> Identity:
    made = _default([scope])
    delegates = hasattr(made, "with_subject")
    if delegates:
        made = made.with_subject(admin)
    account = getattr(made, "service_account_email", None) or ""
    # On a machine of Google's the name is "default" until the first token.
    return Identity(made, account if "@" in account else "", delegates=delegates)


def _default(scopes: list[str] | None) -> Any:
    with warnings.catch_warnings():
        # That a person's credentials have no quota project; the API's own answer tells better.
        warnings.simplefilter("ignore", UserWarning)
        made, _ = _library("google.auth").default(scopes=scopes)
    return made


def _library(name: str) -> Any:
    """A module of google-auth, which is typed by halves: what it makes is of any type here."""
    return import_module(name)
