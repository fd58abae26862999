"""The `google_workspace` target: one setting of Gmail in one account.

Google's libraries, and everything that imports them, are loaded when something is asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from exosync.core.desired import Desired
from exosync.core.ranges import IpRanges
from exosync.core.target import (
    Actor,
    Capabilities,
    Check,
    Context,
    Draft,
    Knowledge,
    Observed,
    Step,
    Verification,
)
from exosync.core.tasks import NOTHING_KNOWN, Known
from exosync.core.trace import Sent, Stage
from exosync.errors import StepDeclined, TargetConflict, UsageError
from exosync_adapters.google_workspace import allowlist, allowlist_plan, gateway
from exosync_adapters.google_workspace.memory import Declined
from exosync_adapters.google_workspace.policies import Allowlist, read_policies
from exosync_adapters.google_workspace.policies import allowlist as read_allowlist
from exosync_adapters.google_workspace.service import Google
from exosync_adapters.google_workspace.settings import EMAIL_ALLOWLIST, GoogleSettings

_PLANNING = ("customer", "admin", "setting", "write", "root_unit", "split_to", "max_entries", "url")


class GoogleTarget:
    """One setting. See `exosync.core.target.Target` for what each call is for."""

    kind = "google_workspace"

    def __init__(self, name: str, settings: GoogleSettings, context: Context) -> None:
        self.name = name
        self._settings = settings
        self._google = Google(
            settings, reveal=context.reveal, pause=context.pause, meter=context.meter
        )
        self._declined: Declined | None = None
        self._observed: Observed | None = None
        self._adopted = IpRanges()
        told = allowlist.capabilities(settings) if self._is_allowlist else gateway.capabilities()
        self.capabilities = Capabilities(**told)

    @property
    def _is_allowlist(self) -> bool:
        return self._settings.setting == EMAIL_ALLOWLIST

    def configuration(self) -> Mapping[str, Any]:
        """The settings that a plan depends on; nothing of the credentials."""
        return self._settings.model_dump(mode="json", include=set(_PLANNING))

    def observe(self, known: Known = NOTHING_KNOWN) -> Observed:
        """Read the list, or take what a person acknowledged where there is nothing to read."""
        if not self._is_allowlist:
            observed = gateway.look(self._google, self._settings, known)
        else:
            observed = allowlist.look(self._google, self._settings, known, self._declined)
            seen: allowlist.Seen = observed.detail
            self._adopted = seen.memory.adopted
        self._observed = observed
        return observed

    def plan(self, desired: Desired, observed: Observed, *, adopting: bool = False) -> Draft:
        """Make the steps from observed to desired. Pure."""
        if not self._is_allowlist:
            if adopting:
                return Draft(observed.owned, observed.owned)
            return gateway.plan(self._settings, desired, observed)
        if adopting:
            return allowlist_plan.plan_adoption(desired, observed)
        return allowlist_plan.plan(self.name, self._settings, desired, observed)

    def rehearse(self, desired: Desired, observed: Observed, draft: Draft) -> Draft:
        """Nothing can be tried at Google without doing it."""
        return draft

    def apply(self, step: Step) -> None:
        """Remember what is taken over, or try Google's patch.

        Raises TargetConflict where the list is not as the step expects, StepDeclined where the
        API does not do it.
        """
        if step.by is Actor.PERSON:
            raise UsageError(f"target {self.name}: this step is for a person: {step.summary}")
        if step.resource == allowlist.OWNERSHIP:
            self._adopt(step)
        else:
            self._write(step)

    def verify(self, desired: Desired, observed: Observed) -> Verification:
        """Compare what was read back; what cannot be read is listed as asserted."""
        if self._is_allowlist:
            return allowlist.verify(desired, observed)
        return gateway.verify(desired, observed)

    def check(self) -> Iterable[Check]:
        """Try libraries, credentials, delegation, the APIs and the list."""
        from exosync_adapters.google_workspace.check import check

        return check(self._google, self._settings)

    def explain(self, address: IpRanges, observed: Observed) -> Knowledge:
        """Whether the list lets an address in, and by which entries."""
        if self._is_allowlist:
            return allowlist.explain(address, observed)
        return gateway.explain(address, observed)

    def arrived(self, sent: Sent, *, within: timedelta) -> tuple[Stage, ...]:
        """What the recipient's mailbox tells of a message; nothing without `mailbox_headers`.

        It is looked into for exosync's own messages alone. Whether the setting holds the address
        that it came from goes by what was observed last.
        """
        if not self._settings.mailbox_headers:
            return ()
        from exosync_adapters.google_workspace import arrival
        from exosync_adapters.google_workspace.mailbox import Mailbox

        if not sent.is_own:
            return (arrival.spared(sent.recipient),)
        mailbox = Mailbox(self._google, sent.recipient)
        found = mailbox.wait_for(sent, within=within)
        if found is None:
            return (arrival.missing(sent, within=within, is_whole=mailbox.is_whole),)
        return tuple(arrival.stages(found, sent.recipient, self._knows))

    def _knows(self, address: str) -> Knowledge:
        if self._observed is None:
            return Knowledge(None, ("whether the setting holds that address was not looked up",))
        return self.explain(IpRanges.parse(address), self._observed)

    def _adopt(self, step: Step) -> None:
        """The list is not touched: what the step gives to remember does it."""
        if allowlist.ownership(self._adopted) == step.gives:
            return
        if allowlist.ownership(self._adopted) != step.expects:
            raise TargetConflict(
                f"target {self.name}: other entries were taken over since the plan was made; run "
                "again"
            )
        self._adopted = step.detail

    def _write(self, step: Step) -> None:
        from exosync_adapters.google_workspace.probe import write

        aim: allowlist_plan.Aim = step.detail
        declined = self._declined
        if declined is not None and declined.token == aim.final:
            # The additions of the same change were declined in this run: so is the rest.
            raise StepDeclined(declined.why)
        settle = self._settings.settle.total_seconds()
        try:
            write(self._google, self._read, step, settle=settle)
        except StepDeclined as error:
            self._declined = Declined(str(error), aim.final)
            raise

    def _read(self) -> Allowlist:
        settings = self._settings
        policies = read_policies(self._google, settings.customer)
        return read_allowlist(policies, customer=settings.customer, root_unit=settings.root_unit)
