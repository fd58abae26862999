"""Asking Exchange Online and Graph: tokens, requests, patience, what is whole and what is refused.

The other side is the stand-in, over real HTTP.
"""

from __future__ import annotations

import json
import socket
import sys
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import chain, combinations
from typing import Any

import pytest

from exosync.core.secret import SecretRef
from exosync.errors import (
    ConfigError,
    ExosyncError,
    TargetDenied,
    TargetError,
    TargetUnreachable,
)
from exosync_adapters.exchange.admin import listing, tokens
from exosync_adapters.exchange.admin.client import Admin
from exosync_adapters.exchange.admin.faults import MissingError, RejectedError, UnansweredError
from exosync_adapters.exchange.admin.graph import Graph
from exosync_adapters.exchange.clouds import CLOUDS
from exosync_adapters.exchange.records import Call, Listing
from exosync_adapters.exchange.settings import ExchangeSettings
from tests.standins.exchange import ExchangeStandIn, Switches
from tests.standins.exchange_graph import add_trace, detail
from tests.standins.exchange_keys import made_certificate
from tests.standins.exchange_requests import header
from tests.standins.exchange_switches import (
    CUSTOM_GROUP,
    FOREIGN,
    GLOBAL_READER,
    MANAGE,
    MANAGE_V2,
    READ_TRACES,
)
from tests.standins.exchange_tenants import busy
from tests.standins.web import Reply

SECRET = "the-secret-of-exchange"
DOMAINS = Call("Get-AcceptedDomain", {})
RULE = Call("Disable-TransportRule", {"Identity": "nothing of that name"})
CONNECTOR = Call(
    "New-OutboundConnector",
    {
        "Name": "To there",
        "ConnectorType": "Partner",
        "UseMXRecord": False,
        "SmartHosts": ["mx.far.example"],
        "Comment": "ours",
    },
)
TWO_CONNECTORS = {"To here": {}, "To there": {"IsTransportRuleScoped": True}}


@pytest.fixture
def exchange() -> Iterator[ExchangeStandIn]:
    """A tenant that nobody has done anything with."""
    with ExchangeStandIn() as made:
        yield made


class Bench:
    """An application at a tenant: its secrets may change, its pauses take no time."""

    def __init__(
        self, exchange: ExchangeStandIn, credentials: Mapping[str, Any], url: str = ""
    ) -> None:
        self.secrets = {"SECRET": SECRET}
        self.pauses: list[float] = []
        settings = ExchangeSettings.model_validate(
            {
                "tenant": exchange.tenant,
                "client_id": exchange.client_id,
                "credentials": credentials,
                "url": url or exchange.url,
                "domain": "example.com",
                "far_side": "google_workspace",
                "routed": {"group": "elsewhere@example.com"},
                "timeout": "30s",
            }
        )
        self.settings, world = settings, CLOUDS["worldwide"]
        self.admin = Admin(settings, world, reveal=self._reveal, pause=self.pauses.append)
        self.graph = Graph(settings, world, reveal=self._reveal, pause=self.pauses.append)

    def _reveal(self, ref: SecretRef) -> str:
        return self.secrets[ref.env or ""]


def bench(exchange: ExchangeStandIn, kind: str = "secret") -> Bench:
    """An application that proves itself in one of the three ways."""
    key = {"secret": "secret", "federated": "assertion", "certificate": "certificate"}[kind]
    return Bench(exchange, {"kind": kind, key: {"env": "SECRET"}})


def paths(exchange: ExchangeStandIn) -> list[str]:
    """How the paths of the requests end."""
    return [one.path.rpartition("/")[2] for one in exchange.requests]


def failed(kind: type[ExosyncError], do: Callable[[], object]) -> str:
    """What exactly such an error says."""
    with pytest.raises(kind) as caught:
        do()
    assert kind is caught.type
    return str(caught.value)


# What is asked


def test_nothing_is_asked_before_the_first_call(exchange: ExchangeStandIn) -> None:
    """And then a token comes first."""
    made = bench(exchange)
    assert [] == exchange.requests

    made.admin.read(DOMAINS)

    assert ["openid-configuration", "token", "InvokeCommand"] == paths(exchange)


def test_a_command_has_the_form_that_clients_of_invoke_command_use(
    exchange: ExchangeStandIn,
) -> None:
    """Parameters are an object even if there are none; the anchor mailbox is the tenant's."""
    bench(exchange).admin.read(Call("Get-OrganizationConfig", {}))

    sent = exchange.requests[-1]
    assert ("POST", f"/adminapi/beta/{exchange.tenant}/InvokeCommand") == (sent.method, sent.path)
    told = {"CmdletInput": {"CmdletName": "Get-OrganizationConfig", "Parameters": {}}}
    assert told == json.loads(sent.body)
    anchor = f"APP:SystemMailbox{{bb558c35-97f1-4cb9-8ff7-d53741dc928c}}@{exchange.tenant}"
    assert anchor == header(sent, "X-AnchorMailbox")
    assert "odata.maxpagesize=1000" == header(sent, "Prefer")
    assert 36 == len(header(sent, "client-request-id"))


@pytest.mark.parametrize("cmdlet", ["Remove-TransportRule", "Disable-TransportRule"])
def test_what_would_ask_for_confirmation_is_confirmed(
    exchange: ExchangeStandIn, cmdlet: str
) -> None:
    """There is nobody to answer."""
    made = bench(exchange)

    with pytest.raises(TargetError):
        made.admin.write(Call(cmdlet, {"Identity": "x"}))

    assert [(cmdlet, {"Identity": "x", "Confirm": False})] == exchange.asked


def test_what_may_be_run_is_asked_for(exchange: ExchangeStandIn) -> None:
    """Before anything is tried; a role for rules alone gives their commands."""
    made = bench(exchange)
    exchange.access.roles = {"Transport Rules"}

    commands = made.admin.commands()

    assert commands is not None
    assert "Set-TransportRule" in commands
    assert "Set-OutboundConnector" not in commands
    assert "*" == header(exchange.requests[-1], "CommandName")


@pytest.mark.parametrize(
    "reply",
    [Reply(404), Reply(200, body=b'{"value": []}'), Reply(200, body=b'{"value": [{"x": 1}]}')],
)
def test_what_may_be_run_need_not_be_told(exchange: ExchangeStandIn, reply: Reply) -> None:
    """That nobody says it does not mean that nothing may."""
    exchange.script(reply, path="/adminapi/v1.0/")

    assert bench(exchange).admin.commands() is None


# What is there


@pytest.mark.parametrize(
    "switches",
    [
        Switches(),
        Switches(hide_scoped=True),
        Switches(test_mode="only"),
        Switches(hide_scoped=True, test_mode="only"),
        Switches(empty_as="null", sidecars=False),
        Switches(empty_as="[]"),
    ],
)
def test_every_connector_is_seen_whichever_are_shown_unasked(switches: Switches) -> None:
    """Those for rules alone, and those in test mode; each once."""
    with ExchangeStandIn(switches=switches) as exchange:
        for name, more in {**TWO_CONNECTORS, "A trial": {"TestMode": True}}.items():
            exchange.org.add_connector(name, **more)

        found = listing.organisation(bench(exchange).admin)

        assert {"To here", "To there", "A trial"} == {one.name for one in found.connectors}
        assert 3 == len(found.connectors)
        assert {} == found.incomplete


EACH: Mapping[str, Mapping[str, Any]] = {
    **TWO_CONNECTORS,
    "A trial": {"TestMode": True},
    "A trial for a rule": {"TestMode": True, "IsTransportRuleScoped": True},
}


@pytest.mark.parametrize("hide_scoped", [False, True])
@pytest.mark.parametrize("test_mode", ["superset", "only"])
def test_no_connector_is_missed_whatever_a_parameter_means(
    test_mode: Any, *, hide_scoped: bool
) -> None:
    """Of every choice among the four kinds; where the answers tell what it means, two commands do."""
    with ExchangeStandIn(switches=Switches(hide_scoped=hide_scoped, test_mode=test_mode)) as one:
        made = bench(one)
        for names in chain.from_iterable(combinations(EACH, count) for count in range(5)):
            one.org.connectors.clear()
            one.asked.clear()
            for name in names:
                one.org.add_connector(name, **EACH[name])

            found = listing.crowd(made.admin)

            assert sorted(names) == sorted(each.name for each in found.connectors)
            assert {} == found.incomplete
            asked = one.cmdlets.count("Get-OutboundConnector")
            assert 2 <= asked <= 4
            if "To there" in names and (test_mode, hide_scoped) == ("superset", False):
                assert 2 == asked


def test_a_record_that_does_not_tell_its_mode_proves_nothing(exchange: ExchangeStandIn) -> None:
    """Only one that says that it is not in test mode shows that those are given too."""
    exchange.switch(test_mode="only")
    exchange.org.add_connector("To here")
    body = {"value": [{"Name": "A trial", "Guid": "1", "TestMode": None}]}
    exchange.script(Reply(200, body=json.dumps(body).encode()), path="/adminapi/beta/")

    found = listing.crowd(bench(exchange).admin)

    assert {"A trial", "To here"} == {one.name for one in found.connectors}


def test_a_tenant_full_of_other_peoples_things_is_read_whole() -> None:
    """Rules in the order of their priorities; names in every script."""
    with ExchangeStandIn(org=busy("example.com")) as exchange:
        found = listing.organisation(bench(exchange).admin)

        assert [one["Name"] for one in exchange.org.rules] == [one.name for one in found.rules]
        assert len(exchange.org.connectors) == len(found.connectors)
        assert {one["DomainName"] for one in exchange.org.domains} == {
            one.name for one in found.domains
        }
        assert {} == found.incomplete
        assert found.dehydrated is False


def test_domains_are_read_by_the_published_interface_where_the_role_is_there(
    exchange: ExchangeStandIn,
) -> None:
    """And by InvokeCommand where it is not."""
    listing.organisation(bench(exchange).admin)
    assert 1 == paths(exchange).count("AcceptedDomain")

    exchange.access.app_roles = {MANAGE}
    found = listing.organisation(bench(exchange).admin)

    assert 1 == paths(exchange).count("AcceptedDomain")
    assert 2 == len(found.domains)


@pytest.mark.parametrize("reply", [Reply(403), Reply(405), Reply(404, body=b"{}")])
def test_domains_are_read_by_the_other_way_if_the_published_one_refuses(
    exchange: ExchangeStandIn, reply: Reply
) -> None:
    """A preview may be closed to a tenant."""
    exchange.script(reply, reply, path="/adminapi/v2.0/")

    found = listing.organisation(bench(exchange).admin)

    assert 2 == len(found.domains)
    assert {} == found.incomplete


@pytest.mark.parametrize(
    ("next_link", "is_whole"), [("works", True), ("fails", False), ("absent", False)]
)
def test_a_listing_that_is_cut_is_incomplete(next_link: Any, *, is_whole: bool) -> None:
    """Unless its further pages can be had, by the address that it gives; not an error."""
    cut = Switches(page_size=2, result_size_ignored=True, next_link=next_link)
    with ExchangeStandIn(switches=cut) as exchange:
        for number in range(5):
            exchange.org.add_rule(f"rule {number}")

        found = listing.organisation(bench(exchange).admin)

        assert is_whole is (Listing.RULES not in found.incomplete)
        assert (5 if is_whole else 2) == len(found.rules)
        assert Listing.DOMAINS not in found.incomplete


def test_everything_is_asked_for_at_once(exchange: ExchangeStandIn) -> None:
    """So that no listing needs pages."""
    exchange.switch(page_size=2)
    for number in range(5):
        exchange.org.add_rule(f"rule {number}")

    found = listing.organisation(bench(exchange).admin)

    assert 5 == len(found.rules)
    assert {} == found.incomplete


def test_pages_are_not_fetched_from_elsewhere(exchange: ExchangeStandIn) -> None:
    """The token must not go there: the listing is incomplete."""
    body = {"value": [], "@odata.nextLink": f"{FOREIGN}/adminapi/next"}
    exchange.script(Reply(200, body=json.dumps(body).encode()), path="/adminapi/beta/")

    assert bench(exchange).admin.read(DOMAINS).truncated


def test_a_record_that_cannot_be_read_makes_its_listing_incomplete(
    exchange: ExchangeStandIn,
) -> None:
    """What else is there is told all the same."""
    exchange.org.add_connector("To here")
    exchange.org.add_connector("strange", Enabled="perhaps")

    found = listing.organisation(bench(exchange).admin)

    assert ["To here"] == [one.name for one in found.connectors]
    assert "1 record cannot be read: Enabled" in found.incomplete[Listing.CONNECTORS]


def test_a_warning_that_nobody_knows_makes_a_listing_incomplete(exchange: ExchangeStandIn) -> None:
    """It may be about what is not in the answer."""
    body = {"value": [], "@adminapi.warnings": ["Some servers could not be contacted."]}
    exchange.script(Reply(200, body=json.dumps(body).encode()), path="/adminapi/v2.0/")

    found = listing.organisation(bench(exchange).admin)

    assert "Some servers could not be contacted." in found.incomplete[Listing.DOMAINS]


def test_a_variant_of_the_listing_that_is_refused_makes_it_incomplete(
    exchange: ExchangeStandIn,
) -> None:
    """A role may lack a parameter: what it would have shown is not known to be absent."""
    exchange.switch(denied_parameters=frozenset({"Get-OutboundConnector:IsTransportRuleScoped"}))
    exchange.org.add_connector("To here")

    found = listing.organisation(bench(exchange).admin)

    assert ["To here"] == [one.name for one in found.connectors]
    assert "not present in the role definition" in found.incomplete[Listing.CONNECTORS]


def test_the_configuration_of_the_organization_need_not_be_readable(
    exchange: ExchangeStandIn,
) -> None:
    """It is a hint alone."""
    exchange.switch(denied_cmdlets=frozenset({"Get-OrganizationConfig"}))

    found = listing.organisation(bench(exchange).admin)

    assert found.dehydrated is None
    assert [Listing.ORGANISATION] == [*found.incomplete]


def test_members_of_a_group_are_their_addresses(exchange: ExchangeStandIn) -> None:
    """In lower case; a group that is not there is missing, not empty."""
    exchange.org.add_group("elsewhere@example.com", ["Ada@example.com", "bob@example.com"])
    admin = bench(exchange).admin

    found = listing.members(admin, "elsewhere@example.com")

    assert frozenset({"ada@example.com", "bob@example.com"}) == found
    with pytest.raises(MissingError):
        listing.members(admin, "nobody@example.com")


def test_members_that_are_not_all_told_are_not_told(exchange: ExchangeStandIn) -> None:
    """Who is missing would be taken for somebody who is not routed."""
    exchange.switch(page_size=1, result_size_ignored=True)
    exchange.org.add_group("elsewhere@example.com", ["ada@example.com", "bob@example.com"])

    told = failed(
        TargetError, partial(listing.members, bench(exchange).admin, "elsewhere@example.com")
    )

    assert "not all known" in told


def test_who_has_an_address_is_told(exchange: ExchangeStandIn) -> None:
    """By any of the addresses; nobody is None."""
    exchange.org.add_recipient("ada@example.com", "MailUser", aliases=["a.l@example.com"])
    admin = bench(exchange).admin

    found = listing.recipient(admin, "A.L@example.com")

    assert found is not None
    assert ("ada@example.com", "MailUser") == (found.address, found.type)
    assert listing.recipient(admin, "nobody@example.com") is None


# What is refused


@pytest.mark.parametrize("body", ["plain", "gzip", "empty"])
def test_a_role_that_is_missing_is_told_whatever_the_refusal_holds(
    exchange: ExchangeStandIn, body: Any
) -> None:
    """NUL bytes, declared to be gzip or not, or nothing: the command and its roles are named."""
    exchange.switch(nul_403=body)
    exchange.access.roles = {"Security Reader"}

    told = failed(
        TargetDenied, partial(bench(exchange).admin.read, Call("Get-OutboundConnector", {}))
    )

    for part in ("status 403", "Get-OutboundConnector", "Global Reader", "Exchange.ManageAsApp"):
        assert part in told


def test_a_role_that_is_missing_may_be_told_as_a_wrong_token(exchange: ExchangeStandIn) -> None:
    """Then a new token is tried once, and the words are told."""
    exchange.switch(denied_401=True)
    exchange.access.roles = set()

    told = failed(TargetDenied, partial(bench(exchange).admin.read, DOMAINS))

    assert "User is not allowed to call Get-AcceptedDomain" in told
    assert 2 == paths(exchange).count("token")


def test_without_the_application_permission_it_is_named(exchange: ExchangeStandIn) -> None:
    """A 401 without a word; that the other permission may be in the way is told if it is there."""
    exchange.access.app_roles = {MANAGE_V2}

    told = failed(TargetDenied, partial(bench(exchange).admin.read, DOMAINS))

    assert "Exchange.ManageAsApp with admin consent" in told
    assert "it also has Exchange.ManageAsAppV2" in told


def test_reading_needs_no_more_than_a_reader(exchange: ExchangeStandIn) -> None:
    """The Entra role Global Reader, or the role group of least privilege."""
    made = bench(exchange)
    for roles in ({GLOBAL_READER}, CUSTOM_GROUP):
        exchange.access.roles = set(roles)
        assert {} == listing.organisation(made.admin).incomplete


def test_a_write_gives_what_was_made(exchange: ExchangeStandIn) -> None:
    """With its Guid, which it is found by from then on."""
    (made,) = bench(exchange).admin.write(CONNECTOR).value

    assert exchange.org.connectors[0]["Guid"] == made["Guid"]
    assert not [name for name in made if "@" in name]


@pytest.mark.parametrize(
    ("call", "kind", "switches"),
    [
        (RULE, "MissingError", {}),
        (CONNECTOR, "ExistsError", {}),
        (CONNECTOR, "ExistsError", {"duplicate_status": 409}),
        (CONNECTOR, "DehydratedError", {"dehydrated": "settling"}),
        (
            CONNECTOR,
            "ParameterError",
            {"denied_parameters": frozenset({"New-OutboundConnector:Comment"})},
        ),
        (Call("New-OutboundConnector", {**CONNECTOR.parameters, "Port": 25}), "ParameterError", {}),
        (
            Call("New-OutboundConnector", {**CONNECTOR.parameters, "TlsSettings": "Some"}),
            "RejectedError",
            {},
        ),
    ],
)
def test_a_write_that_is_refused_says_why_by_its_kind(
    exchange: ExchangeStandIn, call: Call, kind: str, switches: dict[str, Any]
) -> None:
    """So that what is to be done next can be told apart; it is sent once."""
    exchange.org.add_connector("To there")
    exchange.switch(**switches)

    with pytest.raises(TargetError) as caught:
        bench(exchange).admin.write(call)

    assert kind == type(caught.value).__name__
    assert call.cmdlet in str(caught.value)
    assert 1 == exchange.writes


# Patience


@pytest.mark.parametrize(
    ("tells", "waited"), [("reset", (1, 8)), ("retry_after", (7, 7)), ("nothing", (2, 2))]
)
def test_whoever_is_asked_to_wait_waits(
    exchange: ExchangeStandIn, tells: Any, waited: tuple[int, int]
) -> None:
    """As long as it is told, else as is usual; a write too, which was not carried out.

    The date of an answer has whole seconds, the time of a reset has more.
    """
    made = bench(exchange)
    made.admin.read(DOMAINS)
    for do in (
        partial(made.admin.read, DOMAINS),
        partial(
            failed,
            MissingError,
            partial(made.admin.write, Call("Disable-TransportRule", {"Identity": "x"})),
        ),
    ):
        made.pauses.clear()
        exchange.switch(throttle=1, throttle_seconds=7, throttle_tells=tells)
        do()
        assert 1 == len(made.pauses)
        assert waited[0] <= round(made.pauses[0]) <= waited[1]


@pytest.mark.parametrize(("times", "seconds"), [(9, 1), (1, 3600)])
def test_waiting_has_an_end(exchange: ExchangeStandIn, times: int, seconds: int) -> None:
    """For too many waits, and for one that is too long: it is left to the next run."""
    made = bench(exchange)
    made.admin.read(DOMAINS)
    exchange.switch(throttle=times, throttle_seconds=seconds, throttle_tells="retry_after")

    told = failed(TargetUnreachable, partial(made.admin.read, DOMAINS))

    assert f"asks to be left alone for {seconds} s" in told
    assert sum(made.pauses) < 60


@pytest.mark.parametrize("reset", ["2001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "soon", "\t"])
def test_a_time_that_cannot_be_is_not_gone_by(exchange: ExchangeStandIn, reset: str) -> None:
    """It is waited as usual, for a reading and for a write that was not carried out."""
    made = bench(exchange)
    made.admin.read(DOMAINS)
    busy = Reply(429, {"Rate-Limit-Remaining": "0", "Rate-Limit-Reset": reset})
    for do in (partial(made.admin.read, DOMAINS), partial(made.admin.write, CONNECTOR)):
        made.pauses.clear()
        exchange.script(busy, busy, path="/adminapi/")
        assert do().value
        assert [2.0, 10.0] == made.pauses
    assert 1 == len(exchange.org.connectors)


def test_a_reading_is_repeated_when_the_service_fails(exchange: ExchangeStandIn) -> None:
    """Until patience ends."""
    made = bench(exchange)
    exchange.switch(fail=2)
    made.admin.read(DOMAINS)
    assert [1.0, 4.0] == made.pauses

    exchange.switch(fail=3)
    assert "status 503" in failed(TargetUnreachable, partial(made.admin.read, DOMAINS))


def test_a_reading_is_repeated_when_its_answer_is_lost(exchange: ExchangeStandIn) -> None:
    """Or cannot be unpacked: a part of it is not the whole."""
    made = bench(exchange)
    torn = Reply(200, {"Content-Encoding": "gzip"}, bytes(64))
    exchange.script(Reply(manner="reset"), torn, path="/adminapi/")

    assert made.admin.read(DOMAINS).value
    assert [1.0, 4.0] == made.pauses


def test_who_cannot_be_reached_is_told(exchange: ExchangeStandIn) -> None:
    """In place of a traceback; nobody else can take the port meanwhile."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        made = Bench(exchange, {"kind": "secret", "secret": {"env": "SECRET"}}, url=url)

        told = failed(TargetUnreachable, partial(made.admin.read, DOMAINS))

    assert told.startswith("127.0.0.1 cannot be reached")
    assert [1.0, 4.0] == made.pauses


@pytest.mark.parametrize("switch", ["fail", "drop_before", "drop_after"])
def test_a_write_is_never_repeated_blindly(exchange: ExchangeStandIn, switch: str) -> None:
    """Whether it was carried out is not known: that is what the error says."""
    made = bench(exchange)
    made.admin.read(DOMAINS)
    exchange.org.add_rule("a rule")
    exchange.switch(**{switch: 1})

    failed(
        UnansweredError,
        partial(made.admin.write, Call("Disable-TransportRule", {"Identity": "a rule"})),
    )

    assert 1 == exchange.writes
    assert [] == made.pauses


def test_a_page_of_a_proxy_is_no_answer(exchange: ExchangeStandIn) -> None:
    """Neither to a reading nor to a write, of which nobody knows what became."""
    made = bench(exchange)
    page = Reply(200, {"Content-Type": "text/html"}, b"<html>Sign in</html>")
    exchange.script(page, page, Reply(200, body=b"{}"), path="/adminapi/")

    assert "proxy" in failed(TargetError, partial(made.admin.read, DOMAINS))
    failed(UnansweredError, partial(made.admin.write, RULE))
    assert "holds no `value`" in failed(TargetError, partial(made.admin.read, DOMAINS))


def test_a_redirect_to_a_regional_host_is_followed(exchange: ExchangeStandIn) -> None:
    """With command and token."""
    made = bench(exchange)
    made.admin.read(DOMAINS)
    exchange.switch(redirects=1)

    assert made.admin.read(DOMAINS).value

    first, second = exchange.requests[-2:]
    assert (first.method, first.body) == (second.method, second.body)
    assert header(first, "Authorization") == header(second, "Authorization")


@pytest.mark.parametrize(
    "place",
    [FOREIGN, "http://outlook.office365.com", "https://a@outlook.office365.com", "http://127.0.0.1:9"],
)  # fmt: skip
def test_a_redirect_elsewhere_is_not_followed(exchange: ExchangeStandIn, place: str) -> None:
    """Not even to Microsoft's own name without TLS: the token stays here."""
    made = bench(exchange)
    made.admin.read(DOMAINS)
    count = len(exchange.requests)
    exchange.switch(redirects=1, redirect_to=place)

    assert "nothing is sent there" in failed(TargetError, partial(made.admin.read, DOMAINS))
    assert count + 1 == len(exchange.requests)


def test_redirects_have_an_end(exchange: ExchangeStandIn) -> None:
    """A circle is not followed for ever."""
    exchange.switch(redirects=9)

    assert "again and again" in failed(TargetError, partial(bench(exchange).admin.read, DOMAINS))


# Tokens


def test_one_token_serves_until_it_ends(exchange: ExchangeStandIn) -> None:
    """One that holds no longer is renewed once."""
    made = bench(exchange)
    made.admin.read(DOMAINS)
    made.admin.read(DOMAINS)
    assert 1 == paths(exchange).count("token")

    exchange.access.expire()
    made.admin.read(DOMAINS)

    assert 2 == paths(exchange).count("token")


def test_the_roles_of_the_token_are_told(exchange: ExchangeStandIn) -> None:
    """Without asking Exchange Online anything."""
    assert {MANAGE, MANAGE_V2} <= bench(exchange).admin.roles()
    assert "InvokeCommand" not in paths(exchange)


def test_no_telemetry_goes_with_a_token_request(exchange: ExchangeStandIn) -> None:
    """msal would tell its version, the machine's system, and what failed before."""
    bench(exchange).admin.roles()

    names = {name.lower() for one in exchange.requests for name in one.headers}
    assert not {name for name in names if name.startswith("x-")}


def test_a_region_that_is_forced_upon_others_is_not_asked(
    exchange: ExchangeStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """msal would take it from the environment, and look for the machine's own at a cloud's host."""
    monkeypatch.setenv("MSAL_FORCE_REGION", "westeurope")

    assert bench(exchange).admin.roles()
    assert ["openid-configuration", "token"] == paths(exchange)


def test_a_certificate_proves_the_application(exchange: ExchangeStandIn) -> None:
    """By its SHA-256 thumbprint; after it was replaced by the new one."""
    made = bench(exchange, "certificate")
    for name in ("the first", "the second"):
        certificate, text = made_certificate(name)
        exchange.access.certificates = [certificate]
        exchange.access.expire()
        made.secrets["SECRET"] = text
        assert made.admin.read(DOMAINS).value


def test_a_certificate_that_is_not_registered_is_told(exchange: ExchangeStandIn) -> None:
    """With what to do."""
    made = bench(exchange, "certificate")
    made.secrets["SECRET"] = made_certificate("of nobody")[1]

    assert "upload the certificate" in failed(TargetDenied, made.admin.roles)


def test_a_federated_token_is_read_anew_each_time(exchange: ExchangeStandIn) -> None:
    """Its issuer replaces it all the time."""
    made = bench(exchange, "federated")
    made.secrets["SECRET"] = exchange.access.federated_token() + "\n"
    made.admin.read(DOMAINS)

    exchange.access.expire()
    made.secrets["SECRET"] = exchange.access.federated_token(subject="somebody else")

    told = failed(TargetDenied, partial(made.admin.read, DOMAINS))
    assert "federated credential" in told
    assert made.secrets["SECRET"] not in told


def test_a_secret_that_is_wrong_is_told_without_it(exchange: ExchangeStandIn) -> None:
    """And works once it is right, without a restart."""
    made = bench(exchange)
    made.secrets["SECRET"] = "wrong-and-still-secret"

    told = failed(TargetDenied, partial(made.admin.read, DOMAINS))
    made.secrets["SECRET"] = SECRET

    assert "AADSTS7000215" in told
    assert "wrong-and-still-secret" not in told
    assert made.admin.read(DOMAINS).value


def test_a_tenant_or_application_that_is_not_known_is_told(exchange: ExchangeStandIn) -> None:
    """By the settings that name them."""
    exchange.access.client_id = "another"
    assert "`client_id`" in failed(TargetDenied, bench(exchange).admin.roles)

    exchange.access.tenant = "another"
    assert "`tenant`" in failed(TargetDenied, bench(exchange).admin.roles)


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (Reply(200, body=b"<html>"), TargetError),
        (Reply(200, body=b"{}"), TargetError),
        (Reply(302, {"Location": FOREIGN}), TargetError),
        (Reply(400, body=b'{"error": "invalid_tenant", "error_description": "why"}'), TargetDenied),
        (Reply(404, body=b"<html>"), TargetError),
        (Reply(manner="reset"), TargetUnreachable),
        (Reply(503), TargetUnreachable),
    ],
)
def test_what_is_not_entra_or_fails_gives_no_token(
    exchange: ExchangeStandIn, reply: Reply, kind: type[ExosyncError]
) -> None:
    """At the place where tokens are given, whose address is asked for first."""
    exchange.script(*[reply] * 3, path=f"/{exchange.tenant}/v2.0/")

    failed(kind, bench(exchange).admin.roles)

    assert "token" not in paths(exchange)


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (Reply(200, body=b"<html>"), TargetError),
        (Reply(200, body=b"{}"), TargetDenied),
        (Reply(200, body=b'{"access_token": "a b\\n"}'), TargetDenied),
        (Reply(200, body=b'{"access_token": 3, "expires_in": []}'), TargetError),
        (Reply(500, body=b'{"error": "x", "error_description": "why"}'), TargetUnreachable),
        (Reply(429), TargetUnreachable),
        (Reply(manner="reset"), TargetUnreachable),
    ],
)
def test_an_answer_without_a_token_is_told(
    exchange: ExchangeStandIn, reply: Reply, kind: type[ExosyncError]
) -> None:
    """No answer makes a traceback."""
    exchange.script(*[reply] * 4, path=f"/{exchange.tenant}/oauth2/")

    failed(kind, bench(exchange).admin.roles)


def test_a_token_is_asked_for_again_when_entra_is_busy(exchange: ExchangeStandIn) -> None:
    """It heeds how long it is asked to wait."""
    exchange.script(
        Reply(429, {"Retry-After": "3"}), Reply(503), path=f"/{exchange.tenant}/oauth2/"
    )
    made = bench(exchange)

    assert made.admin.roles()
    assert [3.0, 1.0] == made.pauses


def test_tokens_are_given_at_the_clouds_own_host_alone(exchange: ExchangeStandIn) -> None:
    """A tenant of another cloud is sent elsewhere: neither secret nor assertion goes there."""
    body = {
        "token_endpoint": "https://login.microsoftonline.us/x/oauth2/v2.0/token",
        "authorization_endpoint": "https://login.microsoftonline.us/x/oauth2/v2.0/authorize",
    }
    exchange.script(Reply(200, body=json.dumps(body).encode()))

    told = failed(TargetError, bench(exchange).admin.roles)

    assert "login.microsoftonline.us" in told
    assert 1 == len(exchange.requests)


def test_without_msal_it_is_said_what_to_install(
    exchange: ExchangeStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those who have no such target need not have it."""
    monkeypatch.setitem(sys.modules, "msal", None)
    tokens.load.cache_clear()
    try:
        told = failed(ConfigError, bench(exchange).admin.roles)
    finally:
        tokens.load.cache_clear()

    assert "pip install 'exosync[exchange]'" in told


def test_what_a_server_says_of_secrets_is_not_repeated(exchange: ExchangeStandIn) -> None:
    """It may quote what it was sent."""
    made = bench(exchange)
    token = made.admin.roles() and exchange.access.tokens[-1]
    assert token
    body = {"error": {"message": f"Bearer {token} and {SECRET}\nare bad"}}
    quoting = Reply(400, body=json.dumps(body).encode())
    exchange.script(quoting, path="/adminapi/")

    told = failed_any(partial(made.admin.read, DOMAINS))

    assert token not in told
    assert SECRET not in told
    assert "Bearer *** and ***" in told


def failed_any(do: Callable[[], object]) -> str:
    """What an error of whatever kind says."""
    with pytest.raises(ExosyncError) as caught:
        do()
    return str(caught.value)


# Message traces


def minutes_ago(count: int) -> datetime:
    """A time a little ago."""
    return datetime.now(UTC) - timedelta(minutes=count)


def sent(exchange: ExchangeStandIn, number: int = 1, **more: Any) -> dict[str, Any]:
    """A message that came a little ago."""
    return add_trace(
        exchange.org,
        "ada@example.com",
        f"bob{number}@example.com",
        message_id=f"<{number}@mail.example>",
        received=minutes_ago(5),
        **more,
    )


def test_what_became_of_a_message_is_found_by_its_id(exchange: ExchangeStandIn) -> None:
    """For each recipient, with what happened."""
    event = detail("Send", minutes_ago(4), data="OutboundIpPoolName=Standard", text="given away")
    sent(exchange, 1, toIP="192.0.2.1", details=[event])
    sent(exchange, 2)
    graph = bench(exchange).graph

    (found,) = graph.find(since=minutes_ago(60), message_id="<1@mail.example>")
    (told,) = graph.details(found)

    assert ("bob1@example.com", "delivered", "192.0.2.1") == (
        found.recipient,
        found.status,
        found.to_ip,
    )
    assert ("Send", "given away", "OutboundIpPoolName=Standard") == (
        told.event,
        told.description,
        told.data,
    )


def test_traces_are_found_by_the_id_of_a_message(exchange: ExchangeStandIn) -> None:
    """Without one all are, and nothing older than was asked for."""
    sent(exchange, 1)
    sent(exchange, 2)
    graph = bench(exchange).graph
    find = partial(graph.find, message_id="<2@mail.example>")

    assert ["<2@mail.example>"] == [one.message_id for one in find(since=minutes_ago(60))]
    assert () == find(since=minutes_ago(1))
    assert 2 == len(graph.find(since=minutes_ago(60 * 24 * 30)))


@pytest.mark.parametrize(("days", "queries"), [(1, 1), (9, 1), (11, 2), (85, 9), (91, 9)])
def test_a_message_is_looked_for_in_pieces_from_now_backwards(
    exchange: ExchangeStandIn, days: int, queries: int
) -> None:
    """Each of ten days at most, none from more than ninety days ago, no longer than needed."""
    sent(exchange)["receivedDateTime"] = minutes_ago(60 * 24 * days)

    found = bench(exchange).graph.find(since=None, message_id="<1@mail.example>")

    assert (days < 90) == bool(found)
    asked = [one.query["$filter"] for one in exchange.requests if "$filter" in one.query]
    assert queries == len(asked)
    begins = [one.split()[2] for one in asked]
    ends = [one.split()[6] for one in asked]
    assert begins[:-1] == ends[1:]


def test_traces_of_several_pages_are_all_found(exchange: ExchangeStandIn) -> None:
    """By the address of the next page, as Graph gives it."""
    for number in range(1003):
        sent(exchange, number)

    assert 1003 == len(bench(exchange).graph.find(since=minutes_ago(60)))


def test_a_message_is_waited_for(exchange: ExchangeStandIn) -> None:
    """Until it shows, or the time is over."""
    made = bench(exchange)
    wait = partial(
        made.graph.wait_for,
        since=minutes_ago(60),
        within=timedelta(minutes=2),
        message_id="<1@mail.example>",
    )
    assert () == wait()
    assert 120 == sum(made.pauses)

    sent(exchange)
    assert 1 == len(wait())


def test_what_is_old_is_asked_for_once_while_what_is_new_is_waited_for(
    exchange: ExchangeStandIn,
) -> None:
    """A message that does not show yet is new, and requests are counted by the vendor."""
    graph = bench(exchange).graph
    wait = partial(graph.wait_for, "<1@mail.example>", since=None)
    assert () == wait(within=timedelta(minutes=1))
    asked = [one for one in exchange.requests if "$filter" in one.query]
    assert 9 + 5 == len(asked)


def test_without_its_permission_graph_says_so(exchange: ExchangeStandIn) -> None:
    """It is another than Exchange Online's."""
    exchange.access.app_roles.discard(READ_TRACES)

    told = failed(TargetDenied, partial(bench(exchange).graph.find, since=minutes_ago(5)))

    assert "ExchangeMessageTrace.Read.All" in told


def test_what_graph_refuses_is_told(exchange: ExchangeStandIn) -> None:
    """In its own words, once."""
    exchange.script(
        Reply(400, body=b'{"error": {"code": "BadRequest", "message": "so bad"}}'), path="/v1.0/"
    )

    told = failed(RejectedError, partial(bench(exchange).graph.find, since=minutes_ago(5)))

    assert "127.0.0.1: message trace: so bad (BadRequest)" == told


def test_graph_is_asked_with_patience(exchange: ExchangeStandIn) -> None:
    """It tells how long to wait."""
    made = bench(exchange)
    sent(exchange)
    exchange.script(Reply(429, {"Retry-After": "12"}), path="/v1.0/")

    assert 1 == len(made.graph.find(since=minutes_ago(60)))
    assert [12.0] == made.pauses
