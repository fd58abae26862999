"""Target kind `mimecast`: the settings of one Mimecast account, by API 2.0."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final

from exosync_adapters.mimecast.settings import MimecastSettings, Setting

if TYPE_CHECKING:
    from exosync.core.target import Context, Target

__all__ = ["MimecastKind", "MimecastSettings", "kind"]


class MimecastKind:
    """Makes Mimecast targets; what does the work is imported when the first one is made."""

    name = "mimecast"
    settings = MimecastSettings

    def build(self, name: str, settings: MimecastSettings, context: Context) -> Target:
        """Make one target. Neither a secret is read nor anything asked.

        Raises ConfigError if owner, target and domain are together too long for a mark.
        """
        from exosync_adapters.mimecast.target import MimecastTarget

        return MimecastTarget(name, settings, context)

    def account(self, settings: MimecastSettings) -> str:
        """Mimecast counts requests by application."""
        return f"{settings.url} {settings.client_id}"

    def contradictions(
        self, targets: Mapping[str, MimecastSettings]
    ) -> Iterator[tuple[str, str, str]]:
        """Two targets that would write policies of one kind for the same senders."""
        seen: dict[tuple[object, ...], str] = {}
        for name, one in targets.items():
            for setting in {Setting.ANTI_SPOOFING, Setting.SPF_BYPASS} & set(one.settings):
                for sender in one.senders_of(setting):
                    place = (one.url, one.client_id, setting, sender)
                    other = seen.setdefault(place, name)
                    if other != name:
                        told = f"{setting} for {sender} is the target {other}'s already"
                        yield name, "domains", f"{told}: leave it to one of them"


kind: Final = MimecastKind()
"""What the entry point of the group `exosync.targets` names."""
