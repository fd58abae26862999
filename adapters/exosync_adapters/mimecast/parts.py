"""What each setting of the account is to the target: one part, with its own resources."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from exosync.core.desired import Desired
from exosync.core.ranges import IpRanges
from exosync.core.target import Check, Draft, Knowledge, Observed, Step, Verification
from exosync.core.tasks import Known


class Part(Protocol):
    """One setting. The calls are those of a target; `resources` begin with `prefix`."""

    prefix: str

    def observe(self, known: Known) -> Observed:
        """Read what is there."""
        ...

    def plan(self, desired: Desired, observed: Observed, *, adopting: bool) -> Draft:
        """Make the steps. Pure."""
        ...

    def rehearse(self, desired: Desired, draft: Draft) -> Draft:
        """Try the draft against the world without writing."""
        ...

    def apply(self, step: Step) -> None:
        """Do one step."""
        ...

    def verify(self, desired: Desired, observed: Observed) -> Verification:
        """Prove that the desired state is there."""
        ...

    def check(self) -> Iterable[Check]:
        """Try what can be tried without changing anything."""
        ...

    def explain(self, address: IpRanges, observed: Observed) -> Knowledge | None:
        """Whether this setting knows an address; None if it is not about addresses."""
        ...
