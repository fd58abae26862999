"""The report for a terminal: aligned, coloured where colours are wanted."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from typing import Any

import click

from exosync.core.words import STATE_WORDS, change_text, cleaned, next_steps, plural

Json = dict[str, Any]

_COLOURS = {
    "in_sync": "green",
    "applied": "green",
    "pending": "yellow",
    "waiting": "yellow",
    "refused": "red",
    "failed": "red",
}
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
    for leaving in (told["ranges"] or {}).get("leaving", ()):
        yield f"  leaving on {leaving['until'][:10]}: {', '.join(leaving['cidrs'])}"
    for extra in (told["ranges"] or {}).get("extra", ()):
        yield f"  extra: {', '.join(extra['cidrs'])} ({extra['name']}: {extra['reason']})"
    for out in (told["ranges"] or {}).get("excluded", ()):
        yield f"  excluded: {', '.join(out['cidrs'])} ({out['name']}: {out['reason']})"
    for finding in told["findings"]:
        yield "  " + _finding(finding)


def target_lines(target: Json, width: int = 0) -> Iterator[str]:
    """One target, with everything that a person needs to decide."""
    state = target["state"]
    words = click.style(STATE_WORDS[state], fg=_COLOURS[state], bold=True)
    plan = f"  plan {target['plan']}" if target["plan"] else ""
    name = click.style(target["name"].ljust(width), bold=True)
    yield f"{name}  {target['kind']}, mode {target['mode']}: {words}{plan}"
    yield from _changes(target["changes"])
    for number, step in enumerate(target["steps"], 1):
        yield from _step(number, step)
    for refusal in target["refusals"]:
        yield from _refusal(refusal)
    for finding in target["findings"]:
        yield "  " + _finding(finding)
    for foreign in target["foreign"]:
        yield f"  foreign: {foreign['where']}: {_cut(foreign['text'])}"
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
    word = click.style(STATE_WORDS[outcome], fg=_COLOURS[outcome], bold=True)
    return f"{word}: {plural(len(told['targets']), 'target')} ({each})" if each else word


def _change(change: Json) -> str:
    sign, colour = _SIGNS[change["change"]]
    return click.style(f"{sign} {change_text(change)}", fg=colour)


def _changes(found: list[Json], most: int = 12) -> Iterator[str]:
    yield from ("  " + _change(one) for one in found[:most])
    if len(found) > most:
        yield f"  … and {plural(len(found) - most, 'more change')}"


def _step(number: int, step: Json) -> Iterator[str]:
    who = "" if step["by"] == "exosync" else " [for a person]"
    yield f"  {number}. {step['phase']}: {step['summary']}{who} — {step['status']}"
    if step["status"] == "done":
        return
    for line in _difference(step["before"], step["after"]):
        yield "       " + line


def _difference(before: str, after: str, most: int = 40) -> list[str]:
    lines = [
        line
        for line in difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=1)
        if not line.startswith(("---", "+++", "@@"))
    ]
    shown = [
        click.style(line, fg={"+": "green", "-": "red"}.get(line[:1])) for line in lines[:most]
    ]
    if len(lines) > most:
        shown.append(f"… and {plural(len(lines) - most, 'more line')}")
    return shown


def _refusal(refusal: Json) -> Iterator[str]:
    yield click.style(f"  refused by {refusal['rule']}: {refusal['message']}", fg="red")
    limit = f"; limit {refusal['limit']}" if refusal["limit"] else ""
    setting = f" (setting {refusal['setting']})" if refusal["setting"] else ""
    yield f"    seen {refusal['seen']}{limit}{setting}"


def _finding(finding: Json) -> str:
    colour = "yellow" if finding["severity"] == "warning" else None
    sign = "!" if finding["severity"] == "warning" else "·"
    return click.style(f"{sign} {finding['rule']}: {finding['message']}", fg=colour)


def _proof(target: Json) -> Iterator[str]:
    checks = target["checks"]
    if target["verified"] is not None:
        word, colour = ("verified", "green") if target["verified"] else ("not verified", "red")
        yield click.style(f"  {word}", fg=colour)
    for check in checks:
        sign, tint = _CHECKED[check["ok"]]
        remedy = f"; {check['remedy']}" if check["remedy"] else ""
        yield click.style(f"    {sign} {check['name']}: {check['message']}{remedy}", fg=tint)


def _cut(text: str, most: int = 120) -> str:
    line = " ".join(text.split())
    return line if len(line) <= most else line[: most - 1] + "…"


def render_plan(plan: Json) -> str:
    """One plan as it is kept in the state; safe to show on a terminal."""
    return "\n".join(_plan_lines(cleaned(plan)))


def _plan_lines(plan: Json) -> Iterator[str]:
    adopting = ", takes over what is there" if plan["adopting"] else ""
    yield click.style(
        f"plan {plan['id']} for {plan['target']}: {plan['status']}{adopting}", bold=True
    )
    yield f"  {plan['kind']}, mode {plan['mode']}, {plan['instance']} version {plan['version']}"
    yield from _changes(plan["changes"])
    for number, step in enumerate(plan["steps"], 1):
        yield from _step(number, step)
    for refusal in plan["refusals"]:
        yield from _refusal(refusal)
    for finding in plan["findings"]:
        yield "  " + _finding(finding)
    if plan["approval"]:
        one = plan["approval"]
        why = f": {one['why']}" if one["why"] else ""
        yield f"  approved by {one['by']} at {one['at'][:16]} UTC{why}"
    for done in plan["journal"]:
        yield f"  {done['intended_at'][:16]} UTC {done['summary']}: {done['outcome'] or 'no outcome'}"
