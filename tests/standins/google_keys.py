"""The keys of a service account: files for tests, and signatures made and checked."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

Json = Any

TOKEN_URI = "https://oauth2.googleapis.com/token"  # the audience, whatever a key file says


@dataclass(frozen=True, slots=True)
class Key:
    """An RSA key and the id that JWT headers name it by."""

    private: rsa.RSAPrivateKey
    id: str

    def sign(self, data: bytes) -> bytes:
        """The RS256 signature."""
        return self.private.sign(data, padding.PKCS1v15(), hashes.SHA256())

    def holds(self, data: bytes, signature: bytes) -> bool:
        """Whether a signature is this key's, over these bytes."""
        try:
            self.private.public_key().verify(signature, data, padding.PKCS1v15(), hashes.SHA256())
        except InvalidSignature:
            return False
        return True

    def pem(self) -> str:
        """The private key as key files carry it."""
        return self.private.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ).decode()


@cache  # making one takes a good part of a second
def made_key(name: str) -> Key:
    """A key that is the same for the whole process."""
    return Key(rsa.generate_private_key(65537, 2048), sha256(name.encode()).hexdigest()[:40])


def key_file_text(key: Key, account: str, *, token_uri: str = TOKEN_URI) -> str:
    """A service account's key file, with the members that Google's own have."""
    return json.dumps(
        {
            "type": "service_account",
            "project_id": account.partition("@")[2].partition(".")[0],
            "private_key_id": key.id,
            "private_key": key.pem(),
            "client_email": account,
            "client_id": client_id(account),
            "auth_uri": "https://accounts.google.com/o/oauth2/auth",
            "token_uri": token_uri,
            "universe_domain": "googleapis.com",
        },
        indent=2,
    )


def client_id(account: str) -> str:
    """The number by which the Admin console knows the service account."""
    return str(10**20 + int(sha256(account.encode()).hexdigest(), 16) % 10**20)


def encoded(data: bytes) -> str:
    """base64url without padding (RFC 7515)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decoded(text: str) -> bytes:
    """The bytes of base64url without padding."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def signed_jwt(key: Key, payload: str) -> str:
    """A JWT over a payload that is left as it came."""
    header = json.dumps({"alg": "RS256", "kid": key.id, "typ": "JWT"})
    signing = f"{encoded(header.encode())}.{encoded(payload.encode())}"
    return f"{signing}.{encoded(key.sign(signing.encode()))}"


@dataclass(frozen=True, slots=True)
class Jwt:
    """A JWT taken apart."""

    header: Json
    claims: Json
    signing: bytes
    signature: bytes


def parsed_jwt(text: str) -> Jwt:
    """A JWT's parts; ValueError for what is none."""
    signing, _, signature = text.rpartition(".")
    header, _, claims = signing.partition(".")
    found = Jwt(
        json.loads(decoded(header)),
        json.loads(decoded(claims)),
        signing.encode(),
        decoded(signature),
    )
    if not isinstance(found.header, dict) or not isinstance(found.claims, dict):
        raise ValueError("a part of the JWT is no JSON object")
    return found
