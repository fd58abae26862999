"""The `spf` target: a domain's SPF record that authorises Exchange Online.

Everything that loads dnspython or spftrace is imported where it is used, so that a target can
be made, and its settings shown, at no cost.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
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
from exosync.errors import ConfigError, TargetConflict, TargetError, UsageError
from exosync_adapters.dns.values import Key, Server, TxtRRset, is_silent
from exosync_adapters.fields import host_and_port
from exosync_adapters.spf.aim import Aim
from exosync_adapters.spf.plan import plan
from exosync_adapters.spf.seen import Seen
from exosync_adapters.spf.settings import (
    MICROSOFT_INCLUDES,
    DnsSettings,
    SpfSettings,
)
from exosync_adapters.spf.steps import Change

if TYPE_CHECKING:
    from exosync_adapters.dns.zone import LiveDns, Zone

_OWNER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")


class SpfTarget:
    """One domain. See `exosync.core.target.Target` for what each call is for."""

    kind = "spf"
    capabilities = Capabilities()

    def __init__(self, name: str, settings: SpfSettings, context: Context) -> None:
        if not _OWNER.fullmatch(context.owner):
            raise ConfigError(
                f"target {name}: the owner {context.owner!r} cannot stand in an SPF record: use "
                "up to 63 letters, digits, dots, hyphens and underscores"
            )
        if settings.include is None and context.instance not in MICROSOFT_INCLUDES:
            raise ConfigError(
                f"target {name}: no SPF name of Microsoft's is known for {context.instance}; "
                "give it as `include`"
            )
        self.name = name
        self._context = context
        self._aim = Aim(
            target=name,
            settings=settings,
            owner=context.owner,
            families=context.families,
            include=settings.microsoft_include(context.instance),
        )
        self._reader: Zone | None = None
        self._writer: Zone | None = None
        self._live: LiveDns | None = None

    def configuration(self) -> Mapping[str, Any]:
        """The settings that a plan depends on; nothing of the key but its name."""
        settings = self._aim.settings
        chosen = settings.model_dump(
            mode="json",
            include={"domain", "method", "manage", "label", "ttl", "terms", "default_all"},
        )
        dns = settings.dns.model_dump(mode="json", include={"server", "port", "zone", "servers"})
        return {
            **chosen,
            "dns": dns | {"key": settings.dns.key.name if settings.dns.key else None},
            "include": self._aim.include,
            "owner": self._aim.owner,
            "families": self._aim.families,
        }

    def observe(self, known: Known = NOTHING_KNOWN) -> Observed:
        """Read both names at every authoritative server, and what they include."""
        from exosync_adapters.spf.observe import observe

        self._reader = self._writer = self._live = None
        return observe(self._aim, self._read_zone(), self._live_dns())

    def plan(self, desired: Desired, observed: Observed, *, adopting: bool = False) -> Draft:
        """Make the steps from observed to desired. Pure."""
        return plan(self._aim, desired, observed, adopting=adopting)

    def rehearse(self, desired: Desired, observed: Observed, draft: Draft) -> Draft:
        """Lay the planned records over live DNS and evaluate them."""
        from exosync_adapters.spf.rehearse import rehearse

        seen: Seen = observed.detail
        return rehearse(self._aim, desired, seen, draft, self._live_dns())

    def apply(self, step: Step) -> None:
        """Exchange one RRset and wait until every server that answers shows it.

        Raises TargetConflict where it is no longer what the step expects, TargetError where
        a server still holds something else when `dns.settle` is over.
        """
        if step.by is Actor.PERSON:
            raise UsageError(f"target {self.name}: this step is for a person: {step.summary}")
        change: Change = step.detail
        zone = self._written_zone()
        try:
            zone.replace(change.new.name, change.old, change.new)
        except TargetConflict:
            current = zone.read(change.new.name)[zone.primary]
            if not isinstance(current, TxtRRset) or current.token != step.gives:
                raise
        self._settle(zone, change.new)

    def verify(self, desired: Desired, observed: Observed) -> Verification:
        """Evaluate at every authoritative server an address of every range, and others."""
        from exosync_adapters.spf.verify import verify

        zone = self._read_zone()
        return verify(self._aim, desired, observed, zone, pause=self._context.pause)

    def check(self) -> Iterable[Check]:
        """Try zone, servers, key, permission, clock, resolvers and the record."""
        from exosync_adapters.spf.check import check

        self._reader = self._writer = self._live = None
        return check(self._aim, self._read_zone(), self._written_zone)

    def explain(self, address: IpRanges, observed: Observed) -> Knowledge:
        """What SPF says of one address, and through which term."""
        from exosync_adapters.spf.explain import explain

        return explain(self._aim, address, observed.detail, self._live_dns())

    def _settle(self, zone: Zone, wanted: TxtRRset) -> None:
        within = self._aim.settings.dns.settle.total_seconds()
        found = zone.settle(wanted.name, wanted, within=within, pause=self._context.pause)
        late = [
            server.label for server, seen in found.items() if seen != wanted and not is_silent(seen)
        ]
        if late:
            raise TargetError(
                f"target {self.name}: {wanted.name} is written, but after {within:g} s "
                f"{', '.join(late)} still hold something else; see whether the zone is "
                "transferred (notify, allow-transfer), or raise dns.settle"
            )

    @property
    def _timeout(self) -> float:
        return self._aim.settings.dns.timeout.total_seconds()

    def _read_zone(self) -> Zone:
        """The zone without the key, so that reading needs no secret."""
        if self._reader is None:
            self._reader = self._zone()
        return self._reader

    def _live_dns(self) -> LiveDns:
        """Live DNS as the primary shows it; what was asked since `observe` is remembered."""
        if self._live is None:
            self._live = self._read_zone().live(lifetime=self._timeout)
        return self._live

    def _written_zone(self) -> Zone:
        """The zone with the key; made when something is written or tried."""
        if self._writer is None:
            self._writer = self._zone(key=self._key())
        return self._writer

    def _key(self) -> Key | None:
        key = self._aim.settings.dns.key
        if key is None:
            return None
        return Key(key.name, key.algorithm, self._context.reveal(key.secret))

    def _zone(self, *, key: Key | None = None) -> Zone:
        from exosync_adapters.dns.zone import Zone

        dns: DnsSettings = self._aim.settings.dns
        return Zone(
            domain=self._aim.domain,
            primary=Server(dns.server, dns.port) if dns.server else None,
            name=dns.zone,
            servers=tuple(Server(*host_and_port(one)) for one in dns.servers),
            resolvers=tuple(Server(*host_and_port(one)) for one in dns.resolvers),
            key=key,
            timeout=self._timeout,
            port=None if dns.server else dns.port,
        )
