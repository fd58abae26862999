"""The harnesses of the kind `google_workspace`, one for each setting."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from exosync.core.ranges import IpRanges
from tests.contract.harness import Can, Json
from tests.contract.http import Tapped
from tests.standins.google import GoogleStandIn
from tests.standins.google_switches import Switches
from tests.standins.web import Reply, Request

_NOT_WRITTEN = "exosync writes nothing there: a person does"
_OTHERS = ("192.0.2.1", "198.51.100.77/24", "2001:db8::/32")
"""A single address, one with host bits, and a range of IPv6, as people enter them."""


class _Google(GoogleStandIn):
    """Lets its harness hear every request first."""

    harness: _GoogleHarness

    def reply(self, request: Request) -> Reply:
        return self.harness.tap(request, super().reply)


class _GoogleHarness(Tapped):
    """An account, a service account with a key, and an administrator."""

    setting: str
    where = ("127.0.0.1", "exosync@project.iam.gserviceaccount.com")

    def __init__(self, google: _Google, folder: Path, **keys: Any) -> None:
        super().__init__()
        self.google = google
        google.harness = self
        self._key_file = google.key_file(folder)
        self.target: Json = {
            "kind": "google_workspace",
            "customer": "C01abcdef",
            "admin": "postmaster@example.com",
            "credentials": {"kind": "key_file", "file": {"file": str(self._key_file)}},
            "setting": self.setting,
            "url": google.url,
            "page_pause": "0s",
            **keys,
        }

    @property
    def secrets(self) -> tuple[str, ...]:
        """The lines of the private key, every token, and what tokens were asked for with."""
        key = json.loads(self._key_file.read_text())["private_key"]
        lines = [one for one in key.splitlines() if one and not one.startswith("-")]
        asked = [one.body.decode() for one in self.google.requests if one.path == "/token"]
        assertions = [one.partition("assertion=")[2].partition("&")[0] for one in asked]
        return (*lines, *self.google.authority._tokens, *filter(None, assertions))

    def state(self) -> object:
        """The allowlist as it was typed, and the gateway's lines."""
        return self.google.allowlist, tuple(sorted(self.google.gateway))

    @contextmanager
    def locked_out(self) -> Iterator[None]:
        """The Admin console delegates nothing to the service account any more."""
        authority = self.google.authority
        kept, authority.delegated = authority.delegated, set()
        try:
            yield
        finally:
            authority.delegated = kept

    def snapshot(self) -> Callable[[], None]:
        """A copy of the policies, of the gateway and of the log."""
        google: Any = self.google
        kept = copy.deepcopy((google._policies.__dict__, google.gateway, google.audit.__dict__))

        def put_back() -> None:
            policies, google.gateway, audit = copy.deepcopy(kept)
            google._policies.__dict__.update(policies)
            google.audit.__dict__.update(audit)

        return put_back

    def _is_write(self, request: Request) -> bool:
        return request.method in ("POST", "PATCH", "PUT", "DELETE") and request.path != "/token"


class AllowlistHarness(_GoogleHarness):
    """The email allowlist, which a person pastes into the console."""

    name = "google_workspace email_allowlist"
    setting = "email_allowlist"
    cannot: Mapping[Can, str] = {
        Can.WRITE: _NOT_WRITTEN,
        Can.SWAP: _NOT_WRITTEN,
        Can.STAGES: "a person replaces the whole box in one save",
    }

    def listed(self) -> IpRanges:
        """The entries but for those of others."""
        entries = [one for one in self.google.allowlist or () if one not in _OTHERS]
        return IpRanges.parse(entries, strict=False)

    def foreign(self) -> object:
        """Others' entries, in their order."""
        return [one for one in self.google.allowlist or () if one in _OTHERS]

    def add_foreign(self) -> None:
        """Entries that somebody made years ago."""
        self.google.set_allowlist([*(self.google.allowlist or ()), *_OTHERS])

    def put_by_hand(self, ranges: IpRanges) -> None:
        """The ranges as further entries."""
        self.google.set_allowlist([*(self.google.allowlist or ()), *ranges.cidrs()])

    def damage(self) -> None:
        """Somebody takes our first entry out."""
        entries = list(self.google.allowlist or ())
        entries.remove(next(one for one in entries if one not in _OTHERS))
        self.google.set_allowlist(entries)

    def do(self, task: Json) -> None:
        """Paste the box and save."""
        self.google.set_allowlist([one.strip() for one in task["box"].split(",")])
        self.history.append(self.listed())


class ProbeHarness(AllowlistHarness):
    """The email allowlist at an account whose API happens to write it."""

    name = "google_workspace email_allowlist, write: probe"
    cannot: Mapping[Can, str] = {
        Can.ASK: "the API that is tried writes it, so nobody is asked",
        Can.SWAP: "the API has no compare-and-swap: the race that remains is documented",
    }


class GatewayHarness(_GoogleHarness):
    """The inbound gateway, which no API reads or writes."""

    name = "google_workspace inbound_gateway"
    setting = "inbound_gateway"
    cannot: Mapping[Can, str] = {
        **AllowlistHarness.cannot,
        Can.READ: "no API reads the inbound gateway, so nothing of it is noticed",
        Can.SHARE: "no API reads the inbound gateway, so the steps name our ranges alone",
        Can.UNPLUG: "nothing is asked but the audit log, and that never fails the target",
        Can.LOCK_OUT: "nothing is asked but the audit log, and that never fails the target",
    }

    def listed(self) -> IpRanges:
        """The lines of the gateway."""
        return IpRanges.parse(self.google.gateway)

    def foreign(self) -> object:
        """Nobody else has lines there."""
        return []

    def add_foreign(self) -> None:
        """Nothing: see `cannot`."""

    def put_by_hand(self, ranges: IpRanges) -> None:
        """The ranges as lines."""
        self.google.set_inbound_gateway(entries=ranges.cidrs())

    def damage(self) -> None:
        """Somebody takes a line out, and nobody notices."""
        self.google.set_inbound_gateway(entries=sorted(self.google.gateway)[1:])

    def do(self, task: Json) -> None:
        """Enter the lines and save."""
        self.google.set_inbound_gateway(entries=task["box"].split())
        self.history.append(self.listed())


@contextmanager
def _opened(
    folder: Path, kind: Callable[..., _GoogleHarness], google: _Google, **keys: Any
) -> Iterator[Any]:
    with google:
        yield kind(google, folder, **keys)
        assert [] == google.violations


@contextmanager
def allowlist_harness(folder: Path, **how: Any) -> Iterator[AllowlistHarness]:
    """A harness of the email allowlist as it is today."""
    with _opened(folder, AllowlistHarness, _Google(allowlist=[], **how)) as one:
        yield one


@contextmanager
def probe_harness(folder: Path, **how: Any) -> Iterator[ProbeHarness]:
    """The same where `policies.patch` works."""
    google = _Google(allowlist=[], switches=Switches(mutate="works"), **how)
    with _opened(folder, ProbeHarness, google, write="probe") as one:
        yield one


@contextmanager
def gateway_harness(folder: Path, **how: Any) -> Iterator[GatewayHarness]:
    """A harness of the inbound gateway."""
    with _opened(folder, GatewayHarness, _Google(allowlist=[], **how)) as one:
        yield one


@contextmanager
def mailbox_harness(folder: Path, **how: Any) -> Iterator[GatewayHarness]:
    """The gateway's harness where mailboxes may be looked into, and where nothing else is asked."""
    keys = {"audit": False, "mailbox_headers": True}
    with _opened(folder, GatewayHarness, _Google(allowlist=[], **how), **keys) as one:
        yield one
