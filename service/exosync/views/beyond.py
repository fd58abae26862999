"""What other targets say of the addresses that a message leaves from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from exosync.core.desired import Desired
from exosync.core.explain import RELAY_POOL
from exosync.core.ranges import IpRanges
from exosync.core.trace import Pool, Stage, Sure, Way
from exosync.core.words import plural
from exosync.errors import FeedError
from exosync.views.explain import Asked
from exosync.views.source import Source

Json = dict[str, Any]
Families = tuple[str, ...]

_SAYS = 3
"""How many sentences of another target, or ranges that it lacks, are shown at one stage."""

_WORDS = {"ipv4": "IPv4", "ipv6": "IPv6"}


class Beyond:
    """What other targets say of the addresses that a message leaves from. Each is asked once.

    Only the families count in which the hosts have addresses; where that is not known, those
    which a target is configured for.
    """

    def __init__(
        self, source: Source, sender: str, ask: Callable[[Desired], Sequence[Asked]]
    ) -> None:
        self._sender = sender.rpartition("@")[2]
        self._configs = {one.name: one for one in source.config.targets}
        self.version: str | None = None
        self._mail = IpRanges()
        self._asked: Sequence[Asked] = ()
        self._answers: dict[tuple[int, str], Json] = {}
        try:
            desired = source.desired()
        except FeedError:
            return
        self.version = desired.version
        self._mail = desired.microsoft
        self._asked = ask(desired)

    def stages(self, way: Way) -> list[tuple[str, Stage]]:
        """SPF at the sender's domain, then whether those who may receive the message know them.

        Mail for strangers does not pass the targets, so only SPF is of interest to it; nor does
        mail for a name below a domain of ours, unless a connector takes it there.
        """
        if self.version is None:
            return [("", _NO_VERSION)]
        ours = self._is_ours(way)
        found = [self._told(one, way) for one in self._asked]
        said = [(name, stage) for name, stage in found if stage is not None]
        spf = [one for one in said if one[1].kind == "spf"]
        others = [one for one in said if one[1].kind != "spf"]
        return [*(spf or [("", self._no_spf())]), *(others if ours else [])]

    def _is_ours(self, way: Way) -> bool:
        """Whether it is for a domain that a target routes, or by a connector for one below."""
        domain = way.recipient.rpartition("@")[2]
        routers = [one for one in self._configs.values() if one.is_router]
        names = [getattr(one.settings, "domain", "") for one in routers]
        by_connector = any(one.kind == "connector" for one in way.stages)
        return domain in names or (
            by_connector and any(domain.endswith(f".{name}") for name in names)
        )

    def _no_spf(self) -> Stage:
        title = f"SPF of {self._sender} is not known"
        says = ("no target of kind spf is for the sender's domain",)
        return Stage("spf", self._sender, title, None, Sure.UNPROVEN, says)

    def _told(self, one: Asked, way: Way) -> tuple[str, Stage | None]:
        """The stage of one target: none for the SPF record of another domain."""
        answers = self._about(one, self._mail, way.families)
        if not answers:
            return "", None
        name = str(answers[0]["name"])
        config = self._configs[name]
        if config.kind == "spf" and getattr(config.settings, "domain", "") != self._sender:
            return name, None
        spf = config.kind == "spf"
        summary = _Summary(f"SPF of {self._sender}" if spf else name, answers, way.families, spf)
        ok, title, says = summary.told
        relay = [] if way.pool is Pool.MAIL else self._about(one, RELAY_POOL, way.families)
        if relay and relay[0]["knows"] is not True:
            ok = False if ok is False else None
            lacking = relay[0]["knows"] is False
            pool = f"the relay pool {', '.join(RELAY_POOL)}"
            title += f"; not {pool}" if lacking else f"; of {pool} it does not tell"
        kind, where = ("spf", self._sender) if spf else ("gateway", name)
        sure = Sure.SEEN if ok is not None else Sure.UNPROVEN
        return name, Stage(kind, where, title, ok, sure, tuple(says))

    def _about(self, one: Asked, ranges: IpRanges, families: Families) -> list[Json]:
        """What a target says of each range that is of these families, or else of its own."""
        found = []
        for cidr in ranges:
            key = (id(one), cidr)
            if key not in self._answers:
                self._answers[key] = one.about(IpRanges.parse(cidr))
            answer = {**self._answers[key], "cidr": cidr}
            own = self._configs[str(answer["name"])].families
            if family(cidr) in (families or _WORDS if own == "both" else families or (own,)):
                found.append(answer)
        return found


_NO_VERSION = Stage(
    "source",
    "",
    "from which addresses it leaves is not known",
    None,
    Sure.UNPROVEN,
    ("no version of Microsoft's list is adopted yet: run exosync sync",),
)


@dataclass(frozen=True, slots=True)
class _Summary:
    """What a target says of all ranges, in a few words. `families` are those of the hosts."""

    who: str
    answers: Sequence[Mapping[str, Any]]
    families: Families
    spf: bool

    @property
    def told(self) -> tuple[bool | None, str, list[str]]:
        """Whether it knows them, so in a title, and what it says of them."""
        lacking = [one for one in self.answers if one["knows"] is False]
        unsure = [one for one in self.answers if one["knows"] is None]
        every = self._every(self.answers)
        if missed := self._missed(lacking):
            return self._but_one_family(missed)
        if len(lacking) == len(self.answers):
            return False, f"{self.who} {self._has} none of {every}", _sentences(lacking)
        if lacking:
            title = f"{self.who} {self._lacks} {len(lacking)} of {every}: {_cidrs(lacking)}"
            return False, title, _sentences(lacking)
        if unsure:
            title = f"of {len(unsure)} of {every}, {self.who} does not tell"
            return None, title, _sentences(unsure)
        return True, f"{self.who} {self._has} all {every}", _sentences(self.answers)[:1]

    @property
    def _has(self) -> str:
        return "passes" if self.spf else "knows"

    @property
    def _lacks(self) -> str:
        return "does not pass" if self.spf else "does not know"

    def _every(self, answers: Sequence[Mapping[str, Any]]) -> str:
        """How many ranges; of which family if they are all of one."""
        found = {family(one["cidr"]) for one in answers}
        (word,) = [f"{_WORDS[one]} " for one in found] if len(found) == 1 else [""]
        return plural(len(answers), f"{word}range")

    def _missed(self, lacking: Sequence[Mapping[str, Any]]) -> str:
        """The one family of two that is lacking as a whole, and nothing besides."""
        missed = {family(one["cidr"]) for one in lacking}
        if len(missed) != 1:
            return ""
        (name,) = missed
        of_it = [one for one in self.answers if family(one["cidr"]) == name]
        return name if len(of_it) == len(lacking) < len(self.answers) else ""

    def _but_one_family(self, missed: str) -> tuple[None, str, list[str]]:
        """It depends on the address of the host that the message is handed to."""
        others = [one for one in self.answers if family(one["cidr"]) != missed]
        word = _WORDS[missed]
        title = f"{self.who} {self._has} {self._every(others)}, and none of {word}"
        if self.families:
            why = f"a host has an {word} address, and whether the message goes there is not known"
        else:
            why = f"that matters if a host has an {word} address, which was not looked up for this"
        return None, title, [why]


def family(cidr: str) -> str:
    """`ipv4` or `ipv6`."""
    return "ipv6" if ":" in cidr else "ipv4"


def _cidrs(answers: Sequence[Mapping[str, Any]]) -> str:
    more = f" and {len(answers) - _SAYS} more" if len(answers) > _SAYS else ""
    return ", ".join(str(one["cidr"]) for one in answers[:_SAYS]) + more


def _sentences(answers: Sequence[Mapping[str, Any]]) -> list[str]:
    found = list(dict.fromkeys(str(says) for one in answers for says in one["says"]))
    more = [f"and {len(found) - _SAYS} more"] if len(found) > _SAYS else []
    return [*found[:_SAYS], *more]
