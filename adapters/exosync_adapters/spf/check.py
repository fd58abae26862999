"""Trying a target without changing anything: zone, servers, key, permission, clock, resolvers."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from exosync.core.ranges import IpRanges
from exosync.core.target import Actor, Check
from exosync.core.words import plural
from exosync.errors import ConfigError, TargetError
from exosync_adapters.dns.zone import DnsProblem, LiveDns, Zone
from exosync_adapters.rfc7208.evaluate import Evaluator, Verdict
from exosync_adapters.rfc7208.record import SpfSyntaxError, count_lookups, parse, ranges_in
from exosync_adapters.rfc7208.tree import expansion, gather
from exosync_adapters.spf.aim import Aim
from exosync_adapters.spf.observe import read_name
from exosync_adapters.spf.rehearse import MAX_LOOKUPS, MAX_VOIDS, WARN_LOOKUPS
from exosync_adapters.spf.rules import name_refusals, owner_refusals
from exosync_adapters.spf.seen import AtName

MOST_SECONDS_APART = 60
"""Clock difference that is told; a signature allows 300 s by default (RFC 8945, section 10)."""


def check(aim: Aim, zone: Zone, writer: Callable[[], Zone]) -> Iterator[Check]:
    """Every check in turn; later ones are left out where an earlier one makes them senseless.

    `writer` gives the zone with the key: reading the secret is a check of its own.
    """
    try:
        servers = zone.authoritative()
    except TargetError as error:
        yield Check("zone", False, str(error), "see dns.server, dns.zone and dns.servers")
        return
    labels = ", ".join(server.label for server in servers)
    yield Check("zone", True, f"{zone.apex()}, on {labels}")
    for sentence in zone.unresolved:
        yield Check("servers", None, sentence, "give the servers that can be asked as dns.servers")
    yield from _serials(zone)
    yield from _key(aim, writer)
    live = zone.live()
    yield from _resolver(aim, live)
    yield from _published(aim, zone)
    yield from _record(aim, zone, live)


def _serials(zone: Zone) -> Iterator[Check]:
    """Each server answers with authority and is no older than the primary."""
    serials = zone.serials()
    newest = serials[zone.primary]
    for server, serial in serials.items():
        if isinstance(serial, DnsProblem):
            primary = server == zone.primary
            yield Check(server.label, False if primary else None, str(serial))
        elif isinstance(newest, int) and serial != newest:
            message = f"has serial {serial} where the primary has {newest}: it lags"
            remedy = "see whether the zone is transferred (notify, allow-transfer)"
            yield Check(server.label, None, message, remedy)
        else:
            yield Check(server.label, True, f"answers with authority, serial {serial}")


def _key(aim: Aim, writer: Callable[[], Zone]) -> Iterator[Check]:
    """The key is accepted, the clocks agree, and every name that exosync writes may be written."""
    names = [aim.settings.leaf] if aim.publishes else []
    names += [aim.domain] if aim.settings.manage == "apex" else []
    if not names:
        return
    if aim.publisher is Actor.PERSON:
        message = "no dns.key is configured, so every change is left to a person"
        yield Check("key", None, message, "give dns.key if exosync is to write")
        return
    try:
        zone = writer()
        yield from _clock(zone)
    except (TargetError, ConfigError) as error:
        yield Check("key", False, str(error))
        return
    for name in names:
        try:
            zone.check_update(name)
        except TargetError as error:
            yield Check(f"permission for {name}", False, str(error))
        else:
            yield Check(f"permission for {name}", True, "the key may change TXT there")


def _clock(zone: Zone) -> Iterator[Check]:
    apart = zone.clock_difference()
    yield Check("key", True, "the primary accepts it")
    if apart is not None and abs(apart) > MOST_SECONDS_APART:
        message = f"the primary's clock is {abs(apart)} s {'ahead' if apart > 0 else 'behind'}"
        yield Check("clock", None, message, "set the time on both machines (NTP)")
    else:
        yield Check("clock", True, "the primary's clock agrees with ours")


def _resolver(aim: Aim, live: LiveDns) -> Iterator[Check]:
    """Microsoft's own name resolves: without it nothing of others can be evaluated."""
    answer = live.query(aim.include, "TXT")
    tree = gather((aim.include,), lambda name: live.query(name, "TXT").records)
    ranges = expansion(tree, aim.include)
    if ranges is not None:
        count = plural(len(ranges), "range")
        yield Check("resolver", True, f"{aim.include} authorises {count}")
        return
    reason = answer.problem or f"{answer.rcode}, no usable SPF record"
    needed = None if aim.publishes else False
    yield Check("resolver", needed, f"{aim.include}: {reason}", "see dns.resolvers")


def _published(aim: Aim, zone: Zone) -> Iterator[Check]:
    """The name where exosync publishes is ours, or free."""
    if not aim.publishes:
        return
    try:
        at = read_name(zone, aim.settings.leaf)
    except TargetError as error:
        yield Check("published", False, str(error))
        return
    refusals = (*name_refusals(at), *owner_refusals(at, aim))
    for refusal in refusals:
        yield Check("published", False, refusal.message)
    if refusals:
        return
    if at.record:
        count = plural(len(ranges_in(at.record)), "range")
        yield Check("published", True, f"{at.name} carries our mark and holds {count}")
    else:
        yield Check("published", True, f"{at.name} is free")


def _record(aim: Aim, zone: Zone, live: LiveDns) -> Iterator[Check]:
    """The domain's record is there, valid and within the limits."""
    try:
        at = read_name(zone, aim.domain)
    except TargetError as error:
        yield Check("record", False, str(error))
        return
    yield _valid(at, aim)
    if at.record:
        outside = [one for version in (4, 6) if (one := IpRanges().outside(version))]
        verdicts = Evaluator(live, {at.name: at.rrset.texts}).evaluate(outside, at.name)
        yield _budget(at, verdicts)


def _valid(at: AtName, aim: Aim) -> Check:
    if at.cname is not None:
        return Check("record", False, str(at.cname), "give the name records of its own")
    if not at.spf:
        message = f"{at.name} has no SPF record"
        return Check("record", None, message, f"publish one that holds {aim.main_term}")
    if not at.record:
        message = f"{at.name} has {len(at.spf)} SPF records: {at.told()}"
        return Check("record", False, message, "make one of them")
    try:
        own = count_lookups(parse(at.record))
    except SpfSyntaxError as error:
        return Check("record", False, f"{error}: “{at.record}”", "correct the record by hand")
    return Check("record", True, f"“{at.record}”, {plural(own, 'lookup')} of its own")


def _budget(at: AtName, verdicts: tuple[Verdict, ...]) -> Check:
    lookups = max((one.lookups for one in verdicts), default=0)
    voids = max((one.voids for one in verdicts), default=0)
    told = f"{lookups} of {MAX_LOOKUPS} lookups, {voids} of {MAX_VOIDS} void ones"
    if lookups > MAX_LOOKUPS or voids > MAX_VOIDS:
        return Check("lookups", False, told, f"take terms out of the SPF record of {at.name}")
    broken = next((one for one in verdicts if one.result in ("permerror", "temperror")), None)
    if broken is not None:
        return Check("lookups", None, f"{told}; {broken.address} gets {broken.told}")
    return Check("lookups", None if lookups >= WARN_LOOKUPS else True, told)
