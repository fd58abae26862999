"""The contract of a target, and the values that pass through it.

A target is one place that must know the ranges: a file, an SPF record, a mail gateway.
The service drives every target in the same order and knows nothing else about it:

1. `observe` reads what is there. It never writes. It is handed what exosync knows besides
   (`Known`): what people acknowledged, what they were asked for, and what the target itself
   gave to remember (`Observed.remember`) the last time.
2. `plan` is pure: from what is desired and what was observed it makes concrete steps in
   the remote system's own terms. Additions come before removals (`Phase`); `split` makes
   the two stages. No steps and no refusals means that all is as desired.
3. `rehearse` may read but never write: it tries the draft against the world (for SPF: lays
   the planned records over live DNS and evaluates them) and returns the draft with
   further refusals and findings.
4. `apply` does one step. It compares before it swaps: when the resource is no longer what
   `step.expects` says, it raises TargetConflict and writes nothing. It returns once the
   whole remote system shows the change (every authoritative server, say), since the next
   step may rely on it. Doing a step twice is harmless. The service records the intent
   before and the outcome after.
5. `verify` gets a fresh observation and proves that the desired state is there.
6. `check` tries credentials, permissions and reachability without changing anything.

A target changes only what carries its mark; what it finds besides is *foreign* and is
listed, never touched. `plan(adopting=True)` plans to take foreign entries over.

A step with `by=Actor.PERSON` cannot be done by exosync: its `task` is written for a person,
and it is done once the target observes it to be so. Where a setting cannot be read, what a
person acknowledged stands for what is there: the target takes it from `Known`, and `verify`
lists it as asserted, never as verified.

Errors: TargetUnreachable, TargetDenied, TargetConflict and TargetError for the rest.
StepDeclined says that the remote system does not do such a step at all: `observe` and `plan`
after it must leave the step to a person.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol

from exosync.core.desired import Desired
from exosync.core.meter import Meter, unmetered
from exosync.core.ranges import IpRanges
from exosync.core.secret import SecretRef
from exosync.core.tasks import NOTHING_KNOWN, Asserted, Known, Task

ABSENT = "absent"
"""The token of a resource that does not exist."""


class Mode(StrEnum):
    """How far a run may go: never write, write when a person says so, write."""

    WATCH = "watch"
    PLAN = "plan"
    APPLY = "apply"


class Phase(StrEnum):
    """Additions come before removals, within a target and across targets."""

    ADD = "add"
    REMOVE = "remove"


class Action(StrEnum):
    """What a step does to its resource."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"


class Actor(StrEnum):
    """Who does a step."""

    EXOSYNC = "exosync"
    PERSON = "person"


class State(StrEnum):
    """How a target stands at the end of a run."""

    IN_SYNC = "in_sync"
    PENDING = "pending"
    APPLIED = "applied"
    REFUSED = "refused"
    WAITING = "waiting"
    FAILED = "failed"
    ASSERTED = "asserted"


class Severity(StrEnum):
    """How much a finding matters."""

    INFO = "info"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that a person should know and that stops nothing. `rule` is a stable name."""

    rule: str
    message: str
    severity: Severity = Severity.WARNING


@dataclass(frozen=True, slots=True)
class Refusal:
    """A safety rule that says no.

    `seen` and `limit` are the figures as a person reads them, `setting` the key of the
    configuration that governs the rule. `approvable` is false where no approval can make
    the step right. `phase` is set if only that phase is refused, `resources` if only steps
    on these are: the others go on.
    """

    rule: str
    message: str
    seen: str
    limit: str = ""
    setting: str = ""
    approvable: bool = False
    phase: Phase | None = None
    resources: tuple[str, ...] = ()

    def covers(self, step: Step) -> bool:
        """Whether a step is refused by this."""
        return self.phase in (None, step.phase) and (
            not self.resources or step.resource in self.resources
        )


@dataclass(frozen=True, slots=True)
class Foreign:
    """What is there and not ours: `where` it stands, its `text`, and the ranges in it."""

    where: str
    text: str
    ranges: IpRanges = IpRanges()


@dataclass(frozen=True, slots=True)
class Observed:
    """What was read from the remote system.

    `owned` are the ranges that carry our mark. `resources` maps each resource that a step
    may write to its token (a digest of all that was read of it, or ABSENT); a step's
    `expects` and `gives` are such tokens. `unread` are the resources that nobody can read: their
    tokens come from what is known, so a change of them is no drift. `as_before` are the tokens of
    the same things as the configuration of the last look would have them, where it was another
    one: what has its old token there was changed by nobody. `remember` is kept, as JSON, and
    comes back in the next `Known`. `detail` is the target's own.
    """

    owned: IpRanges
    resources: Mapping[str, str]
    foreign: tuple[Foreign, ...] = ()
    findings: tuple[Finding, ...] = ()
    unread: frozenset[str] = frozenset()
    as_before: Mapping[str, str] = field(default_factory=dict)
    remember: Mapping[str, Any] = field(default_factory=dict)
    detail: Any = None

    @property
    def token(self) -> str:
        """A digest over all resources."""
        return digest(dict(self.resources))

    def told(self, resource: str) -> frozenset[str]:
        """The tokens that a resource has now, whichever configuration they are told by."""
        found = (self.resources.get(resource), self.as_before.get(resource))
        return frozenset(one for one in found if one is not None)


@dataclass(frozen=True, slots=True)
class Step:
    """One change of one resource, in the remote system's own terms.

    `before` and `after` are the texts that a person compares (empty: not there); `expects`
    and `gives` are the resource's tokens before and after. A step for a person has a `task`.
    `remember`, if given, is what is remembered from the moment on when the step is intended, as
    `Observed.remember`: so a crash does not lose what the step claims. `opens`: from this step
    on mail goes to where targets that list ranges must let it in. `detail` is the target's own.
    """

    resource: str
    phase: Phase
    action: Action
    summary: str
    before: str
    after: str
    expects: str
    gives: str
    by: Actor = Actor.EXOSYNC
    task: Task | None = None
    opens: bool = False
    remember: Mapping[str, Any] | None = field(default=None, compare=False)
    detail: Any = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Draft:
    """What a target would do.

    `base` are the ranges that count as there before (owned, or what is being adopted),
    `goal` the ranges that are owned once all steps are done: the guards compare the two.
    """

    base: IpRanges
    goal: IpRanges
    steps: tuple[Step, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was tried: `ok` is true, false, or None for a warning."""

    name: str
    ok: bool | None
    message: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Knowledge:
    """What a target says of one address: `knows` is None where it cannot tell."""

    knows: bool | None
    says: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Verification:
    """The proof that the desired state is there, or what is wrong with it.

    `asserted` is what cannot be read, and so not be proven.
    """

    checks: tuple[Check, ...]
    asserted: tuple[Asserted, ...] = ()

    @property
    def ok(self) -> bool | None:
        """Whether all is proven: None where nothing failed, and not all could be proven."""
        if any(check.ok is False for check in self.checks):
            return False
        proven = any(check.ok for check in self.checks)
        return True if proven and not self.asserted else None


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What can be done to this kind of target, declared and not assumed."""

    read: bool = True
    write: bool = True
    compare_and_swap: bool = True
    ipv6: bool = True


class Target(Protocol):
    """One configured target. See the module's docstring for the order of calls."""

    name: str
    kind: str
    capabilities: Capabilities

    def configuration(self) -> Mapping[str, Any]:
        """The settings that change what is planned, as JSON values, without any secret."""
        ...

    def observe(self, known: Known = NOTHING_KNOWN) -> Observed:
        """Read what is there."""
        ...

    def plan(self, desired: Desired, observed: Observed, *, adopting: bool = False) -> Draft:
        """Make the steps from observed to desired. Pure."""
        ...

    def rehearse(self, desired: Desired, observed: Observed, draft: Draft) -> Draft:
        """Try the draft against the world without writing."""
        ...

    def apply(self, step: Step) -> None:
        """Do one step, or raise TargetConflict if its resource is not as expected."""
        ...

    def verify(self, desired: Desired, observed: Observed) -> Verification:
        """Prove that the desired state is there."""
        ...

    def check(self) -> Iterable[Check]:
        """Try credentials, permissions and reachability."""
        ...

    def explain(self, address: IpRanges, observed: Observed) -> Knowledge:
        """Whether this target knows an address, and what it says of it."""
        ...


@dataclass(frozen=True, slots=True)
class Context:
    """What the service hands to a kind when a target is built.

    `owner` is the mark's id, `families` one of both, ipv4, ipv6, `instance` Microsoft's
    cloud, `base` the folder that relative paths start from, `reveal` reads a secret,
    `pause` sleeps (so that a test need not), and `meter` is told of each HTTP request.
    """

    owner: str
    families: str
    instance: str
    base: Path
    reveal: Callable[[SecretRef], str]
    pause: Callable[[float], None]
    meter: Meter = unmetered


class TargetKind(Protocol):
    """A kind of target, found by its entry point in the group `exosync.targets`.

    `settings` is a pydantic model of the kind's own keys (those of every target are the
    service's). A kind may have two more methods:

    * `contradictions(targets)` tells what is wrong among several targets of the kind: from
      their settings by name it gives triples of a target's name, a key and the words.
    * `account(settings)` names the vendor's account that a target's requests go to, as a
      text without any secret: of one account one target is run at a time.
    * `endings(settings, reveal)` gives each credential whose end can be known: what it is, and
      the moment (UTC) from which it is no longer good.

    A kind whose targets hold something else than ranges has `lists_ranges = False`: the guards
    of ranges leave its plans alone, and nobody asks its targets about addresses. Such a target
    may be an `exosync.core.trace.Router` besides; its kind then has

    * `trace(settings, remembered, sender, recipient)`, which tells the same way from nothing but
      what the target gave to remember the last time, and asks nobody.
    """

    name: str
    settings: type[Any]

    def build(self, name: str, settings: Any, context: Context) -> Target:
        """Make one target from its validated settings. Must not do I/O."""
        ...


def split(desired: Desired, owned: IpRanges) -> list[tuple[Phase, Desired]]:
    """The stages from owned to desired: additions with nothing taken away, then removals."""
    adds, removes = desired.ranges - owned, owned - desired.ranges
    if adds and removes:
        return [(Phase.ADD, desired.keeping(owned)), (Phase.REMOVE, desired)]
    return [(Phase.REMOVE if removes else Phase.ADD, desired)]


def digest(value: Any) -> str:
    """A SHA-256 over the canonical JSON of a value."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()
