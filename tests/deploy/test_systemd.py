"""The systemd units, read by systemd's own tool."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "deploy" / "systemd"
UNITS = sorted(one.name for one in FOLDER.iterdir() if one.suffix in {".service", ".timer"})
SERVICES = [one for one in UNITS if one.endswith(".service")]
WORST = 2.0
"""`systemd-analyze security` calls up to 10 unsafe, and under 2 fine."""


def analyze(*words: str) -> subprocess.CompletedProcess[str]:
    """Run systemd-analyze; it needs no running systemd."""
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("systemd-analyze is not there (Debian package systemd)")
    return subprocess.run([program, *words], capture_output=True, text=True, check=False)


def settings(name: str) -> dict[str, str]:
    """The keys of a unit that are set, each with its last value."""
    lines = (FOLDER / name).read_text().splitlines()
    pairs = [line.partition("=") for line in lines if "=" in line and not line.startswith("#")]
    return {key: value for key, _, value in pairs}


def hardening(name: str) -> list[str]:
    """The lines that take rights away."""
    text = (FOLDER / name).read_text()
    found = re.search(r"^AmbientCapabilities=\n.*?^TasksMax=\d+\n", text, re.MULTILINE | re.DOTALL)
    assert found is not None
    return found[0].splitlines()


def test_systemd_finds_nothing_wrong_with_the_units(tmp_path: Path) -> None:
    """Every key and value is known, and what a unit names is there."""
    for name in UNITS:
        text = (FOLDER / name).read_text()
        # The program has to exist, and /opt is nobody's business in a test.
        (tmp_path / name).write_text(text.replace("/opt/exosync/bin/exosync", sys.executable))
    told = analyze("verify", "--man=no", *(str(tmp_path / name) for name in UNITS))
    assert "" == "\n".join(line for line in told.stderr.splitlines() if str(tmp_path) in line)
    assert 0 == told.returncode, told.stderr


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_exposed_little(name: str) -> None:
    """systemd's own measure of what a service could do is under 2."""
    told = analyze("security", "--offline=true", "--no-pager", str(FOLDER / name))
    figure = re.search(r"Overall exposure level for .*: ([\d.]+)", told.stdout)
    assert figure is not None, told.stderr
    assert WORST > float(figure[1])


def test_both_services_are_held_alike() -> None:
    """The one-shot run may do no more than the service."""
    assert hardening("exosync.service") == hardening("exosync-sync.service")


def test_the_service_speaks_to_systemd() -> None:
    """It tells when it is ready, is watched, is reloaded by SIGHUP, and has time to end."""
    service = settings("exosync.service")
    assert "notify" == service["Type"]
    assert "main" == service["NotifyAccess"]
    assert "2min" == service["WatchdogSec"]
    assert "/bin/kill -HUP $MAINPID" == service["ExecReload"]
    assert "40s" == service["TimeoutStopSec"]
    assert "64" == service["RestartPreventExitStatus"]


@pytest.mark.parametrize("name", SERVICES)
def test_the_state_has_a_folder_of_its_own(name: str) -> None:
    """The system is read-only but for the state."""
    service = settings(name)
    assert "exosync" == service["StateDirectory"] == service["User"]
    assert "strict" == service["ProtectSystem"]


def test_the_timer_starts_the_run() -> None:
    """A timer starts the service of its own name."""
    assert "exosync-sync.service" in UNITS
    timer = settings("exosync-sync.timer")
    assert "hourly" == timer["OnCalendar"]
    assert "Unit" not in timer
