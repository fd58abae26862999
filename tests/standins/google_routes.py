"""Which service a request is for, whether it may be asked, and the check of both directions."""

from __future__ import annotations

import json
from collections.abc import Set as AbstractSet
from datetime import datetime
from typing import Any

from tests.standins import google_replies as replies
from tests.standins.google_audit import AuditLog
from tests.standins.google_auth import SOURCE, Authority, Token
from tests.standins.google_discovery import Discovery, Method, discovery
from tests.standins.google_gmail import Caller, Gmail
from tests.standins.google_identity import Moment, PolicyApi
from tests.standins.google_switches import (
    ADMIN_SDK,
    CLOUD_IDENTITY,
    GMAIL,
    IAM_CREDENTIALS,
    IAM_SCOPES,
    Switches,
)
from tests.standins.web import Reply, Request

Json = Any

TITLES = {
    CLOUD_IDENTITY: "Cloud Identity API",
    ADMIN_SDK: "Admin SDK API",
    GMAIL: "Gmail API",
    IAM_CREDENTIALS: "IAM Service Account Credentials API",
}
TOKEN_PATHS = ("/token", "/o/oauth2/token", "/oauth2/v4/token")  # older key files have the others
_SERVICES = {
    "cloudidentity.v1": CLOUD_IDENTITY,
    "admin.reports_v1": ADMIN_SDK,
    "gmail.v1": GMAIL,
    "iamcredentials.v1": IAM_CREDENTIALS,
}


def source_text() -> str:
    """The file of an authorized_user."""
    return json.dumps({"type": "authorized_user", **SOURCE}, indent=2)


class Routes:
    """Leads a request to its service."""

    def __init__(
        self,
        customer: str,
        authority: Authority,
        policies: PolicyApi,
        audit: AuditLog,
        gmail: Gmail,
        admins: AbstractSet[str],
    ) -> None:
        self.violations: list[str] = []
        self._customer = customer
        self._authority = authority
        self._policies = policies
        self._audit = audit
        self._gmail = gmail
        self._admins = admins

    def answer(self, request: Request, switches: Switches, now: datetime, *, strict: bool) -> Reply:
        """The answer to a request."""
        if request.method == "POST" and request.path in TOKEN_PATHS:
            return self._authority.grant(request, switches)
        found = _method(request)
        if found is None:
            self._note(strict, f"{request.method} {request.path}: no such method")
            return replies.html(404)
        document, method = found
        if (refusal := self._refusal(request, document, method, switches)) is not None:
            return refusal
        problems = document.request_problems(method, request)
        if problems:
            for problem in problems:
                self._note(strict, f"{method.id}: {problem}")
            return replies.error(400, f"Invalid request: {'; '.join(problems)}")  # words ours
        reply = self._called(request, method, switches, now)
        if reply.status == 200 and reply.manner == "plain":
            for problem in document.answer_problems(method, reply.body):
                self._note(strict, f"{method.id}, the answer: {problem}")
        return reply

    def _note(self, strict: bool, violation: str) -> None:
        if strict:
            self.violations.append(violation)

    def _refusal(
        self, request: Request, document: Discovery, method: Method, switches: Switches
    ) -> Reply | None:
        """Why a method may not be called; the order of the reasons is ours."""
        service = _SERVICES[document.api]
        token = self._authority.bearer(request.headers)
        if token is None:
            return replies.no_token(sent="authorization" in map(str.lower, request.headers))
        if service in switches.disabled_apis:
            return replies.api_disabled(TITLES[service], service)
        scopes = IAM_SCOPES if service == IAM_CREDENTIALS else method.described["scopes"]
        if not token.scopes & set(scopes):
            return replies.scope_missing(service)
        return self._privilege_missing(service, token, method, switches)

    def _privilege_missing(
        self, service: str, token: Token, method: Method, switches: Switches
    ) -> Reply | None:
        if service == CLOUD_IDENTITY:
            if token.principal not in self._admins:
                return replies.not_super_admin()
            if method.id.endswith((".list", ".get")):
                return self._policies.too_often(switches)
        if service == ADMIN_SDK and (token.kind != "user" or not switches.reports_privilege):
            return replies.no_privilege()
        return None

    def _called(self, request: Request, method: Method, switches: Switches, now: datetime) -> Reply:
        token = self._authority.bearer(request.headers)
        actor = "" if token is None else token.principal
        moment = Moment(self._customer, switches, now, actor)
        name = method.parameters.get("name", "")
        if method.api == "gmail.v1":
            scopes = frozenset() if token is None else token.scopes
            caller = Caller(actor, scopes, switches)
            return self._gmail.answer(method.id, request, method.parameters, caller)
        match method.id:
            case "cloudidentity.policies.list":
                return self._policies.listed(request.query, moment)
            case "cloudidentity.policies.get":
                return self._policies.get(name, moment)
            case "cloudidentity.policies.patch":
                return self._policies.patch(name, json.loads(request.body), moment)
            case "cloudidentity.policies.create":
                return self._policies.create(moment)
            case "cloudidentity.policies.delete":
                return self._policies.delete(name, moment)
            case "reports.activities.list":
                return self._audit.listed(
                    method.parameters,
                    request.query,
                    customer=self._customer,
                    now=now,
                    switches=switches,
                )
        account, called = name.rpartition("/")[2], method.id.rpartition(".")[2]
        return self._authority.iam(account, called, json.loads(request.body), switches)


_SERVED = (
    "cloudidentity.policies.",
    "reports.activities.list",
    "gmail.users.getProfile",
    "gmail.users.messages.list",
    "gmail.users.messages.get",
    "iamcredentials.projects.serviceAccounts.signJwt",
    "iamcredentials.projects.serviceAccounts.signBlob",
    "iamcredentials.projects.serviceAccounts.generateAccessToken",
)


def _method(request: Request) -> tuple[Discovery, Method] | None:
    """The method that a request calls, of those that are served."""
    for api in _SERVICES:
        document = discovery(api)
        method = document.method(request.method, request.path)
        if method is not None and method.id.startswith(_SERVED):
            return document, method
    return None
