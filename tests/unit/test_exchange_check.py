"""What `exosync check` says of an application's certificate."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from exosync_adapters.exchange.check import _until

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("left", "ok", "told"),
    [
        (timedelta(days=200), True, "is good until 2027-06-14 12:00 UTC"),
        (timedelta(days=5, hours=1), None, "ends in 5 days (2026-12-01 13:00 UTC)"),
        (timedelta(0), False, "ended 2026-11-26 12:00 UTC"),
    ],
)
def test_a_certificate_that_ends_is_told_before(
    left: timedelta, ok: bool | None, told: str
) -> None:
    """Within a month it is a warning, with what to do; afterwards nothing works by it."""
    check = _until(NOW + left, NOW)

    assert (ok, told) == (check.ok, check.message)
    assert ("upload another" in check.remedy) is (ok is not True)
