"""What takes secrets out of texts."""

from __future__ import annotations

from exosync.core.words import one_line

_SHORTEST_SECRET = 4


class Mask:
    """Remembers what only we and a vendor may know, and takes it out of texts."""

    def __init__(self) -> None:
        self._secrets: set[str] = set()

    def __repr__(self) -> str:
        return f"<Mask of {len(self._secrets)} secrets>"

    def add(self, *secrets: str) -> None:
        """Remember secrets; what is shorter than four characters would mask too much."""
        self._secrets |= {one for one in secrets if len(one) >= _SHORTEST_SECRET}

    def clean(self, text: str) -> str:
        """The text in one line, without any of them."""
        for secret in sorted(self._secrets, key=len, reverse=True):
            text = text.replace(secret, "***")
        return one_line(text)
