"""Who may read: hosts, sessions and tries, without a socket."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exosync.web.hosts import host_of, is_meant
from exosync.web.session import LASTS, is_session, is_token, new_session
from exosync.web.signin import local
from exosync.web.tries import Tries

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("localhost", "localhost"),
        ("LocalHost.:8620", "localhost"),
        ("127.0.0.1:8620", "127.0.0.1"),
        ("[2001:DB8::1]:8620", "2001:db8::1"),
        ("2001:db8::1", None),
        ("exosync.example.com:", None),
        ("a:b:c", None),
        ("a/b", None),
        ("ä.example", None),
        ("", None),
        ("x" * 300, None),
    ],
)
def test_a_host_header_is_read_strictly(header: str, expected: str | None) -> None:
    """A name or an address, and a port at most."""
    assert expected == host_of(header)


@pytest.mark.parametrize("listen", ["127.0.0.1:8620", "[::1]:8620"])
def test_on_loopback_only_loopback_is_meant(listen: str) -> None:
    """And localhost, and what is configured."""
    ours = {"localhost", "127.0.0.1", "127.9.9.9", "::1", "exosync.example"}
    others = {"192.0.2.1", "2001:db8::1", "example.com", "localhost.example.com", ""}
    meant = {
        one for one in ours | others if is_meant(one, listen=listen, names=["Exosync.Example."])
    }
    assert ours == meant


@pytest.mark.parametrize("listen", ["0.0.0.0:8620", "[::]:80", "192.0.2.7:8620"])
def test_elsewhere_any_address_is_meant_and_no_other_name(listen: str) -> None:
    """Nobody can rebind an address; a probe in a cluster calls by one that nobody knew before."""
    assert is_meant("10.42.0.17", listen=listen, names=())
    assert is_meant("2001:db8::1", listen=listen, names=())
    assert not is_meant("exosync.example", listen=listen, names=())


@given(token=st.text(min_size=1), other=st.text())
def test_only_the_token_is_the_token(token: str, other: str) -> None:
    """Whatever characters it has."""
    assert is_token(token, token)
    assert (token == other) is is_token(other, token)


@given(token=st.text(min_size=1), other=st.text(min_size=1), seconds=st.integers(-(10**6), 10**6))
def test_a_session_counts_for_its_token_and_its_time(token: str, other: str, seconds: int) -> None:
    """From the moment when it was made, with a minute for a clock that was set back."""
    session = new_session(token, now=NOW, nonce="n")
    later = NOW + timedelta(seconds=seconds)
    assert (-60 <= seconds < LASTS.total_seconds()) is is_session(session, token, now=later)
    assert (token == other) is is_session(session, other, now=NOW)


@given(st.text(max_size=300))
def test_any_other_text_is_no_session(text: str) -> None:
    """And none raises an error."""
    assert not is_session(text, "token", now=NOW)


@given(st.text(max_size=80))
def test_the_way_on_stays_here(text: str) -> None:
    """It begins with one slash, and holds nothing that a browser would take for another."""
    path = local(text)
    assert path.startswith("/")
    assert not path.startswith(("//", "/\\"))
    assert path.isprintable()


class Clock:
    """Seconds that a test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        """The time."""
        return self.now


def test_tries_are_counted_by_place_and_forgotten() -> None:
    """The first of the last three counts for a hundred seconds."""
    clock = Clock()
    tries = Tries(clock, most=3, within=100)
    for _ in range(3):
        assert 0 == tries.wait("a")
        tries.wrong("a")
        clock.now += 10
    assert (70, 0) == (tries.wait("a"), tries.wait("b"))
    clock.now += 69
    assert 1 == tries.wait("a")
    clock.now += 1
    assert 0 == tries.wait("a")


def test_the_right_token_clears_the_count() -> None:
    """A person who mistyped is not punished later."""
    tries = Tries(Clock(), most=2)
    tries.wrong("a")
    tries.right("a")
    tries.wrong("a")
    assert 0 == tries.wait("a")


def test_only_so_many_places_are_remembered() -> None:
    """Those that tried last."""
    tries = Tries(Clock(), most=1, places=2)
    for place in "abc":
        tries.wrong(place)
    assert [0, 300, 300] == [tries.wait(place) for place in "abc"]
