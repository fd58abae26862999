"""What went wrong at Google, as the errors of exosync: what happened, and what to do.

`read` takes whatever Google's libraries raise; what decides is pure and below it. No message
holds a token, an assertion or a key: what Google says is quoted without anything so long that
it could be one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from exosync.core.words import one_line, short
from exosync.errors import (
    ExosyncError,
    TargetConflict,
    TargetDenied,
    TargetError,
    TargetUnreachable,
)
from exosync_adapters.google_workspace.http import BusyError, StrangeError
from exosync_adapters.google_workspace.scopes import GMAIL, Caller

DELEGATION = (
    "Admin console: Security > Access and data control > API controls > Domain-wide delegation"
)
"""Where a client is given its scopes."""

LIKE_A_SECRET = re.compile(r"[A-Za-z0-9_\-./+=~]{48,}")

_BUSY_REASONS = frozenset(
    {"RATE_LIMIT_EXCEEDED", "rateLimitExceeded", "userRateLimitExceeded", "quotaExceeded"}
)


@dataclass(frozen=True, slots=True)
class Fault:
    """One failure: a stable name of its kind, the error to raise, and whether to ask again.

    `status` is that of the answer, None if there was none. `after` is how many seconds the
    service asks to be left alone.
    """

    kind: str
    error: ExosyncError
    again: bool = False
    status: int | None = None
    after: float | None = None


def kinds() -> tuple[type[BaseException], ...]:
    """Everything that a request through Google's libraries may raise."""
    from http.client import HTTPException

    from google.auth.exceptions import GoogleAuthError
    from googleapiclient.errors import Error
    from httplib2 import HttpLib2Error

    # ValueError: an answer that is no JSON.
    ours = (BusyError, StrangeError)
    return (GoogleAuthError, Error, HttpLib2Error, HTTPException, *ours, OSError, ValueError)


def read(error: BaseException, caller: Caller) -> Fault:
    """What an exception of `kinds` means."""
    from google.auth import exceptions
    from googleapiclient.errors import HttpError

    if isinstance(error, HttpError):
        retry_after = error.resp.get("retry-after", "")
        return of_answer(error.status_code, _json(error.content), caller, retry_after)
    if isinstance(error, BusyError):
        return busy(error.status, caller, error.retry_after)
    if isinstance(error, StrangeError):
        return strange(caller, error.status)
    if isinstance(error, exceptions.DefaultCredentialsError):
        return no_credentials(str(error))
    if isinstance(error, exceptions.RefreshError):
        return of_refresh(error.args, caller)
    if isinstance(error, exceptions.GoogleAuthError) and not isinstance(
        error, exceptions.TransportError
    ):
        told = f"credentials: cannot be used{quoted(str(error))}"
        return _fault("credentials", TargetDenied, told)
    if isinstance(error, ValueError) and not isinstance(error, OSError):
        return strange(caller)
    return unreachable(error, caller)


# Pure


def of_answer(status: int, body: Any, caller: Caller, retry_after: str = "") -> Fault:
    """An error that an API answered. `body` is its JSON, or None."""
    error = _error(body)
    reasons, told = _reasons(error), quoted(error.get("message"))
    if status == 429 or reasons & _BUSY_REASONS or error.get("status") == "RESOURCE_EXHAUSTED":
        return busy(status, caller, retry_after)
    if status >= 500 and status != 501:
        return busy(status, caller, retry_after)
    if not isinstance(body, dict):
        return strange(caller, status)
    if status == 403:
        return _forbidden(error, reasons, told, caller)
    if status == 401:
        text = f"{caller.place} does not take the token that it gave{told}"
        return _fault("token", TargetDenied, text, status=status)
    if status == 404:
        text = (
            f"{caller.api.title} answers that there is no such thing{told}. Google has answered "
            "so for some customers through a fault of its own; else customer is wrong"
        )
        return _fault("not_found", TargetError, text, status=status)
    if status in (409, 412):
        text = f"{caller.api.title} says that it changed meanwhile{told}"
        return _fault("conflict", TargetConflict, text, status=status)
    return _refused(status, error, told, caller)


def _refused(status: int, error: Mapping[str, Any], told: str, caller: Caller) -> Fault:
    """The rest; of Gmail also what it says of a user without Gmail: "Mail service not enabled"."""
    unmet = error.get("status") == "FAILED_PRECONDITION" or "failedPrecondition" in _reasons(error)
    if caller.api == GMAIL and unmet:
        text = (
            f"Gmail does not serve {caller.admin}{told}: see whether it is on for that user (Admin "
            "console: Apps > Google Workspace > Gmail > Service status)"
        )
        return _fault("no_gmail", TargetDenied, text, status=status)
    text = f"{caller.api.title} answers with status {status}{told}"
    return _fault("refused", TargetError, text, status=status)


def _forbidden(error: Any, reasons: frozenset[str], told: str, caller: Caller) -> Fault:
    if "SERVICE_DISABLED" in reasons or "accessNotConfigured" in reasons:
        consumer = _metadata(error, "consumer") or "the project of the service account"
        text = (
            f"the {caller.api.title} is not enabled in {one_line(consumer)}: enable "
            f"{caller.api.name}.googleapis.com there (Google Cloud console: APIs & Services > "
            "Library), and wait some minutes"
        )
        return _fault("disabled", TargetDenied, text, status=403)
    if "ACCESS_TOKEN_SCOPE_INSUFFICIENT" in reasons:
        text = (
            f"the token is not for the scope {caller.scope}: with application default "
            f"credentials, they must be made with it{told}"
        )
        return _fault("scope", TargetDenied, text, status=403)
    text = f"{caller.api.title} refuses {caller.admin}{told}: that user must {caller.api.needs}"
    return _fault("privilege", TargetDenied, text, status=403)


def of_refresh(args: tuple[Any, ...], caller: Caller) -> Fault:
    """A token that could not be got: google-auth's words, and what was answered."""
    text = str(args[0]) if args else ""
    answered = args[1] if len(args) > 1 else None
    if text.startswith("Unable to acquire impersonated credentials"):
        return _unsigned(_json(answered), caller)
    plain = text.lower()
    for words, kind, told in _REFRESHES:
        if words in plain:
            return _fault(kind, TargetDenied, _filled(told, caller) + quoted(text))
    if "retryable" in plain or "temporarily" in plain:
        return _fault("busy", TargetUnreachable, f"no token{quoted(text)}", again=True)
    return _fault("token", TargetDenied, f"{caller.place} gives no token{quoted(text)}")


_UNDELEGATED = (
    "{client} is not allowed the scope {scope}: a super administrator adds exactly this scope to "
    "it in the {delegation}; it may take some minutes to hold"
)
_REVOKED = (
    "the credentials of this machine were revoked or have expired: log in again (gcloud auth "
    "application-default login), or use a service account's"
)
_REFRESHES = (
    ("unauthorized_client", "delegation", _UNDELEGATED),
    ("access_denied", "delegation", _UNDELEGATED),
    ("invalid email or user id", "subject", "{nobody}"),
    ("not a valid email", "subject", "{nobody}"),
    ("account not found", "account", "there is no service account {account} (any more)"),
    (
        "invalid jwt signature",
        "key",
        "the key of {account} does not hold any more: it was deleted or disabled; make a new one",
    ),
    ("short-lived token", "clock", "this machine's clock is wrong: set it (NTP)"),
    ("expired or revoked", "source", _REVOKED),
    ("invalid_rapt", "source", _REVOKED),
    ("reauth", "source", _REVOKED),
    ("invalid_client", "source", "Google does not know the client of this machine's credentials"),
    ("invalid_scope", "scope", "Google does not know the scope {scope}"),
)
"""Parts of what the token endpoint says, in lower case, the kind of fault, and the words for it."""


def _filled(told: str, caller: Caller) -> str:
    return told.format(
        client=caller.client,
        scope=caller.scope,
        nobody=caller.nobody,
        account=caller.account or "the service account",
        delegation=DELEGATION,
    )


def _unsigned(body: Any, caller: Caller) -> Fault:
    """signJwt of the IAM Credentials API failed: keyless delegation cannot start."""
    error = _error(body)
    reasons, told = _reasons(error), quoted(error.get("message"))
    code = error.get("code")
    if "SERVICE_DISABLED" in reasons:
        consumer = _metadata(error, "consumer") or "the project"
        text = (
            f"the IAM Service Account Credentials API is not enabled in {one_line(consumer)}: "
            "enable iamcredentials.googleapis.com there, and wait some minutes"
        )
        return _fault("disabled", TargetDenied, text, status=403)
    if code == 401:
        text = f"the token of this machine's credentials does not hold any more{told}"
        return _fault("source", TargetDenied, text, again=True, status=401)
    if code in (403, 404):
        text = (
            f"this machine's credentials may not sign for {caller.account}: give them the role "
            "Service Account Token Creator (roles/iam.serviceAccountTokenCreator) on that "
            f"service account, or correct its name{told}"
        )
        return _fault("token_creator", TargetDenied, text, status=code)
    return _fault("token", TargetDenied, f"nothing was signed{told}", status=code)


def no_credentials(words: str) -> Fault:
    """The machine has no application default credentials."""
    text = (
        "this machine has no Google credentials: set GOOGLE_APPLICATION_CREDENTIALS to a file of "
        "credentials, log in with gcloud auth application-default login, or run where Google's "
        f"metadata server gives them{quoted(words)}"
    )
    return _fault("no_credentials", TargetDenied, text)


def busy(status: int, caller: Caller, retry_after: str = "") -> Fault:
    """Asked too often, or a server's fault: later."""
    after = float(retry_after) if retry_after.isdecimal() else None
    if status in (403, 429):
        told = f"{caller.api.title} is asked too often (status {status})"
    else:
        told = f"{caller.place} has a fault of its own (status {status})"
    return _fault("busy", TargetUnreachable, told, again=True, status=status, after=after)


def unreachable(error: BaseException, caller: Caller) -> Fault:
    """No answer at all."""
    words = quoted(str(error) or type(error).__name__)
    certificate = "CERTIFICATE" in str(error).upper()
    text = f"no answer from {caller.place}{words}: look at the way out to the network"
    return _fault("unreachable", TargetUnreachable, text, again=not certificate)


def strange(caller: Caller, status: int | None = None) -> Fault:
    """An answer that is no JSON object of Google's: a page of somebody on the way."""
    told = f"{caller.place} sent what is not JSON{f' (status {status})' if status else ''}"
    remedy = "look at the proxy on the way" + (", and at url" if caller.host else "")
    return _fault("strange", TargetError, f"{told}: {remedy}", status=status)


def endless(caller: Caller) -> TargetError:
    """Pages that repeat or do not end: the answer is not whole."""
    return TargetError(
        f"{caller.api.title} gives page after page without an end, so "
        "the answer is incomplete; nothing is planned from it"
    )


def quoted(words: object) -> str:
    """` (“…”)` with what somebody else said, or nothing; never anything like a secret."""
    if not isinstance(words, str) or not words.strip():
        return ""
    return f" (“{short(one_line(LIKE_A_SECRET.sub('…', words)), 300)}”)"


def _fault(
    kind: str,
    error: type[ExosyncError],
    text: str,
    *,
    again: bool = False,
    status: int | None = None,
    after: float | None = None,
) -> Fault:
    return Fault(kind, error(text), again, status, after)


def _error(body: Any) -> Mapping[str, Any]:
    """What Google's JSON form of an error holds; nothing if it is another."""
    error = body.get("error") if isinstance(body, dict) else None
    return error if isinstance(error, dict) else {}


def _reasons(error: Any) -> frozenset[str]:
    """The reasons in Google's newer details and in the older list of errors."""
    found = [one for name in ("details", "errors") for one in _list(error.get(name))]
    return frozenset(
        one["reason"]
        for one in found
        if isinstance(one, dict) and isinstance(one.get("reason"), str)
    )


def _metadata(error: Any, name: str) -> str:
    for one in _list(error.get("details")):
        held = one.get("metadata") if isinstance(one, dict) else None
        if isinstance(held, dict) and isinstance(held.get(name), str):
            value: str = held[name]
            return value
    return ""


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _json(content: Any) -> Any:
    try:
        return json.loads(content)
    except (TypeError, ValueError):
        return content if isinstance(content, dict) else None
