"""What a Mimecast target refuses, and the words for it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from exosync.core.ranges import IpRanges
from exosync.core.target import Finding, Phase, Refusal, Severity
from exosync.core.words import one_line, plural, short
from exosync_adapters.mimecast.marks import Mark
from exosync_adapters.mimecast.policy import Policy

RULES: dict[str, str] = {
    "empty": "no IPv4 range is desired, and Mimecast's policies take no other",
    "two_policies": "two policies carry the same mark, so nobody can tell which is meant",
    "mark_lost": "a policy that exosync made no longer carries its mark",
    "foreign_owner": "a policy for the same sender carries the mark of another owner or target",
    "strange_policy": "a policy that would be changed has a field that exosync does not know",
    "policy_would_be_empty": "all ranges or the sender of a policy go, so it would be disabled or "
    "deleted",
    "spf_bypass_terms": "the SPF record has a form for which Mimecast does not apply the bypass",
    "spf_bypass_passes": "the SPF record does not pass for every range, so the bypass would not "
    "let all of Exchange Online in",
}
"""The stable names of this target's refusals and what each means."""

EMPTY = Refusal(
    "empty",
    "no IPv4 range is desired; Mimecast's policies take IPv4 ranges alone, and a policy without "
    "any would hold for every source",
    seen="0 IPv4 ranges",
    limit="1",
    setting="families",
)

_FEW = 4
_MOST_NAMED = 5


def two_policies(mark: str, policies: Sequence[Policy]) -> Refusal:
    """One mark, several policies: the copies have to be told apart by a person."""
    return Refusal(
        "two_policies",
        f"{len(policies)} policies carry the mark “{mark}” (ids {', '.join(p.id for p in policies)}): "
        "change the description of those that exosync should leave alone, or delete them",
        seen=f"{len(policies)} policies",
        limit="1 policy",
    )


def mark_lost(resource: str, policy: Policy, target: str) -> Refusal:
    """A policy under the id that was remembered has another description."""
    return Refusal(
        "mark_lost",
        f"the policy that was {resource} no longer carries its mark: its description is now "
        f"{quoted(policy)}. Put the mark back to the beginning, take the policy over again with "
        f"`exosync adopt {target}`, or delete it",
        seen=shown(policy.description),
        limit="the mark",
    )


def mark_damaged(policy: Policy, target: str) -> Refusal:
    """A description that begins like a mark of ours and is none."""
    return Refusal(
        "mark_lost",
        f"the description {quoted(policy)} begins like a mark of this target and is none: mend it, "
        f"or take the policy over with `exosync adopt {target}`",
        seen=shown(policy.description),
        limit="the mark",
    )


def foreign_owner(policy: Policy, target: str) -> Refusal:
    """Another installation or target looks after this sender."""
    mark = Mark.read(policy.description)
    whose = f"owner {mark.owner}, target {mark.target}" if mark else "somebody else"
    return Refusal(
        "foreign_owner",
        f"the policy {quoted(policy)} is for the same sender and is marked as that of {whose}: "
        f"leave the sender to that one, or take its policies over with `exosync adopt {target}`",
        seen=whose,
        limit="the mark of this target",
    )


def strange(resource: str, policy: Policy) -> Refusal:
    """A field that may be a condition is not understood."""
    fields = ", ".join(f"{name} = {short(value, 60)}" for name, value in policy.unknown.items())
    return Refusal(
        "strange_policy",
        f"{resource} has fields that exosync does not know ({one_line(fields)}); they would stay as "
        "they are, but what the policy then does cannot be told: look at it in the console",
        seen=plural(len(policy.unknown), "unknown field"),
        limit="0",
        approvable=True,
        resources=(resource,),
    )


def would_be_empty(resource: str, when_empty: str, why: str) -> Refusal:
    """Nothing would be left for a policy to do: it is put out of force, once that is approved."""
    done = "deleted" if when_empty == "delete" else "disabled"
    return Refusal(
        "policy_would_be_empty",
        f"{why}: {resource} would be {done}",
        seen="nothing left to do for it",
        setting="when_empty",
        approvable=True,
        phase=Phase.REMOVE,
        resources=(resource,),
    )


def everyone() -> Finding:
    """The configuration lets the ranges speak for any domain."""
    return Finding(
        "everyone",
        "senders: everyone lets every Microsoft tenant send as anybody, for the ranges are shared "
        "by all tenants: name the company's own domains instead if you can",
    )


def no_ipv6(ranges: IpRanges) -> Finding:
    """What is desired and cannot be said here."""
    return Finding(
        "ipv6_inexpressible",
        f"{plural(len(ranges), 'IPv6 range')} cannot be expressed at this vendor: its policies take "
        "IPv4 in CIDR form",
        Severity.INFO,
    )


def split(entries: int, policies: int, split_to: int) -> Finding:
    """What splitting costs."""
    return Finding(
        "split",
        f"split_to: {split_to} writes the ranges of each sender as {plural(entries, 'entry')} in "
        f"{plural(policies, 'policy')}",
        Severity.INFO,
    )


def edited(resource: str, fields: Iterable[str]) -> Finding:
    """Somebody changed a policy of ours; the fields are set right again."""
    return Finding(
        "policy_edited",
        f"{resource} is not as exosync wrote it and will be set right: {', '.join(fields)}",
    )


def unconditional(resource: str, policy: Policy) -> Finding:
    """A policy of ours holds for every source: the very thing that must never be."""
    return Finding(
        "unconditional",
        f"{resource} ({quoted(policy)}) has no source condition any more, so ANYBODY may send as "
        "its sender until it is set right",
    )


def spoofing_open(policies: Sequence[Policy]) -> Finding:
    """Somebody else's policies let anybody send as the company."""
    names = ", ".join(quoted(one) for one in policies[:_MOST_NAMED])
    more = f" and {len(policies) - _MOST_NAMED:,} more" if len(policies) > _MOST_NAMED else ""
    return Finding(
        "spoofing_open",
        f"{names}{more}: “take no action” from a domain of yours without any condition on the "
        "source lets anybody send as it; exosync does not touch it",
    )


def setting_left(told: Sequence[str]) -> Finding:
    """A setting was taken out of the configuration; what it wrote is still in force."""
    shown_ones = ", ".join(told[:_MOST_NAMED])
    more = f" and {len(told) - _MOST_NAMED:,} more" if len(told) > _MOST_NAMED else ""
    return Finding(
        "setting_left",
        f"{shown_ones}{more}: written for a setting that is no longer configured, so it is still "
        "there and nobody keeps it right; configure the setting again, or take it away by hand",
    )


def few(ranges: IpRanges) -> str:
    """The first of the ranges, and how many more there are."""
    cidrs = ranges.cidrs()
    if not cidrs:
        return "nothing"
    more = f" and {len(cidrs) - _FEW:,} more" if len(cidrs) > _FEW else ""
    return ", ".join(cidrs[:_FEW]) + more


def shown(text: str) -> str:
    """A text of somebody else's, short and in one line."""
    return one_line(short(text, 80))


def quoted(policy: Policy) -> str:
    """A policy by its description, or by its id where it has none."""
    return f"“{shown(policy.description)}”" if policy.description.strip() else f"id {policy.id}"
