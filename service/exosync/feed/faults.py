"""From what requests and urllib3 raise to the error tree, in words that a person can use."""

from __future__ import annotations

import ssl
from urllib.parse import urlsplit

import requests
from requests import exceptions as raised
from urllib3 import exceptions as below

from exosync.core.answers import one_line
from exosync.core.urls import credentials, masked_url
from exosync.errors import FeedError, FeedUnreachable
from exosync.feed.verdicts import TryAgainError, Way

_DEEPEST = 10
_MOST_SHOWN = 200


class OverdueError(TimeoutError):
    """The overall time for a question is over."""


def feed_error(error: Exception, url: str, way: Way) -> FeedError:
    """The error of the tree for a low-level one: TryAgainError where another try may help."""
    host = urlsplit(url).hostname or url
    reason = _reason(error, way)
    match error:
        case OverdueError():
            return FeedUnreachable(f"{url} gave no full answer in the time it had (feed.deadline)")
        case raised.ProxyError() | below.ProxyError():
            message = (
                f"the proxy on the way to {host} did not do its work: {reason}; look at feed.proxy"
            )
            return TryAgainError(f"{message} and HTTPS_PROXY")
        case raised.SSLError() | below.SSLError():
            return _tls(error, host, reason)
        case raised.ConnectTimeout() | below.ConnectTimeoutError() if not _refused(error):
            seconds = f"{way.connect_timeout:g} s (feed.connect_timeout)"
            return TryAgainError(f"no connection to {host} within {seconds}")
        case raised.ReadTimeout() | below.ReadTimeoutError():
            seconds = f"{way.read_timeout:g} s (feed.read_timeout)"
            return TryAgainError(f"{url} was silent for {seconds}")
        case raised.ChunkedEncodingError() | below.ProtocolError() | raised.ContentDecodingError():
            return TryAgainError(f"the answer of {url} broke off: {reason}")
        case raised.ConnectionError() | raised.Timeout() | ConnectionError():
            return TryAgainError(f"{url} cannot be reached: {reason}")
        case requests.RequestException() | below.HTTPError() | ValueError():
            return FeedUnreachable(
                f"{url} cannot be asked: {reason}; look at feed.url and feed.proxy"
            )
        case _:
            # What is left is a file that cannot be used: the CA bundle is the only one.
            return FeedUnreachable(f"{url} cannot be asked: {reason}; look at feed.ca_bundle")


def _tls(error: Exception, host: str, reason: str) -> FeedError:
    message = f"TLS with {host} failed: {reason}"
    if any(isinstance(one, ssl.SSLCertVerificationError) for one in _chain(error)):
        remedy = "if a proxy on the way looks into TLS, name its CA certificates in feed.ca_bundle"
        return FeedUnreachable(f"{message}; {remedy}")
    return TryAgainError(f"{message}; look at feed.ca_bundle and feed.proxy")


def _refused(error: Exception) -> bool:
    """Whether what counts as a time-out for urllib3 was an answer, such as a refusal."""
    return isinstance(_chain(error)[-1], OSError) and not isinstance(
        _chain(error)[-1], (TimeoutError, raised.RequestException)
    )


def _chain(error: BaseException) -> list[BaseException]:
    """The error, and what lies inside of it, down to the first cause."""
    found = [error]
    while len(found) < _DEEPEST:
        here = found[-1]
        inner = (getattr(here, "reason", None), *here.args, here.__cause__)
        following = next((one for one in inner if isinstance(one, BaseException)), None)
        if following is None or following in found:
            break
        found.append(following)
    return found


def _reason(error: Exception, way: Way) -> str:
    """The innermost cause on one line, without the credentials of the proxy."""
    cause = _chain(error)[-1]
    text = getattr(cause, "strerror", None) or str(cause) or type(cause).__name__
    for secret in credentials(way.proxy or ""):
        text = text.replace(secret, "***")
    return masked_url(one_line(str(text)))[:_MOST_SHOWN]
