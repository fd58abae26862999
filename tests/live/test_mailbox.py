"""A real mailbox at Google is looked into: see README.md."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from exosync.core.trace import Sent
from tests.live.messages import looking_target
from tests.live.switches import google_mailbox

ACCOUNT, MAILBOX = google_mailbox()
pytestmark = [pytest.mark.enable_socket, pytest.mark.slow]


def test_the_check_finds_nothing_amiss() -> None:
    """A token for headers alone is given, and the API is enabled."""
    told = {one.name: one for one in looking_target(ACCOUNT).check()}
    assert True is told["scope gmail.metadata"].ok, told["scope gmail.metadata"].message
    assert True is told["Gmail API"].ok, told["Gmail API"].message


def test_a_message_that_nobody_sent_is_not_found() -> None:
    """Of the messages that are there, only ids and times are asked for."""
    sent = Sent(MAILBOX, MAILBOX, f"<exosync-{uuid4().hex}@example.com>", datetime.now(UTC))
    (stage,) = looking_target(ACCOUNT).arrived(sent, within=timedelta(0))
    assert stage.title.startswith(f"it was not found in the mailbox of {MAILBOX}"), stage
