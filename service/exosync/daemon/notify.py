"""Telling systemd how the service stands.

The protocol of sd_notify(3): datagrams to the socket that NOTIFY_SOCKET names. Without that
variable, as in a container, nothing is told. https://www.freedesktop.org/software/systemd/man/sd_notify.html
"""

from __future__ import annotations

import socket
from collections.abc import Mapping
from contextlib import suppress

MOST_SECONDS = 1.0
"""How long a manager that does not listen is waited for."""


class Notifier:
    """Speaks to the service manager, if there is one."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._address = environ.get("NOTIFY_SOCKET", "")
        self._watchdog = environ.get("WATCHDOG_USEC", "")

    @property
    def watchdog_seconds(self) -> float | None:
        """How often the manager wants to hear from us; None if it does not."""
        if not self._address or not self._watchdog.isdecimal():
            return None
        return int(self._watchdog) / 1_000_000

    def tell(self, *lines: str) -> None:
        """Send some of READY=1, STOPPING=1, RELOADING=1, WATCHDOG=1, STATUS=…; never raises."""
        if not self._address:
            return
        # An address that begins with @ is in the abstract namespace.
        address = self._address.replace("@", "\0", 1) if self._address[0] == "@" else self._address
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
            # A manager that is itself held up takes no more than a few datagrams.
            channel.settimeout(MOST_SECONDS)
            channel.sendto("\n".join(lines).encode(), address)
