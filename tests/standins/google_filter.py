r"""The filters of policies.list: the part of CEL that the Policy API documents.

    customer == "customers/my_customer" && (setting.type.matches('^settings/gmail\\..*$') || …)

Clauses are combined with &&, || and parentheses; there may be one customer only (discovery).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

Test = Callable[[str], bool]

_TOKEN = re.compile(
    r"""\s*(?:
        (?P<op>&&|\|\||==|\(|\))
      | (?P<name>[A-Za-z_][\w.]*)
      | (?P<text>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')
    )""",
    re.VERBOSE,
)
_ESCAPES = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


class BadFilterError(ValueError):
    """A filter that the Policy API would not take."""


@dataclass(slots=True)
class Filter:
    """A filter that was understood: what it asks of a setting's type, and of which customers."""

    matches: Test
    customers: set[str] = field(default_factory=set)
    uses_or: bool = False
    type_clauses: int = 0
    uses_equality: bool = False


def parsed(text: str) -> Filter:
    """A filter; an empty one lets everything through."""
    found = Filter(lambda _: True)
    if text.strip():
        parser = _Parser(_tokens(text), found)
        found.matches = parser.whole()
    return found


def _tokens(text: str) -> list[str]:
    found, at = [], 0
    while text[at:].strip():
        match = _TOKEN.match(text, at)
        if match is None:
            raise BadFilterError(f"unexpected {text[at:].strip()[:20]!r}")
        found.append(match.group().strip())
        at = match.end()
    return found


class _Parser:
    def __init__(self, tokens: list[str], found: Filter) -> None:
        self._tokens = tokens
        self._found = found

    def whole(self) -> Test:
        test = self._any()
        if self._tokens:
            raise BadFilterError(f"unexpected {self._tokens[0]!r}")
        return test

    def _any(self) -> Test:
        tests = [self._all()]
        while self._skip("||"):
            self._found.uses_or = True
            tests.append(self._all())
        return lambda value: any(test(value) for test in tests)

    def _all(self) -> Test:
        tests = [self._one()]
        while self._skip("&&"):
            tests.append(self._one())
        return lambda value: all(test(value) for test in tests)

    def _one(self) -> Test:
        match self._next():
            case "(":
                test = self._any()
                self._must(")")
                return test
            case "customer":
                self._must("==")
                self._found.customers.add(self._text())
                return lambda _: True
            case "setting.type.matches":
                self._must("(")
                test = _matching(self._text())
                self._must(")")
                self._found.type_clauses += 1
                return test
            case "setting.type":
                self._must("==")
                wanted = self._text()
                self._found.uses_equality = True
                self._found.type_clauses += 1
                return lambda value: value == wanted
            case other:
                raise BadFilterError(f"unexpected {other!r}")

    def _text(self) -> str:
        token = self._next()
        if token[0] not in "'\"":
            raise BadFilterError(f"a string was expected, not {token!r}")
        return _unescaped(token[1:-1])

    def _must(self, wanted: str) -> None:
        if not self._skip(wanted):
            raise BadFilterError(f"{wanted!r} was expected")

    def _skip(self, wanted: str) -> bool:
        if self._tokens[:1] == [wanted]:
            del self._tokens[0]
            return True
        return False

    def _next(self) -> str:
        if not self._tokens:
            raise BadFilterError("the filter ends too early")
        return self._tokens.pop(0)


def _unescaped(text: str) -> str:
    r"""A string's value. CEL's rule: a backslash is written \\, so \. alone is an error."""

    def one(match: re.Match[str]) -> str:
        letter = match.group(1)
        if letter in "\\'\"`?":
            return letter
        if letter in _ESCAPES:
            return _ESCAPES[letter]
        raise BadFilterError(f"unknown escape \\{letter}")

    return re.sub(r"\\(.)", one, text)


def _matching(pattern: str) -> Test:
    """CEL's matches(): anywhere in the value, unless anchored."""
    try:
        expression = re.compile(pattern)
    except re.error as error:
        raise BadFilterError(f"bad regular expression: {error}") from error
    return lambda value: expression.search(value) is not None
