"""What counts as a difference between an object as it is and as it should be."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exosync_adapters.exchange.compare import (
    address,
    connector_parameters,
    differing,
    host,
    more,
    normal,
    resolved,
    rule_parameters,
    text,
    token,
)
from exosync_adapters.exchange.records import Connector, Rule

CONNECTOR = Connector(
    "Ours",
    "guid-1",
    enabled=True,
    type="Partner",
    scoped=True,
    use_mx=False,
    smart_hosts=("a.example", "b.example"),
    tls="EncryptionOnly",
)
RULE = Rule(
    "Ours",
    "guid-2",
    3,
    enabled=True,
    mode="Enforce",
    conditions={"RecipientDomainIs": ("example.com",)},
    exceptions={"ExceptIfSentToMemberOf": ("a@example.com", "b@example.com")},
    actions={"RouteMessageOutboundConnector": ("Ours",)},
)


def of_rule(one: Rule, **how: Any) -> dict[str, object]:
    """A rule as parameters."""
    return rule_parameters(one, route=one.connector, **how)


@pytest.mark.parametrize("value", [None, "", [], ()])
def test_null_and_empty_are_the_same(value: object) -> None:
    """Exchange Online gives back any of them (Microsoft365DSC#5500)."""
    assert None is normal("SmartHosts", value)
    assert None is normal("TlsDomain", value)


def test_false_is_not_empty() -> None:
    """A switch that is off says something."""
    assert normal("UseMXRecord", value=False) is False


@pytest.mark.parametrize(
    ("name", "one", "other"),
    [
        ("SmartHosts", ["B.example.", "[192.0.2.1]"], ["192.0.2.1", "b.EXAMPLE"]),
        ("SmartHosts", ["bücher.example"], ["xn--bcher-kva.example"]),
        ("RecipientDomainIs", ["Example.COM"], ["example.com", "example.com"]),
        ("SentToMemberOf", ["SMTP:A@example.com;1"], ["a@example.com"]),
        ("ExceptIfHeaderContainsWords", ["Exosync", "two"], ["two", "exosync"]),
        ("ExceptIfHeaderContainsMessageHeader", "X-Routed", "x-routed"),
        ("TlsSettings", "EncryptionOnly", "encryptiononly"),
        ("Name", "Ours", "OURS"),
    ],
)
def test_what_only_reads_otherwise_is_the_same(name: str, one: object, other: object) -> None:
    """Case, order, doubles, dots, brackets, prefixes, and A-labels."""
    assert normal(name, one) == normal(name, other)


def test_the_value_of_a_header_has_case() -> None:
    """It is what the rule writes into the message."""
    assert normal("SetHeaderValue", "exosync") != normal("SetHeaderValue", "Exosync")


def test_a_host_that_is_no_name_is_left_in_lower_case() -> None:
    """Nothing is ever raised over what a tenant holds."""
    assert ["", "\udcff.example", "ü..example"] == [
        host(one) for one in ("..", "\udcff.example", "Ü..example")
    ]


@pytest.mark.parametrize("text_", ["a;b", ";1", "a@example.com;x"])
def test_a_semicolon_without_a_number_is_part_of_an_address(text_: str) -> None:
    """Only a priority is cut off."""
    assert text_ == address(text_)


def test_a_rule_means_the_connector_by_name_in_the_same_case_first() -> None:
    """Names that differ in case alone are about; a Guid does as well."""
    other = replace(CONNECTOR, name="OURS", guid="guid-9")
    both = (other, CONNECTOR)

    assert [CONNECTOR, other, CONNECTOR, other, None, None] == [
        resolved(name, both) for name in ("Ours", "OURS", "GUID-1", "ours", "", "Gone")
    ]


@given(
    st.sampled_from(
        [
            {"guid": "another"},
            {"comment": "words"},
            {"is_validated": True},
            {"validated_at": "2026"},
            {"source": "AdminUI"},
            {"others": {"MtaStsMode": "None"}},
            {"smart_hosts": ("b.example", "A.example")},
        ]
    )
)
def test_what_is_not_modelled_is_no_difference(fields: dict[str, Any]) -> None:
    """Neither in the comparison nor in the token."""
    one, other = (connector_parameters(x) for x in (CONNECTOR, replace(CONNECTOR, **fields)))

    assert () == differing(one, other)
    assert token(one) == token(other)


@pytest.mark.parametrize(
    ("fields", "names"),
    [
        ({"enabled": False}, ("Enabled",)),
        ({"tls": ""}, ("TlsSettings",)),
        ({"recipient_domains": ("*",)}, ("RecipientDomains",)),
        ({"use_mx": True, "smart_hosts": ()}, ("UseMXRecord", "SmartHosts")),
    ],
)
def test_a_difference_has_the_name_of_its_parameter(
    fields: dict[str, Any], names: tuple[str, ...]
) -> None:
    """And another token."""
    one, other = (connector_parameters(x) for x in (CONNECTOR, replace(CONNECTOR, **fields)))

    assert names == differing(one, other)
    assert token(one) != token(other)


def test_the_place_counts_only_if_it_is_asked_for() -> None:
    """Others' rules move ours about."""
    moved = replace(RULE, priority=7)

    assert token(of_rule(RULE)) == token(of_rule(moved))
    assert ("Priority",) == differing(of_rule(RULE, priority=3), of_rule(moved, priority=7))


def test_the_token_tells_whether_it_is_on() -> None:
    """Of what nobody can read, it is all there is."""
    assert token(of_rule(RULE)).startswith("on:")
    assert token(of_rule(replace(RULE, enabled=False))).startswith("off:")


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, ()),
        ({"conditions": {"FromScope": ("InOrganization",)}}, ("FromScope",)),
        ({"exceptions": {"ExceptIfFrom": ("a@example.com",)}}, ("ExceptIfFrom",)),
        ({"actions": {**RULE.actions, "PrependSubject": ("x",)}}, ("PrependSubject",)),
        ({"actions": {**RULE.actions, "SetAuditSeverity": ("Low",)}}, ()),
        ({"predicates": ("RecipientDomainIsPredicate", "X.SetAuditSeverityAction")}, ()),
        ({"predicates": ("SentToPredicate",)}, ("SentTo",)),
        ({"predicates": ("SetHeaderAction",)}, ("SetHeader",)),
        ({"predicates": ("X.Y.MessageSizeOverPredicate",)}, ("MessageSizeOver",)),
    ],
)
def test_what_a_rule_has_beyond_is_named(fields: dict[str, Any], expected: tuple[str, ...]) -> None:
    """A class is explained by a parameter of the same name, and not by one that begins so."""
    assert expected == more(replace(RULE, **fields))


def test_people_compare_lines() -> None:
    """One for each parameter that is set, lists in one order."""
    assert [
        "Name: Ours",
        "Enabled: True",
        "Mode: Enforce",
        "RecipientDomainIs: example.com",
        "ExceptIfSentToMemberOf: a@example.com, b@example.com",
        "RouteMessageOutboundConnector: Ours",
        "StopRuleProcessing: False",
    ] == text(of_rule(RULE)).splitlines()
