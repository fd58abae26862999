"""What was found out about hosts, as records. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Certificate:
    """What a host shows of itself.

    `names` are those in it, `until` its end (UTC); both are empty if it could not be read.
    `trusted`: it leads to an authority that this machine trusts, whatever its names.
    """

    names: tuple[str, ...] = ()
    until: datetime | None = None
    trusted: bool = False
    trouble: str = ""

    def is_for(self, name: str) -> bool:
        """Whether a name is in it; a wildcard stands for one label (RFC 6125, section 6.4.3)."""
        parent = name.partition(".")[2]
        return any(one in (name, f"*.{parent}") for one in self.names)


@dataclass(frozen=True, slots=True)
class HostSeen:
    """One smart host as this machine sees it.

    `answers` and `starttls` are None where it was not tried, or could not be. `exists` is False
    if DNS says that there is no such name. `whole`: it has no further addresses. `trouble` says
    what went wrong. `at` is when a run looked; None where it was just now.
    """

    name: str
    addresses: tuple[str, ...] = ()
    whole: bool = True
    exists: bool | None = None
    answers: bool | None = None
    greeting: str = ""
    starttls: bool | None = None
    certificate: Certificate | None = None
    trouble: str = ""
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class MxSeen:
    """The mail exchangers of a domain, the preferred one first; none where `trouble` tells why."""

    hosts: tuple[str, ...] = ()
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Hosts:
    """What was found out about hosts and domains; what was not asked for is not in it."""

    seen: Mapping[str, HostSeen] = field(default_factory=dict)
    mx: Mapping[str, MxSeen] = field(default_factory=dict)


NOBODY_ASKED = Hosts()
"""Where no host is to be asked."""
