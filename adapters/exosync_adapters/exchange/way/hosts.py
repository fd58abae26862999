"""Where a smart host is, and what it says: its addresses, port 25, STARTTLS, its certificate.

Everything is bounded in time and size, whatever the other side does. What a host says to this
machine is not what it says to Exchange Online; above all, many networks let nobody out on port
25, and then every host looks silent from here.
"""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from ipaddress import ip_network
from typing import TYPE_CHECKING, Any

from exosync.core.words import short
from exosync_adapters.exchange.way.host_records import Certificate, HostSeen, MxSeen

if TYPE_CHECKING:
    from exosync_adapters.dns.live import LiveDns

_MOST_BYTES = 16 * 1024
_MOST_HOSTS = 20
_MOST_ADDRESSES = 4
_GOODBYE = 1.0
_OUR_NAME = "exosync.invalid"


@dataclass(frozen=True, slots=True)
class Trial:
    """How hosts are tried.

    `port` is the only one that a connector ever sends to. `within` are the seconds for one host,
    from its name to its certificate. `trust` are the authorities that count: by default this
    machine's.
    """

    port: int = 25
    within: float = 10.0
    trust: ssl.SSLContext | None = None


AS_EXCHANGE = Trial()
"""At the port that Exchange Online uses."""


class PartlyToldError(OSError):
    """Some addresses of a host were told, and whether there are more was not."""

    def __init__(self, addresses: Sequence[str], why: str) -> None:
        super().__init__(why)
        self.addresses = tuple(addresses)


Resolve = Callable[[str], Sequence[str]]
"""The addresses of a host by name; none if there are none. Raises OSError if that is not told."""


def try_hosts(
    names: Iterable[str],
    *,
    resolve: Resolve,
    how: Trial = AS_EXCHANGE,
) -> dict[str, HostSeen]:
    """Try several hosts side by side, each in its own time."""
    chosen = list(dict.fromkeys(names))

    def one(name: str) -> HostSeen:
        return try_host(name, resolve=resolve, how=how)

    with ThreadPoolExecutor(max_workers=_MOST_HOSTS) as pool:
        return dict(zip(chosen, pool.map(one, chosen), strict=True))


def try_host(
    name: str,
    *,
    resolve: Resolve,
    how: Trial = AS_EXCHANGE,
) -> HostSeen:
    """Resolve one host, and say EHLO and STARTTLS to the first address that answers.

    Nothing is sent but that, and QUIT. Never raises for the network.
    """
    deadline = time.monotonic() + how.within
    seen = located(name, resolve)
    places = seen.addresses[:_MOST_ADDRESSES]
    for number, address in enumerate(places):
        now = time.monotonic()
        share = (deadline - now) / (len(places) - number)
        seen = _at(seen, address, how, now + share)
        if seen.answers:
            return seen
    return seen


def located(name: str, resolve: Resolve) -> HostSeen:
    """A host with its addresses; a smart host that is an address needs no resolving."""
    try:
        network = ip_network(name)
    except ValueError:
        pass
    else:
        alone = network.num_addresses == 1
        trouble = "" if alone else "a whole network: which of its hosts is used is not told"
        addresses = (str(network.network_address),) if alone else ()
        return HostSeen(name, addresses, exists=True, trouble=trouble)
    try:
        found = tuple(dict.fromkeys(resolve(name)))
    except PartlyToldError as error:
        return HostSeen(name, error.addresses, whole=False, exists=True)
    except OSError as error:
        return HostSeen(name, trouble=f"its name cannot be looked up: {_reason(error)}")
    if not found:
        return HostSeen(name, exists=False, trouble="its name does not resolve")
    return HostSeen(name, found, exists=True)


def by_dns(live: LiveDns) -> Resolve:
    """Addresses as DNS has them: what stands in this machine's /etc/hosts counts for nobody else."""

    def resolve(name: str) -> list[str]:
        answers = [live.query(name, rdtype) for rdtype in ("A", "AAAA")]
        found = [address for one in answers for address in one.records]
        silent = [one for one in answers if one.rcode not in ("NOERROR", "NXDOMAIN")]
        if silent:
            why = silent[0].problem or silent[0].rcode
            raise PartlyToldError(found, why) if found else OSError(why)
        return found

    return resolve


def find_mx(domain: str, live: LiveDns) -> MxSeen:
    """The mail exchangers of a domain; the domain itself if it has none (RFC 5321, section 5.1)."""
    answer = live.query(domain, "MX")
    if answer.records:
        return MxSeen(tuple(one.lower().rstrip(".") for one in answer.records))
    if answer.rcode == "NOERROR":
        return MxSeen((domain,), "it has no MX record: its own address stands for one")
    if answer.rcode == "NXDOMAIN":
        return MxSeen((), "there is no such domain")
    return MxSeen((), f"its MX cannot be looked up: {answer.problem or answer.rcode}")


def _at(seen: HostSeen, address: str, how: Trial, deadline: float) -> HostSeen:
    """The conversation with one address; with a certificate that is not trusted, two of them."""
    trust = how.trust or ssl.create_default_context()
    told = _talk(seen, (address, how.port), deadline, trust)
    if told.certificate and not told.certificate.trusted and told.certificate.trouble:
        blind = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        blind.check_hostname, blind.verify_mode = False, ssl.CERT_NONE
        again = _talk(seen, (address, how.port), deadline, blind)
        shown = again.certificate or Certificate()
        return replace(told, certificate=replace(shown, trouble=told.certificate.trouble))
    return told


def _talk(
    seen: HostSeen, place: tuple[str, int], deadline: float, trust: ssl.SSLContext
) -> HostSeen:
    try:
        with socket.create_connection(place, _left(deadline)) as connection:
            told = _greeted(seen, connection, deadline)
            if not told.starttls:
                _part(connection, deadline)
                return told
            return replace(told, certificate=_secured(told.name, connection, deadline, trust))
    except (OSError, ValueError) as error:
        return replace(seen, answers=False, trouble=f"{place[0]}: {_reason(error)}")


def _greeted(seen: HostSeen, connection: socket.socket, deadline: float) -> HostSeen:
    """The greeting, EHLO, and STARTTLS if that is offered (RFC 5321, RFC 3207)."""
    code, lines = _reply(connection, deadline)
    told = replace(seen, answers=True, greeting=short(lines[0], 80), trouble="")
    if code != 220:
        return replace(told, trouble=f"it answers {code} {short(lines[0])}")
    code, lines = _said(f"EHLO {_OUR_NAME}", connection, deadline)
    if code != 250:
        return replace(told, trouble=f"it answers {code} to EHLO: {short(lines[0])}")
    if "STARTTLS" not in (one.upper().strip() for one in lines[1:]):
        return replace(told, starttls=False, trouble="it offers no STARTTLS")
    code, lines = _said("STARTTLS", connection, deadline)
    if code != 220:
        return replace(told, starttls=False, trouble=f"it answers {code} to STARTTLS")
    return replace(told, starttls=True)


def _secured(
    name: str, connection: socket.socket, deadline: float, trust: ssl.SSLContext
) -> Certificate:
    """The certificate; whether its name is the host's is for the connector's TLS to judge."""
    if trust.verify_mode is not ssl.CERT_NONE:
        trust.check_hostname = False
    connection.settimeout(_left(deadline))
    try:
        with trust.wrap_socket(connection, server_hostname=name) as secure:
            shown = _read(secure)
            _part(secure, deadline)
            return shown
    except ssl.SSLCertVerificationError as error:
        return Certificate(trouble=error.verify_message)
    except (OSError, ValueError) as error:
        return Certificate(trouble=_reason(error))


def _read(secure: ssl.SSLSocket) -> Certificate:
    """Python reads a certificate that it has verified; for others it takes `cryptography`."""
    found: Any = secure.getpeercert()
    if found:
        names = tuple(str(value).lower() for kind, value in found.get("subjectAltName", ()))
        end = datetime.fromtimestamp(ssl.cert_time_to_seconds(found["notAfter"]), UTC)
        return Certificate(names, end, trusted=True)
    return _unverified(secure.getpeercert(binary_form=True) or b"")


def _unverified(octets: bytes) -> Certificate:
    try:
        from cryptography import x509
    except ImportError:
        return Certificate()
    try:
        found = x509.load_der_x509_certificate(octets)
        names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (ValueError, x509.ExtensionNotFound):
        return Certificate()
    dns = tuple(one.lower() for one in names.get_values_for_type(x509.DNSName))
    return Certificate(dns, found.not_valid_after_utc)


def _part(connection: socket.socket, deadline: float) -> None:
    """Take leave as RFC 5321, section 4.1.1.10, asks for; nothing more is to be learned."""
    with suppress(OSError):
        connection.settimeout(min(_GOODBYE, _left(deadline)))
        connection.sendall(b"QUIT\r\n")
        connection.recv(512)


def _said(line: str, connection: socket.socket, deadline: float) -> tuple[int, list[str]]:
    connection.settimeout(_left(deadline))
    connection.sendall(f"{line}\r\n".encode("ascii"))
    return _reply(connection, deadline)


def _reply(connection: socket.socket, deadline: float) -> tuple[int, list[str]]:
    """One reply of several lines (RFC 5321, section 4.2.1). Raises ValueError if it is none."""
    octets = b""
    while not _is_whole(octets):
        connection.settimeout(_left(deadline))
        part = connection.recv(4096)
        octets += part
        if not part or len(octets) > _MOST_BYTES:
            raise ValueError("it breaks off, or talks without end")
    lines = octets.decode("ascii", "replace").splitlines()
    return int(lines[0][:3]), [one[4:] for one in lines]


def _is_whole(octets: bytes) -> bool:
    lines = octets.split(b"\n")[:-1]
    if not all(one[:3].isdigit() for one in lines):
        raise ValueError("it is no mail server")
    return bool(lines) and octets.endswith(b"\n") and lines[-1][3:4] in (b" ", b"\r", b"")


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _reason(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, OSError):
        return (error.strerror or str(error)).lower()
    return str(error)
