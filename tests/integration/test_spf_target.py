"""The spf target against BIND, judged by pyspf at every server."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Self

import dns.message
import dns.query
import dns.rcode
import dns.tsigkeyring
import dns.update
import pytest

from exosync.core.desired import Desired, Extra
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
from exosync.errors import TargetConflict, TargetDenied, TargetError, TargetUnreachable, UsageError
from exosync_adapters.spf import kind
from exosync_adapters.spf.rules import RULES
from tests.support.bind import Bind, Named, find_named, has_ipv6
from tests.support.judge import Judgement, from_server, judge
from tests.support.zones import NARROW, WIDE, TsigKey, zone_file

pytestmark = pytest.mark.skipif(find_named() is None, reason="named is not installed (bind9)")

DOMAIN, LEAF, INCLUDE = "example.test", "_exo.example.test", "spf.protection.outlook.com"
MAIL = IpRanges.parse(
    [
        *("40.92.0.0/15", "40.107.0.0/16", "52.100.0.0/14", "104.47.0.0/17"),
        *("2a01:111:f400::/48", "2a01:111:f403::/48"),
    ]
)
LISTED = [
    *("40.92.0.0/15", "40.107.0.0/16", "52.100.0.0/15", "52.102.0.0/16", "52.103.0.0/17"),
    *("104.47.0.0/17", "2a01:111:f400::/48", "2a01:111:f403::/49", "2a01:111:f403:8000::/51"),
    *("2a01:111:f403:c000::/51", "2a01:111:f403:f000::/52"),
]
"""What Microsoft's own name held from 2024 to 2026."""

MICROSOFT = " ".join(["v=spf1", *(f"ip{'64'['.' in one]}:{one}" for one in LISTED), "-all"])
PATIENCE = 60.0
OUTSIDE = ("203.0.113.99", "2001:db8:1::99")
OTHERS = ('@ TXT "google-site-verification=aBc"', r'@ TXT "a; b" "\195\164\255 " ""')
"""TXT values that are nobody's business, one of several strings with odd octets."""


def _quoted(text: str) -> str:
    """A TXT value as a zone file has it, in strings of at most 255 octets."""
    return " ".join(f'"{text[start : start + 255]}"' for start in range(0, len(text), 255))


class World:
    """BIND with the domain's zone and Microsoft's, and targets that see nothing else."""

    def __init__(self, folder: Path, *records: str, secondary: bool = True, **bind: Any) -> None:
        servers = ("127.0.0.1", "::1") if secondary else ("127.0.0.1",)
        zones = {
            DOMAIN: zone_file(DOMAIN, *records, servers=servers),
            "outlook.com": zone_file("outlook.com", f"spf.protection TXT {_quoted(MICROSOFT)}"),
        }
        self.folder = folder
        self.bind = Bind(folder, zones, secondary=secondary, **bind)
        self.pause: Callable[[float], None] = time.sleep
        self.secondary = secondary
        self.follows = secondary and bind.get("notify", True)

    def __enter__(self) -> Self:
        self.bind.__enter__()
        return self

    def __exit__(self, *_error: object) -> None:
        self.bind.stop()

    @property
    def servers(self) -> tuple[Named, ...]:
        """All servers."""
        found = (self.bind.primary, self.bind.secondary)
        return found if self.secondary else found[:1]

    def target(
        self,
        *,
        key: TsigKey | None = WIDE,
        owner: str = "prod",
        families: str = "both",
        dns: dict[str, Any] | None = None,
        **keys: Any,
    ) -> Target:
        """A target of the domain, which asks this BIND for names of others too."""
        port = self.bind.primary.port
        asked: dict[str, Any] = {"server": "127.0.0.1", "port": port, "timeout": "20s"}
        asked |= {"resolvers": [f"127.0.0.1:{port}"], "settle": "60s"}
        if key is not None:
            asked["key"] = {"name": key.name, "secret": {"env": "TSIG"}}
        settings = kind.settings.model_validate(
            {"domain": DOMAIN, "dns": asked | (dns or {}), **keys}
        )
        context = Context(
            owner=owner,
            families=families,
            instance="Worldwide",
            base=self.folder,
            reveal=lambda _: key.secret if key else "",
            pause=self.wait,
        )
        return kind.build("spf", settings, context)

    def wait(self, seconds: float) -> None:
        """Pause as the test at hand wants it."""
        self.pause(seconds)

    def put(self, name: str, *texts: str, ttl: int = 300) -> None:
        """What a person does: replace all TXT at a name."""
        ring = dns.tsigkeyring.from_text({WIDE.name: WIDE.secret})
        zone = DOMAIN if name.endswith(DOMAIN) else "outlook.com"
        update = dns.update.UpdateMessage(zone, keyring=ring, keyalgorithm=WIDE.algorithm)
        update.delete(f"{name}.", "TXT")
        for text in texts:
            update.add(f"{name}.", ttl, "TXT", _quoted(text))
        answer = dns.query.tcp(update, "127.0.0.1", port=self.bind.primary.port, timeout=PATIENCE)
        assert answer.rcode() == dns.rcode.NOERROR
        if self.follows:
            self.settled(name)

    def settled(self, name: str) -> None:
        """Wait until the secondary has caught up."""
        deadline = time.monotonic() + PATIENCE
        while self.values(name, self.bind.secondary) != self.values(name):
            assert time.monotonic() < deadline, "the secondary does not follow"
            time.sleep(0.02)

    def values(self, name: str, server: Named | None = None) -> set[tuple[bytes, ...]]:
        """The TXT values at a name, byte for byte."""
        at = server or self.bind.primary
        query = dns.message.make_query(name, "TXT", use_edns=False)
        answer = dns.query.tcp(query, at.address, port=at.port, timeout=PATIENCE)
        return {record.strings for rrset in answer.answer for record in rrset}

    def text(self, name: str = DOMAIN) -> str:
        """The SPF record at a name."""
        (found,) = (v for v in self.values(name) if v[0].startswith(b"v=spf1"))
        return b"".join(found).decode()

    def judge(self, address: str, name: str = DOMAIN) -> Judgement:
        """What pyspf says, the same at every server."""
        said = {judge(address, name, from_server(at.address, at.port)) for at in self.servers}
        assert len(said) == 1, said
        return said.pop()

    def passes(self, ranges: IpRanges, name: str = DOMAIN) -> None:
        """pyspf passes an address of every range, and none from elsewhere."""
        for address in ranges.samples():
            assert self.judge(address, name).result == "pass", (address, self.text(name))
        for address in OUTSIDE:
            assert self.judge(address, name).result in ("fail", "softfail", "neutral")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Callable[..., World]]:
    """Starts servers with these records at the domain, and stops them in the end."""
    started: list[World] = []

    def start(*records: str, **options: Any) -> World:
        if options.get("secondary", True) and not has_ipv6():
            pytest.skip("no IPv6 loopback for a second server on the same port")
        started.append(World(tmp_path, *records, **options).__enter__())
        return started[-1]

    yield start
    for one in started:
        one.__exit__()


def desired(*cidrs: str, **more: Any) -> Desired:
    """What should be there: by default all of Microsoft's mail ranges."""
    return Desired("Worldwide", "2026081400", IpRanges.parse(cidrs) if cidrs else MAIL, **more)


def drafted(target: Target, wanted: Desired | None = None, *, adopting: bool = False) -> Draft:
    """Observed, planned and rehearsed."""
    wanted = wanted or desired()
    observed = target.observe()
    return target.rehearse(wanted, observed, target.plan(wanted, observed, adopting=adopting))


def done(target: Target, wanted: Desired | None = None, **options: bool) -> tuple[Step, ...]:
    """All steps of exosync's own done; those of a person are left."""
    draft = drafted(target, wanted, **options)
    assert not draft.refusals, draft.refusals
    steps = tuple(step for step in draft.steps if step.by is Actor.EXOSYNC)
    for step in steps:
        target.apply(step)
    return steps


def proof(target: Target, wanted: Desired | None = None) -> Verification:
    """Verified from a fresh observation."""
    return target.verify(wanted or desired(), target.observe())


def rules(draft: Draft) -> list[str]:
    """The rules of its refusals."""
    return [one.rule for one in draft.refusals]


def findings(draft: Draft | Observed) -> list[str]:
    """The rules of its findings, but for today's known difference."""
    return [one.rule for one in draft.findings if one.rule != "microsoft_include_differs"]


def failed(checks: Any) -> list[Check]:
    """The checks that failed."""
    return [one for one in checks if one.ok is False]


# Method include


def test_a_domain_that_includes_microsoft_is_in_sync_and_proven(
    world: Callable[..., World],
) -> None:
    """Nothing is planned, and every server is evaluated."""
    one = world(f'@ TXT "v=spf1 include:{INCLUDE} -all"', *OTHERS)
    target = one.target(key=None)
    draft, proven = drafted(target), proof(target)

    assert ((), ()) == (draft.steps, draft.refusals)
    assert [True, True] == [check.ok for check in proven.checks]
    assert all("11 ranges passed" in check.message for check in proven.checks)
    one.passes(IpRanges.parse(LISTED))


def test_a_person_edits_the_record_unless_the_target_manages_it(
    world: Callable[..., World],
) -> None:
    """The step is done once the target observes it to be so."""
    one = world(
        '@ TXT "v=spf1 mx ~all"', "@ MX 10 mail", "mail A 192.0.2.1", "mail AAAA 2001:db8::1"
    )
    target = one.target()
    (step,) = drafted(target).steps

    assert Actor.PERSON is step.by
    with pytest.raises(UsageError, match="for a person"):
        target.apply(step)
    assert [None] == [check.ok for check in proof(target).checks]
    one.put(DOMAIN, step.after)
    assert () == drafted(target).steps
    assert [True, True] == [check.ok for check in proof(target).checks]
    one.passes(IpRanges.parse(LISTED))


def test_manage_apex_puts_one_term_in_and_leaves_every_other_byte(
    world: Callable[..., World],
) -> None:
    """Other TXT values keep their octets and their strings."""
    one = world('@ TXT "v=spf1  ip4:192.0.2.0/24 exp=e." "example.test ?ALL "', *OTHERS)
    before = one.values(DOMAIN)
    (step,) = done(one.target(manage="apex"))
    after = one.values(DOMAIN)

    assert f"v=spf1  ip4:192.0.2.0/24 exp=e.example.test include:{INCLUDE} ?ALL " == one.text()
    assert 2 == len(before & after) == len(before) - 1
    assert after == one.values(DOMAIN, one.bind.secondary)
    assert one.text() == step.after
    one.passes(IpRanges.parse(LISTED))


def test_a_domain_without_a_record_gets_one_if_it_is_managed(world: Callable[..., World]) -> None:
    """With every sender that the configuration names, and the configured end."""
    one = world(*OTHERS)
    extra = Extra(IpRanges.parse("40.95.0.0/16"), "relay pool", "forwarded mail")
    wanted = desired(extras=(extra,))
    target = one.target(manage="apex", terms=["ip4:198.51.100.7"], default_all="-all")
    draft = drafted(target, wanted)
    done(target, wanted)

    assert ["new_spf_record"] == findings(draft)
    assert f"v=spf1 include:{INCLUDE} ip4:40.95.0.0/16 ip4:198.51.100.7 -all" == one.text()
    assert "pass" == one.judge("198.51.100.7").result
    one.passes(IpRanges.parse([*LISTED, "40.95.0.0/16"]))
    assert () == drafted(target, wanted).steps
    assert proof(target, wanted).ok


def test_a_hosted_record_of_macros_counts_if_it_authorises(world: Callable[..., World]) -> None:
    """No text tells its addresses, so they are evaluated."""
    both = [
        " ".join(f"ip{'64'['.' in x]}:{x}" for x in LISTED if (":" in x) == six) for six in (0, 1)
    ]
    one = world(
        f'@ TXT "v=spf1 include:%{{v}}.hosted.{DOMAIN} -all"',
        f"in-addr.hosted TXT {_quoted(f'v=spf1 {both[0]} -all')}",
        f"ip6.hosted TXT {_quoted(f'v=spf1 {both[1]} -all')}",
    )
    target = one.target()

    assert ((), ["include_by_addresses"]) == (drafted(target).steps, findings(drafted(target)))
    one.passes(IpRanges.parse(LISTED))
    one.put(f"ip6.hosted.{DOMAIN}", "v=spf1 ip6:2a01:111:f400::/48 -all")
    assert [Actor.PERSON] == [step.by for step in drafted(target).steps]


# Method records


def test_records_with_a_key_for_that_one_name(world: Callable[..., World]) -> None:
    """exosync publishes; a person refers to it; both are proven."""
    one = world('@ TXT "v=spf1 ip4:192.0.2.0/24 -all"', *OTHERS)
    target = one.target(key=NARROW, method="records")
    (step,) = done(target)

    assert (f"dns:{LEAF} TXT", "exo-owner=prod -all") == (step.resource, step.after[-19:])
    one.passes(MAIL, LEAF)
    waiting = proof(target)
    assert [None, True, True] == [check.ok for check in waiting.checks]
    assert "waits for a person" in waiting.checks[0].message
    (pending,) = drafted(target).steps
    assert (Actor.PERSON, f"v=spf1 ip4:192.0.2.0/24 include:{LEAF} -all") == (
        pending.by,
        pending.after,
    )
    assert [f"{DOMAIN} TXT"] == [foreign.where for foreign in target.observe().foreign]
    one.put(DOMAIN, pending.after)
    assert () == drafted(target).steps
    assert [True] * 4 == [check.ok for check in proof(target).checks]
    one.passes(MAIL)


def test_a_key_for_that_one_name_cannot_write_the_domain(world: Callable[..., World]) -> None:
    """The check says so beforehand, the step says so if it is tried, and nothing is written."""
    one = world('@ TXT "v=spf1 -all"')
    target = one.target(key=NARROW, method="records", manage="apex")
    leaf, apex = drafted(target).steps

    (refused,) = failed(target.check())
    assert f"permission for {DOMAIN}" == refused.name
    target.apply(leaf)
    with pytest.raises(TargetDenied, match=r"may not update TXT at example\.test"):
        target.apply(apex)
    assert "v=spf1 -all" == one.text()


def test_records_and_the_reference_to_them_in_one_plan(world: Callable[..., World]) -> None:
    """The name exists at every server before the domain refers to it."""
    one = world('@ TXT "v=spf1 -all"', *OTHERS)
    extra = Extra(IpRanges.parse("40.95.0.0/16"), "relay pool", "forwarded mail")
    wanted = desired(extras=(extra,))
    target = one.target(method="records", manage="apex")
    leaf, apex = drafted(target, wanted).steps

    target.apply(leaf)
    assert one.values(LEAF) == one.values(LEAF, one.bind.secondary) != set()
    target.apply(apex)
    assert f"v=spf1 include:{LEAF} -all" == one.text()
    one.passes(MAIL | extra.ranges)
    assert (MAIL | extra.ranges, ()) == (target.observe().owned, target.observe().foreign)
    assert [True] * 4 == [check.ok for check in proof(target, wanted).checks]


def test_one_family_only(world: Callable[..., World]) -> None:
    """An IPv4 target authorises no IPv6 address."""
    one = world('@ TXT "v=spf1 -all"')
    target = one.target(method="records", manage="apex", families="ipv4")
    done(target)

    assert "ip6" not in one.text(LEAF)
    one.passes(MAIL.family(4))
    assert "fail" == one.judge("2a01:111:f400::1").result
    assert [True] * 4 == [check.ok for check in proof(target).checks]


def test_no_valid_address_is_missing_at_any_moment(world: Callable[..., World]) -> None:
    """Additions first, then removals, through the two versions of 2019 that did both."""
    versions = [
        desired("40.92.0.0/14", "40.107.0.0/17", "104.47.0.0/17", "192.0.2.0/24"),
        desired("40.92.0.0/15", "40.107.0.0/16", "104.47.0.0/17"),
        desired("40.92.0.0/15", "40.107.0.0/16", "2a01:111:f400::/48"),
    ]
    one = world('@ TXT "v=spf1 -all"')
    target = one.target(method="records", manage="apex")
    before = IpRanges()
    for wanted in versions:
        for step in drafted(target, wanted).steps:
            target.apply(step)
            if before:
                one.passes(before & wanted.ranges)
            if step.phase is Phase.REMOVE:
                one.passes(wanted.ranges)
        one.passes(wanted.ranges)
        gone = before - wanted.ranges
        assert {"pass"}.isdisjoint(one.judge(address).result for address in gone.samples())
        assert proof(target, wanted).ok
        before = wanted.ranges


def test_a_step_done_twice_is_harmless(world: Callable[..., World]) -> None:
    """After a crash nobody knows whether it was done."""
    one = world('@ TXT "v=spf1 -all"')
    target = one.target(method="records")
    (step, _) = drafted(target).steps
    target.apply(step)
    target.apply(step)

    one.passes(MAIL, LEAF)


def test_a_record_that_changed_meanwhile_is_not_overwritten(world: Callable[..., World]) -> None:
    """The server itself compares before it swaps."""
    one = world('@ TXT "v=spf1 -all"')
    target = one.target(manage="apex")
    (step,) = drafted(target).steps
    one.put(DOMAIN, "v=spf1 mx -all")

    with pytest.raises(TargetConflict):
        target.apply(step)
    assert "v=spf1 mx -all" == one.text()


def test_what_is_not_done_yet_is_no_proof(world: Callable[..., World]) -> None:
    """A missing range is a failure; one that is to go later is told."""
    one = world(f'@ TXT "v=spf1 include:{LEAF} -all"')
    target = one.target(method="records")
    done(target)
    more, less = desired(*MAIL.cidrs(), "192.0.2.0/24"), desired(*MAIL.cidrs()[1:])

    missing, leaving = proof(target, more), proof(target, less)
    assert ("records", False) == (missing.checks[0].name, missing.checks[0].ok)
    assert "192.0.2.128: fail (-all)" in missing.checks[1].message
    assert 5 == len(failed(missing.checks))
    assert [None, True, True, True, True] == [check.ok for check in leaving.checks]
    assert "not yet done: remove 40.92.0.0/15" in leaving.checks[0].message


# Refusals


def test_a_record_of_someone_else_is_refused_and_can_be_adopted(
    world: Callable[..., World],
) -> None:
    """Adoption keeps what is authorised until ours is in place."""
    one = world(f'@ TXT "v=spf1 include:{LEAF} -all"', '_exo TXT "v=spf1 ip4:40.92.0.0/15 -all"')
    target = one.target(key=NARROW, method="records")

    assert ["foreign_owner"] == rules(drafted(target))
    assert IpRanges() == target.observe().owned
    assert IpRanges.parse("40.92.0.0/15") in [x.ranges for x in target.observe().foreign]
    assert IpRanges.parse("40.92.0.0/15") == drafted(target, adopting=True).base
    done(target, adopting=True)
    one.passes(MAIL)
    assert ["foreign_owner"] == rules(drafted(one.target(key=NARROW, method="records", owner="x")))
    assert [] == rules(drafted(target))


@pytest.mark.parametrize(
    ("records", "rule"),
    [
        (['@ TXT "v=spf1 a -all"', '@ TXT "v=spf1 mx -all"'], "two_spf_records"),
        (['@ TXT "v=spf1 ipv4:192.0.2.1 -all"'], "spf_syntax"),
        (['@ TXT "v=spf1 -all"', '_exo TXT "v=spf1"', '_exo TXT "v=spf1 a"'], "two_spf_records"),
        (['@ TXT "v=spf1 -all"', "_exo CNAME other"], "cname"),
        (['@ TXT "v=spf1 -all"', '_exo TXT "v=spf1 exo-owner=else -all"'], "foreign_owner"),
    ],
)
def test_a_state_that_is_wrong_in_itself_is_refused(
    world: Callable[..., World], records: list[str], rule: str
) -> None:
    """With the records shown, and not to be approved."""
    one = world(*records, secondary=False)
    (refusal,) = drafted(one.target(method="records", manage="apex")).refusals

    assert (rule, False) == (refusal.rule, refusal.approvable)
    assert rule in RULES
    assert not proof(one.target(method="records", manage="apex")).ok


def _senders(count: int) -> list[str]:
    """Zone lines of this many names with an SPF record of their own."""
    return [f's{i} TXT "v=spf1 ip4:192.0.2.{i} -all"' for i in range(count)]


def _including(count: int, *first: str) -> str:
    """The domain's record with that many includes."""
    terms = [*first, *(f"include:s{i}.{DOMAIN}" for i in range(count))]
    return f"@ TXT {_quoted(' '.join(['v=spf1', *terms, '-all']))}"


@pytest.mark.parametrize(
    ("senders", "told"), [(6, []), (7, ["lookup_budget"]), (9, ["lookup_budget"])]
)
def test_the_lookups_of_the_whole_tree_are_told_from_eight(
    world: Callable[..., World], senders: int, told: list[str]
) -> None:
    """Ten are allowed, ours among them."""
    one = world(_including(senders), *_senders(senders), secondary=False)
    draft = drafted(one.target(manage="apex"))

    assert ([], told) == (rules(draft), findings(draft))


@pytest.mark.parametrize("method", ["include", "records"])
def test_an_eleventh_lookup_is_refused(world: Callable[..., World], method: str) -> None:
    """pyspf agrees that the record would fail all mail."""
    one = world(_including(10), *_senders(10), secondary=False)
    target = one.target(method=method, manage="apex")
    (refusal,) = drafted(target).refusals

    assert ("lookup_budget", "11 lookups", "10 lookups", False) == (
        refusal.rule,
        refusal.seen,
        refusal.limit,
        refusal.approvable,
    )
    planned = target.plan(desired(), target.observe()).steps
    for step in planned:
        one.put(step.detail.new.name, step.after)
    assert "permerror" == one.judge(OUTSIDE[0]).result


def test_our_record_may_be_kept_right_under_a_tree_that_is_too_large(
    world: Callable[..., World],
) -> None:
    """It does not make the tree larger, so a person may approve it."""
    one = world(_including(10, f"include:{LEAF}"), *_senders(10), secondary=False)
    (refusal,) = drafted(one.target(method="records")).refusals

    assert ("lookup_budget", True) == (refusal.rule, refusal.approvable)


def test_lookups_that_lead_to_nothing_are_refused(world: Callable[..., World]) -> None:
    """Two are allowed, the third is an error to receivers."""
    two = "v=spf1 exists:n1.example.test exists:n2.example.test"
    one = world(f'@ TXT "{two} -all"', secondary=False)
    target = one.target()
    assert [] == rules(drafted(target))
    one.put(DOMAIN, f"{two} exists:n3.example.test -all")
    (refusal,) = drafted(target).refusals

    assert ("void_lookups", "3 void lookups") == (refusal.rule, refusal.seen)


@pytest.mark.parametrize(
    ("record", "keys"),
    [
        ("v=spf1 -ip4:40.92.0.0/14 ~all", {}),
        ("v=spf1 include:gone.example.test ~all", {}),
        ("v=spf1 ~all", {"include": "gone.example.test"}),
        ("v=spf1 ~all", {"terms": ["include:gone.example.test"]}),
    ],
)
def test_a_plan_that_would_not_do_what_it_should_is_refused(
    world: Callable[..., World], record: str, keys: dict[str, Any]
) -> None:
    """The rehearsal shows it before anything is written."""
    one = world(f'@ TXT "{record}"', secondary=False)
    (refusal,) = drafted(one.target(manage="apex", **keys)).refusals

    assert "rehearsal" == refusal.rule


@pytest.mark.parametrize(
    ("record", "finding", "ok"),
    [
        (f"v=spf1 include:{INCLUDE} +all", "authorises_others", None),
        (f"v=spf1 include:{INCLUDE} ?all", "outside_undecided", None),
        (f"v=spf1 include:{INCLUDE}", "outside_undecided", None),
        (f"v=spf1 include:{INCLUDE} include:gone.example.test -all", "outside_undecided", False),
    ],
)
def test_what_the_rest_of_the_record_does_is_told(
    world: Callable[..., World], record: str, finding: str, ok: bool | None
) -> None:
    """It is the user's own, so it stops nothing; but an error is no proof."""
    one = world(f'@ TXT "{record}"', secondary=False)
    target = one.target()
    draft = drafted(target)

    assert ([], {finding}) == (rules(draft), set(findings(draft)))
    assert [ok] == [check.ok for check in proof(target).checks]


# Servers


def test_servers_that_disagree_are_refused(world: Callable[..., World]) -> None:
    """Both records are shown; once the secondary has caught up, all is well."""
    one = world('@ TXT "v=spf1 -all"', notify=False)
    target = one.target()
    one.put(DOMAIN, f"v=spf1 include:{INCLUDE} -all")
    (refusal,) = drafted(target).refusals

    assert "servers_disagree" == refusal.rule
    assert f"“v=spf1 include:{INCLUDE} -all”" in refusal.message
    assert "“v=spf1 -all”" in refusal.message
    one.bind.secondary.restart()
    assert ((), ()) == (drafted(target).steps, drafted(target).refusals)


def test_a_secondary_that_lags_is_waited_for(world: Callable[..., World]) -> None:
    """The step is done once every server shows it."""
    one = world('@ TXT "v=spf1 -all"', notify=False)
    one.pause = lambda _: one.bind.secondary.restart()
    done(one.target(method="records", manage="apex"))

    one.passes(MAIL)


def test_a_secondary_that_stays_behind_fails_the_step(world: Callable[..., World]) -> None:
    """The next step would rely on what is not there; verifying finds the same."""
    one = world('@ TXT "v=spf1 -all"', notify=False)
    one.pause = lambda _: None
    target = one.target(method="records", manage="apex")

    with pytest.raises(TargetError, match=r"ns2\.example\.test .* still hold something else"):
        done(target)
    assert not proof(target).ok
    assert [None] == [check.ok for check in target.check() if "it lags" in check.message]


def test_a_secondary_that_does_not_answer_stops_nothing(world: Callable[..., World]) -> None:
    """It is told, and nothing is claimed of it."""
    one = world('@ TXT "v=spf1 -all"')
    target = one.target(method="records", manage="apex", dns={"settle": "0s"})
    one.bind.secondary.stop()
    done(target)
    proven = proof(target)

    assert ["server_unreachable"] == findings(target.observe())
    assert ([True, True, None], True) == ([check.ok for check in proven.checks], proven.ok)
    assert "not proven there" in proven.checks[2].message


def test_a_primary_that_does_not_answer_is_an_error(world: Callable[..., World]) -> None:
    """Without it nothing is known."""
    one = world('@ TXT "v=spf1 -all"', secondary=False)
    one.bind.stop()
    target = one.target()

    with pytest.raises(TargetUnreachable):
        target.observe()
    assert ["zone"] == [check.name for check in failed(target.check())]


def test_microsofts_record_that_does_not_resolve_is_told(world: Callable[..., World]) -> None:
    """The ranges of the feed are published all the same; an include cannot be proven."""
    one = world('@ TXT "v=spf1 -all"', secondary=False)
    one.put(INCLUDE)
    target = one.target(method="records", manage="apex")
    draft = drafted(target)

    assert ["cross_check_unavailable"] == findings(target.observe())
    assert [] == rules(draft)
    done(target)
    assert proof(target).ok
    one.put(DOMAIN, f"v=spf1 include:{INCLUDE} -all")
    assert not proof(one.target()).ok


def test_names_of_others_that_give_no_answer_stop_the_rehearsal(
    world: Callable[..., World],
) -> None:
    """What cannot be tried is not written; it is tried again."""
    one = world('@ TXT "v=spf1 include:elsewhere.invalid -all"', secondary=False)
    target = one.target(
        method="records", manage="apex", dns={"resolvers": ["127.0.0.1:1"], "timeout": "3s"}
    )

    with pytest.raises(TargetUnreachable, match=r"example\.test cannot be evaluated"):
        drafted(target)


def test_a_server_without_an_address_is_told(world: Callable[..., World]) -> None:
    """It cannot be asked, so nothing is claimed of it."""
    one = world(
        f'@ TXT "v=spf1 include:{INCLUDE} -all"', "@ NS nowhere.outlook.com.", secondary=False
    )
    target = one.target()

    assert ["server_unreachable"] == findings(target.observe())
    assert ["servers"] == [check.name for check in target.check() if check.ok is None]


def test_a_domain_that_a_wildcard_answers_for_is_left_to_a_person(
    world: Callable[..., World],
) -> None:
    """A record of its own takes more from it than the wildcard's TXT; ours harms nobody."""
    one = world('* TXT "v=spf1 -all"', "* MX 10 mail", secondary=False)
    draft = drafted(one.target(domain=f"sub.{DOMAIN}", method="records", manage="apex"))

    assert [Actor.EXOSYNC, Actor.PERSON] == [step.by for step in draft.steps]
    assert {"wildcard", "new_spf_record"} == set(findings(draft))


# Check and explain


def test_check_tells_what_is_right(world: Callable[..., World]) -> None:
    """Zone, servers, key, clock, both permissions, resolver, record and lookups."""
    one = world(f'@ TXT "v=spf1 include:{INCLUDE} -all"')
    before = one.values(DOMAIN), one.values(LEAF)
    checks = list(one.target(method="records", manage="apex").check())

    assert {True} == {check.ok for check in checks}
    names = {"zone", "key", "clock", "resolver", "record", "lookups"}
    names |= {f"permission for {DOMAIN}", f"permission for {LEAF}"}
    assert names <= {check.name for check in checks}
    assert before == (one.values(DOMAIN), one.values(LEAF))


@pytest.mark.parametrize(
    ("key", "told"),
    [
        (TsigKey("narrow", WIDE.secret), "BADSIG"),
        (TsigKey("nobody", WIDE.secret), "BADKEY"),
        (TsigKey("wide", "n0-base-64!"), "not base64"),
    ],
)
def test_check_tells_what_is_wrong_with_the_key(
    world: Callable[..., World], key: TsigKey, told: str
) -> None:
    """Name and secret each get their own sentence, which never holds the secret."""
    one = world('@ TXT "v=spf1 -all"', secondary=False)
    (refused,) = failed(one.target(key=key, method="records").check())

    assert "key" == refused.name
    assert told in refused.message
    assert key.secret not in refused.message


def test_check_tells_of_a_record_of_someone_else(world: Callable[..., World]) -> None:
    """So a person learns of it before the first plan."""
    one = world('@ TXT "v=spf1 -all"', '_exo TXT "v=spf1 exo-owner=else -all"', secondary=False)
    (wrong,) = failed(one.target(method="records").check())

    assert ("published", True) == (wrong.name, "exosync adopt spf" in wrong.message)


def test_check_says_that_changes_are_left_to_a_person(world: Callable[..., World]) -> None:
    """Without a key nothing can be tried, and that is no failure."""
    one = world('@ TXT "v=spf1 -all"', secondary=False)
    checks = list(one.target(key=None, method="records").check())

    assert [None] == [check.ok for check in checks if check.name == "key"]
    assert [] == failed(checks)


def test_without_a_key_a_person_publishes_the_record(world: Callable[..., World]) -> None:
    """Until then nothing is claimed; then it is ours, for it carries the mark."""
    one = world('@ TXT "v=spf1 -all"')
    target = one.target(key=None, method="records", manage="apex")
    assert [None, None] == [check.ok for check in proof(target).checks]
    for step in drafted(target).steps:
        one.put(step.detail.new.name, step.after, ttl=step.detail.new.ttl)

    assert ((), MAIL) == (drafted(target).steps, target.observe().owned)
    assert proof(target).ok
    one.passes(MAIL)


@pytest.mark.parametrize(
    ("records", "name", "ok"),
    [
        (["@ A 192.0.2.1"], "record", None),
        (['@ TXT "v=spf1 foo -all"'], "record", False),
        (['@ TXT "v=spf1 -all"', '@ TXT "v=spf1 a"'], "record", False),
        ([_including(8), *_senders(8)], "lookups", None),
        ([_including(11), *_senders(11)], "lookups", False),
        ([_including(2), *_senders(1)], "lookups", None),
    ],
)
def test_check_looks_at_the_domains_record(
    world: Callable[..., World], records: list[str], name: str, ok: bool | None
) -> None:
    """Missing, broken, near the limit or beyond it."""
    one = world(*records, secondary=False)

    assert [ok] == [check.ok for check in one.target().check() if check.name == name]


def test_check_tells_that_microsofts_name_does_not_resolve(world: Callable[..., World]) -> None:
    """With method include nothing can be proven then; with records it is a warning."""
    one = world('@ TXT "v=spf1 -all"', secondary=False)
    one.put(INCLUDE)

    for method, ok in (("include", False), ("records", None)):
        checks = one.target(method=method).check()
        assert [ok] == [check.ok for check in checks if check.name == "resolver"]


def test_explains_what_spf_says_of_an_address(world: Callable[..., World]) -> None:
    """Through which term it passes, or which one turns it away."""
    one = world(f'@ TXT "v=spf1 include:{LEAF} ~all"', secondary=False)
    target = one.target(method="records")
    done(target)
    observed = target.observe()
    inside = target.explain(IpRanges.parse("40.107.22.83"), observed)
    outside = target.explain(IpRanges.parse("203.0.113.9"), observed)

    assert (True, False) == (inside.knows, outside.knows)
    assert inside.says[0] == (
        f"SPF of {DOMAIN} says pass (include:{LEAF} → ip4:40.107.0.0/16) of 40.107.22.83"
    )
    assert f"SPF of {DOMAIN} says softfail (~all) of 203.0.113.9" == outside.says[0]


def test_reads_without_a_configured_server(world: Callable[..., World]) -> None:
    """The zone, its primary and its servers are found by asking the resolvers."""
    one = world(f'@ TXT "v=spf1 include:{INCLUDE} -all"')
    port = one.bind.primary.port
    target = one.target(key=None, dns={"server": None, "port": port})

    assert () == drafted(target).steps
    assert [True, True] == [check.ok for check in proof(target).checks]


def test_takes_the_servers_that_are_given(world: Callable[..., World]) -> None:
    """Where the NS set does not tell them, or not with their port."""
    one = world(f'@ TXT "v=spf1 include:{INCLUDE} -all"')
    servers = [f"[::1]:{one.bind.secondary.port}"]
    target = one.target(key=None, dns={"zone": DOMAIN, "servers": servers})

    assert [f"127.0.0.1:{one.bind.primary.port}, {DOMAIN}", f"{servers[0]}, {DOMAIN}"] == [
        check.name for check in proof(target).checks
    ]
