"""How long is waited between two tries."""

from __future__ import annotations

from datetime import timedelta

DELAYS = tuple(timedelta(minutes=one) for one in (1, 2, 5, 15, 60, 180, 360))
"""How long after each failure in a row the next try comes; the last goes on."""

AFTER_REFUSAL = 4
"""The place in `DELAYS` that a refusal for good starts at: somebody has to mend something."""


def delay(attempts: int, failures: int, *, permanent: bool) -> timedelta:
    """How long to wait after a failure.

    `attempts` are those of the message, this one included, `failures` those of the channel in
    a row. A backlog waits as one: each of its messages does not start from the beginning.
    """
    step = max(attempts, failures, 1) - 1
    return DELAYS[min(max(step, AFTER_REFUSAL if permanent else 0), len(DELAYS) - 1)]
