"""The keys of a `mimecast` target in the configuration."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from exosync.core.secret import SecretRef
from exosync_adapters.fields import BaseUrl, Domain, Duration, EmailAddress, HostPort, Settings

GLOBAL_URL = "https://api.services.mimecast.com"
"""The host of API 2.0 that finds an account's region by itself (Mimecast support 41019270938643)."""

REGIONS = {
    "api.services.mimecast.com": "global",
    "uk-api.services.mimecast.com": "United Kingdom",
    "us-api.services.mimecast.com": "United States",
}
"""The hosts of API 2.0 and their regions (the same article)."""

EVERYONE, GROUP = "everyone", "group"
"""What a mark names in the place of a domain. No domain is called so: one has a dot."""

OLD_KEYS = ("app_id", "app_key", "access_key", "secret_key")
"""What an application of API 1.0 has (integrations.mimecast.com)."""

_OLD_HOST = re.compile(r"(?:[a-z]{2,4}-)?api\.mimecast\.com")

_MOVE = (
    "this is for API 1.0, for which Mimecast has made no new keys since June 2025: make an "
    "application of API 2.0 (product “Policy Management”, role “Gateway | Policies | Edit”), "
    "give its client_id and client_secret, and as url a host of API 2.0, for example "
    f"{GLOBAL_URL}"
)


class Setting(StrEnum):
    """One setting of the account."""

    ANTI_SPOOFING = "anti_spoofing"
    SPF_BYPASS = "spf_bypass"
    PERMITTED_SENDERS = "permitted_senders"
    PERMITTED_ADDRESSES = "permitted_addresses"
    AUTHORIZED_OUTBOUNDS = "authorized_outbounds"


KEYS_OF: Mapping[str, tuple[Setting, ...]] = {
    "senders": (Setting.ANTI_SPOOFING,),
    "sender_group": (Setting.ANTI_SPOOFING,),
    "ranges_per_policy": (Setting.ANTI_SPOOFING,),
    "split_to": (Setting.ANTI_SPOOFING,),
    "when_empty": (Setting.ANTI_SPOOFING, Setting.SPF_BYPASS),
    "permitted_addresses": (Setting.PERMITTED_ADDRESSES,),
    "spf_domains": (Setting.SPF_BYPASS,),
    "dns": (Setting.SPF_BYPASS,),
    "snapshot": (Setting.PERMITTED_SENDERS,),
}
"""The keys that mean something for some settings only, and for which."""


def _group(text: str) -> str:
    plain = text.strip()
    if not plain or not plain.isprintable():
        raise ValueError("must be the id of a profile group, as the API gives it")
    return plain


class DnsSettings(Settings):
    """How SPF records are read, to see whether a bypass by SPF would do."""

    resolvers: tuple[HostPort, ...] = Field(
        default=(),
        description="Resolvers, as HOST or HOST:PORT. Default: the system's.",
    )
    timeout: Duration = Field(
        default=timedelta(seconds=5),
        ge=timedelta(seconds=1),
        le=timedelta(minutes=1),
        description="How long to wait for one DNS answer.",
    )


class PermittedAddresses(Settings):
    """A sender address, and the recipients that it is permitted for."""

    sender: EmailAddress = Field(description="The address that sends.")
    to: tuple[EmailAddress, ...] = Field(
        min_length=1, description="The recipients' addresses, one or more."
    )


class MimecastSettings(Settings):
    """One Mimecast account, by API 2.0."""

    url: BaseUrl = Field(
        default=GLOBAL_URL,
        description="Base address of API 2.0: the global host, or the one of a region.",
    )
    client_id: SecretRef = Field(
        description="Where the application's client id is: {file: …} or {env: …}."
    )
    client_secret: SecretRef = Field(
        description="Where the application's client secret is: {file: …} or {env: …}."
    )
    settings: tuple[Setting, ...] = Field(
        min_length=1,
        description="The settings of the account that are looked after, one or more.",
    )
    domains: tuple[Domain, ...] = Field(
        default=(),
        description="The company's own domains, which Exchange Online sends mail from.",
    )
    senders: Literal["domains", "everyone"] = Field(
        default="domains",
        description="For whom Exchange Online may send: the domains, or everyone. The ranges "
        "are shared by every Microsoft tenant, so everyone lets each of them spoof anybody.",
    )
    sender_group: Annotated[str, AfterValidator(_group)] | None = Field(
        default=None,
        description="Id of a profile group of senders, in place of the domains.",
    )
    ranges_per_policy: int = Field(
        default=100,
        ge=1,
        le=10_000,
        description="How many ranges one policy holds at most. Mimecast publishes no limit: the "
        "default is a guess.",
    )
    split_to: int | None = Field(
        default=None,
        ge=8,
        le=32,
        description="Write ranges that are wider than this prefix length as many of this length; "
        "only for an account that refuses wide ranges.",
    )
    when_empty: Literal["disable", "delete"] = Field(
        default="disable",
        description="What becomes of a policy all of whose ranges go, once that is approved.",
    )
    permitted_addresses: tuple[PermittedAddresses, ...] = Field(
        default=(), description="Sender addresses that are permitted for recipients."
    )
    spf_domains: tuple[Domain, ...] = Field(
        default=(),
        description="Names whose SPF records decide in the bypass by SPF. Default: each domain's "
        "own.",
    )
    dns: DnsSettings = Field(
        default_factory=DnsSettings, description="How SPF records are read for the bypass by SPF."
    )
    snapshot: Path | None = Field(
        default=None,
        description="A JSON file of the account's configuration that a person exported, to "
        "support what was acknowledged of permitted senders. No format of one is confirmed, and "
        "the snapshots that the portal restores from name managed senders, managed URLs and "
        "profile groups alone: they probably do not show such policies.",
    )
    timeout: Duration = Field(
        default=timedelta(seconds=30),
        ge=timedelta(seconds=1),
        le=timedelta(minutes=5),
        description="How long to wait for one whole answer of Mimecast.",
    )
    deadline: Duration = Field(
        default=timedelta(minutes=2),
        ge=timedelta(0),
        le=timedelta(hours=1),
        description="How long one question is asked again while Mimecast is busy or out of reach.",
    )
    settle: Duration = Field(
        default=timedelta(minutes=1),
        ge=timedelta(0),
        le=timedelta(hours=1),
        description="Time within which a change must read back as it was written.",
    )

    @model_validator(mode="before")
    @classmethod
    def _refuse_the_old_api(cls, values: object) -> object:
        if not isinstance(values, Mapping):
            return values
        old = [key for key in OLD_KEYS if key in values]
        if old:
            raise ValueError(f"{', '.join(old)}: {_MOVE}")
        if is_old_host(values.get("url")):
            raise ValueError(f"url: {_MOVE}")
        return values

    @model_validator(mode="after")
    def _keys_fit_settings(self) -> Self:
        for key, needed in KEYS_OF.items():
            field = type(self).model_fields[key]
            # A key at its default says nothing, and `config show` prints every key.
            if getattr(self, key) != field.get_default(call_default_factory=True) and not (
                set(needed) & set(self.settings)
            ):
                names = " or ".join(needed)
                raise ValueError(f"{key}: is for the setting {names}: add that, or remove the key")
        if len(set(self.settings)) < len(self.settings):
            raise ValueError("settings: names a setting twice")
        return self

    @model_validator(mode="after")
    def _senders_are_named(self) -> Self:
        if self.senders == EVERYONE and self.sender_group:
            raise ValueError("sender_group: says for whom, so senders: everyone cannot stand too")
        if Setting.SPF_BYPASS in self.settings and not self.domains:
            raise ValueError("domains: the setting spf_bypass needs the company's own domains")
        if Setting.ANTI_SPOOFING in self.settings and not self.senders_of(Setting.ANTI_SPOOFING):
            raise ValueError(
                "domains: the setting anti_spoofing needs the company's own domains, or a "
                "sender_group"
            )
        if Setting.PERMITTED_ADDRESSES in self.settings and not self.permitted_addresses:
            raise ValueError(
                "permitted_addresses: the setting of this name needs at least one sender"
            )
        return self

    @property
    def pairs(self) -> tuple[tuple[str, str], ...]:
        """Every permitted sender with every one of its recipients, once each."""
        return tuple(
            dict.fromkeys((one.sender, to) for one in self.permitted_addresses for to in one.to)
        )

    @property
    def region(self) -> str:
        """What the host says of the region."""
        return REGIONS.get(urlsplit(self.url).hostname or "", "unknown host")

    def senders_of(self, setting: Setting) -> tuple[str, ...]:
        """The words in the marks of a setting's policies: domains, `everyone` or `group`."""
        if setting is Setting.SPF_BYPASS:
            return tuple(dict.fromkeys(self.domains))
        if self.sender_group:
            return (GROUP,)
        return (EVERYONE,) if self.senders == EVERYONE else tuple(dict.fromkeys(self.domains))


def is_old_host(url: object) -> bool:
    """Whether an address is one of API 1.0: `api.mimecast.com` or regional, `eu-api.…`."""
    try:
        host = urlsplit(url).hostname if isinstance(url, str) else None
    except ValueError:
        return False
    return bool(host) and _OLD_HOST.fullmatch(str(host)) is not None
