"""Logging: readable lines on a terminal, one JSON object a line otherwise; always to stderr.

Every event passes the same chain: level and UTC time are added, secrets taken out of
whatever it carries, and the whole written as text in which no value can begin a line of its
own or steer a terminal. Events of libraries go the same way, from warnings on. structlog is
imported with the first event, not before.
"""

from __future__ import annotations

import json
import logging
import os
import re
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping, MutableMapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from datetime import datetime
from enum import Enum
from functools import partial
from math import isfinite
from typing import TYPE_CHECKING, Any, TextIO

from exosync.secrets import REDACTOR, Redactor

if TYPE_CHECKING:
    from structlog.typing import FilteringBoundLogger, Processor

LEVELS = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}
DEEPEST = 6

_COLOURS = {"debug": "2", "info": "32", "warning": "33", "error": "31", "critical": "31"}
_BARE = re.compile(r"[\w./:@+,%=*-]+")
_FIRST = ("timestamp", "level", "event")

Event = MutableMapping[str, Any]


class _Setup:
    """What is left to do until the first event: importing structlog takes its time."""

    wanted: Callable[[], None] | None = None


def configure(
    *,
    level: str = "info",
    fmt: str = "auto",
    stream: TextIO | None = None,
    redactor: Redactor = REDACTOR,
    environ: Mapping[str, str] = os.environ,
) -> None:
    """Set logging up for the process.

    `fmt` is auto, console or json; auto takes console where `stream` (stderr by default) is
    a terminal. Colours are used on a terminal without NO_COLOR (https://no-color.org).
    """
    out = sys.stderr if stream is None else stream
    terminal = out.isatty()
    coloured = terminal and not environ.get("NO_COLOR") and environ.get("TERM") != "dumb"
    console = fmt == "console" or (fmt == "auto" and terminal)
    render = ConsoleLines(coloured=coloured) if console else _json_line
    _Setup.wanted = partial(_set_up, LEVELS[level], out, Redaction(redactor), render)
    _take_over_stdlib()


def _set_up(level: int, out: TextIO, redaction: Processor, render: Processor) -> None:
    with _without("rich"):
        import structlog

    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _exception_text,
            redaction,
            render,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=lambda *_names: _Lines(out),
        cache_logger_on_first_use=False,
    )


def get_logger(**bound: Any) -> FilteringBoundLogger:
    """A logger; `bound` stands in each of its events. Sets logging up if nothing has yet."""
    with _without("rich"):
        import structlog

    if _Setup.wanted is None and not structlog.is_configured():
        configure()
    if _Setup.wanted is not None:
        _Setup.wanted()
        _Setup.wanted = None
    logger: FilteringBoundLogger = structlog.get_logger().bind(**bound)
    return logger


@contextmanager
def _without(name: str) -> Iterator[None]:
    """Let a library find inside that an optional package, not imported yet, is not there.

    structlog imports rich for a console output that is not used here, which takes four times
    as long as all the rest of it. None stands in the place of a module that cannot be had:
    https://docs.python.org/3/reference/import.html#the-module-cache
    """
    modules: dict[str, Any] = sys.modules
    if name in modules:
        yield
        return
    modules[name] = None
    try:
        yield
    finally:
        del modules[name]


class _Lines:
    """Writes one event at a time, whatever its level."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def msg(self, line: str) -> None:
        """Write one event. A log that cannot be written must not stop a run half-way."""
        try:
            self._stream.write(f"{line}\n")
            self._stream.flush()
        except (OSError, ValueError):
            return

    debug = info = warning = error = critical = msg


class _FromStdlib(logging.Handler):
    """Hands the events of libraries to the same chain."""

    def emit(self, record: logging.LogRecord) -> None:
        """Pass one record on."""
        try:
            event = record.getMessage()
        except (TypeError, ValueError):
            # The library's own mistake: its arguments do not fit its message.
            event = str(record.msg)
        name = logging.getLevelName(record.levelno).lower()
        write = getattr(get_logger(logger=record.name), name if name in _COLOURS else "warning")
        write(event, exc_info=record.exc_info or None)


def _take_over_stdlib() -> None:
    root = logging.getLogger()
    for handler in [one for one in root.handlers if isinstance(one, _FromStdlib)]:
        root.removeHandler(handler)
    root.addHandler(_FromStdlib())
    # Below warnings, libraries tell what they do: each statement with its values, each URL.
    root.setLevel(logging.WARNING)
    logging.captureWarnings(capture=True)


def _exception_text(_logger: object, _name: str, event: Event) -> Event:
    """Put the traceback of an exception into the event as text."""
    given = event.pop("exc_info", None)
    error = sys.exc_info()[1] if given is True else given
    error = error[1] if isinstance(error, tuple) else error
    if isinstance(error, BaseException):
        event["exception"] = "".join(traceback.format_exception(error)).rstrip()
    return event


class Redaction:
    """A processor: turns all that an event carries into plain values without any secret."""

    def __init__(self, redactor: Redactor) -> None:
        self._redact: Callable[[str], str] = redactor.redact

    def __call__(self, _logger: object, _name: str, event: Event) -> Event:
        """The event without secrets, in keys as in values."""
        return {self._redact(str(key)): self._plain(value, 0) for key, value in event.items()}

    def _plain(self, value: object, depth: int) -> Any:
        if value is None or (isinstance(value, bool | int) and not isinstance(value, Enum)):
            return value
        if isinstance(value, float) and isfinite(value):
            return value
        if isinstance(value, datetime):
            return value.isoformat()
        if depth < DEEPEST:
            if isinstance(value, Mapping):
                items = value.items()
                return {self._redact(str(k)): self._plain(v, depth + 1) for k, v in items}
            if isinstance(value, Sequence | AbstractSet) and not isinstance(
                value, str | bytes | bytearray
            ):
                return [self._plain(one, depth + 1) for one in value]
        return self._redact(_text(value))


def _text(value: object) -> str:
    if isinstance(value, bytes | bytearray):
        return value.decode("utf-8", "backslashreplace")
    try:
        return str(value)
    except Exception as error:  # noqa: BLE001  (a foreign __str__ may raise anything)
        return f"<{type(value).__name__} that cannot be told: {type(error).__name__}>"


def _json_line(_logger: object, _name: str, event: Event) -> str:
    ordered = {key: event[key] for key in _FIRST if key in event} | dict(event)
    return json.dumps(ordered).replace("\x7f", "\\u007f")


class ConsoleLines:
    """A processor: `TIME level event key=value …`, and a traceback in lines set off by `|`."""

    def __init__(self, *, coloured: bool) -> None:
        self._coloured = coloured

    def __call__(self, _logger: object, _name: str, event: Event) -> str:
        """The event as text."""
        rest = dict(event)
        time, level, what = (_escaped(str(rest.pop(key, ""))) for key in _FIRST)
        exception = str(rest.pop("exception", ""))
        pairs = [f"{_escaped(str(key))}={_value(value)}" for key, value in rest.items()]
        told = self._colour(f"{level:<7}", _COLOURS.get(level, "0"))
        line = " ".join([self._colour(time, "2"), told, self._colour(what, "1"), *pairs])
        return "\n".join([line, *(f"    | {_escaped(one)}" for one in exception.splitlines())])

    def _colour(self, text: str, code: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self._coloured else text


def _value(value: object) -> str:
    """A value as it stands behind its key: bare if that is clear, else in quotes."""
    if isinstance(value, dict):
        return "{" + " ".join(f"{_value(k)}={_value(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + " ".join(_value(one) for one in value) + "]"
    text = str(value)
    if _BARE.fullmatch(text):
        return _escaped(text)
    quoted = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{_escaped(quoted)}"'


def _escaped(text: str) -> str:
    """The text with everything that is no printable character written as an escape."""
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else ascii(one)[1:-1] for one in text)
