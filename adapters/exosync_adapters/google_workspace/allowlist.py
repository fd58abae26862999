"""Setting `email_allowlist`: read by the Policy API, changed by a person. Pure, but for `look`.

The list carries no marks. What is exosync's is what it asked for, or wrote, or adopted, as far
as it is still there; it is remembered between runs. Everything else is foreign: it stays in the
box's text as it stands, in its order.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

from exosync.core.desired import Desired
from exosync.core.ranges import IpRanges
from exosync.core.target import (
    Action,
    Actor,
    Check,
    Draft,
    Finding,
    Foreign,
    Knowledge,
    Observed,
    Phase,
    Step,
    Verification,
    digest,
    split,
)
from exosync.core.tasks import Known
from exosync.core.words import plural
from exosync_adapters.google_workspace import audit, rules, words
from exosync_adapters.google_workspace.entries import (
    Entry,
    canonical,
    divide,
    layout,
    lines,
    ranges_of,
    read_entries,
)
from exosync_adapters.google_workspace.memory import Declined, Memory
from exosync_adapters.google_workspace.policies import (
    Allowlist,
    allowlist,
    read_policies,
    token_of,
)
from exosync_adapters.google_workspace.service import Google
from exosync_adapters.google_workspace.settings import EMAIL_ALLOWLIST, GoogleSettings

RESOURCE = "email-allowlist"
OWNERSHIP = "email-allowlist:ownership"
WHERE = "email allowlist"


@dataclass(frozen=True, slots=True)
class Held:
    """What the target did since the last run remembered: written, adopted, declined."""

    claimed: IpRanges = IpRanges()
    adopted: IpRanges = IpRanges()
    declined: Declined | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """What was read, told apart, with what is remembered of it."""

    found: Allowlist
    ours: tuple[Entry, ...]
    foreign: tuple[Entry, ...]
    memory: Memory
    log: audit.Log | None
    age: timedelta | None

    @property
    def held_by_others(self) -> IpRanges:
        """The addresses of the foreign entries."""
        return ranges_of(self.foreign)


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
        return ranges_of(read_entries(self.ours))


def look(google: Google, settings: GoogleSettings, known: Known, held: Held) -> Observed:
    """Read the list and, while a step is open, the audit log. Raises the errors of targets."""
    policies = read_policies(google, settings.customer)
    found = allowlist(policies, customer=settings.customer, root_unit=settings.root_unit)
    log = audit.look(google, settings, known)
    return observed(found, known, held, log)


def observed(found: Allowlist, known: Known, held: Held, log: audit.Log | None) -> Observed:
    """What was found, divided into ours and foreign."""
    before = Memory.read(known.remembered)
    asked = known.asked.get(EMAIL_ALLOWLIST)
    ours, foreign = divide(
        found.entries,
        claimed=before.ours.union(held.claimed, asked.added if asked else IpRanges()),
        adopted=before.adopted | held.adopted,
        foreign=before.foreign,
    )
    owned = ranges_of(ours)
    is_same = before.token == found.token
    memory = Memory(
        ours=owned,
        foreign=frozenset(canonical(foreign)),
        adopted=(before.adopted | held.adopted) & owned,
        declined=held.declined or before.declined,
        token=found.token,
        since=before.since if is_same else known.now,
    )
    age = known.now - memory.since if memory.since is not None else None
    return Observed(
        owned,
        {RESOURCE: found.token, OWNERSHIP: ownership(memory.adopted)},
        tuple(Foreign(WHERE, one.text, one.ranges) for one in foreign),
        findings=(
            *rules.of_lists(found),
            *rules.of_entries(found.entries),
            *audit.findings(log),
        ),
        remember=memory.remembered,
        detail=Seen(found, ours, foreign, memory, log, age),
    )


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
    taken = tuple(one for one in seen.foreign if one.ranges and one.ranges <= desired.ranges)
    adopted = ranges_of(taken)
    owned = observed.owned | adopted
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
        gives=ownership(seen.memory.adopted | adopted),
        detail=seen.memory.adopted | adopted,
    )
    return Draft(owned, owned, (step,))


def can_write(found: Allowlist) -> bool:
    """Whether there is exactly one list, set by people, at the top: nothing else is patched."""
    return len(found.lists) == 1 and found.at_top == found.lists and found.lists[0].is_admins


def ownership(adopted: IpRanges) -> str:
    """The token of what was taken over."""
    return digest(list(adopted.cidrs()))


def _aim(settings: GoogleSettings, wanted: IpRanges, observed: Observed, final: str = "") -> Aim:
    """The entries for what is wanted: the foreign ones as they stand, then ours in order.

    What foreign entries let in anyhow gets no new entry of ours; one that is there stays.
    """
    seen: Seen = observed.detail
    others = seen.held_by_others
    cidrs = ((one, IpRanges.parse(one)) for one in layout(wanted, split_to=settings.split_to))
    ours = tuple(cidr for cidr, ranges in cidrs if ranges <= observed.owned or not ranges <= others)
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
    for _, stage in split(desired, owned):
        aim = _aim(settings, stage.ranges, observed, final)
        if aim.token == token:
            continue
        yield _step(aim, token, entries, aim.ranges - owned, owned - aim.ranges)
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


def verify(desired: Desired, observed: Observed) -> Verification:
    """Compare what was read back, address for address."""
    seen: Seen = observed.detail
    lacks = desired.ranges - seen.found.ranges
    more = observed.owned - desired.ranges
    if lacks:
        message = f"the email allowlist does not let in {rules.few(lacks.cidrs())}"
        ranges = Check("ranges", False, message)
    else:
        count = plural(len(desired.ranges), "range")
        ranges = Check("ranges", True, f"the email allowlist lets in what is wanted: {count}")
    checks = [ranges]
    if more:
        message = f"entries of exosync's let in more than is wanted: {rules.few(more.cidrs())}"
        checks.append(Check("nothing besides", False, message))
    checks += [Check("place", None, one.message) for one in rules.of_lists(seen.found)]
    return Verification((*checks, _propagation(seen), *audit.check(seen.log)))


def _propagation(seen: Seen) -> Check:
    """The list says what was saved; what Gmail does by then is nowhere to be read."""
    hours = int(words.DELAY.total_seconds() // 3600)
    if seen.age is not None and seen.age >= words.DELAY:
        return Check("propagation", True, f"the list has been like this for over {hours} hours")
    told = f"Google says that it can take up to {hours} hours until a change takes effect"
    return Check("propagation", None, told)


def explain(address: IpRanges, observed: Observed) -> Knowledge:
    """Whether the list lets an address in, and by which entries."""
    seen: Seen = observed.detail
    says = [
        f"the email allowlist has the entry {one.text}, which is {whose}"
        for entries, whose in ((seen.ours, "exosync's"), (seen.foreign, "not exosync's"))
        for one in entries
        if not one.ranges.isdisjoint(address)
    ]
    knows = address <= seen.found.ranges
    if says and not knows:
        says.append("not every list or entry holds all of it, so it does not count as let in")
    return Knowledge(knows, tuple(says))


def capabilities(settings: GoogleSettings) -> Mapping[str, bool]:
    """Read by API, written by a person (or by API where that is to be tried)."""
    return {"read": True, "write": settings.write == "probe", "compare_and_swap": False}
