"""What the page needs of the service behind it; everything else it reads from the state."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from exosync.config import Loaded
from exosync.core.target import Check


class Service(Protocol):
    """The service that the page belongs to. Its methods are called from several threads."""

    def loaded(self) -> Loaded:
        """The configuration in force; another one after it was read again."""
        ...

    def now(self) -> datetime:
        """The time by the service's own clock, in UTC."""
        ...

    def alive(self) -> Check:
        """Whether the loop's heart beats."""
        ...

    def ready(self) -> Sequence[Check]:
        """Whether the configuration and the state can be used, and a first run was done.

        What a vendor or Microsoft answers is no part of it.
        """
        ...

    def metrics(self) -> bytes:
        """The figures for Prometheus, in its text format."""
        ...
