"""Sorted, disjoint integer intervals of one address family, and what can be done with them.

Two tuples of equal length: where each interval starts, and where it ends (not included).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from itertools import chain, compress
from operator import gt, lt

Spans = tuple[tuple[int, ...], tuple[int, ...]]
NOTHING: Spans = ((), ())
_BEYOND = 1 << 129  # greater than any address of either family


def joined(starts: list[int], ends: list[int]) -> Spans:
    """Spans of what may overlap and touch: one ends where all that started have ended."""
    if not starts:
        return NOTHING
    starts.sort()
    ends.sort()
    later = starts[1:]
    apart = list(map(lt, ends, later))
    return (starts[0], *compress(later, apart)), (*compress(ends, apart), ends[-1])


def gathered(parts: Iterable[Spans]) -> Spans:
    """The union."""
    filled = [part for part in parts if part[0]]
    if len(filled) == 1:
        return filled[0]
    starts, ends = ([*chain.from_iterable(part[side] for part in filled)] for side in (0, 1))
    return joined(starts, ends)


def common(a: Spans, b: Spans) -> Spans:
    """What is in both: from a start to the next end, where something is open already."""
    if not a[0] or not b[0]:
        return NOTHING
    starts = sorted(a[0] + b[0])
    ends = sorted(a[1] + b[1])
    later = starts[1:]
    open_already = list(map(gt, ends, later))
    return tuple(compress(later, open_already)), tuple(compress(ends, open_already))


def without(a: Spans, b: Spans) -> Spans:
    """What is in `a` and in the gaps of `b`, the space before and after it included."""
    if not a[0] or not b[0]:
        return a
    return common(a, ((-1, *b[1]), (*b[0], _BEYOND)))


def holds(spans: Spans, first: int, end: int) -> bool:
    """Whether all from `first` to `end` (not included) is in them."""
    starts, ends = spans
    at = bisect_right(starts, first)
    return at > 0 and end <= ends[at - 1]


def within(a: Spans, b: Spans) -> bool:
    """Whether all of a is in b."""
    return all(holds(b, first, end) for first, end in zip(*a, strict=True))


def blocks(spans: Spans) -> tuple[list[int], list[int]]:
    """The fewest aligned blocks that make up the spans: first addresses and sizes."""
    firsts: list[int] = []
    sizes: list[int] = []
    for first, end in zip(*spans, strict=True):
        size = end - first
        if not (first | size) & (size - 1):  # a power of two, and aligned to it
            firsts.append(first)
            sizes.append(size)
            continue
        at = first
        while at < end:
            size = min(at & -at or end, 1 << (end - at).bit_length() - 1)
            firsts.append(at)
            sizes.append(size)
            at += size
    return firsts, sizes
