"""The keys of an `spf` target in the configuration."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    Field,
    model_validator,
)

from exosync.core.secret import SecretRef
from exosync_adapters.dns.values import ALGORITHMS
from exosync_adapters.fields import (
    HOST,
    Domain,
    Duration,
    HostPort,
    Settings,
    domain_name,
    full_domain_name,
)
from exosync_adapters.rfc7208.record import SpfSyntaxError, Term, parse_term

MICROSOFT_INCLUDES = {
    "Worldwide": "spf.protection.outlook.com",
    "USGovGCCHigh": "spf.protection.office365.us",
    "USGovDoD": "spf.protection.office365.us",
    "China": "spf.protection.partner.outlook.cn",
}
"""The name that Microsoft tells the customers of each cloud to include.

Source: Microsoft, "External Domain Name System records for Office 365"; the one of China is
not confirmed by a page that we have read, so a tenant there should compare it.
"""


def _host(text: str) -> str:
    if not HOST.fullmatch(text):
        raise ValueError(f"{text!r} is not the name or address of a server (its port is dns.port)")
    return text


def _sending_term(text: str) -> str:
    try:
        term = parse_term(text.strip())
    except SpfSyntaxError as error:
        raise ValueError(str(error)) from None
    if not term.qualifier or term.name in ("all", "ptr") or not term.passes:
        raise ValueError(
            f"{text!r} does not name a sender: use include:, ip4:, ip6:, a, mx or exists: "
            "(ptr should not be used, RFC 7208 section 5.5)"
        )
    return _checked_domain(term)


def _checked_domain(term: Term) -> str:
    if term.plain_domain:
        full_domain_name(term.plain_domain)
    return term.text


def _algorithm(text: str) -> str:
    name = text.lower().rstrip(".")
    if name not in ALGORITHMS:
        raise ValueError(f"{text!r} is no algorithm for TSIG: use one of {', '.join(ALGORITHMS)}")
    return name


SpfTerm = Annotated[str, AfterValidator(_sending_term)]


class KeySettings(Settings):
    """The TSIG key that signs updates (RFC 8945)."""

    name: Annotated[str, AfterValidator(domain_name)] = Field(
        description="Name of the key, as the server knows it."
    )
    algorithm: Annotated[str, AfterValidator(_algorithm)] = Field(
        default="hmac-sha256",
        description="Algorithm of the key.",
        json_schema_extra={"enum": list(ALGORITHMS)},
    )
    secret: SecretRef = Field(
        description="Where the key's base64 secret is: {file: …} or {env: …}."
    )


class DnsSettings(Settings):
    """How the zone is read and written."""

    server: Annotated[str, AfterValidator(_host)] | None = Field(
        default=None,
        description="The primary server, which takes updates. Default: what the zone's SOA names.",
    )
    port: int = Field(default=53, ge=1, le=65535, description="Port of the primary server.")
    zone: Domain | None = Field(
        default=None, description="The zone that holds the domain. Default: found by asking."
    )
    servers: tuple[HostPort, ...] = Field(
        default=(),
        description="All authoritative servers, as HOST or HOST:PORT. Default: the zone's NS set.",
    )
    resolvers: tuple[HostPort, ...] = Field(
        default=(),
        description="Resolvers for names of others, as HOST or HOST:PORT. Default: the system's.",
    )
    key: KeySettings | None = Field(
        default=None, description="The TSIG key. Without it, every change is left to a person."
    )
    timeout: Duration = Field(
        default=timedelta(seconds=5),
        ge=timedelta(seconds=1),
        le=timedelta(minutes=1),
        description="How long to wait for one DNS answer.",
    )
    settle: Duration = Field(
        default=timedelta(minutes=1),
        ge=timedelta(0),
        le=timedelta(hours=1),
        description="Time within which all authoritative servers must show a change.",
    )


class SpfSettings(Settings):
    """A domain whose SPF record must authorise Exchange Online."""

    domain: Domain = Field(description="The domain that mail is sent from.")
    method: Literal["include", "records"] = Field(
        default="include",
        description="include: the record includes Microsoft's name. records: exosync publishes "
        "the ranges at a name of its own, which the record includes.",
    )
    manage: Literal["none", "apex"] = Field(
        default="none",
        description="apex: exosync edits the domain's own SPF record. none: a person does.",
    )
    label: Annotated[str, AfterValidator(domain_name)] = Field(
        default="_exo",
        description="Label of the name under the domain where method records publishes.",
    )
    ttl: int = Field(
        default=3600,
        ge=30,
        le=604800,
        description="Seconds that a record which exosync publishes may be cached.",
    )
    include: Domain | None = Field(
        default=None,
        description="Name of Microsoft's own SPF record. Default: by the instance of the feed.",
    )
    terms: tuple[SpfTerm, ...] = Field(
        default=(),
        description="Further senders that the domain's record must hold, as SPF terms.",
    )
    default_all: Literal["-all", "~all", "?all"] = Field(
        default="~all",
        description="The end of the record, used only where the domain has none yet.",
    )
    dns: DnsSettings = Field(
        default_factory=DnsSettings, description="How the zone is read and written."
    )

    @model_validator(mode="after")
    def _zone_holds_domain(self) -> Self:
        zone = self.dns.zone
        if zone is not None and not f".{self.domain}".endswith(f".{zone}"):
            raise ValueError(f"dns.zone: {self.domain} is not in the zone {zone}")
        return self

    @property
    def leaf(self) -> str:
        """The name where method `records` publishes."""
        return f"{self.label}.{self.domain}"

    def microsoft_include(self, instance: str) -> str:
        """The name of Microsoft's own record for the cloud."""
        return self.include or MICROSOFT_INCLUDES[instance]
