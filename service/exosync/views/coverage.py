"""Which of the desired ranges each target knows, as far as its last run tells.

Nobody is asked: `exosync explain` asks the targets themselves.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from exosync.config import TargetConfig
from exosync.core.desired import Desired
from exosync.core.ranges import IpRanges
from exosync.core.words import asserted_text
from exosync.store import TargetState
from exosync.views.moments import iso
from exosync.views.source import Source

Json = dict[str, Any]

_NOTHING = IpRanges()


@dataclass(frozen=True, slots=True)
class Belief:
    """What the last run of a target saw there.

    `owned` carry exosync's mark, `foreign` do not, `proven` were shown to be let in, `asserted`
    are so on a person's word alone, and `lacking` had to be added. If `whole`, nothing else
    stands there that could let anything in. `seen_at` is when; None if nobody looked.
    """

    owned: IpRanges = _NOTHING
    foreign: IpRanges = _NOTHING
    proven: IpRanges = _NOTHING
    asserted: IpRanges = _NOTHING
    lacking: IpRanges = _NOTHING
    whole: bool = False
    seen_at: datetime | None = None

    @property
    def known(self) -> IpRanges:
        """Everything that was seen or shown to be there."""
        return self.owned.union(self.foreign, self.proven) - self.asserted


def belief(target: TargetConfig, state: TargetState | None, desired: Desired) -> Belief:
    """What is believed of a target, from what its last run reported.

    A proof counts for what Microsoft publishes, in the version that it was made for.
    """
    if state is None or state.seen_at is None:
        return Belief()
    report = state.report
    foreign, asserted = report.get("foreign", ()), report.get("asserted", ())
    is_proven = state.verified is True and state.version == desired.version
    held = Belief(
        owned=IpRanges.parse(report.get("owned") or ()),
        foreign=_union(foreign),
        proven=_provable(target, report, desired) if is_proven else _NOTHING,
        asserted=_union(asserted),
        whole=report.get("owned") is not None and not foreign and not asserted,
        seen_at=state.seen_at,
    )
    return replace(held, lacking=_gained(report.get("changes", ())) - held.known - held.asserted)


def _provable(target: TargetConfig, report: Mapping[str, Any], desired: Desired) -> IpRanges:
    """What a proof shows: not those that the vendor cannot express."""
    told = {one["rule"] for one in report.get("findings", ())}
    only_ipv4 = "ipv6_inexpressible" in told and target.families != "ipv6"
    return desired.only("ipv4" if only_ipv4 else target.families).microsoft


def _union(parts: Iterable[Json]) -> IpRanges:
    return IpRanges().union(*(IpRanges.parse(one["ranges"]) for one in parts))


def _gained(changes: Iterable[Json]) -> IpRanges:
    """The addresses that came, or had to come, by changes in their JSON form."""
    came = (one for one in changes if one["change"] != "removed")
    return IpRanges().union(*(_ranges(one["cidr"]) - _ranges(one["was"]) for one in came))


def _ranges(cidrs: str) -> IpRanges:
    return IpRanges.parse(cidrs.split(", ")) if cidrs else _NOTHING


def coverage_view(source: Source, desired: Desired) -> Json:
    """For each target, which desired ranges it knows, lacks, or may know."""
    known = {one.name: one for one in source.store.target_states()}
    return {
        "instance": desired.instance,
        "version": desired.version,
        "targets": [
            {
                "name": one.name,
                "kind": one.kind,
                **coverage_of(one, known.get(one.name), desired),
            }
            for one in source.config.targets
            if one.lists_ranges
        ],
    }


def coverage_of(target: TargetConfig, state: TargetState | None, desired: Desired) -> Json:
    """Which desired ranges one target knows; `besides` is owned there and no longer desired."""
    wanted = desired.only(target.families).ranges
    held = belief(target, state, desired)
    rest = wanted - held.known
    missing = rest if held.whole else rest & held.lacking
    return {
        "seen_at": iso(held.seen_at),
        "known": list((wanted & held.known).cidrs()),
        "missing": list(missing.cidrs()),
        "unsure": list((rest - missing).cidrs()),
        "besides": list((held.owned - wanted).cidrs()),
    }


class Remembered:
    """A target that answers from what its last run saw, for `explain`."""

    def __init__(self, target: TargetConfig, state: TargetState | None, desired: Desired) -> None:
        self._target, self._state = target, state
        self._belief = belief(target, state, desired)

    def about(self, address: IpRanges) -> Json:
        """What it knew of an address then; null where that run does not tell."""
        knows, says = self._told(address)
        name, kind = self._target.name, self._target.kind
        return {"name": name, "kind": kind, "knows": knows, "says": says}

    def _told(self, address: IpRanges) -> tuple[bool | None, list[str]]:
        held = self._belief
        if held.seen_at is None or self._state is None:
            return None, ["no run has looked at it yet"]
        when = f"as the run of {held.seen_at:%Y-%m-%d %H:%M} UTC saw it"
        places = (
            (held.owned, "among exosync's own entries"),
            (held.proven, "proven to be let in"),
            (held.foreign, "among what others put there"),
            (held.known, "in several entries"),
        )
        if address <= held.known:
            where = next(words for ranges, words in places if address <= ranges)
            return True, [f"{where}, {when}"]
        if address <= held.known | held.asserted:
            return None, [asserted_text(one) for one in self._state.report.get("asserted", ())]
        if held.whole or address <= held.lacking:
            part = "not there" if address.isdisjoint(held.known) else "not all of it is there"
            return False, [f"{part}, {when}"]
        return None, [f"not among what exosync wrote; other entries may let it in, {when}"]


def remembered(source: Source, desired: Desired) -> list[Remembered]:
    """Every configured target that lists ranges, as its last run saw it."""
    known = {one.name: one for one in source.store.target_states()}
    return [
        Remembered(one, known.get(one.name), desired)
        for one in source.config.targets
        if one.lists_ranges
    ]
