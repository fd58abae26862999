"""What became of a message, laid beside what was told before."""

from __future__ import annotations

import shlex
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from exosync.core.trace import Pool, Sent, Way
from exosync_adapters.exchange.admin.graph import Trace, TraceEvent
from exosync_adapters.exchange.way.probe import became, known, message

TRACE = Trace(
    id="1",
    message_id="<exosync-1@example.com>",
    sender="ada@example.com",
    recipient="gil@example.com",
    status="delivered",
    to_ip="192.0.2.25",
)


SENT = Sent(TRACE.sender, TRACE.recipient, TRACE.message_id, datetime(2026, 11, 26, tzinfo=UTC))
ASKED = replace(SENT, at=None)
AGAIN = "exosync trace ada@example.com gil@example.com --sent exosync-1@example.com"


def way(*, leaves: bool | None = True, pool: Pool = Pool.MAIL) -> Way:
    """What was foretold."""
    return Way("ada@example.com", "gil@example.com", (), leaves, ("mx.example.net",), pool)


def test_a_message_that_does_not_show_is_no_failure() -> None:
    """The trace takes its time."""
    (stage,) = became(SENT, (), (), way())
    assert (None, "the message trace does not show the message yet") == (stage.ok, stage.title)
    assert "look for its id there later" in stage.says[0]
    assert AGAIN == stage.says[1]


def test_of_one_that_was_sent_before_nobody_knows_when_it_should_show() -> None:
    """It may be too new, too old, or of another id."""
    (stage,) = became(ASKED, (), (), way())
    assert (None, "the message trace does not show the message") == (stage.ok, stage.title)
    assert "for 90 days" in stage.says[0]
    assert AGAIN == stage.says[1]


@pytest.mark.parametrize("ident", ["<exosync-1@example.com>", "<it's $HOME;#@x>"])
def test_the_command_that_asks_again_can_be_pasted(ident: str) -> None:
    """Whatever somebody's mail program put into an id."""
    told = shlex.split(replace(SENT, message_id=ident).again)
    assert ["exosync", "trace", TRACE.sender, TRACE.recipient, "--sent", ident[1:-1]] == told


@pytest.mark.parametrize("status", ["pending", "gettingStatus"])
def test_what_is_under_way_can_be_asked_for_again(status: str) -> None:
    """It may arrive yet."""
    first, *_ = became(ASKED, (replace(TRACE, status=status),), (), way())
    assert AGAIN == first.says[-1]


@pytest.mark.parametrize("status", ["delivered", "failed", "recalled", "unknownFutureValue"])
def test_what_is_at_its_end_need_not_be_asked_for_again(status: str) -> None:
    """Nor what Graph may call that in times to come."""
    first, *_ = became(ASKED, (replace(TRACE, status=status),), (), way())
    assert () == first.says


def test_of_several_recipients_the_one_is_told_of() -> None:
    """In any order, and whatever the case."""
    other = replace(TRACE, recipient="eve@example.com", status="failed")
    mine = replace(TRACE, recipient="Gil@Example.com")
    first, *_ = became(ASKED, (other, mine), (), way())
    assert "Exchange Online says: delivered" == first.title


def test_of_others_nothing_is_concluded() -> None:
    """They are named: one may be the recipient's other address, or a member of the group."""
    others = [replace(TRACE, recipient=f"eve{number}@example.com") for number in range(7)]
    (stage,) = became(ASKED, others, (), way())
    assert (None, f"the message trace shows the message, and not for {TRACE.recipient}") == (
        stage.ok,
        stage.title,
    )
    assert "eve0@example.com" in stage.says[0]
    assert "eve4@example.com and 2 more" in stage.says[0]


def test_what_was_sent_now_has_one_recipient_whatever_that_is_called() -> None:
    """An alias may show as the mailbox's first address."""
    (first, *_) = became(SENT, (replace(TRACE, recipient="gilbert@example.com"),), (), way())
    assert True is first.ok


def test_another_sender_is_told() -> None:
    """The way was told for the one that was given."""
    first, *_ = became(ASKED, (replace(TRACE, sender="eve@example.com"),), (), way())
    assert ("its sender is eve@example.com: the way was told for ada@example.com",) == first.says


def test_a_message_that_passed_twice_is_told_of_as_it_was_first() -> None:
    """One that came back, say."""
    late = replace(TRACE, status="failed", received="2026-11-26T12:00:09Z")
    soon = replace(TRACE, received="2026-11-26T12:00:01Z")
    first, *_ = became(ASKED, (late, soon), (), way())
    assert True is first.ok
    assert ("the message trace has 2 of this id and recipient: this is the first",) == first.says


def test_what_was_sent_is_known_again_by_its_id() -> None:
    """By nothing else: when is not in it."""
    _, sent = message(TRACE.sender, TRACE.recipient, at=datetime.now(UTC))
    told = known(TRACE.sender, TRACE.recipient, sent.message_id)
    assert replace(sent, at=None) == told


@pytest.mark.parametrize(
    "ident",
    [
        "<CAB1234@mail.example.com>",
        "<exosync-1@example.com>",
        f"<exosync-{'0' * 32}@example.org>",
        f"<exosync-{'0' * 32}@example.com.evil>",
        f"<x-exosync-{'0' * 32}@example.com>",
    ],
)
def test_any_other_id_is_somebody_elses(ident: str) -> None:
    """Also one of another sender's domain."""
    assert False is known("ada@example.com", TRACE.recipient, ident).is_own


@pytest.mark.parametrize(
    ("status", "ok"),
    [
        ("delivered", True),
        ("Delivered", True),
        ("failed", False),
        ("quarantined", False),
        ("filteredAsSpam", False),
        ("pending", None),
        ("gettingStatus", None),
        ("", None),
    ],
)
def test_its_status_decides(status: str, ok: bool | None) -> None:
    """What is under way is not judged."""
    first, *_ = became(SENT, (replace(TRACE, status=status),), (), way())
    assert ok is first.ok


@pytest.mark.parametrize(
    ("leaves", "to_ip", "ok"),
    [
        (True, "192.0.2.25", True),
        (False, "192.0.2.25", False),
        (None, "192.0.2.25", None),
        (True, "", None),
        (False, "", True),
    ],
)
def test_leaving_is_held_against_what_was_foretold(
    leaves: bool | None,
    to_ip: str,
    ok: bool | None,
) -> None:
    """A message that should have stayed, and left, went astray; one that arrived here did not."""
    _, left = became(SENT, (replace(TRACE, to_ip=to_ip),), (), way(leaves=leaves))
    assert ok is left.ok


def test_what_has_not_arrived_has_not_stayed() -> None:
    """It may still leave."""
    pending = replace(TRACE, status="pending", to_ip="")
    _, left = became(SENT, (pending,), (), way(leaves=False))
    assert (None, "it did not leave Exchange Online, or not yet") == (left.ok, left.title)


@pytest.mark.parametrize(
    ("data", "pool", "ok"),
    [
        ("<root><MEP Name='OutboundIpPoolName' String='Relay Pool'/></root>", Pool.MAIL, False),
        ("OutboundIpPoolName=RelayPool", Pool.RELAY, True),
        ("OutboundIpPoolName: Default", Pool.MAIL, True),
        ("OutboundIpPoolName: Default", Pool.EITHER, None),
    ],
)
def test_the_pool_is_held_against_what_was_foretold(data: str, pool: Pool, ok: bool | None) -> None:
    """The relay pool's addresses are in no list."""
    events = (TraceEvent("2026-11-26T12:00:00Z", "Send external", data=data),)
    last = became(SENT, (TRACE,), events, way(pool=pool))[-1]
    assert ok is last.ok


def test_events_are_told_in_their_order() -> None:
    """In the vendor's words."""
    events = (
        TraceEvent("12:00", "Receive"),
        TraceEvent("12:01", "Transport rule", description="'exosync example.com'"),
    )
    first, *_ = became(SENT, (TRACE,), events, way())
    assert ("12:00: Receive", "12:01: Transport rule ('exosync example.com')") == first.says
