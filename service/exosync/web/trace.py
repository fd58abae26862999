"""The way of a message for the page and the API, from what is remembered: nobody is asked."""

from __future__ import annotations

from datetime import datetime
from shlex import quote
from typing import Any

from exosync.config import TargetConfig
from exosync.core.target import State
from exosync.core.trace import Way
from exosync.errors import UsageError
from exosync.render.way import KINDS, unsure, wrong
from exosync.store import TargetState
from exosync.views import Source
from exosync.views.coverage import remembered
from exosync.views.trace import mail_address, routers, trace_view

Json = dict[str, Any]

TONES = {True: "good", False: "bad", None: "warn"}
"""How a station looks."""

WORDS = {True: "passes", False: "goes astray", None: "cannot be told"}
"""What a station's mark says to who does not see it."""


class RememberedRouter:
    """A router as its last run saw it."""

    def __init__(self, source: Source, target: TargetConfig) -> None:
        self._source, self._target = source, target
        self.name, self.kind = target.name, target.kind

    def way(self, sender: str, recipient: str) -> Way | None:
        """The way as that run saw it; None if there was none."""
        kind: Any = self._target.kind_object  # one with `trace`: see `TargetKind`
        memory = self._source.store.memory(self.name)
        way: Way | None = kind.trace(self._target.settings, memory, sender, recipient)
        return way


def traced(source: Source, sender: str, recipient: str) -> Json:
    """What `exosync trace` prints, as far as it is remembered. Raises UsageError."""
    message = mail_address(sender, "from"), mail_address(recipient, "to")
    routed = [RememberedRouter(source, one) for one in routers(source, *message)]
    return trace_view(source, *message, routed=routed, ask=lambda one: remembered(source, one))


def trace_page(source: Source, sender: str, recipient: str) -> Json:
    """The way as the page draws it, or in words why there is none."""
    told: Json = {
        "sender": sender,
        "recipient": recipient,
        "answer": None,
        "problem": None,
        "command": "",
        "pairs": list(_pairs(source)),
        "tones": TONES,
        "words": WORDS,
        "kinds": KINDS,
    }
    if not sender or not recipient:
        return told
    try:
        answer = traced(source, sender, recipient)
    except UsageError as error:
        return {**told, "problem": str(error)}
    command = f"exosync trace {quote(answer['from'])} {quote(answer['to'])}"
    states = {one.name: one for one in source.store.target_states()}
    ways = [_told(source, one, states.get(one["target"])) for one in answer["ways"]]
    return {**told, "answer": {**answer, "ways": ways}, "command": command}


def _told(source: Source, way: Json, state: TargetState | None) -> Json:
    """A way with what there is to say of it, and of the runs that it is told from."""
    config = next(one for one in source.config.targets if one.name == way["target"])
    stale = _is_stale(source, way["seen_at"])
    return {
        **way,
        "verdict": _verdict(way, stale=stale),
        "read": _is_read(config),
        "stale": stale,
        "failing": state.error if state and state.state == State.FAILED else "",
    }


def _is_stale(source: Source, seen_at: str | None) -> bool:
    """Whether it was seen as long ago as alerts call silence (`alerts.stale_after`)."""
    if seen_at is None:
        return False
    age = source.now - datetime.fromisoformat(seen_at)
    return bool(age >= source.config.alerts.stale_after)


def _is_read(target: TargetConfig) -> bool:
    """Whether exosync reads it, or takes people's word."""
    return getattr(target.settings, "credentials", None) is not None


def _pairs(source: Source) -> list[tuple[str, str]]:
    """Messages to begin with: those that every check follows."""
    found = []
    for one in source.config.targets:
        settings: Any = one.settings
        if one.is_router:
            sender = settings.sender or f"postmaster@{settings.domain}"
            found += [(sender, each) for each in settings.validation_recipients]
    return found


def _verdict(way: Json, *, stale: bool) -> Json:
    """How the way ends, in a few words and a sentence."""
    if way["error"]:
        return {"tone": "bad", "title": "Cannot be told", "text": way["error"]}
    if not way["stages"]:
        return {"tone": "none", "title": "Not known yet", "text": "No run has read the tenant yet."}
    if found := wrong(way):
        return {"tone": "bad", "title": "It goes astray", "text": found}
    if open_ := unsure(way):
        title = "Nothing is wrong, but not all can be told from what is remembered"
        return {"tone": "warn", "title": title, "text": open_}
    if stale:
        return {"tone": "warn", "title": "It arrives, as far as an old look tells", "text": ""}
    return {"tone": "good", "title": "It arrives, as far as can be told", "text": ""}
