"""What is never planned over at Google, and what is told besides. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from exosync.core.ranges import IpRanges
from exosync.core.special import special
from exosync.core.target import Finding, Refusal, Severity
from exosync.core.words import one_line, plural, short
from exosync_adapters.google_workspace.entries import Entry, ranges_of
from exosync_adapters.google_workspace.policies import Allowlist
from exosync_adapters.google_workspace.settings import GoogleSettings

RULES: dict[str, str] = {
    "empty": "no range of the address families that the target gets is desired",
    "max_entries": "the list would have more entries than the configuration allows",
    "private_addresses": "private addresses are desired, which Google does not take",
}
"""The stable names of this target's refusals and what each means."""

MOST_ENTRIES = 50_000
"""Ours: beyond it a list is an accident of `split_to`. Google publishes no number."""

_PRIVATE = frozenset({"private", "unique local", "shared (carrier-grade NAT)", "link-local"})
_WIDE = {4: 8, 6: 16}
"""Ours: the shortest prefix lengths, by family, that are not called wide."""
_FEW = 6
_LONG = 80


def refusals(desired: IpRanges, settings: GoogleSettings, *, beside: int) -> tuple[Refusal, ...]:
    """Why a list cannot be planned; `beside` foreign entries stay in it."""
    return (*_empty(desired), *_private(desired), *_too_many(desired, settings, beside))


def _empty(desired: IpRanges) -> Iterator[Refusal]:
    if not desired:
        yield Refusal(
            "empty",
            "no range of the address families that this target gets is desired",
            seen="0 ranges",
            limit="1",
            setting="families",
        )


def _private(desired: IpRanges) -> Iterator[Refusal]:
    found = [cidr for cidr, name, _ in special(desired) if name in _PRIVATE]
    if found:
        yield Refusal(
            "private_addresses",
            f"{few(found)}: Google takes public addresses only, in both lists (Google Workspace "
            "Admin Help, answers 60751 and 60730); take them out of ranges.extra",
            seen=plural(len(found), "range"),
            limit="0 ranges",
            setting="ranges.extra",
        )


def _too_many(desired: IpRanges, settings: GoogleSettings, beside: int) -> Iterator[Refusal]:
    limit = min(settings.max_entries or MOST_ENTRIES, MOST_ENTRIES)
    count = desired.count_split(ipv4=settings.split_to or 0, ipv6=0) + beside
    if count > limit:
        yield Refusal(
            "max_entries",
            f"the list would have {plural(count, 'entry')}, {beside:,} of them not exosync's",
            seen=plural(count, "entry"),
            limit=plural(limit, "entry"),
            setting="split_to" if settings.split_to else "max_entries",
        )


def of_lists(found: Allowlist) -> Iterator[Finding]:
    """What is unusual about where the allowlist is set."""
    if len(found.lists) > 1:
        places = "; ".join(one.place for one in found.lists[:_FEW])
        yield Finding(
            "several_policies",
            f"the email allowlist is set {len(found.lists)} times ({places}), though Google says "
            "that it is always of the whole domain: an address counts as there only if "
            + (
                "the list at root_unit holds it"
                if found.chosen
                else "all of them hold it, until root_unit names the one of the top "
                "organizational unit"
            ),
        )
    elif found.lists and found.root and not found.at_top:
        yield Finding(
            "not_on_root",
            f"the only email allowlist is set for {found.lists[0].place}, not for the top "
            f"organizational unit {found.root}: see in the console whether it holds there",
        )


def of_entries(entries: Sequence[Entry]) -> Iterator[Finding]:
    """What is unusual about the entries themselves."""
    wide = [one for one in entries if _is_wide(one)]
    if wide:
        yield Finding(
            "wide_entry",
            f"entries of the email allowlist let in a large part of the internet: "
            f"{few([_meant(one) for one in wide])}; exosync keeps what others entered: if it was "
            "cut off while pasting, take it out",
        )
    masked = [_meant(one) for one in entries if one.has_host_bits]
    if masked:
        yield Finding(
            "host_bits",
            f"entries of the email allowlist name an address inside their range: {few(masked)}",
            Severity.INFO,
        )
    strange = [one.text for one in entries if not one.ranges]
    if strange:
        yield Finding(
            "not_an_address",
            f"entries of the email allowlist are no addresses, and stay as they are: "
            f"{few(strange)}",
        )


def _meant(entry: Entry) -> str:
    return f"{entry.text} (as {entry.canonical})" if entry.has_host_bits else entry.text


def _is_wide(entry: Entry) -> bool:
    return any(
        (prefix := entry.ranges.widest(version)) is not None and prefix < least
        for version, least in _WIDE.items()
    )


def held_by_foreign(desired: IpRanges, foreign: Sequence[Entry], name: str) -> Iterator[Finding]:
    """Desired addresses that entries hold which are not exosync's."""
    common = desired & ranges_of(foreign)
    if not common:
        return
    held = [one for one in foreign if not one.ranges.isdisjoint(common)]
    inside = [one for one in held if one.is_within(desired)]
    told = f"; exosync adopt {name} takes over those that lie within what is desired"
    yield Finding(
        "held_by_others",
        f"what is not exosync's lets in desired addresses, and would not be removed when those "
        f"leave ({plural(len(held), 'entry')}): {few([one.text for one in held])}"
        + (told if inside else ""),
        Severity.INFO,
    )


def unpublished(added: IpRanges) -> Iterator[Finding]:
    """That nobody knows what the console's box takes."""
    if not added:
        return
    six = added.family(6)
    more = f", nor whether it takes IPv6 ({few(six.cidrs())})" if six else ""
    yield Finding(
        "limits_unpublished",
        f"Google publishes neither how many entries the list takes nor how wide a range may be"
        f"{more}: if the console refuses one, see split_to"
        + (" and families: ipv4" if six else ""),
        Severity.INFO,
    )


def few(texts: Sequence[str]) -> str:
    """The first of some texts, and how many more there are."""
    more = f" and {len(texts) - _FEW:,} more" if len(texts) > _FEW else ""
    return ", ".join(short(one_line(one), _LONG) for one in texts[:_FEW]) + more
