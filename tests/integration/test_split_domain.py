"""The how-to's story from end to end: one domain on two sides, and mail that really travels.

Exchange Online, Mimecast and Google Workspace are stand-ins with mail servers in front; exosync is
the whole of it. What decides is always where a message ended.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from exosync.core.target import Observed
from exosync.core.trace import Pool, Way
from exosync.recall import recall
from tests.standins.dns import DnsStandin
from tests.standins.endpoints import EndpointsStandIn
from tests.standins.exchange_console import Console
from tests.standins.exchange_org import Org
from tests.standins.exchange_tenants import busy
from tests.standins.farside_google import NOT_LISTED
from tests.standins.farside_mimecast import PUT_OFF, SPOOFED
from tests.standins.mailflow_exchange import LOOP, RELAY_ADDRESS, UNKNOWN
from tests.standins.mailflow_letter import Journey, Verdict
from tests.standins.mailflow_names import Names
from tests.support.bind import Bind, find_named
from tests.support.cli import Shell
from tests.support.split_domain import (
    ADA,
    BOTH,
    CARELESS,
    DOMAIN,
    GRACE,
    HERE,
    MICROSOFT,
    PARTNER,
    Company,
    company,
    targets,
    zones,
)
from tests.support.world import World, rules
from tests.support.zones import WIDE

OLD, NEW = "2018102900", "2019010700"
"""The newer version lets the addresses of 40.107 reach further."""

ADDED = "40.107.200.9"
AT_ONCE = {
    "ranges": {"grace": "0s"},
    "guards": {"max_shrink": "100%", "max_growth": "9999%"},
}
INCLUDE = f"include:_exo.{DOMAIN}"
"""What the company's SPF record says before exosync has made that name."""

ROUNDS = 6

Json = dict[str, Any]


@dataclass
class Story:
    """The company, its exosync, and the people who do what is left to them.

    `acted` are the targets and settings that people were asked for, in order.
    """

    company: Company
    world: World
    acted: list[tuple[str, str]] = field(default_factory=list)

    def mail(self, sender: str, recipient: str) -> Journey:
        """Send one message: a mailbox of the company hands it in, others send it from outside."""
        flow = self.company.flow
        inside = sender.endswith(f"@{DOMAIN}")
        return (flow.submit if inside else flow.arrive)(sender, recipient)[recipient]

    def sync(self) -> Mapping[str, Json]:
        """One run; gives what it says of each target."""
        return {one["name"]: one for one in self.world.sync()["targets"]}

    def people_act(self) -> list[tuple[str, str]]:
        """People do everything that waits, each at the place that it is for."""
        with self.world.opened() as one:
            waiting = {
                (task.target, task.setting): str(task.body["box"])
                for task in one.store.open_tasks()
            }
        for (target, _), box in waiting.items():
            if target == "google":
                self.company.google.set_allowlist(box.split(", "))
            else:
                self._administrate(box)
        self.acted += waiting
        return list(waiting)

    def settle(self) -> Mapping[str, Json]:
        """Run until nothing is left to do: people act, and approve what is refused."""
        told: Mapping[str, Json] = {}
        for _ in range(ROUNDS):
            told = self.sync()
            done = self.people_act()
            refused = [one["plan"] for one in told.values() if one["state"] == "refused"]
            for plan in refused:
                self.world.approve(plan)
            if not done and not refused:
                return told
        raise AssertionError(f"never settles: {told}")

    def foretold(self, pairs: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Way]:
        """What exosync says of the way of a message, for each sender and recipient."""
        with self._target() as (target, seen):
            return {one: target.trace(*one, seen) for one in pairs}

    def compared(
        self, pairs: Iterable[tuple[str, str]]
    ) -> dict[tuple[str, str], tuple[Way, Journey]]:
        """What is foretold of each message, and what happens to it then."""
        ways = self.foretold(pairs)
        return {one: (way, self.mail(*one)) for one, way in ways.items()}

    def _administrate(self, script: str) -> None:
        """An administrator looks what a script would do, runs it, and again by mistake."""
        console = Console(self.company.exchange.org)
        console.run(script, what_if=True)
        assert [] == console.writes
        console.run(script)
        done = list(console.writes)
        console.run(script)
        assert done == console.writes

    @contextmanager
    def _target(self) -> Iterator[tuple[Any, Observed]]:
        """The exchange target, and what it sees."""
        with self.world.opened() as one:
            (job,) = (job for job in one.rules.jobs if job.name == "exchange")
            assert job.target is not None
            known = recall(one.store, "exchange", one.rules.tasks, self.world.now)
            yield job.target, job.target.observe(known)


@pytest.fixture
def begin(tmp_path: Path) -> Iterator[Any]:
    """Begins a story; options are keys of the exchange target, `org` a tenant."""
    with ExitStack() as stack:

        def begun(
            *,
            version: str = NEW,
            bind: bool = False,
            org: Org | None = None,
            **exchange: Any,
        ) -> Story:
            files = zones(spf=INCLUDE)
            if bind:
                named = stack.enter_context(Bind(tmp_path, files)).primary
                address, port = named.address, named.port
            else:
                granted = {WIDE.name: ("*",)}
                server = stack.enter_context(DnsStandin(files, keys=[WIDE], grants=granted))
                address, port = server.host, server.port
            feed = stack.enter_context(EndpointsStandIn(version=version))
            made = stack.enter_context(company(Names(address, port), org))
            told = targets(made, tmp_path, port, **exchange)
            return Story(made, World(tmp_path, feed, told, dict(AT_ONCE)))

        yield begun


@pytest.mark.skipif(find_named() is None, reason="named is not installed (bind9)")
def test_the_same_name_on_both_sides_is_refused_and_then_accepted(begin: Any) -> None:
    """The how-to whole: SPF on BIND, a paste and an approval, each target proven, mail delivered."""
    story: Story = begin(bind=True, validate_connector=True)
    kept, refused = story.mail(ADA, BOTH), story.mail(ADA, GRACE)

    first = story.sync()
    still_kept = story.mail(ADA, BOTH)
    asked = story.people_act()
    half = story.mail(ADA, GRACE)
    known = story.sync()
    story.world.approve(first["exchange"]["plan"])
    second = story.sync()
    accepted = story.mail(ADA, BOTH)
    last = story.sync()

    # What the company had before: the wrong mailbox, and a refusal.
    assert "exchange" == kept.delivered_at
    assert (Verdict.FAILED, SPOOFED) == (refused.end.verdict, refused.end.says)
    # Whatever exosync may do by itself is done in one run; the rule is there, and does nothing.
    assert {
        "exchange": "refused",
        "mimecast": "applied",
        "google": "waiting",
        "spf": "applied",
    } == {name: one["state"] for name, one in first.items()}
    assert ["rule_switch_on", "receivers_behind"] == rules(first["exchange"])
    assert "exchange" == still_kept.delivered_at
    assert [("google", "email_allowlist")] == asked
    assert "google" == half.delivered_at
    # Once all receivers know the addresses, only the person's word is missing.
    assert ["rule_switch_on"] == rules(known["exchange"])
    assert first["exchange"]["plan"] == known["exchange"]["plan"]
    # One approval for one plan, and mail goes where it should.
    assert ("applied", True) == (second["exchange"]["state"], second["exchange"]["verified"])
    assert ("exchange", "mimecast", "google") == accepted.stations
    assert "google" == accepted.delivered_at
    assert all(one.tls for one in accepted.hops if one.verdict is Verdict.TAKEN)
    assert {"in_sync"} == {one["state"] for one in last.values()}
    assert all(one["verified"] for one in last.values())
    # Exchange Online has tried the connector too, with a message that Grace's mailbox now has.
    tried = [one.sender for one in story.company.flow.google.mailboxes[GRACE]]
    assert "O365ConnectorValidation@example.onmicrosoft.com" in tried


def test_a_mailbox_here_keeps_its_mail(begin: Any) -> None:
    """Once all is in line: Ada's stays, Grace's goes, in one message to both too."""
    story: Story = begin()
    story.settle()

    ways = story.company.flow.submit(BOTH, ADA, GRACE)

    assert ("exchange", "google") == (ways[ADA].delivered_at, ways[GRACE].delivered_at)


def test_an_address_that_microsoft_adds_is_refused_until_exosync_has_been_there(
    begin: Any,
) -> None:
    """The reason for all of it: nobody at the company did anything wrong."""
    story: Story = begin(version=OLD)
    story.settle()
    before = story.mail(ADA, BOTH)

    story.company.flow.exchange.addresses[:] = [ADDED]
    unknown = story.mail(ADA, BOTH)
    story.world.publish(NEW)
    story.settle()
    known = story.mail(ADA, BOTH)

    assert "google" == before.delivered_at
    assert (ADDED, SPOOFED) == (unknown.seen_at("mimecast").source, unknown.end.says)
    assert "google" == known.delivered_at


def test_a_person_may_do_it_all(begin: Any) -> None:
    """By scripts: connector, rule, switching on, and the domain, each when it is its turn."""
    story: Story = begin(write="script", routed={"everyone_but": HERE})
    stranger = f"nobody@{DOMAIN}"
    story.company.google.set_allowlist([])
    story.company.flow.google.mailboxes[stranger] = []
    before = story.mail(ADA, stranger)

    told = story.settle()

    assert ("in_sync", True) == (told["exchange"]["state"], told["exchange"]["verified"])
    done = [setting for target, setting in story.acted if target == "exchange"]
    assert ["connector", "rule", "rule", "domain"] == done
    with story.world.opened() as one:
        events = one.store.events(200, kinds=["step_seen"])
    seen = [event.body["setting"] for event in events if event.target == "exchange"]
    assert sorted(done) == sorted(seen), "each thing that was done was also seen, and told"
    assert UNKNOWN == before.end.says
    assert "google" == story.mail(ADA, stranger).delivered_at
    assert "exchange" == story.mail(PARTNER, ADA).delivered_at


def test_what_others_break_in_silence_is_told_and_mended(begin: Any) -> None:
    """Somebody changes one thing after another in the admin centre, and mail goes wrong each time."""
    story: Story = begin(priority=0)
    story.settle()
    del story.world.targets[1:]  # the receivers stay as they are
    org = story.company.exchange.org
    (connector,), (rule,) = org.connectors, org.rules
    breaks: Mapping[str, Callable[[], object]] = {
        "connector disabled": lambda: connector.update(Enabled=False),
        "another smart host": lambda: connector.update(SmartHosts=["gone.mimecast.com"]),
        "connector renamed": lambda: connector.update(Name="To Mimecast"),
        "rule disabled": lambda: rule.update(State="Disabled"),
        "rule only audits": lambda: rule.update(Mode="Audit"),
        "another group": lambda: rule.update(SentToMemberOf=[HERE]),
        "a rule above that stops": lambda: org.add_rule(
            "above", at=0, RecipientDomainIs=[DOMAIN], StopRuleProcessing=True
        ),
        "rule removed": org.rules.clear,
        "both removed": lambda: org.__dict__.update(rules=[], connectors=[]),
    }

    ends, told = {}, {}
    for name, break_it in breaks.items():
        break_it()
        broken = story.mail(ADA, BOTH).delivered_at
        told[name] = one = story.sync()["exchange"]
        if one["state"] == "refused":
            story.world.approve(one["plan"])
            story.sync()
        ends[name] = broken, story.mail(ADA, BOTH).delivered_at

    assert [] == [name for name, (broken, _) in ends.items() if broken == "google"]
    assert {} == {name: mended for name, (_, mended) in ends.items() if mended != "google"}
    assert [] == [name for name, one in told.items() if "drift" not in rules(one, "findings")]


def test_a_far_side_that_routes_back_ends_in_one_lap(begin: Any) -> None:
    """The header that the rule sets keeps a message from going round until it is given up."""
    story: Story = begin()
    story.settle()
    story.company.flow.google.back = MICROSOFT
    del story.company.flow.google.mailboxes[BOTH]

    ended = story.mail(ADA, BOTH)
    story.world.targets[0]["exceptions"] = {"loop_breaker": None}
    told = story.settle()
    looping = story.mail(ADA, BOTH)

    assert ("exchange", "mimecast", "google", "exchange") == ended.stations
    assert "exchange" == ended.delivered_at
    assert LOOP == looping.end.says
    assert "loop_possible" in rules(told["exchange"], "findings")


def test_the_relay_pool_is_known_once_it_is_an_extra_range(begin: Any) -> None:
    """A stranger's mail that Exchange Online sends on leaves from addresses in no list."""
    story: Story = begin(far_side="google_workspace", smart_hosts=["aspmx.l.google.com"])
    story.settle()
    refused = story.mail(CARELESS, GRACE)
    pool = {"cidr": "40.95.0.0/16", "name": "relay pool", "reason": "forwarded mail"}
    story.world.settings["ranges"] = {"grace": "0s", "extra": [pool]}
    story.settle()
    accepted = story.mail(CARELESS, GRACE)

    assert (RELAY_ADDRESS, Verdict.FAILED) == (
        refused.seen_at("google").source,
        refused.end.verdict,
    )
    assert ("exchange", "google") == accepted.stations
    assert "google" == accepted.delivered_at


def test_what_is_foretold_is_what_happens(begin: Any) -> None:
    """In a tenant full of other people's rules: whether it leaves, to which host, from which pool."""
    tenant = busy(DOMAIN)
    for one in tenant.rules:
        one["Comments"] = None
    story: Story = begin(org=tenant)
    story.settle()
    recipients = [ADA, BOTH, GRACE, f"employee1@{DOMAIN}", f"e2@{DOMAIN}", f"nobody@{DOMAIN}"]
    recipients += ["x@sub.partner.example", "x@onpremises.example", f"x@mail.{DOMAIN}"]
    pairs = [(one, other) for one in (ADA, CARELESS, PARTNER) for other in recipients]

    authoritative = story.compared([pair for pair in pairs if pair[1].endswith(f"@{DOMAIN}")])
    story.company.relay()
    relaying = story.compared(pairs)

    assert ({}, {}) == (_wrong(authoritative), _wrong(relaying))
    assert {True, False} <= {way.leaves for way, _ in relaying.values()}


def test_the_whole_way_is_foretold_as_far_as_the_last_receiver(
    begin: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """While one receiver is not ready, and once all are; a stranger's mail never more than perhaps."""
    story: Story = begin()
    story.world.approve(story.sync()["exchange"]["plan"])
    story.sync()
    shell = Shell(story.world.folder, capsys)
    monkeypatch.chdir(shell.folder)
    early, deferred = shell.json("trace", ADA, BOTH), story.mail(ADA, BOTH)
    story.settle()
    late, delivered = shell.json("trace", ADA, BOTH), story.mail(ADA, BOTH)
    stranger, lost = shell.json("trace", CARELESS, GRACE), story.mail(CARELESS, GRACE)

    assert (False, {"mimecast": True, "google": False}) == (early["ok"], _receivers(early))
    assert (Verdict.DEFERRED, NOT_LISTED) == (deferred.end.verdict, deferred.end.says)
    assert {"mimecast": True, "google": True} == _receivers(late)
    assert False is not late["ok"]
    assert "google" == delivered.delivered_at
    assert {"mimecast": None, "google": None} == _receivers(stranger)
    assert (Verdict.DEFERRED, PUT_OFF) == (lost.end.verdict, lost.end.says)


def _receivers(told: Json) -> dict[str, bool | None]:
    stages = [stage for way in told["ways"] for stage in way["stages"]]
    return {one["target"]: one["ok"] for one in stages if one["kind"] == "gateway"}


def _wrong(compared: Mapping[tuple[str, str], tuple[Way, Journey]]) -> dict[tuple[str, str], str]:
    found = {pair: _differs(*both) for pair, both in compared.items()}
    return {pair: why for pair, why in found.items() if why}


def _differs(way: Way, journey: Journey) -> str:
    """Where what happened is not what was foretold; what was left open is not wrong."""
    sent = [one for one in journey.hops if one.station == "exchange" and one.host]
    if way.leaves is not None and way.leaves is not bool(sent):
        return f"foretold to leave: {way.leaves}\n{journey}"
    if not sent or (way.leaves is None and not way.hosts):
        return ""
    if sent[0].host not in way.hosts:
        return f"foretold to leave for {way.hosts}\n{journey}"
    pool = Pool.RELAY if sent[0].source == RELAY_ADDRESS else Pool.MAIL
    return "" if way.pool in (Pool.EITHER, pool) else f"foretold from {way.pool}\n{journey}"
