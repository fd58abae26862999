"""The policies of a customer, as the Cloud Identity Policy API shows them.

The sources that comments name are those of `tests.standins.google_switches`.
"""

from __future__ import annotations

import re
from base64 import b32encode
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from ipaddress import ip_interface, ip_network
from typing import Any

from tests.standins.google_switches import Place, Switches

Json = Any

ALLOWLIST = "settings/gmail.email_spam_filter_ip_allowlist"
FIELD = "allowedIpAddresses"
ROOT_UNIT = "orgUnits/03ph8a2z23yjui6"  # the form of the ids is Scuba's, the id made up
OTHER_UNIT = "orgUnits/03ph8a2z1kq7xw2"
GROUP = "groups/00gjdgxs2k3v9rm"
ADMIN_GROUP = "WORKSPACE_ALL_ADMIN_GROUP"  # seen by Scuba in place of "groups/…"


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """One policy. `type` is "ADMIN" or "SYSTEM"; `value` has camelCase keys."""

    setting: str
    value: Mapping[str, Json]
    type: str = "SYSTEM"
    org_unit: str = ROOT_UNIT
    group: str = ""
    sort_order: float = 0.0
    version: int = 0

    @property
    def name(self) -> str:
        """The resource name, opaque as the service's own."""
        told = f"{self.setting} {self.type} {self.org_unit} {self.group} {self.version}"
        code = b32encode(sha256(told.encode()).digest()).decode().lower()
        return f"policies/{code[:29]}"

    def shown(self, customer: str, *, snake_case: bool = False) -> Json:
        """The resource."""
        query: Json = {"query": self._query(), "sortOrder": self.sort_order}
        if self.org_unit:
            query["orgUnit"] = self.org_unit
        if self.group:
            query["group"] = self.group
        value = {_snake(key) if snake_case else key: one for key, one in self.value.items()}
        return {
            "name": self.name,
            "customer": f"customers/{customer}",
            "policyQuery": query,
            "setting": {"type": self.setting, "value": value},
            "type": self.type,
        }

    def _query(self) -> str:
        """Discovery: the clauses for an organisational unit and for a group."""
        unit, group = self.org_unit.partition("/")[2], self.group.partition("/")[2]
        clauses = []
        if unit:
            test = f"org_unit.org_unit_id == orgUnitId('{unit}')"
            clauses.append(f"entity.org_units.exists(org_unit, {test})")
        if self.group:
            test = f"group.group_id == groupId('{group or self.group}')"
            clauses.append(f"entity.groups.exists(group, {test})")
        return " && ".join(clauses)


def _snake(key: str) -> str:
    return re.sub(r"[A-Z]", lambda match: f"_{match.group().lower()}", key)


# The fields are those of Scuba's and other readers' real answers; the values are made up.
_OTHERS: tuple[tuple[str, str, Mapping[str, Json]], ...] = (
    ("gmail.service_status", "SYSTEM", {"serviceState": "ENABLED"}),
    ("gmail.confidential_mode", "SYSTEM", {"enableConfidentialMode": True}),
    ("gmail.pop_access", "SYSTEM", {"enablePopAccess": False}),
    ("gmail.imap_access", "SYSTEM", {"enableImapAccess": True}),
    ("gmail.mail_delegation", "ADMIN", {"enableMailDelegation": False}),
    ("gmail.auto_forwarding", "ADMIN", {"enableAutoForwarding": False}),
    (
        "gmail.enhanced_pre_delivery_message_scanning",
        "SYSTEM",
        {"enableImprovedSuspiciousContentDetection": True},
    ),
    ("gmail.blocked_sender_lists", "ADMIN", {"blockedSenders": []}),
    ("gmail.spam_override_lists", "ADMIN", {"spamOverride": []}),
    ("drive_and_docs.service_status", "SYSTEM", {"serviceState": "ENABLED"}),
)
OTHER_POLICIES = tuple(
    Policy(setting=f"settings/{name}", value=value, type=kind, sort_order=100.0 + at)
    for at, (name, kind, value) in enumerate(_OTHERS)
)


@dataclass(frozen=True, slots=True)
class _Change:
    due: datetime
    entries: tuple[str, ...] | None


class Policies:
    """All policies of a customer; the one of the allowlist changes with time."""

    def __init__(self, entries: Iterable[str] | None) -> None:
        self.others = list(OTHER_POLICIES)
        self._entries = None if entries is None else tuple(entries)
        self._waiting: list[_Change] = []
        self._version = 0

    def entries(self, now: datetime) -> list[str] | None:
        """What the allowlist's policy holds by now, as it was typed; None: no such policy."""
        due = [change for change in self._waiting if change.due <= now]
        for change in due:
            self._waiting.remove(change)
            self._entries = change.entries
            self._version += 1
        return None if self._entries is None else list(self._entries)

    def saved(self, now: datetime) -> list[str] | None:
        """What was saved last, whether it has taken effect or not."""
        entries = self.entries(now)
        if not self._waiting:
            return entries
        last = self._waiting[-1].entries
        return None if last is None else list(last)

    def change(self, entries: Iterable[str] | None, due: datetime) -> None:
        """Let the allowlist be these entries from a time on; what still waited is overtaken."""
        kept = None if entries is None else tuple(entries)
        self._waiting = [change for change in self._waiting if change.due <= due]
        self._waiting.append(_Change(due, kept))

    def all(self, switches: Switches, now: datetime) -> list[Policy]:
        """Every policy there is."""
        found = list(self.others) if switches.other_policies else []
        found += _filler(switches.filler)
        return found + list(self._allowlists(switches, now))

    def _allowlists(self, switches: Switches, now: datetime) -> Iterator[Policy]:
        if switches.system_default:
            yield _allowlist([], switches, type="SYSTEM", sort_order=1.0)
        for place in switches.also_on:
            yield _placed(place, switches)
        entries = self.entries(now)
        if entries is not None:
            version = self._version if switches.renamed else 0
            yield _allowlist(entries, switches, sort_order=201.0, version=version)


def _allowlist(entries: Iterable[str], switches: Switches, **parts: Any) -> Policy:
    shown = [normalised(entry, switches) for entry in entries]
    value = {} if not shown and switches.empty_value == "absent" else {FIELD: shown}
    return replace(Policy(setting=ALLOWLIST, value=value, type="ADMIN"), **parts)


def _placed(place: Place, switches: Switches) -> Policy:
    """An ADMIN policy elsewhere. Help says there is none; Scuba: those of deleted units linger."""
    parts: dict[Place, Mapping[str, Json]] = {
        "org_unit": {"org_unit": OTHER_UNIT, "sort_order": 301.0},
        "group": {"group": GROUP, "sort_order": 302.0},
        "admin_group": {"group": ADMIN_GROUP, "sort_order": 303.0},
        "no_org_unit": {"org_unit": "", "sort_order": 304.0},
    }
    return _allowlist(["198.51.100.7"], switches, **parts[place])


def _filler(count: int) -> list[Policy]:
    return [
        Policy(
            setting="settings/gmail.service_status",
            value={"serviceState": "DISABLED"},
            type="ADMIN",
            org_unit=f"orgUnits/03ph8a2z{at:07d}",
            sort_order=1000 + at,
        )
        for at in range(count)
    ]


def normalised(entry: str, switches: Switches) -> str:
    """An entry as the API shows it; how Google shows it is unknown."""
    try:
        network = ip_network(entry, strict=False)
    except ValueError:
        return entry
    match switches.normalise:
        case "mask":
            return str(network) if "/" in entry else entry
        case "mask_and_prefix":
            return str(network)
        case "prefix":
            return entry if "/" in entry else f"{entry}/{network.max_prefixlen}"
        case "no_prefix":
            single = network.prefixlen == network.max_prefixlen
            return str(ip_interface(entry).ip) if single else entry
        case _:
            return entry
