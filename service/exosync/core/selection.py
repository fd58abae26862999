"""Which of Microsoft's endpoint sets are Exchange Online's mail.

They are chosen by what they are, service area Exchange and TCP port 25, never by id: ids
were taken away and given anew. The ids that are known are a cross-check and stop nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from exosync.core.answers import rejected
from exosync.core.endpoints import EndpointSet, Snapshot
from exosync.core.ranges import IpRanges
from exosync.core.target import Finding, Severity

SMTP = 25
AREA = "exchange"

KNOWN: Mapping[str, Mapping[int, bool]] = {
    "Worldwide": {10: True},
    "China": {2: True},
    "USGovDoD": {4: False, 6: True},
    "USGovGCCHigh": {5: False, 6: True},
}
"""The ids of the mail sets as published from 2018 to 2026, and whether they hold addresses."""


@dataclass(frozen=True, slots=True)
class MailRanges:
    """The mail ranges of one snapshot.

    `sets` are the chosen sets, each its id and its CIDRs as published (none where a set
    gives host names alone). `findings` say where they differ from the known ids.
    """

    ranges: IpRanges
    sets: tuple[tuple[int, tuple[str, ...]], ...]
    findings: tuple[Finding, ...] = ()


def mail_ranges(snapshot: Snapshot) -> MailRanges:
    """The addresses of all sets that are Exchange's and carry TCP port 25, of both families.

    A chosen set may be without addresses. Raises FeedRejected (rule no_mail_set) if no set
    is chosen at all.
    """
    chosen = [one for one in snapshot.sets if is_mail(one)]
    where = f"version {snapshot.version} of {snapshot.instance}"
    if not chosen:
        what = (
            f"none of its {len(snapshot.sets)} endpoint sets is Exchange's and carries TCP port 25"
        )
        raise rejected("no_mail_set", where, what)
    return MailRanges(
        ranges=IpRanges().union(*(one.ranges for one in chosen)),
        sets=tuple((one.id, one.ips) for one in chosen),
        findings=tuple(_cross_check(chosen, KNOWN.get(snapshot.instance, {}), where)),
    )


def is_mail(one: EndpointSet) -> bool:
    """Whether a set is Exchange Online's mail between servers."""
    return one.service_area.lower() == AREA and SMTP in one.tcp_ports


def _cross_check(
    chosen: list[EndpointSet], known: Mapping[int, bool], where: str
) -> Iterator[Finding]:
    found = {one.id: bool(one.ips) for one in chosen}
    for number in sorted(found.keys() - known.keys()):
        text = f"set {number} carries mail in {where}, which no known version had; it is used"
        yield Finding("mail_set_new", text, Severity.INFO)
    for number in sorted(known.keys() - found.keys()):
        text = f"set {number} does not carry mail in {where}, as it did in every known version"
        yield Finding("mail_set_gone", text, Severity.INFO)
    for number in sorted(known.keys() & found.keys()):
        if found[number] != known[number]:
            has, had = ("has", "none") if found[number] else ("has no", "some")
            text = f"set {number} {has} addresses in {where}, where known versions had {had}"
            yield Finding("mail_set_addresses", text, Severity.INFO)
