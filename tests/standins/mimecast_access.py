"""Who may do what at the stand-in of Mimecast: tokens, products, permissions and quotas."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl

from tests.standins.mimecast_replies import gateway_error, json_reply
from tests.standins.mimecast_switches import Switches
from tests.standins.web import Reply, Request

Json = Any


def token_form(request: Request) -> Mapping[str, str]:
    """The fields of a token request."""
    return dict(parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True))


def forbidden(switches: Switches) -> Reply:
    """No product, no permission or no such route: from outside they are one.

    A probe of August 2026, published without a name, found it so.
    """
    return gateway_error(
        switches.app_forbidden_status,
        "app_forbidden",
        "The application is not allowed to use this resource.",
    )


class Access:
    """Tokens that were given, and calls that were counted."""

    def __init__(
        self,
        *,
        client_id: str,
        client_secret: str,
        roles: AbstractSet[str],
        products: AbstractSet[str],
        now: Callable[[], datetime],
    ) -> None:
        self.client_id, self.client_secret = client_id, client_secret
        self.roles, self.products = roles, products
        self._now = now
        self._tokens: dict[str, datetime] = {}
        self._windows: dict[str, tuple[datetime, int]] = {}

    def token(self, request: Request, switches: Switches) -> Reply:
        """The answer to a token request (POR: form, client credentials, no other way)."""
        form = token_form(request)
        if form.get("grant_type") != "client_credentials":
            return _token_error(400, "unsupported_grant_type", "Unsupported grant type.", switches)
        given = (form.get("client_id"), form.get("client_secret"))
        if given != (self.client_id, self.client_secret):
            message = "Client credentials are invalid."
            return _token_error(401, "invalid_client", message, switches)
        life = switches.token_life_seconds
        token = f"token-{len(self._tokens) + 1}-of-{self.client_id}"
        self._tokens[token] = self._now() + timedelta(seconds=life)
        return json_reply({"access_token": token, "token_type": "Bearer", "expires_in": life})

    def expire_tokens(self) -> None:
        """End the life of every token that was given so far."""
        self._tokens = dict.fromkeys(self._tokens, datetime.min.replace(tzinfo=self._now().tzinfo))

    def refusal(self, request: Request) -> Reply | None:
        """What is wrong with the token of a request."""
        headers = {name.lower(): value for name, value in request.headers.items()}
        kind, _, token = headers.get("authorization", "").partition(" ")
        until = self._tokens.get(token) if kind == "Bearer" else None
        if until is None:
            return gateway_error(401, "unauthorized", "No valid access token was given.")  # ours
        if until <= self._now():
            return gateway_error(401, "token_expired", "The access token has expired.")  # R7
        return None

    def allows(self, product: str, role: str) -> bool:
        """Whether the application has a product, and its role a permission."""
        return product in self.products and role in self.roles

    def quota(self, function: str, switches: Switches) -> Reply | None:
        """What is said to a call too many; it is not carried out (INT)."""
        if switches.rate_limit is None:
            return None
        now = self._now()
        window = timedelta(seconds=switches.rate_window_seconds)
        since, count = self._windows.get(function, (now, 0))
        if now - since >= window:
            since, count = now, 0
        self._windows[function] = (since, count + 1)
        if count < switches.rate_limit:
            return None
        left = math.ceil((since + window - now) / timedelta(milliseconds=1))
        told = switches.rate_reset_header == "milliseconds"
        headers = {"X-RateLimit-Reset": str(left)} if told else {}
        message = "The rate limit has been exceeded."
        return gateway_error(429, "rate_limit_exceeded", message, headers)  # ELA; the code is ours


def _token_error(status: int, code: str, message: str, switches: Switches) -> Reply:
    if switches.token_error == "fail":
        return gateway_error(status, code, message)
    return json_reply({"error": code, "error_description": message}, status)
