"""The setting `spf_bypass` at its account, and the SPF records that are to decide."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from exosync.core.desired import Desired
from exosync.core.ranges import IpRanges
from exosync.core.target import (
    Check,
    Draft,
    Finding,
    Knowledge,
    Observed,
    Phase,
    Refusal,
    Step,
    Verification,
)
from exosync.core.tasks import Known
from exosync.core.words import plural
from exosync_adapters.dns.values import Server
from exosync_adapters.fields import host_and_port
from exosync_adapters.mimecast import bypass, permission
from exosync_adapters.mimecast.account import Account
from exosync_adapters.mimecast.bypass import BypassAim
from exosync_adapters.mimecast.ledger import PREFIXES, Ledger
from exosync_adapters.mimecast.policy import BYPASS
from exosync_adapters.mimecast.remembered import remembered_ids
from exosync_adapters.mimecast.writing import Writer

if TYPE_CHECKING:
    from exosync_adapters.dns.live import LiveDns

MOST_TERMS = 9
"""With ten terms or more Mimecast does not apply the bypass (Mimecast support 34000752076563).

Whether that counts `all` and modifiers is not said; here every term after the version counts.
"""

_MOST_SHOWN = 4


@dataclass(frozen=True, slots=True)
class Trial:
    """What is wrong with the SPF record at a name: a rule's name and the words; "" is unknown."""

    name: str
    rule: str
    words: str
    seen: str = ""


class BypassPart:
    """The policies that let SPF decide."""

    prefix = PREFIXES[BYPASS]

    def __init__(self, aim: BypassAim, account: Account, writer: Writer) -> None:
        self._aim, self._account, self._writer = aim, account, writer
        self._deleted: set[str] = set()
        self._live: LiveDns | None = None
        self._tried: dict[IpRanges, tuple[Trial, ...]] = {}

    def observe(self, known: Known) -> Observed:
        """Read every policy of the family."""
        self._live, self._tried = None, {}
        ids = remembered_ids(known, self.prefix, but=self._deleted)
        return bypass.observe(self._aim, self._account.policies(BYPASS), ids)

    def plan(self, desired: Desired, observed: Observed, *, adopting: bool) -> Draft:
        """One policy for each domain. Pure."""
        return bypass.plan(self._aim, observed, adopting=adopting)

    def rehearse(self, desired: Desired, draft: Draft) -> Draft:
        """See whether the SPF records would do what the policies are for.

        Where policies are to be put in force, what is wrong is refused until it is approved:
        it would harm nobody, and would not let all of Exchange Online in.
        """
        puts = [
            one
            for one in draft.steps
            if one.resource.startswith(self.prefix) and one.phase is Phase.ADD
        ]
        if any(one.covers(step) for one in draft.refusals for step in puts):
            return draft
        resources = tuple(one.resource for one in puts)
        trials = list(self._trials(desired))
        refused = [one for one in trials if one.rule and puts]
        told = [one for one in trials if one not in refused]
        return replace(
            draft,
            refusals=(*draft.refusals, *(_refusal(one, resources) for one in refused)),
            findings=(*draft.findings, *(_finding(one) for one in told)),
        )

    def apply(self, step: Step) -> None:
        """Write one policy. Raises what `Writer.apply` raises."""
        self._writer.apply(step.detail)
        if step.detail.after is None:
            self._deleted.add(step.resource)

    def verify(self, desired: Desired, observed: Observed) -> Verification:
        """The policies as read back, and an address of every range at each SPF record."""
        draft = self.plan(desired, observed, adopting=False)
        checks = [Check("spf_bypass", False, one.message) for one in draft.refusals]
        checks += [
            Check("spf_bypass", None if one.phase is Phase.REMOVE else False, one.summary)
            for one in draft.steps
        ]
        trials = {one.name: one for one in self._trials(desired)}
        for name in self._aim.all_names:
            found = trials.get(name)
            told = found.words if found else f"passes for {plural(len(desired.ranges), 'range')}"
            ok = True if found is None else False if found.rule else None
            checks.append(Check(f"spf_bypass, SPF of {name}", ok, told))
        return Verification(tuple(checks))

    def check(self) -> Iterator[Check]:
        """Permission to read and to write, all pages, our own marks, and the SPF records."""
        yield from permission.checks(self._account, BYPASS, self._aim.ledger_owner)
        for name in self._aim.all_names:
            found = self._form(name)
            told = found.words if found else "has a form for which Mimecast applies the bypass"
            ok = True if found is None else False if found.rule else None
            yield Check(f"SPF of {name}", ok=ok, message=told)

    def explain(self, address: IpRanges, observed: Observed) -> Knowledge | None:
        """What the SPF records say of an address, where a policy lets them decide."""
        from exosync_adapters.rfc7208.evaluate import Evaluator

        ledger: Ledger = observed.detail
        enabled = [one for one in ledger.own.values() if one.enabled]
        names = list(dict.fromkeys(name for one in enabled for name in one.spf_domains))
        found = [
            verdict
            for name in names
            for verdict in Evaluator(self._dns(), {}).evaluate(address.samples()[:1], name)
        ]
        says = tuple(f"Mimecast lets SPF of {one.domain} decide: {one.told}" for one in found)
        unsure = any(one.result == "temperror" for one in found)
        passes = any(one.result == "pass" for one in found)
        return Knowledge(knows=True if passes else None if unsure else False, says=says)

    def _trials(self, desired: Desired) -> tuple[Trial, ...]:
        """What is wrong at each name, if anything: its form first. Tried once an observation."""
        if desired.ranges not in self._tried:
            every = [
                self._form(name) or self._passes(name, desired) for name in self._aim.all_names
            ]
            self._tried[desired.ranges] = tuple(one for one in every if one is not None)
        return self._tried[desired.ranges]

    def _form(self, name: str) -> Trial | None:
        from exosync_adapters.rfc7208.record import SpfSyntaxError, find_spf, parse

        answer = self._dns().query(name, "TXT")
        if answer.rcode not in ("NOERROR", "NXDOMAIN"):
            return Trial(name, "", f"the SPF record of {name} cannot be read: {answer.problem}")
        places = find_spf(answer.records)
        if len(places) != 1:
            told = f"{name} has {plural(len(places), 'SPF record')} where there must be one"
            return Trial(name, "spf_bypass_terms", told, f"{len(places)} records")
        try:
            terms = len(parse(answer.records[places[0]]).terms)
        except SpfSyntaxError as error:
            told = f"the SPF record of {name} has a syntax error: {error}"
            return Trial(name, "spf_bypass_terms", told, "a syntax error")
        if terms > MOST_TERMS:
            told = (
                f"the SPF record of {name} has {terms} terms: with ten or more Mimecast does not "
                "apply the bypass; name in spf_domains a name with a shorter record"
            )
            return Trial(name, "spf_bypass_terms", told, f"{terms} terms")
        return None

    def _passes(self, name: str, desired: Desired) -> Trial | None:
        from exosync_adapters.rfc7208.evaluate import Evaluator

        verdicts = Evaluator(self._dns(), {}).evaluate(desired.ranges.samples(), name)
        wrong = [one for one in verdicts if one.result != "pass"]
        if not wrong:
            return None
        told = ", ".join(f"{one.address}: {one.told}" for one in wrong[:_MOST_SHOWN])
        more = f" and {len(wrong) - _MOST_SHOWN} more" if len(wrong) > _MOST_SHOWN else ""
        if all(one.result == "temperror" for one in wrong):
            return Trial(name, "", f"DNS does not tell what SPF of {name} says: {told}{more}")
        words = f"the SPF record of {name} does not pass for every range: {told}{more}"
        return Trial(name, "spf_bypass_passes", words, f"{len(wrong)} of {len(verdicts)} ranges")

    def _dns(self) -> LiveDns:
        from exosync_adapters.dns.live import LiveDns

        if self._live is None:
            dns = self._aim.settings.dns
            self._live = LiveDns(
                resolvers=tuple(Server(*host_and_port(one)) for one in dns.resolvers),
                lifetime=dns.timeout.total_seconds(),
            )
        return self._live


def _finding(trial: Trial) -> Finding:
    if trial.rule:
        return Finding(trial.rule, trial.words)
    return Finding("spf_bypass_unknown", trial.words)


def _refusal(trial: Trial, resources: tuple[str, ...]) -> Refusal:
    limit = {"spf_bypass_terms": f"one record of at most {MOST_TERMS} terms"}
    return Refusal(
        trial.rule,
        trial.words,
        seen=trial.seen,
        limit=limit.get(trial.rule, "0 ranges"),
        setting="spf_domains",
        approvable=True,
        resources=resources,
    )
