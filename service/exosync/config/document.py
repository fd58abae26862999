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
from pathlib import Path
from typing import Any

import yaml

from exosync.config.problems import KeyPath, Problem, refuse
from exosync.errors import ConfigError

MOST_BYTES = 4 * 1024**2
MOST_VALUES = 200_000
DEEPEST = 40

_NULL = frozenset(("", "~", "null", "Null", "NULL"))
_BOOL = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INTEGER = re.compile(r"0|-?[1-9][0-9]{0,17}")
_PLAIN_TAGS = frozenset(f"tag:yaml.org,2002:{name}" for name in ("str", "seq", "map"))


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
    base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    # Without resolvers, a plain scalar keeps the tag of a text: this module resolves it.
    loader = type("_Loader", (base,), {"yaml_implicit_resolvers": {}})(text)
    try:
        node: yaml.Node | None = loader.get_single_node()
    except RecursionError:
        raise ConfigError(f"{name}: is nested too deeply") from None
    except yaml.YAMLError as error:
        raise ConfigError(f"{name}{_place(error)}: {_told(error)}") from None
    finally:
        loader.dispose()
    return node


def _place(error: Any) -> str:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    return f":{mark.line + 1}" if mark else ""


def _told(error: Any) -> str:
    """What the parser says, without any text of the file: it could be a secret."""
    problem = str(getattr(error, "problem", "") or "")
    if "\\t" in problem or "\t" in problem:
        return "a tab stands where YAML wants blanks: indent with blanks"
    if "anchor" in problem or "alias" in problem:
        return "an alias (*) or anchor (&) is wrong; put a text that starts with * or & in quotes"
    if not problem:
        return "holds a character that YAML does not allow"
    said = re.sub(r"'(?!<)[^']{2,}'|\"[^\"]{2,}\"", "…", problem)
    return f"is not YAML: {said}; look at the quotes, colons and indents here and above"


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
            self.problems.append(self.problem(node, path, "YAML tags (!) are not read: remove it"))
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
