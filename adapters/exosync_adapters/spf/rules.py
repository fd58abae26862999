"""What is never planned over: refusals from the state of a name, and the cross-check.

Pure. No refusal here can be approved: approval would not make the state right.
"""

from __future__ import annotations

from collections.abc import Iterator

from exosync.core.desired import Desired
from exosync.core.ranges import IpRanges
from exosync.core.target import Finding, Refusal, Severity
from exosync_adapters.rfc7208.record import SpfSyntaxError, owner_of, parse
from exosync_adapters.spf.aim import Aim
from exosync_adapters.spf.seen import AtName, Seen

RULES: dict[str, str] = {
    "servers_disagree": "the authoritative servers do not hold the same records",
    "cname": "the name holds a CNAME, beside which there can be no record",
    "two_spf_records": "the name holds more than one SPF record, which fails all mail",
    "spf_syntax": "the domain's SPF record has a syntax error, so exosync does not edit it",
    "foreign_owner": "the record at exosync's name does not carry this instance's mark",
    "record_size": "the ranges do not fit into one SPF record",
    "lookup_budget": "evaluating the domain would take more than ten lookups",
    "void_lookups": "evaluating the domain would meet more than two lookups without an answer",
    "rehearsal": "evaluated before writing, the planned records do not do what they should",
}
"""The stable names of this target's refusals and what each means."""


def name_refusals(at: AtName) -> Iterator[Refusal]:
    """What is wrong with a name, whoever owns its records."""
    if at.cname is not None:
        yield Refusal(
            "cname",
            f"{at.name} holds a CNAME: {at.cname}; give the name records of its own",
            seen="a CNAME",
        )
    elif at.differing:
        yield Refusal(
            "servers_disagree",
            f"the servers hold different records at {at.name}; wait for the transfer of the "
            f"zone, or see why it fails. {at.told()}",
            seen=f"{len(at.differing)} of {len(at.answers)} servers differ from the primary",
            limit="0 servers",
        )
    if len(at.spf) > 1:
        shown = " and ".join(f"“{text}”" for text in at.spf)
        yield Refusal(
            "two_spf_records",
            f"{at.name} holds {len(at.spf)} SPF records, so receivers take all of its mail for "
            f"failed (RFC 7208, section 4.5); make one of them: {shown}",
            seen=f"{len(at.spf)} records",
            limit="1 record",
        )


def syntax_refusals(at: AtName) -> Iterator[Refusal]:
    """The syntax error in a record that is not ours."""
    if not at.record:
        return
    try:
        parse(at.record)
    except SpfSyntaxError as error:
        yield Refusal(
            "spf_syntax",
            f"the SPF record of {at.name} has a syntax error, so receivers take all of its mail "
            f"for failed: {error}; correct it by hand: “{at.record}”",
            seen=str(error),
        )


def owner_refusals(at: AtName, aim: Aim) -> Iterator[Refusal]:
    """The record at our name that does not carry our mark."""
    if not at.record or owner_of(at.record) == aim.owner:
        return
    found = owner_of(at.record)
    whose = f"the mark of another owner, {found}" if found else "no mark of exosync"
    yield Refusal(
        "foreign_owner",
        f"the SPF record at {at.name} carries {whose}: “{at.record}”; "
        f"to take it over, exosync adopt {aim.target}",
        seen=found or "no mark",
        limit=aim.owner,
    )


def cross_check(aim: Aim, desired: Desired, seen: Seen) -> Iterator[Finding]:
    """The difference between Microsoft's own SPF record and the mail ranges of the feed."""
    if seen.microsoft is None:
        return
    leaving = IpRanges().union(*(one.ranges for one in desired.leaving))
    excluded = IpRanges().union(*(one.ranges for one in desired.exclusions))
    include = aim.cut(seen.microsoft)
    only_include = include - desired.microsoft - leaving - excluded
    only_feed = aim.cut(desired.microsoft) - include
    if only_include:
        yield Finding(
            "microsoft_include_differs",
            f"{aim.include} authorises addresses that are not among the mail ranges: "
            + ", ".join(only_include.cidrs()),
        )
    if only_feed:
        yield Finding(
            "microsoft_include_differs",
            f"the mail ranges hold addresses that {aim.include} does not authorise: "
            + ", ".join(only_feed.cidrs()),
            Severity.INFO,
        )
    if not aim.publishes and (idle := include & excluded):
        yield Finding(
            "exclusion_without_effect",
            f"ranges.exclude names addresses that {aim.include} authorises all the same: "
            f"{', '.join(idle.cidrs())}; method: records would leave them out",
        )
