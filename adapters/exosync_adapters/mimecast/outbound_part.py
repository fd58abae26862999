"""The setting `authorized_outbounds`: read and reported, never written.

Only single addresses can stand there, a write replaces the account's whole list, and for
Microsoft 365 Mimecast keeps the ranges itself (Mimecast support 34000414711443): Exchange
Online's ranges do not belong there.
"""

from __future__ import annotations

from collections.abc import Iterator

from exosync.core.desired import Desired
from exosync.core.ranges import IpRanges
from exosync.core.target import (
    Check,
    Draft,
    Finding,
    Knowledge,
    Observed,
    Severity,
    Step,
    Verification,
)
from exosync.core.tasks import Known
from exosync.core.words import plural
from exosync.errors import TargetError
from exosync_adapters.mimecast import rules
from exosync_adapters.mimecast.account import Account
from exosync_adapters.mimecast.faults import OUTBOUND
from exosync_adapters.mimecast.policy import Sources

SETTING = "authorized_outbounds"

_NOTHING = IpRanges()


class OutboundPart:
    """The addresses from which the account may send through Mimecast."""

    prefix = "authorized-outbounds"

    def __init__(self, account: Account) -> None:
        self._account = account

    def observe(self, known: Known) -> Observed:
        """Read the list; that it cannot be read stops nothing, since nothing depends on it."""
        check = self._read()
        severity = Severity.INFO if check.ok else Severity.WARNING
        finding = Finding("authorized_outbounds", check.message, severity)
        return Observed(_NOTHING, {}, findings=(finding,), detail=check)

    def plan(self, desired: Desired, observed: Observed, *, adopting: bool) -> Draft:
        """Nothing, whatever is there."""
        return Draft(_NOTHING, _NOTHING)

    def rehearse(self, desired: Desired, draft: Draft) -> Draft:
        """Nothing is planned."""
        return draft

    def apply(self, step: Step) -> None:
        """Never called: it has no steps."""
        raise NotImplementedError(step.summary)

    def verify(self, desired: Desired, observed: Observed) -> Verification:
        """What was read; it proves nothing of the ranges."""
        return Verification((observed.detail,))

    def check(self) -> Iterator[Check]:
        """Whether the list can be read."""
        yield self._read()

    def explain(self, address: IpRanges, observed: Observed) -> Knowledge | None:
        """It lets nothing in, so it says nothing of an address."""
        return None

    def _read(self) -> Check:
        try:
            texts = self._account.outbound_addresses()
        except TargetError as error:
            remedy = f"the application needs {OUTBOUND.both}"
            return Check(SETTING, None, f"cannot be read: {error}", remedy)
        found = Sources.read(texts)
        told = plural(len(texts), "authorized outbound entry")
        shown = f": {rules.few(found.ranges)}" if found.ranges else ""
        return Check(SETTING, True, f"{told}{shown}; exosync only reads them")
