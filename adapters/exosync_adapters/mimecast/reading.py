"""Reading a policy from an answer, whatever way its fields are shown. Pure.

Null, an empty list and an absent field are one; a group is written as `groupId` and read as
`group.id`; times come as ISO 8601 with or without a colon in the offset, with Z, or as dates
alone. What is not empty and not known is kept as `unknown`: it may be a condition that we do
not understand.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from exosync_adapters.mimecast.policy import ETERNAL, Party, Policy, Sources

# What real accounts give for "always" (demisto/content, test data of 2024).
_FIRST_DAY, _LAST_DAY = datetime(1900, 1, 2, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)

# Not compared: the id, when and where it was made, and `enforced`, of which no source says what
# it does and which no client writes.
_PASSED_OVER = frozenset(
    {
        *("id", "policyId", "definitionId", "comment", "enforced", "conditions"),
        *("createTime", "lastUpdated", "created", "lastModified", "fromType", "toType"),
    }
)
_KNOWN = frozenset(
    {
        *("description", "option", "fromPart", "from", "to", "enabled", "override"),
        *("bidirectional", "fromEternal", "toEternal", "fromDateTime", "toDateTime"),
        *("fromDate", "toDate", "sourceIPs", "hostnames", "spfDomains"),
    }
)

_UNDERSTOOD = _KNOWN | _PASSED_OVER


def read_policy(item: Mapping[str, Any]) -> Policy:
    """One policy of an answer, whatever way its fields are shown."""
    merged = dict(item)
    conditions = item.get("conditions")
    if isinstance(conditions, Mapping):
        merged |= {name: value for name, value in conditions.items() if not merged.get(name)}
    sender, recipient = read_party(merged.get("from")), read_party(merged.get("to"))
    return Policy(
        id=str(item.get("id") or item.get("policyId") or ""),
        description=str(merged.get("description") or ""),
        option=str(merged.get("option") or "").lower(),
        sender=sender,
        recipient=recipient,
        from_part=str(merged.get("fromPart") or "").lower(),
        enabled=_flag(merged.get("enabled")),
        override=_flag(merged.get("override")),
        bidirectional=_flag(merged.get("bidirectional")),
        since=_start(merged),
        until=_end(merged),
        sources=Sources.read(_list(merged.get("sourceIPs"))),
        hostnames=_names(merged.get("hostnames")),
        spf_domains=_names(merged.get("spfDomains")),
        unknown=_unknown(merged),
    )


def read_party(value: object) -> Party:
    """One side of a policy; a group may stand as `groupId`, `group.id` or `group` alone."""
    if not isinstance(value, Mapping):
        return Party(str(value or "").lower())
    kind = str(value.get("type") or "").lower()
    group = value.get("group")
    if isinstance(group, Mapping):
        group = group.get("id")
    match kind:
        case "email_domain":
            return Party(kind, str(value.get("domain") or "").lower().rstrip("."))
        case "profile_group":
            return Party(kind, str(group or value.get("groupId") or ""))
        case "individual_email_address":
            return Party(kind, str(value.get("emailAddress") or "").lower())
        case "address_attribute_value":
            return Party(kind, json.dumps(value.get("attribute"), sort_keys=True))
    return Party(kind)


def _start(item: Mapping[str, Any]) -> str:
    value = item.get("fromDateTime") or item.get("fromDate")
    at = None if _flag(item.get("fromEternal")) or not value else _instant(value)
    if isinstance(at, datetime):
        return ETERNAL if at < _FIRST_DAY else at.isoformat()
    return at or ETERNAL


def _end(item: Mapping[str, Any]) -> str:
    value = item.get("toDateTime") or item.get("toDate")
    at = None if _flag(item.get("toEternal")) or not value else _instant(value)
    if isinstance(at, datetime):
        return ETERNAL if at >= _LAST_DAY else at.isoformat()
    return at or ETERNAL


def _instant(value: object) -> datetime | str:
    """A time in any form seen; one in another form stays as it is, so that it differs."""
    try:
        if isinstance(value, int):
            return datetime.fromtimestamp(value / 1000, UTC)
        at = datetime.fromisoformat(str(value).strip())
    except (ValueError, OverflowError, OSError):
        return str(value)
    return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)


def _flag(value: object) -> bool:
    return value.lower() == "true" if isinstance(value, str) else bool(value)


def _list(value: object) -> list[object]:
    if isinstance(value, list):
        return value
    return [value] if value else []


def _names(value: object) -> tuple[str, ...]:
    return tuple(sorted({str(one).strip().lower().rstrip(".") for one in _list(value)}))


def _unknown(item: Mapping[str, Any]) -> dict[str, str]:
    return {
        name: json.dumps(value, sort_keys=True)
        for name, value in sorted(item.items())
        if name not in _UNDERSTOOD and value not in (None, "", [], {}, False, 0)
    }
