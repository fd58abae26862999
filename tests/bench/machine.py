"""What the figures were made on: never which machine, only what kind."""

from __future__ import annotations

import os
import platform
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

from tests.bench.bench_ranges import processor


def machine(*packages: str) -> dict[str, Any]:
    """Date, processor, memory and versions, as JSON values."""
    return {
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "machine": (
            f"{platform.system()} {platform.machine()}, {processor()}, "
            f"{os.cpu_count()} cores, {memory() / 2**30:.0f} GiB"
        ),
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "versions": {name: version(name) for name in packages},
    }


def memory() -> int:
    """The memory of the machine, in bytes."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
