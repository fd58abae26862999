"""What a target remembers between runs: Guids, when the rule was on, and what decides ways. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import datetime
from typing import Any, TypeVar

from exosync_adapters.exchange.records import (
    AcceptedDomain,
    Connector,
    DomainType,
    Listing,
    Organisation,
    Rule,
)
from exosync_adapters.exchange.way.letters import NOBODY, Folk, Party, Truth

Record = TypeVar("Record", AcceptedDomain, Connector, Rule)


@dataclass(frozen=True, slots=True)
class Memory:
    """`ids` are the Guids by resource, `seen_on` is when the rule was last seen switched on.

    `organisation` is what the last run read; None if none has, or if nothing can be read. `folk`
    is who was in the groups that decide.
    """

    ids: Mapping[str, str] = field(default_factory=dict)
    seen_on: datetime | None = None
    organisation: Organisation | None = None
    at: datetime | None = None
    folk: Folk = NOBODY

    @classmethod
    def read(cls, remembered: Mapping[str, Any]) -> Memory:
        """From what `remembered` gave; what is missing or cannot be read was never known."""
        ids = remembered.get("ids")
        return cls(
            ids=_texts(ids) if isinstance(ids, Mapping) else {},
            seen_on=_time(remembered.get("seen_on")),
            organisation=_organisation(remembered.get("organisation")),
            at=_time(remembered.get("at")),
            folk=_folk(remembered.get("folk")),
        )

    @property
    def remembered(self) -> dict[str, Any]:
        """The same as JSON."""
        told: dict[str, Any] = {"ids": dict(self.ids)}
        if self.organisation is not None:
            told["organisation"] = _json(self.organisation)
        if self.folk != NOBODY:
            told["folk"] = _folk_json(self.folk)
        for name, at in (("seen_on", self.seen_on), ("at", self.at)):
            if at is not None:
                told[name] = at.isoformat()
        return told


def without_comments(organisation: Organisation) -> Organisation:
    """What decides where mail goes: what people wrote beside it is nobody's to keep."""
    return replace(
        organisation,
        connectors=tuple(replace(one, comment="") for one in organisation.connectors),
        rules=tuple(replace(one, comments="") for one in organisation.rules),
    )


def _json(organisation: Organisation) -> dict[str, Any]:
    return {
        "domains": [asdict(one) for one in organisation.domains],
        "connectors": [asdict(one) for one in organisation.connectors],
        "rules": [asdict(one) for one in organisation.rules],
        "incomplete": {name.value: why for name, why in organisation.incomplete.items()},
        "dehydrated": organisation.dehydrated,
    }


def _folk_json(folk: Folk) -> dict[str, Any]:
    return {
        "groups": {name: sorted(members) for name, members in folk.groups.items()},
        "people": {
            address: [one.exists, one.mailbox, one.main, sorted(one.addresses)]
            for address, one in folk.people.items()
        },
    }


def _folk(raw: object) -> Folk:
    """What cannot be read was never known."""
    if not isinstance(raw, Mapping):
        return NOBODY
    try:
        return Folk(
            {str(name): frozenset(map(str, members)) for name, members in raw["groups"].items()},
            {str(address): _party(*parts) for address, parts in raw["people"].items()},
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        return NOBODY


def _party(exists: object, mailbox: object, main: object, addresses: Iterable[object]) -> Party:
    all_of_them = frozenset(map(str, addresses))
    return Party(_truth(exists), _truth(mailbox), all_of_them, str(main))


def _truth(raw: object) -> Truth:
    return raw if isinstance(raw, bool) else None


def _organisation(raw: object) -> Organisation | None:
    """What an older version of exosync kept in another shape counts as never known."""
    if not isinstance(raw, Mapping):
        return None
    try:
        return Organisation(
            domains=tuple(_domain(one) for one in raw["domains"]),
            connectors=tuple(_record(Connector, one) for one in raw["connectors"]),
            rules=tuple(_record(Rule, one) for one in raw["rules"]),
            incomplete={Listing(name): str(why) for name, why in raw["incomplete"].items()},
            dehydrated=raw["dehydrated"],
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


def _domain(raw: Mapping[str, Any]) -> AcceptedDomain:
    return _record(AcceptedDomain, {**raw, "type": DomainType(raw["type"])})


def _record(kind: type[Record], raw: Mapping[str, Any]) -> Record:
    names = {one.name for one in fields(kind)}
    return kind(**{name: _frozen(value) for name, value in raw.items() if name in names})


def _frozen(value: Any) -> Any:
    """Lists as tuples, also those inside."""
    if isinstance(value, list):
        return tuple(_frozen(one) for one in value)
    if isinstance(value, Mapping):
        return {name: _frozen(one) for name, one in value.items()}
    return value


def _texts(raw: Mapping[Any, Any]) -> dict[str, str]:
    return {str(name): value for name, value in raw.items() if isinstance(value, str)}


def _time(raw: object) -> datetime | None:
    try:
        found = datetime.fromisoformat(raw) if isinstance(raw, str) else None
    except ValueError:
        return None
    return found if found is None or found.tzinfo is not None else None
