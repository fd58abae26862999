"""Months of a company, with what goes wrong there, drawn by chance.

Versions of Worldwide that changed the mail ranges come up in turn. In the days between two of
them the feed, the targets, the receivers of alerts and the service itself have their bad hours;
after the last, all is well again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from random import Random

from tests.serve.company import FILES, GRACE, MIDWAY, Company, Moment
from tests.serve.microsoft import HONEST, VERSIONS, Mood, always, endpoints_only
from tests.serve.simulated import START
from tests.standins.endpoints_replies import hang, html, reset, status, wrong_json
from tests.standins.mimecast import ALL_PRODUCTS
from tests.standins.web import Reply
from tests.standins.webhook import WebhookStandIn

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
PERIOD = 3 * DAY
"""From one version to the next."""

LONGEST_OFF = 3 * HOUR

REFUSALS = (status(503), reset(), status(404))
"""What receivers of alerts say on bad days."""

WAIT = 2 * HOUR
"""What Microsoft asks for when it is asked too often."""

BACKWARD = {"instance": "Worldwide", "latest": "2017010100"}

MOODS: dict[str, tuple[Mood, timedelta]] = {
    "unavailable": (always(status(503)), 20 * HOUR),
    "throttling": (always(status(429, {"Retry-After": f"{WAIT.seconds}"})), 20 * HOUR),
    "resetting": (always(reset()), 20 * HOUR),
    "hanging": (always(hang()), HOUR / 2),
    "signing in": (always(html()), 20 * HOUR),
    "backward": (always(wrong_json(BACKWARD)), 20 * HOUR),
    "empty": (endpoints_only(wrong_json([])), 5 * HOUR),
}
"""What the feed's bad days are like, and how long they last at the most."""

SILENT = (58 * HOUR, 70 * HOUR)
"""How long once nothing is heard of it."""


@dataclass(frozen=True, slots=True)
class Scale:
    """How many versions come, and how often things are done in between."""

    versions: int
    pace: timedelta

    def drawn(self, chance: Random) -> list[str]:
        """The versions: a part of all of them, in their order."""
        first = chance.randrange(len(VERSIONS) - self.versions + 1)
        return VERSIONS[first : first + self.versions]

    @property
    def end(self) -> datetime:
        """When the last version has been out long enough for everything to be settled."""
        return START + self.versions * PERIOD + GRACE + 2 * DAY


def plot(one: Company, scale: Scale) -> list[Moment]:
    """What happens when: the versions, the bad hours, and a person every morning."""
    moments: list[Moment] = [(scale.end, lambda: None)]
    silent = one.chance.randrange(scale.versions)
    for number, version in enumerate(one.versions):
        begin = START + number * PERIOD
        if number:
            late = begin + 12 * HOUR * one.chance.random()
            moments.append((late, partial(one.feed.publish, version)))
        moments += _troubles(one, begin, begin + PERIOD, silent=number == silent)
    mornings = (START + 2 * HOUR + number * DAY for number in range((scale.end - START).days))
    return moments + [(at, one.person) for at in mornings]


def _troubles(one: Company, begin: datetime, stop: datetime, *, silent: bool) -> Iterator[Moment]:
    """The bad hours between two versions: what begins to be bad there is well again there."""
    chance, feed = one.chance, one.feed

    def span(least: timedelta, most: timedelta) -> tuple[datetime, datetime]:
        length = least + (most - least) * chance.random()
        at = begin + (stop - begin - length) * chance.random()
        return at, at + length

    def during(
        least: timedelta, most: timedelta, bad: Callable[[], None], well: Callable[[], None]
    ) -> Iterator[Moment]:
        yield from zip(span(least, most), (bad, well), strict=True)

    mood, longest = MOODS["unavailable" if silent else chance.choice(list(MOODS))]
    lengths = SILENT if silent else (longest / 10, longest)
    yield from during(*lengths, partial(feed.turns, mood), partial(feed.turns, HONEST))
    file = chance.choice(FILES)
    yield from during(HOUR, 30 * HOUR, partial(one.hides, file), partial(one.brings_back, file))
    yield from during(
        HOUR, 20 * HOUR, partial(one.licences, frozenset()), partial(one.licences, ALL_PRODUCTS)
    )
    hook, no = one.hooks[chance.choice(list(one.hooks))], chance.choice(REFUSALS)
    yield from during(6 * HOUR, 70 * HOUR, partial(_says, hook, no), partial(_says, hook, None))
    held = chance.choice(FILES)
    yield from during(HOUR, 30 * HOUR, partial(one.pauses, held), partial(one.resumes, held))
    tampered, steps, off = chance.choice(FILES), chance.randrange(1, 12), chance.random()
    yield span(HOUR, HOUR)[0], partial(one.tampers, tampered)
    yield span(HOUR, HOUR)[0], one.dies
    yield span(HOUR, HOUR)[0], partial(one.is_off, LONGEST_OFF * off)
    yield span(MIDWAY, MIDWAY)[0], partial(one.stops_midway, steps)


def _says(hook: WebhookStandIn, always: Reply | None) -> None:
    hook.always = always
