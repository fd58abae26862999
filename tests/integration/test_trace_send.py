"""`exosync trace --send`: a message really travels, and what became of it is told."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.standins.dns import DnsStandin
from tests.standins.endpoints import EndpointsStandIn
from tests.standins.mailflow import PASSWORD
from tests.standins.mailflow_names import Names
from tests.support.cli import Ended, Shell
from tests.support.split_domain import ADA, BOTH, DOMAIN, Company, company, targets, zones
from tests.support.zones import WIDE

Json = dict[str, Any]


class Office:
    """The company, and a shell with its configuration."""

    def __init__(self, shell: Shell, feed: str, company: Company, port: int) -> None:
        self.shell, self.company = shell, company
        self._feed, self._port = feed, port

    def configure(self, google: Json | None = None, **exchange: Any) -> None:
        """Write the configuration, with further keys of the exchange target.

        With keys of the google target that stands beside it.
        """
        told = targets(self.company, self.shell.folder, self._port, **exchange)
        beside = [] if google is None else [{**told[2], **google}]
        self.shell.configure(feed={"url": self._feed}, targets=[told[0], *beside])

    def send(self, *more: str, sender: str = ADA, to: str = BOTH) -> Ended:
        """Foretell, send, and tell what became of it."""
        return self.shell.run("trace", sender, to, "--send", "--wait", "20s", *more)


@contextmanager
def opened(shell: Shell) -> Iterator[Office]:
    """The company, everybody in it letting Exchange Online in."""
    with ExitStack() as stack:
        server = stack.enter_context(
            DnsStandin(
                zones(spf="ip4:40.92.0.0/15 ip4:40.107.0.0/16"),
                keys=[WIDE],
                grants={WIDE.name: ("*",)},
            )
        )
        feed = stack.enter_context(EndpointsStandIn())
        made = stack.enter_context(company(Names(server.host, server.port)))
        made.exchange.access.app_roles |= {"Mail.Send"}
        made.let_in("40.92.0.0/15", "40.107.0.0/16")
        yield Office(shell, feed.url, made, server.port)


@pytest.fixture
def office(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Office]:
    """Everybody lets Exchange Online in; a test makes connector and rule by hand."""
    monkeypatch.chdir(tmp_path)
    with opened(Shell(tmp_path, capsys)) as one:
        yield one


def sent(ended: Ended) -> Json:
    """What became of the message."""
    (way,) = ended.json["ways"]
    told: Json = way["sent"]
    return told


def test_by_graph_it_arrives_as_foretold(office: Office) -> None:
    """It left for the host that the connector names, from ordinary addresses."""
    office.company.route()
    office.configure(probe={"user": ADA})

    ended = office.send("--json")

    told = sent(ended)
    assert [True, True, True] == [one["ok"] for one in told["stages"]]
    assert "Exchange Online says: delivered" == told["stages"][0]["title"]
    (arrived,) = office.company.flow.google.mailboxes[BOTH]
    assert told["message_id"] == arrived.message["Message-ID"]
    assert told["message_id"] in ended.err, "the log tells that one was sent"
    assert 4 != ended.code


def test_by_smtp_it_arrives_too(office: Office) -> None:
    """With the mailbox's password, by STARTTLS."""
    office.company.route()
    flow = office.company.flow
    flow.may_sign_in(ADA)
    folder = office.shell.folder
    (folder / "password").write_text(PASSWORD)
    flow.post.authority.cert_pem.write_to_path(folder / "ca.pem")
    probe = {
        "kind": "smtp",
        "user": ADA,
        "server": flow.submission,
        "password": {"file": "password"},
        "ca_bundle": "ca.pem",
    }
    office.configure(probe=probe)

    ended = office.send()

    assert "Exchange Online says: delivered" in ended.out
    assert "foretold was: to leave" in ended.out
    assert PASSWORD not in ended.out + ended.err
    assert 1 == len(flow.google.mailboxes[BOTH])


def test_a_message_that_stays_is_told_to_have_stayed(office: Office) -> None:
    """Without a rule the mailbox here has it: nothing left, and nothing was foretold to leave."""
    office.configure(probe={"user": ADA})

    told = sent(office.send("--json"))

    assert [True, True] == [one["ok"] for one in told["stages"]]
    assert "it stayed in Exchange Online" == told["stages"][1]["title"]
    assert [] == office.company.flow.google.mailboxes[BOTH]


def test_a_message_that_is_lost_ends_with_4(office: Office) -> None:
    """Nobody of that name is known, and the domain is authoritative."""
    office.configure(probe={"user": ADA})

    ended = office.send("--json", to=f"nobody@{DOMAIN}")

    assert (4, False) == (ended.code, sent(ended)["stages"][0]["ok"])


@pytest.mark.parametrize(
    ("probe", "sender", "told"),
    [
        (None, ADA, "the target has no `probe` in its configuration"),
        ({"user": ADA}, BOTH, f"the probe sends from {ADA} alone"),
    ],
)
def test_what_may_not_be_sent_is_not_sent(
    office: Office, probe: Json | None, sender: str, told: str
) -> None:
    """It is said why, and nothing has gone out."""
    office.configure(**({"probe": probe} if probe else {}))
    ended = office.send(sender=sender, to=BOTH)
    assert (64, True) == (ended.code, told in ended.err)
    assert [] == office.company.exchange.org.sent


def test_a_right_that_is_lacking_is_named(office: Office) -> None:
    """Mail.Send, with consent."""
    office.company.exchange.access.app_roles -= {"Mail.Send"}
    office.configure(probe={"user": ADA})
    ended = office.send()
    assert (4, True) == (ended.code, "Mail.Send" in ended.err)


@pytest.mark.parametrize(
    ("lacking", "told"),
    [
        (set(), (True, "of Microsoft Graph has Mail.Send and ExchangeMessageTrace.Read.All")),
        ({"Mail.Send"}, (None, "has no Mail.Send; a role in Exchange Online may give Mail.Send")),
        (
            {"Mail.Send", "ExchangeMessageTrace.Read.All"},
            (None, "has no Mail.Send and no ExchangeMessageTrace.Read.All; "),
        ),
    ],
)
def test_check_tells_what_is_needed_to_send(
    office: Office, lacking: set[str], told: tuple[bool | None, str]
) -> None:
    """Nothing is sent, and a right that is lacking fails no check: only --send needs it."""
    office.company.exchange.access.app_roles -= lacking
    office.configure(probe={"user": ADA})

    checks = office.shell.run("check", "--json").json["checks"]

    (found,) = (one for one in checks if one["name"] == "probe")
    assert (told[0], True) == (found["ok"], told[1] in found["message"])
    assert [] == office.company.exchange.org.sent


def test_check_looks_for_the_password(office: Office) -> None:
    """It is not tried: somebody who signs in too often is locked out."""
    office.configure(probe={"kind": "smtp", "user": ADA, "password": {"file": "none"}})
    checks = office.shell.run("check", "--json").json["checks"]
    first, second = (one for one in checks if one["name"] == "probe")
    assert (None, True) == (first["ok"], "none" in first["message"])
    assert "of Microsoft Graph has ExchangeMessageTrace.Read.All" in second["message"]


@pytest.mark.parametrize("wait", ["soon", ""])
def test_a_wait_that_is_none_is_refused_before_anything_is_asked(office: Office, wait: str) -> None:
    """With the option's name."""
    office.configure(probe={"user": ADA})
    ended = office.shell.run("trace", ADA, f"x@{DOMAIN}", "--send", "--wait", wait)
    assert (64, True) == (ended.code, "--wait" in ended.err)
    assert [] == office.company.exchange.requests


def test_a_wait_for_nothing_is_a_mistake(office: Office) -> None:
    """Whoever waits believes that a message was sent."""
    ended = office.shell.run("trace", ADA, BOTH, "--wait", "1m")
    assert (64, True) == (ended.code, "--wait is for --send" in ended.err)
