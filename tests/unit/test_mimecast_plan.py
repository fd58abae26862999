"""Planning anti-spoofing policies: a pure function from what is desired and seen to steps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exosync.core.desired import Desired
from exosync.core.ranges import IpRanges
from exosync.core.target import ABSENT, Action, Draft, Observed, Phase, Severity, Step
from exosync_adapters.mimecast import MimecastSettings
from exosync_adapters.mimecast.marks import Mark
from exosync_adapters.mimecast.policy import Policy
from exosync_adapters.mimecast.reading import read_policy
from exosync_adapters.mimecast.rules import RULES
from exosync_adapters.mimecast.spoofing import Aim, observe, plan

SECRETS: dict[str, Any] = {"client_id": {"env": "ID"}, "client_secret": {"env": "SECRET"}}
DOMAIN = "example.com"
MAIL = IpRanges.parse(["40.92.0.0/15", "40.107.0.0/16", "52.100.0.0/14", "104.47.0.0/17"])
NEW, OLD = IpRanges.parse("23.103.0.0/16"), IpRanges.parse("40.107.0.0/16")


def aim(**keys: Any) -> Aim:
    """One domain, but for the given keys."""
    chosen: dict[str, Any] = {"domains": [DOMAIN], "settings": ["anti_spoofing"]}
    return Aim(MimecastSettings.model_validate(SECRETS | chosen | keys), "exosync", "mimecast")


def item(description: str, ranges: IpRanges | Sequence[str] = MAIL, **fields: Any) -> Policy:
    """A policy as exosync makes it, but for the given fields; `from_` is `from`."""
    named = {name.removesuffix("_"): value for name, value in fields.items()}
    return read_policy(
        {
            "id": f"id-of-{description[:40]}",
            "description": description,
            "option": "no_action",
            "fromPart": "both",
            "from": {"type": "email_domain", "domain": DOMAIN},
            "to": {"type": "internal_addresses"},
            "enabled": True,
            "override": True,
            "fromEternal": True,
            "toEternal": True,
            "sourceIPs": list(ranges),
            **named,
        }
    )


def own(number: int = 1, ranges: IpRanges | Sequence[str] = MAIL, **fields: Any) -> Policy:
    """A policy of ours."""
    sender = fields.pop("sender", DOMAIN)
    return item(f"{Mark('exosync', 'mimecast', sender, number)} words", ranges, **fields)


def wants(ranges: IpRanges = MAIL) -> Desired:
    """What should be let through."""
    return Desired("Worldwide", "2026081400", ranges)


def seen(of: Aim, *policies: Policy, ids: dict[str, str] | None = None) -> Observed:
    """One observation."""
    return observe(of, policies, ids or {})


def drafted(
    *policies: Policy, ranges: IpRanges = MAIL, adopting: bool = False, **keys: Any
) -> Draft:
    """The draft over these policies."""
    of = aim(**keys)
    return plan(of, wants(ranges), seen(of, *policies), adopting=adopting)


def after(policies: Sequence[Policy], steps: Sequence[Step]) -> list[Policy]:
    """The account of policies of ours once steps were done, each over what it expects."""
    held = {Mark.read(one.description): one for one in policies}
    for step in steps:
        write = step.detail
        found = held.pop(write.mark, None)
        assert step.expects == (found.token if found else ABSENT)
        if write.after is not None:
            held[write.mark] = replace(write.after, id=write.after.id or str(write.mark))
    return list(held.values())


def rules(draft: Draft) -> list[str]:
    """The refusals by name."""
    return [one.rule for one in draft.refusals]


def findings(draft: Draft | Observed) -> dict[str, str]:
    """The findings' words by name."""
    return {one.rule: one.message for one in draft.findings}


def test_an_empty_account_gets_one_policy() -> None:
    """From the domain to internal addresses, for these sources alone."""
    (step,) = drafted().steps

    policy: Policy = step.detail.after
    assert (Phase.ADD, Action.CREATE, ABSENT) == (step.phase, step.action, step.expects)
    assert "anti-spoofing:example.com:1" == step.resource
    assert "exosync exosync/mimecast example.com 1: Exchange Online may send as this domain" == (
        policy.description
    )
    assert (
        "no_action",
        "both",
        "email_domain example.com",
        "internal_addresses",
        True,
        True,
        False,
    ) == (
        policy.option,
        policy.from_part,
        policy.sender.told,
        policy.recipient.told,
        policy.enabled,
        policy.override,
        policy.bidirectional,
    )
    assert MAIL.cidrs() == policy.sources.entries


def test_nothing_is_to_be_done_twice() -> None:
    """What is as desired has no steps."""
    draft = drafted(own())

    assert ((), (), MAIL, MAIL) == (draft.steps, draft.refusals, draft.base, draft.goal)


def test_additions_come_before_removals() -> None:
    """In two steps on the same policy, whose tokens follow each other."""
    add, remove = drafted(own(), ranges=(MAIL - OLD) | NEW).steps

    assert (Phase.ADD, Phase.REMOVE) == (add.phase, remove.phase)
    assert add.gives == remove.expects
    assert MAIL | NEW == add.detail.after.sources.ranges
    assert (MAIL - OLD) | NEW == remove.detail.after.sources.ranges


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"option": "apply"}, "option"),
        ({"enabled": False}, "disabled"),
        ({"from_": {"type": "everyone"}}, "from"),
        ({"to": {"type": "everyone"}}, "to"),
        ({"override": False}, "override"),
        ({"bidirectional": True}, "bidirectional"),
        ({"hostnames": ["mail.example"]}, "hostnames"),
        ({"toEternal": False, "toDateTime": "2027-01-01"}, "toEternal"),
        ({"sourceIPs": [*MAIL, "not an address"]}, "not an address"),
    ],
)
def test_what_somebody_edited_is_repaired(fields: dict[str, Any], named: str) -> None:
    """Field by field, and told."""
    draft = drafted(own(**fields))

    (step,) = draft.steps
    assert (Phase.ADD, Action.UPDATE) == (step.phase, step.action)
    assert named in findings(draft)["policy_edited"]
    assert () == drafted(step.detail.after).steps


def test_a_policy_that_was_emptied_is_told_loudly() -> None:
    """It lets anybody send until its ranges are back."""
    of = aim()
    observed = seen(of, own(ranges=()))
    (step,) = plan(of, wants(), observed, adopting=False).steps

    assert "ANYBODY" in findings(observed)["unconditional"]
    assert IpRanges() == observed.owned
    assert MAIL == step.detail.after.sources.ranges


def test_ranges_that_are_not_in_force_are_not_owned() -> None:
    """Whatever stands in the policy."""
    of = aim()

    assert IpRanges() == seen(of, own(enabled=False)).owned
    assert IpRanges() == seen(of, own(from_={"type": "email_domain", "domain": "x.example"})).owned
    assert MAIL == seen(of, own()).owned


def test_more_ranges_than_one_policy_may_hold_take_several() -> None:
    """Numbered from one."""
    draft = drafted(ranges_per_policy=3)

    assert ["anti-spoofing:example.com:1", "anti-spoofing:example.com:2"] == [
        one.resource for one in draft.steps
    ]


def test_all_ranges_of_a_policy_go_only_with_an_approval() -> None:
    """It is disabled and keeps its list: without one it would hold for every source."""
    draft = drafted(own(1, MAIL - OLD), own(2, OLD), ranges=MAIL - OLD)

    (step,) = draft.steps
    (refusal,) = draft.refusals
    assert ("policy_would_be_empty", True, Phase.REMOVE) == (
        refusal.rule,
        refusal.approvable,
        refusal.phase,
    )
    assert not step.detail.after.enabled
    assert OLD == step.detail.after.sources.ranges
    assert MAIL - OLD == draft.goal


def test_it_may_be_deleted_instead() -> None:
    """If the configuration says so."""
    draft = drafted(own(1, MAIL - OLD), own(2, OLD), ranges=MAIL - OLD, when_empty="delete")

    (step,) = draft.steps
    assert (Action.DELETE, ABSENT) == (step.action, step.gives)
    assert ["policy_would_be_empty"] == rules(draft)


def test_what_needs_an_approval_holds_up_no_addition() -> None:
    """The refusal covers that policy's removal alone."""
    of = aim()
    observed = seen(of, own(1, MAIL - OLD), own(2, OLD))

    draft = plan(of, wants((MAIL - OLD) | NEW), observed, adopting=False)

    (refusal,) = draft.refusals
    assert [Phase.ADD, Phase.REMOVE] == [one.phase for one in draft.steps]
    assert [False, True] == [refusal.covers(one) for one in draft.steps]


def test_a_disabled_policy_is_used_again() -> None:
    """In one step, with its list as it should be."""
    draft = drafted(own(1, MAIL - OLD), own(2, OLD, enabled=False), ranges=MAIL)

    (step,) = draft.steps
    assert "anti-spoofing:example.com:2" == step.resource
    assert step.detail.after.enabled


def test_a_disabled_policy_that_is_not_needed_is_left_alone() -> None:
    """Its old ranges mean nothing."""
    assert () == drafted(own(), own(2, OLD, enabled=False)).steps


def test_a_domain_that_is_no_longer_configured_loses_its_policies() -> None:
    """Once that is approved."""
    draft = drafted(
        own(), own(sender="example.org", from_={"type": "email_domain", "domain": "example.org"})
    )

    (step,) = draft.steps
    assert "anti-spoofing:example.org:1" == step.resource
    assert "no longer configured" in draft.refusals[0].message


@pytest.mark.parametrize(
    ("keys", "party"),
    [
        ({"senders": "everyone", "domains": []}, "everyone"),
        ({"sender_group": "eNo7", "domains": []}, "profile_group eNo7"),
    ],
)
def test_senders_may_be_a_group_or_everyone(keys: dict[str, Any], party: str) -> None:
    """Everyone only with a warning."""
    draft = drafted(**keys)

    assert party == draft.steps[0].detail.after.sender.told
    assert (party == "everyone") == ("everyone" in findings(draft))


def test_several_domains_have_policies_of_their_own() -> None:
    """One that is new gets all ranges, and nothing counts as added to what is owned."""
    draft = drafted(own(), domains=[DOMAIN, "example.org"])

    (step,) = draft.steps
    assert "anti-spoofing:example.org:1" == step.resource
    assert MAIL == draft.base == draft.goal


def test_without_ipv4_there_is_nothing_to_say() -> None:
    """A policy without ranges would hold for every source."""
    draft = drafted(own(), ranges=IpRanges.parse("2a01:111:f400::/48"))

    assert (["empty"], ()) == (rules(draft), draft.steps)
    assert not draft.refusals[0].approvable


def test_wide_ranges_are_split_only_where_the_configuration_says_so() -> None:
    """With the count shown."""
    draft = drafted(split_to=16)

    (step,) = draft.steps
    assert 8 == len(step.detail.after.sources.entries)
    assert "8 entries in 1 policy" in findings(draft)["split"]
    assert 4 == len(drafted().steps[0].detail.after.sources.entries)


def test_a_list_that_is_written_wide_is_written_anew_when_it_is_to_be_split() -> None:
    """The addresses are the same."""
    draft = drafted(own(), split_to=16)

    (step,) = draft.steps
    assert Phase.ADD is step.phase
    assert "written otherwise" in step.summary
    assert step.expects != step.gives


def test_an_unknown_field_is_not_written_over_blindly() -> None:
    """It may be a condition; a person looks, and approves."""
    strange = own(1, MAIL - OLD, countries=["XX"])

    draft = drafted(strange)

    assert ["strange_policy"] == rules(draft)
    assert "countries" in draft.refusals[0].message
    assert draft.refusals[0].approvable
    assert () == drafted(own(countries=["XX"])).refusals


def test_two_policies_with_one_mark_are_refused() -> None:
    """Nobody can tell which is meant."""
    draft = drafted(own(), replace(own(), id="other"))

    assert (["two_policies"], ()) == (rules(draft), draft.steps)
    assert "other" in draft.refusals[0].message


@pytest.mark.parametrize(
    ("owner", "target"), [("exosync-2", "mimecast"), ("exosync", "other"), ("exo", "sync")]
)
def test_the_mark_of_another_owner_for_our_sender_is_refused(owner: str, target: str) -> None:
    """Two that keep the same sender right would undo each other's work."""
    rival = item(f"{Mark(owner, target, DOMAIN, 1)} x")

    assert ["foreign_owner"] == rules(drafted(rival))
    elsewhere = item(f"{Mark(owner, target, 'example.org', 1)} x")
    assert () == drafted(elsewhere).refusals


def test_what_another_owner_put_out_of_force_is_in_nobodys_way() -> None:
    """A target that was renamed leaves disabled policies, which cannot be adopted."""
    left = item(f"{Mark('exosync', 'renamed', DOMAIN, 1)} x", enabled=False)

    draft = drafted(left)

    assert ([], ["anti-spoofing:example.com:1"]) == (
        rules(draft),
        [one.resource for one in draft.steps],
    )


@pytest.mark.parametrize("owner", ["exosync-2", "exosync"])
def test_another_owners_policies_are_listed_like_anybodys(owner: str) -> None:
    """And one without a condition is told."""
    rival = item(f"{Mark(owner, 'other', DOMAIN, 1)} x", ())

    observed = seen(aim(), rival)

    assert 1 == len(observed.foreign)
    assert "spoofing_open" in findings(observed)


def test_taking_over_what_is_right_already_is_told_as_that() -> None:
    """The mark is all that it lacks."""
    (step,) = drafted(item("Exchange"), adopting=True).steps

    assert step.summary.endswith("it gets the mark, and nothing else changes")


def test_a_policy_with_another_number_is_not_gone() -> None:
    """Its id is still there, under a mark of ours."""
    observed = seen(aim(), own(7), ids={"anti-spoofing:example.com:1": own(7).id})

    assert {} == findings(observed)


def test_a_policy_that_lost_its_mark_is_refused() -> None:
    """The id is remembered; the description says what to do."""
    of = aim()
    edited = replace(own(), description="Exchange, do not touch")
    observed = seen(of, edited, ids={"anti-spoofing:example.com:1": edited.id})

    draft = plan(of, wants(), observed, adopting=False)

    assert (["mark_lost"], ()) == (rules(draft), draft.steps)
    assert "Exchange, do not touch" in draft.refusals[0].message
    assert {"anti-spoofing:example.com:1": edited.id} == observed.remember["ids"]


def test_a_damaged_mark_is_refused_even_if_no_id_is_remembered() -> None:
    """It begins like ours."""
    damaged = item("Exosync exosync/mimecast example.com 1 - my policy")

    assert ["mark_lost"] == rules(drafted(damaged))


def test_a_mark_under_another_id_is_ours_if_the_old_id_is_gone() -> None:
    """Ids may read differently later."""
    of = aim()
    observed = seen(of, own(), ids={"anti-spoofing:example.com:1": "old"})

    found = [one for one in observed.findings if one.rule == "id_changed"]
    assert [Severity.INFO] == [one.severity for one in found]
    assert () == plan(of, wants(), observed, adopting=False).steps


def test_a_policy_that_was_deleted_is_told_and_made_again() -> None:
    """Neither its id nor its mark is there."""
    of = aim()
    observed = seen(of, ids={"anti-spoofing:example.com:1": "old"})

    assert "policy_gone" in findings(observed)
    assert 1 == len(plan(of, wants(), observed, adopting=False).steps)


def test_foreign_policies_are_listed_where_they_matter() -> None:
    """Same sender, everyone, or the same ranges; others by the thousand are not."""
    other = {"type": "email_domain", "domain": "branch.example"}
    policies = [
        own(),
        item("same sender", NEW),
        item("everyone", NEW, from_={"type": "everyone"}),
        item("overlap", OLD, from_=other),
        item("no matter", NEW, from_=other),
        item("blocks", OLD, option="apply"),
        item("off", OLD, enabled=False),
    ]

    told = [one.text.split(":")[0] for one in seen(aim(), *policies).foreign]

    assert ["“same sender”", "“everyone”", "“overlap”"] == told


def test_a_foreign_policy_without_a_condition_is_told() -> None:
    """It lets anybody send as the domain."""
    open_door = item("Let all in", ())

    assert "Let all in" in findings(seen(aim(), open_door))["spoofing_open"]
    hosts = item("Some hosts", (), hostnames=["mail.example"])
    assert "spoofing_open" not in findings(seen(aim(), hosts))


def test_adopting_marks_what_does_the_same_work() -> None:
    """Its words stay, its ranges are the base, and it holds the layout."""
    there = item("Legitimate spoof", MAIL - OLD, override=False)

    draft = drafted(there, adopting=True)

    (step,) = draft.steps
    assert MAIL - OLD == draft.base
    assert (Action.UPDATE, ABSENT, there.id) == (step.action, step.expects, step.detail.after.id)
    assert "exosync exosync/mimecast example.com 1: Legitimate spoof" == (
        step.detail.after.description
    )
    assert "take over" in step.summary


def test_adopting_mends_what_is_refused_without() -> None:
    """A lost mark, a damaged one, and another owner's."""
    of = aim()
    lost = replace(own(), description="mine now")
    rival = item(f"{Mark('other', 'one', DOMAIN, 3)} x", NEW)
    observed = seen(of, lost, rival, ids={"anti-spoofing:example.com:1": lost.id})

    draft = plan(of, wants(MAIL | NEW), observed, adopting=True)

    assert () == draft.refusals
    assert {lost.id, rival.id} == {one.detail.after.id for one in draft.steps}


@pytest.mark.parametrize(
    "fields",
    [
        {"from_": {"type": "everyone"}},
        {"to": {"type": "everyone"}},
        {"option": "apply"},
        {"sourceIPs": []},
        {"hostnames": ["mail.example"]},
        {"enabled": False},
        {"countries": ["XX"]},
    ],
)
def test_adopting_takes_nothing_that_does_something_else(fields: dict[str, Any]) -> None:
    """A policy of its own is made then."""
    (step,) = drafted(item("theirs", **fields), adopting=True).steps

    assert Action.CREATE is step.action


def test_resources_name_what_is_made_next() -> None:
    """So that a run which was interrupted knows that it was not made."""
    found = seen(aim(), own(1), own(99_999)).resources

    assert [
        "anti-spoofing:example.com:1",
        "anti-spoofing:example.com:2",
        "anti-spoofing:example.com:99999",
    ] == sorted(found)
    assert ABSENT == found["anti-spoofing:example.com:2"]


blocks = st.tuples(st.integers(0, 63), st.integers(26, 32)).map(
    lambda one: IpRanges.parse(f"9.0.0.{one[0] * 4}/{one[1]}", strict=False)
)
some_ranges = st.lists(blocks, min_size=1, max_size=6).map(lambda found: IpRanges().union(*found))


@given(st.lists(some_ranges, max_size=3), some_ranges, st.integers(1, 4), st.booleans())
def test_all_steps_lead_to_what_is_desired(
    held: list[IpRanges], wanted: IpRanges, limit: int, enabled: bool
) -> None:
    """Whatever stood where, and a second plan has nothing left to do but what was disabled."""
    policies = [own(n, each, enabled=enabled or n > 1) for n, each in enumerate(held, start=1)]
    of = aim(ranges_per_policy=limit)
    draft = plan(of, wants(wanted), seen(of, *policies), adopting=False)

    account = after(policies, draft.steps)

    observed = seen(of, *account)
    again = plan(of, wants(wanted), observed, adopting=False)
    assert wanted == observed.owned
    assert () == again.steps
    for step in draft.steps:
        policy: Policy = step.detail.after
        assert policy.sources or not policy.enabled


@given(st.lists(some_ranges, max_size=3), some_ranges, st.integers(1, 4))
def test_after_the_additions_nothing_is_missing(
    held: list[IpRanges], wanted: IpRanges, limit: int
) -> None:
    """Neither of what is desired nor of what was there."""
    policies = [own(n, each) for n, each in enumerate(held, start=1)]
    of = aim(ranges_per_policy=limit)
    before = seen(of, *policies)
    draft = plan(of, wants(wanted), before, adopting=False)

    adds = [one for one in draft.steps if one.phase is Phase.ADD]
    observed = seen(of, *after(policies, adds))

    assert wanted | before.owned == observed.owned


def test_every_refusal_has_its_meaning() -> None:
    """In the table that the reference is made from."""
    assert {
        "empty",
        "two_policies",
        "mark_lost",
        "foreign_owner",
        "strange_policy",
        "policy_would_be_empty",
        "spf_bypass_terms",
        "spf_bypass_passes",
    } == set(RULES)
