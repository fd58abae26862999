"""The headers that every answer has."""

from __future__ import annotations

_ALLOWED = {
    "default-src": "'none'",
    "style-src": "'self'",
    "script-src": "'self'",
    "img-src": "'self'",
    "connect-src": "'self'",
    "form-action": "'self'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
}

POLICY = "; ".join(f"{what} {where}" for what, where in _ALLOWED.items())
"""Nothing but our own files: no inline script or style, no frame around the page or in it."""

SAFE = (
    (b"content-security-policy", POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
)

KEEP_NOTHING = (b"cache-control", b"no-store")
KEEP = (b"cache-control", b"public, max-age=31536000, immutable")
"""For a file whose address has its digest in it."""
