"""Signatures by which a receiver knows that a message is ours and fresh.

Source: Standard Webhooks 1.0.0, https://github.com/standard-webhooks/standard-webhooks
(spec/standard-webhooks.md): HMAC-SHA256 over `id.timestamp.payload`, in base64, with the
headers webhook-id, webhook-timestamp (seconds since 1970) and webhook-signature.
"""

from __future__ import annotations

import binascii
import hashlib
import hmac
from base64 import b64decode, b64encode

from exosync.errors import ConfigError

PREFIX = "whsec_"


def key_of(secret: str) -> bytes:
    """The key that a secret stands for: base64 after `whsec_`, else the text itself.

    Raises ConfigError for what follows `whsec_` and is no base64.
    """
    if not secret.startswith(PREFIX):
        return secret.encode()
    try:
        return b64decode(secret.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        raise ConfigError(f"the secret begins with {PREFIX}, but no base64 follows") from None


def headers(secret: str, *, key: str, timestamp: int, payload: bytes) -> dict[str, str]:
    """The three headers of a signed message."""
    signed = b".".join((key.encode(), str(timestamp).encode(), payload))
    digest = hmac.new(key_of(secret), signed, hashlib.sha256).digest()
    return {
        "webhook-id": key,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": f"v1,{b64encode(digest).decode()}",
    }
