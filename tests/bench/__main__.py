"""All benchmarks, and docs/benchmarks.md written anew from them: `make bench`."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.bench.report import report

HERE = Path(__file__).parent
PAGE = HERE.parents[1] / "docs" / "benchmarks.md"


def told(script: str) -> dict[str, Any]:
    """What one of them measures, in a process of its own."""
    print(f"running {script}", file=sys.stderr, flush=True)
    command = [sys.executable, str(HERE / script), "--json"]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def main() -> None:
    """Measure everything, write the page and show it."""
    page = report(told("bench_ranges.py"), told("bench_process.py"))
    PAGE.write_text(page)
    print(page)


if __name__ == "__main__":
    main()
