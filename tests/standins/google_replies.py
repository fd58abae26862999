"""What the stand-in of Google's services sends, faults included.

The sources that comments name are those of `tests.standins.google_switches`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from tests.standins.web import Reply

Json = Any

JSON = {"Content-Type": "application/json; charset=UTF-8"}
PROJECT = "123456789012"
STATUS = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    501: "UNIMPLEMENTED",
    503: "UNAVAILABLE",
}
# Seen, in these words.
_EXPECTED = (
    "Expected OAuth 2 access token, login cookie or other valid authentication credential. See "
    "https://developers.google.com/identity/sign-in/web/devconsole-project."
)
_UNAUTHORIZED = (
    "Client is unauthorized to retrieve access tokens using this method, or client not "
    "authorized for any of the scopes requested."
)
_SHORT_LIVED = (
    "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. "
    "Check your iat and exp values in the JWT claim."
)


def success(value: Json) -> Reply:
    """An answer with status 200."""
    return Reply(200, JSON, json.dumps(value).encode())


def error(
    code: int,
    message: str,
    *,
    status: str | None = None,
    details: Sequence[Json] = (),
    errors: Sequence[Json] = (),
    headers: Mapping[str, str] | None = None,
) -> Reply:
    """Google's JSON form of an error; `errors` is the older part that the Admin SDK still has."""
    body: Json = {"code": code, "message": message, "status": status or STATUS[code]}
    if errors:
        body["errors"] = list(errors)
    if details:
        body["details"] = list(details)
    return Reply(code, {**JSON, **(headers or {})}, json.dumps({"error": body}).encode())


def info(reason: str, domain: str, **metadata: str) -> Json:
    """A google.rpc.ErrorInfo."""
    kind = "type.googleapis.com/google.rpc.ErrorInfo"
    return {"@type": kind, "reason": reason, "domain": domain, "metadata": metadata}


# The APIs


def no_token(*, sent: bool) -> Reply:
    """Without a token, or with one that does not hold."""
    told = "Request had invalid authentication credentials. "
    if not sent:
        told = "Request is missing required authentication credential. "
    return error(401, told + _EXPECTED)


def scope_missing(service: str) -> Reply:
    """Seen: a good token that was asked for with other scopes."""
    told = "Request had insufficient authentication scopes."
    reason = info("ACCESS_TOKEN_SCOPE_INSUFFICIENT", "googleapis.com", service=service)
    older = {"message": "Insufficient Permission", "domain": "global"}
    return error(
        403, told, details=[reason], errors=[{**older, "reason": "insufficientPermissions"}]
    )


def api_disabled(title: str, service: str) -> Reply:
    """Seen: an API that nobody enabled in the project."""
    page = f"https://console.developers.google.com/apis/api/{service}/overview?project={PROJECT}"
    told = (
        f"{title} has not been used in project {PROJECT} before or it is disabled. Enable it by "
        f"visiting {page} then retry. If you enabled this API recently, wait a few minutes for "
        "the action to propagate to our systems and retry."
    )
    consumer = f"projects/{PROJECT}"
    reason = info("SERVICE_DISABLED", "googleapis.com", service=service, consumer=consumer)
    older = {"message": told, "domain": "usageLimits", "reason": "accessNotConfigured"}
    return error(403, told, details=[reason], errors=[older])


def not_super_admin() -> Reply:
    """Only a super administrator can use the Policy API (its overview page); words ours."""
    return error(403, "The caller does not have permission")


def forbidden(message: str) -> Reply:
    """Seen: how Gmail says that something may not be had with this scope, or of this user."""
    older = {"message": message, "domain": "global", "reason": "forbidden"}
    return error(403, message, errors=[older])


def no_gmail() -> Reply:
    """Seen: a user for whom Gmail is off."""
    message = "Mail service not enabled"
    older = {"message": message, "domain": "global", "reason": "failedPrecondition"}
    return error(400, message, status="FAILED_PRECONDITION", errors=[older])


def no_privilege() -> Reply:
    """Seen: the Admin SDK's answer to an administrator without the privilege."""
    told = "Not Authorized to access this resource/api"
    return error(403, told, errors=[{"message": told, "domain": "global", "reason": "forbidden"}])


def too_many_requests(retry_after: str | None = None) -> Reply:
    """Too often. Whether Google says when to come back is unknown."""
    told = (
        "Quota exceeded for quota metric 'Read requests' and limit 'Read requests per minute' of "
        f"service 'cloudidentity.googleapis.com' for consumer 'project_number:{PROJECT}'."
    )
    reason = info("RATE_LIMIT_EXCEEDED", "googleapis.com", service="cloudidentity.googleapis.com")
    headers = {} if retry_after is None else {"Retry-After": retry_after}
    return error(429, told, details=[reason], headers=headers)


def exhausted() -> Reply:
    """403 RESOURCE_EXHAUSTED, which Google's client does not try again; words ours."""
    return error(403, "Quota exceeded.", status="RESOURCE_EXHAUSTED")


def entity_not_found() -> Reply:
    """A policy, or in September 2026 a whole list, that is not there; words ours."""
    return error(404, "Requested entity was not found.")


# The token endpoint


def oauth_error(code: int, kind: str, description: str) -> Reply:
    """The token endpoint's form of an error (RFC 6749, section 5.2)."""
    body = json.dumps({"error": kind, "error_description": description}).encode()
    return Reply(code, JSON, body)


def unauthorized_client(code: int) -> Reply:
    """Seen: the client, or one of the scopes, has no delegation in the Admin console."""
    return oauth_error(code, "unauthorized_client", _UNAUTHORIZED)


def invalid_grant(description: str) -> Reply:
    """An assertion or refresh token that does not hold."""
    return oauth_error(400, "invalid_grant", description)


def not_short_lived() -> Reply:
    """Google's page on OAuth for service accounts: iat or exp is off, often by the clock."""
    return invalid_grant(_SHORT_LIVED)


# Faults, ours but where said. Each stands for one request: standin.script(hang(), reset()).


def status(code: int, headers: Mapping[str, str] | None = None, body: bytes = b"") -> Reply:
    """A bare status."""
    return Reply(code, headers or {}, body)


def failing(code: int = 503) -> Reply:
    """A server's fault in Google's form."""
    return error(code, "The service is currently unavailable.")


def html(code: int = 200) -> Reply:
    """A page in place of JSON, as proxies and sign-in portals give it."""
    page = b"<!DOCTYPE html>\n<title>Sign in</title>\n"
    return Reply(code, {"Content-Type": "text/html; charset=UTF-8"}, page)


def truncated(body: bytes) -> Reply:
    """Half of a body, with the whole one's length announced."""
    return Reply(body=body, manner="truncated")


def reset() -> Reply:
    """A connection that is reset, before anything was done."""
    return Reply(manner="reset")


def hang() -> Reply:
    """A connection on which nothing ever comes."""
    return Reply(manner="hang")
