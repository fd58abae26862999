"""The token that readers must show, read anew so that it can be changed without a restart."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from exosync.config import Loaded
from exosync.core.secret import SecretRef
from exosync.secrets import reveal

FRESH = 5.0  # seconds


class Token:
    """Reads `web.token`; what was read counts for `FRESH` seconds."""

    def __init__(
        self, environ: Mapping[str, str], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._environ, self._clock = environ, clock
        self._known: tuple[SecretRef, float, str] | None = None

    def read(self, loaded: Loaded) -> str | None:
        """The token; None if none is asked for. Raises ConfigError if it cannot be read."""
        ref = loaded.config.web.token
        if ref is None:
            return None
        known, now = self._known, self._clock()
        if known is not None and known[0] == ref and now < known[1] + FRESH:
            return known[2]
        text = reveal(ref, base=loaded.base, environ=self._environ)
        self._known = (ref, now, text)
        return text
