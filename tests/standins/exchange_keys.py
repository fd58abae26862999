"""Certificates of applications, and the assertions that are signed with them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID

from tests.standins.google_keys import Jwt, encoded, made_key, parsed_jwt

__all__ = ["Certificate", "Jwt", "made_certificate", "parsed_jwt", "signed_assertion"]

Json = Any


@dataclass(frozen=True, slots=True)
class Certificate:
    """What an application has registered: `pem` is the certificate alone, as Entra keeps it."""

    pem: str

    @property
    def parsed(self) -> x509.Certificate:
        """The certificate."""
        return x509.load_pem_x509_certificate(self.pem.encode())

    def is_named_by(self, header: Json) -> bool:
        """Whether the header of an assertion names it: x5t (SHA-1) or x5t#S256."""
        for name, algorithm in (("x5t", hashes.SHA1()), ("x5t#S256", hashes.SHA256())):
            thumbprint = encoded(self.parsed.fingerprint(algorithm))
            if header.get(name, "").rstrip("=") == thumbprint:
                return True
        return False

    def holds(self, jwt: Jwt) -> bool:
        """Whether a signature was made with its key, by RS256 or PS256."""
        key = self.parsed.public_key()
        assert isinstance(key, rsa.RSAPublicKey)
        pads: dict[str, padding.AsymmetricPadding] = {
            "RS256": padding.PKCS1v15(),
            "PS256": padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.DIGEST_LENGTH),
        }
        pad = pads.get(jwt.header.get("alg", ""))
        if pad is None:
            return False
        try:
            key.verify(jwt.signature, jwt.signing, pad, hashes.SHA256())
        except InvalidSignature:
            return False
        return True


@cache  # making a key takes a good part of a second
def made_certificate(name: str) -> tuple[Certificate, str]:
    """A certificate, and both it and its private key as PEM in one text."""
    key = made_key(name)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=365))
        .sign(key.private, hashes.SHA256())
    )
    pem = made.public_bytes(serialization.Encoding.PEM).decode()
    return Certificate(pem), key.pem() + pem


def signed_assertion(name: str, claims: Json, **header: str) -> str:
    """An assertion by the key of a made certificate; its header names the certificate."""
    certificate, _ = made_certificate(name)
    named = encoded(certificate.parsed.fingerprint(hashes.SHA256()))
    head = json.dumps({"alg": "RS256", "typ": "JWT", "x5t#S256": named, **header})
    signing = f"{encoded(head.encode())}.{encoded(json.dumps(claims).encode())}"
    return f"{signing}.{encoded(made_key(name).sign(signing.encode()))}"
