"""From what was adopted over time to what is desired now: select, age, add, take out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from exosync.core.ageing import Held, leaving
from exosync.core.desired import Desired, Exclusion, Extra
from exosync.core.ranges import IpRanges
from exosync.core.target import Finding
from exosync.pull import held
from exosync.store import Store


@dataclass(frozen=True, slots=True)
class RangeRules:
    """What the configuration says of the ranges."""

    grace: timedelta
    extras: tuple[Extra, ...] = ()
    exclusions: tuple[Exclusion, ...] = ()


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is desired, what there is to say of it, and when the feed last confirmed it (UTC).

    `adopted_at` is when the newest version was adopted.
    """

    desired: Desired
    findings: tuple[Finding, ...]
    confirmed_at: datetime
    adopted_at: datetime


def wanted(rules: RangeRules, store: Store, instance: str, now: datetime) -> Wanted:
    """What is desired now; there must be an adopted version."""
    adoptions = store.adoptions(instance, since=now - rules.grace)
    excluded = IpRanges().union(*(one.ranges for one in rules.exclusions))
    history = []
    findings: tuple[Finding, ...] = ()
    for one in adoptions:
        _, mail = held(store, instance, one.version)
        findings = mail.findings
        history.append(Held(one.version, one.adopted_at, mail.ranges - excluded))
    newest = history[-1]
    desired = Desired(
        instance=instance,
        version=newest.version,
        microsoft=newest.ranges,
        extras=rules.extras,
        leaving=leaving(history, grace=rules.grace, now=now),
        exclusions=rules.exclusions,
    )
    checked_at = store.feed_state(instance).checked_at
    confirmed_at = max(filter(None, (checked_at, newest.adopted_at)))
    return Wanted(desired, findings, confirmed_at, newest.adopted_at)
