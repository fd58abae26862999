"""The model of mail flow itself: what travels, what is refused, and what is told of it."""

from __future__ import annotations

import smtplib
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from typing import Any

import pytest
import trustme

from tests.standins.farside_google import NO_ACCOUNT, NOT_LISTED, UNAUTHENTICATED
from tests.standins.farside_mimecast import PUT_OFF, SPF_FAILS, SPOOFED
from tests.standins.mailflow_client import BAD_CERTIFICATE, NO_TLS
from tests.standins.mailflow_exchange import BLOCKED, LOOP, NO_RELAY, RELAY_ADDRESS, UNKNOWN
from tests.standins.mailflow_letter import Journey, Verdict, with_headers
from tests.standins.mailflow_post import NOT_RESOLVED
from tests.support.split_domain import (
    ADA,
    BOTH,
    CARELESS,
    DOMAIN,
    GATEWAY,
    GOOGLE,
    GRACE,
    LEAVES_FROM,
    LOOP_BREAKER,
    MICROSOFT,
    PARTNER,
    RANGES,
    Company,
    company_with_dns,
)

SPF = " ".join(f"ip4:{one}" for one in RANGES)


@pytest.fixture
def made() -> Iterator[Any]:
    """Makes companies; options are those of their DNS."""
    with ExitStack() as stack:
        yield lambda **dns: stack.enter_context(company_with_dns(**dns))


@pytest.fixture
def ready(made: Any) -> Company:
    """A company where all is as it should be."""
    company: Company = made(spf=SPF)
    company.route()
    company.let_in(*RANGES)
    return company


# The whole way


def test_a_message_travels_to_the_other_side(ready: Company) -> None:
    """By real SMTP through three servers, secured on each hop, into the mailbox at Google."""
    way = ready.flow.submit(ADA, BOTH)[BOTH]

    assert ("exchange", "mimecast", "google") == way.stations
    assert "google" == way.delivered_at
    assert ["TLSv1.3"] * 2 == [way.seen_at(one).tls for one in ("mimecast", "google")]
    assert way.seen_at("mimecast").source in LEAVES_FROM
    (letter,) = ready.flow.google.mailboxes[BOTH]
    assert LOOP_BREAKER[1] == letter.message[LOOP_BREAKER[0]]
    # Gmail notes one hop of its own within.
    assert (4, "Lunch") == (letter.hops, letter.message["Subject"])
    assert {} == ready.flow.exchange.mailboxes


def test_without_a_rule_a_mailbox_here_gets_the_mail(made: Any) -> None:
    """Which is the how-to's case: who has a mailbox on both sides gets nothing at Google."""
    company: Company = made(spf=SPF)

    way = company.flow.submit(ADA, BOTH)[BOTH]

    assert ("exchange",) == way.stations
    assert "exchange" == way.delivered_at


# Who is let in


def test_mimecast_refuses_its_own_domain_from_an_unknown_address(made: Any) -> None:
    """Whatever SPF says."""
    company: Company = made(spf=SPF)
    company.route()

    way = company.flow.submit(ADA, GRACE)[GRACE]

    assert SPOOFED == _refusal(way)
    assert (("exchange",), Verdict.FAILED) == (way.stations, way.end.verdict)


def test_mimecast_refuses_mail_whose_spf_fails(made: Any) -> None:
    """Though its policies know the address."""
    company: Company = made()
    company.route()
    company.let_in(*RANGES)

    assert SPF_FAILS == _refusal(company.flow.submit(ADA, GRACE)[GRACE])


def test_google_refuses_what_it_does_not_know_behind_the_gateway(made: Any) -> None:
    """It looks at the address before the gateway: without SPF for good, with SPF for now."""
    company: Company = made(spf=SPF)
    company.route(GOOGLE)
    alone: Company = made()
    alone.route(GOOGLE)

    known = company.flow.submit(ADA, GRACE)[GRACE]
    unknown = alone.flow.submit(ADA, GRACE)[GRACE]

    assert NOT_LISTED == _refusal(known)
    assert UNAUTHENTICATED.split("\n")[0] == _refusal(unknown).split("\n")[0]


def test_google_sees_through_the_gateway(ready: Company) -> None:
    """Exchange Online's addresses count there though Mimecast is in between."""
    ready.google.set_allowlist([])
    behind = ready.flow.submit(ADA, GRACE)[GRACE]
    ready.google.set_inbound_gateway(entries=[])
    before = ready.flow.submit(ADA, GRACE)[GRACE]

    assert (Verdict.DEFERRED, NOT_LISTED) == (behind.end.verdict, behind.end.says)
    # Mimecast's own address is none that the domain's SPF record names.
    assert Verdict.FAILED == before.end.verdict


def test_a_mailbox_that_does_not_exist_is_refused(ready: Company) -> None:
    """At Google, for one recipient of two."""
    stranger = f"nobody@{DOMAIN}"
    ready.exchange.org.add_recipient(stranger, "MailUser")
    ready.exchange.org.groups["elsewhere@example.com"].append(stranger)

    ways = ready.flow.submit(ADA, GRACE, stranger)

    assert "google" == ways[GRACE].delivered_at
    assert (Verdict.FAILED, NO_ACCOUNT) == (ways[stranger].end.verdict, ways[stranger].end.says)


# The relay pool


def test_a_stranger_whose_spf_held_leaves_by_the_ordinary_addresses(ready: Company) -> None:
    """And is refused all the same by Mimecast: his domain does not name Exchange Online."""
    way = ready.flow.arrive(PARTNER, GRACE)[GRACE]

    assert way.seen_at("mimecast").source in LEAVES_FROM
    assert SPF_FAILS == way.end.says


def test_a_stranger_without_proof_leaves_by_the_relay_pool(ready: Company) -> None:
    """Mimecast puts that off until a person permits the pool; then Google must know it too."""
    put_off = ready.flow.arrive(CARELESS, GRACE)[GRACE]
    ready.flow.mimecast.permitted.append("40.95.0.0/16")
    half = ready.flow.arrive(CARELESS, GRACE)[GRACE]
    ready.google.set_allowlist([*RANGES, "40.95.0.0/16"])
    whole = ready.flow.arrive(CARELESS, GRACE)[GRACE]

    assert (RELAY_ADDRESS, PUT_OFF) == (put_off.seen_at("mimecast").source, put_off.end.says)
    assert ("mimecast", Verdict.FAILED) == (half.end.station, half.end.verdict)
    assert "google" == whole.delivered_at


def test_a_signature_that_holds_keeps_out_of_the_relay_pool(ready: Company) -> None:
    """As SPF does."""
    ready.flow.exchange.signed.add("careless.example")

    way = ready.flow.arrive(CARELESS, GRACE)[GRACE]

    assert way.seen_at("mimecast").source in LEAVES_FROM


# Exchange Online's own decisions


def test_unknown_recipients_are_blocked_at_the_edge_of_an_authoritative_domain(
    ready: Company,
) -> None:
    """Before any rule; a mailbox's own mail comes back as a report; an internal relay lets go."""
    stranger = f"nobody@{DOMAIN}"
    ready.exchange.org.groups["elsewhere@example.com"].append(stranger)
    outside = ready.flow.arrive(PARTNER, stranger)[stranger]
    inside = ready.flow.submit(ADA, stranger)[stranger]
    ready.relay()
    after = ready.flow.submit(ADA, stranger)[stranger]

    assert (BLOCKED, UNKNOWN) == (outside.end.says, inside.end.says)
    assert ("exchange", "mimecast") == after.stations
    assert (
        NO_RELAY
        == ready.flow.arrive(PARTNER, "x@elsewhere.example")["x@elsewhere.example"].end.says
    )


@pytest.mark.parametrize(
    ("mixed", "ada", "grace"), [("each", "exchange", "google"), ("whole", "", "google")]
)
def test_a_message_to_both_sides_is_parted_or_not(
    ready: Company, mixed: Any, ada: str, grace: str
) -> None:
    """What happens is not documented: each for itself, or all by the rule that suits one."""
    ready.flow.exchange.mixed = mixed

    ways = ready.flow.submit(ADA, ADA, GRACE)

    assert (ada, grace) == (ways[ADA].delivered_at, ways[GRACE].delivered_at)


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"State": "Disabled"}, "exchange"),
        ({"Mode": "Audit"}, "exchange"),
        ({"SentToMemberOf": None, "ExceptIfSentToMemberOf": ["elsewhere@example.com"]}, "exchange"),
        ({"SentToMemberOf": None}, "google"),
        ({"RecipientDomainIs": ["other.example"]}, "exchange"),
        ({"RecipientDomainIs": ["com"]}, "google"),
        ({"SenderDomainIs": ["other.example"]}, "exchange"),
        ({"SentToScope": "NotInOrganization"}, "exchange"),
        ({"FromScope": "InOrganization"}, "google"),
        ({"AttachmentHasExecutableContent": True}, "exchange"),
    ],
)
def test_a_rule_holds_for_what_it_says(ready: Company, change: dict[str, Any], where: str) -> None:
    """Conditions all, exceptions any; what the model does not know keeps a rule from firing."""
    ready.exchange.org.rules[0].update(change)

    assert where == ready.flow.submit(ADA, BOTH)[BOTH].delivered_at


def test_a_rule_above_that_stops_keeps_ours_from_its_turn(ready: Company) -> None:
    """And one that does not stop leaves it be."""
    above = ready.exchange.org.add_rule("above", at=0, RecipientDomainIs=[DOMAIN])
    first = ready.flow.submit(ADA, BOTH)[BOTH].delivered_at
    above["StopRuleProcessing"] = True
    second = ready.flow.submit(ADA, BOTH)[BOTH].delivered_at

    assert ("google", "exchange") == (first, second)


def test_a_new_rule_takes_a_while(ready: Company) -> None:
    """Until then mail goes as before."""
    ready.exchange.switch(rule_delay=timedelta(minutes=30))
    ready.exchange.org.rules.clear()

    assert [] == ready.exchange.effective_rules


def test_a_connector_for_everything_catches_all_outbound_mail(ready: Company) -> None:
    """Also what was never meant for it."""
    ready.exchange.org.rules.clear()
    ready.exchange.org.connectors[0].update(
        IsTransportRuleScoped=False, RecipientDomains=["*"], SmartHosts=[GATEWAY]
    )

    way = ready.flow.submit(ADA, PARTNER)[PARTNER]

    assert "To the other side" == way.hops[1].via
    assert GATEWAY == way.hops[1].host


def test_a_connector_that_is_gone_fails_the_mail(ready: Company) -> None:
    """The rule still names it."""
    ready.exchange.org.connectors[0]["Name"] = "Renamed"

    assert "no connector To the other side" == ready.flow.submit(ADA, GRACE)[GRACE].end.says


# Loops


def test_a_far_side_that_routes_back_makes_a_loop(ready: Company) -> None:
    """Without a loop breaker, until Exchange Online counts too many servers."""
    ready.relay()
    ready.exchange.org.rules[0].update(
        ExceptIfHeaderContainsMessageHeader=None, ExceptIfHeaderContainsWords=None
    )
    ready.flow.google.back = MICROSOFT
    del ready.flow.google.mailboxes[GRACE]

    way = ready.flow.submit(ADA, GRACE)[GRACE]

    assert LOOP == _refusal(way)
    assert ("google", Verdict.FAILED) == (way.end.station, way.end.verdict)
    assert 4 == way.stations.count("mimecast")


def test_the_loop_breaker_ends_the_loop_in_a_mailbox_here(ready: Company) -> None:
    """What was routed once is not routed again."""
    ready.flow.google.back = MICROSOFT
    del ready.flow.google.mailboxes[BOTH]

    way = ready.flow.submit(ADA, BOTH)[BOTH]

    assert ("exchange", "mimecast", "google", "exchange") == way.stations
    assert "exchange" == way.delivered_at


def test_the_exchangers_way_loops_too(made: Any) -> None:
    """An internal relay without a rule sends unknown recipients to the exchanger: itself."""
    company: Company = made(spf=SPF, mx=MICROSOFT)
    company.relay()
    stranger = f"nobody@{DOMAIN}"

    way = company.flow.submit(ADA, stranger)[stranger]

    assert LOOP == way.end.says


# TLS, names, addresses


@pytest.mark.parametrize(
    ("settings", "name", "reply"),
    [
        ("EncryptionOnly", None, ""),
        ("CertificateValidation", None, BAD_CERTIFICATE.format(why="UntrustedRoot")),
        ("DomainValidation", GATEWAY, BAD_CERTIFICATE.format(why="UntrustedRoot")),
    ],
)
def test_a_certificate_of_another_authority_is_judged_as_the_connector_says(
    ready: Company, settings: str, name: str | None, reply: str
) -> None:
    """Any certificate will do for EncryptionOnly alone."""
    another = trustme.CA(key_type=trustme.KeyType.ECDSA)
    ready.flow.post.open(ready.flow.mimecast, GATEWAY, authority=another)
    ready.exchange.org.connectors[0].update(TlsSettings=settings, TlsDomain=name)

    way = ready.flow.submit(ADA, GRACE)[GRACE]

    assert reply == ("" if way.delivered_at == "google" else way.end.says)


def test_a_certificate_must_be_for_the_name_that_the_connector_gives(ready: Company) -> None:
    """DomainValidation compares with TlsDomain."""
    ready.exchange.org.connectors[0].update(TlsSettings="DomainValidation", TlsDomain=GATEWAY)
    good = ready.flow.submit(ADA, GRACE)[GRACE]
    ready.exchange.org.connectors[0]["TlsDomain"] = "other.example"
    bad = ready.flow.submit(ADA, GRACE)[GRACE]

    assert "google" == good.delivered_at
    assert BAD_CERTIFICATE.format(why="SubjectMismatch") == bad.end.says


def test_a_host_without_starttls_gets_nothing_that_must_be_secured(ready: Company) -> None:
    """Mail without a word on TLS goes in clear text."""
    ready.flow.post.open(ready.flow.mimecast, GATEWAY, starttls=False)
    required = ready.flow.submit(ADA, GRACE)[GRACE]
    ready.exchange.org.connectors[0]["TlsSettings"] = None
    offered = ready.flow.submit(ADA, GRACE)[GRACE]

    assert (Verdict.DEFERRED, NO_TLS) == (required.end.verdict, required.end.says)
    assert "" == offered.seen_at("mimecast").tls


def test_a_host_that_does_not_resolve_or_refuses_for_now_gives_way_to_the_next(
    ready: Company,
) -> None:
    """In the order of the connector's smart hosts."""
    connector = ready.exchange.org.connectors[0]
    connector["SmartHosts"] = ["gone.mimecast.com", GATEWAY]
    second = ready.flow.submit(ADA, GRACE)[GRACE]
    connector["SmartHosts"] = ["gone.mimecast.com"]
    none = ready.flow.submit(ADA, GRACE)[GRACE]

    assert "google" == second.delivered_at
    assert (Verdict.DEFERRED, NOT_RESOLVED) == (none.end.verdict, none.end.says)


def test_xclient_is_as_postfix_has_it(ready: Company) -> None:
    """Announced, answered with 220, beginning anew; nonsense is refused."""
    with smtplib.SMTP("127.0.0.1", ready.flow.post.ports[GATEWAY], timeout=60) as server:
        server.ehlo()
        announced = server.esmtp_features["xclient"]
        codes = [server.docmd("XCLIENT", one)[0] for one in ("ADDR=IPV6:2001:db8::1", "ADDR=x", "")]
        before_greeting = server.docmd("MAIL", "FROM:<a@example.com>")[0]

    assert "ADDR" == announced.strip()
    assert [220, 501, 501] == codes
    assert 503 == before_greeting


def test_only_who_signs_in_submits(ready: Company) -> None:
    """Others are strangers, whom the domain's own addresses are not believed."""
    way = ready.flow.arrive(ADA, PARTNER)[PARTNER]

    assert NO_RELAY == way.end.says


# What is told


def test_the_trace_tells_what_became_of_each_recipient(ready: Company) -> None:
    """With the rule, the connector, and the pool that it left from."""
    ready.flow.mimecast.permitted.append("40.95.0.0/16")
    ready.flow.submit(ADA, ADA, GRACE)
    ready.flow.arrive(CARELESS, GRACE)
    ready.google.set_allowlist([])
    ready.mimecast.remove_policy("anti-spoofing", ready.mimecast.policies["anti-spoofing"][0].id)
    ready.flow.submit(ADA, GRACE)

    traces = ready.exchange.org.traces
    told = [(one["senderAddress"], one["recipientAddress"], one["status"]) for one in traces]
    sent = [one for trace in traces for one in trace["details"] if one["event"] == "Send external"]

    assert [
        (ADA, ADA, "delivered"),
        (ADA, GRACE, "delivered"),
        (CARELESS, GRACE, "delivered"),
        (ADA, GRACE, "failed"),
    ] == sorted(told, key=told.index)
    assert "Connector=To the other side" in sent[0]["data"]
    assert ["DefaultPool", "RelayPool", "DefaultPool"] == [
        one["data"].split(";")[0].partition("=")[2] for one in sent
    ]
    assert SPOOFED in [one["description"] for one in traces[-1]["details"]]


def test_a_connector_is_tried_by_a_message_of_its_own(ready: Company) -> None:
    """Its sender is fixed and no rule sees it; that Mimecast takes it is all that is told."""
    connector = ready.exchange.org.connectors[0]
    good = ready.exchange.org.validate(connector, [GRACE])
    connector["SmartHosts"] = ["gone.mimecast.com"]
    bad = ready.exchange.org.validate(connector, [GRACE])
    ready.flow.post.settle()

    assert [
        (f"Check connectivity to '{GATEWAY}'", True),
        (f"Send test email to '{GRACE}'", True),
    ] == good
    assert [False, False] == [works for _, works in bad]
    (letter,) = ready.flow.google.mailboxes[GRACE]
    assert "O365ConnectorValidation@example.onmicrosoft.com" == letter.sender
    assert None is letter.message[LOOP_BREAKER[0]]


def test_what_graph_sends_travels_as_well(ready: Company) -> None:
    """From the mailbox that sends it, under the id that it has."""
    mime = b"From: ada@example.com\nTo: Alan <alan@example.com>\nMessage-ID: <1@x>\n\nHello\n"

    ready.exchange.org.send(ADA, mime)
    ready.flow.post.settle()

    assert "google" == ready.flow.post.journey("1@x", BOTH).delivered_at
    assert ["<1@x>"] == [one["messageId"] for one in ready.exchange.org.traces]


def test_a_header_that_is_set_takes_the_place_of_the_old_one() -> None:
    """Folded lines and all; the body stays."""
    content = b"X-A: 1\r\n folded\r\nTo: a@example.com\r\nx-a: 2\r\n\r\nX-A: body\r\n"

    changed = with_headers(content, [("X-A", "new")])

    assert b"To: a@example.com\r\nX-A: new\r\n\r\nX-A: body\r\n" == changed


def _refusal(way: Journey) -> str:
    return way.refusal.says if way.refusal else ""
