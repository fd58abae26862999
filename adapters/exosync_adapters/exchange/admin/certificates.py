"""The application's certificate and its private key, both as PEM in one text.

cryptography comes with msal (extra `exchange`) and is imported where it is used.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from exosync.errors import ConfigError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.x509 import Certificate

_WHERE = "credentials.certificate"
_BLOCK = re.compile(r"-----BEGIN ([A-Z0-9 ]+)-----\s.*?-----END \1-----", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Pair:
    """A private key and its certificate, as msal takes them."""

    private_key: str = field(repr=False)
    certificate: str


def pair(pem_text: str) -> Pair:
    """The key and the certificate that belongs to it, whatever else stands in the text.

    Raises ConfigError, without any of the text.
    """
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    key = _key(pem_text)
    certificates = [*_certificates(pem_text)]
    if not certificates:
        raise ConfigError(f"{_WHERE}: holds no certificate that can be read: put it beside the key")
    ours = key.public_key()
    for one in certificates:
        if one.public_key() == ours:
            written = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
            return Pair(written.decode(), one.public_bytes(Encoding.PEM).decode())
    raise ConfigError(f"{_WHERE}: the private key is not that of the certificate beside it")


def certificate_end(pem_text: str) -> datetime | None:
    """When the certificate ends that the key belongs to, else the first one; None if none is read.

    Entra takes no token request signed with a certificate that has ended.
    """
    try:
        certificates = [*_certificates(pem_text)]
    except ImportError:
        return None
    try:
        ours = _key(pem_text).public_key()
    except ConfigError:
        ours = None
    fit = next((one for one in certificates if one.public_key() == ours), None)
    first = fit or next(iter(certificates), None)
    return first.not_valid_after_utc if first else None


def _key(pem_text: str) -> RSAPrivateKey:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    block = next((one for kind, one in _blocks(pem_text) if kind.endswith("PRIVATE KEY")), None)
    if block is None:
        raise ConfigError(f"{_WHERE}: holds no private key: put it beside the certificate, as PEM")
    try:
        key = load_pem_private_key(block.encode(), None)
    except (ValueError, TypeError, UnsupportedAlgorithm):  # their words may hold parts of the key
        raise ConfigError(
            f"{_WHERE}: the private key cannot be read; it must be PEM without a passphrase"
        ) from None
    if not isinstance(key, RSAPrivateKey):
        raise ConfigError(f"{_WHERE}: the private key must be RSA: msal signs with PS256")
    return key


def _certificates(pem_text: str) -> Iterator[Certificate]:
    from cryptography.x509 import load_pem_x509_certificate

    for kind, block in _blocks(pem_text):
        if kind == "CERTIFICATE":
            try:
                yield load_pem_x509_certificate(block.encode())
            except ValueError:
                continue


def _blocks(pem_text: str) -> Iterator[tuple[str, str]]:
    for found in _BLOCK.finditer(pem_text):
        yield found[1], found[0]
