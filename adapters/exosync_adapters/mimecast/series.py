"""The steps of one sender's numbered policies: repair and add, then remove. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from exosync.core.ranges import IpRanges
from exosync.core.target import Finding, Phase, Refusal, Step
from exosync_adapters.mimecast import rules
from exosync_adapters.mimecast.layout import Held, Slot, lay_out
from exosync_adapters.mimecast.ledger import Owner
from exosync_adapters.mimecast.marks import Mark, described
from exosync_adapters.mimecast.policy import (
    ETERNAL,
    INTERNAL,
    SPOOFING,
    Party,
    Policy,
    differences,
    with_entries,
)
from exosync_adapters.mimecast.steps import Write, step

_WORDS = {
    "everyone": "Exchange Online may send as anybody",
    "profile_group": "Exchange Online may send as this group",
}


@dataclass(frozen=True, slots=True)
class Series:
    """What one sender's policies should be, and the ones there are by their number.

    `deletes`: a policy without anything to do is deleted, not disabled.
    """

    owner: Owner
    sender: str
    party: Party
    wanted: IpRanges
    policies: Mapping[int, Policy]
    limit: int
    split_to: int | None
    deletes: bool

    def mark(self, number: int) -> Mark:
        """The mark of one of the policies."""
        return self.owner.mark(self.sender, number)

    def resource(self, number: int) -> str:
        """The resource of one of the policies."""
        return self.owner.resource(self.mark(number))

    def shape(self, number: int) -> Policy:
        """What a policy should be but for its ranges; what people wrote behind the mark stays."""
        mark, found = self.mark(number), self.policies.get(number)
        words = _WORDS.get(self.party.type, "Exchange Online may send as this domain")
        description = described(mark, found.description if found else None, words)
        return Policy(
            id=found.id if found else "",
            description=description,
            option="no_action",
            sender=self.party,
            recipient=INTERNAL,
            unknown=found.unknown if found else {},
        )


@dataclass(frozen=True, slots=True)
class Work:
    """What is to be done for one sender; the steps stand in the order of the policies."""

    steps: tuple[Step, ...]
    refusals: tuple[Refusal, ...]
    findings: tuple[Finding, ...]


def in_force(policy: Policy, party: Party | None = None) -> bool:
    """Whether the ranges of a policy of ours are really let through (from `party`, if given)."""
    eternal = (policy.since, policy.until) == (ETERNAL, ETERNAL)
    whose = party is None or policy.sender == party
    does = (policy.option, policy.recipient) == ("no_action", INTERNAL)
    return policy.enabled and does and whose and eternal and bool(policy.sources)


def work(series: Series, *, adopted: frozenset[int] = frozenset()) -> Work:
    """The steps from what is there to what is wanted."""
    party = series.party if series.wanted else None
    held = {
        number: Held(one.sources.ranges.family(4), in_force(one, party))
        for number, one in series.policies.items()
    }
    slots = lay_out(held, series.wanted, limit=series.limit, split_to=series.split_to)
    steps: list[Step] = []
    refusals: list[Refusal] = []
    findings: list[Finding] = []
    for number, slot in slots.items():
        found = series.policies.get(number)
        state = found
        if slot.final or number in adopted:
            after = _after_additions(series, number, slot)
            if found is None or number in adopted or differences(after, found):
                takes = number in adopted
                steps.append(_step(series, number, found, after, Phase.ADD, adopting=takes))
                state = after
        if slot.final and found is not None and number not in adopted:
            findings += _edited(series, number, found)
        assert state is not None, "a number without a policy has ranges to put into it"
        if not slot.final and state.enabled:
            left = None if series.deletes else replace(state, enabled=False)
            steps.append(_step(series, number, state, left, Phase.REMOVE))
            if held[number].in_force:
                refusals.append(_emptied(series, number))
        elif slot.final and slot.final != slot.added:
            final = with_entries(series.shape(number), slot.final, series.split_to)
            steps.append(_step(series, number, state, final, Phase.REMOVE))
    return Work(tuple(steps), tuple(refusals), tuple(findings))


def _after_additions(series: Series, number: int, slot: Slot) -> Policy:
    """The policy once additions are made.

    Where only removals are left to do, its list stays as it is written: cut into pieces, it
    could be longer than the limit.
    """
    found, shape = series.policies.get(number), series.shape(number)
    if found is not None and found.sources.ranges == slot.added and slot.final != slot.added:
        return replace(shape, sources=found.sources)
    return with_entries(shape, slot.added, series.split_to)


def _step(
    series: Series,
    number: int,
    before: Policy | None,
    after: Policy | None,
    phase: Phase,
    *,
    adopting: bool = False,
) -> Step:
    write = Write(SPOOFING, series.mark(number), before, after, adopting, series.wanted)
    return step(series.owner, write, phase)


def _emptied(series: Series, number: int) -> Refusal:
    """A policy in force is put out of force: once that is approved."""
    why = (
        "all of its ranges would go, and without any it would hold for every source"
        if series.wanted
        else f"{series.sender} is no longer configured"
    )
    when_empty = "delete" if series.deletes else "disable"
    return rules.would_be_empty(series.resource(number), when_empty, why)


def _edited(series: Series, number: int, found: Policy) -> Iterator[Finding]:
    """What somebody changed in a policy, ranges left out: those are told as changes."""
    shape = replace(series.shape(number), sources=found.sources)
    fields = list(differences(shape, found))
    if found.sources.alien:
        fields.append(f"sourceIPs with {rules.shown(', '.join(found.sources.alien))}")
    if fields == ["enabled"] and not found.enabled:
        fields = ["enabled (it is disabled, and needed again)"]
    if fields:
        yield rules.edited(series.resource(number), fields)
