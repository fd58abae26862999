"""A YAML file as plain values, and the line where each of them stands.

YAML 1.2's core schema is read, narrowed so that nothing turns into something else on the
way: only `null`, `true`, `false` (in the three usual spellings) and decimal integers without
leading zeros are more than text. So `no`, `on`, `0123`, `1.10`, `1:30` and `2024-07-31` stay
the texts that they look like; a key that wants a number reads its text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import yaml
from yaml.reader import Reader

from exosync.config.problems import KeyPath, Problem, refuse
from exosync.errors import ConfigError

MOST_BYTES = 4 * 1024**2
MOST_VALUES = 200_000
DEEPEST = 40

_NULL = frozenset(("", "~", "null", "Null", "NULL"))
_BOOL = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INTEGER = re.compile(r"0|-?[1-9][0-9]{0,17}")
_PLAIN_TAGS = (None, "!", *(f"tag:yaml.org,2002:{name}" for name in ("str", "seq", "map")))
_TAGS = "YAML tags (!) are not read: remove it, or put the text in quotes"
_CHARACTER = "holds a control character, which YAML does not allow: remove it"
_ALIAS = "an alias (*) or anchor (&) is wrong; put a text that starts with * or & in quotes"


@dataclass(frozen=True, slots=True)
class Document:
    """The values of a file, and the line of every key and list item in it (from 1)."""

    name: str
    values: dict[str, Any]
    lines: dict[KeyPath, int] = field(default_factory=dict)


def read_document(path: Path) -> Document:
    """Read a YAML file. Raises ConfigError."""
    try:
        with path.open("rb") as stream:
            data = stream.read(MOST_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error
    if len(data) > MOST_BYTES:
        raise ConfigError(f"{path}: is over {MOST_BYTES // 1024**2} MiB: this is no configuration")
    return parse_document(data, name=str(path))


def parse_document(data: bytes, *, name: str) -> Document:
    """Read YAML text; `name` stands in messages. Raises ConfigError."""
    text = _decoded(data, name)
    node = _composed(text, name)
    if node is None:
        return Document(name, {})
    reader = _Reader(name)
    values = reader.value(node, ())
    if not isinstance(values, dict):
        reader.problems.append(reader.problem(node, (), "must be keys and values (key: value)"))
    refuse(reader.problems)
    return Document(name, values, reader.lines)


def _decoded(data: bytes, name: str) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        message = f"{name}:{line}: is not UTF-8 text: save the file as UTF-8"
        raise ConfigError(message) from None


def _composed(text: str, name: str) -> yaml.Node | None:
    if found := Reader.NON_PRINTABLE.search(text):
        line = text.count("\n", 0, found.start()) + 1
        raise ConfigError(f"{name}:{line}: {_CHARACTER}")
    # PyYAML's composer with libyaml overflows the stack of the process on deep nesting.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        return _Composer(yaml.parse(text, Loader=loader), name).document()
    except yaml.YAMLError as error:
        raise ConfigError(f"{name}{_place(error)}: {_told(error, text)}") from None


class _Composer:
    """Makes nodes of the parser's events, to a limited depth."""

    def __init__(self, events: Iterator[Any], name: str) -> None:
        self._events = events
        self._name = name
        self._anchors: dict[str, yaml.Node] = {}

    def document(self) -> yaml.Node | None:
        """The one document of the stream; None if there is nothing in it."""
        root = None
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent):
                if root is not None:
                    raise self._refusal(event, "a second document begins (---): only one is read")
                root = self._node(next(self._events), 1)
        return root

    def _node(self, event: Any, depth: int) -> yaml.Node:
        if depth > DEEPEST:
            raise self._refusal(event, "is nested too deeply")
        if isinstance(event, yaml.AliasEvent):
            if event.anchor not in self._anchors:
                raise self._refusal(event, _ALIAS)
            return self._anchors[event.anchor]
        if isinstance(event, yaml.ScalarEvent):
            value: Any = event.value
            make: Any = partial(yaml.ScalarNode, style=event.style)
        elif isinstance(event, yaml.SequenceStartEvent):
            value = list(self._until(yaml.SequenceEndEvent, depth))
            make = yaml.SequenceNode
        else:
            inner = self._until(yaml.MappingEndEvent, depth)
            value = list(zip(inner, inner, strict=True))
            make = yaml.MappingNode
        node: yaml.Node = make(event.tag, value, event.start_mark, event.end_mark)
        if event.anchor:
            self._anchors[event.anchor] = node
        return node

    def _until(self, end: type, depth: int) -> Iterator[yaml.Node]:
        for event in self._events:
            if isinstance(event, end):
                return
            yield self._node(event, depth + 1)

    def _refusal(self, event: Any, text: str) -> ConfigError:
        return ConfigError(f"{self._name}:{event.start_mark.line + 1}: {text}")


def _place(error: Any) -> str:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    return f":{mark.line + 1}" if mark else ""


def _told(error: Any, text: str) -> str:
    """What the parser says, without any text of the file: it could be a secret."""
    problem, mark = getattr(error, "problem", None), getattr(error, "problem_mark", None)
    if not problem:
        return _CHARACTER
    if "tag" in problem and "handle" in problem:
        return _TAGS
    if "cannot start any token" in problem and mark:
        if not "".join(text.splitlines()[mark.line : mark.line + 1])[: mark.column + 1].strip():
            return "a tab stands where YAML wants blanks: indent with blanks"
        return "a text without quotes cannot begin like this: put it in quotes"
    begun = getattr(error, "context_mark", None)
    since = (
        f" (begun in line {begun.line + 1})" if begun and mark and begun.line < mark.line else ""
    )
    return f"is not YAML: {problem}{since}; look at the quotes, colons and indents here and above"


class _Reader:
    """Turns nodes into values, and collects lines and problems on the way."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.lines: dict[KeyPath, int] = {}
        self.problems: list[Problem] = []
        self._count = 0

    def value(self, node: yaml.Node, path: KeyPath) -> Any:
        """The value of one node; raises ConfigError if the whole is too large or too deep."""
        self._count += 1
        if self._count > MOST_VALUES or len(path) > DEEPEST:
            # An alias counts each time that it is used, so a small file cannot grow large.
            what = "nested too deeply" if len(path) > DEEPEST else "too large with its aliases"
            raise ConfigError(f"{self.name}:{_line(node)}: is {what}")
        if node.tag not in _PLAIN_TAGS:
            self.problems.append(self.problem(node, path, _TAGS))
            return None
        if isinstance(node, yaml.MappingNode):
            return dict(self._entries(node, path))
        if isinstance(node, yaml.SequenceNode):
            return [self._item(one, (*path, index)) for index, one in enumerate(node.value)]
        is_plain = isinstance(node, yaml.ScalarNode) and not node.style
        return _resolved(node.value) if is_plain else node.value

    def _item(self, node: yaml.Node, path: KeyPath) -> Any:
        self.lines[path] = _line(node)
        return self.value(node, path)

    def _entries(self, node: yaml.MappingNode, path: KeyPath) -> Iterator[tuple[str, Any]]:
        seen: dict[str, int] = {}
        for key_node, value_node in node.value:
            key = key_node.value
            if not isinstance(key, str):
                self.problems.append(self.problem(key_node, path, "a key must be plain text"))
                continue
            here = (*path, key)
            if key in seen:
                told = f"stands twice: first in line {seen[key]}; remove one"
                self.problems.append(self.problem(key_node, here, told))
                continue
            seen[key] = self.lines[here] = _line(key_node)
            yield key, self.value(value_node, here)

    def problem(self, node: yaml.Node, path: KeyPath, text: str) -> Problem:
        """A problem at the line of a node."""
        return Problem(f"{self.name}:{_line(node)}", path, text)


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1


def _resolved(text: str) -> Any:
    if text in _NULL:
        return None
    if text in _BOOL:
        return _BOOL[text]
    return int(text) if _INTEGER.fullmatch(text) else text
