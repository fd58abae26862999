"""Values as PowerShell writes them, so that no text can be anything but a text. Pure.

A text stands between single quotes, where nothing is expanded. Beside the ASCII apostrophe
PowerShell takes U+2018 to U+201B for single quotes, and reads two in a row as one
(learn.microsoft.com, about_Quoting_Rules). What a console or an editor may change on the way
(line breaks, tabs, marks of writing direction) is written by its number.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby

_QUOTE = re.compile("(['\u2018\u2019\u201a\u201b])")
_BY_NUMBER = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_BARE = re.compile(r"[A-Za-z][A-Za-z0-9]*")


def text(plain: str) -> str:
    """A text: one literal, or several in brackets if some of it is written by number."""
    parts = [
        part
        for by_number, some in groupby(plain, _is_by_number)
        for part in _parts("".join(some), by_number=by_number)
    ]
    if len(parts) == 1 and not _is_by_number(plain[0]):
        return parts[0]
    joined = " + ".join(["''", *parts])
    return f"({joined})" if parts else "''"


def _is_by_number(character: str) -> bool:
    return unicodedata.category(character) in _BY_NUMBER


def _parts(some: str, *, by_number: bool) -> Iterator[str]:
    if not by_number:
        yield "'" + _QUOTE.sub(r"\1\1", some) + "'"
        return
    units = some.encode("utf-16-be", "surrogatepass")
    for at in range(0, len(units), 2):
        yield f"[char] 0x{int.from_bytes(units[at : at + 2]):04X}"


def value(plain: object) -> str:
    """A JSON value: text, number, true or false, null, or a list of them."""
    match plain:
        case None:
            return "$null"
        case bool():
            return "$true" if plain else "$false"
        case int():
            return str(plain)
        case str():
            return text(plain)
        case list() | tuple():
            return f"@({', '.join(value(one) for one in plain)})"
    raise TypeError(f"no JSON value of a parameter: {type(plain).__name__}")


def table(parameters: Mapping[str, object]) -> Iterator[str]:
    """The lines of a hash table, for splatting."""
    yield "@{"
    for name, plain in parameters.items():
        yield f"    {name if _BARE.fullmatch(name) else text(name)} = {value(plain)}"
    yield "}"


def indented(lines: Iterable[str], by: int = 4) -> Iterator[str]:
    """The same lines further to the right."""
    return (f"{' ' * by}{one}" if one else one for one in lines)
