"""The mimecast target against a stand-in of API 2.0: real HTTP, every fault that is known of."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from exosync.core.desired import Desired
from exosync.core.ranges import IpRanges
from exosync.core.target import (
    Actor,
    Check,
    Context,
    Draft,
    Observed,
    Phase,
    Step,
    Target,
    Verification,
)
from exosync.core.tasks import Asserted, Known
from exosync.errors import TargetConflict, TargetDenied, TargetError, TargetUnreachable
from exosync_adapters.mimecast import kind
from exosync_adapters.mimecast.account import NOBODY, Account
from exosync_adapters.mimecast.client import Client, Credentials
from tests.standins.dns import DnsStandin, Fault
from tests.standins.endpoints import EndpointsStandIn
from tests.standins.endpoints_replies import dripping, hang, html, reset, status
from tests.standins.mimecast import (
    ALL_ROLES,
    READ_ONLY,
    MimecastStandIn,
    Policy,
    Switches,
    seed_thousands,
)
from tests.standins.web import Reply
from tests.support.ports import refusing_port
from tests.support.world import World as Company
from tests.support.world import only, rules
from tests.support.zones import zone_file

SECRET = "the-secret-of-mimecast"
DOMAIN, FAMILY, BYPASS = "example.com", "anti-spoofing", "anti-spoofing-bypass"
BASE = f"/policy-management/cloud-gateway/v1/{FAMILY}/policies"
TOKEN, LIST, POST = "POST /oauth/token", f"GET {BASE}", f"POST {BASE}"
V4 = IpRanges.parse(["40.92.0.0/15", "40.107.0.0/16", "52.100.0.0/14", "104.47.0.0/17"])
MAIL = V4 | IpRanges.parse("2a01:111:f400::/48")
NEW, OLD = IpRanges.parse("23.103.0.0/16"), IpRanges.parse("40.107.0.0/16")
SENDER = {"type": "email_domain", "domain": DOMAIN}
INSIDE = {"type": "internal_addresses"}
MARK = "exosync exosync/mimecast example.com 1: Exchange Online may send as this domain"


@dataclass
class Ran:
    """What one run saw, planned, did and proved."""

    before: Observed
    draft: Draft
    done: list[Step]
    after: Observed
    proof: Verification

    @property
    def rules(self) -> list[str]:
        """The refusals by name."""
        return [one.rule for one in self.draft.refusals]

    def finding(self, rule: str) -> str:
        """The words of a finding."""
        every = (*self.before.findings, *self.draft.findings)
        return next(one.message for one in every if one.rule == rule)


@dataclass
class World:
    """An account, and targets whose pauses move its clock on."""

    account: MimecastStandIn
    now: datetime = datetime(2026, 11, 25, 12, tzinfo=UTC)
    pauses: list[float] = field(default_factory=list)
    remembered: dict[str, Any] = field(default_factory=dict)
    told: list[str] = field(default_factory=list)

    def pause(self, seconds: float) -> None:
        """Wait without waiting."""
        self.pauses.append(seconds)
        self.now += timedelta(seconds=seconds)

    def target(self, *, secret: str = SECRET, name: str = "mimecast", **keys: Any) -> Target:
        """A target of its own, as every run of a command makes one."""
        chosen: dict[str, Any] = {
            "url": self.account.url,
            "client_id": {"env": "ID"},
            "client_secret": {"env": "SECRET"},
            "domains": [DOMAIN],
            "settings": ["anti_spoofing"],
            "timeout": "30s",
        }
        context = Context(
            owner="exosync",
            families="both",
            instance="Worldwide",
            base=Path(),
            reveal=lambda ref: "the-id" if ref.env == "ID" else secret,
            pause=self.pause,
        )
        return kind.build(name, kind.settings.model_validate(chosen | keys), context)

    def run(
        self,
        ranges: IpRanges = MAIL,
        *,
        target: Target | None = None,
        adopting: bool = False,
        approved: bool = False,
        **keys: Any,
    ) -> Ran:
        """Look, plan, write and prove, in the order in which the service does it."""
        of = target or self.target(**keys)
        before, draft = self.plan(of, ranges, adopting=adopting)
        standing = [one for one in draft.refusals if not (approved and one.approvable)]
        done: list[Step] = []
        for step in draft.steps:
            if step.by is Actor.EXOSYNC and not any(one.covers(step) for one in standing):
                of.apply(step)
                done.append(step)
        after = of.observe(self.known) if done else before
        self.remembered = dict(after.remember)
        proof = of.verify(Desired("Worldwide", "1", ranges), after)
        return Ran(before, draft, done, after, proof)

    def plan(
        self, of: Target, ranges: IpRanges = MAIL, *, adopting: bool = False
    ) -> tuple[Observed, Draft]:
        """Look and plan; what is told is kept, to be searched for secrets."""
        desired = Desired("Worldwide", "1", ranges)
        observed = of.observe(self.known)
        self.remembered = dict(observed.remember)
        draft = of.rehearse(desired, observed, of.plan(desired, observed, adopting=adopting))
        self.told += [str(one) for one in (*observed.findings, *draft.findings, *draft.refusals)]
        self.told += [str(one) for one in draft.steps]
        return observed, draft

    def fails(self, error: type[Exception], work: Callable[[], object]) -> str:
        """The words of what goes wrong."""
        with pytest.raises(error) as caught:
            work()
        self.told.append(repr(caught.value))
        return str(caught.value)

    @property
    def known(self) -> Known:
        """What the service gives back."""
        return Known(now=self.now, remembered=json.loads(json.dumps(self.remembered)))

    @property
    def policies(self) -> list[Policy]:
        """The policies of the family in truth."""
        return list(self.account.policies[FAMILY])

    def held(self) -> IpRanges:
        """The ranges that are really let through from the domain."""
        found = [
            one.source_ips
            for one in self.policies
            if one.enabled and one.option == "no_action" and one.fields["from"] == SENDER
        ]
        return IpRanges.parse([cidr for each in found for cidr in each])

    def calls(self) -> list[str]:
        """The calls since the last question, policy ids as `ID`."""
        found = [re.sub("/policies/.*", "/policies/ID", one) for one in self.account.calls()]
        self.account.requests.clear()
        return found


@pytest.fixture
def world() -> Iterator[World]:
    """An account that nobody has touched; at the end nothing bad may have happened to it."""
    clock: list[World] = []
    with MimecastStandIn(now=lambda: clock[0].now if clock else datetime.now(UTC)) as account:
        clock.append(World(account))
        yield clock[0]
        assert [] == account.dangerous
        assert [] == account.violations
        tokens = [f"token-{number}-of" for number in range(1, 20)]
        assert not [text for text in clock[0].told for one in (SECRET, *tokens) if one in text]


def foreign(world: World) -> list[dict[str, Any]]:
    """Policies of other people, of every kind that might be taken for ours."""
    for fields in (
        {"description": "Branch", "from_": {"type": "email_domain", "domain": "branch.example"}},
        {"description": "Blocks", "option": "apply", "from_": SENDER, "sourceIPs": []},
        {"description": "Theirs", "from_": SENDER, "sourceIPs": ["192.0.2.0/24"]},
        {"description": "exosync other/mimecast branch.example 1: not ours"},
        {"description": "exosync", "hostnames": ["mail.example"], "sourceIPs": []},
    ):
        chosen: dict[str, Any] = {
            "option": "no_action",
            "to": INSIDE,
            "sourceIPs": ["40.92.0.0/15"],
        }
        world.account.add_policy(FAMILY, **(chosen | fields))
    return theirs(world)


def theirs(world: World) -> list[dict[str, Any]]:
    """What is not ours, to the letter."""
    found = [one for one in world.policies if not one.description.startswith("exosync exosync/")]
    return [{"id": one.id, **json.loads(json.dumps(one.fields))} for one in found]


def test_a_first_run_makes_one_policy_and_proves_it(world: World) -> None:
    """And asks for nothing that it does not need."""
    ran = world.run()

    (policy,) = world.policies
    assert MARK == policy.description
    assert list(V4.cidrs()) == policy.source_ips
    assert ("no_action", SENDER, INSIDE) == (
        policy.option,
        policy.fields["from"],
        policy.fields["to"],
    )
    assert {"enabled": True, "override": True, "bidirectional": False, "fromPart": "both"} == {
        name: policy.fields[name] for name in ("enabled", "override", "bidirectional", "fromPart")
    }
    assert ran.proof.ok is True
    assert [TOKEN, LIST, LIST, POST, f"GET {BASE}/ID", LIST] == world.calls()


def test_a_run_without_changes_costs_a_token_and_the_list(world: World) -> None:
    """Nothing more, with a target of its own."""
    world.run()
    world.calls()

    ran = world.run()

    assert ((), True) == (ran.draft.steps, ran.proof.ok)
    assert [TOKEN, LIST] == world.calls()


def test_a_change_adds_first_and_writes_only_what_differs(world: World) -> None:
    """Two PATCHes of the list alone, each read before and after."""
    world.run()
    world.calls()

    ran = world.run((MAIL - OLD) | NEW)

    patches = [json.loads(one.body) for one in world.account.requests if one.method == "PATCH"]
    assert [["sourceIPs"], ["sourceIPs"]] == [list(one) for one in patches]
    assert (V4 | NEW, (V4 - OLD) | NEW) == tuple(
        IpRanges.parse(one["sourceIPs"]) for one in patches
    )
    one = [f"GET {BASE}/ID", f"PATCH {BASE}/ID", f"GET {BASE}/ID"]
    assert [TOKEN, LIST, *one, *one, LIST] == world.calls()
    assert ran.proof.ok is True


def test_an_empty_policy_is_disabled_only_with_an_approval(world: World) -> None:
    """Its list stays as it was."""
    world.run(ranges_per_policy=2)
    gone = IpRanges.parse(world.policies[1].source_ips)

    refused = world.run(V4 - gone, ranges_per_policy=2)
    assert (["policy_would_be_empty"], []) == (refused.rules, refused.done)
    assert world.policies[1].enabled

    ran = world.run(V4 - gone, ranges_per_policy=2, approved=True)
    assert (1, True) == (len(ran.done), ran.proof.ok)
    assert (False, gone) == (
        world.policies[1].enabled,
        IpRanges.parse(world.policies[1].source_ips),
    )
    assert () == world.run(V4 - gone, ranges_per_policy=2).draft.steps


def test_it_is_deleted_where_the_configuration_says_so(world: World) -> None:
    """And nobody is told that somebody else did it."""
    keys: dict[str, Any] = {"ranges_per_policy": 2, "when_empty": "delete"}
    world.run(**keys)
    gone = IpRanges.parse(world.policies[1].source_ips)

    ran = world.run(V4 - gone, approved=True, **keys)

    assert 1 == len(world.policies)
    assert "policy_gone" not in [one.rule for one in ran.after.findings]
    assert ran.proof.ok is True


def test_an_addition_never_waits_for_an_approval(world: World) -> None:
    """What would be emptied is refused, and nothing else."""
    world.run(ranges_per_policy=2)
    gone = IpRanges.parse(world.policies[1].source_ips)

    ran = world.run((V4 - gone) | NEW, ranges_per_policy=2)

    assert ["policy_would_be_empty"] == ran.rules
    assert NEW <= world.held()
    assert gone <= world.held()


def test_policies_of_others_stay_as_they_are(world: World) -> None:
    """Field by field, through making, changing, emptying and adopting nothing."""
    before = foreign(world)

    for ranges in (MAIL, (MAIL - OLD) | NEW, MAIL):
        world.run(ranges, ranges_per_policy=2, approved=True)

    assert before == theirs(world)
    written = [one for one in world.account.requests if one.method != "GET"]
    ids = {one["id"] for one in before}
    assert not [one for one in written if any(each in one.path for each in ids)]


def test_adopting_takes_over_what_is_there(world: World) -> None:
    """The id and the words stay; the next run has nothing to do."""
    policy_id = world.account.add_policy(
        FAMILY,
        description="Legitimate spoof",
        option="no_action",
        fromPart="envelope_from",
        from_=SENDER,
        to=INSIDE,
        sourceIPs=list((V4 - OLD).cidrs()),
    )

    ran = world.run(adopting=True)

    (policy,) = world.policies
    assert (V4 - OLD, V4) == (ran.draft.base, ran.draft.goal)
    assert (policy_id, "exosync exosync/mimecast example.com 1: Legitimate spoof", V4) == (
        policy.id,
        policy.description,
        IpRanges.parse(policy.source_ips),
    )
    assert () == world.run().draft.steps


def test_a_mark_that_was_edited_stops_everything_until_it_is_adopted(world: World) -> None:
    """Its id is remembered, run after run."""
    world.run()
    world.account.edit_policy(FAMILY, world.policies[0].id, description="Exchange, mine")

    for _ in range(2):
        ran = world.run((MAIL - OLD) | NEW)
        assert (["mark_lost"], []) == (ran.rules, ran.done)
        assert "Exchange, mine" in ran.draft.refusals[0].message

    world.run(adopting=True)
    assert "exosync exosync/mimecast example.com 1: Exchange, mine" == world.policies[0].description
    assert ((), True) == ((again := world.run()).draft.steps, again.proof.ok)


def test_words_behind_the_mark_may_be_edited(world: World) -> None:
    """They are people's."""
    world.run()
    edited = MARK.partition(":")[0] + ": ask Ada before you touch this"
    world.account.edit_policy(FAMILY, world.policies[0].id, description=edited)

    world.run((MAIL - OLD) | NEW)

    assert edited == world.policies[0].description


def test_two_policies_with_one_mark_are_refused(world: World) -> None:
    """A copy made in the console."""
    world.run()
    copy = {name: value for name, value in world.policies[0].fields.items() if name != "from"}
    world.account.add_policy(FAMILY, **copy, from_=SENDER)

    ran = world.run((MAIL - OLD) | NEW)

    assert (["two_policies"], []) == (ran.rules, ran.done)


@pytest.mark.parametrize(
    "changes",
    [
        {"option": "apply"},
        {"enabled": False},
        {"from_": {"type": "everyone"}},
        {"to": {"type": "everyone"}},
        {"hostnames": ["mail.example"]},
        {"override": False},
        {"toEternal": False, "toDateTime": "2027-01-01"},
        {"sourceIPs": []},
    ],
)
def test_a_policy_that_somebody_changed_is_repaired(world: World, changes: dict[str, Any]) -> None:
    """Field by field; an emptied one is told loudly before."""
    world.run()
    before = dict(world.policies[0].fields)
    world.account.edit_policy(FAMILY, world.policies[0].id, **changes)

    ran = world.run()

    assert ran.proof.ok is True
    kept = {name: value for name, value in world.policies[0].fields.items() if name in before}
    assert {**before, "toDateTime": kept.get("toDateTime")} == {
        **kept,
        "toDateTime": kept.get("toDateTime"),
    }
    assert ("unconditional" in [one.rule for one in ran.before.findings]) == (
        changes == {"sourceIPs": []}
    )


def test_a_deleted_policy_is_made_again(world: World) -> None:
    """And told."""
    world.run()
    world.account.remove_policy(FAMILY, world.policies[0].id)

    ran = world.run()

    assert "somebody deleted" in ran.finding("policy_gone")
    assert V4 == world.held()


@pytest.mark.parametrize("method", ["GET", "PATCH"])
def test_a_change_between_plan_and_write_is_a_conflict(world: World, method: str) -> None:
    """Before the read it is seen, and nothing is written; before the PATCH nobody can see it."""
    world.run()
    policy = world.policies[0]
    of = world.target()
    _, draft = world.plan(of, (MAIL - OLD) | NEW)
    edit = lambda: world.account.edit_policy(FAMILY, policy.id, override=False)  # noqa: E731
    world.account.before(method, f"{BASE}/", edit)

    if method == "GET":
        told = world.fails(TargetConflict, lambda: of.apply(draft.steps[0]))
        assert "override" in told
        assert V4 == world.held()
    else:
        # The race that nothing at this vendor closes: seen when it is read back.
        told = world.fails(TargetError, lambda: of.apply(draft.steps[0]))
        assert "reads back with other override" in told
    assert world.run((MAIL - OLD) | NEW).proof.ok is True


def test_a_policy_that_is_gone_or_no_longer_ours_is_a_conflict(world: World) -> None:
    """At the moment of writing."""
    world.run()
    of = world.target()
    _, draft = world.plan(of, (MAIL - OLD) | NEW)
    world.account.edit_policy(FAMILY, world.policies[0].id, description="mine")
    assert "“mine”" in world.fails(TargetConflict, lambda: of.apply(draft.steps[0]))

    world.account.remove_policy(FAMILY, world.policies[0].id)
    assert "it is gone" in world.fails(TargetConflict, lambda: of.apply(draft.steps[0]))


def test_a_policy_with_the_mark_that_appears_before_a_create_is_not_doubled(world: World) -> None:
    """The same is done already; another is a conflict."""
    of = world.target()
    _, draft = world.plan(of)
    world.run()

    of.apply(draft.steps[0])
    assert 1 == len(world.policies)

    world.account.edit_policy(FAMILY, world.policies[0].id, sourceIPs=["192.0.2.0/24"])
    assert "sourceIPs" in world.fails(TargetConflict, lambda: of.apply(draft.steps[0]))
    assert 1 == len(world.policies)


def test_doing_a_step_twice_is_harmless(world: World) -> None:
    """The second time nothing is written."""
    world.run()
    of = world.target()
    _, draft = world.plan(of, (MAIL - OLD) | NEW)

    for step in draft.steps:
        of.apply(step)
        world.calls()
        of.apply(step)
        assert [f"GET {BASE}/ID"] == world.calls()


def test_a_crash_between_steps_is_finished_by_the_next_run(world: World) -> None:
    """A target of its own, which remembers nothing of the first."""
    keys: dict[str, Any] = {"ranges_per_policy": 1}
    of = world.target(**keys)
    _, draft = world.plan(of)
    of.apply(draft.steps[0])

    ran = world.run(**keys)

    assert 3 == len(ran.done)
    assert (V4, True) == (world.held(), ran.proof.ok)


def test_a_post_that_was_made_and_not_answered_is_looked_up(world: World) -> None:
    """By its description; no second one is made."""
    world.account.switch(post_commits_then_drops=1)

    ran = world.run()

    assert (1, True) == (len(world.policies), ran.proof.ok)
    assert 1 == world.calls().count(POST)


def test_a_post_that_was_not_answered_and_not_made_is_told(world: World) -> None:
    """It is not sent again blindly; the next run makes it."""
    world.account.script(None, None, None, reset())

    told = world.fails(TargetUnreachable, world.run)

    assert "it was not made, or does not show yet" in told
    assert 1 == world.calls().count(POST)
    assert world.run().proof.ok is True
    assert 1 == len(world.policies)


@pytest.mark.parametrize("drops", [1, 2])
def test_a_patch_that_was_not_answered_is_read_before_it_is_sent_again(
    world: World, drops: int
) -> None:
    """Done already, so it is not."""
    world.run()
    world.account.switch(patch_commits_then_drops=drops)
    world.calls()

    ran = world.run((MAIL - OLD) | NEW)

    assert ran.proof.ok is True
    assert 2 == world.calls().count(f"PATCH {BASE}/ID")


def test_a_patch_that_left_no_trace_is_sent_once_more(world: World) -> None:
    """It changes only what it names."""
    world.run()
    of = world.target()
    _, draft = world.plan(of, MAIL | NEW)
    world.account.script(None, reset())
    world.calls()

    of.apply(draft.steps[0])

    one = [f"GET {BASE}/ID", f"PATCH {BASE}/ID"]
    assert [*one, *one, f"GET {BASE}/ID"] == world.calls()
    assert V4 | NEW == world.held()


def test_a_delete_that_was_not_answered_is_asked_for_again(world: World) -> None:
    """What is gone is gone."""
    keys: dict[str, Any] = {"ranges_per_policy": 2, "when_empty": "delete"}
    world.run(**keys)
    gone = IpRanges.parse(world.policies[1].source_ips)
    world.account.switch(delete_commits_then_drops=1)

    ran = world.run(V4 - gone, approved=True, **keys)

    assert (1, True) == (len(world.policies), ran.proof.ok)


def test_a_token_that_dies_between_read_and_write_is_renewed_once(world: World) -> None:
    """The write was not carried out, so it is sent again."""
    world.run()
    world.account.before("PATCH", BASE, world.account.expire_tokens)
    world.calls()

    assert world.run((MAIL - OLD) | NEW).proof.ok is True
    assert 2 == world.calls().count(TOKEN)


def test_a_token_that_never_works_is_told(world: World) -> None:
    """One renewal, and no more."""
    expired = status(401, body=b'{"fail": [{"code": "token_expired"}]}')
    world.account.script(None, expired, None, expired)

    told = world.fails(TargetDenied, world.run)

    assert "a new token did not help" in told
    assert [TOKEN, LIST, TOKEN, LIST] == world.calls()


def test_a_token_is_renewed_a_minute_before_its_end(world: World) -> None:
    """It is not left to die on the way."""
    clock = [0.0]
    client = Client(
        world.account.url,
        lambda: Credentials("the-id", SECRET),
        timeout=30,
        deadline=0,
        pause=world.pause,
        clock=lambda: clock[0],
    )
    account = Account(client)
    for at, calls in ((0.0, [TOKEN, LIST]), (1739.0, [LIST]), (1741.0, [TOKEN, LIST])):
        clock[0] = at
        account.policies(FAMILY)
        assert calls == world.calls()
    assert SECRET not in repr(vars(client)) + repr(Credentials("the-id", SECRET))


@pytest.mark.parametrize("token_error", ["oauth", "fail"])
def test_wrong_credentials_are_told_without_them(world: World, token_error: Any) -> None:
    """With where to look."""
    world.account.switch(token_error=token_error)
    wrong = "a-wrong-secret-value"

    told = world.fails(TargetDenied, lambda: world.run(secret=wrong))

    assert "Client credentials are invalid" in told
    assert "client_secret" in told
    assert wrong not in told


def test_a_server_that_repeats_secrets_does_not_get_them_told(world: World) -> None:
    """Neither the secret nor the token nor a control character."""
    text = f"secret {SECRET} token-1-of-the-id \x1b[31m"
    body = json.dumps({"fail": [{"code": "x", "message": text}]}).encode()
    world.account.script(None, status(400, body=body))

    told = world.fails(TargetError, world.run)

    assert SECRET not in told
    assert "token-1-of" not in told
    assert told.isprintable()


SHAPES = ["fail_flat", "fail_nested_200", "message", "error", "failures", "errors"]


@pytest.mark.parametrize("shape", SHAPES)
def test_an_account_that_refuses_wide_ranges_says_so_in_every_shape(
    world: World, shape: Any
) -> None:
    """Nothing is split unless the configuration says so, and what it would cost is told."""
    world.account.switch(error_shape=shape, prefix_limit=24)

    told = world.fails(TargetError, world.run)

    assert "is wider than /24" in told
    assert "52.100.0.0/14" in told
    assert "`split_to: 24` would write 1,920 entries in 20 policies" in told
    assert [] == world.policies


def test_ranges_are_split_where_the_configuration_says_so(world: World) -> None:
    """Into as many policies as that takes, and stable from then on."""
    world.account.switch(prefix_limit=24)

    assert world.run(split_to=24).proof.ok is True
    assert (V4, 20) == (world.held(), len(world.policies))

    assert () == world.run(split_to=24).draft.steps


def test_a_list_that_is_there_is_split_without_a_gap(world: World) -> None:
    """The pieces come first, then the wide ranges go."""
    world.run()
    of = world.target(split_to=24)
    _, draft = world.plan(of)
    for step in draft.steps:
        of.apply(step)
        assert V4 == world.held()

    assert () == world.run(split_to=24).draft.steps
    assert 100 == max(len(one.source_ips) for one in world.policies)


@pytest.mark.parametrize("shape", SHAPES)
def test_a_missing_policy_is_known_in_every_shape(world: World, shape: Any) -> None:
    """The body of a 404 is not published."""
    world.account.switch(error_shape=shape)
    world.run()
    of = world.target()
    _, draft = world.plan(of, MAIL | NEW)
    world.account.remove_policy(FAMILY, world.policies[0].id)

    assert "it is gone" in world.fails(TargetConflict, lambda: of.apply(draft.steps[0]))


def test_an_account_that_takes_fewer_ranges_says_so(world: World) -> None:
    """With the setting that helps."""
    world.account.switch(max_source_ips=2)

    told = world.fails(TargetError, world.run)

    assert "at most 2 entries are allowed" in told
    assert "lower ranges_per_policy" in told
    assert world.run(ranges_per_policy=2).proof.ok is True


@pytest.mark.parametrize("wrapper", ["definitions", "policies", "bare"])
@pytest.mark.parametrize("empty_as", ["[]", "null", "absent"])
@pytest.mark.parametrize("time_format", ["offset", "zulu", "date"])
def test_every_way_to_show_policies_reads_the_same(
    world: World, wrapper: Any, empty_as: Any, time_format: Any
) -> None:
    """A second run has nothing to do."""
    world.account.switch(
        list_wrapper=wrapper,
        empty_as=empty_as,
        time_format=time_format,
        reorder_lists=True,
        strip_suffix_32=True,
        create_answer="policyId",
        patch_answer=200,
    )
    ranges = MAIL | IpRanges.parse("192.0.2.1/32")
    first = world.run(ranges)
    world.run(ranges | NEW)
    again = world.run(ranges | NEW)

    assert (True, (), True) == (first.proof.ok, again.draft.steps, again.proof.ok)
    assert "drift" not in str(again.before.findings)


@pytest.mark.parametrize(
    "place",
    [
        "meta.nextPage",
        "meta.nextPageToken",
        "meta.pagination.next",
        "meta.pagination.nextPage",
        "meta.pagination.nextPageToken",
        "nextToken",
        "next_token",
    ],
)
@pytest.mark.parametrize("last_page_empty", [True, False])
def test_every_page_is_read(world: World, place: Any, last_page_empty: bool) -> None:
    """Ours is on the last."""
    world.account.switch(next_token_place=place, last_page_empty=last_page_empty)
    seed_thousands(world.account, 299)
    world.run()
    world.calls()

    assert () == world.run().draft.steps
    pages = 4 if last_page_empty else 3
    assert [TOKEN, *[LIST] * pages] == world.calls()


def test_thousands_of_policies_are_no_trouble(world: World) -> None:
    """They are read, and neither listed nor touched."""
    seed_thousands(world.account, 3000)
    before = theirs(world)

    ran = world.run()

    assert ran.proof.ok is True
    assert () == ran.before.foreign
    assert before == theirs(world)


def test_half_a_list_is_not_taken_for_the_whole(world: World) -> None:
    """Else policies would look gone, and be made again."""
    seed_thousands(world.account, 150)
    page = json.dumps({"policies": [], "nextToken": "same"}).encode()
    world.account.script(None, status(200, body=page), status(200, body=page))

    assert "incomplete" in world.fails(TargetError, world.run)
    assert 150 == len(world.policies)


@pytest.mark.parametrize(
    "body",
    [b'{"results": []}', b"{}", b'{"data": [], "fail": [{"errors": [{"message": "half"}]}]}'],
)
def test_an_answer_that_is_not_understood_is_no_empty_account(world: World, body: bytes) -> None:
    """Nothing is written over it."""
    world.account.script(None, status(200, body=body))

    world.fails(TargetError, world.run)

    assert [] == world.policies


@pytest.mark.parametrize("old_ids_work", [True, False])
def test_ids_that_change_are_followed_by_their_mark(world: World, old_ids_work: bool) -> None:
    """Each listing gives others."""
    world.account.switch(rotate_ids=True, old_ids_work=old_ids_work)

    world.run()
    ran = world.run((MAIL - OLD) | NEW)

    assert (True, (V4 - OLD) | NEW) == (ran.proof.ok, world.held())
    assert 1 == len(world.policies)
    assert "reads with another id" in ran.finding("id_changed")


def test_a_delay_is_waited_for(world: World) -> None:
    """Within the time that `settle` gives."""
    world.account.switch(delay_seconds=20)

    for ranges in (MAIL, (MAIL - OLD) | NEW):
        assert world.run(ranges).proof.ok is True
    assert 1 == len(world.policies)


def test_a_delay_that_is_too_long_is_told(world: World) -> None:
    """With what still reads otherwise; nothing is made twice."""
    world.run()
    world.account.switch(delay_seconds=200)

    told = world.fails(TargetError, lambda: world.run(MAIL | NEW))

    assert "after 60 s it reads back with other sourceIPs" in told
    assert "raise settle" in told


def test_an_account_that_adds_to_lists_is_told(world: World) -> None:
    """What a PATCH of a list does is unknown; a removal that does not show is an error."""
    world.account.switch(patch_lists="add")
    world.run()

    assert "sourceIPs" in world.fails(TargetError, lambda: world.run(MAIL - OLD))


@pytest.mark.parametrize("told_reset", ["milliseconds", "absent"])
def test_a_rate_limit_is_waited_for(world: World, told_reset: Any) -> None:
    """As long as Mimecast says, or ever longer."""
    seed_thousands(world.account, 400)
    world.account.switch(rate_limit=2, rate_window_seconds=3, rate_reset_header=told_reset)

    assert world.run().proof.ok is True
    assert world.pauses


def test_a_rate_limit_beyond_the_deadline_is_told(world: World) -> None:
    """With how long it would be."""
    wait = {"X-RateLimit-Reset": "900000"}
    world.account.script(None, status(429, wait, b'{"fail": [{"message": "slow down"}]}'))

    told = world.fails(TargetUnreachable, world.run)

    assert "for 900 s more" in told
    assert [] == world.pauses


@pytest.mark.parametrize(
    "fault", [reset(), status(503, body=b"down"), html(), status(500, body=b'{"message": "x"}')]
)
def test_reads_are_asked_again(world: World, fault: Reply) -> None:
    """After ever longer pauses; the token request too."""
    world.account.script(fault, None, fault, fault)

    assert world.run().proof.ok is True
    assert [1.0, 2.0, 4.0] == world.pauses


@pytest.mark.parametrize("fault", [hang(), dripping(b"{")])
def test_a_server_that_is_slow_does_not_hold_a_run_up(world: World, fault: Reply) -> None:
    """One answer has its time, and the question its deadline."""
    world.account.script(None, fault)

    told = world.fails(TargetUnreachable, lambda: world.run(timeout="1s", deadline="0s"))

    assert "gave no whole answer in 1 s" in told


def test_what_cannot_be_reached_is_told() -> None:
    """With its name."""
    with MimecastStandIn() as account, refusing_port() as port:
        world = World(account)
        of = world.target(deadline="0s", url=f"http://127.0.0.1:{port}")
        told = world.fails(TargetUnreachable, of.observe)
    assert "127.0.0.1 cannot be reached" in told


def test_a_redirect_is_not_followed(world: World) -> None:
    """The token would go elsewhere."""
    world.account.script(None, status(302, {"Location": f"{world.account.url}/elsewhere"}))

    world.fails(TargetError, world.run)

    assert [TOKEN, LIST] == world.calls()


@pytest.mark.parametrize(
    ("keys", "words"),
    [({"roles": frozenset()}, "Policy Management"), ({"products": frozenset()}, "no such route")],
)
@pytest.mark.parametrize("code", [403, 404, 200])
def test_missing_permission_is_told_with_all_that_it_may_mean(
    keys: dict[str, Any], words: str, code: int
) -> None:
    """Mimecast gives one answer for three causes, under a status that is not published."""
    with MimecastStandIn(switches=Switches(app_forbidden_status=code), **keys) as account:
        world = World(account)
        told = world.fails(TargetDenied, world.run)
        for part in (words, "Gateway | Policies | Edit", "app_forbidden"):
            assert part in told


def checks(world: World, **keys: Any) -> dict[str, Check]:
    """What `check` says, by name."""
    found = list(world.target(**keys).check())
    world.told += [str(one) for one in found]
    return {one.name: one for one in found}


def test_check_tries_everything_and_changes_nothing(world: World) -> None:
    """Not even by asking whether it may."""
    foreign(world)
    world.run()
    before = [(one.id, dict(one.fields)) for one in world.policies]

    found = checks(world)

    assert before == [(one.id, dict(one.fields)) for one in world.policies]
    assert {
        "host": None,
        "token": True,
        "clock": None,
        "read anti-spoofing": True,
        "marks": True,
        "write anti-spoofing": True,
        "propagation": True,
    } == {name: one.ok for name, one in found.items()}
    assert "6 anti-spoofing policies on all pages, 1 policy of this target" in (
        found["read anti-spoofing"].message
    )
    assert "five minutes" in found["propagation"].message
    assert [NOBODY] == [
        call.rpartition("/")[2] for call in world.account.calls() if call.startswith("PATCH")
    ]


def test_check_sees_a_clock_that_is_right() -> None:
    """And one that is not, which the other test has."""
    with MimecastStandIn() as account:
        assert checks(World(account))["clock"].ok is True
        account.switch(clock_offset_seconds=600)
        off = checks(World(account))["clock"]
        assert (None, True) == (off.ok, "NTP" in off.remedy)


def test_check_sees_a_role_that_may_only_read() -> None:
    """And says what is missing."""
    with MimecastStandIn(roles=READ_ONLY) as account:
        found = checks(World(account))
        assert (True, False) == (found["read anti-spoofing"].ok, found["write anti-spoofing"].ok)
        assert "Gateway | Policies | Edit" in found["write anti-spoofing"].remedy


def test_a_role_that_may_only_read_writes_nothing() -> None:
    """The plan is made, and the step denied."""
    with MimecastStandIn(roles=READ_ONLY) as account:
        world = World(account)
        world.fails(TargetDenied, world.run)
        assert [] == world.policies


def test_check_stops_at_a_token_that_is_not_given(world: World) -> None:
    """Nothing else could be tried."""
    found = checks(world, secret="wrong-secret")

    assert ["host", "token"] == list(found)
    assert found["token"].ok is False


def test_check_sees_marks_that_stand_twice(world: World) -> None:
    """Before a run is refused for them."""
    world.run()
    copy = {name: value for name, value in world.policies[0].fields.items() if name != "from"}
    world.account.add_policy(FAMILY, **copy, from_=SENDER)

    assert checks(world)["marks"].ok is False


def test_explain_names_the_policies(world: World) -> None:
    """Ours, and others' that hold the address too."""
    foreign(world)
    world.run()
    of = world.target()
    observed = of.observe(world.known)

    found = of.explain(IpRanges.parse("40.92.0.1"), observed)
    assert found.knows is True
    assert f"Mimecast policy “{MARK}” holds it" in found.says
    assert any("“Branch”, not ours" in one for one in found.says)
    assert of.explain(IpRanges.parse("198.51.100.1"), observed).knows is False


def test_a_group_is_written_by_its_id_and_reads_back(world: World) -> None:
    """In its other form."""
    keys: dict[str, Any] = {"domains": [], "sender_group": "eNo7+/="}
    world.run(**keys)

    assert {"type": "profile_group", "group": {"id": "eNo7+/="}} == world.policies[0].fields["from"]
    assert () == world.run(**keys).draft.steps


def test_everyone_is_written_only_where_the_configuration_says_so(world: World) -> None:
    """With a warning at every run."""
    keys: dict[str, Any] = {"domains": [], "senders": "everyone"}
    world.run(**keys)

    assert {"type": "everyone"} == world.policies[0].fields["from"]
    assert "shared" in world.run(**keys).finding("everyone")


def test_several_domains_are_kept_right_together(world: World) -> None:
    """A new one is added; one that left goes with an approval."""
    world.run(domains=["a.example", "b.example"])
    ran = world.run(domains=["b.example", "c.example"])
    assert [Phase.ADD] == [one.phase for one in ran.done]

    ran = world.run(domains=["b.example", "c.example"], approved=True)
    state = {one.fields["from"]["domain"]: one.enabled for one in world.policies}
    assert {"a.example": False, "b.example": True, "c.example": True} == state
    assert ran.proof.ok is True


def test_outbound_addresses_are_read_and_never_written(world: World) -> None:
    """One GET, one finding."""
    world.account.outbound[:] = ["192.0.2.1", "192.0.2.4"]
    keys: dict[str, Any] = {"settings": ["authorized_outbounds"]}
    ran = world.run(**keys)

    assert "2 authorized outbound entries: 192.0.2.1/32, 192.0.2.4/32" in (
        ran.finding("authorized_outbounds")
    )
    assert [TOKEN, "GET /email/cloud-gateway/v1/outbound-ip-addresses"] == world.calls()
    world.account.switch(outbound_entries="object")
    assert ran.before.findings == world.run(**keys).before.findings
    assert ["192.0.2.1", "192.0.2.4"] == world.account.outbound


def test_outbound_addresses_that_cannot_be_read_stop_nothing() -> None:
    """Nothing depends on them."""
    with MimecastStandIn(roles=ALL_ROLES - {"Account | Settings | Read"}) as account:
        world = World(account)
        ran = world.run(settings=["anti_spoofing", "authorized_outbounds"])
        assert "cannot be read" in ran.finding("authorized_outbounds")
        assert V4 == world.held()


def permits(count: int) -> dict[str, Any]:
    """So many recipients of one sender."""
    to = [f"user{number}@example.org" for number in range(count)]
    entries = [{"sender": "share@example.com", "to": to}]
    return {"settings": ["permitted_addresses"], "permitted_addresses": entries}


def test_permitted_addresses_are_permitted_once(world: World) -> None:
    """A hundred a call; the answer is all that proves it."""
    ran = world.run(**permits(250))

    permit = "POST /api/managedsender/permit-or-block-sender"
    assert [TOKEN, permit, permit, permit] == world.calls()
    assert {"permit"} == {one.action for one in world.account.managed_senders}
    assert (250, None) == (len(world.account.managed_senders), ran.proof.ok)
    assert ["Mimecast's answer"] == [one.by for one in ran.proof.asserted]

    again = world.run(**permits(250))
    assert ((), []) == (again.draft.steps, world.calls())


def test_an_address_that_is_refused_is_told_and_the_others_count(world: World) -> None:
    """Some of a call may fail."""
    answer = {
        "meta": {"status": 200},
        "data": [{"id": "1", "sender": "share@example.com", "to": "user0@example.org"}],
        "fail": [{"key": {}, "errors": [{"code": "err_x", "message": "unknown recipient"}]}],
    }
    of = world.target(**permits(2))
    _, draft = world.plan(of)
    world.account.script(None, status(200, body=json.dumps(answer).encode()))

    told = world.fails(TargetError, lambda: of.apply(draft.steps[0]))

    assert "share@example.com for user1@example.org" in told
    assert "user0@" not in told
    assert ["share@example.com user0@example.org"] == list(
        of.observe(world.known).remember["permitted_addresses"]
    )


def test_a_refused_address_holds_up_no_other_call(world: World) -> None:
    """Whatever the code of the error says; the next run asks for that address alone."""
    of = world.target(**permits(250))
    _, draft = world.plan(of)
    wrong = {"code": "err_recipient_not_found", "message": "no such recipient"}
    pairs = [{"sender": "share@example.com", "to": f"user{n}@example.org"} for n in range(1, 100)]
    answer = {"data": pairs, "fail": [{"errors": [wrong]}]}
    world.account.script(None, status(200, body=json.dumps(answer).encode()))

    told = world.fails(TargetError, lambda: of.apply(draft.steps[0]))

    assert "does not permit share@example.com for user0@example.org: " in told
    assert 249 == len(of.observe(world.known).remember["permitted_addresses"])


def test_a_permission_that_was_not_answered_is_asked_for_by_the_next_run(world: World) -> None:
    """It cannot be looked up, and is harmless twice."""
    world.account.script(None, reset())
    world.fails(TargetUnreachable, lambda: world.run(**permits(1)))

    assert 1 == len(world.run(**permits(1)).done)


SPF = "v=spf1 ip4:40.92.0.0/15 ip4:40.107.0.0/16 ip4:52.100.0.0/14 ip4:104.47.0.0/17 -all"
LONG = "v=spf1 ip4:192.0.2.1 " + " ".join(f"ip4:192.0.2.{n}" for n in range(2, 9)) + " mx a -all"


@pytest.fixture
def dns() -> Iterator[DnsStandin]:
    """The zone of the domain and others."""
    records = [
        f'@ IN TXT "{SPF}"',
        f'long IN TXT "{LONG}"',
        'narrow IN TXT "v=spf1 ip4:40.92.0.0/15 -all"',
        'two IN TXT "v=spf1 -all"',
        'two IN TXT "v=spf1 +all"',
    ]
    with DnsStandin({DOMAIN: zone_file(DOMAIN, *records)}) as server:
        yield server


def bypass(dns: DnsStandin, *names: str) -> dict[str, Any]:
    """The keys of a bypass by SPF."""
    keys: dict[str, Any] = {
        "settings": ["spf_bypass"],
        "dns": {"resolvers": [f"127.0.0.1:{dns.port}"], "timeout": "20s"},
    }
    return keys | ({"spf_domains": list(names)} if names else {})


def test_spf_may_decide(world: World, dns: DnsStandin) -> None:
    """One policy, and every range passes."""
    ran = world.run(V4, **bypass(dns))

    (policy,) = world.account.policies[BYPASS]
    assert ("enable_bypass", [DOMAIN]) == (policy.option, policy.fields["spfDomains"])
    assert ran.proof.ok is True
    assert [] == world.policies
    world.calls()
    again = world.run(V4, **bypass(dns))
    assert ((), True) == (again.draft.steps, again.proof.ok)
    assert [TOKEN, f"GET {BASE.replace(FAMILY, BYPASS)}"] == world.calls()


@pytest.mark.parametrize(
    ("name", "rule", "words"),
    [
        ("long.example.com", "spf_bypass_terms", "11 terms"),
        ("two.example.com", "spf_bypass_terms", "2 SPF records"),
        ("none.example.com", "spf_bypass_terms", "0 SPF records"),
        ("narrow.example.com", "spf_bypass_passes", "does not pass for every range"),
    ],
)
def test_a_record_that_would_not_do_is_refused_until_it_is_approved(
    world: World, dns: DnsStandin, name: str, rule: str, words: str
) -> None:
    """Then it is told at every run, and proven wrong."""
    refused = world.run(V4, **bypass(dns, name))
    assert ([rule], []) == (refused.rules, refused.done)
    assert words in refused.draft.refusals[0].message

    ran = world.run(V4, approved=True, **bypass(dns, name))
    assert ran.proof.ok is False
    assert words in world.run(V4, **bypass(dns, name)).finding(rule)


def test_a_record_that_cannot_be_read_proves_nothing(world: World, dns: DnsStandin) -> None:
    """It harms nobody, so the policy is written."""
    keys = bypass(dns)
    dns.faults.queries = Fault.SERVFAIL

    ran = world.run(V4, **keys)

    assert "cannot be read" in ran.finding("spf_bypass_unknown")
    assert 1 == len(world.account.policies[BYPASS])


def test_explain_asks_spf(world: World, dns: DnsStandin) -> None:
    """Where a policy lets it decide."""
    world.run(V4, **bypass(dns))
    of = world.target(**bypass(dns))
    observed = of.observe(world.known)

    assert of.explain(IpRanges.parse("40.92.0.1"), observed).knows is True
    assert of.explain(IpRanges.parse("198.51.100.1"), observed).knows is False


def test_all_settings_live_in_one_target(world: World, dns: DnsStandin) -> None:
    """One token, additions of all before any removal, and what a person does stays open."""
    keys = bypass(dns) | permits(1)
    keys["settings"] = [
        *("anti_spoofing", "spf_bypass", "permitted_senders", "permitted_addresses"),
        "authorized_outbounds",
    ]
    ran = world.run(V4, **keys)

    assert 1 == world.calls().count(TOKEN)
    assert ["permitted-senders"] == [
        one.resource for one in ran.draft.steps if one.by is Actor.PERSON
    ]
    assert ran.proof.ok is None
    changed = world.plan(world.target(**keys), (V4 - OLD) | NEW)[1]
    phases = [one.phase for one in changed.steps]
    assert sorted(phases) == phases
    found = checks(world, **keys)
    assert found["permitted_senders"].ok is None
    assert found["permitted_addresses"].ok is None


@pytest.mark.parametrize(
    ("family", "body"),
    [
        (FAMILY, {"sourceIPs": []}),
        (FAMILY, {"option": "apply", "sourceIPs": ["192.0.2.0/24"]}),
        (BYPASS, {"spfDomains": []}),
        (BYPASS, {"option": "disable_bypass"}),
    ],
)
def test_what_would_hold_for_every_source_or_block_is_never_sent(
    world: World, family: str, body: dict[str, Any]
) -> None:
    """Whoever asks for it."""
    client = Client(
        world.account.url,
        lambda: Credentials("the-id", SECRET),
        timeout=30,
        deadline=0,
        pause=world.pause,
    )
    account = Account(client)

    world.fails(TargetError, lambda: account.update(family, "id", body))
    world.fails(TargetError, lambda: account.create(family, body))
    world.fails(TargetError, lambda: account.create(family, {"description": "x"}))

    assert [] == world.calls()


def test_missing_rights_for_other_calls_are_named_too() -> None:
    """Each call needs its own."""
    with MimecastStandIn(roles=READ_ONLY) as account:
        world = World(account)
        told = world.fails(TargetDenied, lambda: world.run(**permits(1)))
        assert "Gateway | Managed Senders | Edit" in told
        assert "Cloud Gateway" in told
        assert "Policy Management" not in told
        world.run(settings=["authorized_outbounds"], domains=[])
    with MimecastStandIn(products={"policymanagement"}) as account:
        found = checks(World(account), settings=["authorized_outbounds", "anti_spoofing"])
        assert "the product Cloud Gateway and" in found["authorized_outbounds"].remedy
        assert found["write anti-spoofing"].ok
        asked = checks(World(account), **permits(1))["permitted_addresses"]
        assert "the product Cloud Gateway and" in asked.message


@pytest.mark.parametrize("body", [b'{"outboundIpAddresses": 5}', b'{"other": []}', b'"text"'])
def test_outbound_addresses_of_another_shape_are_not_taken_for_none(
    world: World, body: bytes
) -> None:
    """It stops nothing, and is told."""
    world.account.script(None, status(200, body=body))

    told = world.run(settings=["authorized_outbounds"], domains=[]).finding("authorized_outbounds")

    assert "cannot be read" in told


def test_a_policy_that_reads_without_its_id_is_written_all_the_same(world: World) -> None:
    """The id that it was asked for by is the one."""
    world.run()
    found = {**world.policies[0].fields, "id": None, "enabled": False}
    body = json.dumps(found).encode()
    world.account.edit_policy(FAMILY, world.policies[0].id, enabled=False)
    world.account.script(None, None, status(200, body=body))

    assert world.run().proof.ok is True


def test_a_token_that_cannot_be_sent_is_not_told(world: World) -> None:
    """It would stand in the message of what refuses to send it."""
    body = b'{"access_token": "token-1-of\\nthe-id"}'
    world.account.script(status(200, body=body))

    assert "no access_token that can be sent" in world.fails(TargetError, world.run)


def test_a_patch_that_finds_nothing_the_second_time_is_a_conflict(world: World) -> None:
    """It was not answered, left no trace, and then the policy was gone."""
    world.run()
    of = world.target()
    _, draft = world.plan(of, MAIL | NEW)
    policy_id = world.policies[0].id
    gone = lambda: world.account.remove_policy(FAMILY, policy_id)  # noqa: E731
    world.account.script(None, reset())
    world.account.before("PATCH", BASE, lambda: world.account.before("PATCH", BASE, gone))

    assert "it is gone" in world.fails(TargetConflict, lambda: of.apply(draft.steps[0]))


def test_a_wait_of_nothing_makes_no_flood(world: World) -> None:
    """Asked for again and again, it gets longer."""
    world.account.script(None, *[status(429, {"X-RateLimit-Reset": "0"}, b"{}")] * 100)

    world.fails(TargetUnreachable, world.run)

    assert 15 > len(world.account.requests)


def test_a_status_without_words_says_nothing_of_permission(world: World) -> None:
    """It may come from anything in between."""
    world.run()
    world.account.script(None, None, status(302, {"Location": "http://127.0.0.1/"}))

    assert checks(world)["write anti-spoofing"].ok is None


def test_what_is_kept_is_not_brought_back_where_it_has_left(world: World) -> None:
    """A person is slow to take a range away that exosync's own policies are rid of."""
    keys: dict[str, Any] = {"settings": ["anti_spoofing", "permitted_senders"]}
    world.run(V4 - OLD, **keys)
    of = world.target(**keys)
    claim = Asserted("permitted_senders", "ada", world.now, V4)
    observed = of.observe(replace(world.known, acknowledged={"permitted_senders": claim}))
    desired = Desired("Worldwide", "1", (V4 - OLD) | NEW).keeping(observed.owned)

    own, asked = of.plan(desired, observed).steps

    assert (V4 - OLD) | NEW == own.detail.after.sources.ranges
    assert asked.task is not None
    assert V4 | NEW == asked.task.ranges


def test_a_policy_whose_mark_was_taken_is_not_deleted(world: World) -> None:
    """At the moment of deleting, the mark is looked at too."""
    keys: dict[str, Any] = {"ranges_per_policy": 2, "when_empty": "delete"}
    world.run(**keys)
    gone = IpRanges.parse(world.policies[1].source_ips)
    of = world.target(**keys)
    _, draft = world.plan(of, V4 - gone)
    world.account.edit_policy(FAMILY, world.policies[1].id, description="mine")

    assert "“mine”" in world.fails(TargetConflict, lambda: of.apply(draft.steps[0]))
    assert 2 == len(world.policies)


def test_a_policy_that_somebody_deleted_meanwhile_is_deleted(world: World) -> None:
    """There is nothing left to do."""
    keys: dict[str, Any] = {"ranges_per_policy": 2, "when_empty": "delete"}
    world.run(**keys)
    gone = IpRanges.parse(world.policies[1].source_ips)
    of = world.target(**keys)
    _, draft = world.plan(of, V4 - gone)
    world.account.remove_policy(FAMILY, world.policies[1].id)
    world.calls()

    of.apply(draft.steps[0])

    assert not [one for one in world.calls() if one.startswith("DELETE")]


@pytest.mark.parametrize("body", [b"", b"{}", b'{"data": []}'])
def test_a_create_that_tells_no_id_is_found_by_its_mark(world: World, body: bytes) -> None:
    """The answer is not what proves it."""
    of = world.target()
    _, draft = world.plan(of)

    def make_it() -> None:
        sent = json.loads(world.account.requests[-1].body)
        world.account.add_policy(
            FAMILY, **{("from_" if k == "from" else k): v for k, v in sent.items()}
        )
        world.account.script(status(201, body=body))

    world.account.before("POST", BASE, make_it)

    of.apply(draft.steps[0])

    assert V4 == world.held()


def test_a_setting_that_left_the_configuration_is_told(world: World) -> None:
    """What it wrote is still in force; it is forgotten only once it is looked after again."""
    world.run()
    for _ in range(2):
        ran = world.run(settings=["authorized_outbounds"], domains=[])
        assert "anti-spoofing:example.com:1" in ran.finding("setting_left")

    again = world.run()
    assert ((), V4) == (again.draft.steps, world.held())
    assert "setting_left" not in [one.rule for one in again.before.findings]


@pytest.mark.parametrize("enabled", [True, False])
def test_what_a_setting_left_behind_is_told_until_it_is_out_of_force(
    world: World, enabled: bool
) -> None:
    """Deleted by hand, or disabled."""
    world.run()
    if enabled:
        world.account.remove_policy(FAMILY, world.policies[0].id)
    else:
        world.account.edit_policy(FAMILY, world.policies[0].id, enabled=False)

    ran = world.run(settings=["authorized_outbounds"], domains=[])

    assert ["authorized_outbounds"] == [one.rule for one in ran.before.findings]
    assert {} == world.remembered


def test_what_a_setting_left_behind_is_told_while_it_cannot_be_read(world: World) -> None:
    """It is not taken for gone, and holds up nothing."""
    world.run()
    world.account.access.products = frozenset({"cloudgateway"})

    ran = world.run(settings=["authorized_outbounds"], domains=[])

    assert "anti-spoofing:example.com:1" in ran.finding("setting_left")


def test_pairs_of_a_setting_that_left_are_told(world: World) -> None:
    """Nobody can take them away but a person, who is asked to."""
    world.run(**permits(1))

    ran = world.run()

    assert "share@example.com for user0@example.org" in ran.finding("permitted_address_left")
    task = next(one.task for one in ran.draft.steps if one.task)
    assert "share@example.com user0@example.org" == task.box
    claim = Asserted("permitted_addresses", "ada", world.now + timedelta(hours=1))
    of = world.target()
    observed = of.observe(replace(world.known, acknowledged={"permitted_addresses": claim}))
    assert ((), ["ids"]) == (
        of.plan(Desired("Worldwide", "1", MAIL), observed).steps,
        list(observed.remember),
    )


@pytest.mark.parametrize("old_ids_work", [True, False])
def test_adopting_finds_a_policy_whose_id_changes(world: World, old_ids_work: bool) -> None:
    """By its description and all of its fields."""
    world.account.add_policy(
        FAMILY, description="theirs", option="no_action", from_=SENDER, to=INSIDE, sourceIPs=[*OLD]
    )
    world.account.switch(rotate_ids=True, old_ids_work=old_ids_work)
    of = world.target()
    _, draft = world.plan(of, adopting=True)
    of.observe()

    of.apply(draft.steps[0])

    assert V4 == world.held()
    assert ["exosync exosync/mimecast example.com 1: theirs"] == [
        one.description for one in world.policies
    ]


def test_a_delete_that_left_no_trace_is_sent_once_more(world: World) -> None:
    """And told if it is not answered again."""
    keys: dict[str, Any] = {"ranges_per_policy": 2, "when_empty": "delete"}
    world.run(**keys)
    gone = IpRanges.parse(world.policies[1].source_ips)
    of = world.target(**keys)
    _, draft = world.plan(of, V4 - gone)

    world.account.script(None, reset(), reset())
    world.fails(TargetUnreachable, lambda: of.apply(draft.steps[0]))
    assert 2 == len(world.policies)

    world.account.script(None, reset())
    of.apply(draft.steps[0])
    assert 1 == len(world.policies)


def test_a_delete_that_does_not_show_is_told(world: World) -> None:
    """Nothing is taken for done that is not seen."""
    keys: dict[str, Any] = {"ranges_per_policy": 2, "when_empty": "delete"}
    world.run(**keys)
    gone = IpRanges.parse(world.policies[1].source_ips)
    world.account.switch(delay_seconds=600)

    told = world.fails(TargetError, lambda: world.run(V4 - gone, approved=True, **keys))

    assert "still shows" in told


def test_a_patch_that_was_not_answered_while_somebody_else_wrote_is_a_conflict(
    world: World,
) -> None:
    """It is not sent again over what is there now."""
    world.run()
    of = world.target()
    _, draft = world.plan(of, MAIL | NEW)
    policy_id = world.policies[0].id
    edit = lambda: world.account.edit_policy(FAMILY, policy_id, override=False)  # noqa: E731
    world.account.before("PATCH", BASE, edit)
    world.account.script(None, reset())

    told = world.fails(TargetConflict, lambda: of.apply(draft.steps[0]))

    assert "while it was being written" in told
    assert V4 == world.held()


@pytest.fixture
def company(tmp_path: Path) -> Iterator[tuple[Company, MimecastStandIn]]:
    """A whole exosync whose target is an account."""
    (tmp_path / "id").write_text("the-id")
    (tmp_path / "secret").write_text(SECRET)
    with EndpointsStandIn(version="2018102900") as feed, MimecastStandIn() as account:
        target = {
            "name": "mimecast",
            "kind": "mimecast",
            "mode": "apply",
            "url": account.url,
            "client_id": {"file": "id"},
            "client_secret": {"file": "secret"},
            "domains": [DOMAIN],
            "settings": ["anti_spoofing"],
            "ranges_per_policy": 10,
        }
        yield Company(tmp_path, feed, [target], {"ranges": {"grace": "0s"}}), account
        assert ([], []) == (account.violations, account.dangerous)


def let_through(account: MimecastStandIn) -> set[str]:
    """Every /24 of the ranges in force."""
    found = [one.source_ips for one in account.policies[FAMILY] if one.enabled]
    ranges = IpRanges.parse([cidr for each in found for cidr in each])
    return set(ranges.split(ipv4=24, ipv6=128))


def test_a_whole_company_follows_a_new_version(
    company: tuple[Company, MimecastStandIn],
) -> None:
    """Additions at once; a removal that the guards refuse, once it is approved."""
    world, account = company
    told = only(world.sync())
    assert ("applied", True) == (told["state"], told["verified"])
    assert "in_sync" == only(world.sync())["state"]
    before = let_through(account)

    world.publish("2019010700")
    told = only(world.sync())
    assert "refused" == told["state"], "the additions are made, the removals are left"
    assert before < let_through(account)
    refused = only(world.sync())
    assert ("refused", ["shrink"]) == (refused["state"], sorted(set(rules(refused)) & {"shrink"}))
    assert all(one["approvable"] for one in refused["refusals"])

    world.approve(refused["plan"])
    done = only(world.apply(refused["plan"]))
    assert ("applied", True) == (done["state"], done["verified"])
    assert not before <= let_through(account)
    assert "in_sync" == only(world.sync())["state"]
    assert SECRET not in json.dumps(told) + json.dumps(refused) + json.dumps(done)


def test_a_policy_that_somebody_edits_is_drift_and_is_repaired(
    company: tuple[Company, MimecastStandIn],
) -> None:
    """It is told that it was somebody else."""
    world, account = company
    world.sync()
    policy = account.policies[FAMILY][0]
    account.edit_policy(FAMILY, policy.id, sourceIPs=policy.source_ips[1:])

    told = only(world.sync())

    assert "drift" in rules(told, "findings")
    assert ("applied", True) == (told["state"], told["verified"])


def test_adopting_is_planned_and_applied_like_any_other_plan(
    company: tuple[Company, MimecastStandIn],
) -> None:
    """By its id."""
    world, account = company
    made = account.add_policy(
        FAMILY,
        description="Exchange",
        option="no_action",
        from_=SENDER,
        to=INSIDE,
        sourceIPs=["40.92.0.0/14"],
    )

    world.plan()
    plan = only(world.adopt("mimecast"))["plan"]
    told = only(world.apply(plan))

    assert ("applied", True) == (told["state"], told["verified"])
    first = account.policies[FAMILY][0]
    assert (made, "exosync exosync/mimecast example.com 1: Exchange") == (
        first.id,
        first.description,
    )


def test_a_setting_that_is_refused_holds_up_no_other(world: World) -> None:
    """Without an SPF record no bypass is made; the ranges are let in all the same."""
    settings = ["spf_bypass", "anti_spoofing"]
    dns = {"resolvers": ["127.0.0.1:1"], "timeout": "1s"}
    policy_id = world.account.add_policy(
        "anti-spoofing-bypass", description="exosync exosync/mimecast broken", option="x"
    )

    ran = world.run(settings=settings, dns=dns)

    assert ["mark_lost"] == ran.rules
    assert V4 == world.held()
    assert [policy_id] == [one.id for one in world.account.policies["anti-spoofing-bypass"]]
