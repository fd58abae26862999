"""Steps on policies: what is to be written, in the form that plans, people and writers need. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from exosync.core.ranges import IpRanges
from exosync.core.target import ABSENT, Action, Phase, Refusal, Step
from exosync_adapters.mimecast import rules
from exosync_adapters.mimecast.ledger import Owner
from exosync_adapters.mimecast.marks import Mark
from exosync_adapters.mimecast.policy import Policy, differences


@dataclass(frozen=True, slots=True)
class Write:
    """One policy before and after; None where there is none. `goal` is all that its sender gets.

    `adopting`: the policy that is there does not carry the mark yet.
    """

    family: str
    mark: Mark
    before: Policy | None
    after: Policy | None
    adopting: bool = False
    goal: IpRanges = IpRanges()


def step(owner: Owner, write: Write, phase: Phase) -> Step:
    """The step that writes; its resource is the mark's."""
    before, after = write.before, write.after
    is_new = before is None or write.adopting
    return Step(
        resource=owner.resource(write.mark),
        phase=phase,
        action=_action(write),
        summary=f"{_verb(write)} {owner.resource(write.mark)}: {_what(before, after)}",
        before=before.texts if before else "",
        after=after.texts if after else "",
        expects=ABSENT if is_new or before is None else before.token,
        gives=after.token if after else ABSENT,
        detail=write,
    )


def additions_first(steps: Iterable[Step]) -> tuple[Step, ...]:
    """Every addition before any removal, else in the order given."""
    return tuple(sorted(steps, key=lambda step: step.phase is Phase.REMOVE))


def strange(steps: Iterable[Step]) -> Iterator[Refusal]:
    """The refusals for policies with fields that are not known, once each."""
    told = {one.resource: one.detail.before for one in reversed(list(steps)) if one.detail.before}
    for resource, policy in sorted(told.items()):
        if policy.unknown:
            yield rules.strange(resource, policy)


def _action(write: Write) -> Action:
    if write.before is None:
        return Action.CREATE
    return Action.UPDATE if write.after else Action.DELETE


def _verb(write: Write) -> str:
    if write.adopting and write.before:
        return f"take over {rules.quoted(write.before)} as"
    return _action(write).value


def _what(before: Policy | None, after: Policy | None) -> str:
    """What happens, in a few words."""
    if after is None:
        return "nothing is left for it to do"
    held = before.sources.ranges if before else IpRanges()
    added, removed = after.sources.ranges - held, held - after.sources.ranges
    told = [f"add {rules.few(added)}"] if added else []
    told += [f"remove {rules.few(removed)}"] if removed else []
    if before is not None:
        others = [one for one in differences(after, before) if one != "sourceIPs"]
        if others == ["enabled"] and not after.enabled:
            return "disable it, for nothing is left for it to do"
        told += [f"set {', '.join(others)}"] if others else []
    elif after.spf_domains:
        told += [f"let the SPF record of {', '.join(after.spf_domains)} decide"]
    if not told and before is not None and before.sources == after.sources:
        return "it gets the mark, and nothing else changes"
    return "; ".join(told) or "the same ranges, written otherwise"
