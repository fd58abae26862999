"""What a running service makes of another configuration: pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from exosync.errors import ConfigError

if TYPE_CHECKING:
    from exosync.config import Loaded

FIXED = ("state", "web")
"""The sections that a service takes at its start alone."""


def check_fits(old: Loaded, new: Loaded) -> None:
    """Raises ConfigError if a running service cannot take that."""
    for key in FIXED:
        if getattr(old.config, key) != getattr(new.config, key):
            message = f"{new.path}: {key} cannot change while exosync serve runs: restart it"
            raise ConfigError(message)


def differing(old: Loaded, new: Loaded) -> list[str]:
    """The sections that differ, and the targets by name."""
    keys = [key for key in type(new.config).model_fields if key != "targets"]
    found = [key for key in keys if getattr(old.config, key) != getattr(new.config, key)]
    before = {one.name: one for one in old.config.targets}
    after = {one.name: one for one in new.config.targets}
    names = dict.fromkeys((*before, *after))
    return found + [f"target {name}" for name in names if before.get(name) != after.get(name)]
