"""`make service` leaves nothing behind, whoever stops it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_whoever_stops_it_stops_the_service(how: signal.Signals) -> None:
    """A terminal that is closed, or `kill`: the service would go on without its stand-ins."""
    with subprocess.Popen(
        [sys.executable, "-u", "-m", "tests.playground"],
        cwd=ROOT,
        env={**os.environ, "LISTEN": "127.0.0.1:0"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as playground:
        assert playground.stdout is not None
        said = ""
        for line in playground.stdout:
            said += line
            if '"serving"' in line:
                break
        playground.send_signal(how)
        said += playground.communicate(timeout=120)[0]  # until the service has let go of it, too

    (folder,) = {Path(one).parent for one in re.findall(r"--config (\S+)", said)}
    assert (0, False) == (playground.returncode, folder.exists()), said
    assert '"stopped"' in said, said
