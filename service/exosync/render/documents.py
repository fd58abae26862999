"""The report as Markdown (for a ticket) and HTML (for a mail or a page)."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from exosync.core.words import STATE_WORDS, change_text, next_steps, plural

if TYPE_CHECKING:
    from jinja2 import Environment

Json = dict[str, Any]


def markdown(told: Json) -> str:
    """The report as Markdown."""
    return _environment().get_template("report.md.jinja").render(**_values(told)).strip()


def html(told: Json) -> str:
    """The report as one self-contained HTML page: no scripts, nothing loaded from outside."""
    return _environment().get_template("report.html.jinja").render(**_values(told)).strip()


def _values(told: Json) -> Json:
    return {"told": told, "next_steps": next_steps(told)}


@cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

    made = Environment(
        loader=PackageLoader("exosync.render"),
        autoescape=select_autoescape(enabled_extensions=("html.jinja",)),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["state"] = STATE_WORDS.__getitem__
    made.filters["change"] = change_text
    made.filters["cell"] = _cell
    made.filters["fence"] = _fence
    made.globals["plural"] = plural
    return made


def _cell(text: str) -> str:
    """A text that can stand in a Markdown line without becoming markup."""
    flat = " ".join(str(text).split())
    for sign in "\\`*_[]<>|#":
        flat = flat.replace(sign, f"\\{sign}")
    return flat


def _fence(text: str) -> str:
    """A fenced block whose fence is longer than any in the text."""
    fence = "```"
    while fence in text:
        fence += "`"
    return f"{fence}\n{text.rstrip()}\n{fence}"
