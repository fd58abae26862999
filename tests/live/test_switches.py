"""Real accounts are asked only when the environment says so, and then they are."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.standins.mimecast import MimecastStandIn

FOLDER = Path(__file__).parent
SECRET = "the-secret-of-a-test"


def run_pytest(*words: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Tests of this folder in a process of their own, with nothing else switched on."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("EXOSYNC_")}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *words]
    return subprocess.run(
        command,
        env={**kept, **environ},
        cwd=FOLDER.parents[1],
        capture_output=True,
        text=True,
        check=False,
    )


def test_without_accounts_each_file_is_skipped_and_says_what_it_needs() -> None:
    """One line for each vendor, with the names of the variables."""
    ended = run_pytest("tests/live/test_mimecast.py", "tests/live/test_google.py")

    assert "2 skipped" in ended.stdout, ended.stdout
    for vendor in ("MIMECAST", "GOOGLE"):
        assert f"set EXOSYNC_LIVE_{vendor}_" in ended.stdout


def test_with_an_account_the_contract_is_tried_on_it_and_nothing_stays(tmp_path: Path) -> None:
    """The account here is the stand-in: the tests themselves must work on the day they are needed."""
    (tmp_path / "id").write_text("the-id")
    (tmp_path / "secret").write_text(SECRET)
    with MimecastStandIn(client_secret=SECRET) as account:
        account.add_policy("anti-spoofing", description="somebody's")
        ended = run_pytest(
            "tests/live/test_mimecast.py",
            "-k",
            "second_run or never_touched or not_permitted",
            EXOSYNC_LIVE_MIMECAST_URL=account.url,
            EXOSYNC_LIVE_MIMECAST_CLIENT_ID_FILE=str(tmp_path / "id"),
            EXOSYNC_LIVE_MIMECAST_CLIENT_SECRET_FILE=str(tmp_path / "secret"),
            EXOSYNC_LIVE_MIMECAST_DOMAIN="example.com",
        )

        assert "3 passed" in ended.stdout, ended.stdout
        assert ["somebody's"] == [one.description for one in account.policies["anti-spoofing"]]
        assert [] == account.violations
        assert [] == account.dangerous
