"""The kinds of target that are installed: entry points of the group `exosync.targets`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from difflib import get_close_matches
from functools import partial
from importlib.metadata import EntryPoint, entry_points

from exosync.core.target import TargetKind
from exosync.errors import ConfigError

GROUP = "exosync.targets"

Kinds = Mapping[str, Callable[[], TargetKind]]
"""Kinds by name; each is imported only when it is called."""


def installed_kinds() -> dict[str, Callable[[], TargetKind]]:
    """Every installed kind by name, in order of names; nothing of a kind is imported yet."""
    found: dict[str, set[str]] = {}
    for point in entry_points(group=GROUP):
        found.setdefault(point.name, set()).add(point.value)
    return {name: partial(_load, name, sorted(found[name])) for name in sorted(found)}


def _load(name: str, values: list[str]) -> TargetKind:
    """Import one kind. Raises ConfigError if that fails, or if two packages offer the name."""
    if len(values) > 1:
        raise ConfigError(f"kind {name} is offered twice, by {' and '.join(values)}: remove one")
    point = EntryPoint(name, values[0], GROUP)
    try:
        kind: TargetKind = point.load()
    except (ImportError, AttributeError) as error:
        message = f"kind {name} ({values[0]}) cannot be loaded: {error}; install its package again"
        raise ConfigError(message) from error
    return kind


def load_kind(name: str, kinds: Kinds) -> TargetKind:
    """Import the kind of that name.

    Raises ConfigError, which lists the kinds that exist, if there is none of that name.
    """
    if name in kinds:
        return _usable(name, kinds[name]())
    near = get_close_matches(name, kinds, n=1)
    hint = f"did you mean {near[0]!r}? " if near else ""
    known = ", ".join(kinds) or "none (is exosync installed as a package?)"
    raise ConfigError(f"there is no kind {name!r}; {hint}installed are: {known}")


def _usable(name: str, kind: TargetKind) -> TargetKind:
    taken = sorted({"name", "kind", "mode", "families"} & set(kind.settings.model_fields))
    if taken:
        message = f"kind {name} cannot be used: its own key {taken[0]!r} is every target's already"
        raise ConfigError(message)
    return kind
