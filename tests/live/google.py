"""The harness of a real Google Workspace account: its email allowlist, and a person who saves it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from exosync.core.ranges import IpRanges
from exosync.core.secret import SecretRef
from exosync_adapters.google_workspace.policies import allowlist, read_policies
from exosync_adapters.google_workspace.service import Google
from exosync_adapters.google_workspace.settings import GoogleSettings
from tests.contract.harness import Can, Json
from tests.contract.http import Tapped
from tests.live.switches import PERSON, GoogleAccount
from tests.live.way import Way
from tests.standins.web import Request

_HOSTS = {
    "/token": "https://oauth2.googleapis.com",
    "/v1/projects/": "https://iamcredentials.googleapis.com",
    "/v1/policies": "https://cloudidentity.googleapis.com",
    "/admin/reports/": "https://admin.googleapis.com",
}
_PAUSE = 15
_NOT_WRITTEN = "exosync writes nothing there: a person does"


class LiveGoogle(Tapped):
    """The email allowlist. What it holds when a test begins is other people's."""

    name = "google_workspace email_allowlist, real account"
    cannot: Mapping[Can, str] = {
        Can.WRITE: _NOT_WRITTEN,
        Can.SWAP: _NOT_WRITTEN,
        Can.STAGES: "a person replaces the whole box in one save",
        Can.LOCK_OUT: "the delegation of a real account is not taken away for a test",
        Can.RESTORE: "a person would have to put back every state",
    }

    def __init__(self, account: GoogleAccount, way: Way) -> None:
        super().__init__()
        self._account = account
        way.answer = lambda request: self.tap(request, way.forward)
        self.where = ("127.0.0.1", account.customer)
        self.target: Json = {
            "kind": "google_workspace",
            "customer": account.customer,
            "admin": account.admin,
            "credentials": {"kind": "key_file", "file": {"file": str(account.key_file)}},
            "setting": "email_allowlist",
            "url": way.url,
        }
        own = {key: value for key, value in self.target.items() if key != "kind"}
        own["url"] = account.url or None
        self._google = Google(GoogleSettings.model_validate(own), reveal=_reveal, pause=time.sleep)
        self._others = self._entries()

    @property
    def secrets(self) -> tuple[str, ...]:
        """The lines of the private key."""
        key = json.loads(self._account.key_file.read_text())["private_key"]
        return tuple(one for one in key.splitlines() if one and not one.startswith("-"))

    def state(self) -> object:
        """The list as it reads."""
        return self._entries()

    def listed(self) -> IpRanges:
        """What has come to the list since the test began."""
        new = [one for one in self._entries() if one not in self._others]
        return IpRanges.parse(new, strict=False)

    def foreign(self) -> object:
        """What was there when the test began, in its order."""
        return [one for one in self._entries() if one in self._others]

    def add_foreign(self) -> None:
        """Nothing: what is there will do."""

    def put_by_hand(self, ranges: IpRanges) -> None:
        """A person adds the ranges."""
        self._save([*self._entries(), *ranges.cidrs()])

    def damage(self) -> None:
        """A person takes the first entry of exosync's out."""
        entries = self._entries()
        entries.remove(next(one for one in entries if one not in self._others))
        self._save(entries)

    def do(self, task: Json) -> None:
        """A person pastes the box."""
        self._save([one.strip() for one in task["box"].split(",")])
        self.history.append(self.listed())

    @contextmanager
    def locked_out(self) -> Iterator[None]:
        """See `cannot`."""
        yield

    def snapshot(self) -> Callable[[], None]:
        """See `cannot`."""
        raise AssertionError

    def clean_up(self) -> None:
        """A person puts back what was there; whoever began has a person."""
        if self._entries() != self._others:
            self._save(self._others)

    def _is_write(self, request: Request) -> bool:
        return request.method in ("POST", "PATCH", "PUT", "DELETE") and request.path != "/token"

    def _entries(self) -> list[str]:
        found = allowlist(
            read_policies(self._google, self._account.customer),
            customer=self._account.customer,
            root_unit=None,
        )
        return [one.text for one in found.entries]

    def _save(self, entries: list[str]) -> None:
        """Ask the person at the terminal, and wait until the list reads so."""
        if not self._account.patience:
            pytest.skip(f"{self.name}: nobody is there to change the list: set {PERSON}")
        _tell(
            "\nAdmin console: Apps > Google Workspace > Gmail > Spam, Phishing and Malware > "
            f"Email allowlist. Replace the whole box by:\n\n{', '.join(entries) or '(nothing)'}\n"
        )
        until = time.monotonic() + self._account.patience
        while sorted(self._entries()) != sorted(entries):
            assert time.monotonic() < until, "nobody changed the list in time"
            time.sleep(_PAUSE)


def _tell(text: str) -> None:
    """To the terminal itself: pytest keeps everything else."""
    with Path("/dev/tty").open("w", encoding="utf-8") as terminal:
        terminal.write(text)


def _reveal(secret: SecretRef) -> str:
    assert secret.file is not None
    return Path(secret.file).read_text(encoding="utf-8")


@contextmanager
def live_google(account: GoogleAccount) -> Iterator[Any]:
    """A harness around the account; a person puts back what was there."""

    def base_of(path: str) -> str:
        host = next(host for start, host in _HOSTS.items() if path.startswith(start))
        return account.url or host

    with Way(base_of) as way:
        harness = LiveGoogle(account, way)
        try:
            yield harness
        finally:
            harness.clean_up()
