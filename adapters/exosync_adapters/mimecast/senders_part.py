"""The setting `permitted_senders`: a policy that only a person can read and write.

No published API reads or writes Permitted Senders policies (the catalogue as read in August
2026 by Scriptception/terraform-provider-mimecast). What a person acknowledged stands for what
is there, and is never called verified.

`snapshot` is a JSON file that a person exported. No format of such an export is confirmed, and
the configuration snapshots of the portal can restore managed senders, managed URLs and profile
groups alone, so that they probably do not show these policies. The file is searched for anything
under a name with "permit" that holds `sourceIPs`; what is found only supports what was
acknowledged.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from exosync.core.desired import Desired
from exosync.core.ranges import IpRanges
from exosync.core.target import (
    ABSENT,
    Action,
    Actor,
    Check,
    Draft,
    Knowledge,
    Observed,
    Phase,
    Step,
    Verification,
    digest,
)
from exosync.core.tasks import Asserted, Confirmation, Known, Task
from exosync.core.words import plural
from exosync_adapters.mimecast import rules
from exosync_adapters.mimecast.policy import Sources

SETTING = "permitted_senders"
PLACE = "Mimecast Administration Console: Gateway | Policies | Permitted Senders"
ADMINISTRATOR = "an administrator of Mimecast who may edit gateway policies"

PROPAGATION = timedelta(minutes=5)
"""How long a change of a policy takes (Mimecast support 34000376923795)."""

# Mimecast support 42979302935955; for "From" it recommends Everyone, exosync the own domains.
_FIELDS = (
    ("To", "Everyone"),
    ("Addresses based on", "Both"),
    ("Validity, source IP ranges", "the ranges below, a single address with /32"),
)
_REASONS = (
    "Mail from these ranges then skips spam scanning, greylisting and IP reputation",
    (
        "It does not skip anti-spoofing (for that there is the setting anti_spoofing), nor malware "
        "or content checks"
    ),
    (
        "The ranges are shared by every Microsoft tenant: whoever sends through Exchange Online "
        "skips the same checks, unless the policy is from your own domains alone"
    ),
    "Blocked Senders always win over Permitted Senders",
    "Mimecast has no API for these policies, so exosync can neither write nor read them",
)


class SendersPart:
    """The Permitted Senders policy with Exchange Online's ranges."""

    prefix = "permitted-senders"

    def __init__(self, domains: Sequence[str], snapshot: Path | None) -> None:
        own = f"your own domains alone ({', '.join(domains)})" if domains else "your own domains"
        self._senders = (
            f"{own}; with Everyone, which Mimecast's article recommends, every Microsoft tenant's "
            "mail skips the same checks"
        )
        self._snapshot = snapshot

    def observe(self, known: Known) -> Observed:
        """What a person acknowledged."""
        claim = known.acknowledged.get(SETTING)
        held = claim.ranges.family(4) if claim else IpRanges()
        unread = frozenset({self.prefix})
        return Observed(held, {self.prefix: _token(held)}, unread=unread, detail=claim)

    def plan(self, desired: Desired, observed: Observed, *, adopting: bool) -> Draft:
        """One step for a person, where the ranges differ or should be looked at again. Pure."""
        claim: Asserted | None = observed.detail
        base, goal = observed.owned, desired.ranges.family(4)
        if not goal:
            return Draft(base, base, refusals=(rules.EMPTY,))
        if base == goal and claim is not None and not claim.due_again:
            return Draft(base, goal)
        return Draft(base, goal, steps=(self._step(base, goal),))

    def rehearse(self, desired: Desired, draft: Draft) -> Draft:
        """Nothing can be tried."""
        return draft

    def apply(self, step: Step) -> None:
        """Never called: its steps are for a person."""
        raise NotImplementedError(step.summary)

    def verify(self, desired: Desired, observed: Observed) -> Verification:
        """What was acknowledged, as such."""
        claim: Asserted | None = observed.detail
        if claim is None or observed.owned != desired.ranges.family(4):
            told = "waits for a person to set it and to acknowledge it"
            return Verification((Check(SETTING, None, told),))
        return Verification(tuple(self._supported(claim)), (claim,))

    def check(self) -> Iterator[Check]:
        """It can be neither read nor written."""
        told = (
            "no API reads or writes Permitted Senders policies: a person does, and acknowledges it"
        )
        yield Check(SETTING, ok=None, message=told)

    def explain(self, address: IpRanges, observed: Observed) -> Knowledge | None:
        """What was acknowledged of an address."""
        claim: Asserted | None = observed.detail
        if claim is not None and address <= claim.ranges:
            return Knowledge(knows=True, says=(f"Mimecast {claim.words}",))
        return Knowledge(knows=None, says=("Mimecast's permitted senders cannot be read",))

    def _step(self, base: IpRanges, goal: IpRanges) -> Step:
        added, removed = goal - base, base - goal
        told = [f"add {rules.few(added)}"] if added else []
        told += [f"remove {rules.few(removed)}"] if removed else []
        what = "; ".join(told) or "see whether it still holds these ranges"
        return Step(
            resource=self.prefix,
            phase=Phase.ADD if added else Phase.REMOVE,
            action=Action.UPDATE if base else Action.CREATE,
            summary=f"Permitted Senders policy: {what}",
            before=_lines(base),
            after=_lines(goal),
            expects=_token(base),
            gives=_token(goal),
            by=Actor.PERSON,
            task=self._task(goal, added, removed),
        )

    def _task(self, goal: IpRanges, added: IpRanges, removed: IpRanges) -> Task:
        if added or removed:
            title = "Set the source IP ranges of the Permitted Senders policy for Exchange Online"
        else:
            title = "See whether the Permitted Senders policy for Exchange Online is still right"
        return Task(
            setting=SETTING,
            title=title,
            place=PLACE,
            box=_lines(goal).rstrip(),
            who=ADMINISTRATOR,
            confirmation=Confirmation.ACKNOWLEDGED,
            ranges=goal,
            added=added,
            removed=removed,
            fields=(("From", self._senders), *_FIELDS),
            instructions=(
                "Open the policy for Exchange Online, or make one if there is none",
                "Put the whole list below in place of the ranges that stand there",
                "Save, and open it once more to see that every range was kept",
            ),
            reasons=_REASONS,
            delay=PROPAGATION,
        )

    def _supported(self, claim: Asserted) -> Iterator[Check]:
        """What an export says, if one is configured and newer than the change."""
        if self._snapshot is None:
            return
        try:
            made = datetime.fromtimestamp(self._snapshot.stat().st_mtime, UTC)
            value = json.loads(self._snapshot.read_text("utf-8"))
        except (OSError, ValueError) as error:
            yield Check("snapshot", None, f"{self._snapshot} cannot be read: {error}")
            return
        if made < claim.at:
            yield Check("snapshot", None, f"{self._snapshot} is older than the last change")
            return
        found = IpRanges().union(*_permitted(value, inside=False))
        lacks = claim.ranges.family(4) - found
        if lacks:
            told = f"{self._snapshot} shows no permitted sender for {rules.few(lacks)}"
            yield Check("snapshot", None, f"{told}; its format is not confirmed")
        else:
            told = f"{self._snapshot} shows {plural(len(claim.ranges), 'range')} permitted"
            yield Check("snapshot", True, f"{told}, which supports what was acknowledged")


def _permitted(value: Any, *, inside: bool) -> Iterator[IpRanges]:
    """The ranges in every `sourceIPs` that lies under a name or in an object of "permitted"."""
    if isinstance(value, list):
        for one in value:
            yield from _permitted(one, inside=inside)
    elif isinstance(value, Mapping):
        texts = (one for one in value.values() if isinstance(one, str))
        inside = inside or any("permit" in one.lower() for one in texts)
        sources = value.get("sourceIPs")
        if inside and isinstance(sources, list):
            yield Sources.read(sources).ranges
        for name, one in value.items():
            yield from _permitted(one, inside=inside or "permit" in str(name).lower())


def _token(ranges: IpRanges) -> str:
    return digest(list(ranges.cidrs())) if ranges else ABSENT


def _lines(ranges: IpRanges) -> str:
    return "".join(f"{cidr}\n" for cidr in ranges.cidrs())
