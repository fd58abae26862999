"""What all tests share: how thorough the property tests are, and what is installed.

The network is closed but for loopback by pytest-socket (see pyproject.toml).
"""

from __future__ import annotations

import os
import signal
import sys
from collections import Counter
from functools import cache
from importlib.metadata import EntryPoints, entry_points

import pytest
from hypothesis import HealthCheck, settings

from exosync.config import kinds

_PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

settings.register_profile("dev", _PATIENT, max_examples=50)
settings.register_profile("ci", _PATIENT, max_examples=100, derandomize=True, print_blob=True)
settings.load_profile(
    os.environ.get("HYPOTHESIS_PROFILE") or ("ci" if os.environ.get("CI") else "dev")
)


# A shell lets what it runs in the background ignore Ctrl-C, and so would all that tests start.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def looked_up_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is installed does not change meanwhile: it is looked up once and not for every run."""
    monkeypatch.setattr(kinds, "entry_points", lambda group: _installed(group, tuple(sys.path)))


@cache
def _installed(group: str, _path: tuple[str, ...]) -> EntryPoints:
    return entry_points(group=group)


@pytest.fixture(autouse=True)
def untraced_throughout(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where lines are not counted, those of other processes are not counted either."""
    if request.node.get_closest_marker("no_cover"):
        monkeypatch.delenv("COVERAGE_PROCESS_CONFIG", raising=False)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take longest, so that no worker is left with one at the end.

    pytest-xdist would begin with those that hold most tests (see --no-loadscope-reorder). What
    is slow does over and over what other tests do once, so its lines are not counted: that
    alone would take a third of its time.
    """
    for one in items:
        if one.get_closest_marker("slow"):
            one.add_marker("no_cover")
    slow = {one.path for one in items if one.get_closest_marker("slow")}
    sizes = Counter(one.path for one in items)
    items.sort(key=lambda one: (one.path not in slow, -sizes[one.path]))
