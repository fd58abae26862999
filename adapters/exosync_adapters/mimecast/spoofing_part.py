"""The setting `anti_spoofing` at its account: reading, writing, proving, checking."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from exosync.core.desired import Desired
from exosync.core.ranges import IpRanges
from exosync.core.target import Check, Draft, Knowledge, Observed, Phase, Step, Verification
from exosync.core.tasks import Known
from exosync.core.words import plural
from exosync_adapters.mimecast import permission, rules, spoofing
from exosync_adapters.mimecast.account import Account
from exosync_adapters.mimecast.ledger import PREFIXES, Ledger
from exosync_adapters.mimecast.policy import SPOOFING, Policy
from exosync_adapters.mimecast.remembered import remembered_ids
from exosync_adapters.mimecast.series import in_force
from exosync_adapters.mimecast.spoofing import Aim
from exosync_adapters.mimecast.writing import Writer


class SpoofingPart:
    """The policies that let Exchange Online's ranges send as the company."""

    prefix = PREFIXES[SPOOFING]

    def __init__(self, aim: Aim, account: Account, writer: Writer) -> None:
        self._aim, self._account, self._writer = aim, account, writer
        self._deleted: set[str] = set()

    def observe(self, known: Known) -> Observed:
        """Read every policy of the family."""
        ids = remembered_ids(known, self.prefix, but=self._deleted)
        return spoofing.observe(self._aim, self._account.policies(SPOOFING), ids)

    def plan(self, desired: Desired, observed: Observed, *, adopting: bool) -> Draft:
        """Additions, then removals. Pure."""
        return spoofing.plan(self._aim, desired, observed, adopting=adopting)

    def rehearse(self, desired: Desired, draft: Draft) -> Draft:
        """Nothing can be tried without writing."""
        return draft

    def apply(self, step: Step) -> None:
        """Write one policy. Raises what `Writer.apply` raises."""
        self._writer.apply(step.detail)
        if step.detail.after is None:
            self._deleted.add(step.resource)

    def verify(self, desired: Desired, observed: Observed) -> Verification:
        """What was read back, against what each sender should have, field by field."""
        draft = self.plan(desired, observed, adopting=False)
        checks = [Check("anti_spoofing", False, one.message) for one in draft.refusals]
        checks += [_step_left(one) for one in draft.steps]
        return Verification((*checks, *self._per_sender(desired, observed.detail)))

    def check(self) -> Iterator[Check]:
        """Permission to read and to write, all pages, and our own marks."""
        yield from permission.checks(self._account, SPOOFING, self._aim.ledger_owner)

    def explain(self, address: IpRanges, observed: Observed) -> Knowledge:
        """Which policies hold an address, whoever made them."""
        ledger: Ledger = observed.detail
        ours = [one for one in _holding(ledger.own.values(), address) if in_force(one)]
        others = [
            one
            for one in _holding(ledger.others, address)
            if one.enabled and one.option == "no_action"
        ]
        told = [f"Mimecast policy {rules.quoted(one)} holds it" for one in ours]
        told += [f"Mimecast policy {rules.quoted(one)}, not ours, holds it" for one in others]
        return Knowledge(knows=bool(ours or others), says=tuple(told))

    def _per_sender(self, desired: Desired, ledger: Ledger) -> Iterator[Check]:
        wanted = desired.ranges.family(4)
        for sender, party in self._aim.parties.items():
            policies = [one for one in ledger.series(sender).values() if in_force(one, party)]
            held = IpRanges().union(*(one.sources.ranges for one in policies))
            name = f"anti_spoofing, {sender}"
            if held == wanted:
                told = f"{plural(len(wanted), 'range')} in {plural(len(policies), 'policy')}"
                yield Check(name, ok=bool(wanted), message=told)
            else:
                lacks, more = rules.few(wanted - held), rules.few(held - wanted)
                told = f"the policies lack {lacks} and hold {more} besides"
                yield Check(name, ok=None if wanted <= held else False, message=told)


def _holding(policies: Iterable[Policy], address: IpRanges) -> list[Policy]:
    return [one for one in policies if address <= one.sources.ranges]


def _step_left(step: Step) -> Check:
    if step.phase is Phase.REMOVE:
        return Check("anti_spoofing", None, f"not yet done: {step.summary}")
    return Check("anti_spoofing", False, f"not done: {step.summary}")
