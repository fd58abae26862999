"""The setting `anti_spoofing`: policies that let Exchange Online's ranges send as the company.

Option `no_action` from a sender to internal addresses, with the ranges as `sourceIPs`: the one
object of API 2.0 that can allow by address (captivatortechnologies/veltrix-apps,
config-types/anti-spoofing; what it means: Mimecast support 34000743640851). It stops what
anti-spoofing would do with such mail, not spam scoring.

`observe` and `plan` stand here; `series` makes the steps of one sender.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from exosync.core.desired import Desired
from exosync.core.ranges import IpRanges
from exosync.core.target import Draft, Finding, Foreign, Observed
from exosync.core.words import plural
from exosync_adapters.mimecast import rules
from exosync_adapters.mimecast.layout import count_policies
from exosync_adapters.mimecast.ledger import Ledger, Owner, sort_out
from exosync_adapters.mimecast.marks import Mark
from exosync_adapters.mimecast.policy import EVERYONE, SPOOFING, Party, Policy
from exosync_adapters.mimecast.remembered import IDS
from exosync_adapters.mimecast.series import Series, Work, in_force, work
from exosync_adapters.mimecast.settings import EVERYONE as ALL
from exosync_adapters.mimecast.settings import GROUP, MimecastSettings, Setting
from exosync_adapters.mimecast.steps import additions_first, strange

_MOST_FOREIGN = 50


@dataclass(frozen=True, slots=True)
class Aim:
    """What is wanted of the policies, but for the ranges."""

    settings: MimecastSettings
    owner: str
    target: str

    @property
    def ledger_owner(self) -> Owner:
        """Whose marks are ours."""
        senders = self.settings.senders_of(Setting.ANTI_SPOOFING)
        return Owner(SPOOFING, self.owner, self.target, senders)

    @property
    def parties(self) -> dict[str, Party]:
        """Whom the policies of each sender are from."""
        return {one: self.party(one) for one in self.settings.senders_of(Setting.ANTI_SPOOFING)}

    def party(self, sender: str) -> Party:
        """Whom a policy is from, by the word in its mark.

        Should the account show a group under another id later, the policies would be written
        anew with the configured one: whether group ids are stable is unknown.
        """
        if sender == ALL:
            return EVERYONE
        if sender == GROUP:
            return Party("profile_group", self.settings.sender_group or "")
        return Party("email_domain", sender)

    def series(self, sender: str, wanted: IpRanges, policies: Mapping[int, Policy]) -> Series:
        """What one sender's policies should be."""
        return Series(
            owner=self.ledger_owner,
            sender=sender,
            party=self.party(sender),
            wanted=wanted,
            policies=policies,
            limit=self.settings.ranges_per_policy,
            split_to=self.settings.split_to,
            deletes=self.settings.when_empty == "delete",
        )


def observe(aim: Aim, policies: Sequence[Policy], remembered: Mapping[str, str]) -> Observed:
    """What the account's policies say; `remembered` are ids by resource."""
    ledger = sort_out(policies, aim.ledger_owner, remembered)
    owned = IpRanges().union(
        *(
            one.sources.ranges.family(4)
            for mark, one in ledger.own.items()
            if in_force(one, aim.parties.get(mark.sender))
        )
    )
    relevant = [one for one in ledger.others if _matters(one, aim, owned)]
    return Observed(
        owned=owned,
        resources=ledger.resources,
        foreign=tuple(_foreign(one) for one in relevant[:_MOST_FOREIGN]),
        findings=(*ledger.findings(), *_findings(aim, ledger, relevant)),
        remember={IDS: ledger.ids},
        detail=ledger,
    )


def plan(aim: Aim, desired: Desired, observed: Observed, *, adopting: bool) -> Draft:
    """Additions in all senders' policies, then removals. Pure.

    What would put a policy out of force is refused until it is approved, and nothing else.
    """
    ledger: Ledger = observed.detail
    taken = adopted(aim, ledger) if adopting else {}
    base = observed.owned.union(*(one.sources.ranges.family(4) for one in taken.values()))
    refusals = tuple(ledger.without(set(taken.values())).refusals())
    wanted = desired.ranges.family(4)
    if refusals or not wanted:
        return Draft(base, base, refusals=refusals or (rules.EMPTY,))
    found = work_of(aim, ledger, taken, wanted)
    steps = additions_first(step for each in found for step in each.steps)
    return Draft(
        base=base,
        goal=wanted,
        steps=steps,
        refusals=(*strange(steps), *(one for each in found for one in each.refusals)),
        findings=(
            *(one for each in found for one in each.findings),
            *_costs(aim, wanted),
        ),
    )


def work_of(aim: Aim, ledger: Ledger, taken: Mapping[Mark, Policy], wanted: IpRanges) -> list[Work]:
    """What is to be done for each sender; one that is not configured any more gets nothing."""
    found = []
    for sender in ledger.senders:
        ranges = wanted if sender in ledger.owner.senders else IpRanges()
        new = {mark.number: one for mark, one in taken.items() if mark.sender == sender}
        series = aim.series(sender, ranges, ledger.series(sender) | new)
        found.append(work(series, adopted=frozenset(new)))
    return found


def adopted(aim: Aim, ledger: Ledger) -> dict[Mark, Policy]:
    """The policies that adopting takes over, each with the mark that it gets.

    Such are those without our mark that do just what ours do, for exactly one of our senders.
    """
    taken: dict[Mark, Policy] = {}
    candidates = [one for one in ledger.others if _is_candidate(one)]
    for sender, party in aim.parties.items():
        used = set(ledger.series(sender))
        for one in candidates:
            if one.sender == party:
                number = next(n for n in range(1, len(candidates) + len(used) + 2) if n not in used)
                used.add(number)
                taken[aim.ledger_owner.mark(sender, number)] = one
    return taken


def _is_candidate(policy: Policy) -> bool:
    plain = not policy.hostnames and not policy.unknown and not policy.sources.alien
    return plain and in_force(policy) and bool(policy.sources.ranges.family(4))


def _costs(aim: Aim, wanted: IpRanges) -> Iterator[Finding]:
    if aim.settings.senders == ALL:
        yield rules.everyone()
    split_to = aim.settings.split_to
    if split_to is not None:
        entries, policies = count_policies(
            wanted, limit=aim.settings.ranges_per_policy, split_to=split_to
        )
        yield rules.split(entries, policies, split_to)


def _matters(policy: Policy, aim: Aim, owned: IpRanges) -> bool:
    """Whether a policy of somebody else's has to do with what ours do."""
    if policy.option != "no_action" or not policy.enabled:
        return False
    same = policy.sender in (EVERYONE, *aim.parties.values())
    return same or not policy.sources.ranges.isdisjoint(owned)


def _foreign(policy: Policy) -> Foreign:
    source = plural(len(policy.sources.entries), "range") if policy.sources else "no ranges"
    text = (
        f"{rules.quoted(policy)}: {policy.option} from {policy.sender.told} to "
        f"{policy.recipient.told}, {source}"
    )
    return Foreign(f"anti-spoofing policy {policy.id}", text, policy.sources.ranges)


def _findings(aim: Aim, ledger: Ledger, relevant: Sequence[Policy]) -> Iterator[Finding]:
    for mark, one in ledger.own.items():
        if one.enabled and one.option == "no_action" and not one.conditional:
            yield rules.unconditional(ledger.owner.resource(mark), one)
    parties = (EVERYONE, *aim.parties.values())
    wide_open = [one for one in relevant if not one.conditional and one.sender in parties]
    if wide_open:
        yield rules.spoofing_open(wide_open)
