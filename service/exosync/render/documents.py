"""The report as Markdown (for a ticket) and HTML (for a mail or a page)."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any

from exosync.core.words import (
    STATE_WORDS,
    asserted_text,
    change_text,
    cleaned,
    next_steps,
    plural,
    short,
    special_ranges,
)

if TYPE_CHECKING:
    from jinja2 import Environment

Json = dict[str, Any]


def markdown(told: Json) -> str:
    """The report as Markdown (CommonMark with tables), without any character that steers."""
    return environment().get_template("report.md.jinja").render(**_values(told)).strip()


def html(told: Json) -> str:
    """The report as one self-contained HTML page: no scripts, nothing loaded from outside."""
    return environment().get_template("report.html.jinja").render(**_values(told)).strip()


def _values(told: Json) -> Json:
    safe = cleaned(told)
    return {
        "told": safe,
        "special": list(special_ranges(safe["ranges"])),
        "next_steps": next_steps(safe),
    }


@cache
def environment() -> Environment:
    """Where the templates are found, and what they can call."""
    from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

    made = Environment(
        loader=PackageLoader("exosync.render"),
        autoescape=select_autoescape(enabled_extensions=("html.jinja",)),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["state"] = STATE_WORDS.__getitem__
    made.filters["proof"] = {True: "proven", False: "not so", None: "not proven"}.__getitem__
    made.filters["change"] = change_text
    made.filters["asserted"] = asserted_text
    made.filters["cut"] = short
    made.filters["eventful"] = _eventful
    made.filters["cell"] = _cell
    made.filters["fence"] = _fence
    made.globals["plural"] = plural
    return made


def _eventful(target: Json) -> bool:
    """Whether there is more to say of a target than its line in the table does."""
    parts = ("changes", "steps", "refusals", "findings", "foreign", "checks", "asserted", "error")
    return any(target.get(one) for one in parts)


def _cell(text: str) -> str:
    """A text that can stand in a Markdown line or cell without becoming markup.

    A backslash takes its meaning from any punctuation (CommonMark 0.31, section 2.4). A colon
    before // and a dot after www are among it for the links that GitHub makes by itself.
    """
    flat = _MARKUP.sub(r"\\\g<0>", " ".join(text.split()))
    return _LINKS.sub(r"\1\\\2", flat)


_MARKUP = re.compile(r"[\\`*_\[\]<>|#~&]|!(?=\[)")
_LINKS = re.compile(r"(?i)((?<=[a-z])(?=://)|www)([:.])")


def _fence(text: str) -> str:
    """A fenced block whose fence is longer than any in the text."""
    fence = "```"
    while fence in text:
        fence += "`"
    return f"{fence}\n{text.rstrip()}\n{fence}"
