"""Who may do what: Google's token endpoint, the IAM Credentials API, and the tokens they give.

JWTs and tokens are judged by the machine's clock, since google-auth knows no other.
The sources that comments name are those of `tests.standins.google_switches`.
"""

from __future__ import annotations

import base64
import json
import secrets
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal
from urllib.parse import parse_qsl

from tests.standins import google_replies as replies
from tests.standins.google_keys import TOKEN_URI, Jwt, made_key, parsed_jwt, signed_jwt
from tests.standins.google_switches import IAM_SCOPES, Switches
from tests.standins.web import Reply, Request

Json = Any

JWT_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
SOURCE = {  # an authorized_user, as `gcloud auth application-default login` leaves it
    "client_id": "32555940559.apps.example.com",
    "client_secret": "made-up-client-secret",
    "refresh_token": "1//made-up-refresh-token",
}
_SIGN_JWT, _SIGN_BLOB, _ACCESS_TOKEN = "signJwt", "signBlob", "generateAccessToken"
PERMISSIONS = {
    _SIGN_JWT: "iam.serviceAccounts.signJwt",
    _SIGN_BLOB: "iam.serviceAccounts.signBlob",
    _ACCESS_TOKEN: "iam.serviceAccounts.getAccessToken",
}


@dataclass(frozen=True, slots=True)
class Token:
    """An access token: whose it is, what for, and until when (seconds since the epoch)."""

    text: str
    principal: str
    kind: Literal["user", "service_account", "source"]
    scopes: frozenset[str]
    expires: float


class Authority:
    """Gives tokens and knows them again. Owners of mailboxes are users too."""

    def __init__(self, *, account: str, users: Iterable[str], delegated: Iterable[str]) -> None:
        self.account = account
        self.users = set(users)
        self.delegated = set(delegated)
        self.mailboxes: Callable[[], Collection[str]] = tuple
        self.file_key = made_key("key file")
        self.system_key = made_key("system-managed")
        self._tokens: dict[str, Token] = {}

    @property
    def given(self) -> tuple[Token, ...]:
        """The tokens that were given, as far as they were not expired."""
        return tuple(self._tokens.values())

    def expire(self, *, source: bool) -> None:
        """No token that was given holds any longer; those of the source only if asked."""
        kept = {} if source else self._tokens
        self._tokens = {text: one for text, one in kept.items() if one.kind == "source"}

    def bearer(self, headers: Mapping[str, str]) -> Token | None:
        """The token of a request, if it holds."""
        kind, _, text = _header(headers, "authorization").partition(" ")
        found = self._tokens.get(text) if kind.lower() == "bearer" else None
        return found if found is not None and time.time() < found.expires else None

    # The token endpoint

    def grant(self, request: Request, switches: Switches) -> Reply:
        """POST /token."""
        form = dict(parse_qsl(request.body.decode(), keep_blank_values=True))
        match form.get("grant_type"):
            case grant if grant == JWT_GRANT:
                return self._for_assertion(form.get("assertion", ""), switches)
            case "refresh_token":
                return self._for_refresh_token(form, switches)
            case grant:
                told = f"Invalid grant_type: {grant or ''}"
                return replies.oauth_error(400, "unsupported_grant_type", told)

    def _for_assertion(self, text: str, switches: Switches) -> Reply:
        try:
            jwt = parsed_jwt(text)
        except ValueError:
            return replies.oauth_error(400, "invalid_request", "Bad Request")
        scopes = frozenset(str(jwt.claims.get("scope", "")).split())
        if (refusal := self._refusal(jwt, scopes, switches)) is not None:
            return refusal
        subject = jwt.claims.get("sub") or self.account
        if subject == self.account:
            # Without a subject the account gets a token of its own: it is no administrator.
            return self._answer(self._given(self.account, "service_account", scopes, switches))
        # Only the exact scopes that the Admin console lists; one that is not there refuses all.
        if not scopes <= self.delegated:
            return replies.unauthorized_client(switches.unauthorized_status)
        if subject not in self.users and subject.lower() not in self.mailboxes():
            return replies.invalid_grant("Invalid email or User ID")  # Google's OAuth page
        return self._answer(self._given(subject, "user", scopes, switches))

    def _refusal(self, jwt: Jwt, scopes: frozenset[str], switches: Switches) -> Reply | None:
        claims = jwt.claims
        if claims.get("iss") != self.account:
            return replies.invalid_grant("Invalid grant: account not found")  # seen
        if jwt.header.get("alg") != "RS256" or not self._signed(jwt):
            return replies.invalid_grant("Invalid JWT Signature.")  # seen
        if claims.get("aud") != TOKEN_URI:
            return replies.invalid_grant("Invalid JWT: Failed audience check.")  # seen
        if not _short_lived(claims, time.time() + switches.clock_error.total_seconds()):
            return replies.not_short_lived()
        if not scopes:
            told = "Invalid OAuth scope or ID token audience provided."  # seen
            return replies.oauth_error(400, "invalid_scope", told)
        return None

    def _signed(self, jwt: Jwt) -> bool:
        named = jwt.header.get("kid")
        keys = [key for key in (self.file_key, self.system_key) if named in (None, key.id)]
        return any(key.holds(jwt.signing, jwt.signature) for key in keys)

    def _for_refresh_token(self, form: Mapping[str, str], switches: Switches) -> Reply:
        client = {name: form.get(name) for name in ("client_id", "client_secret")}
        if client != {name: SOURCE[name] for name in client}:
            return replies.oauth_error(401, "invalid_client", "The OAuth client was not found.")
        if form.get("refresh_token") != SOURCE["refresh_token"] or switches.source_revoked:
            return replies.invalid_grant("Token has been expired or revoked.")  # seen
        given = self._given("developer@example.com", "source", frozenset(IAM_SCOPES), switches)
        return self._answer(given)

    def _given(
        self,
        principal: str,
        kind: Literal["user", "service_account", "source"],
        scopes: frozenset[str],
        switches: Switches,
    ) -> Token:
        text = f"ya29.{secrets.token_urlsafe(40)}"
        token = Token(text, principal, kind, scopes, time.time() + switches.token_seconds)
        self._tokens[text] = token
        return token

    def _answer(self, token: Token) -> Reply:
        seconds = round(token.expires - time.time())
        answer = {"access_token": token.text, "expires_in": seconds, "token_type": "Bearer"}
        if token.kind == "source":
            answer["scope"] = " ".join(sorted(token.scopes))
        return replies.success(answer)

    # The IAM Credentials API

    def iam(self, account: str, method: str, body: Json, switches: Switches) -> Reply:
        """POST /v1/projects/-/serviceAccounts/{account}:{method}; the caller was let through."""
        if not switches.token_creator or account != self.account:
            return _permission_missing(PERMISSIONS[method])
        if method == _SIGN_JWT:
            return self._sign_jwt(body)
        if method == _SIGN_BLOB:
            blob = base64.b64decode(body.get("payload", ""))
            signature = base64.b64encode(self.system_key.sign(blob)).decode()
            return replies.success({"keyId": self.system_key.id, "signedBlob": signature})
        return self._access_token(body, switches)

    def _sign_jwt(self, body: Json) -> Reply:
        try:
            claims = json.loads(body.get("payload") or "")
        except ValueError:
            claims = None
        if not isinstance(claims, dict):
            return replies.error(400, "The payload must be a JSON object.")  # words ours
        if "exp" in claims and not _may_be_signed(claims["exp"]):
            return replies.error(400, "The expiration time must be within 12 hours.")  # words ours
        jwt = signed_jwt(self.system_key, body["payload"])
        return replies.success({"keyId": self.system_key.id, "signedJwt": jwt})

    def _access_token(self, body: Json, switches: Switches) -> Reply:
        scopes = frozenset(body.get("scope") or ())
        if not scopes:
            return replies.error(400, "At least one scope is required.")  # words ours
        token = self._given(self.account, "service_account", scopes, switches)
        expires = datetime.fromtimestamp(token.expires, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return replies.success({"accessToken": token.text, "expireTime": expires})


def _header(headers: Mapping[str, str], name: str) -> str:
    return next((value for key, value in headers.items() if key.lower() == name), "")


def _short_lived(claims: Json, now: float) -> bool:
    """Google's OAuth page: at most an hour long. Ours: some minutes of difference are allowed."""
    issued, expires = claims.get("iat"), claims.get("exp")
    if not isinstance(issued, int) or not isinstance(expires, int):
        return False
    return 0 < expires - issued <= 3600 and issued - 300 <= now <= expires


def _may_be_signed(expires: object) -> bool:
    """Discovery: "not in the past and no more than 12 hours in the future"."""
    return isinstance(expires, int) and 0 <= expires - time.time() <= 12 * 3600


def _permission_missing(permission: str) -> Reply:
    """Seen: the role is missing, or there is no such account."""
    told = f"Permission '{permission}' denied on resource (or it may not exist)."
    detail = replies.info("IAM_PERMISSION_DENIED", "iam.googleapis.com", permission=permission)
    return replies.error(403, told, details=[detail])
