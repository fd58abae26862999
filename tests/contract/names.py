"""The harness of the kind `spf`, method `records`: a zone of the DNS stand-in, and a TSIG key."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.update

from exosync.core.ranges import IpRanges
from tests.contract.harness import Can, Counted, Failure, Json
from tests.standins.dns import DnsStandin
from tests.standins.dns_sockets import Reply
from tests.support.zones import WIDE, zone_file

DOMAIN, LEAF = "example.test", "_exo.example.test"
_RECORD = "v=spf1 ip4:192.0.2.25 a:mail.example.test -all"
_OTHERS = ('@ TXT "site-verification=aBc"', r'@ TXT "a; b" "\195\164\255 " ""', "mail A 192.0.2.1")
_LEFT_ALONE = (r'_exo TXT "left \195 here" "in two strings"',)


class _Server(DnsStandin):
    """Tells its harness of every update before it is carried out."""

    harness: SpfHarness
    silent = False

    def respond(self, wire: bytes) -> Reply | None:
        return Reply(b"", 0) if self.silent else super().respond(wire)

    def _update(self, message: dns.update.UpdateMessage) -> dns.message.Message:
        try:
            self.harness.update_arrives()
        except Failure:
            response = dns.message.make_response(message)
            response.set_rcode(dns.rcode.SERVFAIL)
            return response
        response = super()._update(message)
        self.harness.history.append(self.harness.listed())
        return response


class SpfHarness(Counted):
    """A domain whose record exosync manages, with ranges at a name of its own."""

    name = "spf"
    cannot: Mapping[Can, str] = {
        Can.ASK: "with a key, no step is for a person",
    }
    where = (DOMAIN, "127.0.0.1")

    def __init__(self, server: _Server, folder: Path) -> None:
        super().__init__()
        self._server = server
        server.harness = self
        (folder / "tsig").write_text(WIDE.secret)
        at = f"127.0.0.1:{server.port}"
        self.target: Json = {
            "kind": "spf",
            "domain": DOMAIN,
            "method": "records",
            "manage": "apex",
            "dns": {
                "server": "127.0.0.1",
                "port": server.port,
                "resolvers": [at],
                "timeout": "20s",
                "settle": "1s",
                "key": {
                    "name": WIDE.name,
                    "algorithm": WIDE.algorithm,
                    "secret": {"file": str(folder / "tsig")},
                },
            },
        }

    @property
    def secrets(self) -> tuple[str, ...]:
        """The key's secret."""
        return (WIDE.secret,)

    @property
    def reads(self) -> int:
        """Queries."""
        return len(self._server.asked)

    def state(self) -> object:
        """Every TXT value at both names."""
        return {name: self._values(name) for name in (DOMAIN, LEAF)}

    def listed(self) -> IpRanges:
        """What the record at our name authorises, if the domain's own refers to it."""
        if f"include:{LEAF}" not in self._spf(DOMAIN).split():
            return IpRanges()
        return _ranges(self._spf(LEAF))

    def foreign(self) -> object:
        """The values that are no SPF record, and the other terms of the domain's own."""
        others = {
            name: {one for one in self._values(name) if not one[0].startswith(b"v=spf1")}
            for name in (DOMAIN, LEAF)
        }
        words = self._spf(DOMAIN).split()
        return others, [one for one in words if one != f"include:{LEAF}"]

    def add_foreign(self) -> None:
        """Another value at our name; the domain's own are there already."""
        self._put(LEAF, (b"left \xc3 here", b"in two strings"))

    def put_by_hand(self, ranges: IpRanges) -> None:
        """A record at our name without a mark."""
        terms = (f"ip{'6' if ':' in one else '4'}:{one}" for one in ranges)
        self._put(LEAF, (f"v=spf1 {' '.join(terms)} -all".encode(),), *self._values(LEAF))

    def damage(self) -> None:
        """One term less in the record at our name."""
        record = self._spf(LEAF)
        lost = next(one for one in record.split() if one.startswith("ip4:"))
        others = [one for one in self._values(LEAF) if b"".join(one).decode("latin-1") != record]
        self._put(LEAF, (record.replace(f"{lost} ", "").encode(),), *others)

    def do(self, task: Json) -> None:
        """A person edits the zone."""
        self._put(task["setting"], (task["box"].encode(),))

    @contextmanager
    def unplugged(self) -> Iterator[None]:
        """The server says nothing."""
        self._server.silent = True
        try:
            yield
        finally:
            self._server.silent = False

    @contextmanager
    def locked_out(self) -> Iterator[None]:
        """The server knows the key no more."""
        kept, self._server._keys = self._server._keys, {}
        try:
            yield
        finally:
            self._server._keys = kept

    def snapshot(self) -> Callable[[], None]:
        """A copy of the zones."""
        kept = self._server.zones.copy()

        def put_back() -> None:
            self._server.zones = kept.copy()

        return put_back

    def update_arrives(self) -> None:
        """A signed update is here. Raises Failure if it must fail."""
        self._before_write()

    def _spf(self, name: str) -> str:
        found = [b"".join(one) for one in self._values(name) if one[0].startswith(b"v=spf1")]
        assert len(found) < 2, found
        return found[0].decode() if found else ""

    def _values(self, name: str) -> set[tuple[bytes, ...]]:
        query = dns.message.make_query(name, "TXT")
        answer = dns.message.make_response(query)
        self._server.zones.answer(query, answer)
        return {record.strings for rrset in answer.answer for record in rrset}

    def _put(self, name: str, *values: tuple[bytes, ...]) -> None:
        """Replace all TXT at a name, past the count."""
        update = dns.update.UpdateMessage(DOMAIN)
        update.delete(f"{name}.", "TXT")
        for strings in values:
            quoted = " ".join(f'"{_escaped(one)}"' for one in _cut(strings))
            update.add(f"{name}.", 300, "TXT", quoted)
        parsed = dns.message.from_wire(update.to_wire())
        assert isinstance(parsed, dns.update.UpdateMessage)
        self._server.zones.update(parsed, dns.name.from_text(WIDE.name))


def _cut(strings: tuple[bytes, ...]) -> Iterator[bytes]:
    """Strings of at most 255 octets."""
    for one in strings:
        yield from (one[start : start + 255] for start in range(0, len(one), 255))


def _escaped(text: bytes) -> str:
    return "".join(
        chr(one) if 32 <= one < 127 and one not in b'"\\' else f"\\{one:03}" for one in text
    )


def _ranges(record: str) -> IpRanges:
    words = (one.partition(":") for one in record.split())
    return IpRanges.parse(rest for name, _, rest in words if name in ("ip4", "ip6"))


@contextmanager
def spf_harness(folder: Path) -> Iterator[SpfHarness]:
    """A harness around a server of its own."""
    zone = zone_file(DOMAIN, f'@ TXT "{_RECORD}"', *_OTHERS)
    with _Server({DOMAIN: zone}, keys=[WIDE], grants={WIDE.name: ("*",)}) as server:
        yield SpfHarness(server, folder)
