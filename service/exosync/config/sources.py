"""Settings from the environment (`EXOSYNC_…`) and from a folder of secret files.

pydantic-settings reads both; it is slow to import, so that happens only where one of the two
is used. `__` leads into a section: EXOSYNC_FEED__URL is feed.url. Lists and whole sections are
given as JSON. A variable that is set but empty counts as not set. In the folder that
EXOSYNC_SECRETS_DIR names, a file `exosync_feed__proxy` stands for EXOSYNC_FEED__PROXY.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from exosync.config.models import Config
from exosync.config.origins import Merged
from exosync.config.problems import Problem
from exosync.errors import ConfigError

if TYPE_CHECKING:
    from pydantic_settings import BaseSettings

PREFIX = "EXOSYNC_"
CONFIG = "EXOSYNC_CONFIG"
SECRETS_DIR = "EXOSYNC_SECRETS_DIR"
MOST_SECRET_BYTES = 4 * 1024**2

# Kubernetes sets these for every service in the namespace, so one called `exosync` does too.
# https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables
_KUBERNETES = re.compile(
    r"EXOSYNC_(SERVICE_HOST|SERVICE_PORT(_[A-Z0-9_]+)?|PORT(_[0-9]+_(TCP|UDP|SCTP)(_[A-Z]+)?)?)"
)


def variables(model: type[BaseModel] = Config, prefix: str = PREFIX) -> Iterator[str]:
    """The names of all variables that are settings."""
    for name, field in model.model_fields.items():
        variable = f"{prefix}{name.upper()}"
        yield variable
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            yield from variables(inner, f"{variable}__")


def lay_over(merged: Merged, environ: Mapping[str, str]) -> list[Problem]:
    """Lay secret files, then variables, over the file's values; gives what is wrong with them.

    Raises ConfigError if the folder of secret files cannot be read.
    """
    given = {
        name.upper(): value
        for name, value in environ.items()
        if name.upper().startswith(PREFIX) and not _KUBERNETES.fullmatch(name.upper())
    }
    folder = given.pop(SECRETS_DIR, "")
    given.pop(CONFIG, None)
    known = list(variables())
    problems = list(_unknown(given, known))
    if folder:
        files = _secret_files(folder)
        problems += _misspelt(files, known, folder)
        problems += _lay(merged, files, known, f"{folder}/")
    problems += _lay(merged, given, known)
    return problems


def _unknown(given: Mapping[str, str], known: list[str]) -> Iterator[Problem]:
    for name in given:
        if name not in known:
            yield Problem(ascii(name)[1:-1], (), _hint(name, known))


def _hint(name: str, known: list[str]) -> str:
    targets = f"{PREFIX}TARGETS"
    if name.startswith(targets):
        return f"unknown variable; targets are given as a whole, as JSON in {targets}"
    near = _nearest(name, known, 0.6)
    return f"unknown variable; did you mean {near}?" if near else "unknown variable; unset it"


def _nearest(name: str, known: list[str], likeness: float) -> str | None:
    """The setting that a name is most like, the prefix that all have apart."""
    bare = {one.removeprefix(PREFIX): one for one in known}
    near = get_close_matches(name.removeprefix(PREFIX), bare, n=1, cutoff=likeness)
    return bare[near[0]] if near else None


def _secret_files(folder: str) -> dict[str, str]:
    """The texts of all files in a folder, by name in capitals."""
    from pydantic_settings import (
        NestedSecretsSettingsSource,
        SecretsSettingsSource,
        SettingsError,
    )

    try:
        source = NestedSecretsSettingsSource(
            SecretsSettingsSource(_settings(), secrets_dir=folder),
            secrets_dir_missing="error",
            secrets_dir_max_size=MOST_SECRET_BYTES,
        )
    except SettingsError as error:
        raise ConfigError(f"{SECRETS_DIR}: {error}") from None
    except (OSError, UnicodeDecodeError):
        message = f"{SECRETS_DIR}: {folder} holds a file that cannot be read, or is not UTF-8 text"
        raise ConfigError(message) from None
    return {name.upper(): value or "" for name, value in source.env_vars.items()}


def _misspelt(files: Mapping[str, str], known: list[str], folder: str) -> Iterator[Problem]:
    """Files that are nearly a setting. All others are left alone: keys of targets lie there too."""
    for name in files:
        near = _nearest(name, known, 0.8)
        if name.startswith(PREFIX) and name not in known and near:
            text = f"unknown setting; did you mean {near.lower()}?"
            yield Problem(f"{folder}/{name.lower()}", (), text)


def _lay(
    merged: Merged, values: Mapping[str, str], known: list[str], folder: str = ""
) -> Iterator[Problem]:
    # Sections come before the keys in them: EXOSYNC_FEED before EXOSYNC_FEED__URL.
    for name in known:
        if not values.get(name):
            continue
        place = f"{folder}{name.lower()}" if folder else name
        try:
            merged.put(_read(name, values[name]), place)
        except ValueError:
            yield Problem(place, (), "starts like JSON but is none: mind the quotes and brackets")


def _read(name: str, value: str) -> dict[str, Any]:
    """One variable as nested values. Raises ValueError for broken JSON."""
    from pydantic_settings import EnvSettingsSource

    class OneVariable(EnvSettingsSource):
        def decode_complex_value(self, field_name: str, field: Any, value: Any) -> Any:
            """Only what looks like JSON is JSON: a share is a class and yet plain text."""
            if isinstance(value, str) and not value.lstrip().startswith(("{", "[")):
                return value
            return super().decode_complex_value(field_name, field, value)

    source = OneVariable(_settings(), env_prefix=PREFIX, env_nested_delimiter="__")
    source.env_vars = {name.lower(): value}
    return source()


def _settings() -> type[BaseSettings]:
    """The configuration as pydantic-settings wants it; never built into a validator."""
    from pydantic_settings import BaseSettings, SettingsConfigDict

    class Settings(Config, BaseSettings):
        model_config = SettingsConfigDict(extra="forbid", defer_build=True)

    return Settings
