"""Planning an spf target: a pure function from what is desired and seen to steps."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exosync.core.desired import Desired, Exclusion, Extra, Leaving
from exosync.core.ranges import IpRanges
from exosync.core.target import ABSENT, Action, Actor, Draft, Observed, Phase, Severity
from exosync_adapters.dns.values import DnsProblem, Server, Trouble, TxtRRset
from exosync_adapters.rfc7208.record import owner_of, ranges_in
from exosync_adapters.rfc7208.tree import expansion, gather
from exosync_adapters.spf.aim import Aim
from exosync_adapters.spf.layout import layout
from exosync_adapters.spf.plan import plan
from exosync_adapters.spf.seen import AtName, Seen
from exosync_adapters.spf.settings import SpfSettings
from exosync_adapters.spf.steps import with_record

DOMAIN, LEAF, INCLUDE = "example.com", "_exo.example.com", "spf.protection.outlook.com"
FIRST, SECOND = Server("192.0.2.1"), Server("192.0.2.2", name="ns2.example.com")
MAIL = IpRanges.parse(
    [
        *("40.92.0.0/15", "40.107.0.0/16", "52.100.0.0/14", "104.47.0.0/17"),
        *("2a01:111:f400::/48", "2a01:111:f403::/48"),
    ]
)
MICROSOFT = (
    "v=spf1 ip4:40.92.0.0/15 ip4:40.107.0.0/16 ip4:52.100.0.0/15 ip4:52.102.0.0/16 "
    "ip4:52.103.0.0/17 ip4:104.47.0.0/17 ip6:2a01:111:f400::/48 ip6:2a01:111:f403::/49 "
    "ip6:2a01:111:f403:8000::/51 ip6:2a01:111:f403:c000::/51 ip6:2a01:111:f403:f000::/52 -all"
)
"""What Microsoft's own name held from 2024 to 2026."""

RELAY = Extra(IpRanges.parse("40.95.0.0/16"), "relay pool", "forwarded mail")
WITH_INCLUDE = f"v=spf1 mx include:{INCLUDE} ~all"
KEY = {"server": "ns1.example.com", "key": {"name": "exosync", "secret": {"env": "TSIG"}}}


def desired(*cidrs: str, **more: Any) -> Desired:
    """What should be there: by default all of Microsoft's mail ranges."""
    ranges = IpRanges.parse(cidrs) if cidrs else MAIL
    return Desired("Worldwide", "2026081400", ranges, **more)


def aim(*, families: str = "both", **keys: Any) -> Aim:
    """A target with a key, so that exosync may write."""
    settings = SpfSettings.model_validate({"domain": DOMAIN, "dns": KEY, **keys})
    return Aim("spf", settings, "prod", families, INCLUDE)


def rrset(name: str, *texts: str, ttl: int = 3600) -> TxtRRset:
    """A TXT RRset; absent without texts."""
    return TxtRRset.of(name, ttl, *texts) if texts else TxtRRset.absent(name)


def at(held: TxtRRset, second: TxtRRset | DnsProblem | None = None) -> AtName:
    """One name at two servers, which agree unless told otherwise."""
    return AtName(held.name, held, {FIRST: held, SECOND: second or held})


def observed(
    apex: AtName | Sequence[str] = (),
    leaf: AtName | Sequence[str] | None = None,
    tree: dict[str, str] | None = None,
) -> Observed:
    """An observation; a leaf is only looked at by method records."""
    domain = apex if isinstance(apex, AtName) else at(rrset(DOMAIN, *apex, ttl=300))
    own = leaf if isinstance(leaf, AtName) or leaf is None else at(rrset(LEAF, *leaf))
    names = {one.name: one.record for one in (domain, own) if one and one.record}
    texts = {INCLUDE: MICROSOFT} | names | (tree or {})
    found = gather((DOMAIN, INCLUDE), lambda name: (texts[name],) if texts.get(name) else ())
    ours = own is not None and owner_of(own.record) == "prod"
    seen = Seen(DOMAIN, (FIRST, SECOND), domain, own, found, expansion(found, INCLUDE))
    return Observed(
        owned=ranges_in(own.record) if own and ours else IpRanges(),
        resources={one.resource: one.rrset.token for one in seen.names},
        detail=seen,
    )


def published(ranges: IpRanges, owner: str = "prod") -> str:
    """Our record for these ranges."""
    return layout(ranges, owner, name=LEAF).text


def rules(draft: Draft) -> list[str]:
    """The rules of its refusals."""
    return [one.rule for one in draft.refusals]


def findings(draft: Draft) -> list[str]:
    """The rules of its findings, without that of today's known difference."""
    return [one.rule for one in draft.findings if "does not authorise" not in one.message]


# Method include


def test_is_in_sync_where_the_domain_includes_microsoft() -> None:
    """Nothing is owned, so nothing shrinks or grows."""
    draft = plan(aim(), desired(), observed([WITH_INCLUDE]))

    assert ((), (), IpRanges(), IpRanges()) == (
        draft.steps,
        draft.refusals,
        draft.base,
        draft.goal,
    )


@pytest.mark.parametrize(
    ("record", "tree"),
    [
        (f"v=spf1 +include:{INCLUDE.upper()}. ~all", {}),
        ("v=spf1 include:_spf.example.com ~all", {"_spf.example.com": f"v=spf1 include:{INCLUDE}"}),
        (
            "v=spf1 redirect=_spf.example.com",
            {"_spf.example.com": f"v=spf1 include:{INCLUDE} -all"},
        ),
        (f"v=spf1 redirect=_s.{DOMAIN}", {f"_s.{DOMAIN}": f"v=spf1 redirect={INCLUDE}"}),
    ],
)
def test_takes_an_equivalent_for_the_include(record: str, tree: dict[str, str]) -> None:
    """Written otherwise, or reached through another record: it is there."""
    assert () == plan(aim(), desired(), observed([record], tree=tree)).steps


def test_tells_where_the_addresses_are_copied() -> None:
    """A copy authorises today, and does not follow tomorrow."""
    draft = plan(aim(), desired(), observed([MICROSOFT]))

    assert () == draft.steps
    assert ["include_by_addresses"] == findings(draft)


@pytest.mark.parametrize(
    ("record", "tree"),
    [
        ("v=spf1 mx ~all", {}),
        (f"v=spf1 ~include:{INCLUDE} ~all", {}),
        (f"v=spf1 mx ~all include:{INCLUDE}", {}),
        ("v=spf1 ?include:_s.example.com ~all", {"_s.example.com": f"v=spf1 include:{INCLUDE}"}),
        (MICROSOFT.replace("ip4:40.107.0.0/16", "ip4:40.107.0.0/17"), {}),
        (MICROSOFT.replace("v=spf1", "v=spf1 -ip4:40.107.3.0/24"), {}),
    ],
)
def test_does_not_take_less_for_the_include(record: str, tree: dict[str, str]) -> None:
    """What does not authorise every address is missing."""
    (step,) = plan(aim(), desired(), observed([record], tree=tree)).steps

    assert Actor.PERSON is step.by
    assert record == step.before
    assert f"include:{INCLUDE}" in step.after


def test_leaves_the_domain_to_a_person_by_default() -> None:
    """The step shows the whole record before and after, ready to paste."""
    (step,) = plan(aim(), desired(), observed(["v=spf1 mx ~all", "other"])).steps

    assert ("v=spf1 mx ~all", f"v=spf1 mx include:{INCLUDE} ~all") == (step.before, step.after)
    assert (Actor.PERSON, Phase.ADD, Action.UPDATE) == (step.by, step.phase, step.action)
    assert f"dns:{DOMAIN} TXT" == step.resource


def test_manages_the_domain_if_told_to() -> None:
    """The write is one exchange of the RRset that keeps the TTL and every other value."""
    seen = observed(["v=spf1 mx ~all", "google-site-verification=x", "é" * 200])
    (step,) = plan(aim(manage="apex"), desired(), seen).steps
    old, new = step.detail.old, step.detail.new

    assert Actor.EXOSYNC is step.by
    assert seen.resources[step.resource] == step.expects == old.token
    assert (300, new.token) == (new.ttl, step.gives)
    assert [(b"v=spf1 mx ~all",)] == [one for one in old.values if one not in new.values]
    assert [(step.after.encode(),)] == [one for one in new.values if one not in old.values]


def test_writes_nothing_without_a_key() -> None:
    """What exosync cannot do is a person's step, whatever the target asks for."""
    draft = plan(aim(manage="apex", method="records", dns={}), desired(), observed([], []))

    assert {Actor.PERSON} == {step.by for step in draft.steps}


def test_plans_all_missing_terms_as_one_step() -> None:
    """One RRset is written once: the include, the extras and the configured terms."""
    terms = ["include:_spf.mail.example.net", "ip4:192.0.2.0/24", "a:example.com"]
    wanted = desired(extras=(RELAY,))
    seen = observed(["v=spf1 a ip4:192.0.2.0/23 -all"])
    (step,) = plan(aim(manage="apex", terms=terms), wanted, seen).steps

    assert step.after == (
        f"v=spf1 a ip4:192.0.2.0/23 include:{INCLUDE} ip4:40.95.0.0/16 "
        "include:_spf.mail.example.net -all"
    )
    assert "ip4:40.95.0.0/16 (extra: relay pool)" in step.summary


def test_plans_a_term_once_however_often_it_is_wanted() -> None:
    """By the extras, by the configuration, or twice by one of them."""
    terms = ["ip4:40.95.1.0/24", "include:x.example", "+include:X.example."]
    (step,) = plan(aim(terms=terms), desired(extras=(RELAY,)), observed(["v=spf1 -all"])).steps

    assert f"v=spf1 include:{INCLUDE} ip4:40.95.0.0/16 include:x.example -all" == step.after


def test_needs_no_term_for_an_extra_that_microsoft_authorises() -> None:
    """Its include already does."""
    extra = Extra(IpRanges.parse("40.107.1.0/24"), "ours", "x")

    assert () == plan(aim(), desired(extras=(extra,)), observed([WITH_INCLUDE])).steps


def test_cuts_extras_to_the_families_of_the_target() -> None:
    """An IPv4 target asks for no ip6 term."""
    extra = Extra(IpRanges.parse(["192.0.2.1", "2001:db8::1"]), "gateway", "x")
    wanted = desired(extras=(extra,))
    (step,) = plan(aim(families="ipv4"), wanted, observed([WITH_INCLUDE])).steps

    assert f"v=spf1 mx include:{INCLUDE} ip4:192.0.2.1 ~all" == step.after


def test_plans_a_first_record_with_the_configured_end() -> None:
    """A domain without SPF is told what its first record means."""
    draft = plan(aim(manage="apex", default_all="-all"), desired(), observed(["other"]))
    (step,) = draft.steps

    assert ("", f"v=spf1 include:{INCLUDE} -all") == (step.before, step.after)
    assert (Action.UPDATE, ["new_spf_record"]) == (step.action, findings(draft))


def test_creates_the_rrset_where_there_is_no_txt_at_all() -> None:
    """Then the TTL is that of the configuration."""
    (step,) = plan(aim(manage="apex", ttl=600), desired(), observed([])).steps

    assert (Action.CREATE, ABSENT, 600) == (step.action, step.expects, step.detail.new.ttl)


def test_leaves_a_name_under_a_wildcard_to_a_person() -> None:
    """A record of its own would take the wildcard's other records away from it."""
    apex = at(TxtRRset.absent(DOMAIN, wildcard=True))
    draft = plan(aim(manage="apex"), desired(), observed(apex))

    assert [Actor.PERSON] == [step.by for step in draft.steps]
    assert "wildcard" in findings(draft)


def test_warns_of_an_answer_that_some_receivers_drop() -> None:
    """libspf2 takes no more than about 1,200 octets."""
    draft = plan(aim(manage="apex"), desired(), observed(["v=spf1 -all", "x" * 1100]))

    assert ["large_answer"] == findings(draft)


# Method records


def test_publishes_first_and_refers_to_it_then() -> None:
    """A reference to a name without a record would fail all mail of the domain."""
    draft = plan(aim(method="records", manage="apex"), desired(), observed(["v=spf1 -all"], []))
    leaf, apex = draft.steps

    assert (f"dns:{LEAF} TXT", Action.CREATE, ABSENT) == (leaf.resource, leaf.action, leaf.expects)
    assert ("", published(MAIL)) == (leaf.before, leaf.after)
    assert f"v=spf1 include:{LEAF} -all" == apex.after
    assert {Phase.ADD} == {leaf.phase, apex.phase}
    assert (IpRanges(), MAIL) == (draft.base, draft.goal)


def test_holds_extras_and_what_is_leaving_in_the_record() -> None:
    """They are ranges like any other, so the domain's record needs no term for them."""
    soon = datetime(2026, 12, 1, tzinfo=UTC)
    leaving = (Leaving(IpRanges.parse("192.0.2.0/24"), soon, soon),)
    draft = plan(
        aim(method="records", manage="apex"),
        desired(extras=(RELAY,), leaving=leaving),
        observed(["v=spf1 -all"], []),
    )

    assert published(MAIL | RELAY.ranges | leaving[0].ranges) == draft.steps[0].after
    assert f"v=spf1 include:{LEAF} -all" == draft.steps[1].after


def test_adds_before_it_removes() -> None:
    """Two exchanges of the same RRset, each from what the one before gives."""
    old, new = IpRanges.parse(["192.0.2.0/24", "198.51.100.0/24"]), IpRanges.parse("192.0.2.0/23")
    seen = observed([f"v=spf1 include:{LEAF} -all"], [published(old)])
    first, second = plan(aim(method="records"), desired(*new.cidrs()), seen).steps

    assert (Phase.ADD, Phase.REMOVE) == (first.phase, second.phase)
    assert (published(old), published(old | new)) == (first.before, first.after)
    assert (published(old | new), published(new)) == (second.before, second.after)
    assert (seen.resources[first.resource], first.gives) == (first.expects, second.expects)


def test_the_domain_is_edited_before_anything_is_removed() -> None:
    """Removals come last, whatever they are removed from."""
    old = MAIL | IpRanges.parse("192.0.2.0/24")
    seen = observed(["v=spf1 -all"], [published(old)])
    draft = plan(aim(method="records", manage="apex"), desired(), seen)

    assert [f"dns:{DOMAIN} TXT", f"dns:{LEAF} TXT"] == [step.resource for step in draft.steps]


def test_exchanges_in_one_write_what_does_not_fit_together() -> None:
    """One RRset is exchanged as a whole, so nothing is missing at any moment."""
    old = IpRanges.parse([f"192.0.{i}.0/24" for i in range(0, 30, 2)])
    new = IpRanges.parse([f"198.51.{i}.0/24" for i in range(0, 30, 2)])
    seen = observed([f"v=spf1 include:{LEAF} -all"], [published(old)])
    draft = plan(aim(method="records"), desired(*new.cidrs()), seen)
    (step,) = draft.steps

    assert (Phase.REMOVE, published(new)) == (step.phase, step.after)
    assert ["single_replace"] == [one for one in findings(draft) if one == "single_replace"]


def test_refuses_what_does_not_fit() -> None:
    """Neither the record nor a reference to it is planned."""
    many = [f"198.51.{i}.0/24" for i in range(0, 100, 2)]
    draft = plan(
        aim(method="records", manage="apex"), desired(*many), observed(["v=spf1 -all"], [])
    )

    assert (["record_size"], ()) == (rules(draft), draft.steps)


def test_corrects_drift_in_its_own_record() -> None:
    """Another TTL, another order, a term put in by hand, even a syntax error: it is ours."""
    apex = [f"v=spf1 include:{LEAF} -all"]
    target = aim(method="records")
    texts = [
        published(MAIL).replace("-all", "a ~all"),
        published(MAIL).replace("ip4:104.47.0.0/17 ", ""),
        published(MAIL) + " foo",
    ]

    for text in texts:
        (step,) = plan(target, desired(), observed(apex, [text])).steps
        assert published(MAIL) == step.after
    (step,) = plan(
        target, desired(), observed(apex, at(rrset(LEAF, published(MAIL), ttl=60)))
    ).steps
    assert f"{published(MAIL)} (TTL 60)" == step.before
    assert f"{published(MAIL)} (TTL 3600)" == step.after


def test_does_not_mind_how_its_record_is_cut_into_strings() -> None:
    """Receivers join the strings, so nothing would change."""
    text = published(MAIL).encode()
    leaf = at(TxtRRset(LEAF, 3600, ((text[:9], text[9:]),)))

    assert (
        ()
        == plan(
            aim(method="records"), desired(), observed([f"v=spf1 include:{LEAF} -all"], leaf)
        ).steps
    )


def test_keeps_other_values_at_its_name() -> None:
    """They are foreign, byte for byte."""
    leaf = at(TxtRRset(LEAF, 3600, ((b"a", b"\xff b"), (published(MAIL).encode(),))))
    (step,) = plan(
        aim(method="records"),
        desired("192.0.2.0/24", *MAIL.cidrs()),
        observed([f"v=spf1 include:{LEAF} -all"], leaf),
    ).steps

    assert (b"a", b"\xff b") in step.detail.new.values


def test_publishes_one_family_if_told_to() -> None:
    """An IPv4 target holds no IPv6 address."""
    draft = plan(aim(method="records", families="ipv4"), desired(), observed(["v=spf1 -all"], []))

    assert published(MAIL.family(4)) == draft.steps[0].after
    assert MAIL.family(4) == draft.goal


# Refusals


@pytest.mark.parametrize("owner", ["other", None])
def test_refuses_a_record_of_someone_else_at_its_name(owner: str | None) -> None:
    """It says how to take the record over, and shows it."""
    text = published(MAIL, owner) if owner else "v=spf1 ip4:192.0.2.1 -all"
    draft = plan(aim(method="records", manage="apex"), desired(), observed(["v=spf1 -all"], [text]))
    (refusal,) = draft.refusals

    assert ("foreign_owner", False, ()) == (refusal.rule, refusal.approvable, draft.steps)
    assert text in refusal.message
    assert "exosync adopt spf" in refusal.message


def test_adopts_a_record_of_someone_else() -> None:
    """Its ranges count as there before, so that the guards measure the change."""
    text = "v=spf1 include:x.example ip4:192.0.2.0/24 ip4:40.92.0.0/15 -all"
    seen = observed([f"v=spf1 include:{LEAF} -all"], [text])
    draft = plan(aim(method="records"), desired(), seen, adopting=True)
    first, second = draft.steps
    before = IpRanges.parse(["192.0.2.0/24", "40.92.0.0/15"])

    assert (before, MAIL) == (draft.base, draft.goal)
    assert (text, published(MAIL | before)) == (first.before, first.after)
    assert published(MAIL) == second.after
    assert ["adoption_drops_terms"] == findings(draft)
    assert any("include:x.example" in one.message for one in draft.findings)


def test_adopting_what_is_ours_is_planning() -> None:
    """There is nothing to take over."""
    seen = observed([f"v=spf1 include:{LEAF} -all"], [published(MAIL)])

    assert () == plan(aim(method="records"), desired(), seen, adopting=True).steps


@pytest.mark.parametrize("adopting", [False, True])
@pytest.mark.parametrize("where", ["apex", "leaf"])
def test_refuses_two_records(where: str, *, adopting: bool) -> None:
    """Which of them is meant, only a person can tell."""
    two = ["v=spf1 a -all", "v=spf1 mx -all"]
    seen = observed(two, []) if where == "apex" else observed(["v=spf1 -all"], two)
    draft = plan(aim(method="records", manage="apex"), desired(), seen, adopting=adopting)
    (refusal,) = draft.refusals

    assert ("two_spf_records", False) == (refusal.rule, refusal.approvable)
    assert "“v=spf1 a -all” and “v=spf1 mx -all”" in refusal.message
    assert f"dns:{DOMAIN} TXT" not in [step.resource for step in draft.steps]


def test_never_edits_a_record_with_a_syntax_error() -> None:
    """It is shown, with the term that is wrong."""
    draft = plan(aim(manage="apex"), desired(), observed(["v=spf1 ipv4:192.0.2.1 -all"]))
    (refusal,) = draft.refusals

    assert ("spf_syntax", ()) == (refusal.rule, draft.steps)
    assert "“v=spf1 ipv4:192.0.2.1 -all”" in refusal.message
    assert "'ipv4:192.0.2.1' is not a mechanism" in refusal.message


def test_refuses_servers_that_disagree() -> None:
    """What each of them holds is shown."""
    apex = at(rrset(DOMAIN, WITH_INCLUDE), rrset(DOMAIN, "v=spf1 -all"))
    draft = plan(aim(manage="apex"), desired(), observed(apex))
    (refusal,) = draft.refusals

    assert "servers_disagree" == refusal.rule
    assert "ns2.example.com (192.0.2.2:53): “v=spf1 -all”" in refusal.message


def test_does_not_mind_another_ttl_at_another_server() -> None:
    """Some providers have TTLs of their own."""
    apex = at(rrset(DOMAIN, WITH_INCLUDE, ttl=60), rrset(DOMAIN, WITH_INCLUDE, ttl=300))

    assert () == plan(aim(), desired(), observed(apex)).refusals


def test_refuses_a_cname() -> None:
    """No record can stand beside it."""
    problem = DnsProblem(FIRST, Trouble.CNAME, "192.0.2.1:53: _exo leads elsewhere")
    absent = TxtRRset.absent(LEAF)
    leaf = AtName(LEAF, absent, {FIRST: problem, SECOND: problem})
    draft = plan(aim(method="records"), desired(), observed(["v=spf1 -all"], leaf))

    assert (["cname"], ()) == (rules(draft), draft.steps)


def test_goes_on_without_a_secondary_that_does_not_answer() -> None:
    """That is a finding of the observation, and no reason to leave the others stale."""
    silent = DnsProblem(SECOND, Trouble.UNREACHABLE, "ns2: no answer")
    apex = at(rrset(DOMAIN, "v=spf1 -all"), silent)

    assert [] == rules(plan(aim(), desired(), observed(apex)))


# The cross-check


def test_tells_what_microsoft_lists_and_does_not_authorise() -> None:
    """Today's difference, told with its addresses: the mail ranges hold more."""
    (finding,) = plan(aim(), desired(), observed([WITH_INCLUDE])).findings

    assert ("microsoft_include_differs", Severity.INFO) == (finding.rule, finding.severity)
    assert finding.message.endswith(
        "52.103.128.0/17, 2a01:111:f403:a000::/51, 2a01:111:f403:e000::/52"
    )


def test_warns_of_what_microsoft_authorises_and_does_not_list() -> None:
    """Such mail would be turned away by a target that holds the list."""
    wanted = desired(*(MAIL - IpRanges.parse("40.107.0.0/17")).cidrs())
    found = plan(aim(), wanted, observed([WITH_INCLUDE])).findings

    assert [Severity.WARNING, Severity.INFO] == [one.severity for one in found]
    assert found[0].message.endswith(": 40.107.0.0/17")


def test_an_ageing_or_excluded_range_is_no_difference() -> None:
    """Both are known; but an exclusion has no effect on Microsoft's include."""
    gone, out = IpRanges.parse("40.107.0.0/17"), IpRanges.parse("104.47.0.0/17")
    soon = datetime(2026, 12, 1, tzinfo=UTC)
    wanted = desired(
        *(MAIL - gone - out).cidrs(),
        leaving=(Leaving(gone, soon, soon),),
        exclusions=(Exclusion(out, "old", "x"),),
    )

    assert ["exclusion_without_effect"] == findings(plan(aim(), wanted, observed([WITH_INCLUDE])))
    assert [] == findings(
        plan(
            aim(method="records"),
            wanted,
            observed([f"v=spf1 include:{LEAF} -all"], [published(wanted.ranges)]),
        )
    )


def test_compares_one_family_for_a_target_of_one() -> None:
    """What the target does not hold on purpose is no difference."""
    found = plan(aim(families="ipv4"), desired(), observed([WITH_INCLUDE])).findings

    assert [True] == [one.message.endswith(": 52.103.128.0/17") for one in found]


# Algebra

RANGES = st.lists(st.integers(0, 15), max_size=6).map(
    lambda made: IpRanges.parse([f"192.0.2.{16 * one}/28" for one in made])
)


@given(RANGES, RANGES.filter(bool))
def test_the_steps_lead_from_what_is_there_to_what_is_desired(old: IpRanges, new: IpRanges) -> None:
    """No state between lacks an address that is in both, and afterwards nothing is left to do."""
    apex = [f"v=spf1 include:{LEAF} -all"]
    target = aim(method="records")
    held = rrset(LEAF, published(old))
    draft = plan(target, desired(*new.cidrs()), observed(apex, at(held)))

    for step in draft.steps:
        assert held.token == step.expects
        assert old & new <= ranges_in(step.after)
        held = step.detail.new
    assert new == ranges_in(held.texts[0])
    assert () == plan(target, desired(*new.cidrs()), observed(apex, at(held))).steps


@given(st.lists(st.binary(max_size=300), max_size=4, unique=True), RANGES)
def test_other_values_survive_any_write(values: list[bytes], ranges: IpRanges) -> None:
    """Whatever octets they hold, and however they are cut."""
    others = tuple(
        tuple(one[i : i + 100] for i in range(0, max(len(one), 1), 100))
        for one in values
        if not one.lower().startswith(b"v=spf1")
    )
    held = TxtRRset(LEAF, 60 if others else None, others)
    new = with_record(held, published(ranges), ttl=60)

    assert set(others) == {one for one in new.values if not one[0].startswith(b"v=spf1")}
