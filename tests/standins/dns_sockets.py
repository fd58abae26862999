"""One port on which the DNS stand-in is asked over UDP and over TCP (RFC 1035, section 4.2)."""

from __future__ import annotations

import socketserver
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import dns.flags
import dns.message

_ATTEMPTS = 20


@dataclass(frozen=True, slots=True)
class Reply:
    """What is sent back: `size` is the length that is promised over TCP.

    A promise that is not kept is followed by the end of the connection, as nothing at all is.
    """

    wire: bytes
    size: int


Respond = Callable[[bytes], Reply | None]


class Tcp(socketserver.ThreadingTCPServer):
    """The TCP side."""

    daemon_threads = True
    request_queue_size = 128
    allow_reuse_address = True
    respond: Respond


class Udp(socketserver.ThreadingUDPServer):
    """The UDP side."""

    daemon_threads = True
    respond: Respond


class _TcpHandler(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        while len(size := self.rfile.read(2)) == 2:
            wire = self.rfile.read(struct.unpack("!H", size)[0])
            reply = cast("Tcp", self.server).respond(wire)
            if reply is None:
                continue
            if reply.wire:
                self.wfile.write(struct.pack("!H", reply.size) + reply.wire)
            if not reply.wire or reply.size != len(reply.wire):
                return


class _UdpHandler(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        wire, socket = cast("tuple[bytes, Any]", self.request)
        reply = cast("Udp", self.server).respond(wire)
        if reply is not None and reply.wire:
            socket.sendto(_fitting(wire, reply.wire), self.client_address)


def _fitting(query: bytes, answer: bytes) -> bytes:
    """The answer, or TC in its place where it is longer than the asker takes over UDP."""
    asked = dns.message.from_wire(query, keyring=False)
    if len(answer) <= max(asked.payload, 512):
        return answer
    response = dns.message.make_response(asked)
    response.flags |= dns.flags.AA | dns.flags.TC
    return response.to_wire()


def listen(respond: Respond, host: str, port: int) -> tuple[Tcp, Udp]:
    """One port for both; with port 0, another is tried where UDP finds it taken."""
    for attempt in range(_ATTEMPTS):
        tcp = Tcp((host, port), _TcpHandler)
        try:
            udp = Udp((host, int(tcp.server_address[1])), _UdpHandler)
        except OSError:
            tcp.server_close()
            if port or attempt == _ATTEMPTS - 1:
                raise
        else:
            tcp.respond = udp.respond = respond
            return tcp, udp
    raise AssertionError("the last attempt returns or raises")
