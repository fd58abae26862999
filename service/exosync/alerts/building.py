"""From the configuration to channels that can be used."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from exosync.alerts.channel import Channel, ChannelJob
from exosync.alerts.routing import Route
from exosync.secrets import reveal

if TYPE_CHECKING:
    from exosync.config import Config, Loaded
    from exosync.config.alerts import ChannelConfig, SmtpConfig
    from exosync.core.secret import SecretRef

WEBHOOK_SECONDS = timedelta(seconds=20)


def build_channels(
    loaded: Loaded, environ: Mapping[str, str], *, most: timedelta | None = None
) -> tuple[ChannelJob, ...]:
    """Every configured channel, in the configuration's order.

    Nothing is read or asked here: secrets are read at each try. `most` shortens how long one
    try may take.
    """
    config = loaded.config
    return tuple(
        ChannelJob(
            name=one.name,
            kind=one.kind,
            route=route_of(config, one),
            max_per_hour=one.max_per_hour,
            channel=_channel(config, one, loaded.base, environ, most),
        )
        for one in config.alerts.channels
    )


def route_of(config: Config, one: ChannelConfig) -> Route:
    """What a channel takes."""
    return Route(
        channel=one.name,
        events=one.events,
        severity=one.severity,
        targets=one.targets,
        labels=one.labels,
        labels_of={target.name: target.labels for target in config.targets},
    )


def _channel(
    config: Config,
    one: ChannelConfig,
    base: Path,
    environ: Mapping[str, str],
    most: timedelta | None,
) -> Channel:
    def reading(ref: SecretRef | str | None) -> Callable[[], str]:
        if isinstance(ref, str):
            return lambda: ref
        assert ref is not None
        return partial(reveal, ref, base=base, environ=environ)

    folder = base / config.alerts.templates if config.alerts.templates else None
    if one.kind == "mail":
        return _mail(one, base, folder, reading, most)
    if one.kind == "webhook":
        return _webhook(one, base, reading, most)
    from exosync.alerts.chat import AppriseChannel
    from exosync.alerts.rendering import Pages

    return AppriseChannel(reading(one.url), Pages(folder))


def _mail(
    one: ChannelConfig,
    base: Path,
    folder: Path | None,
    reading: Callable[[SecretRef | None], Callable[[], str]],
    most: timedelta | None,
) -> Channel:
    from exosync.alerts.mail import PORTS, MailChannel, SmtpWay
    from exosync.alerts.mime import sender_for
    from exosync.alerts.rendering import Pages

    smtp = one.smtp
    assert smtp is not None
    way = SmtpWay(
        host=smtp.host,
        port=smtp.port or PORTS[smtp.way],
        way=smtp.way,
        seconds=_seconds(smtp.timeout, most),
        user=smtp.user,
        password=_password(smtp, reading),
        ca_bundle=base / smtp.ca_bundle if smtp.ca_bundle else None,
        helo=smtp.helo,
    )
    return MailChannel(one.to, sender_for(one.sender, one.to), way, Pages(folder))


def _password(
    smtp: SmtpConfig, reading: Callable[[SecretRef | None], Callable[[], str]]
) -> Callable[[], str] | None:
    return reading(smtp.password) if smtp.password is not None else None


def _webhook(
    one: ChannelConfig,
    base: Path,
    reading: Callable[[SecretRef | str | None], Callable[[], str]],
    most: timedelta | None,
) -> Channel:
    from exosync.alerts.webhook import WebhookChannel

    return WebhookChannel(
        url=reading(one.url),
        secret=reading(one.secret),
        seconds=_seconds(one.timeout or WEBHOOK_SECONDS, most),
        clock=lambda: datetime.now(UTC),
        ca_bundle=base / one.ca_bundle if one.ca_bundle else None,
        proxy=one.proxy,
    )


def _seconds(timeout: timedelta, most: timedelta | None) -> float:
    return (timeout if most is None else min(timeout, most)).total_seconds()
