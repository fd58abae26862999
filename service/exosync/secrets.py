"""Reading secrets, and keeping them out of everything that is written or shown."""

from __future__ import annotations

import json
import re
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from exosync.errors import ConfigError

if TYPE_CHECKING:
    from exosync.core.secret import SecretRef

MOST_BYTES = 64 * 1024
MASK = "***"

_SHORT = 4
_LINE = 8


class Redactor:
    """Remembers secrets and takes them out of texts.

    A secret is found as it is, as JSON or a URL would write it, and line by line where it
    has several (lines of under eight characters only with the whole). One of under four
    characters is masked only where it stands as a word: figures would be unreadable else.
    """

    def __init__(self) -> None:
        self._forms: frozenset[str] = frozenset()
        self._pattern: re.Pattern[str] | None = None

    def add(self, secret: str) -> None:
        """Remember a secret; blank ones are none."""
        if not secret.strip():
            return
        self._forms |= set(_forms(secret))
        texts = sorted(self._forms, key=len, reverse=True)
        self._pattern = re.compile("|".join(_expression(text) for text in texts))

    def redact(self, text: str) -> str:
        """The text with every remembered secret replaced by `***`."""
        return self._pattern.sub(MASK, text) if self._pattern else text


def _forms(secret: str) -> Iterator[str]:
    whole = secret.strip()
    lines = [line.strip() for line in whole.splitlines() if len(line.strip()) >= _LINE]
    for text in (secret, whole, *lines):
        yield text
        yield json.dumps(text)[1:-1]
        yield json.dumps(text, ensure_ascii=False)[1:-1]
        yield quote(text, safe="")
        yield quote(text)
        yield repr(text)[1:-1]


def _expression(text: str) -> str:
    plain = re.escape(text)
    return plain if len(text) >= _SHORT else rf"(?<!\w){plain}(?!\w)"


REDACTOR = Redactor()
"""The process's own: what was revealed anywhere is masked everywhere."""


def redact(text: str) -> str:
    """The text without any secret that this process has read."""
    return REDACTOR.redact(text)


def reveal(
    ref: SecretRef, *, base: Path, environ: Mapping[str, str], redactor: Redactor = REDACTOR
) -> str:
    """Read a secret and remember it for redaction; one newline at a file's end is dropped.

    A relative file starts at `base`. Raises ConfigError if there is none, or it is empty.
    """
    secret = (
        _from_variable(ref.env, environ)
        if ref.env is not None
        else _from_file(base / (ref.file or ""))
    )
    redactor.add(secret)
    return secret


def _from_variable(name: str, environ: Mapping[str, str]) -> str:
    secret = environ.get(name)
    if secret is None:
        raise ConfigError(f"environment variable {name} is not set: a secret is expected in it")
    if not secret.strip():
        raise ConfigError(f"environment variable {name} is empty: a secret is expected in it")
    return secret


def _from_file(path: Path) -> str:
    data = _read(path)
    if len(data) > MOST_BYTES:
        raise ConfigError(
            f"secret file {path} is over {MOST_BYTES // 1024} KiB: is it the right one?"
        )
    try:
        secret = data.decode("utf-8")
    except UnicodeDecodeError:
        raise ConfigError(f"secret file {path} is not UTF-8 text: is it the right one?") from None
    if not secret.strip():
        raise ConfigError(f"secret file {path} is empty: write the secret into it")
    return secret.removesuffix("\n").removesuffix("\r")


def _read(path: Path) -> bytes:
    try:
        # Opening a pipe would wait for its other end, so it is looked at first.
        if not stat.S_ISREG(path.stat().st_mode):
            kind = "a folder" if path.is_dir() else "no regular file"
            raise ConfigError(f"secret file {path} is {kind}: name the file that holds the secret")
        with path.open("rb") as stream:
            return stream.read(MOST_BYTES + 1)
    except FileNotFoundError:
        raise ConfigError(
            f"secret file {path} does not exist: make it, or correct its path"
        ) from None
    except OSError as error:
        raise ConfigError(f"secret file {path} cannot be read: {error.strerror}") from None
