"""How long is waited, how a message is signed, and what a key is."""

from __future__ import annotations

from base64 import b64encode
from collections import Counter
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook, WebhookVerificationError

from exosync.alerts.delays import DELAYS, delay
from exosync.alerts.outbox import new_key
from exosync.alerts.signing import headers, key_of
from exosync.alerts.webhook import LONGEST_WAIT, retry_after
from exosync.errors import ConfigError
from tests.alerts.kit import AT


@pytest.mark.parametrize(
    ("attempts", "failures", "minutes"),
    [(1, 1, 1), (2, 2, 2), (3, 3, 5), (4, 4, 15), (5, 5, 60), (6, 6, 180), (7, 7, 360), (99, 99, 360),
     (1, 6, 180), (6, 1, 180), (1, 0, 1), (0, 0, 1)],
)  # fmt: skip
def test_each_failure_makes_the_wait_longer(attempts: int, failures: int, minutes: int) -> None:
    """A fresh message of a channel that is down waits as long as the others."""
    assert timedelta(minutes=minutes) == delay(attempts, failures, permanent=False)


@pytest.mark.parametrize(("attempts", "minutes"), [(1, 60), (5, 60), (6, 180), (9, 360)])
def test_a_refusal_for_good_is_tried_again_seldom(attempts: int, minutes: int) -> None:
    """Somebody has to mend something, and may do so any time."""
    assert timedelta(minutes=minutes) == delay(attempts, 1, permanent=True)


@given(attempts=st.integers(0, 1000), failures=st.integers(0, 1000), permanent=st.booleans())
def test_no_wait_is_longer_than_six_hours(attempts: int, failures: int, *, permanent: bool) -> None:
    """Nor is any shorter than a minute."""
    assert DELAYS[0] <= delay(attempts, failures, permanent=permanent) <= timedelta(hours=6)


def test_keys_are_unique_and_sort_by_time() -> None:
    """So a receiver may keep those of the last days alone."""
    keys = [new_key(AT + timedelta(milliseconds=number)) for number in range(200)]
    assert sorted(keys) == keys
    assert {30} == {len(one) for one in keys}
    assert 1000 == len({new_key(AT) for _ in range(1000)})
    assert 1 == max(Counter(new_key(AT) for _ in range(1000)).values())
    assert "msg_" + "0" * 26 == new_key(datetime.fromisoformat("1970-01-01T00:00Z"), chance=bytes)


SECRETS = ["whsec_" + b64encode(bytes(range(24))).decode(), "any text, käse"]


@pytest.mark.parametrize("secret", SECRETS)
def test_a_receiver_with_the_library_of_standard_webhooks_accepts_a_signature(secret: str) -> None:
    """And refuses another text, key, time or secret."""
    oracle = Webhook(b64encode(key_of(secret)).decode())
    now = int(datetime.now(AT.tzinfo).timestamp())
    payload = '{"title": "ä"}'.encode()
    signed = headers(secret, key="msg_1", timestamp=now, payload=payload)
    assert {"title": "ä"} == oracle.verify(payload, signed)
    for wrong in (
        {**signed, "webhook-id": "msg_2"},
        {**signed, "webhook-timestamp": str(now + 1)},
        headers(secret + "BBBB", key="msg_1", timestamp=now, payload=payload),
    ):
        with pytest.raises(WebhookVerificationError):
            oracle.verify(payload, wrong)
    with pytest.raises(WebhookVerificationError):
        oracle.verify(b"{}", signed)


def test_a_secret_after_its_prefix_must_be_base64() -> None:
    """It would be another key for the receiver."""
    with pytest.raises(ConfigError, match="no base64 follows"):
        key_of("whsec_!!!")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("120", 120),
        (" 0 ", 0),
        ("99999999999", LONGEST_WAIT.total_seconds()),
        ("Wed, 25 Nov 2026 10:27:00 GMT", 600),
        ("Wed, 25 Nov 2026 10:00:00 GMT", 0),
        ("Wed, 25 Nov 2026 10:27:00", 600),
        ("Wed, 25 Nov 2099 10:27:00 GMT", LONGEST_WAIT.total_seconds()),
        ("", None),
        ("soon", None),
        ("Mon, 0 Jan 00 00:00:00 -00002400000000000", None),
        ("-1", None),
        ("٣", None),
    ],
)
def test_a_receiver_may_say_when_to_come_again(text: str, seconds: float | None) -> None:
    """In seconds or by date (RFC 9110 section 10.2.3), up to a day."""
    found = retry_after(text, AT)
    assert seconds == (None if found is None else found.total_seconds())
