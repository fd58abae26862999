"""Google's libraries: whether they are there, and what they log."""

from __future__ import annotations

import logging
from functools import cache
from importlib import import_module, metadata

from exosync.errors import ConfigError

MISSING = "Google's libraries are not installed: pip install 'exosync[google]'"

_NEEDED = ("google.auth", "google_auth_httplib2", "googleapiclient.discovery", "httplib2")
_NOISY = (
    # A look-up for the source of keyless credentials that fails on many machines (google-auth).
    "google.auth._regional_access_boundary_utils",
    "google.oauth2._client",
    "google.auth._default",
    "google.auth.compute_engine._metadata",
    # That a time-out for one request is not heeded: the connection has its own.
    "google_auth_httplib2",
    "googleapiclient.discovery_cache",
    # Every 403, which is told by the error already.
    "googleapiclient.http",
)


@cache
def load() -> None:
    """Import what every request needs, and quieten it. Raises ConfigError if it is missing."""
    try:
        for name in _NEEDED:
            import_module(name)
    except ImportError as error:
        raise ConfigError(f"{MISSING} ({error})") from None
    for name in _NOISY:
        logging.getLogger(name).setLevel(logging.CRITICAL)


def versions() -> str:
    """The versions of the libraries, for people."""
    names = ("google-api-python-client", "google-auth", "httplib2")
    return ", ".join(f"{name} {metadata.version(name)}" for name in names)


@cache
def user_agent() -> str:
    """What Google is told that asks. Google compresses only for agents that name gzip."""
    try:
        version = metadata.version("exosync")
    except metadata.PackageNotFoundError:
        version = "0"
    return f"exosync/{version} (gzip)"
