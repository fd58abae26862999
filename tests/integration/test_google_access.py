"""Credentials, delegation, faults and checks at Google's services, and that nothing secret shows."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from exosync.core.ranges import IpRanges
from exosync.core.target import Check
from exosync.errors import (
    ConfigError,
    ExosyncError,
    TargetDenied,
    TargetError,
    TargetUnreachable,
)
from exosync_adapters.google_workspace import libraries
from tests.standins import google_replies as replies
from tests.standins.google_auth import SOURCE
from tests.standins.google_switches import (
    ADMIN_SDK,
    CLOUD_IDENTITY,
    IAM_CREDENTIALS,
    READ_AUDIT,
    READ_POLICIES,
    Switches,
)
from tests.standins.web import Reply
from tests.support.google_bench import (
    ACCOUNT,
    AUDIT,
    FIRST,
    FOREIGN,
    LIST,
    SIGN,
    TOKEN,
    Bench,
    Make,
    benches,
    header,
)

KEYLESS = {"kind": "keyless", "service_account": ACCOUNT}
KEY = (
    '{"type": "service_account", "client_email": "a@b.example", "private_key": "SECRETSECRET", '
    '"token_uri": "URL"}'
)


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    """Make benches."""
    with benches(tmp_path) as made:
        yield made


# Who asks


def test_keyless_credentials_sign_without_a_key(
    make: Make, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The machine's own token, a signature for the service account, its token: then the list."""
    bench = make({"allowlist": FIRST}, credentials=KEYLESS)
    file = bench.google.source_credentials_file(tmp_path)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(file))

    assert IpRanges.parse(FIRST) == bench.look().detail.found.ranges
    assert [TOKEN, f"{SIGN}{ACCOUNT}:signJwt", TOKEN, LIST] == bench.calls()


def test_application_default_credentials_act_for_the_administrator(
    make: Make, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A key that the environment names is used with the subject."""
    bench = make({"allowlist": FIRST}, credentials={"kind": "default"})
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(bench.google.key_file(tmp_path)))

    assert IpRanges.parse(FIRST) == bench.look().detail.found.ranges
    assert [TOKEN, LIST] == bench.calls()


def test_a_persons_own_credentials_are_not_said_to_act_for_somebody(
    make: Make, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """They must be the administrator's; that is not called proven."""
    bench = make({"allowlist": FIRST}, credentials={"kind": "default"})
    file = bench.google.source_credentials_file(tmp_path)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(file))

    (told,) = [one for one in bench.target.check() if one.name == "credentials"]

    assert None is told.ok
    assert "cannot act for postmaster@example.com" in told.message


def test_requests_tell_who_asks(make: Make) -> None:
    """Tokens and lists alike."""
    bench = make({"allowlist": FIRST})

    bench.look()

    agents = {header(one, "user-agent").partition("/")[0] for one in bench.google.requests}
    assert {"exosync"} == agents


def test_a_machine_without_credentials_is_told_so(
    make: Make, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """With what to do about it."""
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "missing.json"))
    bench = make(credentials={"kind": "default"})

    with pytest.raises(TargetDenied, match="GOOGLE_APPLICATION_CREDENTIALS"):
        bench.look()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("not json", "is not JSON"),
        ('{"type": "authorized_user"}', "must be service_account"),
        ('{"type": "service_account", "client_email": "a@b.example"}', "lacks private_key"),
        (KEY.replace("URL", "https://oauth2.googleapis.com/token"), "cannot be read"),
        (KEY.replace("URL", "http://evil.example/token"), "token_uri"),
    ],
)
def test_a_key_that_is_none_is_refused_without_showing_it(
    make: Make, tmp_path: Path, text: str, told: str
) -> None:
    """Nothing of the file's text is in the message."""
    bench = make()
    (tmp_path / "service-account.json").write_text(text)

    with pytest.raises(ConfigError, match=told) as caught:
        bench.look()

    assert "SECRET" not in str(caught.value)
    assert [] == bench.calls()


def test_an_undelegated_scope_is_told_with_client_scope_and_place(make: Make) -> None:
    """The numeric client id of the key, the exact scope, and where to grant it."""
    bench = make({"delegated": [READ_AUDIT]})

    with pytest.raises(TargetDenied) as caught:
        bench.look()

    told = str(caught.value)
    assert "client id 1" in told
    assert "exosync@project.iam.gserviceaccount.com" in told
    assert READ_POLICIES in told
    assert "Domain-wide delegation" in told


def test_keyless_delegation_names_the_account_where_its_number_is_unknown(
    make: Make, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """And where that number stands."""
    bench = make({"delegated": []}, credentials=KEYLESS)
    file = bench.google.source_credentials_file(tmp_path)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(file))

    with pytest.raises(TargetDenied, match=f"numeric client id of {ACCOUNT}.*OAuth 2 Client ID"):
        bench.look()


@pytest.mark.parametrize(
    ("switches", "told"),
    [
        (Switches(token_creator=False), "roles/iam.serviceAccountTokenCreator"),
        (Switches(source_revoked=True), "log in again"),
        (Switches(disabled_apis=(IAM_CREDENTIALS,)), "iamcredentials.googleapis.com"),
    ],
)
def test_what_keyless_credentials_lack_is_told(
    make: Make,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    switches: Switches,
    told: str,
) -> None:
    """Each with what to do."""
    bench = make({"switches": switches}, credentials=KEYLESS)
    file = bench.google.source_credentials_file(tmp_path)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(file))

    with pytest.raises(TargetDenied, match=told):
        bench.look()


@pytest.mark.parametrize(
    ("standin", "settings", "told"),
    [
        ({"super_admin": False}, {}, "must be a super administrator"),
        ({}, {"admin": "nobody@example.com"}, "no user nobody@example.com"),
        (
            {"switches": Switches(disabled_apis=(CLOUD_IDENTITY,))},
            {},
            "not enabled in projects/123456789012: enable cloudidentity.googleapis.com",
        ),
        ({"switches": Switches(clock_error=timedelta(hours=2))}, {}, "clock is wrong"),
    ],
)
def test_what_is_missing_is_told_with_what_to_do(
    make: Make, standin: dict[str, Any], settings: dict[str, Any], told: str
) -> None:
    """A person who reads it knows where to go."""
    bench = make(standin, **settings)

    with pytest.raises(TargetDenied, match=told):
        bench.look()


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ("Invalid JWT Signature.", "was deleted or disabled"),
        ("Invalid grant: account not found", f"no service account {ACCOUNT}"),
        ("Something new.", "gives no token.*Something new"),
    ],
)
def test_a_grant_that_does_not_hold_is_told(make: Make, answer: str, told: str) -> None:
    """In Google's words if there are none of ours."""
    bench = make()
    bench.google.script(replies.invalid_grant(answer), path="/token")

    with pytest.raises(TargetDenied, match=told):
        bench.look()


def test_another_customer_is_refused(make: Make) -> None:
    """The administrator is not one of that customer."""
    bench = make(customer="C09zzzzzz")

    with pytest.raises(TargetDenied, match="super administrator"):
        bench.look()


def test_the_own_customer_is_found(make: Make) -> None:
    """my_customer is the administrator's; the answer tells its id."""
    bench = make({"allowlist": FIRST}, customer="my_customer")

    assert "C01abcdef" == bench.look().detail.found.customer


# Trouble


def test_being_asked_to_wait_is_heeded(make: Make) -> None:
    """Retry-After, as seconds; then it goes on."""
    bench = make({"allowlist": FIRST})
    bench.google.script(replies.too_many_requests("7"), path="/v1/policies")

    assert IpRanges.parse(FIRST) == bench.look().detail.found.ranges
    assert [7.0] == bench.pauses


PASSING = (
    replies.too_many_requests(),
    replies.failing(500),
    replies.failing(503),
    replies.reset(),
    replies.truncated(b'{"policies": []}'),
)


@pytest.mark.parametrize(
    ("path", "reply"),
    [
        *(("/v1/policies", reply) for reply in (*PASSING, replies.exhausted())),
        *(("/token", reply) for reply in PASSING),
    ],
)
def test_passing_trouble_is_waited_out(make: Make, path: str, reply: Any) -> None:
    """At the list and at the token alike, without a real pause."""
    bench = make({"allowlist": FIRST})
    bench.google.script(reply, path=path)

    assert IpRanges.parse(FIRST) == bench.look().detail.found.ranges
    assert 1 == len(bench.pauses)


@pytest.mark.parametrize(
    ("reply", "attempts"), [(replies.too_many_requests(), 4), (replies.failing(503), 3)]
)
def test_lasting_trouble_is_left_to_the_next_run(make: Make, reply: Any, attempts: int) -> None:
    """After a few attempts."""
    bench = make({"allowlist": FIRST})
    bench.google.script(*[reply] * 9, path="/v1/policies")

    with pytest.raises(TargetUnreachable):
        bench.look()
    assert attempts == bench.calls().count(LIST)


def test_a_long_wait_is_not_waited(make: Make) -> None:
    """Ten minutes are for the next run."""
    bench = make({"allowlist": FIRST})
    bench.google.script(replies.too_many_requests("600"), path="/v1/policies")

    with pytest.raises(TargetUnreachable):
        bench.look()
    assert [] == bench.pauses


def test_silence_ends_at_the_timeout(make: Make) -> None:
    """Each attempt is given the time that is configured."""
    bench = make({"allowlist": FIRST}, timeout="1s")
    bench.google.script(*[replies.hang()] * 3, path="/v1/policies")

    with pytest.raises(TargetUnreachable, match="no answer"):
        bench.look()


@pytest.mark.parametrize(
    ("reply", "error", "told"),
    [
        (replies.html(), TargetError, "not JSON"),
        (replies.html(302), TargetError, "status 302.*proxy"),
        (replies.html(403), TargetError, "status 403.*proxy on the way, and at url"),
        (replies.html(404), TargetError, "proxy"),
        (replies.entity_not_found(), TargetError, "fault of its own"),
        (replies.error(400, "bad"), TargetError, "bad"),
        (replies.scope_missing(CLOUD_IDENTITY), TargetDenied, "not for the scope"),
    ],
)
def test_answers_that_are_none_are_told(
    make: Make, reply: Any, error: type[ExosyncError], told: str
) -> None:
    """At once, without asking again."""
    bench = make({"allowlist": FIRST})
    bench.google.script(reply, path="/v1/policies")

    with pytest.raises(error, match=told):
        bench.look()
    assert [] == bench.pauses


SQUID = b"<html><title>ERR_ACCESS_DENIED</title> Access_denied, try again, retryable"


@pytest.mark.parametrize(
    "reply",
    [
        *(Reply(status, {}, SQUID) for status in (200, 302, 403, 407)),
        Reply(302, {}, b""),
        *(Reply(200, {}, body) for body in (b"[]", b'"a text"', b"7", b"null")),
    ],
)
@pytest.mark.parametrize("path", ["/token", "/v1/projects"])
def test_what_answers_in_place_of_the_token_service_is_told(
    make: Make, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, reply: Reply, path: str
) -> None:
    """Its words are not taken for Google's, and nothing breaks on them."""
    bench = make({"allowlist": FIRST}, credentials=KEYLESS)
    file = bench.google.source_credentials_file(tmp_path)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(file))
    bench.google.script(reply, path=path)

    with pytest.raises(TargetError, match="proxy"):
        bench.look()


def test_a_token_that_cannot_be_renewed_is_told(make: Make) -> None:
    """By the same ways as the first one."""
    bench = make({"allowlist": FIRST})
    bench.look()
    bench.google.expire_tokens()
    bench.google.script(replies.failing(503), path="/token")
    bench.google.script(replies.no_token(sent=True), path="/v1/policies")

    assert IpRanges.parse(FIRST) == bench.look().detail.found.ranges
    assert [1.0] == bench.pauses


def test_a_token_that_never_holds_is_renewed_once(make: Make) -> None:
    """Then it is told."""
    bench = make({"allowlist": FIRST})
    bench.google.script(*[replies.no_token(sent=True)] * 9, path="/v1/policies")

    with pytest.raises(TargetDenied, match="does not take the token"):
        bench.look()
    assert [TOKEN, LIST, TOKEN, LIST] == bench.calls()


def test_a_token_that_dies_between_reading_and_reading_is_renewed(make: Make) -> None:
    """The answer is 401; another token is got once."""
    bench = make({"allowlist": FIRST})
    bench.look()
    bench.calls()
    bench.google.expire_tokens()

    bench.verify(*FIRST)

    assert [LIST, TOKEN, LIST] == bench.calls()


def test_each_thread_has_a_service_of_its_own(make: Make) -> None:
    """httplib2 is not thread-safe: each gets its own connection and token."""
    bench = make({"allowlist": FIRST})
    seen: list[IpRanges] = []

    def ask() -> None:
        seen.append(bench.target.observe().detail.found.ranges)

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()

    assert [IpRanges.parse(FIRST)] * 3 == seen
    assert 3 == bench.calls().count(TOKEN)


def test_no_failure_shows_a_secret(make: Make, tmp_path: Path) -> None:
    """Neither key, nor assertion, nor token, even where the answer repeats them."""
    bench = make({"allowlist": FIRST}, write="probe")
    bench.look()
    sent = [one for one in bench.google.requests if one.path == "/token"][-1].body.decode()
    assertion = sent.partition("assertion=")[2].partition("&")[0]
    bearer = header(bench.google.requests[-1], "authorization").partition(" ")[2]
    told = []
    for reply in (
        replies.error(400, f"bad token {bearer}"),
        replies.error(403, f"bad assertion {assertion}"),
        replies.error(404, bearer),
        replies.error(501, assertion),
    ):
        bench.google.script(reply, path="/v1/policies")
        with pytest.raises(ExosyncError) as caught:
            bench.look()
        told.append(str(caught.value) + repr(caught.value.__cause__))
    bench.google.expire_tokens()
    bench.google.script(replies.invalid_grant(f"bad {assertion}"), path="/token")
    with pytest.raises(ExosyncError) as caught:
        bench.made().observe()
    told.append(str(caught.value) + repr(caught.value.__cause__))

    whole = "\n".join(told)
    for secret in (assertion, bearer, assertion[:60], SOURCE["client_secret"], "PRIVATE KEY"):
        assert secret not in whole


# Checks


def checks(bench: Bench) -> dict[str, bool | None]:
    """The results of `check`, by name; the last of a name counts."""
    return {one.name: one.ok for one in bench.target.check()}


def test_a_check_tries_everything_and_writes_nothing(make: Make) -> None:
    """Libraries, credentials, each scope, both APIs, administrator, customer and list."""
    bench = make({"allowlist": [FOREIGN]})

    assert {
        "libraries": True,
        "credentials": True,
        "scope cloud-identity.policies.readonly": True,
        "Cloud Identity API": True,
        "administrator": True,
        "customer": True,
        "email allowlist": True,
        "scope admin.reports.audit.readonly": True,
        "Admin SDK API": True,
        "not tried": None,
    } == checks(bench)
    assert [TOKEN, LIST, TOKEN, AUDIT] == bench.calls()


@pytest.mark.parametrize(
    ("standin", "wrong"),
    [
        ({"delegated": []}, "scope cloud-identity.policies.readonly"),
        ({"super_admin": False}, "Cloud Identity API"),
        ({"switches": Switches(disabled_apis=(CLOUD_IDENTITY,))}, "Cloud Identity API"),
        ({"switches": Switches(other_policies=False)}, "email allowlist"),
    ],
)
def test_a_check_tells_what_is_missing(make: Make, standin: dict[str, Any], wrong: str) -> None:
    """And goes on with what can still be tried."""
    found = checks(make(standin))

    assert {wrong} == {name for name, ok in found.items() if ok is False}
    assert "not tried" in found


def test_a_check_of_the_audit_log_only_warns(make: Make) -> None:
    """It supports and is not needed."""
    found = checks(make({"allowlist": FIRST, "delegated": [READ_POLICIES]}))

    assert None is found["scope admin.reports.audit.readonly"]
    assert False not in found.values()


def test_a_check_without_a_usable_key_says_so(make: Make, tmp_path: Path) -> None:
    """Before anything is asked."""
    bench = make()
    (tmp_path / "service-account.json").write_text("{}")

    assert False is checks(bench)["credentials"]
    assert [] == bench.calls()


def test_a_check_of_a_gateway_says_that_nothing_can_be_tried(make: Make) -> None:
    """Without the audit log there is nothing to ask."""
    bench = make(setting="inbound_gateway", audit=False, credentials=None)

    (only,) = bench.target.check()

    assert isinstance(only, Check)
    assert "no API" in only.message


def test_missing_libraries_are_told_with_the_extra_to_install(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a run and by a check alike."""
    bench = make({"allowlist": FIRST})
    libraries.load.cache_clear()
    monkeypatch.setitem(sys.modules, "google_auth_httplib2", None)
    try:
        found = list(bench.target.check())
        with pytest.raises(ConfigError, match=r"pip install 'exosync\[google\]'"):
            bench.look()
    finally:
        libraries.load.cache_clear()

    assert [("libraries", False)] == [(one.name, one.ok) for one in found]
    assert [] == bench.calls()


def test_a_check_tells_of_the_own_customer_and_of_an_empty_list(make: Make) -> None:
    """What my_customer stands for, and that there is no list yet."""
    bench = make({"allowlist": None}, customer="my_customer")

    told = {one.name: one.message for one in bench.target.check()}

    assert "is C01abcdef" == told["customer"]
    assert "an empty one" in told["email allowlist"]


def test_a_check_tells_what_is_strange_about_the_list(make: Make) -> None:
    """Entries that are none, and lists at several places."""
    switches = Switches(also_on=("org_unit",))
    bench = make({"allowlist": ["mail.example", "8.8.8.8/24"], "switches": switches})

    told = [one.message for one in bench.target.check() if one.ok is None]

    for words in ("set 2 times", "no addresses", "inside their range"):
        assert any(words in one for one in told)


def test_a_check_of_a_gateway_tries_the_audit_log_alone(make: Make) -> None:
    """It needs no other scope."""
    bench = make({"delegated": [READ_AUDIT]}, setting="inbound_gateway")

    assert {
        "libraries": True,
        "credentials": True,
        "scope admin.reports.audit.readonly": True,
        "Admin SDK API": True,
        "not tried": None,
    } == checks(bench)
    assert [TOKEN, AUDIT] == bench.calls()


def test_a_check_of_an_audit_log_that_is_not_enabled_only_warns(make: Make) -> None:
    """With what to enable."""
    bench = make({"allowlist": FIRST, "switches": Switches(disabled_apis=(ADMIN_SDK,))})

    found = {one.name: one for one in bench.target.check()}

    assert None is found["Admin SDK API"].ok
    assert "enable admin.googleapis.com" in found["Admin SDK API"].message


def test_a_check_of_a_target_that_may_write_says_that_it_was_not_tried(make: Make) -> None:
    """A check changes nothing."""
    found = {one.name: one for one in make({"allowlist": FIRST}, write="probe").target.check()}

    assert True is found["scope cloud-identity.policies"].ok
    assert "only when it is to be changed" in found["not tried"].message
