"""The guards: rules that refuse a plan whose figures look like an accident.

Each has a stable name, tells what it saw and which setting governs it. They measure what
would be there after against what counts as there before, each address family for itself;
a first publication is no growth. What is broken in itself never gets this far: it is
refused when the feed is read.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from fractions import Fraction

from exosync.core.desired import Desired
from exosync.core.ranges import IpRanges
from exosync.core.special import special
from exosync.core.target import Draft, Phase, Refusal

RULES: dict[str, str] = {
    "empty": "nothing at all would be desired",
    "min_ranges": "fewer ranges are desired than there must be",
    "shrink": "too large a part of what is owned would be removed",
    "growth": "too large a part would be added to what is owned",
    "too_wide": "a range to be added is wider than allowed",
    "special_space": "a range to be added is private, reserved or otherwise not public",
    "stale_feed": "Microsoft's list has not been confirmed for too long",
    "receivers_behind": "mail would be sent to where Microsoft's addresses are not all known yet",
}
"""Each guard's stable name and what it means."""


_NOTHING = IpRanges()


@dataclass(frozen=True, slots=True)
class Limits:
    """The settings of the guards. Shares are fractions (1/10 is 10 %), counts are ranges."""

    min_ranges: int = 4
    max_shrink: Fraction = Fraction(1, 10)
    max_growth: Fraction = Fraction(1, 2)
    max_shrink_ranges: int | None = None
    max_growth_ranges: int | None = None
    widest_ipv4: int = 13
    widest_ipv6: int = 32
    max_feed_age: timedelta = timedelta(days=45)


def guard(
    draft: Draft,
    desired: Desired,
    *,
    limits: Limits,
    feed_age: timedelta,
    proven: IpRanges = _NOTHING,
    granted: IpRanges = _NOTHING,
    adopting: bool = False,
) -> tuple[Refusal, ...]:
    """The refusals of a draft that would change something; `desired` is of both families.

    What is adopted was not ours, so what comes to it is a first publication and no growth.
    `proven` are the ranges of the last state that was proven right: to bring back what
    somebody took away is no growth. `granted` are removals under way that passed before, or
    were approved: the rest of them, at another setting, is no new shrinkage.
    """
    if not draft.steps:
        return ()
    removed, added = draft.base - draft.goal - granted, draft.goal - draft.base - proven
    return (
        *_amount(desired, limits),
        *_shrink(draft.base, removed, limits),
        *(() if adopting else _growth(draft.goal - added, added, limits)),
        *_width(added, limits),
        *_space(added),
        *(_age(feed_age, limits) if added or removed else ()),
    )


def receivers(draft: Draft, behind: Sequence[str]) -> tuple[Refusal, ...]:
    """The refusal to send mail on while the targets named in `behind` do not let all of it in.

    It covers the steps that do so, and no others.
    """
    opening = tuple(dict.fromkeys(one.resource for one in draft.steps if one.opens))
    if not opening or not behind:
        return ()
    return (
        Refusal(
            "receivers_behind",
            f"mail would go where not all of Microsoft's addresses are let in yet: first settle "
            f"{', '.join(behind)}",
            seen=", ".join(behind),
            limit="all settled",
            approvable=True,
            resources=opening,
        ),
    )


def _amount(desired: Desired, limits: Limits) -> Iterator[Refusal]:
    count = len(desired.ranges)
    if not count:
        yield Refusal("empty", "no range at all is desired", seen="0 ranges", limit="1")
    elif count < limits.min_ranges:
        yield Refusal(
            "min_ranges",
            f"only {_ranges(count)} are desired",
            seen=_ranges(count),
            limit=_ranges(limits.min_ranges),
            setting="guards.min_ranges",
            approvable=True,
        )


def _shrink(owned: IpRanges, removed: IpRanges, limits: Limits) -> Iterator[Refusal]:
    for version in (4, 6):
        whole, part = owned.family(version), removed.family(version)
        if whole and part:
            touched = _touched(whole, part)
            figures = _Figures("shrink", version, whole, part, touched, phase=Phase.REMOVE)
            yield from _share(figures, limits.max_shrink, limits.max_shrink_ranges)


def _growth(owned: IpRanges, added: IpRanges, limits: Limits) -> Iterator[Refusal]:
    for version in (4, 6):
        whole, part = owned.family(version), added.family(version)
        if whole and part:
            touched = _touched(whole | part, part)
            figures = _Figures("growth", version, whole, part, touched)
            yield from _share(figures, limits.max_growth, limits.max_growth_ranges)


def _touched(whole: IpRanges, part: IpRanges) -> int:
    """How many ranges of the whole hold some of the part.

    A range without any of it stays a range of what is left, to the letter: it could only
    merge there with what it would have merged with before.
    """
    return len(set(whole.cidrs()) - set((whole - part).cidrs()))


@dataclass(frozen=True, slots=True)
class _Figures:
    rule: str
    version: int
    whole: IpRanges
    part: IpRanges
    touched: int
    phase: Phase | None = None

    @property
    def addresses(self) -> Fraction:
        return Fraction(self.part.addresses(self.version), self.whole.addresses(self.version))

    @property
    def ranges(self) -> Fraction:
        return Fraction(self.touched, len(self.whole))

    @property
    def told(self) -> str:
        verb = "removed from" if self.rule == "shrink" else "added to"
        return (
            f"IPv{self.version}: {_few(self.part)} would be {verb} what is owned "
            f"({_ranges(len(self.whole))})"
        )


def _share(figures: _Figures, share: Fraction, count: int | None) -> Iterator[Refusal]:
    if max(figures.addresses, figures.ranges) > share:
        yield Refusal(
            figures.rule,
            figures.told,
            seen=f"{_percent(figures.addresses)} of addresses, {_percent(figures.ranges)} of ranges",
            limit=_percent(share),
            setting=f"guards.max_{figures.rule}",
            approvable=True,
            phase=figures.phase,
        )
    if count is not None and figures.touched > count:
        yield Refusal(
            figures.rule,
            figures.told,
            seen=_ranges(figures.touched),
            limit=_ranges(count),
            setting=f"guards.max_{figures.rule}_ranges",
            approvable=True,
            phase=figures.phase,
        )


def _width(added: IpRanges, limits: Limits) -> Iterator[Refusal]:
    for version, limit in ((4, limits.widest_ipv4), (6, limits.widest_ipv6)):
        widest = added.widest(version)
        if widest is not None and widest < limit:
            wide = [c for c in added.family(version).cidrs() if int(c.rpartition("/")[2]) < limit]
            yield Refusal(
                "too_wide",
                f"{', '.join(wide)} would be added",
                seen=f"/{widest}",
                limit=f"/{limit}",
                setting=f"guards.widest_ipv{version}",
                approvable=True,
            )


def _space(added: IpRanges) -> Iterator[Refusal]:
    found = special(added)
    if found:
        told = ", ".join(f"{cidr} ({name}, {source})" for cidr, name, source in found)
        yield Refusal(
            "special_space",
            f"not public address space would be added: {told}",
            seen=_ranges(len(found)),
            limit="0 ranges",
            approvable=True,
        )


def _age(feed_age: timedelta, limits: Limits) -> Iterator[Refusal]:
    if feed_age > limits.max_feed_age:
        yield Refusal(
            "stale_feed",
            f"Microsoft's list was last confirmed {_days(feed_age)} ago",
            seen=_days(feed_age),
            limit=_days(limits.max_feed_age),
            setting="guards.max_feed_age",
            approvable=True,
        )


def _percent(share: Fraction) -> str:
    return f"{float(share) * 100:.4g}%"


def _ranges(count: int) -> str:
    return "1 range" if count == 1 else f"{count:,} ranges"


def _days(span: timedelta) -> str:
    return f"{span.total_seconds() / 86400:.1f} days"


def _few(ranges: IpRanges, most: int = 8) -> str:
    cidrs = ranges.cidrs()
    more = f" and {len(cidrs) - most:,} more" if len(cidrs) > most else ""
    return ", ".join(cidrs[:most]) + more
