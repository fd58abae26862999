"""Apprise, by services of it that speak to this machine."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator

import pytest

from exosync.alerts.channel import Message
from exosync.alerts.chat import AppriseChannel
from exosync.alerts.composing import compose
from exosync.alerts.rendering import Pages
from exosync.errors import AlertError, ConfigError
from exosync.secrets import REDACTOR
from tests.alerts.kit import event, scene, state
from tests.standins.smtp import SmtpStandIn
from tests.standins.web import Reply
from tests.standins.webhook import WebhookStandIn

pytestmark = [
    # Apprise under Python 3.11 and 3.12.
    pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning"),
]

MESSAGE = Message(
    compose(
        [event("target_failed", title="edge failed: no_answer <b>")],
        scene(states={"edge": state("edge", "failed", error="no_answer *at all*")}),
    )
)
TOKEN = "t0ken-of-the-service"


@pytest.fixture
def receiver() -> Iterator[WebhookStandIn]:
    """Whoever is told."""
    with WebhookStandIn() as one:
        yield one


def channel(url: str) -> AppriseChannel:
    """A channel by an Apprise address."""
    REDACTOR.add(url)
    REDACTOR.add(TOKEN)
    return AppriseChannel(lambda: f"{url}\n", Pages())


def test_a_service_gets_title_text_and_kind(receiver: WebhookStandIn) -> None:
    """As Apprise's own JSON."""
    channel(f"json://127.0.0.1:{receiver.port}/x").send(MESSAGE)
    (alert,) = receiver.alerts
    assert "[exosync] edge failed: no_answer <b>" == alert["title"]
    assert "failure" == alert["type"]
    assert "exosync check" in alert["message"]


def test_markdown_is_kept_for_services_that_read_it(receiver: WebhookStandIn) -> None:
    """And nothing from outside becomes markup."""
    channel(f"json://127.0.0.1:{receiver.port}/x?format=markdown").send(MESSAGE)
    (alert,) = receiver.alerts
    assert "**edge**: failed" in alert["message"]
    assert r"no\_answer \*at all\*" in alert["message"]


def test_markdown_becomes_text_for_services_that_do_not(receiver: WebhookStandIn) -> None:
    """Without backslashes; here it is ntfy."""
    receiver.script(Reply(200, {}, b"{}"))
    channel(f"ntfy://127.0.0.1:{receiver.port}/topic").send(MESSAGE)
    told = json.loads(receiver.requests[0].body)
    assert "edge: failed" in told["message"]
    assert "no_answer *at all*" in told["message"]
    assert "**" not in told["message"]


def test_a_service_that_refuses_is_told_with_apprises_words(receiver: WebhookStandIn) -> None:
    """But not with the address, which is a secret as a whole."""
    receiver.script(Reply(500))
    with pytest.raises(AlertError) as caught:
        channel(f"json://127.0.0.1:{receiver.port}/{TOKEN}").send(MESSAGE)
    assert "JSON did not take the message" in str(caught.value)
    assert "500" in str(caught.value)
    assert TOKEN not in str(caught.value)
    assert not caught.value.permanent


def test_mail_by_apprise_arrives() -> None:
    """Another of its hundred services."""
    with SmtpStandIn() as server:
        url = f"mailto://127.0.0.1:{server.port}?from=exosync@example.com&to=ada@example.com"
        channel(url).send(MESSAGE)
        (mail,) = server.mails
    assert ("ada@example.com",) == mail.to
    assert "exosync check" in mail.part("html")


@pytest.mark.parametrize("url", ["nonsense", "", "https://hooks.example.com/x y", "unknown://x"])
def test_an_address_that_apprise_does_not_know_is_told(url: str) -> None:
    """Without showing it."""
    one = channel(url)
    with pytest.raises(ConfigError, match="none that Apprise knows"):
        one.send(MESSAGE)
    (check,) = one.check()
    assert check.ok is False


def test_check_asks_nobody(receiver: WebhookStandIn) -> None:
    """Apprise has no way to try without sending."""
    (check,) = channel(f"json://127.0.0.1:{receiver.port}/{TOKEN}").check()
    assert check.ok
    assert "exosync alerts test" in check.message
    assert TOKEN not in check.message
    assert [] == receiver.requests


def test_without_the_library_the_way_to_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is an extra."""
    monkeypatch.setitem(sys.modules, "apprise", None)
    with pytest.raises(ConfigError, match=r"pip install 'exosync\[apprise\]'"):
        channel("json://127.0.0.1").send(MESSAGE)


def test_a_version_with_many_changes_stays_short_enough_to_read(receiver: WebhookStandIn) -> None:
    """Chats cut long messages anywhere."""
    change = {"change": "added", "cidr": "192.0.2.0/24", "was": "", "text": "added 192.0.2.0/24"}
    body = {"instance": "Worldwide", "version": "2", "previous": "1", "changes": [change] * 500}
    alert = compose([event("ranges_changed", body=body)], scene("version:x:y"))
    channel(f"json://127.0.0.1:{receiver.port}/x").send(Message(alert))
    (told,) = receiver.alerts
    assert "480 more changes" in json.dumps(told)
    assert len(told["message"]) < 2000
