"""Texts folded to the columns of a terminal, of which some characters take two."""

from __future__ import annotations

import textwrap
import unicodedata

_SECOND = "\0"
"""Stands for the second column of a wide character while lines are measured."""


def folded(text: str, width: int) -> list[str]:
    """The lines of a text without control characters, none of more columns than that.

    Wide are those that Unicode's East Asian Width calls W or F (UAX #11). A word is broken only
    where a line has no room for all of it.
    """
    measured = "".join(f"{one}{_SECOND}" if _is_wide(one) else one for one in text)
    if measured != text:
        width -= 1  # so that the last one of a line has room for both its columns
    lines = textwrap.wrap(measured, width, break_on_hyphens=False)
    return [shown for one in lines if (shown := one.replace(_SECOND, ""))]


def _is_wide(character: str) -> bool:
    return unicodedata.east_asian_width(character) in ("W", "F")
