"""The way of one message: what routers tell of it, and what others say where it leaves."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol

from exosync.config import TargetConfig
from exosync.core.desired import Desired
from exosync.core.explain import RELAY_POOL
from exosync.core.ranges import IpRanges
from exosync.core.trace import Pool, Stage, Sure, Way
from exosync.core.words import plural
from exosync.errors import ExosyncError, FeedError, UsageError
from exosync.views.explain import Asked
from exosync.views.source import Source

Json = dict[str, Any]

_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}")
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_SAYS = 3
"""How many sentences of another target, or ranges that it lacks, are shown at one stage."""


class Routed(Protocol):
    """A target that decides where mail goes, as it can be asked now, or as it was seen."""

    name: str
    kind: str

    def way(self, sender: str, recipient: str) -> Way | None:
        """The way; None if nothing is known yet. Raises ExosyncError."""
        ...


def mail_address(text: str, what: str) -> str:
    """An address as a person gave it, its domain in A-labels. Raises UsageError."""
    local, at, domain = text.strip().strip("<>").rpartition("@")
    name = _ascii(domain.rstrip(".").lower())
    labels = name.split(".")
    good = len(labels) > 1 and len(name) < 254 and all(_LABEL.fullmatch(one) for one in labels)
    if not at or not good or not _LOCAL.fullmatch(local):
        raise UsageError(f"{what}: {text!r} is not an email address like ada@example.com")
    return f"{local}@{name}"


def _ascii(domain: str) -> str:
    import idna

    try:
        return domain if domain.isascii() else idna.encode(domain, uts46=True).decode("ascii")
    except idna.IDNAError:
        return ""


def routers(source: Source, recipient: str) -> list[TargetConfig]:
    """The routers for a recipient's domain; all of them if it is none's. Raises UsageError."""
    found = [one for one in source.config.targets if hasattr(one.kind_object, "trace")]
    if not found:
        raise UsageError(
            "no target decides where mail goes: a target of kind exchange does, see the reference"
        )
    domain = recipient.rpartition("@")[2]
    return [one for one in found if getattr(one.settings, "domain", "") == domain] or found


def trace_view(
    source: Source,
    sender: str,
    recipient: str,
    *,
    routed: Sequence[Routed],
    ask: Callable[[Desired], Sequence[Asked]],
) -> Json:
    """The way by every router, each station with how sure it is.

    `ask` gives the targets that are asked about the addresses which the message leaves from; it
    is called once, and not at all if the message certainly stays.
    """
    told = [_told(one, sender, recipient) for one in routed]
    leaving = any(way is not None and way.leaves is not False for _, way, _ in told)
    beyond = _Beyond(source, sender, ask) if leaving else None
    ways = [_way(one, way, error, beyond) for one, way, error in told]
    return {
        "from": sender,
        "to": recipient,
        "at": source.now.isoformat(),
        "instance": source.instance,
        "version": beyond.version if beyond else None,
        "ok": _all(one["ok"] for one in ways),
        "ways": ways,
    }


def _told(one: Routed, sender: str, recipient: str) -> tuple[Routed, Way | None, str | None]:
    try:
        way = one.way(sender, recipient)
    except ExosyncError as error:
        return one, None, str(error)
    return one, way, None


def _way(one: Routed, way: Way | None, error: str | None, beyond: _Beyond | None) -> Json:
    view: Json = {"target": one.name, "kind": one.kind, "error": error}
    if way is None:
        unknown: Json = {"ok": None, "leaves": None, "hosts": [], "pool": None, "stages": []}
        return {**view, **unknown}
    stages = [(one.name, stage) for stage in way.stages]
    if beyond is not None and way.leaves is not False:
        # What takes the message comes after the addresses that it leaves from.
        place = _after_source(way.stages)
        stages[place:place] = beyond.stages(way)
    return {
        **view,
        "ok": _all(stage.ok for _, stage in stages),
        "leaves": way.leaves,
        "hosts": list(way.hosts),
        "pool": None if way.leaves is False else way.pool.value,
        "stages": [stage_view(name, stage) for name, stage in stages],
    }


def _after_source(stages: Sequence[Stage]) -> int:
    places = [number for number, one in enumerate(stages, 1) if one.kind == "source"]
    return places[-1] if places else len(stages)


def stage_view(target: str, stage: Stage) -> Json:
    """One station, as the target of that name tells it."""
    return {
        "kind": stage.kind,
        "target": target,
        "where": stage.where,
        "title": stage.title,
        "ok": stage.ok,
        "sure": stage.sure.value,
        "says": list(stage.says),
    }


def _all(values: Iterator[bool | None]) -> bool | None:
    """False if anything is wrong, None if anything cannot be told."""
    found = list(values)
    if False in found:
        return False
    return True if found and None not in found else None


class _Beyond:
    """What other targets say of the addresses that a message leaves from. Each is asked once."""

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
        """SPF at the sender's domain, then whether those who may receive the message know them."""
        if self.version is None:
            return [("", _NO_VERSION)]
        found = [self._told(one, way.pool) for one in self._asked]
        said = [(name, stage) for name, stage in found if stage is not None]
        spf = [one for one in said if one[1].kind == "spf"]
        return [*(spf or [("", self._no_spf())]), *(one for one in said if one[1].kind != "spf")]

    def _no_spf(self) -> Stage:
        title = f"SPF of {self._sender} is not known"
        says = ("no target of kind spf is for the sender's domain",)
        return Stage("spf", self._sender, title, None, Sure.UNPROVEN, says)

    def _told(self, one: Asked, pool: Pool) -> tuple[str, Stage | None]:
        """The stage of one target: none for the SPF record of another domain."""
        answers = self._about(one, self._mail)
        if not answers:
            return "", None
        name = str(answers[0]["name"])
        config = self._configs[name]
        if config.kind == "spf" and getattr(config.settings, "domain", "") != self._sender:
            return name, None
        spf = config.kind == "spf"
        ok, title, says = _summary(answers, f"SPF of {self._sender}" if spf else name, spf=spf)
        relay = self._about(one, RELAY_POOL) if pool is not Pool.MAIL else []
        if relay and relay[0]["knows"] is not True:
            ok = False if ok is False else None
            word = "not known" if relay[0]["knows"] is False else "cannot be told"
            says.append(f"the relay pool {', '.join(RELAY_POOL)}: {word}")
        kind, where = ("spf", self._sender) if spf else ("gateway", name)
        sure = Sure.SEEN if ok is not None else Sure.UNPROVEN
        return name, Stage(kind, where, title, ok, sure, tuple(says))

    def _about(self, one: Asked, ranges: IpRanges) -> list[Json]:
        """What a target says of each range that is of its families."""
        found = []
        for cidr in ranges:
            key = (id(one), cidr)
            if key not in self._answers:
                self._answers[key] = one.about(IpRanges.parse(cidr))
            answer = {**self._answers[key], "cidr": cidr}
            if self._concerns(str(answer["name"]), cidr):
                found.append(answer)
        return found

    def _concerns(self, name: str, cidr: str) -> bool:
        families = self._configs[name].families
        return families == "both" or (families == "ipv6") is (":" in cidr)


_NO_VERSION = Stage(
    "source",
    "",
    "from which addresses it leaves is not known",
    None,
    Sure.UNPROVEN,
    ("no version of Microsoft's list is adopted yet: run exosync sync",),
)


def _summary(
    answers: Sequence[Mapping[str, Any]], who: str, *, spf: bool
) -> tuple[bool | None, str, list[str]]:
    """What a target says of all ranges, in a few words."""
    lacking = [one for one in answers if one["knows"] is False]
    unsure = [one for one in answers if one["knows"] is None]
    every = plural(len(answers), "range")
    if lacking:
        does_not = "does not pass" if spf else "does not know"
        cidrs = ", ".join(str(one["cidr"]) for one in lacking[:_SAYS])
        more = f" and {len(lacking) - _SAYS} more" if len(lacking) > _SAYS else ""
        title = f"{who} {does_not} {len(lacking)} of {every}: {cidrs}{more}"
        return False, title, _sentences(lacking, _SAYS)
    if unsure:
        title = f"of {len(unsure)} of {every}, {who} does not tell"
        return None, title, _sentences(unsure, _SAYS)
    return True, f"{who} {'passes' if spf else 'knows'} all {every}", _sentences(answers, 1)


def _sentences(answers: Sequence[Mapping[str, Any]], most: int) -> list[str]:
    found = list(dict.fromkeys(str(says) for one in answers for says in one["says"]))
    return [*found[:most], *([f"and {len(found) - most} more"] if len(found) > most else [])]
