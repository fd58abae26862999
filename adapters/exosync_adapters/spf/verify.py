"""The proof: every authoritative server shows the records, and they do what they should."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from exosync.core.desired import Desired
from exosync.core.target import Actor, Check, Draft, Observed, Phase, Verification
from exosync_adapters.spf.aim import Aim
from exosync_adapters.spf.dns import DnsProblem, Server, TxtRRset, Zone
from exosync_adapters.spf.evaluate import Evaluator
from exosync_adapters.spf.plan import plan
from exosync_adapters.spf.rehearse import RIGHT_OUTSIDE, Trial, outsiders, try_at
from exosync_adapters.spf.seen import AtName, Seen, resource_of


def verify(
    aim: Aim,
    desired: Desired,
    observed: Observed,
    zone: Zone,
    *,
    pause: Callable[[float], None],
) -> Verification:
    """Compare and evaluate at every authoritative server.

    Servers that still lag are given the time of `dns.settle`. A server that gives no answer
    is told as not proven, which is no failure: nobody gets a wrong record from it.
    """
    wanted = desired.only(aim.families)
    seen = _settled(aim, observed.detail, zone, pause)
    draft = plan(aim, wanted, replace(observed, detail=seen))
    pending = tuple(step for step in draft.steps if step.resource == resource_of(aim.domain))
    checks = [*_state(draft), *_servers(aim, wanted, seen, zone, included=not pending)]
    return Verification(tuple(checks))


def _settled(aim: Aim, seen: Seen, zone: Zone, pause: Callable[[float], None]) -> Seen:
    """The same, with servers that differed read again until they agree or time is over."""
    within = aim.settings.dns.settle.total_seconds()

    def settle(at: AtName) -> AtName:
        if not at.differing or at.cname:
            return at
        return replace(at, answers=zone.settle(at.name, at.rrset, within=within, pause=pause))

    return replace(seen, domain=settle(seen.domain), leaf=seen.leaf and settle(seen.leaf))


def _state(draft: Draft) -> Iterator[Check]:
    """What is not yet as desired in the records themselves."""
    for refusal in draft.refusals:
        yield Check("records", False, refusal.message)
    for step in draft.steps:
        if step.by is Actor.PERSON:
            yield Check("records", None, f"waits for a person: {step.summary}")
        elif step.phase is Phase.REMOVE:
            yield Check("records", None, f"not yet done: {step.summary}")
        else:
            yield Check("records", False, f"not done: {step.summary}")


def _servers(
    aim: Aim, desired: Desired, seen: Seen, zone: Zone, *, included: bool
) -> Iterator[Check]:
    """One check for each server and name; servers that hold the same are evaluated once."""
    done: dict[tuple[object, ...], list[Trial]] = {}
    for server in seen.servers:
        held = tuple(at.answers.get(server) for at in seen.names)
        problem = next((one for one in held if isinstance(one, DnsProblem)), None)
        if problem is not None:
            yield Check(server.label, None, f"not proven there: {problem}")
            continue
        if held not in done:
            done[held] = _trials(aim, desired, seen, zone, server, included=included)
        for trial in done[held]:
            yield _check(server, trial, strict=trial.name != aim.domain)


def _trials(
    aim: Aim, desired: Desired, seen: Seen, zone: Zone, server: Server, *, included: bool
) -> list[Trial]:
    overlay = {
        at.name: held.texts
        for at in seen.names
        if isinstance(held := at.answers.get(server), TxtRRset) and not held.wildcard
    }
    evaluator = Evaluator(zone.live(server), overlay)
    outside = outsiders(aim, desired, seen)
    trials = []
    if seen.leaf is not None:
        trials.append(try_at(evaluator, seen.leaf.name, desired.ranges, outside))
    if included:
        inside = aim.authorised(desired, seen.microsoft)
        trials.append(try_at(evaluator, aim.domain, inside, outside))
    return trials


def _check(server: Server, trial: Trial, *, strict: bool) -> Check:
    """What the trial proved. `strict`: the record is ours, so addresses of nobody must fail."""
    name = f"{server.label}, {trial.name}"
    broken = [one for one in trial.outside if one.result in ("permerror", "temperror", "none")]
    let_in = [one for one in trial.outside if one.result not in RIGHT_OUTSIDE]
    wrong = [*trial.refused, *(let_in if strict else broken)]
    if wrong:
        told = ", ".join(f"{one.address}: {one.told}" for one in wrong)
        return Check(name, False, f"{len(wrong)} addresses are not judged as they should: {told}")
    proven = f"{len(trial.inside)} ranges pass"
    others = ", ".join(f"{one.address}: {one.result}" for one in trial.outside)
    told = f"{proven}; outside: {others}; {trial.lookups} lookups"
    if not trial.inside:
        return Check(name, None, f"no range could be tried; {told}")
    return Check(name, None if let_in else True, told)
