"""Keys of an `exchange` target: whose mail is routed to the other side, and what is not."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from exosync_adapters.exchange.fields import HeaderName, Words
from exosync_adapters.fields import EmailAddress, Settings


class RoutedSettings(Settings):
    """Whose mail goes to the other side: exactly one of the three."""

    group: EmailAddress | None = Field(
        default=None,
        description="Address of a group of those whose mailboxes are on the other side.",
    )
    everyone_but: EmailAddress | None = Field(
        default=None,
        description="Address of a group of those whose mailboxes are here: the mail of everyone "
        "else at the domain goes to the other side.",
    )
    whole_domain: Literal["acknowledged"] | None = Field(
        default=None,
        description="acknowledged: all mail to the domain goes to the other side, that of "
        "mailboxes here too.",
    )

    @model_validator(mode="after")
    def _one_of_three(self) -> Self:
        if sum(one is not None for one in (self.group, self.everyone_but, self.whole_domain)) != 1:
            raise ValueError(
                "say who is routed: give exactly one of group and everyone_but (or whole_domain: "
                "acknowledged, which sends the mail of local mailboxes away too)"
            )
        return self


_TAKEN_OFF = ("x-ms-exchange-organization-", "x-ms-exchange-forest-")
"""How headers begin that stay within one organization (Microsoft Learn, "Header firewall")."""


class LoopBreaker(Settings):
    """A header that a message carries which was on the other side already."""

    header: HeaderName = Field(
        default="X-Exosync-Routed",
        description="Name of the header that ends a loop; where the rule sets it, one that "
        "begins with X-.",
    )
    words: Words = Field(
        default=("exosync",), min_length=1, description="What the header holds, one of these."
    )
    stamp: bool = Field(
        default=True,
        description="Whether the rule itself sets the header (to the first of words) on what it "
        "routes. false: the other side sets it.",
    )

    @model_validator(mode="after")
    def _header_is_free(self) -> Self:
        """What is stamped replaces what the header held (New-TransportRule, SetHeaderName)."""
        name = self.header.lower()
        if self.stamp and not name.startswith("x-"):
            raise ValueError(
                f"header: the rule would write over the {self.header} of every message: take one that "
                "begins with X-, or set stamp: false"
            )
        if name.startswith(_TAKEN_OFF):
            raise ValueError(
                f"header: Exchange Online takes {self.header} off mail that leaves or comes in (header "
                "firewall), so it ends no loop: take another"
            )
        return self


class ExceptionsSettings(Settings):
    """What is not routed although it is for somebody on the other side."""

    loop_breaker: LoopBreaker | None = Field(
        default_factory=LoopBreaker,
        description="Header of what was routed already. null: none, and mail may loop.",
    )
    group: EmailAddress | None = Field(
        default=None, description="Address of a group whose mail is never routed."
    )
