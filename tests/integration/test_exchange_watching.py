"""Smart hosts are looked at by every run: real DNS, real SMTP with STARTTLS, and real silence."""

from __future__ import annotations

import json
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self

import pytest
import trustme

from exosync.core.desired import Desired
from exosync.core.ranges import IpRanges
from exosync.core.target import Context, Draft, Finding, Observed
from exosync.core.tasks import Known
from exosync.errors import TargetUnreachable
from exosync_adapters.exchange.recalled import remembered_way
from exosync_adapters.exchange.settings import ExchangeSettings
from exosync_adapters.exchange.target import ExchangeTarget
from exosync_adapters.exchange.way.hosts import Trial
from exosync_adapters.exchange.way.watching import Watcher
from tests.standins.dns import DnsStandin, Fault
from tests.standins.endpoints import EndpointsStandIn
from tests.standins.exchange import ExchangeStandIn
from tests.standins.smtp import SmtpStandIn
from tests.support.world import World, only, rules
from tests.support.zones import zone_file

GATE, OTHER, MUTE, NOWHERE = (f"{one}.far.test" for one in ("gate", "other", "mute", "nowhere"))
SECRET = "the-secret-of-exchange"
HOUR = timedelta(hours=1)
DESIRED = Desired("Worldwide", "2026081400", IpRanges.parse(["40.92.0.0/15", "104.47.0.0/17"]))
ZONE = zone_file("far.test", "gate IN A 127.0.0.1", "other IN A 127.0.0.1", "mute IN A 127.0.0.9")
BLIND: dict[str, Any] = {
    "tenant": "8a3bd10e-5b2c-4f6d-9a11-0c6f7e2d1b34",
    "domain": "example.com",
    "far_side": "other",
    "routed": {"group": "there@example.com"},
}
"""Without credentials only the hosts can be seen."""


@pytest.fixture(scope="module")
def ca() -> trustme.CA:
    """An authority of the tests' own, which Exchange Online would trust."""
    return trustme.CA()


@pytest.fixture
def names() -> Iterator[DnsStandin]:
    """Where the hosts are."""
    with DnsStandin({"far.test": ZONE}) as server:
        yield server


def serving(ca: trustme.CA, *shown: str) -> ssl.SSLContext:
    """What a host shows."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    ca.issue_cert(*shown).configure_cert(context)
    return context


def watcher(ca: trustme.CA, port: int, *, within: float = 60) -> Watcher:
    """It goes to a port that a test may open, and trusts the tests' authority.

    The time is so long that a busy machine asks no name server twice.
    """
    trust = ssl.create_default_context()
    ca.configure_trust(trust)
    return Watcher(Trial(port=port, within=within, trust=trust))


@dataclass
class Runs:
    """One target over many runs an hour apart, with what is remembered as JSON."""

    watcher: Watcher
    keys: dict[str, Any]
    now: datetime = datetime(2026, 11, 26, 12, tzinfo=UTC)
    remembered: dict[str, Any] = field(default_factory=dict)

    def target(self, **keys: Any) -> ExchangeTarget:
        """A target of its own, as every run makes one."""
        settings = ExchangeSettings.model_validate({**BLIND, **self.keys, **keys})
        context = Context(
            owner="exosync",
            families="both",
            instance="Worldwide",
            base=Path(),
            reveal=lambda _: SECRET,
            pause=lambda _: None,
        )
        return ExchangeTarget("exchange", settings, context, watcher=self.watcher)

    def look(self, **keys: Any) -> Observed:
        """What one run observes."""
        seen = self.target(**keys).observe(Known(self.now, remembered=self.remembered))
        self.remembered = json.loads(json.dumps(seen.remember))
        self.now += HOUR
        return seen

    def told(self, **keys: Any) -> list[str]:
        """What one run tells of the hosts."""
        return [one.rule for one in self.findings(**keys)]

    def findings(self, **keys: Any) -> list[Finding]:
        """The same with the words."""
        return [one for one in self.look(**keys).findings if one.rule.startswith("host")]


def reading(tenant: ExchangeStandIn) -> dict[str, Any]:
    """What lets a target read a tenant."""
    return {
        "url": tenant.url,
        "tenant": tenant.tenant,
        "client_id": tenant.client_id,
        "credentials": {"kind": "secret", "secret": {"env": "SECRET"}},
    }


def runs(of: Watcher, names: DnsStandin, *hosts: str, **keys: Any) -> Runs:
    """The runs of a target that sends to these hosts."""
    return Runs(of, {"smart_hosts": [*hosts], "resolvers": [f"{names.host}:{names.port}"], **keys})


def test_hosts_that_do_as_they_should_are_not_told_of(ca: trustme.CA, names: DnsStandin) -> None:
    """Their names are looked up, and STARTTLS is seen; no mail is sent."""
    with SmtpStandIn(starttls=serving(ca, GATE)) as host:
        one = runs(watcher(ca, host.port), names, GATE, tls="name", tls_name=GATE)
        assert [[], [], []] == [one.told() for _ in range(3)]
    assert ([], 3) == (host.mails, len(host.greetings))


def test_what_a_run_saw_is_told_of_a_way_afterwards_without_asking_anybody(
    ca: trustme.CA, names: DnsStandin
) -> None:
    """The host that answered, and the one of the connector that no run looks at."""
    name, bob = "exosync example.com", "bob@example.com"
    with (
        ExchangeStandIn("example.com", client_secret=SECRET) as tenant,
        SmtpStandIn(starttls=serving(ca, GATE)) as host,
    ):
        tenant.org.add_connector(
            name, IsTransportRuleScoped=True, UseMXRecord=False, SmartHosts=[GATE, OTHER]
        )
        tenant.org.add_rule(name, SentTo=[bob], RouteMessageOutboundConnector=name)
        one = runs(watcher(ca, host.port), names, GATE, **reading(tenant))
        one.look()
        settings = ExchangeSettings.model_validate({**BLIND, **one.keys})
        before = len(host.greetings)
        found = remembered_way(settings, one.remembered, "a@example.com", bob)
        assert before == len(host.greetings)
    assert found is not None
    first, second = (each for each in found.stages if each.kind == "smart_host")
    assert (f"{GATE} (127.0.0.1)", True) == (first.title, first.ok)
    assert f"STARTTLS with a certificate for {GATE}" in first.says[1]
    assert "as seen at 2026-11-26 12:00 UTC" == first.says[-1]
    assert (OTHER, None) == (second.title, second.ok)


def test_a_name_that_does_not_exist_is_told_at_once_and_a_silent_host_after_two_runs(
    ca: trustme.CA, names: DnsStandin
) -> None:
    """Another host answers, so this machine is let out; credentials or none, it is the same."""
    with (
        ExchangeStandIn("example.com", client_secret=SECRET) as tenant,
        SmtpStandIn(starttls=serving(ca, GATE)) as host,
    ):
        of = watcher(ca, host.port)
        for keys in ({}, reading(tenant)):
            one = runs(of, names, GATE, MUTE, NOWHERE, **keys)
            first, second, third = one.findings(), one.findings(), one.findings()
            assert (["host_unresolved"], second) == ([each.rule for each in first], third)
            assert ["host_unresolved", "host_silent"] == [each.rule for each in second]
            assert NOWHERE in first[0].message
            assert f" {MUTE}," in second[1].message


def test_a_host_without_starttls_is_told_until_it_has_offered_it_twice(
    ca: trustme.CA, names: DnsStandin
) -> None:
    """The connector always uses TLS."""
    with SmtpStandIn() as host:
        one = runs(watcher(ca, host.port), names, GATE)
        assert ["host_no_starttls"] == one.told()
        host.starttls = serving(ca, GATE)
        assert [["host_no_starttls"], []] == [one.told(), one.told()]


@pytest.mark.parametrize(
    ("shown", "keys", "told"),
    [
        (["other.test"], {}, []),
        (["other.test"], {"tls": "trusted"}, []),
        (["other.test"], {"tls": "name", "tls_name": GATE}, ["host_certificate"]),
        (["*.far.test"], {"tls": "name", "tls_name": GATE}, []),
        (["other.test"], {"far_side": "google_workspace"}, ["host_not_far_side"]),
        (["mx.google.com"], {"far_side": "google_workspace"}, []),
        (["other.test"], {"far_side": "mimecast"}, []),
    ],
)
def test_a_certificate_is_told_of_where_it_does_not_do(
    ca: trustme.CA, names: DnsStandin, shown: list[str], keys: dict[str, Any], told: list[str]
) -> None:
    """As the connector looks at it; and of Google it is known what its hosts show."""
    with SmtpStandIn(starttls=serving(ca, *shown)) as host:
        assert told == runs(watcher(ca, host.port), names, GATE, **keys).told()


def test_a_certificate_of_an_authority_that_nobody_knows_is_told_of(
    ca: trustme.CA, names: DnsStandin
) -> None:
    """Only where the connector wants one of a public authority."""
    with SmtpStandIn(starttls=serving(trustme.CA(), GATE)) as host:
        of = watcher(ca, host.port)
        assert ["host_certificate"] == runs(of, names, GATE, tls="trusted").told()
        assert [] == runs(of, names, GATE).told()


def test_a_name_server_that_gives_no_answer_is_told_only_if_it_stays_so(
    ca: trustme.CA, names: DnsStandin
) -> None:
    """And the end of it likewise."""
    with SmtpStandIn(starttls=serving(ca, GATE)) as host:
        one = runs(watcher(ca, host.port), names, GATE)
        told = [one.told()]
        for fault in (Fault.SERVFAIL, None, Fault.SERVFAIL, Fault.SERVFAIL, None, None):
            names.faults.queries = fault
            told.append(one.told())

    lost = ["host_unresolved"]
    assert [[], [], [], [], lost, lost, []] == told


def test_where_nobody_is_let_out_the_port_is_tried_twice_and_then_once_a_day(
    ca: trustme.CA, names: DnsStandin
) -> None:
    """One note says that nothing can be told; names are looked up all the same."""
    with closing() as door:
        one = runs(watcher(ca, door.port), names, GATE, OTHER, NOWHERE)
        told = [one.told() for _ in range(24)]
        knocked, asked = door.knocked, len(names.asked)
        one.told()
        one.told()

    note = ["host_unresolved", "hosts_out_of_reach"]
    assert (["host_unresolved"], [note] * 23) == (told[0], told[1:])
    assert (2 * 2, 2 * 3) == (knocked, door.knocked)
    assert 24 * 3 * 2 == asked


def test_many_targets_share_one_look_at_a_host(ca: trustme.CA, names: DnsStandin) -> None:
    """Whether at the same time or one after the other; ten minutes later it is another one."""
    with SmtpStandIn(starttls=serving(ca, GATE)) as host:
        of = watcher(ca, host.port)
        targets = [runs(of, names, GATE, OTHER) for _ in range(20)]
        threads = [threading.Thread(target=one.told) for one in targets]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(120)
        first = len(host.greetings)
        late = runs(of, names, GATE, OTHER)
        late.now += timedelta(minutes=9)
        late.told()
        second = len(host.greetings)
        late.now += timedelta(minutes=1) - HOUR
        late.told()

    assert (2, 2, 4) == (first, second, len(host.greetings))


def test_targets_that_come_out_of_turn_share_it_too(ca: trustme.CA, names: DnsStandin) -> None:
    """Those that wait for another's look began before it as often as after it."""
    with SmtpStandIn(starttls=serving(ca, GATE)) as host:
        shared = watcher(ca, host.port)
        for number in range(4):
            one = runs(shared, names, GATE)
            one.now -= timedelta(milliseconds=number)
            assert [] == one.told()
    assert 1 == len(host.greetings)


def test_where_many_are_silent_and_nobody_answers_the_next_is_not_waited_for(
    ca: trustme.CA, names: DnsStandin
) -> None:
    """So what a run waits for does not grow with its targets; ten minutes later it is tried anew."""
    with closing() as door:
        of = watcher(ca, door.port)
        targets = [runs(of, names, f"127.0.0.{number}") for number in range(1, 41)]
        with ExitStack() as stack:
            doors = [stack.enter_context(closing(f"127.0.0.{n}", door.port)) for n in range(2, 41)]
            told = [one.told() for one in targets]
            first = door.knocked + sum(one.knocked for one in doors)
            again = [one.told() for one in targets]
            second = door.knocked + sum(one.knocked for one in doors)

    assert ([[]] * 40, 8, 16) == (told, first, second)
    assert 8 == sum(one == ["hosts_out_of_reach"] for one in again)


@pytest.mark.parametrize("where", ["104.47.8.36", "127.0.0.1"])
def test_a_host_that_leads_to_exchange_online_by_now_is_told_though_nothing_is_to_do(
    ca: trustme.CA, where: str
) -> None:
    """Once connector and rule stand, nothing is refused any more; and mail would go round."""
    zone = zone_file("far.test", f"gate IN A {where}")
    with DnsStandin({"far.test": zone}) as names:
        one = runs(watcher(ca, 1), names, GATE, try_hosts="resolve")
        target = one.target()
        observed = target.observe(Known(one.now))
        draft = target.rehearse(DESIRED, observed, Draft(IpRanges(), IpRanges()))

    own = ["loop_possible"] if where.startswith("104.") else []
    assert own == [each.rule for each in draft.findings]


@pytest.mark.parametrize(
    ("keys", "asked"), [({"try_hosts": "resolve"}, 2), ({"try_hosts": "never"}, 0)]
)
def test_no_more_is_done_than_the_configuration_lets(
    ca: trustme.CA, names: DnsStandin, keys: dict[str, Any], asked: int
) -> None:
    """Names alone, or nothing."""
    with SmtpStandIn() as host:
        assert [] == runs(watcher(ca, host.port), names, GATE, **keys).told()

    assert (asked, []) == (len(names.asked), host.greetings)


def test_nothing_is_asked_of_what_is_to_be_removed(ca: trustme.CA, names: DnsStandin) -> None:
    """Its hosts matter to nobody any more."""
    with SmtpStandIn() as host:
        assert [] == runs(watcher(ca, host.port), names, GATE, NOWHERE, remove=True).told()

    assert ([], []) == (list(names.asked), host.greetings)


def test_hosts_that_say_nothing_at_all_keep_no_run(ca: trustme.CA, names: DnsStandin) -> None:
    """All are waited for together; and a tenant that cannot be read fails as ever."""
    hosts = [f"127.0.0.{number}" for number in range(20, 40)]
    with ExitStack() as stack:
        first = stack.enter_context(socket.create_server((hosts[0], 0)))
        port = int(first.getsockname()[1])
        for host in hosts[1:]:
            stack.enter_context(socket.create_server((host, port)))
        one = runs(watcher(ca, port, within=2), names, *hosts)
        assert [[], ["hosts_out_of_reach"]] == [one.told(), one.told()]
        with pytest.raises(TargetUnreachable):
            one.told(
                url="http://127.0.0.1:1",
                client_id=BLIND["tenant"],
                credentials={"kind": "secret", "secret": {"env": "SECRET"}},
                timeout="1s",
            )


def test_what_is_told_is_kept_and_told_by_every_run(tmp_path: Path) -> None:
    """Over the state's own memory; runs that find the same are counted as one."""
    zone = zone_file("far.test", "mute IN A 127.0.0.9")
    with EndpointsStandIn() as feed, DnsStandin({"far.test": zone}) as names:
        out = {
            **BLIND,
            "name": "out",
            "kind": "exchange",
            "smart_hosts": [MUTE, NOWHERE],
            "resolvers": [f"{names.host}:{names.port}"],
        }
        world = World(tmp_path, feed, [out])
        told = []
        for _ in range(4):
            told.append(rules(only(world.sync()), "findings"))
            world.pass_time(hours=1)
        with world.opened() as one:
            repeats = [run.repeats for run in one.store.runs(9)]

    note = ["host_unresolved", "hosts_out_of_reach"]
    assert [["host_unresolved"], note, note, note] == told
    assert [2, 0] == repeats


@dataclass
class Door:
    """A port that closes every connection; `knocked` counts them."""

    listener: socket.socket
    knocked: int = 0

    @property
    def port(self) -> int:
        """Where it is."""
        return int(self.listener.getsockname()[1])

    def serve(self) -> Self:
        """Close all that comes."""
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return self
            self.knocked += 1
            connection.close()


@contextmanager
def closing(host: str = "127.0.0.1", port: int = 0) -> Iterator[Door]:
    """As a network that lets nobody out, but for the waiting."""
    door = Door(socket.create_server((host, port)))
    thread = threading.Thread(target=door.serve, daemon=True)
    thread.start()
    try:
        yield door
    finally:
        door.listener.shutdown(socket.SHUT_RDWR)
        door.listener.close()
        thread.join(10)
