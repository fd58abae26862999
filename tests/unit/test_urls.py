"""Addresses of web services: loopback, credentials, and what is refused."""

from __future__ import annotations

import pytest

from exosync.core.urls import (
    check_http_url,
    check_proxy_url,
    credentials,
    has_credentials,
    is_loopback_url,
    masked_url,
)


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost",
        "http://LOCALHOST:8080/x",
        "http://localhost./",
        "http://feed.localhost/",
        "http://127.0.0.1:5000",
        "http://127.9.9.9/",
        "http://[::1]:80/",
        "http://[::ffff:127.0.0.1]/",
    ],
)
def test_loopback_is_recognised(url: str) -> None:
    """Names under localhost and the loopback addresses of both families count."""
    assert is_loopback_url(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/",
        "http://localhost.example.com/",
        "http://127.0.0.1.example.com/",
        "http://127.0.0.1@example.com/",
        "http://127.0.0.1\\@example.com/",
        "http://127.0.0.1 .example.com/",
        "http://127.1/",
        "http://0.0.0.0/",
        "http://[::ffff:8.8.8.8]/",
        "http://[::1/",
        "127.0.0.1",
        "",
    ],
)
def test_what_only_looks_like_loopback_is_not(url: str) -> None:
    """Nothing that another reader could take for another host passes."""
    assert not is_loopback_url(url)


@pytest.mark.parametrize(
    "url", ["https://endpoints.office.com", "https://h:8443/x?a=b@c", "http://127.0.0.1:1/"]
)
def test_a_good_address_is_kept_as_it_is(url: str) -> None:
    """TLS anywhere, plain HTTP on loopback."""
    assert url == check_http_url(url)


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("http://endpoints.office.com", "plain http: is accepted for loopback alone"),
        ("ftp://example.com", "starts with https://"),
        ("endpoints.office.com", "starts with https://"),
        ("https://", "names no host"),
        ("https://example.com:99999/", "not a web address"),
        ("https://[::1", "not a web address"),
        ("https://example.com/a b", "no blanks, backslashes or control characters"),
        ("https://example.com\\@evil/", "no blanks, backslashes or control characters"),
        ("https://user:hunter2@example.com/", "holds no user name or password"),
    ],
)
def test_a_bad_address_is_refused_without_its_password(url: str, told: str) -> None:
    """The message says what is wrong and never shows credentials."""
    with pytest.raises(ValueError, match=told) as caught:
        check_http_url(url)
    assert "hunter2" not in str(caught.value)


def test_a_proxy_may_be_reached_by_plain_http() -> None:
    """What goes to the feed through it is encrypted anyway."""
    assert check_proxy_url("http://u:p@proxy:3128") == "http://u:p@proxy:3128"
    with pytest.raises(ValueError, match=r"written like http://proxy\.example\.com:3128"):
        check_proxy_url("proxy:3128")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://user:hunter2@host/x", "https://***@host/x"),
        ("postgresql://user:p/w@x@host/db", "postgresql://***@host/db"),
        ("cannot reach http://u:p@h:1, sorry", "cannot reach http://***@h:1, sorry"),
        ("sqlite:///a@b.db", "sqlite:///a@b.db"),
        ("https://host/x", "https://host/x"),
    ],
)
def test_credentials_are_masked(text: str, expected: str) -> None:
    """Whatever stands before the last @ of an address goes."""
    assert expected == masked_url(text)


def test_credentials_are_told_for_the_redactor() -> None:
    """The password alone, and the whole of it, as they could turn up in an error."""
    assert credentials("postgresql://user:pa%40ss@host/db") == ("pa%40ss", "user:pa%40ss", "pa@ss")
    assert credentials("https://token@host/") == ("token",)
    assert credentials("sqlite:///exosync.db") == ()
    assert not has_credentials("sqlite:///exosync.db")
