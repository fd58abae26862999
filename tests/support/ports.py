"""Ports of the loopback that nobody else gets as long as a test needs them."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager

HOST = "127.0.0.1"


@contextmanager
def refusing_port(host: str = HOST) -> Iterator[int]:
    """A TCP port where connections are refused: it is held, and nobody listens there.

    A port that had been free and was let go may be somebody else's a moment later. Whoever asks
    for this very one with SO_REUSEADDR, as servers do, may listen there all the same.
    """
    with socket.socket() as held:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.bind((host, 0))
        yield int(held.getsockname()[1])
