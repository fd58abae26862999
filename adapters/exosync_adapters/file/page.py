"""What every format is made from."""

from __future__ import annotations

from dataclasses import dataclass

from exosync_adapters.file.mark import Mark
from exosync_adapters.file.settings import FileSettings


@dataclass(frozen=True, slots=True)
class Row:
    """One entry, its texts of one printable line each.

    `family` is ipv4 or ipv6, `leaving_on` a date (YYYY-MM-DD) or empty, `note` the origin in
    words, of at most NOTE_BYTES bytes; empty for what Microsoft publishes now.
    """

    cidr: str
    family: str
    origin: str
    name: str
    reason: str
    leaving_on: str
    note: str


@dataclass(frozen=True, slots=True)
class Page:
    """All that a format needs; `source` is the text of the template, empty without one."""

    mark: Mark
    instance: str
    rows: tuple[Row, ...]
    settings: FileSettings
    source: str = ""

    def of(self, family: str) -> tuple[Row, ...]:
        """The rows of one family."""
        return tuple(row for row in self.rows if row.family == family)
