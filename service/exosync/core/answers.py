"""Reading the JSON of the endpoints web service without falling into its traps.

What is broken is refused with FeedRejected: its rule is a stable name, its message says
where it stands and what it means. RFC 8259 leaves open what a reader does with doubled
names (section 4), numbers out of range (section 6), half surrogate pairs (section 8.2) and
deep nesting (section 9): all of them are refused here, since two readers may understand
them differently.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NoReturn

from exosync.errors import FeedRejected

_MOST_DIGITS = 20
_MOST_SHOWN = 60
_VERSION = re.compile("[0-9]{10}")


def rejected(rule: str, where: str, what: str) -> FeedRejected:
    """The refusal of an answer: `where` it stands and `what` is wrong with it."""
    return FeedRejected(f"{where}: {what}; nothing of it is used", rule=rule)


def shown(value: object) -> str:
    """A JSON value as a message shows it: text shortened and quoted, no control characters."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case str():
            cut = value if len(value) <= _MOST_SHOWN else f"{value[:_MOST_SHOWN]}…"
            return ascii(cut) if not cut.isprintable() else repr(cut)
        case int() | float():
            return repr(value)
        case list():
            return f"a list of {len(value)}"
        case _:
            return "an object"


def one_line(text: str) -> str:
    """The text with everything that is no visible character made a blank, and no blanks around.

    Service areas, names and notes end up on terminals and in logs.
    """
    return "".join(char if char.isprintable() else " " for char in text).strip()


def is_version(text: object) -> bool:
    """Whether this is a version of the service: ten ASCII digits, YYYYMMDDNN."""
    return isinstance(text, str) and _VERSION.fullmatch(text) is not None


def refuse_html(body: bytes | str, where: str) -> None:
    """Raise FeedRejected (rule html) if a web page came in place of JSON."""
    start = (
        body[:64].lstrip(b"\xef\xbb\xbf \t\r\n") if isinstance(body, bytes) else body[:64].lstrip()
    )
    if start[:1] in (b"<", "<"):
        what = (
            "this is a web page (HTML or XML), not JSON: a proxy, a sign-in page or an error page "
            "answered in place of the service"
        )
        raise rejected("html", where, what)


def load(body: bytes | str, where: str) -> object:
    """The JSON value of an answer.

    Raises FeedRejected: html, not_text (neither UTF-8 nor a marked UTF-16), not_json,
    truncated, duplicate_key, bad_number (not finite, or of more than 20 digits), bad_text
    (half a surrogate pair), too_deep.
    """
    refuse_html(body, where)
    text = _decoded(body, where).strip()
    if not text:
        raise rejected("not_json", where, "the answer is empty")
    try:
        value = _decoder(where).decode(text)
        json.dumps(value, ensure_ascii=False).encode()
    except json.JSONDecodeError as error:
        raise _not_json(text, error, where) from None
    except UnicodeEncodeError:
        raise rejected("bad_text", where, "a text holds half a surrogate pair") from None
    except RecursionError:
        raise rejected("too_deep", where, "lists or objects are nested too deeply") from None
    return value


def canonical(value: object) -> str:
    """The one text of a JSON value: names sorted, no blanks, ASCII alone; lists keep their order."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


@dataclass(frozen=True, slots=True)
class Fields:
    """The fields of one JSON object, read with their types checked.

    A field of another type is refused (rule wrong_type). `where` says which object it is.
    """

    values: Mapping[str, object]
    where: str

    @classmethod
    def of(cls, value: object, where: str) -> Fields:
        """The fields of what must be an object."""
        if not isinstance(value, dict):
            raise rejected("wrong_type", where, f"this is {shown(value)} where an object belongs")
        return cls(value, where)

    def integer(self, key: str) -> int:
        """A whole number that must be there and is not negative."""
        value = self._required(key)
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            self.wrong(key, value, "a whole number")
        return value

    def text(self, key: str) -> str:
        """A text that must be there, not blank, on one line."""
        value = self._required(key)
        if not isinstance(value, str) or not one_line(value):
            self.wrong(key, value, "a text")
        return one_line(value)

    def optional_text(self, key: str, *, null: bool = True) -> str:
        """A text on one line; empty if it is not there, or null where that is allowed."""
        value = self.values.get(key, "")
        if value is None and null:
            return ""
        if not isinstance(value, str):
            self.wrong(key, value, "a text")
        return one_line(value)

    def optional_flag(self, key: str) -> bool:
        """True or false; false if it is not there or null."""
        value = self.values.get(key)
        if value is not None and not isinstance(value, bool):
            self.wrong(key, value, "true or false")
        return value is True

    def optional_texts(self, key: str) -> tuple[str, ...]:
        """A list of texts; none if it is not there. Null is no list."""
        value = self.values.get(key, [])
        if not isinstance(value, list):
            self.wrong(key, value, "a list of texts")
        for index, item in enumerate(value):
            if not isinstance(item, str):
                self.wrong(f"{key}[{index}]", item, "a text")
        return tuple(value)

    def version(self, key: str) -> str:
        """A version that must be there: a text of ten ASCII digits, as it is (rule bad_version)."""
        value = self._required(key)
        if not isinstance(value, str):
            self.wrong(key, value, "a version of ten digits")
        if not is_version(value):
            what = f"{key} is {shown(value)} where a version of ten digits belongs"
            raise rejected("bad_version", self.where, what)
        return value

    def wrong(self, key: str, value: object, wanted: str) -> NoReturn:
        """Refuse a field for its type."""
        raise rejected("wrong_type", self.where, f"{key} is {shown(value)} where {wanted} belongs")

    def _required(self, key: str) -> object:
        if key not in self.values:
            raise rejected("missing_field", self.where, f"{key} is missing")
        return self.values[key]


def _decoded(body: bytes | str, where: str) -> str:
    if isinstance(body, str):
        return body.removeprefix("\ufeff")
    # A byte order mark is ignored (RFC 8259 section 8.1); Windows PowerShell saves UTF-16.
    marked = body.startswith((b"\xff\xfe", b"\xfe\xff"))
    try:
        return body.decode("utf-16" if marked else "utf-8-sig")
    except UnicodeDecodeError as error:
        what = f"the bytes are not UTF-8 text (at byte {error.start})"
        raise rejected("not_text", where, what) from None


def _decoder(where: str) -> json.JSONDecoder:
    def refuse_constant(name: str) -> NoReturn:
        raise rejected("bad_number", where, f"{name} is not a number of JSON")

    def integer(digits: str) -> int:
        if len(digits) > _MOST_DIGITS:
            raise rejected("bad_number", where, f"a number has {len(digits)} digits")
        return int(digits)

    def fraction(digits: str) -> float:
        number = float(digits)
        if not math.isfinite(number):
            raise rejected("bad_number", where, f"{shown(digits)} is out of range")
        return number

    def pairs(items: Sequence[tuple[str, object]]) -> dict[str, object]:
        found = dict(items)
        if len(found) != len(items):
            raise _doubled(items, where)
        return found

    return json.JSONDecoder(
        object_pairs_hook=pairs,
        parse_int=integer,
        parse_float=fraction,
        parse_constant=refuse_constant,
    )


def _doubled(items: Sequence[tuple[str, object]], where: str) -> FeedRejected:
    seen: set[str] = set()
    # `seen.add` gives None, so only a key that was there before is kept.
    twice = next(key for key, _ in items if key in seen or seen.add(key))  # type: ignore[func-returns-value]
    known = next((f" of set {shown(value)}" for key, value in items if key == "id"), "")
    return rejected("duplicate_key", where, f"{shown(twice)} stands twice in one object{known}")


def _not_json(text: str, error: json.JSONDecodeError, where: str) -> FeedRejected:
    pair = {"[": "]", "{": "}"}
    if text[0] in pair and (error.pos >= len(text) or text[-1] != pair[text[0]]):
        what = f"the answer stops in the middle, after {len(text):,} characters: it is truncated"
        return rejected("truncated", where, what)
    start = shown(text[error.pos : error.pos + _MOST_SHOWN])
    what = f"this is not JSON (line {error.lineno}, column {error.colno}: {error.msg}): {start}"
    return rejected("not_json", where, what)
