"""The section `alerts`: when people are told of something, and by which channels."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from exosync.config import types
from exosync.config.alert_types import (
    EVENT_KINDS,
    EventPattern,
    Host,
    MailAddress,
    Place,
    Proxy,
    Sender,
)
from exosync.config.section import Section
from exosync.core.secret import SecretRef
from exosync.core.urls import is_loopback_url

__all__ = ["EVENT_KINDS", "AlertsConfig", "ChannelConfig", "SmtpConfig"]


class SmtpConfig(Section):
    """The server that takes the mail of a channel."""

    host: Host = Field(description="Name or address of the server.")
    port: int | None = Field(
        default=None,
        ge=1,
        le=65535,
        description="Port of the server. Default: 587 with starttls, 465 with tls, 25 without both.",
    )
    starttls: bool | None = Field(
        default=None,
        description="Ask for TLS after the connection is made; without it nothing is sent. "
        "Default: true, unless tls is true.",
    )
    tls: bool = Field(default=False, description="TLS from the first byte on.")
    user: str | None = Field(
        default=None, min_length=1, description="Name to sign in with. Default: no sign-in."
    )
    password: SecretRef | None = Field(
        default=None, description="Where the password is: {file: …} or {env: …}."
    )
    timeout: types.Duration = Field(
        default=timedelta(minutes=1), description="How long one try may take, all in all."
    )
    ca_bundle: Path | None = Field(
        default=None,
        description="File of CA certificates (PEM) to trust instead of the usual ones.",
    )
    helo: Host | None = Field(
        default=None,
        description="Name that exosync greets with. Default: the machine's full name, else its "
        "address.",
    )

    @property
    def way(self) -> Literal["tls", "starttls", "plain"]:
        """How the connection is secured."""
        if self.tls:
            return "tls"
        return "plain" if self.starttls is False else "starttls"

    @model_validator(mode="after")
    def _keys_fit(self) -> Self:
        if self.tls and self.starttls:
            raise ValueError("starttls: cannot be together with tls: remove one of them")
        if (self.user is None) != (self.password is None):
            missing = "password" if self.password is None else "user"
            raise ValueError(f"{missing}: user and password belong together")
        if self.user and self.way == "plain" and not is_loopback_url(f"http://{self._in_url}"):
            raise ValueError("starttls: no password is sent without TLS but to this machine itself")
        if self.timeout <= timedelta(0):
            raise ValueError("timeout: must be more than 0")
        return self

    @property
    def _in_url(self) -> str:
        return f"[{self.host}]" if ":" in self.host else self.host


class ChannelConfig(Section):
    """One way to people or programs, and what goes there."""

    name: types.TargetName = Field(
        description="Name of the channel, unique, as commands and reports call it."
    )
    kind: Literal["mail", "webhook", "apprise"] = Field(
        description="mail: by SMTP. webhook: a signed POST of JSON. apprise: one of the services "
        "that Apprise knows; needs the extra of that name."
    )
    events: tuple[EventPattern, ...] = Field(
        default=(), description="Kinds of event to tell of; * and ? stand for others. Default: all."
    )
    severity: Annotated[Literal["info", "warning", "error"], types.ANY_CASE] = Field(
        default="info", description="The least severity to tell of."
    )
    targets: tuple[types.OneLine, ...] = Field(
        default=(),
        description="Names of targets to tell of; * and ? stand for others. What is about no "
        "target is always told. Default: all.",
    )
    labels: tuple[types.OneLine, ...] = Field(
        default=(), description="Tell only of targets that have one of these labels. Default: all."
    )
    max_per_hour: int = Field(
        default=30,
        ge=1,
        le=10_000,
        description="The most messages in an hour; what is above comes in one message, later. "
        "A new version is always told at once, and errors may be twice as many.",
    )
    to: tuple[MailAddress, ...] = Field(
        default=(), max_length=100, description="Who gets the mail; for kind mail."
    )
    sender: Sender | None = Field(
        default=None,
        alias="from",
        description="Address that the mail is from; for kind mail. Default: exosync@ and the "
        "domain of the first recipient.",
    )
    smtp: SmtpConfig | None = Field(
        default=None, description="The server that takes the mail; for kind mail."
    )
    url: Place | None = Field(
        default=None,
        description="Where to send; for kind webhook the https address or where it stands, for "
        "kind apprise where the Apprise URL stands: {file: …} or {env: …}.",
    )
    secret: SecretRef | None = Field(
        default=None,
        description="Where the secret is that messages are signed with, whsec_ and base64, or any "
        "text: {file: …} or {env: …}; for kind webhook.",
    )
    timeout: types.Duration | None = Field(
        default=None,
        description="How long one try may take, all in all; for kind webhook. Default: 20s.",
    )
    ca_bundle: Path | None = Field(
        default=None,
        description="File of CA certificates (PEM) to trust instead of the usual ones; for kind "
        "webhook.",
    )
    proxy: Proxy | None = Field(
        default=None,
        description="Proxy on the way; for kind webhook. Default: what the usual variables "
        "(HTTPS_PROXY) say.",
    )

    @model_validator(mode="after")
    def _keys_fit_kind(self) -> Self:
        for key, kinds in _KEYS_OF.items():
            field = "sender" if key == "from" else key
            given = field in self.model_fields_set and getattr(self, field) not in (None, ())
            if given and self.kind not in kinds:
                told = " and ".join(kinds)
                raise ValueError(f"{key}: is for kind {told}, not for {self.kind}: remove it")
            if not given and self.kind in kinds and key in _REQUIRED:
                raise ValueError(f"{key}: kind {self.kind} needs it")
        if self.kind == "apprise" and isinstance(self.url, str):
            raise ValueError("url: holds a secret: give {file: PATH} or {env: NAME}")
        if self.timeout is not None and self.timeout <= timedelta(0):
            raise ValueError("timeout: must be more than 0")
        return self


_KEYS_OF: dict[str, tuple[str, ...]] = {
    "to": ("mail",),
    "from": ("mail",),
    "smtp": ("mail",),
    "url": ("webhook", "apprise"),
    "secret": ("webhook",),
    "timeout": ("webhook",),
    "ca_bundle": ("webhook",),
    "proxy": ("webhook",),
}
_REQUIRED = ("to", "smtp", "url", "secret")


class AlertsConfig(Section):
    """When people are told of something, and by which channels."""

    stale_after: types.Duration = Field(
        default=timedelta(hours=48),
        description="After how long without a word people are told: of the feed and of each "
        "target.",
    )
    group: types.Duration = Field(
        default=timedelta(minutes=2),
        description="How long a new version is waited for to have been brought to all targets, "
        "so that it becomes one message; five times that while runs are at work.",
    )
    repeat: tuple[types.Duration, ...] = Field(
        default=(timedelta(hours=1), timedelta(hours=6), timedelta(hours=24)),
        min_length=1,
        description="When people are told again of a target that goes on failing: after the "
        "first time, after the second one from then, and so on; the last goes on for ever.",
    )
    keep_trying: types.Duration = Field(
        default=timedelta(days=7),
        description="How long a message is tried that does not arrive. Then it stays where "
        "`alerts list` shows it, and `alerts retry` tries it again.",
    )
    heartbeat: Annotated[Literal["off", "weekly", "monthly"], types.ANY_CASE] = Field(
        default="off",
        description="How often people are told that all is well, or what is not.",
    )
    templates: Path | None = Field(
        default=None,
        description="Folder of templates that replace the built-in ones: mail.subject, mail.txt, "
        "mail.html, apprise.md.",
    )
    channels: tuple[ChannelConfig, ...] = Field(
        default=(), max_length=100, description="The ways to people and programs."
    )

    @model_validator(mode="after")
    def _fits(self) -> Self:
        names = [one.name for one in self.channels]
        for index, name in enumerate(names):
            if name in names[:index]:
                raise ValueError(f"channels: two channels are called {name}: rename one")
        for key in ("stale_after", "keep_trying"):
            if getattr(self, key) <= timedelta(0):
                raise ValueError(f"{key}: must be more than 0")
        if min(self.repeat) < timedelta(minutes=1):
            raise ValueError("repeat: each must be 1m or more")
        return self
