"""Planning the way out: a pure function from what a tenant holds to what is to be done next."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exosync.core.desired import Desired
from exosync.core.target import ABSENT, Actor, Phase
from exosync.core.tasks import Known
from exosync_adapters.exchange import plan
from exosync_adapters.exchange.aim import Aim, Owned
from exosync_adapters.exchange.clouds import CLOUDS
from exosync_adapters.exchange.memory import Memory
from exosync_adapters.exchange.records import (
    AcceptedDomain,
    Connector,
    DomainType,
    Listing,
    Organisation,
    Rule,
)
from exosync_adapters.exchange.rules import RULES
from exosync_adapters.exchange.seen import seen
from exosync_adapters.exchange.way.letters import Folk
from tests.unit.exchange_kit import (
    DOMAIN,
    MAIL,
    MARK,
    NAME,
    NOW,
    ROUTE,
    after,
    aim,
    cmdlets,
    connector,
    drafted,
    look,
    may,
    rule,
    settings,
    tenant,
    told,
)

FOREIGN = Connector("Partner X", "guid-x", True, "Partner", scoped=False, use_mx=False)


def foreign_rule(**fields: Any) -> Rule:
    """Somebody's rule that routes the same domain."""
    whole = {
        "conditions": {"RecipientDomainIs": (DOMAIN,)},
        "actions": {"RouteMessageOutboundConnector": ("Partner X",)},
        **fields,
    }
    return Rule("Theirs", "guid-theirs", 0, enabled=True, mode="Enforce", **whole)


def test_nothing_there_makes_the_connector_and_then_the_rule_switched_off() -> None:
    """Neither has an effect yet, and the rule names what was made before it."""
    draft = drafted(tenant())

    assert ["New-OutboundConnector", "New-TransportRule"] == cmdlets(draft)
    first, second = (step.detail[0].parameters for step in draft.steps)
    assert {
        "Name": NAME,
        "ConnectorType": "Partner",
        "Enabled": True,
        "IsTransportRuleScoped": True,
        "UseMXRecord": False,
        "SmartHosts": ["a.far.example", "b.far.example"],
        "TlsSettings": "EncryptionOnly",
        "Comment": MARK,
    } == first
    assert {
        "Name": NAME,
        "Enabled": False,
        "Mode": "Enforce",
        "RecipientDomainIs": [DOMAIN],
        "ExceptIfSentToMemberOf": ["here@example.com"],
        "ExceptIfHeaderContainsMessageHeader": "X-Exosync-Routed",
        "ExceptIfHeaderContainsWords": ["exosync"],
        "RouteMessageOutboundConnector": NAME,
        "SetHeaderName": "X-Exosync-Routed",
        "SetHeaderValue": "exosync",
        "StopRuleProcessing": False,
        "Comments": MARK,
    } == second
    assert [(ABSENT, Phase.ADD), (ABSENT, Phase.ADD)] == [
        (step.expects, step.phase) for step in draft.steps
    ]
    assert () == draft.refusals


def test_the_rule_is_switched_on_by_a_plan_of_its_own_that_wants_an_approval() -> None:
    """Once connector and rule are seen to be right, and nothing else is to be done."""
    draft = drafted(tenant(connector(), rule(enabled=False)))

    assert ["Enable-TransportRule"] == cmdlets(draft)
    (refusal,) = draft.refusals
    assert ("rule_switch_on", True, ("rule",)) == (
        refusal.rule,
        refusal.approvable,
        refusal.resources,
    )


def test_nothing_is_switched_on_beside_what_is_not_yet_right() -> None:
    """What is to act is seen to be right first, by a run of its own."""
    for wrong in (connector(tls=""), connector(enabled=False)):
        draft = drafted(tenant(wrong, rule(enabled=False)))
        assert ["Set-OutboundConnector"] == cmdlets(draft)


@pytest.mark.parametrize(
    ("now", "keys", "parameter"),
    [
        ({}, {"routed": {"everyone_but": "others@example.com"}}, "ExceptIfSentToMemberOf"),
        ({}, {"routed": {"whole_domain": "acknowledged"}}, "ExceptIfSentToMemberOf"),
        ({}, {"domain": "example.org", "connector": NAME, "rule": NAME}, "RecipientDomainIs"),
        (
            {
                "exceptions": {
                    **rule().exceptions,
                    "ExceptIfSentToMemberOf": ("here@example.com", "vip@example.com"),
                }
            },
            {},
            "ExceptIfSentToMemberOf",
        ),
        (
            {"conditions": {**rule().conditions, "SentToMemberOf": ("few@example.com",)}},
            {},
            "SentToMemberOf",
        ),
        (
            {"conditions": {**rule().conditions, "SentToMemberOf": ("few@example.com",)}},
            {"routed": {"group": "many@example.com"}},
            "SentToMemberOf",
        ),
    ],
)
def test_a_rule_that_acts_takes_more_peoples_mail_by_an_approval_alone(
    now: dict[str, Any], keys: dict[str, Any], parameter: str
) -> None:
    """Whether the configuration widens it or somebody had made it narrower, for a reason perhaps."""
    on, off = tenant(connector(), rule(**now)), tenant(connector(), rule(**now, enabled=False))
    draft = drafted(on, of=aim(**keys))

    (refusal,) = draft.refusals
    assert ("rule_switch_on", True) == (refusal.rule, refusal.approvable)
    assert parameter in refusal.message
    assert [True] == [refusal.covers(one) for one in draft.steps]
    assert [] == told(drafted(off, of=aim(**keys))), "it is approved when it is switched on"
    assert [] == told(drafted(on, of=aim(**keys, write="script"))), "who runs it has decided"


@pytest.mark.parametrize(
    ("now", "keys"),
    [
        ({}, {"exceptions": {"group": "vip@example.com"}}),
        ({"exceptions": {}}, {}),
        ({"conditions": {}}, {}),
        (
            {},
            {"routed": {"group": "there@example.com"}, "exceptions": {"group": "here@example.com"}},
        ),
        ({"stops": True}, {}),
        (
            {"exceptions": {**rule().exceptions, "ExceptIfSentToMemberOf": ("HERE@example.com",)}},
            {"priority": 5},
        ),
    ],
)
def test_what_makes_a_rule_that_acts_narrower_waits_for_nobody(
    now: dict[str, Any], keys: dict[str, Any]
) -> None:
    """Mail that should not be sent away stays here as soon as may be."""
    draft = drafted(tenant(FOREIGN, connector(), rule(**now)), of=aim(**keys))

    assert [] == told(draft)


def test_a_connector_that_gets_another_name_is_named_anew_by_its_rule_in_the_same_plan() -> None:
    """Whether rules follow is unknown: else mail would have no way until the next run."""
    of = aim(
        connector="The way out", smart_hosts=["z.far.example"], exceptions={"loop_breaker": None}
    )
    draft = drafted(tenant(connector(), rule()), of=of)

    first, second = (one.detail[0].parameters for one in draft.steps)
    assert ("The way out", ["z.far.example"]) == (first["Name"], first["SmartHosts"])
    assert {"Identity": "guid-rule", ROUTE: "guid-connector"} == second
    followed = tenant(
        connector(name="The way out", smart_hosts=("z.far.example",)),
        rule(actions={**rule().actions, ROUTE: ("The way out",)}),
    )
    assert draft.steps[1].gives == look(followed, of=of).resources["rule"], "nothing more to do"


def test_a_connector_that_others_name_keeps_its_name() -> None:
    """Their rules may not follow."""
    theirs = replace(rule(name="Theirs", comments="", enabled=False), guid="guid-theirs")
    draft = drafted(tenant(connector(), rule(), theirs), of=aim(connector="The way out"))

    assert (["connector_in_use"], []) == (told(draft), may(draft))
    assert "“Theirs”" in draft.refusals[0].message
    assert [] == told(drafted(tenant(connector(), rule(), theirs), of=aim(connector=NAME.upper())))


def test_a_rule_that_was_on_is_switched_on_again_by_another_plan() -> None:
    """An approval of the first time does not stand for the second."""
    off = tenant(connector(), rule(enabled=False))
    on = look(tenant(connector(), rule()))
    first, again = drafted(off), drafted(off, remembered=on.remember)

    assert NOW == Memory.read(on.remember).seen_on
    assert first.steps[0].before != again.steps[0].before
    assert "2026-11-26 12:00 UTC" in again.steps[0].before
    gone = look(tenant(connector()), remembered=on.remember)
    assert None is Memory.read(gone.remember).seen_on, "a new rule is switched on a first time"


def test_a_script_asks_for_no_approval_since_who_runs_it_has_decided() -> None:
    """The step is the approval."""
    draft = drafted(tenant(connector(), rule(enabled=False)), of=aim(write="script"))

    assert ([], [Actor.PERSON]) == (told(draft), [step.by for step in draft.steps])
    task = draft.steps[0].task
    assert task is not None
    assert "rule" == task.setting
    assert "Enable-TransportRule" in task.box


def test_all_right_is_no_step_and_no_refusal() -> None:
    """With other people's objects around it."""
    draft = drafted(tenant(FOREIGN, connector(), foreign_rule(), rule()))

    assert ((), ()) == (draft.steps, draft.refusals)


@pytest.mark.parametrize(
    ("wrong", "given_"),
    [
        ({"enabled": False}, {"Enabled": True}),
        ({"scoped": False}, {"IsTransportRuleScoped": True}),
        ({"use_mx": True}, {"UseMXRecord": False}),
        ({"recipient_domains": ("*",)}, {"RecipientDomains": None}),
        ({"tls": ""}, {"TlsSettings": "EncryptionOnly"}),
        ({"test_mode": True}, {"TestMode": False}),
        ({"name": "renamed"}, {"Name": NAME}),
    ],
)
def test_a_connector_is_set_right_in_what_differs_alone(
    wrong: dict[str, Any], given_: dict[str, Any]
) -> None:
    """By its Guid, and before anything is done to the rule."""
    draft = drafted(tenant(connector(**wrong), rule()))

    (call,) = draft.steps[0].detail
    assert {"Identity": "guid-connector", **given_} == call.parameters


def test_a_rule_is_never_set_without_its_connector() -> None:
    """A rule that is set without its action would have none (CIPP#5379)."""
    (step,) = drafted(tenant(connector(), rule(stops=True))).steps

    assert {
        "Identity": "guid-rule",
        "StopRuleProcessing": False,
        "RouteMessageOutboundConnector": "guid-connector",
    } == step.detail[0].parameters


def test_the_connector_is_set_right_before_the_rule_is() -> None:
    """Within one plan."""
    draft = drafted(tenant(connector(tls=""), rule(mode="Audit")))

    assert ["Set-OutboundConnector", "Set-TransportRule"] == cmdlets(draft)
    assert ["rule_switch_on"] == told(draft), "out of audit mode the rule acts"


def test_the_state_of_a_rule_is_left_alone_when_it_is_set_right() -> None:
    """It stays off, and is switched on by the plan after."""
    (step,) = drafted(tenant(connector(), rule(enabled=False, stops=True))).steps

    assert (True, True) == (step.expects.startswith("off:"), step.gives.startswith("off:"))


def test_what_only_looks_otherwise_is_no_difference() -> None:
    """Case, order, dots, brackets, prefixes and emptiness."""
    same = connector(
        smart_hosts=("B.far.example.", "a.FAR.example"), type="PARTNER", tls="encryptiononly"
    )
    alike = rule(
        mode="enforce",
        conditions={"RecipientDomainIs": ("EXAMPLE.com",), "SentToMemberOf": ()},
        exceptions={
            **rule().exceptions,
            "ExceptIfSentToMemberOf": ("smtp:HERE@example.com",),
        },
        actions={**rule().actions, "RouteMessageOutboundConnector": ("GUID-CONNECTOR",)},
    )

    assert () == drafted(tenant(same, alike)).steps


def test_a_group_by_another_of_its_addresses_is_the_same_group() -> None:
    """How a rule gives a group back is not published: by any address, or by its name."""
    names = {"here@example.com": "here@example.com", "locals": "here@example.com"}
    shown = rule(exceptions={**rule().exceptions, "ExceptIfSentToMemberOf": ("Locals",)})

    assert () == drafted(tenant(connector(), shown), known_as=names).steps
    assert ["Set-TransportRule"] == cmdlets(drafted(tenant(connector(), shown)))


def test_a_name_without_the_mark_is_not_ours() -> None:
    """Nothing is planned upon it; adopting marks it, and changes nothing else."""
    theirs = tenant(connector(comment="by hand"), rule(comments=""))
    draft, adopted = drafted(theirs), drafted(theirs, adopting=True)

    assert ({"not_owned"}, []) == ({*told(draft)}, may(draft))
    first, second = (step.detail[0].parameters for step in adopted.steps)
    assert {"Identity": "guid-connector", "Comment": f"by hand\n{MARK}"} == first
    assert {"Identity": "guid-rule", "Comments": MARK} == second


@pytest.mark.parametrize("wrong", [{"source": "HybridWizard"}, {"test_mode": True}])
def test_what_microsofts_wizard_made_or_what_is_tried_is_not_adopted(wrong: dict[str, Any]) -> None:
    """No approval lifts it."""
    draft = drafted(tenant(connector(comment="", **wrong)), adopting=True)

    assert (["not_adoptable"], []) == (told(draft), may(draft))


def test_what_another_exosync_keeps_is_taken_over_by_an_approval_alone() -> None:
    """Two would undo each other's work; but what was ours before `owner` changed is no other's."""
    mark = "exosync:owner=other;target=way-out"
    theirs = tenant(connector(comment=f"words\n{mark}"), rule(comments=mark))
    draft = drafted(theirs, adopting=True)
    ids = {"ids": {"connector": "guid-connector", "rule": "guid-rule"}}

    assert ["marked_by_another"] * 2 == told(draft)
    assert 2 == len(may(draft)), "approved"
    assert mark in drafted(theirs).refusals[0].message
    assert [] == told(drafted(theirs, adopting=True, remembered=ids))
    summaries = [one.summary for one in draft.steps]
    assert [f"mark the {one} “{NAME}” as exosync's" for one in ("connector", "rule")] == summaries


def test_a_comment_without_room_is_not_cut() -> None:
    """The mark would not fit."""
    draft = drafted(tenant(connector(), rule(comments="x" * 1000)), adopting=True)

    assert (["comment_full"], []) == (told(draft), may(draft))


@pytest.mark.parametrize(("sign", "counts"), [("x", 1), ("é", 1), ("😀", 2)])
def test_a_comment_is_as_long_as_exchange_online_counts(sign: str, counts: int) -> None:
    """In UTF-16, where many a sign counts twice: to the last character."""
    room = 1024 - len(MARK) - 1

    def refused(length: int) -> list[str]:
        text = sign * (length // counts) + "y" * (length % counts)
        return told(drafted(tenant(connector(), rule(comments=text)), adopting=True))

    assert ([], ["comment_full"]) == (refused(room), refused(room + 1))


def test_what_was_ours_and_lost_its_mark_is_told_by_its_guid() -> None:
    """Under whatever name: nobody makes a second one beside it."""
    remembered = {"ids": {"connector": "guid-connector", "rule": "guid-rule"}}
    draft = drafted(
        tenant(connector(comment="", name="Other"), rule(comments="")), remembered=remembered
    )

    assert ["not_owned", "not_owned"] == told(draft)
    assert [] == may(draft)
    assert "was exosync's" in draft.refusals[0].message


def test_the_mark_of_the_owner_before_is_told_as_that() -> None:
    """Somebody changed `owner`, or another exosync took it over: the message shows whose mark it is."""
    of = Aim(settings(), "somebody", "way-out")
    remembered = look(tenant(connector(), rule())).remember

    draft = drafted(tenant(connector(), rule()), of=of, remembered=remembered)

    assert ["not_owned", "not_owned"] == told(draft)
    assert f"carries “{MARK}” in place of “{of.mark}”" in draft.refusals[0].message
    assert "no longer carries its mark" not in draft.refusals[0].message


def test_of_another_tenant_nothing_is_remembered_but_what_was_told_last() -> None:
    """So nobody is said to have changed what was never seen before."""
    before = look(tenant(connector(), rule()))
    of = aim(tenant="1f0de2a4-8c1b-4d7e-9f3a-2b6c5d4e3f21")
    remembered = {**before.remember, "relayed": ["example.net"]}

    now = look(tenant(), of=of, remembered=remembered)

    assert (before.resources, ABSENT) == (now.as_before, now.resources["rule"])
    memory = Memory.read(now.remember)
    assert ({}, frozenset(), NOW) == (memory.ids, memory.relayed, memory.begun)
    assert {} == look(tenant(), of=of, remembered=now.remember).as_before


def test_what_was_found_out_about_a_group_holds_until_it_can_be_asked_for_again() -> None:
    """One answer that does not come makes no difference, and no step."""
    by_name = rule(exceptions={**rule().exceptions, "ExceptIfSentToMemberOf": ("Those here",)})
    known_as = {"those here": "here@example.com"}
    first = look(tenant(connector(), by_name), known_as=known_as)
    then = look(tenant(connector(), by_name), remembered=first.remember)
    gone = look(tenant(connector(), by_name), remembered=first.remember, gone=["here@example.com"])

    assert first.resources == then.resources
    assert first.resources != gone.resources
    assert first.resources["rule"] in gone.told("rule")
    other = look(
        tenant(connector(), by_name),
        of=aim(routed={"everyone_but": "b@example.com"}),
        remembered=first.remember,
    )
    assert first.resources["rule"] in other.told("rule")


def test_a_mark_that_stands_twice_stops_everything_about_it() -> None:
    """Nobody can tell which of the two is meant."""
    copy_ = connector(comment=f"a copy\n{MARK}")
    draft = drafted(tenant(connector(), replace(copy_, guid="guid-copy", name="Copy"), rule()))

    assert (["mark_twice"], []) == (told(draft), may(draft))


@pytest.mark.parametrize(
    "text", [f"see {MARK}", f"{MARK}0", f"> {MARK}", MARK.upper(), f"{MARK};", f"{MARK}\nx"]
)
def test_a_line_that_only_looks_like_the_mark_is_none(text: str) -> None:
    """The mark is the last line, the whole of it, to the letter."""
    found: Any = look(tenant(connector(comment=text))).detail

    assert Owned() == found.owned


@pytest.mark.parametrize("listing", [Listing.CONNECTORS, Listing.RULES])
def test_over_a_listing_that_is_not_whole_nothing_is_planned(listing: Listing) -> None:
    """What is not in it is not absent; and where all is right, it is only told."""
    cut: dict[str, Any] = {"incomplete": {listing: "the answer is cut"}}
    empty, right = drafted(tenant(**cut)), drafted(tenant(connector(), rule(), **cut))

    assert (["incomplete"], ()) == (told(empty), empty.steps)
    assert ([], ()) == (told(right), right.steps)
    assert ["incomplete"] == told(drafted(tenant(**cut), of=aim(remove=True)))
    seen = look(tenant(**cut))
    assert "listing_incomplete" in [one.rule for one in seen.findings]
    assert len(seen.resources) < len(look(tenant()).resources)


def test_what_may_be_unseen_is_not_forgotten() -> None:
    """Its Guid is remembered over a listing that is cut, and not over one that is whole."""
    before = {"ids": {"connector": "guid-connector", "rule": "guid-rule"}}
    cut = look(tenant(incomplete={Listing.CONNECTORS: "cut"}), remembered=before)

    assert {"connector": "guid-connector"} == cut.remember["ids"]
    assert {} == look(tenant(), remembered=before).remember["ids"]


def test_a_rule_with_more_than_exosync_knows_is_left_to_a_person() -> None:
    """Neither changed nor switched on nor removed, and no approval lifts it."""
    more = rule(enabled=False, conditions={**rule().conditions, "FromScope": ("InOrganization",)})
    strange = rule(stops=True, predicates=("Microsoft.Exchange.Tasks.MessageSizeOverPredicate",))
    removed = drafted(tenant(connector(), more), of=aim(remove=True))

    for draft in (drafted(tenant(connector(), more)), drafted(tenant(connector(), strange))):
        assert "rule_has_more" in told(draft)
        assert [] == may(draft)
    assert (["rule_has_more"], []) == (told(removed), cmdlets(removed))


def test_the_classes_of_what_is_known_are_nothing_more() -> None:
    """As Exchange Online lists them."""
    classes = (
        "RecipientDomainIsPredicate",
        "SentToMemberOfPredicate",
        "HeaderContainsPredicate",
        "RouteMessageOutboundConnectorAction",
        "Microsoft.Exchange.MessagingPolicies.Rules.Tasks.SetHeaderAction",
    )

    assert () == drafted(tenant(connector(), rule(predicates=classes))).refusals


def test_another_rule_that_routes_the_domain_before_ours_holds_up_the_switching_on() -> None:
    """A person may know better, so that it can be approved."""
    first = drafted(tenant(FOREIGN, connector(), foreign_rule(), rule(enabled=False)))
    behind = drafted(tenant(FOREIGN, connector(), rule(enabled=False), foreign_rule()))
    parent = foreign_rule(conditions={"RecipientDomainIs": ("com",)})
    other = foreign_rule(conditions={"RecipientDomainIs": ("example.org",)})

    assert ["rule_before", "rule_switch_on"] == told(first)
    assert ["rule_switch_on"] == told(behind)
    assert "rule_before" in told(drafted(tenant(connector(), parent, rule(enabled=False))))
    assert "rule_before" not in told(drafted(tenant(connector(), other, rule(enabled=False))))
    everything = foreign_rule(conditions={})
    assert "rule_before" in told(drafted(tenant(connector(), everything, rule(enabled=False))))
    dotted = foreign_rule(conditions={"RecipientDomainIs": ("Example.COM.",)})
    assert "rule_before" in told(drafted(tenant(connector(), dotted, rule(enabled=False))))


@pytest.mark.parametrize(
    ("fields", "stands"),
    [
        ({"exceptions": {"ExceptIfFromScope": ("InOrganization",)}}, True),
        ({"exceptions": {"ExceptIfRecipientDomainIs": ("example.com",)}}, False),
        ({"expires": "2026-11-25T00:00:00Z"}, False),
        ({"expires": "2026-12-25T00:00:00Z"}, True),
        ({"activates": "2027-01-01T00:00:00Z"}, True),
    ],
)
def test_a_rule_with_exceptions_or_dates_alone_holds_it_up_if_it_may_take_the_domain(
    fields: dict[str, Any], stands: bool
) -> None:
    """Whom its exceptions spare, and what is over, is in nobody's way."""
    before = foreign_rule(**{"conditions": {}, **fields})
    draft = drafted(tenant(FOREIGN, connector(), before, rule(enabled=False)))
    assert stands == ("rule_before" in told(draft))


def test_in_a_tenant_that_takes_no_more_rules_nothing_is_half_made() -> None:
    """300 of them; a connector alone would be of no use."""
    many = [replace(foreign_rule(), guid=f"rule-{one}", actions={}) for one in range(300)]
    full = drafted(tenant(*many))

    assert ["rules_full"] == told(full)
    assert all(full.refusals[0].covers(one) for one in full.steps)
    assert full.refusals[0].approvable
    assert [] == told(drafted(tenant(*many[1:])))
    assert [] == told(drafted(tenant(connector(), *many[1:], rule())))


@pytest.mark.parametrize(
    ("wanted", "is_", "set_to"),
    [(299, 40, None), (2, 40, None), (1, 40, 1), (0, 40, 0), (0, 5, None), (1, 20, None)],
)
def test_a_rule_in_its_place_is_left_there_whatever_the_numbers(
    wanted: int, is_: int, set_to: int | None
) -> None:
    """Priorities of others that leave gaps make nobody set it right for ever."""
    theirs = [
        replace(foreign_rule(actions={}), guid=f"theirs-{one}", priority=one) for one in (10, 30)
    ]
    there = tenant(connector())
    rules = sorted([*theirs, rule(priority=is_)], key=lambda one: one.priority)
    draft = drafted(replace(there, rules=tuple(rules)), of=aim(priority=wanted))

    given = [call.parameters.get("Priority") for step in draft.steps for call in step.detail]
    assert ([] if set_to is None else [set_to]) == given


def test_an_exception_for_a_group_that_is_gone_would_send_all_mail_away() -> None:
    """So nothing is done to the rule until the group is there."""
    draft = drafted(tenant(), gone=["here@example.com"])

    assert ["whole_domain"] == told(draft)
    assert ["connector"] == [step.resource for step in may(draft)]


@pytest.mark.parametrize(
    "keys",
    [
        {"routed": {"group": "there@example.com"}},
        {"exceptions": {"group": "there@example.com"}},
    ],
)
def test_a_rule_that_would_name_no_group_is_not_tried(keys: dict[str, Any]) -> None:
    """Exchange Online takes none, run after run."""
    draft = drafted(tenant(), of=aim(**keys), gone=["there@example.com"])

    assert (["no_group"], False) == (told(draft), draft.refusals[0].approvable)
    assert ["connector"] == [step.resource for step in may(draft)]
    assert f"{next(iter(keys))}.group" in draft.refusals[0].message


@pytest.mark.parametrize(
    ("fields", "stands"),
    [
        ({"type": "OnPremises", "others": {"SenderRewritingEnabled": "True"}}, True),
        ({"type": "OnPremises", "others": {"RouteAllMessagesViaOnPremises": "True"}}, True),
        ({"type": "OnPremises", "others": {"CloudServicesMailEnabled": "True"}}, False),
        ({"type": "OnPremises"}, False),
        ({"others": {"SmtpDaneMode": "None"}}, False),
    ],
)
def test_a_connector_that_exchange_online_would_not_set_right_is_a_persons(
    fields: dict[str, Any], stands: bool
) -> None:
    """What only the other type has, exosync neither writes nor takes away."""
    draft = drafted(tenant(connector(**fields), rule()))

    assert (["connector_on_premises"] if stands else []) == told(draft)
    assert stands == ([] == may(draft) and bool(draft.steps))
    assert [] == told(drafted(tenant(connector(**fields), rule()), of=aim(remove=True)))


@pytest.mark.parametrize(
    ("groups", "stands"),
    [
        ({"here@example.com": frozenset()}, True),
        ({"here@example.com": frozenset({"ada@example.com"})}, False),
        ({}, False),
        ({"there@example.com": frozenset()}, False),
    ],
)
def test_while_nobody_is_excepted_a_person_decides_whether_the_rule_acts(
    groups: dict[str, frozenset[str]], stands: bool
) -> None:
    """Of a group that was not read nothing is said."""
    known = Known(now=NOW, remembered={})
    what = seen(aim(), tenant(connector(), rule(enabled=False)), known, folk=Folk(groups))
    desired = Desired("Worldwide", "2026081400", MAIL)
    draft = plan.plan(desired, what, CLOUDS["worldwide"])

    assert (["group_empty"] if stands else []) == [one for one in told(draft) if "group" in one]
    assert stands == what.spares_nobody
    assert all(one.approvable for one in draft.refusals)


def test_a_smart_host_among_the_published_ranges_is_exchange_online_itself() -> None:
    """Mail would come back."""
    draft = drafted(tenant(), of=aim(smart_hosts=["104.47.8.36", "a.far.example"]))

    assert (["own_host"], []) == (told(draft), may(draft))
    assert "104.47.8.36" == draft.refusals[0].seen


def test_an_organisation_that_takes_no_change_is_left_alone() -> None:
    """No approval makes it customisable."""
    draft = drafted(tenant(dehydrated=True))

    assert (["dehydrated"], []) == (told(draft), may(draft))


def test_in_a_cloud_that_nobody_has_confirmed_a_person_writes() -> None:
    """Where exosync itself would, it is refused."""
    assert "cloud_unproven" in told(drafted(tenant(), cloud="china"))
    assert [] == told(drafted(tenant(), cloud="china", of=aim(write="script")))
    assert [] == told(drafted(tenant(), cloud="dod"))


@pytest.mark.parametrize(
    ("keys", "steps"),
    [
        ({}, ["Set-AcceptedDomain"]),
        ({"accepted_domain": "leave"}, []),
        ({"routed": {"group": "there@example.com"}}, []),
    ],
)
def test_the_domain_is_a_persons_and_comes_last(keys: dict[str, Any], steps: list[str]) -> None:
    """Only where recipients on the other side are not known here, and once the rule is on."""
    of = aim(**keys)
    ours = replace(of.connector, guid="guid-connector"), replace(of.rule, guid="guid-rule")
    on = drafted(tenant(*ours, type_=DomainType.AUTHORITATIVE), of=of)
    off = replace(ours[1], enabled=False)

    assert (steps, []) == (cmdlets(on), told(on))
    assert [Actor.PERSON] * len(steps) == [step.by for step in on.steps]
    before = drafted(tenant(ours[0], off, type_=DomainType.AUTHORITATIVE), of=of)
    assert ["Enable-TransportRule"] == cmdlets(before)


def test_a_parent_that_accepts_the_domain_too_is_left_as_it_is() -> None:
    """Its type is that of all the names below it."""
    parent = AcceptedDomain("com", DomainType.AUTHORITATIVE, match_subdomains=True)
    organisation = tenant(connector(), rule(), domains=(parent,))

    assert () == drafted(organisation).steps


def test_removal_goes_the_other_way_round() -> None:
    """Each is switched off before it goes, the rule before the connector."""
    draft = drafted(tenant(connector(), rule()), of=aim(remove=True))

    assert [
        "Disable-TransportRule",
        "Remove-TransportRule",
        "Set-OutboundConnector",
        "Remove-OutboundConnector",
    ] == cmdlets(draft)
    assert {Phase.REMOVE} == {step.phase for step in draft.steps}
    assert ["relay_without_connector"] == [one.rule for one in draft.findings]
    assert () == drafted(tenant(FOREIGN, foreign_rule()), of=aim(remove=True)).steps


def test_a_person_is_asked_for_the_connector_once_the_rule_is_gone() -> None:
    """The script would stop before; and what stands in the way of the end is told from the beginning."""
    of = aim(remove=True, write="script")
    user = foreign_rule(actions={"RouteMessageOutboundConnector": (NAME,)})

    assert ["Disable-TransportRule", "Remove-TransportRule"] == cmdlets(
        drafted(tenant(connector(), rule()), of=of)
    )
    assert ["Set-OutboundConnector", "Remove-OutboundConnector"] == cmdlets(
        drafted(tenant(connector()), of=of)
    )
    assert ["connector_in_use"] == told(drafted(tenant(connector(), user, rule()), of=of))


def test_a_connector_is_not_removed_under_another_rule() -> None:
    """Somebody else's rule names it, in whatever case."""
    user = foreign_rule(actions={"RouteMessageOutboundConnector": (NAME.upper(),)})
    draft = drafted(tenant(connector(), user, rule()), of=aim(remove=True))

    assert ["connector_in_use"] == told(draft)
    assert ["rule", "rule"] == [step.resource for step in may(draft)]


def test_the_place_of_a_rule_is_kept_only_where_it_is_configured() -> None:
    """And is never asked to be later than last."""
    there = tenant(connector(), foreign_rule(), rule())
    first = drafted(there, of=aim(priority=0))

    assert () == drafted(there).steps
    assert 0 == first.steps[0].detail[0].parameters["Priority"]
    assert () == drafted(there, of=aim(priority=40)).steps


def test_before_and_after_can_be_compared_line_by_line() -> None:
    """Only the line that changes is another."""
    (step,) = drafted(tenant(connector(tls="DomainValidation"), rule())).steps
    before, after_ = step.before.splitlines(), step.after.splitlines()

    assert ["TlsSettings: DomainValidation"] == [one for one in before if one not in after_]
    assert ["TlsSettings: EncryptionOnly"] == [one for one in after_ if one not in before]


def test_the_token_holds_what_is_modelled_and_nothing_else() -> None:
    """A place, a Guid or a person's words are no drift."""
    one = look(tenant(connector(), rule()))
    moved = tenant(
        replace(connector(comment=f"words\n{MARK}"), guid="other", is_validated=True),
        foreign_rule(),
        rule(),
    )

    assert one.resources == look(moved).resources
    assert one.resources != look(tenant(connector(), rule(stops=True))).resources


def test_every_refusal_has_its_name_in_the_table() -> None:
    """Whatever the cases above were refused for."""
    names = {
        *told(drafted(tenant(dehydrated=True), cloud="china")),
        *told(drafted(tenant(connector(comment="")))),
    }

    assert names <= set(RULES)


TEXTS = st.sampled_from(["", "words", f"words\n{MARK}", MARK, "exosync:owner=other;target=way-out"])
CONNECTORS = st.builds(
    lambda name, guid, **fields: replace(connector(**fields), name=name, guid=guid),
    name=st.sampled_from([NAME, NAME.upper(), "Partner X", "Other"]),
    guid=st.sampled_from(["guid-connector", "guid-b", "guid-c"]),
    comment=TEXTS,
    enabled=st.booleans(),
    scoped=st.booleans(),
    use_mx=st.booleans(),
    tls=st.sampled_from(["", "EncryptionOnly", "DomainValidation"]),
    tls_domain=st.sampled_from(["", "far.example"]),
    smart_hosts=st.sampled_from([(), ("a.far.example", "b.far.example"), ("z.example",)]),
    recipient_domains=st.sampled_from([(), ("*",), ("example.org",)]),
)
CONDITIONS = st.sampled_from(
    [
        {"RecipientDomainIs": (DOMAIN,)},
        {"RecipientDomainIs": ("example.org",), "SentToMemberOf": ("x@example.com",)},
        {"RecipientDomainIs": (DOMAIN,), "FromScope": ("InOrganization",)},
    ]
)
RULES_ = st.builds(
    lambda name, guid, to, **fields: replace(
        rule(**fields),
        name=name,
        guid=guid,
        actions={"RouteMessageOutboundConnector": (to,)} if to else {"Quarantine": ("True",)},
    ),
    name=st.sampled_from([NAME, NAME.upper(), "Theirs", "More"]),
    guid=st.sampled_from(["guid-rule", "guid-r", "guid-s"]),
    to=st.sampled_from(["", NAME, "Partner X", "Gone"]),
    comments=TEXTS,
    enabled=st.booleans(),
    stops=st.booleans(),
    mode=st.sampled_from(["Enforce", "Audit"]),
    conditions=CONDITIONS,
)
TENANTS = st.builds(
    lambda connectors, rules, type_: tenant(*connectors, *rules, type_=type_),
    st.lists(CONNECTORS, max_size=3, unique_by=(lambda one: one.guid, lambda one: one.name)),
    st.lists(RULES_, max_size=3, unique_by=(lambda one: one.guid, lambda one: one.name)),
    st.sampled_from(DomainType),
)
KEYS = st.sampled_from(
    [
        {},
        {"routed": {"group": "there@example.com"}},
        {"priority": 0},
        {"exceptions": {"loop_breaker": None}},
        {"remove": True},
        {"write": "script"},
    ]
)


def others(organisation: Organisation) -> tuple[set[str], set[str]]:
    """Everything that is not marked as ours, as texts; the places of rules aside."""
    connectors = {repr(one) for one in organisation.connectors if MARK not in one.comment.split()}
    rules = {
        repr(replace(one, priority=0))
        for one in organisation.rules
        if MARK not in one.comments.split()
    }
    return connectors, rules


@given(TENANTS, KEYS)
def test_whatever_is_there_a_few_plans_lead_to_rest_and_touch_nothing_of_others(
    organisation: Organisation, keys: dict[str, Any]
) -> None:
    """Every command is one that a strict tenant takes, and no rule is ever for everybody."""
    of, theirs = aim(**keys), others(organisation)
    for _ in range(6):
        steps = may(drafted(organisation, of=of))
        if not steps:
            break
        for step in steps:
            for call in step.detail:
                organisation = after(organisation, call)
                _way_is_there(organisation, call.cmdlet)
        assert theirs == others(organisation)
    draft = drafted(organisation, of=of)
    assert [] == may(draft), "at rest"
    assert draft.refusals or () == draft.steps


def _way_is_there(organisation: Organisation, cmdlet: str) -> None:
    """A rule is only switched on over a connector that is ours, on, and used by rules alone."""
    if cmdlet != "Enable-TransportRule":
        return
    ours = [one for one in organisation.connectors if MARK in one.comment.split()]
    routes = [one.connector for one in organisation.rules if MARK in one.comments.split()]
    assert [one.name for one in ours] == routes
    assert all(one.enabled and one.scoped and not one.recipient_domains for one in ours)


@given(TENANTS, KEYS)
def test_a_step_gives_what_is_then_seen(organisation: Organisation, keys: dict[str, Any]) -> None:
    """The token that a step promises is the one that is read back."""
    of = aim(**keys)
    for step in may(drafted(organisation, of=of)):
        assert step.expects == look(organisation, of=of).resources[step.resource]
        for call in step.detail:
            organisation = after(organisation, call)
        assert step.gives == look(organisation, of=of).resources[step.resource]


OWNERS = st.sampled_from(["exosync", "somebody"])
NAMES = st.fixed_dictionaries(
    {},
    optional={
        "connector": st.sampled_from(["Way out", NAME]),
        "rule": st.just("Those elsewhere"),
        "priority": st.integers(0, 3),
        "domain": st.sampled_from([DOMAIN, "example.org"]),
        "routed": st.just({"everyone_but": "others@example.com"}),
    },
)


@given(TENANTS, st.tuples(OWNERS, KEYS, NAMES), st.tuples(OWNERS, KEYS, NAMES))
def test_whatever_the_configuration_becomes_what_is_there_has_its_old_token(
    organisation: Organisation, first: Any, then: Any
) -> None:
    """So what nobody changed is never told as changed, and what somebody changed always is."""
    one, other = (
        Aim(settings(**{**keys, **names}), owner, "way-out") for owner, keys, names in (first, then)
    )
    seen = look(organisation, of=one)
    again = look(organisation, of=other, remembered=seen.remember)
    stops = tuple(replace(rule_, stops=not rule_.stops) for rule_ in organisation.rules)
    changed = look(replace(organisation, rules=stops), of=other, remembered=seen.remember)

    assert all(token in again.told(name) for name, token in seen.resources.items())
    if seen.resources.get("rule", ABSENT) != ABSENT:
        assert seen.resources["rule"] not in changed.told("rule")


@given(TENANTS)
def test_adopting_changes_no_more_than_comments(organisation: Organisation) -> None:
    """What is ours afterwards is what it was, with the mark."""
    changed = organisation
    for step in may(drafted(organisation, adopting=True)):
        assert step.before != step.after
        for call in step.detail:
            changed = after(changed, call)
    assert _without_comments(organisation) == _without_comments(changed)
    assert all(ours.comment.endswith(MARK) for ours in marked_now(organisation, changed))


def _without_comments(organisation: Organisation) -> Organisation:
    return replace(
        organisation,
        connectors=tuple(replace(one, comment="") for one in organisation.connectors),
        rules=tuple(replace(one, comments="") for one in organisation.rules),
    )


def marked_now(before: Organisation, changed: Organisation) -> list[Connector]:
    """The connectors that were changed."""
    pairs = zip(before.connectors, changed.connectors, strict=True)
    return [now for one, now in pairs if one != now]
