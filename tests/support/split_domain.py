"""A company with one domain on two sides, played by stand-ins: what the how-to begins with.

Ada has her mailbox in Exchange Online, Grace hers at Google, where Mimecast is in front. Alan has
one on each side: this is what makes a rule necessary, as Exchange Online keeps his mail otherwise.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.standins.dns import DnsStandin
from tests.standins.exchange import ExchangeStandIn
from tests.standins.exchange_org import Org
from tests.standins.exchange_tenants import people
from tests.standins.google import GoogleStandIn
from tests.standins.mailflow import GOOGLE_HOSTS, OUTSIDE, MailFlow
from tests.standins.mailflow_names import Names
from tests.standins.mimecast import MimecastStandIn
from tests.support.zones import WIDE, zone_file

DOMAIN = "example.com"
ADA, GRACE, BOTH = (f"{one}@{DOMAIN}" for one in ("ada", "grace", "alan"))
"""Here alone, elsewhere alone, on both sides."""

HERE, ELSEWHERE = f"here@{DOMAIN}", f"elsewhere@{DOMAIN}"
"""The groups of those whose mail should stay, and should go; Alan's should go."""

PARTNER, CARELESS = "bob@partner.example", "carl@careless.example"
"""Senders outside: one whose SPF record ends with -all, and one whose record says nothing."""

GATEWAY, GOOGLE = "eu-smtp-inbound-1.mimecast.com", GOOGLE_HOSTS[0]
MICROSOFT = f"{DOMAIN.replace('.', '-')}.mail.protection.outlook.com"
LEAVES_FROM = ("40.107.22.83", "40.92.75.4")
"""Addresses that ordinary mail leaves from: all published."""

RANGES = ("40.92.0.0/15", "40.107.0.0/16", "52.100.0.0/14", "104.47.0.0/17")
LOOP_BREAKER = ("X-Exosync-Routed", "exosync")


def zones(*, mx: str = GATEWAY, spf: str = "") -> Mapping[str, str]:
    """The DNS of everybody in the story; `spf` is more of the domain's own record."""
    here = "IN A 127.0.0.1"
    return {
        DOMAIN: zone_file(
            DOMAIN,
            f"@ IN MX 10 {mx}.",
            f"mail IN MX 10 {mx}.",
            f'@ IN TXT "v=spf1 ip4:192.0.2.25 {spf} -all"',
        ),
        "mimecast.com": zone_file("mimecast.com", f"eu-smtp-inbound-1 {here}"),
        "google.com": zone_file(
            "google.com", *(f"{one.split('.l.')[0]}.l {here}" for one in GOOGLE_HOSTS)
        ),
        "outlook.com": zone_file("outlook.com", f"example-com.mail.protection {here}"),
        "office365.com": zone_file("office365.com", f"smtp {here}"),
        "partner.example": zone_file("partner.example", f'@ IN TXT "v=spf1 ip4:{OUTSIDE} -all"'),
        "careless.example": zone_file("careless.example", '@ IN TXT "v=spf1 ?all"'),
    }


@dataclass(frozen=True)
class Company:
    """The stand-ins, and the mail that flows between them."""

    exchange: ExchangeStandIn
    mimecast: MimecastStandIn
    google: GoogleStandIn
    flow: MailFlow

    def route(self, host: str = GATEWAY, **rule: Any) -> None:
        """Make connector and rule by hand, as the how-to does in the admin centre."""
        self.exchange.org.add_connector(
            "To the other side",
            UseMXRecord=False,
            SmartHosts=[host],
            TlsSettings="EncryptionOnly",
            IsTransportRuleScoped=True,
        )
        name, word = LOOP_BREAKER
        self.exchange.org.add_rule(
            "Those elsewhere",
            **{
                "RecipientDomainIs": [DOMAIN],
                "SentToMemberOf": [ELSEWHERE],
                "ExceptIfHeaderContainsMessageHeader": name,
                "ExceptIfHeaderContainsWords": [word],
                "SetHeaderName": name,
                "SetHeaderValue": word,
                "RouteMessageOutboundConnector": "To the other side",
                **rule,
            },
        )

    def let_in(self, *ranges: str) -> None:
        """Let these ranges in everywhere, by hand."""
        self.mimecast.add_policy(
            "anti-spoofing",
            description="Exchange Online may send as us",
            option="no_action",
            from_={"type": "email_domain", "domain": DOMAIN},
            to={"type": "internal_addresses"},
            sourceIPs=list(ranges),
        )
        self.google.set_allowlist(ranges)

    def relay(self) -> None:
        """A person makes the domain an internal relay."""
        domain = self.exchange.org.domain(DOMAIN)
        assert domain is not None
        domain["DomainType"] = "InternalRelay"


@contextmanager
def company(names: Names, org: Org | None = None) -> Iterator[Company]:
    """The company at its beginning: nothing is routed, nobody lets Exchange Online in."""
    with (
        ExchangeStandIn(DOMAIN, org=org) as exchange,
        MimecastStandIn() as mimecast,
        GoogleStandIn(allowlist=[]) as google,
        MailFlow(
            exchange,
            mimecast,
            google,
            names,
            domain=DOMAIN,
            addresses=LEAVES_FROM,
            elsewhere=[GRACE, BOTH],
        ) as flow,
    ):
        people(exchange.org, DOMAIN, here=[ADA, BOTH], elsewhere=[GRACE, BOTH])
        exchange.org.groups[HERE].remove(BOTH)
        google.set_inbound_gateway(entries=[flow.mimecast.address])
        yield Company(exchange, mimecast, google, flow)


@contextmanager
def company_with_dns(**dns: Any) -> Iterator[Company]:
    """The company with a name server that is a stand-in too."""
    with (
        DnsStandin(zones(**dns), keys=[WIDE], grants={WIDE.name: ("*",)}) as server,
        company(Names(server.host, server.port)) as made,
    ):
        yield made


def targets(company: Company, folder: Path, port: int, **exchange: Any) -> list[dict[str, Any]]:
    """What exosync is to keep right, as its configuration says it; `port` is that of the DNS.

    `exchange` are further keys of that target.
    """
    secrets = {"mimecast-id": "the-id", "mimecast-secret": "the-secret-of-mimecast"}
    secrets |= {"exchange-secret": "the-secret-of-exchange", "tsig": WIDE.secret}
    for name, text in secrets.items():
        (folder / name).write_text(text)
    company.google.key_file(folder)
    dns = {"server": "127.0.0.1", "port": port, "resolvers": [f"127.0.0.1:{port}"]}
    return [
        {
            "name": "exchange",
            "kind": "exchange",
            "mode": "apply",
            "url": company.exchange.url,
            "tenant": company.exchange.tenant,
            "client_id": company.exchange.client_id,
            "credentials": {"kind": "secret", "secret": {"file": "exchange-secret"}},
            "write": "rest",
            "domain": DOMAIN,
            "far_side": "mimecast",
            "smart_hosts": [GATEWAY],
            "routed": {"group": ELSEWHERE},
            "validation_recipients": [GRACE],
            "resolvers": [f"127.0.0.1:{port}"],
            "settle": "5s",
            **exchange,
        },
        {
            "name": "mimecast",
            "kind": "mimecast",
            "mode": "apply",
            "url": company.mimecast.url,
            "client_id": {"file": "mimecast-id"},
            "client_secret": {"file": "mimecast-secret"},
            "domains": [DOMAIN],
            "families": "ipv4",  # its policies take no other
            "settings": ["anti_spoofing"],
            "deadline": "0s",
            "settle": "2s",
        },
        {
            "name": "google",
            "kind": "google_workspace",
            "mode": "apply",
            "url": company.google.url,
            "customer": "C01abcdef",
            "admin": "postmaster@example.com",
            "credentials": {"kind": "key_file", "file": {"file": "service-account.json"}},
            "setting": "email_allowlist",
            "page_pause": "0s",
        },
        {
            "name": "spf",
            "kind": "spf",
            "mode": "apply",
            "families": "ipv4",  # so that all fits into one record
            "domain": DOMAIN,
            "method": "records",
            "dns": {**dns, "key": {"name": WIDE.name, "secret": {"file": "tsig"}}},
        },
    ]
