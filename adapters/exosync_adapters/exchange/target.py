"""The `exchange` target: the connector and the rule of one domain in one tenant.

With credentials everything is read and compared; without any, what people acknowledged stands for
what is there. Nothing is asked before `observe` or `check`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

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
from exosync.core.trace import Sent, Stage, Way
from exosync.errors import ConfigError, TargetDenied, TargetError, UsageError
from exosync_adapters.exchange import blind, plan, rules
from exosync_adapters.exchange.admin.client import Admin
from exosync_adapters.exchange.admin.listing import organisation, recipient
from exosync_adapters.exchange.aim import LONGEST_COMMENT, Aim
from exosync_adapters.exchange.blind import Said
from exosync_adapters.exchange.clouds import CLOUDS, OF_INSTANCE, Cloud
from exosync_adapters.exchange.findings.collect import findings
from exosync_adapters.exchange.findings.connector import of_hosts
from exosync_adapters.exchange.findings.hosts import of_own, of_standing
from exosync_adapters.exchange.records import length
from exosync_adapters.exchange.seen import NOT_ASKED, Groups, Seen, observed, seen
from exosync_adapters.exchange.settings import ExchangeSettings
from exosync_adapters.exchange.verify import verify
from exosync_adapters.exchange.way.looks import HOSTS, LOOKS, kept
from exosync_adapters.exchange.way.resolving import own_addresses, own_among
from exosync_adapters.exchange.way.standing import NOT_LOOKED, Standing
from exosync_adapters.exchange.way.watching import WATCHER, Looked, Watcher
from exosync_adapters.exchange.writing import Writer

if TYPE_CHECKING:
    from exosync_adapters.exchange.records import Organisation
    from exosync_adapters.exchange.way.letters import Folk
    from exosync_adapters.exchange.way.sending import Sending


_NOT_PLANNING = {
    "client_id",
    "credentials",
    "probe",
    "resolvers",
    "sender",
    "settle",
    "timeout",
    "try_hosts",
    "validate_connector",
    "validation_recipients",
}


class ExchangeTarget:
    """One domain in one tenant. See `exosync.core.target.Target` for what each call is for."""

    kind = "exchange"

    def __init__(
        self,
        name: str,
        settings: ExchangeSettings,
        context: Context,
        *,
        watcher: Watcher = WATCHER,
    ) -> None:
        self.name, self._watcher, self._looked = name, watcher, Looked()
        self._settings, self._context = settings, context
        self._aim = Aim(settings, context.owner, name)
        if length(self._aim.mark) > LONGEST_COMMENT:
            raise ConfigError(f"target {name}: the mark “{self._aim.mark}” fits in no comment")
        self._cloud = _cloud(name, settings, context)
        self._admin = self._made_admin() if settings.credentials is not None else None
        self._known, self._groups = NOTHING_KNOWN, NOT_ASKED
        self.capabilities = Capabilities(
            read=self._admin is not None, write=settings.write == "rest", compare_and_swap=False
        )

    def configuration(self) -> Mapping[str, Any]:
        """The settings that a plan depends on; nothing of the credentials."""
        return self._settings.model_dump(mode="json", exclude=_NOT_PLANNING)

    def observe(self, known: Known = NOTHING_KNOWN) -> Observed:
        """Read the tenant, or take what people acknowledged where there are no credentials.

        Meanwhile the smart hosts are looked at.
        """
        self._known = known
        if known is NOTHING_KNOWN:
            return self._observed(known)
        before = Standing.read(known.remembered.get(HOSTS))
        looking = self._watcher.begin(self._settings, before, known.now)
        found = self._observed(known)
        self._looked = looking()
        hosts = self._looked.standing
        told = (*found.findings, *of_standing(hosts, self._settings))
        return replace(found, findings=told, remember={**found.remember, **self._of_hosts()})

    def _of_hosts(self) -> dict[str, Any]:
        """What is remembered of the smart hosts, beside what is of the tenant."""
        standing, seen = self._looked.standing, self._looked.seen
        if standing is NOT_LOOKED:
            return {}
        return {HOSTS: standing.remembered, LOOKS: kept(seen.values(), self._settings)}

    def _observed(self, known: Known) -> Observed:
        if self._admin is None:
            unseen = () if self._settings.remove else of_hosts(self._settings)
            said = blind.observed(self._aim, known)
            return replace(said, findings=(*said.findings, *unseen))
        found = organisation(self._admin)
        asked, folk = self._asked(self._admin), self._folk(self._admin, found)
        what = seen(self._aim, found, known, asked, folk)
        self._groups = what.groups
        now = None if known is NOTHING_KNOWN else known.now
        relayed = what.memory.relayed
        told = findings(
            self._settings,
            what.organisation,
            what.owned,
            now=now,
            relayed=relayed,
            known_as=what.groups.known_as,
            spares_nobody=what.spares_nobody,
        )
        return observed(what, told)

    def plan(self, desired: Desired, observed: Observed, *, adopting: bool = False) -> Draft:
        """Make the next steps. Pure."""
        what = observed.detail
        if isinstance(what, Said):
            return Draft(IpRanges(), IpRanges()) if adopting else blind.plan(what)
        return plan.adoption(what) if adopting else plan.plan(desired, what, self._cloud)

    def rehearse(self, desired: Desired, observed: Observed, draft: Draft) -> Draft:
        """Look up the smart hosts: none may be Exchange Online itself.

        Where there is nothing to do, what was seen while observing is as good.
        """
        told = {one.rule for one in draft.refusals}
        if self._settings.remove or "own_host" in told:
            return draft
        if not draft.steps:
            names = own_among(self._looked.seen.values(), desired.ranges)
            return replace(draft, findings=(*draft.findings, *of_own(names)))
        own = own_addresses(self._settings, desired.ranges)
        return replace(draft, refusals=(*draft.refusals, rules.own_host(own))) if own else draft

    def apply(self, step: Step) -> None:
        """Do one step, and return once it shows.

        Raises TargetConflict where its object is not as the plan was made over.
        """
        if step.by is Actor.PERSON or self._admin is None:
            raise UsageError(f"target {self.name}: this step is for a person: {step.summary}")
        settle = self._settings.settle.total_seconds()
        writer = Writer(
            self._aim, self._admin, self._groups, settle=settle, pause=self._context.pause
        )
        writer.apply(step, self._known)

    def verify(self, desired: Desired, observed: Observed) -> Verification:
        """Compare what was read back; what nobody can read is listed as asserted."""
        what = observed.detail
        return blind.verify(what) if isinstance(what, Said) else verify(what, self._admin)

    def check(self) -> Iterable[Check]:
        """Try host, token, roles, commands, listings, groups, recipients, probe and smart hosts."""
        from exosync_adapters.exchange.check import check

        probe = self._sending().check
        return check(self._aim, self._cloud, self._admin, self._context.reveal, probe)

    def explain(self, address: IpRanges, observed: Observed) -> Knowledge:
        """It holds no ranges."""
        return Knowledge(None)

    def routes(self) -> tuple[tuple[str, str], ...]:
        """From the configured sender to each recipient that is on the other side alone."""
        sender = self._settings.sender or f"postmaster@{self._settings.domain}"
        return tuple((sender, one) for one in self._settings.validation_recipients)

    def trace(self, sender: str, recipient: str, observed: Observed) -> Way:
        """Tell the way of one message, from what was read and what can be asked now."""
        from exosync_adapters.exchange.way.tracing import live_way

        what: Seen | Said = observed.detail
        found = what.organisation
        return live_way(self._settings, self._admin, found, sender, recipient)

    def send(self, sender: str, recipient: str) -> Sent:
        """Send one message from a mailbox, as `probe` says."""
        return self._sending().send(sender, recipient)

    def known(self, sender: str, recipient: str, message_id: str) -> Sent:
        """What can be told of a message by its id alone."""
        from exosync_adapters.exchange.way.probe import known

        return known(sender, recipient, message_id)

    def happened(self, sent: Sent, way: Way, *, within: timedelta) -> tuple[Stage, ...]:
        """What became of it by Graph's message trace."""
        return self._sending().happened(sent, way, within=within)

    def _sending(self) -> Sending:
        from exosync_adapters.exchange.way.sending import Sending

        return Sending(self._settings, self._cloud, self._context)

    def _folk(self, admin: Admin, found: Organisation) -> Folk:
        """Who is where, for those who tell ways afterwards without asking."""
        from exosync_adapters.exchange.way.people import folk

        return folk(self._settings, admin, found)

    def _asked(self, admin: Admin) -> Groups:
        """What can be found out about the configured groups: not all may ask for recipients."""
        gone: set[str] = set()
        known_as: dict[str, str] = {}
        for group in self._aim.groups:
            try:
                found = recipient(admin, group)
            except TargetDenied:
                break
            except TargetError:
                continue
            if found is None or (found.type and "group" not in found.type.lower()):
                gone.add(group)
            else:
                known_as |= dict.fromkeys((*found.names, *found.addresses), group)
        return Groups(frozenset(gone), known_as)

    def _made_admin(self) -> Admin:
        return Admin(
            self._settings,
            self._cloud,
            reveal=self._context.reveal,
            pause=self._context.pause,
            meter=self._context.meter,
        )


def _cloud(name: str, settings: ExchangeSettings, context: Context) -> Cloud:
    """The configured cloud, or the one that the ranges are of."""
    chosen = settings.cloud or OF_INSTANCE.get(context.instance)
    if chosen is None:
        raise ConfigError(f"target {name}: cloud: is needed for the instance {context.instance}")
    return CLOUDS[chosen]
