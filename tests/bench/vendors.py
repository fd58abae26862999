"""Settings of all vendors as configurations, and the services that stand for the outside.

The benchmarks of targets measure what runs over them cost, and tests hold how often they ask.
Nothing of exosync is loaded here: a process is never told as smaller than the one that starts it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.standins.dns import DnsStandin
from tests.standins.endpoints import EndpointsStandIn
from tests.standins.exchange import ExchangeStandIn, Switches
from tests.standins.exchange_console import Console
from tests.standins.exchange_tenants import people
from tests.standins.google import GoogleStandIn
from tests.standins.mimecast import MimecastStandIn, seed_thousands
from tests.standins.powershell_values import Thrown
from tests.standins.web import Request
from tests.support.zones import zone_file

Json = dict[str, Any]

MIMECAST, GOOGLE, EXCHANGE = "Mimecast", "Google Workspace", "Exchange Online"
INSTANCE, VERSION = "USGovGCCHigh", "2024073100"
EXTRA = "23.103.132.0/22"
"""The range that a change adds, and that a removal takes away again."""

PARTNER = "192.0.2.9"
"""What somebody else has in Google's list."""

_SPF = '@ IN TXT "v=spf1 ip4:0.0.0.0/1 ip4:128.0.0.0/1 ip6:::/1 ip6:8000::/1 -all"'
"""Passes for every range, as Mimecast's bypass by SPF needs it."""

_EDGE = {"name": "edge", "kind": "file", "mode": "apply", "path": "exo.txt"}


@dataclass(frozen=True, slots=True)
class Case:
    """One setting of one vendor.

    `keys` are its target's own. A change puts `change` in the place of some of them, a removal
    `removal`; where those are empty, one range more is wanted, and then no longer. `others` are
    policies of other people in the account.
    """

    vendor: str
    title: str
    keys: Json
    change: Json = field(default_factory=dict)
    removal: Json = field(default_factory=dict)
    switches: Json = field(default_factory=dict)
    others: int = 0


def _mimecast(
    *settings: str, title: str = "", change: Json | None = None, others: int = 0, **keys: Any
) -> Case:
    own = {"settings": list(settings), **keys}
    return Case(MIMECAST, title or settings[0], own, change=change or {}, others=others)


def _google(setting: str, more: str = "", switches: Json | None = None, **keys: Any) -> Case:
    own = {"setting": setting, "credentials": _KEY_FILE, **keys}
    return Case(GOOGLE, f"{setting}{more}", own, switches=switches or {})


def _exchange(title: str, **keys: Any) -> Case:
    """Everyone but a group of ten goes to the other side."""
    own = {
        "domain": "example.com",
        "far_side": "other",
        "smart_hosts": ["127.0.0.2"],
        "routed": {"everyone_but": "here@example.com"},
        **keys,
    }
    return Case(EXCHANGE, title, own, {"smart_hosts": ["127.0.0.3"]}, {"remove": True})


_KEY_FILE: Json = {"kind": "key_file", "file": {"file": "google.json"}}
_KEYLESS: Json = {
    "kind": "keyless",
    "service_account": "exosync@project.iam.gserviceaccount.com",
}
_ONE: Json = {"domains": ["example.com"]}
_TWO: Json = {"domains": ["example.com", "example.net"]}


def _permitted(*to: str) -> Json:
    return {"permitted_addresses": [{"sender": "files@example.com", "to": list(to)}]}


SPOOFING = _mimecast("anti_spoofing", **_ONE)
LIST = _google("email_allowlist")
REST = _exchange("`write: rest`", write="rest")
PROBE = _google(
    "email_allowlist",
    ", `write: probe` that works",
    {"mutate": "works"},
    write="probe",
    page_pause="0s",
)

CASES = (
    SPOOFING,
    _mimecast(
        "anti_spoofing", title="anti_spoofing, 1,000 policies of others", others=1000, **_ONE
    ),
    _mimecast(
        "anti_spoofing",
        title="anti_spoofing, ten domains, 1,000 policies of others",
        others=1000,
        domains=[f"branch-{number}.example" for number in range(10)],
    ),
    _mimecast("spf_bypass", change=_TWO, **_ONE),
    _mimecast("permitted_senders"),
    _mimecast(
        "permitted_addresses",
        change=_permitted("ada@example.com", "joe@example.com"),
        **_permitted("ada@example.com"),
    ),
    _mimecast("authorized_outbounds"),
    _mimecast(
        *("anti_spoofing", "spf_bypass", "permitted_senders"),
        *("permitted_addresses", "authorized_outbounds"),
        title="all five settings",
        **_ONE,
        **_permitted("ada@example.com"),
    ),
    LIST,
    _google("email_allowlist", ", keyless", credentials=_KEYLESS),
    _google("email_allowlist", ", `audit: false`", audit=False),
    _google("email_allowlist", ", three pages", {"filler": 250}, page_pause="0s"),
    PROBE,
    _google("email_allowlist", ", `write: probe` that is declined", write="probe", page_pause="0s"),
    _google("inbound_gateway"),
    _google("inbound_gateway", ", `audit: false`", audit=False),
)

EXCHANGE_CASES = (
    REST,
    _exchange("`write: rest`, whole domain", write="rest", routed={"whole_domain": "acknowledged"}),
    _exchange("`write: script`"),
    _exchange("without credentials", credentials=None),
)


@dataclass
class Company:
    """What a company has outside: the services, and a folder for an installation of exosync."""

    folder: Path
    feed: EndpointsStandIn
    mail: MimecastStandIn
    google: GoogleStandIn
    exchange: ExchangeStandIn
    dns: DnsStandin
    environ: Mapping[str, str]
    _counted: list[int] = field(default_factory=lambda: [0, 0, 0])

    def configuration(
        self,
        *cases: Case,
        changed: bool = False,
        removed: bool = False,
        interval: str = "1h",
        edge: bool = False,
    ) -> Json:
        """The whole of one; `edge` adds a file target, `interval` is that of asking Microsoft."""
        wants_more = changed and any(not one.change for one in cases)
        extra = [{"cidr": EXTRA, "name": "relay", "reason": "a change"}] if wants_more else []
        return {
            "feed": {"url": self.feed.url, "instance": INSTANCE},
            "schedule": {"feed": interval},
            "ranges": {"grace": "0s", "extra": extra},
            "guards": {"max_shrink": "100%", "max_growth": "400%"},
            "targets": [_EDGE] * edge
            + [self._target(one, changed=changed, removed=removed) for one in cases],
        }

    def configure(self, name: str, *cases: Case, **how: Any) -> Path:
        """Write a configuration into the folder; all in it share one state."""
        path = self.folder / name
        path.write_text(yaml.safe_dump(self.configuration(*cases, **how), sort_keys=False))
        return path

    def _target(self, case: Case, *, changed: bool, removed: bool) -> Json:
        keys = {
            **case.keys,
            **(case.change if changed else {}),
            **(case.removal if removed else {}),
        }
        if case.vendor == EXCHANGE:
            tenant = self.exchange
            common: Json = {"name": "exchange", "kind": "exchange", "url": tenant.url}
            common |= {"tenant": tenant.tenant, "client_id": tenant.client_id}
            common |= {"credentials": {"kind": "secret", "secret": {"file": "entra"}}}
        elif case.vendor == GOOGLE:
            common = {"name": "google", "kind": "google_workspace", "url": self.google.url}
            common |= {"customer": "C01abcdef", "admin": "postmaster@example.com"}
        else:
            common = {"name": "mimecast", "kind": "mimecast", "url": self.mail.url}
            keys |= {"client_id": {"file": "id"}, "client_secret": {"file": "secret"}}
            if "spf_bypass" in keys["settings"]:
                keys["dns"] = {"resolvers": [f"127.0.0.1:{self.dns.port}"]}
        return {**common, "mode": "apply", **keys}

    def asked(self) -> list[Request]:
        """What all vendors were asked since this was called last, in order for each."""
        every = (self.mail.requests, self.google.requests, self.exchange.requests)
        new = [one[seen:] for one, seen in zip(every, self._counted, strict=True)]
        self._counted = [len(one) for one in every]
        return [request for one in new for request in one]

    def paste(self, box: str) -> None:
        """A person replaces the text of the box in Google's console, and saves."""
        self.google.set_allowlist([one.strip() for one in box.split(",")])

    def run_script(self, box: str) -> None:
        """An administrator of Exchange Online runs what is in the box.

        A script whose turn has not come does nothing: it is asked for again.
        """
        with suppress(Thrown):
            Console(self.exchange.org).run(box)

    def slow(self, seconds: float) -> None:
        """Let each answer of a vendor take so long."""
        self.mail.switch(latency_seconds=seconds)
        self.google.switch(latency_seconds=seconds)
        self.exchange.switch(latency_seconds=seconds)


@contextmanager
def company(folder: Path, cases: Sequence[Case], *, strict: bool = True) -> Iterator[Company]:
    """All that these settings need. `strict` checks every request, which takes its time."""
    zones = {apex: zone_file(apex, _SPF) for apex in _TWO["domains"]}
    with (
        EndpointsStandIn(instance=INSTANCE, version=VERSION) as feed,
        MimecastStandIn(strict=strict) as mail,
        GoogleStandIn() as google,
        ExchangeStandIn("example.com", switches=Switches(cloud="gcc_high")) as exchange,
        DnsStandin(zones) as dns,
    ):
        google.strict = strict
        of_vendor: Mapping[str, Any] = {MIMECAST: mail, GOOGLE: google, EXCHANGE: exchange}
        for one in cases:
            of_vendor[one.vendor].switch(**one.switches)
            seed_thousands(mail, one.others)
        google.set_allowlist([PARTNER])
        (folder / "id").write_text("the-id")
        (folder / "secret").write_text("the-secret-of-mimecast")
        google.key_file(folder).replace(folder / "google.json")
        (folder / "entra").write_text("the-secret-of-exchange")
        here = [f"employee{number}@example.com" for number in range(10)]
        people(exchange.org, "example.com", here=here)
        source = {"GOOGLE_APPLICATION_CREDENTIALS": str(google.source_credentials_file(folder))}
        yield Company(folder, feed, mail, google, exchange, dns, source)
        assert [] == [*mail.violations, *mail.dangerous, *google.violations, *exchange.dangerous]
