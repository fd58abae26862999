"""The exchange target in each of Microsoft's clouds: its own hosts, and what is not there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args
from urllib.parse import parse_qs

import pytest

from exosync_adapters.exchange.clouds import CLOUDS as OURS
from exosync_adapters.exchange.clouds import OF_INSTANCE
from tests.standins.endpoints import EndpointsStandIn, published
from tests.standins.exchange import ExchangeStandIn, Switches
from tests.standins.exchange_clouds import CLOUDS, CloudName
from tests.standins.exchange_console import Console
from tests.standins.exchange_tenants import people
from tests.support.cli import Shell

Json = dict[str, Any]

DOMAIN, ADA, GRACE = "example.com", "ada@example.com", "grace@example.com"
INSTANCES: Mapping[CloudName, str] = {
    "worldwide": "Worldwide",
    "gcc_high": "USGovGCCHigh",
    "dod": "USGovDoD",
    "china": "China",
}
PROVEN: tuple[CloudName, ...] = ("worldwide", "gcc_high", "dod")


@dataclass
class Office:
    """A tenant in a cloud, and a shell whose configuration names the instance alone."""

    shell: Shell
    feed: EndpointsStandIn
    tenant: ExchangeStandIn
    cloud: CloudName

    def configure(self, **keys: Any) -> None:
        """Write the configuration, with further keys of the target."""
        (self.shell.folder / "secret").write_text("the-secret-of-exchange")
        target = {
            "name": "exchange",
            "kind": "exchange",
            "mode": "apply",
            "url": self.tenant.url,
            "tenant": self.tenant.tenant,
            "client_id": self.tenant.client_id,
            "credentials": {"kind": "secret", "secret": {"file": "secret"}},
            "domain": DOMAIN,
            "far_side": "other",
            "smart_hosts": ["127.0.0.2"],
            "routed": {"everyone_but": f"here@{DOMAIN}"},
            "settle": "5s",
            **keys,
        }
        feed = {"url": self.feed.url, "instance": INSTANCES[self.cloud]}
        self.shell.configure(feed=feed, targets=[target])

    def sync(self) -> Json:
        """What a run tells of the target."""
        (told,) = self.shell.json("sync")["targets"]
        found: Json = told
        return found

    def act(self) -> list[str]:
        """A person runs the scripts that wait; gives what they are for."""
        waiting = self.shell.json("todo")
        for one in waiting:
            box = self.shell.run("todo", "show", one["target"], one["setting"], "--copy").out
            Console(self.tenant.org).run(box)
        return [one["setting"] for one in waiting]

    @property
    def scopes(self) -> set[str]:
        """What tokens were asked for."""
        forms = [parse_qs(one.body.decode()) for one in self.tenant.requests if _is_token(one)]
        return {scope for form in forms for scope in form["scope"]}


def _is_token(request: Any) -> bool:
    return bool(request.path.endswith("/oauth2/v2.0/token"))


@pytest.fixture
def office(
    cloud: CloudName,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Office]:
    """A company whose tenant is in the cloud that the test is about."""
    monkeypatch.chdir(tmp_path)
    instance = INSTANCES[cloud]
    with ExitStack() as stack:
        feed = stack.enter_context(
            EndpointsStandIn(instance=instance, version=published(instance)[-1])
        )
        tenant = stack.enter_context(ExchangeStandIn(DOMAIN, switches=Switches(cloud=cloud)))
        people(tenant.org, DOMAIN, here=[ADA], elsewhere=[GRACE])
        yield Office(Shell(tmp_path, capsys), feed, tenant, cloud)
        assert [] == tenant.dangerous


def test_every_cloud_has_the_hosts_that_the_stand_in_knows() -> None:
    """Ours and those of the stand-in were written down apart."""
    ours = {name: (one.login, one.exchange, one.graph, one.trace) for name, one in OURS.items()}
    theirs = {
        name: (*(f"https://{host}" for host in (one.login, one.exchange, one.graph)), one.traces)
        for name, one in CLOUDS.items()
    }
    assert theirs == ours
    assert {instance: name for name, instance in INSTANCES.items()} == OF_INSTANCE
    assert set(get_args(CloudName)) == set(OURS)


@pytest.mark.parametrize("cloud", PROVEN)
def test_by_rest_from_nothing_to_what_is_proven(office: Office) -> None:
    """Both are made, the rule is switched on with an approval, and the domain's type is a person's."""
    office.configure(write="rest")

    first = office.sync()
    (rule,) = office.tenant.org.rules
    assert ("refused", ["rule_switch_on"], "Disabled") == (
        first["state"],
        [one["rule"] for one in first["refusals"]],
        rule["State"],
    )
    office.shell.run("approve", first["plan"], "--why", "as agreed")
    assert ("waiting", "Enabled") == (office.sync()["state"], rule["State"])
    assert ["domain"] == office.act()
    last = office.sync()

    assert ("in_sync", True) == (last["state"], last["verified"])
    assert {f"https://{CLOUDS[office.cloud].exchange}/.default"} == office.scopes


@pytest.mark.parametrize("cloud", list(INSTANCES))
def test_by_scripts_from_nothing_to_what_is_proven(office: Office) -> None:
    """In China too: what nobody has confirmed is only that its host takes commands that write."""
    office.configure(write="script")

    done = []
    for _ in range(3):
        assert "waiting" == office.sync()["state"]
        done.append(office.act())
    last = office.sync()

    assert [["connector", "rule"], ["rule"], ["domain"]] == done
    assert ("in_sync", True, 0) == (last["state"], last["verified"], office.tenant.writes)
    assert {f"https://{CLOUDS[office.cloud].exchange}/.default"} == office.scopes


@pytest.mark.parametrize("cloud", ["china"])
def test_in_china_nothing_is_written_by_rest(office: Office) -> None:
    """It cannot be approved either; the check says what is not known, and reads all the same."""
    office.configure(write="rest")

    told = office.sync()
    approved = office.shell.run("approve", told["plan"], "--why", "I am sure")
    again = office.sync()

    for one in (told, again):
        assert ("refused", ["cloud_unproven"]) == (
            one["state"],
            [refusal["rule"] for refusal in one["refusals"]],
        )
    assert (True, 0) == (approved.code != 0, office.tenant.writes)
    checks = {one["name"]: one for one in office.shell.json("check")["checks"]}
    assert (None, True) == (checks["host"]["ok"], checks["token"]["ok"])
    assert "nobody has confirmed that it takes commands" in checks["host"]["message"]


@pytest.mark.parametrize("cloud", list(INSTANCES))
def test_messages_are_followed_worldwide_alone(office: Office) -> None:
    """Elsewhere Graph is asked to send, never for a trace, and it is said that there is none."""
    office.tenant.access.app_roles |= {"Mail.Send"}
    office.configure(probe={"user": ADA})

    (way,) = office.shell.json("trace", ADA, GRACE, "--send", "--wait", "1s")["ways"]

    traced = [one for one in office.tenant.requests if "messageTraces" in one.path]
    assert ("worldwide" == office.cloud) == bool(traced)
    told = way["sent"]["stages"][0]["title"]
    is_told = told.endswith(f"there is no message trace to ask in {office.cloud}")
    assert ("worldwide" != office.cloud) == is_told
    assert 1 == len([one for one in office.tenant.requests if one.path.endswith("/sendMail")])
    assert f"https://{CLOUDS[office.cloud].graph}/.default" in office.scopes

    (way,) = office.shell.json("trace", ADA, GRACE, "--sent", way["sent"]["message_id"])["ways"]
    told = way["sent"]["stages"][0]["title"]
    is_told = told == f"there is no message trace to ask in {office.cloud}"
    assert ("worldwide" != office.cloud) == is_told
    assert 1 == len([one for one in office.tenant.requests if one.path.endswith("/sendMail")])


@pytest.mark.parametrize("cloud", ["gcc_high", "china"])
def test_a_tenant_of_another_cloud_gets_neither_secret_nor_command(office: Office) -> None:
    """Entra names the tenant's own host: nothing goes there, and the setting is named."""
    office.configure(cloud="worldwide")

    (told,) = office.shell.json("sync")["targets"]

    assert "failed" == told["state"]
    assert CLOUDS[office.cloud].login in told["error"]
    assert "`cloud`" in told["error"]
    assert 1 == len(office.tenant.requests)


@pytest.mark.parametrize("cloud", ["dod"])
def test_two_clouds_with_one_login_host_are_told_apart_by_the_scope(office: Office) -> None:
    """GCC High and DoD share it, and not the host of Exchange."""
    office.configure(cloud="gcc_high")

    (told,) = office.shell.json("sync")["targets"]

    assert ("failed", True) == (told["state"], "`cloud`" in told["error"])
    assert [] == office.tenant.asked


@pytest.mark.parametrize("cloud", ["gcc_high"])
def test_a_regional_host_of_the_cloud_is_followed_and_of_another_not(office: Office) -> None:
    """The token goes to nobody but the cloud's own host and those below it."""
    office.configure()
    office.tenant.switch(redirects=1, redirect_to="https://x.outlook.office365.us")
    assert "waiting" == office.sync()["state"]

    office.tenant.switch(redirects=1, redirect_to="https://eurprd05.outlook.office365.com")
    told = office.sync()

    assert "failed" == told["state"]
    assert "nothing is sent there" in told["error"]
