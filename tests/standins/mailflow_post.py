"""All mail servers of one test: their ports by name, their certificates, and what happened.

Every host listens on 127.0.0.1 at a port of the system's choice; the table `ports` maps the name
of a host to it, as no name means 127.0.0.1 in the world. A server answers 250 once it has taken a
message, and a worker delivers it or sends it on; `settle` waits until nothing is under way.
"""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Self

import trustme

from tests.standins.mailflow_client import Said, Tls, converse
from tests.standins.mailflow_letter import Hop, Journey, Letter, Verdict
from tests.standins.mailflow_names import Names
from tests.standins.mailflow_server import Conversation, Station

_PATIENCE = 120
"""Seconds until a message that is still under way fails the test."""

_MOST_HOPS = 40
"""Servers after which the model itself ends a loop that no station of it ends."""

NOT_RESOLVED = "450 4.4.312 DNS query failed"


class Post:
    """The servers. `hops` is the account of everything; use it as a context manager."""

    def __init__(self, names: Names) -> None:
        self.names = names
        self.hops: list[Hop] = []
        self.ports: dict[str, int] = {}
        self.loop = asyncio.new_event_loop()
        self.authority = trustme.CA(key_type=trustme.KeyType.ECDSA)
        self.roots = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self.authority.configure_trust(self.roots)
        self._stations: dict[str, str] = {}
        self._servers: list[asyncio.Server] = []
        self._open: set[Conversation] = set()
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self._workers = ThreadPoolExecutor(4, "mailflow")
        self._quiet = threading.Condition()
        self._under_way = 0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._workers.shutdown(cancel_futures=True)
        asyncio.run_coroutine_threadsafe(self._end(), self.loop).result(_PATIENCE)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(_PATIENCE)
        self.loop.close()

    def open(
        self,
        station: Station,
        *hosts: str,
        starttls: bool = True,
        authority: trustme.CA | None = None,
    ) -> int:
        """Let a station listen as each of these hosts, at one port; gives the port.

        Its certificate is for those hosts and for 127.0.0.1, of the test's own authority or of
        another.
        """
        tls = None
        if starttls:
            tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            names = ("127.0.0.1", *(hosts or (station.host,)))
            (authority or self.authority).issue_cert(
                *names, key_type=trustme.KeyType.ECDSA
            ).configure_cert(tls)
        listening = asyncio.run_coroutine_threadsafe(self._listen(station, tls), self.loop)
        port = listening.result(_PATIENCE)
        for host in hosts:
            self.ports[host], self._stations[host] = port, station.name
        return port

    def send(
        self,
        letter: Letter,
        recipients: Sequence[str],
        host: str,
        *,
        source: str,
        helo: str,
        tls: Tls = Tls(),  # noqa: B008  (immutable)
        login: tuple[str, str] | None = None,
    ) -> Said:
        """Hand a message over to a host, and note who was refused there."""
        assert letter.hops < _MOST_HOPS, "this would go on for ever"
        if host not in self.ports or self.names.address(host) is None:
            return Said(dict.fromkeys(recipients, NOT_RESOLVED))
        said = converse(
            self.ports[host],
            letter,
            recipients,
            source=source,
            helo=helo,
            tls=tls,
            roots=self.roots,
            login=login,
        )
        for recipient, reply in said.replies.items():
            if reply[0] in "45":
                hop = Hop(letter.id, recipient, self._stations[host], Verdict.REFUSED, says=reply)
                self.note(replace(hop, source=source, tls=said.tls))
        return said

    def note(self, hop: Hop) -> None:
        """Keep what happened."""
        with self._quiet:
            self.hops.append(hop)

    def accept(self, station: Station, letter: Letter) -> None:
        """A station has taken a message: a worker goes on with it."""
        with self._quiet:
            self._under_way += 1
        self._workers.submit(self._forward, station, letter)

    def settle(self) -> None:
        """Wait until no message is under way any more."""
        with self._quiet:
            done = self._quiet.wait_for(lambda: self._under_way == 0, _PATIENCE)
        assert done, "mail is still under way"

    def journey(self, message: str, recipient: str) -> Journey:
        """What happened to a message for a recipient."""
        with self._quiet:
            found = [one for one in self.hops if one.message == message]
        return Journey(tuple(one for one in found if one.recipient == recipient))

    def _forward(self, station: Station, letter: Letter) -> None:
        try:
            station.forward(letter)
        except Exception as error:  # noqa: BLE001  (a fault of the model shows in the journey)
            for recipient in letter.to:
                hop = Hop(letter.id, recipient, station.name, Verdict.FAILED, says=repr(error))
                self.note(hop)
        finally:
            with self._quiet:
                self._under_way -= 1
                self._quiet.notify_all()

    async def _listen(self, station: Station, tls: ssl.SSLContext | None) -> int:
        def conversation() -> Conversation:
            made = Conversation(self, station, tls)
            self._open.add(made)
            return made

        server = await self.loop.create_server(conversation, "127.0.0.1", 0)
        self._servers.append(server)
        return int(server.sockets[0].getsockname()[1])

    async def _end(self) -> None:
        for server in self._servers:
            server.close()
        for one in self._open:
            one.abort()
        tasks = [one for one in asyncio.all_tasks() if one is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
