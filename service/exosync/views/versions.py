"""Microsoft's versions: those that are stored, and how they differ."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from exosync.core.changes import changes, summary
from exosync.core.endpoints import parse_changes
from exosync.core.published import PublishedChange
from exosync.errors import UsageError
from exosync.forms import finding_json
from exosync.pull import Feed
from exosync.views.source import Source

Json = dict[str, Any]


def version_rows(source: Source) -> list[Json]:
    """The stored versions, oldest first, each with its mail ranges and what it changed."""
    adopted = {one.version: one.adopted_at for one in source.store.adoptions(source.instance)}
    found = sorted(source.store.snapshots(source.instance), key=lambda one: one.version)
    mail = {one.version: source.mail(one.version).ranges for one in found}
    changed = {
        after.version: summary(changes(mail[before.version], mail[after.version]))
        for before, after in pairwise(found)
    }
    return [
        {
            "version": one.version,
            "adopted_at": adopted[one.version].isoformat() if one.version in adopted else None,
            "fetched_at": one.fetched_at.isoformat(),
            "source": one.source,
            "sha256": one.sha256,
            "mail": list(mail[one.version].cidrs()),
            "changed": changed.get(one.version, ""),
        }
        for one in found
    ]


def version_view(source: Source, version: str) -> Json:
    """One stored version. Raises UsageError if there is none of that name."""
    record = source.store.snapshot(source.instance, version)
    if record is None:
        message = (
            f"version {version} of {source.instance} is not in the state: "
            "`exosync feed versions` lists those that are"
        )
        raise UsageError(message)
    snapshot, mail = source.snapshot(version), source.mail(version)
    return {
        "instance": source.instance,
        "version": version,
        "sha256": record.sha256,
        "fetched_at": record.fetched_at.isoformat(),
        "source": record.source,
        "sets": len(snapshot.sets),
        "mail": [{"set": set_id, "cidrs": list(cidrs)} for set_id, cidrs in mail.sets],
        "findings": [finding_json(one) for one in mail.findings],
    }


def difference_view(source: Source, before: str, after: str) -> Json:
    """How the mail ranges differ between two stored versions, address by address."""
    found = changes(source.mail(before).ranges, source.mail(after).ranges)
    return {"from": before, "to": after, "changes": [one.as_json() for one in found]}


def published_changes(source: Source, feed: Feed, version: str) -> list[Json]:
    """Microsoft's own account of what changed after a version, each set named if known."""
    names = _set_names(source)
    return [
        {
            "version": one.version,
            "set": names.get(one.endpoint_set_id, f"set {one.endpoint_set_id}"),
            "disposition": one.disposition,
            "impact": one.impact,
            "text": _told(one),
            "add": {"ips": list(one.add_ips), "urls": list(one.add_urls)},
            "remove": {"ips": list(one.remove_ips), "urls": list(one.remove_urls)},
            "effective_date": one.effective_date,
        }
        for one in parse_changes(feed.changes(source.instance, version))
    ]


def _set_names(source: Source) -> dict[int, str]:
    adopted = source.store.adopted(source.instance)
    if adopted is None:
        return {}
    sets = source.snapshot(adopted.version).sets
    return {one.id: f"set {one.id} ({one.service_area})" for one in sets}


def _told(one: PublishedChange) -> str:
    parts = [one.impact or one.disposition]
    for word, items in (
        ("adds", one.add_ips + one.add_urls),
        ("removes", one.remove_ips + one.remove_urls),
    ):
        if items:
            parts.append(f"{word} {', '.join(items)}")
    if one.effective_date:
        parts.append(f"effective {one.effective_date}")
    return "; ".join(parts)
