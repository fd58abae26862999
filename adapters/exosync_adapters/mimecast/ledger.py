"""Whose each policy of a family is: ours, another owner's, lost, or nobody's. Pure.

The mark in the description and the remembered id are both looked at. Ids may read differently
later (so they do for other objects of the vendor's: Scriptception/terraform-provider-mimecast,
changelog 0.2.7), so a mark under a new id is still ours if nothing has the old one any more.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from itertools import count

from exosync.core.target import ABSENT, Finding, Refusal, Severity
from exosync_adapters.mimecast import rules
from exosync_adapters.mimecast.marks import Mark, is_damaged
from exosync_adapters.mimecast.policy import BYPASS, SPOOFING, Policy

PREFIXES = {SPOOFING: "anti-spoofing:", BYPASS: "spf-bypass:"}
"""How the resources of each family begin."""


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose marks are ours, in which family, and for which senders."""

    family: str
    owner: str
    target: str
    senders: tuple[str, ...]

    def mark(self, sender: str, number: int) -> Mark:
        """One of our marks."""
        return Mark(self.owner, self.target, sender, number)

    def resource(self, mark: Mark) -> str:
        """The resource of a mark's policy: by the mark and never by the id."""
        return f"{PREFIXES[self.family]}{mark.sender}:{mark.number}"


@dataclass(frozen=True, slots=True)
class Ledger:
    """Every policy of a family, sorted by whose it is.

    `lost` are policies under a remembered id that no longer carry that mark, by resource, and
    `damaged` those whose mark was edited so that it is none. `rivals` carry the mark of
    another owner or target for a sender of ours, and are enabled: what another one put out of
    force is in nobody's way.
    """

    owner: Owner
    own: Mapping[Mark, Policy] = field(default_factory=dict)
    twice: Mapping[Mark, tuple[Policy, ...]] = field(default_factory=dict)
    lost: Mapping[str, Policy] = field(default_factory=dict)
    damaged: tuple[Policy, ...] = ()
    rivals: tuple[Policy, ...] = ()
    foreign: tuple[Policy, ...] = ()
    moved: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()

    @property
    def others(self) -> tuple[Policy, ...]:
        """The policies that are not ours."""
        return (*self.foreign, *self.rivals)

    @property
    def senders(self) -> tuple[str, ...]:
        """The senders of the configuration, and those that only policies of ours still name."""
        return tuple(
            dict.fromkeys([*self.owner.senders, *(one.sender for one in sorted(self.own))])
        )

    def series(self, sender: str) -> dict[int, Policy]:
        """A sender's policies of ours by their number."""
        return {mark.number: one for mark, one in sorted(self.own.items()) if mark.sender == sender}

    @property
    def resources(self) -> dict[str, str]:
        """The token of each policy of ours, and ABSENT for the number that is made next."""
        found = {self.owner.resource(mark): one.token for mark, one in self.own.items()}
        for sender in self.owner.senders:
            taken = self.series(sender)
            free = next(number for number in count(1) if number not in taken)
            found[self.owner.resource(self.owner.mark(sender, free))] = ABSENT
        return found

    @property
    def ids(self) -> dict[str, str]:
        """What to remember: the id of each policy of ours, and of each that lost its mark."""
        found = {resource: one.id for resource, one in self.lost.items()}
        return {self.owner.resource(mark): one.id for mark, one in self.own.items()} | found

    def without(self, mended: AbstractSet[Policy]) -> Ledger:
        """The same without the trouble that taking these policies over mends."""
        return replace(
            self,
            lost={name: one for name, one in self.lost.items() if one not in mended},
            damaged=tuple(one for one in self.damaged if one not in mended),
            rivals=tuple(one for one in self.rivals if one not in mended),
        )

    def refusals(self) -> Iterator[Refusal]:
        """What keeps exosync from telling which policy is its own."""
        for mark, policies in self.twice.items():
            yield rules.two_policies(str(mark), policies)
        for resource, policy in self.lost.items():
            yield rules.mark_lost(resource, policy, self.owner.target)
        for policy in self.damaged:
            if policy not in self.lost.values():
                yield rules.mark_damaged(policy, self.owner.target)
        for policy in self.rivals:
            yield rules.foreign_owner(policy, self.owner.target)

    def findings(self) -> Iterator[Finding]:
        """What happened to policies of ours besides."""
        for resource in self.moved:
            yield Finding(
                "id_changed",
                f"{resource} reads with another id than before; its mark is the same",
                Severity.INFO,
            )
        for resource in self.gone:
            yield Finding("policy_gone", f"{resource} is gone: somebody deleted its policy")


def sort_out(policies: Sequence[Policy], owner: Owner, remembered: Mapping[str, str]) -> Ledger:
    """Every policy of a family by whose it is; `remembered` are ids by resource."""
    marked: dict[Mark, list[Policy]] = {}
    rest: list[Policy] = []
    rivals: list[Policy] = []
    for one in policies:
        mark = Mark.read(one.description)
        if mark is not None and mark.belongs_to(owner.owner, owner.target):
            marked.setdefault(mark, []).append(one)
        elif mark is not None and mark.sender in owner.senders and one.enabled:
            rivals.append(one)
        else:
            rest.append(one)
    own = {mark: found[0] for mark, found in marked.items() if len(found) == 1}
    current = {owner.resource(mark): {one.id for one in found} for mark, found in marked.items()}
    ours = set[str]().union(*current.values())
    lost = dict(_lost(policies, remembered, ours))
    damaged = tuple(one for one in rest if is_damaged(one.description, owner.owner, owner.target))
    return Ledger(
        owner=owner,
        own=own,
        twice={mark: tuple(found) for mark, found in marked.items() if len(found) > 1},
        lost=lost,
        damaged=damaged,
        rivals=tuple(one for one in rivals if one not in lost.values()),
        foreign=tuple(rest),
        moved=tuple(
            name
            for name, ids in sorted(current.items())
            if name in remembered and remembered[name] not in ids and name not in lost
        ),
        gone=tuple(
            name
            for name, policy_id in sorted(remembered.items())
            if name not in current and name not in lost and policy_id not in ours
        ),
    )


def in_force(policies: Iterable[Policy], owner: Owner) -> dict[str, str]:
    """The ids of the enabled policies with a mark of ours, for whatever sender, by resource."""
    marked = [(Mark.read(one.description), one) for one in policies if one.enabled]
    return {
        owner.resource(mark): one.id
        for mark, one in marked
        if mark is not None and mark.belongs_to(owner.owner, owner.target)
    }


def _lost(
    policies: Iterable[Policy], remembered: Mapping[str, str], ours: AbstractSet[str]
) -> Iterator[tuple[str, Policy]]:
    """The policies that are still there under a remembered id, without a mark of ours."""
    by_id = {one.id: one for one in policies}
    for resource, policy_id in sorted(remembered.items()):
        if policy_id in by_id and policy_id not in ours:
            yield resource, by_id[policy_id]
