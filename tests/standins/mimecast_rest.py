"""The policy functions of the stand-in of Mimecast: /policy-management/cloud-gateway/v1."""

from __future__ import annotations

import itertools
import json
from typing import Any

from tests.standins.mimecast_forms import as_read, taken, wrongs
from tests.standins.mimecast_paging import asked_page, next_token, wrapped
from tests.standins.mimecast_policies import Entry, Fields, Policies, dangers, merged, with_defaults
from tests.standins.mimecast_replies import Refused, Wrong, json_reply
from tests.standins.mimecast_switches import Switches
from tests.standins.web import Reply, Request

Json = Any


class PolicyFunctions:
    """What can be done with the policies of an account, one family a call."""

    def __init__(self, policies: Policies, dangerous: list[str]) -> None:
        self._policies = policies
        self._dangerous = dangerous
        self._turns = itertools.count(1)

    def answer(self, request: Request, family: str, wanted: str, switches: Switches) -> Reply:
        """The answer to a call; `wanted` is the policy's id, or empty."""
        match request.method, bool(wanted):
            case "GET", False:
                return self._list(request, family, switches)
            case "POST", False:
                return self._create(json_body(request), family, switches)
            case "GET", True:
                return self._read(family, wanted, switches)
            case "PATCH", True:
                return self._update(json_body(request), family, wanted, switches)
        return self._delete(family, wanted, switches)

    def _list(self, request: Request, family: str, switches: Switches) -> Reply:
        page = asked_page(request.query, switches)
        if switches.rotate_ids and page.is_first:
            self._policies.rotate(family)
        now, turn = self._policies.now(), next(self._turns)
        shown = self._policies.shown(family, now)
        # A bare list has no place for a token: all of it comes at once.
        is_bare = switches.list_wrapper == "bare"
        part = shown if is_bare else shown[page.start : page.start + page.size]
        found = [one for one in (entry.shown(now) for entry in part) if one]
        items = [as_read(one, switches, turn) for one in found]
        return json_reply(wrapped(items, next_token(page, len(shown), switches), switches))

    def _create(self, body: Json, family: str, switches: Switches) -> Reply:
        self._validate(body, family, switches)
        fields = with_defaults(family, taken(family, body))
        made = self._policies.add(family, fields, delay=switches.delay_seconds)
        self._dangerous += dangers(f"POST {family}", [made])
        return json_reply({switches.create_answer: made.id}, 201)  # the status: unknown

    def _read(self, family: str, wanted: str, switches: Switches) -> Reply:
        entry = self._entry(family, wanted, switches)
        shown = entry.shown(self._policies.now())
        if shown is None:
            raise _not_found()
        return json_reply(as_read(shown, switches, next(self._turns)))

    def _update(self, body: Json, family: str, wanted: str, switches: Switches) -> Reply:
        entry, before = self._held(family, wanted, switches)
        self._validate(body, family, switches, but=entry)
        after = merged(
            before,
            taken(family, body),
            add_lists=switches.patch_lists == "add",
            empty_clears=switches.empty_list_clears,
        )
        self._policies.change(entry, after, delay=switches.delay_seconds)
        self._dangerous += dangers(f"PATCH {family}", [one for one in [entry.held] if one])
        if switches.patch_answer == 204:
            return Reply(204)
        return json_reply({"id": entry.ids[-1]})

    def _delete(self, family: str, wanted: str, switches: Switches) -> Reply:
        entry, _ = self._held(family, wanted, switches)
        self._policies.change(entry, None, delay=switches.delay_seconds)
        return Reply(204)  # TF's tests

    def _entry(self, family: str, wanted: str, switches: Switches) -> Entry:
        entry = self._policies.find(family, wanted, old_ids=switches.old_ids_work)
        if entry is None:
            raise _not_found()
        return entry

    def _held(self, family: str, wanted: str, switches: Switches) -> tuple[Entry, Fields]:
        entry = self._entry(family, wanted, switches)
        held = entry.held
        if held is None:
            raise _not_found()
        return entry, held.fields

    def _validate(
        self, body: Json, family: str, switches: Switches, *, but: Entry | None = None
    ) -> None:
        found = list(wrongs(family, body, switches))
        if found:
            raise Refused(400, found)
        if switches.duplicate_descriptions or "description" not in body:
            return
        own = but.held if but else None
        others = [one for one in self._policies.held(family) if one != own]
        if body["description"] in [one.description for one in others]:
            wrong = Wrong("err_policy_exists", "is there already", "description")  # ours
            raise Refused(409, [wrong])


def json_body(request: Request) -> Json:
    """The object in the body of a request."""
    try:
        found = json.loads(request.body)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise Refused(400, [Wrong("err_validation_body", "is not a JSON object", "body")])
    return found


def _not_found() -> Refused:
    """The body of a 404 is unknown."""
    return Refused(404, [Wrong("err_not_found", "There is no such policy.")])
