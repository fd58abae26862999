"""Every request that is made of Microsoft, held to what is known of it: what must be in it is in it.

For InvokeCommand that is what its clients send (KelvinTegelaar/CIPP-API, rknightion/graph2otel,
GreyCorbel's ExoHelper), for the rest what Microsoft Learn says. InvokeCommand answers without
X-AnchorMailbox too, as without X-CmdletName and X-ResponseFormat (graph2otel): the first is sent
since readings may be stale without it, the others are not.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from itertools import pairwise
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import yaml

from exosync_adapters.exchange.admin import listing
from exosync_adapters.exchange.admin.graph import OLDEST
from exosync_adapters.exchange.admin.session import Session
from exosync_adapters.exchange.clouds import CLOUDS
from exosync_adapters.exchange.records import Call
from exosync_adapters.exchange.way.probe import message
from exosync_adapters.exchange.way.submission import by_graph
from tests.contract.recording import FOLDER
from tests.integration.test_exchange_client import CONNECTOR, DOMAINS, SECRET, Bench, bench
from tests.standins.exchange import CLIENT_ID, TENANT, ExchangeStandIn
from tests.standins.exchange_access import ASSERTION_TYPE
from tests.standins.exchange_graph import ROOT, add_trace
from tests.standins.exchange_keys import made_certificate
from tests.standins.exchange_switches import GLOBAL_READER, MANAGE
from tests.standins.google_keys import parsed_jwt
from tests.standins.web import Request

Json = Any

GUID = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
ADMIN = f"/adminapi/beta/{TENANT}/InvokeCommand"
ANCHOR = rf"APP:SystemMailbox\{{bb558c35-97f1-4cb9-8ff7-d53741dc928c\}}@{TENANT}"
ASKING = {
    "Accept": "application/json",
    "Prefer": "odata\\.maxpagesize=1000",
    "X-AnchorMailbox": ANCHOR,
    "client-request-id": GUID,
}
COMMAND = {**ASKING, "Content-Type": "application/json"}
WHOLE = {"ResultSize": "Unlimited"}


@dataclass(frozen=True)
class Asks:
    """One kind of request: how it comes to be made, and what must be in it.

    Headers are patterns. `token` tells for which resource the token must be; empty: there must be
    none.
    """

    do: Callable[[Bench], object]
    method: str
    path: str
    headers: Mapping[str, str]
    body: Json = None
    query: Mapping[str, str] = field(default_factory=dict)
    token: str = "exchange"


def command(name: str, **parameters: Json) -> Json:
    """The body of a command; without parameters they are an empty object, and never null."""
    return {"CmdletInput": {"CmdletName": name, "Parameters": parameters}}


def token_form(resource: str) -> Json:
    """The form for a token of an application's own (Learn, "client credentials flow")."""
    return {
        "grant_type": "client_credentials",
        "client_id": CLIENT_ID,
        "client_secret": SECRET,
        "scope": f"https://{resource}/.default",
        "client_info": "1",  # msal's
    }


def graph_session(made: Bench) -> Session:
    """A session with Graph, as messages are sent by."""
    world = CLOUDS["worldwide"]
    return Session(made.settings, world, world.graph, reveal=made._reveal, pause=made.pauses.append)


FORM = {"Accept": "application/json", "Content-Type": "application/x-www-form-urlencoded"}
TABLE: dict[str, Asks] = {
    "where tokens are given": Asks(
        lambda made: made.admin.roles(),
        "GET",
        f"/{TENANT}/v2.0/.well-known/openid-configuration",
        {"Accept": "application/json"},
        token="",
    ),
    "a token for Exchange": Asks(
        lambda made: made.admin.roles(),
        "POST",
        f"/{TENANT}/oauth2/v2.0/token",
        FORM,
        token_form("outlook.office365.com"),
        token="",
    ),
    "a token for Graph": Asks(
        lambda made: made.graph.find(since=None),
        "POST",
        f"/{TENANT}/oauth2/v2.0/token",
        FORM,
        token_form("graph.microsoft.com"),
        token="",
    ),
    "a command that reads": Asks(
        lambda made: made.admin.read(DOMAINS),
        "POST",
        ADMIN,
        COMMAND,
        command("Get-AcceptedDomain"),
    ),
    "a command that makes": Asks(
        lambda made: made.admin.write(CONNECTOR),
        "POST",
        ADMIN,
        COMMAND,
        command("New-OutboundConnector", **CONNECTOR.parameters),
    ),
    "a command that removes": Asks(
        lambda made: made.admin.write(Call("Remove-OutboundConnector", {"Identity": "Out"})),
        "POST",
        ADMIN,
        COMMAND,
        command("Remove-OutboundConnector", Identity="Out", Confirm=False),
    ),
    "the published interface": Asks(
        lambda made: made.admin.published("AcceptedDomain", DOMAINS),
        "POST",
        f"/adminapi/v2.0/{TENANT}/AcceptedDomain",
        COMMAND,
        command("Get-AcceptedDomain"),
    ),
    "what may be run": Asks(
        lambda made: made.admin.commands(),
        "GET",
        f"/adminapi/v1.0/{TENANT}/EXOModuleFile",
        {**ASKING, "CommandName": r"\*"},
        query={"Version": r"\d+\.\d+\.\d+"},
    ),
    "traces": Asks(
        lambda made: made.graph.find(
            since=datetime.now(UTC) - timedelta(hours=1), message_id="<o'1@x>"
        ),
        "GET",
        ROOT,
        {"Accept": "application/json"},
        query={
            "$filter": r"receivedDateTime ge [\dT:-]{19}Z and receivedDateTime le [\dT:-]{19}Z "
            r"and messageId eq '<o''1@x>'"
        },
        token="graph",
    ),
    "what happened to a message": Asks(
        lambda made: made.graph.details(made.graph.find(since=None)[0]),
        "GET",
        f"{ROOT}/{GUID}/getDetailsByRecipient\\(recipientAddress='[^']+(''[^']+)?'\\)",
        {"Accept": "application/json"},
        token="graph",
    ),
    "a message": Asks(
        lambda made: by_graph(
            graph_session(made),
            message("ada@example.com", "bob@example.com", at=datetime.now(UTC))[0],
            user="ada@example.com",
        ),
        "POST",
        "/v1.0/users/ada@example.com/sendMail",
        {"Accept": "application/json", "Content-Type": "text/plain"},
        token="graph",
    ),
}


@pytest.fixture
def exchange() -> Iterator[ExchangeStandIn]:
    """A tenant with a connector, a mailbox, and a message that has passed."""
    with ExchangeStandIn() as made:
        made.org.add_connector("Out")
        made.org.add_recipient("ada@example.com")
        now = datetime.now(UTC) - timedelta(minutes=1)
        add_trace(made.org, "ada@example.com", "o'b@example.com", message_id="<1>", received=now)
        yield made


def sent(exchange: ExchangeStandIn, asks: Asks) -> Request:
    """The request of that kind, when all of them came."""
    asks.do(bench(exchange))
    found = [
        one
        for one in exchange.requests
        if one.method == asks.method and re.fullmatch(asks.path, one.path)
    ]
    assert found, [one.path for one in exchange.requests]
    return found[-1]


@pytest.mark.parametrize("asks", TABLE.values(), ids=TABLE)
def test_what_must_be_in_a_request_is_in_it(exchange: ExchangeStandIn, asks: Asks) -> None:
    """Headers, query, body, and a token for the very resource that is asked."""
    request = sent(exchange, asks)

    told = {name.lower(): value for name, value in request.headers.items()}
    for name, pattern in asks.headers.items():
        assert re.fullmatch(pattern, told.get(name.lower(), "")), name
    assert "exosync" == told["user-agent"]
    assert "gzip" == told["accept-encoding"]
    assert {*asks.query} == {*request.query}
    for name, pattern in asks.query.items():
        assert re.fullmatch(pattern, request.query[name]), name
    if asks.token:
        tokens = exchange.access._tokens
        kind, _, text = told["authorization"].partition(" ")
        assert ("Bearer", asks.token) == (kind, tokens[text].resource)
    else:
        assert "authorization" not in told
    if asks.body is not None:
        assert asks.body == body_of(request)


def body_of(request: Request) -> Json:
    """A body of JSON or of a form."""
    is_form = b"grant_type=" in request.body
    return dict(parse_qsl(request.body.decode())) if is_form else json.loads(request.body)


@pytest.mark.parametrize("name", ["exchange", "exchange-message"])
def test_whatever_is_asked_in_a_whole_life_is_in_the_table(name: str) -> None:
    """As the cassettes have it; what else is asked is nothing that anybody held to anything."""
    told = yaml.safe_load((FOLDER / f"{name}.yaml").read_text())
    requests = [one["request"] for one in told["interactions"]]
    assert 10 < len(requests)
    for one in requests:
        path = urlsplit(one["uri"]).path
        kinds = [
            each
            for each in TABLE.values()
            if each.method == one["method"] and re.fullmatch(each.path, path)
        ]
        assert kinds, path
        for header in {header.lower() for header in kinds[0].headers} - {"client-request-id"}:
            assert header in one["headers"], (path, header)


def test_a_message_is_sent_as_mime_in_base64(exchange: ExchangeStandIn) -> None:
    """With line ends as they are in mail, and for one recipient (Learn, "user: sendMail")."""
    request = sent(exchange, TABLE["a message"])
    mail = message_from_bytes(base64.b64decode(request.body, validate=True))
    assert ("ada@example.com", "bob@example.com") == (mail["From"], mail["To"])
    assert (mail["Message-ID"], None) == (exchange_id(exchange), mail["Cc"])


def exchange_id(exchange: ExchangeStandIn) -> str:
    """The id of the message that the tenant took."""
    ((user, mime),) = exchange.org.sent
    assert "ada@example.com" == user
    return str(message_from_bytes(mime)["Message-ID"])


def test_an_assertion_names_its_certificate_by_sha_256(exchange: ExchangeStandIn) -> None:
    """Learn, "Application authentication certificate credentials": header and claims."""
    certificate, text = made_certificate("wire")
    exchange.access.certificates = [certificate]
    made = bench(exchange, "certificate")
    made.secrets["SECRET"] = text
    for _ in range(2):
        assert made.admin.roles()
        made.admin._session._tokens.forget("https://outlook.office365.com/.default")

    forms = [body_of(one) for one in exchange.requests if one.path.endswith("/token")]
    assertions = [parsed_jwt(one["client_assertion"]) for one in forms]
    login = f"https://login.microsoftonline.com/{TENANT}/oauth2/v2.0/token"
    for form, jwt in zip(forms, assertions, strict=True):
        assert ASSERTION_TYPE == form["client_assertion_type"]
        assert "client_secret" not in form
        assert ("PS256", "JWT") == (jwt.header["alg"], jwt.header["typ"])
        assert certificate.is_named_by({"x5t#S256": jwt.header["x5t#S256"]})
        assert "x5t" not in jwt.header
        claims = jwt.claims
        assert (CLIENT_ID, CLIENT_ID, login) == (claims["iss"], claims["sub"], claims["aud"])
        assert 0 < claims["exp"] - claims["iat"] <= 600
    first, second = (one.claims["jti"] for one in assertions)
    assert first != second


def test_a_federated_token_goes_as_it_is(exchange: ExchangeStandIn) -> None:
    """Learn, "workload identity federation": the other issuer's token is the assertion."""
    made = bench(exchange, "federated")
    made.secrets["SECRET"] = exchange.access.federated_token()
    made.admin.roles()
    form = body_of(exchange.requests[-1])
    assert made.secrets["SECRET"] == form["client_assertion"]
    assert ASSERTION_TYPE == form["client_assertion_type"]


@pytest.mark.parametrize("v2", [False, True])
def test_listings_ask_for_everything_at_once(exchange: ExchangeStandIn, *, v2: bool) -> None:
    """Unlimited, and all connectors whatever is shown unasked; nobody is asked for by a name."""
    if not v2:
        exchange.access.app_roles = {MANAGE}
    listing.organisation(bench(exchange).admin)

    assert [
        ("Get-AcceptedDomain", WHOLE),
        ("Get-OutboundConnector", {**WHOLE, "IncludeTestModeConnectors": True}),
        (
            "Get-OutboundConnector",
            {**WHOLE, "IncludeTestModeConnectors": True, "IsTransportRuleScoped": True},
        ),
        ("Get-TransportRule", WHOLE),
        ("Get-OrganizationConfig", {}),
    ] == [one for one in exchange.asked if one != LEFT]
    ends = [one.path.split("/")[2] for one in exchange.requests if "/adminapi/" in one.path]
    assert (2 if v2 else 0) == ends.count("v2.0")


LEFT = (
    "Get-OutboundConnector",
    {**WHOLE, "IsTransportRuleScoped": True},
)
"""What is asked besides where no connector shows what IncludeTestModeConnectors means."""


def test_a_next_page_and_a_regional_host_get_the_very_same_request(
    exchange: ExchangeStandIn,
) -> None:
    """CIPP-API and ExoHelper: the same body by POST; the token goes with it, as all headers do."""
    made = bench(exchange)
    for number in range(3):
        exchange.org.add_rule(f"R{number}")
    exchange.switch(page_size=2, result_size_ignored=True, next_link="works")
    assert 3 == len(made.admin.read(Call("Get-TransportRule", WHOLE)).value)
    pages = exchange.requests[-2:]
    exchange.switch(page_size=None, redirects=1)
    made.admin.read(DOMAINS)

    for one, other in (pages, exchange.requests[-2:]):
        assert (one.method, one.body) == (other.method, other.body)
        told, again = (
            {name: value for name, value in each.headers.items() if name != "client-request-id"}
            for each in (one, other)
        )
        assert told == again
    assert "$skiptoken" in pages[1].query


def test_a_trace_goes_back_as_far_as_it_may_and_each_query_ten_days(
    exchange: ExchangeStandIn,
) -> None:
    """Microsoft Learn, "List messageTraces"; ten days at most: Nico77600/MessageTraceReport."""
    bench(exchange).graph.find(since=None, message_id="<none>")
    asked = [one.query["$filter"] for one in exchange.requests if one.path == ROOT]
    spans = [
        [datetime.fromisoformat(text) for text in re.findall(r"[\dT:-]{19}Z", one)] for one in asked
    ]
    assert all(begin < end <= begin + timedelta(days=10) for begin, end in spans)
    for (later, _), (_, earlier) in pairwise(spans):
        assert later - timedelta(seconds=1) <= earlier <= later + timedelta(seconds=1), "no gap"
    covered = spans[0][1] - spans[-1][0]
    assert OLDEST - timedelta(days=1) <= covered <= OLDEST
    assert not any(" or " in one for one in asked), "it is silently passed over"


def test_the_least_that_is_needed_is_asked_with(exchange: ExchangeStandIn) -> None:
    """A reader's role, and the one permission: nothing that a listing asks needs more."""
    exchange.access.app_roles, exchange.access.roles = {MANAGE}, {GLOBAL_READER}
    assert {} == listing.organisation(bench(exchange).admin).incomplete
