"""The token endpoint of Microsoft Entra at the stand-in, and the tokens it gives.

Assertions are judged by the machine's clock, since msal knows no other. The codes are those of
learn.microsoft.com/entra/identity-platform/reference-error-codes, the shape is that of errors
that azure-workload-identity 616 and microsoft/Agents 202 quote; the statuses of codes that no
report shows are ours.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal
from urllib.parse import parse_qsl, urlsplit

from tests.standins import exchange_replies as replies
from tests.standins.exchange_clouds import CLOUDS, Hosts
from tests.standins.exchange_keys import (
    Certificate,
    Jwt,
    made_certificate,
    parsed_jwt,
    signed_assertion,
)
from tests.standins.exchange_requests import header
from tests.standins.exchange_switches import GRAPH_ROLES, Switches
from tests.standins.google_keys import encoded
from tests.standins.web import Reply, Request

Json = Any
Resource = Literal["exchange", "graph"]

ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
EXCHANGE_TOKENS: Final = "api://AzureADTokenExchange"
"""The audience of another issuer's token (docs, workload identity federation)."""
ISSUER: Final = "https://kubernetes.default.svc.cluster.local"
_ISSUER_KEY = "another issuer"


@dataclass(frozen=True, slots=True)
class Token:
    """What an access token says, and until when it holds (seconds since the epoch)."""

    resource: Resource
    roles: frozenset[str]
    expires: float


class _Denied(Exception):
    def __init__(self, status: int, error: str, code: int, text: str) -> None:
        self.told = status, error, code, text
        super().__init__(text)


class Access:
    """The application: its credentials, its application roles and its roles in the tenant.

    All of it may change at any time. `app_roles` come into tokens as they are given; `roles` are
    those of Entra's directory and of Exchange's role groups, looked at with every command.
    """

    def __init__(
        self,
        *,
        tenant: str,
        client_id: str,
        client_secret: str,
        certificates: Iterable[Certificate],
        app_roles: Iterable[str],
        roles: Iterable[str],
    ) -> None:
        self.tenant, self.client_id = tenant, client_id
        self.client_secret: str | None = client_secret
        self.certificates = list(certificates)
        self.subjects = {"system:serviceaccount:mail:exosync"}
        self.app_roles, self.roles = set(app_roles), set(roles)
        self._tokens: dict[str, Token] = {}

    @property
    def tokens(self) -> tuple[str, ...]:
        """Every token that was given."""
        return tuple(self._tokens)

    def expire(self) -> None:
        """No token that was given holds any longer."""
        self._tokens = {
            text: Token(one.resource, one.roles, 0.0) for text, one in self._tokens.items()
        }

    def federated_token(self, subject: str = "system:serviceaccount:mail:exosync") -> str:
        """A token of the other issuer, which the application trusts for its `subjects`."""
        now = int(time.time())
        claims = {"iss": ISSUER, "sub": subject, "aud": EXCHANGE_TOKENS}
        return signed_assertion(_ISSUER_KEY, {**claims, "iat": now, "exp": now + 3600})

    def bearer(self, request: Request, resource: Resource) -> Token | None:
        """The token of a request, if it holds and is for this resource."""
        kind, _, text = header(request, "Authorization").partition(" ")
        found = self._tokens.get(text) if kind.lower() == "bearer" else None
        is_good = found and found.resource == resource and time.time() < found.expires
        return found if is_good else None

    def answer(self, request: Request, switches: Switches) -> Reply | None:
        """The answer to a request of the login host's; None for one of another's."""
        tenant, _, rest = request.path.strip("/").partition("/")
        match request.method, rest.lower():
            case "POST", "oauth2/v2.0/token":
                return self._grant(tenant, request, switches)
            case "GET", "v2.0/.well-known/openid-configuration":
                if tenant.lower() != self.tenant:
                    return _told(_no_tenant("invalid_tenant", tenant))
                return replies.json_reply(openid_configuration(tenant, CLOUDS[switches.cloud]))
            case "GET", "discovery/instance":
                host = CLOUDS[switches.cloud].login
                known = {"preferred_network": host, "preferred_cache": host, "aliases": [host]}
                return replies.json_reply({"api-version": "1.1", "metadata": [known]})
        return None

    def _grant(self, tenant: str, request: Request, switches: Switches) -> Reply:
        form = dict(parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True))
        try:
            resource = self._checked(tenant, form, CLOUDS[switches.cloud])
        except _Denied as denied:
            return _told(denied)
        life = switches.token_seconds
        answer = {"token_type": "Bearer", "expires_in": life, "ext_expires_in": life}
        return replies.json_reply({**answer, "access_token": self._given(resource, life)})

    def _checked(self, tenant: str, form: Mapping[str, str], hosts: Hosts) -> Resource:
        if tenant.lower() != self.tenant:
            raise _no_tenant("invalid_request", tenant)
        for name in ("grant_type", "client_id", "scope"):
            if not form.get(name):
                text = f"The request body must contain the following parameter: '{name}'."
                raise _Denied(400, "invalid_request", 900144, text)
        if form["grant_type"] != "client_credentials":
            text = f"The app requested an unsupported grant type '{form['grant_type']}'."
            raise _Denied(400, "unsupported_grant_type", 70003, text)
        if form["client_id"] != self.client_id:
            text = (
                f"Application with identifier '{form['client_id']}' was not found in the directory."
            )
            raise _Denied(400, "unauthorized_client", 700016, text)
        self._check_credential(form, hosts)
        return _resource(form["scope"], hosts)

    def _check_credential(self, form: Mapping[str, str], hosts: Hosts) -> None:
        if "client_assertion" in form:
            self._check_assertion(form, hosts)
        elif "client_secret" not in form:
            text = (
                "The request body must contain the following parameter: 'client_assertion' or "
                "'client_secret'."
            )
            raise _Denied(401, "invalid_client", 7000218, text)
        elif form["client_secret"] != self.client_secret:
            text = (
                "Invalid client secret provided. Ensure the secret being sent in the request is "
                "the client secret value, not the client secret ID, for a secret added to app "
                f"'{self.client_id}'."
            )
            raise _Denied(401, "invalid_client", 7000215, text)

    def _check_assertion(self, form: Mapping[str, str], hosts: Hosts) -> None:
        try:
            jwt = parsed_jwt(form["client_assertion"])
        except ValueError:
            raise _Denied(400, "invalid_request", 50027, "Invalid JWT token.") from None
        if form.get("client_assertion_type") != ASSERTION_TYPE:
            text = "'client_assertion_type' must be the one of JWT bearers."
            raise _Denied(400, "invalid_request", 50027, text)
        if jwt.claims.get("iss") == self.client_id:
            self._check_certificate(jwt, hosts)
        else:
            self._check_federated(jwt)
        if not jwt.claims.get("nbf", 0) - 300 <= time.time() < jwt.claims.get("exp", 0) + 300:
            text = "Client assertion is not within its valid time range."
            raise _Denied(401, "invalid_client", 700024, text)

    def _check_certificate(self, jwt: Jwt, hosts: Hosts) -> None:
        named = [one for one in self.certificates if one.is_named_by(jwt.header)]
        if not any(one.holds(jwt) for one in named):
            text = "The certificate used to sign the client assertion is not registered on application."
            raise _Denied(401, "invalid_client", 700027, text)
        if jwt.claims.get("sub") != self.client_id:  # docs: "Use the same value as iss"
            raise _Denied(401, "invalid_client", 50027, "Invalid JWT token: subject mismatch.")
        own = f"https://{hosts.login}/{self.tenant}"
        if jwt.claims.get("aud") not in (f"{own}/oauth2/v2.0/token", f"{own}/v2.0"):
            text = "Client assertion audience claim does not match Realm issuer."
            raise _Denied(401, "invalid_client", 700023, text)

    def _check_federated(self, jwt: Jwt) -> None:
        subject, issuer = jwt.claims.get("sub"), jwt.claims.get("iss")
        certificate, _ = made_certificate(_ISSUER_KEY)
        trusted = issuer == ISSUER and jwt.claims.get("aud") == EXCHANGE_TOKENS
        if not (trusted and subject in self.subjects and certificate.holds(jwt)):
            text = (
                "No matching federated identity record found for presented assertion subject "
                f"'{subject}'. Check your federated identity credential Subject, Audience and "
                "Issuer against the presented assertion."
            )
            raise _Denied(401, "invalid_client", 700213, text)

    def _given(self, resource: Resource, life: int) -> str:
        """A token; nobody but Exchange and Graph is to look into it."""
        is_graph = resource == "graph"
        roles = frozenset(one for one in self.app_roles if (one in GRAPH_ROLES) == is_graph)
        claims: Json = {"tid": self.tenant, "appid": self.client_id, "idtyp": "app"}
        if roles:
            claims["roles"] = sorted(roles)
        parts = (json.dumps({"typ": "JWT", "alg": "RS256"}), json.dumps(claims))
        text = ".".join((*(encoded(one.encode()) for one in parts), secrets.token_urlsafe(64)))
        self._tokens[text] = Token(resource, roles, time.time() + life)
        return text


def _told(denied: _Denied) -> Reply:
    now = time.strftime("%Y-%m-%d %H:%M:%SZ", time.gmtime())
    return replies.entra_error(*denied.told, now)


def _no_tenant(error: str, tenant: str) -> _Denied:
    text = f"Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID."
    return _Denied(400, error, 90002, text)


def openid_configuration(tenant: str, hosts: Hosts) -> Json:
    """What clients learn endpoints from: Microsoft's own addresses, whoever serves them.

    They are those of the tenant's own cloud, whichever cloud's login host is asked.
    """
    login = f"https://{hosts.login}/{tenant}"
    return {
        "token_endpoint": f"{login}/oauth2/v2.0/token",
        "token_endpoint_auth_methods_supported": [
            "client_secret_post",
            "private_key_jwt",
            "client_secret_basic",
        ],
        "jwks_uri": f"{login}/discovery/v2.0/keys",
        "issuer": f"{login}/v2.0",
        "authorization_endpoint": f"{login}/oauth2/v2.0/authorize",
        "device_authorization_endpoint": f"{login}/oauth2/v2.0/devicecode",
        "tenant_region_scope": "EU",
        "cloud_instance_name": hosts.login.removeprefix("login."),
        "msgraph_host": hosts.graph,
    }


def _resource(scope: str, hosts: Hosts) -> Resource:
    if not scope.endswith("/.default"):
        text = (
            f"The provided value for scope {scope} is not valid. Client credential flows must have "
            "a scope value with /.default suffixed to the resource identifier."
        )
        raise _Denied(400, "invalid_scope", 1002012, text)
    host = urlsplit(scope).hostname
    if host == hosts.exchange:
        return "exchange"
    if host == hosts.graph:
        return "graph"
    text = f"The resource principal named {scope} was not found in the tenant."
    raise _Denied(400, "invalid_resource", 500011, text)
