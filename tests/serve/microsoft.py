"""Microsoft's service as it is in months: in all its moods, and how often it is asked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import TypeAlias

from exosync.core.endpoints import parse_endpoints
from exosync.core.ranges import IpRanges
from exosync.core.selection import mail_ranges
from tests.standins.endpoints import EndpointsStandIn, answer_body, published
from tests.standins.web import Reply, Request

Mood: TypeAlias = Callable[[Request], Reply | None]
"""What is answered instead of the truth, if anything."""

HONEST: Mood = lambda _: None  # noqa: E731

VERSIONS = published("Worldwide")[:7]
"""Those with changes; in the later ones the mail ranges stay as they are."""


@cache
def ranges_of(version: str) -> IpRanges:
    """The mail ranges of a version."""
    body = answer_body("Worldwide", version)
    snapshot = parse_endpoints(body, instance="Worldwide", version=version, where="the test")
    return mail_ranges(snapshot).ranges


@dataclass(frozen=True, slots=True)
class Asked:
    """One request to Microsoft: when, for what, and what came instead of an honest answer."""

    at: datetime
    path: str
    instead: Reply | None

    @property
    def confirms(self) -> bool:
        """Whether it told which version is the newest."""
        return self.path.startswith("/version") and self.instead is None


class Microsoft(EndpointsStandIn):
    """The web service, which can be in a mood for as long as a test likes."""

    def __init__(self, version: str, now: Callable[[], datetime]) -> None:
        super().__init__(version=version)
        self.mood = HONEST
        self.asked: list[Asked] = []
        self._now = now

    def turns(self, mood: Mood) -> None:
        """Change the mood."""
        self.mood = mood

    def _honest(self, request: Request) -> Reply:
        moody = self.mood(request)
        self.asked.append(Asked(self._now(), request.path, moody))
        return moody or super()._honest(request)


def always(reply: Reply) -> Mood:
    """The same to everybody."""
    return lambda _: reply


def endpoints_only(reply: Reply) -> Mood:
    """Only the list itself is not to be had."""
    return lambda request: reply if request.path.startswith("/endpoints") else None
