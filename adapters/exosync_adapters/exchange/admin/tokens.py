"""Tokens of Microsoft Entra for an application that acts for nobody, by msal.

msal is imported when the first token is needed. What it asks goes through our own connections:
bounded in time and size, without its telemetry, and nothing is kept on disk or beyond the life
of a token. Secrets are read anew for each token, so that they can be changed while we run.
"""

from __future__ import annotations

import base64
import binascii
import json
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from threading import Lock
from typing import Any

from exosync.core.secret import SecretRef
from exosync.errors import ConfigError, TargetError
from exosync_adapters.exchange.admin import certificates, entra
from exosync_adapters.exchange.admin.asking import Asking
from exosync_adapters.exchange.admin.places import Places
from exosync_adapters.exchange.clouds import Cloud
from exosync_adapters.exchange.settings import ExchangeSettings
from exosync_adapters.mask import Mask

Reveal = Callable[[SecretRef], str]

MISSING = "msal is not installed: pip install 'exosync[exchange]'"

_EARLY = 300.0
"""Seconds before its end from which a token is not used any more."""


@dataclass(frozen=True, slots=True)
class Token:
    """A token, the application roles in it, and when it is used no longer (by our clock)."""

    text: str = field(repr=False)
    roles: frozenset[str]
    until: float


class Tokens:
    """The tokens of one application; one for each scope, shared by all threads."""

    def __init__(
        self,
        settings: ExchangeSettings,
        cloud: Cloud,
        places: Places,
        *,
        reveal: Reveal,
        pause: Callable[[float], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings, self._cloud, self._places = settings, cloud, places
        self._reveal, self._pause, self._clock = reveal, pause, clock
        self._held: dict[str, Token] = {}
        self._lock = Lock()
        self.mask = Mask()

    def token(self, scope: str) -> Token:
        """A token that holds. Raises ConfigError, TargetDenied, TargetUnreachable, TargetError."""
        with self._lock:
            held = self._held.get(scope)
            if held is None or self._clock() >= held.until:
                held = self._held[scope] = self._fetched(scope)
        return held

    def held(self, scope: str) -> Token | None:
        """The token that is there, if any."""
        return self._held.get(scope)

    def forget(self, scope: str) -> None:
        """Have the next token fetched, whatever there is."""
        with self._lock:
            self._held.pop(scope, None)

    def _fetched(self, scope: str) -> Token:
        load()
        asking = Asking(self._cloud.login, self._places, self.mask, self._pause)
        try:
            answer = self._application(asking).acquire_token_for_client([scope])
        except (ValueError, KeyError, TypeError, AttributeError, RuntimeError) as error:
            # msal takes it for granted that Entra answers in the form that is documented.
            raise TargetError(
                f"{asking.host} gave no answer of Microsoft Entra's ({type(error).__name__}); see "
                "whether a proxy or a wrong `url` answers instead"
            ) from None
        return self._read(asking.host, answer)

    def _read(self, host: str, answer: object) -> Token:
        told = answer if isinstance(answer, Mapping) else {}
        text = told.get("access_token")
        if not isinstance(text, str) or not text.isascii() or not text.isprintable():
            refused = entra.denied(host, told)
            raise type(refused)(self.mask.clean(str(refused)))
        self.mask.add(text)
        life = _seconds(told.get("expires_in"))
        return Token(text, roles(text), self._clock() + max(life - _EARLY, life / 2))

    def _application(self, asking: Asking) -> Any:
        msal = import_module("msal")
        return msal.ConfidentialClientApplication(
            self._settings.client_id,
            client_credential=self._credential(),
            authority=f"{self._cloud.login}/{self._settings.tenant}",
            instance_discovery=False,
            azure_region=False,
            http_client=asking,
        )

    def _credential(self) -> str | dict[str, object]:
        """The credential in msal's form. Raises ConfigError, without any of the secret."""
        given = self._settings.credentials
        if given is None:
            raise ConfigError("credentials: are needed to ask Exchange Online")
        if given.certificate is not None:
            pair = certificates.pair(self._reveal(given.certificate))
            # Without a thumbprint msal takes the certificate's, by SHA-256.
            return {"private_key": pair.private_key, "public_certificate": pair.certificate}
        if given.assertion is not None:
            assertion = given.assertion
            return {"client_assertion": lambda: self._reveal(assertion).strip()}
        assert given.secret is not None, "settings.py sees to it"
        return self._reveal(given.secret).strip()


def roles(token: str) -> frozenset[str]:
    """The application roles that a token tells of (its claim `roles`); none if it cannot be read.

    Nothing is decided by them but which of two ways is tried first, and what a person is told.
    """
    try:
        part = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
        found = claims["roles"]
    except (IndexError, KeyError, TypeError, ValueError, RecursionError, binascii.Error):
        return frozenset()
    listed = found if isinstance(found, list) else []
    return frozenset(one for one in listed if isinstance(one, str))


@cache
def load() -> None:
    """Import msal, and quieten it: it logs what it also tells. Raises ConfigError without it."""
    try:
        import_module("msal")
    except ImportError as error:
        raise ConfigError(f"{MISSING} ({error})") from None
    logging.getLogger("msal").setLevel(logging.CRITICAL)


def _seconds(value: object) -> float:
    """A life in seconds, as a number or as text; an hour where it is not told."""
    try:
        life = float(value) if isinstance(value, (int, float, str)) else 3600.0
    except ValueError:
        return 3600.0
    return life if 0 < life < 1e6 else 3600.0
