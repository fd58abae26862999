"""Finding a zone's servers: its primary, its name, and every authoritative server."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import dns.name
import dns.rdatatype

from exosync.errors import TargetError, TargetUnreachable
from exosync_adapters.dns.live import LiveDns
from exosync_adapters.dns.values import DnsProblem, Server, Trouble
from exosync_adapters.dns.wire import ask, rrset_at


@dataclass(frozen=True, slots=True)
class Authority:
    """A zone's name and its primary, as it answered."""

    apex: str
    primary: Server


@dataclass(frozen=True, slots=True)
class Found:
    """The servers to be read, the primary first, and sentences on those that cannot be."""

    servers: tuple[Server, ...]
    unresolved: tuple[str, ...]


def find_authority(
    domain: str, given: Server | None, *, port: int, live: LiveDns, timeout: float
) -> Authority:
    """The zone that holds a domain, at the given server or at the one that its SOA names.

    Every address of the server is tried in turn. Raises TargetUnreachable, TargetDenied or
    TargetError with what the last of them said.
    """
    server = given or Server(_primary_name(domain, live), port)
    problem = None
    for one in located(server, live):
        apex = apex_at(one, domain, timeout)
        if isinstance(apex, str):
            return Authority(apex, one)
        problem = apex
    if problem is None:
        raise TargetUnreachable(
            f"{server}: its name cannot be resolved; check dns.server, or give an address"
        )
    raise problem.error()


def _primary_name(domain: str, live: LiveDns) -> str:
    """The primary that the zone's SOA names (RFC 1035, section 3.3.13), asked of resolvers."""
    labels = domain.split(".")
    for start in range(len(labels) - 1):
        answer = live.query(".".join(labels[start:]), "SOA")
        if answer.records:
            return answer.records[0].split()[0].rstrip(".")
        if answer.rcode not in ("NOERROR", "NXDOMAIN"):
            raise TargetUnreachable(
                f"the primary server of {domain} cannot be looked up ({answer.problem}); "
                "give it as dns.server"
            )
    raise TargetError(f"no zone with an SOA record holds {domain}; check the domain's name")


def apex_at(server: Server, domain: str, timeout: float) -> str | DnsProblem:
    """The zone of a name, by the owner of the SOA record that comes with any answer on it.

    A CNAME hides the zone of its name, which is then that of a name above it.
    """
    labels = domain.split(".")
    for start in range(len(labels)):
        name = ".".join(labels[start:])
        found = ask(server, name, "SOA", timeout=timeout)
        if isinstance(found, DnsProblem):
            return found
        if rrset_at(found, name, dns.rdatatype.CNAME):
            continue
        for rrset in (*found.answer, *found.authority):
            if rrset.rdtype == dns.rdatatype.SOA:
                return rrset.name.to_text(omit_final_dot=True).lower()
    message = f"{server.label}: names no zone for {domain}; give it as dns.zone"
    return DnsProblem(server, Trouble.MALFORMED, message)


def located(server: Server, live: LiveDns) -> tuple[Server, ...]:
    """The same server by each of its addresses; itself if its host is an address."""
    if server.address:
        return (server,)
    return tuple(Server(one, server.port, server.host) for one in live.addresses(server.host))


def find_servers(authority: Authority, *, port: int, live: LiveDns, timeout: float) -> Found:
    """The NS set as the primary tells it, every address of it on `port`.

    `live` has the primary as its authority. Raises TargetError if there is no NS set.
    """
    found = ask(authority.primary, authority.apex, "NS", timeout=timeout)
    if isinstance(found, DnsProblem):
        raise found.error()
    rrset = rrset_at(found, authority.apex, dns.rdatatype.NS)
    if rrset is None:
        raise TargetError(f"{authority.primary.label}: {authority.apex} has no NS records there")
    names = sorted(record.target.to_text(omit_final_dot=True).lower() for record in rrset)
    return locate_all(authority.primary, [Server(name, port) for name in names], live)


def locate_all(primary: Server, servers: Iterable[Server], live: LiveDns) -> Found:
    """These servers by address, each once, the primary first.

    Left out, and told: names without an address, and addresses of a family that this
    machine has no route for, as long as another family remains.
    """
    wanted = tuple(servers)
    with ThreadPoolExecutor(max(len(wanted), 1)) as pool:
        places = list(pool.map(lambda server: located(server, live), wanted))
    lost = [
        f"{s.host}: its name has no address" for s, at in zip(wanted, places, strict=True) if not at
    ]
    known = list(dict.fromkeys([primary, *(one for at in places for one in at)]))
    kept = routable(known, has_route)
    lost += [
        f"{one.label}: this machine has no route for its family" for one in known if one not in kept
    ]
    return Found(tuple(kept), tuple(lost))


def routable(servers: list[Server], has_route: Callable[[Server], bool]) -> list[Server]:
    """Without the families for which no server has a route, unless that leaves none.

    A single server without a route stays: that is a fault of its own, told when it is read.
    """
    reached = {_family(one) for one in servers if has_route(one)}
    return [one for one in servers if _family(one) in reached] or servers


def _family(server: Server) -> int:
    return socket.AF_INET6 if ":" in server.host else socket.AF_INET


def has_route(server: Server) -> bool:
    """Whether the machine would know where to send to this address; sends nothing."""
    try:
        with socket.socket(_family(server), socket.SOCK_DGRAM) as probe:
            return probe.connect_ex((server.host, server.port)) == 0
    except OSError:
        return False
