"""The words that every output uses: states, counts, and what to do next."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

STATE_WORDS: dict[str, str] = {
    "in_sync": "in sync",
    "pending": "pending",
    "applied": "applied",
    "refused": "refused",
    "asserted": "asserted",
    "waiting": "waiting for a person",
    "failed": "failed",
    "interrupted": "interrupted",
}
"""How a state reads."""

STATE_COLOURS: dict[str, str] = {
    "in_sync": "green",
    "applied": "green",
    "asserted": "green",
    "pending": "yellow",
    "waiting": "yellow",
    "refused": "red",
    "failed": "red",
}
"""How a state looks where there are colours."""


def plural(count: int, noun: str) -> str:
    """`1 target`, `2 targets`."""
    if count == 1:
        return f"1 {noun}"
    ending = "ies" if noun.endswith("y") and noun[-2] not in "aeiou" else f"{noun[-1]}s"
    return f"{count:,} {noun[:-1]}{ending}"


_UNSAFE = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)
_OF_SEVERAL_LINES = frozenset({"before", "after", "text", "box", "found"})


def clean(text: str) -> str:
    """A text that cannot move a terminal's cursor, colour it or turn its writing around.

    Files, DNS records and servers say what they like: control characters, the marks of
    writing direction and lone surrogates are shown as escapes. Lines and tabs stay.
    """
    return _UNSAFE.sub(lambda found: ascii(found[0])[1:-1], text)


def one_line(text: str) -> str:
    """The same in one line, so that no text can pretend to be a line of ours."""
    return clean(text).replace("\n", "\\n")


def clean_json(text: str) -> str:
    """The same for JSON: such a character inside one of its texts, as JSON's own escape."""
    return _UNSAFE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def cleaned(value: Any, key: str = "") -> Any:
    """The same for every text in a JSON value: in one line, but for what a file or record holds."""
    match value:
        case str():
            return clean(value) if key in _OF_SEVERAL_LINES else one_line(value)
        case dict():
            return {name: cleaned(one, name) for name, one in value.items()}
        case list():
            return [cleaned(one, key) for one in value]
    return value


def change_text(change: dict[str, Any]) -> str:
    """One change of ranges, from its JSON form."""
    text: str = change["text"]
    return text


def asserted_text(one: dict[str, Any]) -> str:
    """What somebody said is so, from its JSON form."""
    count = plural(len(one["ranges"]), "range")
    held = f" for {count}" if one["ranges"] else ""
    return f"{one['setting']}: asserted by {one['by']} on {one['at'][:10]}{held}; not verified"


def short(text: str, most: int = 120) -> str:
    """The beginning of a text, in one line."""
    line = " ".join(text.split())
    return line if len(line) <= most else line[: most - 1] + "…"


def special_ranges(ranges: dict[str, Any] | None) -> Iterator[str]:
    """What is desired though Microsoft does not publish it, and what is not though it does."""
    parts = ranges or {}
    for leaving in parts.get("leaving", ()):
        yield f"leaving on {leaving['until'][:10]}: {', '.join(leaving['cidrs'])}"
    for extra in parts.get("extra", ()):
        yield f"extra: {', '.join(extra['cidrs'])} ({extra['name']}: {extra['reason']})"
    for out in parts.get("excluded", ()):
        yield f"excluded: {', '.join(out['cidrs'])} ({out['name']}: {out['reason']})"


ADOPTABLE = frozenset({"foreign_owner", "not_owned"})
"""The refusals after which `exosync adopt` plans to take over what is there."""


def next_steps(told: dict[str, Any]) -> list[str]:
    """The commands that a person may want next, one line each."""
    lines = []
    for target in told["targets"]:
        plan, state, name = target["plan"], target["state"], target["name"]
        if state == "refused" and plan and can_be_approved(target["refusals"]):
            lines.append(f"{name}: if this is right, exosync approve {plan}")
        elif state == "refused" and any(one["rule"] in ADOPTABLE for one in target["refusals"]):
            lines.append(f"{name}: to take it over, exosync adopt {name}")
        elif state in ("pending", "waiting") and target["mode"] == "watch":
            lines.append(f"{name}: is only watched; set mode: plan to let exosync write or ask")
        elif state == "pending" and target.get("paused"):
            lines.append(f"{name}: is paused; to go on, exosync resume {name}")
        elif state == "pending" and plan and told.get("paused"):
            lines.append(f"{name}: all writing is paused; to go on, exosync resume")
        elif state == "pending" and plan:
            lines.append(f"{name}: to do this, exosync apply {plan}")
        steps = target.get("steps", ())  # `status` has none
        asked = [one for one in steps if one["by"] == "person" and one["status"] == "planned"]
        if asked and target["mode"] != "watch":
            shows = text_to_paste(name, asked)
            lines.append(f"{name}: a person must do the steps marked so; {shows}")
    return lines


def adopting(status: Mapping[str, Any]) -> Iterator[tuple[dict[str, Any], str]]:
    """The open plans that take something over, and the command that each waits for.

    No run tells of them. Steps of such a plan that wait for a person are told like all others.
    """
    asked = {one["plan"] for one in status["todo"]}
    for plan in status["plans"]:
        if plan["adopting"] and (plan["refused"] or plan["id"] not in asked):
            how = "approve" if plan["refused"] else "apply"
            yield plan, f"exosync {how} {plan['id']}"


def text_to_paste(name: str, steps: Iterable[Mapping[str, Any]]) -> str:
    """Which command has the text of a person's steps at the target: one a setting, if several are."""
    settings = dict.fromkeys(one["task"]["setting"] for one in steps if one.get("task"))
    if len(settings) < 2:
        return f"exosync todo show {name} has the text to paste"
    shows = " and ".join(f"exosync todo show {name} {setting}" for setting in settings)
    return f"{shows} have the texts to paste"


def can_be_approved(refusals: Sequence[Mapping[str, Any]]) -> bool:
    """Whether approval would lift any, and none that no approval lifts covers everything.

    What covers some resources alone says nothing against approving the rest.
    """
    hard = [one for one in refusals if not one.get("approvable")]
    return len(hard) < len(refusals) and all(one.get("resources") for one in hard)
