"""The stand-in of Google's services, asked by Google's own client."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from subprocess import PIPE
from typing import Any
from urllib.parse import urlencode, urlsplit

import google_auth_httplib2
import httplib2
import pytest
from google.auth import default, iam, impersonated_credentials
from google.auth.exceptions import RefreshError
from google.oauth2 import service_account
from googleapiclient.discovery import build
from googleapiclient.errors import HttpError

from tests.standins import google_replies as replies
from tests.standins.google import PERSON, GoogleStandIn
from tests.standins.google_auth import JWT_GRANT
from tests.standins.google_discovery import discovery
from tests.standins.google_keys import TOKEN_URI, signed_jwt
from tests.standins.google_policies import ALLOWLIST, FIELD
from tests.standins.google_switches import (
    ADMIN_SDK,
    ALL_SCOPES,
    CLOUD_IDENTITY,
    IAM_CREDENTIALS,
    READ_AUDIT,
    READ_POLICIES,
    Place,
)

ROOT = Path(__file__).parents[2]
GMAIL = r"setting.type.matches('^settings/gmail\\..*$')"
START = datetime(2026, 11, 1, 12, tzinfo=UTC)

# Google's classes are written without types.
SERVICE_ACCOUNT: Any = service_account.Credentials
IMPERSONATED: Any = impersonated_credentials.Credentials
SIGNER: Any = iam.Signer

Ask = Callable[..., Any]
Policy = dict[str, Any]


class Rewritten(httplib2.Http):  # type: ignore[misc]  # it has no types
    """Leads every host to the stand-in, with the path as it is."""

    def __init__(self, url: str) -> None:
        super().__init__(timeout=60, proxy_info=None)
        self._url = url

    def request(self, uri: str, *rest: Any, **more: Any) -> Any:
        """The request, at the one address there is."""
        parts = urlsplit(uri)
        query = f"?{parts.query}" if parts.query else ""
        return super().request(f"{self._url}{parts.path}{query}", *rest, **more)


class Clock:
    """A clock that stands still until it is moved."""

    now = START


@pytest.fixture
def clock() -> Clock:
    """The stand-in's clock."""
    return Clock()


@pytest.fixture
def google(clock: Clock) -> Iterator[GoogleStandIn]:
    """The services, with an allowlist; nothing may go against the discovery documents."""
    with GoogleStandIn(allowlist=["192.0.2.1"], now=lambda: clock.now) as standin:
        yield standin
    assert [] == standin.violations


def by_key(google: GoogleStandIn, folder: Path, *scopes: str, subject: str | None = PERSON) -> Any:
    """A key file's credentials for scopes and a subject."""
    return SERVICE_ACCOUNT.from_service_account_file(
        str(google.key_file(folder)), scopes=scopes or ALL_SCOPES, subject=subject
    )


@pytest.fixture
def keyed(google: GoogleStandIn, tmp_path: Path) -> Ask:
    """What gives a key file's credentials."""
    return partial(by_key, google, tmp_path)


@pytest.fixture
def keyless(
    google: GoogleStandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[], Any]:
    """Keyless delegation, from the application default credentials."""
    path = google.source_credentials_file(tmp_path)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(path))

    def made(subject: str | None = PERSON) -> Any:
        source, _ = default()
        account = google.authority.account
        return IMPERSONATED(source, account, ALL_SCOPES, subject=subject)

    return made


@pytest.fixture
def policies(google: GoogleStandIn, keyed: Ask) -> Iterator[Any]:
    """The client's policies collection."""
    with opened(google, keyed()) as http:
        yield build("cloudidentity", "v1", http=http).policies()


@pytest.fixture
def activities(google: GoogleStandIn, keyed: Ask) -> Iterator[Ask]:
    """What the client's activities.list gives for the administrators' log."""
    with opened(google, keyed()) as http:
        collection = build("admin", "reports_v1", http=http).activities()

        def listed(**query: Any) -> Any:
            asked = {"userKey": "all", "applicationName": "admin", **query}
            return collection.list(**asked).execute()

        yield listed


def opened(google: GoogleStandIn, credentials: Any) -> Any:
    """Google's transport over the credentials, closed in the end."""
    return closing(google_auth_httplib2.AuthorizedHttp(credentials, http=Rewritten(google.url)))


def refreshed(google: GoogleStandIn, credentials: Any) -> Any:
    """The credentials, with a token."""
    with closing(Rewritten(google.url)) as http:
        credentials.refresh(google_auth_httplib2.Request(http))
    return credentials


def whole(policies: Any, **query: Any) -> list[Policy]:
    """All pages of a listing."""
    found: list[Policy] = []
    request = policies.list(**query)
    while request is not None:
        answer = request.execute()
        found += answer.get("policies", [])
        request = policies.list_next(request, answer)
    return found


def allowlists(policies: Any) -> list[Policy]:
    """The policies of the email allowlist."""
    return [one for one in whole(policies) if one["setting"]["type"] == ALLOWLIST]


def shown(policies: Any) -> Any:
    """The value of the one policy of the allowlist."""
    (policy,) = allowlists(policies)
    return policy["setting"]["value"]


def failure(request: Any) -> Any:
    """The error of a request that fails: its JSON."""
    with pytest.raises(HttpError) as caught:
        request.execute(num_retries=0)
    error = json.loads(caught.value.content)["error"]
    assert caught.value.status_code == error["code"]
    return error


def status_of(error: Any) -> tuple[int, str]:
    """The two forms of an error's code."""
    return error["code"], error["status"]


# Credentials


def test_a_key_file_gets_a_token_for_the_delegated_scopes(
    google: GoogleStandIn, keyed: Ask
) -> None:
    """One request; the token is what the APIs know the administrator by."""
    token = refreshed(google, keyed(READ_POLICIES)).token

    found = google.authority.bearer({"Authorization": f"Bearer {token}"})
    assert found is not None
    assert (PERSON, frozenset({READ_POLICIES})) == (found.principal, found.scopes)
    assert ["POST /token"] == google.calls()


def test_a_key_file_may_name_the_stand_in_itself(google: GoogleStandIn, tmp_path: Path) -> None:
    """For clients that do not rewrite hosts; the audience stays Google's."""
    path = google.key_file(tmp_path, own_token_uri=True)

    assert f"{google.url}/token" == json.loads(path.read_text())["token_uri"]


@pytest.mark.parametrize(
    ("scopes", "subject", "delegated", "told"),
    [
        ((READ_POLICIES, READ_AUDIT), PERSON, (READ_POLICIES,), "unauthorized_client"),
        ((READ_POLICIES,), PERSON, (), "unauthorized_client"),
        ((READ_POLICIES,), "nobody@example.com", ALL_SCOPES, "Invalid email or User ID"),
    ],
)
def test_what_is_not_delegated_is_refused(
    google: GoogleStandIn,
    keyed: Ask,
    scopes: tuple[str, ...],
    subject: str,
    delegated: tuple[str, ...],
    told: str,
) -> None:
    """One scope that is not listed refuses them all."""
    google.authority.delegated = set(delegated)

    with pytest.raises(RefreshError, match=told) as caught:
        refreshed(google, keyed(*scopes, subject=subject))
    assert not caught.value.retryable


def test_a_clock_that_is_off_is_refused(google: GoogleStandIn, keyed: Ask) -> None:
    """Whether it goes ahead or behind."""
    for hours in (-2, 2):
        google.switch(clock_error=timedelta(hours=hours))
        with pytest.raises(RefreshError, match="Check your iat and exp values"):
            refreshed(google, keyed())


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"iss": "other@project.iam.gserviceaccount.com"}, "account not found"),
        ({"aud": "https://example.com/token"}, "Failed audience check"),
        ({"scope": ""}, "Invalid OAuth scope"),
        ({"exp": 0}, "short-lived"),
        ({"exp": int(time.time()) + 30 * 24 * 3600}, "short-lived"),
    ],
)
def test_the_claims_of_an_assertion_are_checked(
    google: GoogleStandIn, change: dict[str, Any], told: str
) -> None:
    """Issuer, audience, scope and times."""
    now = int(time.time())
    claims: dict[str, Any] = {"iss": google.authority.account, "sub": PERSON, "aud": TOKEN_URI}
    claims |= {"iat": now, "exp": now + 600, "scope": READ_POLICIES} | change

    jwt = signed_jwt(google.authority.file_key, json.dumps(claims))

    assert told in granted(google, jwt)


def test_the_signature_of_an_assertion_is_checked(google: GoogleStandIn) -> None:
    """A changed claim under the old signature does not pass."""
    now = int(time.time())
    claims = {"iss": google.authority.account, "aud": TOKEN_URI, "iat": now, "exp": now + 60}
    jwt = signed_jwt(google.authority.file_key, json.dumps({**claims, "scope": READ_AUDIT}))
    other = signed_jwt(google.authority.file_key, json.dumps({**claims, "scope": READ_POLICIES}))
    header, _, signature = jwt.split(".")

    forged = f"{header}.{other.split('.')[1]}.{signature}"

    assert "Invalid JWT Signature." == granted(google, forged)


def granted(google: GoogleStandIn, assertion: str) -> Any:
    """The token endpoint's answer to an assertion, which is a refusal."""
    form = urlencode({"grant_type": JWT_GRANT, "assertion": assertion})
    with closing(Rewritten(google.url)) as http:
        response, body = http.request(TOKEN_URI, "POST", body=form)
    assert 400 == response.status
    return json.loads(body)["error_description"]


def test_keyless_delegation_goes_by_sign_jwt(
    google: GoogleStandIn, keyless: Callable[[], Any]
) -> None:
    """The source's token, the signature, and the administrator's token."""
    with opened(google, keyless()) as http:
        answer = build("cloudidentity", "v1", http=http).policies().list().execute()

    signing = f"POST /v1/projects/-/serviceAccounts/{google.authority.account}:signJwt"
    assert ["POST /token", signing, "POST /token", "GET /v1/policies"] == google.calls()
    assert answer["policies"]


def test_without_a_subject_the_account_is_itself_and_no_administrator(
    google: GoogleStandIn, keyless: Ask, keyed: Ask
) -> None:
    """By generateAccessToken or by the key: the Policy API is for super administrators."""
    for credentials in (keyless(None), keyed(subject=None)):
        with opened(google, credentials) as http:
            error = failure(build("cloudidentity", "v1", http=http).policies().list())
        assert "PERMISSION_DENIED" == error["status"]
    assert any(call.endswith(":generateAccessToken") for call in google.calls())


def test_sign_blob_signs_what_google_auths_signer_asks_for(
    google: GoogleStandIn, keyless: Ask
) -> None:
    """The way of Google's own sample for writing policies."""
    with closing(Rewritten(google.url)) as http:
        request = google_auth_httplib2.Request(http)
        source = keyless()._source_credentials
        signer = SIGNER(request, source, google.authority.account)
        credentials = SERVICE_ACCOUNT(
            signer, google.authority.account, TOKEN_URI, scopes=ALL_SCOPES, subject=PERSON
        )
        credentials.refresh(request)

    assert credentials.valid


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"token_creator": False}, "iam.serviceAccounts.signJwt"),
        ({"disabled_apis": (IAM_CREDENTIALS,)}, "SERVICE_DISABLED"),
        ({"source_revoked": True}, "Token has been expired or revoked"),
    ],
)
def test_keyless_delegation_can_be_refused(
    google: GoogleStandIn, keyless: Callable[[], Any], changes: dict[str, Any], told: str
) -> None:
    """The role, the API, and the source itself."""
    google.switch(**changes)

    with pytest.raises(RefreshError) as caught:
        refreshed(google, keyless())
    assert told in str(caught.value)


def test_a_token_that_died_is_renewed_by_the_client(google: GoogleStandIn, policies: Any) -> None:
    """Once, and the request is made again."""
    policies.list().execute()
    google.expire_tokens()
    policies.list().execute()

    again = ["GET /v1/policies", "POST /token", "GET /v1/policies"]
    assert ["POST /token", "GET /v1/policies", *again] == google.calls()


# Whether a method may be called


def test_a_method_needs_its_own_scope(google: GoogleStandIn, keyed: Ask) -> None:
    """To read is not to write."""
    with opened(google, keyed(READ_POLICIES)) as http:
        policies = build("cloudidentity", "v1", http=http).policies()
        name = whole(policies)[0]["name"]
        error = failure(policies.delete(name=name))

    assert "ACCESS_TOKEN_SCOPE_INSUFFICIENT" == error["details"][0]["reason"]


def test_without_a_token_nothing_is_told(google: GoogleStandIn) -> None:
    """Nor with one that nobody gave."""
    with closing(Rewritten(google.url)) as http:
        for headers in ({}, {"Authorization": "Bearer made-up"}):
            _, body = http.request(f"{google.url}/v1/policies", headers=headers)
            assert (401, "UNAUTHENTICATED") == status_of(json.loads(body)["error"])


def test_an_api_must_be_enabled(google: GoogleStandIn, policies: Any, activities: Ask) -> None:
    """Both refuse with the reason that tells what to do."""
    google.switch(disabled_apis=(CLOUD_IDENTITY, ADMIN_SDK))

    reason = failure(policies.list())["details"][0]
    assert ("SERVICE_DISABLED", CLOUD_IDENTITY) == (reason["reason"], reason["metadata"]["service"])
    with pytest.raises(HttpError, match="Admin SDK API has not been used"):
        activities()


def test_only_a_super_administrator_may_read_policies(tmp_path: Path) -> None:
    """The audit log asks for less."""
    with (
        GoogleStandIn(super_admin=False) as google,
        opened(google, by_key(google, tmp_path)) as http,
    ):
        error = failure(build("cloudidentity", "v1", http=http).policies().list())
        log = build("admin", "reports_v1", http=http).activities()
        asked = log.list(userKey="all", applicationName="admin")
        assert asked.execute()["items"]
        google.switch(reports_privilege=False)
        assert "forbidden" == failure(asked)["errors"][0]["reason"]

    assert (403, "PERMISSION_DENIED") == (error["code"], error["status"])


# policies.list and get


def test_pages_hold_as_many_as_asked_and_every_policy_once(
    google: GoogleStandIn, policies: Any
) -> None:
    """50 by default, 100 at most, in an order of each listing's own."""
    google.switch(filler=120)

    first, second = whole(policies), whole(policies)

    assert 131 == len({one["name"] for one in first})
    assert first != second
    assert sorted(first, key=str) == sorted(second, key=str)
    assert 6 == len(google.calls("/v1/policies"))
    assert 50 == len(policies.list().execute()["policies"])
    assert 100 == len(policies.list(pageSize=1000).execute()["policies"])


def test_pages_may_be_blank_or_short(google: GoogleStandIn, policies: Any) -> None:
    """And have a token all the same."""
    google.switch(blank_pages=True, page_limit=4)

    assert {"nextPageToken"} == set(policies.list().execute())
    assert 11 == len(whole(policies))
    assert 1 + 6 == len(google.calls("/v1/policies"))


def test_a_page_token_holds_for_its_own_listing(policies: Any) -> None:
    """All other parameters must be the same."""
    token = policies.list(pageSize=2).execute()["nextPageToken"]

    for query in ({"pageSize": 3, "pageToken": token}, {"pageToken": "made-up"}):
        assert "INVALID_ARGUMENT" == failure(policies.list(**query))["status"]


@pytest.mark.parametrize(
    ("text", "count"),
    [
        (GMAIL, 10),
        (f'customer == "customers/my_customer" && {GMAIL}', 10),
        (f"customer == 'customers/C01abcdef' && ({GMAIL} || {GMAIL})", 10),
        ("setting.type.matches('gmail.email_spam_filter_ip_allowlist')", 1),
        ("setting.type.matches('^gmail')", 0),
        (r"setting.type.matches('^.*\\.service_status$')", 2),
        (f"{GMAIL} && setting.type.matches('pop') || setting.type.matches('drive')", 2),
    ],
)
def test_a_filter_is_understood(policies: Any, text: str, count: int) -> None:
    """The documented forms, combined."""
    assert count == len(whole(policies, filter=text))


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("setting.type.matches('^settings/gmail\\..*$')", 400),
        ("setting.type.matches('(')", 400),
        ("setting.type == 'settings/gmail.pop_access'", 400),
        ("setting.value == 'x'", 400),
        ("(customer == 'customers/my_customer'", 400),
        ("customer == 'customers/my_customer' && customer == 'customers/C02'", 400),
        ("customer == 'customers/C02'", 403),
    ],
)
def test_a_wrong_filter_is_refused(policies: Any, text: str, code: int) -> None:
    """A backslash that stands alone in CEL, an unfinished clause, another customer."""
    assert code == failure(policies.list(filter=text))["code"]


def test_the_older_filters_are_fewer(google: GoogleStandIn, policies: Any) -> None:
    """Only && and one clause of the type; equality is another thing that may hold or not."""
    google.switch(older_filters=True, type_equality=True)

    assert 1 == len(whole(policies, filter=f"setting.type == '{ALLOWLIST}'"))
    for text in (f"{GMAIL} || {GMAIL}", f"{GMAIL} && {GMAIL}"):
        assert 400 == failure(policies.list(filter=text))["code"]


def test_a_list_may_be_refused(google: GoogleStandIn, policies: Any) -> None:
    """Not found, as for some domains in September 2026; or too often."""
    google.switch(not_found=True)
    assert "NOT_FOUND" == failure(policies.list())["status"]

    google.switch(not_found=False, min_gap_seconds=60.0, retry_after="30")
    with pytest.raises(HttpError) as caught:
        policies.list().execute()
    assert (429, "30") == (caught.value.status_code, caught.value.resp["retry-after"])

    google.switch(min_gap_seconds=0.0, reads_a_minute=3, retry_after=None)
    with pytest.raises(HttpError) as caught:
        whole(policies, pageSize=1)
    assert "retry-after" not in caught.value.resp


def test_a_policy_is_got_by_its_name(policies: Any) -> None:
    """The same as in the list; another name is not found."""
    (policy,) = allowlists(policies)

    assert policy == policies.get(name=policy["name"]).execute()
    assert 404 == failure(policies.get(name="policies/made-up"))["code"]


# The allowlist


def test_without_an_allowlist_the_other_settings_are_still_there(
    google: GoogleStandIn, policies: Any
) -> None:
    """Unless a switch leaves them out: then nothing can be told."""
    google.allowlist = None

    assert 9 == len(whole(policies, filter=GMAIL))
    google.switch(other_policies=False)
    assert [] == whole(policies, filter=GMAIL)


def test_a_saved_allowlist_takes_effect_in_its_time(
    google: GoogleStandIn, policies: Any, clock: Clock
) -> None:
    """The box keeps what was saved last."""
    google.switch(propagation=timedelta(hours=1))
    google.set_allowlist(["198.51.100.1"])
    google.set_allowlist(["198.51.100.2"])

    assert {FIELD: ["192.0.2.1"]} == shown(policies)
    clock.now += timedelta(hours=1)
    assert {FIELD: ["198.51.100.2"]} == shown(policies)
    assert ["198.51.100.2"] == google.allowlist


def test_a_later_save_overtakes_one_that_still_waits(google: GoogleStandIn, clock: Clock) -> None:
    """It does not come back."""
    google.switch(propagation=timedelta(hours=1))
    google.set_allowlist(["198.51.100.1"])
    google.switch(propagation=timedelta())
    google.set_allowlist(["198.51.100.2"])

    assert ["198.51.100.2"] == google.allowlist
    clock.now += timedelta(hours=2)
    assert ["198.51.100.2"] == google.allowlist


def test_what_a_gateway_has_is_not_added_to_the_allowlist(google: GoogleStandIn) -> None:
    """Google's help says so."""
    google.set_inbound_gateway(entries=["203.0.113.0/24"])
    google.set_allowlist(["203.0.113.0/24", "192.0.2.1"])

    assert ["192.0.2.1"] == google.allowlist


@pytest.mark.parametrize(
    ("changes", "entries", "value"),
    [
        ({}, ["192.0.2.9/24"], {FIELD: ["192.0.2.9/24"]}),
        ({"normalise": "prefix"}, ["192.0.2.9", "2001:db8::1"], {FIELD: ["192.0.2.9/32", "2001:db8::1/128"]}),
        ({"normalise": "no_prefix"}, ["192.0.2.9/32", "192.0.2.0/24"], {FIELD: ["192.0.2.9", "192.0.2.0/24"]}),
        ({"normalise": "mask"}, ["192.0.2.9/24", "192.0.2.9"], {FIELD: ["192.0.2.0/24", "192.0.2.9"]}),
        ({"normalise": "mask_and_prefix"}, ["192.0.2.9"], {FIELD: ["192.0.2.9/32"]}),
        ({"snake_case": True}, ["192.0.2.9"], {"allowed_ip_addresses": ["192.0.2.9"]}),
        ({}, [], {FIELD: []}),
        ({"empty_value": "absent"}, [], {}),
    ],
)  # fmt: skip
def test_an_allowlist_is_shown_in_each_possible_way(
    google: GoogleStandIn, policies: Any, changes: dict[str, Any], entries: list[str], value: Any
) -> None:
    """What Google makes of an entry is unknown."""
    google.switch(**changes)
    google.set_allowlist(entries)

    assert value == shown(policies)


def test_an_emptied_box_may_leave_no_policy(google: GoogleStandIn, policies: Any) -> None:
    """Nor is it known whether a policy keeps its name."""
    (before,) = allowlists(policies)
    google.switch(emptied="absent", renamed=True)
    google.set_allowlist([])
    assert [] == allowlists(policies)
    google.set_allowlist(["192.0.2.1"])

    (after,) = allowlists(policies)
    assert before["name"] != after["name"]


def test_there_may_be_more_policies_of_the_allowlist(google: GoogleStandIn, policies: Any) -> None:
    """A system default, other organisational units, groups, and policies without a unit."""
    places: tuple[Place, ...] = ("org_unit", "group", "admin_group", "no_org_unit")
    google.switch(system_default=True, also_on=places)

    found = allowlists(policies)
    queries = [one["policyQuery"] for one in found]

    assert ["ADMIN"] * 5 + ["SYSTEM"] == sorted(one["type"] for one in found)
    assert "WORKSPACE_ALL_ADMIN_GROUP" in [query.get("group") for query in queries]
    assert 1 == sum("orgUnit" not in query for query in queries)
    assert 6 == len({query["sortOrder"] for query in queries})


# policies.patch


@pytest.mark.parametrize(
    ("mutate", "code", "status"),
    [
        ("unimplemented", 501, "UNIMPLEMENTED"),
        ("bad_request", 400, "INVALID_ARGUMENT"),
        ("forbidden", 403, "PERMISSION_DENIED"),
    ],
)
def test_writing_is_refused(
    google: GoogleStandIn, policies: Any, mutate: str, code: int, status: str
) -> None:
    """By default as a method that is not there for Gmail's settings."""
    google.switch(mutate=mutate)
    (policy,) = allowlists(policies)

    error = failure(policies.patch(name=policy["name"], body=policy))
    assert (code, status) == (error["code"], error["status"])
    assert code == failure(policies.create(body=policy))["code"]


def test_a_patch_that_works_is_read_back(
    google: GoogleStandIn, policies: Any, activities: Ask
) -> None:
    """The operation is done, and the audit log knows who it was."""
    google.switch(mutate="works")

    operation = patched(policies, ["198.51.100.0/24"])

    assert operation["done"]
    assert {FIELD: ["198.51.100.0/24"]} == operation["response"]["setting"]["value"]
    assert {FIELD: ["198.51.100.0/24"]} == shown(policies)
    assert PERSON == activities()["items"][0]["actor"]["email"]


def test_a_patch_may_say_one_thing_and_do_another(
    google: GoogleStandIn, policies: Any, clock: Clock
) -> None:
    """Ignored, failed, or done later."""
    google.switch(mutate="ignored")
    assert patched(policies, ["198.51.100.1"])["done"]
    google.switch(mutate="operation_error")
    assert patched(policies, ["198.51.100.2"])["error"]["message"]
    assert {FIELD: ["192.0.2.1"]} == shown(policies)

    google.switch(mutate="pending")
    assert not patched(policies, ["198.51.100.3"])["done"]
    assert {FIELD: ["192.0.2.1"]} == shown(policies)
    clock.now += timedelta(minutes=5)
    assert {FIELD: ["198.51.100.3"]} == shown(policies)


def test_a_patch_may_be_made_and_its_answer_lost(google: GoogleStandIn, policies: Any) -> None:
    """The connection is reset afterwards."""
    google.switch(mutate="lost")

    with pytest.raises(ConnectionError):
        patched(policies, ["198.51.100.1"])
    assert {FIELD: ["198.51.100.1"]} == shown(policies)


@pytest.mark.parametrize(
    "change",
    [
        {"customer": "customers/C02"},
        {"policyQuery": {}},
        {"setting": {"type": ALLOWLIST}},
        {"setting": {"type": ALLOWLIST, "value": {}}},
        {"setting": {"type": ALLOWLIST, "value": {"allowedIps": []}}},
        {"setting": {"type": ALLOWLIST, "value": {FIELD: "192.0.2.1"}}},
        {"setting": {"type": "settings/gmail.pop_access", "value": {FIELD: []}}},
    ],
)
def test_a_patch_must_carry_the_whole_policy(
    google: GoogleStandIn, policies: Any, change: Policy
) -> None:
    """What is immutable as it is, and a value of the setting's form."""
    google.switch(mutate="works")
    (policy,) = allowlists(policies)

    request = policies.patch(name=policy["name"], body={**policy, **change})
    assert "INVALID_ARGUMENT" == failure(request)["status"]
    assert ["192.0.2.1"] == google.allowlist


def test_only_the_one_policy_can_be_written(google: GoogleStandIn, policies: Any) -> None:
    """Not another setting's, nor the allowlist's of a group."""
    google.switch(mutate="works", also_on=("group",))

    for policy in whole(policies):
        if policy["policyQuery"].get("group") or policy["setting"]["type"] != ALLOWLIST:
            assert 400 == failure(policies.patch(name=policy["name"], body=policy))["code"]
    assert 404 == failure(policies.delete(name="policies/made-up"))["code"]


def patched(policies: Any, entries: list[str]) -> Any:
    """The operation of a patch of the allowlist."""
    (policy,) = allowlists(policies)
    policy["setting"]["value"] = {FIELD: entries}
    return policies.patch(name=policy["name"], body=policy).execute(num_retries=0)


# The audit log


def test_a_save_is_in_the_audit_log(google: GoogleStandIn, activities: Ask) -> None:
    """By whom and when, in the new schema, beside what others did."""
    google.set_allowlist(["192.0.2.1", "192.0.2.2"], actor="someone@example.com")

    items = activities()["items"]
    (event,) = items[0]["events"]

    assert 3 == len(items)
    assert "2026-11-01T12:00:00.000Z" == items[0]["id"]["time"]
    assert "someone@example.com" == items[0]["actor"]["email"]
    assert ("APPLICATION_SETTINGS", "CHANGE_APPLICATION_SETTING") == (event["type"], event["name"])
    told = {one["name"]: one["value"] for one in event["parameters"]}
    assert "GmailIpWhitelistSpamFilteringProto is_empty" == told["SETTING_NAME"]
    assert ("Gmail", "false") == (told["APPLICATION_NAME"], told["NEW_VALUE"])


def test_the_older_schema_tells_the_values(google: GoogleStandIn, activities: Ask) -> None:
    """One save may be in both; its activities share time and number."""
    google.switch(audit_schema="both", audit_noise=False, audit_fields=("is_empty", "made_up"))
    google.set_allowlist(["192.0.2.1", "192.0.2.2"])

    items = activities()["items"]
    (legacy,) = activities(eventName="CHANGE_EMAIL_SETTING")["items"]
    told = {one["name"]: one["value"] for one in legacy["events"][0]["parameters"]}

    assert (3, 1) == (len(items), len({one["id"]["uniqueQualifier"] for one in items}))
    assert "EMAIL_SPAM_ALLOWLIST" == told["SETTING_NAME"]
    assert ("[192.0.2.1]", "[192.0.2.1, 192.0.2.2]") == (told["OLD_VALUE"], told["NEW_VALUE"])


def test_the_log_is_asked_by_time_name_user_and_parameter(
    google: GoogleStandIn, activities: Ask, clock: Clock
) -> None:
    """What is not meant is not given; an answer without activities has no items."""
    google.set_inbound_gateway(actor="gateway@example.com")
    clock.now += timedelta(hours=1)
    google.set_allowlist(["192.0.2.9"])

    def actors(**query: Any) -> list[str]:
        return [one["actor"]["email"] for one in activities(**query).get("items", [])]

    since = (START + timedelta(minutes=1)).isoformat().replace("+00:00", "Z")
    assert [PERSON] == actors(startTime=since)
    assert PERSON not in actors(endTime=since)
    assert ["gateway@example.com"] == actors(userKey="gateway@example.com", endTime=since)
    assert ["gateway@example.com"] == actors(filters="SETTING_NAME==INBOUND_GATEWAY")
    assert ["helpdesk@example.com"] == actors(eventName="CREATE_USER")
    assert [] == actors(applicationName="gmail", startTime=since)
    assert "items" not in activities(eventName="CHANGE_GMAIL_SETTING")


def test_the_log_comes_in_pages(google: GoogleStandIn, activities: Ask) -> None:
    """Newest first; a token holds for the same question alone."""
    google.set_allowlist(["192.0.2.9"])
    first = activities(maxResults=1)
    token = first["nextPageToken"]
    second = activities(maxResults=1, pageToken=token)

    assert PERSON == first["items"][0]["actor"]["email"]
    assert "helpdesk@example.com" == second["items"][0]["actor"]["email"]
    for wrong in ({"pageToken": token}, {"pageToken": "made-up"}):
        with pytest.raises(HttpError, match="page token"):
            activities(**wrong)


def test_an_event_comes_late(google: GoogleStandIn, activities: Ask, clock: Clock) -> None:
    """With the time at which it happened."""
    google.switch(audit_lag=timedelta(hours=3), audit_noise=False)
    google.set_allowlist(["192.0.2.9"])

    assert "items" not in activities()
    clock.now += timedelta(hours=3)
    (item,) = activities()["items"]
    assert "2026-11-01T12:00:00.000Z" == item["id"]["time"]


def test_a_question_about_the_future_is_refused(activities: Ask) -> None:
    """The start must be before the end and before now."""
    with pytest.raises(HttpError, match="Start time must be before"):
        activities(startTime="2026-12-01T00:00:00Z")


# Faults and hooks


def test_answers_can_be_scripted_for_a_path(google: GoogleStandIn, policies: Any) -> None:
    """The token endpoint is not hit by what is meant for the Policy API."""
    google.script(None, replies.exhausted(), replies.failing(), path="/v1/policies")

    policies.list().execute()
    assert (403, "RESOURCE_EXHAUSTED") == status_of(failure(policies.list()))
    assert (503, "UNAVAILABLE") == status_of(failure(policies.list()))
    policies.list().execute()


def test_something_can_be_done_just_before_a_request(google: GoogleStandIn, policies: Any) -> None:
    """Once: a person who saves between the reading and the writing."""
    google.switch(mutate="works")
    google.before("PATCH", "/v1/policies", lambda: google.set_allowlist(["192.0.2.77"]))

    patched(policies, ["198.51.100.1"])
    old = google.audit.activities[-1].parameters

    assert ["198.51.100.1"] == google.allowlist
    assert 2 == len(google.audit.activities)
    assert {"name": "OLD_VALUE", "value": "false"} in old


def test_every_answer_can_take_its_time(google: GoogleStandIn, policies: Any) -> None:
    """For measurements."""
    google.switch(latency_seconds=0.1)
    began = time.monotonic()
    policies.list().execute()

    assert time.monotonic() - began >= 0.2


# The discovery documents


def test_requests_are_held_against_the_discovery_documents(clock: Clock, tmp_path: Path) -> None:
    """Unknown paths, parameters, values and members; only while it is strict."""
    with (
        GoogleStandIn(now=lambda: clock.now) as google,
        opened(google, by_key(google, tmp_path)) as http,
    ):
        base, log = google.url, "admin/reports/v1/activity/users/all/applications"
        for path in ("v1/policy", "v1/policies?updateMask=x", "v1/policies?pageSize=x"):
            http.request(f"{base}/{path}")
        http.request(f"{base}/{log}/mail")
        http.request(f"{base}/{log}/admin?startTime=yesterday&maxResults=1001")
        body, kind = '{"etag": "x"}', {"Content-Type": "application/json"}
        http.request(f"{base}/v1/policies/x", "PATCH", body=body, headers=kind)
        google.strict = False
        http.request(f"{base}/v1/policies?updateMask=x")

    assert [
        "GET /v1/policy: no such method",
        "cloudidentity.policies.list: unknown parameter 'updateMask'",
        "cloudidentity.policies.list: parameter 'pageSize' is 'x'",
        "reports.activities.list: parameter 'applicationName' is 'mail', which is not one of its values",
    ] == google.violations[:4]
    assert ["startTime", "maxResults"] == [one.split("'")[1] for one in google.violations[4:6]]
    assert ["'etag'"] == [one.split("(")[1].split(" ")[0] for one in google.violations[6:]]


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"etag": "x"}, "$"),
        ({"type": "OWNER"}, "$.type"),
        ({"policyQuery": {"sortOrder": "1"}}, "$.policyQuery.sortOrder"),
        ({"policyQuery": {"orgUnits": []}}, "$.policyQuery"),
        ({"setting": {"value": []}}, "$.setting.value"),
        ({"setting": None}, "$.setting"),
    ],
)
def test_a_policy_of_another_shape_is_found_out(change: Policy, where: str) -> None:
    """Members, types and enumerated values; a setting's value may hold anything."""
    policy = {"type": "ADMIN", "setting": {"value": {"anything": [1]}}}
    document = discovery("cloudidentity.v1")

    assert [] == document.problems("Policy", policy)
    (problem,) = document.problems("Policy", policy | change)
    assert problem.startswith(f"{where}: ")


@pytest.mark.parametrize(
    "identity", [{"uniqueQualifier": 5}, {"uniqueQualifier": "x"}, {"time": "yesterday"}]
)
def test_an_activity_of_another_shape_is_found_out(identity: dict[str, Any]) -> None:
    """A 64-bit number is text, and a time is RFC 3339."""
    document = discovery("admin.reports_v1")
    good = {"uniqueQualifier": "-5", "time": "2026-11-01T12:00:00.000Z"}

    assert [] == document.problems("Activities", {"items": [{"id": good}]})
    assert 1 == len(document.problems("Activities", {"items": [{"id": good | identity}]}))


def test_a_wrong_answer_of_the_stand_in_itself_is_found_out(clock: Clock, tmp_path: Path) -> None:
    """The check is there for the stand-in as much as for the client."""
    with GoogleStandIn(now=lambda: clock.now) as google:
        odd = replace(google.other_policies[0], sort_order="first")  # type: ignore[arg-type]
        google.other_policies[:] = [odd]
        with opened(google, by_key(google, tmp_path)) as http:
            build("cloudidentity", "v1", http=http).policies().list().execute()

    (violation,) = google.violations
    assert (
        "cloudidentity.policies.list, the answer: $.policies[0].policyQuery.sortOrder" in violation
    )


# As a program


def test_it_can_be_run_by_itself(tmp_path: Path) -> None:
    """A line typed on its standard input is what a person pastes into the box."""
    command = [sys.executable, "-m", "tests.standins.google", "--folder", str(tmp_path)]
    with subprocess.Popen(command, stdin=PIPE, stdout=PIPE, text=True, cwd=ROOT) as program:
        assert program.stdin is not None
        assert program.stdout is not None
        try:
            url = program.stdout.readline().strip()
            program.stdin.write("gateway\n192.0.2.5, 192.0.2.6\n")
            program.stdin.flush()
            assert {FIELD: ["192.0.2.5", "192.0.2.6"]} == pasted(url, tmp_path)
        finally:
            program.send_signal(signal.SIGINT)
            program.stdin.close()
    assert 0 == program.returncode


def pasted(url: str, folder: Path) -> Any:
    """The allowlist's value, once there is one."""
    path = str(folder / "service-account.json")
    credentials = SERVICE_ACCOUNT.from_service_account_file(path, scopes=ALL_SCOPES, subject=PERSON)
    transport = google_auth_httplib2.AuthorizedHttp(credentials, http=Rewritten(url))
    with closing(transport) as http:
        policies = build("cloudidentity", "v1", http=http).policies()
        for _ in range(100):
            if found := allowlists(policies):
                return found[0]["setting"]["value"]
            time.sleep(0.05)
    return None
