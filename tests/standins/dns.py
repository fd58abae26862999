"""A stand-in for a DNS server: authoritative answers and signed updates, over UDP and TCP.

In a test: `with DnsStandin({apex: zone_file(apex)}, keys=[WIDE], grants={"wide": ("*",)})`.
From a shell: `python -m tests.standins.dns --help`. The contract tests hold it against BIND.
"""

from __future__ import annotations

import argparse
import sys
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Self, cast

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.rcode
import dns.rdatatype
import dns.rdtypes.ANY.TSIG
import dns.rrset
import dns.tsig
import dns.update

from tests.standins.dns_sockets import Reply, listen
from tests.standins.dns_zones import Rejected, Zones
from tests.support.zones import TsigKey

_FUDGE = 300
"""Seconds that clocks may differ (RFC 8945, section 10)."""


class Fault(StrEnum):
    """What the server does wrong on purpose."""

    SILENT = "silent"
    SERVFAIL = "servfail"
    REFUSED = "refused"
    FORMERR = "formerr"
    NOTIMP = "notimp"
    TRUNCATED = "truncated"
    CUT = "cut"
    GARBAGE = "garbage"
    UNSIGNED = "unsigned"
    FORGED = "forged"
    CACHE = "cache"
    DROP_AFTER_COMMIT = "drop-after-commit"


_CODES = {
    Fault.SERVFAIL: dns.rcode.SERVFAIL,
    Fault.REFUSED: dns.rcode.REFUSED,
    Fault.FORMERR: dns.rcode.FORMERR,
    Fault.NOTIMP: dns.rcode.NOTIMP,
}


@dataclass(slots=True)
class Faults:
    """The fault of each kind of message; None means that it is answered as it should be."""

    queries: Fault | None = None
    updates: Fault | None = None


class DnsStandin:
    """The server. `host` and `port` are where it listens; `faults` and `clock` are switches.

    `keys` are the TSIG keys that it knows, `grants` what each may change (see `Zones`).
    `clock` is added to its time, in seconds. `updates` counts those that changed something,
    `asked` are the names and types of all queries. Use it as a context manager, or `start` it.
    """

    def __init__(
        self,
        zones: Mapping[str, str],
        *,
        keys: Iterable[TsigKey] = (),
        grants: Mapping[str, tuple[str, ...]] | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        self.zones = Zones(zones, grants or {})
        self.faults = Faults()
        self.clock = 0
        self.updates = 0
        self.asked: list[tuple[str, str]] = []
        self._keys = {dns.name.from_text(one.name): _tsig(one) for one in keys}
        self._tcp, self._udp = listen(self.respond, host, port)
        self.host = host
        self.port = int(self._tcp.server_address[1])

    def start(self) -> Self:
        """Begin to answer."""
        for server in (self._tcp, self._udp):
            # The interval is how often a server looks whether it should stop.
            threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def stop(self) -> None:
        """Stop answering and close the port."""
        for server in (self._tcp, self._udp):
            server.shutdown()
            server.server_close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def serial(self, apex: str) -> int:
        """The serial of a zone."""
        return self.zones.serial(apex)

    def respond(self, wire: bytes) -> Reply | None:
        """The reply to a message; None for none at all."""
        try:
            message = dns.message.from_wire(wire, keyring=False)
        except dns.exception.DNSException:
            return None
        is_update = message.opcode() == dns.opcode.UPDATE
        fault = self.faults.updates if is_update else self.faults.queries
        if fault is Fault.SILENT:
            return None
        if fault is Fault.DROP_AFTER_COMMIT:
            self._handle(wire, message)
            return Reply(b"", 0)
        if fault is Fault.GARBAGE:
            return Reply(b"this is not DNS", 15)
        response = _failed(message, _CODES[fault]) if fault in _CODES else None
        return _spoilt(response or self._handle(wire, message), fault)

    def _handle(self, wire: bytes, message: dns.message.Message) -> dns.message.Message:
        """The right answer, after the signature has been looked at (RFC 8945, section 5.2)."""
        if message.had_tsig:
            try:
                message = dns.message.from_wire(wire, keyring=self._keys)
            except (dns.message.UnknownTSIGKey, dns.tsig.BadKey, dns.tsig.BadAlgorithm):
                return _unsigned(message, dns.rcode.BADKEY)
            except dns.tsig.BadSignature:
                return _unsigned(message, dns.rcode.BADSIG)
            except dns.tsig.BadTime:
                return self._bad_time(dns.message.from_wire(wire, keyring=False))
            if abs(_tsig_of(message).time_signed - self._now()) > _FUDGE:
                return self._bad_time(message)
        if message.opcode() == dns.opcode.UPDATE:
            return self._update(cast("dns.update.UpdateMessage", message))
        if message.opcode() != dns.opcode.QUERY or len(message.question) != 1:
            return _failed(message, dns.rcode.NOTIMP)
        question = message.question[0]
        name = question.name.to_text(omit_final_dot=True).lower()
        self.asked.append((name, dns.rdatatype.to_text(question.rdtype)))
        response = dns.message.make_response(message)
        self.zones.answer(message, response)
        return response

    def _update(self, message: dns.update.UpdateMessage) -> dns.message.Message:
        response = dns.message.make_response(message)
        try:
            self.updates += self.zones.update(message, message.keyname)
        except Rejected as rejected:
            response.set_rcode(rejected.rcode)
        return response

    def _bad_time(self, message: dns.message.Message) -> dns.message.Message:
        """Signed, with the server's own time beside that of the client (section 5.2.3)."""
        response = _failed(message, dns.rcode.NOTAUTH)
        now = self._now().to_bytes(6, "big")
        key = self._keys[dns.name.from_text(str(message.keyname))]
        response.use_tsig(key, fudge=_FUDGE, tsig_error=dns.rcode.BADTIME, other_data=now)
        response.request_mac = _tsig_of(message).mac
        return response

    def _now(self) -> int:
        return int(time.time()) + self.clock


def _tsig(key: TsigKey) -> dns.tsig.Key:
    return dns.tsig.Key(dns.name.from_text(key.name), key.secret, f"{key.algorithm}.")


def _tsig_of(message: dns.message.Message) -> dns.rdtypes.ANY.TSIG.TSIG:
    assert message.tsig is not None
    return cast("dns.rdtypes.ANY.TSIG.TSIG", message.tsig[0])


def _failed(message: dns.message.Message, rcode: dns.rcode.Rcode) -> dns.message.Message:
    """A code alone, without a signature: the message may be one that could not be verified."""
    signature, message.tsig = message.tsig, None
    response = dns.message.make_response(message)
    message.tsig = signature
    response.set_rcode(rcode)
    return response


def _unsigned(message: dns.message.Message, error: dns.rcode.Rcode) -> dns.message.Message:
    """NOTAUTH with a TSIG record that has an error and no signature (section 5.3.2)."""
    assert message.tsig is not None
    response, asked = _failed(message, dns.rcode.NOTAUTH), _tsig_of(message)
    response.tsig = dns.rrset.from_rdata(message.tsig.name, 0, asked.replace(mac=b"", error=error))
    return response


def _spoilt(response: dns.message.Message, fault: Fault | None) -> Reply:
    if fault is Fault.CACHE:
        response.flags &= ~dns.flags.AA
    if fault is Fault.TRUNCATED:
        response.sections[1] = []
        response.flags |= dns.flags.TC
    if fault is Fault.UNSIGNED:
        response.tsig, response.want_tsig_sign = None, False
    if fault is Fault.FORGED and response.tsig is not None:
        response.keyring = dns.tsig.Key(
            response.tsig.name, b"another", _tsig_of(response).algorithm
        )
    wire = response.to_wire()
    return Reply(wire[: len(wire) // 2] if fault is Fault.CUT else wire, len(wire))


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until interrupted. The first line of output is `ready HOST:PORT`."""
    parser = argparse.ArgumentParser(prog="python -m tests.standins.dns", description=main.__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0: any free port")
    parser.add_argument("--zone", action="append", default=[], metavar="APEX=FILE")
    parser.add_argument("--key", action="append", default=[], metavar="NAME:ALGORITHM:BASE64")
    parser.add_argument("--grant", action="append", default=[], metavar="KEY=NAME", help="or KEY=*")
    for kind in ("queries", "updates"):
        parser.add_argument(f"--fail-{kind}", type=Fault, choices=list(Fault))
    options = parser.parse_args(arguments)
    zones = {a: Path(f).read_text() for a, _, f in (one.partition("=") for one in options.zone)}
    keys = [TsigKey(n, s, a) for n, a, s in (one.split(":", 2) for one in options.key)]
    grants: dict[str, tuple[str, ...]] = {}
    for key, _, name in (one.partition("=") for one in options.grant):
        grants[key] = (*grants.get(key, ()), name)
    server = DnsStandin(zones, keys=keys, grants=grants, host=options.host, port=options.port)
    server.faults = Faults(options.fail_queries, options.fail_updates)
    with server:
        sys.stdout.write(f"ready {server.host}:{server.port}\n")
        sys.stdout.flush()
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            return 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
