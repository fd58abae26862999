"""One question to one DNS server over TCP, and what its answer means.

TCP always: an SPF record may be longer than a UDP answer, and an update must not be cut or
repeated. The exchange is our own because dnspython's would hide the octets from which the
server's clock is read when it refuses a signature for its time.
"""

from __future__ import annotations

import errno
import socket
import struct
import time
from typing import cast

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset

from exosync_adapters.dns.values import DnsProblem, Server, Trouble


class Silence(Exception):
    """No usable answer came. `sent`: the whole question had left, so it may have been heard."""

    def __init__(self, reason: str, *, sent: bool) -> None:
        super().__init__(reason)
        self.sent = sent


def exchange(server: Server, wire: bytes, *, timeout: float) -> bytes:
    """Send one message and return the octets of the answer, all within `timeout` seconds.

    Raises Silence.
    """
    deadline, sent = time.monotonic() + timeout, False
    try:
        with socket.create_connection((server.host, server.port), timeout) as connection:
            connection.sendall(struct.pack("!H", len(wire)) + wire)
            sent = True
            size = struct.unpack("!H", _receive(connection, 2, deadline))[0]
            return _receive(connection, size, deadline)
    except TimeoutError:
        raise Silence(f"no answer within {timeout:g} s", sent=sent) from None
    except OSError as error:
        raise Silence(_reason(error), sent=sent) from error


def _receive(connection: socket.socket, size: int, deadline: float) -> bytes:
    received = b""
    while len(received) < size:
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        connection.settimeout(left)
        part = connection.recv(size - len(received))
        if not part:
            raise OSError("it closed the connection without an answer")
        received += part
    return received


def _reason(error: OSError) -> str:
    if isinstance(error, socket.gaierror):
        return "its name cannot be resolved"
    if error.errno in (errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EADDRNOTAVAIL):
        return "there is no route to it"
    return (error.strerror or str(error)).lower()


def ask(
    server: Server, name: str, rdtype: str, *, timeout: float
) -> dns.message.QueryMessage | DnsProblem:
    """What a server itself says of a name: recursion is not desired, and AA is required.

    NOERROR and NXDOMAIN are answers; everything else is a problem.
    """
    query = dns.message.make_query(name, rdtype, flags=0, use_edns=False)
    try:
        response = dns.message.from_wire(exchange(server, query.to_wire(), timeout=timeout))
    except Silence as silence:
        return DnsProblem(server, Trouble.UNREACHABLE, f"{server.label}: {silence}")
    except dns.exception.DNSException as error:
        return DnsProblem(
            server, Trouble.MALFORMED, f"{server.label}: its answer is not valid DNS ({error})"
        )
    if not query.is_response(response) or response.flags & dns.flags.TC:
        message = (
            f"{server.label}: its answer on {name} is cut short or belongs to another question"
        )
        return DnsProblem(server, Trouble.MALFORMED, message)
    answer = cast("dns.message.QueryMessage", response)
    return _fault(server, answer, name) or answer


def _fault(server: Server, response: dns.message.QueryMessage, name: str) -> DnsProblem | None:
    rcode = response.rcode()
    if rcode == dns.rcode.REFUSED:
        message = f"{server.label}: refuses to answer on {name}; it may not serve that zone"
        return DnsProblem(server, Trouble.REFUSED, message)
    if rcode not in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
        message = f"{server.label}: answers {dns.rcode.to_text(rcode)} on {name}; see its log"
        return DnsProblem(server, Trouble.SERVER_FAILURE, message)
    if response.flags & dns.flags.AA:
        return None
    message = f"{server.label}: {_why_no_authority(response, name)}"
    return DnsProblem(server, Trouble.NOT_AUTHORITATIVE, message)


def _why_no_authority(response: dns.message.QueryMessage, name: str) -> str:
    """A referral names another zone; without one, the server is a cache or a wrong one."""
    absolute = dns.name.from_text(name)
    for rrset in response.authority:
        below_root = rrset.name != dns.name.root
        if rrset.rdtype == dns.rdatatype.NS and below_root and absolute.is_subdomain(rrset.name):
            zone = rrset.name.to_text(omit_final_dot=True)
            return f"says that {name} belongs to the zone {zone} on other servers"
    return f"not authoritative for {name}; is it a cache? Give the zone's own servers"


def rrset_at(
    response: dns.message.QueryMessage, name: str, rdtype: dns.rdatatype.RdataType
) -> dns.rrset.RRset | None:
    """The RRset of this very name and type in the answer, without following a CNAME."""
    absolute = dns.name.from_text(name)
    for rrset in response.answer:
        if rrset.name == absolute and rrset.rdtype == rdtype:
            return rrset
    return None
