"""What a change of our own configuration is told as, and what it leaves behind: whole runs."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from exosync.people import acknowledge
from tests.standins.endpoints import EndpointsStandIn
from tests.standins.exchange import ExchangeStandIn
from tests.standins.exchange_console import Console
from tests.support.world import World, only, rules
from tests.support.zygote import zygote

DOMAIN, OTHER = "example.com", "example.org"
SECRET = "the-secret-of-exchange"
Json = dict[str, Any]


@dataclass
class Office:
    """A tenant, the exosync that looks after it, and the administrator who does what it asks."""

    tenant: ExchangeStandIn
    world: World

    def configure(self, *, owner: str = "", **keys: Any) -> None:
        """Change the target's keys (None takes one out), or the owner."""
        chosen = {**self.world.targets[0], **keys}
        self.world.targets = [{name: one for name, one in chosen.items() if one is not None}]
        if owner:
            self.world.settings["owner"] = owner

    def sync(self) -> Json:
        """A run, an hour after the last."""
        self.world.pass_time(hours=1)
        return only(self.world.sync())

    def boxes(self) -> dict[str, str]:
        """What waits for a person, by setting: the text to paste."""
        with self.world.opened() as one:
            return {task.setting: str(task.body["box"]) for task in one.store.open_tasks()}

    def act(self) -> list[str]:
        """The administrator runs every script that waits."""
        waiting = self.boxes()
        for box in waiting.values():
            Console(self.tenant.org).run(box)
        return list(waiting)

    def speak(self) -> None:
        """Somebody says of all that waits that it is done."""
        with self.world.opened() as one:
            for task in one.store.open_tasks():
                plan, at = one.store.find_plan(task.plan_id), self.world.now
                acknowledge(one.store, task, plan, by="ada", note="", rules=one.rules.tasks, at=at)

    def settle(self) -> Json:
        """Run until nobody has anything to do."""
        for _ in range(6):
            told = self.sync()
            if not self.act():
                return told
        raise AssertionError("never at rest")

    @property
    def rule(self) -> Json:
        """The rule that is exosync's."""
        found: Json = self.tenant.org.rules[-1]
        return found


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    """Everyone but a group goes to the other side, by scripts; two domains are accepted."""
    with (
        ExchangeStandIn(DOMAIN, client_secret=SECRET) as tenant,
        EndpointsStandIn(version="2019010700") as feed,
    ):
        org = tenant.org
        org.add_domain(OTHER)
        for domain in (DOMAIN, OTHER):
            org.add_group(f"here@{domain}", [f"ada@{domain}"])
        for name in ("first", "second"):
            org.add_rule(name, SentToScope="NotInOrganization", PrependSubject="x")
        (tmp_path / "secret").write_text(SECRET)
        target = {
            "name": "exchange",
            "kind": "exchange",
            "url": tenant.url,
            "tenant": tenant.tenant,
            "client_id": tenant.client_id,
            "credentials": {"kind": "secret", "secret": {"file": "secret"}},
            "domain": DOMAIN,
            "far_side": "other",
            "smart_hosts": ["127.0.0.2"],
            "routed": {"everyone_but": f"here@{DOMAIN}"},
            "settle": "5s",
        }
        yield Office(tenant, World(tmp_path, feed, [target]))
        assert [] == tenant.dangerous


CHANGES: dict[str, Json] = {
    "connector": {"connector": "Way out"},
    "rule": {"rule": "Those elsewhere"},
    "a place": {"priority": 0},
    "another group": {"routed": {"everyone_but": f"here@{OTHER}"}},
    "owner": {"owner": "somebody"},
    "domain": {"domain": OTHER, "routed": {"everyone_but": f"here@{OTHER}"}},
    "all of it": {"owner": "somebody", "connector": "Way out", "priority": 1, "domain": OTHER},
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=list(CHANGES))
def test_what_our_own_configuration_changes_is_nobodys_doing(office: Office, change: Json) -> None:
    """Neither the run that follows nor the one after it tells of anybody's."""
    office.settle()
    office.configure(**change)

    told = {name for _ in range(2) for name in rules(office.sync(), "findings")}

    assert not {"drift", "person_acted"} & told


@pytest.mark.parametrize(
    "change", [{"connector": "Way out"}, {"priority": 0}, {"owner": "somebody"}, {"domain": OTHER}]
)
def test_a_second_administrator_is_told_in_the_very_run_that_follows_our_change(
    office: Office, change: Json
) -> None:
    """The rule of what is there is compared in the terms in which it was told last."""
    office.settle()
    office.configure(**change)
    office.rule["StopRuleProcessing"] = True

    told = office.sync()

    drifted = [one["message"] for one in told["findings"] if one["rule"] == "drift"]
    assert 1 == len(drifted)
    assert drifted[0].startswith("rule was changed by somebody else since 2026-11-23")


def test_a_place_that_is_no_longer_wanted_is_no_drift_and_one_that_somebody_takes_is(
    office: Office,
) -> None:
    """A place counts as long as the configuration wants one."""
    office.configure(priority=0)
    office.settle()
    office.tenant.org.rules.insert(0, office.tenant.org.rules.pop())
    moved = office.sync()
    office.act()
    office.sync()
    office.configure(priority=None)
    free = office.sync()

    assert ("drift" in rules(moved, "findings"), moved["state"]) == (True, "waiting")
    assert ("drift" in rules(free, "findings"), free["state"]) == (False, "in_sync")


def test_what_a_person_did_as_asked_before_the_change_is_seen_as_that(office: Office) -> None:
    """The task was in the terms of the configuration before."""
    office.sync()
    office.act()
    office.configure(connector="Way out")

    told = office.sync()

    acted = [one["message"] for one in told["findings"] if one["rule"] == "person_acted"]
    assert 2 == len(acted)
    assert all("as a person was asked to" in one for one in acted), acted


def test_a_step_that_is_open_at_one_thing_hides_nobodys_change_of_another(office: Office) -> None:
    """The domain waits for its administrator, for weeks if need be; the rule is not his to change."""
    while [*office.boxes()] != ["domain"]:
        assert "waiting" == office.sync()["state"]
        if [*office.boxes()] != ["domain"]:
            office.act()
    office.rule["ExceptIfSentToMemberOf"] = []

    told = office.sync()

    moved = {one["message"].split()[0] for one in told["findings"] if one["rule"] == "drift"}
    assert ({"rule"}, "waiting") == (moved, told["state"])


def test_what_was_done_is_told_with_the_plan_that_did_it(office: Office) -> None:
    """Though the same run finds out what is to be done next."""
    office.configure(write="rest", mode="apply")

    told = office.sync()

    with office.world.opened() as one:
        event = one.store.last_event("exchange", ("applied",))
        assert event is not None
        plan = one.store.find_plan(event.body["plan"])
    assert ("refused", "applied") == (told["state"], plan.status)
    assert told["plan"] != plan.id


@pytest.mark.slow
def test_a_run_that_is_killed_after_the_change_makes_it_nobodys_doing_either(
    office: Office,
) -> None:
    """At whatever point: what it wrote is found, and by whose configuration it is told again."""
    office.settle()
    office.configure(priority=0, tls="trusted", write="rest", mode="apply")
    org, folder = office.tenant.org, office.world.folder
    before, state = (deepcopy(org.connectors), deepcopy(org.rules)), folder.parent / "state"
    _ = office.world.config_file
    shutil.copytree(folder, state)
    office.world.pass_time(hours=1)
    interrupted = 0
    with zygote() as runs:
        for point in range(1, 100):
            shutil.rmtree(folder)
            shutil.copytree(state, folder)
            org.connectors[:], org.rules[:] = deepcopy(before[0]), deepcopy(before[1])
            ended = runs.run_until(office.world.config_file.parent, point, office.world.now)
            told = office.sync()
            office.world.pass_time(hours=-1)
            found = rules(told, "findings")
            assert not {"drift", "person_acted"} & {*found}, (point, told["findings"])
            assert told["state"] in ("applied", "in_sync"), (point, told)
            assert not any("something else again" in one["message"] for one in told["findings"])
            interrupted += "interrupted_step" in found
            if not ended.signal:
                assert 0 == ended.code, ended.said
                break
    assert 1 < interrupted
    assert ["CertificateValidation"] == [one["TlsSettings"] for one in org.connectors]


def test_another_owner_is_told_as_what_it_is(office: Office) -> None:
    """The mark is that of the owner before, and to adopt both is all that there is to do."""
    office.settle()
    office.configure(owner="somebody")

    told = office.sync()
    assert "in place of “exosync:owner=somebody;target=exchange”" in told["refusals"][0]["message"]
    office.world.adopt("exchange")
    office.act()
    after = office.settle()

    assert ("in_sync", []) == (after["state"], rules(after))
    assert "drift" not in rules(after, "findings")


def test_a_domain_that_was_made_a_relay_is_not_forgotten(office: Office) -> None:
    """Somebody made it one because exosync asked; told until it is authoritative again."""
    office.settle()
    relay = office.tenant.org.domain(DOMAIN)
    assert relay is not None
    assert "InternalRelay" == relay["DomainType"]
    assert "domain_left_behind" not in rules(office.sync(), "findings")

    office.configure(domain=OTHER, routed={"everyone_but": f"here@{OTHER}"})
    told = office.sync()
    (left,) = (one for one in told["findings"] if one["rule"] == "domain_left_behind")
    assert left["message"].startswith(f"{DOMAIN} is still an internal relay, as exosync asked")
    assert "once the rule is changed" in left["message"]
    told = office.settle()
    (left,) = (one for one in told["findings"] if one["rule"] == "domain_left_behind")
    assert f"sends no mail of {DOMAIN} to the other side any more" in left["message"]

    relay["DomainType"] = "Authoritative"
    assert "domain_left_behind" not in rules(office.sync(), "findings")
    relay["DomainType"] = "InternalRelay"
    assert "domain_left_behind" not in rules(office.sync(), "findings"), (
        "this one is somebody's own"
    )


def test_a_relay_that_the_company_made_itself_is_not_told_as_exosyncs(office: Office) -> None:
    """It was one when exosync came."""
    relay = office.tenant.org.domain(DOMAIN)
    assert relay is not None
    relay["DomainType"] = "InternalRelay"
    office.settle()
    office.configure(domain=OTHER, routed={"everyone_but": f"here@{OTHER}"})

    assert "domain_left_behind" not in rules(office.settle(), "findings")


def test_removal_goes_step_by_step_and_tells_what_stays(office: Office) -> None:
    """The connector is asked for once the rule is gone, and the domain is still a relay then."""
    office.settle()
    office.configure(remove=True)
    asked = []
    for _ in range(4):
        office.sync()
        asked.append(office.act())
    told = office.sync()

    assert [["rule"], ["rule"], ["connector"], ["connector"]] == asked
    assert ([], "in_sync") == (office.tenant.org.connectors, told["state"])
    (left,) = (one for one in told["findings"] if one["rule"] == "domain_left_behind")
    assert "connector and rule are gone" in left["message"]
    relay = office.tenant.org.domain(DOMAIN)
    assert relay is not None
    relay["DomainType"] = "Authoritative"
    assert "domain_left_behind" not in rules(office.sync(), "findings")


def test_to_find_nothing_to_take_over_ends_no_plan(office: Office) -> None:
    """The target is told as it is, and what waits for a person or an approval goes on waiting."""
    plan = office.sync()["plan"]
    asked = office.boxes()

    told = only(office.world.adopt("exchange"))

    assert ("waiting", plan) == (told["state"], told["plan"])
    assert "nothing_to_adopt" in rules(told, "findings")
    assert asked == office.boxes()
    with office.world.opened() as one:
        assert [plan] == [each.id for each in one.store.open_plans()]


BLIND: Json = {"credentials": None, "client_id": None, "url": None}


def test_without_its_credentials_a_target_goes_by_what_it_read_last(office: Office) -> None:
    """Nothing is asked for again; it is said whose word it is; and nothing is proven."""
    given = office.world.targets[0]
    office.settle()
    office.configure(**BLIND)
    blind = office.sync()
    again = office.sync()

    assert ("asserted", {}) == (blind["state"], office.boxes())
    assert "exosync's last reading" in str(again)

    office.configure(tls="trusted")
    changed = office.sync()
    assert ("waiting", ["connector"]) == (changed["state"], list(office.boxes()))

    office.configure(**{name: given[name] for name in BLIND}, tls=None)
    back = office.sync()
    assert ("in_sync", True) == (back["state"], back["verified"])
    assert "drift" not in rules(back, "findings")


NEWER = ("terms", "last_read", "relayed")
"""What an older version did not remember; its token of a domain did not name it."""


def as_an_older_version_left_it(office: Office) -> None:
    """The state before it knew of terms."""
    with office.world.opened() as one:
        memory = one.store.memory("exchange")
        one.store.save_memory(
            "exchange", {name: value for name, value in memory.items() if name not in NEWER}
        )
        stands = one.store.target_state("exchange")
        assert stands is not None
        told = {**stands.resources, "domain": stands.resources["domain"].removesuffix(f":{DOMAIN}")}
        assert told != stands.resources
        one.store.save_target_state(replace(stands, resources=told))


def test_the_state_of_an_older_version_is_no_drift(office: Office) -> None:
    """Whatever somebody changed since is told all the same."""
    office.settle()
    as_an_older_version_left_it(office)
    assert not {"drift", "person_acted"} & {*rules(office.sync(), "findings")}

    office.rule["StopRuleProcessing"] = True
    as_an_older_version_left_it(office)
    assert "drift" in rules(office.sync(), "findings")


def test_what_somebody_changed_while_nobody_read_is_told_when_there_are_credentials_again(
    office: Office,
) -> None:
    """It is not as it was read last."""
    given = office.world.targets[0]
    office.settle()
    office.configure(**BLIND)
    office.sync()
    office.rule["StopRuleProcessing"] = True
    office.configure(**{name: given[name] for name in BLIND})

    assert "drift" in rules(office.sync(), "findings")


@pytest.mark.parametrize("first", ["", "11111111-2222-4333-8444-555555555555"])
def test_what_is_read_for_the_first_time_was_changed_by_nobody(office: Office, first: str) -> None:
    """A domain that nobody spoke of was there all the time; nor was a wrong tenant this one."""
    given = office.world.targets[0]
    office.configure(**BLIND, accepted_domain="leave", tenant=first or given["tenant"])
    while "waiting" == office.sync()["state"]:
        if not first:
            office.act()
        office.speak()

    office.configure(**{name: given[name] for name in (*BLIND, "tenant")})
    told = office.sync()

    assert not {"drift", "person_acted"} & {*rules(told, "findings")}
    assert ("waiting" if first else "in_sync") == told["state"]


def test_credentials_that_come_and_go_twice_change_nothing(office: Office) -> None:
    """Each time what was read last stands, and nobody changed it."""
    given = office.world.targets[0]
    office.settle()
    for _ in range(2):
        office.configure(**BLIND)
        assert ("asserted", {}) == (office.sync()["state"], office.boxes())
        office.configure(**{name: given[name] for name in BLIND})
        back = office.sync()
        assert "in_sync" == back["state"]
        assert not {"drift", "person_acted"} & {*rules(back, "findings")}


@pytest.mark.parametrize(
    "keys",
    [{"owner": ("second", "third", "exosync")}, {"connector": ("Way out", "Further out", None)}],
)
def test_what_is_changed_twice_and_back_is_nobodys_doing(office: Office, keys: Json) -> None:
    """Though nothing was done in between."""
    office.settle()
    ((name, values),) = keys.items()
    told = []
    for value in values:
        office.configure(**{name: value})
        told.append(office.sync())

    assert not {"drift", "person_acted"} & {rule for one in told for rule in rules(one, "findings")}
    assert "in_sync" == told[-1]["state"]


def test_what_was_read_long_ago_is_to_be_looked_at_once_more(office: Office) -> None:
    """As what a person acknowledged."""
    office.settle()
    office.configure(**BLIND)
    office.world.pass_time(days=181)
    office.sync()

    assert {"connector", "rule"} <= set(office.boxes())
