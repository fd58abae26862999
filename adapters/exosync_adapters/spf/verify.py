"""The proof: every authoritative server shows the records, and they do what they should."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from exosync.core.desired import Desired
from exosync.core.target import Actor, Check, Draft, Observed, Phase, Verification
from exosync.core.words import plural
from exosync_adapters.dns.zone import DnsProblem, Server, TxtRRset, Zone
from exosync_adapters.rfc7208.evaluate import Evaluator
from exosync_adapters.spf.aim import Aim
from exosync_adapters.spf.plan import plan
from exosync_adapters.spf.rehearse import RIGHT_OUTSIDE, Trial, outsiders, try_at
from exosync_adapters.spf.seen import AtName, Seen


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
    waiting = {step.resource for step in draft.steps if step.by is Actor.PERSON}
    names = tuple(at.name for at in seen.names if at.resource not in waiting)
    return Verification((*_state(draft), *_servers(aim, wanted, seen, zone, names)))


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
    aim: Aim, desired: Desired, seen: Seen, zone: Zone, names: Sequence[str]
) -> Iterator[Check]:
    """One check for each server and name; servers that hold the same are evaluated once.

    `names` leaves out what waits for a person: nothing is to be proven of it yet.
    """
    done: dict[tuple[object, ...], list[Trial]] = {}
    for server in seen.servers:
        held = tuple(at.answers.get(server) for at in seen.names)
        problem = next((one for one in held if isinstance(one, DnsProblem)), None)
        if problem is not None:
            yield Check(server.label, None, f"not proven there: {problem}")
            continue
        if held not in done:
            evaluator = _evaluator(seen, zone, server)
            done[held] = [_trial(aim, desired, seen, evaluator, name) for name in names]
        for trial in done[held]:
            yield _check(server, trial, strict=trial.name != aim.domain)


def _evaluator(seen: Seen, zone: Zone, server: Server) -> Evaluator:
    """An evaluator over what was read from one server, and what else that server tells."""
    overlay = {
        at.name: held.texts
        for at in seen.names
        if isinstance(held := at.answers.get(server), TxtRRset) and not held.wildcard
    }
    return Evaluator(zone.live(server), overlay)


def _trial(aim: Aim, desired: Desired, seen: Seen, evaluator: Evaluator, name: str) -> Trial:
    domain = name == aim.domain
    inside = aim.authorised(desired, seen.microsoft) if domain else desired.ranges
    return try_at(evaluator, name, inside, outsiders(aim, desired, seen))


def _check(server: Server, trial: Trial, *, strict: bool) -> Check:
    """What the trial proved. `strict`: the record is ours, so addresses of nobody must fail.

    In the domain's own record they may lead to others' names, whose silence is not our fault.
    """
    name = f"{server.label}, {trial.name}"
    let_in = [one for one in trial.outside if one.result not in RIGHT_OUTSIDE]
    broken = [one for one in trial.outside if one.result in ("permerror", "none")]
    wrong = [*trial.refused, *(let_in if strict else broken)]
    if wrong:
        told = ", ".join(f"{one.address}: {one.told}" for one in wrong)
        return Check(name, False, f"not judged as it should be: {told}")
    if not trial.inside:
        return Check(name, False, "nothing is proven: there is no range that could be tried")
    others = ", ".join(f"{one.address}: {one.told}" for one in trial.outside)
    told = (
        f"{plural(len(trial.inside), 'range')} passed, {plural(trial.lookups, 'lookup')}; "
        f"from elsewhere {others}"
    )
    return Check(name, None if let_in else True, told)
