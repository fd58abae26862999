"""The client against a service that speaks real HTTP, in good and in bad days."""

from __future__ import annotations

import http.client
import inspect
import json
import socket
import ssl
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
import requests.exceptions
import urllib3.exceptions

from exosync import __version__
from exosync.core.endpoints import parse_changes, parse_endpoints
from exosync.core.selection import mail_ranges
from exosync.errors import (
    ConfigError,
    ExosyncError,
    FeedError,
    FeedRejected,
    FeedThrottled,
    FeedUnreachable,
    UsageError,
)
from exosync.feed import FeedClient
from exosync.feed.faults import OverdueError, feed_error
from exosync.feed.verdicts import LONGEST_WAIT, Way, backoff, retry_after
from exosync.wire import CAUGHT
from tests.standins.endpoints import EndpointsStandIn, answer_body
from tests.standins.endpoints_replies import (
    dripping,
    dripping_headers,
    gzip_bomb,
    hang,
    html,
    oversize,
    redirect,
    reset,
    status,
    truncated,
    truncated_chunks,
    wrong_json,
)
from tests.standins.web import Reply

GUID = "5d8f4a3e-4d0e-4e6a-9d6b-0f7f5a1c2b3d"
NOW = datetime(2026, 8, 14, 12, tzinfo=UTC)
BODY = answer_body("Worldwide", "2026081400")
PROXY_VARIABLES = (
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
)


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in PROXY_VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture
def service() -> Iterator[EndpointsStandIn]:
    """The service at version 2024073100."""
    with EndpointsStandIn(version="2024073100") as standin:
        yield standin


@dataclass
class Asked:
    """A client, and the waits that it made."""

    client: FeedClient
    waits: list[float] = field(default_factory=list)


def asking(url: str, **changed: Any) -> Asked:
    """A client with short times, whose waits are only written down."""
    waits: list[float] = []
    options: dict[str, Any] = {
        "base_url": url,
        "client_id": GUID,
        "connect_timeout": 5,
        "read_timeout": 5,
        "deadline": 20,
        "attempts": 3,
        "pause": waits.append,
        "clock": lambda: NOW,
        **changed,
    }
    return Asked(FeedClient(**options), waits)


def failure(asked: Asked, kind: type[FeedError]) -> FeedError:
    """What asking for the endpoints raises."""
    with pytest.raises(kind) as caught:
        asked.client.endpoints("Worldwide")
    assert kind is type(caught.value)
    return caught.value


# In good days


def test_the_newest_version_costs_one_request(service: EndpointsStandIn) -> None:
    """With the GUID, as JSON, under our own name, and with nothing needless."""
    asked = asking(service.url)

    assert "2024073100" == asked.client.version("worldwide")

    (request,) = service.requests
    assert 1 == asked.client.requests_made
    assert ("GET", "/version/Worldwide") == (request.method, request.path)
    assert {"clientrequestid": GUID} == request.query
    assert "application/json" == request.headers["Accept"]
    assert f"exosync/{__version__}" == request.headers["User-Agent"]
    assert not {"Authorization", "Cookie"} & request.headers.keys()


@pytest.mark.parametrize("instance", ["Worldwide", "China", "USGovDoD", "USGovGCCHigh"])
def test_the_full_answer_of_every_instance_becomes_a_snapshot(
    service: EndpointsStandIn, instance: str
) -> None:
    """Packed on the way, whole in the end."""
    client = asking(service.url).client
    version = client.version(instance)

    body = client.endpoints(instance)

    assert json.loads(answer_body(instance, version)) == json.loads(body)
    snapshot = parse_endpoints(body, instance=instance, version=version, where=service.url)
    assert mail_ranges(snapshot).ranges
    assert 2 == client.requests_made


def test_a_newly_published_version_is_seen(service: EndpointsStandIn) -> None:
    """Microsoft moves on."""
    client = asking(service.url).client
    service.publish("2026081400")

    assert "2026081400" == client.version("Worldwide")


def test_changes_after_a_version_are_fetched(service: EndpointsStandIn) -> None:
    """Those of set 10 in January 2019, when it lost six ranges and won two."""
    service.publish("2019010700")

    (change,) = parse_changes(asking(service.url).client.changes("Worldwide", "2018102900"))

    assert 10 == change.endpoint_set_id
    assert ("40.92.0.0/15", "40.107.0.0/16") == change.add_ips
    assert 6 == len(change.remove_ips)


def test_a_base_address_may_end_with_a_slash(service: EndpointsStandIn) -> None:
    """The path is put together all the same."""
    asking(f"{service.url}/").client.version("China")

    assert ["/version/China"] == service.paths()


# Answers that are refused


@pytest.mark.parametrize(
    ("reply", "rule", "words"),
    [
        (html(), "html", "web page"),
        (redirect("https://user:secret@login.example/x"), "redirect", "not followed"),
        (status(301, {"Location": "/elsewhere"}), "redirect", "feed.url"),
        (oversize(20_000), "too_large", "feed.max_size"),
        (gzip_bomb(20_000_000), "too_large", "feed.max_size"),
        (status(400, body=b'{"message": "no"}'), "bad_request", "feed.instance"),
        (status(401), "denied", "proxy"),
        (status(403), "denied", "proxy"),
        (status(404), "not_found", "feed.url"),
        (status(407), "denied", "feed.proxy"),
        (status(204), "http_status", "204"),
        (status(418, body=b"\x1b[31mtea\xff"), "http_status", "418"),
    ],
)
def test_a_wrong_answer_is_rejected_at_once(
    service: EndpointsStandIn, reply: Reply, rule: str, words: str
) -> None:
    """It is asked once: the same question would get the same answer."""
    service.script(reply)
    asked = asking(service.url, max_bytes=10_000)

    error = failure(asked, FeedRejected)

    assert isinstance(error, FeedRejected)
    assert rule == error.rule
    assert words in str(error)
    assert f"{service.url}/endpoints/Worldwide" in str(error)
    assert "secret" not in str(error)
    assert str(error).isprintable()
    assert 1 == asked.client.requests_made == len(service.requests)


def test_the_service_refuses_who_has_no_guid_and_says_so(service: EndpointsStandIn) -> None:
    """The reason that the service gives is told."""
    service.script(status(400, body=b'{"message": "The ClientRequestId must be a GUID."}'))

    assert "must be a GUID" in str(failure(asking(service.url), FeedRejected))


def test_a_body_of_just_the_largest_size_is_read(service: EndpointsStandIn) -> None:
    """The limit itself is within."""
    service.script(oversize(10_000))

    assert 10_000 == len(asking(service.url, max_bytes=10_000).client.endpoints("Worldwide"))


@pytest.mark.parametrize(
    ("reply", "rule"),
    [
        (wrong_json({"instance": "China", "latest": "2024073100"}), "wrong_instance"),
        (wrong_json({"instance": "Worldwide", "latest": "newest"}), "bad_version"),
        (wrong_json([]), "wrong_instance"),
        (Reply(body=b'{"instance": "Worldwide", "lat'), "truncated"),
        (html(), "html"),
    ],
)
def test_a_broken_version_is_rejected(service: EndpointsStandIn, reply: Reply, rule: str) -> None:
    """What /version says is read strictly."""
    service.script(reply)

    with pytest.raises(FeedRejected) as caught:
        asking(service.url).client.version("Worldwide")
    assert rule == caught.value.rule


# Told to come back later


@pytest.mark.parametrize(
    ("code", "headers", "wait"),
    [
        (429, {}, timedelta(hours=1)),
        (429, {"Retry-After": "60"}, timedelta(hours=1)),
        (429, {"Retry-After": "7200"}, timedelta(hours=2)),
        (429, {"Retry-After": "9" * 400}, timedelta(hours=24)),
        (429, {"Retry-After": "soon"}, timedelta(hours=1)),
        (503, {"Retry-After": "90"}, timedelta(seconds=90)),
        (503, {"Retry-After": "999999"}, timedelta(hours=24)),
        (
            503,
            {"Retry-After": format_datetime(NOW + timedelta(hours=3), usegmt=True)},
            timedelta(hours=3),
        ),
    ],
)
def test_a_wait_that_is_asked_for_is_told_and_not_slept(
    service: EndpointsStandIn, code: int, headers: dict[str, str], wait: timedelta
) -> None:
    """It becomes a time before which nobody asks again."""
    service.script(status(code, headers))
    asked = asking(service.url)

    error = failure(asked, FeedThrottled)

    assert isinstance(error, FeedThrottled)
    assert NOW + wait == error.not_before
    assert f"{error.not_before:%Y-%m-%d %H:%M} UTC" in str(error)
    assert [] == asked.waits
    assert 1 == asked.client.requests_made


@pytest.mark.parametrize(
    ("text", "wait"),
    [
        ("", timedelta()),
        ("0", timedelta()),
        (" 5 ", timedelta(seconds=5)),
        ("-5", timedelta()),
        ("1.5", timedelta()),
        ("٥", timedelta()),
        ("Fri, 14 Aug 2026 12:00:30 GMT", timedelta(seconds=30)),
        ("Fri, 14 Aug 2026 12:00:30 -0000", timedelta(seconds=30)),
        ("Fri, 14 Aug 2026 11:00:00 GMT", timedelta()),
        ("Fri, 31 Dec 9999 23:59:59 GMT", LONGEST_WAIT),
        ("Fri, 99 Aug 2026 12:00:30 GMT", timedelta()),
        ("Fri, 14 Aug 99999999999999999999 12:00:30 GMT", timedelta()),
    ],
)
def test_a_retry_after_is_seconds_or_a_date(text: str, wait: timedelta) -> None:
    """RFC 9110 section 10.2.3; what is neither counts for nothing."""
    assert wait == retry_after(text, NOW)


# Tried again


@pytest.mark.parametrize(
    "fault",
    [
        status(500),
        status(502, body=b"<html>Bad gateway</html>"),
        status(503),
        status(503, {"Retry-After": "0"}),
        status(408),
        reset(),
        truncated(BODY),
        truncated_chunks(BODY),
        Reply(headers={"Content-Encoding": "gzip"}, body=BODY),
    ],
)
def test_a_passing_fault_is_tried_again(service: EndpointsStandIn, fault: Reply) -> None:
    """Two faults, then the answer; the waits grow."""
    service.script(fault, fault)
    asked = asking(service.url, chance=lambda: 1.0)

    body = asked.client.endpoints("Worldwide")

    assert json.loads(answer_body("Worldwide", "2024073100")) == json.loads(body)
    assert 3 == asked.client.requests_made
    assert [1.0, 2.0] == asked.waits


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (status(500, body=b"out of order"), "status 500 ('out of order')"),
        (status(502, body=b"<html>"), "status 502 (a web page)"),
        (reset(), "reset"),
        (truncated(BODY), "broke off"),
    ],
)
def test_a_lasting_fault_is_told_after_the_last_attempt(
    service: EndpointsStandIn, fault: Reply, words: str
) -> None:
    """How often it was tried is told."""
    service.script(fault, fault, fault)
    asked = asking(service.url)

    error = failure(asked, FeedUnreachable)

    assert words in str(error)
    assert "(tried 3 times)" in str(error)
    assert 3 == asked.client.requests_made
    assert 2 == len(asked.waits)


def test_silence_is_told_with_its_setting(service: EndpointsStandIn) -> None:
    """Some source addresses got no answer at all for months in 2020."""
    service.script(hang())

    error = failure(asking(service.url, read_timeout=0.2, attempts=1), FeedUnreachable)

    assert "0.2 s (feed.read_timeout)" in str(error)
    assert "(tried once)" in str(error)


@pytest.mark.parametrize("fault", [dripping(BODY), dripping_headers(), hang()])
def test_nothing_takes_longer_than_the_deadline(service: EndpointsStandIn, fault: Reply) -> None:
    """A server that drips bytes never meets a time-out between two of them."""
    service.script(fault)
    asked = asking(service.url, deadline=0.3)

    error = failure(asked, FeedUnreachable)

    assert "feed.deadline" in str(error)
    assert 1 == asked.client.requests_made


def test_no_attempt_begins_after_the_deadline(service: EndpointsStandIn) -> None:
    """A wait that would outlast it is not begun either."""
    service.script(status(500), status(500), status(500))
    moments = iter([0.0, 0.0, 19.5])
    asked = asking(service.url, monotonic=lambda: next(moments), chance=lambda: 0.0)

    error = failure(asked, FeedUnreachable)

    assert "(tried once)" in str(error)
    assert [] == asked.waits


@pytest.mark.parametrize(
    ("attempt", "least", "most"), [(1, 0.5, 1), (2, 1, 2), (3, 2, 4), (40, 10, 20)]
)
def test_waits_double_up_to_a_limit_and_half_is_chance(
    attempt: int, least: float, most: float
) -> None:
    """So that many clients do not come back together."""
    assert (least, most) == (backoff(attempt, 0.0), backoff(attempt, 1.0))


# Unreachable


def free_port() -> int:
    """A port on which nobody listens."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


def test_a_refused_connection_is_told() -> None:
    """Nobody listens."""
    error = failure(asking(f"http://127.0.0.1:{free_port()}"), FeedUnreachable)

    assert "cannot be reached: Connection refused" in str(error)


def test_a_host_that_cannot_be_is_told() -> None:
    """A label of a name has 63 characters at most, so that no server is asked."""
    asked = asking(f"http://{'a' * 64}.localhost:1")

    assert "look at feed.url" in str(failure(asked, FeedUnreachable))
    assert 1 == asked.client.requests_made


def test_a_proxy_that_is_not_there_is_told_without_its_password() -> None:
    """The setting is named."""
    proxy = f"http://someone:hunter2@127.0.0.1:{free_port()}"

    error = failure(asking("https://endpoints.example", proxy=proxy, attempts=1), FeedUnreachable)

    assert "feed.proxy" in str(error)
    assert "hunter2" not in str(error)
    assert "hunter2" not in "".join(map(str, chain(error)))


def chain(error: BaseException) -> Iterator[BaseException]:
    """An error and our own ones that caused it."""
    while isinstance(error, ExosyncError):
        yield error
        if error.__cause__ is None:
            return
        error = error.__cause__


def test_a_proxy_of_the_configuration_is_used(service: EndpointsStandIn) -> None:
    """The service itself stands in for the proxy of a plain address."""
    client = asking(f"http://localhost:{free_port()}", proxy=service.url).client
    service.script(wrong_json({"instance": "China", "latest": "2024032900"}))

    assert "2024032900" == client.version("China")
    assert 1 == len(service.requests)


def test_a_proxy_of_the_environment_is_not_used_for_loopback(
    service: EndpointsStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A demonstration on one machine works behind a company's proxy."""
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{free_port()}")

    assert "2024073100" == asking(service.url).client.version("Worldwide")


def test_a_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """HTTPS_PROXY holds for everything but loopback."""
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{free_port()}")

    error = failure(asking("https://endpoints.example", attempts=1), FeedUnreachable)

    assert "the proxy on the way to endpoints.example failed" in str(error)


# TLS


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for localhost with its key, trusted by nobody yet."""
    folder = tmp_path_factory.mktemp("tls")
    command = [
        *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"),
        *("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"),
        *("-keyout", str(folder / "key.pem"), "-out", str(folder / "certificate.pem")),
    ]
    try:
        subprocess.run(command, check=True, capture_output=True)
    except FileNotFoundError:
        pytest.skip("openssl is not installed: the certificate of a test server cannot be made")
    return folder / "certificate.pem"


@pytest.fixture
def secure(service: EndpointsStandIn, certificate: Path) -> str:
    """The address of the service behind TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, certificate.with_name("key.pem"))
    return service.secured(context)


def test_an_own_ca_is_trusted_when_named(secure: str, certificate: Path) -> None:
    """Behind a proxy that looks into TLS, its CA is what must be trusted."""
    assert "2024073100" == asking(secure, ca_bundle=certificate).client.version("Worldwide")


def test_a_ca_of_the_environment_is_trusted(
    secure: str, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """REQUESTS_CA_BUNDLE, as for every program that uses requests."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))

    assert "2024073100" == asking(secure).client.version("Worldwide")


def test_a_certificate_that_is_not_trusted_is_told_with_the_setting(secure: str) -> None:
    """Another try would not help."""
    asked = asking(secure)

    error = failure(asked, FeedUnreachable)

    assert "certificate verify failed" in str(error)
    assert "feed.ca_bundle" in str(error)
    assert 1 == asked.client.requests_made


def test_plain_http_where_tls_is_spoken_is_told(secure: str) -> None:
    """And the other way round."""
    asked = asking(secure.replace("https:", "http:"), attempts=1)
    error = failure(asked, FeedUnreachable)
    assert error.exit_code == FeedError.exit_code


def test_tls_where_plain_http_is_spoken_is_told(service: EndpointsStandIn) -> None:
    """The settings that may be wrong are named."""
    error = failure(asking(service.url.replace("http:", "https:"), attempts=1), FeedUnreachable)

    assert "TLS with 127.0.0.1 failed" in str(error)
    assert "feed.ca_bundle" in str(error)


@pytest.mark.parametrize("content", [None, "", "no certificate at all"])
def test_a_ca_bundle_that_cannot_be_used_is_told(
    secure: str, tmp_path: Path, content: str | None
) -> None:
    """A missing file and one that holds no certificate."""
    bundle = tmp_path / "ca.pem"
    if content is not None:
        bundle.write_text(content)

    error = failure(asking(secure, ca_bundle=bundle, attempts=1), FeedUnreachable)

    assert "feed.ca_bundle" in str(error)


# Settings


@pytest.mark.parametrize(
    "url",
    [
        *("http://endpoints.office.com", "ftp://localhost", "endpoints.office.com", "", "https://"),
        *("http://127.0.0.1.example.com", "https://user:secret@endpoints.office.com"),
    ],
)
def test_an_address_that_must_not_be_used_is_refused(url: str) -> None:
    """https, or plain http on loopback, and no credentials in it."""
    with pytest.raises(ConfigError, match=r"feed\.url") as caught:
        asking(url)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "url", ["http://localhost:1", "http://[::1]:1/x", "https://mirror.example/o365"]
)
def test_an_address_that_may_be_used_is_taken(url: str) -> None:
    """Making a client asks nobody."""
    assert 0 == asking(url).client.requests_made


@pytest.mark.parametrize("setting", ["connect_timeout", "read_timeout", "deadline"])
def test_a_time_of_zero_is_refused(setting: str) -> None:
    """Nothing can be done in no time."""
    with pytest.raises(ConfigError, match=setting):
        asking("https://endpoints.office.com", **{setting: 0})


def test_a_client_id_that_is_no_guid_is_refused() -> None:
    """The service demands one."""
    with pytest.raises(ConfigError, match="GUID"):
        asking("https://endpoints.office.com", client_id="me")


def test_changes_after_what_is_no_version_is_wrong_usage(service: EndpointsStandIn) -> None:
    """Nothing is asked."""
    with pytest.raises(UsageError, match="ten digits"):
        asking(service.url).client.changes("Worldwide", "../version")
    assert [] == service.requests


def test_an_unknown_instance_is_wrong_usage(service: EndpointsStandIn) -> None:
    """Nothing is asked."""
    client = asking(service.url).client
    calls: list[Callable[[str], object]] = [client.version, client.endpoints]
    for call in calls:
        with pytest.raises(UsageError, match="Germany"):
            call("Germany")
    assert [] == service.requests


def test_the_client_is_light_to_import() -> None:
    """The command's help must not wait for requests."""
    code = (
        "import sys, exosync.feed; sys.exit('requests' in sys.modules or 'urllib3' in sys.modules)"
    )
    assert 0 == subprocess.run([sys.executable, "-c", code], check=False).returncode


# Every low-level error has its place in the tree


def low_level_errors() -> list[type[Exception]]:
    """All exceptions of requests, urllib3 and http.client, and what lies below."""
    found: set[type[Exception]] = {
        OverdueError,
        TimeoutError,
        ConnectionResetError,
        ssl.SSLError,
        UnicodeError,
    }
    for module in (requests.exceptions, urllib3.exceptions, http.client):
        for _, one in inspect.getmembers(module, inspect.isclass):
            if issubclass(one, Exception) and not issubclass(one, Warning) and one is not Exception:
                found.add(one)
    return sorted(found - {AssertionError}, key=lambda one: f"{one.__module__}.{one.__name__}")


def made(kind: type[Exception]) -> Exception:
    """An error of a kind, however many arguments its own way of making it wants."""
    error = kind.__new__(kind)
    error.args = ("through http://me:hunter2@proxy.example:3128\n",)
    if issubclass(kind, http.client.IncompleteRead):
        partial = b"" if kind is http.client.IncompleteRead else 0
        vars(error).update(partial=partial, expected=1, length=b"x")
    return error


@pytest.mark.parametrize("kind", low_level_errors())
def test_every_low_level_error_is_caught_and_mapped(kind: type[Exception]) -> None:
    """None reaches a user as a traceback, and each tells the address."""
    url = "https://endpoints.example/version/China"
    way = Way(10, 30, 1000, "http://me:hunter2@proxy.example:3128", None, "test")
    error = made(kind)

    assert issubclass(kind, CAUGHT)
    mapped = feed_error(error, url, way)

    assert isinstance(mapped, FeedError)
    assert "endpoints.example" in str(mapped)
    assert "hunter2" not in str(mapped)
    assert str(mapped).isprintable()
