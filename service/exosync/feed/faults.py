"""From what requests and urllib3 raise to the error tree, in words that a person can use."""

from __future__ import annotations

import ssl
from urllib.parse import urlsplit

import requests
from requests import exceptions as raised
from urllib3 import exceptions as below

from exosync.core.answers import one_line
from exosync.core.causes import causes
from exosync.core.urls import credentials, masked_url
from exosync.errors import FeedError, FeedUnreachable
from exosync.feed.verdicts import TryAgainError, Way

_MOST_SHOWN = 200


class OverdueError(TimeoutError):
    """The overall time for a question is over."""


def feed_error(error: Exception, url: str, way: Way) -> FeedError:
    """The error of the tree for a low-level one: TryAgainError where another try may help."""
    chain = causes(error)
    reason = _reason(chain[-1], way)
    if isinstance(error, OverdueError):
        return FeedUnreachable(f"{url} gave no full answer in the time it had (feed.deadline)")
    if _among(chain, ssl.SSLCertVerificationError):
        remedy = "if a proxy on the way looks into TLS, name its CA certificates in feed.ca_bundle"
        return FeedUnreachable(f"{url} cannot be trusted: {reason}; {remedy}")
    passing = _passing(chain, url, way, reason)
    if passing:
        return TryAgainError(passing)
    if isinstance(error, (requests.RequestException, below.HTTPError, ValueError)):
        return FeedUnreachable(f"{url} cannot be asked: {reason}; look at feed.url and feed.proxy")
    # What is left is a file that cannot be used: the CA bundle is the only one.
    return FeedUnreachable(f"{url} cannot be asked: {reason}; look at feed.ca_bundle")


def _passing(chain: list[BaseException], url: str, way: Way, reason: str) -> str:
    """What to say of a fault that may pass by itself; empty for any other."""
    host = urlsplit(url).hostname or url
    if _among(chain, raised.ProxyError, below.ProxyError):
        return f"the proxy on the way to {host} failed: {reason}; look at feed.proxy or HTTPS_PROXY"
    if _among(chain, raised.SSLError, below.SSLError):
        return f"TLS with {host} failed: {reason}; look at feed.ca_bundle and feed.proxy"
    if _among(chain, raised.ConnectTimeout):
        return f"no connection to {host} within {way.connect_timeout:g} s (feed.connect_timeout)"
    if _among(chain, raised.ReadTimeout, below.ReadTimeoutError):
        return f"{url} was silent for {way.read_timeout:g} s (feed.read_timeout)"
    if _among(chain, raised.ChunkedEncodingError, below.ProtocolError, raised.ContentDecodingError):
        return f"the answer of {url} broke off: {reason}"
    if _among(chain, raised.ConnectionError, raised.Timeout, ConnectionError):
        return f"{url} cannot be reached: {reason}"
    return ""


def _among(chain: list[BaseException], *kinds: type[BaseException]) -> bool:
    return any(isinstance(one, kinds) for one in chain)


def _reason(cause: BaseException, way: Way) -> str:
    """The innermost cause on one line, without the credentials of the proxy."""
    text = getattr(cause, "strerror", None) or str(cause) or type(cause).__name__
    for secret in credentials(way.proxy or ""):
        text = text.replace(secret, "***")
    return masked_url(one_line(str(text)))[:_MOST_SHOWN]
