"""The Admin audit log: that somebody changed a setting, when and who. Never what it is now.

It supports what is read or said otherwise and proves nothing: it lags by minutes up to three
days, and its names have changed. The new names come first, the legacy ones (told until August
2026, Google Admin Help, answer 16601511) second. Which name an inbound gateway has in either is
unknown, so settings are found by configurable words.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

from exosync.core.target import Check, Finding, Severity
from exosync.core.tasks import Known
from exosync.core.words import one_line, plural, short
from exosync.errors import ExosyncError
from exosync_adapters.google_workspace.service import AskPage, Google
from exosync_adapters.google_workspace.settings import (
    EMAIL_ALLOWLIST,
    INBOUND_GATEWAY,
    GoogleSettings,
)

WORDS: Mapping[str, tuple[str, ...]] = {
    EMAIL_ALLOWLIST: ("spam_allowlist", "ipwhitelist", "ip_allowlist"),
    INBOUND_GATEWAY: ("inbound", "gateway"),
}
"""Parts of a setting's name in the log. The allowlist's are seen in the rules of
cisagov/ScubaGoggles; the gateway's are ours."""

LAG = timedelta(days=3)
"""How far the log may be behind (Elastic, of Google Admin Help, answer 7061566)."""

MOST_ACTIVITIES = 1000  # a page's most (discovery document)
MOST_PAGES = 20

_LEGACY_TYPE = "EMAIL_SETTINGS"
_FEW = 3


@dataclass(frozen=True, slots=True)
class Changed:
    """One change of a setting, as the log tells it."""

    at: str
    actor: str
    setting: str
    is_legacy: bool = False

    @property
    def words(self) -> str:
        """`2026-11-25T12:00:00Z by ada@example.com: “…”`."""
        return one_line(f"{self.at} by {self.actor}: “{short(self.setting)}”")


@dataclass(frozen=True, slots=True)
class Log:
    """What the log said, or why it could not be read."""

    changes: tuple[Changed, ...] = ()
    problem: str = ""
    is_whole: bool = True


def start(known: Known, setting: str) -> datetime | None:
    """Since when the log matters: while a task is open, and while it may lag behind its end."""
    asked, acknowledged = known.asked.get(setting), known.acknowledged.get(setting)
    if asked is not None and asked.is_open:
        return asked.since
    if acknowledged is not None and known.now - acknowledged.at <= LAG:
        since = acknowledged.at - LAG
        return since if asked is None else max(since, min(asked.since, acknowledged.at))
    return None


def look(google: Google, settings: GoogleSettings, known: Known) -> Log | None:
    """Read the log if it matters now; None if it does not, or is not to be read.

    A log that cannot be read is told and never fails the target.
    """
    since = start(known, settings.setting) if settings.audit else None
    if since is None:
        return None
    words = settings.audit_words or WORDS[settings.setting]
    try:
        pages = google.pages(google.reports(), _asking(settings.customer, since))
        read = list(islice(pages, MOST_PAGES))
    except ExosyncError as error:
        return Log(problem=str(error))
    activities = [one for page in read for one in _list(page.get("items"))]
    return Log(changes(activities, words), is_whole=not read[-1].get("nextPageToken"))


def _asking(customer: str, since: datetime) -> AskPage:
    begin = since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    def page(service: Any, /, *, page_token: str | None) -> Any:
        more = {"pageToken": page_token} if page_token else {}
        return service.activities().list(
            userKey="all",
            applicationName="admin",
            customerId=customer,
            startTime=begin,
            maxResults=MOST_ACTIVITIES,
            **more,
        )

    return page


def changes(activities: Iterable[Any], words: Sequence[str]) -> tuple[Changed, ...]:
    """The changes of a setting among activities, oldest first; each save is told once.

    One save gives several activities of one time, and may be told by new and by legacy names:
    then the new ones stand for it.
    """
    found = {one for activity in activities for one in _of_activity(activity, words)}
    new = {(one.at, one.actor) for one in found if not one.is_legacy}
    kept = [one for one in found if not one.is_legacy or (one.at, one.actor) not in new]
    return tuple(sorted(kept, key=lambda one: (one.at, one.actor, one.setting)))


def _of_activity(activity: Any, words: Sequence[str]) -> Iterator[Changed]:
    if not isinstance(activity, dict):
        return
    at = str(_dict(activity.get("id")).get("time", "at an unknown time"))
    actor = _dict(activity.get("actor"))
    who = str(actor.get("email") or actor.get("key") or "somebody unknown")
    for event in _list(activity.get("events")):
        parameters = _parameters(event)
        name = str(parameters.get("SETTING_NAME") or "")
        is_legacy = _dict(event).get("type") == _LEGACY_TYPE
        is_gmail = "gmail" in str(parameters.get("APPLICATION_NAME") or "").lower()
        if (is_legacy or is_gmail) and any(word in name.lower() for word in words):
            yield Changed(at, who, name, is_legacy)


def _parameters(event: Any) -> Mapping[str, Any]:
    given = _list(_dict(event).get("parameters"))
    return {str(one.get("name")): one.get("value") for one in given if isinstance(one, dict)}


def _dict(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list) else ()


def findings(log: Log | None) -> Iterator[Finding]:
    """What the log tells while a task is open."""
    if log is None:
        return
    if log.problem:
        yield Finding(
            "audit_unavailable",
            f"the Admin audit log cannot be read, so nothing supports what a person says: "
            f"{log.problem}",
        )
    if log.changes:
        told = "; ".join(one.words for one in log.changes[-_FEW:])
        yield Finding(
            "changed_in_console",
            f"the Admin audit log tells of {plural(len(log.changes), 'change')} since the step "
            f"was asked for, without the addresses: {told}",
            Severity.INFO,
        )


def check(log: Log | None) -> Iterator[Check]:
    """The log's support for a proof: it can only agree."""
    if log is None:
        return
    if log.problem:
        yield Check("audit", None, f"the Admin audit log cannot be read: {log.problem}")
    elif log.changes:
        yield Check("audit", True, f"the Admin audit log agrees: {log.changes[-1].words}")
    else:
        part = "" if log.is_whole else " in the part that was read"
        message = f"the Admin audit log tells of no change{part}; it can be {LAG.days} days behind"
        yield Check("audit", None, message)
