"""Real accounts are asked only when the environment says so, and then they are."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from pathlib import Path

from tests.standins.exchange import ExchangeStandIn
from tests.standins.exchange_graph import add_trace
from tests.standins.exchange_keys import made_certificate
from tests.standins.google import GoogleStandIn
from tests.standins.google_gmail import Kept
from tests.standins.mimecast import MimecastStandIn

FOLDER = Path(__file__).parent
SECRET = "the-secret-of-a-test"


def run_pytest(*words: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Tests of this folder in a process of their own, with nothing else switched on."""
    others = ("EXOSYNC_", "COVERAGE_")
    kept = {key: value for key, value in os.environ.items() if not key.startswith(others)}
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
    names = ("mimecast", "google", "exchange", "mailbox", "messages")
    ended = run_pytest(*(f"tests/live/test_{one}.py" for one in names))

    assert "5 skipped" in ended.stdout, ended.stdout
    for vendor in ("MIMECAST", "GOOGLE", "EXCHANGE"):
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


@contextmanager
def tenant(folder: Path) -> Iterator[tuple[ExchangeStandIn, dict[str, str]]]:
    """A stand-in that holds something of somebody's, and what names it to the tests."""
    certificate, text = made_certificate("live")
    (folder / "certificate").write_text(text)
    with ExchangeStandIn("example.com", certificates=[certificate]) as made:
        made.org.add_group("tests@example.com", [])
        made.org.add_connector("somebody's", RecipientDomains=["partner.example"])
        made.org.add_rule("somebody's", SubjectContainsWords=["x"], PrependSubject="x ")
        named = {
            "TENANT": made.tenant,
            "CLIENT_ID": made.client_id,
            "CERTIFICATE_FILE": str(folder / "certificate"),
            "DOMAIN": "example.com",
            "GROUP": "tests@example.com",
            "URL": made.url,
        }
        yield made, {f"EXOSYNC_LIVE_EXCHANGE_{key}": value for key, value in named.items()}


def test_a_tenant_is_only_read_unless_somebody_says_otherwise(tmp_path: Path) -> None:
    """Plans, stale ones too; what needs somebody who writes is skipped, with how to let it."""
    with tenant(tmp_path) as (made, named):
        ended = run_pytest(
            "tests/live/test_exchange.py",
            *("-rs", "-k", "nothing_is_written or second_run"),
            **named,
        )

        assert "2 passed, 1 skipped" in ended.stdout, ended.stdout
        assert "set EXOSYNC_LIVE_EXCHANGE_PERSON" in ended.stdout
        assert 0 == made.writes


def test_in_a_tenant_that_may_be_written_nothing_stays(tmp_path: Path) -> None:
    """With connector and rule made, switched on and taken over, and everything away in the end."""
    with tenant(tmp_path) as (made, named):
        ended = run_pytest(
            "tests/live/test_exchange.py",
            *("-k", "never_touched or adopting_plans"),
            **{**named, "EXOSYNC_LIVE_EXCHANGE_WRITE": "rest"},
        )

        assert "2 passed" in ended.stdout, ended.stdout
        left = [one["Name"] for one in (*made.org.connectors, *made.org.rules)]
        assert ["somebody's", "somebody's"] == left
        assert [] == made.dangerous


@contextmanager
def account(folder: Path) -> Iterator[tuple[GoogleStandIn, dict[str, str]]]:
    """A stand-in with a mailbox, and what names both to the tests."""
    with GoogleStandIn(allowlist=[]) as made:
        made.gmail.mailboxes |= {"alan@example.com": [], "postmaster@example.com": []}
        named = {
            "CUSTOMER": "C01abcdef",
            "ADMIN": "postmaster@example.com",
            "KEY_FILE": str(made.key_file(folder)),
            "URL": made.url,
            "MAILBOX": "alan@example.com",
        }
        yield made, {f"EXOSYNC_LIVE_GOOGLE_{key}": value for key, value in named.items()}
        assert [] == made.violations


def test_a_message_is_sent_only_if_somebody_says_so(tmp_path: Path) -> None:
    """With the accounts alone no message is; then one, which is followed to its mailbox."""
    with tenant(tmp_path) as (made, tenant_named), account(tmp_path) as (google, google_named):
        made.org.add_recipient("ada@example.com")

        def passes(_: str, mime: bytes) -> None:
            ident = str(message_from_bytes(mime)["Message-ID"])
            at, ada, alan = datetime.now(UTC), "ada@example.com", "alan@example.com"
            add_trace(made.org, ada, alan, message_id=ident, received=at - timedelta(seconds=2))
            kept = Kept(ident, ada, (alan,), mime, "192.0.2.1", at=at)
            google.gmail.mailboxes[alan].append(kept)

        made.org.send = passes
        files = ("tests/live/test_mailbox.py", "tests/live/test_messages.py")
        named = {**tenant_named, **google_named}
        ended = run_pytest(*files, **named)
        assert "2 passed, 1 skipped" in ended.stdout, ended.stdout
        assert [] == made.org.traces

        more = {"FROM": "ada@example.com", "TO": "alan@example.com", "WAIT": "30"}
        sends = {f"EXOSYNC_LIVE_EXCHANGE_SEND_{key}": value for key, value in more.items()}
        ended = run_pytest(*files, **named, **sends)
        assert "4 passed" in ended.stdout, ended.stdout
        assert 1 == len(made.org.traces)
        assert 0 == made.writes
