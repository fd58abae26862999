"""Logging: lines on a terminal, JSON otherwise, and no secret or forged line in either."""

from __future__ import annotations

import io
import json
import logging
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import structlog
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exosync.log import configure, get_logger
from exosync.secrets import Redactor

SECRET = "hunter2-hunter2"


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        """Yes."""
        return True


class Gone(io.StringIO):
    """A stream that nobody reads any more."""

    def write(self, text: str) -> int:
        """Fail as a closed pipe does."""
        raise BrokenPipeError


@pytest.fixture(autouse=True)
def untouched_logging() -> Iterator[None]:
    """Logging belongs to the process, so what a test sets up is taken back."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(capture=False)
    structlog.reset_defaults()


def logged(write: Callable[[Any], object], *, stream: io.StringIO | None = None, **how: Any) -> str:
    """What is written when `write` gets a logger."""
    redactor = Redactor()
    redactor.add(SECRET)
    out = io.StringIO() if stream is None else stream
    configure(**{"level": "debug", "environ": {}, "redactor": redactor, **how}, stream=out)
    write(get_logger())
    return out.getvalue()


def record(write: Callable[[Any], object], **how: Any) -> dict[str, Any]:
    """The one JSON object that is written."""
    (line,) = logged(write, fmt="json", **how).splitlines()
    parsed: dict[str, Any] = json.loads(line)
    return parsed


def test_an_event_is_one_json_object_with_level_and_utc_time() -> None:
    """What belongs to it stands beside it."""
    told = record(lambda log: log.info("run", targets={"edge": "in_sync"}, requests=1))
    at = datetime.fromisoformat(told.pop("timestamp"))
    assert at.tzinfo == UTC
    assert told == {"level": "info", "event": "run", "targets": {"edge": "in_sync"}, "requests": 1}


def test_an_event_is_one_line_on_a_terminal() -> None:
    """Plain values stand bare, others in quotes."""
    line = logged(
        lambda log: log.warning("asked", host="ns1.example.com", why="no answer", n=3, ok=True),
        fmt="console",
    )
    _, _, rest = line.partition("Z ")
    assert rest == 'warning asked host=ns1.example.com why="no answer" n=3 ok=True\n'


def test_auto_is_lines_on_a_terminal_and_json_elsewhere() -> None:
    """A service's log is read by programs."""
    assert logged(lambda log: log.info("x"), fmt="auto").startswith("{")
    assert not logged(lambda log: log.info("x"), fmt="auto", stream=Terminal()).startswith("{")


@pytest.mark.parametrize(
    ("stream", "environ", "coloured"),
    [
        (Terminal, {}, True),
        (Terminal, {"NO_COLOR": "1"}, False),
        (Terminal, {"TERM": "dumb"}, False),
        (io.StringIO, {}, False),
    ],
)
def test_colours_are_for_terminals_that_want_them(
    stream: type[io.StringIO], environ: dict[str, str], *, coloured: bool
) -> None:
    """https://no-color.org is respected."""
    text = logged(lambda log: log.info("x"), fmt="console", stream=stream(), environ=environ)
    assert coloured == ("\x1b[" in text)


def test_what_is_below_the_level_is_not_written() -> None:
    """Debug events are for those who ask for them."""
    assert not logged(lambda log: log.info("x"), level="warning")
    assert logged(lambda log: log.error("x"), level="warning")


class Unspeakable:
    """Something that cannot be told."""

    def __str__(self) -> str:
        """Fail."""
        raise RuntimeError


@pytest.mark.parametrize("fmt", ["json", "console"])
def test_a_secret_is_taken_out_of_whatever_carries_it(fmt: str) -> None:
    """Event, value, key, nested value, bytes, object, exception and its traceback."""

    def write(log: Any) -> None:
        log.info("with %s", SECRET, a=SECRET, b=[{SECRET: (SECRET, {SECRET})}], c=SECRET.encode())
        log.info("more", **{SECRET: 1}, path=Path(SECRET), deep=[[[[[[[[SECRET]]]]]]]])
        log.bind(bound=SECRET).info("bound")
        try:
            raise ValueError(SECRET)
        except ValueError:
            log.exception("failed")

    text = logged(write, fmt=fmt)
    assert "hunter2" not in text
    assert "***" in text


def test_values_of_any_type_are_told() -> None:
    """Nothing makes logging itself fail."""
    told = record(
        lambda log: log.info(
            "x",
            at=datetime(2026, 1, 2, tzinfo=UTC),
            none=None,
            flag=False,
            nan=float("nan"),
            half=0.5,
            raw=b"\xff",
            broken=Unspeakable(),
            pair=("a", 1),
        )
    )
    assert told["at"] == "2026-01-02T00:00:00+00:00"
    assert (told["none"], told["flag"], told["nan"], told["half"]) == (None, False, "nan", 0.5)
    assert (told["raw"], told["pair"]) == ("\\xff", ["a", 1])
    assert told["broken"] == "<Unspeakable that cannot be told: RuntimeError>"


def test_a_traceback_follows_in_lines_that_are_no_events() -> None:
    """Each is set off, so none can pass for another event."""

    def write(log: Any) -> None:
        try:
            raise ValueError("first\n2026-01-01T00:00:00Z info    all is well\x1b[2K")
        except ValueError:
            log.exception("failed")

    first, *rest = logged(write, fmt="console").splitlines()
    assert first.endswith("error   failed")
    assert rest
    assert all(line.startswith("    | ") for line in rest)
    assert rest[-1] == "    | 2026-01-01T00:00:00Z info    all is well\\x1b[2K"


ANY_TEXT = st.text(st.characters(), max_size=30)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(event=ANY_TEXT, key=ANY_TEXT, value=ANY_TEXT, fmt=st.sampled_from(["json", "console"]))
def test_no_value_can_forge_a_line_or_steer_a_terminal(
    event: str, key: str, value: str, fmt: str
) -> None:
    """One event is one line of printable characters, whatever it carries."""
    text = logged(
        lambda log: log.info("x", what=event, values={key: [value]}, **{f"k{key}": value}), fmt=fmt
    )
    line = text.removesuffix("\n")
    assert line.isprintable()
    assert len(line.splitlines()) == 1
    if fmt == "json":
        assert json.loads(line)["values"] == {key: [value]}


def test_libraries_are_heard_from_warnings_on() -> None:
    """In the same form; what they tell below could hold statements and addresses."""

    def write(_log: Any) -> None:
        logging.getLogger("urllib3").warning("retrying %s", SECRET)
        logging.getLogger("sqlalchemy.engine").info("SELECT 1")
        logging.getLogger("urllib3").debug("GET /")

    told = record(write)
    assert ("warning", "retrying ***") == (told["level"], told["event"])
    assert told["logger"] == "urllib3"


def test_a_librarys_broken_event_is_told_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its arguments may not fit its words, and its level may be its own."""
    monkeypatch.setattr(logging.getLogger(), "handlers", [])  # pytest's own would raise
    told = record(lambda _log: logging.getLogger("x").log(35, "n is %d", "text"))
    assert ("warning", "n is %d") == (told["level"], told["event"])


def test_pythons_warnings_become_events() -> None:
    """They would stand between the lines of a program's output else."""

    def write(_log: Any) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            logging.captureWarnings(capture=False)
            logging.captureWarnings(capture=True)
            warnings.warn("old", DeprecationWarning, stacklevel=1)

    assert "DeprecationWarning: old" in record(write)["event"]


def test_setting_up_again_replaces_what_was() -> None:
    """No event is written twice."""
    logged(lambda log: log.info("x"))
    assert record(lambda _log: logging.getLogger("x").error("once"))["event"] == "once"


def test_a_log_that_cannot_be_written_stops_nothing() -> None:
    """A run must not end half-way because nobody reads its log."""
    logged(lambda log: log.info("x"), stream=Gone())
    closed = io.StringIO()
    configure(stream=closed, environ={})
    closed.close()
    get_logger().info("x")


def test_without_set_up_events_go_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    """Results on stdout stay clean."""
    structlog.reset_defaults()
    get_logger(run="r-1").info("x")
    out, err = capsys.readouterr()
    assert not out
    assert json.loads(err)["run"] == "r-1"


def test_structlog_is_imported_with_the_first_event() -> None:
    """A command that logs nothing does not wait for it."""
    program = (
        "import sys; from exosync.log import configure, get_logger; configure(); "
        "print('structlog' in sys.modules); get_logger(); print('structlog' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": ":".join(path or "." for path in sys.path)},
    )
    assert done.stdout.split() == ["False", "True"]
