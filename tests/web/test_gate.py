"""Who is let in, what is refused at the door, and the headers of whatever goes out."""

from __future__ import annotations

import http.client
import re
import select
import socket
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests

from exosync.core.target import Check
from exosync.errors import ConfigError
from exosync.web.app import create_app
from exosync.web.serving import PageServer
from tests.web.conftest import MakeStage
from tests.web.scene import EVIL, Stage

TOKEN = "correct horse battery staple"
PATHS = (
    *("/", "/?state=failed", "/targets/edge", "/targets/google", "/targets/spf", "/todo"),
    *("/ranges", "/ranges?target=lab", "/versions", "/versions/2019022800", "/settings"),
    *("/explain", "/explain?q=40.92.0.1", "/history?limit=1000", "/runs", "/runs/7", "/alerts"),
    *("/events", "/events?before=9", "/events/5", "/events/9", "/targets/mimecast"),
)
"""Every page."""

Answer = tuple[int, dict[str, str], bytes]


@pytest.fixture
def guarded(make: MakeStage, tmp_path: Path) -> str:
    """A page that asks for a token."""
    return make_guarded(make, tmp_path)[1]


def make_guarded(make: MakeStage, tmp_path: Path) -> tuple[Stage, str]:
    """The same, and what is behind it."""
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "token").write_text(f"{TOKEN}\n")
    return make(web={"token": {"file": "token"}})


def ask(url: str, path: str, method: str = "GET", **headers: str) -> Answer:
    """One request with exactly these headers, whatever a client would make of its path."""
    parts = urlsplit(url)
    assert parts.hostname is not None
    with closing(http.client.HTTPConnection(parts.hostname, parts.port, timeout=30)) as way:
        way.putrequest(method, path, skip_host="Host" in headers)
        for name, value in headers.items():
            way.putheader(name, value)
        way.endheaders()
        answer = way.getresponse()
        told = {name.lower(): value for name, value in answer.getheaders()}
        return (
            answer.status,
            told,
            b"" if path == "/live" and answer.status == 200 else answer.read(),
        )


class Elements(HTMLParser):
    """The elements of a page, and what the policy would refuse of them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.inline: list[str] = []
        self.outside: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Look at one element."""
        given = dict(attrs)
        if (tag == "script" and "src" not in given) or tag == "style":
            self.inline.append(tag)
        self.inline += [name for name in given if name == "style" or name.startswith("on")]
        for name in ("src", "href", "action", "data", "poster"):
            if re.match(r"(?i)[a-z]+:|//", given.get(name) or ""):
                self.outside.append(str(given[name]))


@pytest.mark.parametrize("path", [*PATHS, "/sign-in", "/nothing", "/targets/nobody"])
def test_a_page_has_nothing_inline_and_nothing_from_outside(page_url: str, path: str) -> None:
    """So the strictest policy fits it; and what others wrote is text and no element."""
    page = requests.get(page_url + path, timeout=30).text
    found = Elements(page)
    assert [] == found.inline
    assert [] == found.outside
    assert EVIL not in page


def test_what_comes_from_outside_is_shown(page_url: str) -> None:
    """The evil text is there at all, on pages that show what others wrote."""
    for path in ("/", "/targets/spf", "/ranges", "/alerts", "/settings"):
        assert (
            "&lt;script&gt;alert(1)&lt;/script&gt;"
            in requests.get(page_url + path, timeout=30).text
        )


@pytest.mark.parametrize(
    "path", ["/", "/nothing", "/api/v1/status", "/metrics", "/livez", "/api/v1/nothing"]
)
def test_every_answer_has_the_headers_that_keep_it_safe(page_url: str, path: str) -> None:
    """Errors too; and nobody is told what serves it."""
    _, headers, _ = ask(page_url, path)
    assert (
        "default-src 'none'; style-src 'self'; script-src 'self'"
        in headers["content-security-policy"]
    )
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]
    assert ("nosniff", "no-referrer") == (
        headers["x-content-type-options"],
        headers["referrer-policy"],
    )
    assert ("no-store", "same-origin", "same-origin") == (
        headers["cache-control"],
        headers["cross-origin-opener-policy"],
        headers["cross-origin-resource-policy"],
    )
    assert "server" not in headers


def test_assets_may_be_kept_for_they_never_change(page_url: str) -> None:
    """Their address has their digest in it; another digest leads nowhere."""
    page = requests.get(page_url, timeout=30).text
    path = re.search(r'href="(/assets/[0-9a-f]{16}/page\.css)"', page)
    assert path is not None
    _, headers, body = ask(page_url, path[1])
    assert "public, max-age=31536000, immutable" == headers["cache-control"]
    assert b"prefers-color-scheme" in body
    assert 404 == ask(page_url, "/assets/0123456789abcdef/page.css")[0]


@pytest.mark.parametrize(
    "host",
    ["localhost", "localhost:1", "127.0.0.1", "127.0.0.2:8620", "[::1]:8620", "LOCALHOST."],
)
def test_loopback_names_are_ours(page_url: str, host: str) -> None:
    """Any name of this machine, on any port: a tunnel may change that."""
    assert 200 == ask(page_url, "/livez", Host=host)[0]


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("evil.example", 421),
        ("127.0.0.1.evil.example", 421),
        ("192.0.2.1", 421),
        ("", 400),
        ("a b", 400),
        ("user@localhost", 400),
        ("localhost/..", 400),
    ],
)
def test_other_names_are_not(page_url: str, host: str, status: int) -> None:
    """A foreign page whose name points here is turned away."""
    assert status == ask(page_url, "/", Host=host)[0]


def test_a_request_without_a_host_is_refused(page_url: str) -> None:
    """HTTP/1.0 may leave it out."""
    parts = urlsplit(page_url)
    with socket.create_connection((str(parts.hostname), parts.port), timeout=30) as raw:
        raw.sendall(b"GET / HTTP/1.0\r\n\r\n")
        assert raw.recv(100).split()[1] == b"400"


def test_a_configured_name_is_ours(make: MakeStage) -> None:
    """As a proxy in front hands it on."""
    _, url = make(web={"hosts": ["exosync.example.com"]})
    assert 200 == ask(url, "/", Host="exosync.example.com")[0]
    assert 421 == ask(url, "/", Host="www.exosync.example.com")[0]


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_nothing_can_be_written(page_url: str, method: str) -> None:
    """Every page and the whole API are read-only."""
    document = requests.get(f"{page_url}/api/v1/openapi.json", timeout=30).json()
    paths = [*PATHS, *(re.sub(r"\{.*?\}", "1", path) for path in document["paths"])]
    told = {path: ask(page_url, path, method, **{"Content-Length": "0"}) for path in paths}
    assert {(405, "GET")} == {(status, headers["allow"]) for status, headers, _ in told.values()}


def test_head_is_get_without_a_body(page_url: str) -> None:
    """For those who only look whether it is there."""
    status, headers, body = ask(page_url, "/", "HEAD")
    assert (200, b"") == (status, body)
    assert int(headers["content-length"]) > 1000


@pytest.mark.parametrize(
    "path",
    [
        *("/../etc/passwd", "/assets/../../config.py", "/assets/x/..%2f..%2fapp.py"),
        *("/%2e%2e/%2e%2e/etc/passwd", "/..;/", "//etc/passwd", "/.git/config", "/.env"),
        *("/assets/%00/page.css", "/targets/%00", "/targets/..%2f..%2fetc", "/server-status"),
        *("/docs", "/redoc", "/openapi.json", "/admin", "/wp-login.php", "/cgi-bin/"),
    ],
)
def test_a_scanner_finds_nothing(page_url: str, path: str) -> None:
    """Ways out of the folder and the usual places lead nowhere."""
    assert 404 == ask(page_url, path)[0]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/" + "a" * 600, 414),
        ("/explain?q=" + "1" * 254, 422),
        ("/explain?q=" + "1" * 2000, 400),
        ("/history?limit=99999999999999999999", 422),
        ("/runs/99999999999999999999999", 422),
        ("/runs?before=1&before=2", 400),
        ("/api/v1/runs/%F0%9F%92%A9", 422),
        ("/targets/" + "%F0%9F%92%A9" * 30, 404),
    ],
)
def test_long_and_odd_input_is_refused_in_words(page_url: str, path: str, status: int) -> None:
    """And never with a fault of ours."""
    assert status == ask(page_url, path)[0]


def test_a_fault_of_ours_tells_nobody_where(make: MakeStage) -> None:
    """500 without a trace; the page works on."""
    stage, url = make()
    stage.checks = None  # type: ignore[assignment]
    status, _, body = ask(url, "/readyz")
    assert (500, False) == (status, b"Traceback" in body or b"exosync/" in body)
    assert 200 == ask(url, "/livez")[0]


# Health


def test_health_is_told_in_detail_to_whoever_may_read(make: MakeStage) -> None:
    """503 if something is wrong; a warning is no failure."""
    stage, url = make()
    assert 200 == ask(url, "/livez")[0]
    stage.beats = Check("loop", ok=False, message="silent for 3 minutes")
    answer = requests.get(f"{url}/livez", timeout=30)
    assert 503 == answer.status_code
    assert "silent for 3 minutes" == answer.json()["checks"][0]["message"]
    stage.checks = [Check("first_run", ok=None, message="not yet")]
    assert 200 == ask(url, "/readyz")[0]
    stage.checks = [Check("state", ok=False, message="the disk is full")]
    assert 503 == ask(url, "/readyz")[0]


def test_health_is_told_without_a_word_more_to_others(make: MakeStage, tmp_path: Path) -> None:
    """A probe need not know the token; it learns nothing but the one word."""
    stage, url = make_guarded(make, tmp_path)
    stage.checks = [Check("state", ok=False, message="/var/lib/exosync: the disk is full")]
    answer = requests.get(f"{url}/readyz", timeout=30)
    assert (503, {"ok": False}) == (answer.status_code, answer.json())
    full = requests.get(f"{url}/readyz", headers=bearer(TOKEN), timeout=30).json()
    assert "the disk is full" in full["checks"][0]["message"]


# The token


def bearer(token: str) -> dict[str, str]:
    """What a program sends."""
    return {"Authorization": f"Bearer {token}"}


@pytest.mark.parametrize("path", ["/api/v1/status", "/api/v1/openapi.json", "/metrics", "/live"])
def test_a_program_without_the_token_is_told_so(guarded: str, path: str) -> None:
    """401, and how to show it."""
    status, headers, body = ask(guarded, path)
    assert (401, 'Bearer realm="exosync"') == (status, headers["www-authenticate"])
    assert b"Authorization: Bearer" in body


def test_a_program_with_the_token_is_let_in(guarded: str) -> None:
    """A wrong one is not, nor a part of it."""
    for token, status in ((TOKEN, 200), (TOKEN[:-1], 401), ("", 401), ("ä", 401)):
        answer = requests.get(
            f"{guarded}/api/v1/status",
            headers={"Authorization": f"Bearer {token}".encode()},
            timeout=30,
        )
        assert status == answer.status_code


@pytest.mark.parametrize("path", ["/todo", "/ranges?target=lab", "/explain?q=40.92.0.1"])
def test_a_person_without_a_session_is_led_to_the_sign_in(guarded: str, path: str) -> None:
    """And back to where he wanted afterwards; nothing of the page is told."""
    answer = requests.get(guarded + path, allow_redirects=False, timeout=30)
    assert (303, b"") == (answer.status_code, answer.content)
    assert answer.headers["Location"].startswith("/sign-in?next=%2F")
    signed = requests.post(
        guarded + answer.headers["Location"].partition("?")[0],
        data={"token": TOKEN, "next": path},
        allow_redirects=False,
        timeout=30,
    )
    assert (303, path) == (signed.status_code, signed.headers["Location"])


@pytest.mark.parametrize(
    "onward", ["//evil.example", "https://evil.example", "/\\evil.example", "/sign-in", "", "/a\nb"]
)
def test_the_sign_in_leads_nowhere_else(guarded: str, onward: str) -> None:
    """Whatever a link to it says."""
    signed = requests.post(
        f"{guarded}/sign-in",
        data={"token": TOKEN, "next": onward},
        allow_redirects=False,
        timeout=30,
    )
    assert "/" == signed.headers["Location"]


def test_the_cookie_is_a_session_and_not_the_token(guarded: str) -> None:
    """No script can read it, no other site can have it sent, and over TLS it stays there."""
    answer = sign_in(guarded)
    cookie = answer.headers["Set-Cookie"]
    assert {"HttpOnly", "Path=/", "SameSite=strict"} <= set(cookie.split("; "))
    assert "Secure" not in cookie
    assert not any(word in cookie for word in TOKEN.split())
    assert "; Secure" in sign_in(guarded, **{"X-Forwarded-Proto": "https"}).headers["Set-Cookie"]


def sign_in(url: str, token: str = TOKEN, **headers: str) -> requests.Response:
    """What the form sends."""
    return requests.post(
        f"{url}/sign-in",
        data={"token": token},
        headers=headers,
        allow_redirects=False,
        timeout=30,
    )


def test_a_session_ends_by_itself_and_with_the_token(make: MakeStage, tmp_path: Path) -> None:
    """After twelve hours; and at once for everybody when the token is changed."""
    stage, url = make_guarded(make, tmp_path)
    session = sign_in(url).headers["Set-Cookie"].partition(";")[0]

    def status() -> int:
        return ask(url, "/", Cookie=session)[0]

    assert 200 == status()
    stage.moment += timedelta(hours=11)
    assert 200 == status()
    stage.moment += timedelta(hours=1)
    assert 303 == status()
    session = sign_in(url).headers["Set-Cookie"].partition(";")[0]
    assert 200 == status()
    (stage.folder / "other").write_text("another one")
    stage.configure(web={"token": {"file": "other"}})
    assert 303 == status()


def test_a_cookie_that_was_tampered_with_is_no_session(guarded: str) -> None:
    """Nor is anything else that looks like one."""
    session = sign_in(guarded).headers["Set-Cookie"].partition(";")[0]
    name, _, value = session.partition("=")
    moment, nonce, mac = value.split(".")
    for forged in (
        f"{int(moment) + 3600}.{nonce}.{mac}",
        f"{moment}.{nonce[:-1]}.{mac}",
        f"{moment}.{nonce}.{mac[:-1]}",
        f"{moment}.{nonce}.",
        "a.b.c",
        "..",
        "9" * 5000,
    ):
        assert 303 == ask(guarded, "/", Cookie=f"{name}={forged}")[0]
    assert 200 == ask(guarded, "/", Cookie=session)[0]


def test_wrong_tokens_are_limited(guarded: str) -> None:
    """After ten nobody from there may try on, not even with the right one; a session still counts."""
    session = sign_in(guarded).headers["Set-Cookie"].partition(";")[0]
    statuses = [
        requests.get(f"{guarded}/metrics", headers=bearer("guess"), timeout=30).status_code
        for _ in range(11)
    ]
    assert [401] * 10 + [429] == statuses
    answer = sign_in(guarded)
    assert 429 == answer.status_code
    assert int(answer.headers["Retry-After"]) > 0
    assert 429 == requests.get(f"{guarded}/metrics", headers=bearer(TOKEN), timeout=30).status_code
    assert 200 == ask(guarded, "/", Cookie=session)[0]
    assert 200 == ask(guarded, "/livez")[0]


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
    ],
)
def test_another_sites_page_cannot_sign_anybody_in(guarded: str, headers: dict[str, str]) -> None:
    """Though it knew the token."""
    assert 403 == sign_in(guarded, **headers).status_code
    out = requests.post(f"{guarded}/sign-out", headers=headers, allow_redirects=False, timeout=30)
    assert out.status_code in (401, 403)


def test_a_form_that_is_too_large_is_not_read(guarded: str) -> None:
    """Nor one whose length nobody tells."""
    assert 413 == sign_in(guarded, "x" * 10_000).status_code
    answer = requests.post(
        f"{guarded}/sign-in", data=iter([b"token=x"]), allow_redirects=False, timeout=30
    )
    assert 411 == answer.status_code


def test_a_token_that_cannot_be_read_lets_nobody_in(make: MakeStage) -> None:
    """Rather than everybody; the health is told all the same."""
    _, url = make(web={"token": {"file": "not-there"}})
    assert 503 == ask(url, "/")[0]
    assert 503 == ask(url, "/api/v1/status", Authorization="Bearer x")[0]
    assert 503 == sign_in(url).status_code
    assert 200 == ask(url, "/livez")[0]


# The server


def test_where_somebody_listens_already_the_server_says_so(page_url: str, filled: Path) -> None:
    """At its start, in words."""
    server = PageServer(create_app(Stage(filled), environ={}))
    with pytest.raises(ConfigError, match=r"web\.listen: nobody can listen on"):
        server.start(page_url.removeprefix("http://"))


def test_the_server_stops_though_pages_are_open(filled: Path) -> None:
    """The streams that keep them fresh end."""
    server = PageServer(create_app(Stage(filled), environ={}))
    url = server.start("127.0.0.1:0")
    with requests.get(f"{url}/live", stream=True, timeout=30) as stream:
        lines = stream.iter_lines()
        assert b"retry: 5000" == next(lines)
        assert any(line.startswith(b"data: ") for line in lines)
        server.stop(60)
        assert not server.is_alive()
        assert [] == [line for line in lines if line.startswith(b"data: ")]


def test_a_connection_on_which_nothing_comes_is_closed(filled: Path) -> None:
    """Whoever opens many and says nothing keeps nobody out."""
    server = PageServer(create_app(Stage(filled), environ={}), patience=0.3)
    parts = urlsplit(server.start("127.0.0.1:0"))
    with socket.create_connection((str(parts.hostname), parts.port), timeout=60) as silent:
        assert silent.recv(1) == b""
    server.stop()


def test_a_request_that_comes_drop_by_drop_is_not_waited_for(filled: Path) -> None:
    """The connection is closed; one that has had its answer may be used again."""
    # What is whole must come in that time on a busy machine, too.
    server = PageServer(create_app(Stage(filled), environ={}), patience=3.0)
    parts = urlsplit(server.start("127.0.0.1:0"))
    with socket.create_connection((str(parts.hostname), parts.port), timeout=60) as slow:
        slow.sendall(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert slow.recv(12, socket.MSG_WAITALL) == b"HTTP/1.1 200"
        while (octet := slow.recv(1)) != b"}":
            assert octet
        slow.sendall(b"GET /livez HTTP/1.1\r\nHost: loc")
        rest = b""
        while part := slow.recv(100):
            rest += part
        assert b"HTTP/1.1" not in rest
    server.stop()


HALVES = {
    "nothing": b"",
    "headers": b"GET /livez HTTP/1.1\r\nHost: loc",
    "content": b"POST /sign-in HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\ntoken",
}
"""Requests that never come whole."""


@pytest.mark.parametrize("sent", HALVES.values(), ids=HALVES)
def test_requests_that_never_come_whole_keep_nobody_out(filled: Path, sent: bytes) -> None:
    """Whoever was waited for the longest gives way; who is being answered does not."""
    with few_at_once(filled) as (url, where), ExitStack() as stack:
        stream = stack.enter_context(socket.create_connection(where, timeout=60))
        stream.sendall(b"GET /live HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert b" 200 " in stream.recv(1000)
        slow = [stack.enter_context(socket.create_connection(where, timeout=60)) for _ in range(40)]
        for one in slow:
            # The first of them are gone already.
            with suppress(ConnectionError):
                one.sendall(sent)
        assert 200 == requests.get(f"{url}/livez", timeout=60).status_code
        assert is_cut(slow[0])
        assert not is_cut(slow[-1])
        assert not is_cut(stream)


def test_who_does_not_take_the_answers_keeps_nobody_out(filled: Path) -> None:
    """Once no more of them fits on the way, the connection gives way, and gets no further one."""
    with few_at_once(filled) as (url, where), ExitStack() as stack:
        page = requests.get(url, timeout=60).text
        path = re.findall(r"/assets/[0-9a-f]{16}/page\.css", page)[0]
        size, most = len(requests.get(url + path, timeout=60).content), 900
        slow = stack.enter_context(socket.socket())
        slow.settimeout(60)
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        slow.connect(where)
        slow.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode() * most)
        for _ in range(300):
            stack.enter_context(socket.create_connection(where, timeout=60))
            assert 200 == requests.get(f"{url}/livez", timeout=60).status_code
        came = 0
        with suppress(ConnectionError):
            while part := slow.recv(1 << 20):
                came += len(part)
        assert came < size * most


@contextmanager
def few_at_once(filled: Path) -> Iterator[tuple[str, tuple[str, int]]]:
    """A page that has room for eight, and waits for each as long as it likes."""
    server = PageServer(create_app(Stage(filled), environ={}), patience=3600, most=8)
    try:
        url = server.start("127.0.0.1:0")
        parts = urlsplit(url)
        assert parts.port is not None
        yield url, (str(parts.hostname), parts.port)
    finally:
        server.stop()


def is_cut(connection: socket.socket) -> bool:
    """Whether the other side has gone; what it sent before is left to be read."""
    poll = select.poll()
    poll.register(connection, select.POLLRDHUP)
    return bool(poll.poll(0))


def test_ipv6_can_be_listened_on(make: MakeStage) -> None:
    """And is called by its address in brackets."""
    _, url = make("[::1]:0")
    assert url.startswith("http://[::1]:")
    assert 200 == requests.get(f"{url}/livez", timeout=30).status_code
