"""Where the templates are found, and what they can call."""

from __future__ import annotations

import difflib
import json
from datetime import datetime, timedelta
from functools import cache
from itertools import islice
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from exosync.core.words import STATE_WORDS, asserted_text, cleaned, plural, short, special_ranges
from exosync.web.asks import ack_command, show_command
from exosync.web.assets import url_of
from exosync.web.verdict import TONES

Json = dict[str, Any]

MOST_LINES = 400
"""How many lines of a difference are shown; `exosync show` has all."""

_ICONS = {"waiting": "person", "pending": "clock", "asserted": "person"}

_SIGNS = {"+": "add", "-": "remove", "@": "gap"}


def render(name: str, **values: Any) -> str:
    """A page as HTML; every text from outside is escaped, and shown without what could steer."""
    return environment().get_template(name).render(**values)


@cache
def environment() -> Environment:
    """The templates of the page. All of them escape what they are given."""
    made = Environment(
        loader=PackageLoader("exosync.web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(
        ack=ack_command,
        ago=ago,
        asserted=asserted_text,
        clean=cleaned,
        cut=short,
        difference=difference,
        icon=_icon,
        json=lambda value: json.dumps(value, indent=2, ensure_ascii=False),
        lasted=lasted,
        minute=minute,
        special=lambda ranges: list(special_ranges(ranges)),
        state=_state,
        state_icon=lambda state: _ICONS.get(state) or TONES.get(state, "none"),
        todo=show_command,
        tone=lambda state: TONES.get(state, "none"),
    )
    made.globals.update(asset=url_of, plural=plural)
    return made


def minute(moment: datetime | str | None) -> str:
    """A moment as people read it, in UTC."""
    if moment is None:
        return "never"
    text = moment if isinstance(moment, str) else moment.isoformat()
    return text[:16].replace("T", " ")


def ago(moment: datetime | str | None, now: datetime) -> str:
    """How far away a moment is: `3 days ago`, `in 12 minutes`."""
    if moment is None:
        return "never"
    at = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
    away = now - at
    if abs(away) < timedelta(seconds=45):
        return "just now"
    told = _span(abs(away))
    return f"{told} ago" if away > timedelta(0) else f"in {told}"


_UNITS = (("day", 86_400), ("hour", 3_600), ("minute", 60))


def _span(span: timedelta) -> str:
    seconds = span.total_seconds()
    name, size = next((one for one in _UNITS if seconds >= 1.5 * one[1]), _UNITS[-1])
    return plural(max(1, round(seconds / size)), name)


def lasted(seconds: float | None) -> str:
    """How long something took."""
    if seconds is None:
        return ""
    return f"{seconds:.1f} s" if seconds < 60 else _span(timedelta(seconds=seconds))


def difference(step: Json) -> list[tuple[str, str, str]]:
    """The lines of a step's texts that change, each with its look, its sign and its text."""
    before, after = step["before"].splitlines(), step["after"].splitlines()
    found = difflib.unified_diff(before, after, lineterm="", n=1)
    # The first two lines name the files, the third begins the first part.
    lines = list(islice(found, 3, MOST_LINES + 3))
    told = [(_SIGNS.get(line[:1], "same"), line[:1], line[1:]) for line in lines]
    told = [(look, "…", "") if look == "gap" else (look, sign, text) for look, sign, text in told]
    return [*told, ("gap", "…", "and more")] if len(lines) == MOST_LINES else told


def _state(state: str | None) -> str:
    """A state in words."""
    return "not looked at yet" if state is None else STATE_WORDS.get(state, state)


def _icon(name: str) -> Markup:
    """A picture of the sprite; it says nothing that a word beside it does not say."""
    template = Markup('<svg class="icon" aria-hidden="true"><use href="#icon-{}"></use></svg>')
    return template.format(name)
