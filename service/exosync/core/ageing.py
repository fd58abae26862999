"""Removals age: an address that Microsoft took away stays desired for a grace time.

Microsoft has put ranges back after 5 and after 19 days (versions 2018080200 and 2020061600),
and gives no notice of removals. Additions are published 30 days ahead and need no ageing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from exosync.core.desired import Leaving
from exosync.core.ranges import IpRanges


@dataclass(frozen=True, slots=True)
class Held:
    """The mail ranges of one adopted version, and when it was adopted (UTC)."""

    version: str
    adopted_at: datetime
    ranges: IpRanges


def leaving(history: Sequence[Held], *, grace: timedelta, now: datetime) -> tuple[Leaving, ...]:
    """What is gone from the newest version and still within its grace time.

    `history` is in the order of adoption. Grace counts from the moment when an address was
    first seen gone; one that comes back ends its leaving, and starts anew if it goes again.
    """
    gone: list[tuple[datetime, IpRanges]] = []
    for before, after in pairwise(history):
        gone = [(since, ranges - after.ranges) for since, ranges in gone]
        gone.append((after.adopted_at, before.ranges - after.ranges))
    return tuple(
        Leaving(ranges, since, since + grace)
        for since, ranges in gone
        if ranges and since + grace > now
    )
