"""`exosync trace --send` with Google at the far side: the recipient's mailbox is asked, too."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.integration.test_trace_send import Office, opened, sent
from tests.standins import google_replies as replies
from tests.support.cli import Ended, Shell
from tests.support.split_domain import ADA, BOTH, GOOGLE, RANGES

Json = dict[str, Any]

HEADERS = {"mailbox_headers": True}
LISTS = "/gmail/v1/users/me/messages"


@pytest.fixture
def office(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Office]:
    """A company that routes, with a Google target; all that is asked is as Google describes it."""
    monkeypatch.chdir(tmp_path)
    with opened(Shell(tmp_path, capsys)) as one:
        one.company.route()
        one.configure(HEADERS, probe={"user": ADA})
        one.company.google.set_allowlist(RANGES)
        one.shell.run("plan")
        one.company.flow.google.any_address = True
        yield one
        assert [] == one.company.google.violations


def asked(office: Office, *, to: str = BOTH, **google: Any) -> Ended:
    """Send, with the mailbox asked."""
    office.configure({**HEADERS, **google}, probe={"user": ADA})
    return office.send("--json", to=to)


def told(ended: Ended) -> list[Json]:
    """What Google tells."""
    return [one for one in sent(ended)["stages"] if one["target"] == "google"]


def the_mailbox(ended: Ended) -> Json:
    """The first of it, which is about the mailbox."""
    first = told(ended)[0]
    assert "mailbox" == first["kind"]
    return first


def test_it_is_found_where_it_arrived(office: Office) -> None:
    """In the inbox; taken from the gateway, which had it from an address of the list; SPF told."""
    ended = asked(office)

    place, taken, judged = told(ended)
    assert (True, f"it is in the inbox of {BOTH}") == (place["ok"], place["title"])
    assert "labels: UNREAD, INBOX" in place["says"]
    flow = office.company.flow
    assert (True, flow.mimecast.address) == (taken["ok"], taken["where"])
    assert any("says that it came from 40.107.22.83" in one for one in taken["says"])
    assert any("email allowlist has the entry 40.107.0.0/16" in one for one in taken["says"])
    assert (True, "Google says: SPF pass") == (judged["ok"], judged["title"])
    assert {"seen"} == {one["sure"] for one in told(ended)}


def test_without_a_gateway_google_takes_it_from_exchange_online(office: Office) -> None:
    """Its address is in the list itself, and SPF passes."""
    office.company.exchange.org.connectors[0]["SmartHosts"] = [GOOGLE]

    place, taken, judged = told(asked(office))

    assert [True, True, True] == [one["ok"] for one in (place, taken, judged)]
    assert "40.107.22.83" == taken["where"]
    assert "Google says: SPF pass" == judged["title"]


def test_what_is_shown_is_read_by_people(office: Office) -> None:
    """The stations have words of their own."""
    office.configure(HEADERS, probe={"user": ADA})
    out = office.send().out
    assert f"ok       mailbox: it is in the inbox of {BOTH}" in out
    assert "ok       taken from: Google took it from 192.0.2.61" in out
    assert "ok       sender: Google says: SPF pass" in out


def test_by_default_no_mailbox_is_touched(office: Office) -> None:
    """Without the setting Gmail is not asked for anything."""
    office.configure({}, probe={"user": ADA})
    ended = office.send("--json")
    assert [] == told(ended)
    assert [] == office.company.google.calls("/gmail/")


def test_of_other_messages_only_the_id_is_asked_for(office: Office) -> None:
    """The mailbox has mail of others; of that neither sender nor subject is read."""
    flow = office.company.flow
    flow.submit(ADA, BOTH)

    the_mailbox(asked(office))

    asks = [one for one in office.company.google.requests if one.path.startswith(f"{LISTS}/")]
    headers = [[value for key, value in one.pairs if key == "metadataHeaders"] for one in asks]
    assert ["Message-ID"] == headers[0]
    assert [["Received", "Authentication-Results"]] == [one for one in headers if len(one) > 1]
    assert {"metadata"} == {one.query["format"] for one in asks}


def test_spam_ends_with_4(office: Office) -> None:
    """It arrived, and nobody will see it."""
    office.company.flow.google.junk.add(ADA)
    ended = asked(office)
    assert (4, False) == (ended.code, the_mailbox(ended)["ok"])
    assert f"it is among the spam of {BOTH}" == the_mailbox(ended)["title"]


def test_what_google_refused_is_not_found(office: Office) -> None:
    """Exchange Online gave it to Mimecast; Google did not take it; why, the mailbox cannot tell."""
    office.company.google.set_allowlist([])
    office.company.flow.google.any_address = False
    office.configure(HEADERS, probe={"user": ADA})

    ended = office.shell.run("trace", ADA, BOTH, "--send", "--wait", "1s", "--json")

    place = the_mailbox(ended)
    assert None is place["ok"]
    assert f"it was not found in the mailbox of {BOTH}" in place["title"]
    assert "Email Log Search" in place["says"][0]


def test_what_stays_as_foretold_is_not_looked_for(office: Office) -> None:
    """The other side has nothing to tell of it."""
    office.company.exchange.org.rules.clear()
    assert [] == told(asked(office, to=ADA))
    assert [] == office.company.google.calls("/gmail/")


def test_of_another_domain_the_other_side_is_not_asked(office: Office) -> None:
    """Whoever is at a partner's has no mailbox in this account, which is nobody's fault."""
    ended = asked(office, to="bob@partner.example")
    assert ({}, []) == (sent(ended)["errors"], told(ended))
    assert [] == office.company.google.calls("/gmail/")


def test_google_may_fail_after_the_trace_has_told(office: Office) -> None:
    """A server's fault costs nothing of what others told."""
    office.company.google.script(*[replies.failing()] * 9, path=LISTS)
    ended = asked(office)
    assert (4, ["google"]) == (ended.code, list(sent(ended)["errors"]))
    assert "has a fault of its own (status 503)" in sent(ended)["errors"]["google"]
    assert "Exchange Online says: delivered" == sent(ended)["stages"][0]["title"]


def test_the_trace_may_fail_after_the_message_was_sent(office: Office) -> None:
    """Its id is told all the same, and Google is asked."""
    office.company.exchange.access.app_roles -= {"ExchangeMessageTrace.Read.All"}

    ended = asked(office)

    assert 4 == ended.code
    assert "ExchangeMessageTrace.Read.All" in sent(ended)["errors"]["exchange"]
    (arrived,) = office.company.flow.google.mailboxes[BOTH]
    assert sent(ended)["message_id"] in str(arrived)
    assert f"it is in the inbox of {BOTH}" == the_mailbox(ended)["title"]


def test_who_cannot_tell_is_shown_in_the_end(office: Office) -> None:
    """By name, with the reason, below what the others told."""
    office.company.google.script(*[replies.failing()] * 9, path=LISTS)
    out = office.send().out
    assert "google cannot tell: " in out.partition("happened: Exchange Online says: delivered")[2]


def test_a_mailbox_is_looked_into_again_for_what_exosync_sent(office: Office) -> None:
    """By its id; when it was sent need not be known."""
    first = sent(asked(office))
    office.configure(HEADERS)

    again = sent(office.ask(first["message_id"], "--json"))

    assert first["stages"] == again["stages"]
    assert first["message_id"] == again["message_id"]


def test_for_a_users_own_message_no_mailbox_is_looked_into(office: Office) -> None:
    """What is between two people stays there; that it was not looked for is said."""
    office.configure(HEADERS)
    office.company.flow.submit(ADA, BOTH)
    (trace,) = office.company.exchange.org.traces
    trace["receivedDateTime"] -= timedelta(seconds=1)

    ended = office.ask(trace["messageId"])

    assert "happened: Exchange Online says: delivered" in ended.out
    assert f"unknown  mailbox: the mailbox of {BOTH} was not looked into" in ended.out
    assert [] == office.company.google.calls("/gmail/")
