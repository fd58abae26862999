"""The mark of ownership: the words in a file that say which target writes it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Self
from urllib.parse import quote, unquote

_MARK = re.compile(r"exosync \(owner=([A-Za-z0-9_.~%-]+), target=([A-Za-z0-9_.~%-]+)\)")
_OPENING = "exosync (owner="


@dataclass(frozen=True, slots=True)
class Mark:
    """Owner and target of a file. Two marks have the same text only if they are equal."""

    owner: str
    target: str

    def __str__(self) -> str:
        return f"{_OPENING}{quote(self.owner, safe='')}, target={quote(self.target, safe='')})"

    @property
    def sentence(self) -> str:
        """The mark as it is told to whoever opens the file: one line, plain ASCII."""
        return f"Managed by {self}. Changes made by hand are overwritten."

    @classmethod
    def found_in(cls, text: str) -> frozenset[Self]:
        """Every mark in a text. More than one means that nobody can tell whose it is."""
        return frozenset(
            cls(unquote(owner), unquote(target)) for owner, target in _MARK.findall(text)
        )


def without_marks(text: str) -> str:
    """The text such that no mark can be read in it: for what others wrote."""
    return text.replace(_OPENING, f"{_OPENING[:-6]} owner=")
