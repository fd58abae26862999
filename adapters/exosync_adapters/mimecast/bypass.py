"""The setting `spf_bypass`: policies that let a domain's SPF record decide. Pure.

Family `anti-spoofing-bypass`, option `enable_bypass`: Mimecast takes no anti-spoofing action on
mail that passes SPF for the names in `spfDomains` (scraped developer portal; Mimecast support
34000752076563). It lists no addresses: what the record authorises is let through.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from exosync.core.ranges import IpRanges
from exosync.core.target import Draft, Finding, Foreign, Observed, Phase, Refusal, Step
from exosync_adapters.mimecast import rules
from exosync_adapters.mimecast.ledger import Ledger, Owner, sort_out
from exosync_adapters.mimecast.marks import Mark, described
from exosync_adapters.mimecast.policy import BYPASS, INTERNAL, Party, Policy, differences
from exosync_adapters.mimecast.remembered import IDS
from exosync_adapters.mimecast.settings import MimecastSettings, Setting
from exosync_adapters.mimecast.steps import Write, step, strange

WORDS = "SPF decides for Exchange Online"
"""What a new policy says behind its mark."""

_NOTHING = IpRanges()


@dataclass(frozen=True, slots=True)
class BypassAim:
    """What is wanted of the policies: one for each domain."""

    settings: MimecastSettings
    owner: str
    target: str

    @property
    def ledger_owner(self) -> Owner:
        """Whose marks are ours."""
        senders = self.settings.senders_of(Setting.SPF_BYPASS)
        return Owner(BYPASS, self.owner, self.target, senders)

    def names(self, domain: str) -> tuple[str, ...]:
        """The names whose SPF records decide for a domain."""
        return tuple(sorted(set(self.settings.spf_domains))) or (domain,)

    @property
    def all_names(self) -> tuple[str, ...]:
        """Every name whose SPF record is to decide."""
        every = [name for domain in self.ledger_owner.senders for name in self.names(domain)]
        return tuple(dict.fromkeys(every))

    def wanted(self, domain: str, found: Policy | None) -> Policy:
        """What a domain's policy should be."""
        mark = self.ledger_owner.mark(domain, 1)
        description = described(mark, found.description if found else None, WORDS)
        return Policy(
            id=found.id if found else "",
            description=description,
            option="enable_bypass",
            sender=Party("email_domain", domain),
            recipient=INTERNAL,
            spf_domains=self.names(domain),
            unknown=found.unknown if found else {},
        )


def observe(aim: BypassAim, policies: Sequence[Policy], remembered: Mapping[str, str]) -> Observed:
    """What the account's policies say; `remembered` are ids by resource."""
    ledger = sort_out(policies, aim.ledger_owner, remembered)
    relevant = [one for one in ledger.others if _matters(one, aim)]
    return Observed(
        owned=_NOTHING,
        resources=ledger.resources,
        foreign=tuple(_foreign(one) for one in relevant),
        findings=tuple(ledger.findings()),
        remember={IDS: ledger.ids},
        detail=ledger,
    )


def plan(aim: BypassAim, observed: Observed, *, adopting: bool) -> Draft:
    """One policy for each domain; those of other domains go, once that is approved. Pure."""
    ledger: Ledger = observed.detail
    taken = adopted(aim, ledger) if adopting else {}
    refusals = tuple(ledger.without(set(taken.values())).refusals())
    if refusals:
        return Draft(_NOTHING, _NOTHING, refusals=refusals)
    needed = {ledger.owner.mark(domain, 1) for domain in ledger.owner.senders}
    adds = [one for mark in sorted(needed) for one in _put(aim, ledger, taken, mark)]
    ends = list(_ends(aim, ledger, needed))
    steps = (*adds, *(one for one, _ in ends))
    return Draft(
        _NOTHING,
        _NOTHING,
        steps=steps,
        refusals=(*strange(steps), *(refusal for _, refusal in ends)),
        findings=tuple(_edited(aim, ledger, needed)),
    )


def adopted(aim: BypassAim, ledger: Ledger) -> dict[Mark, Policy]:
    """The policies that adopting takes over: without our mark, and for just the same mail."""
    taken: dict[Mark, Policy] = {}
    for domain in ledger.owner.senders:
        mark = ledger.owner.mark(domain, 1)
        shape = aim.wanted(domain, None)
        for one in ledger.others:
            same = (one.option, one.sender, one.recipient) == (
                shape.option,
                shape.sender,
                shape.recipient,
            )
            if same and one.spf_domains and not one.unknown and mark not in {*ledger.own, *taken}:
                taken[mark] = one
    return taken


def _put(
    aim: BypassAim, ledger: Ledger, taken: Mapping[Mark, Policy], mark: Mark
) -> Iterator[Step]:
    """Making a domain's policy, taking it over, or setting it right."""
    found = ledger.own.get(mark) or taken.get(mark)
    after = aim.wanted(mark.sender, found)
    if found is None or mark in taken or differences(after, found):
        write = Write(BYPASS, mark, found, after, adopting=mark in taken)
        yield step(ledger.owner, write, Phase.ADD)


def _ends(aim: BypassAim, ledger: Ledger, needed: set[Mark]) -> Iterator[tuple[Step, Refusal]]:
    """Putting out of force what is of a domain that is not configured any more."""
    when_empty = aim.settings.when_empty
    for mark, found in sorted(ledger.own.items(), key=lambda item: item[0]):
        if mark not in needed and found.enabled:
            after = None if when_empty == "delete" else replace(found, enabled=False)
            why = f"{mark.sender} no longer needs it"
            yield (
                step(ledger.owner, Write(BYPASS, mark, found, after), Phase.REMOVE),
                rules.would_be_empty(ledger.owner.resource(mark), when_empty, why),
            )


def _edited(aim: BypassAim, ledger: Ledger, needed: set[Mark]) -> Iterator[Finding]:
    for mark in sorted(needed & set(ledger.own)):
        found = ledger.own[mark]
        fields = differences(aim.wanted(mark.sender, found), found)
        if fields:
            yield rules.edited(ledger.owner.resource(mark), fields)


def _matters(policy: Policy, aim: BypassAim) -> bool:
    parties = [Party("everyone"), *(Party("email_domain", one) for one in aim.settings.domains)]
    return policy.enabled and policy.option == "enable_bypass" and policy.sender in parties


def _foreign(policy: Policy) -> Foreign:
    text = (
        f"{rules.quoted(policy)}: {policy.option} from {policy.sender.told} to "
        f"{policy.recipient.told}, SPF of {', '.join(policy.spf_domains) or 'no name'}"
    )
    return Foreign(f"anti-spoofing-bypass policy {policy.id}", text)
