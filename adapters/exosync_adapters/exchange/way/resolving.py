"""Looking up smart hosts before something is written: never Exchange Online's own addresses."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from exosync.core.ranges import IpRanges
from exosync_adapters.exchange.settings import ExchangeSettings
from exosync_adapters.exchange.way.host_records import HostSeen
from exosync_adapters.exchange.way.hosts import by_dns, located
from exosync_adapters.fields import host_and_port

if TYPE_CHECKING:
    from exosync_adapters.dns.live import LiveDns

_WITHIN = 2.0
"""Seconds for one question."""

_MOST_AT_ONCE = 8


def live_dns(settings: ExchangeSettings, *, lifetime: float = _WITHIN) -> LiveDns:
    """DNS by the configured resolvers, or by the system's."""
    from exosync_adapters.dns.live import LiveDns
    from exosync_adapters.dns.values import Server

    resolvers = tuple(Server(*host_and_port(one)) for one in settings.resolvers)
    return LiveDns(resolvers=resolvers, lifetime=lifetime)


def own_addresses(settings: ExchangeSettings, ranges: IpRanges) -> tuple[str, ...]:
    """The smart hosts of which an address is in these ranges; what does not resolve is in none."""
    live = live_dns(settings)
    with ThreadPoolExecutor(max_workers=_MOST_AT_ONCE) as pool:
        found = [*pool.map(lambda name: located(name, by_dns(live)), settings.hosts)]
    return own_among(found, ranges)


def own_among(found: Iterable[HostSeen], ranges: IpRanges) -> tuple[str, ...]:
    """Those of some hosts of which an address is in these ranges."""
    return tuple(one.name for one in found if _meets(one.addresses, ranges))


def _meets(addresses: Iterable[str], ranges: IpRanges) -> bool:
    return any(not IpRanges.parse(one).isdisjoint(ranges) for one in addresses)
