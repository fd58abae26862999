"""Where Exchange Online sends a message, and how sure that is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from exosync_adapters.exchange.records import (
    AcceptedDomain,
    DomainType,
    Listing,
    Organisation,
    Rule,
)
from exosync_adapters.exchange.way.flow import Exit, Going, flow
from exosync_adapters.exchange.way.letters import ABSENT, Groups, Message
from exosync_adapters.exchange.way.matching import applies
from tests.support.tenants import (
    AT,
    BREAKER,
    GROUPS,
    HERE,
    NOBODY,
    THERE,
    authoritative,
    connecting,
    message,
    organisation,
    routing,
    settings,
)

OURS = "exosync example.com"


def exits(tenant: Organisation, one: Message, groups: Groups = GROUPS) -> tuple[Exit, ...]:
    """Where it may end."""
    return flow(tenant, one, groups, ours=OURS).exits


def going(tenant: Organisation, one: Message, groups: Groups = GROUPS) -> list[str]:
    """The same in short: `connector exosync example.com`, `mx`, `here`."""
    return [f"{each.going} {each.name}".rstrip() for each in exits(tenant, one, groups)]


def test_who_is_in_the_group_goes_to_the_other_side() -> None:
    """The rule routes to the connector, for certain."""
    told = flow(organisation(), message(), GROUPS, ours=OURS)
    assert ["connector exosync example.com"] == [f"{e.going} {e.name}" for e in told.exits]
    assert told.leaves is True
    assert "exosync" == told.left.headers[BREAKER]


def test_who_is_not_in_the_group_stays() -> None:
    """A mailbox here gets its mail here."""
    one = message(recipient="carol@example.com", to=HERE)
    assert ["here"] == going(organisation(), one)


def test_a_group_that_nobody_asked_for_makes_the_way_fork() -> None:
    """It may be routed or not: both are told, none is claimed."""
    told = flow(organisation(), message(to=HERE), {}, ours=OURS)
    assert {Going.CONNECTOR, Going.HERE} == {one.going for one in told.exits}
    assert told.leaves is None


def test_what_leaves_it_open_is_named() -> None:
    """The parameter with its values, and the class that no parameter explains."""
    rule = replace(organisation().rules[0], predicates=("A.B.Tasks.PhaseOfTheMoonPredicate",))
    told = flow(organisation(rules=(rule,)), message(to=HERE), {}, ours=OURS)
    says = [line for one in told.stages for line in one.says if line.startswith("not known")]
    assert ["not known: SentToMemberOf elsewhere@example.com; PhaseOfTheMoon"] == says


def test_what_was_on_the_other_side_is_not_routed_again() -> None:
    """The loop breaker's header is an exception; the relay then goes by MX."""
    back = message(headers={BREAKER: "exosync"}, inside=False, to=NOBODY)
    assert ["mx"] == going(organisation(), back)


def test_a_header_that_is_not_known_leaves_it_open() -> None:
    """Nobody knows whether the message has been on the other side."""
    told = flow(organisation(), message(headers={}), GROUPS, ours=OURS)
    assert told.leaves is None


def test_a_subdomain_is_the_domains() -> None:
    """RecipientDomainIs takes subdomains too."""
    tenant = organisation(rules=(routing("theirs", OURS),))
    assert [f"connector {OURS}"] == going(tenant, message(recipient="bob@eu.example.com"))


def test_a_domain_that_only_ends_alike_is_another() -> None:
    """notexample.com is no subdomain of example.com."""
    tenant = organisation(rules=(routing("theirs", OURS),))
    assert ["mx"] == going(tenant, message(recipient="bob@notexample.com"))


@pytest.mark.parametrize(
    "change",
    [
        {"enabled": False},
        {"mode": "Audit"},
        {"mode": "AuditAndNotify"},
        {"activates": (AT + timedelta(hours=1)).isoformat()},
        {"expires": (AT - timedelta(hours=1)).isoformat()},
    ],
)
def test_a_rule_that_is_not_in_force_does_nothing(change: dict[str, Any]) -> None:
    """It is told of as what is wrong, since it is the one that should act."""
    tenant = organisation()
    tenant = replace(tenant, rules=(replace(tenant.rules[0], **change),))
    told = flow(tenant, message(to=NOBODY), GROUPS, ours=OURS)
    assert [Going.MX] == [one.going for one in told.exits]
    assert [False] == [one.ok for one in told.stages if one.kind == "rule"]


def test_a_time_without_zone_near_its_moment_leaves_it_open() -> None:
    """Nobody knows whose clock it was written by."""
    tenant = organisation()
    near = replace(tenant.rules[0], expires="2026-11-26T13:00:00")
    assert flow(replace(tenant, rules=(near,)), message(), GROUPS).leaves is None


def test_a_rule_below_one_that_stops_is_not_reached() -> None:
    """The one that stops is named."""
    first = routing("first", "", priority=0, actions={"PrependSubject": ("x",)}, stops=True)
    tenant = organisation(rules=(first, *organisation().rules))
    told = flow(tenant, message(to=HERE), GROUPS, ours=OURS)
    assert [Going.HERE] == [one.going for one in told.exits]
    assert any("first stops processing" in says for one in told.stages for says in one.says)


def test_a_rule_below_one_that_may_stop_may_be_reached() -> None:
    """What the first looks at is not modelled."""
    first = routing(
        "first", "", conditions={"SubjectContainsWords": ("x",)}, actions={}, stops=True
    )
    tenant = organisation(rules=(first, *organisation().rules))
    assert {"here", f"connector {OURS}"} == set(going(tenant, message(to=HERE)))


def test_two_rules_that_route_differently_fork() -> None:
    """Which wins is documented nowhere."""
    other = connecting("other", scoped=True)
    tenant = organisation(
        rules=(routing("theirs", "other"), *organisation().rules),
        connectors=(other, *organisation().connectors),
    )
    told = flow(tenant, message(), GROUPS, ours=OURS)
    assert {"other", OURS} == {one.name for one in told.exits}
    assert any(one.ok is None and "different connectors" in one.title for one in told.stages)


def test_two_rules_that_route_alike_are_one_way() -> None:
    """There is nothing to be unsure of."""
    tenant = organisation(rules=(routing("theirs", OURS.upper()), *organisation().rules))
    assert [f"connector {OURS}"] == going(tenant, message())


def test_a_header_that_a_rule_sets_is_seen_by_the_next() -> None:
    """The second rule excepts what the first has marked."""
    marking = routing(
        "marking", "", actions={"SetHeaderName": (BREAKER,), "SetHeaderValue": ("exosync",)}
    )
    tenant = organisation(rules=(marking, *organisation().rules))
    assert ["here"] == going(tenant, message(to=HERE))


def test_a_header_that_a_rule_may_set_leaves_the_next_open() -> None:
    """What may act besides is not forgotten."""
    marking = routing(
        "marking",
        "",
        conditions={"SubjectContainsWords": ("x",)},
        actions={"SetHeaderName": (BREAKER,), "SetHeaderValue": ("exosync",)},
    )
    tenant = organisation(rules=(marking, *organisation().rules))
    assert {"here", f"connector {OURS}"} == set(going(tenant, message(to=HERE)))


@pytest.mark.parametrize(
    ("action", "words"),
    [
        ("DeleteMessage", "deletes it"),
        ("RejectMessageReasonText", "rejects it"),
        ("Quarantine", "quarantine"),
        ("RedirectMessageTo", "somebody else"),
    ],
)
def test_a_rule_may_be_the_end(action: str, words: str) -> None:
    """Whatever another rule routes, the message does not get there."""
    ending = routing("ending", "", actions={action: ("True",)})
    tenant = organisation(rules=(*organisation().rules, ending))
    (found,) = exits(tenant, message())
    assert Going.TAKEN is found.going
    assert words in found.why


def test_an_action_that_is_not_modelled_leaves_it_open() -> None:
    """It may do anything."""
    odd = routing("odd", "", actions={}, predicates=("A.B.Tasks.TeleportMessageAction",))
    tenant = organisation(rules=(*organisation().rules, odd))
    assert flow(tenant, message(), GROUPS).leaves is None


def test_from_outside_the_edge_of_an_authoritative_domain_refuses_whom_it_does_not_know() -> None:
    """No rule is met."""
    tenant = organisation(domains=authoritative())
    one = message(sender="eve@example.org", inside=False, to=NOBODY)
    told = flow(tenant, one, GROUPS, ours=OURS)
    assert [Going.REFUSED] == [one.going for one in told.exits]
    assert ["domain"] == [one.kind for one in told.stages]
    assert told.stages[0].ok is False


def test_from_inside_it_is_not_documented_what_comes_first() -> None:
    """A rule may take it, or the domain refuse it: the stage is open."""
    tenant = organisation(domains=authoritative(), rules=(routing("theirs", OURS),))
    told = flow(tenant, message(to=NOBODY), GROUPS)
    assert told.stages[0].ok is None


def test_whether_the_edge_refuses_is_open_where_the_recipient_is_not_known_of() -> None:
    """Both ends are told."""
    tenant = organisation(domains=authoritative(), rules=(routing("theirs", OURS),))
    one = message(sender="eve@example.org", inside=False, to=replace(NOBODY, exists=None))
    assert {"refused", f"connector {OURS}"} == set(going(tenant, one))


def test_an_internal_relay_without_connector_goes_by_mx() -> None:
    """Exchange Online looks the domain's MX up."""
    tenant = organisation(rules=(), connectors=())
    assert ["mx"] == going(tenant, message(to=NOBODY))


@pytest.mark.parametrize("pattern", ["*", "example.com"])
def test_an_internal_relay_goes_by_the_connector_for_its_domain(pattern: str) -> None:
    """One that is not for rules, and covers the domain."""
    tenant = organisation(rules=(), connectors=(connecting("all", recipient_domains=(pattern,)),))
    assert ["connector all"] == going(tenant, message(to=NOBODY))


def test_a_wildcard_covers_what_is_below_it() -> None:
    """*.example.com is for eu.example.com; for example.com itself that is not told."""
    tenant = organisation(
        rules=(), connectors=(connecting("below", recipient_domains=("*.example.com",)),)
    )
    below = message(recipient="bob@eu.example.com", to=NOBODY)
    assert ["connector below"] == going(tenant, below)
    assert {"connector below", "mx"} == set(going(tenant, message(to=NOBODY)))


def test_of_two_connectors_for_a_domain_none_is_claimed() -> None:
    """Whether the most specific wins is not documented."""
    both = tuple(
        connecting(name, recipient_domains=(pattern,))
        for name, pattern in (("all", "*"), ("one", "example.com"))
    )
    tenant = organisation(rules=(), connectors=both)
    told = flow(tenant, message(to=NOBODY), GROUPS)
    assert {"all", "one"} == {one.name for one in told.exits}


@pytest.mark.parametrize("change", [{"scoped": True}, {"enabled": False}])
def test_a_connector_for_rules_or_disabled_takes_nothing_by_itself(change: dict[str, Any]) -> None:
    """The message goes by MX."""
    other = connecting("other", recipient_domains=("*",), **change)
    assert ["mx"] == going(organisation(rules=(), connectors=(other,)), message(to=NOBODY))


def test_a_rule_overrides_a_mailbox_here() -> None:
    """The recipient is on both sides: what the rule routes never arrives here."""
    assert [f"connector {OURS}"] == going(organisation(), message(to=HERE))


def test_a_rule_may_name_its_connector_by_guid() -> None:
    """The way bears the connector's name."""
    tenant = organisation()
    ours = replace(tenant.connectors[0], guid="11111111-2222-3333-4444-555555555555")
    tenant = replace(tenant, rules=(routing("theirs", ours.guid),), connectors=(ours,))
    assert [f"connector {OURS}"] == going(tenant, message())


@pytest.mark.parametrize("listing", [Listing.RULES, Listing.DOMAINS, Listing.CONNECTORS])
def test_what_was_not_read_whole_makes_nothing_certain(listing: Listing) -> None:
    """A listing that is cut leaves open what might stand in the rest."""
    tenant = organisation(rules=(), connectors=(), incomplete={listing: "cut"})
    one = message(recipient="bob@example.net" if listing is Listing.DOMAINS else "bob@example.com")
    assert flow(tenant, replace(one, to=NOBODY), GROUPS).leaves is None


def test_a_domain_of_a_type_that_is_not_known_leaves_it_open() -> None:
    """Microsoft may add one."""
    tenant = organisation(rules=(), domains=(AcceptedDomain("example.com", DomainType.UNKNOWN),))
    assert flow(tenant, message(to=NOBODY), GROUPS).leaves is None


def test_other_peoples_rules_that_change_nothing_are_counted() -> None:
    """A tenant full of rules does not fill the page."""
    theirs = [
        routing(f"dlp {number}", "", conditions={"SubjectContainsWords": ("x",)}, actions={})
        for number in range(200)
    ]
    told = flow(organisation(rules=(*theirs, *organisation().rules)), message(), GROUPS)
    assert 3 == len(told.stages)
    assert "200 rules may act besides" == told.stages[-1].title


CONDITIONS: dict[str, tuple[tuple[str, ...], ...]] = {
    "RecipientDomainIs": (("example.com",), ("example.net",)),
    "SenderDomainIs": (("example.com",), ("example.net",)),
    "SentTo": (("bob@example.com",), ("carol@example.com",)),
    "From": (("alice@example.com",), ("Alice",)),
    "SentToMemberOf": (("elsewhere@example.com",), ("unknown@example.com",)),
    "FromMemberOf": (("elsewhere@example.com",),),
    "SentToScope": (("InOrganization",), ("NotInOrganization",)),
    "FromScope": (("InOrganization",), ("NotInOrganization",)),
    "HeaderMatchesMessageHeader": ((BREAKER,), ("X-Other",)),
    "SubjectContainsWords": (("x",),),
}
ACTIONS: tuple[dict[str, tuple[str, ...]], ...] = (
    {},
    {"RouteMessageOutboundConnector": (OURS,)},
    {"RouteMessageOutboundConnector": ("other",)},
    {"DeleteMessage": ("True",)},
    {"SetHeaderName": (BREAKER,), "SetHeaderValue": ("exosync",)},
)


@st.composite
def rules(draw: st.DrawFn) -> Rule:
    """Any rule of what is modelled, and of a little that is not."""

    def parts(prefix: str) -> dict[str, tuple[str, ...]]:
        names = draw(st.lists(st.sampled_from(sorted(CONDITIONS)), max_size=2, unique=True))
        return {prefix + one: draw(st.sampled_from(CONDITIONS[one])) for one in names}

    return routing(
        draw(st.sampled_from("abc")),
        "",
        conditions=parts(""),
        exceptions=parts("ExceptIf"),
        actions=draw(st.sampled_from(ACTIONS)),
        enabled=draw(st.booleans()),
        mode=draw(st.sampled_from(["Enforce", "Audit"])),
        stops=draw(st.booleans()),
    )


@st.composite
def messages(draw: st.DrawFn) -> Message:
    """Messages in and out, with more or less known of them."""
    people = st.sampled_from([HERE, THERE, NOBODY, replace(HERE, exists=None, mailbox=None)])
    return message(
        sender=draw(st.sampled_from(["alice@example.com", "eve@example.org"])),
        recipient=draw(st.sampled_from(["bob@example.com", "carol@example.com", "x@example.org"])),
        inside=draw(st.sampled_from([True, False, None])),
        by=draw(people),
        to=draw(people),
        headers=draw(st.sampled_from([{}, {BREAKER: ABSENT}, {BREAKER: "exosync"}])),
    )


def tenants(made: list[Rule]) -> Organisation:
    """A tenant with these rules and two connectors."""
    other = connecting("other", scoped=True)
    return organisation(rules=tuple(made), connectors=(*organisation().connectors, other))


@given(st.lists(rules(), max_size=4), messages(), st.integers(0, 4))
def test_a_rule_that_does_not_match_changes_nothing(
    made: list[Rule], one: Message, place: int
) -> None:
    """Wherever it stands, and whatever it would do."""
    idle = routing("idle", "other", conditions={"RecipientDomainIs": ("example.net",)}, stops=True)
    more = [*made[:place], idle, *made[place:]]
    assert flow(tenants(made), one, GROUPS) == flow(tenants(more), one, GROUPS)


@given(st.lists(rules(), min_size=1, max_size=4), messages(), st.data())
def test_nothing_becomes_surer_by_not_knowing(
    made: list[Rule], one: Message, data: st.DataObject
) -> None:
    """With one predicate more that is not modelled, every former end that could be stays possible."""
    place = data.draw(st.integers(0, len(made) - 1))
    veiled = replace(made[place], predicates=("A.B.Tasks.PhaseOfTheMoonPredicate",))
    before = flow(tenants(made), one, GROUPS)
    after = flow(tenants([*made[:place], veiled, *made[place + 1 :]]), one, GROUPS)
    assert ends(before.exits) <= ends(after.exits)
    assert after.leaves in (before.leaves, None)


@given(st.lists(rules(), max_size=4), messages())
def test_knowing_less_of_groups_rules_nothing_out(made: list[Rule], one: Message) -> None:
    """What was possible with the members known is possible without; a member is somebody."""
    members = frozenset[str]().union(*GROUPS.values())
    assume(one.to.exists is not False or one.recipient not in members)
    assume(one.by.exists is not False or one.sender not in members)
    before, after = flow(tenants(made), one, GROUPS), flow(tenants(made), one, {})
    assert ends(before.exits) <= ends(after.exits)


def ends(found: tuple[Exit, ...]) -> set[tuple[Going, str]]:
    """Where it may end, without the words."""
    return {(one.going, one.name) for one in found}


@given(rules(), messages())
def test_a_rule_and_its_opposite_never_both_hold(rule: Rule, one: Message) -> None:
    """With a condition as an exception too, a rule never acts for certain."""
    if rule.conditions:
        turned = {f"ExceptIf{name}": values for name, values in list(rule.conditions.items())}
        both = replace(rule, exceptions=turned)
        assert applies(both, one, organisation(), GROUPS) is not True


def test_the_settings_of_these_tests_are_those_of_the_rule() -> None:
    """What the tests call ours is what the settings call so."""
    assert OURS == settings().rule_name == settings().connector_name


def cases() -> Iterator[tuple[str, tuple[str, ...], bool | None]]:
    """Conditions on the message of alice to bob, and whether they hold."""
    yield "SentTo", ("BOB@example.com",), True
    yield "SentTo", ("carol@example.com",), False
    yield "SentTo", ("Bob's other name",), None
    yield "From", ("alice@example.com",), True
    yield "SenderDomainIs", ("example.com",), True
    yield "SenderDomainIs", ("com",), None
    yield "SenderDomainIs", ("example.org",), False
    yield "FromScope", ("InOrganization",), True
    yield "FromScope", ("NotInOrganization",), False
    yield "SentToScope", ("InOrganization",), True
    yield "SentToScope", ("Somewhere",), None
    yield "FromMemberOf", ("elsewhere@example.com",), False
    yield "HeaderMatchesMessageHeader", (BREAKER,), False
    yield "HeaderMatchesMessageHeader", ("X-Other",), None
    yield "HeaderContainsWords", ("word",), None
    yield "PhaseOfTheMoon", ("full",), None


@pytest.mark.parametrize(("name", "values", "holds"), list(cases()))
def test_each_condition_holds_as_documented(
    name: str, values: tuple[str, ...], holds: bool | None
) -> None:
    """True, false, or open."""
    rule = routing("one", "", conditions={name: values})
    assert holds is applies(rule, message(), organisation(), GROUPS)
