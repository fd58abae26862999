"""The `spf` kind of target: TXT records in DNS that authorise Exchange Online's ranges."""

from __future__ import annotations

from typing import TYPE_CHECKING

from exosync_adapters.spf.settings import SpfSettings

if TYPE_CHECKING:
    from exosync.core.target import Context, Target

__all__ = ["SpfKind", "SpfSettings", "kind"]


class SpfKind:
    """Makes `spf` targets. See `exosync.core.target.TargetKind`."""

    name = "spf"
    settings = SpfSettings

    def build(self, name: str, settings: SpfSettings, context: Context) -> Target:
        """Make one target from its validated settings; asks and reads nothing.

        Raises ConfigError if the owner cannot stand in a record, or Microsoft's name for the
        cloud is not known.
        """
        from exosync_adapters.spf.target import SpfTarget

        return SpfTarget(name, settings, context)

    def account(self, settings: SpfSettings) -> str:
        """A zone's updates come one after the other, or they would find each other's changes."""
        return settings.dns.zone or settings.domain


kind = SpfKind()
