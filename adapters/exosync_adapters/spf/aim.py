"""What a target is for: its settings and what the service adds to them."""

from __future__ import annotations

from dataclasses import dataclass

from exosync.core.desired import Desired
from exosync.core.ranges import IpRanges
from exosync.core.target import Actor
from exosync_adapters.spf.layout import address_term
from exosync_adapters.spf.settings import SpfSettings


@dataclass(frozen=True, slots=True)
class Requirement:
    """A term that the domain's record must hold, and the sender that it stands for."""

    term: str
    why: str


@dataclass(frozen=True, slots=True)
class Aim:
    """A target's name and settings, the mark's owner, the families, Microsoft's own SPF name."""

    target: str
    settings: SpfSettings
    owner: str
    families: str
    include: str

    @property
    def domain(self) -> str:
        """The domain that mail is sent from."""
        return self.settings.domain

    @property
    def publishes(self) -> bool:
        """Whether exosync publishes the ranges itself."""
        return self.settings.method == "records"

    @property
    def publisher(self) -> Actor:
        """Who writes the leaf: a person where no key is configured."""
        return Actor.EXOSYNC if self.settings.dns.key else Actor.PERSON

    @property
    def editor(self) -> Actor:
        """Who edits the domain's own record."""
        return self.publisher if self.settings.manage == "apex" else Actor.PERSON

    @property
    def main_term(self) -> str:
        """The term through which the domain's record authorises Exchange Online."""
        return f"include:{self.settings.leaf if self.publishes else self.include}"

    def cut(self, ranges: IpRanges) -> IpRanges:
        """The part of the address families that the target is for."""
        if self.families == "both":
            return ranges
        return ranges.family(4 if self.families == "ipv4" else 6)

    def requirements(self, desired: Desired) -> tuple[Requirement, ...]:
        """All terms that the domain's record must hold.

        Where exosync publishes the ranges, the extras are among them. Microsoft's include
        knows nothing of them, so there they are terms of the domain's record.
        """
        wanted = [Requirement(self.main_term, "Exchange Online")]
        if not self.publishes:
            wanted += [
                Requirement(address_term(cidr), f"extra: {extra.name}")
                for extra in desired.extras
                for cidr in self.cut(extra.ranges).cidrs()
            ]
        wanted += [Requirement(term, "terms of the configuration") for term in self.settings.terms]
        return tuple(wanted)

    def authorised(self, desired: Desired, microsoft: IpRanges | None) -> IpRanges:
        """The addresses whose mail must pass at the domain once all is as desired."""
        if self.publishes:
            return self.cut(desired.ranges)
        extras = IpRanges().union(*(extra.ranges for extra in desired.extras))
        return self.cut(extras | (microsoft or IpRanges()))
