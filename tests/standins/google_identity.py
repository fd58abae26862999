"""The Cloud Identity Policy API: policies.list, get, patch, create and delete.

The sources that comments name are those of `tests.standins.google_switches`.
"""

from __future__ import annotations

import random
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from tests.standins import google_pages
from tests.standins import google_replies as replies
from tests.standins.google_audit import AuditLog
from tests.standins.google_filter import BadFilterError, Filter, parsed
from tests.standins.google_policies import ALLOWLIST, FIELD, ROOT_UNIT, Policies, Policy
from tests.standins.google_switches import Switches
from tests.standins.web import Reply

Json = Any


@dataclass(frozen=True, slots=True)
class Moment:
    """What holds while one request is answered."""

    customer: str
    switches: Switches
    now: datetime
    actor: str


class PolicyApi:
    """Answers the methods; who may call them was settled before."""

    def __init__(self, policies: Policies, log: AuditLog) -> None:
        self.policies = policies
        self._log = log
        self._listings = 0
        self._operations = 0
        self._read: deque[float] = deque(maxlen=10_000)

    # Reading

    def too_often(self, switches: Switches) -> Reply | None:
        """The quota's refusal, which goes by the machine's clock."""
        now = time.monotonic()
        gap = now - self._read[-1] if self._read else float("inf")
        last_minute = sum(1 for at in self._read if now - at < 60)
        self._read.append(now)
        full = switches.reads_a_minute is not None and last_minute >= switches.reads_a_minute
        if full or gap < switches.min_gap_seconds:
            return replies.too_many_requests(switches.retry_after)
        return None

    def listed(self, query: Mapping[str, str], moment: Moment) -> Reply:
        """GET /v1/policies."""
        if moment.switches.not_found:
            return replies.entity_not_found()
        try:
            wanted = _understood(query.get("filter", ""), moment)
            place = self._place(query)
        except ValueError as error:
            return replies.error(400, f"Request contains an invalid argument: {error}.")
        if wanted is None:
            return replies.not_super_admin()  # of another customer; unknown
        found = [
            policy
            for policy in self.policies.all(moment.switches, moment.now)
            if wanted.matches(policy.setting)
        ]
        if moment.switches.shuffled:
            random.Random(place.seed).shuffle(found)
        return _page(found, place, query, moment)

    def get(self, name: str, moment: Moment) -> Reply:
        """GET /v1/policies/{policy}."""
        found = self._named(name, moment)
        return replies.entity_not_found() if found is None else replies.success(found)

    def _named(self, name: str, moment: Moment) -> Json | None:
        everything = self.policies.all(moment.switches, moment.now)
        policy = next((one for one in everything if one.name == name), None)
        if policy is None:
            return None
        return policy.shown(moment.customer, snake_case=moment.switches.snake_case)

    def _place(self, query: Mapping[str, str]) -> google_pages.Place:
        """Where to go on; a new listing has an order of its own."""
        if int(query.get("pageSize", "0")) < 0:
            raise ValueError("page_size is negative")
        found = google_pages.place(query)
        if found is None:
            self._listings += 1
            found = google_pages.Place(0, self._listings)
        return found

    # Writing

    def patch(self, name: str, body: Json, moment: Moment) -> Reply:
        """PATCH /v1/policies/{policy}: the whole policy, for there is no update mask."""
        held = self._named(name, moment)
        if held is None:
            return replies.entity_not_found()
        if (refusal := _refused(moment.switches)) is not None:
            return refusal
        if not _is_main(held):
            return _not_supported()
        if (problem := _body_problem(body, held)) is not None:
            return replies.error(400, f"Request contains an invalid argument: {problem}.")
        return self._write(_entries(body), name, moment)

    def _write(self, entries: list[str], name: str, moment: Moment) -> Reply:
        mutate = moment.switches.mutate
        self._operations += 1
        operation: Json = {"name": f"operations/made-up-{self._operations}", "done": True}
        if mutate == "operation_error":
            # The form is google.rpc.Status; the words are ours.
            operation["error"] = {"code": 7, "message": "The policy cannot be changed."}
            return replies.success(operation)
        if mutate == "pending":
            self._change(entries, moment, moment.now + moment.switches.pending)
            return replies.success({**operation, "done": False})
        if mutate != "ignored":
            self._change(entries, moment, moment.now)
        if mutate == "lost":
            return replies.reset()
        # The kind's name in an answer is unknown.
        kind = "type.googleapis.com/google.apps.cloudidentity.policies.v1.Policy"
        shown = self._allowlist(moment) or {"name": name}
        operation["response"] = {"@type": kind, **shown}
        return replies.success(operation)

    def _allowlist(self, moment: Moment) -> Json | None:
        for policy in reversed(self.policies.all(moment.switches, moment.now)):
            if policy.setting == ALLOWLIST and policy.type == "ADMIN":
                return policy.shown(moment.customer, snake_case=moment.switches.snake_case)
        return None

    def _change(self, entries: list[str], moment: Moment, due: datetime) -> None:
        before = self.policies.saved(moment.now)
        self._log.allowlist_changed(before, entries, moment.actor, moment.now, moment.switches)
        self.policies.change(entries, due)

    def create(self, moment: Moment) -> Reply:
        """POST /v1/policies. Documented for rules and detectors of data loss prevention only."""
        return _refused(moment.switches) or _not_supported()

    def delete(self, name: str, moment: Moment) -> Reply:
        """DELETE /v1/policies/{policy}; see `create`."""
        if self._named(name, moment) is None:
            return replies.entity_not_found()
        return _refused(moment.switches) or _not_supported()


def _understood(text: str, moment: Moment) -> Filter | None:
    """A filter, or None if it is about another customer."""
    found = parsed(text)
    switches = moment.switches
    if found.uses_equality and not switches.type_equality:
        raise BadFilterError("setting.type == is not supported")
    if switches.older_filters and (found.uses_or or found.type_clauses > 1):
        raise BadFilterError("only && and one setting.type clause are supported")
    if len(found.customers) > 1:
        raise BadFilterError("there is more than one customer")  # discovery: one at a time
    own = {"customers/my_customer", f"customers/{moment.customer}"}
    return found if found.customers <= own else None


def _page(
    found: list[Policy], place: google_pages.Place, query: Mapping[str, str], moment: Moment
) -> Reply:
    """One page. With blank pages, every other one is blank: the first, the third, ...."""
    switches, at = moment.switches, place.at
    size = min(int(query.get("pageSize", "0")) or 50, 100, switches.page_limit or 100)  # discovery
    step, blank = (at // 2, at % 2 == 0) if switches.blank_pages else (at, False)
    policies = [] if blank else found[step * size : (step + 1) * size]
    answer: Json = {}
    if policies:  # an empty list is left out (protobuf's JSON mapping)
        answer["policies"] = [
            one.shown(moment.customer, snake_case=switches.snake_case) for one in policies
        ]
    if blank or (step + 1) * size < len(found):
        answer["nextPageToken"] = google_pages.token(replace(place, at=at + 1), query)
    return replies.success(answer)


def _refused(switches: Switches) -> Reply | None:
    """The refusals that a switch asks for; words ours."""
    match switches.mutate:
        case "unimplemented":
            told = "Operation is not implemented, or supported, or enabled."
            return replies.error(501, told)
        case "bad_request":
            return _not_supported()
        case "forbidden":
            return replies.not_super_admin()
    return None


def _not_supported() -> Reply:
    return replies.error(400, "Request contains an invalid argument.")  # words ours


def _is_main(held: Json) -> bool:
    """Whether it is the one policy that may be written: the allowlist's on the root unit."""
    query = held["policyQuery"]
    place = (query.get("orgUnit"), query.get("group"))
    kind = (held["setting"]["type"], held["type"])
    return place == (ROOT_UNIT, None) and kind == (ALLOWLIST, "ADMIN")


def _body_problem(body: Json, held: Json) -> str | None:
    """Discovery: what is required, and what is immutable."""
    told, kept = body.get("policyQuery") or {}, held["policyQuery"]
    setting = body.get("setting") or {}
    value = setting.get("value")
    if body.get("customer") != held["customer"]:
        return "customer is immutable"
    if told.get("orgUnit") != kept.get("orgUnit"):
        return "policy_query.org_unit is required and immutable"
    if told.get("group", kept.get("group")) != kept.get("group"):
        return "policy_query.group is immutable"
    if told.get("query", kept["query"]) != kept["query"]:
        return "policy_query.query is immutable"
    if setting.get("type") != held["setting"]["type"]:
        return "setting.type is required and immutable"
    if not isinstance(value, dict) or set(value) not in ({FIELD}, {"allowed_ip_addresses"}):
        return "setting.value is not that of this setting"
    if not _is_texts(next(iter(value.values()))):
        return "setting.value must be a list of strings"
    return None


def _is_texts(value: Json) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def _entries(body: Json) -> list[str]:
    """The entries of a body. DLP's bodies have snake_case keys; both are taken here."""
    value = body["setting"]["value"]
    entries: list[str] = next(iter(value.values()))
    return entries
