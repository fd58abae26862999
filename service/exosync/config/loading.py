"""Finding the configuration file, and making one validated configuration of all sources."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar, cast, get_args
from urllib.parse import urlsplit

from pydantic import BaseModel, ValidationError

from exosync.config.document import read_document
from exosync.config.faults import faults
from exosync.config.kinds import Kinds, installed_kinds, load_kind
from exosync.config.models import TARGET_KEYS, Config, TargetConfig, TargetKeys
from exosync.config.origins import Merged
from exosync.config.problems import KeyPath, Problem, refuse, secret_texts, without
from exosync.config.sources import CONFIG, PREFIX, lay_over
from exosync.core.listen import listen_problem
from exosync.core.target import TargetKind
from exosync.core.units import duration_text
from exosync.core.urls import credentials, has_credentials
from exosync.errors import ConfigError
from exosync.secrets import REDACTOR

PLACES = (Path("exosync.yaml"), Path("/etc/exosync/exosync.yaml"))
"""Where the file is looked for if nothing names it."""

SHORTEST_FOR_MICROSOFT = timedelta(hours=1)
MICROSOFT_HOSTS = (
    "office.com",
    "office365.com",
    "office365.us",
    "microsoft.com",
    "microsoft.us",
    "partner.outlook.cn",
)
"""Hosts that are Microsoft's, and all under them: not to be asked more than once an hour.

Source: Microsoft, "Microsoft 365 IP Address and URL web service", and the hosts that it lists.
"""

_SECTIONS = tuple(
    name
    for name, field in Config.model_fields.items()
    if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel)
)
_Model = TypeVar("_Model", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Loaded:
    """A configuration as in force. Relative paths in it start at `base`, its file's folder."""

    config: Config
    path: Path
    base: Path


def find_config(option: Path | None, environ: Mapping[str, str]) -> Path:
    """The file to read: --config, EXOSYNC_CONFIG, ./exosync.yaml, /etc/exosync/exosync.yaml.

    Raises ConfigError if the named file does not exist, or none does.
    """
    named = ((option, "--config"), (environ.get(CONFIG) or None, CONFIG))
    for given, by in named:
        if given is not None:
            return _existing(Path(given), by)
    for path in PLACES:
        if _exists(path):
            return path
    looked = ", ".join(("--config", CONFIG, f"./{PLACES[0]}", str(PLACES[1])))
    raise ConfigError(f"no configuration found (looked at {looked}): write one with exosync init")


def _exists(path: Path) -> bool:
    return os.path.exists(path)  # noqa: PTH110  (Path.exists raises where a folder is closed)


def _existing(path: Path, by: str) -> Path:
    if not _exists(path):
        raise ConfigError(f"{path}: no such file ({by}): write one with exosync init {path}")
    if path.is_dir():
        raise ConfigError(f"{path}: is a folder ({by}): name the file in it")
    return path


def load(path: Path, *, environ: Mapping[str, str], kinds: Kinds | None = None) -> Loaded:
    """Read, merge and validate everything; imports only the kinds that are configured.

    Strongest first: variables, secret files, the file. `kinds` stands in for the installed
    kinds. Raises one ConfigError that lists all problems, a line each.
    """
    merged = Merged(read_document(path))
    problems = lay_over(merged, environ)
    problems += _written_passwords(merged)
    targets = _targets(merged, installed_kinds() if kinds is None else kinds, problems)
    problems += _among_targets(targets, merged)
    values = {name: {} for name in _SECTIONS} | _without_nulls(merged.values, Config)
    config = _validated(Config, {**values, "targets": targets}, (), merged, problems, echo=True)
    if config is not None:
        problems += _contradictions(config, merged)
    hidden = secret_texts(merged.values)
    refuse(
        Problem(one.place, one.path, without(one.text, hidden))
        for one in sorted(problems, key=_order)
    )
    assert config is not None
    _remember_credentials(config)
    return Loaded(config, path, path.absolute().parent)


def _order(problem: Problem) -> tuple[str, int]:
    """By file or variable, then by line."""
    place, _, line = problem.place.rpartition(":")
    return (place, int(line)) if line.isdecimal() else (problem.place, 0)


def _without_nulls(values: Mapping[str, Any], model: type[BaseModel]) -> dict[str, Any]:
    """A key of the service without a value counts as not given, as in an emptied section.

    But for one that has a default and may be switched off by null (web.listen).
    """
    plain = {}
    for key, value in values.items():
        field = model.model_fields.get(key)
        if value is not None:
            section = field.annotation if field is not None and key in _SECTIONS else None
            inner = isinstance(value, Mapping) and section is not None
            plain[key] = _without_nulls(value, cast("Any", section)) if inner else value
        elif field is not None and field.default is not None and _takes_none(field.annotation):
            plain[key] = None
    return plain


def _takes_none(annotation: Any) -> bool:
    return type(None) in get_args(annotation)


def _validated(
    model: type[_Model],
    values: object,
    path: KeyPath,
    merged: Merged,
    problems: list[Problem],
    *,
    echo: bool,
    also: tuple[str, ...] = (),
) -> _Model | None:
    """The validated values; None after adding what is wrong to `problems`.

    `also` are further keys that are known at the top.
    """
    try:
        return model.model_validate(values)
    except ValidationError as error:
        for below, text in faults(error, model, values, echo=echo, also=also):
            problems.append(merged.problem((*path, *below), text))
    return None


def _targets(merged: Merged, kinds: Kinds, problems: list[Problem]) -> Any:
    """The targets; None stands for one that is wrong, which is among the problems then."""
    given = merged.values.get("targets")
    if not isinstance(given, list):
        return [] if given is None else given
    targets = []
    names: dict[object, int] = {}
    for index, values in enumerate(given):
        targets.append(_target(values, ("targets", index), merged, kinds, problems))
        name = values.get("name") if isinstance(values, Mapping) else None
        if name is not None and names.setdefault(str(name), index) != index:
            text = f"there is another target of this name: targets[{names[str(name)]}]"
            problems.append(merged.problem(("targets", index, "name"), text))
    return targets


def _target(
    values: object, path: KeyPath, merged: Merged, kinds: Kinds, problems: list[Problem]
) -> TargetConfig | None:
    if not isinstance(values, Mapping):
        text = "a target must be keys and values (name: …, kind: …)"
        problems.append(merged.problem(path, text))
        return None
    common = {key: value for key, value in values.items() if key in TARGET_KEYS}
    keys = _validated(TargetKeys, common, path, merged, problems, echo=True)
    kind = _kind(values.get("kind"), path, merged, kinds, problems)
    if kind is None:
        return None
    own = {key: value for key, value in values.items() if key not in TARGET_KEYS}
    settings = _validated(kind.settings, own, path, merged, problems, echo=False, also=TARGET_KEYS)
    if keys is None or settings is None:
        return None
    return TargetConfig(
        keys.name,
        keys.kind,
        keys.mode,
        keys.families,
        settings,
        kind,
        keys.schedule,
        keys.windows,
        keys.labels,
    )


def _kind(
    name: object, path: KeyPath, merged: Merged, kinds: Kinds, problems: list[Problem]
) -> TargetKind | None:
    if name is None or name == "" or isinstance(name, (Mapping, list)):
        return None  # told by the keys that every target has
    try:
        return load_kind(str(name), kinds)
    except ConfigError as error:
        problems.append(merged.problem((*path, "kind"), str(error)))
    return None


def _among_targets(targets: object, merged: Merged) -> Iterator[Problem]:
    """What a kind finds wrong among several targets of its own; see `TargetKind`."""
    if not isinstance(targets, list):
        return
    whole = [(index, one) for index, one in enumerate(targets) if isinstance(one, TargetConfig)]
    for name, kind in {one.kind: one.kind_object for _, one in whole}.items():
        find = getattr(kind, "contradictions", None)
        places = {one.name: index for index, one in whole if one.kind == name}
        settings = {one.name: one.settings for _, one in whole if one.kind == name}
        for target, key, text in find(settings) if find else ():
            yield merged.problem(("targets", places[target], key), text)


def _contradictions(config: Config, merged: Merged) -> Iterator[Problem]:
    """What is right key by key and wrong together."""
    feed, guards, schedule = config.feed, config.guards, config.schedule
    if schedule.feed < SHORTEST_FOR_MICROSOFT and _is_microsoft(feed.url):
        text = "Microsoft asks to be asked at most once an hour: write 1h or more"
        yield merged.problem(("schedule", "feed"), text)
    if guards.max_feed_age <= schedule.feed:
        told = duration_text(schedule.feed)
        text = f"must be longer than schedule.feed ({told}), or every plan would be refused"
        yield merged.problem(("guards", "max_feed_age"), text)
    problem = listen_problem(
        config.web.listen, guarded=config.web.token is not None, public=config.web.public
    )
    if problem:
        yield merged.problem(("web", "listen"), problem)


def _written_passwords(merged: Merged) -> Iterator[Problem]:
    """Addresses with a password in the file: it belongs where a secret may stand."""
    feed = merged.values.get("feed")
    proxy = feed.get("proxy") if isinstance(feed, Mapping) else None
    for path, url in ((("feed", "proxy"), proxy), (("state",), merged.values.get("state"))):
        if isinstance(url, str) and has_credentials(url) and merged.is_from_file(path):
            variable = f"{PREFIX}{'__'.join(path).upper()}"
            text = f"a password is not written into the file: give {variable}, or a secret file"
            yield merged.problem(path, text)


def _is_microsoft(url: str) -> bool:
    host = (urlsplit(url).hostname or "").rstrip(".")
    return any(host == one or host.endswith(f".{one}") for one in MICROSOFT_HOSTS)


def _remember_credentials(config: Config) -> None:
    for url in (config.feed.proxy or "", config.state):
        for text in credentials(url):
            REDACTOR.add(text)
