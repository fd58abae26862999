"""Findings of the way out of a tenant: each where it should be, and nowhere else."""

from __future__ import annotations

import inspect
import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exosync.core.target import Finding, Severity
from exosync_adapters.exchange.aim import Aim, Owned
from exosync_adapters.exchange.findings import collect as module
from exosync_adapters.exchange.findings import connector as findings_connector
from exosync_adapters.exchange.findings import domain as findings_domain
from exosync_adapters.exchange.findings import foreign as findings_foreign
from exosync_adapters.exchange.findings import hosts as findings_hosts
from exosync_adapters.exchange.findings import rule as findings_rule
from exosync_adapters.exchange.findings.collect import FINDINGS, findings
from exosync_adapters.exchange.records import (
    AcceptedDomain,
    Connector,
    DomainType,
    Listing,
    Organisation,
    Rule,
)
from exosync_adapters.exchange.settings import ExchangeSettings

DOMAIN = "example.com"
NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)


def settings(**changes: Any) -> ExchangeSettings:
    """A configuration; the other side is neither Google nor Mimecast."""
    basic = {
        "tenant": "8a3bd10e-5b2c-4f6d-9a11-0c6f7e2d1b34",
        "domain": DOMAIN,
        "far_side": "other",
        "smart_hosts": ["mx1.other.example"],
        "routed": {"everyone_but": "here@example.com"},
    }
    return ExchangeSettings.model_validate({**basic, **changes})


def ours(wanted: ExchangeSettings) -> Owned:
    """Connector and rule as they should be."""
    aim = Aim(wanted, "exosync", "exchange")
    return Owned(replace(aim.connector, guid="c-1"), replace(aim.rule, guid="r-1", priority=5))


def whole(owned: Owned, *others: Connector | Rule | AcceptedDomain, **more: Any) -> Organisation:
    """A tenant with ours and others' things."""
    connectors = [one for one in (owned.connector, *others) if isinstance(one, Connector)]
    rules = [one for one in (owned.rule, *others) if isinstance(one, Rule)]
    domains = [one for one in others if isinstance(one, AcceptedDomain)]
    if not any(one.name == DOMAIN for one in domains):
        domains.append(AcceptedDomain(DOMAIN, DomainType.INTERNAL_RELAY))
    rules.sort(key=lambda one: one.priority)
    return Organisation(tuple(domains), tuple(connectors), tuple(rules), **more)


def told(
    wanted: ExchangeSettings,
    owned: Owned | None = None,
    *others: Connector | Rule | AcceptedDomain,
    **more: Any,
) -> dict[str, Finding]:
    """The findings by name; no name twice."""
    owned = ours(wanted) if owned is None else owned
    found = list(findings(wanted, whole(owned, *others, **more), owned, now=NOW))
    by_name = {one.rule: one for one in found}
    assert len(found) == len(by_name)
    return by_name


def with_connector(**changes: Any) -> Owned:
    """Ours, with another connector."""
    basic = ours(settings())
    assert basic.connector is not None
    return replace(basic, connector=replace(basic.connector, **changes))


def with_rule(**changes: Any) -> Owned:
    """Ours, with another rule."""
    basic = ours(settings())
    assert basic.rule is not None
    return replace(basic, rule=replace(basic.rule, **changes))


def routed(name: str) -> Owned:
    """Ours, with a rule that names this connector, or none."""
    basic = ours(settings())
    assert basic.rule is not None
    stamp = {key: one for key, one in basic.rule.actions.items() if key.startswith("SetHeader")}
    route = {"RouteMessageOutboundConnector": (name,)} if name else {}
    return with_rule(actions={**stamp, **route})


def excepting(*groups: str, **more: tuple[str, ...]) -> Owned:
    """Ours, with a rule that excepts these groups."""
    basic = ours(settings())
    assert basic.rule is not None
    return with_rule(exceptions={**basic.rule.exceptions, "ExceptIfSentToMemberOf": groups, **more})


def foreign_rule(**changes: Any) -> Rule:
    """Somebody else's rule that routes mail to the domain of the tests."""
    basic = Rule(
        name="Old way",
        guid="r-9",
        priority=0,
        enabled=True,
        mode="Enforce",
        conditions={"RecipientDomainIs": (DOMAIN,)},
        exceptions={"ExceptIfSentToMemberOf": ("somebody@example.com",)},
        actions={"RouteMessageOutboundConnector": ("Old connector",)},
    )
    return replace(basic, **changes)


def foreign_connector(**changes: Any) -> Connector:
    """Somebody else's connector, for rules alone."""
    basic = Connector(
        name="Old connector",
        guid="c-9",
        enabled=True,
        type="Partner",
        scoped=True,
        use_mx=False,
        smart_hosts=("mx.old.example",),
    )
    return replace(basic, **changes)


def test_where_all_is_as_it_should_be_nothing_is_told() -> None:
    """Neither before anything is there, nor after."""
    assert {} == told(settings())
    assert {} == told(settings(), Owned(None, None))


OF_OURS = [
    (with_connector(scoped=False), "connector_not_scoped", "IsTransportRuleScoped is off"),
    (with_connector(enabled=False), "connector_disabled", "no mail leaves by it"),
    (with_connector(test_mode=True), "connector_test_mode", "listings leave it out"),
    (with_connector(use_mx=True), "connector_uses_mx", "554 5.4.14"),
    (with_connector(recipient_domains=("*",)), "connector_catches_all", "8739"),
    (with_connector(others={"MtaStsMode": "None"}), "connector_has_more", "MtaStsMode: None"),
    (with_connector(others={"SmtpDaneMode": "Mandatory"}), "connector_may_wait", "DANE"),
    (with_connector(is_validated=True, validated_at="2026-07-24"), "is_validated", "anyone can"),
    (
        with_connector(smart_hosts=("example-com.mail.protection.outlook.com",)),
        "loop_possible",
        "Exchange Online itself",
    ),
    (with_rule(conditions={}), "rule_without_recipients", "mail to everybody"),
    (with_rule(enabled=False), "rule_disabled", "a plan of its own"),
    (with_rule(mode="Audit"), "rule_audit_mode", "only tests"),
    (with_rule(expires="2026-11-25T00:00:00"), "rule_dates", "is over since 2026-11-25"),
    (with_rule(expires="2026-12-25T00:00:00"), "rule_dates", "holds until 2026-12-25"),
    (with_rule(expires="2026-11-26T11:00:00Z"), "rule_dates", "is over since 2026-11-26"),
    (with_rule(expires="2026-11-26T11:00:00"), "rule_dates", "holds until 2026-11-26"),
    (with_rule(activates="2026-12-01T00:00:00Z"), "rule_dates", "does not hold yet, but from"),
    (with_rule(activates="yesterday"), "rule_dates", "holds from yesterday"),
    (routed("Gone"), "rule_connector_gone", "deleted or renamed"),
    (routed(""), "rule_connector_gone", "sends to no connector"),
    (
        with_rule(actions={"RouteMessageOutboundConnector": ("exosync example.com",)}),
        "loop_possible",
        "no longer sets the header",
    ),
    (excepting("other@example.com"), "rule_takes_local_mail", "members of here@example.com"),
    (
        with_rule(exceptions={"ExceptIfSentToMemberOf": ("here@example.com",)}),
        "loop_possible",
        "no exception for a header",
    ),
    (
        with_rule(exceptions={"ExceptIfHeaderContainsMessageHeader": ("X-Exosync-Routed",)}),
        "rule_takes_local_mail",
        "mailboxes in Exchange Online goes to the other side too",
    ),
]


@pytest.mark.parametrize(("owned", "name", "says"), OF_OURS)
def test_what_is_unusual_about_ours_is_told(owned: Owned, name: str, says: str) -> None:
    """By one finding, with the thing's name, the why, and a mend that is exosync's or a person's."""
    found = told(settings(), owned)

    assert [name] == list(found)
    assert says in found[name].message
    assert "“exosync example.com”" in found[name].message


@pytest.mark.parametrize(("owned", "name", "says"), OF_OURS)
def test_of_what_is_to_be_removed_nothing_is_told(owned: Owned, name: str, says: str) -> None:
    """That a rule is off is as it should be then."""
    assert {} == told(settings(remove=True), owned), (name, says)


def test_a_listing_that_may_be_cut_makes_nothing_gone() -> None:
    """The connector that the rule names, or the domain, may be in the rest."""
    owned = routed("Gone")
    assert {} == told(settings(), owned, incomplete={Listing.CONNECTORS: "cut"})

    organisation = Organisation(incomplete={Listing.DOMAINS: "cut"})
    assert [] == list(findings(settings(), organisation, Owned()))


def test_a_domain_that_is_not_accepted_is_told() -> None:
    """By its name: the tenant may be the wrong one."""
    (found,) = findings(settings(), Organisation(), Owned())
    assert "domain_not_accepted" == found.rule
    assert DOMAIN in found.message


def test_the_rule_names_another_connector() -> None:
    """Which is there, and nobody keeps."""
    owned = routed("OLD CONNECTOR")
    found = told(settings(), owned, foreign_connector())

    assert ["rule_connector_other"] == list(found)
    assert "“OLD CONNECTOR”, which is not exosync's" in found["rule_connector_other"].message


def test_the_connector_by_its_guid_or_in_another_case_is_the_same() -> None:
    """Exchange tells no case apart, and takes Guids."""
    for name in ("EXOSYNC EXAMPLE.COM", "C-1"):
        assert {} == told(settings(), routed(name))


@pytest.mark.parametrize(
    "owned",
    [
        excepting("SMTP:HERE@EXAMPLE.COM"),
        excepting("here@example.com", "other@example.com"),
        excepting("hier@example.com"),
        excepting("Those who are here"),
        excepting("other@example.com", ExceptIfSentTo=("ada@example.com",)),
    ],
)
def test_a_rule_that_may_spare_those_who_are_here_is_not_told(owned: Owned) -> None:
    """The group by another address or name of its own, beside others, or some people by name."""
    wanted = settings()
    known_as = {"hier@example.com": "here@example.com"}
    found = list(findings(wanted, whole(owned), owned, now=NOW, known_as=known_as))
    assert [] == found


@pytest.mark.parametrize(("enabled", "is_told"), [(True, True), (False, False)])
def test_a_rule_that_acts_while_nobody_is_excepted_is_told(enabled: bool, is_told: bool) -> None:
    """One that is off sends nothing away; whoever is to switch it on is told then."""
    owned = with_rule(enabled=enabled)
    found = list(findings(settings(), whole(owned), owned, now=NOW, spares_nobody=True))
    names = [one.rule for one in found]

    assert is_told == ("rule_takes_local_mail" in names)
    assert not is_told or "nobody is in the group here@example.com" in found[0].message


@pytest.mark.parametrize(
    ("breaker", "actions", "is_told"),
    [
        ({"stamp": False}, {}, False),
        ({}, {"SetHeaderName": ("x-exosync-ROUTED",), "SetHeaderValue": ("Exosync",)}, False),
        ({}, {"SetHeaderName": ("X-Other",), "SetHeaderValue": ("exosync",)}, True),
        ({}, {"SetHeaderName": ("X-Exosync-Routed",), "SetHeaderValue": ("other",)}, True),
    ],
)
def test_a_header_that_nobody_sets_ends_no_loop(
    breaker: dict[str, Any], actions: dict[str, tuple[str, ...]], is_told: bool
) -> None:
    """Unless the other side is to set it."""
    wanted = settings(exceptions={"loop_breaker": breaker})
    route = {"RouteMessageOutboundConnector": ("exosync example.com",)}
    found = told(wanted, with_rule(actions={**route, **actions}))
    assert (["loop_possible"] if is_told else []) == list(found)


@pytest.mark.parametrize(
    ("changes", "is_told"),
    [
        ({}, True),
        ({"enabled": False}, False),
        ({"mode": "Audit"}, False),
        ({"stops": False}, False),
        ({"priority": 6}, False),
        ({"conditions": {"RecipientDomainIs": ("other.example",)}}, False),
        ({"conditions": {"SentTo": ("ada@other.example",)}}, False),
        ({"conditions": {"SentTo": ("ada@example.com",)}}, True),
        ({"conditions": {"SentToScope": ("NotInOrganization",)}}, False),
        ({"conditions": {"SubjectContainsWords": ("secret",)}}, True),
        ({"exceptions": {"ExceptIfRecipientDomainIs": (DOMAIN,)}}, False),
        ({"exceptions": {"ExceptIfSentToScope": ("InOrganization",)}}, False),
        ({"exceptions": {"ExceptIfSentToScope": ("NotInOrganization",)}}, True),
        ({"expires": "2026-11-25T00:00:00"}, False),
        ({"expires": "2026-11-26T11:00:00"}, True),  # by somebody's clock it is not over
        ({"activates": "2027-01-01T00:00:00Z"}, True),
    ],
)
def test_rules_before_ours_that_stop_are_told(changes: dict[str, Any], is_told: bool) -> None:
    """Only those that act, and may take mail to the domain."""
    stopping = foreign_rule(actions={"SetSCL": ("-1",)}, stops=True)
    found = told(settings(), None, replace(stopping, **changes))
    assert (["rule_below_stop"] if is_told else []) == list(found)


def test_other_accepted_domains_below_are_matched_too() -> None:
    """RecipientDomainIs takes subdomains along."""
    below = AcceptedDomain("mail.example.com", DomainType.AUTHORITATIVE)
    beside = AcceptedDomain("notexample.com", DomainType.AUTHORITATIVE)
    found = told(settings(), None, below, beside)

    assert ["rule_subdomains"] == list(found)
    assert "to mail.example.com is" in found["rule_subdomains"].message


def test_a_domain_that_takes_its_subdomains_matches_them_too() -> None:
    """MatchSubDomains needs no domain of its own."""
    accepted = AcceptedDomain(DOMAIN, DomainType.INTERNAL_RELAY, match_subdomains=True)
    found = told(settings(), None, accepted)
    assert "every name below example.com" in found["rule_subdomains"].message


def test_an_authoritative_domain_refuses_before_any_rule() -> None:
    """A warning where people are on the other side alone, an info where a group knows them."""
    accepted = AcceptedDomain(DOMAIN, DomainType.AUTHORITATIVE)
    everyone = told(settings(), None, accepted)["domain_authoritative"]
    left = told(settings(accepted_domain="leave"), None, accepted)["domain_authoritative"]
    group = settings(routed={"group": "elsewhere@example.com"})
    grouped = told(group, None, accepted)["domain_authoritative"]

    assert (Severity.WARNING, Severity.INFO) == (everyone.severity, grouped.severity)
    assert "exosync asks for it" in everyone.message
    assert "accepted_domain: leave" in left.message
    assert "members of elsewhere@example.com" in grouped.message


def test_of_a_name_below_an_authoritative_domain_nothing_is_promised() -> None:
    """exosync asks for another type of the configured domain alone."""
    above = AcceptedDomain(DOMAIN, DomainType.AUTHORITATIVE, match_subdomains=True)
    wanted = settings(domain="mail.example.com")
    (found,) = findings(wanted, Organisation(domains=(above,)), Owned(), now=NOW)

    assert "domain_authoritative" == found.rule
    assert "a person makes example.com an internal relay, or accepts mail.example.com" in (
        found.message
    )
    assert "exosync asks for it" not in found.message


def test_an_external_relay_is_told_as_what_nobody_can_tell_of() -> None:
    """Microsoft documents the type for Exchange on premises alone (Set-AcceptedDomain)."""
    accepted = AcceptedDomain(DOMAIN, DomainType.EXTERNAL_RELAY)
    group = settings(routed={"group": "there@example.com"})

    everyone = told(settings(), None, accepted)["domain_external_relay"]
    grouped = told(group, None, accepted)["domain_external_relay"]

    assert (Severity.WARNING, Severity.WARNING) == (everyone.severity, grouped.severity)
    assert "a person makes it an internal relay" in everyone.message
    assert "a person makes it authoritative" in grouped.message


@pytest.mark.parametrize("relayed", [(), (DOMAIN,)])
def test_after_removal_a_relay_that_stays_is_told_unless_ours_may_be_unseen(
    relayed: tuple[str, ...],
) -> None:
    """Whoever made it one; that exosync asked for it is said only where it did."""
    wanted = settings(remove=True)

    def left(owned: Owned, **more: Any) -> list[str]:
        found = findings(wanted, whole(owned, **more), owned, now=NOW, relayed=relayed)
        return [one.message for one in found if one.rule == "domain_left_behind"]

    (message,) = left(Owned())
    assert bool(relayed) == ("as exosync asked for" in message)
    assert [] == left(Owned(), incomplete={Listing.RULES: "cut"})
    assert [] == left(ours(settings()))


def test_of_another_domain_only_a_relay_that_exosync_asked_for_is_told() -> None:
    """And only as long as it is one."""
    for kind, relayed, expected in (
        (DomainType.INTERNAL_RELAY, ("old.example",), 1),
        (DomainType.INTERNAL_RELAY, (), 0),
        (DomainType.AUTHORITATIVE, ("old.example",), 0),
    ):
        owned = ours(settings())
        there = whole(owned, AcceptedDomain("old.example", kind))
        found = [one.rule for one in findings(settings(), there, owned, relayed=relayed)]
        assert expected == found.count("domain_left_behind")


def test_a_whole_domain_that_was_acknowledged_is_still_told() -> None:
    """As an info: it is meant, and mailboxes here still get nothing."""
    wanted = settings(routed={"whole_domain": "acknowledged"})
    found = told(wanted)

    assert ["rule_takes_local_mail"] == list(found)
    assert Severity.INFO is found["rule_takes_local_mail"].severity


def test_without_a_loop_breaker_in_the_configuration_the_mend_is_there() -> None:
    """exosync plan would not bring one."""
    found = told(settings(exceptions={"loop_breaker": None}))
    assert "give exceptions.loop_breaker" in found["loop_possible"].message


@pytest.mark.parametrize(
    ("far_side", "host", "names"),
    [
        ("google_workspace", "us-smtp-inbound-1.mimecast.com", ["far_side_differs"]),
        ("mimecast", "aspmx.l.google.com", ["far_side_differs", "google_hosts_unproven"]),
        ("mimecast", "us-smtp-inbound-1.mimecast.com", []),
        ("google_workspace", "mx.example.net", []),
        ("google_workspace", "smtp-relay.gmail.com", ["google_relay"]),
        ("other", "aspmx.l.google.com", ["google_hosts_unproven"]),
        ("other", "10.10.1.1", ["host_private"]),
        ("other", "172.16.0.0/24", ["host_private"]),
        ("other", "fd00::25", ["host_private"]),
        ("other", "198.51.100.25", []),
    ],
)
def test_smart_hosts_tell_whose_they_are(far_side: str, host: str, names: list[str]) -> None:
    """By names that are surely one side's; others tell nothing."""
    assert names == list(told(settings(far_side=far_side, smart_hosts=[host])))


def test_the_preset_is_said_to_be_unproven() -> None:
    """Nothing published shows Google's receiving hosts as smart hosts."""
    found = told(settings(far_side="google_workspace", smart_hosts=[]))
    assert ["google_hosts_unproven"] == list(found)
    assert Severity.INFO is found["google_hosts_unproven"].severity


def test_a_connector_that_somebody_led_to_another_side_is_told() -> None:
    """What the configuration wants is not what is there."""
    wanted = settings(far_side="google_workspace", smart_hosts=["mx.example.net"])
    basic = ours(wanted)
    assert basic.connector is not None
    led = replace(basic.connector, smart_hosts=("us-smtp-inbound-1.mimecast.com",))
    found = told(wanted, replace(basic, connector=led))
    assert "the connector “exosync example.com” sends to" in found["far_side_differs"].message


def test_somebody_elses_rule_for_the_whole_domain_is_the_case_of_the_how_to() -> None:
    """Whoever looks after it must mend it."""
    rule = foreign_rule(exceptions={}, name="Everything to Google")
    for owned in (None, Owned()):
        found = told(settings(), owned, rule)
        assert ["foreign_domain_rule"] == list(found)
        assert "“Everything to Google” (priority 0" in found["foreign_domain_rule"].message
        assert "whoever looks after it must" in found["foreign_domain_rule"].message


def test_a_rule_with_conditions_that_nobody_knows_may_tell_people_apart() -> None:
    """So it is only told as one that may take mail."""
    rule = foreign_rule(exceptions={}, predicates=("SomethingNewPredicate",))
    assert ["foreign_rule_before"] == list(told(settings(), None, rule))


@pytest.mark.parametrize(("priority", "name"), [(0, "before"), (9, "after")])
def test_others_rules_that_route_the_domain_are_told(priority: int, name: str) -> None:
    """Before ours or after: which connector wins is not published."""
    found = told(settings(), None, foreign_rule(priority=priority))
    assert [f"foreign_rule_{name}"] == list(found)
    assert "“Old way”" in found[f"foreign_rule_{name}"].message


def test_a_rule_of_others_that_is_over_is_not_told() -> None:
    """One that begins later is."""
    over = foreign_rule(exceptions={}, expires="2020-01-01T00:00:00Z")
    assert {} == told(settings(), None, over)
    later = replace(over, expires="", activates="2030-01-01T00:00:00Z")
    assert ["foreign_domain_rule"] == list(told(settings(), None, later))


def test_before_ours_is_there_all_rules_are_before_it() -> None:
    """A new rule comes last."""
    assert ["foreign_rule_before"] == list(told(settings(), Owned(), foreign_rule(priority=9)))


def test_a_rule_that_has_our_name_is_told_by_the_refusal_alone() -> None:
    """It is taken over, or ours gets another name."""
    assert {} == told(settings(), Owned(), foreign_rule(name="EXOSYNC example.com"))


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        ({"recipient_domains": (DOMAIN,)}, ["foreign_connector"]),
        ({"recipient_domains": ("*.com",)}, ["foreign_connector"]),
        ({"all_accepted_domains": True, "type": "OnPremises"}, ["foreign_connector"]),
        ({"recipient_domains": ("*.example.com", "other.example")}, []),
        ({"recipient_domains": ("*",)}, ["connector_catches_all"]),
        ({"recipient_domains": (DOMAIN,), "enabled": False}, []),
        ({"recipient_domains": (DOMAIN,), "scoped": True}, []),
        ({"recipient_domains": (DOMAIN,), "test_mode": True}, []),
    ],
)
def test_others_connectors_that_need_no_rule_are_told(
    changes: dict[str, Any], names: list[str]
) -> None:
    """Only those that carry mail, by their recipient domains."""
    connector = foreign_connector(**{"scoped": False, **changes})
    assert names == list(told(settings(), None, connector))


def test_names_of_others_stay_short_and_in_one_line() -> None:
    """However long they are, and whatever is in them."""
    rules = [
        foreign_rule(name=f"\x1b[31m{number}\n{'x' * 300}", guid=f"r-{number + 9}", priority=0)
        for number in range(9)
    ]
    message = told(settings(), None, *rules)["foreign_rule_before"].message

    assert "and 3 more" in message
    assert message.isprintable()
    assert 1200 > len(message)


texts = st.sampled_from(["", "*", DOMAIN, "other.example", "x", "2026-13-99"])
anything = st.tuples(texts).map(tuple)
parts = st.dictionaries(
    st.sampled_from(["RecipientDomainIs", "SentTo", "SentToScope", "SubjectContainsWords"]),
    anything,
)
connectors = st.builds(
    Connector,
    name=texts,
    guid=texts,
    enabled=st.booleans(),
    type=texts,
    scoped=st.booleans(),
    use_mx=st.booleans(),
    smart_hosts=anything,
    recipient_domains=anything,
    test_mode=st.booleans(),
    others=st.dictionaries(texts, texts, max_size=2),
)
rules = st.builds(
    Rule,
    name=texts,
    guid=texts,
    priority=st.integers(0, 9),
    enabled=st.booleans(),
    mode=st.sampled_from(["Enforce", "Audit", ""]),
    conditions=parts,
    exceptions=parts,
    actions=st.dictionaries(st.just("RouteMessageOutboundConnector"), anything),
    stops=st.booleans(),
    activates=texts,
    expires=texts,
)
organisations = st.builds(
    Organisation,
    domains=st.lists(
        st.builds(
            AcceptedDomain, texts, st.sampled_from(DomainType), match_subdomains=st.booleans()
        )
    ).map(tuple),
    connectors=st.lists(connectors, max_size=3).map(tuple),
    rules=st.lists(rules, max_size=3).map(tuple),
)


@given(organisations, st.sampled_from([None, NOW]))
def test_whatever_a_tenant_holds_findings_have_names_that_are_known(
    organisation: Organisation, now: datetime | None
) -> None:
    """They never fail, and change nothing."""
    owned = Owned(next(iter(organisation.connectors), None), next(iter(organisation.rules), None))
    found = list(findings(settings(), organisation, owned, now=now))

    assert {one.rule for one in found} <= set(FINDINGS)
    assert all(one.message.isprintable() for one in found)


def test_every_finding_of_the_kind_stands_in_its_table() -> None:
    """And nothing stands there that is never told."""
    modules = (
        module,
        findings_connector,
        findings_domain,
        findings_foreign,
        findings_hosts,
        findings_rule,
    )
    sources = "".join(inspect.getsource(one) for one in modules)
    assert set(re.findall(r'Finding\(\s*"([a-z_]+)"', sources)) == set(FINDINGS)
