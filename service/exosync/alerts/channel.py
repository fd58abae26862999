"""What a channel is: one way by which a message leaves, whatever it is made of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from exosync.alerts.routing import Route
from exosync.core.target import Check
from exosync.errors import AlertError

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Message:
    """A composed message on its way.

    `alert` is the published object, `done` the recipients who have it from an earlier try.
    """

    alert: Json
    done: Sequence[str] = ()

    @property
    def key(self) -> str:
        """What receivers tell repeats by: the same at every try."""
        key: str = self.alert["id"]
        return key


class Channel(Protocol):
    """One way by which messages leave. Secrets are read at every try, so they may be rotated."""

    def send(self, message: Message) -> None:
        """Send a message; returns once the other side has taken it.

        Raises AlertError, and ConfigError for a secret that cannot be read.
        """
        ...

    def check(self) -> Iterator[Check]:
        """Try the way without sending anything."""
        ...


@dataclass(frozen=True, slots=True)
class ChannelJob:
    """A configured channel: what it takes, how often, and the way itself."""

    name: str
    kind: str
    route: Route
    max_per_hour: int
    channel: Channel


def failed(what: str, error: Exception) -> Check:
    """A check that did not go well."""
    permanent = isinstance(error, AlertError) and error.permanent
    remedy = "" if not permanent else "trying again will not help: mend it at either side"
    return Check(what, ok=False, message=str(error), remedy=remedy)
