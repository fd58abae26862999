"""`exosync trace --send` and `--sent`: a message really travels, and what became of it is told."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.standins.dns import DnsStandin
from tests.standins.endpoints import EndpointsStandIn
from tests.standins.exchange_graph import ROOT as TRACES
from tests.standins.exchange_graph import add_trace
from tests.standins.mailflow import PASSWORD
from tests.standins.mailflow_names import Names
from tests.standins.web import Reply
from tests.support.cli import Ended, Shell
from tests.support.split_domain import ADA, BOTH, DOMAIN, Company, company, targets, zones
from tests.support.zones import WIDE

Json = dict[str, Any]

FOREIGN = "CAF1234+x@mail.partner.example"
"""The id of a message that is not exosync's."""


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

    def ask(self, ident: str, *more: str, sender: str = ADA, to: str = BOTH) -> Ended:
        """Foretell, and tell what became of a message that was sent before."""
        return self.shell.run("trace", sender, to, "--sent", ident, *more)

    def asked_for(self) -> list[str]:
        """The filters by which Graph was asked for traces."""
        asked = (one for one in self.company.exchange.requests if one.path == TRACES)
        return [one.query["$filter"] for one in asked]


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


def test_what_cannot_be_sent_costs_nothing_of_what_was_foretold(office: Office) -> None:
    """Beside it stands why; here a permission that is lacking."""
    office.company.route()
    office.company.exchange.access.app_roles -= {"Mail.Send"}
    office.configure(probe={"user": ADA})

    ended, read = office.send("--json"), office.send()

    (way,) = ended.json["ways"]
    assert (4, True, None) == (ended.code, way["leaves"], way["error"])
    assert "Mail.Send" in way["send_error"]
    assert "sent" not in way
    assert "sending failed: 127.0.0.1: sendMail" in read.out.partition("\nnothing is wrong, ")[2]
    assert 4 == read.code


def test_what_the_mail_server_refuses_is_told_so_too(office: Office) -> None:
    """Another password than the mailbox's."""
    flow, folder = office.company.flow, office.shell.folder
    flow.may_sign_in(ADA)
    (folder / "password").write_text("another")
    flow.post.authority.cert_pem.write_to_path(folder / "ca.pem")
    probe = {"kind": "smtp", "user": ADA, "server": flow.submission, "ca_bundle": "ca.pem"}
    office.configure(probe={**probe, "password": {"file": "password"}})

    ended = office.send("--json")

    (way,) = ended.json["ways"]
    assert (4, True) == (ended.code, "refuses the sign-in" in way["send_error"])
    assert [] != way["stages"]


def test_what_may_have_been_sent_can_be_asked_for(office: Office) -> None:
    """Graph does not say whether it took the message: the error has the command."""
    office.configure(probe={"user": ADA})
    office.company.exchange.script(Reply(500), path="/v1.0/users/")

    (way,) = office.send("--json").json["ways"]

    _, told, command = way["send_error"].partition("it may have been sent all the same")
    assert told
    ident = command.rpartition(" --sent ")[2]
    ended = office.ask(ident, "--json")
    assert "the message trace does not show the message" == sent(ended)["stages"][0]["title"]


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


# Asking again


def test_what_did_not_show_is_asked_for_again(office: Office) -> None:
    """By the command that was told; nothing is sent, and `probe` is not needed."""
    office.company.route()
    office.configure(probe={"user": ADA})
    office.company.exchange.switch(trace_delay=timedelta(hours=1))
    args = ("trace", ADA, BOTH, "--send", "--wait", "0s")
    early = office.shell.run(*args)
    assert "unknown  happened: the message trace does not show the message yet" in early.out
    office.company.flow.post.settle()
    (trace,) = office.company.exchange.org.traces
    trace["receivedDateTime"] -= timedelta(seconds=1)  # queries are told whole seconds
    office.company.exchange.switch(trace_delay=timedelta())
    (command,) = (one for one in early.out.splitlines() if " exosync trace " in one)
    office.configure()

    ended = office.shell.run(*shlex.split(command.partition("exosync ")[2]), "--json")

    told = sent(ended)
    (arrived,) = office.company.flow.google.mailboxes[BOTH]
    assert (arrived.message["Message-ID"], None) == (told["message_id"], told["at"])
    assert {} == told["errors"]
    assert [True, True, True] == [one["ok"] for one in told["stages"]]
    assert "Exchange Online says: delivered" == told["stages"][0]["title"]
    foretold = "foretold was: to leave, to eu-smtp-inbound-1.mimecast.com"
    assert [foretold] == told["stages"][1]["says"]
    assert 4 != ended.code


@pytest.mark.parametrize("written", [FOREIGN, f"<{FOREIGN}>", f"  <{FOREIGN}> "])
def test_anybodys_message_can_be_asked_for(office: Office, written: str) -> None:
    """A user's lost one, with brackets or without; what was lost ends with 4."""
    office.company.route()
    office.configure()
    ago = datetime.now(UTC) - timedelta(days=33)
    add_trace(
        office.company.exchange.org,
        ADA,
        BOTH,
        message_id=f"<{FOREIGN}>",
        received=ago,
        status="quarantined",
    )

    ended = office.ask(written)

    assert 4 == ended.code
    assert f"what became of <{FOREIGN}>" in ended.out
    assert "astray   happened: Exchange Online says: quarantined" in ended.out
    assert 4 == len(office.asked_for()), "ten days at a time, until it was found"


def test_what_is_nowhere_is_looked_for_as_far_back_as_there_is_anything(office: Office) -> None:
    """Nine queries of ten days, none of which Graph refuses."""
    office.configure()
    ended = office.ask(FOREIGN, "--json")
    (stage,) = sent(ended)["stages"]
    assert "the message trace does not show the message" == stage["title"]
    assert 9 == len(office.asked_for())
    assert [] == office.company.exchange.org.sent


def test_it_can_be_waited_for(office: Office) -> None:
    """Until it shows."""
    office.configure()
    received = datetime.now(UTC) - timedelta(minutes=1)
    org = office.company.exchange.org
    add_trace(org, ADA, BOTH, message_id=f"<{FOREIGN}>", received=received)
    office.company.exchange.script(*[Reply(200, body=b"{}")] * 9, path=TRACES)

    ended = office.ask(FOREIGN, "--wait", "1m", "--json")

    assert "Exchange Online says: delivered" == sent(ended)["stages"][0]["title"]
    assert 9 + 1 == len(office.asked_for())


def test_without_its_permission_the_trace_says_so_and_the_command_stays(office: Office) -> None:
    """To be given again once it is there."""
    office.company.exchange.access.app_roles -= {"ExchangeMessageTrace.Read.All"}
    office.configure()

    ended = office.ask(FOREIGN)

    _, told, rest = ended.out.partition("exchange cannot tell: ")
    assert (4, True) == (ended.code, bool(told))
    assert "ExchangeMessageTrace.Read.All" in rest
    assert rest.endswith(f"to ask again:\nexosync trace {ADA} {BOTH} --sent {FOREIGN}\n")


def test_where_the_way_cannot_be_told_the_trace_is_asked_all_the_same(office: Office) -> None:
    """Another permission is lacking: of the message as much is told as can be."""
    office.configure()
    add_trace(
        office.company.exchange.org,
        ADA,
        BOTH,
        message_id=f"<{FOREIGN}>",
        received=datetime.now(UTC) - timedelta(hours=1),
    )
    office.company.exchange.access.roles = set()

    ended = office.ask(FOREIGN, "--json")

    (way,) = ended.json["ways"]
    assert (4, True) == (ended.code, bool(way["error"]))
    assert ["Exchange Online says: delivered"] == [one["title"] for one in way["sent"]["stages"]]


def test_what_is_no_message_id_is_refused_before_anything_is_asked(office: Office) -> None:
    """With the option's name."""
    office.configure()
    for ident in ("", " ", "<>", "a b@c", "<a@b> <c@d>", "a\nb@c", "x" * 997):
        ended = office.ask(ident)
        assert (64, True) == (ended.code, "--sent: " in ended.err)
    assert [] == office.company.exchange.requests


def test_a_message_is_sent_or_was_sent(office: Office) -> None:
    """Not both."""
    office.configure(probe={"user": ADA})
    ended = office.ask(FOREIGN, "--send")
    assert (64, True) == (ended.code, "--send and --sent" in ended.err)
    assert [] == office.company.exchange.org.sent
