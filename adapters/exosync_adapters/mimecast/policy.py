"""A policy as an immutable value: comparing two, and what is written of one. Pure.

The fields are those of the published schema (scraped developer portal, December 2025) and, for
`sourceIPs` and `hostnames`, of two public clients. How answers show them is `reading`'s matter.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from exosync.core.ranges import IpRanges
from exosync.core.target import digest
from exosync.errors import RangeError

SPOOFING, BYPASS = "anti-spoofing", "anti-spoofing-bypass"
"""The two families of policies that exosync writes, as they stand in the path."""

ETERNAL = ""
"""The start or end of a policy that always holds."""


@dataclass(frozen=True, slots=True)
class Party:
    """Whom one side of a policy holds for: its type, and the domain, address or group."""

    type: str
    value: str = ""

    @property
    def written(self) -> dict[str, Any]:
        """As it is written: a group by `groupId`."""
        key = {
            "email_domain": "domain",
            "profile_group": "groupId",
            "individual_email_address": "emailAddress",
        }.get(self.type)
        return {"type": self.type} | ({key: self.value} if key else {})

    @property
    def told(self) -> str:
        """In words."""
        return f"{self.type} {self.value}".strip() or "nobody"


EVERYONE, INTERNAL = Party("everyone"), Party("internal_addresses")


@dataclass(frozen=True, slots=True)
class Sources:
    """The condition on the source: its ranges, how they are written, and what is no range."""

    ranges: IpRanges = IpRanges()
    entries: tuple[str, ...] = ()
    alien: tuple[str, ...] = ()

    @classmethod
    def read(cls, texts: Iterable[object]) -> Sources:
        """Entries in any spelling: host bits are cleared, a bare address gets its suffix."""
        entries: set[str] = set()
        alien: set[str] = set()
        for text in map(str, texts):
            try:
                entries.add(IpRanges.parse(text.strip(), strict=False).cidrs()[0])
            except RangeError:
                alien.add(text.strip())
        ordered = tuple(sorted(entries, key=IpRanges.sort_key))
        return cls(IpRanges.parse(ordered), ordered, tuple(sorted(alien)))

    def __bool__(self) -> bool:
        return bool(self.entries or self.alien)

    @property
    def widest(self) -> int:
        """The shortest prefix length of IPv4 that is written here; 33 where there is none."""
        return min((prefix(one) for one in self.entries if ":" not in one), default=33)

    def serves(self, wanted: Sources) -> bool:
        """Whether this is as good as what is wanted: same addresses, nothing written wider."""
        return self.ranges == wanted.ranges and not self.alien and self.widest >= wanted.widest


@dataclass(frozen=True, slots=True)
class Policy:
    """One policy. `since` and `until` are ISO 8601 in UTC, or ETERNAL."""

    id: str
    description: str
    option: str
    sender: Party
    recipient: Party
    from_part: str = "both"
    enabled: bool = True
    override: bool = True
    bidirectional: bool = False
    since: str = ETERNAL
    until: str = ETERNAL
    sources: Sources = Sources()
    hostnames: tuple[str, ...] = ()
    spf_domains: tuple[str, ...] = ()
    unknown: Mapping[str, str] = field(default_factory=dict, hash=False)

    @property
    def token(self) -> str:
        """A digest of all that was read but the id and the description: these may change."""
        return digest(
            [
                *(self.option, self.from_part, self.sender.told, self.recipient.told),
                *(self.enabled, self.override, self.bidirectional, self.since, self.until),
                *(self.sources.entries, self.sources.alien, self.hostnames, self.spf_domains),
                dict(self.unknown),
            ]
        )

    @property
    def conditional(self) -> bool:
        """Whether it holds for some sources only."""
        return bool(self.sources or self.hostnames)

    @property
    def texts(self) -> str:
        """The policy as a person compares it, one field a line."""
        lines = {
            "option": self.option,
            "from": f"{self.sender.told} ({self.from_part})",
            "to": self.recipient.told,
            "enabled": _yes(self.enabled),
            "override": _yes(self.override),
            "bidirectional": _yes(self.bidirectional),
            "valid": f"{self.since or 'always'} to {self.until or 'always'}",
            "hostnames": ", ".join(self.hostnames),
            "spfDomains": ", ".join(self.spf_domains),
        }
        told = [f"{name}: {value}" for name, value in lines.items() if value]
        told += [f"sourceIPs: {one}" for one in (*self.sources.entries, *self.sources.alien)]
        return "\n".join([self.description, *told]) + "\n"


def differences(wanted: Policy, found: Policy) -> tuple[str, ...]:
    """The fields, by the API's names, in which a policy is not as it should be.

    What is unknown is left out, and so is the description: its mark alone matters, which the
    caller has compared.
    """
    pairs = {
        "option": wanted.option == found.option,
        "fromPart": wanted.from_part == found.from_part,
        "from": wanted.sender == found.sender,
        "to": wanted.recipient == found.recipient,
        "enabled": wanted.enabled == found.enabled,
        "override": wanted.override == found.override,
        "bidirectional": wanted.bidirectional == found.bidirectional,
        "fromEternal": wanted.since == found.since,
        "toEternal": wanted.until == found.until,
        "sourceIPs": found.sources.serves(wanted.sources),
        "hostnames": wanted.hostnames == found.hostnames,
        "spfDomains": wanted.spf_domains == found.spf_domains,
    }
    return tuple(name for name, same in pairs.items() if not same)


def written(policy: Policy, fields: Iterable[str]) -> dict[str, Any]:
    """The body of a POST or PATCH that sets these fields."""
    values = {
        "description": policy.description,
        "option": policy.option,
        "fromPart": policy.from_part,
        "from": policy.sender.written,
        "to": policy.recipient.written,
        "enabled": policy.enabled,
        "override": policy.override,
        "bidirectional": policy.bidirectional,
        "fromEternal": policy.since == ETERNAL,
        "toEternal": policy.until == ETERNAL,
        "sourceIPs": list(policy.sources.entries),
        "hostnames": list(policy.hostnames),
        "spfDomains": list(policy.spf_domains),
    }
    return {name: values[name] for name in fields}


def created(policy: Policy) -> dict[str, Any]:
    """The body of the POST that makes a policy: an empty list is left out."""
    whole = written(
        policy,
        (
            *("description", "option", "fromPart", "from", "to", "enabled", "override"),
            *("bidirectional", "fromEternal", "toEternal", "sourceIPs", "spfDomains"),
        ),
    )
    return {name: value for name, value in whole.items() if value != []}


def with_entries(policy: Policy, ranges: IpRanges, split_to: int | None) -> Policy:
    """The policy with these ranges as its only condition, written no wider than `split_to`."""
    entries = entries_of(ranges, split_to)
    return replace(policy, sources=Sources(ranges, entries), hostnames=())


def entries_of(ranges: IpRanges, split_to: int | None) -> tuple[str, ...]:
    """The CIDRs that stand for ranges: the fewest, those wider than /`split_to` cut into it."""
    return ranges.cidrs() if split_to is None else ranges.split(ipv4=split_to, ipv6=128)


def prefix(entry: str) -> int:
    """The prefix length of a CIDR."""
    return int(entry.rpartition("/")[2])


def _yes(value: bool) -> str:  # noqa: FBT001  a private helper for one line of text
    return "yes" if value else "no"
