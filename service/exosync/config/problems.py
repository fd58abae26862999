"""What is wrong with a configuration: each problem with its place, its key and what to do."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from exosync.errors import ConfigError

KeyPath = tuple[str | int, ...]
"""A key, from the top: `("targets", 1, "dns", "port")`."""

_SECRET_NAME = re.compile(r"secret|passw|passphrase|token|credential|private|api_?key|^pass$|^pw$")
_PLAIN_KEY = re.compile(r"[\w<-]{1,64}")
_REFERENCE = frozenset(("file", "env"))
_CHANNEL_URL: KeyPath = ("alerts", "channels", "url")  # Whoever knows it can send there.


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong. `place` is `FILE:LINE` or the name of a variable."""

    place: str
    path: KeyPath
    text: str

    def __str__(self) -> str:
        return ": ".join(part for part in (self.place, path_text(self.path), self.text) if part)


def path_text(path: KeyPath) -> str:
    """`targets[1].dns.port`; a key that could break a line is written with escapes."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            key = part if _PLAIN_KEY.fullmatch(part) else ascii(part[:64])
            text += f".{key}" if text else key
    return text


def refuse(problems: Iterable[Problem]) -> None:
    """Raise one ConfigError that lists all problems, if there are any."""
    lines = dict.fromkeys(str(problem) for problem in problems)
    if lines:
        raise ConfigError("\n".join(lines))


def unknown_key(key: str, known: Iterable[str]) -> str:
    """What to say of a key that does not exist at its place."""
    names = list(known)
    if key == "<<":
        return "merge keys are not read; give the whole value by an alias (*), or write it out"
    if key in names:  # one branch of a union knows it, another is meant
        return "does not belong with the other keys here"
    near = get_close_matches(key.lower(), names, n=1)
    if near:
        return f"unknown key; did you mean {near[0]!r}?"
    return f"unknown key; known here: {', '.join(names)}" if names else "unknown key; remove it"


def is_secret_key(path: KeyPath) -> bool:
    """Whether the name of a key says that a secret may stand there."""
    names = [part for part in path if isinstance(part, str)]
    return bool(names) and bool(_SECRET_NAME.search(names[-1].lower()))


def secret_texts(values: Any, path: KeyPath = ()) -> set[str]:
    """The texts that stand where a secret may: they must not be shown in any message.

    What `{file: …}` and `{env: …}` name is no secret, nor is the kind of credentials.
    """
    if isinstance(values, Mapping):
        if is_secret_key(path) and values.keys() <= _REFERENCE:
            return set()
        inner = [
            secret_texts(value, _inside(path, key))
            for key, value in values.items()
            if key != "kind"
        ]
        return set().union(*inner)
    if isinstance(values, list):
        return set().union(*(secret_texts(value, path) for value in values))
    text = "" if values is None or isinstance(values, bool) else str(values)
    secret = is_secret_key(path) or path == _CHANNEL_URL
    return {text} if secret and len(text) > 2 else set()


def _inside(path: KeyPath, key: Any) -> KeyPath:
    """The path of a key; what stands within a secret's key is a secret too."""
    return path if is_secret_key(path) else (*path, str(key))


def without(text: str, hidden: Iterable[str]) -> str:
    """The text with every hidden text in it replaced by `***`."""
    for one in sorted(hidden, key=len, reverse=True):
        text = text.replace(one, "***")
    return text
