"""What changed between two sets of ranges, told address-wise.

A comparison of texts would tell 40.107.0.0/17 → 40.107.0.0/16 as one range gone and one
come, though no address was lost. Here each change is told by what happened to addresses.

CIDRs are equal, apart, or one inside the other. So each CIDR that is listed on one side only
either touches nothing of the other side, or is the outermost of a group: itself, and the CIDRs
of the other side inside it. Every group is told by itself:

* nothing inside: *added*, or *removed*;
* what is inside fills it: *re-cut*, the same addresses in other CIDRs;
* else a later CIDR around earlier ones is *widened*, an earlier one around later ones
  *narrowed*, but if the difference takes fewer CIDRs than what is inside, the difference is
  told as *added* or *removed*: a hole in a large range reads better as that hole.

What all changes gain is exactly `after - before`, what they lose exactly `before - after`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import chain

from exosync.core.ranges import IpRanges


class ChangeKind(StrEnum):
    """What happened to a range."""

    ADDED = "added"
    REMOVED = "removed"
    WIDENED = "widened"
    NARROWED = "narrowed"
    RECUT = "recut"

    @property
    def word(self) -> str:
        """The kind as people read it."""
        return "re-cut" if self is ChangeKind.RECUT else self.value


_SEPARATOR = ", "
_FEW = 4

_Key = tuple[int, int, int]  # family, first address, prefix length


@dataclass(frozen=True, slots=True, order=True)
class _Listed:
    """A CIDR that one side lists and the other does not."""

    key: _Key
    cidr: str
    later: bool


@dataclass(frozen=True, slots=True)
class Change:
    """One change. `cidr` is what stands after it; of a removal what stood before.

    `was` is what a widened, narrowed or re-cut range was before, else empty. Several CIDRs
    in one of them are in address order, separated by ", ".
    """

    kind: ChangeKind
    cidr: str
    was: str = ""

    @property
    def gained(self) -> IpRanges:
        """The addresses that came."""
        if self.kind is ChangeKind.REMOVED:
            return IpRanges()
        return _ranges(self.cidr) - _ranges(self.was)

    @property
    def lost(self) -> IpRanges:
        """The addresses that went."""
        if self.kind is ChangeKind.REMOVED:
            return _ranges(self.cidr)
        return _ranges(self.was) - _ranges(self.cidr)

    @property
    def text(self) -> str:
        """The change in one line, for a person."""
        move = f"{self.kind.word} {_few(self.was)} → {_few(self.cidr)}"
        match self.kind:
            case ChangeKind.WIDENED:
                return f"{move} ({_amount(self.gained, sign='+')})"
            case ChangeKind.NARROWED:
                return f"{move} ({_amount(self.lost, sign='-')})"
            case ChangeKind.RECUT:
                return f"{move} (same addresses, other CIDRs: no change of meaning)"
            case _:
                return f"{self.kind.word} {self.cidr} ({_amount(_ranges(self.cidr))})"

    def as_json(self) -> dict[str, str]:
        """The change as JSON values: `change` (its kind), `cidr`, `was` and `text`."""
        return {"change": self.kind.value, "cidr": self.cidr, "was": self.was, "text": self.text}


def changes(
    before: IpRanges,
    after: IpRanges,
    *,
    before_cidrs: Sequence[str] | None = None,
    after_cidrs: Sequence[str] | None = None,
) -> tuple[Change, ...]:
    """All changes from `before` to `after`, IPv4 first, in address order.

    The lists of CIDRs are those that were published, if they are known; else the minimal
    ones are compared, and nothing is told as re-cut. Raises RangeError for a bad CIDR, and
    ValueError for a list that does not hold the addresses of its ranges.
    """
    old, new = _listed(before, before_cidrs), _listed(after, after_cidrs)
    only_old = [_Listed(key, cidr, later=False) for cidr, key in old.items() if cidr not in new]
    only_new = [_Listed(key, cidr, later=True) for cidr, key in new.items() if cidr not in old]
    return tuple(chain.from_iterable(map(_told, _groups(only_old + only_new))))


def summary(found: Iterable[Change]) -> str:
    """How many changes there are of each kind: `2 added, 1 removed, 1 widened`."""
    counts = Counter(one.kind for one in found)
    parts = [f"{counts[kind]:,} {kind.word}" for kind in ChangeKind if counts[kind]]
    return ", ".join(parts) or "no changes"


def _listed(ranges: IpRanges, cidrs: Sequence[str] | None) -> dict[str, _Key]:
    """The CIDRs in canonical text and address order, without those inside another one."""
    if cidrs is None:
        return {cidr: IpRanges.sort_key(cidr) for cidr in ranges.cidrs()}
    if IpRanges.parse(cidrs) != ranges:
        raise ValueError("the list of CIDRs does not hold the addresses that it is given for")
    texts = {IpRanges.parse(cidr).cidrs()[0] for cidr in cidrs}
    outermost: dict[str, _Key] = {}
    around: _Key | None = None
    for key, text in sorted((IpRanges.sort_key(text), text) for text in texts):
        if around is None or not _inside(key, around):
            outermost[text] = around = key
    return outermost


def _groups(listed: list[_Listed]) -> Iterator[list[_Listed]]:
    """The outermost CIDRs, each with those of the other side inside it."""
    group: list[_Listed] = []
    for one in sorted(listed):
        if group and not _inside(one.key, group[0].key):
            yield group
            group = []
        group.append(one)
    if group:
        yield group


def _inside(key: _Key, around: _Key) -> bool:
    """Whether a CIDR that comes later in address order is inside another one."""
    version, first, prefix = around
    size = 1 << (32 if version == 4 else 128) - prefix
    return key[0] == version and key[1] < first + size


def _told(group: list[_Listed]) -> Iterator[Change]:
    """The changes of one group; see the module's docstring for the rules."""
    outer, *inside = group
    if not inside:
        yield Change(ChangeKind.ADDED if outer.later else ChangeKind.REMOVED, outer.cidr)
        return
    whole, part = IpRanges.parse(outer.cidr), IpRanges.parse([one.cidr for one in inside])
    rest = whole - part
    parts = _SEPARATOR.join(one.cidr for one in inside)
    cidr, was = (outer.cidr, parts) if outer.later else (parts, outer.cidr)
    if not rest:
        yield Change(ChangeKind.RECUT, cidr, was)
    elif len(part) <= len(rest):
        yield Change(ChangeKind.WIDENED if outer.later else ChangeKind.NARROWED, cidr, was)
    else:
        kind = ChangeKind.ADDED if outer.later else ChangeKind.REMOVED
        yield from (Change(kind, piece) for piece in rest)


def _ranges(cidrs: str) -> IpRanges:
    return IpRanges.parse(cidrs.split(_SEPARATOR)) if cidrs else IpRanges()


def _few(cidrs: str) -> str:
    listed = cidrs.split(_SEPARATOR)
    if len(listed) <= _FEW:
        return cidrs
    return f"{_SEPARATOR.join(listed[: _FEW - 1])} and {len(listed) - _FEW + 1:,} more"


def _amount(ranges: IpRanges, *, sign: str = "") -> str:
    """The number of addresses in words; from one /64 network on, IPv6 is counted in those."""
    nets, odd = divmod(ranges.addresses(6), 1 << 64)
    count, one, many = ranges.addresses(4) + odd, "address", "addresses"
    if nets:
        count, one, many = nets, "/64 network", "/64 networks"
    over = "over " if nets and odd else ""
    return f"{over}{sign}{count:,} {one if count == 1 else many}"
