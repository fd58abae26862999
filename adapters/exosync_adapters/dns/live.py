"""Live DNS for evaluating SPF: asked of the authority first, then of resolvers."""

from __future__ import annotations

import socket
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import dns.exception
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype

from exosync_adapters.dns.values import DnsAnswer, DnsProblem, Server, Trouble
from exosync_adapters.dns.wire import ask

if TYPE_CHECKING:
    from dns.resolver import Resolver

_LONGEST_CHAIN = 8
"""CNAMEs followed from one name; what is longer is a loop or a fault."""


@dataclass(slots=True)
class _Slot:
    """The answer on one name and type, asked for once even by many threads."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    answer: DnsAnswer | None = None


class LiveDns:
    """Answers for an SPF evaluator, each asked for once and then kept, failures too.

    `authority` is asked first, over TCP, and believed where it is authoritative (AA): so
    what is evaluated is what this very server publishes, never a cached copy. `zone` is its
    zone: if the authority is silent, names in it are TIMEOUT and not looked up elsewhere.
    All other names go to `resolvers`, or to the system's where none are given. `lifetime`
    limits each question, in seconds. Thread-safe.
    """

    def __init__(
        self,
        *,
        authority: Server | None = None,
        zone: str = "",
        resolvers: tuple[Server, ...] = (),
        lifetime: float = 3.0,
    ) -> None:
        self._authority = authority
        self._zone = zone.lower().rstrip(".")
        self._resolvers = resolvers
        self._lifetime = lifetime
        self._lock = threading.Lock()
        self._slots: dict[tuple[str, str], _Slot] = {}
        self._silent = ""
        self._recursive: Resolver | None = None

    def query(self, name: str, rdtype: str) -> DnsAnswer:
        """Ask for one name and type (`TXT`, `A`, `AAAA`, `MX`, `PTR`, `NS`). Never raises for DNS.

        A name that cannot be a domain name does not exist (RFC 7208, section 4.3).
        """
        name = name.lower().rstrip(".")
        with self._lock:
            slot = self._slots.setdefault((name, rdtype), _Slot())
        with slot.lock:
            if slot.answer is None:
                slot.answer = self._ask(name, rdtype, _LONGEST_CHAIN)
            return slot.answer

    def _ask(self, name: str, rdtype: str, links: int) -> DnsAnswer:
        try:
            dns.name.from_text(name)
        except dns.exception.DNSException as error:
            return DnsAnswer("NXDOMAIN", problem=f"{name!r} is not a domain name ({error})")
        return self.from_authority(name, rdtype, links=links) or self._recurse(name, rdtype)

    def from_authority(
        self, name: str, rdtype: str, *, links: int = _LONGEST_CHAIN
    ) -> DnsAnswer | None:
        """What the authority itself says; None for a name that it does not serve."""
        if self._authority is None:
            return None
        inside = f".{name}".endswith(f".{self._zone}") if self._zone else False
        if self._silent:
            return DnsAnswer("TIMEOUT", problem=self._silent) if inside else None
        found = ask(self._authority, name, rdtype, timeout=self._lifetime)
        if not isinstance(found, DnsProblem):
            return self._followed(found, name, rdtype, links)
        if found.trouble is Trouble.UNREACHABLE:
            self._silent = found.message
            return DnsAnswer("TIMEOUT", problem=found.message) if inside else None
        if found.trouble in (Trouble.SERVER_FAILURE, Trouble.MALFORMED) and inside:
            return DnsAnswer("SERVFAIL", problem=found.message)
        return None

    def addresses(self, host: str) -> tuple[str, ...]:
        """The addresses of a server, IPv4 first; none if its name is unknown.

        Asked of the authority if that serves the name, else of the resolvers that were given,
        and last of the machine itself, whose /etc/hosts then counts too.
        """
        found = [self.from_authority(host, rdtype) for rdtype in ("A", "AAAA")]
        if None in found and not self._resolvers:
            return addresses_of(host)
        answers = [
            one or self.query(host, rdtype)
            for one, rdtype in zip(found, ("A", "AAAA"), strict=True)
        ]
        addresses = tuple(record for one in answers for record in one.records)
        return addresses or (addresses_of(host) if None in found else ())

    def _followed(
        self, response: dns.message.QueryMessage, name: str, rdtype: str, links: int
    ) -> DnsAnswer:
        """The answer itself, or where its CNAMEs lead to outside of what the server knows."""
        source = self._authority.label if self._authority else ""
        try:
            chain = response.resolve_chaining()
        except dns.exception.DNSException as error:
            return DnsAnswer("SERVFAIL", source=source, problem=f"{name}: {error}")
        if chain.answer is not None:
            return DnsAnswer("NOERROR", _texts(chain.answer), source)
        if response.rcode() == dns.rcode.NXDOMAIN or not chain.cnames:
            return DnsAnswer(dns.rcode.to_text(response.rcode()), source=source)
        if links == 0:
            return DnsAnswer("SERVFAIL", source=source, problem=f"{name}: too many CNAMEs")
        target = chain.canonical_name.to_text(omit_final_dot=True)
        return self._ask(target, rdtype, links - 1)

    def _recurse(self, name: str, rdtype: str) -> DnsAnswer:
        import dns.resolver

        try:
            answer = self._resolver().resolve(
                f"{name}.", rdtype, search=False, raise_on_no_answer=False
            )
        except dns.resolver.NXDOMAIN:
            return DnsAnswer("NXDOMAIN")
        except dns.resolver.NoResolverConfiguration:
            message = "this machine has no resolver in /etc/resolv.conf; set dns.resolvers"
            return DnsAnswer("SERVFAIL", problem=message)
        except dns.exception.Timeout:
            message = f"{name}: no resolver answered within {self._lifetime:g} s"
            return DnsAnswer("TIMEOUT", problem=message)
        except dns.exception.DNSException as error:
            return DnsAnswer("SERVFAIL", problem=f"{name}: {error}")
        source = str(answer.nameserver or "")
        return DnsAnswer("NOERROR", _texts(answer.rrset or ()), source)

    def _resolver(self) -> Resolver:
        import dns.nameserver
        import dns.resolver

        with self._lock:
            if self._recursive is None:
                resolver = dns.resolver.Resolver(configure=not self._resolvers)
                if self._resolvers:
                    resolver.nameservers = [
                        dns.nameserver.Do53Nameserver(address, server.port)
                        for server in self._resolvers
                        for address in addresses_of(server.host)
                    ]
                resolver.lifetime = self._lifetime
                resolver.timeout = self._lifetime / 2
                self._recursive = resolver
            return self._recursive


def addresses_of(host: str) -> tuple[str, ...]:
    """The addresses of a host by the machine's own resolver, IPv4 and IPv6; none if unknown."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return ()
    return tuple(dict.fromkeys(str(one[4][0]) for one in found))


def _texts(records: Any) -> tuple[str, ...]:
    """Records as `DnsAnswer` describes them."""
    return tuple(_text(record) for record in records)


def _text(record: Any) -> str:
    match record.rdtype:
        case dns.rdatatype.TXT:
            return b"".join(record.strings).decode("utf-8", "replace")
        case dns.rdatatype.MX:
            return str(record.exchange).rstrip(".")
        case dns.rdatatype.A | dns.rdatatype.AAAA:
            return str(record.address)
        case _:
            return str(record.to_text()).rstrip(".")
