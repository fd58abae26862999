"""The way of one message: what routers tell of it, and what others say where it leaves."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any, Protocol

from exosync.config import TargetConfig
from exosync.core.desired import Desired
from exosync.core.trace import Stage, Way
from exosync.errors import ExosyncError, MalformedError, UsageError
from exosync.views.beyond import Beyond
from exosync.views.explain import Asked
from exosync.views.moments import iso
from exosync.views.source import Source

Json = dict[str, Any]

_MOST_FOR_STRANGERS = 10
"""Routers that are asked for a message between strangers: a domain may be accepted and no target's."""

_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}")
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")


class Routed(Protocol):
    """A target that decides where mail goes, as it can be asked now, or as it was seen."""

    name: str
    kind: str

    def way(self, sender: str, recipient: str) -> Way | None:
        """The way; None if nothing is known yet. Raises ExosyncError."""
        ...


def mail_address(text: str, what: str) -> str:
    """An address as a person gave it, its domain in A-labels. Raises MalformedError."""
    local, at, domain = text.strip().strip("<>").rpartition("@")
    name = _ascii(domain.rstrip(".").lower())
    labels = name.split(".")
    good = len(labels) > 1 and len(name) < 254 and all(_LABEL.fullmatch(one) for one in labels)
    if not at or not good or not _LOCAL.fullmatch(local):
        raise MalformedError(
            f"{what}: {text!r} is not an email address like ada@example.com{_hint(text)}"
        )
    return f"{local}@{name}"


def _hint(text: str) -> str:
    if text.strip() == "<>":
        return "; a bounce goes like any message from outside: give an address of who sends it"
    if text.count("@") > 1:
        return "; ask for one at a time"
    local = text.rpartition("@")[0]
    told = "; of one with quotes, or with letters beyond ASCII before the @, no way is told"
    return told if '"' in local or not local.isascii() else ""


def _ascii(domain: str) -> str:
    import idna

    try:
        return domain if domain.isascii() else idna.encode(domain, uts46=True).decode("ascii")
    except idna.IDNAError:
        return ""


def routers(source: Source, sender: str, recipient: str) -> list[TargetConfig]:
    """The routers for a recipient's domain; if it is none's, those for the sender's, else all.

    Raises UsageError if there is none, MalformedError if these are strangers to far too many.
    """
    found = [one for one in source.config.targets if one.is_router]
    if not found:
        raise UsageError(
            "no target decides where mail goes: a target of kind exchange does, see the reference"
        )
    for address in (recipient, sender):
        if at := [one for one in found if _is_at(one, address)]:
            return at
    if len(found) > _MOST_FOR_STRANGERS:
        raise MalformedError(
            f"neither {sender} nor {recipient} is at the domain of one of the {len(found)} targets "
            "that decide where mail goes: give an address that is"
        )
    return found


def routes_domain(source: Source, name: str, recipient: str) -> bool:
    """Whether a recipient is at the domain that the router of this name is for."""
    return any(one.name == name and _is_at(one, recipient) for one in source.config.targets)


def _is_at(router: TargetConfig, address: str) -> bool:
    return bool(getattr(router.settings, "domain", "") == address.rpartition("@")[2])


def trace_view(
    source: Source,
    sender: str,
    recipient: str,
    *,
    routed: Sequence[Routed],
    ask: Callable[[Desired], Sequence[Asked]],
) -> Json:
    """The way by every router, each station with how sure it is.

    `ask` gives the targets that are asked about the addresses which the message leaves from; it
    is called once, and not at all if the message certainly stays.
    """
    told = [_told(one, sender, recipient) for one in routed]
    leaving = any(way is not None and way.leaves is not False for _, way, _ in told)
    beyond = Beyond(source, sender, ask) if leaving else None
    ways = [_way(one, way, error, beyond) for one, way, error in told]
    return {
        "from": sender,
        "to": recipient,
        "at": source.now.isoformat(),
        "instance": source.instance,
        "version": beyond.version if beyond else None,
        "ok": _all(one["ok"] for one in ways),
        "ways": ways,
    }


def _told(one: Routed, sender: str, recipient: str) -> tuple[Routed, Way | None, str | None]:
    try:
        way = one.way(sender, recipient)
    except ExosyncError as error:
        return one, None, str(error)
    return one, way, None


def _way(one: Routed, way: Way | None, error: str | None, beyond: Beyond | None) -> Json:
    view: Json = {"target": one.name, "kind": one.kind, "error": error}
    if way is None:
        unknown: Json = {"ok": None, "leaves": None, "hosts": [], "families": [], "pool": None}
        return {**view, **unknown, "seen_at": None, "stages": []}
    stages = [(one.name, stage) for stage in way.stages]
    if beyond is not None and way.leaves is not False:
        # What takes the message comes after the addresses that it leaves from.
        place = _after_source(way.stages)
        told = beyond.stages(way)
        stages[place:place] = told if way.leaves else [(name, _perhaps(one)) for name, one in told]
    return {
        **view,
        "ok": _all(stage.ok for _, stage in stages),
        "leaves": way.leaves,
        "hosts": list(way.hosts),
        "families": list(way.families),
        "pool": None if way.leaves is False else way.pool.value,
        "seen_at": iso(way.seen_at),
        "stages": [stage_view(name, stage) for name, stage in stages],
    }


def _perhaps(stage: Stage) -> Stage:
    """What is met only if the message leaves is no reason to say that it goes astray."""
    if stage.kind == "source":
        return stage
    ok = None if stage.ok is False else stage.ok
    return replace(stage, ok=ok, title=f"perhaps: {stage.title}")


def _after_source(stages: Sequence[Stage]) -> int:
    places = [number for number, one in enumerate(stages, 1) if one.kind == "source"]
    return places[-1] if places else len(stages)


def stage_view(target: str, stage: Stage) -> Json:
    """One station, as the target of that name tells it."""
    return {
        "kind": stage.kind,
        "target": target,
        "where": stage.where,
        "title": stage.title,
        "ok": stage.ok,
        "sure": stage.sure.value,
        "says": list(stage.says),
    }


def _all(values: Iterator[bool | None]) -> bool | None:
    """False if anything is wrong, None if anything cannot be told."""
    found = list(values)
    if False in found:
        return False
    return True if found and None not in found else None
