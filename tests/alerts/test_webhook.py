"""A webhook's receiver, in good and in bad days."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import Webhook

from exosync.alerts.channel import Message
from exosync.alerts.composing import compose
from exosync.alerts.webhook import WebhookChannel
from exosync.errors import AlertError, ConfigError
from tests.alerts.kit import KEY, event, scene
from tests.standins.smtp import Authority, authority
from tests.standins.web import Reply
from tests.standins.webhook import WebhookStandIn
from tests.support.ports import refusing_port

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
MESSAGE = Message(compose([event("target_failed", title="edge failed: käse")], scene()))
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """What this machine is set up with does not count."""
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture
def receiver() -> Iterator[WebhookStandIn]:
    """A receiver that says yes."""
    with WebhookStandIn() as one:
        yield one


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """An authority of our own, and a server's certificate by it."""
    return authority(tmp_path_factory.mktemp("tls"))


def channel(url: str, **options: Any) -> WebhookChannel:
    """A channel to an address."""
    known: dict[str, Any] = {"seconds": 20, "clock": lambda: datetime.now(UTC)}
    secret: Callable[[], str] = options.pop("secret", lambda: SECRET)
    return WebhookChannel(url=lambda: url, secret=secret, **{**known, **options})


def refusal(one: WebhookChannel) -> AlertError:
    """What sending comes to."""
    with pytest.raises(AlertError) as caught:
        one.send(MESSAGE)
    return caught.value


def test_a_receiver_gets_the_published_object_signed(receiver: WebhookStandIn) -> None:
    """The library of Standard Webhooks verifies it as it came."""
    channel(receiver.url).send(MESSAGE)
    (request,) = receiver.requests
    headers = {name.lower(): value for name, value in request.headers.items()}
    assert MESSAGE.alert == Webhook(SECRET).verify(request.body, headers)
    assert KEY == headers["webhook-id"]
    assert "application/json; charset=utf-8" == headers["content-type"]
    assert "edge failed: käse" == json.loads(request.body)["title"]
    assert headers["user-agent"].startswith("exosync/")


def test_a_repeat_has_the_same_id_and_its_own_time(receiver: WebhookStandIn) -> None:
    """Receivers refuse old times, and drop known ids."""
    for moment in (1_800_000_000, 1_800_003_600):
        at = datetime.fromtimestamp(moment, UTC)
        channel(receiver.url, clock=lambda at=at: at).send(MESSAGE)
    assert [KEY, KEY] == receiver.keys
    times = [one.headers["webhook-timestamp"] for one in receiver.requests]
    assert ["1800000000", "1800003600"] == times


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_any_answer_of_two_hundred_is_a_yes(receiver: WebhookStandIn, status: int) -> None:
    """Receivers differ."""
    receiver.script(Reply(status))
    channel(receiver.url).send(MESSAGE)


@pytest.mark.parametrize(
    ("status", "permanent"),
    [(400, True), (401, True), (404, True), (410, True), (413, True), (408, False), (425, False),
     (429, False), (500, False), (502, False), (503, False)],
)  # fmt: skip
def test_what_a_receiver_refuses_is_told(
    receiver: WebhookStandIn, status: int, *, permanent: bool
) -> None:
    """With the beginning of what it says, on one line, and not the way to it."""
    receiver.script(Reply(status, {}, b"no\nthank\x1b[2Jyou " + b"x" * 5000))
    error = refusal(channel(receiver.url))
    assert permanent == error.permanent
    assert f"answers {status}" in str(error)
    assert "no thank\\x1b[2Jyou" in str(error)
    assert "s3cr3t-way" not in str(error)
    assert str(error).isprintable()
    assert len(str(error)) < 400


def test_a_receiver_may_ask_for_a_pause(receiver: WebhookStandIn) -> None:
    """429 and 503 with Retry-After."""
    receiver.script(Reply(429, {"Retry-After": "7200"}), Reply(503, {"Retry-After": "60"}))
    waits = [refusal(channel(receiver.url)).retry_after for _ in range(2)]
    assert [timedelta(hours=2), timedelta(minutes=1)] == waits


def test_a_redirect_is_not_followed(receiver: WebhookStandIn) -> None:
    """Where it leads nobody has said that messages may go."""
    receiver.script(Reply(307, {"Location": f"{receiver.url}/elsewhere"}))
    error = refusal(channel(receiver.url))
    assert error.permanent
    assert "redirects are not followed" in str(error)
    assert 1 == len(receiver.requests)


@pytest.mark.parametrize("manner", ["hang", "dripping_headers"])
def test_a_receiver_that_does_not_answer_is_left(receiver: WebhookStandIn, manner: str) -> None:
    """After the time that one try may take, all in all."""
    receiver.script(Reply(manner=manner))
    error = refusal(channel(receiver.url, seconds=0.3))
    assert "gave no answer within 0.3 s" in str(error)
    assert not error.permanent


def test_an_answer_that_never_ends_is_not_read(receiver: WebhookStandIn) -> None:
    """A yes is a yes once its first line is there."""
    receiver.script(Reply(manner="dripping"))
    channel(receiver.url, seconds=10).send(MESSAGE)


def test_a_connection_that_is_cut_is_told(receiver: WebhookStandIn) -> None:
    """As something that may pass."""
    receiver.script(Reply(manner="reset"))
    error = refusal(channel(receiver.url))
    assert "cannot be reached" in str(error)
    assert not error.permanent


def test_a_receiver_that_is_not_there_is_told() -> None:
    """Without the way to it."""
    with refusing_port() as port:
        error = refusal(channel(f"http://127.0.0.1:{port}/hooks/s3cr3t-way"))
    assert "cannot be reached: Connection refused" in str(error)
    assert "s3cr3t-way" not in str(error)


def test_tls_is_checked(receiver: WebhookStandIn, ours: Authority) -> None:
    """By the bundle that is configured."""
    url = receiver.secured(ours.server)
    channel(url, ca_bundle=ours.bundle).send(MESSAGE)
    error = refusal(channel(url))
    assert "cannot be trusted" in str(error)
    assert 1 == len(receiver.requests)


@pytest.mark.parametrize("url", ["http://hooks.example.com/x", "ftp://x", "", "https://u:p@h/"])
def test_an_address_that_cannot_be_used_is_told(url: str) -> None:
    """One from a file is looked at only now; it is not shown."""
    with pytest.raises(ConfigError, match="the address of the webhook cannot be used"):
        channel(url).send(MESSAGE)


def test_a_proxy_is_used(receiver: WebhookStandIn) -> None:
    """Here it is the receiver itself, which sees the whole address."""
    proxied = channel("http://127.0.0.1:9/x", proxy=f"http://127.0.0.1:{receiver.port}")
    proxied.send(MESSAGE)
    assert [KEY] == receiver.keys


def test_a_proxy_of_the_environment_is_not_used_for_this_machine(
    receiver: WebhookStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would not find it."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    channel(receiver.url).send(MESSAGE)
    assert [KEY] == receiver.keys


def test_no_credentials_of_a_netrc_file_are_sent(
    receiver: WebhookStandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are for somebody else."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login ada password hunter2\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    channel(receiver.url).send(MESSAGE)
    assert "Authorization" not in receiver.requests[0].headers


def test_check_connects_and_sends_nothing(receiver: WebhookStandIn, ours: Authority) -> None:
    """It tells when the receiver's certificate ends."""
    (plain,) = channel(receiver.url).check()
    (secured,) = channel(receiver.secured(ours.server), ca_bundle=ours.bundle).check()
    assert [] == receiver.requests
    assert plain.ok
    assert secured.ok
    assert "its certificate ends in" in secured.message
    assert "s3cr3t-way" not in plain.message + secured.message


def test_check_warns_of_a_certificate_that_ends_soon(
    receiver: WebhookStandIn, tmp_path: Path
) -> None:
    """While there is time."""
    soon = authority(tmp_path, days=5)
    (check,) = channel(receiver.secured(soon.server), ca_bundle=soon.bundle).check()
    assert check.ok is None
    assert "renew" in check.remedy


def test_check_says_what_is_wrong() -> None:
    """Nobody there, no address, no secret."""

    def missing() -> str:
        raise ConfigError("secret file hook does not exist")

    with WebhookStandIn() as gone:
        url = gone.url
    found = [
        next(one.check())
        for one in (channel(url), channel("nonsense"), channel(url, secret=missing))
    ]
    assert [False, False, False] == [one.ok for one in found]
    assert ["Connection refused", "starts with https", "does not exist"] == [
        next(
            part
            for part in ("Connection refused", "starts with https", "does not exist")
            if part in one.message
        )
        for one in found
    ]
