"""What became of a message that was sent, as those tell it who saw it pass."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Protocol, cast

from exosync.errors import ExosyncError
from exosync.views.trace import stage_view

if TYPE_CHECKING:
    from exosync.core.trace import Receiver, Sent, Stage
    from exosync.desk import Job
    from exosync.reconcile import Rules

Json = dict[str, Any]


class Traced(Protocol):
    """The router that it went by, which has a message trace."""

    name: str

    def happened(self, sent: Sent, within: timedelta) -> Sequence[Stage]:
        """What its system tells of the message. Raises the errors of targets."""
        ...


def became(
    router: Traced,
    sent: Sent,
    rules: Rules,
    *,
    leaves: bool | None,
    is_ours: bool,
    within: timedelta,
) -> Json:
    """Ask first the router, then those where it may have arrived, for so long in all.

    `leaves` is what was foretold; of a recipient who is not `is_ours`, at a domain that nobody
    here looks after, no other target is asked. Once it is sent no error ends this: who cannot be
    asked stands under `errors` with the reason, beside what the others told.
    """
    end = time.monotonic() + within.total_seconds()
    account = _Account(sent)
    account.add(router.name, lambda: router.happened(sent, within))
    stayed = leaves is False and account.settled
    if is_ours and not stayed:
        patient = not account.lost
        for job in rules.jobs:
            if hasattr(job.target, "arrived"):
                left = max(0.0, end - time.monotonic()) if patient else 0.0
                rules.progress(f"asking {job.name} for the message")
                account.add(job.name, _asking(job, sent, timedelta(seconds=left)))
    return account.view


def _asking(job: Job, sent: Sent, within: timedelta) -> Callable[[], Sequence[Stage]]:
    receiver: Receiver = cast("Any", job.target)
    return lambda: receiver.arrived(sent, within=within)


class _Account:
    """What was told so far, and who could not tell."""

    def __init__(self, sent: Sent) -> None:
        self._sent = sent
        self._stages: list[Json] = []
        self.errors: dict[str, str] = {}

    @property
    def lost(self) -> bool:
        """Whether somebody said already that it goes astray."""
        return any(one["ok"] is False for one in self._stages)

    @property
    def settled(self) -> bool:
        """Whether all went as foretold, as far as was told."""
        return not self.lost and not self.errors

    def add(self, name: str, ask: Callable[[], Sequence[Stage]]) -> None:
        """Ask one target."""
        try:
            self._stages += [stage_view(name, one) for one in ask()]
        except ExosyncError as error:
            self.errors[name] = str(error)

    @property
    def view(self) -> Json:
        """All of it, for people and programs."""
        return {
            "message_id": self._sent.message_id,
            "at": self._sent.at.isoformat() if self._sent.at else None,
            "stages": self._stages,
            "errors": self.errors,
        }
