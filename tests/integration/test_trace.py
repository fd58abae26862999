"""exosync trace, check: the way of a message as the command line tells it, against stand-ins."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from pydantic import TypeAdapter

from exosync.web.shapes import Trace
from tests.standins.dns import DnsStandin
from tests.standins.endpoints import EndpointsStandIn
from tests.standins.exchange import ExchangeStandIn
from tests.support.cli import Shell
from tests.support.zones import zone_file

DOMAIN, NAME = "example.com", "exosync example.com"
ALICE, BOB, CAROL = (f"{one}@{DOMAIN}" for one in ("alice", "bob", "carol"))
GROUP = f"elsewhere@{DOMAIN}"
BREAKER = "X-Exosync-Routed"


@pytest.fixture
def tenant() -> Iterator[ExchangeStandIn]:
    """A tenant as exosync wants it: bob's mailbox is elsewhere, alice's and carol's are here."""
    with ExchangeStandIn(DOMAIN) as service:
        org = service.org
        org.domain(DOMAIN)["DomainType"] = "InternalRelay"  # type: ignore[index]
        for one in (ALICE, CAROL):
            org.add_recipient(one)
        org.add_recipient(BOB, "MailUser")
        org.add_group(GROUP, [BOB])
        org.add_connector(
            NAME,
            IsTransportRuleScoped=True,
            UseMXRecord=False,
            SmartHosts=["127.0.0.9"],
            TlsSettings="EncryptionOnly",
        )
        org.add_rule(
            NAME,
            RecipientDomainIs=[DOMAIN],
            SentToMemberOf=[GROUP],
            ExceptIfHeaderContainsMessageHeader=BREAKER,
            ExceptIfHeaderContainsWords=["exosync"],
            RouteMessageOutboundConnector=NAME,
            SetHeaderName=BREAKER,
            SetHeaderValue="exosync",
        )
        yield service


@pytest.fixture
def names() -> Iterator[DnsStandin]:
    """A name server: the domain's MX, and an SPF record that covers all that is Microsoft's."""
    zone = zone_file(
        DOMAIN,
        "@ MX 10 mx.filter.example.net.",
        '@ TXT "v=spf1 include:spf.protection.outlook.com -all"',
    )
    outlook = zone_file(
        "spf.protection.outlook.com",
        '@ TXT "v=spf1 ip4:0.0.0.0/1 ip4:128.0.0.0/1 ip6:2000::/3 -all"',
    )
    with DnsStandin({DOMAIN: zone, "spf.protection.outlook.com": outlook}) as server:
        yield server


@pytest.fixture
def shell(
    tmp_path: Path,
    tenant: ExchangeStandIn,
    names: DnsStandin,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Shell]:
    """A file, an SPF record, and the way out of Exchange Online."""
    monkeypatch.chdir(tmp_path)
    for name in [one for one in os.environ if one.startswith("EXOSYNC_")]:
        monkeypatch.delenv(name)
    (tmp_path / "secret").write_text("the-secret-of-exchange")
    with EndpointsStandIn(version="2026081400") as feed:
        made = Shell(tmp_path, capsys)
        made.configure(
            feed={"url": feed.url},
            targets=[
                {"name": "edge", "kind": "file", "mode": "apply", "path": "exo.txt"},
                spf(names),
                exchange(tenant, names),
            ],
        )
        yield made


def spf(names: DnsStandin) -> dict[str, Any]:
    """A target that watches the domain's record."""
    resolver = f"127.0.0.1:{names.port}"
    dns = {"server": "127.0.0.1", "port": names.port, "resolvers": [resolver]}
    return {"name": "spf", "kind": "spf", "domain": DOMAIN, "dns": dns}


def exchange(tenant: ExchangeStandIn, names: DnsStandin, **keys: Any) -> dict[str, Any]:
    """The target, as it was made by hand in the tenant."""
    return {
        "name": "exchange",
        "kind": "exchange",
        "url": tenant.url,
        "tenant": tenant.tenant,
        "client_id": tenant.client_id,
        "credentials": {"kind": "secret", "secret": {"file": "secret"}},
        "domain": DOMAIN,
        "far_side": "other",
        "smart_hosts": ["127.0.0.9"],
        "routed": {"group": GROUP},
        "validation_recipients": [BOB],
        "sender": ALICE,
        "resolvers": [f"127.0.0.1:{names.port}"],
        "timeout": "30s",
        **keys,
    }


def stations(view: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The last station of each kind of the only way."""
    (way,) = view["ways"]
    return {one["kind"]: one for one in way["stages"]}


def test_the_way_of_bobs_mail_is_told_from_end_to_end(shell: Shell) -> None:
    """Rule, connector, host, addresses, SPF, who lets it in, and where it could come back."""
    shell.run("sync")
    ended = shell.run("trace", ALICE, BOB, "--json")
    view = ended.json
    kinds = [one["kind"] for one in view["ways"][0]["stages"]]
    assert [
        "domain",
        "rule",
        "connector",
        "smart_host",
        "delivery",
        "source",
        "spf",
        "gateway",
        "loop",
    ] == kinds
    found = stations(view)
    unknown = {name for name, one in found.items() if one["ok"] is not True}
    assert {"smart_host"} == unknown, "nobody answers on port 25 of loopback"
    assert "passes" in found["spf"]["title"]
    assert "edge knows all" in found["gateway"]["title"]
    assert (2, None, True) == (ended.code, view["ok"], view["ways"][0]["leaves"])


def test_nothing_is_written_by_telling_a_way(shell: Shell, tenant: ExchangeStandIn) -> None:
    """Only questions are asked."""
    shell.run("trace", ALICE, BOB)
    assert 0 == tenant.writes
    assert tenant.asked


def test_carols_mail_stays_here(shell: Shell) -> None:
    """What stays is asked of nobody else, and arrives: exit code 0."""
    ended = shell.run("trace", ALICE, CAROL, "--json")
    assert (0, True) == (ended.code, ended.json["ok"])
    assert ["domain", "rule", "delivery"] == list(stations(ended.json))
    assert "delivered to the mailbox" in stations(ended.json)["delivery"]["title"]


def test_a_rule_that_is_switched_off_leads_astray(shell: Shell, tenant: ExchangeStandIn) -> None:
    """Bob's mail stays in the tenant, and the command ends with 4."""
    tenant.org.rules[0]["State"] = "Disabled"
    ended = shell.run("trace", ALICE, BOB)
    assert 4 == ended.code
    assert "astray" in ended.out
    assert "it is disabled" in ended.out


def test_why_an_end_is_the_wrong_one_stands_beside_it(
    shell: Shell, tenant: ExchangeStandIn
) -> None:
    """Nothing routes carol's mail, who is in the group."""
    tenant.org.groups[GROUP].append(CAROL)
    tenant.org.rules.clear()
    shown = " ".join(shell.run("trace", ALICE, CAROL).out.split())
    wrong = f"delivered to the mailbox of {CAROL} here (its mailbox should be on the other side)"
    assert f"goes astray: {wrong}" in shown


def test_a_list_that_is_not_known_yet_leaves_the_addresses_open(shell: Shell) -> None:
    """Before the first run no range is known; the way is told as far as it goes."""
    view = shell.json("trace", ALICE, BOB)
    assert view["version"] is None
    titles = [one["title"] for one in view["ways"][0]["stages"]]
    assert "from which addresses it leaves is not known" in titles


def test_a_tenant_that_does_not_answer_is_told(shell: Shell, tenant: ExchangeStandIn) -> None:
    """A target that failed: 4, and the reason."""
    tenant.access.client_secret = "another"
    ended = shell.run("trace", ALICE, BOB)
    assert 4 == ended.code
    assert "cannot be told:" in ended.out


def test_a_stranger_may_leave_from_the_relay_pool(shell: Shell) -> None:
    """The file does not know the pool; whether it is used is not known."""
    shell.run("sync")
    found = stations(shell.json("trace", "eve@example.org", BOB))
    assert found["gateway"]["ok"] is None
    assert "not the relay pool 40.95.0.0/16" in found["gateway"]["title"]
    assert "no target of kind spf" in "".join(found["spf"]["says"])


def test_a_host_without_ipv6_is_reached_by_ipv4_alone(shell: Shell) -> None:
    """What a receiver knows of IPv6 is then of no interest: Mimecast's policies take none."""
    shell.run("sync")
    view = shell.json("trace", ALICE, BOB)
    assert ["ipv4"] == view["ways"][0]["families"]
    found = stations(view)
    assert "edge knows all 4 IPv4 ranges" == found["gateway"]["title"]
    assert "by IPv4 alone" in "".join(found["source"]["says"])


def test_an_address_is_the_same_in_every_dress(shell: Shell, tenant: ExchangeStandIn) -> None:
    """In capitals, in angle brackets, by another of its addresses."""
    tenant.org.recipient(BOB)["EmailAddresses"].append(f"smtp:robert@{DOMAIN}")  # type: ignore[index]
    for to in (BOB.upper(), f"<{BOB}>", f"Robert@{DOMAIN}"):
        way = shell.json("trace", ALICE, to)["ways"][0]
        assert (True, ["127.0.0.9"]) == (way["leaves"], way["hosts"])


def test_an_address_with_a_plus_may_be_somebodys(shell: Shell) -> None:
    """Whether plus addressing is on is not asked, nor what rules make of it."""
    view = shell.json("trace", ALICE, f"bob+news@{DOMAIN}")
    titles = [one["title"] for one in view["ways"][0]["stages"]]
    assert f"bob+news@{DOMAIN} is {BOB} if plus addressing is on" == titles[0]
    assert (None, None) == (view["ok"], view["ways"][0]["leaves"])
    nobody = shell.json("trace", ALICE, f"zoe+news@{DOMAIN}")
    assert "plus addressing" not in str(nobody), "there is no zoe"


def test_an_alias_at_the_domain_of_somebody_elsewhere_is_open(
    shell: Shell, tenant: ExchangeStandIn
) -> None:
    """Rules look at the primary address, and whether at its domain too is not told."""
    eve = f"eve@{DOMAIN}"
    tenant.org.add_recipient("eve@corp.example.net", aliases=[eve])
    tenant.org.groups[GROUP].append("eve@corp.example.net")
    rule = stations(shell.json("trace", ALICE, eve))["rule"]
    assert rule["ok"] is None
    assert f"RecipientDomainIs {DOMAIN}" in "".join(rule["says"])


def test_a_name_below_the_domain_is_another_domain(shell: Shell) -> None:
    """It goes where its own MX leads, in A-labels if need be; rules for the domain may take it."""
    view = shell.json("trace", ALICE, "bob@büro.example.com")
    assert "bob@xn--bro-hoa.example.com" == view["to"]
    found = stations(view)
    assert "is no accepted domain" in found["domain"]["title"]
    assert "not the domain that this target is for" in "".join(found["delivery"]["says"])


def test_who_receives_counts_for_a_name_below_only_where_a_connector_takes_mail_there(
    shell: Shell, tenant: ExchangeStandIn
) -> None:
    """Nobody here looks after that name; a rule for the domain may send its mail all the same."""
    shell.run("sync")
    carol = f"carol@sub.{DOMAIN}"
    alone = [one["kind"] for one in stations(shell.json("trace", ALICE, carol)).values()]
    assert ["domain", "rule", "delivery", "source", "spf"] == alone
    del tenant.org.rules[0]["SentToMemberOf"]
    taken = stations(shell.json("trace", ALICE, carol))
    assert (True, "edge knows all 4 IPv4 ranges") == (
        taken["connector"]["ok"],
        taken["gateway"]["title"],
    )


def test_members_of_groups_in_the_group_count(shell: Shell, tenant: ExchangeStandIn) -> None:
    """Carol is in a group that is in the group."""
    tenant.org.add_group(f"inner@{DOMAIN}", [CAROL])
    tenant.org.groups[GROUP].append(f"inner@{DOMAIN}")
    assert shell.json("trace", ALICE, CAROL)["ways"][0]["leaves"] is True


def test_what_is_no_address_is_refused(shell: Shell, tenant: ExchangeStandIn) -> None:
    """Before anything is asked."""
    for text in ("bob", "bob@", "@example.com", "bob@localhost", "b b@example.com", "bob@a..com"):
        ended = shell.run("trace", ALICE, text)
        assert 64 == ended.code
        assert f"TO: {text!r} is not an email address" in ended.err
    several = shell.run("trace", ALICE, f"{BOB},{CAROL}")
    assert (64, True) == (several.code, "one at a time" in several.err)
    bounce = shell.run("trace", "<>", BOB)
    assert (64, True) == (bounce.code, "a bounce goes like any message from outside" in bounce.err)
    assert [] == tenant.asked


def test_without_a_router_there_is_nothing_to_tell(shell: Shell, names: DnsStandin) -> None:
    """The error says what is missing."""
    shell.configure(targets=[spf(names)])
    ended = shell.run("trace", ALICE, BOB)
    assert 64 == ended.code
    assert "kind exchange" in ended.err


def test_of_many_tenants_none_is_asked_for_strangers(
    shell: Shell, tenant: ExchangeStandIn, names: DnsStandin
) -> None:
    """A provider who mistypes a domain hears so at once."""
    many = [
        {
            **exchange(tenant, names, name=f"t{number}", domain=f"d{number}.example"),
            "validation_recipients": [],
            "sender": f"a@d{number}.example",
        }
        for number in range(11)
    ]
    shell.configure(targets=many)
    before = len(tenant.requests)

    ended = shell.run("trace", "ada@example.net", "eve@example.org")

    assert (64, before) == (ended.code, len(tenant.requests))
    assert (
        "neither ada@example.net nor eve@example.org is at the domain of one of the 11" in ended.err
    )
    shell.configure(targets=many[:2])
    assert ["t0", "t1"] == [
        one["target"] for one in shell.json("trace", "ada@example.net", "eve@example.org")["ways"]
    ]


def test_check_follows_a_message_to_each_validation_recipient(
    shell: Shell, tenant: ExchangeStandIn
) -> None:
    """A warning where something cannot be told, a failure where it goes astray."""
    assert way_to_bob(shell)["ok"] is None
    tenant.org.rules[0]["State"] = "Disabled"
    found = way_to_bob(shell)
    assert found["ok"] is False
    assert f"exosync trace {ALICE} {BOB}" == found["remedy"]


def way_to_bob(shell: Shell) -> dict[str, Any]:
    """What check says of it."""
    checks = shell.json("check")["checks"]
    return next(one for one in checks if one["name"] == f"way to {BOB}")


def test_the_json_has_the_shape_that_is_published(shell: Shell) -> None:
    """No key more, none less."""
    shell.run("sync")
    schema = TypeAdapter(Trace).json_schema()
    jsonschema.validate(shell.json("trace", ALICE, BOB), schema)
    jsonschema.validate(shell.json("trace", ALICE, CAROL), schema)


def test_a_narrow_terminal_has_room_for_the_way(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No line is wider than it, and every station has its word."""
    from exosync.render.way import drawn

    view = shell.json("trace", ALICE, BOB)
    for width in (32, 40, 80):
        lines = [text for text, _ in drawn(view, width=width)]
        assert max(map(len, lines)) <= width
        stages = view["ways"][0]["stages"]
        words = [line for line in lines if line.startswith(("ok ", "astray ", "unknown "))]
        assert len(stages) == len(words)


def test_a_name_is_not_broken_where_it_has_a_hyphen(shell: Shell) -> None:
    """So that it can be marked and copied."""
    from exosync.render.way import drawn

    host = "eu-smtp-inbound-1.example.net"
    view = shell.json("trace", ALICE, BOB)
    view["ways"][0]["stages"][0]["title"] = f"a host by the name of {host}"
    lines = [text for text, _ in drawn(view, width=40, line="|")]
    assert any(host in line for line in lines)
    assert all(line.isascii() for line in lines)
