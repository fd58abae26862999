"""Values as PowerShell has them: what is true, equal, a text; members, and what operators do.

Sources: about_Booleans, about_Comparison_Operators, about_Properties and about_Quoting_Rules on
learn.microsoft.com.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Value = Any


class Thrown(Exception):
    """The script stopped, with these words."""


@dataclass(frozen=True)
class Thing:
    """An object: its properties by name, in any case."""

    properties: Mapping[str, Value]

    def get(self, name: str) -> Value:
        """A property; null if it has none of that name."""
        wanted = name.lower()
        return next((one for key, one in self.properties.items() if key.lower() == wanted), None)


def unquoted(literal: str) -> str:
    """What a literal between single quotes stands for: two quotes in a row are the second."""
    assert literal[0] == literal[-1] == "'", "only single quotes"
    return re.sub("['\u2018\u2019\u201a\u201b](['\u2018\u2019\u201a\u201b])", r"\1", literal[1:-1])


def unrolled(value: Value) -> list[Value]:
    """The items of a list; anything else as the only one."""
    return value if isinstance(value, list) else [value]


def one(outputs: list[Value]) -> Value:
    """What a variable gets of what is put out: nothing, the one, or a list."""
    return outputs[0] if len(outputs) == 1 else outputs or None


def truth(value: Value) -> bool:
    """Whether a value counts as true."""
    if isinstance(value, list):
        return len(value) > 1 or (len(value) == 1 and truth(value[0]))
    return value not in (None, "", 0, False)


def string(value: Value) -> str:
    """A value as a text."""
    match value:
        case None:
            return ""
        case list():
            return " ".join(map(string, value))
    return str(value)


def member(of: Value, name: str) -> Value:
    """A property; of a list the property of each."""
    match of:
        case Thing():
            return of.get(name)
        case dict() if name.lower() == "keys":
            return list(of)
        case list() if name.lower() == "count":
            return len(of)
        case list():
            return one([member(one, name) for one in of])
        case None:
            return 0 if name.lower() == "count" else None
    raise NotImplementedError(f"{name} of {of!r}")


def element(of: Value, index: Value) -> Value:
    """One item of a list, a table or a text; null outside of it."""
    if isinstance(of, dict):
        return next((one for key, one in of.items() if key.lower() == index.lower()), None)
    if of is None:
        raise Thrown("Cannot index into a null array.")
    return of[index] if index < len(of) else None


def method(of: Value, name: str, given: list[Value]) -> Value:
    """What a method of a text gives."""
    if of is None:
        raise Thrown("You cannot call a method on a null-valued expression.")
    assert isinstance(of, str), f"{name} of {of!r}"
    methods: dict[str, Callable[..., str]] = {
        "trim": of.strip,
        "trimend": of.rstrip,
        "replace": of.replace,
    }
    return methods[name.lower()](*given)


def _equal(left: Value, right: Value) -> Value:
    if isinstance(left, list):
        return [one for one in left if _equal(one, right)]
    if left is None or right is None:
        return left is right
    if isinstance(left, bool):
        return left is truth(right)
    return string(left).lower() == string(right).lower()


def _format(pattern: str, values: Value) -> str:
    given = unrolled(values)
    return re.sub(r"\{(\d+)\}", lambda found: string(given[int(found[1])]), pattern)


OPERATORS: dict[str, Callable[[Value, Value], Value]] = {
    "-eq": _equal,
    "-ne": lambda left, right: not _equal(left, right),
    "-ceq": lambda left, right: string(left) == string(right),
    "-gt": operator.gt,
    "-contains": lambda left, right: any(_equal(one, right) for one in unrolled(left)),
    "-ccontains": lambda left, right: string(right) in map(string, unrolled(left)),
    "-join": lambda left, right: right.join(map(string, unrolled(left))),
    "-split": lambda left, right: re.split(right, string(left)),
    "-f": _format,
    "+": lambda left, right: left + right,
}
