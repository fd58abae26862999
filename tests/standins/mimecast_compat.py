"""The older functions for the same bypass policies: /api/policy/antispoofing-bypass.

INT, of API 1.0; TF's ledger: 2.0 has them too. An update takes the whole policy's place: what it
leaves out goes back to what it is when nobody says (DEM, pull request 45292). The shape of the
object is DEM's data of a real account; `fromType` and `toType`, which repeat the targets, are
left out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from tests.standins.mimecast_forms import as_read, taken, wrongs
from tests.standins.mimecast_policies import Entry, Policies, Policy, with_defaults
from tests.standins.mimecast_replies import Wrong, json_reply, nested_failures
from tests.standins.mimecast_rest import json_body
from tests.standins.mimecast_switches import Switches
from tests.standins.web import Reply, Request

Json = Any

FAMILY = "anti-spoofing-bypass"
FUNCTIONS = ("create-policy", "get-policy", "update-policy", "delete-policy")
_NOT_FOUND = Wrong("err_not_found", "There is no such policy.", "id")  # ours
_MOST = 500  # what a get gives at most, as Cyware's documentation of its connector says
_DATES = {"fromDateTime": "fromDate", "toDateTime": "toDate"}
_BACK = {old: new for new, old in _DATES.items()}


class CompatFunctions:
    """What can be done with bypass policies in the older way, one item a policy."""

    def __init__(self, policies: Policies) -> None:
        self._policies = policies

    def answer(self, request: Request, function: str, switches: Switches) -> Reply:
        """The answer to a call: status 200 whatever happens, failures within."""
        items = json_body(request).get("data") or []
        functions: Mapping[str, Callable[[Json, Switches], Json | Wrong]] = {
            "create-policy": self._create,
            "update-policy": self._update,
            "delete-policy": self._delete,
            "get-policy": self._read,
        }
        if function == "get-policy" and not items:
            entries = self._policies.shown(FAMILY, self._policies.now())[:_MOST]
            found = [self._shown(one, switches) for one in entries]
            return _reply([one for one in found if not isinstance(one, Wrong)], [])
        results = [(item, functions[function](item, switches)) for item in items]
        done = [result for _, result in results if not isinstance(result, Wrong)]
        failed = [(item, result) for item, result in results if isinstance(result, Wrong)]
        return _reply(done, nested_failures(failed))

    def _create(self, item: Json, switches: Switches) -> Json | Wrong:
        fields = _fields(item)
        wrong = next(wrongs(FAMILY, fields, switches), None)
        if wrong:
            return wrong
        made = self._policies.add(FAMILY, fields, delay=switches.delay_seconds)
        return self._known(made.id, switches, lambda entry: _form(entry, entry.held, switches))

    def _update(self, item: Json, switches: Switches) -> Json | Wrong:
        fields = _fields(item)
        wrong = next(wrongs(FAMILY, fields, switches), None)

        def change(entry: Entry) -> Json:
            self._policies.change(entry, fields, delay=switches.delay_seconds)
            return _form(entry, entry.held, switches)

        return wrong or self._known(item.get("id"), switches, change)

    def _delete(self, item: Json, switches: Switches) -> Json | Wrong:
        def remove(entry: Entry) -> Json:
            self._policies.change(entry, None, delay=switches.delay_seconds)
            return {"id": item["id"]}

        return self._known(item.get("id"), switches, remove)

    def _read(self, item: Json, switches: Switches) -> Json | Wrong:
        return self._known(item.get("id"), switches, lambda entry: self._shown(entry, switches))

    def _known(
        self, wanted: Json, switches: Switches, then: Callable[[Entry], Json]
    ) -> Json | Wrong:
        entry = self._policies.find(FAMILY, str(wanted), old_ids=switches.old_ids_work)
        if entry is None or entry.held is None:
            return _NOT_FOUND
        return then(entry)

    def _shown(self, entry: Entry, switches: Switches) -> Json | Wrong:
        return _form(entry, entry.shown(self._policies.now()), switches)


def _form(entry: Entry, policy: Policy | None, switches: Switches) -> Json | Wrong:
    if policy is None:
        return _NOT_FOUND
    found = as_read(policy, switches, turn=1)
    rest = {_DATES.get(name, name): value for name, value in found.items()}
    domains = rest.pop("spfDomains", None)
    return {
        "id": rest.pop("id"),
        "option": rest.pop("option", ""),
        "policy": {
            **rest,
            "conditions": {"spfDomains": domains} if domains else {},
            "createTime": _second(entry.created),
            "lastUpdated": _second(entry.updated),
        },
    }


def _fields(item: Json) -> Mapping[str, Json]:
    policy = {_BACK.get(name, name): value for name, value in item.get("policy", {}).items()}
    conditions = policy.pop("conditions", {})
    written = {**policy, "option": item.get("option"), **conditions}
    return with_defaults(FAMILY, taken(FAMILY, written))


def _reply(data: list[Json], fail: list[Json]) -> Reply:
    return json_reply({"meta": {"status": 200}, "data": data, "fail": fail})


def _second(time: datetime) -> str:
    """DEM: the resolution is one second."""
    return time.strftime("%Y-%m-%dT%H:%M:%S%z")
