"""The shapes of the API's answers, for its OpenAPI document; a test holds the answers to them.

They are those that the commands print with `--json`: see docs/reference/json.md.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

State = Literal["in_sync", "pending", "applied", "asserted", "refused", "waiting", "failed"]
Severity = Literal["info", "warning", "error"]


class Shape(BaseModel):
    """One object of an answer."""

    model_config = ConfigDict(extra="forbid")


class Problem(Shape):
    """An error (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str


class Change(Shape):
    """One change of ranges."""

    change: Literal["added", "removed", "widened", "narrowed", "recut"]
    cidr: str
    was: str
    text: str


class Refusal(Shape):
    """A safety rule that says no."""

    rule: str
    message: str
    seen: str
    limit: str
    setting: str
    approvable: bool
    phase: Literal["add", "remove"] | None
    resources: list[str] = Field(default_factory=list)


class Asserted(Shape):
    """What somebody said is so and nobody can read."""

    setting: str
    by: str
    at: datetime
    ranges: list[str]


class Pause(Shape):
    """Who holds all writing."""

    by: str
    at: datetime
    why: str


class Turn(Shape):
    """When a job comes next, since when it is at work, how many seconds it took last."""

    next_at: datetime | None
    started_at: datetime | None
    seconds: float | None


class ServiceShape(Shape):
    """The service as it last told of itself."""

    pid: int
    host: str
    version: str
    started_at: datetime
    beat_at: datetime
    stopped_at: datetime | None
    lives: bool


class Feed(Shape):
    """When Microsoft's list was last confirmed."""

    checked_at: datetime | None
    not_before: datetime | None
    failures: int
    error: str | None
    turn: Turn | None


class TargetRow(Shape):
    """How a target stood when it was last looked at; `state` is null if it never was."""

    name: str
    kind: str
    mode: Literal["watch", "plan", "apply"]
    state: State | None
    since: datetime | None
    version: str | None
    plan: str | None
    refusals: list[Refusal]
    verified: bool | None
    verified_at: datetime | None
    seen_at: datetime | None
    failures: int
    asserted: list[Asserted]
    error: str | None
    paused: Pause | None
    turn: Turn | None


class OpenPlan(Shape):
    """A plan that waits."""

    id: str
    target: str
    refused: bool
    adopting: bool


class Task(Shape):
    """A step that waits for a person; `task` is what is to be done."""

    target: str
    setting: str
    plan: str
    opened_at: datetime
    changed_at: datetime
    due_at: datetime
    overdue: bool
    reminders: int
    claimed_by: str | None
    claimed_at: datetime | None
    task: dict[str, Any]


class Status(Shape):
    """How everything stands."""

    now: datetime
    instance: str
    version: str | None
    adopted_at: datetime | None
    service: ServiceShape | None
    paused: Pause | None
    feed: Feed
    targets: list[TargetRow]
    plans: list[OpenPlan]
    todo: list[Task]


class Row(Shape):
    """A run or an event in a line; runs have the first four, events the last two."""

    id: str = Field(pattern=r"^[re]-[0-9]+$")
    at: datetime
    what: str
    text: str
    outcome: str | None = None
    repeats: int | None = None
    version: str | None = None
    error: str | None = None
    severity: Severity | None = None
    target: str | None = None


class Step(Shape):
    """One outside write, and what became of it."""

    plan: str
    target: str
    resource: str
    summary: str
    intended_at: datetime
    outcome: str | None
    concluded_at: datetime | None
    error: str


class Coverage(Shape):
    """Which desired ranges a target knows, lacks or may know; `besides` is no longer desired."""

    seen_at: datetime | None
    known: list[str]
    missing: list[str]
    unsure: list[str]
    besides: list[str]


class TargetCoverage(Coverage):
    """The same of a named target."""

    name: str
    kind: str


class Coverages(Shape):
    """The same of all targets."""

    instance: str
    version: str
    targets: list[TargetCoverage]


class TargetPlan(Shape):
    """A plan of one target that waits."""

    id: str
    refused: bool
    adopting: bool


class Point(Shape):
    """How a target stood at an event, and how many ranges were not as desired."""

    id: str
    at: datetime
    what: str
    state: State
    changes: int


class Target(TargetRow):
    """One target whole; `report` is its part of its last run (run.schema.json)."""

    families: Literal["both", "ipv4", "ipv6"]
    labels: list[str]
    report: dict[str, Any] | None
    coverage: Coverage | None
    plans: list[TargetPlan]
    todo: list[Task]
    events: list[Row]
    course: list[Point]
    journal: list[Step]


class Run(Shape):
    """A run; `report` is what it printed (run.schema.json), null if it came to none."""

    type: Literal["run"]
    id: str
    command: str
    started_at: datetime
    last_at: datetime
    repeats: int
    outcome: str | None
    version: str | None
    error: str | None
    report: dict[str, Any] | None
    journal: list[Step]


class Event(Shape):
    """An event; `body` depends on its kind (docs/reference/events.md)."""

    type: Literal["event"]
    id: str
    at: datetime
    what: str
    text: str
    severity: Severity
    target: str | None
    body: dict[str, Any]


class Approval(Shape):
    """Who lifted the refusals of a plan."""

    by: str
    at: datetime
    why: str


class Plan(Shape):
    """A plan, and what became of it."""

    type: Literal["plan"]
    id: str
    target: str
    kind: str
    mode: Literal["watch", "plan", "apply"]
    version: str
    instance: str
    adopting: bool
    changes: list[Change]
    steps: list[dict[str, Any]]
    refusals: list[Refusal]
    findings: list[Finding]
    status: Literal["open", "applied", "partly", "superseded", "closed"]
    approval: Approval | None
    journal: list[Step]


class Finding(Shape):
    """Something that a person should know."""

    rule: str
    message: str
    severity: Literal["info", "warning"]


class Range(Shape):
    """A desired range, and why it is desired."""

    cidr: str
    origin: Literal["microsoft", "extra", "leaving", "kept"]
    name: str
    reason: str
    until: datetime | None


class Excluded(Shape):
    """Ranges that the configuration takes out."""

    cidrs: list[str]
    name: str
    reason: str


class Ranges(Shape):
    """The desired ranges."""

    instance: str
    version: str
    ranges: list[Range]
    excluded: list[Excluded]


class VersionRow(Shape):
    """One of Microsoft's versions, and what it changed in the mail ranges."""

    version: str
    adopted_at: datetime | None
    fetched_at: datetime
    source: str
    sha256: str
    mail: list[str]
    changed: str


class MailSet(Shape):
    """The mail ranges of an endpoint set."""

    set: int
    cidrs: list[str]


class Version(Shape):
    """One of Microsoft's versions."""

    type: Literal["version"]
    instance: str
    version: str
    sha256: str
    fetched_at: datetime
    source: str
    sets: int
    mail: list[MailSet]
    findings: list[Finding]


class Answer(Shape):
    """One thing that can be said of an address or host."""

    kind: str
    text: str


class Knows(Shape):
    """Whether a target knows an address; null where its last run does not tell."""

    name: str
    kind: str
    knows: bool | None
    says: list[str]


class Address(Shape):
    """What is known of an address."""

    address: str
    mail: bool
    desired: bool
    answers: list[Answer]
    targets: list[Knows]


class Explanation(Shape):
    """What is known of an address, a range or a host."""

    query: str
    version: str
    instance: str
    host: list[Answer] | None = None
    addresses: list[Address]


class Station(Shape):
    """One station of a message: `ok` is false where it goes astray, null if that is not known."""

    kind: str
    target: str
    where: str
    title: str
    ok: bool | None
    sure: Literal["seen", "documented", "unproven"]
    says: list[str]


class WayShape(Shape):
    """The way of a message by one router; without stations if nothing is known yet."""

    target: str
    kind: str
    error: str | None
    ok: bool | None
    leaves: bool | None
    hosts: list[str]
    families: list[Literal["ipv4", "ipv6"]]
    pool: Literal["mail", "relay", "either"] | None
    seen_at: datetime | None
    stages: list[Station]


class Trace(Shape):
    """The way of a message."""

    sender: str = Field(alias="from")
    to: str
    at: datetime
    instance: str
    version: str | None
    ok: bool | None
    ways: list[WayShape]


class Channel(Shape):
    """How a channel of the alerts stands."""

    name: str
    kind: str | None
    down_since: datetime | None
    failures: int
    error: str | None
    sent_at: datetime | None
    gathering: int
    waiting: int
    given_up: int


class Message(Shape):
    """A message of the outbox."""

    id: str
    channel: str
    thread: str
    title: str | None
    severity: Severity
    events: list[str]
    state: Literal["open", "waiting", "sent", "given_up"]
    opened_at: datetime
    due_at: datetime
    attempts: int
    sent_at: datetime | None
    error: str | None


class Alerts(Shape):
    """The channels and their outbox."""

    channels: list[Channel]
    messages: list[Message]
