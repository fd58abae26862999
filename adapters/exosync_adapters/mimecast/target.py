"""The `mimecast` target: one account, each of its chosen settings a part.

Additions of all settings come before any removal. Nothing is asked before `observe` or `check`;
the parts share one token and one connection.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from exosync.core.desired import Desired
from exosync.core.ranges import IpRanges
from exosync.core.target import (
    Actor,
    Capabilities,
    Check,
    Context,
    Draft,
    Finding,
    Knowledge,
    Observed,
    Step,
    Verification,
)
from exosync.core.tasks import NOTHING_KNOWN, Known
from exosync.errors import ConfigError, TargetDenied, TargetError, UsageError
from exosync_adapters.mimecast import rules
from exosync_adapters.mimecast.account import Account
from exosync_adapters.mimecast.addresses_part import AddressesPart
from exosync_adapters.mimecast.bypass import BypassAim
from exosync_adapters.mimecast.bypass_part import BypassPart
from exosync_adapters.mimecast.client import Client, Credentials
from exosync_adapters.mimecast.ledger import PREFIXES, Owner, in_force
from exosync_adapters.mimecast.marks import LONGEST, Mark, fits
from exosync_adapters.mimecast.outbound_part import OutboundPart
from exosync_adapters.mimecast.parts import Part
from exosync_adapters.mimecast.remembered import IDS, merged, remembered_ids
from exosync_adapters.mimecast.senders_part import SendersPart
from exosync_adapters.mimecast.settings import REGIONS, MimecastSettings, Setting
from exosync_adapters.mimecast.spoofing import Aim
from exosync_adapters.mimecast.spoofing_part import SpoofingPart
from exosync_adapters.mimecast.steps import additions_first
from exosync_adapters.mimecast.writing import Writer

_SKEW = 60.0
"""Seconds of difference between the clocks from which on a check warns. Ours."""

Parts = Mapping[Setting, Part]


class MimecastTarget:
    """One account. See `exosync.core.target.Target` for what each call is for."""

    kind = "mimecast"
    capabilities = Capabilities(compare_and_swap=False, ipv6=False)

    def __init__(self, name: str, settings: MimecastSettings, context: Context) -> None:
        for setting in (Setting.ANTI_SPOOFING, Setting.SPF_BYPASS):
            for sender in settings.senders_of(setting) if setting in settings.settings else ():
                if not fits(context.owner, name, sender):
                    mark = Mark(context.owner, name, sender, 1)
                    raise ConfigError(
                        f"target {name}: the mark “{mark}” leaves no room in a description of "
                        f"{LONGEST} characters: choose a shorter owner or target name"
                    )
        self.name = name
        self._settings, self._context = settings, context
        self._start()

    def configuration(self) -> Mapping[str, Any]:
        """The settings that a plan depends on; nothing of how the account is reached or proven."""
        left_out = {
            "client_id",
            "client_secret",
            "timeout",
            "deadline",
            "settle",
            "dns",
            "snapshot",
        }
        return self._settings.model_dump(mode="json", exclude=left_out)

    def observe(self, known: Known = NOTHING_KNOWN) -> Observed:
        """Read what each setting holds. Raises TargetDenied, TargetUnreachable or TargetError."""
        found = {setting: part.observe(known) for setting, part in self._parts.items()}
        every = found.values()
        left = self._left(known)
        return Observed(
            owned=IpRanges().union(*(one.owned for one in every)),
            resources={name: token for one in every for name, token in one.resources.items()},
            foreign=tuple(entry for one in every for entry in one.foreign),
            findings=(
                *(finding for one in every for finding in one.findings),
                *([rules.setting_left(sorted(left))] if left else []),
            ),
            unread=frozenset[str]().union(*(one.unread for one in every)),
            remember=merged([{IDS: left} if left else {}, *(one.remember for one in every)]),
            detail=found,
        )

    def plan(self, desired: Desired, observed: Observed, *, adopting: bool = False) -> Draft:
        """The drafts of all settings as one, every addition before any removal. Pure.

        What one setting is refused for holds up no other.
        """
        drafts = []
        for setting, part in self._parts.items():
            seen = observed.detail[setting]
            # What is kept until a removal may be made is kept where it still is, and not
            # brought back to a setting that it has left already.
            own = replace(desired, kept=desired.kept & seen.owned)
            drafts.append(_for_itself(part, part.plan(own, seen, adopting=adopting)))
        steps = [step for one in drafts for step in one.steps]
        refusals = [refusal for one in drafts for refusal in one.refusals]
        return Draft(
            base=IpRanges().union(*(one.base for one in drafts)),
            goal=IpRanges().union(*(one.goal for one in drafts)),
            steps=additions_first(steps),
            refusals=tuple(dict.fromkeys(refusals)),
            findings=(*(f for one in drafts for f in one.findings), *self._ipv6(desired)),
        )

    def rehearse(self, desired: Desired, observed: Observed, draft: Draft) -> Draft:
        """Ask DNS, where the SPF record is to decide; the rest cannot be tried without writing."""
        for part in self._parts.values():
            draft = part.rehearse(desired, draft)
        return draft

    def apply(self, step: Step) -> None:
        """Do one step of exosync's own.

        Raises TargetConflict where the account is no longer as the step expects, TargetDenied,
        TargetUnreachable or TargetError.
        """
        if step.by is Actor.PERSON:
            raise UsageError(f"target {self.name}: this step is for a person: {step.summary}")
        part = next(p for p in self._parts.values() if step.resource.startswith(p.prefix))
        part.apply(step)

    def verify(self, desired: Desired, observed: Observed) -> Verification:
        """Every setting for itself; what nobody can read stays asserted."""
        proofs = [
            part.verify(desired, observed.detail[setting]) for setting, part in self._parts.items()
        ]
        return Verification(
            tuple(check for one in proofs for check in one.checks),
            tuple(claim for one in proofs for claim in one.asserted),
        )

    def check(self) -> Iterator[Check]:
        """Host and region, token, permissions, all pages, the clock, and what Mimecast states."""
        self._start()
        yield self._host()
        try:
            self._client.authorise()
        except (TargetError, ConfigError) as error:
            remedy = "see client_id and client_secret" if isinstance(error, TargetDenied) else ""
            yield Check("token", ok=False, message=str(error), remedy=remedy)
            return
        yield Check("token", ok=True, message="Mimecast gave a token")
        yield self._clock()
        for part in self._parts.values():
            yield from part.check()
        told = "Mimecast states that a change of a policy reaches all mail within five minutes"
        yield Check("propagation", ok=True, message=told)

    def explain(self, address: IpRanges, observed: Observed) -> Knowledge:
        """What each setting that is about addresses says of one."""
        found = [
            knowledge
            for setting, part in self._parts.items()
            if (knowledge := part.explain(address, observed.detail[setting])) is not None
        ]
        says = tuple(sentence for one in found for sentence in one.says)
        if any(one.knows for one in found):
            return Knowledge(knows=True, says=says)
        unsure = not found or any(one.knows is None for one in found)
        return Knowledge(knows=None if unsure else False, says=says)

    def _left(self, known: Known) -> dict[str, str]:
        """The policies of ours that are in force for a setting that is no longer configured."""
        found: dict[str, str] = {}
        for family, prefix in PREFIXES.items():
            remembered = remembered_ids(known, prefix)
            if not remembered or prefix in [part.prefix for part in self._parts.values()]:
                continue
            try:
                policies = self._account.policies(family)
            except TargetError:
                found |= remembered
            else:
                owner = Owner(family, self._context.owner, self.name, ())
                found |= in_force(policies, owner)
        return found

    def _ipv6(self, desired: Desired) -> Iterator[Finding]:
        addresses = {Setting.ANTI_SPOOFING, Setting.PERMITTED_SENDERS}
        left_out = desired.ranges.family(6)
        if left_out and addresses & set(self._settings.settings):
            yield rules.no_ipv6(left_out)

    def _host(self) -> Check:
        region, url = self._settings.region, self._settings.url
        if region in REGIONS.values():
            return Check("host", ok=True, message=f"{url} ({region})")
        told = f"{url} is none of Mimecast's hosts of API 2.0: {', '.join(REGIONS)}"
        return Check("host", ok=None, message=told)

    def _clock(self) -> Check:
        off = self._client.clock_off
        if off is None:
            return Check("clock", ok=None, message="the answer has no Date to compare with")
        told = f"this machine's clock is {abs(off):.0f} s from Mimecast's"
        remedy = "" if abs(off) < _SKEW else "set this machine's clock (NTP)"
        return Check("clock", ok=True if abs(off) < _SKEW else None, message=told, remedy=remedy)

    def _start(self) -> None:
        """A conversation of its own, without a token."""
        settings = self._settings
        self._client = Client(
            settings.url,
            self._credentials,
            timeout=settings.timeout.total_seconds(),
            deadline=settings.deadline.total_seconds(),
            pause=self._context.pause,
            meter=self._context.meter,
        )
        self._account = Account(self._client)
        self._parts = self._made_parts(self._account)

    def _credentials(self) -> Credentials:
        reveal = self._context.reveal
        return Credentials(reveal(self._settings.client_id), reveal(self._settings.client_secret))

    def _made_parts(self, account: Account) -> Parts:
        settings, owner = self._settings, self._context.owner
        writer = Writer(
            self.name,
            account,
            settle=settings.settle.total_seconds(),
            limit=settings.ranges_per_policy,
            pause=self._context.pause,
        )
        made: dict[Setting, Part] = {
            Setting.ANTI_SPOOFING: SpoofingPart(Aim(settings, owner, self.name), account, writer),
            Setting.SPF_BYPASS: BypassPart(BypassAim(settings, owner, self.name), account, writer),
            Setting.PERMITTED_SENDERS: SendersPart(
                settings.domains, settings.snapshot and self._context.base / settings.snapshot
            ),
            Setting.PERMITTED_ADDRESSES: AddressesPart(self.name, settings.pairs, account),
            Setting.AUTHORIZED_OUTBOUNDS: OutboundPart(account),
        }
        # What was once permitted is a person's to take away, after the setting has left too.
        return {one: made[one] for one in (*settings.settings, Setting.PERMITTED_ADDRESSES)}


def _for_itself(part: Part, draft: Draft) -> Draft:
    """A setting's draft whose refusals cover its own steps alone."""
    own = tuple(dict.fromkeys(one.resource for one in draft.steps)) or (part.prefix,)
    refusals = (one if one.resources else replace(one, resources=own) for one in draft.refusals)
    return replace(draft, refusals=tuple(refusals))
