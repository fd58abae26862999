"""Reading: both names at every authoritative server, and the tree of what they include."""

from __future__ import annotations

from exosync.core.ranges import IpRanges
from exosync.core.target import Finding, Foreign, Observed, Severity
from exosync_adapters.dns.zone import DnsProblem, LiveDns, Server, Trouble, TxtRRset, Zone
from exosync_adapters.rfc7208.record import is_spf, owner_of, ranges_in
from exosync_adapters.rfc7208.tree import Fetch, Records, expansion, gather, reached, undetermined
from exosync_adapters.spf.aim import Aim
from exosync_adapters.spf.seen import AtName, Seen


def observe(aim: Aim, zone: Zone, live: LiveDns) -> Observed:
    """What stands in DNS.

    Raises the error of the primary if that gives no answer; another server that gives none
    is a finding.
    """
    domain = read_name(zone, aim.domain)
    leaf = read_name(zone, aim.settings.leaf) if aim.publishes else None
    tree = gather((aim.domain, aim.include), _fetch(live, domain, leaf))
    microsoft = expansion(tree, aim.include)
    seen = Seen(
        zone=zone.apex(),
        servers=zone.authoritative(),
        domain=domain,
        leaf=leaf,
        tree=tree,
        microsoft=microsoft,
        evaluated=not aim.publishes and _evaluated(aim, domain, tree, microsoft, live),
    )
    ours = leaf is not None and owner_of(leaf.record) == aim.owner
    return Observed(
        owned=ranges_in(leaf.record) if leaf is not None and ours else IpRanges(),
        resources={at.resource: at.rrset.token for at in seen.names},
        foreign=_foreign(aim, seen),
        findings=(*_silent_servers(zone, seen), *_no_cross_check(aim, seen)),
        detail=seen,
    )


def read_name(zone: Zone, name: str) -> AtName:
    """The TXT RRset at a name from every server. Raises what the primary's answer means."""
    answers = zone.read(name)
    first = answers[zone.primary]
    if isinstance(first, TxtRRset):
        return AtName(name, first, answers)
    if first.trouble is Trouble.CNAME:
        return AtName(name, TxtRRset.absent(name), answers)
    raise first.error()


def _fetch(live: LiveDns, *known: AtName | None) -> Fetch:
    """TXT values by name: what was read from the primary, else live DNS."""
    read = {at.name: at.rrset.texts for at in known if at is not None and at.rrset.exists}

    def fetch(name: str) -> tuple[str, ...] | None:
        if name in read:
            return read[name]
        answer = live.query(name, "TXT")
        return answer.records if answer.rcode in ("NOERROR", "NXDOMAIN") else None

    return fetch


def _evaluated(
    aim: Aim, domain: AtName, tree: Records, microsoft: IpRanges | None, live: LiveDns
) -> bool:
    """Whether Microsoft's addresses pass at the domain by terms that no text tells.

    So it is with a hosted record of macros. Tried only where the texts do not tell already.
    """
    if microsoft is None or aim.include in reached(tree, aim.domain) or not undetermined(tree):
        return False
    from exosync_adapters.rfc7208.evaluate import Evaluator

    wanted = aim.cut(microsoft).samples()
    found = Evaluator(live, {domain.name: domain.rrset.texts}).evaluate(wanted, domain.name)
    return bool(found) and all(one.result == "pass" for one in found)


def _foreign(aim: Aim, seen: Seen) -> tuple[Foreign, ...]:
    """The domain's SPF record if a person keeps it, and TXT values at our name but not ours."""
    found = []
    if aim.settings.manage == "none":
        where = f"{seen.domain.name} TXT"
        found += [Foreign(where, text, ranges_in(text)) for text in seen.domain.spf]
    if seen.leaf is not None:
        found += [
            Foreign(f"{seen.leaf.name} TXT", text, ranges_in(text) if is_spf(text) else IpRanges())
            for text in seen.leaf.rrset.texts
            if not is_spf(text) or owner_of(text) != aim.owner
        ]
    return tuple(found)


def _silent_servers(zone: Zone, seen: Seen) -> tuple[Finding, ...]:
    told: dict[Server, DnsProblem] = {}
    for at in seen.names:
        for one in at.problems:
            if one.trouble is not Trouble.CNAME:
                told.setdefault(one.server, one)
    sentences = [*zone.unresolved, *(str(one) for one in told.values())]
    return tuple(Finding("server_unreachable", sentence) for sentence in sentences)


def _no_cross_check(aim: Aim, seen: Seen) -> tuple[Finding, ...]:
    if seen.microsoft is not None:
        return ()
    message = (
        f"{aim.include} cannot be resolved to addresses from here, so Microsoft's own SPF record "
        "is not compared with the mail ranges; give dns.resolvers if the system's do not answer"
    )
    return (Finding("cross_check_unavailable", message, Severity.INFO),)
