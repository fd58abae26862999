"""Desired ranges and file targets for the tests of kind `file`."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from exosync.core.desired import Desired, Extra, Leaving
from exosync.core.ranges import IpRanges
from exosync.core.target import Draft, Observed
from exosync_adapters.file import atomic
from exosync_adapters.file.settings import FileSettings
from exosync_adapters.file.target import FileTarget

MAIL = (
    "40.92.0.0/15",
    "40.107.0.0/16",
    "52.100.0.0/14",
    "104.47.0.0/17",
    "2a01:111:f400::/48",
    "2a01:111:f403::/48",
)
"""Exchange Online's mail ranges as published for years."""

NASTY = (
    "line\nbreak 10.0.0.0/8",
    "\r\n40.0.0.0/8\x0b\x0c\x1c\x85\u2028\u2029 10.0.0.0/8",
    "quote \" and ' and \\",
    "ends with a backslash \\",
    "${terraform} %{if} {{ jinja }} {% raw %} $(shell) `shell`",
    "nul \x00 escape \x1b[31m bell \x07 delete \x7f",
    "# hash ; semicolon } { ] [ ) ( , */ /* // -- <!-- -->",
    '"\n}\nadd element inet exosync exchange_online_v4 { 10.0.0.0/8 }',
    "exosync (owner=other, target=other)",
    "\ud800 lone surrogate \u202e right to left \ufeff",
    "=HYPERLINK(0)",
    "x" * 5000 + " 10.0.0.0/8",
    "ä" * 700,
)
"""Names and reasons that try to break out of a comment or of the format."""


def desired(
    *cidrs: str,
    extra: Iterable[tuple[str, str, str]] = (),
    leaving: Iterable[str] = (),
) -> Desired:
    """What should be there; extras are (CIDR, name, reason), `leaving` goes on 2024-01-31."""
    gone = [
        Leaving(
            IpRanges.parse(cidr),
            since=datetime(2024, 1, 1, tzinfo=UTC),
            until=datetime(2024, 1, 31, tzinfo=UTC),
        )
        for cidr in leaving
    ]
    return Desired(
        instance="Worldwide",
        version="2024010100",
        microsoft=IpRanges.parse(cidrs or MAIL),
        extras=tuple(Extra(IpRanges.parse(one), name, reason) for one, name, reason in extra),
        leaving=tuple(gone),
    )


def settings(**keys: object) -> FileSettings:
    """Validated settings; the path is `list` unless given."""
    return FileSettings.model_validate({"path": "list", **keys})


def file_target(
    base: Path, *, name: str = "edge", owner: str = "exosync", **keys: object
) -> FileTarget:
    """A target whose relative paths start at `base`."""
    return FileTarget(name, settings(**keys), owner=owner, base=base)


def watched_target(base: Path, hook: atomic.Hook) -> FileTarget:
    """A target that tells a hook how far a write has come."""
    return FileTarget("edge", settings(), owner="exosync", base=base, hook=hook)


def bring(target: FileTarget, wanted: Desired, *, adopting: bool = False) -> tuple[Draft, Observed]:
    """Plan, do every step, and look again."""
    draft = target.plan(wanted, target.observe(), adopting=adopting)
    for step in draft.steps:
        target.apply(step)
    return draft, target.observe()
