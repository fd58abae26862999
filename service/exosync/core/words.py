"""The words that every output uses: states, counts, and what to do next."""

from __future__ import annotations

import re
from typing import Any

STATE_WORDS: dict[str, str] = {
    "in_sync": "in sync",
    "pending": "pending",
    "applied": "applied",
    "refused": "refused",
    "waiting": "waiting for a person",
    "failed": "failed",
    "interrupted": "interrupted",
}
"""How a state reads."""


def plural(count: int, noun: str) -> str:
    """`1 target`, `2 targets`."""
    if count == 1:
        return f"1 {noun}"
    ending = "ies" if noun.endswith("y") and noun[-2] not in "aeiou" else f"{noun[-1]}s"
    return f"{count:,} {noun[:-1]}{ending}"


EVENT_KINDS: dict[str, str] = {
    "feed_adopted": "a version was adopted that leaves the mail ranges as they were, or the first",
    "ranges_changed": "a version was adopted that changes the mail ranges",
    "plan_waits": "a plan waits to be applied by a person",
    "person_needed": "a step waits for a person",
    "refused": "a plan was refused by a rule",
    "approved": "a person approved a plan",
    "applied": "steps were done at a target",
    "drift": "a target was changed by somebody else",
    "target_failed": "a target failed; told once, until it recovers",
    "target_recovered": "a target that failed works again",
    "run_interrupted": "a run ended without a word, as in a crash",
}
"""What can happen, as `exosync history` calls it."""

FINDINGS: dict[str, str] = {
    "adoption_drops_terms": "taking a record over would drop terms that stand in it",
    "authorises_others": "the domain's record lets in mail from everywhere, or nearly",
    "cross_check_unavailable": "Microsoft's own SPF record could not be resolved for comparison",
    "drift": "something was changed by somebody else since the last run",
    "exclusion_without_effect": "an excluded range is authorised by Microsoft's record all the same",
    "feed_shrink": "Microsoft no longer publishes some addresses; they are leaving",
    "include_by_addresses": "the domain authorises Microsoft's addresses without its include",
    "interrupted_step": "a crashed run left a step unfinished; what became of it",
    "large_answer": "the TXT records of a name are larger than some receivers read",
    "links": "the file has several names; only one of them would be replaced",
    "lookup_budget": "the domain uses eight or more of its ten lookups",
    "mail_set_addresses": "a known mail set holds addresses where none were known, or none",
    "mail_set_gone": "a known endpoint set no longer carries mail",
    "mail_set_new": "mail stands in an endpoint set that was not known to carry it",
    "microsoft_include_differs": "Microsoft's SPF record and the mail ranges are not the same",
    "mount": "the file is a mount point of its own and cannot be replaced",
    "new_spf_record": "the domain has no SPF record yet, and would get one",
    "outside_undecided": "the domain's record does not turn away mail from elsewhere",
    "ownership": "the file's owner cannot be kept",
    "person_acted": "something changed while a step waited for a person",
    "removal_held_back": "additions go first; a refused removal gets a plan of its own",
    "server_unreachable": "an authoritative server does not answer, so nothing is proven there",
    "single_replace": "old and new do not fit side by side, so one write does both",
    "space": "there is too little room to write the file",
    "template_ranges": "the template shows other ranges than it was given",
    "wildcard": "the name is answered from a wildcard",
    "writable": "the file or its folder cannot be written",
}
"""What is worth knowing and stops nothing, by its stable name."""

_UNSAFE = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)
_OF_SEVERAL_LINES = frozenset({"before", "after", "text"})


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


def next_steps(told: dict[str, Any]) -> list[str]:
    """The commands that a person may want next, one line each."""
    lines = []
    for target in told["targets"]:
        plan, state, name = target["plan"], target["state"], target["name"]
        if state == "refused" and plan and all(one["approvable"] for one in target["refusals"]):
            lines.append(f"{name}: if this is right, exosync approve {plan}")
        elif state == "refused" and any(
            one["rule"] == "foreign_owner" for one in target["refusals"]
        ):
            lines.append(f"{name}: to take it over, exosync adopt {name}")
        elif state == "pending" and target["mode"] == "watch":
            lines.append(f"{name}: is only watched; set mode: plan to let exosync write")
        elif state == "pending" and plan:
            lines.append(f"{name}: to do this, exosync apply {plan}")
        elif state == "waiting":
            lines.append(
                f"{name}: a person must do the steps marked so; exosync sees when it is done"
            )
    return lines
