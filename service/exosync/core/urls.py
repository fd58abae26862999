"""Addresses of web services: which may be used without TLS, and how they are shown."""

from __future__ import annotations

import re
from ipaddress import IPv6Address, ip_address
from urllib.parse import SplitResult, unquote, urlsplit

_USERINFO = re.compile(r"(?<=://)[^\s/\"'<>][^\s\"'<>]*@|(?<=://)@")
_UNSAFE = re.compile(r"[\s\\\x00-\x1f\x7f]")


def is_loopback_url(url: str) -> bool:
    """Whether the address leads to this machine: localhost, 127.0.0.0/8 or ::1.

    A name under `localhost` counts (RFC 6761 section 6.3); no name is looked up. What is no
    address, or what two readers could take for different hosts, is not loopback.
    """
    if _UNSAFE.search(url):
        return False
    try:
        host = (urlsplit(url).hostname or "").rstrip(".")
    except ValueError:
        return False
    return host == "localhost" or host.endswith(".localhost") or _is_loopback_address(host)


def _is_loopback_address(host: str) -> bool:
    try:
        address = ip_address(host)
    except ValueError:
        return False
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped.is_loopback
    return address.is_loopback


def check_http_url(url: str) -> str:
    """The address itself, if it is `https:`, or `http:` on loopback, and holds no credentials.

    Raises ValueError; its message never shows credentials.
    """
    parts = _parts(url)
    if parts.scheme not in ("http", "https"):
        raise ValueError("an address starts with https://")
    if not parts.hostname:
        raise ValueError("the address names no host")
    if "@" in parts.netloc:
        raise ValueError("an address holds no user name or password")
    if parts.scheme == "http" and not is_loopback_url(url):
        raise ValueError("plain http: is accepted for loopback alone: use https:")
    return url


def check_proxy_url(url: str) -> str:
    """The address of a proxy itself, if it can be one: `http:` or `https:`, a host, a port.

    Plain `http:` is accepted: what goes to the feed through it is encrypted end to end (HTTP
    CONNECT, RFC 9110 section 9.3.6). Raises ValueError without showing credentials.
    """
    parts = _parts(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("a proxy is written like http://proxy.example.com:3128")
    return url


def _parts(url: str) -> SplitResult:
    if _UNSAFE.search(url):
        raise ValueError("an address holds no blanks, backslashes or control characters")
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018  (reading it checks it)
    except ValueError:
        raise ValueError("this is not a web address: write https://HOST[:PORT]/") from None
    return parts


def has_credentials(url: str) -> bool:
    """Whether a user name or a password stands in the address."""
    return bool(_USERINFO.search(url))


def credentials(url: str) -> tuple[str, ...]:
    """The password's texts in an address, as written and as meant; for a redactor.

    A user name without a password is taken for a token.
    """
    found = _USERINFO.search(url)
    if not found:
        return ()
    whole = found[0].removesuffix("@")
    user, _, password = whole.partition(":")
    secret = password or user
    return tuple(dict.fromkeys(text for text in (secret, whole, unquote(secret)) if text))


def masked_url(text: str) -> str:
    """The text with the credentials of every address in it replaced by `***`."""
    return _USERINFO.sub("***@", text)
