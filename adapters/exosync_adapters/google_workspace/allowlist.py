"""Setting `email_allowlist`: read by the Policy API, proven, explained. Pure, but for `look`.

The list carries no marks. What is exosync's is what it asked for, or wrote, or adopted, as far
as it is still there; it is remembered between runs. Everything else is foreign: it stays in the
box's text as it stands, in its order.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from exosync.core.desired import Desired
from exosync.core.ranges import IpRanges
from exosync.core.target import Check, Foreign, Knowledge, Observed, Verification, digest
from exosync.core.tasks import Known
from exosync.core.words import plural
from exosync_adapters.google_workspace import audit, rules, words
from exosync_adapters.google_workspace.entries import Entry, canonical, divide, ranges_of
from exosync_adapters.google_workspace.memory import Declined, Memory
from exosync_adapters.google_workspace.policies import Allowlist, allowlist, read_policies
from exosync_adapters.google_workspace.service import Google
from exosync_adapters.google_workspace.settings import EMAIL_ALLOWLIST, GoogleSettings

RESOURCE = "email-allowlist"
OWNERSHIP = "email-allowlist:ownership"
WHERE = "email allowlist"


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


def look(
    google: Google, settings: GoogleSettings, known: Known, declined: Declined | None
) -> Observed:
    """Read the list and, while a step is open, the audit log. Raises the errors of targets."""
    policies = read_policies(google, settings.customer)
    found = allowlist(policies, customer=settings.customer, root_unit=settings.root_unit)
    log = audit.look(google, settings, known)
    return observed(found, known, declined, log)


def observed(
    found: Allowlist, known: Known, declined: Declined | None, log: audit.Log | None
) -> Observed:
    """What was found, divided into ours and foreign. `declined` is what this run has tried."""
    before = Memory.read(known.remembered)
    task = known.asked.get(EMAIL_ALLOWLIST)
    asked = before.asked | task.added if task else IpRanges()
    is_open = task is not None and task.is_open
    ours, foreign = divide(
        found.entries,
        claimed=IpRanges.parse(before.ours) | asked,
        adopted=before.adopted,
        foreign=before.foreign,
        settled=() if is_open else before.ours,
    )
    owned = ranges_of(ours)
    is_same = before.token == found.token
    memory = Memory(
        ours=frozenset(canonical(ours)),
        foreign=frozenset(canonical(foreign)),
        adopted=before.adopted & owned,
        asked=asked if is_open else IpRanges(),
        declined=declined or before.declined,
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
        unread=frozenset({OWNERSHIP}),
        remember=memory.remembered,
        detail=Seen(found, ours, foreign, memory, log, age),
    )


def ownership(adopted: IpRanges) -> str:
    """The token of what was taken over."""
    return digest(list(adopted.cidrs()))


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
