"""A message is sent from a real tenant, and followed: see README.md."""

from __future__ import annotations

from datetime import timedelta

import pytest

from exosync.core.trace import Way
from tests.live.messages import looking_target, sending_target
from tests.live.switches import exchange_messages, is_mailbox

TENANT, SENDER, RECIPIENT, WAIT = exchange_messages()
pytestmark = [pytest.mark.enable_socket, pytest.mark.slow]


def test_the_check_finds_what_is_needed_to_send() -> None:
    """Both permissions of Graph are in the token."""
    told = {one.name: one for one in sending_target(TENANT, SENDER).check()}
    assert True is told["probe"].ok, told["probe"].message


def test_a_message_is_sent_and_its_trace_shows() -> None:
    """Once; and it is in the recipient's mailbox, if that is one that may be looked into."""
    target = sending_target(TENANT, SENDER)
    sent = target.send(SENDER, RECIPIENT)
    way = Way(SENDER, RECIPIENT, (), leaves=None)

    first, *_ = target.happened(sent, way, within=timedelta(seconds=WAIT))
    assert first.title.startswith("Exchange Online says: "), f"{first}; {sent.again}"
    again, *_ = target.happened(
        target.known(SENDER, RECIPIENT, sent.message_id), way, within=timedelta(0)
    )
    assert again.title.startswith("Exchange Online says: "), again

    account = is_mailbox(RECIPIENT)
    if account is not None:
        arrived, *_ = looking_target(account).arrived(sent, within=timedelta(seconds=WAIT))
        assert arrived.title.startswith("it is "), arrived
