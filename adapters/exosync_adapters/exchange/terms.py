"""What of the configuration decides how the state of ours is told, and that of the last look. Pure.

A token tells the connector that the rule names by what it should be called, the rule's place only
where a place is wanted, and what is ours by the mark. So another configuration gives another
token of the same thing; told in the terms of the last look it is the same one, and whatever
differs then was changed by somebody.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from exosync_adapters.exchange.aim import Aim


@dataclass(frozen=True, slots=True)
class Terms:
    """What tokens were told in. `known_as` are other names of groups, as in `seen.Groups`."""

    tenant: str
    domain: str
    owner: str
    connector: str
    placed: bool = False
    known_as: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, aim: Aim, known_as: Mapping[str, str]) -> Terms:
        """Those of a configuration."""
        settings = aim.settings
        return cls(
            tenant=settings.tenant,
            domain=settings.domain,
            owner=aim.owner,
            connector=settings.connector_name,
            placed=settings.priority is not None,
            known_as=dict(known_as),
        )

    @classmethod
    def read(cls, raw: object) -> Terms | None:
        """From JSON; what is missing or cannot be read was never known."""
        if not isinstance(raw, Mapping) or not isinstance(raw.get("known_as"), Mapping):
            return None
        texts = {name: raw.get(name) for name in ("tenant", "domain", "owner", "connector")}
        if not all(isinstance(one, str) for one in texts.values()):
            return None
        return cls(
            **{name: str(one) for name, one in texts.items()},
            placed=raw.get("placed") is True,
            known_as={str(name): str(one) for name, one in raw["known_as"].items()},
        )

    @property
    def json(self) -> dict[str, Any]:
        """The same as JSON."""
        return {
            "tenant": self.tenant,
            "domain": self.domain,
            "owner": self.owner,
            "connector": self.connector,
            "placed": self.placed,
            "known_as": dict(self.known_as),
        }

    def told_by(self, aim: Aim) -> Aim:
        """What these terms have otherwise than an aim, in it."""
        changed = {
            "domain": self.domain,
            "connector": self.connector,
            "priority": 0 if self.placed else None,
        }
        return Aim(aim.settings.model_copy(update=changed), self.owner, aim.target)
