"""The exchange target against a stand-in of the admin interface: real HTTP, a whole life of it."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from exosync.core.desired import Desired
from exosync.core.ranges import IpRanges
from exosync.core.target import (
    ABSENT,
    Actor,
    Check,
    Context,
    Draft,
    Observed,
    Step,
    Verification,
)
from exosync.core.tasks import Asserted, Confirmation, Known
from exosync.errors import TargetConflict, TargetDenied, TargetError, TargetUnreachable
from exosync_adapters.exchange import kind
from exosync_adapters.exchange.admin.client import Admin
from exosync_adapters.exchange.clouds import CLOUDS
from exosync_adapters.exchange.records import Call
from exosync_adapters.exchange.target import ExchangeTarget
from tests.standins.dns import DnsStandin
from tests.standins.exchange import ExchangeStandIn
from tests.standins.exchange_switches import CUSTOM_GROUP, GLOBAL_READER, MANAGE, MANAGE_V2
from tests.standins.exchange_tenants import LOOK_ALIKES, busy
from tests.support.zones import zone_file

DOMAIN, NAME = "example.com", "exosync example.com"
SECRET = "the-secret-of-exchange"
MARK = "exosync:owner=exosync;target=exchange"
DESIRED = Desired("Worldwide", "2026081400", IpRanges.parse(["40.92.0.0/15", "104.47.0.0/17"]))
NEW_RULE = "New-TransportRule"


@dataclass
class Ran:
    """What one run saw, planned and proved."""

    before: Observed
    draft: Draft
    after: Observed
    proof: Verification

    @property
    def rules(self) -> list[str]:
        """The refusals by name."""
        return [one.rule for one in self.draft.refusals]


@dataclass
class World:
    """A tenant, and targets whose pauses move its clock on."""

    tenant: ExchangeStandIn
    now: datetime = datetime(2026, 11, 26, 12, tzinfo=UTC)
    pauses: list[float] = field(default_factory=list)
    remembered: dict[str, Any] = field(default_factory=dict)
    acknowledged: dict[str, Asserted] = field(default_factory=dict)

    def pause(self, seconds: float) -> None:
        """Wait without waiting."""
        self.pauses.append(seconds)
        self.now += timedelta(seconds=seconds)

    def settings(self, **keys: Any) -> Any:
        """Everyone but a group goes to a host of the other side, by rest."""
        chosen: dict[str, Any] = {
            "url": self.tenant.url,
            "tenant": self.tenant.tenant,
            "client_id": self.tenant.client_id,
            "credentials": {"kind": "secret", "secret": {"env": "SECRET"}},
            "write": "rest",
            "domain": DOMAIN,
            "far_side": "other",
            "smart_hosts": ["127.0.0.2", "127.0.0.3"],
            "routed": {"everyone_but": f"here@{DOMAIN}"},
            "timeout": "30s",
            "settle": "10s",
        }
        given = {name: value for name, value in (chosen | keys).items() if value is not None}
        return kind.settings.model_validate(given)

    def target(self, **keys: Any) -> ExchangeTarget:
        """A target of its own, as every run of a command makes one."""
        context = Context(
            owner="exosync",
            families="both",
            instance="Worldwide",
            base=Path(),
            reveal=lambda _: SECRET,
            pause=self.pause,
        )
        made = kind.build("exchange", self.settings(**keys), context)
        assert isinstance(made, ExchangeTarget)
        return made

    def known(self) -> Known:
        """What the service would hand over."""
        return Known(self.now, self.acknowledged, {}, self.remembered)

    def look(self, target: ExchangeTarget) -> Observed:
        """Observe, and remember what is to be remembered as JSON does."""
        seen = target.observe(self.known())
        self.remembered = json.loads(json.dumps(seen.remember))
        return seen

    def run(self, *, adopting: bool = False, approving: bool = True, **keys: Any) -> Ran:
        """Observe, plan, do what exosync may, look again, and prove."""
        target = self.target(**keys)
        before = self.look(target)
        draft = target.plan(DESIRED, before, adopting=adopting)
        draft = target.rehearse(DESIRED, before, draft)
        standing = [one for one in draft.refusals if not (approving and one.approvable)]
        for step in draft.steps:
            if step.by is Actor.EXOSYNC and not any(one.covers(step) for one in standing):
                target.apply(step)
        after = self.look(target)
        return Ran(before, draft, after, target.verify(DESIRED, after))

    def settle(self, **keys: Any) -> Ran:
        """Run until nothing is left to do for exosync, approving what can be approved."""
        for _ in range(6):
            ran = self.run(**keys)
            if not [step for step in ran.draft.steps if step.by is Actor.EXOSYNC]:
                return ran
        raise AssertionError("never at rest")

    def stepping(self, **keys: Any) -> tuple[ExchangeTarget, tuple[Step, ...]]:
        """A target that has looked, and the steps that it would do."""
        target = self.target(**keys)
        return target, target.plan(DESIRED, self.look(target)).steps

    def do(self, call: Call) -> None:
        """Let an administrator run a command of a script."""
        admin = Admin(
            self.settings(), CLOUDS["worldwide"], reveal=lambda _: SECRET, pause=self.pause
        )
        admin.write(call)

    def held(self) -> dict[str, Any]:
        """All that the tenant holds."""
        return copy.deepcopy(self.tenant.org.held())

    def count(self, cmdlet: str) -> int:
        """How often a command was asked for."""
        return self.tenant.cmdlets.count(cmdlet)


@pytest.fixture
def world() -> Iterator[World]:
    """A tenant with a group of those who are here, and nothing of ours."""
    with ExchangeStandIn(DOMAIN, client_secret=SECRET) as tenant:
        tenant.org.add_group(f"here@{DOMAIN}", [f"ada@{DOMAIN}"])
        yield World(tenant)
        assert [] == tenant.dangerous


@pytest.fixture
def crowd() -> Iterator[World]:
    """A tenant of many years and several administrators."""
    with ExchangeStandIn(org=busy(DOMAIN), client_secret=SECRET) as tenant:
        tenant.org.add_group(f"here@{DOMAIN}", [f"ada@{DOMAIN}"])
        yield World(tenant)
        assert [] == tenant.dangerous


def failed(checks: Any) -> dict[str, str]:
    """The checks that failed, with what they say."""
    return {one.name: one.message for one in checks if one.ok is False}


def check(checks: Any, name: str) -> Check:
    """One check by its name."""
    found: Check = next(one for one in checks if one.name == name)
    return found


def test_from_nothing_to_a_rule_that_acts(world: World) -> None:
    """Connector, rule switched off, an approval, and the domain's type by a person."""
    first = world.run(approving=False)
    assert ("Disabled", []) == (world.tenant.org.rules[0]["State"], first.rules)

    held_up = world.run(approving=False)
    assert ("Disabled", ["rule_switch_on"]) == (world.tenant.org.rules[0]["State"], held_up.rules)

    world.run()
    assert "Enabled" == world.tenant.org.rules[0]["State"]
    (relay,) = world.run().draft.steps
    assert (Actor.PERSON, "domain") == (relay.by, relay.resource)
    world.do(relay.detail[0])

    last = world.run()
    assert ((), True) == (last.draft.steps, last.proof.ok)
    assert relay.gives == last.after.resources["domain"]


def test_a_run_over_what_is_right_only_reads(world: World) -> None:
    """Nothing is written, and what is remembered leads to the same objects."""
    world.tenant.org.domains[1]["DomainType"] = "InternalRelay"
    world.settle()
    writes, before = world.tenant.writes, world.held()

    again = world.run()

    assert (writes, before) == (world.tenant.writes, world.held())
    assert (True, ()) == (again.proof.ok, again.draft.steps)
    assert again.before.resources == again.after.resources


def test_what_people_wrote_beside_their_things_is_not_kept(crowd: World) -> None:
    """Of the tenant is remembered what decides where mail goes, and no comment."""
    crowd.tenant.org.rules[0]["Comments"] = "ask Grace: 555-0147"
    crowd.tenant.org.connectors[0]["Comment"] = "the key is under the mat"
    kept = json.dumps(dict(crowd.run().before.remember))
    assert "555-0147" not in kept
    assert "under the mat" not in kept
    assert crowd.tenant.org.connectors[1]["Name"] in kept


def test_in_a_crowd_only_what_is_ours_is_written(crowd: World) -> None:
    """Forty rules and twelve connectors stay byte for byte, look-alikes of the mark included."""
    before = crowd.held()
    crowd.settle()
    after = crowd.held()

    ours = [one for one in after["connectors"] if MARK in str(one["Comment"]).splitlines()]
    others = [one for one in after["connectors"] if one not in ours]
    assert (1, before["connectors"]) == (len(ours), others)
    assert before["rules"] == after["rules"][:-1]
    assert NAME == after["rules"][-1]["Name"]
    assert len(LOOK_ALIKES) <= len(crowd.run().after.foreign)


@pytest.mark.parametrize("made", ["New-OutboundConnector", NEW_RULE])
def test_nothing_is_made_twice_when_the_answer_is_lost(world: World, made: str) -> None:
    """The connection breaks after the tenant has done it: it is found by its mark, if late."""

    def arm(command: Any) -> None:
        if command.cmdlet == made:
            world.tenant.before_write = None
            world.tenant.switch(drop_after=1, stale_reads=9)

    world.tenant.before_write = arm
    world.run()

    assert (1, 1) == (world.count(made), len(world.tenant.org.rules))
    assert 1 == len(world.tenant.org.connectors)


def test_a_write_that_did_not_arrive_is_said_to_be_uncertain_and_left_to_the_next_run(
    world: World,
) -> None:
    """Nothing is sent a second time by the run that does not know."""
    world.tenant.switch(drop_before=1)

    with pytest.raises(TargetUnreachable, match="the next run looks again, by the mark"):
        world.run()

    assert (1, []) == (world.count("New-OutboundConnector"), world.tenant.org.connectors)
    world.tenant.org.domains[1]["DomainType"] = "InternalRelay"
    assert True is world.settle().proof.ok


def test_a_second_administrator_in_the_middle_is_a_conflict(world: World) -> None:
    """What was changed since the plan stays as it is; the next run plans from there."""
    world.settle()
    world.tenant.org.rules[0]["StopRuleProcessing"] = True
    target, (step,) = world.stepping()
    world.tenant.org.rules[0]["Mode"] = "Audit"
    before = world.held()

    with pytest.raises(TargetConflict, match="nothing was written"):
        target.apply(step)

    assert before == world.held()
    world.settle()
    assert ("Enforce", False) == (
        world.tenant.org.rules[0]["Mode"],
        world.tenant.org.rules[0]["StopRuleProcessing"],
    )


@pytest.mark.parametrize("comment", ["", "somebody's"])
def test_somebody_who_makes_one_of_our_name_meanwhile_is_left_alone(
    world: World, comment: str
) -> None:
    """Before we look again, and at the very last moment."""
    target, steps = world.stepping()
    world.tenant.org.add_connector(NAME.upper(), Comment=comment)
    with pytest.raises(TargetConflict, match="another of that name"):
        target.apply(steps[0])
    assert 0 == world.count("New-OutboundConnector")

    world.tenant.org.connectors.clear()
    target, steps = world.stepping()

    def meddle(_: object) -> None:
        world.tenant.before_write = None
        world.tenant.org.add_connector(NAME, Comment=comment)

    world.tenant.before_write = meddle
    with pytest.raises(TargetConflict, match="another of that name"):
        target.apply(steps[0])
    assert [comment] == [one["Comment"] for one in world.tenant.org.connectors]


def test_what_is_gone_at_the_last_moment_is_a_conflict(world: World) -> None:
    """A rule that somebody removes just before it is set right."""
    world.settle()
    world.tenant.org.rules[0]["StopRuleProcessing"] = True
    target, (step,) = world.stepping()
    world.tenant.before_write = lambda _: world.tenant.org.rules.clear()

    with pytest.raises(TargetConflict, match="it is gone"):
        target.apply(step)


def test_what_should_go_and_is_gone_already_is_done(world: World) -> None:
    """Somebody removes the rule just before exosync does."""
    world.settle()
    target, steps = world.stepping(remove=True)
    target.apply(steps[0])
    world.tenant.before_write = lambda _: world.tenant.org.rules.clear()

    target.apply(steps[1])

    assert [] == world.tenant.org.rules


def test_a_listing_that_is_cut_after_the_plan_was_made_stops_the_writing(world: World) -> None:
    """Another of the same mark may be in the part that is missing."""
    target, steps = world.stepping()
    for name in ("One", "Two"):
        world.tenant.org.add_connector(name)
    world.tenant.switch(page_size=1, result_size_ignored=True)

    with pytest.raises(TargetError, match=r"not whole .* nothing was written"):
        target.apply(steps[0])
    assert 0 == world.tenant.writes


def test_a_step_that_is_done_already_is_not_done_again(world: World) -> None:
    """A crash between doing it and noting it does no harm."""
    target, (connector, _) = world.stepping()
    target.apply(connector)
    target.apply(connector)

    assert 1 == world.count("New-OutboundConnector")


def test_readings_that_lag_are_waited_for(world: World) -> None:
    """A change returns once it shows; one that never shows is told."""
    world.tenant.switch(stale_reads=8)
    world.run()
    assert world.pauses

    world.tenant.switch(stale_reads=500)
    with pytest.raises(TargetError, match="does not read back so"):
        world.run(settle="3s")


@pytest.mark.parametrize("follows", [True, False])
def test_a_connector_that_was_renamed_gets_its_name_back(world: World, follows: bool) -> None:
    """Whether rules follow is unknown: both ways end with the rule at our connector."""
    world.settle()
    org = world.tenant.org
    world.tenant.switch(rename_follows=follows)
    world.do(Call("Set-OutboundConnector", {"Identity": NAME, "Name": "Renamed"}))
    world.tenant.dangerous.clear()

    world.settle()

    assert ([NAME], NAME) == (
        [one["Name"] for one in org.connectors],
        org.rules[0]["RouteMessageOutboundConnector"],
    )
    world.tenant.dangerous.clear()


@pytest.mark.parametrize("follows", [False, True])
def test_another_name_in_the_configuration_leaves_no_rule_behind(
    world: World, follows: bool
) -> None:
    """The rule that acts is pointed to its connector in the same run, whether it follows or not."""
    world.settle()
    world.tenant.switch(rename_follows=follows)
    before = world.count("Set-TransportRule")

    ran = world.run(connector="The way out")

    routes = [one["RouteMessageOutboundConnector"] for one in world.tenant.org.rules]
    assert (["The way out"], []) == (routes, ran.rules)
    assert (0 if follows else 1) == world.count("Set-TransportRule") - before
    assert {"domain"} == {*failed(ran.proof.checks)}, "a person's"
    # Between the two commands the rule names what is not there: seconds, and no way around them.
    world.tenant.dangerous.clear()


def test_removing_goes_from_the_rule_to_the_connector(world: World) -> None:
    """Each is switched off first, and nothing of ours is left."""
    world.settle()
    done = len(world.tenant.asked)

    ran = world.run(remove=True)

    asked = [cmdlet for cmdlet, _ in world.tenant.asked[done:] if not cmdlet.startswith("Get-")]
    assert [
        "Disable-TransportRule",
        "Remove-TransportRule",
        "Set-OutboundConnector",
        "Remove-OutboundConnector",
    ] == asked
    assert ([], []) == (world.tenant.org.rules, world.tenant.org.connectors)
    assert True is ran.proof.ok
    assert {"connector": ABSENT, "rule": ABSENT} == {
        name: ran.after.resources[name] for name in ("connector", "rule")
    }


def test_a_connector_that_another_rule_names_stays(world: World) -> None:
    """Ours goes, theirs keeps its way."""
    world.settle()
    world.tenant.org.add_rule(
        "Theirs", RouteMessageOutboundConnector=NAME, FromScope="InOrganization"
    )

    ran = world.run(remove=True)

    assert ["connector_in_use"] == ran.rules
    assert ["Theirs"] == [one["Name"] for one in world.tenant.org.rules]
    assert world.tenant.org.connectors[0]["Enabled"]


@pytest.mark.parametrize("name", [NAME, NAME.upper()])
def test_what_was_made_by_hand_is_adopted_with_its_words(world: World, name: str) -> None:
    """The mark is added and nothing else, by whatever case of its name; then it is kept as it should be."""
    org = world.tenant.org
    org.add_connector(name, Comment="by Grace", IsTransportRuleScoped=True)
    by_hand: dict[str, Any] = {"RecipientDomainIs": [DOMAIN], "RouteMessageOutboundConnector": name}
    org.add_rule(NAME, Comments="also by Grace", State="Disabled", **by_hand)
    assert {"not_owned"} == {*world.run().rules}

    ran = world.run(adopting=True)
    assert {one.resource: one.gives for one in ran.draft.steps}.items() <= (
        ran.after.resources.items()
    )
    assert (f"by Grace\n{MARK}", []) == (
        org.connectors[0]["Comment"],
        org.connectors[0]["SmartHosts"],
    )
    world.settle()
    assert ["127.0.0.2", "127.0.0.3"] == org.connectors[0]["SmartHosts"]
    assert f"also by Grace\n{MARK}" == org.rules[0]["Comments"]


def test_what_changed_since_people_saw_it_is_not_adopted(world: World) -> None:
    """Somebody gives it another comment after the plan was made."""
    made = world.tenant.org.add_connector(NAME, Comment="by Grace")
    target = world.target()
    (step,) = target.plan(DESIRED, world.look(target), adopting=True).steps
    made["Comment"] = "hands off"

    with pytest.raises(TargetConflict, match="taken over was changed"):
        target.apply(step)
    assert "hands off" == made["Comment"]


def test_a_listing_that_is_cut_is_no_absence(world: World) -> None:
    """Nothing is planned over it, and nothing is forgotten."""
    world.settle()
    ids = dict(world.remembered["ids"])
    world.tenant.org.add_connector("More", IsTransportRuleScoped=True)
    world.tenant.org.connectors.reverse()
    world.tenant.switch(page_size=1, result_size_ignored=True)

    ran = world.run()

    assert (["incomplete"], ()) == (ran.rules, ran.draft.steps)
    assert ids == world.remembered["ids"]
    world.tenant.switch(page_size=None)
    assert [] == world.run().rules


def test_a_tenant_that_is_not_customisable_is_not_written(world: World) -> None:
    """It says so; or it says that it is, and refuses all the same."""
    world.tenant.switch(dehydrated="yes")
    assert ["dehydrated"] == world.run().rules
    assert 0 == world.tenant.writes

    world.tenant.switch(dehydrated="settling")
    with pytest.raises(TargetError, match="Enable-OrganizationCustomization"):
        world.run()


def test_without_the_right_to_write_a_run_says_what_is_missing(world: World) -> None:
    """A reader reads, plans, and cannot write."""
    world.tenant.access.roles = {GLOBAL_READER}

    with pytest.raises(TargetDenied, match="Exchange Administrator"):
        world.run()
    assert [] == world.tenant.org.connectors
    found = failed(world.target().check())
    assert "New-OutboundConnector" in found["commands that write"]


def test_the_role_group_of_least_privilege_does(world: World) -> None:
    """Without the right to see recipients, groups are not judged."""
    world.tenant.access.roles = set(CUSTOM_GROUP)
    world.tenant.org.domains[1]["DomainType"] = "InternalRelay"

    assert True is world.settle().proof.ok
    checks = [*world.target().check()]
    assert {} == failed(checks)
    assert None is check(checks, f"group here@{DOMAIN}").ok


def test_a_group_that_is_gone_stops_the_rule_and_fails_the_proof(world: World) -> None:
    """Its exception would hold for nobody."""
    org = world.tenant.org
    org.domains[1]["DomainType"] = "InternalRelay"
    kept = org.recipients.pop()
    ran = world.run()
    assert (["whole_domain"], []) == (ran.rules, org.rules)

    org.recipients.append(kept)
    world.settle()
    org.recipients.pop()
    assert f"group here@{DOMAIN}" in failed(world.run().proof.checks)


def test_a_mailbox_is_no_group(world: World) -> None:
    """An exception for its members would hold for nobody."""
    world.tenant.org.add_recipient(f"ada@{DOMAIN}")
    ran = world.run(routed={"everyone_but": f"ada@{DOMAIN}"})
    assert (["whole_domain"], []) == (ran.rules, world.tenant.org.rules)


def test_a_domain_that_a_cut_listing_hides_is_not_said_to_be_no_accepted_one(world: World) -> None:
    """What is said is what was read."""
    world.tenant.org.domains[1]["DomainType"] = "InternalRelay"
    world.settle()
    world.tenant.switch(page_size=1, result_size_ignored=True)
    told = check(world.run().proof.checks, "domain")
    words = f"{DOMAIN} is not among what was read of the accepted domains"
    assert (None, words) == (told.ok, told.message)


def test_a_smart_host_that_resolves_to_exchange_online_is_refused(world: World) -> None:
    """DNS is asked before anything is written."""
    zone = zone_file("far.test", "mx IN A 104.47.8.36", "ok IN A 192.0.2.7")
    with DnsStandin({"far.test": zone}) as dns:
        keys: dict[str, Any] = {
            "resolvers": [f"127.0.0.1:{dns.port}"],
            "try_hosts": "resolve",
        }
        wrong = world.run(smart_hosts=["mx.far.test", "ok.far.test"], **keys)
        right = world.run(smart_hosts=["ok.far.test"], **keys)

    assert (["own_host"], "mx.far.test") == (wrong.rules, wrong.draft.refusals[0].seen)
    assert [] == right.rules


def test_a_persons_script_is_seen_to_be_done(world: World) -> None:
    """Each step is asked for in turn; what the commands of the script do is what it promised."""
    world.tenant.org.domains[1]["DomainType"] = "InternalRelay"
    asked: list[str] = []
    while (ran := world.run(write="script")).draft.steps and len(asked) < 4:
        for step in ran.draft.steps:
            assert step.task is not None
            assert Confirmation.READ is step.task.confirmation
            asked.append(step.task.setting)
            world.do(step.detail[0])
            after = world.look(world.target(write="script"))
            assert step.gives == after.resources[step.resource]

    assert ["connector", "rule", "rule"] == asked
    assert (True, 3) == (ran.proof.ok, world.tenant.writes)


def test_without_credentials_nothing_is_asked_and_a_persons_word_counts(world: World) -> None:
    """Step after step, up to the domain; then all of it is asserted, and none is verified."""
    blind: dict[str, Any] = {"credentials": None, "client_id": None, "write": "script"}
    asked: list[str] = []
    while (ran := world.run(**blind)).draft.steps and len(asked) < 6:
        for step in {one.resource: one for one in reversed(ran.draft.steps)}.values():
            assert step.task is not None
            assert Confirmation.ACKNOWLEDGED is step.task.confirmation
            asked.append(step.summary)
            world.acknowledged[step.resource] = Asserted(
                step.resource, "ada", world.now, gives=step.gives
            )

    assert [] == world.tenant.requests
    assert (None, {"connector", "rule"}) == (
        ran.proof.ok,
        {one.setting for one in ran.proof.asserted},
    )
    assert 4 == len(asked), asked
    other = world.run(**blind, tls="trusted")
    assert ["connector"] == [step.resource for step in other.draft.steps]
    gone = world.run(**blind, remove=True)
    assert ["rule", "rule"] == [one.resource for one in gone.draft.steps]


def test_exchange_onlines_own_trial_counts_only_if_it_fails(world: World) -> None:
    """What it says is shown; the flag that anyone can set is shown as such."""
    org = world.tenant.org
    org.domains[1]["DomainType"] = "InternalRelay"
    keys: dict[str, Any] = {"validate_connector": True, "validation_recipients": [f"bob@{DOMAIN}"]}
    passed = world.settle(**keys).proof
    assert (True, True) == (passed.ok, check(passed.checks, "trial by Exchange Online").ok)
    assert not org.connectors[0]["IsValidated"]

    org.connectors[0]["IsValidated"] = True
    org.validate = lambda *_: [("Send test email", False)]
    ran = world.run(**keys)
    assert "Send test email: failed" in failed(ran.proof.checks)["trial by Exchange Online"]
    assert "anyone can set" in check(ran.proof.checks, "flag IsValidated").message
    org.validate = lambda *_: []
    assert None is check(world.run(**keys).proof.checks, "trial by Exchange Online").ok


def test_the_proof_tells_what_is_not_as_it_should_be(world: World) -> None:
    """By the names of the parameters, each by itself."""
    world.settle()
    org = world.tenant.org
    org.connectors[0]["TlsSettings"] = None
    org.rules[0]["ExceptIfSentToMemberOf"] = None
    target = world.target()

    found = failed(target.verify(DESIRED, world.look(target)).checks)

    assert "TlsSettings" in found["connector"]
    assert "ExceptIfSentToMemberOf" in found["rule"]
    assert "Authoritative" in found["domain"]


@pytest.mark.parametrize(
    ("dates", "ok", "told"),
    [
        ({"ExpiryDate": "2026-12-24T00:00:00"}, None, "acts only to 2026-12-24"),
        ({"ExpiryDate": "2026-11-24T00:00:00"}, False, "is over since 2026-11-24"),
        ({"ActivationDate": "2026-12-24T00:00:00"}, None, "acts only from 2026-12-24"),
        ({"ActivationDate": "2026-11-24T00:00:00"}, True, "is on"),
        (
            {"ActivationDate": "2026-11-24T00:00:00", "ExpiryDate": "2026-12-24T00:00:00"},
            None,
            "acts only to 2026-12-24",
        ),
    ],
)
def test_a_rule_that_acts_for_a_time_is_not_proven_to_act(
    world: World, dates: dict[str, str], ok: bool | None, told: str
) -> None:
    """Nobody can say that it goes on acting; what began is no matter."""
    world.settle()
    world.tenant.org.rules[0].update(dates)

    ran = world.run()

    assert ok is check(ran.proof.checks, "rule").ok
    assert told in check(ran.proof.checks, "rule").message
    assert (ok is not True) == any(one.rule == "rule_dates" for one in ran.before.findings)


@pytest.mark.parametrize(
    ("break_", "name"),
    [
        (lambda one: setattr(one.access, "client_secret", "another"), "token"),
        (lambda one: setattr(one.access, "app_roles", set()), "application roles"),
        (lambda one: setattr(one.access, "roles", set()), "listings"),
        (lambda one: one.org.domains.pop(), "domain"),
        (lambda one: one.org.groups.clear() or one.org.recipients.clear(), f"group here@{DOMAIN}"),
        (lambda one: one.org.add_recipient(f"bob@{DOMAIN}"), f"bob@{DOMAIN}"),
        (lambda one: one.switch(dehydrated="yes"), "organization"),
    ],
)
def test_a_check_names_what_is_missing(world: World, break_: Any, name: str) -> None:
    """All is well, or fails at that very place; nothing is changed by trying."""
    keys = {"validation_recipients": [f"bob@{DOMAIN}"]}
    assert {} == failed(world.target(**keys).check())
    break_(world.tenant)
    before = world.held()

    assert name in failed(world.target(**keys).check())
    assert (before, 0) == (world.held(), world.tenant.writes)


@pytest.mark.parametrize(
    ("kind_", "ok"),
    [
        ("MailUser", True),
        ("MailContact", True),
        ("RemoteUserMailbox", True),
        ("SharedMailbox", False),
        ("PublicFolder", False),
        ("MailUniversalDistributionGroup", False),
        ("GroupMailbox", False),
    ],
)
def test_an_address_for_proofs_is_that_of_a_mailbox_on_the_other_side(
    world: World, kind_: str, ok: bool
) -> None:
    """A group is delivered to its members, and a public folder is here."""
    world.tenant.org.add_recipient(f"bob@{DOMAIN}", kind_)
    found = failed(world.target(validation_recipients=[f"bob@{DOMAIN}"]).check())

    assert ok == (f"bob@{DOMAIN}" not in found)


def test_a_check_tells_what_only_one_of_the_two_permissions_does(world: World) -> None:
    """The published interface knows neither connectors nor rules."""
    world.tenant.access.app_roles = {MANAGE_V2}

    assert MANAGE in failed(world.target().check())["application roles"]


def test_the_way_of_a_message_is_told_from_what_is_remembered(world: World) -> None:
    """Without asking anybody; the live answer goes by what was just read."""
    world.tenant.org.domains[1]["DomainType"] = "InternalRelay"
    world.settle()
    keys = {"validation_recipients": [f"bob@{DOMAIN}"]}
    target = world.target(**keys)
    ((sender, recipient),) = target.routes()
    seen = world.look(target)

    live = target.trace(sender, recipient, seen)
    asked = len(world.tenant.requests)
    told = kind.trace(world.settings(**keys), world.remembered, sender, recipient)

    assert (f"postmaster@{DOMAIN}", f"bob@{DOMAIN}") == (sender, recipient)
    assert live.leaves is True
    assert told is not None
    assert {"domain", "rule", "connector"} <= {one.kind for one in told.stages}
    assert asked == len(world.tenant.requests)


def test_no_secret_is_in_what_a_plan_depends_on_nor_in_what_is_remembered(world: World) -> None:
    """Nor do the credentials change a plan."""
    target = world.target()
    seen = world.look(target)
    told = json.dumps([dict(target.configuration()), seen.remember, repr(seen)])

    assert SECRET not in told
    assert "credentials" not in target.configuration()
    assert target.configuration() == world.target(settle="3s").configuration()


def test_a_wrong_secret_is_told_without_it(world: World) -> None:
    """And with what to do."""
    world.tenant.access.client_secret = "another"

    with pytest.raises(TargetDenied) as told:
        world.run()
    assert SECRET not in str(told.value)


def test_an_address_is_nothing_that_it_knows_of(world: World) -> None:
    """It holds no ranges."""
    target = world.target()
    seen = world.look(target)

    assert None is target.explain(IpRanges.parse("40.92.1.1"), seen).knows
    assert IpRanges() == seen.owned
