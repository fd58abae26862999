"""What a command's views are made from."""

from __future__ import annotations

from exosync.assembly import Assembly
from exosync.views import Source


def source(assembly: Assembly) -> Source:
    """The state and the configuration of a command, at the moment of its clock."""
    rules = assembly.rules
    return Source(assembly.store, assembly.config, rules.ranges, rules.now())
