"""What a target remembers between runs, since the list itself carries no marks. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from exosync.core.ranges import IpRanges


@dataclass(frozen=True, slots=True)
class Declined:
    """A change that Google's API did not make: why, and to which list (its token)."""

    why: str
    token: str


@dataclass(frozen=True, slots=True)
class Memory:
    """Which entries are ours and which are not, and since when the list is as it is.

    `ours` and `foreign` are canonical texts of the entries that were there. `asked` is what
    the step that is open has asked for in any of its forms: a person may be working by an
    earlier one. `token` is the list's when it was last read, `since` when it was first seen so.
    """

    ours: frozenset[str] = frozenset()
    foreign: frozenset[str] = frozenset()
    adopted: IpRanges = IpRanges()
    asked: IpRanges = IpRanges()
    declined: Declined | None = None
    token: str = ""
    since: datetime | None = None

    @classmethod
    def read(cls, remembered: Mapping[str, Any]) -> Memory:
        """From what `remembered` gave; anything that is missing was never known."""
        declined, since = remembered.get("declined"), remembered.get("since")
        return cls(
            ours=frozenset(remembered.get("ours", ())),
            foreign=frozenset(remembered.get("foreign", ())),
            adopted=IpRanges.parse(remembered.get("adopted", ())),
            asked=IpRanges.parse(remembered.get("asked", ())),
            declined=Declined(declined["why"], declined["token"]) if declined else None,
            token=remembered.get("token", ""),
            since=datetime.fromisoformat(since) if since else None,
        )

    @property
    def remembered(self) -> dict[str, Any]:
        """The same as JSON."""
        told: dict[str, Any] = {
            "ours": sorted(self.ours),
            "foreign": sorted(self.foreign),
            "adopted": list(self.adopted.cidrs()),
            "asked": list(self.asked.cidrs()),
            "token": self.token,
        }
        if self.declined is not None:
            told["declined"] = {"why": self.declined.why, "token": self.declined.token}
        if self.since is not None:
            told["since"] = self.since.isoformat()
        return told
