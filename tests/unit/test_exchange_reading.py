"""Records of Exchange Online as values of ours, and answers without what is beside the records."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exosync_adapters.exchange.admin import reading
from exosync_adapters.exchange.admin.answers import Answer, answer, joined, stripped
from exosync_adapters.exchange.admin.reading import UnreadableError
from exosync_adapters.exchange.records import AcceptedDomain, DomainType

DATA = Path(__file__).parents[1] / "data" / "exchange"
NAMED = {"Name": "A", "Guid": "5b1c41b2-4a0f-4be3-9b30-0c5e1d2a7f66", "Priority": 0}
TEST_MODE = (
    "There is at least one test mode connector which is not included in the result. Please use "
    "-IncludeTestModeConnectors."
)


def record(name: str) -> dict[str, Any]:
    """A record as an answer gives it, without its sidecars."""
    found: dict[str, Any] = json.loads((DATA / f"{name}.json").read_text())
    return stripped(found)


def test_a_connector_is_read() -> None:
    """Every property of the shape that was seen has its place, or is as with a new one."""
    read = reading.connector(record("connector"))

    assert "5b1c41b2-4a0f-4be3-9b30-0c5e1d2a7f66" == read.guid
    assert ("To the other side", "OnPremises", "AdminUI") == (read.name, read.type, read.source)
    assert (True, True, False, False) == (read.enabled, read.scoped, read.use_mx, read.test_mode)
    assert (("smtp-relay.gmail.com",), ()) == (read.smart_hosts, read.recipient_domains)
    assert ("CertificateValidation", "") == (read.tls, read.tls_domain)
    assert (True, "2026-07-24T18:59:12.0000000") == (read.is_validated, read.validated_at)
    assert ("postmaster@example.com",) == read.validation_recipients
    assert {} == read.others


def test_a_rule_is_read() -> None:
    """What says nothing (null, false) is left out; texts keep their blanks."""
    read = reading.rule(record("rule"))

    assert (0, True, "Enforce", False) == (read.priority, read.enabled, read.mode, read.stops)
    assert {"FromScope": ("NotInOrganization",)} == read.conditions
    assert {} == read.exceptions
    assert {"PrependSubject": ("EXTERNAL: ",), "SetAuditSeverity": ("Medium",)} == read.actions
    assert (
        "FromScopePredicate",
        "PrependSubjectAction",
        "SetAuditSeverityAction",
    ) == read.predicates
    assert ("", "HeaderOrEnvelope") == (read.comments, read.sender_address)


def test_a_rule_that_routes_is_read() -> None:
    """Conditions, exceptions and actions by the parameters that set them."""
    read = reading.rule(record("rule-routing"))

    assert (3, False, "To the other side") == (read.priority, read.enabled, read.connector)
    assert {
        "RecipientDomainIs": ("example.com",),
        "SentToMemberOf": ("elsewhere@example.com",),
    } == read.conditions
    assert {
        "ExceptIfHeaderContainsMessageHeader": ("X-Exosync-Routed",),
        "ExceptIfHeaderContainsWords": ("exosync",),
    } == read.exceptions
    assert {
        "RouteMessageOutboundConnector": ("To the other side",),
        "SetHeaderName": ("X-Exosync-Routed",),
        "SetHeaderValue": ("exosync",),
    } == read.actions
    assert "asked for by Ada\nexosync:owner=mail;target=way-out" == read.comments


def test_an_accepted_domain_is_read() -> None:
    """Its name has no case."""
    read = reading.accepted_domain(record("accepted-domain"))

    assert AcceptedDomain("example.com", DomainType.INTERNAL_RELAY, is_default=True) == read


@pytest.mark.parametrize("nothing", ["absent", None, []])
@pytest.mark.parametrize("name", ["SmartHosts", "RecipientDomains", "ValidationRecipients"])
def test_null_absent_and_empty_lists_of_a_connector_are_the_same(name: str, nothing: Any) -> None:
    """The vendor gives now one and now the other (Microsoft365DSC#5500)."""
    raw = dict(NAMED) if nothing == "absent" else {**NAMED, name: nothing}

    assert reading.connector({**NAMED, name: []}) == reading.connector(raw)


@pytest.mark.parametrize("nothing", ["absent", None, [], False, ""])
@pytest.mark.parametrize("name", ["SentToMemberOf", "ExceptIfSentTo", "Quarantine"])
def test_what_says_nothing_is_no_part_of_a_rule(name: str, nothing: Any) -> None:
    """Of conditions, exceptions and actions alike."""
    raw = dict(NAMED) if nothing == "absent" else {**NAMED, name: nothing}

    assert reading.rule(NAMED) == reading.rule(raw)


@pytest.mark.parametrize(
    ("name", "given", "expected"),
    [
        ("SmartHosts", ["B.example.COM.", "[192.0.2.1]", "a.example"], ("192.0.2.1", "a.example", "b.example.com")),
        ("SmartHosts", "one.example", ("one.example",)),
        ("SmartHosts", ["bücher.example"], ("xn--bcher-kva.example",)),
        ("SmartHosts", ["192.0.2.0/28", "a.example", "A.example"], ("192.0.2.0/28", "a.example")),
        ("RecipientDomains", ["smtp:Example.com;1", "*.Example.org"], ("*.example.org", "example.com")),
        ("RecipientDomains", ["*"], ("*",)),
    ],
)  # fmt: skip
def test_hosts_and_domains_of_a_connector_have_one_form(
    name: str, given: Any, expected: tuple[str, ...]
) -> None:
    """Lower case, A-labels, no brackets, no dot at the end, no prefix, no priority, sorted."""
    read = reading.connector({**NAMED, name: given})

    assert expected == (read.smart_hosts if name == "SmartHosts" else read.recipient_domains)


def test_what_is_not_as_with_a_new_connector_is_told_and_nothing_else() -> None:
    """Properties that we do not know say nothing: nobody knows what a new one has there."""
    read = reading.connector(
        {**NAMED, "SmtpDaneMode": "Mandatory", "CloudServicesMailEnabled": True, "NewFlag": True}
    )

    assert {"SmtpDaneMode": "Mandatory", "CloudServicesMailEnabled": "True"} == read.others


def test_flags_numbers_and_objects_of_a_rule_are_texts() -> None:
    """A spam confidence level of 0 is set, and what has parts is kept whole."""
    read = reading.rule(
        {**NAMED, "Quarantine": True, "SetSCL": 0, "MessageContainsDataClassifications": [{"n": 1}]}
    )

    assert {"Quarantine": ("True",), "SetSCL": ("0",)} == read.actions
    assert {"MessageContainsDataClassifications": ('{"n": 1}',)} == read.conditions


@pytest.mark.parametrize(
    ("name", "given", "domain"),
    [
        ("*.example.com", "Authoritative", AcceptedDomain("example.com", DomainType.AUTHORITATIVE, match_subdomains=True)),
        ("bücher.example", "internalrelay", AcceptedDomain("xn--bcher-kva.example", DomainType.INTERNAL_RELAY)),
        ("example.com", "Brand New", AcceptedDomain("example.com", DomainType.UNKNOWN)),
        ("example.com", None, AcceptedDomain("example.com", DomainType.UNKNOWN)),
    ],
)  # fmt: skip
def test_accepted_domains_have_one_form(name: str, given: Any, domain: AcceptedDomain) -> None:
    """A type that we do not know is unknown, not authoritative."""
    assert domain == reading.accepted_domain({"DomainName": name, "DomainType": given})


@pytest.mark.parametrize(
    ("read", "raw"),
    [
        (reading.connector, {"Name": "A"}),
        (reading.connector, {"Guid": "x"}),
        (reading.connector, {**NAMED, "Enabled": "perhaps"}),
        (reading.connector, {**NAMED, "TlsSettings": {"a": 1}}),
        (reading.rule, {"Name": "A", "Guid": "x"}),
        (reading.rule, {**NAMED, "Priority": "first"}),
        (reading.rule, {**NAMED, "State": "Sleeping"}),
        (reading.rule, {**NAMED, "StopRuleProcessing": 3}),
        (reading.accepted_domain, {"DomainType": "Authoritative"}),
        (reading.recipient, {"Name": "nobody"}),
    ],
)
def test_what_cannot_be_understood_is_said_to_be_so(
    read: Callable[[Mapping[str, Any]], object], raw: dict[str, Any]
) -> None:
    """Guessing would be planned upon."""
    with pytest.raises(UnreadableError):
        read(raw)


def test_a_recipient_has_all_of_its_smtp_addresses() -> None:
    """Others (SIP, X500) are none to send to."""
    read = reading.recipient(
        {
            "Name": "ada",
            "RecipientTypeDetails": "UserMailbox",
            "PrimarySmtpAddress": "Ada@example.com",
            "EmailAddresses": ["SMTP:Ada@example.com", "smtp:a@example.com", "SIP:ada@x.example"],
            "ExternalEmailAddress": "SMTP:ada@far.example",
        }
    )

    assert frozenset({"ada@example.com", "a@example.com"}) == read.addresses
    assert ("ada@example.com", "ada@far.example") == (read.address, read.external)


KEYS = st.sampled_from(
    [
        *record("connector"),
        *record("rule-routing"),
        *record("accepted-domain"),
        *("EmailAddresses", "PrimarySmtpAddress", "IsDehydrated", "Conditions", "x"),
    ]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just("\ud800"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


READERS = st.sampled_from(
    [
        reading.connector,
        reading.rule,
        reading.accepted_domain,
        reading.recipient,
        reading.member,
        reading.is_dehydrated,
    ]
)


@given(READERS, st.dictionaries(KEYS, VALUES))
def test_whatever_a_record_holds_it_is_read_or_said_to_be_unreadable(
    read: Callable[[Mapping[str, Any]], object], given: dict[str, Any]
) -> None:
    """No record makes a traceback, and what is read can be written to any store."""
    try:
        found = read({**NAMED, **given})
    except UnreadableError:
        return
    assert repr(found).encode("utf-8")


@given(st.dictionaries(st.text(), VALUES), st.dictionaries(st.just("x-warnings"), st.text()))
def test_whatever_an_answer_holds_its_records_are_had(
    body: dict[str, Any], headers: dict[str, str]
) -> None:
    """An answer that is no object was refused before."""
    read = answer(body, headers)

    assert all(isinstance(one, dict) for one in read.value)
    assert all(one.strip() for one in read.warnings)


def test_types_beside_the_properties_are_not_part_of_a_record() -> None:
    """At every depth."""
    raw = {"A": 1, "A@data.type": "System.Int32", "B": [{"C": 2, "C@odata.type": "#Int32"}]}

    assert {"A": 1, "B": [{"C": 2}]} == stripped(raw)


@pytest.mark.parametrize(
    ("body", "cut"),
    [
        ({"value": [{}]}, False),
        ({"value": []}, False),
        ({"value": [], "@odata.nextLink": "https://x.example/next"}, True),
        ({"value": [{}, "text"]}, True),
        ({"value": [], "@adminapi.warnings": ["Only the first 1000 items are returned."]}, True),
        ({"value": [], "@adminapi.warnings": ["There are more results available."]}, True),
        ({"value": [], "@adminapi.warnings": [TEST_MODE]}, False),
        ({"value": [], "@adminapi.warnings": ["This command is old."]}, False),
    ],
)
def test_an_answer_that_is_not_the_whole_says_so(body: dict[str, Any], *, cut: bool) -> None:
    """That connectors in test mode are left out is a matter of what was asked for."""
    assert cut is answer(body, {}).truncated


@pytest.mark.parametrize("header", ['["careful"]', "careful"])
def test_warnings_are_taken_from_body_and_header_once(header: str) -> None:
    """The header's form is not known: a list in JSON or a text."""
    read = answer({"value": [], "@adminapi.warnings": ["careful", "slow"]}, {"x-warnings": header})

    assert ("careful", "slow") == read.warnings


def test_that_an_answer_was_held_back_is_no_warning_about_it() -> None:
    """Microsoft says to ignore it, in body and header alike; what else is said stays."""
    delayed = "Micro delay applied. Actual delayed: 21956 msecs, Enforced: True"
    read = answer({"value": [], "@adminapi.warnings": [delayed, "slow"]}, {"x-warnings": delayed})

    assert (("slow",), False) == (read.warnings, read.truncated)


def test_pages_are_one_answer() -> None:
    """What a page said of more is settled by the next one, unless that could not be had."""
    first = Answer(({"A": 1},), ("careful", "Only the first item is returned."), truncated=True)
    last = Answer(({"A": 2},), ("careful",))

    assert Answer(({"A": 1}, {"A": 2}), ("careful",)) == joined([first, last], whole=True)
    assert joined([first], whole=False).truncated
