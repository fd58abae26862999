"""A week of the service in one process: `python -m tests.bench.serve_week FOLDER HOURS`.

The jobs are driven by `tests.serve.simulated`, which leaves out the waiting, the threads and the
page; the figures for Prometheus are read every five minutes. It prints a line of JSON an hour.
"""

from __future__ import annotations

import json
import os
import sys
from datetime import timedelta
from pathlib import Path
from random import Random

from exosync.config import load
from exosync.log import configure as configure_log
from tests.bench.serve_world import account
from tests.serve.simulated import START, WATCH, Simulated

EVERY = timedelta(minutes=5)


def main() -> None:
    """Live through the hours."""
    folder, hours = Path(sys.argv[1]), int(sys.argv[2])
    configure_log(level="error")
    runs = 0
    service = Simulated(load(folder / "exosync.yaml", environ={}), {}, Random(0), watch_every=EVERY)

    def after(name: str) -> None:
        nonlocal runs
        runs += not name.startswith(":") or name == ":feed"
        if name == WATCH:
            service.metrics.render()

    service.after = after
    service.start()
    for hour in range(hours + 1):
        service.run_until(START + timedelta(hours=hour, minutes=1))
        told = {"hours": hour, "runs": runs, "resident": account(os.getpid()).resident}
        print(json.dumps(told), flush=True)


if __name__ == "__main__":
    main()
