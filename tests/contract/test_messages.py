"""What may fail around a message: sending it, its trace, the look into a mailbox.

None of it is any part of a run: nothing that fails there may make one fail, whatever the answers
are. Nothing secret is told, and nothing of what else is in a mailbox.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.contract.google import GatewayHarness, mailbox_harness
from tests.contract.scene import Scene, opened_scene
from tests.integration.test_trace_send import Office, opened
from tests.standins.google_gmail import Kept
from tests.standins.web import Reply
from tests.support.cli import Ended, Shell
from tests.support.split_domain import ADA, BOTH, RANGES

Json = dict[str, Any]

JSON = {"Content-Type": "application/json"}
FAILURES: Mapping[str, Reply] = {
    "401": Reply(401),
    "401 of Google's": Reply(401, JSON, b'{"error": {"code": 401, "message": "no"}}'),
    "403": Reply(403, JSON, b'{"error": {"code": 403, "message": "no"}}'),
    "403 of NUL bytes": Reply(403, {**JSON, "Content-Encoding": "gzip"}, bytes(4096)),
    "404": Reply(404, JSON, b'{"error": {"code": "ResourceNotFound", "message": "none"}}'),
    "405": Reply(405),
    "429": Reply(429),
    "429 for long": Reply(429, {"Retry-After": "3600"}),
    "500": Reply(500, JSON, b'{"error": {"code": 500, "message": "oh"}}'),
    "503": Reply(503, {"Content-Type": "text/html"}, b"<h2>Our services aren't available"),
    "a page": Reply(200, {"Content-Type": "text/html"}, b"<html>Sign in</html>"),
    "a redirect": Reply(302, {"Location": "https://portal.example/"}),
    "another JSON": Reply(200, JSON, b"[null]"),
    "a torn answer": Reply(200, {"Content-Encoding": "gzip"}, bytes(64)),
    "a reset": Reply(manner="reset"),
}
HANG = Reply(manner="hang")
GMAIL, TOKEN, GRAPH, TRACES = "/gmail/", "/token", "/v1.0/users/", "/v1.0/admin/"
ALL = 12
"""More than anybody asks for one thing."""


@pytest.fixture
def harness(tmp_path: Path) -> Iterator[GatewayHarness]:
    """An account in which mailboxes may be looked into."""
    folder = tmp_path / "outside"
    folder.mkdir()
    with mailbox_harness(folder) as one:
        one.google.gmail.mailboxes["postmaster@example.com"] = []
        yield one


@pytest.fixture
def scene(harness: GatewayHarness, tmp_path: Path) -> Iterator[Scene]:
    """An installation in which nothing has happened yet."""
    with opened_scene(tmp_path / "state", harness) as one:
        yield one


def test_no_run_looks_into_a_mailbox(scene: Scene, harness: GatewayHarness) -> None:
    """Not even for a token; what is configured for messages makes no difference to it."""
    scene.work()
    scene.change()
    scene.work()
    assert [] == harness.google.requests


@pytest.mark.parametrize("path", [GMAIL, TOKEN])
def test_a_check_tells_what_mailboxes_lack_and_fails_for_nothing(
    scene: Scene, harness: GatewayHarness, path: str
) -> None:
    """Only trace --send needs them: a warning, whatever is answered."""
    for name, reply in FAILURES.items():
        harness.google._scripts.clear()
        harness.google.script(*[reply] * ALL, path=path)

        checks = scene.check()

        assert not [one for one in checks if one.ok is False], name
        last = [one for one in checks if one.name in ("Gmail API", "scope gmail.metadata")][-1]
        assert (None, True) == (last.ok, bool(last.message)), name
        text = "".join(f"{one.message} {one.remedy}" for one in checks)
        assert not [secret for secret in harness.secrets if secret in text], name


class Desk:
    """The office, where somebody sends a message while one part of it fails."""

    def __init__(self, office: Office) -> None:
        self.office = office
        google, exchange = office.company.google, office.company.exchange
        self.scripted: dict[str, Any] = {
            GMAIL: google,
            TOKEN: google,
            GRAPH: exchange,
            TRACES: exchange,
        }
        private = b"Message-Id: <1@x.example>\r\nSubject: a private matter\r\n\r\nHello\r\n"
        old = datetime(2020, 1, 1, tzinfo=UTC)
        box = office.company.flow.google.mailboxes[BOTH]
        box.append(Kept("1@x.example", "mallory@x.example", (BOTH,), private, "192.0.2.1", at=old))

    def send(self, path: str, reply: Reply) -> Ended:
        """Send a message while what is asked at a path gets this."""
        standin = self.scripted[path]
        standin._scripts.clear()
        standin.script(*[reply] * ALL, path=path)
        return self.office.shell.run(
            "--debug", "trace", ADA, BOTH, "--send", "--wait", "5s", "--json"
        )

    def sent(self) -> int:
        """How often it was asked to send a message."""
        asked = self.office.company.exchange.requests
        return sum(one.path.startswith(GRAPH) for one in asked)

    def no_secret_in(self, text: str) -> None:
        """Neither what opens a door, nor anything of other messages."""
        company = self.office.company
        key = json.loads((self.office.shell.folder / "service-account.json").read_text())
        secrets = [
            "the-secret-of-exchange",
            *(one for one in key["private_key"].splitlines() if one and "-----" not in one),
            *company.exchange.access.tokens,
            *company.google.authority._tokens,
        ]
        for one in (*secrets, "private matter", "mallory", "x.example"):
            assert one not in text


@pytest.fixture
def desk(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Desk]:
    """Everybody is let in, and a recipient's mailbox may be looked into."""
    monkeypatch.chdir(tmp_path)
    with opened(Shell(tmp_path, capsys)) as office:
        office.company.route()
        google = {"mailbox_headers": True, "timeout": "1s"}
        office.configure(google, probe={"user": ADA}, timeout="5s")
        office.company.google.set_allowlist(RANGES)
        office.shell.run("plan")
        office.company.flow.google.any_address = True
        yield Desk(office)


SILENT = {**FAILURES, "a silence": HANG}


@pytest.mark.parametrize(
    ("path", "who", "other", "failures"),
    [
        (TRACES, "exchange", "google", FAILURES),
        (GMAIL, "google", "exchange", SILENT),
        (TOKEN, "google", "exchange", FAILURES),
    ],
    ids=["trace", "mailbox", "token"],
)
def test_whoever_cannot_tell_of_a_message_is_told_beside_what_others_tell(
    desk: Desk, path: str, who: str, other: str, failures: Mapping[str, Reply]
) -> None:
    """Whatever is answered; the message was sent once each time."""
    for number, (name, reply) in enumerate(failures.items(), 1):
        ended = desk.send(path, reply)

        (way,) = ended.json["ways"]
        told = way["sent"]
        assert (4, [who]) == (ended.code, [*told["errors"]]), name
        assert not ("429" in name and "next run" in told["errors"][who]), "no run asks for it"
        assert {other} == {one["target"] for one in told["stages"]}, name
        assert number == desk.sent(), name
        desk.no_secret_in(ended.out + ended.err)
        assert "@example.com" not in ended.err.replace(told["message_id"], ""), (
            "the log names nobody"
        )


def test_what_cannot_be_sent_costs_nothing_that_was_foretold(desk: Desk) -> None:
    """It is sent once; only where it may have been all the same, how to ask for it is told."""
    unsure = {"500", "503", "a page", "another JSON", "a torn answer", "a reset", "a silence"}
    for name, reply in SILENT.items():
        before = desk.sent()
        ended = desk.send(GRAPH, reply)

        (way,) = ended.json["ways"]
        assert 4 == ended.code, name
        assert (True, None) == (bool(way["stages"]), way.get("sent")), name
        assert (name in unsure) is ("it may have been sent all the same" in way["send_error"]), name
        assert (4 if name == "429" else 1) == desk.sent() - before, name
        desk.no_secret_in(ended.out + ended.err)
