"""What Google's errors mean, by table: the error of exosync, whether to ask again, the words."""

from __future__ import annotations

import json
import ssl
from http.client import IncompleteRead
from importlib import import_module
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exosync.errors import (
    ExosyncError,
    TargetConflict,
    TargetDenied,
    TargetError,
    TargetUnreachable,
)
from exosync_adapters.google_workspace.faults import (
    Fault,
    of_answer,
    of_refresh,
    quoted,
    read,
)
from exosync_adapters.google_workspace.http import BusyError, Transport
from exosync_adapters.google_workspace.scopes import (
    GMAIL,
    POLICIES,
    READ_HEADERS,
    READ_POLICIES,
    REPORTS,
    Caller,
)

ACCOUNT = "exosync@project.iam.gserviceaccount.com"
CALLER = Caller("postmaster@example.com", READ_POLICIES, POLICIES, ACCOUNT, "123456789")


def error(status: str = "", *reasons: str, message: str = "why", **metadata: str) -> Any:
    """A body of Google's JSON form."""
    details = [{"reason": one, "metadata": metadata} for one in reasons]
    return {"error": {"message": message, "status": status, "details": details}}


def summary(fault: Fault) -> tuple[str, type[ExosyncError], bool]:
    """What decides."""
    return fault.kind, type(fault.error), fault.again


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (400, error("INVALID_ARGUMENT"), ("refused", TargetError, False)),
        (401, error("UNAUTHENTICATED"), ("token", TargetDenied, False)),
        (403, error("PERMISSION_DENIED"), ("privilege", TargetDenied, False)),
        (403, error("PERMISSION_DENIED", "SERVICE_DISABLED"), ("disabled", TargetDenied, False)),
        (
            403,
            error("PERMISSION_DENIED", "ACCESS_TOKEN_SCOPE_INSUFFICIENT"),
            ("scope", TargetDenied, False),
        ),
        (403, error("RESOURCE_EXHAUSTED"), ("busy", TargetUnreachable, True)),
        (403, error("", "RATE_LIMIT_EXCEEDED"), ("busy", TargetUnreachable, True)),
        (
            403,
            {"error": {"errors": [{"reason": "userRateLimitExceeded"}]}},
            ("busy", TargetUnreachable, True),
        ),
        (404, error("NOT_FOUND"), ("not_found", TargetError, False)),
        (409, error("ABORTED"), ("conflict", TargetConflict, False)),
        (429, error("RESOURCE_EXHAUSTED"), ("busy", TargetUnreachable, True)),
        (500, None, ("busy", TargetUnreachable, True)),
        (501, error("UNIMPLEMENTED"), ("refused", TargetError, False)),
        (503, "<html>", ("busy", TargetUnreachable, True)),
        (302, None, ("strange", TargetError, False)),
        (401, "<html>", ("strange", TargetError, False)),
        (403, None, ("strange", TargetError, False)),
        (404, None, ("strange", TargetError, False)),
        (501, None, ("strange", TargetError, False)),
        (403, {"error": "a text"}, ("privilege", TargetDenied, False)),
        (403, {"error": {"details": "x", "errors": [1]}}, ("privilege", TargetDenied, False)),
    ],
)
def test_an_answer_is_understood(
    status: int, body: Any, expected: tuple[str, type[ExosyncError], bool]
) -> None:
    """By its status, its reasons in both forms, and in no other way."""
    assert expected == summary(of_answer(status, body, CALLER))


def test_a_disabled_api_is_told_with_api_and_project() -> None:
    """So that a person knows where to enable it."""
    body = error("PERMISSION_DENIED", "SERVICE_DISABLED", consumer="projects/42")

    told = str(of_answer(403, body, CALLER).error)

    assert "Cloud Identity API is not enabled in projects/42" in told
    assert "cloudidentity.googleapis.com" in told


def test_a_missing_privilege_is_that_of_the_api() -> None:
    """The audit log needs less than the policies."""
    reports = Caller("postmaster@example.com", "scope", REPORTS)

    assert "be a super administrator" in str(of_answer(403, error(), CALLER).error)
    assert "Reports privilege" in str(of_answer(403, error(), reports).error)


@pytest.mark.parametrize(
    "body",
    [error("FAILED_PRECONDITION"), {"error": {"errors": [{"reason": "failedPrecondition"}]}}],
)
def test_a_user_without_gmail_is_told_of_gmail_alone(body: Any) -> None:
    """Of other services the same words mean something else."""
    owner = Caller("alan@example.com", READ_HEADERS, GMAIL)

    fault = of_answer(400, body, owner)

    assert ("no_gmail", TargetDenied, False) == summary(fault)
    assert "Gmail does not serve alan@example.com" in str(fault.error)
    assert "refused" == of_answer(400, body, CALLER).kind


def test_a_user_whom_google_does_not_know_is_named_for_what_it_is() -> None:
    """The administrator of the configuration, or the owner of a mailbox."""
    owner = Caller("alan@example.com", READ_HEADERS, GMAIL)
    args = ("invalid_grant: Invalid email or User ID",)

    assert "admin: there is no user postmaster@" in str(of_refresh(args, CALLER).error)
    assert "no mailbox to look into" in str(of_refresh(args, owner).error)


@pytest.mark.parametrize(
    ("given_text", "after"), [("7", 7.0), ("", None), ("Wed, 25 Nov 2026 12:00:00 GMT", None)]
)
def test_the_time_to_wait_is_read_in_seconds(given_text: str, after: float | None) -> None:
    """A date is not: our own patience holds then."""
    assert after == of_answer(429, error(), CALLER, given_text).after


@pytest.mark.parametrize(
    ("args", "kind", "told"),
    [
        (("unauthorized_client: Client is unauthorized", {}), "delegation", "client id 123456789"),
        (("access_denied: Requested client not authorized.",), "delegation", READ_POLICIES),
        (("invalid_grant: Invalid email or User ID",), "subject", "postmaster@example.com"),
        (("invalid_grant: Invalid grant: account not found",), "account", ACCOUNT),
        (("invalid_grant: Invalid JWT Signature.",), "key", "make a new one"),
        (
            ("invalid_grant: Invalid JWT: Token must be a short-lived token (60 minutes)",),
            "clock",
            "clock is wrong",
        ),
        (("invalid_grant: Token has been expired or revoked.",), "source", "log in again"),
        (("something else", "answer"), "token", "something else"),
        ((), "token", "gives no token"),
    ],
)
def test_a_token_that_is_not_given_is_explained(
    args: tuple[Any, ...], kind: str, told: str
) -> None:
    """Each with what to do about it."""
    fault = of_refresh(args, CALLER)

    assert kind == fault.kind
    assert isinstance(fault.error, TargetDenied)
    assert told in str(fault.error)


@pytest.mark.parametrize(
    ("body", "kind", "again"),
    [
        ({"error": {"code": 403, "message": "no"}}, "token_creator", False),
        ({"error": {"code": 404}}, "token_creator", False),
        ({"error": {"code": 401}}, "source", True),
        (
            {"error": {"code": 403, "details": [{"reason": "SERVICE_DISABLED"}]}},
            "disabled",
            False,
        ),
        ({"error": {"code": 400, "message": "bad payload"}}, "token", False),
        ([], "token", False),
    ],
)
def test_a_signature_that_is_not_given_is_explained(body: Any, kind: str, *, again: bool) -> None:
    """Keyless delegation needs a role, an API, and a source that holds."""
    args = ("Unable to acquire impersonated credentials", json.dumps(body))

    fault = of_refresh(args, CALLER)

    assert (kind, again) == (fault.kind, fault.again)


@pytest.mark.parametrize(
    ("raised", "again"),
    [
        (TimeoutError("timed out"), True),
        (ConnectionResetError(), True),
        (IncompleteRead(b""), True),
        (ssl.SSLCertVerificationError("CERTIFICATE_VERIFY_FAILED"), False),
    ],
)
def test_no_answer_is_asked_for_again_unless_it_cannot_help(
    raised: BaseException, *, again: bool
) -> None:
    """A certificate will be as wrong the next time."""
    fault = read(raised, CALLER)

    assert ("unreachable", TargetUnreachable, again) == summary(fault)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("GoogleAuthError", ("credentials", TargetDenied, False)),
        ("OAuthError", ("credentials", TargetDenied, False)),
        ("TransportError", ("unreachable", TargetUnreachable, True)),
        ("MalformedError", ("no_credentials", TargetDenied, False)),
    ],
)
def test_errors_of_google_auth_are_told_apart(
    name: str, expected: tuple[str, type[ExosyncError], bool]
) -> None:
    """What is wrong with the credentials is no trouble of the network."""
    raised = getattr(import_module("google.auth.exceptions"), name)("why")

    assert expected == summary(read(raised, CALLER))


def test_a_busy_token_service_is_asked_again() -> None:
    """With the time that it names."""
    fault = read(BusyError(503, "3"), CALLER)

    assert (True, 503, 3.0) == (fault.again, fault.status, fault.after)


def test_an_answer_that_is_no_json_is_told() -> None:
    """Something on the way answers in Google's place."""
    assert "strange" == read(json.JSONDecodeError("x", "<html>", 0), CALLER).kind


@pytest.mark.parametrize(
    ("client_id", "account", "told"),
    [
        ("42", ACCOUNT, f"client id 42 ({ACCOUNT})"),
        ("", ACCOUNT, f"numeric client id of {ACCOUNT}"),
        ("", "", "the client id of the service account"),
    ],
)
def test_a_client_is_named_as_well_as_it_is_known(client_id: str, account: str, told: str) -> None:
    """The Admin console takes the number."""
    assert told in Caller("a@b.example", "scope", POLICIES, account, client_id).client


secrets = st.text(
    st.sampled_from("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_."),
    min_size=48,
    max_size=200,
)


@given(secrets, st.text(max_size=20), st.text(max_size=20))
def test_nothing_like_a_token_is_quoted(secret: str, before: str, after: str) -> None:
    """Wherever it stands in what somebody else says."""
    assert secret not in quoted(f"{before} {secret} {after}")


@pytest.mark.parametrize("words", ["", "  ", None, 7, {}])
def test_nothing_is_quoted_as_nothing(words: Any) -> None:
    """No empty quotation marks."""
    assert "" == quoted(words)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://oauth2.googleapis.com/token", "http://127.0.0.1:9/x/token"),
        (
            "https://cloudidentity.googleapis.com/v1/policies?filter=a%20b&alt=json",
            "http://127.0.0.1:9/x/v1/policies?filter=a%20b&alt=json",
        ),
        (
            "https://iamcredentials.mtls.googleapis.com/v1/projects/-/serviceAccounts/a:signJwt",
            "http://127.0.0.1:9/x/v1/projects/-/serviceAccounts/a:signJwt",
        ),
        ("https://accounts.google.com/o/oauth2/token", "http://127.0.0.1:9/x/o/oauth2/token"),
        ("https://googleapis.com.evil.example/token", "https://googleapis.com.evil.example/token"),
        ("http://metadata.google.internal/computeMetadata", None),
        ("http://127.0.0.1:8/token", None),
    ],
)
def test_every_host_of_googles_is_moved_and_no_other(url: str, expected: str | None) -> None:
    """With its path and query unchanged; without a base nothing is."""
    moved = Transport(timeout=1, base="http://127.0.0.1:9/x/")
    left = Transport(timeout=1, base=None)

    assert (expected or url) == moved._moved(url)
    assert url == left._moved(url)
