"""The stand-in of Exchange Online, spoken to in plain HTTP, and by msal where tokens are given."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from importlib import import_module
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from tests.standins.exchange import ExchangeStandIn
from tests.standins.exchange_access import ASSERTION_TYPE
from tests.standins.exchange_graph import ROOT, add_trace, detail
from tests.standins.exchange_keys import made_certificate, signed_assertion
from tests.standins.exchange_replies import NOT_FOUND
from tests.standins.exchange_requests import is_write
from tests.standins.exchange_switches import (
    CUSTOM_GROUP,
    FOREIGN,
    GLOBAL_READER,
    MANAGE,
    MANAGE_V2,
    READ_TRACES,
    SECURITY_READER,
    SEND_MAIL,
)
from tests.standins.exchange_tenants import LOOK_ALIKES, busy, people
from tests.standins.google_keys import parsed_jwt
from tests.standins.web import Reply, Request

Json = Any

EXCHANGE, GRAPH = "https://outlook.office365.com", "https://graph.microsoft.com"
SMART: dict[str, Any] = {"UseMXRecord": False, "SmartHosts": ["mx.far.example"]}
ROUTE: dict[str, Any] = {
    "RecipientDomainIs": ["example.com"],
    "RouteMessageOutboundConnector": "Out",
}


@dataclass
class Caller:
    """Somebody with a token for each resource, asking for one as often as is needed."""

    tenant: ExchangeStandIn
    tokens: dict[str, str] = field(default_factory=dict)

    def token(self, resource: str = EXCHANGE, **form: str) -> requests.Response:
        """The answer of the token endpoint."""
        asked = {
            "grant_type": "client_credentials",
            "client_id": self.tenant.client_id,
            "scope": f"{resource}/.default",
            **({} if form else {"client_secret": "the-secret-of-exchange"}),
            **form,
        }
        url = f"{self.tenant.url}/{self.tenant.tenant}/oauth2/v2.0/token"
        return requests.post(url, asked, timeout=60)

    def ask(self, method: str, path: str, resource: str = EXCHANGE, **more: Any) -> Any:
        """An answer; redirects are not followed."""
        if resource not in self.tokens:
            self.tokens[resource] = self.token(resource).json()["access_token"]
        headers = {**more.pop("headers", {}), "Authorization": f"Bearer {self.tokens[resource]}"}
        url = path if path.startswith("http") else f"{self.tenant.url}{path}"
        return requests.request(
            method, url, headers=headers, timeout=60, allow_redirects=False, **more
        )

    def run(self, cmdlet: str, at: str = "beta", to: str = "InvokeCommand", **given: Any) -> Any:
        """The answer to a command."""
        body = {"CmdletInput": {"CmdletName": cmdlet, "Parameters": given}}
        return self.ask("POST", f"/adminapi/{at}/{self.tenant.tenant}/{to}", json=body)

    def value(self, cmdlet: str, **given: Any) -> list[Json]:
        """What a command that works gives."""
        answer = self.run(cmdlet, **given)
        assert 200 == answer.status_code, answer.text
        value: list[Json] = answer.json()["value"]
        return value

    def names(self, cmdlet: str, **given: Any) -> list[str]:
        """The names of what a command gives."""
        return [one["Name"] for one in self.value(cmdlet, **given)]

    def refused(self, cmdlet: str, status: int = 400, **given: Any) -> str:
        """The type and text that a command is refused with."""
        answer = self.run(cmdlet, **given)
        assert status == answer.status_code, answer.text
        error = answer.json()["error"]
        told: str = error["details"][0]["message"]
        assert told.endswith(error["innererror"]["internalexception"]["message"])
        return told


@pytest.fixture
def tenant() -> Iterator[ExchangeStandIn]:
    """A tenant of example.com with nothing in it."""
    certificate, _ = made_certificate("exosync")
    with ExchangeStandIn(certificates=[certificate]) as one:
        yield one


@pytest.fixture
def caller(tenant: ExchangeStandIn) -> Caller:
    """Our application."""
    return Caller(tenant)


# Tokens


def test_a_secret_gets_a_token(tenant: ExchangeStandIn, caller: Caller) -> None:
    """Its claims name the tenant and the roles for the resource that was asked for."""
    claims = parsed_jwt(caller.token().json()["access_token"]).claims
    assert tenant.tenant == claims["tid"]
    assert [MANAGE, MANAGE_V2] == claims["roles"]
    claims = parsed_jwt(caller.token(GRAPH).json()["access_token"]).claims
    assert [READ_TRACES, SEND_MAIL] == claims["roles"]


@pytest.mark.parametrize(
    ("changes", "status", "error", "code"),
    [
        ({"client_secret": "wrong"}, 401, "invalid_client", 7000215),
        ({"client_id": "wrong", "client_secret": "x"}, 400, "unauthorized_client", 700016),
        ({"scope": "https://outlook.office365.com/x"}, 400, "invalid_scope", 1002012),
        ({"scope": "https://vault.azure.net/.default"}, 400, "invalid_resource", 500011),
        ({"grant_type": "password"}, 400, "unsupported_grant_type", 70003),
        ({"client_assertion": "rubbish"}, 400, "invalid_request", 50027),
        ({"client_id": ""}, 400, "invalid_request", 900144),
    ],
)
def test_a_token_is_refused_as_entra_does(
    caller: Caller, changes: dict[str, str], status: int, error: str, code: int
) -> None:
    """The code stands in the list and in the description."""
    answer = caller.token(**{"client_secret": "the-secret-of-exchange", **changes})
    told = answer.json()
    assert (status, error, [code]) == (answer.status_code, told["error"], told["error_codes"])
    assert told["error_description"].startswith(f"AADSTS{code}: ")


def test_a_request_without_credential_or_tenant_is_refused(
    tenant: ExchangeStandIn, caller: Caller
) -> None:
    """The first is told by one code, the second by another, at either address."""
    assert [7000218] == caller.token(x="1").json()["error_codes"]
    for path in ("oauth2/v2.0/token", "v2.0/.well-known/openid-configuration"):
        method = "POST" if path.endswith("token") else "GET"
        answer = requests.request(method, f"{tenant.url}/no-tenant/{path}", timeout=60)
        assert (400, [90002]) == (answer.status_code, answer.json()["error_codes"])


def _claims(tenant: ExchangeStandIn, **changes: Any) -> Json:
    now = int(time.time())
    audience = f"https://login.microsoftonline.com/{tenant.tenant}/oauth2/v2.0/token"
    own = {"iss": tenant.client_id, "sub": tenant.client_id, "aud": audience}
    return {**own, "nbf": now, "exp": now + 600, **changes}


@pytest.mark.parametrize(
    ("key", "changes", "codes"),
    [
        ("exosync", {}, None),
        ("another", {}, [700027]),
        ("exosync", {"aud": "https://example.com/"}, [700023]),
        ("exosync", {"exp": 1_700_000_000}, [700024]),
        ("exosync", {"sub": "another"}, [50027]),
    ],
)
def test_a_certificate_is_checked(
    tenant: ExchangeStandIn, caller: Caller, key: str, changes: Json, codes: list[int] | None
) -> None:
    """Signature, audience and time of the assertion all count."""
    assertion = signed_assertion(key, _claims(tenant, **changes))
    form = {"client_assertion": assertion, "client_assertion_type": ASSERTION_TYPE}
    assert codes == caller.token(**form).json().get("error_codes")


def test_the_certificate_that_is_named_must_have_signed(
    tenant: ExchangeStandIn, caller: Caller
) -> None:
    """Another key under the registered certificate's thumbprint does not do."""
    good = parsed_jwt(signed_assertion("exosync", _claims(tenant)))
    forged = signed_assertion("another", _claims(tenant), **{"x5t#S256": good.header["x5t#S256"]})
    form = {"client_assertion": forged, "client_assertion_type": ASSERTION_TYPE}
    assert [700027] == caller.token(**form).json()["error_codes"]


@pytest.mark.parametrize(
    "header",
    [{"x5t#S256": ""}, {"x5t#S256": "00112233"}, {"alg": "none"}, {"alg": "HS256"}],
)
def test_an_assertion_that_does_not_name_its_certificate_is_refused(
    tenant: ExchangeStandIn, caller: Caller, header: dict[str, str]
) -> None:
    """Or that is signed in another way than with its key."""
    assertion = signed_assertion("exosync", _claims(tenant), **header)
    form = {"client_assertion": assertion, "client_assertion_type": ASSERTION_TYPE}
    assert [700027] == caller.token(**form).json()["error_codes"]
    named = signed_assertion("exosync", _claims(tenant))
    assert [50027] == caller.token(client_assertion=named).json()["error_codes"]


def test_another_issuers_token_is_matched_by_subject(
    tenant: ExchangeStandIn, caller: Caller
) -> None:
    """Subjects are told apart by case."""
    for subject, codes in (
        ("system:serviceaccount:mail:exosync", None),
        ("system:serviceaccount:mail:Exosync", [700213]),
    ):
        assertion = tenant.access.federated_token(subject)
        form = {"client_assertion": assertion, "client_assertion_type": ASSERTION_TYPE}
        assert codes == caller.token(**form).json().get("error_codes")


class Moved(requests.Session):
    """Leads every host to the stand-in, with the path as it is."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._url = url

    def request(self, method: str | bytes, url: str | bytes, *rest: Any, **more: Any) -> Any:
        """The request, at the one address there is."""
        return super().request(method, f"{self._url}{urlsplit(str(url)).path}", *rest, **more)


@pytest.mark.parametrize("kind", ["secret", "certificate", "assertion"])
def test_msal_gets_a_token(tenant: ExchangeStandIn, kind: str) -> None:
    """Microsoft's own client believes that it speaks with Microsoft."""
    certificate, pem = made_certificate("exosync")
    credential: Any = {
        "secret": "the-secret-of-exchange",
        "certificate": {"private_key": pem, "public_certificate": certificate.pem},
        "assertion": {"client_assertion": tenant.access.federated_token},
    }[kind]
    msal = import_module("msal")  # has no types
    with Moved(tenant.url) as session:
        application = msal.ConfidentialClientApplication(
            tenant.client_id,
            credential,
            authority=f"https://login.microsoftonline.com/{tenant.tenant}",
            http_client=session,
        )
        given = application.acquire_token_for_client([f"{EXCHANGE}/.default"])
    assert (given["access_token"],) == tenant.access.tokens


# Who may do what


def test_a_token_that_does_not_hold_is_refused(tenant: ExchangeStandIn, caller: Caller) -> None:
    """None, rubbish, one for Graph and one that is over: 401 without a body."""
    caller.value("Get-AcceptedDomain")
    tenant.access.expire()
    for token in (caller.tokens[EXCHANGE], "", caller.token(GRAPH).json()["access_token"]):
        caller.tokens[EXCHANGE] = token
        answer = caller.run("Get-AcceptedDomain")
        assert (401, b"") == (answer.status_code, answer.content)


def test_the_application_needs_its_role_and_one_in_the_tenant(
    tenant: ExchangeStandIn, caller: Caller
) -> None:
    """Without the first 401, without the second 403 with NULs: graph2otel measured both."""
    tenant.access.roles = set()
    answer = caller.run("Get-AcceptedDomain")
    assert (403, b"\0" * 4096) == (answer.status_code, answer.content)
    tenant.access.app_roles = {MANAGE_V2}
    caller.tokens.clear()
    assert 401 == caller.run("Get-AcceptedDomain").status_code


def test_a_refusal_may_have_other_bodies(tenant: ExchangeStandIn, caller: Caller) -> None:
    """NULs that are declared to be gzip, nothing, or 401 with JSON."""
    tenant.access.roles = set()
    tenant.switch(nul_403="gzip")
    with pytest.raises(requests.exceptions.ContentDecodingError):
        caller.run("Get-AcceptedDomain")
    tenant.switch(nul_403="empty")
    assert b"" == caller.run("Get-AcceptedDomain").content
    tenant.switch(denied_401=True)
    answer = caller.run("Get-AcceptedDomain")
    assert "User is not allowed to call Get-AcceptedDomain" == answer.json()["error"]["message"]


@pytest.mark.parametrize(
    ("roles", "runs", "denied"),
    [
        ({GLOBAL_READER}, "Get-OutboundConnector", "New-TransportRule"),
        ({GLOBAL_READER}, "Get-Recipient", "Set-AcceptedDomain"),
        ({SECURITY_READER}, "Get-TransportRule", "Get-OutboundConnector"),
        (CUSTOM_GROUP, "Get-OrganizationConfig", "Get-Recipient"),
        (CUSTOM_GROUP, "Get-AcceptedDomain", "Get-Mailbox"),
    ],
)
def test_roles_open_their_own_commands(
    tenant: ExchangeStandIn, caller: Caller, roles: set[str], runs: str, denied: str
) -> None:
    """Reading is not writing, and no role opens a command that there is not."""
    tenant.access.roles = set(roles)
    assert 200 == caller.run(runs).status_code
    assert 403 == caller.run(denied).status_code
    path = f"/adminapi/v1.0/{tenant.tenant}/EXOModuleFile?Version=3.9.0"
    commands = caller.ask("GET", path).json()["value"][0]["exportedCmdlets"].split(",")
    assert (True, False) == (runs in commands, denied in commands)


def test_the_published_interface_has_a_role_and_endpoints_of_its_own(
    tenant: ExchangeStandIn, caller: Caller
) -> None:
    """Accepted domains are there; connectors are not, nor can they be smuggled in."""
    how = {"at": "v2.0", "to": "AcceptedDomain"}
    assert 200 == caller.run("Get-AcceptedDomain", **how).status_code
    assert 400 == caller.run("Get-OutboundConnector", **how).status_code
    wrong = {"at": "v2.0", "to": "OutboundConnector"}
    assert 405 == caller.run("Get-OutboundConnector", **wrong).status_code
    tenant.access.app_roles = {MANAGE}
    caller.tokens.clear()
    assert 401 == caller.run("Get-AcceptedDomain", **how).status_code
    assert 200 == caller.run("Get-AcceptedDomain").status_code


# The protocol


def test_only_the_one_way_in_takes_commands(tenant: ExchangeStandIn, caller: Caller) -> None:
    """GET, v1.0 and parameters that are null are refused."""
    path = f"/adminapi/beta/{tenant.tenant}/InvokeCommand"
    assert 405 == caller.ask("GET", path).status_code
    assert 405 == caller.run("Get-AcceptedDomain", at="v1.0").status_code
    named = {"CmdletName": "Get-AcceptedDomain"}
    wrong: tuple[Json, ...] = ({**named, "Parameters": None}, named, {"Parameters": {}}, None)
    for told in wrong:
        assert 400 == caller.ask("POST", path, json={"CmdletInput": told}).status_code
    for body in (b"", b"CmdletName=Get-AcceptedDomain"):
        assert 400 == caller.ask("POST", path, data=body).status_code
    other = path.replace(tenant.tenant, "00000000-0000-4000-8000-000000000000")
    assert 401 == caller.ask("POST", other, json={"CmdletInput": named}).status_code


def test_a_record_reads_as_one_that_was_captured(tenant: ExchangeStandIn, caller: Caller) -> None:
    """Identity is the name, types stand beside, moments have seven digits."""
    when = datetime(2026, 7, 24, 18, 59, 12, tzinfo=UTC)
    tenant.org.add_connector("Out", **SMART, LastValidationTimestamp=when, WhenChangedUTC=when)
    answer = caller.run("Get-OutboundConnector").json()
    assert [] == answer["@adminapi.warnings"]
    (record,) = answer["value"]
    assert ("Out", "Out") == (record["Name"], record["Identity"])
    assert "System.Guid" == record["Guid@data.type"]
    assert ([], None) == (record["RecipientDomains"], record["TlsDomain"])
    assert "2026-07-24T18:59:12.0000000" == record["LastValidationTimestamp"]
    assert "2026-07-24T18:59:12.0000000Z" == record["WhenChangedUTC"]


def test_what_a_rule_is_made_of_is_named_by_class(tenant: ExchangeStandIn, caller: Caller) -> None:
    """Priority is a number with its type; a rule without exceptions has null."""
    tenant.org.add_rule("R", **ROUTE)
    (record,) = caller.value("Get-TransportRule")
    assert (0, "System.Int32") == (record["Priority"], record["Priority@data.type"])
    assert ["RecipientDomainIsPredicate"] == [
        one.rpartition(".")[2] for one in record["Conditions"]
    ]
    assert record["Actions"][0].endswith(".RouteMessageOutboundConnectorAction")
    assert record["Exceptions"] is None


@pytest.mark.parametrize("empty", ["[]", "null"])
def test_what_is_empty_reads_in_two_ways(
    tenant: ExchangeStandIn, caller: Caller, empty: str
) -> None:
    """A list or null, for the same thing."""
    tenant.org.add_connector("Out")
    tenant.switch(empty_as=empty, sidecars=False)
    (record,) = caller.value("Get-OutboundConnector")
    assert json.loads(empty) == record["SmartHosts"]
    assert not any("@" in name for name in record)


def test_what_is_not_there_is_told_in_details(caller: Caller) -> None:
    """The message of the error itself says nothing."""
    assert f"Ex6F9304|{NOT_FOUND}|" in caller.refused("Get-TransportRule", 404, Identity="none")
    assert NOT_FOUND in caller.refused("Set-OutboundConnector", 404, Identity="none", Enabled=True)


# Listings


def test_an_unknown_identity_may_give_everything(tenant: ExchangeStandIn, caller: Caller) -> None:
    """So does null, which the docs warn of."""
    tenant.org.add_connector("One")
    tenant.org.add_connector("Two")
    assert ["One"] == caller.names("Get-OutboundConnector", Identity="ONE")
    assert ["One", "Two"] == caller.names("Get-OutboundConnector", Identity=None)
    tenant.switch(unknown_identity="all")
    assert ["One", "Two"] == caller.names("Get-OutboundConnector", Identity="none")


def test_connectors_in_test_mode_are_left_out_and_told(
    tenant: ExchangeStandIn, caller: Caller
) -> None:
    """Asked for, they come with the others or alone."""
    tenant.org.add_connector("One")
    tenant.org.add_connector("Two", TestMode=True)
    (warning,) = caller.run("Get-OutboundConnector").json()["@adminapi.warnings"]
    assert "IncludeTestModeConnectors" in warning
    asked = {"IncludeTestModeConnectors": True}
    assert ["One"] == caller.names("Get-OutboundConnector")
    assert ["One", "Two"] == caller.names("Get-OutboundConnector", **asked)
    tenant.switch(test_mode="only")
    assert ["Two"] == caller.names("Get-OutboundConnector", **asked)


def test_connectors_for_rules_may_be_hidden(tenant: ExchangeStandIn, caller: Caller) -> None:
    """The docs say that they are unless asked for."""
    tenant.org.add_connector("One")
    tenant.org.add_connector("Two", IsTransportRuleScoped=True)
    assert ["One", "Two"] == caller.names("Get-OutboundConnector")
    tenant.switch(hide_scoped=True)
    assert ["One"] == caller.names("Get-OutboundConnector")
    assert ["Two"] == caller.names("Get-OutboundConnector", IsTransportRuleScoped=True)


def test_an_answer_that_is_cut_has_a_link_and_a_warning(
    tenant: ExchangeStandIn, caller: Caller
) -> None:
    """The link's answer is an error or the next page; everything comes if it is asked for."""
    for number in range(5):
        tenant.org.add_rule(f"R{number}", **ROUTE)
    tenant.switch(page_size=2)
    assert 5 == len(caller.value("Get-TransportRule", ResultSize="Unlimited"))
    cut = caller.run("Get-TransportRule").json()
    assert (2, 1) == (len(cut["value"]), len(cut["@adminapi.warnings"]))
    same = {"CmdletInput": {"CmdletName": "Get-TransportRule", "Parameters": {}}}
    assert 400 == caller.ask("POST", cut["@odata.nextLink"], json={}).status_code
    expired = caller.ask("POST", cut["@odata.nextLink"], json=same)
    assert 400 == expired.status_code
    assert "Expired or Invalid pagination request" in expired.text
    tenant.switch(next_link="works", result_size_ignored=True)
    found, link = [], ""
    answer = caller.run("Get-TransportRule", ResultSize="Unlimited").json()
    for _ in range(3):
        found += [one["Name"] for one in answer["value"]]
        link = answer.get("@odata.nextLink", "")
        answer = caller.ask("POST", link, json=same).json() if link else answer
    assert (["R0", "R1", "R2", "R3", "R4"], "") == (found, link)


def test_readings_after_a_write_may_be_stale(tenant: ExchangeStandIn, caller: Caller) -> None:
    """So many of them, then it shows."""
    tenant.switch(stale_reads=2)
    caller.value("New-OutboundConnector", Name="Out", **SMART)
    seen = [caller.names("Get-OutboundConnector") for _ in range(3)]
    assert [[], [], ["Out"]] == seen


def test_recipients_are_found_by_any_address(tenant: ExchangeStandIn, caller: Caller) -> None:
    """Members of a group are those who are in it, mailbox or not."""
    people(tenant.org, "example.com", here=["ann@example.com"], elsewhere=["bob@example.com"])
    tenant.org.add_recipient("eve@example.com", aliases=["e@example.com"])
    assert ["eve"] == caller.names("Get-Recipient", Identity="E@example.com")
    caller.refused("Get-Recipient", 404, Identity="nobody@example.com")
    group = {"Identity": "elsewhere@example.com"}
    (member,) = caller.value("Get-DistributionGroupMember", **group)
    assert "bob@example.com" == member["PrimarySmtpAddress"]
    caller.refused("Get-DistributionGroupMember", 404, Identity="ann@example.com")


# Connectors


def test_a_new_connector_has_the_vendors_defaults(caller: Caller) -> None:
    """It uses MX and is on unless told otherwise; nobody has proven it. Names are in any case."""
    (made,) = caller.value("New-OutboundConnector", name="Out", comment="ours")
    assert (True, True, False) == (made["UseMXRecord"], made["Enabled"], made["IsValidated"])
    assert ("ours", "Default") == (made["Comment"], made["ConnectorSource"])


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"Nonsense": 1}, "matches parameter name 'Nonsense'"),
        ({"ValidationRecipients": ["a@example.com"]}, "matches parameter name"),
        ({"IsValidated": True}, "matches parameter name"),
        ({"TlsSettings": "Always"}, "EncryptionOnly, CertificateValidation, DomainValidation"),
        ({"ConnectorSource": "AdminUI"}, "Default, HybridWizard, Migrated"),
        ({"Enabled": "yes"}, "System.Boolean"),
        ({"SmartHosts": ["mx.far.example:587"]}, "mx.far.example:587"),
        ({"SmartHosts": []}, "SmartHosts must be specified"),
        ({"UseMXRecord": True}, "must not be specified"),
        ({"RecipientDomains": ["a.*.example"]}, "a.*.example"),
        ({"TlsSettings": "DomainValidation"}, "TlsDomain"),
        (
            {"SenderRewritingEnabled": False},
            "|System.ArgumentException|The SenderRewritingEnabled parameter can only be specified for Connector type OnPremises.",
        ),
        ({"AllAcceptedDomains": True}, "can only be specified for Connector type OnPremises"),
        ({"Name": "x" * 65}, "maximum length is 64"),
        ({"Name": "oUT"}, "|Microsoft.Exchange.Data.Directory.ADObjectAlreadyExistsException|"),
        ({"Name": ""}, "mandatory parameters: Name"),
    ],
)
def test_a_connector_that_cannot_be_is_refused(
    tenant: ExchangeStandIn, caller: Caller, given: Json, told: str
) -> None:
    """Nothing is made then."""
    tenant.org.add_connector("Out")
    assert told in caller.refused("New-OutboundConnector", **{"Name": "New", **SMART, **given})
    assert 1 == len(tenant.org.connectors)


def test_a_change_of_a_connector_is_partial(tenant: ExchangeStandIn, caller: Caller) -> None:
    """What would break the whole is refused; nothing to do is a warning."""
    held = tenant.org.add_connector("Out", **SMART)
    assert [] == caller.value("Set-OutboundConnector", Identity=held["Guid"], Comment="new")
    assert ("new", SMART["SmartHosts"]) == (held["Comment"], held["SmartHosts"])
    caller.refused("Set-OutboundConnector", Identity="Out", SmartHosts=[])
    answer = caller.run("Set-OutboundConnector", Identity="Out", Comment="new").json()
    assert "no settings of 'Out' have been modified" in answer["@adminapi.warnings"][0]
    caller.value("Set-OutboundConnector", Identity="Out", IsValidated=True)
    assert held["IsValidated"]
    when = {"LastValidationTimestamp": "2021-05-06 14:30:00z"}
    caller.value("Set-OutboundConnector", Identity="Out", **when)
    assert datetime(2021, 5, 6, 14, 30, tzinfo=UTC) == held["LastValidationTimestamp"]
    caller.refused("Set-OutboundConnector", Identity="Out", LastValidationTimestamp="yesterday")


@pytest.mark.parametrize("how", ["Remove", "Set"])
def test_a_connector_that_a_rule_names_is_kept(
    tenant: ExchangeStandIn, caller: Caller, how: str
) -> None:
    """Removing it and switching it off are refused, or a warning, or nobody minds."""
    tenant.org.add_connector("Out", **SMART)
    tenant.org.add_rule("R", **ROUTE)
    off: dict[str, Any] = {"Enabled": False} if how == "Set" else {}
    given = {"Identity": "Out", **off}
    before = tenant.snapshot()
    assert "'Out' is used by" in caller.refused(f"{how}-OutboundConnector", **given)
    assert [] == tenant.dangerous
    tenant.switch(referenced="warned")
    answer = caller.run(f"{how}-OutboundConnector", **given).json()
    assert (1, []) == (len(answer["@adminapi.warnings"]), answer["value"])
    assert [f"{how}-OutboundConnector: the rule 'R' routes to 'Out', which is"] == [
        one.rpartition(" ")[0] for one in tenant.dangerous
    ]
    before()
    tenant.switch(referenced="allowed")
    assert [] == caller.run(f"{how}-OutboundConnector", **given).json()["@adminapi.warnings"]


@pytest.mark.parametrize(("follows", "name"), [(False, "Out"), (True, "Renamed")])
def test_a_rule_may_or_may_not_follow_a_renamed_connector(
    tenant: ExchangeStandIn, caller: Caller, follows: bool, name: str
) -> None:
    """Nobody has said which it is."""
    tenant.org.add_connector("Out", **SMART)
    rule = tenant.org.add_rule("R", **ROUTE)
    tenant.switch(rename_follows=follows)
    caller.value("Set-OutboundConnector", Identity="Out", Name="Renamed")
    assert name == rule["RouteMessageOutboundConnector"]


def test_validating_a_connector_proves_nothing_for_later(
    tenant: ExchangeStandIn, caller: Caller
) -> None:
    """Rows tell how it went; the flag stays as it was, and the count of writes too."""
    held = tenant.org.add_connector("Out", **SMART)
    tenant.org.validate = lambda _, recipients: [(recipients[0], False)]
    (row,) = caller.value("Validate-OutboundConnector", Identity="Out", Recipients=["a@b.example"])
    assert ("a@b.example", False) == (row["TaskName"], row["IsTaskSuccessful"])
    assert (False, 0) == (held["IsValidated"], tenant.writes)


# Rules


def test_rules_keep_their_order(tenant: ExchangeStandIn, caller: Caller) -> None:
    """A new one comes last unless it is placed; those behind it shift; removal closes the gap."""
    tenant.org.add_connector("Out", **SMART)
    for name, given in (("A", {}), ("B", {}), ("C", {"Priority": 0})):
        caller.value("New-TransportRule", Name=name, **ROUTE, **given)
    assert ["C", "A", "B"] == caller.names("Get-TransportRule")
    caller.value("Set-TransportRule", Identity="B", Priority=0)
    caller.value("Remove-TransportRule", Identity="C", Confirm=False)
    found = caller.value("Get-TransportRule")
    assert [("B", 0), ("A", 1)] == [(one["Name"], one["Priority"]) for one in found]
    caller.refused("Set-TransportRule", Identity="B", Priority=2)
    caller.value("Disable-TransportRule", Identity="B")
    assert ["A"] == caller.names("Get-TransportRule", State="Enabled")


def test_there_are_never_more_than_300_rules(tenant: ExchangeStandIn, caller: Caller) -> None:
    """A secondary source says so."""
    tenant.org.add_connector("Out", **SMART)
    for number in range(299):
        tenant.org.add_rule(f"R{number}", **ROUTE)
    caller.value("New-TransportRule", Name="last", **ROUTE)
    assert "300" in caller.refused("New-TransportRule", Name="too many", **ROUTE)


def test_a_rule_names_its_connector(tenant: ExchangeStandIn, caller: Caller) -> None:
    """By its name, though it was set by Guid."""
    guid = tenant.org.add_connector("Out", **SMART)["Guid"]
    (made,) = caller.value(
        "New-TransportRule",
        Name="R",
        Enabled=False,
        **{**ROUTE, "RouteMessageOutboundConnector": guid},
    )
    assert ("Out", "Disabled") == (made["RouteMessageOutboundConnector"], made["State"])


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"RouteMessageOutboundConnector": "Gone"}, "'Gone' couldn't be found"),
        ({"RouteMessageOutboundConnector": "Off"}, "'Off' is disabled"),
        ({"RouteMessageOutboundConnector": None}, "have to include at least one action"),
        ({"Comments": "x" * 1025}, "1024"),
        ({"Name": "r"}, "already exists"),
        ({"Mode": "Test"}, "Audit, AuditAndNotify, Enforce"),
        ({"State": "Enabled"}, "matches parameter name 'State'"),
        ({"Priority": 7}, "priority"),
        ({"ExceptIfHeaderContainsMessageHeader": "X-Loop"}, "must be specified together"),
        ({"SentToMemberOf": ["nobody@example.com"]}, "Couldn't find object"),
    ],
)
def test_a_rule_that_cannot_be_is_refused(
    tenant: ExchangeStandIn, caller: Caller, given: Json, told: str
) -> None:
    """Nothing is made then."""
    tenant.org.add_connector("Out", **SMART)
    tenant.org.add_connector("Off", **SMART, Enabled=False)
    tenant.org.add_rule("R", **ROUTE)
    assert told in caller.refused("New-TransportRule", **{"Name": "New", **ROUTE, **given})
    assert 1 == len(tenant.org.rules)


def test_a_change_of_a_rule_is_partial(tenant: ExchangeStandIn, caller: Caller) -> None:
    """Null empties; the last action cannot be emptied; switching is not a change."""
    tenant.org.add_connector("Out", **SMART)
    rule = tenant.org.add_rule("R", **ROUTE, ExceptIfSenderDomainIs=["a.example"])
    caller.value("Set-TransportRule", Identity="R", ExceptIfSenderDomainIs=None, Comments="x")
    assert ([], "x") == (rule["ExceptIfSenderDomainIs"], rule["Comments"])
    blank: dict[str, Any] = {"Identity": "R", "RouteMessageOutboundConnector": None}
    assert "|To be valid, all rules have to" in caller.refused("Set-TransportRule", **blank)
    caller.refused("Set-TransportRule", Identity="R", Enabled=False)
    caller.value("Disable-TransportRule", Identity=rule["Guid"], Confirm=False)
    assert "Disabled" == rule["State"]
    caller.value("Enable-TransportRule", Identity="R", Mode="Audit")
    assert ("Enabled", "Audit") == (rule["State"], rule["Mode"])


def test_a_rule_that_takes_all_mail_is_written_down(
    tenant: ExchangeStandIn, caller: Caller
) -> None:
    """The vendor takes it, and so must the stand-in."""
    tenant.org.add_connector("Out", **SMART)
    caller.value("New-TransportRule", Name="R", RouteMessageOutboundConnector="Out")
    caller.value("Set-OutboundConnector", Identity="Out", RecipientDomains=["*"])
    assert [
        "New-TransportRule: the rule 'R' routes all mail",
        "Set-OutboundConnector: the connector 'Out' takes all mail",
    ] == tenant.dangerous


def test_mail_feels_a_rule_later() -> None:
    """Until then it is handled by the rules as they were."""
    now = datetime(2026, 11, 1, 12, tzinfo=UTC)
    with ExchangeStandIn(now=lambda: now) as tenant:
        tenant.switch(rule_delay=timedelta(minutes=30))
        tenant.org.add_connector("Out", **SMART)
        Caller(tenant).value("New-TransportRule", Name="R", **ROUTE)
        assert [] == tenant.effective_rules
        now += timedelta(minutes=30)
        assert ["R"] == [one["Name"] for one in tenant.effective_rules]


def test_what_if_changes_nothing(tenant: ExchangeStandIn, caller: Caller) -> None:
    """It is checked all the same."""
    caller.value("New-OutboundConnector", Name="Out", WhatIf=True, **SMART)
    caller.refused("New-OutboundConnector", Name="", WhatIf=True)
    assert [] == tenant.org.connectors


def test_a_person_makes_a_domain_a_relay(tenant: ExchangeStandIn, caller: Caller) -> None:
    """The members of the type are listed for those who guess."""
    given: dict[str, Any] = {"Identity": "example.com", "DomainType": "Relay"}
    assert "InternalRelay" in caller.refused("Set-AcceptedDomain", **given)
    caller.value("Set-AcceptedDomain", **{**given, "DomainType": "internalrelay"})
    domain = tenant.org.domain("example.com")
    assert domain is not None
    assert "InternalRelay" == domain["DomainType"]


# What goes wrong


@pytest.mark.parametrize(("how", "says"), [("yes", True), ("settling", False)])
def test_a_dehydrated_tenant_takes_no_writes(
    tenant: ExchangeStandIn, caller: Caller, how: str, says: bool
) -> None:
    """Nor does one that says it is none any more."""
    tenant.switch(dehydrated=how)
    assert says is caller.value("Get-OrganizationConfig")[0]["IsDehydrated"]
    told = caller.refused("New-OutboundConnector", Name="Out", **SMART)
    assert "InvalidOperationInDehydratedContextException" in told


def test_a_role_may_lack_a_parameter(tenant: ExchangeStandIn, caller: Caller) -> None:
    """The command itself works."""
    tenant.switch(denied_parameters=frozenset({"New-OutboundConnector:Comment"}))
    told = caller.refused("New-OutboundConnector", Name="Out", Comment="x", **SMART)
    assert "is not present in the role definition of the current user" in told
    caller.value("New-OutboundConnector", Name="Out", **SMART)


@pytest.mark.parametrize(
    ("tells", "header"),
    [("reset", "Rate-Limit-Reset"), ("retry_after", "Retry-After"), ("nothing", None)],
)
def test_too_many_requests_are_told(
    tenant: ExchangeStandIn, caller: Caller, tells: str, header: str | None
) -> None:
    """For as many as were asked for, then all is well."""
    tenant.switch(throttle=2, throttle_tells=tells)
    answers = [caller.run("Get-AcceptedDomain") for _ in range(3)]
    assert [429, 429, 200] == [one.status_code for one in answers]
    named = {"Rate-Limit-Reset", "Retry-After"} & set(answers[0].headers)
    assert ({header} if header else set()) == named


def test_the_service_may_fail_for_a_while(tenant: ExchangeStandIn, caller: Caller) -> None:
    """By number, or as a test writes it for the addresses that it means."""
    tenant.switch(fail=1)
    answers = [caller.run("Get-AcceptedDomain") for _ in range(2)]
    assert [503, 200] == [one.status_code for one in answers]
    tenant.script(None, Reply(502), path="/adminapi/v2.0")
    v2 = {"at": "v2.0", "to": "AcceptedDomain"}
    answers = [caller.run("Get-AcceptedDomain", **one) for one in (v2, {}, v2, v2)]
    assert [200, 200, 502, 200] == [one.status_code for one in answers]


def test_the_two_roles_may_not_go_together(tenant: ExchangeStandIn, caller: Caller) -> None:
    """One source says that a token for v2.0 is refused; what holds for one with both is unknown."""
    tenant.switch(mixed_roles_refused=True)
    assert 401 == caller.run("Get-AcceptedDomain").status_code
    tenant.access.app_roles = {MANAGE}
    caller.tokens.clear()
    assert 200 == caller.run("Get-AcceptedDomain").status_code


def test_requests_may_be_led_elsewhere(tenant: ExchangeStandIn, caller: Caller) -> None:
    """To a host of the vendor's or of somebody else's."""
    path = f"/adminapi/beta/{tenant.tenant}/InvokeCommand"
    tenant.switch(redirects=1, redirect_to=FOREIGN)
    answer = caller.run("Get-AcceptedDomain")
    assert (302, f"{FOREIGN}{path}") == (answer.status_code, answer.headers["Location"])
    assert 200 == caller.run("Get-AcceptedDomain").status_code


@pytest.mark.parametrize(("switch", "is_made"), [("drop_before", False), ("drop_after", True)])
def test_a_connection_may_be_lost_around_a_write(
    tenant: ExchangeStandIn, caller: Caller, switch: str, is_made: bool
) -> None:
    """Only the tenant knows whether it took effect."""
    tenant.switch(**{switch: 1})
    with pytest.raises(requests.exceptions.ConnectionError):
        caller.run("New-OutboundConnector", Name="Out", **SMART)
    assert is_made is bool(caller.names("Get-OutboundConnector"))


def test_writes_may_fail_from_one_on(tenant: ExchangeStandIn, caller: Caller) -> None:
    """Readings do not, and nothing is done."""
    with tenant.failing(2):
        answers = [caller.run("New-OutboundConnector", Name=one, **SMART) for one in ("A", "B")]
        assert [200, 503] == [one.status_code for one in answers]
        assert ["A"] == caller.names("Get-OutboundConnector")
    caller.value("New-OutboundConnector", Name="B", **SMART)
    assert 3 == tenant.writes


def test_a_second_administrator_comes_in_between(tenant: ExchangeStandIn, caller: Caller) -> None:
    """What is asked is kept with its parameters; a snapshot puts everything back."""
    put_back = tenant.snapshot()
    tenant.before_write = lambda _: tenant.org.add_connector("Out")
    assert "already exists" in caller.refused("New-OutboundConnector", Name="out", **SMART)
    assert [("New-OutboundConnector", {"Name": "out", **SMART})] == tenant.asked
    put_back()
    assert [] == tenant.org.connectors


def test_a_request_is_known_for_a_write() -> None:
    """By its command alone, for all go the same way."""
    path = "/adminapi/beta/x/InvokeCommand"
    for cmdlet, expected in (("Get-TransportRule", False), ("Enable-TransportRule", True)):
        body = {"CmdletInput": {"CmdletName": cmdlet, "Parameters": {}}}
        request = Request("POST", path, {}, {}, json.dumps(body).encode())
        assert expected is is_write(request)


# Graph


def test_message_traces_are_filtered(tenant: ExchangeStandIn, caller: Caller) -> None:
    """One value for each property; a window of ten days at most; details by recipient."""
    now = datetime.now(UTC)
    event = detail("Send external", now, data="OutboundIpPoolName=relay")
    for number in range(3):
        add_trace(
            tenant.org,
            "ann@example.com",
            f"bob{number}@example.com",
            message_id=f"<{number}@example.com>",
            received=now - timedelta(minutes=number),
            details=[event],
        )
    asked = {"$filter": "messageId eq '<1@example.com>'"}
    (trace,) = caller.ask("GET", ROOT, GRAPH, params=asked).json()["value"]
    assert ("bob1@example.com", "delivered") == (trace["recipientAddress"], trace["status"])
    path = f"{ROOT}/{trace['id']}/getDetailsByRecipient(recipientAddress='bob1@example.com')"
    (told,) = caller.ask("GET", path, GRAPH).json()["value"]
    assert ("Send external", "OutboundIpPoolName=relay") == (told["event"], told["data"])
    since, until = (f"{now - timedelta(days=one):%Y-%m-%dT%H:%M:%SZ}" for one in (11, 0))
    recent = f"receivedDateTime ge {now - timedelta(seconds=90):%Y-%m-%dT%H:%M:%SZ}"
    assert 2 == len(caller.ask("GET", ROOT, GRAPH, params={"$filter": recent}).json()["value"])
    assert 404 == caller.ask("GET", "/v1.0/users", GRAPH).status_code
    wide = {"$filter": f"receivedDateTime ge {since} and receivedDateTime le {until}"}
    assert 400 == caller.ask("GET", ROOT, GRAPH, params=wide).status_code
    assert 400 == caller.ask("GET", ROOT, GRAPH, params={"$filter": "size eq 1"}).status_code
    page = caller.ask("GET", ROOT, GRAPH, params={"$top": "2"}).json()
    rest = caller.ask("GET", page["@odata.nextLink"], GRAPH).json()
    assert (2, 1) == (len(page["value"]), len(rest["value"]))


def test_traces_need_a_role_and_time(tenant: ExchangeStandIn, caller: Caller) -> None:
    """A message shows only after a while."""
    now = datetime.now(UTC)
    add_trace(tenant.org, "a@example.com", "b@example.com", message_id="<1>", received=now)
    tenant.switch(trace_delay=timedelta(minutes=5))
    assert [] == caller.ask("GET", ROOT, GRAPH).json()["value"]
    tenant.access.app_roles = {MANAGE}
    caller.tokens.clear()
    assert 403 == caller.ask("GET", ROOT, GRAPH).status_code
    caller.tokens[GRAPH] = caller.token().json()["access_token"]
    assert 401 == caller.ask("GET", ROOT, GRAPH).status_code


def test_graph_takes_a_message_for_sending(tenant: ExchangeStandIn, caller: Caller) -> None:
    """As MIME in base64, from a mailbox that there is, with a permission of its own."""
    tenant.org.add_recipient("ann@example.com")
    mime = b"Subject: probe\r\n\r\n"
    how = {"headers": {"Content-Type": "text/plain"}, "data": base64.b64encode(mime)}

    def sent(user: str, **more: Any) -> int:
        return int(
            caller.ask("POST", f"/v1.0/users/{user}/sendMail", GRAPH, **{**how, **more}).status_code
        )

    assert [202, 404] == [sent("ann@example.com"), sent("bob@example.com")]
    assert 400 == sent("ann@example.com", data=b"no base64!")
    assert 400 == sent("ann@example.com", headers={"Content-Type": "application/json"})
    assert [("ann@example.com", mime)] == tenant.org.sent
    tenant.access.app_roles = {READ_TRACES}
    caller.tokens.clear()
    assert 403 == sent("ann@example.com")


# Tenants


def test_a_busy_tenant_is_full_of_what_looks_like_ours() -> None:
    """All of it can be read, none of it harms mail to the domain."""
    with ExchangeStandIn(org=busy("example.com")) as tenant:
        caller = Caller(tenant)
        connectors = caller.value("Get-OutboundConnector", IncludeTestModeConnectors=True)
        rules = caller.value("Get-TransportRule")
    assert (12, 40) == (len(connectors), len(rules))
    assert len({one["Name"].casefold() for one in rules}) < len({one["Name"] for one in rules})
    comments = [one["Comment"] for one in connectors] + [one["Comments"] for one in rules]
    assert set(LOOK_ALIKES) <= set(comments)
    sources = {one["ConnectorSource"] for one in connectors}
    assert {"AdminUI", "Default", "HybridWizard", "Migrated"} == sources
    assert any("ContentPropertyContainsWords" in one for one in rules)
