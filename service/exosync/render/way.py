"""The way of a message, drawn from above to below for a terminal, however narrow."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from exosync.core.trace import ask_again
from exosync.core.words import cleaned
from exosync.render.folding import folded

Json = dict[str, Any]
Line = tuple[str, str]
"""A line and its tone: `good`, `bad`, `warn`, or nothing."""

WORDS = {True: "ok", False: "astray", None: "unknown"}
"""What stands beside a station: without any colour it says the same."""

TONES = {True: "good", False: "bad", None: "warn"}

KINDS = {
    "domain": "domain",
    "rule": "rule",
    "connector": "connector",
    "smart_host": "host",
    "source": "leaves",
    "spf": "SPF",
    "gateway": "gateway",
    "loop": "way back",
    "delivery": "end",
    "happened": "happened",
    "mailbox": "mailbox",
    "received": "taken from",
    "authentication": "sender",
}
"""What each kind of station is called in a drawing."""

SURE = {"seen": "", "documented": "documented, not seen", "unproven": "unproven"}
"""How sure something is; what was seen needs no word."""

_SAYS_WHY = ("domain", "rule", "connector", "smart_host", "delivery")
"""Kinds of stations whose first sentence says why the message goes astray there."""

NARROWEST = 32
_COLUMN = 9
_NAMED = 2
_COMMAND = "exosync trace "


def drawn(view: Json, *, width: int, line: str = "│") -> Iterator[Line]:
    """The lines of every way in a view of `exosync trace`; `line` joins the stations."""
    safe = cleaned(view)
    wide = max(width, NARROWEST)
    for one in safe["ways"]:
        head = f"{safe['from']} to {safe['to']}, by {one['target']}"
        yield from ((text, "head") for text in folded(head, wide))
        yield "", ""
        yield from _stations(one["stages"], wide, line)
        yield from ((text, TONES[one["ok"]]) for text in folded(verdict(one), wide))
        yield "", ""
        if "send_error" in one:
            yield from _unsent(one["send_error"], wide)
        if "sent" in one:
            yield from _became(safe, one["sent"], wide, line)


def _unsent(error: str, width: int) -> Iterator[Line]:
    """Why the message was not sent; the command that asks whether it was all the same, if any."""
    why, is_there, command = error.partition(f" {_COMMAND}")
    yield from ((text, "bad") for text in folded(f"sending failed: {why}", width))
    if is_there:
        yield f"{_COMMAND}{command}", ""


def _became(view: Json, sent: Json, width: int, line: str) -> Iterator[Line]:
    """What became of the message that was sent."""
    told = f"what became of {sent['message_id']}"
    if sent["at"]:
        told = f"sent at {sent['at'][11:19]} UTC as {sent['message_id']}"
    yield from ((text, "head") for text in folded(told, width))
    yield "", ""
    yield from _stations(sent["stages"], width, line)
    for target, why in sent["errors"].items():
        yield from ((text, "bad") for text in folded(f"{target} cannot tell: {why}", width))
    if sent["errors"]:
        yield "to ask again:", ""
        yield ask_again(view["from"], view["to"], sent["message_id"]), ""


def verdict(way: Json) -> str:
    """How the way ends, in a sentence."""
    if way["error"]:
        return f"cannot be told: {way['error']}"
    if not way["stages"]:
        return "nothing is known yet: run exosync sync"
    if found := wrong(way):
        return f"goes astray: {found}"
    if unknown := unsure(way):
        return f"nothing is wrong, but not all can be told: {unknown}"
    return "arrives, as far as can be told"


def wrong(way: Json) -> str:
    """The first station where it goes astray, and why if its title alone does not tell."""
    one = next((stage for stage in way["stages"] if stage["ok"] is False), None)
    if one is None:
        return ""
    why = f" ({one['says'][0]})" if one["kind"] in _SAYS_WHY and one["says"] else ""
    return f"{one['title']}{why}"


def unsure(way: Json) -> str:
    """The stations that cannot be told, the first two by name; empty if there are none."""
    open_ = [one for one in way["stages"] if one["ok"] is None]
    named = [f"{KINDS.get(one['kind'], one['kind'])}: {one['title']}" for one in open_[:_NAMED]]
    more = [f"{len(open_) - _NAMED} more"] if len(open_) > _NAMED else []
    return "; ".join((*named, *more))


def _stations(stages: list[Json], width: int, line: str) -> Iterator[Line]:
    for number, one in enumerate(stages, 1):
        mark, last = WORDS[one["ok"]], number == len(stages)
        head = f"{KINDS.get(one['kind'], one['kind'])}: {one['title']}"
        yield from _block(f"{mark:<{_COLUMN}}", head, TONES[one["ok"]], width, line)
        sure = SURE.get(one["sure"], one["sure"])
        says = [*one["says"], *([f"({sure})"] if sure else [])]
        for each in says:
            text = each if each.startswith(_COMMAND) else f"- {each}"
            yield from _block(_beside(line), text, "", width, line, further="  ")
        yield (" " if last else f" {line}").rstrip(), ""


def _block(
    first: str, text: str, tone: str, width: int, line: str, further: str = ""
) -> Iterator[Line]:
    """A text that goes on below itself, beside the line that joins the stations.

    A command stays in one line, to be copied.
    """
    if text.startswith(_COMMAND):
        yield first + text, tone
        return
    wrapped = folded(text, width - _COLUMN - len(further)) or [""]
    yield first + wrapped[0], tone
    for each in wrapped[1:]:
        yield f"{_beside(line)}{further}{each}", tone


def _beside(line: str) -> str:
    return f" {line}".ljust(_COLUMN)
