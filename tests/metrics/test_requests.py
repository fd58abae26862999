"""Every HTTP request is counted once, for the target that made it, with how it ended."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from exosync.core.meter import FEED
from exosync_adapters.google_workspace.http import Transport
from exosync_adapters.wire import NoAnswerError, Wire
from tests.bench.vendors import Company
from tests.metrics.kit import Watched, watched
from tests.standins.mimecast import MimecastStandIn
from tests.standins.web import Reply


@pytest.fixture
def both(tmp_path: Path) -> Iterator[tuple[Watched, Company]]:
    """An installation with targets of both vendors, and these."""
    with watched(tmp_path) as made:
        yield made


def requests(one: Watched) -> dict[tuple[str, str], float]:
    """What was counted, by target and outcome."""
    return {
        (sample.labels["target"], sample.labels["outcome"]): sample.value
        for sample in one.families()["exosync_http_requests_total"].samples
    }


def test_as_many_are_counted_as_arrive(both: tuple[Watched, Company]) -> None:
    """At Microsoft's service, at Mimecast and at Google; tokens are requests too."""
    one, outside = both
    for name in (FEED, "edge", "mimecast", "google", "google"):
        one.run(name)

    assert {
        (FEED, "2xx"): len(outside.feed.requests),
        ("mimecast", "2xx"): len(outside.mail.requests),
        ("google", "2xx"): len(outside.google.requests),
    } == requests(one)
    assert len(outside.mail.requests) == one.figure(
        "exosync_http_request_duration_seconds_count", target="mimecast"
    )


def test_a_refusal_of_the_feed_is_counted_by_its_status(both: tuple[Watched, Company]) -> None:
    """And the run by what that means."""
    one, outside = both
    outside.feed.script(Reply(429))

    one.run(FEED)

    assert {(FEED, "4xx"): 1} == requests(one)
    assert 1 == one.figure("exosync_feed_errors_total", kind="throttled")


def test_each_attempt_is_counted_for_itself(both: tuple[Watched, Company]) -> None:
    """One breaks off, and another one succeeds; the run knows of no error."""
    one, outside = both
    outside.feed.script(Reply(manner="reset"))

    one.run(FEED)

    assert {(FEED, "error"): 1, (FEED, "2xx"): 2} == requests(one)
    assert 0 == one.figure("exosync_feed_errors_total", kind="unreachable")


@pytest.mark.parametrize(
    ("reply", "outcome"),
    [
        (Reply(200, body=b"{}"), "2xx"),
        (Reply(302, {"Location": "/elsewhere"}), "3xx"),
        (Reply(503), "5xx"),
        (Reply(manner="reset"), "error"),
        (Reply(manner="hang"), "timeout"),
    ],
    ids=lambda one: f"{one.status}-{one.manner}" if isinstance(one, Reply) else one,
)
def test_a_vendor_s_answer_is_counted_however_it_ends(reply: Reply, outcome: str) -> None:
    """By both ways out: that to Mimecast and that to Google."""
    told: list[str] = []

    def meter(word: str, seconds: float) -> None:
        assert seconds >= 0
        told.append(word)

    with MimecastStandIn() as mail:
        mail.script(reply, reply)
        timeout = 0.4 if reply.manner == "hang" else 60
        wire = Wire(mail.url, timeout=timeout, meter=meter)
        with suppress(NoAnswerError):
            wire.ask("GET", "/anything", headers={})
        way = Transport(timeout=timeout, base=mail.url, meter=meter)
        with suppress(OSError):
            way.request("https://cloudidentity.googleapis.com/v1/policies")
        way.close()

    assert [outcome, outcome] == told
