"""The google_workspace target against a stand-in of Google's services: read, plan, verify."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from exosync.core.ranges import IpRanges
from exosync.core.target import (
    Actor,
    Phase,
    Severity,
)
from exosync.errors import (
    TargetConflict,
    TargetError,
    UsageError,
)
from tests.standins import google_replies as replies
from tests.standins.google_policies import ALLOWLIST, OTHER_UNIT, ROOT_UNIT, Policy
from tests.standins.google_switches import (
    Switches,
)
from tests.support.google_bench import (
    FIRST,
    FOREIGN,
    LIST,
    TOKEN,
    Make,
    benches,
    desired,
    results,
    rules,
)


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    """Make benches."""
    with benches(tmp_path) as made:
        yield made


def test_a_person_pastes_the_box_and_the_list_is_read_back(make: Make) -> None:
    """Nothing, then a step; then the list is as desired, ours are known and nothing is left."""
    bench = make({"allowlist": [FOREIGN]})

    draft = bench.plan(*FIRST)
    (step,) = draft.steps
    bench.do(draft)
    after = bench.plan(*FIRST)

    assert Actor.PERSON is step.by
    assert Phase.ADD is step.phase
    assert step.task is not None
    assert f"{FOREIGN}, {', '.join(FIRST)}" == step.task.box
    assert FOREIGN == step.before
    assert f"{FOREIGN}\n" + "\n".join(FIRST) == step.after
    assert () == after.steps
    observed = bench.look()
    assert step.gives == observed.resources["email-allowlist"]
    assert IpRanges.parse(FIRST) == observed.owned
    assert [FOREIGN] == bench.strangers
    verification = bench.verify(*FIRST)
    assert {"ranges": True, "propagation": None} == results(verification)
    assert True is verification.ok


def test_a_second_run_does_nothing_and_reads_only(make: Make) -> None:
    """One token, then the pages of the list; no audit log while nothing is asked."""
    bench = make({"allowlist": [FOREIGN, *FIRST]})

    bench.plan(*FIRST)
    first = bench.calls()
    bench.made()
    again = bench.plan(*FIRST)

    assert () == again.steps
    assert [TOKEN, LIST] == first == bench.calls()


def test_a_token_is_kept_for_all_that_an_object_asks(make: Make) -> None:
    """Observe and verify ask for one."""
    bench = make({"allowlist": FIRST})

    bench.plan(*FIRST)
    bench.verify(*FIRST)

    assert [TOKEN, LIST, LIST] == bench.calls()


# Reading


def test_empty_pages_are_followed_with_pauses(make: Make) -> None:
    """Pages without policies have a next one; between two there is a second."""
    switches = Switches(blank_pages=True, page_limit=4)
    bench = make({"allowlist": FIRST, "switches": switches})

    assert IpRanges.parse(FIRST) == bench.look().detail.found.ranges
    pages = bench.calls().count(LIST)
    assert pages >= 6
    assert [1.0] * (pages - 1) == bench.pauses


def test_thousands_of_policies_are_read(make: Make) -> None:
    """Whatever page the allowlist is on."""
    switches = Switches(filler=1500)
    bench = make({"allowlist": FIRST, "switches": switches}, page_pause="0s")

    assert IpRanges.parse(FIRST) == bench.look().detail.found.ranges
    assert 16 == bench.calls().count(LIST)


def test_pages_that_repeat_are_no_whole_answer(make: Make) -> None:
    """A token that came before would lead on for ever."""
    bench = make()
    page = replies.success({"policies": [], "nextPageToken": "same"})
    bench.google.script(page, page, path="/v1/policies")

    with pytest.raises(TargetError, match="incomplete"):
        bench.look()


def test_an_absent_list_is_empty_if_other_settings_are_told(make: Make) -> None:
    """It is Google's default."""
    bench = make({"allowlist": None})

    (step,) = bench.plan(*FIRST).steps

    assert "" == step.before
    assert "\n".join(FIRST) == step.after


def test_an_absent_list_without_other_settings_cannot_be_told_apart(make: Make) -> None:
    """Nothing is planned from it."""
    bench = make({"allowlist": None, "switches": Switches(other_policies=False)})

    with pytest.raises(TargetError, match="cannot be told apart"):
        bench.look()


@pytest.mark.parametrize("snake_case", [True, False])
@pytest.mark.parametrize("empty", ["list", "absent"])
def test_every_way_to_say_empty_is_read(make: Make, empty: Any, *, snake_case: bool) -> None:
    """A list without entries, and no list, in both spellings."""
    switches = Switches(snake_case=snake_case, empty_value=empty)
    bench = make({"allowlist": [], "switches": switches})

    assert () == bench.look().foreign


def test_keys_in_snake_case_are_read(make: Make) -> None:
    """As the documentation's table has them."""
    bench = make({"allowlist": FIRST, "switches": Switches(snake_case=True)})

    assert IpRanges.parse(FIRST) == bench.look().detail.found.ranges


@pytest.mark.parametrize(
    "value",
    [
        {"allowedIps": ["192.0.2.1"]},
        {"allowedIpAddresses": ["192.0.2.1"], "note": "new"},
        {"allowedIpAddresses": "192.0.2.1"},
        {"allowedIpAddresses": [{"ip": "192.0.2.1"}]},
    ],
)
def test_an_unknown_form_fails_instead_of_being_guessed(make: Make, value: Any) -> None:
    """A list that is taken for empty would be overwritten."""
    bench = make({"allowlist": None})
    bench.google.other_policies.append(Policy(setting=ALLOWLIST, value=value, type="ADMIN"))

    with pytest.raises(TargetError, match="nothing is guessed"):
        bench.look()


def test_googles_own_default_does_not_count_as_a_second_list(make: Make) -> None:
    """The one that people set does."""
    bench = make({"allowlist": FIRST, "switches": Switches(system_default=True)})

    observed = bench.look()

    assert IpRanges.parse(FIRST) == observed.detail.found.ranges
    assert [] == rules(observed.findings)


@pytest.mark.parametrize("place", ["org_unit", "group", "admin_group", "no_org_unit"])
def test_of_several_lists_only_what_all_hold_counts(make: Make, place: Any) -> None:
    """The other one holds 198.51.100.7 alone."""
    switches = Switches(also_on=(place,))
    bench = make({"allowlist": [FOREIGN, *FIRST], "switches": switches})

    observed = bench.look()
    draft = bench.plan(*FIRST)

    assert ["several_policies"] == rules(observed.findings)
    assert IpRanges.parse(FOREIGN) == observed.detail.found.ranges
    assert 1 == len(draft.steps)
    (step,) = draft.steps
    assert step.task is not None
    # The box at the top is known, so what stands there stays.
    assert [FOREIGN, *FIRST] == step.task.box.split(", ")


def test_a_named_top_unit_settles_which_list_counts(make: Make) -> None:
    """Lists elsewhere, as those of deleted units, are told and no more."""
    switches = Switches(also_on=("org_unit",))
    standin = {"allowlist": [FOREIGN, *FIRST], "switches": switches}
    bench = make(standin, root_unit=ROOT_UNIT)

    observed = bench.look()

    assert ["several_policies"] == rules(observed.findings)
    assert () == bench.plan(*FIRST).steps


def test_several_lists_without_one_at_the_top_are_not_replaced(make: Make) -> None:
    """What the box shows cannot be told: the person adds and replaces nothing."""
    switches = Switches(also_on=("org_unit", "group"))
    bench = make({"allowlist": None, "switches": switches})

    (step,) = bench.plan(*FIRST).steps

    assert step.task is not None
    assert any("keep what else it holds" in one for one in step.task.instructions)


def test_a_list_elsewhere_is_not_taken_to_the_named_top_unit(make: Make) -> None:
    """What a deleted unit's list holds is neither pasted at the top nor counted."""
    bench = make({"allowlist": None, "switches": Switches(also_on=("org_unit",))})
    bench.made(root_unit=ROOT_UNIT)

    (step,) = bench.plan(*FIRST).steps
    bench.do(bench.plan(*FIRST))

    assert step.task is not None
    assert ", ".join(FIRST) == step.task.box
    assert step.gives == bench.look().resources["email-allowlist"]
    assert () == bench.plan(*FIRST).steps


def test_a_policy_that_comes_twice_is_one(make: Make) -> None:
    """Pages without an order may give it again."""
    bench = make({"allowlist": FIRST})
    at = {"customer": "customers/C01abcdef", "policyQuery": {"orgUnit": ROOT_UNIT}}
    value = {"allowedIpAddresses": list(FIRST)}
    policy = {**at, "name": "policies/a", "setting": {"type": ALLOWLIST, "value": value}}
    bench.google.script(
        replies.success({"policies": [policy], "nextPageToken": "next"}),
        replies.success({"policies": [policy]}),
        path="/v1/policies",
    )

    assert [] == rules(bench.look().findings)


def test_a_single_list_elsewhere_is_told(make: Make) -> None:
    """It counts, but it may not hold for the whole domain."""
    bench = make({"allowlist": None, "switches": Switches(also_on=("org_unit",))})

    observed = bench.look()

    assert ["not_on_root"] == rules(observed.findings)
    assert None is results(bench.verify("198.51.100.7/32"))["place"]
    assert OTHER_UNIT in observed.findings[0].message


@pytest.mark.parametrize(
    "normalise", ["as_typed", "prefix", "no_prefix", "mask", "mask_and_prefix"]
)
def test_every_way_to_give_entries_back_is_one_list(make: Make, normalise: Any) -> None:
    """Host bits, single addresses, texts that are no address: what was asked for is seen."""
    entries = ["8.8.8.8/24", "192.0.2.1", "mail.example.net"]
    bench = make({"allowlist": entries, "switches": Switches(normalise=normalise)})

    draft = bench.plan("40.92.0.0/15", "203.0.113.9/32")
    bench.do(draft)
    after = bench.plan("40.92.0.0/15", "203.0.113.9/32")

    assert () == after.steps
    observed = bench.look()
    assert draft.steps[0].gives == observed.resources["email-allowlist"]
    assert IpRanges.parse(["40.92.0.0/15", "203.0.113.9"]) == observed.owned
    assert 3 == len(observed.foreign)
    assert "not_an_address" in rules(observed.findings)


def test_order_means_nothing(make: Make) -> None:
    """The same entries in another order are the same list."""
    bench = make({"allowlist": [FOREIGN, *FIRST]})
    before = bench.look()

    bench.google.set_allowlist([*FIRST[::-1], FOREIGN])

    assert before.resources == bench.look().resources


# Ownership


def test_what_a_person_adds_stays_foreign(make: Make) -> None:
    """It is listed, kept in the box, and never taken out."""
    bench = make({"allowlist": []})
    bench.do(bench.plan(*FIRST))
    bench.look()

    bench.google.set_allowlist(["203.0.113.1", *FIRST, "not an address"])
    (step,) = bench.plan("40.92.0.0/15", "104.47.0.0/17").steps

    assert step.task is not None
    assert "203.0.113.1, not an address, 40.92.0.0/15, 104.47.0.0/17" == step.task.box
    assert IpRanges.parse("104.47.0.0/17") == step.task.added
    assert IpRanges.parse(FIRST[1]) == step.task.removed


def test_what_an_outdated_text_brought_in_is_exosyncs(make: Make) -> None:
    """A person pastes what an earlier form of the open step asked for: it is taken out again."""
    bench = make({"allowlist": [FOREIGN]})
    outdated = bench.plan(*FIRST)
    bench.plan(FIRST[1])
    bench.plan(FIRST[1], "104.47.0.0/17")

    bench.do(outdated)
    (step,) = bench.plan(FIRST[1], "104.47.0.0/17").steps

    assert [FOREIGN] == bench.strangers
    assert step.task is not None
    assert IpRanges.parse(FIRST[0]) == step.task.removed
    assert f"{FOREIGN}, 104.47.0.0/17, {FIRST[1]}" == step.task.box


def test_what_was_taken_away_is_asked_for_again(make: Make) -> None:
    """And is ours again when it is back."""
    bench = make({"allowlist": []})
    bench.do(bench.plan(*FIRST))
    bench.look()
    bench.google.set_allowlist([FIRST[0]])

    draft = bench.plan(*FIRST)
    bench.do(draft)

    assert IpRanges.parse(FIRST[0]) == draft.base
    assert IpRanges.parse(FIRST) == bench.look().owned


def test_an_entry_that_was_there_before_stays_foreign_inside_ours(make: Make) -> None:
    """Asking for the range around it does not make it exosync's."""
    bench = make({"allowlist": ["40.92.5.0/24"]})

    bench.do(bench.plan(*FIRST))

    assert ["40.92.5.0/24"] == bench.strangers
    (step,) = bench.plan(FIRST[1]).steps
    assert step.task is not None
    assert f"40.92.5.0/24, {FIRST[1]}" == step.task.box


def test_part_of_a_paste_is_ours_and_the_rest_is_asked_for(make: Make) -> None:
    """A person who stops half-way."""
    bench = make({"allowlist": []})
    bench.plan(*FIRST)
    bench.google.set_allowlist([FIRST[0]])

    (step,) = bench.plan(*FIRST).steps

    assert step.task is not None
    assert IpRanges.parse(FIRST[1]) == step.task.added
    assert IpRanges.parse(FIRST[0]) == bench.look().owned


def test_foreign_entries_that_hold_what_is_desired_satisfy_it(make: Make) -> None:
    """Nothing is asked for; it is told that they would not be removed."""
    bench = make({"allowlist": ["40.92.0.0/14", FIRST[1]]})

    draft = bench.plan(*FIRST)

    assert () == draft.steps
    assert ["held_by_others"] == rules(draft.findings)
    assert "exosync adopt google" in draft.findings[0].message
    assert draft.base == draft.goal == IpRanges()
    assert {"ranges": True, "propagation": None} == results(bench.verify(*FIRST))


def test_what_somebody_adds_inside_ours_is_not_exosyncs(make: Make) -> None:
    """It stays when the range around it leaves."""
    bench = make({"allowlist": []})
    bench.do(bench.plan(*FIRST))
    bench.plan(*FIRST)

    bench.google.set_allowlist([*FIRST, "40.92.7.9"])
    (step,) = bench.plan(FIRST[1]).steps

    assert ["40.92.7.9"] == bench.strangers
    assert step.task is not None
    assert f"40.92.7.9, {FIRST[1]}" == step.task.box


def test_a_narrower_range_that_was_asked_for_is_exosyncs(make: Make) -> None:
    """Also where the person leaves the wider one beside it at first."""
    bench = make({"allowlist": []})
    bench.do(bench.plan(*FIRST))
    bench.plan(*FIRST)

    bench.plan("40.92.0.0/16", FIRST[1])
    bench.google.set_allowlist([*FIRST, "40.92.0.0/16"])
    bench.do(bench.plan("40.92.0.0/16", FIRST[1]))

    assert [] == bench.strangers
    assert () == bench.plan("40.92.0.0/16", FIRST[1]).steps
    assert ["40.92.0.0/16", FIRST[1]] == bench.google.allowlist


@pytest.mark.parametrize("cut", ["40.92.0.0/1", "2a01:111:f403::/4", "0.0.0.0/0", "52.0.0.0/7"])
def test_an_entry_that_lets_in_much_of_the_internet_is_warned_of(make: Make, cut: str) -> None:
    """As a paste that was cut off makes it: it lets in what is wanted, and far more."""
    bench = make({"allowlist": [cut, "10.0.0.0/8", "2a01::/16"]})

    (found,) = [one for one in bench.look().findings if one.rule == "wide_entry"]

    assert Severity.WARNING is found.severity
    assert cut in found.message
    assert "10.0.0.0/8" not in found.message


def test_long_and_strange_entries_are_told_in_short_and_kept_whole(make: Make) -> None:
    """Nobody's text fills the screen or moves the cursor."""
    texts = ["x" * 5000, "\x1b[31mred", "192.0.2.1\n192.0.2.2"]
    bench = make({"allowlist": texts})

    draft = bench.plan(*FIRST)

    (found,) = [one for one in bench.look().findings if one.rule == "not_an_address"]
    assert len(found.message) < 400
    assert found.message.isprintable()
    assert "\n".join([*texts, *FIRST]) == draft.steps[0].after


def test_an_empty_box_is_told_to_be_empty(make: Make) -> None:
    """There is nothing to compare it with then."""
    bench = make({"allowlist": []})
    (empty,) = bench.plan(*FIRST).steps
    bench.google.set_allowlist([FOREIGN])
    (full,) = bench.plan(*FIRST).steps

    assert empty.task is not None
    assert full.task is not None
    assert any("If the box is not empty" in one for one in empty.task.instructions)
    assert not any("There now" in one for one in empty.task.instructions)
    assert any("There now" in one for one in full.task.instructions)


def test_adoption_takes_over_what_lies_within_what_is_desired(make: Make) -> None:
    """The list stays as it is; from then on the entries are ours and leave with the ranges."""
    bench = make({"allowlist": [FOREIGN, "40.92.0.0/16", FIRST[1]]})
    observed = bench.look()
    bench.calls()

    draft = bench.target.plan(desired(*FIRST), observed, adopting=True)
    (step,) = draft.steps
    bench.apply(step)
    bench.apply(step)

    assert Actor.EXOSYNC is step.by
    assert "email-allowlist:ownership" == step.resource
    assert draft.base == draft.goal == IpRanges.parse(["40.92.0.0/16", FIRST[1]])
    assert [] == bench.calls()
    after = bench.look()
    assert step.gives == after.resources[step.resource]
    assert observed.resources["email-allowlist"] == after.resources["email-allowlist"]
    bench.made()
    assert IpRanges.parse(["40.92.0.0/16", FIRST[1]]) == bench.look().owned
    assert [FOREIGN] == bench.strangers
    (again,) = bench.plan(FIRST[1]).steps
    assert again.task is not None
    assert f"{FOREIGN}, {FIRST[1]}" == again.task.box


def test_there_may_be_nothing_to_adopt(make: Make) -> None:
    """No step is made."""
    bench = make({"allowlist": [FOREIGN]})

    draft = bench.target.plan(desired(*FIRST), bench.look(), adopting=True)

    assert () == draft.steps


def test_an_outdated_adoption_is_a_conflict(make: Make) -> None:
    """Other entries were taken over meanwhile."""
    bench = make({"allowlist": [*FIRST]})
    observed = bench.look()
    (first,) = bench.target.plan(desired(FIRST[0]), observed, adopting=True).steps
    (second,) = bench.target.plan(desired(FIRST[1]), observed, adopting=True).steps

    bench.apply(first)

    with pytest.raises(TargetConflict):
        bench.apply(second)


# Planning


def test_a_step_for_a_person_cannot_be_done_by_exosync(make: Make) -> None:
    """Whoever tries is told."""
    bench = make({"allowlist": []})
    (step,) = bench.plan(*FIRST).steps

    with pytest.raises(UsageError):
        bench.apply(step)
    assert [] == [one for one in bench.calls() if not one.startswith(("GET", TOKEN))]


def test_a_removal_alone_is_of_the_removing_phase(make: Make) -> None:
    """Nothing has to wait for it."""
    bench = make({"allowlist": []})
    bench.do(bench.plan(*FIRST))

    (step,) = bench.plan(FIRST[0]).steps

    assert Phase.REMOVE is step.phase
    assert step.task is not None
    assert IpRanges.parse(FIRST[1]) == step.task.removed


def test_wide_ranges_are_split_as_configured(make: Make) -> None:
    """And compared by address, so a list that holds them whole is right too."""
    bench = make({"allowlist": []}, split_to=16)

    (step,) = bench.plan(*FIRST).steps

    assert step.task is not None
    assert "40.92.0.0/16, 40.93.0.0/16, 2a01:111:f403::/48" == step.task.box
    bench.google.set_allowlist(FIRST)
    assert () == bench.plan(*FIRST).steps


@pytest.mark.parametrize(
    ("settings", "cidrs", "rule"),
    [
        ({"max_entries": 2}, FIRST, "max_entries"),
        ({"split_to": 32}, ("40.92.0.0/14",), "max_entries"),
        ({}, (), "empty"),
        ({}, ("40.92.0.0/15", "10.1.0.0/16"), "private_addresses"),
    ],
)
def test_a_list_that_google_or_the_configuration_forbids_is_refused(
    make: Make, settings: dict[str, Any], cidrs: tuple[str, ...], rule: str
) -> None:
    """No step is made of it."""
    bench = make({"allowlist": [FOREIGN]}, **settings)

    draft = bench.plan(*cidrs)

    assert [rule] == rules(draft.refusals)
    assert () == draft.steps
    assert not draft.refusals[0].approvable


def test_a_verification_tells_what_is_missing_and_what_is_too_much(make: Make) -> None:
    """Address by address."""
    bench = make({"allowlist": []})
    bench.do(bench.plan(*FIRST))

    verification = bench.verify(FIRST[0], "104.47.0.0/17")

    found = results(verification)
    assert (False, False) == (found["ranges"], found["nothing besides"])
    assert False is verification.ok


def test_a_list_that_has_been_so_for_a_day_has_taken_effect(make: Make) -> None:
    """Google says that it can take 24 hours."""
    bench = make({"allowlist": FIRST})
    bench.look()
    bench.now += timedelta(hours=25)

    assert {"ranges": True, "propagation": True} == results(bench.verify(*FIRST))
    bench.google.set_allowlist([*FIRST, FOREIGN])
    assert None is results(bench.verify(*FIRST))["propagation"]


def test_explaining_an_address_names_the_entries(make: Make) -> None:
    """And whose they are."""
    bench = make({"allowlist": ["40.92.7.0/24"]})
    bench.do(bench.plan(*FIRST))
    observed = bench.look()

    known = bench.target.explain(IpRanges.parse("40.92.7.9"), observed)
    unknown = bench.target.explain(IpRanges.parse("203.0.113.1"), observed)

    assert True is known.knows
    assert [True, True] == [("exosync's" in one) for one in known.says]
    assert 1 == sum("not exosync's" in one for one in known.says)
    assert (False, ()) == (unknown.knows, unknown.says)


def test_an_address_that_not_all_lists_hold_is_not_known(make: Make) -> None:
    """The entry is told all the same, and why it does not count."""
    bench = make({"allowlist": [FOREIGN, *FIRST], "switches": Switches(also_on=("group",))})

    known = bench.target.explain(IpRanges.parse("40.92.7.9"), bench.look())

    assert False is known.knows
    assert [FIRST[0] in known.says[0], "does not count" in known.says[1]] == [True, True]


def test_configuration_holds_what_changes_plans_and_nothing_of_credentials(make: Make) -> None:
    """It is part of the plan's id."""
    told = make(split_to=24).target.configuration()

    assert 24 == told["split_to"]
    assert "credentials" not in told


def test_what_a_target_can_do_is_declared(make: Make) -> None:
    """Read or not, written or not."""
    allowlist = make().target.capabilities
    gateway = make(setting="inbound_gateway").target.capabilities

    assert (True, False) == (allowlist.read, allowlist.write)
    assert (False, False) == (gateway.read, gateway.write)
