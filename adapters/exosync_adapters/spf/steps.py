"""A step as an exchange of one TXT RRset. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from exosync.core.target import Action, Actor, Phase, Step
from exosync.core.tasks import Confirmation, Task
from exosync_adapters.dns.values import TxtRRset, txt_strings
from exosync_adapters.rfc7208.record import is_spf, ranges_in
from exosync_adapters.spf.seen import resource_of


@dataclass(frozen=True, slots=True)
class Change:
    """The write behind a step: the RRset as it must be before, and as it is after."""

    old: TxtRRset
    new: TxtRRset

    @property
    def before(self) -> str:
        """The text of the SPF record before; empty if there is none."""
        return spf_text(self.old)

    @property
    def after(self) -> str:
        """The text of the SPF record after."""
        return spf_text(self.new)

    @property
    def is_none(self) -> bool:
        """Whether it changes nothing: how a value is cut into strings makes no difference."""
        return self.old.ttl == self.new.ttl and sorted(self.old.texts) == sorted(self.new.texts)


def spf_text(rrset: TxtRRset) -> str:
    """The SPF record in an RRset that holds at most one; empty without."""
    return next((text for text in rrset.texts if is_spf(text)), "")


def with_record(rrset: TxtRRset, text: str, *, ttl: int) -> TxtRRset:
    """The RRset with this SPF record as its only one; other values stay byte for byte."""
    others = (
        value
        for value in rrset.values
        if not is_spf(b"".join(value).decode("utf-8", "surrogateescape"))
    )
    return TxtRRset(rrset.name, ttl, (*others, txt_strings(text)))


def exchange(phase: Phase, summary: str, change: Change, *, by: Actor) -> Step:
    """The step that makes a change; where only the TTL differs, the texts show it."""
    before, after = change.before, change.after
    if before == after:
        before, after = (f"{before} (TTL {one.ttl})" for one in (change.old, change.new))
    return Step(
        resource=resource_of(change.new.name),
        phase=phase,
        action=Action.UPDATE if change.old.exists else Action.CREATE,
        summary=summary,
        before=before,
        after=after,
        expects=change.old.token,
        gives=change.new.token,
        by=by,
        task=_task(summary, change) if by is Actor.PERSON else None,
        detail=change,
    )


def _task(summary: str, change: Change) -> Task:
    """What a person is asked to do with the record."""
    before, after = ranges_in(change.before), ranges_in(change.after)
    old = "replace the one that is there" if change.before else "make a new TXT record"
    return Task(
        setting=change.new.name,
        title=summary,
        place=f"the DNS zone that holds {change.new.name}",
        box=change.after,
        found=change.before,
        who="whoever edits the zone",
        confirmation=Confirmation.READ,
        ranges=after,
        added=after - before,
        removed=before - after,
        fields=(("name", change.new.name), ("type", "TXT"), ("TTL", str(change.new.ttl))),
        instructions=(f"{old}; leave all other TXT records as they are",),
        reasons=("receivers take mail for forged that comes from an address not in the record",),
        delay=timedelta(seconds=change.old.ttl or 0),
    )
