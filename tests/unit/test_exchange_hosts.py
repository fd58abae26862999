"""What a smart host says of itself, and what goes wrong on the way to it."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
import trustme

from exosync_adapters.dns.live import LiveDns
from exosync_adapters.dns.values import Server
from exosync_adapters.exchange.way.host_records import Certificate, HostSeen
from exosync_adapters.exchange.way.hosts import (
    PartlyToldError,
    Trial,
    by_dns,
    find_mx,
    located,
    try_host,
    try_hosts,
)
from tests.standins.dns import DnsStandin, Fault
from tests.standins.smtp import CLOSE, HANG, SmtpStandIn
from tests.standins.smtp import Fault as SmtpFault
from tests.support.ports import refusing_port
from tests.support.zones import zone_file

NAME = "gate.example.test"


def here(_name: str) -> list[str]:
    """Every name is on loopback."""
    return ["127.0.0.1"]


@pytest.fixture(scope="module")
def ca() -> trustme.CA:
    """An authority of the tests' own."""
    return trustme.CA()


def served(ca: trustme.CA, *names: str, until: datetime | None = None) -> ssl.SSLContext:
    """What a server shows who has a certificate for these names."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    ca.issue_cert(*names, not_after=until).configure_cert(context)
    return context


def trusting(ca: trustme.CA) -> ssl.SSLContext:
    """The authorities of a machine that trusts the tests'."""
    context = ssl.create_default_context()
    ca.configure_trust(context)
    return context


def test_a_host_is_looked_up_and_shows_its_certificate(ca: trustme.CA) -> None:
    """Its names, its end, and that it is trusted; nothing is sent but EHLO and STARTTLS."""
    with SmtpStandIn(starttls=served(ca, NAME, "*.wide.test")) as server:
        how = Trial(port=server.port, trust=trusting(ca))
        seen = try_host(NAME, resolve=here, how=how)
    assert (True, True, ("127.0.0.1",)) == (seen.answers, seen.starttls, seen.addresses)
    assert "mail.stand-in.test" in seen.greeting
    assert seen.certificate is not None
    assert (NAME, "*.wide.test") == seen.certificate.names
    assert seen.certificate.trusted
    assert seen.certificate.until is not None
    assert seen.certificate.until > datetime.now(UTC)
    assert [] == server.mails


def test_a_certificate_for_another_name_is_shown_all_the_same(ca: trustme.CA) -> None:
    """Whether the name matters is for the connector to say."""
    with SmtpStandIn(starttls=served(ca, "other.test")) as server:
        how = Trial(port=server.port, trust=trusting(ca))
        shown = try_host(NAME, resolve=here, how=how).certificate
    assert shown is not None
    assert (True, ("other.test",)) == (shown.trusted, shown.names)
    assert not shown.is_for(NAME)


def test_a_certificate_that_nobody_trusts_is_read_without_trust(ca: trustme.CA) -> None:
    """The names are told, and why it is not trusted."""
    with SmtpStandIn(starttls=served(ca, NAME)) as server:
        shown = try_host(NAME, resolve=here, how=Trial(port=server.port)).certificate
    assert shown is not None
    assert (False, (NAME,)) == (shown.trusted, shown.names)
    assert "issuer" in shown.trouble


def test_a_certificate_that_has_ended_says_so(ca: trustme.CA) -> None:
    """Its end is told, and that it is the reason."""
    with SmtpStandIn(starttls=served(ca, NAME, until=datetime.now(UTC) - timedelta(days=1))) as one:
        shown = try_host(
            NAME, resolve=here, how=Trial(port=one.port, trust=trusting(ca))
        ).certificate
    assert shown is not None
    assert not shown.trusted
    assert "expired" in shown.trouble
    assert shown.until is not None
    assert shown.until < datetime.now(UTC)


def test_a_host_without_starttls_is_told() -> None:
    """A connector that always uses TLS gets nothing through."""
    with SmtpStandIn() as server:
        seen = try_host(NAME, resolve=here, how=Trial(port=server.port))
    assert (True, False, None) == (seen.answers, seen.starttls, seen.certificate)


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (SmtpFault("connect", "554 5.7.1 go away"), "554"),
        (SmtpFault("ehlo", "502 what?"), "502 to EHLO"),
        (SmtpFault("starttls", "454 TLS not available"), "454 to STARTTLS"),
        (SmtpFault("connect", CLOSE), "breaks off"),
        (SmtpFault("connect", "HTTP/1.0 400 no"), "no mail server"),
    ],
)
def test_a_host_that_refuses_or_breaks_off_is_told(
    ca: trustme.CA, fault: SmtpFault, words: str
) -> None:
    """In its own words where it has some."""
    with SmtpStandIn(starttls=served(ca, NAME)) as server:
        server.script(fault)
        seen = try_host(NAME, resolve=here, how=Trial(port=server.port, within=60))
    assert words in seen.trouble
    assert not seen.certificate


@pytest.mark.parametrize("place", ["connect", "ehlo", "starttls"])
def test_a_host_that_hangs_is_left_in_time(ca: trustme.CA, place: str) -> None:
    """Wherever in the conversation."""
    with SmtpStandIn(starttls=served(ca, NAME)) as server:
        server.script(SmtpFault(place, HANG))
        seen = try_host(NAME, resolve=here, how=Trial(port=server.port, within=0.5))
    assert "no answer in time" in seen.trouble


def test_a_host_that_comes_drop_by_drop_is_left_in_time() -> None:
    """Each octet is in time, all of them are not."""
    with dripping() as port:
        begun = time.monotonic()
        seen = try_host(NAME, resolve=here, how=Trial(port=port, within=0.6))
        assert "no answer in time" in seen.trouble
        assert time.monotonic() - begun < 30


@contextmanager
def dripping() -> Iterator[int]:
    """A server whose greeting never ends."""
    listener = socket.create_server(("127.0.0.1", 0))
    over = threading.Event()

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            while not over.wait(0.1):
                try:
                    connection.sendall(b"2")
                except OSError:
                    return

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield int(listener.getsockname()[1])
    finally:
        over.set()
        thread.join(10)
        listener.close()


def test_the_first_address_that_answers_is_enough(ca: trustme.CA) -> None:
    """A silent one before it costs time, and nothing else."""
    with SmtpStandIn(starttls=served(ca, NAME)) as server:
        how = Trial(port=server.port, trust=trusting(ca))
        seen = try_host(NAME, resolve=lambda _: ["127.0.0.2", "127.0.0.1"], how=how)
    assert (True, ("127.0.0.2", "127.0.0.1")) == (seen.answers, seen.addresses)


def test_nobody_at_the_port_is_told() -> None:
    """As it would be where a network lets nobody out."""
    with refusing_port() as port:
        seen = try_host(NAME, resolve=here, how=Trial(port=port))
    assert seen.answers is False
    assert "refused" in seen.trouble


def test_several_hosts_are_tried_side_by_side(ca: trustme.CA) -> None:
    """Each by its name, each once."""
    with SmtpStandIn(starttls=served(ca, NAME)) as server:
        seen = try_hosts(["a.test", "b.test", "a.test"], resolve=here, how=Trial(port=server.port))
    assert ["a.test", "b.test"] == list(seen)
    assert all(one.starttls for one in seen.values())


def test_an_address_needs_no_name() -> None:
    """A whole network is not tried: which of its hosts is used is not told."""
    assert ("192.0.2.1",) == located("192.0.2.1", here).addresses
    network = located("192.0.2.0/28", here)
    assert () == network.addresses
    assert "whole network" in network.trouble


def test_names_are_looked_up_in_dns() -> None:
    """Both families; a name that is not there does not exist."""
    with names() as (live, _):
        resolve = by_dns(live)
        assert ["192.0.2.7", "2001:db8::7"] == list(resolve("gate.example.test"))
        assert HostSeen(
            "no.example.test", exists=False, trouble="its name does not resolve"
        ) == located("no.example.test", resolve)


def test_a_resolver_that_does_not_answer_proves_nothing() -> None:
    """Whether the name exists stays open."""
    with names() as (live, server):
        server.faults.queries = Fault.SERVFAIL
        seen = located("gate.example.test", by_dns(live))
        assert seen.exists is None
        assert "cannot be looked up" in seen.trouble
        assert "cannot be looked up" in find_mx("example.test", live).trouble


def test_half_an_answer_is_not_the_whole() -> None:
    """The IPv4 addresses were told; whether there are others was not."""

    def half(name: str) -> list[str]:
        raise PartlyToldError(["192.0.2.7"], "SERVFAIL")

    seen = located("gate.example.test", half)
    assert (("192.0.2.7",), False, True) == (seen.addresses, seen.whole, seen.exists)


def test_the_mx_of_a_domain_is_found() -> None:
    """A domain without one stands for itself; one that is not there has none."""
    with names() as (live, _):
        assert ("gate.example.test",) == find_mx("example.test", live).hosts
        assert ("gate.example.test",) == find_mx("gate.example.test", live).hosts
        assert () == find_mx("no.example.test", live).hosts


@contextmanager
def names() -> Iterator[tuple[LiveDns, DnsStandin]]:
    """A resolver with a small zone."""
    zone = zone_file("example.test", "@ MX 10 gate", "gate A 192.0.2.7", "gate AAAA 2001:db8::7")
    with DnsStandin({"example.test": zone}) as server:
        yield LiveDns(resolvers=(Server(server.host, server.port),)), server


def test_a_wildcard_stands_for_one_label() -> None:
    """RFC 6125, section 6.4.3."""
    shown = Certificate(("*.example.test", "exact.test"))
    assert shown.is_for("gate.example.test")
    assert shown.is_for("exact.test")
    assert not shown.is_for("a.gate.example.test")
    assert not shown.is_for("example.test")
