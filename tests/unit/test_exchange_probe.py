"""What became of a message, laid beside what was told before."""

from __future__ import annotations

from dataclasses import replace

import pytest

from exosync.core.trace import Pool, Way
from exosync_adapters.exchange.admin.graph import Trace, TraceEvent
from exosync_adapters.exchange.way.probe import became

TRACE = Trace(
    id="1",
    message_id="<exosync-1@example.com>",
    sender="ada@example.com",
    recipient="gil@example.com",
    status="delivered",
    to_ip="192.0.2.25",
)


def way(*, leaves: bool | None = True, pool: Pool = Pool.MAIL) -> Way:
    """What was foretold."""
    return Way("ada@example.com", "gil@example.com", (), leaves, ("mx.example.net",), pool)


def test_a_message_that_does_not_show_is_no_failure() -> None:
    """The trace takes its time."""
    (stage,) = became((), (), way())
    assert (None, "the message trace does not show the message yet") == (stage.ok, stage.title)
    assert "look for its id there later" in stage.says[0]


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
    first, *_ = became((replace(TRACE, status=status),), (), way())
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
    _, left = became((replace(TRACE, to_ip=to_ip),), (), way(leaves=leaves))
    assert ok is left.ok


def test_what_has_not_arrived_has_not_stayed() -> None:
    """It may still leave."""
    pending = replace(TRACE, status="pending", to_ip="")
    _, left = became((pending,), (), way(leaves=False))
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
    last = became((TRACE,), events, way(pool=pool))[-1]
    assert ok is last.ok


def test_events_are_told_in_their_order() -> None:
    """In the vendor's words."""
    events = (
        TraceEvent("12:00", "Receive"),
        TraceEvent("12:01", "Transport rule", description="'exosync example.com'"),
    )
    first, *_ = became((TRACE,), events, way())
    assert ("12:00: Receive", "12:01: Transport rule ('exosync example.com')") == first.says
