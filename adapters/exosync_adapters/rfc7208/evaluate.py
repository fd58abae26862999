"""Evaluating SPF at run time: spftrace over planned or observed records and live DNS.

Import this module only where something is evaluated: it loads spftrace and asyncio.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import spftrace

from exosync_adapters.dns.zone import LiveDns

MOST_QUERIES = 250
"""DNS queries for one evaluation: above what a valid tree with ten `mx` terms can need."""

Overlay = Mapping[str, tuple[str, ...]]
"""The TXT values that stand (or would stand) at a name, whatever live DNS says."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What SPF says of one address at one domain.

    `result` is a word of RFC 7208, section 2.6. `through` names the terms that decided, from
    the domain inwards; `problem` says why it is permerror, temperror or none. `lookups` and
    `voids` are counted beyond the limits.
    """

    address: str
    domain: str
    result: str
    through: tuple[str, ...]
    problem: str
    lookups: int
    voids: int

    @property
    def told(self) -> str:
        """The result and what decided it, in a few words."""
        reason = " → ".join(self.through) or self.problem
        return f"{self.result} ({reason})" if reason else self.result


class Evaluator:
    """Evaluates addresses at domains, with some names overlaid."""

    def __init__(self, live: LiveDns, overlay: Overlay) -> None:
        limits = spftrace.Limits(max_queries=MOST_QUERIES, audit=True)
        resolver = _Resolver(live, {name.lower().rstrip("."): t for name, t in overlay.items()})
        self._evaluator = spftrace.Evaluator(resolver, limits, receiver="exosync")

    def evaluate(self, addresses: Iterable[str], domain: str) -> tuple[Verdict, ...]:
        """The verdict on mail from each address with a sender at the domain."""
        return asyncio.run(self._all(tuple(addresses), domain))

    async def _all(self, addresses: tuple[str, ...], domain: str) -> tuple[Verdict, ...]:
        return tuple([await self._one(address, domain) for address in addresses])

    async def _one(self, address: str, domain: str) -> Verdict:
        found = await self._evaluator.evaluate(address, f"postmaster@{domain}")
        return Verdict(
            address=address,
            domain=domain,
            result=found.result,
            through=_through(found) if found.result not in ("permerror", "temperror") else (),
            problem=_problem(found),
            lookups=found.dns_terms_used,
            voids=found.void_lookups_used,
        )


class _Resolver(spftrace.BaseResolver):
    def __init__(self, live: LiveDns, overlay: Overlay) -> None:
        self._live = live
        self._overlay = overlay

    async def _lookup(self, name: str, rtype: str) -> tuple[str, list[str]]:
        if rtype == "TXT" and (texts := self._overlay.get(name.lower().rstrip("."))) is not None:
            return ("NOERROR" if texts else "NXDOMAIN"), list(texts)
        answer = self._live.query(name, rtype)
        return answer.rcode, list(answer.records)


def _through(found: spftrace.Result) -> tuple[str, ...]:
    """The terms that led to the result: the last match, and inwards through its includes."""
    matches = [one for one in found.trace.events if one.kind == "mech_match"]
    if not matches:
        return ()
    path = [matches.pop()]
    while matches and path[-1].data["mechanism"] == "include":
        path.append(matches.pop())
    redirects = [
        f"redirect={one.data['domain']}"
        for one in found.trace.events
        if one.kind == "recurse_in" and one.data["via"] == "redirect" and one.depth < path[0].depth
    ]
    return (*redirects, *(str(one.data["raw"]) for one in path))


def _problem(found: spftrace.Result) -> str:
    exits = [str(one.data["reason"]) for one in found.trace.events if one.kind == "exit"]
    if exits:
        return exits[-1]
    broken = [one for one in found.trace.events if one.kind == "limit_exceeded"]
    if broken:
        return f"more than {broken[0].data['allowed']} {_LIMITS[str(broken[0].data['limit'])]}"
    return "" if _through(found) else "no term matched"


_LIMITS = {"dns_terms": "lookups", "void_lookups": "void lookups"}
