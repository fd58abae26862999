"""Planning the name where exosync publishes the ranges. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from exosync.core.desired import Desired
from exosync.core.ranges import IpRanges
from exosync.core.target import Draft, Finding, Phase, Step, split
from exosync.core.words import plural
from exosync_adapters.rfc7208.record import OWNER_MODIFIER, ranges_in
from exosync_adapters.spf.aim import Aim
from exosync_adapters.spf.layout import Laid, layout
from exosync_adapters.spf.rules import name_refusals, owner_refusals
from exosync_adapters.spf.seen import AtName
from exosync_adapters.spf.steps import Change, exchange, with_record


def plan_leaf(aim: Aim, desired: Desired, at: AtName, owned: IpRanges, *, adopting: bool) -> Draft:
    """The steps that bring our record to the desired ranges: additions, then removals."""
    base = ranges_in(at.record) if adopting else owned
    refusals = (*name_refusals(at), *(() if adopting else owner_refusals(at, aim)))
    if refusals:
        return Draft(base, desired.ranges, refusals=refusals)
    stages = [
        (phase, layout(stage.ranges, aim.owner, name=at.name, beside=at.beside))
        for phase, stage in split(desired, base)
    ]
    last = stages[-1][1]
    if last.refusal is not None:
        return Draft(base, desired.ranges, refusals=(last.refusal,))
    findings = _dropped(at) if adopting else ()
    if any(laid.refusal for _, laid in stages):
        findings += (_at_once(at, stages[0][1]),)
        stages = [(Phase.REMOVE, last)]
    return Draft(base, desired.ranges, steps=_steps(aim, at, stages), findings=findings)


def _dropped(at: AtName) -> tuple[Finding, ...]:
    """What adoption cannot keep: terms that are no ranges."""
    kept = ("v=spf1", "all", f"{OWNER_MODIFIER}=", "ip4:", "ip6:")
    lost = [word for word in at.record.split() if not word.lower().lstrip("+-~?").startswith(kept)]
    if not lost:
        return ()
    message = f"taking {at.name} over drops what is no range in its record: {', '.join(lost)}"
    return (Finding("adoption_drops_terms", message),)


def _at_once(at: AtName, union: Laid) -> Finding:
    return Finding(
        "single_replace",
        f"{at.name}: old and new ranges together do not fit into one record ({union.octets} "
        f"octets, {union.terms} terms), so one write adds and removes at once",
    )


def _steps(aim: Aim, at: AtName, stages: Sequence[tuple[Phase, Laid]]) -> tuple[Step, ...]:
    steps: list[Step] = []
    current = at.rrset
    for phase, laid in stages:
        change = Change(current, with_record(current, laid.text, ttl=aim.settings.ttl))
        if change.is_none:
            continue
        steps.append(exchange(phase, _summary(at.name, change), change, by=aim.publisher))
        current = change.new
    return tuple(steps)


def _summary(name: str, change: Change) -> str:
    before, after = ranges_in(change.before), ranges_in(change.after)
    added, removed = (after - before).cidrs(), (before - after).cidrs()
    if not change.before:
        return f"publish {plural(len(after), 'range')} at {name}"
    said = [f"add {', '.join(added)}"] if added else []
    said += [f"remove {', '.join(removed)}"] if removed else []
    if change.old.ttl != change.new.ttl:
        said.append(f"set the TTL from {change.old.ttl} to {change.new.ttl}")
    return f"{' and '.join(said) or 'write the same ranges anew'} at {name}"
