"""The way of a message from end to end: what is told of each station, and how it ends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from exosync.core.trace import Pool, Stage, Sure, Way
from exosync_adapters.exchange.aim import Aim
from exosync_adapters.exchange.memory import Memory
from exosync_adapters.exchange.recalled import remembered_way
from exosync_adapters.exchange.records import (
    AcceptedDomain,
    Connector,
    DomainType,
    Listing,
    Organisation,
)
from exosync_adapters.exchange.settings import ExchangeSettings
from exosync_adapters.exchange.way.host_records import Certificate, Hosts, HostSeen, MxSeen
from exosync_adapters.exchange.way.hosts import Trial
from exosync_adapters.exchange.way.letters import SOMEBODY, Folk, Groups, Message, Party
from exosync_adapters.exchange.way.stations import host_stages
from exosync_adapters.exchange.way.tracing import live_way, message_of, way
from tests.support.tenants import (
    AT,
    GROUPS,
    HERE,
    NOBODY,
    THERE,
    authoritative,
    connecting,
    message,
    organisation,
    routing,
    settings,
)

GATE = "gate.example.net"
GOOD = HostSeen(
    GATE,
    ("192.0.2.7",),
    exists=True,
    answers=True,
    greeting="gate.example.net ESMTP",
    starttls=True,
    certificate=Certificate((GATE,), AT + timedelta(days=90), trusted=True),
)
EVERYTHING = settings(smart_hosts=[GATE], far_side="other")
WITHOUT = settings(smart_hosts=[GATE], far_side="other", routed={"whole_domain": "acknowledged"})
MX_ELSEWHERE = {"example.com": MxSeen(("mx.filter.example.net",))}
MX_OURS = {"example.com": MxSeen(("example-com.mail.protection.outlook.com",))}


def told(
    one: Message | None = None,
    *,
    wanted: ExchangeSettings = EVERYTHING,
    tenant: Organisation | None = None,
    seen: HostSeen | None = GOOD,
    mx: Mapping[str, MxSeen] = MX_ELSEWHERE,
    groups: Groups = GROUPS,
) -> Way:
    """The way of a message; by default of one that passes as it should."""
    hosts = Hosts({GATE: seen} if seen else {}, mx)
    return way(wanted, tenant or organisation(wanted), one or message(), groups=groups, hosts=hosts)


def stage(found: Way, kind: str) -> Stage:
    """The last stage of a kind."""
    return [one for one in found.stages if one.kind == kind][-1]


def words(found: Way, kind: str) -> str:
    """All that is said of it."""
    one = stage(found, kind)
    return "\n".join((one.title, *one.says))


def test_what_is_right_is_right_at_every_station() -> None:
    """Domain, rule, connector, host, end, addresses; what comes back is not routed again."""
    found = told()
    kinds = [one.kind for one in found.stages]
    assert ["domain", "rule", "connector", "smart_host", "delivery", "source", "loop"] == kinds
    assert [True] * 7 == [one.ok for one in found.stages]
    assert (True, (GATE,), Pool.MAIL) == (found.leaves, found.hosts, found.pool)


def test_a_loop_breaker_is_not_enough_where_the_mx_is_exchange_online() -> None:
    """What comes back is not routed again, and goes to the MX, which is where it is."""
    found = told(message(to=NOBODY), wanted=WITHOUT, mx=MX_OURS)
    assert stage(found, "loop").ok is None
    assert "554 5.4.14" in words(found, "loop")
    assert stage(told(message(to=NOBODY), wanted=WITHOUT), "loop").ok is True


@pytest.mark.parametrize("mx", [{}, {"example.com": MxSeen((), "its MX cannot be looked up")}])
def test_where_the_mx_is_not_known_it_is_open_whether_it_goes_round(
    mx: dict[str, MxSeen],
) -> None:
    """It may be Exchange Online; on the page nobody looked it up."""
    found = told(message(to=NOBODY), wanted=WITHOUT, mx=mx)
    assert stage(found, "loop").ok is None
    assert "which may lead here again" in words(found, "loop")


def test_where_the_mx_is_the_other_side_it_is_told_who_could_make_it_go_round() -> None:
    """The loop breaker ends what the rule would do, and not what the MX does."""
    found = told(message(to=NOBODY), wanted=WITHOUT, mx={"example.com": MxSeen((GATE,))})
    assert f"so if {GATE} always sends it back, round until 554 5.4.14" in words(found, "loop")
    assert "always sends it back" not in words(told(message(to=NOBODY), wanted=WITHOUT), "loop")


def test_without_whom_the_rule_keeps_here_nothing_can_loop() -> None:
    """A recipient with a mailbox here: what comes back is delivered."""
    found = told(message(to=HERE))
    assert stage(found, "loop").ok is True
    assert found.ok is True
    assert "a mailbox of that address is here too" in words(found, "delivery")


def test_a_loop_that_nothing_ends_is_told() -> None:
    """Without loop breaker the rule routes it again."""
    wanted = settings(smart_hosts=[GATE], far_side="other", exceptions={"loop_breaker": None})
    found = told(wanted=wanted, mx=MX_OURS)
    assert stage(found, "loop").ok is None
    assert "it can loop" in words(found, "loop")
    assert "mail.protection.outlook.com" in words(found, "loop")


def test_a_relay_whose_mx_is_exchange_online_loops() -> None:
    """The rule is off: Exchange Online sends it to itself until it has had enough."""
    tenant = organisation(EVERYTHING, rules=(), connectors=())
    found = told(message(to=NOBODY), tenant=tenant, mx=MX_OURS)
    assert stage(found, "loop").ok is False
    assert "554 5.4.14" in words(found, "loop")


def test_a_connector_that_uses_mx_loops_too() -> None:
    """It is the same mistake in another place."""
    tenant = organisation(EVERYTHING)
    by_mx = replace(tenant.connectors[0], use_mx=True, smart_hosts=())
    found = told(tenant=replace(tenant, connectors=(by_mx,)), mx=MX_OURS)
    assert stage(found, "loop").ok is False
    assert ("example-com.mail.protection.outlook.com",) == found.hosts


def test_where_the_mx_leads_is_told_and_not_judged() -> None:
    """A filter in front may hand it to Exchange Online again."""
    tenant = organisation(EVERYTHING, rules=(), connectors=())
    found = told(message(to=NOBODY), tenant=tenant)
    assert "mx.filter.example.net" in words(found, "loop")
    assert stage(found, "loop").ok is None


def test_whether_it_is_routed_again_is_open_where_rules_were_not_all_read() -> None:
    """One that was not read may route what comes back."""
    cut = replace(organisation(EVERYTHING), incomplete={Listing.RULES: "cut"})
    found = told(message(to=THERE), tenant=cut)
    assert stage(found, "loop").ok is None
    assert "routed again cannot be told" in stage(found, "loop").title


def test_a_type_that_nobody_read_is_not_called_one_that_exosync_does_not_know() -> None:
    """Without credentials, before anybody has spoken of the domain."""
    unknown = (AcceptedDomain("example.com", DomainType.UNKNOWN),)
    unread = organisation(EVERYTHING, domains=unknown, incomplete={Listing.DOMAINS: "unread"})
    assert "is not known\nunread" in words(told(tenant=unread), "domain")
    odd = organisation(EVERYTHING, domains=unknown)
    assert "of a type unknown to exosync" in words(told(tenant=odd), "domain")


def test_a_message_that_stays_and_should_leave_goes_astray() -> None:
    """The rule is switched off."""
    tenant = organisation(EVERYTHING)
    tenant = replace(tenant, rules=(replace(tenant.rules[0], enabled=False),))
    found = told(message(to=HERE), tenant=tenant)
    assert (False, False) == (found.leaves, found.ok)
    assert "should be on the other side" in words(found, "delivery")
    assert "source" not in [one.kind for one in found.stages]


def test_a_local_mailbox_whose_mail_is_sent_away_goes_astray() -> None:
    """A rule on the domain alone also takes the mail of mailboxes here."""
    tenant = organisation(
        EVERYTHING,
        rules=(routing("all", "theirs"),),
        connectors=(connecting("theirs", scoped=True),),
    )
    found = told(message(recipient="carol@example.com", to=HERE), tenant=tenant)
    assert (True, False) == (found.leaves, stage(found, "delivery").ok)


def test_everyone_but_is_the_other_way_round() -> None:
    """Who is in the group stays."""
    wanted = settings(
        smart_hosts=[GATE], far_side="other", routed={"everyone_but": "here@example.com"}
    )
    groups = {"here@example.com": frozenset({"carol@example.com"})}
    stays = told(message(recipient="carol@example.com", to=HERE), wanted=wanted, groups=groups)
    leaves = told(message(to=NOBODY), wanted=wanted, groups=groups)
    assert (False, True) == (stays.leaves, stays.ok)
    assert (True, True) == (leaves.leaves, stage(leaves, "delivery").ok)


def test_validation_recipients_should_be_on_the_other_side() -> None:
    """Even if nobody put them into the group."""
    wanted = settings(
        smart_hosts=[GATE], far_side="other", validation_recipients=["carol@example.com"]
    )
    found = told(message(recipient="carol@example.com", to=HERE), wanted=wanted)
    assert False is found.ok is stage(found, "delivery").ok


def test_another_domain_is_only_shown() -> None:
    """Nothing is wanted of it."""
    found = told(message(recipient="eve@example.org", to=NOBODY), mx={})
    assert "is not the domain that this target is for" in words(found, "delivery")
    assert stage(found, "delivery").ok is True


def test_an_unknown_sender_from_outside_may_leave_from_the_relay_pool() -> None:
    """Forwarded mail of others, which the SPF record of nobody covers."""
    one = message_of(
        EVERYTHING, organisation(EVERYTHING), "eve@example.org", "bob@example.com", AT, to=THERE
    )
    found = told(one)
    assert Pool.EITHER is found.pool
    assert "40.95.0.0/16" in words(found, "source")
    assert one.inside is False


def test_at_the_edge_it_ends() -> None:
    """The domain is still authoritative, and the mailbox elsewhere alone."""
    tenant = organisation(EVERYTHING, domains=authoritative())
    outside = message(sender="eve@example.org", inside=False, to=NOBODY)
    found = told(outside, tenant=tenant)
    assert ["domain", "delivery"] == [one.kind for one in found.stages]
    assert (False, False, ()) == (found.leaves, found.ok, found.hosts)


@pytest.mark.parametrize(
    ("change", "ok", "said"),
    [
        ({"enabled": False}, False, "it is disabled"),
        ({"test_mode": True}, None, "test mode"),
    ],
)
def test_a_connector_that_is_not_fit_is_told(
    change: dict[str, Any], ok: bool | None, said: str
) -> None:
    """What becomes of the mail then is not documented."""
    tenant = organisation(EVERYTHING)
    tenant = replace(tenant, connectors=(replace(tenant.connectors[0], **change),))
    found = told(tenant=tenant)
    assert ok is stage(found, "connector").ok
    assert said in words(found, "connector")


def test_a_connector_that_is_gone_is_wrong_and_one_that_was_not_read_is_open() -> None:
    """An incomplete listing proves nothing."""
    gone = organisation(EVERYTHING, connectors=())
    unread = replace(gone, incomplete={Listing.CONNECTORS: "cut"})
    assert stage(told(tenant=gone), "connector").ok is False
    assert stage(told(tenant=unread), "connector").ok is None


def test_where_the_way_forks_nothing_is_called_wrong() -> None:
    """The connector of one of the ways is disabled; whether it is taken is not known."""
    tenant = organisation(EVERYTHING)
    tenant = replace(tenant, connectors=(replace(tenant.connectors[0], enabled=False),))
    found = told(message(to=HERE), tenant=tenant, groups={})
    assert (None, None) == (found.leaves, found.ok)
    assert stage(found, "connector").title.startswith("perhaps: exosync example.com")


TLS = {"trusted": {"tls": "trusted"}, "name": {"tls": "name", "tls_name": GATE}}


@pytest.mark.parametrize(
    ("tls", "change", "ok", "said"),
    [
        ({}, {}, True, "STARTTLS with a certificate for gate.example.net"),
        ({}, {"exists": False, "answers": None}, False, "does not resolve"),
        ({}, {"answers": False, "trouble": "no answer in time"}, None, "port 25"),
        ({}, {"starttls": False, "certificate": None}, False, "450 4.4.317"),
        ({}, {"certificate": Certificate(("x.test",), AT)}, True, "not trusted"),
        (TLS["trusted"], {}, True, "until 2027-02-24"),
        (TLS["trusted"], {"certificate": Certificate((GATE,), AT)}, False, "expired"),
        (
            TLS["trusted"],
            {"certificate": Certificate((GATE,), AT + timedelta(days=9))},
            None,
            "Exchange Online may",
        ),
        (TLS["trusted"], {"certificate": Certificate()}, None, "could not be read"),
        (TLS["name"], {}, True, GATE),
        (
            TLS["name"],
            {"certificate": Certificate(("x.test",), AT + timedelta(days=9), trusted=True)},
            False,
            "450 4.7.320",
        ),
    ],
)
def test_a_host_is_judged_by_what_the_connector_asks_of_it(
    tls: dict[str, Any], change: dict[str, Any], ok: bool | None, said: str
) -> None:
    """Any certificate, a trusted one, or one for a name."""
    wanted = settings(smart_hosts=[GATE], far_side="other", **tls)
    found = told(wanted=wanted, seen=replace(GOOD, **change))
    assert ok is stage(found, "smart_host").ok
    assert said in words(found, "smart_host")


def test_without_tls_a_host_needs_none() -> None:
    """A connector of somebody's that does not ask for it."""
    plain = connecting("plain", smart_hosts=(GATE,))
    (found,) = host_stages(
        plain, Hosts({GATE: replace(GOOD, starttls=False, certificate=None)}), AT
    )
    assert found.ok is True


@pytest.mark.parametrize(
    ("change", "wanted", "why"),
    [
        ({"exists": False}, {}, "its name does not resolve"),
        (
            {"starttls": False, "certificate": None, "trouble": "it offers no STARTTLS"},
            {"tls": "EncryptionOnly"},
            "it offers no STARTTLS",
        ),
        ({}, {"tls": "DomainValidation", "tls_domain": "mx.test"}, "its certificate is not for"),
        (
            {"certificate": Certificate((GATE,), AT, trusted=True)},
            {"tls": "CertificateValidation"},
            "its certificate has expired",
        ),
    ],
)
def test_why_a_host_takes_nothing_is_told_first(
    change: dict[str, Any], wanted: dict[str, Any], why: str
) -> None:
    """It is what the verdict says of it."""
    one = connecting("one", smart_hosts=(GATE,), **wanted)
    (found,) = host_stages(one, Hosts({GATE: replace(GOOD, **change)}), AT)
    assert found.ok is False
    assert found.says[0].startswith(why)


def test_one_host_that_fails_is_no_end_while_another_may_take_mail() -> None:
    """Exchange Online has a choice, also of a host that is silent to this machine alone."""
    two = connecting("two", smart_hosts=("a.test", GATE), tls="EncryptionOnly")
    gone = HostSeen("a.test", exists=False)
    stages = host_stages(two, Hosts({"a.test": gone, GATE: GOOD}), AT)
    assert [None, True] == [one.ok for one in stages]
    silent = replace(GOOD, answers=False, starttls=None, certificate=None)
    for seen in ({"a.test": gone, GATE: silent}, {"a.test": gone}):
        first, second = host_stages(two, Hosts(seen), AT)
        assert (None, None, "another host may take mail") == (first.ok, second.ok, first.says[-1])
    both = {one: HostSeen(one, exists=False) for one in ("a.test", GATE)}
    assert [False, False] == [one.ok for one in host_stages(two, Hosts(both), AT)]
    none = connecting("none", smart_hosts=())
    assert [] == host_stages(none, Hosts(both), AT)


@pytest.mark.parametrize("seen", [{}, {GATE: GOOD}])
def test_hosts_that_a_connector_by_mx_has_kept_are_no_stations(seen: dict[str, HostSeen]) -> None:
    """Somebody had it go by MX: its hosts take nothing from then on, seen or not."""
    by_mx = connecting("by MX", smart_hosts=("a.test", GATE), use_mx=True)
    assert [] == host_stages(by_mx, Hosts(seen), AT)


def test_hosts_that_nobody_asked_are_named_and_open() -> None:
    """As on the page."""
    found = told(seen=None)
    assert (None, Sure.UNPROVEN) == (stage(found, "smart_host").ok, stage(found, "smart_host").sure)
    assert GATE in stage(found, "smart_host").title


def test_the_remembered_way_asks_nobody() -> None:
    """From what a run left: the group is not known, so the way forks."""
    wanted = EVERYTHING
    memory = Memory(organisation=organisation(wanted), at=AT).remembered
    found = remembered_way(wanted, memory, "alice@example.com", "bob@example.com")
    assert found is not None
    assert (None, (GATE,)) == (found.leaves, found.hosts)
    assert remembered_way(wanted, {}, "alice@example.com", "bob@example.com") is None


READ = settings(
    smart_hosts=[GATE],
    far_side="other",
    client_id="8a3bd10e-5b2c-4f6d-9a11-0c6f7e2d1b35",
    credentials={"kind": "secret", "secret": {"env": "SECRET"}},
)
"""A target that reads its tenant."""

FOLK = Folk(
    GROUPS,
    {
        "bob@example.com": Party(True, False, frozenset({"bob@example.com"}), "bob@example.com"),
        "carol@example.com": Party(
            True, True, frozenset({"carol@example.com", "c@example.com"}), "carol@example.com"
        ),
    },
)


def recalled(recipient: str, folk: Folk = FOLK) -> Way:
    """The way as the page tells it."""
    memory = Memory(organisation=organisation(READ), at=AT, folk=folk).remembered
    found = remembered_way(READ, memory, "alice@example.com", recipient)
    assert found is not None
    return found


def test_who_was_in_the_group_is_remembered() -> None:
    """So the way of a member's mail does not fork, in whatever case the address is."""
    found = recalled("Bob@example.com")
    assert (True, (GATE,)) == (found.leaves, found.hosts)
    assert (True, Sure.SEEN) == (stage(found, "rule").ok, stage(found, "rule").sure)
    open_ = [one.kind for one in found.stages if one.ok is None]
    assert ["smart_host"] == open_, "no host was tried"
    assert recalled("carol@example.com").leaves is False


def test_of_who_is_in_no_group_another_address_is_not_remembered() -> None:
    """Bobby may be a second name of bob's: the rule does nothing, as far as is known."""
    found = recalled("bobby@example.com")
    assert ("exosync example.com does nothing here", Sure.UNPROVEN) == (
        stage(found, "rule").title,
        stage(found, "rule").sure,
    )
    assert "no group that was read lists bobby@example.com" in words(found, "rule")
    assert "alice" not in words(found, "rule")


def test_a_group_that_was_too_large_leaves_it_open() -> None:
    """Nobody is taken for somebody who is not in it."""
    found = recalled("dan@example.com", Folk())
    assert (None, None) == (found.leaves, stage(found, "rule").ok)


def test_it_leaves_by_the_families_in_which_hosts_have_addresses() -> None:
    """An address that stands for a host needs no looking up; half an answer of DNS is none."""
    assert ("ipv4",) == told().families
    assert "by IPv4 alone" in words(told(), "source")
    both = replace(GOOD, addresses=("192.0.2.7", "2001:db8::7"))
    assert ("ipv4", "ipv6") == told(seen=both).families
    assert () == told(seen=None).families
    assert () == told(seen=replace(GOOD, whole=False)).families
    literal = settings(smart_hosts=["192.0.2.9"], far_side="other")
    assert ("ipv4",) == told(wanted=literal, seen=None).families
    gone = organisation(EVERYTHING, connectors=())
    assert () == told(tenant=gone).families


def test_the_loop_breaker_of_a_rule_that_may_have_acted_counts() -> None:
    """What came by its connector was routed by it, and so bears its header."""
    tenant = organisation(EVERYTHING, domains=authoritative())
    found = told(message(to=SOMEBODY), tenant=tenant, groups={})
    assert stage(found, "rule").ok is None
    assert "what comes back is not routed again" in stage(found, "loop").title


def test_without_credentials_nothing_in_the_tenant_counts_as_seen() -> None:
    """What people acknowledged stands for it, and nothing is asked but the host."""
    wanted = settings(smart_hosts=["127.0.0.9"], far_side="other", resolvers=["127.0.0.1:1"])
    tenant = organisation(wanted, incomplete=dict.fromkeys(Listing, "no credentials"))
    pair = "alice@example.com", "bob@example.com"
    found = live_way(wanted, None, tenant, *pair, at=AT, how=Trial(within=1))
    assert {Sure.UNPROVEN} == {
        one.sure for one in found.stages if one.kind in ("domain", "rule", "connector")
    }
    assert (None, None) == (found.leaves, found.ok)


def test_the_rule_that_is_wanted_is_the_one_that_is_followed() -> None:
    """What the aim makes is what this model understands whole."""
    for routed in ({"group": "g@example.com"}, {"everyone_but": "g@example.com"}):
        wanted = settings(smart_hosts=[GATE], far_side="other", routed=routed)
        aim = Aim(wanted, owner="exosync", target="t")
        assert isinstance(aim.connector, Connector)
        groups = {"g@example.com": frozenset({"bob@example.com"})}
        found = told(message(to=HERE), wanted=wanted, groups=groups)
        assert found.leaves is ("group" in routed)


TO_ALL = replace(THERE, group=True)


@pytest.mark.parametrize(
    ("to", "groups"),
    [(TO_ALL, GROUPS), (THERE, {**GROUPS, "bob@example.com": frozenset({"eve@example.com"})})],
    ids=["told as one", "known as one"],
)
def test_of_a_group_it_is_not_known_which_way_it_takes(to: Party, groups: Groups) -> None:
    """Nobody has published whether rules see it or its members, and it has no side of its own."""
    found = told(message(to=to), groups=groups)

    assert (None, None) == (found.ok, found.leaves)
    assert "exosync example.com (priority 0) may act" == stage(found, "rule").title
    assert "bob@example.com is a group: each of its members gets it" in words(found, "delivery") + (
        "\n".join(says for one in found.stages for says in one.says)
    )
    assert "ask for one of its members" in words(found, "delivery")
    assert "mailbox should" not in words(found, "delivery")
    assert "what comes back is not routed again" == stage(found, "loop").title


def test_a_rule_that_is_off_does_nothing_to_a_group() -> None:
    """So it stays, and each of its members gets it."""
    tenant = organisation(EVERYTHING)
    off = replace(tenant, rules=tuple(replace(one, enabled=False) for one in tenant.rules))
    found = told(message(to=TO_ALL), tenant=off)

    assert stage(found, "delivery").title.startswith("bob@example.com is a group")


def test_the_rule_takes_names_below_the_domain_to_who_knows_where() -> None:
    """A condition on a domain holds for them too; that the other side takes them is nowhere said."""
    found = told(message(recipient="bob@lab.example.com"), wanted=WITHOUT)

    assert None is stage(found, "delivery").ok
    assert "whether the other side takes mail for lab.example.com is not known" in words(
        found, "delivery"
    )


def test_anothers_connector_whose_name_differs_in_case_alone_is_not_the_wanted_one() -> None:
    """Where ours is there besides; a lone one may be given back in any case."""
    tenant = organisation(EVERYTHING)
    (ours,) = tenant.connectors
    shouted = ours.name.upper()
    astray = replace(
        tenant,
        connectors=(ours, replace(ours, name=shouted, guid="another")),
        rules=tuple(
            replace(one, actions={**one.actions, "RouteMessageOutboundConnector": (shouted,)})
            for one in tenant.rules
        ),
    )

    assert stage(told(tenant=astray), "delivery").ok is None
    alone = replace(astray, connectors=(replace(ours, name=shouted),))
    assert stage(told(tenant=alone), "delivery").ok is True


def test_of_an_external_relay_the_way_is_told_no_surer_than_it_is() -> None:
    """Microsoft documents the type for Exchange on premises alone."""
    tenant = organisation(EVERYTHING)
    relay = AcceptedDomain("example.com", DomainType.EXTERNAL_RELAY)
    found = told(tenant=replace(tenant, domains=(relay,)))

    assert (None, Sure.UNPROVEN) == (stage(found, "domain").ok, stage(found, "domain").sure)
    assert "is not published" in words(found, "domain")


def test_our_rule_is_known_in_whatever_case_and_composition_its_name_is_given_back() -> None:
    """Also where it does nothing, which is told of ours alone."""
    wanted = settings(smart_hosts=[GATE], far_side="other", rule="Zürich")
    tenant = organisation(wanted)
    off = [replace(one, name="ZU\u0308RICH", enabled=False) for one in tenant.rules]
    found = told(wanted=wanted, tenant=replace(tenant, rules=tuple(off)))

    assert "it is disabled" in words(found, "rule")
