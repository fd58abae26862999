"""Where each value of a merged configuration comes from: a line of the file, or a variable."""

from __future__ import annotations

from typing import Any

from exosync.config.document import Document
from exosync.config.problems import KeyPath, Problem


class Merged:
    """Values of several sources in one, each with its origin.

    Later sources win key by key; a list or a scalar replaces what was there as a whole.
    """

    def __init__(self, document: Document) -> None:
        self.values: dict[str, Any] = document.values
        self._file = document.name
        self._places = {path: f"{document.name}:{line}" for path, line in document.lines.items()}

    def put(self, values: dict[str, Any], place: str) -> None:
        """Lay the values of a stronger source over what is there."""
        self.values = self._merged(self.values, values, (), place)

    def _merged(self, below: Any, above: Any, path: KeyPath, place: str) -> Any:
        if isinstance(above, dict) and (isinstance(below, dict) or below is None):
            merged = dict(below or {})
            for key, value in above.items():
                merged[key] = self._merged(merged.get(key), value, (*path, key), place)
            return merged
        depth = len(path)
        self._places = {at: told for at, told in self._places.items() if at[:depth] != path}
        self._places[path] = place
        return above

    def place(self, path: KeyPath) -> str:
        """The nearest place known for a key."""
        for length in range(len(path), 0, -1):
            if path[:length] in self._places:
                return self._places[path[:length]]
        return self._file

    def is_from_file(self, path: KeyPath) -> bool:
        """Whether the value of a key stands in the file."""
        place = self.place(path)
        return place == self._file or place.rpartition(":")[0] == self._file

    def problem(self, path: KeyPath, text: str) -> Problem:
        """A problem at the place where the key was given."""
        return Problem(self.place(path), path, text)
