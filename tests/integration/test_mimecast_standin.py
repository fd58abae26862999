"""The stand-in of Mimecast keeps the schemas, and each of its switches does what it says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest
import requests

from tests.standins.mimecast import MimecastStandIn, Switches, seed_thousands
from tests.standins.mimecast_schemas import check
from tests.standins.mimecast_switches import (
    ALL_PRODUCTS,
    ALL_ROLES,
    CLOUD_GATEWAY,
    POLICY_MANAGEMENT,
    READ_ONLY,
)
from tests.standins.web import Reply

POLICIES = "/policy-management/cloud-gateway/v1/anti-spoofing/policies"
BYPASSES = POLICIES.replace("anti-spoofing", "anti-spoofing-bypass")
SENDERS = "/api/managedsender/permit-or-block-sender"
COMPAT = "/api/policy/antispoofing-bypass"
OUTBOUND = "/email/cloud-gateway/v1/outbound-ip-addresses"
START = datetime(2026, 11, 25, 12, tzinfo=UTC)
WRITTEN: dict[str, Any] = {
    "description": "exosync mail 1",
    "option": "no_action",
    "fromPart": "both",
    "from": {"type": "email_domain", "domain": "example.com"},
    "to": {"type": "internal_addresses"},
    "override": True,
    "sourceIPs": ["40.92.0.0/15", "40.107.0.0/16", "192.0.2.7/32"],
}


@dataclass(slots=True)
class Clock:
    """A time that tests move."""

    time: datetime = START

    def __call__(self) -> datetime:
        """The time."""
        return self.time

    def pass_by(self, seconds: float) -> None:
        """Let time pass."""
        self.time += timedelta(seconds=seconds)


@dataclass(slots=True)
class Caller:
    """An application that calls an account."""

    account: MimecastStandIn
    clock: Clock
    session: requests.Session
    headers: dict[str, str] = field(default_factory=dict)

    def log_in(self, secret: str = "the-secret-of-mimecast", status: int = 200) -> Any:
        """Fetch a token, and use it from now on."""
        form = {"client_id": "the-id", "client_secret": secret, "grant_type": "client_credentials"}
        answer = self.session.post(f"{self.account.url}/oauth/token", data=form, timeout=60)
        assert status == answer.status_code
        found = answer.json()
        self.headers["Authorization"] = f"Bearer {found.get('access_token')}"
        return found

    def ask(self, method: str, path: str, body: Any = None, **query: Any) -> requests.Response:
        """Any answer to a call."""
        return self.session.request(
            method,
            self.account.url + path,
            json=body,
            params=query,
            headers=self.headers,
            timeout=60,
        )

    def call(
        self, method: str, path: str, body: Any = None, status: int = 200, **query: Any
    ) -> Any:
        """The JSON of an answer with a status."""
        answer = self.ask(method, path, body, **query)
        assert status == answer.status_code, answer.text
        return answer.json() if answer.content else None

    def create(self, **changed: Any) -> str:
        """Make a policy; gives the path of its id."""
        made = self.call("POST", POLICIES, {**WRITTEN, **changed}, 201)
        check("create-answer", made)
        return f"{POLICIES}/{quote(next(iter(made.values())), safe='')}"

    def read(self, path: str) -> Any:
        """A policy."""
        found = self.call("GET", path)
        check("policy-read", found)
        return found


Connect = Callable[..., Caller]


@pytest.fixture
def connect() -> Iterator[Connect]:
    """Makes an account with some switches, and an application that has a token for it."""
    accounts: list[MimecastStandIn] = []
    with requests.Session() as session:
        session.trust_env = False

        def made(*, log_in: bool = True, roles: Any = ALL_ROLES, **rest: Any) -> Caller:
            clock = Clock()
            products = rest.pop("products", ALL_PRODUCTS)
            account = MimecastStandIn(
                roles=roles, products=products, switches=Switches(**rest), now=clock
            )
            accounts.append(account.__enter__())
            caller = Caller(account, clock, session)
            if log_in:
                caller.log_in()
            return caller

        yield made
        for account in accounts:
            account.__exit__()


def test_a_token_is_given_for_the_right_secret(connect: Connect) -> None:
    """Its answer keeps the schema, and so does the refusal of a wrong secret."""
    caller = connect(log_in=False, token_life_seconds=900)

    given = caller.log_in()
    check("token-answer", given)
    assert 900 == given["expires_in"]
    check("token-error", caller.log_in("guessed", 401))
    caller.account.switch(token_error="fail")
    check("token-error", caller.log_in("guessed", 401))


@pytest.mark.parametrize("of_age", [True, False])
def test_a_token_dies(connect: Connect, *, of_age: bool) -> None:
    """Of age, or when a test wants it: 401 with a code of its own."""
    caller = connect()
    caller.clock.pass_by(1799)
    caller.call("GET", POLICIES)

    if of_age:
        caller.clock.pass_by(1)
    else:
        caller.account.expire_tokens()

    refusal = caller.call("GET", POLICIES, status=401)
    check("fail-flat", refusal)
    assert "token_expired" == refusal["fail"][0]["code"]
    caller.log_in()
    caller.call("GET", POLICIES)


def test_without_a_token_nothing_is_told(connect: Connect) -> None:
    """An unknown one is no token."""
    check("fail-flat", connect(log_in=False).call("GET", POLICIES, status=401))


@pytest.mark.parametrize(
    ("method", "path", "rest"),
    [
        ("POST", POLICIES, {"roles": READ_ONLY}),
        ("PUT", OUTBOUND, {"roles": READ_ONLY}),
        ("GET", POLICIES, {"products": {CLOUD_GATEWAY}}),
        ("POST", SENDERS, {"products": {POLICY_MANAGEMENT}}),
        ("GET", "/policy-management/cloud-gateway/v1/permitted-senders/policies", {}),
    ],
)
def test_what_is_not_allowed_looks_like_what_is_not_there(
    connect: Connect, method: str, path: str, rest: dict[str, Any]
) -> None:
    """Role, product and route: the same answer, with the status of the switch."""
    caller = connect(app_forbidden_status=404, **rest)

    refusal = caller.call(method, path, {} if method != "GET" else None, 404)

    check("fail-flat", refusal)
    assert "app_forbidden" == refusal["fail"][0]["code"]


def test_a_policy_is_written_in_one_form_and_read_in_another(connect: Connect) -> None:
    """An id alone is answered; a group's id reads as a group; what was left out has a value."""
    caller = connect()

    path = caller.create(**{"from": {"type": "profile_group", "groupId": "staff"}})
    found = caller.read(path)

    assert {"type": "profile_group", "group": {"id": "staff"}} == found["from"]
    assert WRITTEN["sourceIPs"] == found["sourceIPs"]
    assert [] == found["hostnames"]
    assert (True, True, False) == tuple(
        found[name] for name in ("enabled", "override", "bidirectional")
    )


def test_a_patch_changes_what_it_names(connect: Connect) -> None:
    """And a policy that was deleted is not found any more."""
    caller = connect()
    path = caller.create()
    before = caller.read(path)

    caller.call("PATCH", path, {"sourceIPs": ["198.51.100.0/24"]}, 204)

    assert {**before, "sourceIPs": ["198.51.100.0/24"]} == caller.read(path)
    caller.call("DELETE", path, status=204)
    check("fail-flat", caller.call("GET", path, status=404))
    check("fail-flat", caller.call("PATCH", path, {"enabled": False}, 404))
    assert [] == caller.account.policies["anti-spoofing"]


def test_an_id_must_be_quoted(connect: Connect) -> None:
    """It holds a slash, so unquoted it leads to no known route."""
    caller = connect()
    path = caller.create()
    policy_id = caller.account.policies["anti-spoofing"][0].id

    assert set("+/=") <= set(policy_id)
    assert policy_id not in path
    assert "app_forbidden" in str(caller.call("GET", f"{POLICIES}/{policy_id}", status=403))
    assert f"GET {POLICIES}/{policy_id}" == caller.account.calls()[-1]


def test_a_bypass_has_domains_and_no_addresses(connect: Connect) -> None:
    """Ranges are refused by the schema, and passed over by an account that is not strict."""
    caller = connect()
    body = {
        "description": "x",
        "option": "enable_bypass",
        "from": {"type": "everyone"},
        "to": {"type": "everyone"},
        "spfDomains": ["example.com"],
    }

    caller.call("POST", BYPASSES, {**body, "sourceIPs": ["192.0.2.0/24"]}, 400)
    assert "sourceIPs" in caller.account.violations[0]
    caller.account.strict = False
    caller.call("POST", BYPASSES, {**body, "sourceIPs": ["192.0.2.0/24"]}, 201)

    (found,) = caller.call("GET", BYPASSES)["definitions"]
    check("policy-read", found)
    assert ["example.com"] == found["spfDomains"]
    assert "sourceIPs" not in found


@pytest.mark.parametrize("wrapper", ["definitions", "policies"])
@pytest.mark.parametrize(
    "place",
    [
        "meta.nextPage",
        "meta.nextPageToken",
        "meta.pagination.next",
        "meta.pagination.nextPage",
        "meta.pagination.nextPageToken",
        "nextToken",
        "next_token",
    ],
)
def test_a_list_comes_in_pages(connect: Connect, wrapper: str, place: str) -> None:
    """Each wrapper, each place of the next token; the last page has none."""
    caller = connect(list_wrapper=wrapper, next_token_place=place)
    seed_thousands(caller.account, 5)

    pages, query = [], {"pageSize": 2}
    while True:
        page = caller.call("GET", POLICIES, **query)
        check("policy-list", page)
        pages.append([one["description"] for one in page[wrapper]])
        token: Any = page
        for name in place.split("."):
            token = (token or {}).get(name)
        if token is None:
            break
        query["pageToken"] = token

    assert [["Branch 0", "Branch 1"], ["Branch 2", "Branch 3"], ["Branch 4"]] == pages


def test_a_list_can_be_bare_or_end_in_an_empty_page(connect: Connect) -> None:
    """A bare one comes whole."""
    caller = connect(list_wrapper="bare")
    seed_thousands(caller.account, 3)

    found = caller.call("GET", POLICIES, pageSize=2)
    check("policy-list", found)
    assert 3 == len(found)
    caller.account.switch(list_wrapper="policies", last_page_empty=True)
    last = caller.call("GET", POLICIES, pageSize=3)
    token = last["meta"]["nextPage"]
    assert {"policies": []} == caller.call("GET", POLICIES, pageSize=3, pageToken=token)


@pytest.mark.parametrize("query", [{"pageSize": 101}, {"pageSize": 0}, {"pageToken": "?"}])
def test_a_page_that_cannot_be_is_refused(connect: Connect, query: dict[str, Any]) -> None:
    """With the name of what is wrong."""
    refusal = connect().call("GET", POLICIES, status=400, **query)

    assert next(iter(query)) in refusal["fail"][0]["message"]


@pytest.mark.parametrize(
    ("ranges", "switches", "told"),
    [
        (["192.0.2.0/24", "40.92.0.0/15"], {"prefix_limit": 24}, "wider than /24"),
        (["192.0.2.0/24", "2a01:111:f400::/48"], {}, "not IPv4"),
        (["192.0.2.0/24", "192.0.2.7"], {}, "no prefix length"),
        (["192.0.2.0/24", "192.0.2.7/24"], {}, "beyond its prefix"),
        (["192.0.2.0/24", "example.com"], {}, "not an address range"),
        (["192.0.2.0/24", "198.51.100.0/24"], {"max_source_ips": 1}, "at most 1"),
    ],
)
def test_a_range_may_be_refused(
    connect: Connect, ranges: list[str], switches: dict[str, Any], told: str
) -> None:
    """The error names the field, and nothing was made."""
    caller = connect(**switches)

    refusal = caller.call("POST", POLICIES, {**WRITTEN, "sourceIPs": ranges}, 400)

    check("fail-flat", refusal)
    assert told in refusal["fail"][0]["message"]
    assert "sourceIPs" in refusal["fail"][0]["message"]
    assert [] == caller.account.policies["anti-spoofing"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("option", "permit_sender"),
        ("fromPart", "subject"),
        ("from", {"type": "domain"}),
        ("to", {"type": "email_domain"}),
        ("toDateTime", "tomorrow"),
    ],
)
def test_what_a_policy_cannot_say_is_refused(connect: Connect, field: str, value: Any) -> None:
    """By an account that is not strict too: it is the function that says so."""
    caller = connect()
    caller.account.strict = False

    refusal = caller.call("POST", POLICIES, {**WRITTEN, field: value}, 400)

    assert refusal["fail"][0]["message"].startswith(field)
    assert [] == caller.account.violations


def test_an_account_can_take_what_others_refuse(connect: Connect) -> None:
    """Each limit is a switch."""
    caller = connect(ipv4_only=False, suffix_required=False, host_bits_refused=False)
    ranges = ["2a01:111:f400::/48", "192.0.2.7", "192.0.2.7/24"]

    assert ranges == caller.read(caller.create(sourceIPs=ranges))["sourceIPs"]


@pytest.mark.parametrize(
    ("shape", "schema", "status"),
    [
        ("fail_flat", "fail-flat", 400),
        ("fail_nested_200", "fail-nested", 200),
        ("message", "error-other", 400),
        ("error", "error-other", 400),
        ("failures", "error-other", 400),
        ("errors", "error-other", 400),
    ],
)
def test_an_error_has_the_shape_of_the_account(
    connect: Connect, shape: str, schema: str, status: int
) -> None:
    """Each of them names the field somewhere."""
    caller = connect(error_shape=shape)

    refusal = caller.call("POST", POLICIES, {**WRITTEN, "sourceIPs": ["::/0"]}, status)

    check(schema, refusal)
    assert "sourceIPs[0]" in str(refusal)


@pytest.mark.parametrize(
    ("switches", "expected"),
    [
        ({"strip_suffix_32": True}, ["40.92.0.0/15", "40.107.0.0/16", "192.0.2.7"]),
        ({"reorder_lists": True}, ["40.107.0.0/16", "192.0.2.7/32", "40.92.0.0/15"]),
        ({"reorder_lists": True}, ["192.0.2.7/32", "40.92.0.0/15", "40.107.0.0/16"]),
    ],
)
def test_ranges_may_read_back_in_other_words(
    connect: Connect, switches: dict[str, Any], expected: list[str]
) -> None:
    """A bare address, or another order from reading to reading."""
    caller = connect(**switches)
    path = caller.create()

    readings = [caller.read(path)["sourceIPs"] for _ in range(3)]

    assert expected in readings
    assert WRITTEN["sourceIPs"] not in readings


@pytest.mark.parametrize(("empty", "shown"), [("[]", [[]]), ("null", [None]), ("absent", [])])
def test_an_empty_list_reads_in_three_ways(connect: Connect, empty: str, shown: list[Any]) -> None:
    """Empty, null, or not at all."""
    caller = connect(empty_as=empty)

    found = caller.read(caller.create())

    assert shown == [found[name] for name in ("hostnames",) if name in found]


@pytest.mark.parametrize(
    ("form", "since", "until"),
    [
        ("offset", "1900-01-01T00:00:00+0000", "2026-12-01T08:30:00+0000"),
        ("zulu", "1900-01-01T00:00:00Z", "2026-12-01T08:30:00Z"),
        ("date", "1900-01-01", "2026-12-01"),
    ],
)
def test_times_read_in_three_ways(connect: Connect, form: str, since: str, until: str) -> None:
    """However they were written."""
    caller = connect(time_format=form)
    ends = {"toEternal": False, "toDateTime": "2026-12-01T08:30:00Z"}

    found = caller.read(caller.create(**ends))

    assert (since, until) == (found["fromDateTime"], found["toDateTime"])


@pytest.mark.parametrize("old_ids_work", [True, False])
def test_ids_may_read_differently_later(connect: Connect, *, old_ids_work: bool) -> None:
    """Each listing gives new ones; whether the old ones still work is a switch."""
    caller = connect(rotate_ids=True, old_ids_work=old_ids_work)
    path = caller.create()

    first, second = (caller.call("GET", POLICIES)["definitions"][0]["id"] for _ in range(2))

    assert first != second
    assert (200 if old_ids_work else 404) == caller.ask("GET", path).status_code
    assert second == caller.read(f"{POLICIES}/{quote(second, safe='')}")["id"]


def test_a_change_may_show_late(connect: Connect) -> None:
    """A new policy, a change and a deletion: the account holds them, answers do not."""
    caller = connect(delay_seconds=300)
    path = caller.create()
    assert [] == caller.call("GET", POLICIES)["definitions"]
    assert 404 == caller.ask("GET", path).status_code

    caller.clock.pass_by(300)
    caller.call("PATCH", path, {"enabled": False}, 204)
    assert caller.read(path)["enabled"]
    assert not caller.account.policies["anti-spoofing"][0].enabled

    caller.clock.pass_by(300)
    caller.call("DELETE", path, status=204)
    assert not caller.read(path)["enabled"]
    caller.clock.pass_by(300)
    assert [] == caller.call("GET", POLICIES)["definitions"]


@pytest.mark.parametrize(
    ("switch", "method", "body"),
    [
        ("post_commits_then_drops", "POST", WRITTEN),
        ("patch_commits_then_drops", "PATCH", {"enabled": False}),
        ("delete_commits_then_drops", "DELETE", None),
    ],
)
def test_a_write_may_be_carried_out_and_not_answered(
    connect: Connect, switch: str, method: str, body: Any
) -> None:
    """As often as the switch says, then it is answered again."""
    caller = connect()
    path = POLICIES if method == "POST" else caller.create()
    before = caller.account.policies
    caller.account.switch(**{switch: 1})

    with pytest.raises(requests.ConnectionError):
        caller.ask(method, path, body)

    assert before != caller.account.policies
    assert caller.ask(method, path, body).status_code in (201, 204, 404)


@pytest.mark.parametrize(("header", "told"), [("milliseconds", "1500"), ("absent", None)])
def test_one_call_too_many_is_not_carried_out(
    connect: Connect, header: str, told: str | None
) -> None:
    """The quota is per function; the header says milliseconds, or is not there."""
    caller = connect(rate_limit=1, rate_window_seconds=2, rate_reset_header=header)
    allowed = caller.ask("POST", POLICIES, WRITTEN)
    assert "X-RateLimit-Reset" not in allowed.headers
    caller.clock.pass_by(0.5)

    refused = caller.ask("POST", POLICIES, WRITTEN)

    assert 429 == refused.status_code
    check("fail-flat", refused.json())
    assert told == refused.headers.get("X-RateLimit-Reset")
    assert 1 == len(caller.account.policies["anti-spoofing"])
    caller.call("GET", POLICIES)
    caller.clock.pass_by(1.5)
    caller.create()


def test_answers_to_writes_have_two_forms(connect: Connect) -> None:
    """`policyId` for `id`, and a body for a PATCH."""
    caller = connect(create_answer="policyId", patch_answer=200)

    made = caller.call("POST", POLICIES, WRITTEN, 201)

    assert ["policyId"] == list(made)
    path = f"{POLICIES}/{quote(made['policyId'], safe='')}"
    assert {"id": made["policyId"]} == caller.call("PATCH", path, {"enabled": False})


@pytest.mark.parametrize(
    ("switches", "patched", "expected"),
    [
        ({"patch_lists": "add"}, ["192.0.2.0/24"], [*WRITTEN["sourceIPs"], "192.0.2.0/24"]),
        ({"empty_list_clears": False}, [], WRITTEN["sourceIPs"]),
        ({}, [], []),
    ],
)
def test_a_list_in_a_patch_may_mean_other_things(
    connect: Connect, switches: dict[str, Any], patched: list[str], expected: list[str]
) -> None:
    """Replace, add to, or pass over."""
    caller = connect(**switches)
    path = caller.create()

    caller.call("PATCH", path, {"sourceIPs": patched}, 204)

    assert expected == caller.read(path)["sourceIPs"]


def test_descriptions_may_be_limited(connect: Connect) -> None:
    """By length, and to one policy each; a policy keeps its own."""
    caller = connect(max_description=20)
    caller.call("POST", POLICIES, {**WRITTEN, "description": "x" * 21}, 400)
    path = caller.create()
    caller.create()
    caller.account.switch(duplicate_descriptions=False)

    caller.call("POST", POLICIES, WRITTEN, 409)
    caller.call("PATCH", path, {"description": WRITTEN["description"]}, 409)
    caller.call("PATCH", path, {"description": "another"}, 204)
    caller.call("PATCH", path, {"description": "another"}, 204)


def test_a_policy_that_holds_for_every_source_is_remembered(connect: Connect) -> None:
    """However it came about; one that is disabled, or that another made, is no moment of ours."""
    caller = connect()
    caller.account.add_policy("anti-spoofing", description="theirs", option="no_action")
    path = caller.create()
    caller.call("PATCH", path, {"enabled": False, "sourceIPs": []}, 204)
    assert [] == caller.account.dangerous

    caller.call("PATCH", path, {"enabled": True}, 204)
    caller.create(sourceIPs=[])

    assert ["PATCH", "POST"] == [line.split()[0] for line in caller.account.dangerous]


def test_others_can_change_policies_between_two_calls(connect: Connect) -> None:
    """Once, just before the call is answered."""
    caller = connect()
    path = caller.create()
    account = caller.account
    policy_id = account.policies["anti-spoofing"][0].id
    account.before(
        "GET", POLICIES, lambda: account.edit_policy("anti-spoofing", policy_id, enabled=False)
    )
    account.before("PATCH", POLICIES, lambda: account.remove_policy("anti-spoofing", policy_id))

    assert not caller.read(path)["enabled"]
    caller.call("PATCH", path, {"enabled": True}, 404)
    with pytest.raises(KeyError, match="no anti-spoofing policy"):
        account.edit_policy("anti-spoofing", policy_id, enabled=True)


@pytest.mark.parametrize(
    ("method", "path", "body", "query", "told"),
    [
        ("POST", POLICIES, {**WRITTEN, "comment": "x"}, {}, "comment"),
        ("POST", POLICIES, {"description": "x"}, {}, "option"),
        ("POST", POLICIES, {"data": [WRITTEN]}, {}, "data"),
        ("GET", POLICIES, None, {"page": 2}, "page"),
        ("GET", POLICIES, {}, {}, "body"),
        ("POST", SENDERS, {"data": []}, {}, "data"),
    ],
)
def test_a_strict_account_notes_what_goes_against_the_schemas(
    connect: Connect, method: str, path: str, body: Any, query: dict[str, Any], told: str
) -> None:
    """And refuses it."""
    caller = connect()

    check("fail-flat", caller.call(method, path, body, 400, **query))

    assert told in caller.account.violations[0]


def test_senders_are_permitted_one_by_one(connect: Connect) -> None:
    """What is wrong with one of them is told with status 200, and the others are kept."""
    caller = connect()
    items = [
        {"action": "permit", "sender": "noreply@sharepoint.example", "to": "a@example.com"},
        {"action": "permit", "sender": "noreply@sharepoint.example", "to": "example.com"},
    ]

    found = caller.call("POST", SENDERS, {"data": items})

    check("managed-senders-answer", found)
    check("fail-nested", found)
    assert ("to", items[1]) == (found["fail"][0]["errors"][0]["field"], found["fail"][0]["key"])
    assert ["a@example.com"] == [one.to for one in caller.account.managed_senders]


def test_the_older_functions_replace_a_policy_as_a_whole(connect: Connect) -> None:
    """What an update leaves out is lost; failures come with status 200."""
    caller = connect()
    policy_id = caller.account.add_policy(
        "anti-spoofing-bypass",
        description="ours",
        option="enable_bypass",
        override=True,
        spfDomains=["example.com"],
    )
    caller.clock.pass_by(60)

    changed = {"option": "disable_bypass", "policy": {"description": "theirs"}}
    items = [{"id": policy_id, **changed}, {"id": "eNo1", **changed}]
    found = caller.call("POST", f"{COMPAT}/update-policy", {"data": items})

    check("compat-answer", found)
    (shown,) = caller.call("POST", f"{COMPAT}/get-policy", {"data": []})["data"]
    assert found["data"] == [shown]
    assert ("2026-11-25T12:00:00+0000", "2026-11-25T12:01:00+0000") == (
        shown["policy"]["createTime"],
        shown["policy"]["lastUpdated"],
    )
    assert items[1] == found["fail"][0]["key"]
    (held,) = caller.account.policies["anti-spoofing-bypass"]
    assert ("theirs", False, []) == (
        held.description,
        held.fields["override"],
        held.fields["spfDomains"],
    )


def test_the_older_functions_make_and_delete(connect: Connect) -> None:
    """The same policies as the newer ones."""
    caller = connect()
    made = {"description": "x", "conditions": {"spfDomains": ["example.com"]}}
    item = {"option": "enable_bypass", "policy": made}

    found = caller.call("POST", f"{COMPAT}/create-policy", {"data": [item]})

    check("compat-answer", found)
    policy_id = found["data"][0]["id"]
    assert [policy_id] == [one["id"] for one in caller.call("GET", BYPASSES)["definitions"]]
    caller.call("POST", f"{COMPAT}/delete-policy", {"data": [{"id": policy_id}]})
    assert [] == caller.account.policies["anti-spoofing-bypass"]


@pytest.mark.parametrize("entries", ["text", "object"])
def test_outbound_addresses_are_one_list(connect: Connect, entries: str) -> None:
    """Read in two forms, replaced or deleted as a whole."""
    caller = connect(outbound_entries=entries)
    caller.account.outbound.append("192.0.2.1")

    found = caller.call("GET", OUTBOUND)
    check("outbound-addresses", found)
    assert 1 == len(found["outboundIpAddresses"])
    caller.call("PUT", OUTBOUND, {"outboundIpAddresses": ["192.0.2.2", "192.0.2.3"]}, 204)
    assert ["192.0.2.2", "192.0.2.3"] == caller.account.outbound
    caller.call("DELETE", OUTBOUND, status=204)
    assert [] == caller.account.outbound


def test_answers_can_be_scripted(connect: Connect) -> None:
    """In order; None stands for an honest one."""
    caller = connect()
    caller.account.script(None, Reply(503), None)

    assert [200, 503, 200] == [caller.ask("GET", POLICIES).status_code for _ in range(3)]


def test_the_clock_may_be_wrong_and_the_answer_slow(connect: Connect) -> None:
    """The `Date` header follows the clock of the account and its offset."""
    caller = connect(clock_offset_seconds=-120, latency_seconds=0.05)

    answer = caller.ask("GET", POLICIES)

    assert "Wed, 25 Nov 2026 11:58:00 GMT" == answer.headers["Date"]
    assert timedelta(seconds=0.05) <= answer.elapsed
