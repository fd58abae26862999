"""What a new version must pass to be adopted: what is broken in itself is refused here.

No approval lifts these rules, and what they refuse is never stored as adopted. A large but
well-formed loss is not refused here: removals age, and the plan's guards stop them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from exosync.core.endpoints import Snapshot
from exosync.core.ranges import IpRanges
from exosync.core.special import special
from exosync.errors import FeedRejected

RULES: dict[str, str] = {
    "empty": "no address at all is mail",
    "min_ranges": "fewer ranges are mail than there must be",
    "backward_version": "the version is older than the adopted one",
    "too_wide": "a range is wider than allowed",
    "special_space": "a range is private, reserved or otherwise not public",
}
"""Each rule's stable name and what it means, in the order in which they are tried."""

_MOST_SHOWN = 8


@dataclass(frozen=True, slots=True)
class IntakeLimits:
    """The settings of the rules: a number of minimal CIDRs, and shortest prefix lengths."""

    min_ranges: int = 4
    widest_ipv4: int = 13
    widest_ipv6: int = 32


def intake(
    snapshot: Snapshot, mail: IpRanges, *, adopted_version: str | None, limits: IntakeLimits
) -> None:
    """Raise FeedRejected if a snapshot with these mail ranges must not be adopted.

    All that is wrong is told; `rule` is the name of the first. Ranges are judged by their
    minimal CIDRs, however they were published. The adopted version itself may come again.
    """
    found = list(_refusals(snapshot, mail, adopted_version, limits))
    if found:
        where = f"version {snapshot.version} of {snapshot.instance} is refused"
        told = "; ".join(f"{rule}: {message}" for rule, message in found)
        raise FeedRejected(f"{where}: {told}; nothing was adopted", rule=found[0][0])


def _refusals(
    snapshot: Snapshot, mail: IpRanges, adopted: str | None, limits: IntakeLimits
) -> Iterator[tuple[str, str]]:
    count = len(mail)
    if not mail:
        yield "empty", "its mail sets hold no address"
    elif count < limits.min_ranges:
        ranges = "1 range is" if count == 1 else f"{count} ranges are"
        limit = f"{limits.min_ranges} are the least (guards.min_ranges)"
        yield "min_ranges", f"only {ranges} mail, {limit}: {_few(mail.cidrs())}"
    # Fixed width, so text order is version order.
    if adopted is not None and snapshot.version < adopted:
        yield "backward_version", f"version {adopted} is adopted already, and it is newer"
    yield from _too_wide(mail, limits)
    parts = [f"{cidr} ({name}, {source})" for cidr, name, source in special(mail)]
    if parts:
        yield "special_space", f"not public address space: {_few(parts)}"


def _too_wide(mail: IpRanges, limits: IntakeLimits) -> Iterator[tuple[str, str]]:
    for version, limit in ((4, limits.widest_ipv4), (6, limits.widest_ipv6)):
        cidrs = mail.family(version).cidrs()
        wide = [cidr for cidr in cidrs if int(cidr.partition("/")[2]) < limit]
        if wide:
            setting = f"guards.widest_ipv{version}"
            yield "too_wide", f"wider than /{limit} ({setting}): {_few(wide)}"


def _few(texts: tuple[str, ...] | list[str]) -> str:
    more = len(texts) - _MOST_SHOWN
    tail = f" and {more:,} more" if more > 0 else ""
    return ", ".join(texts[:_MOST_SHOWN]) + tail
