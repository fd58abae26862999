"""The section `alerts` of the configuration."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from exosync.alerts import build_channels
from exosync.alerts.chat import AppriseChannel
from exosync.alerts.mail import MailChannel
from exosync.alerts.webhook import WebhookChannel
from exosync.config import shown
from exosync.core.secret import SecretRef
from exosync.errors import ConfigError
from tests.unit.config_kit import Loader

MAIL = "{name: ops, kind: mail, to: [ops@example.com], smtp: {host: mail.example.com%s}%s}"
HOOK = "{name: hook, kind: webhook, url: 'https://hooks.example.com/x', secret: {env: HOOK}%s}"
CHAT = "{name: chat, kind: apprise, url: {file: chat.url}%s}"


def alerts(*channels: str, **keys: str) -> str:
    """The section with these channels."""
    lines = [f"  {key}: {value}" for key, value in keys.items()]
    return "\n".join(["alerts:", *lines, "  channels:", *(f"    - {one}" for one in channels), ""])


def mail(smtp: str = "", keys: str = "") -> str:
    """A channel by mail."""
    return MAIL % (smtp, keys)


@pytest.fixture
def load(tmp_path: Path) -> Loader:
    """Loads what a test writes."""
    return Loader(tmp_path)


def test_everything_has_a_default_but_the_channels_own(load: Loader) -> None:
    """The least that can be written."""
    config = load.config(alerts(mail(), HOOK % "", CHAT % "")).alerts
    assert (timedelta(hours=48), timedelta(minutes=2)) == (config.stale_after, config.group)
    assert [1, 6, 24] == [one.total_seconds() / 3600 for one in config.repeat]
    assert (timedelta(days=7), "off") == (config.keep_trying, config.heartbeat)
    assert ["starttls", 30] == [config.channels[0].smtp and config.channels[0].smtp.way, 30]


def test_without_channels_nobody_is_told(load: Loader) -> None:
    """Nothing is built."""
    assert () == build_channels(load(), {})


def test_each_kind_is_built_as_it_is_configured(load: Loader) -> None:
    """Nothing is read before it is needed: the secrets are not there."""
    channels = [
        mail(", user: exosync, password: {file: smtp}, ca_bundle: ca.pem"),
        HOOK % ", timeout: 5s",
        CHAT % "",
    ]
    ops, hook, chat = build_channels(load(alerts(*channels)), {})
    assert isinstance(ops.channel, MailChannel)
    assert ("mail.example.com:587", "exosync <exosync@example.com>") == (
        ops.channel.smtp.place,
        ops.channel.sender,
    )
    assert load.path.parent / "ca.pem" == ops.channel.smtp.ca_bundle
    assert isinstance(hook.channel, WebhookChannel)
    assert 5 == hook.channel.seconds
    assert isinstance(chat.channel, AppriseChannel)


def test_a_try_can_be_made_shorter(load: Loader) -> None:
    """For a command that is at its end."""
    channels = alerts(mail(), HOOK % ", timeout: 2s")
    ops, hook = build_channels(load(channels), {}, most=timedelta(seconds=4))
    assert isinstance(ops.channel, MailChannel)
    assert isinstance(hook.channel, WebhookChannel)
    assert (4, 2) == (ops.channel.smtp.seconds, hook.channel.seconds)


@pytest.mark.parametrize(
    ("keys", "way", "port"),
    [
        ("", "starttls", 587),
        (", tls: true", "tls", 465),
        (", starttls: false", "plain", 25),
        (", starttls: true, port: 25", "starttls", 25),
        (", tls: true, starttls: false", "tls", 465),
    ],
)
def test_the_port_follows_the_way(load: Loader, keys: str, way: str, port: int) -> None:
    """If it is not given."""
    (ops,) = build_channels(load(alerts(mail(keys))), {})
    assert isinstance(ops.channel, MailChannel)
    assert (way, port) == (ops.channel.smtp.way, ops.channel.smtp.port)


def test_a_route_knows_the_labels_of_the_targets(load: Loader) -> None:
    """Those of the configuration."""
    targets = "targets: [{name: edge, kind: list, path: out.txt, labels: [dmz]}]\n"
    (ops,) = build_channels(load(alerts(mail("", ", labels: [dmz]")), targets=targets), {})
    assert ops.route.covers("edge")


@pytest.mark.parametrize(
    ("channel", "told"),
    [
        ("{name: ops, kind: mail}", "alerts.channels[0].to: kind mail needs it"),
        ("{name: ops, kind: post}", "kind: must be mail, webhook or apprise"),
        (mail("", ", secret: {env: X}"), "secret: is for kind webhook, not for mail"),
        (HOOK % ", from: a@example.com", "from: is for kind mail, not for webhook"),
        (mail(", password: {env: X}"), "user and password belong together"),
        (mail(", user: x"), "user and password belong together"),
        (
            mail(", starttls: false, user: x, password: {env: X}"),
            "no password is sent without TLS but to this machine itself",
        ),
        (mail(", tls: true, starttls: true"), "cannot be together with tls"),
        (mail(", timeout: 0s"), "must be more than 0"),
        (mail(", host: 'a b'").replace("host: mail.example.com, ", ""), "host: must be the name"),
        (mail(", user: x, password: hunter2"), "a secret is not written into the configuration"),
        (mail("", ", events: [target_fail]"), "there is no event 'target_fail'"),
        (mail("", ", severity: high"), "severity: must be info, warning or error"),
        (mail("", ", max_per_hour: 0"), "must be at least 1"),
        (mail("", ", from: 'nobody'"), "must be an address like ops@example.com"),
        (HOOK % ", timeout: 0s", "timeout: must be more than 0"),
        (HOOK % ", proxy: 'http://u:hunter2@proxy.example.com:3128'", "is not written into the file"),
        ("{name: h, kind: webhook, url: 'http://example.com/', secret: {env: X}}", "use https"),
        ("{name: h, kind: webhook, url: [], secret: {env: X}}", "must be an https address"),
        ("{name: c, kind: apprise, url: 'https://example.com/'}", "holds a secret"),
        ("{name: 'a b', kind: apprise, url: {env: X}}", "name: must be 1 to 63 letters"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_at_its_key(load: Loader, channel: str, told: str) -> None:
    """And no secret with it."""
    with pytest.raises(ConfigError) as caught:
        load(alerts(channel))
    assert told in str(caught.value)
    assert "alerts.channels[0]" in str(caught.value)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ({"repeat": "[]"}, "alerts.repeat: needs at least 1 entry"),
        ({"repeat": "[10s]"}, "alerts.repeat: each must be 1m or more"),
        ({"stale_after": "0s"}, "alerts.stale_after: must be more than 0"),
        ({"keep_trying": "0s"}, "alerts.keep_trying: must be more than 0"),
        ({"heartbeat": "daily"}, "alerts.heartbeat: must be off, weekly or monthly"),
    ],
)
def test_a_wrong_key_of_the_section_is_told(load: Loader, keys: dict[str, str], told: str) -> None:
    """With what may stand there."""
    with pytest.raises(ConfigError) as caught:
        load(alerts(mail(), **keys))
    assert told in str(caught.value)


def test_two_channels_of_one_name_are_refused(load: Loader) -> None:
    """Their messages could not be told apart."""
    with pytest.raises(ConfigError, match="two channels are called ops"):
        load(alerts(mail(), mail()))


def test_this_machine_itself_may_be_told_a_password_without_tls(load: Loader) -> None:
    """It does not leave it."""
    keys = "host: 127.0.0.1, starttls: false, user: x, password: {env: X}"
    config = load.config(alerts(mail().replace("host: mail.example.com", keys)))
    assert "plain" == getattr(config.alerts.channels[0].smtp, "way", None)


def test_the_configuration_in_force_shows_no_secret(load: Loader) -> None:
    """But where each stands."""
    channels: Any = shown(load.config(alerts(mail(", user: x, password: {env: PW}"), CHAT % "")))
    ops, chat = channels["alerts"]["channels"]
    assert {"env": "PW"} == ops["smtp"]["password"]
    assert {"file": "chat.url"} == chat["url"]


def test_an_address_may_stand_in_a_file_or_in_the_configuration(load: Loader) -> None:
    """With some services it is the secret itself."""
    held = HOOK.replace("'https://hooks.example.com/x'", "{env: WHERE}") % ""
    config = load.config(alerts(HOOK % "", held.replace("name: hook", "name: other")))
    plain, other = config.alerts.channels
    assert "https://hooks.example.com/x" == plain.url
    assert SecretRef(env="WHERE") == other.url


@pytest.mark.parametrize(
    "channel",
    [
        "{name: chat, kind: apprise, url: 'slack://T1JJ3T3L2/A1BRTD4JD/a-token'}",
        "{name: hook, kind: webhook, url: 'http://hooks.example.com/a-token', secret: {env: HOOK}}",
    ],
)
def test_an_address_that_is_refused_is_not_told(load: Loader, channel: str) -> None:
    """It holds the token of a chat service, and what is refused goes to the log and to people."""
    with pytest.raises(ConfigError) as caught:
        load(alerts(channel))
    assert "alerts.channels[0].url" in str(caught.value)
    assert "a-token" not in str(caught.value)


def test_the_configuration_in_force_calls_keys_as_they_are_written(load: Loader) -> None:
    """So that what is shown can be copied into a configuration."""
    told = shown(load.config(alerts(mail(keys=", from: exosync@example.com"))))
    (channel,) = told["alerts"]["channels"]
    assert "exosync@example.com" == channel["from"]
    assert "sender" not in channel
