"""Which range stands in which of a sender's numbered policies. Pure, and stable.

One message has one source address, so ranges spread over several policies do what one policy
with all of them would. A range stays where it is; a new one goes into the first policy with
room, further policies are made as they are needed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from exosync.core.ranges import IpRanges
from exosync_adapters.mimecast.policy import entries_of

_NOTHING = IpRanges()


@dataclass(frozen=True, slots=True)
class Held:
    """The ranges of one policy as it is now, and whether they are in force."""

    ranges: IpRanges
    in_force: bool = True


@dataclass(frozen=True, slots=True)
class Slot:
    """One policy's ranges: while additions are made, and once removals are done.

    A policy with nothing in `final` is not needed any more.
    """

    added: IpRanges
    final: IpRanges


def lay_out(
    held: Mapping[int, Held], wanted: IpRanges, *, limit: int, split_to: int | None
) -> dict[int, Slot]:
    """The slot of each number, those of `held` and new ones.

    While additions are made, a policy still holds what will be taken out of it: this counts
    against `limit`, the most entries of one policy. What is not in force holds nothing, since
    it is written as a whole when it is put in force.
    """
    final = _kept(held, wanted, limit, split_to)
    still = {n: one.ranges if one.in_force else _NOTHING for n, one in held.items()}
    new = wanted - _NOTHING.union(*final.values())
    rest = list(entries_of(new, split_to))
    if split_to is None:
        rest = [one for one in rest if not _joins(one, final, still, limit)]
    number = 0
    while rest:
        number += 1
        before, beside = final.get(number, _NOTHING), still.get(number, _NOTHING)
        final[number], rest = _fill(before, beside, rest, limit, split_to)
    return {
        n: Slot(still.get(n, _NOTHING) | final.get(n, _NOTHING), final.get(n, _NOTHING))
        for n in sorted({*held, *final})
    }


def count_policies(ranges: IpRanges, *, limit: int, split_to: int | None) -> tuple[int, int]:
    """How many entries, and how many policies, these ranges would take in an empty account."""
    entries = _count(ranges, split_to)
    return entries, -(-entries // limit)


def _kept(
    held: Mapping[int, Held], wanted: IpRanges, limit: int, split_to: int | None
) -> dict[int, IpRanges]:
    """What stays where it is: what is in force before what is not, at most `limit` entries."""
    final, rest = {}, wanted
    for number in sorted(held, key=lambda n: (not held[n].in_force, n)):
        stays = held[number].ranges & rest
        if _count(stays, split_to) > limit:
            stays = IpRanges.parse(entries_of(stays, split_to)[:limit])
        final[number] = stays
        rest -= stays
    return final


def _joins(
    entry: str, final: dict[int, IpRanges], still: Mapping[int, IpRanges], limit: int
) -> bool:
    """Put an entry beside a neighbour that it merges with, if there is one: a range that grew."""
    new = IpRanges.parse(entry)
    for number, before in final.items():
        now, all_of_it = before | new, before | new | still.get(number, _NOTHING)
        if before and len(now) <= len(before) and len(all_of_it) <= limit:
            final[number] = now
            return True
    return False


def _fill(
    before: IpRanges, beside: IpRanges, rest: list[str], limit: int, split_to: int | None
) -> tuple[IpRanges, list[str]]:
    """Put in as much as there is room for; gives the ranges, and what is left over.

    Neighbours may merge into one entry, which makes room again.
    """
    now = before
    while rest:
        room = limit - max(_count(now | beside, split_to), _count(now, split_to))
        if room < 1:
            break
        now |= IpRanges.parse(rest[:room])
        rest = rest[room:]
    return now, rest


def _count(ranges: IpRanges, split_to: int | None) -> int:
    return len(ranges) if split_to is None else ranges.count_split(ipv4=split_to, ipv6=128)
