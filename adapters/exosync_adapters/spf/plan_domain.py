"""Planning the domain's own SPF record: one RRset, one step, whatever it lacks. Pure.

Terms are only ever added. A term that is no longer required stays, for nothing in the record
says whose it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from exosync.core.desired import Desired
from exosync.core.ranges import IpRanges
from exosync.core.target import Actor, Draft, Finding, Phase, Severity, Step
from exosync_adapters.rfc7208.record import Record, Term, has_term, insert_term, parse, parse_term
from exosync_adapters.rfc7208.tree import authorised, reached
from exosync_adapters.spf.aim import Aim, Requirement
from exosync_adapters.spf.layout import answer_size
from exosync_adapters.spf.rules import name_refusals, syntax_refusals
from exosync_adapters.spf.seen import AtName, Seen
from exosync_adapters.spf.steps import Change, exchange, with_record

LARGE_ANSWER = 1100
"""Octets of name and TXT values beyond which libspf2 1.2.10 drops the answer (measured: 1.2 kB)."""


def plan_domain(aim: Aim, desired: Desired, seen: Seen, *, blocked: bool) -> Draft:
    """The step that adds what the record lacks, for a person unless the target manages it.

    `blocked`: the name that the record would refer to is refused, so nothing is added.
    """
    at, nothing = seen.domain, IpRanges()
    refusals = (*name_refusals(at), *syntax_refusals(at))
    if refusals or blocked:
        return Draft(nothing, nothing, refusals=refusals)
    record = parse(at.record) if at.record else None
    findings = tuple(_by_addresses(aim, seen, record))
    text, lacking = at.record or f"v=spf1 {aim.settings.default_all}", []
    for one in aim.requirements(desired):
        if not _has(aim, seen, record, one) and not _in(aim, text, one):
            text = insert_term(text, one.term)
            lacking.append(one)
    if not lacking:
        return Draft(nothing, nothing, findings=findings)
    change = Change(at.rrset, with_record(at.rrset, text, ttl=at.rrset.ttl or aim.settings.ttl))
    findings += tuple(_findings(aim, at, change))
    return Draft(nothing, nothing, steps=(_step(aim, at, lacking, change),), findings=findings)


def _has(aim: Aim, seen: Seen, record: Record | None, wanted: Requirement) -> bool:
    """Whether the record holds a term, or does the same by what it includes or names."""
    term = parse_term(wanted.term)
    microsoft = seen.microsoft if seen.microsoft is not None else IpRanges()
    if term.ranges and not aim.publishes and term.ranges <= microsoft:
        return True  # an extra that Microsoft's include holds, and that is required itself
    if record is None:
        return False
    if has_term(record, term, domain=aim.domain) or _reaches(aim, seen, term):
        return True
    passing = authorised(seen.tree, aim.domain)
    if wanted.term == aim.main_term and not aim.publishes:
        whole = aim.cut(microsoft)
        return seen.evaluated or (bool(whole) and whole <= passing)
    return bool(term.ranges) and term.ranges <= passing


def _in(aim: Aim, text: str, wanted: Requirement) -> bool:
    """Whether the record as planned so far holds a term."""
    return has_term(parse(text), parse_term(wanted.term), domain=aim.domain)


def _reaches(aim: Aim, seen: Seen, term: Term) -> bool:
    """Whether an include stands in a record that the domain's own includes or redirects to."""
    return term.name == "include" and term.plain_domain in reached(seen.tree, aim.domain)


def _by_addresses(aim: Aim, seen: Seen, record: Record | None) -> Iterator[Finding]:
    main = Requirement(aim.main_term, "")
    term = parse_term(main.term)
    if record is None or not _has(aim, seen, record, main):
        return
    if not has_term(record, term, domain=aim.domain) and not _reaches(aim, seen, term):
        yield Finding(
            "include_by_addresses",
            f"{aim.domain} authorises all of {aim.include} without including it; whether it "
            "follows what Microsoft changes there is in other hands",
            Severity.INFO,
        )


def _step(aim: Aim, at: AtName, lacking: Sequence[Requirement], change: Change) -> Step:
    by = Actor.PERSON if at.rrset.wildcard else aim.editor
    terms = ", ".join(f"{one.term} ({one.why})" for one in lacking)
    if not at.record:
        summary = f"publish an SPF record at {aim.domain}: {terms}"
    elif by is Actor.PERSON:
        summary = f"replace the SPF record of {aim.domain} by one that also holds {terms}"
    else:
        summary = f"add to the SPF record of {aim.domain}: {terms}"
    return exchange(Phase.ADD, summary, change, by=by)


def _findings(aim: Aim, at: AtName, change: Change) -> Iterator[Finding]:
    if not at.record:
        yield Finding(
            "new_spf_record",
            f"{aim.domain} has no SPF record yet; the planned one ends in "
            f"{aim.settings.default_all}, which judges mail from every sender that it does not "
            "name: list all other senders of the domain in `terms` first",
        )
    if at.rrset.wildcard:
        yield Finding(
            "wildcard",
            f"{aim.domain} is answered from a wildcard; a record of its own ends that for every "
            "type (RFC 4592), so a person must make it",
        )
    size = answer_size(change.new.name, change.new.texts)
    if size > LARGE_ANSWER:
        yield Finding(
            "large_answer",
            f"{aim.domain} would hold {size} octets of TXT values; above about 1,200 some "
            "receivers ignore the SPF record",
        )
