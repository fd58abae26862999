"""The records of /changes, computed from two answers of /endpoints."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

Json = Any

_KEPT = ("serviceArea", "category", "required", "expressRoute", "tcpPorts", "udpPorts", "notes")


def diff(before: Iterable[Json], after: Iterable[Json], version: str) -> Iterator[Json]:
    """The records of /changes between two versions, with the fields that the page names."""
    old = {one["id"]: one for one in before}
    new = {one["id"]: one for one in after}
    for number in sorted(old.keys() | new.keys()):
        was, now = old.get(number, {}), new.get(number, {})
        add, remove = _more(now, was), _more(was, now)
        previous = {key: was[key] for key in _KEPT if key in was}
        current = {key: now[key] for key in _KEPT if key in now}
        if not add and not remove and previous == current:
            continue
        disposition = "Change" if was and now else "Add" if now else "Remove"
        change: Json = {"endpointSetId": number, "disposition": disposition, "version": version}
        if version >= "2018112800":  # page: no impact before
            change["impact"] = _impact(add, remove)
        if add:
            change["add"] = {"effectiveDate": version[:8], **add}
        parts = {"previous": previous, "current": current, "remove": remove}
        yield change | {key: value for key, value in parts.items() if value}


def _more(one: Json, other: Json) -> Json:
    """The addresses and host names of one set that the other has not."""
    found = {
        key: [text for text in one.get(key, ()) if text not in other.get(key, ())]
        for key in ("ips", "urls")
    }
    return {key: texts for key, texts in found.items() if texts}


def _impact(add: Json, remove: Json) -> str:
    """One of the page's impacts, by the most telling part of a change."""
    if add:
        both = "ips" in add and "urls" in add
        return "AddedIpAndUrl" if both else "AddedIp" if "ips" in add else "AddedUrl"
    return "RemovedIpOrUrl" if remove else "OtherNonPriorityChanges"
