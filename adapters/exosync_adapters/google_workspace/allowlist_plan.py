"""Setting `email_allowlist`: the steps to what is desired, and to taking entries over. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from exosync.core.desired import Desired
from exosync.core.ranges import IpRanges
from exosync.core.target import (
    Action,
    Actor,
    Draft,
    Finding,
    Observed,
    Phase,
    Step,
    split,
)
from exosync.core.words import plural
from exosync_adapters.google_workspace import rules, words
from exosync_adapters.google_workspace.allowlist import OWNERSHIP, RESOURCE, Seen, ownership
from exosync_adapters.google_workspace.entries import (
    Entry,
    canonical,
    layout,
    lines,
    ranges_of,
    read_entries,
)
from exosync_adapters.google_workspace.memory import Declined
from exosync_adapters.google_workspace.policies import Allowlist, token_of
from exosync_adapters.google_workspace.settings import GoogleSettings


@dataclass(frozen=True, slots=True)
class Aim:
    """What a step is to bring: the box's entries, those of them that are ours, and the token.

    `final` is the token of the list once all is done: what was declined is remembered by it.
    """

    texts: tuple[str, ...]
    ours: tuple[str, ...]
    token: str
    final: str

    @property
    def ranges(self) -> IpRanges:
        """The addresses that are ours then."""
        return IpRanges.parse(self.ours)


def plan(name: str, settings: GoogleSettings, desired: Desired, observed: Observed) -> Draft:
    """One step for a person, or for the API where that is to be tried and was not declined.

    Base and goal are what is ours, before and after. What foreign entries let in is in neither:
    it is no growth, and a first entry beside it is a first publication.
    """
    seen: Seen = observed.detail
    wanted, owned = desired.ranges, observed.owned
    findings = tuple(rules.held_by_foreign(wanted, seen.foreign, name))
    if wanted and wanted <= seen.found.ranges and owned <= wanted:
        return Draft(owned, owned, findings=findings)
    refusals = rules.refusals(wanted, settings, beside=len(seen.foreign))
    if refusals:
        return Draft(owned, owned, refusals=refusals, findings=findings)
    aim = _aim(settings, wanted, observed)
    declined = seen.memory.declined
    is_declined = declined is not None and declined.token == aim.final
    if settings.write == "probe" and not is_declined and can_write(seen.found):
        steps = tuple(_own_steps(settings, desired, observed))
    else:
        steps = (_person_step(desired, observed, aim),)
    if is_declined and declined is not None:
        findings += (_declined(declined),)
    findings += tuple(rules.unpublished(aim.ranges - owned))
    return Draft(owned, aim.ranges, steps, findings=findings)


def plan_adoption(desired: Desired, observed: Observed) -> Draft:
    """Take over the foreign entries that lie within what is desired; the list stays as it is."""
    seen: Seen = observed.detail
    wanted = desired.ranges
    taken = tuple(one for one in seen.foreign if one.is_within(wanted))
    adopted = seen.memory.adopted | ranges_of(taken)
    owned = observed.owned | ranges_of(taken)
    if not taken:
        return Draft(owned, owned)
    after = (*seen.ours, *taken)
    step = Step(
        resource=OWNERSHIP,
        phase=Phase.ADD,
        action=Action.UPDATE,
        summary=f"take over {plural(len(taken), 'entry')} of the email allowlist: "
        f"{rules.few([one.text for one in taken])}",
        before=lines(one.text for one in seen.ours),
        after=lines(one.text for one in after),
        expects=observed.resources[OWNERSHIP],
        gives=ownership(adopted),
        remember=replace(seen.memory, adopted=adopted).remembered,
        detail=adopted,
    )
    return Draft(owned, owned, (step,))


def can_write(found: Allowlist) -> bool:
    """Whether there is exactly one list, set by people, at the top: nothing else is patched."""
    if len(found.lists) != 1 or found.at_top != found.lists:
        return False
    return found.lists[0].is_admins and found.lists[0].name.startswith("policies/")


def _aim(settings: GoogleSettings, wanted: IpRanges, observed: Observed, final: str = "") -> Aim:
    """The entries for what is wanted: the foreign ones as they stand, then ours in order.

    What foreign entries let in anyhow gets no new entry of ours; one that is there stays.
    """
    seen: Seen = observed.detail
    owned, others = observed.owned, seen.held_by_others
    cidrs = layout(wanted, split_to=settings.split_to)
    ours = tuple(one for one in cidrs if one in owned or one not in others)
    texts = (*(one.text for one in seen.foreign), *ours)
    token = token_of((*canonical(seen.foreign), *ours))
    return Aim(texts, ours, token, final or token)


def _person_step(desired: Desired, observed: Observed, aim: Aim) -> Step:
    seen: Seen = observed.detail
    added = aim.ranges - observed.owned
    removed = observed.owned - aim.ranges - seen.held_by_others
    task = words.allowlist_task(
        desired,
        aim.texts,
        added=added,
        removed=removed,
        found=tuple(one.text for one in seen.found.entries),
        kept=len(seen.foreign),
        is_whole=seen.found.is_told,
    )
    step = _step(aim, seen.found.token, seen.found.entries, added, removed)
    return replace(step, by=Actor.PERSON, task=task)


def _own_steps(settings: GoogleSettings, desired: Desired, observed: Observed) -> Iterator[Step]:
    """What the API is to be asked for: additions, then removals."""
    seen: Seen = observed.detail
    final = _aim(settings, desired.ranges, observed).token
    token, entries, owned = seen.found.token, seen.found.entries, observed.owned
    memory = seen.memory
    for _, stage in split(desired, owned):
        aim = _aim(settings, stage.ranges, observed, final)
        if aim.token == token:
            continue
        # Claimed before it is written: what the API takes and shows late is ours all the same.
        memory = replace(memory, ours=memory.ours | frozenset(aim.ours))
        step = _step(aim, token, entries, aim.ranges - owned, owned - aim.ranges)
        yield replace(step, remember=memory.remembered)
        token, entries, owned = aim.token, read_entries(aim.texts), aim.ranges


def _step(
    aim: Aim, token: str, entries: tuple[Entry, ...], added: IpRanges, removed: IpRanges
) -> Step:
    return Step(
        resource=RESOURCE,
        phase=Phase.ADD if added else Phase.REMOVE,
        action=Action.UPDATE if entries else Action.CREATE,
        summary=f"set Gmail's email allowlist: {words.change(added, removed)}",
        before=lines(one.text for one in entries),
        after=lines(aim.texts),
        expects=token,
        gives=aim.token,
        detail=aim,
    )


def _declined(declined: Declined) -> Finding:
    return Finding(
        "write_declined",
        f"Google's API did not make this change, so a person does ({declined.why})",
    )
