"""Where a message can come back to Exchange Online from the other side. Pure.

Source: "Fix NDR error 5.4.6 through 5.4.20" (learn.microsoft.com).
"""

from __future__ import annotations

from exosync.core.trace import Stage, Sure
from exosync_adapters.exchange.clouds import is_own_host
from exosync_adapters.exchange.records import Listing, Organisation
from exosync_adapters.exchange.settings import ExchangeSettings
from exosync_adapters.exchange.way.flow import Flow, Going, flow
from exosync_adapters.exchange.way.host_records import Hosts
from exosync_adapters.exchange.way.letters import Groups, Message, Truth
from exosync_adapters.exchange.way.stations import hosts_of


def loop_stage(
    settings: ExchangeSettings,
    organisation: Organisation,
    groups: Groups,
    passed: Flow,
    hosts: Hosts,
) -> Stage | None:
    """Where the message can come back to Exchange Online; None if the domain is not the tenant's."""
    message = passed.left
    if organisation.domain(message.domain) is None:
        return None
    ends = [one for one in passed.exits if one.going in (Going.CONNECTOR, Going.MX)]
    own = [one for end in ends for one in hosts_of(end, message.domain, hosts) if is_own_host(one)]
    if own:
        ok = False if len(ends) == len(passed.exits) == 1 else None
        says = ("it comes back until 554 5.4.14 Hop count exceeded",)
        title = f"it is sent to {own[0]}, which is Exchange Online itself"
        return Stage("loop", own[0], title, ok, Sure.SEEN, says)
    by_mx = [
        one for one in ends if one.going is Going.MX or (one.connector and one.connector.use_mx)
    ]
    if by_mx:
        return _by_mx(message, hosts)
    return _way_back(settings, organisation, groups, passed, hosts)


def _by_mx(message: Message, hosts: Hosts) -> Stage:
    found = hosts.mx.get(message.domain)
    where = ", ".join(found.hosts) if found else ""
    title = f"the MX of {message.domain}: {where or 'not known'}"
    trouble = found.trouble if found else "it was not looked up for this"
    may = "what receives mail for the domain may hand it to Exchange Online again"
    says = tuple(one for one in (trouble, may) if one)
    return Stage("loop", where, title, None, Sure.UNPROVEN, says)


def _way_back(
    settings: ExchangeSettings,
    organisation: Organisation,
    groups: Groups,
    passed: Flow,
    hosts: Hosts,
) -> Stage:
    """What becomes of it if the other side sends it back: the way through Exchange once more."""
    back_again = _stamped(passed, organisation).sent_back()
    again = flow(organisation, back_again, groups, ours=settings.rule_name)
    again_by = {one.name.lower() for one in again.exits if one.going is Going.CONNECTOR}
    domain = passed.left.domain
    mx = hosts.mx.get(domain)
    towards = next((one for one in mx.hosts if is_own_host(one)), "") if mx else ""
    back = f"the MX of {domain} is {towards}: who delivers by MX sends it back" if towards else ""
    if again_by & {one.name.lower() for one in passed.exits if one.connector}:
        title = "it can loop: nothing ends it if the other side sends it back"
        says = ("nothing on the message keeps it from being routed again", back)
        return _loop(title, None, says)
    title = "what comes back is not routed again"
    ends = tuple(f"sent back: {one.why}" for one in again.exits)
    if Listing.RULES in organisation.incomplete:
        return _loop("whether what comes back is routed again cannot be told", None, ends)
    if not any(one.going is Going.MX for one in again.exits):
        return _loop(title, True, ends)
    if not (mx and mx.hosts):
        why = (mx.trouble if mx else "") or "not looked up for this"
        sent = f"sent back, it goes to the MX of {domain}, which may lead here again: {why}"
        return _loop(f"{title} by the rule", None, (sent,))
    if towards:
        sent = "sent back, it goes to the MX, and so round until 554 5.4.14 Hop count exceeded"
        return _loop(f"{title}, and loops all the same", None, (back, sent))
    where = ", ".join(mx.hosts)
    far = {host for one in passed.exits if one.connector for host in one.connector.smart_hosts}
    there = sorted(far.intersection(mx.hosts))
    round_ = f"so if {there[0]} always sends it back, round until 554 5.4.14" if there else ""
    return _loop(title, True, (f"sent back, it goes to the MX of {domain}: {where}", round_))


def _stamped(passed: Flow, organisation: Organisation) -> Message:
    """The message as it left: where one rule alone may have routed it, that rule acted."""
    names = {one.rule for one in passed.exits if one.going is Going.CONNECTOR}
    (name,) = names if len(names) == 1 else ("",)
    rule = next((one for one in organisation.rules if name and one.name == name), None)
    value = next(iter(rule.actions.get("SetHeaderValue", ())), None) if rule else None
    message = passed.left
    for header in rule.actions.get("SetHeaderName", ()) if rule else ():
        if message.headers.get(header.lower()) is None:
            message = message.with_header(header, value)
    return message


def _loop(title: str, ok: Truth, says: tuple[str, ...]) -> Stage:
    return Stage("loop", "", title, ok, Sure.UNPROVEN, tuple(one for one in says if one))
