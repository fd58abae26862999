"""From a message to what people read, by templates that can be replaced one by one.

A user's template runs in Jinja2's sandbox. One that is broken costs no message: the built-in
one takes its place, and the message says so.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from exosync.core.words import STATE_WORDS, clean, one_line, plural, short
from exosync.errors import ConfigError
from exosync.log import get_logger
from exosync.secrets import redact

if TYPE_CHECKING:
    from jinja2.sandbox import ImmutableSandboxedEnvironment

Json = dict[str, Any]

NAMES = ("mail.subject", "mail.txt", "mail.html", "apprise.md")
BUILT_IN = "exosync"
"""How a template calls the built-in ones: `{% extends "exosync/mail.html" %}`."""

MOST_CHARACTERS = 2 * 1024**2
MOST_LINES = 60
"""So many lines of a text to paste, or changes of ranges, stand in a message to people."""

_WIDTH = 76
_GAPS = re.compile(r"\n[ \t]*\n[ \t\n]*\n")


@dataclass(frozen=True, slots=True)
class Pages:
    """The templates: the built-in ones, and those of a folder that replace them."""

    folder: Path | None = None

    def render(self, name: str, alert: Json) -> tuple[str, str]:
        """The text of one template, and what was wrong with the user's own, or nothing."""
        fault = ""
        if self.folder is not None:
            try:
                if (self.folder / name).exists():
                    return self._filled(name, name, alert), ""
            except ConfigError as error:
                fault = str(error)
        try:
            return self._filled(f"{BUILT_IN}/{name}", name, alert, note=fault), fault
        except ConfigError as error:
            # Nobody can mend this but us: the message must go out all the same.
            get_logger().error("alert_not_rendered", template=name, error=str(error))
            return _plainest(name, alert), fault

    def faults(self, alert: Json) -> Iterator[tuple[str, str]]:
        """Each template of the folder by name, and what is wrong with it, or nothing."""
        if self.folder is None:
            return
        if not self.folder.is_dir():
            yield str(self.folder), "there is no such folder"
            return
        for name in NAMES:
            if (self.folder / name).exists():
                yield name, self.render(name, alert)[1]

    def _filled(self, name: str, kind: str, alert: Json, *, note: str = "") -> str:
        """Raises ConfigError with the file and line."""
        from jinja2 import TemplateError, TemplateNotFound, TemplateSyntaxError

        try:
            pieces = _environment(self.folder).get_template(name).generate(alert=alert, note=note)
            return _joined(pieces, name)
        except TemplateSyntaxError as error:
            raise ConfigError(f"{error.name or kind}:{error.lineno}: {error.message}") from error
        except TemplateNotFound as error:
            told = f"{_place(error, kind)}: there is no template {error.name!r}"
            raise ConfigError(told) from error
        except ConfigError:
            raise
        except TemplateError as error:
            raise ConfigError(f"{_place(error, kind)}: {error}") from error
        except Exception as error:
            # A template is a program: it can raise anything.
            raise ConfigError(f"{_place(error, kind)}: {type(error).__name__}: {error}") from error


@cache
def _environment(folder: Path | None) -> ImmutableSandboxedEnvironment:
    """Where templates are found, and what they can call. A file that changes is read anew."""
    from jinja2 import (
        ChoiceLoader,
        FileSystemLoader,
        PackageLoader,
        PrefixLoader,
        StrictUndefined,
    )
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    built_in = PrefixLoader({BUILT_IN: PackageLoader("exosync.alerts")})
    own = [FileSystemLoader(folder)] if folder is not None else []
    made = ImmutableSandboxedEnvironment(
        loader=ChoiceLoader([built_in, *own]),
        autoescape=lambda name: bool(name) and str(name).endswith(".html"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(FILTERS)
    made.globals["plural"] = plural
    return made


def _plainest(name: str, alert: Json) -> str:
    """The title and what happened, as the least that a message can be."""
    lines = [alert["title"], *(one["text"] for one in alert["events"])]
    if name == "mail.subject":
        return str(lines[0])
    if name == "mail.html":
        from markupsafe import escape

        return f"<!doctype html><title>exosync</title><pre>{escape(chr(10).join(lines))}</pre>"
    return "\n".join(cell(one) if name == "apprise.md" else one for one in lines)


def subject(text: str) -> str:
    """The subject that a template made: one line, whatever came into it."""
    return short(one_line(" ".join(redact(text).split())), 200)


def page(text: str) -> str:
    """The page that a template made, without what steers a terminal, and without secrets."""
    return _GAPS.sub("\n\n", clean(redact(text))).strip("\n") + "\n"


def _joined(pieces: Iterator[str], name: str) -> str:
    whole, length = [], 0
    for piece in pieces:
        length += len(piece)
        if length > MOST_CHARACTERS:
            limit = MOST_CHARACTERS // 1024**2
            raise ConfigError(f"{name}: the template makes more than {limit} MiB of text")
        whole.append(piece)
    return "".join(whole)


def _place(error: Exception, kind: str) -> str:
    """The template and its line that an error comes from."""
    place, frame = kind, error.__traceback__
    while frame is not None:
        path = Path(frame.tb_frame.f_code.co_filename)
        if path.name in NAMES:
            place = f"{path.name}:{frame.tb_lineno}"
        frame = frame.tb_next
    return place


def minute(moment: str) -> str:
    """A moment as people read it: `2026-11-25 10:17 UTC`."""
    return f"{moment[:16].replace('T', ' ')} UTC"


def wrapped(text: str, indent: int = 0, *, hang: int | None = None) -> str:
    """A text in lines that fit a terminal; what cannot be broken (a command) stays whole."""
    return textwrap.fill(
        " ".join(text.split()),
        _WIDTH,
        initial_indent=" " * indent,
        subsequent_indent=" " * (indent if hang is None else hang),
        break_long_words=False,
        break_on_hyphens=False,
    )


def indented(text: str, indent: int) -> str:
    """Each line set in."""
    return textwrap.indent(text, " " * indent)


def lines_of(text: str, most: int = MOST_LINES) -> list[str]:
    """The first lines of a text, and how many more there are."""
    lines = text.splitlines()
    if len(lines) <= most:
        return lines
    return [*lines[:most], f"[…] and {plural(len(lines) - most, 'more line')}"]


def state_words(state: str | None) -> str:
    """How a state reads."""
    return "not looked at yet" if state is None else STATE_WORDS.get(state, state)


def tone(part: Json) -> str:
    """What colour a target has: good, warn or bad."""
    return {
        "in_sync": "good",
        "applied": "good",
        "asserted": "good",
        "failed": "bad",
        "refused": "bad",
    }.get(part["state"] or "", "warn")


def eventful(part: Json, brief: bool = False) -> bool:  # noqa: FBT001, FBT002  (a filter's)
    """Whether there is more to say of a target than how it stands."""
    keys = (
        ("next", "tasks") if brief else ("done", "refusals", "findings", "error", "next", "tasks")
    )
    return any(part[key] for key in keys)


def cell(text: str) -> str:
    """A text that can stand in Markdown without becoming markup."""
    from exosync.render.documents import environment

    made: str = environment().filters["cell"](text)
    return made


def fence(text: str) -> str:
    """A fenced block of Markdown whose fence is longer than any in the text."""
    from exosync.render.documents import environment

    made: str = environment().filters["fence"](text)
    return made


FILTERS: dict[str, Any] = {
    "minute": minute,
    "wrapped": wrapped,
    "indented": indented,
    "lines_of": lines_of,
    "state": state_words,
    "tone": tone,
    "eventful": eventful,
    "cell": cell,
    "fence": fence,
    "cut": short,
}
"""What a template can use besides Jinja2's own filters."""
