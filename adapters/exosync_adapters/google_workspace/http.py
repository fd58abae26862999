"""The one way out to Google: tokens, signatures and the APIs all pass here."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from exosync.core.meter import Meter, metered, unmetered
from exosync_adapters.google_workspace import libraries

_GOOGLE = (".googleapis.com", ".google.com")


class BusyError(Exception):
    """A service that gives tokens answered that it cannot now. Our own loop tries again."""

    def __init__(self, status: int, retry_after: str) -> None:
        super().__init__(f"status {status}")
        self.status = status
        self.retry_after = retry_after


class StrangeError(Exception):
    """What answered is none of Google's services: a proxy's page, say, or a wrong address."""

    def __init__(self, status: int | None = None) -> None:
        super().__init__("no answer of Google's" + (f", status {status}" if status else ""))
        self.status = status


class Transport:
    """What googleapiclient and google-auth take for an httplib2.Http.

    With `base`, every host of Google's stands at that address, with its paths unchanged. No
    redirect is followed: no service here gives one, and a portal's page is not an answer.
    """

    def __init__(self, *, timeout: float, base: str | None, meter: Meter = unmetered) -> None:
        import httplib2

        self._http = httplib2.Http(timeout=timeout)
        self._http.follow_redirects = False
        self._base = base.rstrip("/") if base else None
        self._meter = meter

    def request(
        self,
        uri: str,
        method: str = "GET",
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        **_: Any,
    ) -> tuple[Any, bytes]:
        """One request, as httplib2 makes it: its response and the body."""
        kept = {key: one for key, one in (headers or {}).items() if key.lower() != "user-agent"}
        with metered(self._meter, time.monotonic) as answered:
            told: tuple[Any, bytes] = self._http.request(
                self._moved(uri),
                method=method,
                body=body,
                headers={**kept, "user-agent": libraries.user_agent()},
            )
            answered.status = told[0].status
        return told

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def _moved(self, uri: str) -> str:
        parts = urlsplit(uri)
        if self._base is None or not (parts.hostname or "").endswith(_GOOGLE):
            return uri
        query = f"?{parts.query}" if parts.query else ""
        return f"{self._base}{parts.path}{query}"


class TokenRequest:
    """What google-auth asks for tokens with.

    google-auth sleeps and repeats by itself; so that this is done in one place and can be
    bounded, an answer that says "later" ends the asking at once. So does somebody's web page,
    which google-auth would take for the words of the service.
    """

    def __init__(self, transport: Transport) -> None:
        from google_auth_httplib2 import Request

        self._request = Request(transport)

    def __call__(
        self,
        url: str,
        method: str = "GET",
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
        **kwargs: Any,
    ) -> Any:
        """One request; `timeout` is left to the transport, which has its own."""
        answer = self._request(url, method=method, body=body, headers=headers, **kwargs)
        if answer.status == 429 or answer.status >= 500:
            raise BusyError(answer.status, answer.headers.get("retry-after", ""))
        if 300 <= answer.status < 400 or answer.data.lstrip()[:1] == b"<":
            raise StrangeError(answer.status)
        return answer
