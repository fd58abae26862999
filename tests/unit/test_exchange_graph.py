"""Message traces as values: whatever Graph says of a message is had without a traceback."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exosync.core.secret import SecretRef
from exosync.errors import ConfigError
from exosync_adapters.exchange.admin import graph
from exosync_adapters.exchange.clouds import CLOUDS
from exosync_adapters.exchange.settings import ExchangeSettings

SETTINGS = ExchangeSettings.model_validate(
    {
        "tenant": "8a3bd10e-5b2c-4f6d-9a11-0c6f7e2d1b34",
        "client_id": "2f9c1d77-4e0a-4c53-8f0e-6f1f5a9b7c21",
        "credentials": {"kind": "secret", "secret": {"env": "SECRET"}},
        "domain": "example.com",
        "far_side": "google_workspace",
        "routed": {"group": "elsewhere@example.com"},
    }
)
VALUES = st.none() | st.booleans() | st.integers() | st.text() | st.just("\ud800")


def never(_: SecretRef) -> str:
    """The way to a secret that must not be gone."""
    pytest.fail("a secret was read")


@pytest.mark.parametrize("cloud", ["gcc_high", "dod", "china"])
def test_a_cloud_without_message_trace_is_said_to_be_one(cloud: str) -> None:
    """Before any secret is read."""
    asked = graph.Graph(SETTINGS, CLOUDS[cloud], reveal=never, pause=lambda _: None)

    with pytest.raises(ConfigError, match="no message trace"):
        asked.find(since=datetime(2026, 11, 26, tzinfo=UTC))


@pytest.mark.parametrize(
    ("text", "expected"), [("a@example.com", "'a@example.com'"), ("o'b@x", "'o''b@x'")]
)
def test_quotation_marks_in_a_filter_are_doubled(text: str, expected: str) -> None:
    """So that no address can become a part of the filter."""
    assert expected == graph._literal(text)


def test_times_are_told_in_utc() -> None:
    """Whatever zone they are given in."""
    there = timezone(timedelta(hours=2))

    assert "2026-11-26T10:00:00Z" == graph._moment(datetime(2026, 11, 26, 12, 0, tzinfo=there))


@given(
    st.dictionaries(
        st.sampled_from(["id", "messageId", "status", "toIP", "event", "data", "dateTime"]), VALUES
    )
)
def test_whatever_a_trace_holds_it_is_read(raw: dict[str, Any]) -> None:
    """Absent is as null, and what is read can be written to any store."""
    assert f"{graph._trace(raw)}{graph._event(raw)}".encode()
