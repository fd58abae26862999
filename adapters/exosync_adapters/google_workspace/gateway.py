"""Setting `inbound_gateway`: no API reads or writes it. Pure, but for `look`.

What a person acknowledged stands for what is there. It is never called verified.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

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
from exosync.core.tasks import Asserted, Known
from exosync_adapters.google_workspace import audit, rules, words
from exosync_adapters.google_workspace.entries import layout, lines
from exosync_adapters.google_workspace.service import Google
from exosync_adapters.google_workspace.settings import INBOUND_GATEWAY, GoogleSettings

RESOURCE = "inbound-gateway"
UNREADABLE = "no API of Google's reads the inbound gateway"


@dataclass(frozen=True, slots=True)
class Seen:
    """What a person said is there, and what the audit log says of it.

    `asked` was asked for and never acknowledged: it may be there.
    """

    said: Asserted | None
    asked: IpRanges
    log: audit.Log | None


def look(google: Google, settings: GoogleSettings, known: Known) -> Observed:
    """What was acknowledged, and the audit log while that is young or a step is open."""
    return observed(known, audit.look(google, settings, known))


def observed(known: Known, log: audit.Log | None) -> Observed:
    """The acknowledged ranges as what is there."""
    said = known.acknowledged.get(INBOUND_GATEWAY)
    owned = said.ranges if said else IpRanges()
    asked = _asked(known, said)
    return Observed(
        owned,
        {RESOURCE: _token(owned) if said else ABSENT},
        findings=tuple(audit.findings(log)),
        unread=frozenset({RESOURCE}),
        remember={"asked": list(asked.cidrs()), "acknowledged": _when(said)},
        detail=Seen(said, asked, log),
    )


def _asked(known: Known, said: Asserted | None) -> IpRanges:
    """All that was asked for since the last acknowledgement, in any form of the step."""
    before, task = known.remembered, known.asked.get(INBOUND_GATEWAY)
    is_since = before.get("acknowledged", "") == _when(said)
    asked = IpRanges.parse(before.get("asked", ()) if is_since else ())
    return asked | task.added if task and task.is_open else asked


def _when(said: Asserted | None) -> str:
    return said.at.isoformat() if said else ""


def plan(settings: GoogleSettings, desired: Desired, observed: Observed) -> Draft:
    """One step for a person: what changes, or that it should be looked at once more."""
    seen: Seen = observed.detail
    wanted, owned = desired.ranges, observed.owned
    is_same = seen.said is not None and owned == wanted
    if is_same and wanted and not (seen.said and seen.said.due_again):
        return Draft(owned, wanted)
    refusals = rules.refusals(wanted, settings, beside=0)
    if refusals:
        return Draft(owned, owned, refusals=refusals)
    step = _step(settings, desired, observed, again=is_same)
    return Draft(owned, wanted, (step,), findings=tuple(rules.unpublished(wanted - owned)))


def _step(settings: GoogleSettings, desired: Desired, observed: Observed, *, again: bool) -> Step:
    wanted, owned = desired.ranges, observed.owned
    added, removed = wanted - owned, owned - wanted
    seen: Seen = observed.detail
    texts = layout(wanted, split_to=settings.split_to)
    task = words.gateway_task(
        desired,
        texts,
        added=added,
        removed=removed,
        doubtful=seen.asked - wanted - removed,
        again=again,
    )
    told = "look once more at" if again else "set"
    change = "" if again else f": {words.change(added, removed)}"
    return Step(
        resource=RESOURCE,
        # Looking once more adds nothing, so no removal elsewhere has to wait for it.
        phase=Phase.ADD if added else Phase.REMOVE,
        action=Action.UPDATE if observed.resources[RESOURCE] != ABSENT else Action.CREATE,
        summary=f"{told} Gmail's inbound gateway{change}",
        before=lines(layout(owned, split_to=settings.split_to)),
        after=lines(texts),
        expects=observed.resources[RESOURCE],
        gives=_token(wanted),
        by=Actor.PERSON,
        task=task,
    )


def _token(ranges: IpRanges) -> str:
    return digest(list(ranges.cidrs()))


def verify(desired: Desired, observed: Observed) -> Verification:
    """What was said, as what it is: asserted."""
    seen: Seen = observed.detail
    if seen.said is None or seen.said.ranges != desired.ranges:
        message = f"nobody has acknowledged these ranges, and {UNREADABLE}"
        return Verification((Check("acknowledged", False, message),))
    return Verification(tuple(audit.check(seen.log)), asserted=(seen.said,))


def explain(address: IpRanges, observed: Observed) -> Knowledge:
    """What a person said of an address; whether it is so cannot be told."""
    seen: Seen = observed.detail
    if seen.said is None:
        return Knowledge(None, (f"nobody has acknowledged an inbound gateway, and {UNREADABLE}",))
    held = "among" if address <= seen.said.ranges else "not among"
    return Knowledge(None, (f"{held} the ranges of {seen.said.words}; {UNREADABLE}",))


def capabilities() -> Mapping[str, bool]:
    """Neither read nor written."""
    return {"read": False, "write": False, "compare_and_swap": False}
