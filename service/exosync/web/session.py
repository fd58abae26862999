"""Proving that a reader knows the token: by the token itself, or by a session made with it.

A session is what a browser keeps as a cookie: when it was made, a random part, and an
HMAC-SHA256 over both with a key that is derived from the token. So it says nothing of the
token, ends by itself, and ends at once when the token is changed.
"""

from __future__ import annotations

import hashlib
import hmac
from datetime import datetime, timedelta

COOKIE = "exosync_session"
LASTS = timedelta(hours=12)

_PURPOSE = b"exosync page session 1\0"
_MOST = 200  # characters; ours have some 120


def is_token(given: str, token: str) -> bool:
    """Whether a text is the token; takes as long for any wrong one."""
    return hmac.compare_digest(_digest(given), _digest(token))


def new_session(token: str, *, now: datetime, nonce: str) -> str:
    """A session for who has shown the token. `nonce` must be random and without a dot."""
    made = f"{int(now.timestamp())}.{nonce}"
    return f"{made}.{_mac(token, made)}"


def is_session(given: str, token: str, *, now: datetime) -> bool:
    """Whether a session was made with this token, and not too long ago."""
    made, _, mac = given.rpartition(".")
    if len(given) > _MOST or not hmac.compare_digest(mac.encode(), _mac(token, made).encode()):
        return False
    moment = made.partition(".")[0]
    age = now.timestamp() - int(moment)
    # A clock that was set back a little must not sign everybody out.
    return -60 <= age < LASTS.total_seconds()


def _mac(token: str, made: str) -> str:
    key = hashlib.sha256(_PURPOSE + token.encode()).digest()
    return hmac.new(key, made.encode(), hashlib.sha256).hexdigest()


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).digest()
