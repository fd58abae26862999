"""Target kind `exchange`: the way out of Exchange Online, its connector and its rule."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from exosync_adapters.exchange.settings import ExchangeSettings, clashes

if TYPE_CHECKING:
    from exosync.core.secret import SecretRef
    from exosync.core.target import Context, Target
    from exosync.core.trace import Way

__all__ = ["ExchangeKind", "ExchangeSettings", "kind"]


class ExchangeKind:
    """Makes `exchange` targets; what does the work is imported when the first one is made."""

    name = "exchange"
    settings = ExchangeSettings
    lists_ranges = False

    def build(self, name: str, settings: ExchangeSettings, context: Context) -> Target:
        """Make one target; reads no secret and asks nothing. Raises ConfigError."""
        from exosync_adapters.exchange.target import ExchangeTarget

        return ExchangeTarget(name, settings, context)

    def account(self, settings: ExchangeSettings) -> str:
        """Exchange Online counts requests by tenant."""
        return settings.tenant

    def contradictions(
        self, targets: Mapping[str, ExchangeSettings]
    ) -> Iterator[tuple[str, str, str]]:
        """What is wrong among several targets: two that write the same thing."""
        return clashes(targets)

    def endings(
        self, settings: ExchangeSettings, reveal: Callable[[SecretRef], str]
    ) -> Iterator[tuple[str, datetime]]:
        """When the application's certificate ends."""
        from exosync_adapters.exchange.admin.certificates import certificate_end

        given = settings.credentials and settings.credentials.certificate
        end = certificate_end(reveal(given)) if given else None
        if end is not None:
            yield "certificate of the application", end

    def trace(
        self,
        settings: ExchangeSettings,
        remembered: Mapping[str, Any],
        sender: str,
        recipient: str,
    ) -> Way | None:
        """The way of a message as the last run saw the tenant; None if no run has."""
        from exosync_adapters.exchange.recalled import remembered_way

        return remembered_way(settings, remembered, sender, recipient)


kind: Final = ExchangeKind()
"""What the entry point of the group `exosync.targets` names."""
