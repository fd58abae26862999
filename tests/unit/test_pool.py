"""The workers: a bounded number, one an account, and none kept waiting by one that hangs."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC
from functools import partial

from apscheduler.events import EVENT_JOB_MAX_INSTANCES, EVENT_JOB_SUBMITTED
from apscheduler.schedulers.background import BackgroundScheduler

from exosync.daemon.pool import Pool

PATIENCE = 60.0


class Work:
    """Jobs that are at work until they are let go."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self._changed = threading.Condition()
        self._may_end: set[str] = set()

    def do(self, name: str) -> None:
        """Be at work."""
        with self._changed:
            self.begun.append(name)
            self._changed.notify_all()
            self._changed.wait_for(lambda: name in self._may_end, timeout=PATIENCE)

    def let_go(self, *names: str) -> None:
        """End jobs."""
        with self._changed:
            self._may_end.update(names)
            self._changed.notify_all()

    def wait_for(self, *names: str) -> bool:
        """Whether just these begin, in any order."""
        with self._changed:
            return self._changed.wait_for(lambda: set(names) <= set(self.begun), timeout=PATIENCE)


@contextmanager
def scheduled(pool: Pool, work: Work, *names: str) -> Iterator[BackgroundScheduler]:
    """A scheduler that has given all these jobs to the pool, in this order."""
    scheduler = BackgroundScheduler(timezone=UTC, executors={"default": pool})
    given = threading.Semaphore(0)
    scheduler.add_listener(lambda _event: given.release(), EVENT_JOB_SUBMITTED)
    for name in names:
        scheduler.add_job(partial(work.do, name), "date", id=name, misfire_grace_time=None)
    scheduler.start()
    try:
        # The first may be at work before the scheduler has come to the second.
        assert all(given.acquire(timeout=PATIENCE) for _ in names)
        yield scheduler
    finally:
        work.let_go(*names)
        scheduler.shutdown(wait=True)


def test_so_many_are_at_work_as_there_are_places() -> None:
    """The next begins when one ends."""
    work, pool = Work(), Pool(places=2, slow_after=PATIENCE, group_of=lambda _: "")
    with scheduled(pool, work, "a", "b", "c"):
        assert work.wait_for("a", "b")
        assert ["a", "b"] == sorted(pool.working())
        assert not pool.wait_idle(0.1)
        work.let_go("a")
        assert work.wait_for("c")
        assert ["b", "c"] == sorted(pool.working())


def test_of_one_account_one_is_at_work_at_a_time() -> None:
    """Others go by."""
    work = Work()
    pool = Pool(places=8, slow_after=PATIENCE, group_of=lambda name: name[0] if name > "b" else "")
    with scheduled(pool, work, "c1", "c2", "d1", "a1", "a2"):
        assert work.wait_for("c1", "d1", "a1", "a2")
        assert "c2" not in work.begun
        work.let_go("c1")
        assert work.wait_for("c2")


def test_one_that_hangs_loses_its_place_and_is_not_started_twice() -> None:
    """The others wait no longer than `slow_after`, those of its account too."""
    work = Work()
    pool = Pool(places=1, slow_after=0.1, group_of=lambda _: "account")
    with scheduled(pool, work, "hangs", "waits") as scheduler:
        assert work.wait_for("hangs", "waits")
        assert ["hangs", "waits"] == sorted(pool.working())
        refused = threading.Event()
        scheduler.add_listener(lambda _event: refused.set(), EVENT_JOB_MAX_INSTANCES)
        scheduler.add_job(partial(work.do, "hangs"), "date", id="hangs", replace_existing=True)
        assert refused.wait(PATIENCE)
        work.let_go("waits")
        assert ["hangs", "waits"] == sorted(work.begun)


def test_a_closed_pool_starts_nothing_and_waits_for_what_is_at_work() -> None:
    """What waits for a place is dropped."""
    work, pool = Work(), Pool(places=1, slow_after=PATIENCE, group_of=lambda _: "")
    with scheduled(pool, work, "a", "b"):
        assert work.wait_for("a")
        pool.close()
        work.let_go("a", "b")
        assert pool.wait_idle(PATIENCE)
        assert ["a"] == work.begun


def test_one_that_is_asked_for_while_it_is_at_work_comes_again() -> None:
    """Whoever asks is told so, and the pool says it once the job may be started anew."""
    work, pool = Work(), Pool(places=1, slow_after=PATIENCE, group_of=lambda _: "")
    told: list[tuple[str, bool]] = []
    pool.done = lambda name, again: told.append((name, again))
    with scheduled(pool, work, "a", "b"):
        assert work.wait_for("a")
        assert (True, True, False) == (pool.again("a"), pool.again("b"), pool.again("c"))
        work.let_go("a")
        assert work.wait_for("b")
        work.let_go("b")
        assert pool.wait_idle(PATIENCE)
        assert [("a", True), ("b", False)] == sorted(told)


def test_the_pool_is_idle_once_the_end_of_every_job_was_told() -> None:
    """What is written down at the end is written when the service ends after it."""
    work, pool = Work(), Pool(places=1, slow_after=PATIENCE, group_of=lambda _: "")
    told, may_end = threading.Event(), threading.Event()

    def done(_name: str, _again: bool) -> None:
        told.set()
        may_end.wait(PATIENCE)

    pool.done = done
    with scheduled(pool, work, "a"):
        work.let_go("a")
        assert told.wait(PATIENCE)
        assert ([], False) == (pool.working(), pool.wait_idle(0.05))
        may_end.set()
        assert pool.wait_idle(PATIENCE)
