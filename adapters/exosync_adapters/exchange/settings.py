"""The keys of an `exchange` target in the configuration."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator

from exosync.core.secret import SecretRef
from exosync_adapters.exchange.clouds import is_own_host
from exosync_adapters.exchange.fields import (
    LONGEST_NAME,
    Addresses,
    Guid,
    ObjectName,
    Place,
    SmartHosts,
)
from exosync_adapters.exchange.records import folded
from exosync_adapters.exchange.routed import ExceptionsSettings, RoutedSettings
from exosync_adapters.fields import (
    BaseUrl,
    Domain,
    Duration,
    EmailAddress,
    HostPort,
    Settings,
)

GOOGLE_HOSTS = (
    "aspmx.l.google.com",
    "alt1.aspmx.l.google.com",
    "alt2.aspmx.l.google.com",
    "alt3.aspmx.l.google.com",
    "alt4.aspmx.l.google.com",
)
"""Google Workspace's receiving hosts (Google Workspace Admin Help, "MX record values").

Nothing published shows them as the smart hosts of a connector: unproven as such.
"""


class CredentialsSettings(Settings):
    """How exosync shows Microsoft Entra who it is: an application, acting for nobody."""

    kind: Literal["certificate", "federated", "secret"] = Field(
        description="certificate: the application's certificate with its key. federated: a token "
        "of another issuer (Kubernetes, a CI system) that the application trusts. secret: a "
        "client secret."
    )
    certificate: SecretRef | None = Field(
        default=None,
        description="Where certificate and private key are, both as PEM in one text; for kind "
        "certificate.",
    )
    assertion: SecretRef | None = Field(
        default=None, description="Where the other issuer's token is; for kind federated."
    )
    secret: SecretRef | None = Field(
        default=None, description="Where the client secret is; for kind secret."
    )

    @model_validator(mode="after")
    def _keys_fit_kind(self) -> Self:
        for key, kind in (
            ("certificate", "certificate"),
            ("assertion", "federated"),
            ("secret", "secret"),
        ):
            given = getattr(self, key) is not None
            if given and self.kind != kind:
                raise ValueError(f"{key}: is for kind {kind}, not for {self.kind}: remove it")
            if not given and self.kind == kind:
                raise ValueError(f"{key}: kind {kind} needs it")
        return self


class ProbeSettings(Settings):
    """How `exosync trace --send` sends its message, and as whom."""

    kind: Literal["graph", "smtp"] = Field(
        default="graph",
        description="graph: by Microsoft Graph (sendMail), with the target's credentials; the "
        "application needs Mail.Send. smtp: by SMTP submission with a password, which Microsoft "
        "disables by default from the end of 2026 on (an administrator may enable it again).",
    )
    user: EmailAddress = Field(description="The mailbox in Exchange Online that sends.")
    server: HostPort = Field(
        default="smtp.office365.com:587",
        description="Server for SMTP submission, as HOST:PORT; STARTTLS is always used.",
    )
    password: SecretRef | None = Field(
        default=None, description="Where the mailbox's password is; for kind smtp."
    )
    ca_bundle: Path | None = Field(
        default=None,
        description="File of CA certificates to trust instead of the usual ones; for kind smtp.",
    )

    @model_validator(mode="after")
    def _keys_fit_kind(self) -> Self:
        if (self.kind == "smtp") != (self.password is not None):
            raise ValueError("password: is needed for kind smtp, and for nothing else")
        return self


class ExchangeSettings(Settings):
    """The outbound connector and the transport rule of one domain in one tenant."""

    tenant: Guid = Field(description="The tenant's id, as Microsoft Entra shows it.")
    client_id: Guid | None = Field(
        default=None, description="The application's id; needed with credentials."
    )
    credentials: CredentialsSettings | None = Field(
        default=None,
        description="How exosync shows who it is. Default: none; then nothing is read, and what "
        "a person did is acknowledged.",
    )
    cloud: Literal["worldwide", "gcc_high", "dod", "china"] | None = Field(
        default=None, description="Microsoft's cloud. Default: the one of feed.instance."
    )
    url: BaseUrl | None = Field(
        default=None,
        description="Base address that stands for all of Microsoft's hosts. Default: Microsoft's.",
    )
    write: Literal["script", "rest"] = Field(
        default="script",
        description="script: a PowerShell script for a person or a pipeline. rest: exosync writes "
        "by the interface that Microsoft's PowerShell module uses, which Microsoft neither "
        "documents nor supports for others.",
    )
    domain: Domain = Field(description="The domain whose mailboxes are on both sides.")
    far_side: Literal["google_workspace", "mimecast", "other"] = Field(
        description="What receives the mail of those whose mailboxes are not in Exchange Online."
    )
    smart_hosts: SmartHosts = Field(
        default=(),
        max_length=20,
        description="Names or addresses that the connector sends to, without ports. Default for "
        "google_workspace: Google's receiving hosts, unproven as smart hosts. Mimecast shows each "
        "customer its own.",
    )
    tls: Literal["any_certificate", "trusted", "name"] = Field(
        default="any_certificate",
        description="TLS is always used. any_certificate: with whatever certificate. trusted: "
        "one of a public authority. name: that, and for tls_name.",
    )
    tls_name: Domain | None = Field(
        default=None, description="The name in the smart hosts' certificate; for tls: name."
    )
    routed: RoutedSettings = Field(description="Whose mail goes to the other side.")
    exceptions: ExceptionsSettings = Field(
        default_factory=ExceptionsSettings, description="What is not routed all the same."
    )
    validation_recipients: Addresses = Field(
        default=(),
        max_length=10,
        description="Addresses of mailboxes that are on the other side alone: every check tells "
        "the way of a message to them.",
    )
    sender: EmailAddress | None = Field(
        default=None,
        description="The address that the way of a message is told from. Default: postmaster at "
        "the domain.",
    )
    connector: ObjectName | None = Field(
        default=None, description="Name of the connector. Default: exosync, and the domain."
    )
    rule: ObjectName | None = Field(
        default=None, description="Name of the rule. Default: exosync, and the domain."
    )
    priority: Place | None = Field(
        default=None,
        description="Place of the rule among all, 0 being the first. Default: wherever it is; a "
        "new one comes last.",
    )
    accepted_domain: Literal["internal_relay", "leave"] = Field(
        default="internal_relay",
        description="internal_relay: ask a person to make the domain an internal relay where "
        "recipients are not known here. leave: only tell.",
    )
    remove: bool = Field(
        default=False, description="Take rule and connector away: first the rule, switched off."
    )
    validate_connector: bool = Field(
        default=False,
        description="Whether every proof lets Exchange Online try the connector "
        "(Validate-OutboundConnector), which sends a message to validation_recipients.",
    )
    probe: ProbeSettings | None = Field(
        default=None, description="How exosync trace --send sends. Default: it does not."
    )
    resolvers: tuple[HostPort, ...] = Field(
        default=(),
        description="Resolvers for smart hosts and MX, as HOST or HOST:PORT, where the system's "
        "tell something else than the world sees. Default: the system's.",
    )
    try_hosts: Literal["talk", "resolve", "never"] = Field(
        default="talk",
        description="What every run does to see how the smart hosts are. talk: look their names up, "
        "and see on port 25 whether they offer STARTTLS, and which certificate they show; nothing is "
        "sent. resolve: look their names up. never: nothing, as where there is no DNS.",
    )
    timeout: Duration = Field(
        default=timedelta(seconds=60),
        ge=timedelta(seconds=1),
        le=timedelta(minutes=15),
        description="How long to wait for one answer; Exchange Online ends a command after 15m.",
    )
    settle: Duration = Field(
        default=timedelta(minutes=2),
        ge=timedelta(0),
        le=timedelta(hours=1),
        description="How long to read back what was written until it shows.",
    )

    @property
    def hosts(self) -> tuple[str, ...]:
        """The smart hosts, a preset included."""
        if self.smart_hosts or self.far_side != "google_workspace":
            return self.smart_hosts
        return GOOGLE_HOSTS

    @property
    def connector_name(self) -> str:
        """The name that the connector should have."""
        return self.connector or f"exosync {self.domain}"[:LONGEST_NAME]

    @property
    def rule_name(self) -> str:
        """The name that the rule should have."""
        return self.rule or f"exosync {self.domain}"[:LONGEST_NAME]

    @model_validator(mode="after")
    def _has_application(self) -> Self:
        if self.credentials is not None and self.client_id is None:
            raise ValueError("client_id: is needed with credentials")
        if self.credentials is None and self.write == "rest":
            raise ValueError("write: rest needs credentials")
        by_graph = self.probe is not None and self.probe.kind == "graph"
        if self.credentials is None and by_graph:
            raise ValueError("probe: kind graph needs credentials")
        if self.credentials is None and self.validate_connector:
            raise ValueError("validate_connector: needs credentials")
        return self

    @model_validator(mode="after")
    def _hosts_are_the_far_sides(self) -> Self:
        if not self.hosts:
            raise ValueError(
                "smart_hosts: are needed: Mimecast publishes no list, and shows each customer its own"
                if self.far_side == "mimecast"
                else "smart_hosts: are needed"
            )
        for host in self.hosts:
            if is_own_host(host):
                raise ValueError(
                    f"smart_hosts: {host} is Exchange Online itself: mail would come back; name the "
                    "hosts of the other side"
                )
        return self

    @model_validator(mode="after")
    def _groups_are_two(self) -> Self:
        routed, spared = self.routed.group, self.exceptions.group
        if routed is not None and spared is not None and routed.lower() == spared.lower():
            raise ValueError(
                f"exceptions.group: {spared} is the group that is routed, so nobody's mail would be"
            )
        return self

    @model_validator(mode="after")
    def _name_fits_tls(self) -> Self:
        if (self.tls == "name") != (self.tls_name is not None):
            raise ValueError("tls_name: is needed for tls: name, and for nothing else")
        return self

    @model_validator(mode="after")
    def _recipients_are_at_the_domain(self) -> Self:
        for address in self.validation_recipients:
            if address.rpartition("@")[2] != self.domain:
                raise ValueError(f"validation_recipients: {address} is not at {self.domain}")
        if self.validate_connector and not self.validation_recipients:
            raise ValueError("validate_connector: needs validation_recipients")
        return self


def clashes(targets: Mapping[str, ExchangeSettings]) -> Iterator[tuple[str, str, str]]:
    """Targets that would write the same connector or rule, or route the same domain."""
    seen: dict[tuple[str, ...], str] = {}
    for name, one in targets.items():
        for key, what in (
            ("domain", one.domain),
            ("connector", folded(one.connector_name)),
            ("rule", folded(one.rule_name)),
        ):
            other = seen.setdefault((one.tenant, key, what), name)
            if other != name:
                yield name, key, f"{what} is the target {other}'s already in this tenant"
