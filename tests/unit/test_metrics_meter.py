"""One call of the meter for each request, with its outcome and its time."""

from __future__ import annotations

import pytest

from exosync.core.meter import OUTCOMES, metered, no_meters
from exosync.errors import FeedUnreachable, TargetUnreachable

Told = list[tuple[str, float]]


def measure(status: int | None = None) -> Told:
    """What the meter is told of a request that ends so after 1.5 seconds."""
    told: Told = []
    moments = iter((10.0, 11.5))
    with metered(lambda *one: told.append(one), lambda: next(moments)) as answered:
        if status is not None:
            answered.status = status
    return told


@pytest.mark.parametrize(
    ("status", "outcome"),
    [(200, "2xx"), (204, "2xx"), (302, "3xx"), (429, "4xx"), (503, "5xx"), (0, "error")],
)
def test_an_answer_is_told_by_the_class_of_its_status(status: int, outcome: str) -> None:
    """With the seconds between asking and answer."""
    assert [(outcome, 1.5)] == measure(status)
    assert outcome in OUTCOMES


def test_a_block_that_sets_no_status_had_no_answer() -> None:
    """It counts as an error and not as nothing."""
    assert [("error", 1.5)] == measure()


def caused(outer: Exception, inner: Exception) -> Exception:
    """An error with another inside it, as libraries and our own tree have them."""
    outer.__cause__ = inner
    return outer


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (TimeoutError(), "timeout"),
        (caused(FeedUnreachable("no answer"), TimeoutError("timed out")), "timeout"),
        (caused(TargetUnreachable("no answer"), OSError("reset")), "error"),
        (ConnectionResetError(), "error"),
        (KeyboardInterrupt(), "error"),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_an_error_is_told_and_goes_on(error: BaseException, outcome: str) -> None:
    """A time-out at the bottom of it makes it one; whoever asked still gets the error."""
    told: Told = []
    moments = iter((1.0, 3.0))

    with (
        pytest.raises(type(error)) as caught,
        metered(lambda *one: told.append(one), lambda: next(moments)),
    ):
        raise error

    assert error is caught.value
    assert [(outcome, 2.0)] == told


def test_where_nobody_counts_the_meter_takes_everything() -> None:
    """The default gives one for any name."""
    meter = no_meters("edge")
    moments = iter((0.0, 0.0))

    with metered(meter, lambda: next(moments)) as answered:
        answered.status = 200

    assert 200 == answered.status
