"""What the reading commands show, as JSON values; the text forms are made from them."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

from exosync.core.changes import changes, summary
from exosync.core.endpoints import parse_changes
from exosync.pull import held

if TYPE_CHECKING:
    from datetime import datetime

    from exosync.assembly import Assembly
    from exosync.store import Store, TaskRecord

Json = dict[str, Any]


def version_rows(store: Store, instance: str) -> list[Json]:
    """The stored versions, oldest first, each with its mail ranges and what it changed."""
    adopted = {one.version: one.adopted_at for one in store.adoptions(instance)}
    found = sorted(store.snapshots(instance), key=lambda one: one.version)
    mail = {one.version: held(store, instance, one.version)[1].ranges for one in found}
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


def version_view(store: Store, instance: str, version: str) -> Json:
    """One stored version."""
    snapshot, mail = held(store, instance, version)
    record = store.snapshot(instance, version)
    assert record is not None
    return {
        "instance": instance,
        "version": version,
        "sha256": record.sha256,
        "fetched_at": record.fetched_at.isoformat(),
        "source": record.source,
        "sets": len(snapshot.sets),
        "mail": [{"set": set_id, "cidrs": list(cidrs)} for set_id, cidrs in mail.sets],
        "findings": [
            {"rule": one.rule, "message": one.message, "severity": one.severity.value}
            for one in mail.findings
        ],
    }


def published_changes(assembly: Assembly, version: str) -> list[Json]:
    """Microsoft's own account of what changed after a version, each set named if known."""
    feed = assembly.rules.feed.feed
    assert feed is not None
    names = _set_names(assembly)
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
        for one in parse_changes(feed.changes(assembly.instance, version))
    ]


def _set_names(assembly: Assembly) -> dict[int, str]:
    adopted = assembly.store.adopted(assembly.instance)
    if adopted is None:
        return {}
    snapshot, _ = held(assembly.store, assembly.instance, adopted.version)
    return {one.id: f"set {one.id} ({one.service_area})" for one in snapshot.sets}


def _told(one: Any) -> str:
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


def task_rows(assembly: Assembly) -> list[Json]:
    """The steps that wait for a person, at the targets that are configured."""
    now, names = assembly.rules.now(), {one.name for one in assembly.rules.jobs}
    return [task_view(one, now) for one in assembly.store.open_tasks() if one.target in names]


def task_view(task: TaskRecord, now: datetime) -> Json:
    """One step that waits for a person."""
    return {
        "target": task.target,
        "setting": task.setting,
        "plan": task.plan_id,
        "opened_at": _iso(task.opened_at),
        "changed_at": _iso(task.changed_at),
        "due_at": _iso(task.due_at),
        "overdue": now >= task.due_at,
        "reminders": task.reminders,
        "claimed_by": task.claimed_by,
        "claimed_at": _iso(task.claimed_at),
        "task": dict(task.body),
    }


def status_view(assembly: Assembly) -> Json:
    """How everything stood when it was last looked at; asks nobody."""
    store, instance, now = assembly.store, assembly.instance, assembly.rules.now()
    feed = store.feed_state(instance)
    adopted = store.adopted(instance)
    known = {one.name: one for one in store.target_states()}
    return {
        "now": now.isoformat(),
        "instance": instance,
        "version": adopted.version if adopted else None,
        "adopted_at": adopted.adopted_at.isoformat() if adopted else None,
        "feed": {
            "checked_at": _iso(feed.checked_at),
            "not_before": _iso(feed.not_before),
            "failures": feed.failures,
            "error": feed.error or None,
        },
        "targets": [_target_status(one, known.get(one.name)) for one in assembly.rules.jobs],
        "plans": [
            {"id": one.id, "target": one.target, "refused": one.refused, "adopting": one.adopting}
            for one in store.open_plans()
        ],
        "todo": task_rows(assembly),
    }


def _target_status(job: Any, known: Any) -> Json:
    base = {"name": job.name, "kind": job.kind, "mode": job.mode.value}
    if known is None:
        return {
            **base,
            "state": None,
            "since": None,
            "version": None,
            "plan": None,
            "refusals": [],
            "verified": None,
            "verified_at": None,
            "seen_at": None,
            "failures": 0,
            "asserted": [],
            "error": None,
        }
    return {
        **base,
        "state": known.state,
        "since": _iso(known.since),
        "version": known.version,
        "plan": known.plan,
        "refusals": known.report.get("refusals", []),
        "verified": known.verified,
        "verified_at": _iso(known.verified_at),
        "seen_at": _iso(known.seen_at),
        "failures": known.failures,
        "asserted": known.report.get("asserted", []),
        "error": known.error or None,
    }


def _iso(moment: Any) -> str | None:
    return moment.isoformat() if moment else None
