"""The types of a command's parameters, and what is said of a value that is none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from tests.standins.exchange_replies import BINDING, Refused

Json = Any


@dataclass(frozen=True, slots=True)
class Kind:
    """One type: how it is called, and of an enumeration its members."""

    name: str
    members: tuple[str, ...] = ()


BOOL: Final = Kind("System.Boolean")
INT: Final = Kind("System.Int32")
TEXT: Final = Kind("System.String")
LIST: Final = Kind("System.String[]")
TIME: Final = Kind("System.DateTime")
SIZE: Final = Kind("Unlimited`1[System.UInt32]")
COMMON: Final[Mapping[str, Kind]] = {"Confirm": BOOL, "WhatIf": BOOL, "ErrorAction": TEXT}


def enum(name: str, *members: str) -> Kind:
    """An enumeration of Exchange's."""
    return Kind(f"Microsoft.Exchange.Data.{name}", members)


def bound(
    cmdlet: str,
    given: Mapping[str, Json],
    known: Mapping[str, Kind],
    *,
    denied: frozenset[str] = frozenset(),
) -> dict[str, Json]:
    """The parameters by their proper names, with their values. Raises Refused.

    Names and members are taken in any case, as PowerShell does.
    """
    names = {name.casefold(): name for name in (*known, *COMMON)}
    found: dict[str, Json] = {}
    for asked, value in given.items():
        name = names.get(asked.casefold())
        if name is None:
            text = f"A parameter cannot be found that matches parameter name '{asked}'."
            raise Refused(BINDING, text)
        if f"{cmdlet}:{name}" in denied:
            # CIPP, Get-NormalizedError, has the end of the text; its beginning is ours.
            text = (
                f"The parameter '{name}' is not present in the role definition of the current user"
            )
            raise Refused(BINDING, text)
        found[name] = _converted(name, value, {**known, **COMMON}[name])
    return found


def _converted(name: str, value: Json, kind: Kind) -> Json:
    if kind.members:
        return _member(name, value, kind)
    if kind is LIST:
        return _list(name, value, kind)
    if kind is TIME:
        return _time(name, value, kind)
    wanted: tuple[type, ...] = {BOOL: (bool,), INT: (int,), TEXT: (str,), SIZE: (int, str)}[kind]
    is_none = value is None and kind is TEXT
    if is_none or (isinstance(value, wanted) and not (kind is INT and isinstance(value, bool))):
        return value
    raise _wrong(name, value, kind)


def _member(name: str, value: Json, kind: Kind) -> str | None:
    if value is None:
        return None
    for member in kind.members:
        if str(value).casefold() == member.casefold():
            return member
    text = (
        f"Cannot process argument transformation on parameter '{name}'. Cannot convert value "
        f'"{value}" to type "{kind.name}". Error: "Unable to match the identifier name {value} '
        "to a valid enumerator name. Specify one of the following enumerator names and try again: "
        f'{", ".join(kind.members)}"'
    )
    raise Refused(BINDING, text)


def _list(name: str, value: Json, kind: Kind) -> list[str]:
    values = [] if value is None else value if isinstance(value, list) else [value]
    if all(isinstance(one, str) for one in values):
        return list(values)
    raise _wrong(name, value, kind)


def _time(name: str, value: Json, kind: Kind) -> datetime | None:
    if value is None:
        return None
    try:
        read = datetime.fromisoformat(str(value).upper())
    except ValueError:
        raise _wrong(name, value, kind) from None
    return read if read.tzinfo else read.replace(tzinfo=UTC)


def _wrong(name: str, value: Json, kind: Kind) -> Refused:
    text = (
        f"Cannot process argument transformation on parameter '{name}'. Cannot convert value "
        f'"{value}" to type "{kind.name}".'
    )
    return Refused(BINDING, text)
