"""The policies of an account of the stand-in of Mimecast: kept, changed, shown after a while."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

Json = Any
Fields = Mapping[str, Json]

# TF's ledger: the families that this API has. Their options: VEL, POR, INT.
FAMILIES: Mapping[str, tuple[str, ...]] = {
    "anti-spoofing": ("no_action", "apply", "apply_non_mimecast"),
    "anti-spoofing-bypass": ("enable_bypass", "disable_bypass"),
    "blocked-senders": ("no_action", "block_sender"),
    "greylisting": ("no_action", "apply"),
    "delivery-route": (),
    "dns-authentication-outbound": (),
}

# VEL, POR; that blocked senders have the conditions of their 1.0 policy is unproven.
LISTS: Mapping[str, tuple[str, ...]] = {
    "anti-spoofing": ("sourceIPs", "hostnames"),
    "anti-spoofing-bypass": ("spfDomains",),
    "blocked-senders": ("sourceIPs", "hostnames"),
}


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy as the account holds it, whether answers show it yet or not."""

    id: str
    fields: Fields

    @property
    def description(self) -> str:
        """What people see of it in the console."""
        return str(self.fields["description"])

    @property
    def option(self) -> str:
        """What it does."""
        return str(self.fields.get("option", ""))

    @property
    def enabled(self) -> bool:
        """Whether it is in force."""
        return bool(self.fields["enabled"])

    @property
    def source_ips(self) -> list[str]:
        """The ranges that it holds for; none means every source."""
        return list(self.fields.get("sourceIPs", ()))

    @property
    def holds_for_every_source(self) -> bool:
        """Whether it exempts mail from anywhere: in force, and with no condition of a source."""
        conditions = self.fields.get("sourceIPs") or self.fields.get("hostnames")
        return self.enabled and self.option == "no_action" and not conditions


@dataclass(slots=True)
class Entry:
    """One policy over time: each version with when it shows; None is that it is gone."""

    serial: int
    created: datetime
    updated: datetime
    ids: list[str] = field(default_factory=list)
    versions: list[tuple[datetime, Fields | None]] = field(default_factory=list)

    @property
    def held(self) -> Policy | None:
        """The policy as it is in truth."""
        fields = self.versions[-1][1]
        return None if fields is None else Policy(self.ids[-1], fields)

    def shown(self, now: datetime) -> Policy | None:
        """The policy as answers show it."""
        fields = self.fields_at(now)
        return None if fields is None else Policy(self.ids[-1], fields)

    def fields_at(self, now: datetime) -> Fields | None:
        """What answers show of it, if anything."""
        for since, fields in reversed(self.versions):
            if since <= now:
                return fields
        return None


class Policies:
    """All policies of an account, by family. Not safe for threads: the stand-in sees to that."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self.now = now
        self._entries: dict[str, list[Entry]] = {family: [] for family in FAMILIES}
        self._by_id: dict[str, tuple[str, Entry]] = {}
        self._count = 0

    def held(self, family: str) -> list[Policy]:
        """What there is in truth, oldest first."""
        return [one for one in (entry.held for entry in self._entries[family]) if one]

    def shown(self, family: str, now: datetime) -> list[Entry]:
        """What answers show, oldest first."""
        return [one for one in self._entries[family] if one.fields_at(now) is not None]

    def find(self, family: str, wanted: str, *, old_ids: bool = True) -> Entry | None:
        """The policy of an id, or of one that it once had."""
        known_family, entry = self._by_id.get(wanted, ("", None))
        if entry is None or known_family != family or not (old_ids or entry.ids[-1] == wanted):
            return None
        return entry

    def add(self, family: str, fields: Fields, *, delay: float = 0) -> Policy:
        """Make a policy; gives it with its id."""
        self._count += 1
        entry = Entry(self._count, self.now(), self.now())
        self._entries[family].append(entry)
        self._name(family, entry)
        self.change(entry, fields, delay=delay)
        return Policy(entry.ids[-1], fields)

    def change(self, entry: Entry, fields: Fields | None, *, delay: float = 0) -> None:
        """Hold a new version, or none any more; answers show it after `delay` seconds."""
        entry.updated = self.now()
        entry.versions.append((entry.updated + timedelta(seconds=delay), fields))

    def rotate(self, family: str) -> None:
        """Give every policy of a family another id."""
        for entry in self._entries[family]:
            self._name(family, entry)

    def _name(self, family: str, entry: Entry) -> None:
        entry.ids.append(_secure_id(entry.serial, len(entry.ids)))
        self._by_id[entry.ids[-1]] = (family, entry)


def with_defaults(family: str, fields: Fields) -> Fields:
    """A policy's fields, with what it has when nobody says. Which values these are: ours."""
    everyone = {"type": "everyone"}
    return {
        "description": "",
        "fromPart": "both" if family == "anti-spoofing-bypass" else "envelope_from",
        "from": everyone,
        "to": everyone,
        "enabled": True,
        "enforced": False,
        "override": False,
        "bidirectional": False,
        "fromEternal": True,
        "toEternal": True,
        **{name: [] for name in LISTS.get(family, ())},
        **fields,
    }


def merged(before: Fields, changes: Fields, *, add_lists: bool, empty_clears: bool) -> Fields:
    """The fields after a PATCH: what it leaves out stays as it was (DEM)."""
    found = dict(before)
    for name, value in changes.items():
        if not isinstance(value, list):
            found[name] = value
        elif add_lists:
            found[name] = list(dict.fromkeys([*before.get(name, ()), *value]))
        elif value or empty_clears:
            found[name] = list(value)
    return found


def dangers(call: str, policies: Iterable[Policy]) -> Iterator[str]:
    """A line for each policy that a call left holding for every source."""
    for one in policies:
        if one.holds_for_every_source:
            yield f"{call}: {one.description!r} holds for every source"


def _secure_id(serial: int, generation: int) -> str:
    """An id as opaque as the vendor's (DEM: "eNo1…"), with all that must be escaped in a URL."""
    text = base64.b64encode(hashlib.sha256(f"{serial}.{generation}".encode()).digest()).decode()
    return f"eNo1{text[:12]}+{text[12:28]}/{text[28:]}"
