"""All benchmarks, and docs/benchmarks.md written anew from them: `make bench`.

`python -m tests.bench targets` measures the targets of vendors alone and writes their part of
the page anew: none of the tools that exosync is compared with is needed for that.
`python -m tests.bench exchange` does the same for Exchange Online's connector and rule.
`python -m tests.bench serve` measures the service, and writes docs/benchmarks-service.md anew.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.bench.report import report
from tests.bench.report_exchange import TITLE as EXCHANGE
from tests.bench.report_exchange import section as exchange_section
from tests.bench.report_serve import OTHERS
from tests.bench.report_serve import page as service_page
from tests.bench.report_targets import TITLE, section

HERE = Path(__file__).parent
PAGE = HERE.parents[1] / "docs" / "benchmarks.md"
SERVICE_PAGE = PAGE.with_name("benchmarks-service.md")


def told(script: str) -> dict[str, Any]:
    """What one of them measures, in a process of its own."""
    print(f"running {script}", file=sys.stderr, flush=True)
    command = [sys.executable, str(HERE / script), "--json"]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def with_targets(page: str) -> str:
    """The page with its part about Mimecast and Google measured anew."""
    before, _, after = page.partition(f"\n{TITLE}\n")
    kept = after.partition(f"\n{EXCHANGE}\n")[2]
    end = f"{EXCHANGE}\n{kept}" if kept else ""
    return "\n".join([before.rstrip("\n"), "", *section(told("bench_targets.py")), end])


def with_exchange(page: str) -> str:
    """The page with its last part, that of Exchange Online, measured anew."""
    others = page.partition(f"\n{EXCHANGE}\n")[0].rstrip("\n")
    return "\n".join([others, "", *exchange_section(told("bench_exchange.py"))])


def with_others(page: str) -> str:
    """The service measured anew; what others measure of it, the page's last part, stays."""
    _, title, others = page.partition(f"\n{OTHERS}\n")
    return service_page(told("serve.py")) + title + others


def main() -> None:
    """Measure everything, or one part alone; write the page and show it."""
    match sys.argv[1:]:
        case []:
            scripts = ("bench_ranges.py", "bench_process.py", "bench_targets.py")
            written, page = PAGE, with_exchange(report(*map(told, scripts)))
        case ["targets"]:
            written, page = PAGE, with_targets(PAGE.read_text())
        case ["exchange"]:
            written, page = PAGE, with_exchange(PAGE.read_text())
        case ["serve"]:
            written, page = SERVICE_PAGE, with_others(SERVICE_PAGE.read_text())
        case _:
            raise SystemExit("usage: python -m tests.bench [targets | exchange | serve]")
    written.write_text(page)
    print(page)


if __name__ == "__main__":
    main()
