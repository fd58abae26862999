"""Writing by the API's own patch, which is not documented for this setting: tried, not assumed.

Google documents create, patch and delete of policies for data loss prevention alone. What it
answers for other settings is unknown: GAM-team/GAM meets 400, 403, 404, 500 and 501 from these
methods. So a refusal is no failure: the step goes to a person, who would wait for ever if it
were tried in vain in each run. An answer that says yes is no proof either: the list is read back.
There is no compare-and-swap, and an operation cannot be polled (the API has no such method).
On a connection that had gone stale httplib2 sends the request once more: the whole policy twice
is the policy once.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

from exosync.core.target import Step
from exosync.errors import StepDeclined, TargetConflict, TargetUnreachable
from exosync_adapters.google_workspace.allowlist_plan import Aim, can_write
from exosync_adapters.google_workspace.faults import Fault, quoted
from exosync_adapters.google_workspace.policies import Allowlist, Listing
from exosync_adapters.google_workspace.scopes import Caller
from exosync_adapters.google_workspace.service import Google

DECLINING = frozenset({400, 403, 404, 501})
"""Statuses that say that this is not done. The policy has just been read, so 404 is no absence."""

REFUSALS = frozenset({"refused", "privilege", "not_found"})
"""Kinds of fault that are about the change; the others are about who asks, or pass."""

UNCERTAIN = frozenset({"unreachable", "strange", "busy"})
"""Kinds of fault after which it may have been written all the same."""

PAUSE = 2.0
"""Seconds between two looks at what was written."""

_TIMES = ("createTime", "updateTime", "deleteTime")

Read = Callable[[], Allowlist]


def write(google: Google, read: Read, step: Step, *, settle: float) -> None:
    """Patch the one list to the step's texts and wait until it shows.

    Raises TargetConflict where it is not as the step expects, StepDeclined where the API does
    not do it or where nothing has changed after `settle` seconds.
    """
    aim: Aim = step.detail
    found = read()
    if found.token == step.gives:
        return
    if found.token != step.expects or not can_write(found):
        raise TargetConflict(
            "the email allowlist was changed by somebody else since the plan was made; nothing "
            "was written: run again to plan from what is there now"
        )
    listing = found.lists[0]
    session = google.policies()
    google.pause_between()
    answer, fault = google.try_once(session, _patch(listing, aim))
    if fault is not None:
        if fault.kind in UNCERTAIN and read().token == step.gives:
            return
        _refused(fault)
    _answered(session.caller, answer)
    if not _shows(google, read, step.gives, settle):
        raise StepDeclined(
            f"the API answered that it is done or under way, but after {settle:g} s the list "
            "does not show it"
        )


def body_of(listing: Listing, texts: tuple[str, ...]) -> dict[str, Any]:
    """The whole policy with other entries, as GAM-team/GAM builds a body for patch.

    What only the service sets is left out; what is immutable stays; the key is spelled as it
    came.
    """
    body: dict[str, Any] = copy.deepcopy(dict(listing.policy))
    body.pop("name", None)
    body.pop("type", None)
    query = body.get("policyQuery", {})
    query.pop("sortOrder", None)
    if query.get("orgUnit") or query.get("group"):
        query.pop("query", None)
    value = {key: one for key, one in body["setting"].get("value", {}).items() if key not in _TIMES}
    body["setting"]["value"] = {**value, listing.key: list(texts)}
    return body


def _patch(listing: Listing, aim: Aim) -> Callable[[Any], Any]:
    body = body_of(listing, aim.texts)
    return lambda service: service.policies().patch(name=listing.name, body=body)


def _refused(fault: Fault) -> NoReturn:
    """A refusal of the method is declined; anything else is the failure that it is."""
    if fault.status == 500 or (fault.status in DECLINING and fault.kind in REFUSALS):
        raise StepDeclined(f"status {fault.status}: {fault.error}")
    if fault.kind in UNCERTAIN:
        raise TargetUnreachable(f"{fault.error}; nothing of the change shows")
    raise fault.error


def _answered(caller: Caller, operation: Mapping[str, Any]) -> None:
    """Raises StepDeclined for an operation that ended in an error."""
    error = operation.get("error")
    if isinstance(error, Mapping):
        told = quoted(error.get("message"))
        raise StepDeclined(f"{caller.api.title} ended the change with an error{told}")


def _shows(google: Google, read: Read, wanted: str, settle: float) -> bool:
    """Whether the list is as it should be, within the time."""
    waited = 0.0
    while read().token != wanted:
        if waited >= settle:
            return False
        google.pause(PAUSE)
        waited += PAUSE
    return True
