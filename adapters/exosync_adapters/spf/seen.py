"""What was read of a domain's SPF: at every authoritative server, and of all that it includes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from exosync.core.ranges import IpRanges
from exosync_adapters.dns.values import DnsProblem, Server, Trouble, TxtRRset
from exosync_adapters.rfc7208.record import find_spf, is_spf


@dataclass(frozen=True, slots=True)
class AtName:
    """The TXT RRset at one name.

    `rrset` is what the primary holds (absent where it holds a CNAME), `answers` what each
    authoritative server said.
    """

    name: str
    rrset: TxtRRset
    answers: Mapping[Server, TxtRRset | DnsProblem]

    @property
    def resource(self) -> str:
        """The name of the resource that a step would write."""
        return resource_of(self.name)

    @property
    def spf(self) -> tuple[str, ...]:
        """The texts of all SPF records here; more than one is wrong."""
        return tuple(self.rrset.texts[place] for place in find_spf(self.rrset.texts))

    @property
    def record(self) -> str:
        """The one SPF record; empty if there is none or more than one."""
        return self.spf[0] if len(self.spf) == 1 else ""

    @property
    def beside(self) -> tuple[str, ...]:
        """The other TXT values."""
        return tuple(text for text in self.rrset.texts if not is_spf(text))

    @property
    def cname(self) -> DnsProblem | None:
        """The answer of a server that holds a CNAME here."""
        found = [one for one in self.problems if one.trouble is Trouble.CNAME]
        return found[0] if found else None

    @property
    def problems(self) -> tuple[DnsProblem, ...]:
        """What servers said instead of an RRset."""
        return tuple(one for one in self.answers.values() if isinstance(one, DnsProblem))

    @property
    def differing(self) -> tuple[Server, ...]:
        """The servers whose values are not those of the primary, whatever the TTL."""
        return tuple(
            server
            for server, answer in self.answers.items()
            if isinstance(answer, TxtRRset) and answer.values != self.rrset.values
        )

    def told(self) -> str:
        """What each server holds, for a person."""
        parts = []
        for server, answer in self.answers.items():
            records = answer.texts if isinstance(answer, TxtRRset) else (str(answer),)
            shown = " and ".join(f"“{text}”" for text in records if is_spf(text)) or "no SPF record"
            parts.append(f"{server.label}: {shown}")
        return "; ".join(parts)


@dataclass(frozen=True, slots=True)
class Seen:
    """One observation of a target.

    `leaf` is None unless exosync publishes the ranges itself. `tree` holds the SPF record of
    the domain, of Microsoft's name and of every name that they include. `microsoft` are the
    addresses that Microsoft's own record authorises; None if it cannot be resolved.
    `evaluated` is whether an address of each of these ranges passes at the domain through
    terms that cannot be read off the texts (macros, hosts); it is only tried where needed.
    """

    zone: str
    servers: tuple[Server, ...]
    domain: AtName
    leaf: AtName | None
    tree: Mapping[str, str]
    microsoft: IpRanges | None
    evaluated: bool = False

    @property
    def names(self) -> tuple[AtName, ...]:
        """The names that a step may write, the leaf first."""
        return (self.leaf, self.domain) if self.leaf else (self.domain,)


def resource_of(name: str) -> str:
    """The name of the resource for the TXT RRset at a name."""
    return f"dns:{name} TXT"
