"""A DNS zone as exosync sees it: every authoritative server read, its primary written.

Reading is by direct question to each server over TCP, never through a cache. Writing is by
update (RFC 2136), signed with TSIG (RFC 8945), with prerequisites that make each write a
compare-and-swap. This module loads dnspython, so import it only where a zone is at hand.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import TypeVar

import dns.rdatatype
import dns.rrset

from exosync_adapters.dns.errors import Attempt
from exosync_adapters.dns.live import LiveDns
from exosync_adapters.dns.servers import (
    Authority,
    Found,
    apex_at,
    find_authority,
    find_servers,
    locate_all,
)
from exosync_adapters.dns.update import probe, send, signed_clock, swap
from exosync_adapters.dns.values import (
    ALGORITHMS,
    DnsAnswer,
    DnsProblem,
    Key,
    Server,
    Trouble,
    TxtRRset,
    is_silent,
    txt_strings,
)
from exosync_adapters.dns.wire import ask, rrset_at

__all__ = [
    "ALGORITHMS",
    "DnsAnswer",
    "DnsProblem",
    "Key",
    "LiveDns",
    "Server",
    "Trouble",
    "TxtRRset",
    "Zone",
    "txt_strings",
]

_FIRST_PAUSE = 0.2
_LONGEST_PAUSE = 5.0

_T = TypeVar("_T")


class Zone:
    """The zone that holds `domain`. Make one for each run: it remembers what it discovered.

    `primary` takes the updates and is asked first; None: the one that the zone's SOA names,
    on `port` (default 53). `name` is the zone's; None: found at the primary, once.
    `servers` are all authoritative servers; empty: the primary's NS set, on `port` (default:
    the primary's). `resolvers` look up the addresses of servers that the primary does not
    serve; empty: the machine's own. `timeout` is in seconds for each question. Nothing is
    asked before it is needed.

    Errors: TargetUnreachable without an answer, TargetDenied, TargetError.
    """

    def __init__(
        self,
        *,
        domain: str,
        primary: Server | None = None,
        name: str | None = None,
        servers: tuple[Server, ...] = (),
        resolvers: tuple[Server, ...] = (),
        key: Key | None = None,
        timeout: float = 5.0,
        port: int | None = None,
    ) -> None:
        self.domain = domain.lower().rstrip(".")
        self._given = primary
        self._name = name.lower().rstrip(".") if name else None
        self._servers = servers
        self._resolvers = resolvers
        self._key = key
        self._timeout = timeout
        self._port = port

    @cached_property
    def _authority(self) -> Authority:
        if self._name and self._given and self._given.address:
            return Authority(self._name, self._given)
        found = find_authority(
            self._name or self.domain,
            self._given,
            port=self._port or 53,
            live=LiveDns(resolvers=self._resolvers, lifetime=self._timeout),
            timeout=self._timeout,
        )
        return Authority(self._name or found.apex, found.primary)

    @cached_property
    def _found(self) -> Found:
        live = LiveDns(
            authority=self.primary,
            zone=self.apex(),
            resolvers=self._resolvers,
            lifetime=self._timeout,
        )
        if self._servers:
            return locate_all(self.primary, self._servers, live)
        port = self._port or self.primary.port
        return find_servers(self._authority, port=port, live=live, timeout=self._timeout)

    @property
    def primary(self) -> Server:
        """The primary as it is spoken to; always the first of `authoritative()`."""
        return self._authority.primary

    @property
    def unresolved(self) -> tuple[str, ...]:
        """Sentences on servers of the zone that cannot be asked from here."""
        return self._found.unresolved

    def apex(self) -> str:
        """The zone's name, without a dot at its end."""
        return self._authority.apex

    def authoritative(self) -> tuple[Server, ...]:
        """Every server to be read, by address, the primary first."""
        return self._found.servers

    def live(self, server: Server | None = None, *, lifetime: float = 3.0) -> LiveDns:
        """Live DNS as it looks with this server of the zone as authority; None: the primary."""
        return LiveDns(
            authority=server or self.primary,
            zone=self.apex(),
            resolvers=self._resolvers,
            lifetime=lifetime,
        )

    def read(self, name: str) -> dict[Server, TxtRRset | DnsProblem]:
        """The TXT RRset at a name from every authoritative server, the primary first.

        All are asked at once, so that a dead server costs one timeout. An answer without AA,
        and a CNAME at the name, are problems. What a server makes up from a wildcard
        (RFC 4592) counts as absent, for that is what a prerequisite finds there.
        """
        return self._from(self.authoritative(), lambda server: self._read(server, name))

    def _read(self, server: Server, name: str) -> TxtRRset | DnsProblem:
        found = self._at(server, name)
        if isinstance(found, DnsProblem) or found is None or self._is_apex(name):
            return _txt(found, server, name)
        other = f"exosync-{secrets.token_hex(8)}.{name.partition('.')[2]}"
        beside = self._at(server, other)
        if isinstance(beside, dns.rrset.RRset) and _same(beside, found):
            return TxtRRset.absent(name, wildcard=True)
        return _txt(found, server, name)

    def _at(self, server: Server, name: str) -> dns.rrset.RRset | DnsProblem | None:
        found = ask(server, name, "TXT", timeout=self._timeout)
        if isinstance(found, DnsProblem):
            return found
        return rrset_at(found, name, dns.rdatatype.TXT) or rrset_at(
            found, name, dns.rdatatype.CNAME
        )

    def _is_apex(self, name: str) -> bool:
        return name.lower().rstrip(".") == self.apex()

    def _from(self, servers: Iterable[Server], task: Callable[[Server], _T]) -> dict[Server, _T]:
        wanted = tuple(servers)
        with ThreadPoolExecutor(max(len(wanted), 1)) as pool:
            return dict(zip(wanted, pool.map(task, wanted), strict=True))

    def settle(
        self,
        name: str,
        expected: TxtRRset | None,
        *,
        within: float,
        pause: Callable[[float], None],
    ) -> dict[Server, TxtRRset | DnsProblem]:
        """Read until every server shows `expected` (None: nothing) or time is over.

        `within` is in seconds, counting pauses as long as they were asked for; a server that
        agreed is not asked again, and one that was silent twice is not waited for. Returns
        the last answer of each; the caller compares.
        """
        goal = expected or TxtRRset.absent(name)
        started, paused, step = time.monotonic(), 0.0, _FIRST_PAUSE
        found, silent = self.read(name), frozenset[Server]()
        while waiting := [one for one, seen in found.items() if seen != goal and one not in silent]:
            if max(paused, time.monotonic() - started) + step > within:
                break
            pause(step)
            paused, step = paused + step, min(step * 2, _LONGEST_PAUSE)
            again = self._from(waiting, lambda server: self._read(server, name))
            silent |= {one for one in waiting if is_silent(found[one]) and is_silent(again[one])}
            found |= again
        return found

    def serials(self) -> dict[Server, int | DnsProblem]:
        """The zone's serial at every authoritative server: those behind the primary lag."""
        return self._from(self.authoritative(), lambda server: self._serial(server, self.apex()))

    def _serial(self, server: Server, zone: str) -> int | DnsProblem:
        found = ask(server, zone, "SOA", timeout=self._timeout)
        if isinstance(found, DnsProblem):
            return found
        rrset = rrset_at(found, zone, dns.rdatatype.SOA)
        if rrset is None:
            message = f"{server.label}: has no SOA record for {zone}; check dns.zone"
            return DnsProblem(server, Trouble.MALFORMED, message)
        return int(rrset[0].serial)

    def replace(self, name: str, old: TxtRRset | None, new: TxtRRset | None) -> int | None:
        """Put `new` in the place of `old` at the primary, if `old` is still what is there.

        None, or an absent RRset, means that nothing is there. The server itself compares and
        changes in one transaction: all values byte for byte, but not the TTL, which RFC 2136
        has no way to compare (section 1.1.1). So an `old` whose values are right and whose
        TTL is not is replaced; a change of the TTL alone is a replacement like any other.
        Returns the serial of the name's zone as read afterwards, None if it could not be read.

        Raises TargetConflict (nothing was written), TargetDenied, TargetError or
        TargetUnreachable. After TargetUnreachable, or an answer without a right signature,
        it is not known whether the change was made: read again.
        """
        attempt = self._attempt(name)
        send(attempt, swap(attempt, old, new), timeout=self._timeout)
        serial = self._serial(self.primary, attempt.zone)
        return serial if isinstance(serial, int) else None

    def check_update(self, name: str) -> None:
        """Raise what an update of TXT at `name` would run into; changes nothing.

        The primary is asked to delete a record that cannot be there. Success proves that it
        is the zone's primary, knows the key, its secret and the time, and lets the key change
        TXT at this name: BIND applies allow-update and every rule of update-policy (and answers
        REFUSED) before it looks for the record; PowerDNS knows no rules by name, so there it
        proves the key alone. Tried on BIND 9.18, Knot DNS 3.2 and PowerDNS 4.7: the serial
        stays. It does not prove that the server can write its journal.
        """
        attempt = self._attempt(name, writes=False)
        send(attempt, probe(attempt), timeout=self._timeout)

    def clock_difference(self) -> int | None:
        """Seconds that the primary's clock is ahead of ours, negative if behind.

        By a signed query, which also proves the key's name, algorithm and secret; None
        without a key, or if the server answers unsigned. Raises TargetDenied where the key is
        not accepted; a difference of more than five minutes is such a case.
        """
        if self._key is None:
            return None
        attempt = self._attempt(self.apex(), writes=False)
        return signed_clock(attempt, self._key, timeout=self._timeout)

    def _attempt(self, name: str, *, writes: bool = True) -> Attempt:
        name = name.lower().rstrip(".")
        return Attempt(self.primary, self._zone_of(name), name, self._key, writes)

    def _zone_of(self, name: str) -> str:
        """The zone to update for a name: a child zone, if the primary serves that itself.

        In the parent zone the record would stand below the delegation, and never be seen.
        """
        if self._is_apex(name):
            return self.apex()
        found = apex_at(self.primary, name, self._timeout)
        is_child = isinstance(found, str) and found.endswith(f".{self.apex()}")
        return found if isinstance(found, str) and is_child else self.apex()


def _same(one: dns.rrset.RRset, other: dns.rrset.RRset) -> bool:
    """Whether two RRsets at different names hold the same, as those from one wildcard do."""
    return (one.rdtype, one.ttl, set(one)) == (other.rdtype, other.ttl, set(other))


def _txt(
    found: dns.rrset.RRset | DnsProblem | None, server: Server, name: str
) -> TxtRRset | DnsProblem:
    if found is None:
        return TxtRRset.absent(name)
    if isinstance(found, DnsProblem):
        return found
    if found.rdtype == dns.rdatatype.CNAME:
        target = found[0].target.to_text(omit_final_dot=True)
        message = (
            f"{server.label}: {name} is a CNAME to {target}; no TXT record can stand beside "
            "it, so remove the CNAME or use another name"
        )
        return DnsProblem(server, Trouble.CNAME, message)
    return TxtRRset(name, found.ttl, tuple(tuple(record.strings) for record in found))
