"""The rehearsal: the planned records are laid over live DNS and evaluated before any write."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from exosync.core.desired import Desired
from exosync.core.ranges import IpRanges
from exosync.core.target import Draft, Finding, Refusal
from exosync.errors import TargetUnreachable
from exosync_adapters.dns.zone import LiveDns
from exosync_adapters.rfc7208.evaluate import Evaluator, Overlay, Verdict
from exosync_adapters.rfc7208.tree import authorised
from exosync_adapters.spf.aim import Aim
from exosync_adapters.spf.seen import Seen, resource_of
from exosync_adapters.spf.steps import Change

MAX_LOOKUPS = 10
"""Terms that ask DNS in one evaluation, nested ones among them (RFC 7208, section 4.6.4)."""

WARN_LOOKUPS = 8
"""From here on a finding tells how many lookups are left."""

MAX_VOIDS = 2
"""Lookups without an answer in one evaluation (RFC 7208, section 4.6.4)."""

RIGHT_OUTSIDE = ("fail", "softfail")
"""What an address that nobody authorises should get."""


@dataclass(frozen=True, slots=True)
class Trial:
    """What was tried at one name: addresses that must pass, and addresses of nobody."""

    name: str
    inside: tuple[Verdict, ...]
    outside: tuple[Verdict, ...]

    @property
    def lookups(self) -> int:
        """The most lookups that an evaluation took."""
        return max((one.lookups for one in self.inside + self.outside), default=0)

    @property
    def voids(self) -> int:
        """The most lookups without an answer in one evaluation."""
        return max((one.voids for one in self.inside + self.outside), default=0)

    @property
    def refused(self) -> tuple[Verdict, ...]:
        """The verdicts that should be `pass` and are not."""
        return tuple(one for one in self.inside if one.result != "pass")


def try_at(evaluator: Evaluator, name: str, inside: IpRanges, outside: Sequence[str]) -> Trial:
    """Evaluate one address of every range, and the given ones of none, at a name."""
    return Trial(
        name,
        evaluator.evaluate(inside.samples(), name),
        evaluator.evaluate(outside, name),
    )


def outsiders(aim: Aim, desired: Desired, seen: Seen) -> tuple[str, ...]:
    """An address of each family that no term of the trees names, as far as there is one."""
    known = desired.ranges.union(
        desired.microsoft,
        aim.authorised(desired, seen.microsoft),
        seen.microsoft or IpRanges(),
    )
    wider = known | authorised(seen.tree, aim.domain)
    found = [wider.outside(version) or known.outside(version) for version in (4, 6)]
    return tuple(one for one in found if one is not None)


def planned(draft: Draft, seen: Seen) -> Overlay:
    """The TXT values at our names as they stand after all steps, a person's among them."""
    overlay = {at.name: at.rrset.texts for at in seen.names if not at.rrset.wildcard}
    for step in draft.steps:
        change: Change = step.detail
        overlay[change.new.name] = change.new.texts
    return overlay


def rehearse(aim: Aim, desired: Desired, seen: Seen, draft: Draft, live: LiveDns) -> Draft:
    """The draft with what its evaluation showed.

    A draft that is refused already is not evaluated. Raises TargetUnreachable if DNS gives no
    answer that the evaluation needs.
    """
    if draft.refusals:
        return draft
    wanted = desired.only(aim.families)
    evaluator = Evaluator(live, planned(draft, seen))
    outside = outsiders(aim, wanted, seen)
    trial = try_at(evaluator, aim.domain, aim.authorised(wanted, seen.microsoft), outside)
    edits = any(step.resource == resource_of(aim.domain) for step in draft.steps)
    refusals = [*_budget(trial, leaf_only=bool(draft.steps) and not edits)]
    refusals += [] if refusals else _wrong(trial, edits=edits)
    if seen.leaf is not None:
        own = try_at(evaluator, seen.leaf.name, wanted.ranges, outside)
        refusals += _wrong(own, edits=True)
    return replace(
        draft,
        refusals=(*draft.refusals, *refusals),
        findings=(*draft.findings, *_findings(trial)),
    )


def _budget(trial: Trial, *, leaf_only: bool) -> Iterator[Refusal]:
    """The limits of the whole tree.

    A plan that leaves the domain's record alone does not make it worse, and keeps Exchange
    Online authorised wherever its term is reached: that one a person may approve.
    """
    if trial.lookups > MAX_LOOKUPS:
        yield Refusal(
            "lookup_budget",
            f"evaluating {trial.name} takes {trial.lookups} lookups, more than the "
            f"{MAX_LOOKUPS} of RFC 7208, so receivers may take its mail for failed: take "
            "includes out of its record that are no longer needed",
            seen=f"{trial.lookups} lookups",
            limit=f"{MAX_LOOKUPS} lookups",
            approvable=leaf_only,
        )
    if trial.voids > MAX_VOIDS:
        yield Refusal(
            "void_lookups",
            f"evaluating {trial.name} asks for {trial.voids} names that do not exist, more than "
            f"the {MAX_VOIDS} of RFC 7208, so receivers may take its mail for failed: take the "
            "terms out that lead to nothing",
            seen=f"{trial.voids} void lookups",
            limit=f"{MAX_VOIDS} void lookups",
            approvable=leaf_only,
        )


def _wrong(trial: Trial, *, edits: bool) -> list[Refusal]:
    """What is not as it should be with the planned records, and would be our doing."""
    wrong = [*trial.refused, *(one for one in trial.outside if edits and _broken(one))]
    for one in wrong:
        if one.result == "temperror":
            raise TargetUnreachable(
                f"{trial.name} cannot be evaluated, for DNS gives no answer: {one.problem}"
            )
    if not wrong:
        return []
    return [
        Refusal(
            "rehearsal",
            f"with the planned records, {trial.name} would not be evaluated as it should: "
            f"{_told(wrong)}",
            seen=f"{len(wrong)} of {len(trial.inside) + len(trial.outside)} addresses",
            limit="0 addresses",
        )
    ]


def _broken(verdict: Verdict) -> bool:
    return verdict.result in ("permerror", "temperror", "none")


def _findings(trial: Trial) -> Iterator[Finding]:
    if WARN_LOOKUPS <= trial.lookups <= MAX_LOOKUPS:
        yield Finding(
            "lookup_budget",
            f"evaluating {trial.name} takes {trial.lookups} of at most {MAX_LOOKUPS} lookups",
        )
    let_in = [one for one in trial.outside if one.result == "pass"]
    undecided = [one for one in trial.outside if one.result not in (*RIGHT_OUTSIDE, "pass")]
    if let_in:
        yield Finding(
            "authorises_others",
            f"{trial.name} authorises addresses that are neither Exchange Online's nor named by "
            f"the configuration: {_told(let_in)}",
        )
    if undecided:
        yield Finding(
            "outside_undecided",
            f"{trial.name} does not turn mail from elsewhere away: {_told(undecided)}",
        )


def _told(verdicts: Sequence[Verdict]) -> str:
    return ", ".join(f"{one.address}: {one.told}" for one in verdicts)
