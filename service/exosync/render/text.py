"""The report for a terminal: aligned, coloured where colours are wanted."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Iterator
from itertools import islice
from typing import Any

import click

from exosync.core.words import (
    STATE_COLOURS,
    STATE_WORDS,
    asserted_text,
    change_text,
    cleaned,
    next_steps,
    plural,
    short,
    special_ranges,
)

Json = dict[str, Any]

_SIGNS = {
    "added": ("+", "green"),
    "removed": ("-", "red"),
    "widened": ("+", "green"),
    "narrowed": ("-", "red"),
    "recut": ("=", None),
}
_CHECKED = {True: ("✓", None), False: ("✗", "red"), None: ("?", "yellow")}


def render(told: Json) -> str:
    """The whole report, ending without a newline; safe to show on a terminal."""
    return "\n".join(_lines(cleaned(told)))


def _lines(told: Json) -> Iterator[str]:
    yield from heading(told)
    width = max((len(one["name"]) for one in told["targets"]), default=0)
    for target in told["targets"]:
        yield ""
        yield from target_lines(target, width)
    yield ""
    yield summary(told)
    yield from (f"  {line}" for line in next_steps(told))


def title(told: Json) -> str:
    """Which version of whose list it is about."""
    version = f"version {told['version']}" if told["version"] else "no version adopted yet"
    return f"Exchange Online, {told['instance']}, {version}"


def heading(told: Json) -> Iterator[str]:
    """Which version it is about, and what the feed said."""
    yield click.style(title(told), bold=True)
    feed = told["feed"]
    if feed["adopted"]:
        previous = f", after {feed['previous']}" if feed["previous"] else ""
        yield f"  new version adopted{previous}"
    yield from _changes(feed["changes"])
    if feed["error"]:
        yield click.style(f"  feed: {feed['error']}", fg="red")
    yield from (f"  {line}" for line in special_ranges(told["ranges"]))
    for finding in told["findings"]:
        yield "  " + _finding(finding)


def target_lines(target: Json, width: int = 0) -> Iterator[str]:
    """One target, with everything that a person needs to decide."""
    state = target["state"]
    words = click.style(STATE_WORDS[state], fg=STATE_COLOURS[state], bold=True)
    plan = f"  plan {target['plan']}" if target["plan"] else ""
    name = click.style(target["name"].ljust(width), bold=True)
    yield f"{name}  {target['kind']}, mode {target['mode']}: {words}{plan}"
    yield from _changes(target["changes"])
    for number, step in enumerate(target["steps"], 1):
        yield from _step(number, step, plan=target["plan"])
    for refusal in target["refusals"]:
        yield from _refusal(refusal)
    for finding in target["findings"]:
        yield "  " + _finding(finding)
    for foreign in target["foreign"]:
        yield f"  foreign: {foreign['where']}: {short(foreign['text'])}"
    yield from _proof(target)
    if target["error"]:
        yield click.style(f"  error: {target['error']}", fg="red")


def summary(told: Json) -> str:
    """The last line: the outcome, and how many targets stand how."""
    counts: dict[str, int] = {}
    for target in told["targets"]:
        counts[target["state"]] = counts.get(target["state"], 0) + 1
    each = ", ".join(f"{count} {STATE_WORDS[state]}" for state, count in counts.items())
    outcome = told["outcome"]
    word = click.style(STATE_WORDS[outcome], fg=STATE_COLOURS[outcome], bold=True)
    return f"{word}: {plural(len(told['targets']), 'target')} ({each})" if each else word


def _change(change: Json) -> str:
    sign, colour = _SIGNS[change["change"]]
    return _tinted(f"{sign} {change_text(change)}", colour)


def _changes(found: list[Json], most: int = 12) -> Iterator[str]:
    yield from ("  " + _change(one) for one in found[:most])
    if len(found) > most:
        yield f"  … and {plural(len(found) - most, 'more change')}"


def _step(number: int, step: Json, *, most: int = 0, plan: str | None = None) -> Iterator[str]:
    """One step; of a text that is wholly new a few lines are enough, unless `most` says more.

    The rest is shown with the `plan`.
    """
    who = "" if step["by"] == "exosync" else " [for a person]"
    does = "look" if step["before"] == step["after"] else step["phase"]
    yield f"  {number}. {does}: {step['summary']}{who} — {step['status']}"
    if step["status"] == "done" and not most:
        return
    lines = list(_difference(step["before"], step["after"]))
    most = most or (40 if step["before"] else 8)
    yield from (f"       {line}" for line in lines[:most])
    if len(lines) > most:
        where = f": exosync show {plan}" if plan else ""
        yield f"       … and {plural(len(lines) - most, 'more line')}{where}"


def _difference(before: str, after: str) -> Iterator[str]:
    """What changes in a text, with the line before and after it."""
    found = difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=1)
    # The first two lines name the files, the third begins the first part.
    for line in islice(found, 3, None):
        shown = " …" if line.startswith("@@") else line
        yield _tinted(shown, {"+": "green", "-": "red"}.get(shown[0]))


def _refusal(refusal: Json) -> Iterator[str]:
    yield click.style(f"  refused by {refusal['rule']}: {refusal['message']}", fg="red")
    limit = f"; limit {refusal['limit']}" if refusal["limit"] else ""
    setting = f" (setting {refusal['setting']})" if refusal["setting"] else ""
    yield f"    seen {refusal['seen']}{limit}{setting}"


def _finding(finding: Json) -> str:
    colour = "yellow" if finding["severity"] == "warning" else None
    sign = "!" if finding["severity"] == "warning" else "·"
    return _tinted(f"{sign} {finding['rule']}: {finding['message']}", colour)


def _proof(target: Json) -> Iterator[str]:
    checks = target["checks"]
    if target["verified"] is not None:
        word, colour = ("verified", "green") if target["verified"] else ("not verified", "red")
        yield click.style(f"  {word}", fg=colour)
    for one in target.get("asserted", ()):  # a run of an earlier release has none
        yield _tinted(f"  {asserted_text(one)}", "yellow")
    for check in checks:
        sign, tint = _CHECKED[check["ok"]]
        remedy = f"; {check['remedy']}" if check["remedy"] else ""
        yield _tinted(f"    {sign} {check['name']}: {check['message']}{remedy}", tint)


def render_run(run: Json) -> str:
    """One run as it is kept in the state, and its report if it came to one."""
    return "\n".join(_run_lines(cleaned(run)))


def _run_lines(run: Json) -> Iterator[str]:
    often = (
        f", {run['repeats'] + 1:,} times until {_minute(run['last_at'])}" if run["repeats"] else ""
    )
    yield f"run {run['id']}: {run['command']}, {_minute(run['started_at'])}{often}"
    if run["report"]:
        yield from _lines(run["report"])
        return
    why = f": {run['error']}" if run["error"] else ""
    yield f"  {run['outcome'] or 'not finished'}{why}"
    yield from _journal(run["journal"])


def render_plan(plan: Json) -> str:
    """One plan as it is kept in the state, whole."""
    return "\n".join(_plan_lines(cleaned(plan)))


def _plan_lines(plan: Json) -> Iterator[str]:
    adopting = ", takes over what is there" if plan["adopting"] else ""
    yield click.style(
        f"plan {plan['id']} for {plan['target']}: {plan['status']}{adopting}", bold=True
    )
    yield f"  {plan['kind']}, mode {plan['mode']}, {plan['instance']} version {plan['version']}"
    yield from _changes(plan["changes"], most=sys.maxsize)
    for number, step in enumerate(plan["steps"], 1):
        yield from _step(number, step, most=sys.maxsize)
    for refusal in plan["refusals"]:
        yield from _refusal(refusal)
    for finding in plan["findings"]:
        yield "  " + _finding(finding)
    if plan["approval"]:
        one = plan["approval"]
        why = f": {one['why']}" if one["why"] else ""
        yield f"  approved by {one['by']}, {_minute(one['at'])}{why}"
    yield from _journal(plan["journal"])


def _journal(journal: list[Json]) -> Iterator[str]:
    """What was written outside, and what became of it."""
    for one in journal:
        outcome = (one["outcome"] or "no outcome").replace("_", " ")
        why = f" ({one['error']})" if one["error"] else ""
        yield f"  {_minute(one['intended_at'])}, {one['summary']}: {outcome}{why}"


def render_event(event: Json) -> str:
    """One event."""
    return "\n".join(_event_lines(cleaned(event)))


def _event_lines(event: Json) -> Iterator[str]:
    yield click.style(f"{event['id']}, {_minute(event['at'])}: {event['text']}", bold=True)
    yield f"  {event['what']}, {event['severity']}"
    body = event["body"]
    yield from _changes(body.get("changes", []), most=sys.maxsize)
    for refusal in body.get("refusals", ()):
        yield from _refusal(refusal)
    if body.get("error"):
        yield _tinted(f"  error: {body['error']}", "red")
    if body.get("why"):
        yield f"  why: {body['why']}"


def render_version(view: Json) -> str:
    """One of Microsoft's versions."""
    return "\n".join(_version_lines(cleaned(view)))


def _version_lines(view: Json) -> Iterator[str]:
    sets = plural(view["sets"], "endpoint set")
    yield click.style(f"version {view['version']} of {view['instance']}, {sets}", bold=True)
    yield f"  from {view['source']}, {_minute(view['fetched_at'])}"
    yield f"  SHA-256 {view['sha256']}"
    for one in view["mail"]:
        yield f"  mail, set {one['set']}: {', '.join(one['cidrs']) or 'no addresses'}"
    for finding in view["findings"]:
        yield "  " + _finding(finding)


def _minute(moment: str) -> str:
    return f"{moment[:16].replace('T', ' ')} UTC"


def _tinted(text: str, colour: str | None) -> str:
    return click.style(text, fg=colour) if colour else text
