"""The `google_workspace` kind of target: what Gmail lets in by the sender's address."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final

from exosync_adapters.google_workspace.settings import GoogleSettings, clashes

if TYPE_CHECKING:
    from exosync.core.target import Context, Target

__all__ = ["GoogleKind", "GoogleSettings", "kind"]


class GoogleKind:
    """Makes `google_workspace` targets; Google's libraries are imported when one is used."""

    name = "google_workspace"
    settings = GoogleSettings

    def build(self, name: str, settings: GoogleSettings, context: Context) -> Target:
        """Make one target from its validated settings; asks and reads nothing."""
        from exosync_adapters.google_workspace.target import GoogleTarget

        return GoogleTarget(name, settings, context)

    def account(self, settings: GoogleSettings) -> str:
        """Of one customer one setting is looked at, or changed, at a time."""
        return settings.customer

    def contradictions(
        self, targets: Mapping[str, GoogleSettings]
    ) -> Iterator[tuple[str, str, str]]:
        """What is wrong among several targets: two of one customer cannot stand together."""
        return clashes(targets)


kind: Final = GoogleKind()
"""What the entry point of the group `exosync.targets` names."""
