"""The way to Microsoft's hosts, each with connections of its own, and where a redirect may lead."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urljoin, urlsplit

from exosync.core.meter import Meter, unmetered
from exosync.errors import TargetError

if TYPE_CHECKING:
    from exosync_adapters.wire import Reply, Wire

_MOST_REDIRECTS = 2
_REDIRECTS = frozenset({301, 302, 307, 308})


class Places:
    """Microsoft's hosts. With `base` all of them stand at that address, their paths unchanged."""

    def __init__(self, base: str | None, *, timeout: float, meter: Meter = unmetered) -> None:
        self._base = base
        self._timeout = timeout
        self._meter = meter
        # The connections of one thread are no other's: a time-out cuts them all.
        self._of_thread = threading.local()

    def ask(
        self,
        method: str,
        url: str,
        *,
        trusted: str,
        headers: Mapping[str, str],
        data: bytes | None = None,
    ) -> Reply:
        """Ask once. A redirect is followed within the trusted host alone.

        A regional host may answer for it (cisagov/ScubaGear); what `headers` hold must go
        nowhere else. Raises NoAnswerError, and TargetError for a redirect that leads elsewhere.
        """
        for _ in range(_MOST_REDIRECTS + 1):
            if not self.within(url, trusted):
                raise TargetError(
                    f"{_host(trusted)} names {_host(url) or 'no host'}, which is none of its own: "
                    "nothing is sent there"
                )
            base, path = self._place(url)
            reply = self._wire(base).ask(method, path, headers=headers, data=data)
            if reply.status not in _REDIRECTS or not reply.headers.get("location"):
                return reply
            url = urljoin(url, reply.headers["location"])
        raise TargetError(f"{_host(trusted)} redirects again and again")

    def within(self, url: str, trusted: str) -> bool:
        """Whether an address is at a trusted host, a host below it, or where all of them stand."""
        parts = _parts(url)
        if parts is None or parts.username is not None:
            return False
        if self._base is not None and _origin(parts) == _origin(urlsplit(self._base)):
            return True
        own = urlsplit(trusted)
        host = parts.hostname or ""
        return (
            parts.scheme == own.scheme
            and parts.port == own.port
            and (host == own.hostname or host.endswith(f".{own.hostname}"))
        )

    def _place(self, url: str) -> tuple[str, str]:
        parts = urlsplit(url)
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        if self._base is None:
            return f"{parts.scheme}://{parts.netloc}", path
        base = urlsplit(self._base)
        return self._base, path.removeprefix(base.path) if _origin(parts) == _origin(base) else path

    def _wire(self, base: str) -> Wire:
        from exosync_adapters.wire import Wire

        wires: dict[str, Wire] = self._of_thread.__dict__
        if base not in wires:
            wires[base] = Wire(base, timeout=self._timeout, meter=self._meter)
        return wires[base]


def _parts(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018  (reading it checks it)
    except ValueError:
        return None
    return parts


def _origin(parts: SplitResult) -> tuple[str, str]:
    return parts.scheme, parts.netloc.lower()


def _host(url: str) -> str:
    parts = _parts(url)
    return (parts.hostname or "") if parts else ""
