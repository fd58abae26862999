"""What a Mimecast target asks to be remembered, and how it is read again. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any

from exosync.core.tasks import Known

IDS, PAIRS, LEAVING = "ids", "permitted_addresses", "permitted_addresses_leaving"
"""The keys: ids by resource, and two lists of permitted pairs, each with a time."""


def remembered_ids(known: Known, prefix: str, *, but: Collection[str] = ()) -> dict[str, str]:
    """The remembered ids of the resources with a prefix; what we deleted ourselves left out."""
    return {
        name: policy_id
        for name, policy_id in _texts(known, IDS).items()
        if name.startswith(prefix) and name not in but
    }


def remembered_times(known: Known, key: str) -> dict[str, datetime]:
    """Times by their name; what is no time is passed over."""
    found = {}
    for name, text in _texts(known, key).items():
        try:
            at = datetime.fromisoformat(text)
        except ValueError:
            continue
        if at.tzinfo is not None:
            found[name] = at
    return found


def merged(parts: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """What all parts want remembered, as one."""
    whole: dict[str, Any] = {}
    for part in parts:
        for key, values in part.items():
            whole[key] = {**whole.get(key, {}), **values}
    return whole


def _texts(known: Known, key: str) -> dict[str, str]:
    value = known.remembered.get(key)
    if not isinstance(value, Mapping):
        return {}
    return {str(name): text for name, text in value.items() if isinstance(text, str)}
