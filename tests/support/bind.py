"""BIND 9 on a free loopback port, for tests that must hold against a real server.

`Bind` starts a primary at 127.0.0.1 and, if wanted, a secondary at ::1 on the same port,
from nothing but a folder. It needs `named` (Debian: package bind9) and no rights: it runs as
whoever runs the tests, and writes nowhere but in its folder. (BIND listens only on addresses
that an interface has, so 127.0.0.2 would not do. Without IPv6 the secondary is at 127.0.0.1
on a port of its own, which no NS set can tell.)
"""

from __future__ import annotations

import secrets
import shutil
import socket
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import dns.exception
import dns.flags
import dns.message
import dns.query
import dns.rcode

from tests.support.zones import NARROW, NARROW_NAMES, TRANSFER, WIDE, TsigKey

PRIMARY = "127.0.0.1"
SECONDARY = "::1"

_READY = 60.0
"""Seconds until a started server must answer for all of its zones."""

_ATTEMPTS = 5
"""Ports tried: another process may take a free port before named does."""


def find_named() -> str | None:
    """Where `named` is on this machine; None if it is not installed."""
    return shutil.which("named", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")


class PortTakenError(Exception):
    """Somebody else listens on the port that had been free."""


class Named:
    """One process of named at one address. Its log stays in the folder."""

    def __init__(self, folder: Path, address: str, port: int, zones: tuple[str, ...]) -> None:
        self.folder = folder
        self.address = address
        self.port = port
        self._zones = zones
        self._token = secrets.token_hex(8)
        self._process: subprocess.Popen[bytes] | None = None
        self._log: IO[bytes] | None = None
        self._said = 0

    @property
    def log(self) -> str:
        """All that the server has logged so far."""
        path = self.folder / "named.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def configure(self, options: str, rest: str) -> None:
        """Write named.conf. Every path in it leads into the folder."""
        self.folder.mkdir(parents=True, exist_ok=True)
        v6 = ":" in self.address
        text = _OPTIONS.format(
            folder=self.folder,
            v4="none" if v6 else self.address,
            v6=self.address if v6 else "none",
            port=self.port,
            token=self._token,
        )
        (self.folder / "named.conf").write_text(f"{text}{options}}};\ncontrols {{ }};\n{rest}")

    def start(self) -> None:
        """Start, and wait until every zone is served. Raises PortTakenError."""
        named = find_named()
        assert named is not None, "named is not installed (Debian: apt install bind9)"
        self._said = len(self.log)
        self._log = (self.folder / "named.log").open("ab")
        # -g: stay in the foreground and log to stderr. No -u: the folder is the caller's, and
        # a server that root starts keeps root's folders only as long as it stays root.
        command = [named, "-g", "-n", "1", "-c", str(self.folder / "named.conf")]
        self._process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log, cwd=self.folder
        )
        try:
            self._wait()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop and wait for the end. Doing it twice is harmless."""
        process, log = self._process, self._log
        self._process = self._log = None
        if process is not None:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        if log is not None:
            log.close()

    def restart(self) -> None:
        """Stop, and start again on the same port: a secondary then transfers its zones."""
        self.stop()
        for attempt in range(_ATTEMPTS):
            try:
                self.start()
            except PortTakenError:
                # Most often by a question of another process, which ends soon.
                if attempt == _ATTEMPTS - 1:
                    raise
                time.sleep(1)
            else:
                return

    def _wait(self) -> None:
        deadline = time.monotonic() + _READY
        while not self._serves():
            if "address in use" in self.log[self._said :]:
                raise PortTakenError(self.port)
            gone = self._process is None or self._process.poll() is not None
            if gone or time.monotonic() > deadline:
                raise AssertionError(f"named at {self.address} does not serve:\n{self.log[-4000:]}")
            time.sleep(0.02)

    def _serves(self) -> bool:
        """Whether it is this very process that answers, and for all of its zones."""
        try:
            who = self._ask("id.server", "TXT", rdclass="CH")
            if not who.answer or who.answer[0][0].strings[0].decode() != self._token:
                return False
            return all(
                answer.rcode() == dns.rcode.NOERROR and answer.flags & dns.flags.AA
                for answer in (self._ask(zone, "SOA") for zone in self._zones)
            )
        except (OSError, dns.exception.DNSException):
            return False

    def _ask(self, name: str, rdtype: str, *, rdclass: str = "IN") -> dns.message.Message:
        query = dns.message.make_query(name, rdtype, rdclass, flags=0)
        return dns.query.tcp(query, self.address, port=self.port, timeout=2)


class Bind:
    """A primary, and perhaps a secondary, with zones that can be updated.

    `zones` maps each apex to its zone file (`zone_file`). Keys: WIDE may change everything,
    NARROW only TXT at `narrow`, both by `update-policy`; TRANSFER signs the transfers.
    Without `notify`, the secondary lags behind every update until `secondary.restart()`.
    Use it as a context manager.
    """

    def __init__(
        self,
        folder: Path,
        zones: Mapping[str, str],
        *,
        secondary: bool = False,
        notify: bool = True,
        narrow: tuple[str, ...] = NARROW_NAMES,
    ) -> None:
        self._folder = folder
        self._zones = dict(zones)
        self._wants_secondary = secondary
        self._notify = notify
        self._narrow = narrow
        self.primary: Named
        self.secondary: Named

    def __enter__(self) -> Self:
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                self._start(self._folder / f"bind{attempt}")
            except PortTakenError:
                if attempt == _ATTEMPTS:
                    raise
            else:
                break
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Stop both servers."""
        self.primary.stop()
        self.secondary.stop()

    def _start(self, folder: Path) -> None:
        names = tuple(self._zones)
        port = free_port(PRIMARY, *([SECONDARY] if has_ipv6() else []))
        self.primary = Named(folder / "primary", PRIMARY, port, names)
        if has_ipv6():
            self.secondary = Named(folder / "secondary", SECONDARY, port, names)
        else:
            self.secondary = Named(folder / "secondary", PRIMARY, free_port(PRIMARY), names)
        self.primary.configure(*self._as_primary())
        for apex, text in self._zones.items():
            (self.primary.folder / f"{apex}.zone").write_text(text)
        self.primary.start()
        if self._wants_secondary:
            self.secondary.configure(*self._as_secondary())
            try:
                self.secondary.start()
            except BaseException:
                self.primary.stop()
                raise

    def _as_primary(self) -> tuple[str, str]:
        options = f"  allow-transfer {{ key {TRANSFER.name}; }};\n"
        if self._wants_secondary and self._notify:
            where = f"{self.secondary.address} port {self.secondary.port}"
            options += f"  notify explicit; also-notify {{ {where}; }};\n"
        else:
            options += "  notify no;\n"
        keys = [_key(key) for key in (WIDE, NARROW, TRANSFER)]
        return options, "".join(keys + [self._primary_zone(apex) for apex in self._zones])

    def _primary_zone(self, apex: str) -> str:
        grants = [f"grant {WIDE.name} zonesub ANY;"] + [
            f"grant {NARROW.name} name {name}. TXT;"
            for name in self._narrow
            if f".{name}".endswith(f".{apex}")
        ]
        policy = " ".join(grants)
        return (
            f'zone "{apex}" {{ type primary; file "{apex}.zone"; '
            f"update-policy {{ {policy} }}; }};\n"
        )

    def _as_secondary(self) -> tuple[str, str]:
        # Without a file, a secondary knows nothing when it starts, and transfers at once.
        source = f"{{ {PRIMARY} port {self.primary.port} key {TRANSFER.name}; }}"
        allowed = f"notify no; allow-notify {{ {PRIMARY}; {SECONDARY}; }};"
        zones = [
            f'zone "{apex}" {{ type secondary; primaries {source}; {allowed} }};\n'
            for apex in self._zones
        ]
        return "", "".join([_key(TRANSFER), *zones])


def _key(key: TsigKey) -> str:
    return f'key "{key.name}" {{ algorithm {key.algorithm}; secret "{key.secret}"; }};\n'


def has_ipv6() -> bool:
    """Whether this machine has the IPv6 loopback address."""
    return socket.has_ipv6 and _is_free(SECONDARY, 0, socket.SOCK_STREAM)


def free_port(*addresses: str) -> int:
    """A port that is free for TCP and UDP at each of these addresses, at this moment."""
    for _ in range(100):
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as first:
            first.bind((PRIMARY, 0))
            port = int(first.getsockname()[1])
        kinds = (socket.SOCK_STREAM, socket.SOCK_DGRAM)
        if all(_is_free(one, port, kind) for one in addresses for kind in kinds):
            return port
    raise AssertionError(f"no port is free at all of {addresses}")


def _is_free(address: str, port: int, kind: socket.SocketKind) -> bool:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        with socket.socket(family, kind) as probe:
            probe.bind((address, port))
    except OSError:
        return False
    return True


_OPTIONS = """options {{
  directory "{folder}";
  listen-on port {port} {{ {v4}; }};
  listen-on-v6 port {port} {{ {v6}; }};
  pid-file none; session-keyfile none; lock-file none;
  server-id "{token}";
  recursion no; dnssec-validation no; empty-zones-enable no; minimal-responses yes;
  max-cache-size 2m; notify-delay 0; notify-rate 1000; startup-notify-rate 1000;
  serial-query-rate 1000; transfers-per-ns 100; transfers-in 100;
"""
