"""A state of many years answers with as little work as a new one.

Work is counted in steps of SQLite's virtual machine, which no other process can disturb.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from exosync.store import Store
from tests.support.state import AT, URL, WORLD, connection_of, fill, plan, raw, target

LATER = AT + timedelta(days=1)

GROW = """
WITH RECURSIVE n(i) AS (SELECT 100 UNION ALL SELECT i + 1 FROM n WHERE i < 99 + {events})
INSERT INTO events SELECT i, '{at}', CASE i WHEN 100 THEN 'rare' ELSE 'common' END, 'info', 'edge',
    't', '{{}}', 1 FROM n;
WITH RECURSIVE n(i) AS (SELECT 100 UNION ALL SELECT i + 1 FROM n WHERE i < 99 + {runs})
INSERT INTO runs SELECT i, 'sync', '{at}', '{at}', '{at}', 'in_sync', NULL, '{{}}', i, 0, '', '' FROM n;
WITH RECURSIVE n(i) AS (SELECT 100 UNION ALL SELECT i + 1 FROM n WHERE i < 99 + {runs})
INSERT INTO plans SELECT 'z' || i, 'edge', 'v', 0, '{{}}', '{{}}', 0, i, 'applied', '{at}', '{at}', '{at}',
    NULL FROM n;
WITH RECURSIVE n(i) AS (SELECT 100 UNION ALL SELECT i + 1 FROM n WHERE i < 99 + {runs})
INSERT INTO steps SELECT i, i, 'z' || i, 'edge', 'r', 's', 'e', 'g', '{at}', 'done', '{at}', '' FROM n;
WITH RECURSIVE n(i) AS (SELECT 100 UNION ALL SELECT i + 1 FROM n WHERE i < 99 + {runs})
INSERT INTO approvals SELECT i, 'z' || i, 'ada', 'why', '{at}', '{at}' FROM n;
"""


def grown(base: Path, *, events: int, runs: int) -> Path:
    """A state with so many events, and so many runs that each did one step of one plan."""
    base.mkdir()
    with Store.open(URL, base=base) as store:
        fill(store)
    with raw(store.path) as connection:
        connection.executescript(
            "BEGIN;" + GROW.format(events=events, runs=runs, at=AT.isoformat()) + "COMMIT;"
        )
    return base


@pytest.fixture(scope="module")
def states(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Store, Store]]:
    """A small state and a large one."""
    folder = tmp_path_factory.mktemp("growth")
    small = grown(folder / "small", events=200, runs=200)
    large = grown(folder / "large", events=100_000, runs=20_000)
    with ExitStack() as stack:
        opened = [stack.enter_context(Store.open(URL, base=base)) for base in (small, large)]
        yield opened[0], opened[1]


def work(store: Store, call: Callable[[Store], object]) -> int:
    """How many steps of the virtual machine a call takes; what it writes is undone."""
    steps = 0

    def count() -> None:
        nonlocal steps
        steps += 1

    connection = connection_of(store)
    with pytest.raises(ZeroDivisionError), store.transaction():
        connection.set_progress_handler(count, 1)
        call(store)
        connection.set_progress_handler(None, 1)
        raise ZeroDivisionError
    return steps


def run_again(store: Store) -> None:
    """A run that finds what the last one found."""
    for _ in range(2):
        run_id = store.begin_run("sync", LATER)
        store.finish_run(
            run_id, outcome="in_sync", version=None, report={}, fingerprint="same", at=LATER
        )


def rare_command(store: Store) -> None:
    """The first run of its command."""
    run_id = store.begin_run("adopt", LATER)
    store.finish_run(run_id, outcome="pending", version=None, report={}, fingerprint="f", at=LATER)


def step(store: Store) -> None:
    """A step from intent to outcome."""
    step_id = store.intend(
        1, "aaaa00000001", "edge", resource="r", summary="s", expects="e", gives="g", at=LATER
    )
    store.unfinished("edge")
    store.conclude(step_id, "done", LATER)
    store.steps_since("edge", AT)
    store.steps_of_runs_since("edge", LATER)


CALLS: dict[str, Callable[[Store], object]] = {
    "status": lambda store: (store.target_states(), store.open_plans(), store.feed_state(WORLD)),
    "history": lambda store: store.runs(50),
    "next page": lambda store: store.runs(50, before_id=150),
    "one run": lambda store: (store.run(120), store.steps(120), store.steps_of_plan("z120")),
    "events": lambda store: store.events(50),
    "rare events": lambda store: store.events(50, kinds=["rare"]),
    "common events": lambda store: store.events(50, kinds=["common", "rare"]),
    "feed": lambda store: (store.adopted(WORLD), store.snapshot(WORLD, "2026010100")),
    "a run without news": run_again,
    "a rare command": rare_command,
    "an interrupted run": lambda store: (store.begin_run("sync", AT), store.interrupted(AT)),
    "a new plan": lambda store: store.save_plan(replace(plan("new"), run_id=1), LATER),
    "a target in order": lambda store: store.close_plans("edge", LATER),
    "an approval": lambda store: store.approve("aaaa00000001", by="a", why="w", at=LATER),
    "an applied plan": lambda store: store.mark_plan("aaaa00000001", "applied", LATER),
    "a step": step,
    "a target": lambda store: store.save_target_state(target()),
    "an event": lambda store: store.add_event(
        "k", "info", target=None, title="t", body={}, run_id=1, at=LATER
    ),
}


@pytest.mark.parametrize("name", CALLS)
def test_the_work_does_not_grow_with_the_state(states: tuple[Store, Store], name: str) -> None:
    """A hundred thousand events, twenty thousand runs: as much work as for two hundred."""
    small, large = (work(store, CALLS[name]) for store in states)
    assert large <= 1.1 * small + 50


def test_runs_without_news_do_not_make_the_file_grow(tmp_path: Path) -> None:
    """They are counted; the pages that each needed for a moment are used again."""
    with Store.open(URL, base=tmp_path) as store:
        run_again(store)
        before = connection_of(store).execute("PRAGMA page_count").fetchone()
        with store.transaction():
            for _ in range(100):
                run_again(store)
        assert before == connection_of(store).execute("PRAGMA page_count").fetchone()
        assert 1 == len(store.runs(9))
        assert 201 == store.runs(9)[0].repeats
