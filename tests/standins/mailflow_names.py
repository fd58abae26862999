"""What the model asks the DNS: addresses, mail exchangers, and SPF as pyspf evaluates it."""

from __future__ import annotations

import threading
from typing import Final

from tests.support.judge import from_server, judge

_ONE_AT_A_TIME: Final = threading.Lock()
"""The judge lends pyspf a DNS for the time of one evaluation."""


class Names:
    """The DNS as one server tells it: a stand-in, or BIND."""

    def __init__(self, address: str, port: int) -> None:
        self._ask = from_server(address, port)

    def address(self, host: str) -> str | None:
        """An address of a host; None if it has none."""
        found = [*self._ask(host, "A"), *self._ask(host, "AAAA")]
        return str(found[0]) if found else None

    def exchangers(self, domain: str) -> list[str]:
        """The mail exchangers of a domain, the preferred one first (RFC 5321, section 5.1)."""
        found = sorted((one[0], str(one[1])) for one in self._ask(domain, "MX"))
        return [host.rstrip(".").lower() for _, host in found]

    def spf(self, source: str, domain: str) -> str:
        """SPF's result for mail of a domain from an address (RFC 7208, section 2.6)."""
        with _ONE_AT_A_TIME:
            return judge(source, domain, self._ask).result
