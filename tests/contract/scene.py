"""One installation with one target of the kind that is tried, and the people around it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from exosync.assembly import Assembly
from exosync.checking import check_target
from exosync.core.ranges import IpRanges
from exosync.core.target import Check, Observed
from exosync.core.tasks import Confirmation, Known
from exosync.desire import wanted
from exosync.desk import Job
from exosync.errors import ExosyncError
from exosync.people import acknowledge
from exosync.recall import recall
from tests.contract.harness import Can, Harness, Json
from tests.standins.endpoints import EndpointsStandIn
from tests.support.world import World

TARGET = "tried"
INSTANCE = "USGovGCCHigh"
OLD, NEW = "2020072800", "2024073100"
"""Two versions in a row: the newer one has one range more and six less."""

ADDED = IpRanges.parse("52.244.65.13")
REMOVED = IpRanges.parse(
    [
        *("13.72.179.197", "13.72.183.70", "52.227.170.14"),
        *("52.227.170.120", "52.227.178.94", "52.227.180.138"),
    ]
)
KEPT = IpRanges.parse(
    [
        *("23.103.191.0/24", "23.103.199.128/25", "23.103.208.0/22"),
        *("52.227.182.149", "52.238.74.212"),
        *("2001:489a:2202:4::/62", "2001:489a:2202:c::/62", "2001:489a:2202:2000::/63"),
    ]
)
INSIDE, OUTSIDE = IpRanges.parse("23.103.191.7"), IpRanges.parse("203.0.113.9")
BY = "ada"
_PATIENCE = 6
"""Rounds of asking people and looking again, until a test is given up."""

SETTINGS: Json = {
    "ranges": {"grace": "0s"},
    "guards": {"max_shrink": "100%", "max_growth": "200%"},
}
"""Removals at once: an addition and a removal become one plan."""


class Around:
    """A target that lets something be done around each of its writes."""

    def __init__(self, target: Any, place: Installation) -> None:
        self._target, self._place = target, place

    def apply(self, step: Any) -> None:
        """Do a step, after what a test wants to happen before it."""
        while self._place.before_step:
            self._place.before_step.pop()()
        with self._remembered():
            self._target.apply(step)

    def observe(self, known: Known) -> Observed:
        """Look."""
        with self._remembered():
            seen: Observed = self._target.observe(known)
        return seen

    @contextmanager
    def _remembered(self) -> Iterator[None]:
        try:
            yield
        except ExosyncError as error:
            self._place.errors.append(error)
            raise

    def __getattr__(self, name: str) -> Any:
        return getattr(self._target, name)


class Installation(World):
    """A world whose tried target can be disturbed between looking and writing.

    `errors` are those of the tried target, as they were raised.
    """

    before_step: list[Callable[[], None]]
    errors: list[ExosyncError]

    @contextmanager
    def opened(self) -> Iterator[Assembly]:
        """Everything that a run goes by, with the tried target wrapped."""
        with super().opened() as one:
            for job in one.rules.jobs:
                if job.name == TARGET and job.target is not None:
                    object.__setattr__(job, "target", Around(job.target, self))
            yield one


class Scene:
    """The installation, its target's harness, and what people do."""

    def __init__(self, world: Installation, harness: Harness) -> None:
        self.world, self.harness = world, harness
        world.before_step, world.errors = [], []
        self.mode = "apply"

    @property
    def mode(self) -> str | None:
        """The mode of the tried target."""
        return self._mode

    @mode.setter
    def mode(self, mode: str | None) -> None:
        self._mode = mode
        how = {"mode": mode} if mode else {}
        self.world.targets[:1] = [{"name": TARGET, **how, **self.harness.target}]

    def add_bystander(self) -> None:
        """A second target of the same run, which nothing is wrong with."""
        beside = {"name": "beside", "kind": "file", "mode": "apply", "path": "beside.txt"}
        self.world.targets.append(beside)

    def sync(self) -> Json:
        """One run; gives what it says of the tried target."""
        return of(self.world.sync())

    def people_act(self) -> int:
        """People do and acknowledge all that waits; gives how many steps that were."""
        with self.world.opened() as one:
            tasks = one.store.open_tasks(TARGET)
            for task in tasks:
                self.harness.do(dict(task.body))
                if Confirmation(task.body["confirmation"]) is Confirmation.ACKNOWLEDGED:
                    self._acknowledge(one, task.plan_id)
        return len(tasks)

    def _acknowledge(self, one: Assembly, plan_id: str) -> None:
        for task in one.store.open_tasks(TARGET):
            if task.plan_id == plan_id:
                record = one.store.find_plan(plan_id)
                acknowledge(
                    one.store,
                    task,
                    record,
                    by=BY,
                    note="",
                    rules=one.rules.tasks,
                    at=one.rules.now(),
                )

    @property
    def lists(self) -> bool:
        """Whether ranges are what the kind holds."""
        return Can.LISTS not in self.harness.cannot

    def change(self) -> None:
        """Something else is wanted: a new version, or another configuration."""
        if self.lists:
            self.world.publish(NEW)
            return
        self.harness.change()
        self.mode = self.mode
        self.world.pass_time(hours=1)

    def goal(self, ranges: IpRanges) -> object:
        """What is held once all is right: these ranges, or what the configuration says."""
        return self.expected(ranges) if self.lists else self.harness.goal()

    def settle(self) -> Json:
        """Run, and let people act, until nothing is left to do; gives the last report."""
        told = self.sync()
        for _ in range(_PATIENCE):
            if told["state"] == "refused" and self.approved(told):
                told = self.sync()
            elif told["state"] != "waiting" or not self.people_act():
                return told
            else:
                told = self.sync()
        raise AssertionError(f"never settles: {told}")

    def approved(self, told: Json) -> bool:
        """Lift what people lift as a matter of course; gives whether that was all."""
        refusals = {one["rule"] for one in told["refusals"]}
        if not refusals or not refusals <= self.harness.approves:
            return False
        self.world.approve(told["plan"])
        return True

    def applied(self, plan: str) -> Json:
        """A person applies a plan, and what it leads to; gives the last run's report."""
        told = self.world.apply(plan)
        for _ in range(_PATIENCE):
            if not self.approved(of(told)):
                return told
            told = self.world.apply(of(told)["plan"])
        raise AssertionError(f"never settles: {told}")

    def work(self) -> Json:
        """The first run of all, to the end."""
        told = self.settle()
        assert told["state"] in ("applied", "in_sync", "asserted"), told
        return told

    def verified(self) -> bool | None:
        """Look afresh, and prove; nothing is planned nor written."""
        with self.world.opened() as one:
            job = job_of(one)
            assert job.target is not None
            needed = wanted(one.rules.ranges, one.store, one.instance, self.world.now)
            desired = needed.desired.only(job.families)
            return job.target.verify(desired, self.observed(one)).ok

    def observed(self, one: Assembly) -> Observed:
        """What the target sees, with what is known of it."""
        target = job_of(one).target
        assert target is not None
        return target.observe(recall(one.store, TARGET, one.rules.tasks, self.world.now))

    def check(self) -> list[Check]:
        """What `exosync check` says of the target."""
        with self.world.opened() as one:
            return list(check_target(job_of(one)))

    def outcomes(self) -> list[str | None]:
        """What the journal says of the steps of the newest run."""
        with self.world.opened() as one:
            (run,) = one.store.runs(1)
            return [step.outcome for step in one.store.steps(run.id) if step.target == TARGET]

    def expected(self, ranges: IpRanges) -> IpRanges:
        """What of some ranges this kind can hold."""
        parts = [ranges.family(version) for version in self.harness.families]
        return IpRanges().union(*parts)


@contextmanager
def opened_scene(folder: Path, harness: Harness, **settings: Any) -> Iterator[Scene]:
    """An installation in a new folder, at Microsoft's older version, with removals at once."""
    folder.mkdir()
    with EndpointsStandIn(instance=INSTANCE, version=OLD) as feed:
        whole = {**SETTINGS, "feed": {"url": feed.url, "instance": INSTANCE}, **settings}
        yield Scene(Installation(folder, feed, [], whole), harness)


def of(told: Json, name: str = TARGET) -> Json:
    """One target's part of a report."""
    (found,) = (one for one in told["targets"] if one["name"] == name)
    target: Json = found
    return target


def job_of(one: Assembly) -> Job:
    """The tried target with its settings."""
    return next(job for job in one.rules.jobs if job.name == TARGET)
