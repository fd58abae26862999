"""The DNS client against BIND 9 and against the stand-in: both must do the same.

Where a test is for one of them alone, its fixture says so: `standin` for what a real server
cannot be made to do, `pair` for a primary with a secondary.
"""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from exosync.core.target import ABSENT
from exosync.errors import TargetConflict, TargetDenied, TargetError, TargetUnreachable
from exosync_adapters.dns.zone import (
    DnsProblem,
    Key,
    LiveDns,
    Server,
    Trouble,
    TxtRRset,
    Zone,
    txt_strings,
)
from tests.standins.dns import DnsStandin, Fault
from tests.support.bind import PRIMARY, SECONDARY, Bind, find_named, free_port, has_ipv6
from tests.support.ports import refusing_port
from tests.support.zones import NARROW, NARROW_NAMES, WIDE, TsigKey, zone_file

APEX = "example.test"
NAME = "_exo.example.test"
CHILD = "own.example.test"
RECORDS = (
    'at.sub TXT "v=spf1 -all"',
    "alias CNAME sub",
    "chain CNAME alias.outside.test.",
    "lost CNAME nowhere.unknown.test.",
    "loop CNAME loop",
    "sub MX 10 mail",
    "sub MX 20 mail2",
    "mail A 192.0.2.1",
    "mail AAAA 2001:db8::1",
    "child NS ns.unknown.test.",
    "own NS ns1",
    '*.wild TXT "v=spf1 -all"',
    "*.wildalias CNAME sub",
    'real.wild TXT "v=spf1 ip4:192.0.2.7 -all"',
    r'odd TXT "two" " strings" "" "\"quoted\"; back\\slash \200\255"',
    'odd TXT "another"',
)
OUTSIDE = zone_file("outside.test", "alias CNAME txt", 'txt TXT "v=spf1 ip4:192.0.2.9 -all"')


@dataclass(frozen=True)
class Backend:
    """A server under test; `ahead` sets its clock, in seconds against the client's."""

    server: Server
    ahead: Callable[[int], None]


def contents(*records: str, servers: tuple[str, ...] = (PRIMARY,)) -> dict[str, str]:
    """The zones of every test."""
    return {
        APEX: zone_file(APEX, *RECORDS, *records, servers=servers),
        CHILD: zone_file(CHILD),
        "outside.test": OUTSIDE,
    }


@contextmanager
def running_standin(zones: dict[str, str]) -> Iterator[DnsStandin]:
    """The stand-in with the same keys and rights as `Bind`."""
    grants = {WIDE.name: ("*",), NARROW.name: NARROW_NAMES}
    with DnsStandin(zones, keys=[WIDE, NARROW], grants=grants) as server:
        yield server


def require_named() -> None:
    """Skip, with the reason, where BIND is not installed."""
    if find_named() is None:
        pytest.skip("named is not installed (Debian: apt install bind9)")


@pytest.fixture
def standin() -> Iterator[DnsStandin]:
    """The stand-in alone."""
    with running_standin(contents()) as server:
        yield server


@pytest.fixture(params=["bind", "standin"])
def backend(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Backend]:
    """Each server in turn, with the same zones, keys and rights."""
    if request.param == "standin":
        with running_standin(contents()) as server:
            yield Backend(
                Server(server.host, server.port), lambda ahead: setattr(server, "clock", ahead)
            )
        return
    require_named()
    real = time.time

    def shift(ahead: int) -> None:
        monkeypatch.setattr(time, "time", lambda: real() - ahead)

    with Bind(tmp_path, contents()) as bind:
        yield Backend(Server(PRIMARY, bind.primary.port), shift)


@pytest.fixture(params=[True, False], ids=["notify", "lagging"])
def notify(request: pytest.FixtureRequest) -> bool:
    """Whether the primary tells its secondary of changes."""
    return bool(request.param)


@pytest.fixture
def pair(tmp_path: Path, *, notify: bool) -> Iterator[Bind]:
    """A primary and a secondary, which both stand in the NS set."""
    require_named()
    if not has_ipv6():
        pytest.skip("a second address on the same port needs IPv6 on the loopback")
    with Bind(
        tmp_path, contents(servers=(PRIMARY, SECONDARY)), secondary=True, notify=notify
    ) as bind:
        yield bind


def zone_at(
    server: Server,
    key: TsigKey | Key | None = WIDE,
    *,
    domain: str = APEX,
    name: str | None = None,
    timeout: float = 30.0,
) -> Zone:
    """The zone as the target would make it."""
    if isinstance(key, TsigKey):
        key = Key(key.name, key.algorithm, key.secret)
    return Zone(
        domain=domain, primary=server, name=name, key=key, timeout=timeout, resolvers=(server,)
    )


def read_one(zone: Zone, name: str = NAME) -> TxtRRset | DnsProblem:
    """What the primary holds."""
    return zone.read(name)[zone.primary]


def serial(zone: Zone) -> int:
    """The zone's serial at the primary."""
    found = zone.serials()[zone.primary]
    assert isinstance(found, int)
    return found


def spf(text: str = "v=spf1 ip4:40.92.0.0/15 -all", ttl: int = 300, name: str = NAME) -> TxtRRset:
    """A record to be published."""
    return TxtRRset.of(name, ttl, text)


class TestReading:
    """What is there, as each server itself says it."""

    @pytest.mark.parametrize("name", [NAME, "sub.example.test", "deep.er.example.test"])
    def test_a_name_without_txt_is_absent(self, backend: Backend, name: str) -> None:
        """NXDOMAIN, a name with other records and a name with names below it are the same."""
        found = read_one(zone_at(backend.server), name)
        assert TxtRRset.absent(name) == found
        assert isinstance(found, TxtRRset)
        assert ABSENT == found.token

    def test_values_come_byte_for_byte(self, backend: Backend) -> None:
        """Several values, several strings, an empty one, quotes and octets that are not UTF-8."""
        found = read_one(zone_at(backend.server), "odd.example.test")
        values = ((b"another",), (b"two", b" strings", b"", b'"quoted"; back\\slash \xc8\xff'))
        assert TxtRRset("odd.example.test", 300, values) == found

    @pytest.mark.parametrize("name", ["new.wild.example.test", "a.b.wild.example.test"])
    def test_a_wildcard_counts_as_absent(self, backend: Backend, name: str) -> None:
        """What is made up from a wildcard does not stand there, and cannot be replaced."""
        found = read_one(zone_at(backend.server), name)
        assert TxtRRset.absent(name) == found
        assert isinstance(found, TxtRRset)
        assert found.wildcard

    def test_a_wildcard_alias_counts_as_absent(self, backend: Backend) -> None:
        """A CNAME that is made up is none."""
        name = "new.wildalias.example.test"
        assert TxtRRset.absent(name) == read_one(zone_at(backend.server), name)

    def test_a_record_beside_a_wildcard_is_there(self, backend: Backend) -> None:
        """Only what is the same at any other name is made up."""
        name = "real.wild.example.test"
        assert spf("v=spf1 ip4:192.0.2.7 -all", name=name) == read_one(
            zone_at(backend.server), name
        )

    @pytest.mark.parametrize(
        ("name", "trouble", "words"),
        [
            ("alias.example.test", Trouble.CNAME, "CNAME to sub.example.test"),
            ("_exo.child.example.test", Trouble.NOT_AUTHORITATIVE, "zone child.example.test"),
            ("_exo.unknown.test", Trouble.REFUSED, "may not serve that zone"),
        ],
    )
    def test_what_cannot_be_read_is_told(
        self, backend: Backend, name: str, trouble: Trouble, words: str
    ) -> None:
        """An alias, a child zone on other servers, and a zone that is not served."""
        found = read_one(zone_at(backend.server), name)
        assert isinstance(found, DnsProblem)
        assert trouble is found.trouble
        assert words in found.message
        assert str(backend.server) in found.message

    def test_a_dead_server_is_told_beside_the_living(self, backend: Backend) -> None:
        """One server's silence does not hide what the others say."""
        dead = Server("127.0.0.3", backend.server.port)
        servers = (backend.server, dead)
        zone = Zone(domain=APEX, primary=backend.server, servers=servers, timeout=30)
        found = zone.read(NAME)
        assert [backend.server, dead] == list(found)
        assert TxtRRset.absent(NAME) == found[backend.server]
        problem = found[dead]
        assert isinstance(problem, DnsProblem)
        assert Trouble.UNREACHABLE is problem.trouble


class TestFindingTheZone:
    """The zone's name and servers, where they are not given."""

    @pytest.mark.parametrize("domain", [APEX, "sub.example.test", NAME, "alias.example.test"])
    def test_the_zone_of_a_name_is_found(self, backend: Backend, domain: str) -> None:
        """By the SOA that comes with any answer, and in spite of a CNAME."""
        assert APEX == zone_at(backend.server, domain=domain).apex()

    def test_a_server_that_does_not_serve_the_domain_is_denied(self, backend: Backend) -> None:
        """The error names the server and the domain."""
        with pytest.raises(TargetDenied, match=r"127\.0\.0\.1.* unknown\.test"):
            zone_at(backend.server, domain="unknown.test").apex()

    def test_the_ns_set_is_found_on_the_primarys_port(self, backend: Backend) -> None:
        """The primary, which stands in the NS set too, is one server."""
        zone = zone_at(backend.server)
        assert (backend.server,) == zone.authoritative()
        assert () == zone.unresolved

    def test_a_primary_may_be_given_by_name(self, backend: Backend) -> None:
        """Every address of the name is tried until one answers."""
        zone = zone_at(Server("localhost", backend.server.port))
        assert backend.server == zone.primary
        assert f"localhost ({backend.server})" == zone.primary.label

    def test_the_primary_is_found_by_the_soa(self, backend: Backend) -> None:
        """Without a server, the resolvers are asked for the zone and for its primary's address."""
        zone = Zone(domain=NAME, resolvers=(backend.server,), port=backend.server.port)
        assert (APEX, backend.server) == (zone.apex(), zone.primary)

    def test_a_primary_that_cannot_be_found_is_told(self, backend: Backend) -> None:
        """A name without address, a domain nobody knows, and one that no zone holds."""
        for zone, words in (
            (zone_at(Server("two..dots")), "its name cannot be resolved"),
            (Zone(domain="a.unknown.test", resolvers=(backend.server,)), "give it as dns.server"),
        ):
            with pytest.raises(TargetUnreachable, match=words):
                zone.apex()

    def test_a_domain_that_no_zone_holds_is_told(self) -> None:
        """Every name of it is known not to exist."""
        with running_standin({"test": zone_file("test")}) as standin:
            server = Server(standin.host, standin.port)
            with pytest.raises(TargetError, match=r"no zone with an SOA record holds a\.b\.test"):
                Zone(domain="a.b.test", resolvers=(server,)).apex()

    def test_a_name_server_without_an_address_is_told(self) -> None:
        """It stops nothing: the others are read."""
        zones = {APEX: zone_file(APEX, "@ NS gone")}
        with running_standin(zones) as standin:
            zone = zone_at(Server(standin.host, standin.port))
            assert [zone.primary] == list(zone.read(NAME))
            assert ("gone.example.test: its name has no address",) == zone.unresolved


class TestReplacing:
    """Compare and swap."""

    def test_a_record_is_created_changed_and_deleted(self, backend: Backend) -> None:
        """Each is one change of the zone, and the serial after it is returned."""
        zone = zone_at(backend.server)
        first, second = spf(), spf("v=spf1 ip4:40.92.0.0/14 -all", ttl=600)
        for number, (old, new) in enumerate([(None, first), (first, second), (second, None)], 2):
            assert number == zone.replace(NAME, old, new)
            assert (new or TxtRRset.absent(NAME)) == read_one(zone)

    @pytest.mark.parametrize(
        ("there", "old", "new"),
        [
            (spf("v=spf1 -all"), spf("v=spf1 ~all"), spf()),
            (spf("v=spf1 -all"), None, spf()),
            (spf("v=spf1 -all"), spf("v=spf1 ~all"), None),
            (None, spf("v=spf1 -all"), spf()),
            (None, spf("v=spf1 -all"), None),
            (TxtRRset.of(NAME, 300, "v=spf1 -all", "other"), spf("v=spf1 -all"), spf()),
            (TxtRRset(NAME, 300, ((b"v=spf1", b" -all"),)), spf("v=spf1 -all"), spf()),
        ],
    )
    def test_what_is_not_as_it_was_read_is_not_changed(
        self, backend: Backend, there: TxtRRset | None, old: TxtRRset | None, new: TxtRRset | None
    ) -> None:
        """Another value, one more, one gone, and the same text cut otherwise are conflicts."""
        zone = zone_at(backend.server)
        zone.replace(NAME, None, there)
        before = serial(zone)
        with pytest.raises(TargetConflict, match=NAME):
            zone.replace(NAME, old, new)
        assert (there or TxtRRset.absent(NAME)) == read_one(zone)
        assert before == serial(zone)

    def test_of_many_writers_one_wins(self, backend: Backend) -> None:
        """Eight replace the same old record at once: one does, seven are told."""
        zone = zone_at(backend.server)
        zone.replace(NAME, None, spf())

        def write(number: int) -> bool:
            try:
                zone_at(backend.server).replace(NAME, spf(), spf(f"v=spf1 ip4:192.0.2.{number}"))
            except TargetConflict:
                return False
            return True

        with ThreadPoolExecutor(8) as pool:
            won = list(pool.map(write, range(8)))
        assert 1 == sum(won)
        assert spf(f"v=spf1 ip4:192.0.2.{won.index(True)}") == read_one(zone)

    def test_the_ttl_alone_can_be_changed(self, backend: Backend) -> None:
        """A change of the TTL is a change of the zone."""
        zone = zone_at(backend.server)
        zone.replace(NAME, None, spf(ttl=300))
        assert 3 == zone.replace(NAME, spf(ttl=300), spf(ttl=900))
        assert spf(ttl=900) == read_one(zone)

    def test_the_ttl_is_not_compared(self, backend: Backend) -> None:
        """RFC 2136 has no prerequisite for it (section 1.1.1)."""
        zone = zone_at(backend.server)
        zone.replace(NAME, None, spf(ttl=300))
        zone.replace(NAME, spf(ttl=60), spf(ttl=900))
        assert spf(ttl=900) == read_one(zone)

    def test_the_same_again_changes_nothing(self, backend: Backend) -> None:
        """Doing a step twice is harmless: not even the serial moves."""
        zone = zone_at(backend.server)
        zone.replace(NAME, None, spf())
        assert 2 == zone.replace(NAME, spf(), spf())

    def test_a_long_record_is_written_and_read(self, backend: Backend) -> None:
        """1,141 octets are five strings, and come back as the same text."""
        text = ("v=spf1 " + "ip4:192.0.2.0/24 " * 80)[:1136] + " -all"
        zone = zone_at(backend.server)
        zone.replace(NAME, None, spf(text))
        found = read_one(zone)
        assert isinstance(found, TxtRRset)
        assert ((text,), 5) == (found.texts, len(found.values[0]))
        assert txt_strings(text) == found.values[0]

    def test_other_values_at_the_name_stay_byte_for_byte(self, backend: Backend) -> None:
        """One of several values is exchanged; the others keep even their cuts."""
        zone, name = zone_at(backend.server), "odd.example.test"
        old = read_one(zone, name)
        assert isinstance(old, TxtRRset)
        kept = tuple(value for value in old.values if value != (b"another",))
        new = TxtRRset(name, old.ttl, (*kept, txt_strings("v=spf1 -all")))
        zone.replace(name, old, new)
        assert new == read_one(zone, name)
        assert set(kept) < set(new.values)

    def test_an_alias_in_the_way_is_a_conflict(self, backend: Backend) -> None:
        """Beside a CNAME the addition would be dropped and success told (section 3.4.2.2)."""
        zone = zone_at(backend.server)
        with pytest.raises(TargetConflict, match="a CNAME"):
            zone.replace("alias.example.test", None, spf(name="alias.example.test"))
        assert 1 == serial(zone)

    @pytest.mark.parametrize("name", [f"_exo.{CHILD}", CHILD])
    def test_a_name_in_a_child_zone_is_changed_there(self, backend: Backend, name: str) -> None:
        """In the parent zone it would stand below the delegation, where nobody sees it."""
        zone = zone_at(backend.server)
        assert 2 == zone.replace(name, None, spf(name=name))
        assert spf(name=name) == read_one(zone, name)
        zone.check_update(name)
        assert (1, 2) == (serial(zone), serial(zone_at(backend.server, domain=CHILD)))

    @pytest.mark.parametrize("name", ["new.wild.example.test", "new.wildalias.example.test"])
    def test_a_record_can_be_put_where_a_wildcard_answers(
        self, backend: Backend, name: str
    ) -> None:
        """It then stands there itself, and is deleted like any other."""
        zone = zone_at(backend.server)
        zone.replace(name, None, spf(name=name))
        assert spf(name=name) == read_one(zone, name)
        zone.replace(name, spf(name=name), None)
        assert TxtRRset.absent(name) == read_one(zone, name)


WRONG_KEYS = [
    (Key("nobody", WIDE.algorithm, WIDE.secret), "BADKEY"),
    (Key(WIDE.name, "hmac-sha512", WIDE.secret), "BADKEY"),
    (Key(WIDE.name, WIDE.algorithm, NARROW.secret), "BADSIG"),
]


class TestPermission:
    """Who may write what, and what those are told who may not."""

    @pytest.mark.parametrize(("key", "code"), WRONG_KEYS, ids=["name", "algorithm", "secret"])
    def test_a_wrong_key_is_denied(self, backend: Backend, key: Key, code: str) -> None:
        """Its name, its algorithm and its secret each have an error of their own."""
        zone = zone_at(backend.server, key)
        with pytest.raises(TargetDenied, match=code) as caught:
            zone.replace(NAME, None, spf())
        assert key.secret not in str(caught.value)
        with pytest.raises(TargetDenied, match=code):
            zone.clock_difference()
        assert TxtRRset.absent(NAME) == read_one(zone)

    @pytest.mark.parametrize(("seconds", "side"), [(900, "ahead"), (-900, "behind")])
    def test_a_wrong_clock_is_denied(self, backend: Backend, seconds: int, side: str) -> None:
        """The error says by how much the server's clock differs, give or take some seconds."""
        backend.ahead(seconds)
        with pytest.raises(TargetDenied, match=rf"(89|90)\d s {side}.*BADTIME"):
            zone_at(backend.server).replace(NAME, None, spf())
        assert TxtRRset.absent(NAME) == read_one(zone_at(backend.server))

    def test_a_narrow_key_writes_its_own_name_alone(self, backend: Backend) -> None:
        """The apex and every other name are refused, and the error tells the missing grant."""
        zone = zone_at(backend.server, NARROW)
        assert 2 == zone.replace(NAME, None, spf())
        for name in (APEX, "other.example.test", f"below.{NAME}"):
            grant = f"grant narrow name {name}. TXT;"
            with pytest.raises(TargetDenied, match=grant):
                zone.replace(name, None, spf(name=name))
        assert 2 == serial(zone)

    def test_an_update_without_a_key_is_refused(self, backend: Backend) -> None:
        """The error says which setting is missing."""
        with pytest.raises(TargetDenied, match=r"set dns\.key"):
            zone_at(backend.server, None).replace(NAME, None, spf())

    def test_a_zone_that_is_not_served_is_told(self, backend: Backend) -> None:
        """NOTAUTH with a right signature is about the zone, not about the key."""
        zone = zone_at(backend.server, name="unknown.test")
        with pytest.raises(TargetError, match=r"not authoritative for the zone unknown\.test"):
            zone.replace("_exo.unknown.test", None, spf(name="_exo.unknown.test"))

    def test_a_name_outside_of_the_zone_is_told(self, backend: Backend) -> None:
        """NOTZONE."""
        with pytest.raises(TargetError, match=r"not in the zone example\.test"):
            zone_at(backend.server).replace("txt.outside.test", None, spf(name="txt.outside.test"))

    def test_a_closed_port_is_unreachable(self) -> None:
        """Nothing was sent, so nothing can have been written."""
        with refusing_port() as port:
            zone = zone_at(Server(PRIMARY, port), name=APEX)
            with pytest.raises(TargetUnreachable, match=r"refused; nothing was sent"):
                zone.replace(NAME, None, spf())

    @pytest.mark.parametrize("there", [None, spf("v=spf1 -all")], ids=["absent", "present"])
    @pytest.mark.parametrize("key", [WIDE, NARROW], ids=["wide", "narrow"])
    def test_the_permission_check_passes_and_changes_nothing(
        self, backend: Backend, key: TsigKey, there: TxtRRset | None
    ) -> None:
        """Neither the record nor the serial moves."""
        zone_at(backend.server).replace(NAME, None, there)
        zone = zone_at(backend.server, key)
        before = serial(zone)
        zone.check_update(NAME)
        assert before == serial(zone)
        assert (there or TxtRRset.absent(NAME)) == read_one(zone)

    def test_the_permission_check_tells_what_the_update_would(self, backend: Backend) -> None:
        """A narrow key at the apex, no key, a wrong key and a wrong zone."""
        for zone, words in (
            (zone_at(backend.server, NARROW), "may not update TXT"),
            (zone_at(backend.server, None), "set dns.key"),
            (zone_at(backend.server, WRONG_KEYS[2][0]), "BADSIG"),
            (zone_at(backend.server, name="unknown.test"), "not authoritative"),
        ):
            with pytest.raises(TargetError, match=words):
                zone.check_update(zone.apex())

    def test_the_clock_is_compared_by_a_signed_query(self, backend: Backend) -> None:
        """None without a key, near nothing between processes of one machine."""
        assert zone_at(backend.server, None).clock_difference() is None
        difference = zone_at(backend.server, NARROW).clock_difference()
        assert difference is not None
        assert abs(difference) < 10

    def test_a_clock_that_is_off_is_denied(self, backend: Backend) -> None:
        """The difference is in the error."""
        backend.ahead(-900)
        with pytest.raises(TargetDenied, match=r"(89|90)\d s behind"):
            zone_at(backend.server).clock_difference()


class TestLiveDns:
    """Names for the evaluation."""

    @pytest.mark.parametrize(
        ("name", "rdtype", "rcode", "records"),
        [
            ("at.sub.example.test", "TXT", "NOERROR", ("v=spf1 -all",)),
            ("AT.Sub.Example.Test.", "TXT", "NOERROR", ("v=spf1 -all",)),
            ("sub.example.test", "MX", "NOERROR", ("mail.example.test", "mail2.example.test")),
            ("alias.example.test", "MX", "NOERROR", ("mail.example.test", "mail2.example.test")),
            ("mail.example.test", "A", "NOERROR", ("192.0.2.1",)),
            ("mail.example.test", "AAAA", "NOERROR", ("2001:db8::1",)),
            ("txt.outside.test", "TXT", "NOERROR", ("v=spf1 ip4:192.0.2.9 -all",)),
            ("chain.example.test", "TXT", "NOERROR", ("v=spf1 ip4:192.0.2.9 -all",)),
            ("any.wild.example.test", "TXT", "NOERROR", ("v=spf1 -all",)),
            ("sub.example.test", "TXT", "NOERROR", ()),
            ("alias.example.test", "TXT", "NOERROR", ()),
            ("none.example.test", "TXT", "NXDOMAIN", ()),
            ("unknown.test", "TXT", "SERVFAIL", ()),
            ("lost.example.test", "TXT", "SERVFAIL", ()),
            ("loop.example.test", "TXT", "SERVFAIL", ()),
            ("two..dots.example.test", "TXT", "NXDOMAIN", ()),
            (f"{'x' * 64}.example.test", "TXT", "NXDOMAIN", ()),
        ],
    )
    def test_answers(
        self, backend: Backend, name: str, rdtype: str, rcode: str, records: tuple[str, ...]
    ) -> None:
        """As the authority and, for what it does not serve, the resolver know them."""
        live = zone_at(backend.server).live()
        answer = live.query(name, rdtype)
        assert (rcode, records) == (answer.rcode, tuple(sorted(answer.records)))
        assert bool(answer.problem) or rcode != "SERVFAIL"

    def test_a_resolver_is_asked_for_what_the_authority_does_not_serve(
        self, backend: Backend
    ) -> None:
        """A long record comes over TCP, after the resolver's answer over UDP was cut."""
        text = "v=spf1 " + "ip4:192.0.2.0/24 " * 200 + "-all"
        strings = " ".join(f'"{part.decode()}"' for part in txt_strings(text))
        zones = {"unknown.test": zone_file("unknown.test", f"spf TXT {strings}")}
        with running_standin(zones) as other:
            resolver = Server(other.host, other.port)
            live = LiveDns(authority=backend.server, zone=APEX, resolvers=(resolver,))
            assert (text,) == live.query("spf.unknown.test", "TXT").records
            assert "NXDOMAIN" == live.query("none.unknown.test", "TXT").rcode

    def test_every_name_is_asked_for_once(self, standin: DnsStandin) -> None:
        """By many threads too, and whatever the answer was."""
        live = zone_at(Server(standin.host, standin.port), name=APEX).live()
        names = ["at.sub.example.test", "none.example.test"] * 20
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda name: live.query(name, "TXT"), names))
        assert sorted({(name, "TXT") for name in names}) == sorted(standin.asked)

    def test_a_silent_authority_is_not_replaced_by_a_cache(self, standin: DnsStandin) -> None:
        """Its own zone is TIMEOUT at once from then on; other names go to the resolver."""
        zones = {"unknown.test": zone_file("unknown.test"), APEX: zone_file(APEX)}
        standin.faults.queries = Fault.SILENT
        with running_standin(zones) as other:
            live = LiveDns(
                authority=Server(standin.host, standin.port),
                zone=APEX,
                resolvers=(Server(other.host, other.port),),
                lifetime=3.0,  # a busy machine needs some of it for the resolver's answer
            )
            assert ["TIMEOUT", "TIMEOUT", "NXDOMAIN"] == [
                live.query(name, "TXT").rcode for name in (NAME, APEX, "none.unknown.test")
            ]
        assert [("none.unknown.test", "TXT")] == other.asked

    def test_silent_resolvers_are_a_timeout(self, standin: DnsStandin) -> None:
        """Within the lifetime, and with a sentence."""
        standin.faults.queries = Fault.SILENT
        live = LiveDns(resolvers=(Server(standin.host, standin.port),), lifetime=0.3)
        answer = live.query(NAME, "TXT")
        assert "TIMEOUT" == answer.rcode
        assert "no resolver answered" in answer.problem


READ_FAULTS = [
    (Fault.SILENT, Trouble.UNREACHABLE, "no answer within 0.3 s"),
    (Fault.SERVFAIL, Trouble.SERVER_FAILURE, "SERVFAIL"),
    (Fault.TRUNCATED, Trouble.MALFORMED, "cut short"),
    (Fault.CUT, Trouble.UNREACHABLE, "closed the connection"),
    (Fault.DROP_AFTER_COMMIT, Trouble.UNREACHABLE, "closed the connection"),
    (Fault.GARBAGE, Trouble.MALFORMED, "not valid DNS"),
    (Fault.CACHE, Trouble.NOT_AUTHORITATIVE, "is it a cache"),
]

WRITE_FAULTS = [
    (Fault.SILENT, TargetUnreachable, "may or may not"),
    (Fault.CUT, TargetUnreachable, "may or may not"),
    (Fault.DROP_AFTER_COMMIT, TargetUnreachable, "may or may not"),
    (Fault.SERVFAIL, TargetError, "see its log"),
    (Fault.FORMERR, TargetError, "does not understand"),
    (Fault.NOTIMP, TargetError, "does not take updates"),
    (Fault.REFUSED, TargetDenied, "not signed"),
    (Fault.GARBAGE, TargetError, "not valid DNS"),
    (Fault.UNSIGNED, TargetError, "without a signature"),
]


class TestFaults:
    """What a server may do wrong."""

    @pytest.mark.parametrize(("fault", "trouble", "words"), READ_FAULTS)
    def test_reading_from_a_faulty_server_is_a_problem(
        self, standin: DnsStandin, fault: Fault, trouble: Trouble, words: str
    ) -> None:
        """Each kind with its own sentence, never as an absent record."""
        server = Server(standin.host, standin.port)
        assert TxtRRset.absent(NAME) == read_one(zone_at(server))
        standin.faults.queries = fault
        timeout = 0.3 if fault is Fault.SILENT else 30.0
        found = read_one(
            Zone(domain=APEX, name=APEX, primary=server, servers=(server,), timeout=timeout)
        )
        assert isinstance(found, DnsProblem)
        assert trouble is found.trouble
        assert words in found.message

    @pytest.mark.parametrize(("fault", "error", "words"), WRITE_FAULTS)
    def test_writing_to_a_faulty_server_is_an_error(
        self, standin: DnsStandin, fault: Fault, error: type[TargetError], words: str
    ) -> None:
        """Each kind with its own sentence, and the right branch of the tree."""
        standin.faults.updates = fault
        # The zone is looked for first, which takes a busy machine longer than a silence should.
        told: list[TargetError] = []
        for timeout in (0.3, 3.0, 30.0) if fault is Fault.SILENT else (30.0,):
            zone = zone_at(Server(standin.host, standin.port), timeout=timeout)
            with pytest.raises(error) as caught:
                zone.replace(NAME, None, spf())
            told.append(caught.value)
            if words in str(caught.value):
                break
        assert words in str(told[-1])
        assert error is type(told[-1])

    def test_what_changes_nothing_is_not_told_as_a_change(self, standin: DnsStandin) -> None:
        """Silence on the permission check or on the signed query leaves nothing in doubt."""
        zone = zone_at(Server(standin.host, standin.port), name=APEX, timeout=0.3)
        standin.faults.updates = standin.faults.queries = Fault.SILENT
        for attempt in (lambda: zone.check_update(NAME), zone.clock_difference):
            with pytest.raises(TargetUnreachable, match=r"dns\.timeout"):
                attempt()

    def test_a_server_that_does_not_sign_tells_no_time(self, standin: DnsStandin) -> None:
        """It may be one that knows no TSIG for queries."""
        zone = zone_at(Server(standin.host, standin.port), name=APEX)
        standin.faults.queries = Fault.UNSIGNED
        assert zone.clock_difference() is None

    def test_a_change_whose_answer_is_lost_is_found_by_reading(self, standin: DnsStandin) -> None:
        """The update was made although the caller was told that it is not known."""
        standin.faults.updates = Fault.DROP_AFTER_COMMIT
        zone = zone_at(Server(standin.host, standin.port))
        with pytest.raises(TargetUnreachable):
            zone.replace(NAME, None, spf())
        assert spf() == read_one(zone)

    def test_an_answer_signed_with_another_secret_is_not_believed(
        self, standin: DnsStandin
    ) -> None:
        """Success counts only from who has the key."""
        standin.faults.updates = Fault.FORGED
        with pytest.raises(TargetError, match="signature of its answer is not right"):
            zone_at(Server(standin.host, standin.port)).replace(NAME, None, spf())

    def test_a_serial_that_cannot_be_read_is_none(self, standin: DnsStandin) -> None:
        """The write itself has succeeded."""
        zone = zone_at(Server(standin.host, standin.port), name=APEX)
        standin.faults.queries = Fault.SERVFAIL
        assert zone.replace(NAME, None, spf()) is None
        assert 2 == standin.serial(APEX)


def test_the_standin_runs_as_a_program(tmp_path: Path) -> None:
    """For the demo: zones, keys and rights by options, and the port on the first line."""
    (tmp_path / "zone").write_text(zone_file(APEX))
    command = [sys.executable, "-m", "tests.standins.dns", "--zone", f"{APEX}={tmp_path / 'zone'}"]
    command += ["--key", f"{NARROW.name}:{NARROW.algorithm}:{NARROW.secret}"]
    command += ["--grant", f"{NARROW.name}={NAME}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            host, port = process.stdout.readline().removeprefix("ready ").split(":")
            zone = zone_at(Server(host, int(port)), NARROW)
            assert 2 == zone.replace(NAME, None, spf())
        finally:
            process.terminate()


def test_bind_takes_another_port_if_one_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the look for a free port and the start, another process may have taken it."""
    require_named()
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as taker:
        taker.bind((PRIMARY, 0))
        taken = taker.getsockname()[1]
        ports = iter([taken])
        monkeypatch.setattr(
            "tests.support.bind.free_port", lambda *at: next(ports, None) or free_port(*at)
        )
        with Bind(tmp_path, {APEX: zone_file(APEX)}) as bind:
            assert taken != bind.primary.port


class TestPrimaryAndSecondary:
    """Two servers of one zone."""

    def test_both_are_found_and_read(self, pair: Bind) -> None:
        """By the NS set, on the primary's port, IPv4 and IPv6."""
        port = pair.primary.port
        zone = zone_at(Server(PRIMARY, port))
        servers = (Server(PRIMARY, port), Server(SECONDARY, port))
        assert servers == zone.authoritative()
        assert dict.fromkeys(servers, 1) == zone.serials()
        assert dict.fromkeys(servers, TxtRRset.absent(NAME)) == zone.read(NAME)

    def test_they_settle(self, pair: Bind, *, notify: bool) -> None:
        """Once the secondary has what the primary has: told, or else by being restarted."""
        zone = zone_at(Server(PRIMARY, pair.primary.port))
        zone.authoritative()
        zone.replace(NAME, None, spf())
        pauses: list[float] = []

        def pause(seconds: float) -> None:
            pauses.append(seconds)
            if notify:
                time.sleep(seconds)
            elif len(pauses) == 3:
                pair.secondary.restart()

        found = zone.settle(NAME, spf(), within=60, pause=pause)
        assert dict.fromkeys(zone.authoritative(), spf()) == found
        assert notify or len(pauses) == 3

    @pytest.mark.parametrize("notify", [False], indirect=True)
    def test_a_server_that_lags_is_told(self, pair: Bind) -> None:
        """After the time is over each server's last answer is returned; serials differ."""
        zone = zone_at(Server(PRIMARY, pair.primary.port))
        zone.authoritative()
        zone.replace(NAME, None, spf())
        pauses: list[float] = []
        found = zone.settle(NAME, spf(), within=20, pause=pauses.append)
        assert [spf(), TxtRRset.absent(NAME)] == list(found.values())
        assert [2, 1] == list(zone.serials().values())
        assert [0.2, 0.4, 0.8, 1.6, 3.2, 5, 5] == pytest.approx(pauses)

    @pytest.mark.parametrize("notify", [True], indirect=True)
    def test_a_dead_secondary_stands_in_nobodys_way(self, pair: Bind) -> None:
        """It is told where it is read; the primary is written all the same."""
        pair.secondary.stop()
        zone = zone_at(Server(PRIMARY, pair.primary.port))
        assert 2 == zone.replace(NAME, None, spf())
        first, second = zone.read(NAME).values()
        assert spf() == first
        assert isinstance(second, DnsProblem)
        assert Trouble.UNREACHABLE is second.trouble
        assert isinstance(list(zone.serials().values())[1], DnsProblem)
        pauses: list[float] = []
        zone.settle(NAME, spf(), within=60, pause=pauses.append)
        assert [0.2] == pauses, "who is silent twice is not waited for"

    @pytest.mark.parametrize("notify", [True], indirect=True)
    def test_a_secondary_takes_no_updates(self, pair: Bind) -> None:
        """What it answers is an error, never a success."""
        zone = zone_at(Server(SECONDARY, pair.secondary.port), name=APEX)
        with pytest.raises(TargetError):
            zone.check_update(NAME)
