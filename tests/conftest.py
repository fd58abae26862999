"""What all tests share: how thorough the property tests are.

The network is closed but for loopback by pytest-socket (see pyproject.toml).
"""

from __future__ import annotations

import os
from collections import Counter
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    import pytest

settings.register_profile("dev", max_examples=50, deadline=None)
settings.register_profile(
    "ci",
    max_examples=100,
    deadline=None,
    derandomize=True,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile(
    os.environ.get("HYPOTHESIS_PROFILE") or ("ci" if os.environ.get("CI") else "dev")
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take longest, so that no worker is left with one at the end.

    pytest-xdist would begin with those that hold most tests (see --no-loadscope-reorder).
    """
    slow = {one.path for one in items if one.get_closest_marker("slow")}
    sizes = Counter(one.path for one in items)
    items.sort(key=lambda one: (one.path not in slow, -sizes[one.path]))
