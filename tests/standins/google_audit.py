"""The administrators' audit log, as the Reports API gives it.

The sources that comments name are those of `tests.standins.google_switches`.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from tests.standins import google_pages
from tests.standins import google_replies as replies
from tests.standins.google_switches import Switches
from tests.standins.web import Reply

Json = Any

ALLOWLIST_PROTO = "GmailIpWhitelistSpamFilteringProto"  # Scuba
ALLOWLIST_LEGACY = "EMAIL_SPAM_ALLOWLIST"  # Scuba
ORG_UNIT_NAME = "Example Company"


@dataclass(frozen=True, slots=True)
class Activity:
    """One activity: an event of the log, by whom, when, and from when on it is shown."""

    time: datetime
    visible: datetime
    actor: str
    number: int
    type: str
    name: str
    parameters: tuple[Json, ...]

    def shown(self, customer: str) -> Json:
        """The resource, with the members of Elastic's samples."""
        item = {
            "kind": "admin#reports#activity",
            "id": {
                "time": rfc3339(self.time),
                "uniqueQualifier": str(-(10**18) - self.number),
                "applicationName": "admin",
                "customerId": customer,
            },
            "actor": {"callerType": "USER", "email": self.actor, "profileId": _profile(self.actor)},
            "ipAddress": "203.0.113.7",
            "networkInfo": {"ipAsn": [64496], "regionCode": "DE", "subdivisionCode": "DE-BE"},
            "events": [{"type": self.type, "name": self.name, "parameters": list(self.parameters)}],
        }
        return {**item, "etag": _etag(item)}


class AuditLog:
    """Everything that administrators did."""

    def __init__(self, domain: str, now: datetime) -> None:
        self.domain = domain
        self.activities: list[Activity] = []
        self._number = 0
        self._noise = _noise(now - timedelta(hours=1))

    def add(
        self,
        kind: str,
        name: str,
        parameters: Iterable[Mapping[str, Json]],
        *,
        actor: str,
        at: datetime,
        lag: timedelta = timedelta(),
    ) -> None:
        """Write one activity down. Those of one save share their time and number (Elastic)."""
        kept = tuple(dict(one) for one in parameters)
        number = self._number
        self.activities.append(Activity(at, at + lag, actor, number, kind, name, kept))

    def allowlist_changed(
        self,
        before: Sequence[str] | None,
        after: Sequence[str] | None,
        actor: str,
        at: datetime,
        switches: Switches,
    ) -> None:
        """What a save of the email allowlist leaves behind."""
        self._number += 1
        if switches.audit_schema in ("new", "both"):
            # Inferred from Scuba's setting names and Elastic's samples of other settings.
            name = f"{_verb(before, after)}_APPLICATION_SETTING"
            for field in switches.audit_fields:
                parameters = _new_schema(
                    f"{ALLOWLIST_PROTO} {field}", _shown(field, before), _shown(field, after)
                )
                self._write("APPLICATION_SETTINGS", name, parameters, actor, at, switches)
        if switches.audit_schema in ("legacy", "both"):
            parameters = _texts(  # Scuba's samples of 2023, but for OLD_VALUE, which is documented
                SETTING_NAME=ALLOWLIST_LEGACY,
                OLD_VALUE=_listed(before),
                NEW_VALUE=_listed(after),
                DOMAIN_NAME=self.domain,
            )
            self._write("EMAIL_SETTINGS", "CHANGE_EMAIL_SETTING", parameters, actor, at, switches)

    def gateway_changed(self, actor: str, at: datetime, switches: Switches) -> None:
        """What a save of the inbound gateway leaves behind; its SETTING_NAME is unknown."""
        self._number += 1
        name = switches.inbound_gateway_name
        if switches.audit_schema in ("new", "both"):
            parameters = _new_schema(name, "REDACTED", "REDACTED")  # Elastic has such values
            kind = "CHANGE_APPLICATION_SETTING"
            self._write("APPLICATION_SETTINGS", kind, parameters, actor, at, switches)
        if switches.audit_schema in ("legacy", "both"):
            parameters = _texts(  # documented: no values
                SETTING_NAME=name,
                USER_DEFINED_SETTING_NAME="",
                ORG_UNIT_NAME=ORG_UNIT_NAME,
            )
            self._write("EMAIL_SETTINGS", "CHANGE_GMAIL_SETTING", parameters, actor, at, switches)

    def _write(
        self,
        kind: str,
        name: str,
        parameters: Sequence[Json],
        actor: str,
        at: datetime,
        switches: Switches,
    ) -> None:
        self.add(kind, name, parameters, actor=actor, at=at, lag=switches.audit_lag)

    # The Reports API

    def listed(
        self,
        path: Mapping[str, str],
        query: Mapping[str, str],
        *,
        customer: str,
        now: datetime,
        switches: Switches,
    ) -> Reply:
        """GET /admin/reports/v1/activity/users/{userKey}/applications/{applicationName}."""
        if query.get("customerId", "my_customer") not in ("my_customer", customer):
            return replies.no_privilege()  # ours
        try:
            wanted = _wanted(path, query, now)
            at = (google_pages.place(query) or google_pages.Place()).at
        except ValueError as error:
            return replies.error(400, str(error))
        everything = self.activities + (self._noise if switches.audit_noise else [])
        found = [one for one in everything if one.visible <= now and wanted(one)]
        found.sort(key=lambda one: one.time, reverse=True)  # ours: newest first
        return _page(found, at, int(query.get("maxResults", "1000")), query, customer)


def _wanted(
    path: Mapping[str, str], query: Mapping[str, str], now: datetime
) -> Callable[[Activity], bool]:
    """The test that a request's parameters make."""
    start = _time(query, "startTime", datetime.min.replace(tzinfo=UTC))
    end = _time(query, "endTime", now)
    if start > min(end, now) and "startTime" in query:
        # Discovery: "must be before the endTime … and the current time"; words ours.
        raise ValueError("Start time must be before end time and the current time.")
    user, name = path["userKey"], query.get("eventName")
    tests = [_filter(part) for part in query.get("filters", "").split(",") if part]

    def holds(one: Activity) -> bool:
        return (
            path["applicationName"] == "admin"
            and start <= one.time <= end
            and user in ("all", one.actor, _profile(one.actor))
            and name in (None, one.name)
            and all(test(one) for test in tests)
        )

    return holds


def _filter(text: str) -> Callable[[Activity], bool]:
    """One of `filters`: NAME==VALUE or NAME<>VALUE (the other operators are not built)."""
    for operator, equal in (("==", True), ("<>", False)):
        name, found, value = text.partition(operator)
        if found:
            return lambda one: any(
                parameter["name"] == name and (parameter.get("value") == value) is equal
                for parameter in one.parameters
            )
    raise ValueError(f"Invalid filter: {text}")  # words ours


def _time(query: Mapping[str, str], name: str, default: datetime) -> datetime:
    if name not in query:
        return default
    found = datetime.fromisoformat(query[name])
    if found.tzinfo is None:
        raise ValueError(f"Invalid value for {name}: {query[name]}")
    return found


def _page(
    found: Sequence[Activity], at: int, size: int, query: Mapping[str, str], customer: str
) -> Reply:
    items = [one.shown(customer) for one in found[at : at + size]]
    answer: Json = {"kind": "admin#reports#activities", "etag": _etag(items)}
    if items:
        answer["items"] = items
    if at + size < len(found):
        answer["nextPageToken"] = google_pages.token(google_pages.Place(at + size), query)
    return replies.success(answer)


def rfc3339(time: datetime) -> str:
    """A time as Google writes it: in UTC, with milliseconds."""
    return time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _verb(before: Sequence[str] | None, after: Sequence[str] | None) -> str:
    if before is None:
        return "CREATE"
    return "DELETE" if after is None else "CHANGE"


def _new_schema(setting: str, old: str, new: str) -> list[Json]:
    """The parameters of Elastic's samples of November 2025."""
    return _texts(
        APPLICATION_EDITION="business_plus_2021",
        APPLICATION_NAME="Gmail",
        ORG_UNIT_NAME=ORG_UNIT_NAME,
        SETTING_NAME=setting,
        OLD_VALUE=old,
        NEW_VALUE=new,
    )


def _shown(field: str, entries: Sequence[str] | None) -> str:
    """A field's value: is_empty is Scuba's; of the others nothing is known."""
    return str(not entries).lower() if field == "is_empty" else _listed(entries)


def _listed(entries: Sequence[str] | None) -> str:
    """Scuba: "[]" or "[1.2.3.4]". How several are parted is unknown."""
    return f"[{', '.join(entries or ())}]"


def _texts(**parameters: str) -> list[Json]:
    return [{"name": name, "value": value} for name, value in parameters.items()]


def _noise(at: datetime) -> list[Activity]:
    """What somebody else did: the setting is that of Elastic's samples, and a change of a user."""
    rule = _new_schema("RuleState rule_state[14] enabled", "false", "true")
    metadata = [{"name": "rule_type", "value": "DESCRIPTION"}]
    rule.append({"name": "SETTING_METADATA", "messageValue": {"parameter": metadata}})
    user = _texts(USER_EMAIL="someone@example.com")
    who = "helpdesk@example.com"
    created = "CREATE_APPLICATION_SETTING"
    return [
        Activity(at, at, who, 10_001, "APPLICATION_SETTINGS", created, tuple(rule)),
        Activity(at, at, who, 10_002, "USER_SETTINGS", "CREATE_USER", tuple(user)),
    ]


def _profile(email: str) -> str:
    return str(10**20 + int(sha256(email.encode()).hexdigest(), 16) % 10**20)


def _etag(value: Json) -> str:
    digest = sha256(json.dumps(value, sort_keys=True).encode()).digest()
    return f'"{base64.urlsafe_b64encode(digest).decode()}"'
