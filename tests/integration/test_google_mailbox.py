"""Looking for a message in a mailbox at Google: the stand-in's, by Google's own client."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest

from exosync.core.trace import Receiver, Sent, Stage
from exosync.errors import TargetDenied, TargetError, TargetUnreachable
from tests.standins import google_replies as replies
from tests.standins.google_gmail import Kept
from tests.standins.google_switches import (
    ALL_SCOPES,
    GMAIL,
    READ_AUDIT,
    READ_HEADERS,
    Switches,
)
from tests.support.google_bench import Bench, Make, benches

ALAN = "alan@example.com"
AT = datetime(2026, 11, 26, 5, tzinfo=UTC)
SENT = Sent("ada@example.com", ALAN, "<exosync-1@example.com>", AT)
ASKED = replace(SENT, at=None)
LISTS = "/gmail/v1/users/me/messages"
GATEWAY = {"setting": "inbound_gateway", "audit": False}
AT_ONCE = timedelta(0)


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    """Make benches."""
    with benches(tmp_path) as made:
        yield made


def kept(number: int = 1, *, after: timedelta = timedelta(seconds=3), **more: Any) -> Kept:
    """A message in a mailbox, taken so long after the probe was sent."""
    ident = f"exosync-{number}@example.com"
    content = f"From: a@example.com\r\nMessage-Id: <{ident}>\r\n\r\nHello\r\n".encode()
    return Kept(ident, "a@example.com", (ALAN,), content, "192.0.2.1", at=AT + after, **more)


def others(count: int, *, after: timedelta = timedelta(hours=-1)) -> list[Kept]:
    """So much mail of others, the older the further on."""
    return [kept(100 + number, after=after * (number + 1)) for number in range(count)]


def office(make: Make, *mail: Kept, standin: dict[str, Any] | None = None, **more: Any) -> Bench:
    """A target that may look into mailboxes, and a mailbox."""
    bench = make(standin, **{**GATEWAY, "mailbox_headers": True, **more})
    bench.google.gmail.mailboxes[ALAN] = list(mail)
    return bench


def arrived(bench: Bench, *, sent: Sent = SENT, within: timedelta = AT_ONCE) -> tuple[Stage, ...]:
    """What the target tells."""
    receiver: Receiver = cast("Any", bench.target)
    return receiver.arrived(sent, within=within)


def gets(bench: Bench) -> list[str]:
    """The messages that were asked for, in order."""
    return bench.google.calls(f"{LISTS}/")


@pytest.mark.parametrize(
    ("labels", "ok", "place"),
    [
        (("UNREAD", "INBOX"), True, "in the inbox"),
        (("SPAM",), False, "among the spam"),
        (("TRASH", "INBOX"), None, "in the bin"),
        (("Label_7",), True, "beside the inbox"),
        ((), True, "beside the inbox"),
    ],
)
def test_its_label_says_where_it_is(
    make: Make, labels: tuple[str, ...], ok: bool | None, place: str
) -> None:
    """Spam is where nobody looks; what a filter does is the owner's will."""
    (stage,) = arrived(office(make, kept(labels=labels)))
    assert ("mailbox", ok, f"it is {place} of {ALAN}") == (stage.kind, stage.ok, stage.title)


def test_it_is_looked_for_until_it_comes(make: Make) -> None:
    """Again after some seconds, and what was looked at is not asked for again."""
    newer = [kept(7, after=timedelta(seconds=5)), kept(8, after=timedelta(seconds=6))]
    bench = office(make, *newer)
    box = bench.google.gmail.mailboxes[ALAN]
    bench.google.before("GET", f"{LISTS}/19a0000000000000", lambda: box.append(kept()))

    (stage,) = arrived(bench, within=timedelta(minutes=1))

    assert stage.ok is True
    assert [2.0] == [one for one in bench.pauses if one > 1]
    assert 2 + 2 == len(gets(bench))


def test_what_does_not_come_is_not_known_to_be_lost(make: Make) -> None:
    """The whole time was waited, and no more."""
    bench = office(make, *others(3))
    (stage,) = arrived(bench, within=timedelta(seconds=45))
    assert None is stage.ok
    assert f"it was not found in the mailbox of {ALAN} within 45s" == stage.title
    assert 45 == sum(one for one in bench.pauses if one > 1)
    assert SENT.again == stage.says[-1]
    assert not any("100 messages" in one for one in stage.says)


def test_a_long_mailbox_is_not_read_to_its_end(make: Make) -> None:
    """Newest first, as Gmail lists: past the time of sending nothing more is looked at."""
    bench = office(make, *others(80))
    (stage,) = arrived(bench)
    assert 10 == len(gets(bench))
    assert not any("100 messages" in one for one in stage.says)


def test_without_the_time_of_sending_all_that_may_be_is_looked_at(make: Make) -> None:
    """Nothing says from where on the rest is older."""
    bench = office(make, *others(60), kept(after=timedelta(days=-3)))
    (stage,) = arrived(bench, sent=ASKED)
    assert stage.ok is True


def test_for_somebody_elses_message_no_mailbox_is_looked_into(make: Make) -> None:
    """It is said that it was not, and Google is not even asked for a token."""
    bench = office(make, kept())
    (stage,) = arrived(bench, sent=replace(ASKED, is_own=False))
    assert ("mailbox", None) == (stage.kind, stage.ok)
    assert f"the mailbox of {ALAN} was not looked into" == stage.title
    assert "exosync's own messages alone" in stage.says[0]
    assert [] == bench.calls()


def test_a_list_in_another_order_is_looked_through(make: Make) -> None:
    """The order is not documented; the pages are followed."""
    mail = [*others(60), kept()]
    bench = office(make, *mail, standin={"switches": Switches(oldest_first=True)})
    (stage,) = arrived(bench)
    assert stage.ok is True


def test_what_was_not_looked_at_is_said(make: Make) -> None:
    """A hundred messages at most."""
    mail = [*others(130), kept()]
    bench = office(make, *mail, standin={"switches": Switches(oldest_first=True)})
    (stage,) = arrived(bench)
    assert None is stage.ok
    assert 100 == len(gets(bench))
    assert "only the 100 messages that Gmail lists first were looked at" in stage.says


def test_a_message_that_is_gone_meanwhile_is_passed_over(make: Make) -> None:
    """Between the list and the look its owner deleted it."""
    bench = office(make, kept(7), kept(after=timedelta(seconds=2)))
    bench.google.script(replies.entity_not_found(), path=f"{LISTS}/")
    (stage,) = arrived(bench)
    assert stage.ok is True


def test_only_the_owner_is_acted_for_and_only_for_headers(make: Make) -> None:
    """Each token is the recipient's, with one scope; no body and no search is asked for."""
    bench = office(make, *others(2), kept())
    arrived(bench)
    tokens = bench.google.authority.given
    assert [(ALAN, frozenset({READ_HEADERS}))] == [(one.principal, one.scopes) for one in tokens]
    asks = [one for one in bench.google.requests if one.path.startswith(LISTS)]
    assert {"metadata"} == {one.query["format"] for one in asks if one.path != LISTS}
    assert not any("q" in one.query for one in asks)


@pytest.mark.parametrize(
    ("standin", "recipient", "error", "told"),
    [
        ({"delegated": set(ALL_SCOPES) - {READ_HEADERS}}, ALAN, TargetDenied, READ_HEADERS),
        ({}, "no@example.com", TargetDenied, "there is no user no@example.com in this account"),
        ({"switches": Switches(disabled_apis=(GMAIL,))}, ALAN, TargetDenied, f"enable {GMAIL}"),
        ({"switches": Switches(no_gmail=(ALAN,))}, ALAN, TargetDenied, "Mail service not enabled"),
    ],
)
def test_what_forbids_to_look_is_named(
    make: Make, standin: dict[str, Any], recipient: str, error: type[Exception], told: str
) -> None:
    """The scope, the user, the API, Gmail for that user."""
    bench = office(make, standin=standin)
    sent = replace(SENT, recipient=recipient)
    with pytest.raises(error) as caught:
        arrived(bench, sent=sent)
    assert told in str(caught.value)


def test_a_quota_is_waited_for(make: Make) -> None:
    """429 is met with patience, and ends as an error when it does not end."""
    bench = office(make, kept())
    bench.google.script(replies.too_many_requests(), path=LISTS)
    assert arrived(bench)[0].ok is True

    bench.google.script(*[replies.too_many_requests()] * 9, path=LISTS)
    with pytest.raises(TargetUnreachable, match="Gmail API is asked too often"):
        arrived(bench)


@pytest.mark.parametrize("body", ['{"messages": 7}', '{"messages": [7, {"id": 7}]}', "{}"])
def test_an_answer_in_another_form_finds_nothing(make: Make, body: str) -> None:
    """And breaks nothing."""
    bench = office(make, kept())
    bench.google.script(replies.status(200, replies.JSON, body.encode()), path=LISTS)
    (stage,) = arrived(bench)
    assert None is stage.ok


def test_pages_without_an_end_are_an_error(make: Make) -> None:
    """As everywhere."""
    bench = office(make)
    page = replies.status(200, replies.JSON, b'{"nextPageToken": "x"}')
    bench.google.script(page, page, page, path=LISTS)
    with pytest.raises(TargetError, match="without an end"):
        arrived(bench)


def test_what_has_no_delegation_looks_into_its_own_mailbox_alone(
    make: Make, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A person's credentials act for nobody else."""
    bench = office(make, credentials={"kind": "default"})
    file = bench.google.source_credentials_file(tmp_path)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(file))
    with pytest.raises(TargetDenied, match="these credentials act for nobody but postmaster@"):
        arrived(bench)


def test_without_the_setting_nothing_is_asked(make: Make) -> None:
    """Not even for a token."""
    bench = office(make, kept(), mailbox_headers=False, audit=True)
    assert () == arrived(bench)
    assert [] == bench.calls()


# The check


def checked(bench: Bench) -> dict[str, tuple[bool | None, str]]:
    """What each check came to."""
    return {one.name: (one.ok, one.message) for one in bench.target.check()}


def test_the_check_tries_the_administrators_own_mailbox(make: Make) -> None:
    """A token, and the name of that mailbox."""
    bench = office(make)
    bench.google.gmail.mailboxes["postmaster@example.com"] = []
    found = checked(bench)
    assert (True, f"a token for {READ_HEADERS} is given") == found["scope gmail.metadata"]
    assert found["Gmail API"][0] is True
    (profile,) = [one for one in bench.google.requests if one.path.endswith("/profile")]
    assert "emailAddress" == profile.query["fields"]


def test_an_administrator_without_a_mailbox_will_do(make: Make) -> None:
    """As the guide advises: that the service answers so shows that it may be asked."""
    told = checked(office(make))["Gmail API"]
    assert (True, "is enabled; postmaster@example.com has no mailbox, so none was tried") == told


@pytest.mark.parametrize(
    ("standin", "name", "told"),
    [
        ({"delegated": (READ_AUDIT,)}, "scope gmail.metadata", "is not allowed the scope"),
        (
            {"switches": Switches(disabled_apis=(GMAIL,))},
            "Gmail API",
            "the Gmail API is not enabled in projects/",
        ),
    ],
)
def test_what_the_check_misses_is_a_warning(
    make: Make, standin: dict[str, Any], name: str, told: str
) -> None:
    """No run needs it."""
    found = checked(office(make, standin=standin))
    assert (None, True) == (found[name][0], told in found[name][1])
