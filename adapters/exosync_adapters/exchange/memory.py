"""What a target remembers between runs: Guids, what was read when, and what decides ways. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import datetime
from typing import Any, TypeVar

from exosync_adapters.exchange import moments
from exosync_adapters.exchange.records import (
    AcceptedDomain,
    Connector,
    DomainType,
    Listing,
    Organisation,
    Rule,
)
from exosync_adapters.exchange.terms import Terms
from exosync_adapters.exchange.way.letters import NOBODY, Folk, Party, Truth

Record = TypeVar("Record", AcceptedDomain, Connector, Rule)


@dataclass(frozen=True, slots=True)
class Memory:
    """`ids` are the Guids by resource, `seen_on` is when the rule was last seen switched on.

    `organisation` is what the last run read; None if none has, or if nothing can be read. `folk`
    is who was in the groups that decide. `last_read` are the tokens by resource as they were
    last read, and when; `terms` what they were told in. `relayed` are the domains that are internal
    relays because a person was asked for it. `begun` is when the configuration came to name this
    tenant, if it named another one before: what people said until then is of that one.
    """

    ids: Mapping[str, str] = field(default_factory=dict)
    seen_on: datetime | None = None
    organisation: Organisation | None = None
    at: datetime | None = None
    folk: Folk = NOBODY
    terms: Terms | None = None
    last_read: Mapping[str, tuple[str, datetime]] = field(default_factory=dict)
    relayed: frozenset[str] = frozenset()
    begun: datetime | None = None

    @classmethod
    def read(cls, remembered: Mapping[str, Any]) -> Memory:
        """From what `remembered` gave; what is missing or cannot be read was never known."""
        ids = remembered.get("ids")
        return cls(
            ids=_texts(ids) if isinstance(ids, Mapping) else {},
            seen_on=moments.remembered(remembered.get("seen_on")),
            organisation=_organisation(remembered.get("organisation")),
            at=moments.remembered(remembered.get("at")),
            folk=_folk(remembered.get("folk")),
            terms=Terms.read(remembered.get("terms")),
            last_read=_last_read(remembered.get("last_read")),
            relayed=_names(remembered.get("relayed")),
            begun=moments.remembered(remembered.get("begun")),
        )

    @property
    def remembered(self) -> dict[str, Any]:
        """The same as JSON."""
        told: dict[str, Any] = {"ids": dict(self.ids)}
        if self.organisation is not None:
            told["organisation"] = _json(self.organisation)
        if self.folk != NOBODY:
            told["folk"] = _folk_json(self.folk)
        if self.terms is not None:
            told["terms"] = self.terms.json
        if self.last_read:
            told["last_read"] = {
                name: [token, at.isoformat()] for name, (token, at) in self.last_read.items()
            }
        if self.relayed:
            told["relayed"] = sorted(self.relayed)
        for name, at in (("seen_on", self.seen_on), ("at", self.at), ("begun", self.begun)):
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


def _names(raw: object) -> frozenset[str]:
    return (
        frozenset(one for one in raw if isinstance(one, str))
        if isinstance(raw, list)
        else frozenset()
    )


def _last_read(raw: object) -> dict[str, tuple[str, datetime]]:
    """What cannot be read was never known."""
    found: dict[str, tuple[str, datetime]] = {}
    for name, one in raw.items() if isinstance(raw, Mapping) else ():
        token, at = one if isinstance(one, list) and len(one) == 2 else (None, None)
        when = moments.remembered(at)
        if isinstance(token, str) and when is not None:
            found[str(name)] = (token, when)
    return found
