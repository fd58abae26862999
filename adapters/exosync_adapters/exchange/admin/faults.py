"""What an answer of Exchange Online or Graph says is wrong, and the error that it becomes. Pure.

The shapes are those that public clients of InvokeCommand report (KelvinTegelaar/CIPP-API,
rknightion/graph2otel, cisagov/ScubaGear): the status and `error.message` are generic, what
happened stands in `error.details` as `ExNNNNNN|.NET type|text`, or in
`error.innererror.internalexception`. Microsoft documents none of it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import Enum, auto
from typing import Any

from exosync.core.words import one_line, short
from exosync.errors import TargetDenied, TargetError, TargetUnreachable
from exosync_adapters.exchange import moments
from exosync_adapters.exchange.admin.roles import needed

_MOST_SHOWN = 300
_DAY = 86_400


class Trouble(Enum):
    """What kind of trouble an answer tells of."""

    TOKEN = auto()
    DENIED = auto()
    PARAMETER = auto()
    THROTTLED = auto()
    MISSING = auto()
    EXISTS = auto()
    DEHYDRATED = auto()
    PAGE_GONE = auto()
    REJECTED = auto()
    BROKEN = auto()
    STRANGE = auto()


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong: `type` is the .NET type of the exception, `text` what it says.

    `wait` are the seconds that the vendor asks to wait for, if it says so.
    """

    trouble: Trouble
    status: int
    type: str = ""
    text: str = ""
    wait: float | None = None

    @property
    def told(self) -> str:
        """The vendor's words in one line, or the status alone where it says nothing."""
        kind = self.type.rpartition(".")[2]
        words = f"{self.text} ({kind})" if kind else self.text
        return one_line(short(words, _MOST_SHOWN)) or f"HTTP status {self.status} without words"


class RejectedError(TargetError):
    """Exchange Online did not do what it was asked for. `fault` is what it says of it."""

    def __init__(self, message: str, *, fault: Fault) -> None:
        super().__init__(message)
        self.fault = fault


class MissingError(RejectedError):
    """There is no such object as was named."""


class ExistsError(RejectedError):
    """An object of that name is there already.

    Likely, not seen for connectors and rules: ADObjectAlreadyExistsException, "already exists".
    """


class DehydratedError(RejectedError):
    """The organisation was never customised, and takes no such object before it is."""


class ParameterError(TargetDenied):
    """The command may be run, one of its parameters may not: a role without it."""

    def __init__(self, message: str, *, fault: Fault) -> None:
        super().__init__(message)
        self.fault = fault


class UnansweredError(TargetUnreachable):
    """Something was sent to be written, and whether it was is not known."""


_TYPES = (
    # ManagementObjectNotFoundException, and in one client's words ObjectNotFoundException.
    ("ObjectNotFoundException", Trouble.MISSING),
    ("ADObjectAlreadyExistsException", Trouble.EXISTS),
    ("InvalidOperationInDehydratedContextException", Trouble.DEHYDRATED),
)
_TEXTS = (
    ("is not present in the role definition", Trouble.PARAMETER),
    ("parameter cannot be found that matches", Trouble.PARAMETER),
    ("Unable to initialize the authorization context", Trouble.DENIED),
    ("isn't supported in this scenario", Trouble.DENIED),
    ("Expired or Invalid pagination request", Trouble.PAGE_GONE),
    ("already exists", Trouble.EXISTS),
)
_STATUSES = {
    401: Trouble.TOKEN,
    403: Trouble.DENIED,
    408: Trouble.BROKEN,
    429: Trouble.THROTTLED,
}


def judge(
    status: int, headers: Mapping[str, str], body: bytes, *, now: datetime
) -> tuple[Mapping[str, Any], Fault | None]:
    """The JSON object of an answer (empty if it has none), and what is wrong, if anything.

    The names of `headers` are in lower case. `now` is used where the answer has no date.
    """
    value = _decoded(body)
    if 200 <= status < 300:
        if value is None and body.strip():
            return {}, Fault(Trouble.STRANGE, status, text="the answer is not a JSON object")
        return value or {}, None
    type_, text = _said(value or {})
    trouble = _trouble(status, type_, text)
    return value or {}, Fault(trouble, status, type_, text, _wait(trouble, headers, now))


def error(what: str, cmdlet: str, fault: Fault, *, later: str = "") -> TargetError:
    """The error that a fault becomes; `what` names the host and the command for people.

    `later` is what becomes of it once Microsoft is to be left alone: without it the next run asks.
    """
    told = f"{what}: {fault.told}"
    if fault.trouble in _KINDS:
        return _KINDS[fault.trouble](told, fault=fault)
    match fault.trouble:
        case Trouble.TOKEN | Trouble.DENIED:
            return TargetDenied(f"{told}; {needed(cmdlet)}")
        case Trouble.PARAMETER:
            return ParameterError(f"{told}; {needed(cmdlet)}", fault=fault)
        case Trouble.DEHYDRATED:
            return DehydratedError(f"{told}; {NOT_CUSTOMISABLE}", fault=fault)
        case Trouble.THROTTLED:
            asked = "" if fault.wait is None else f" for {fault.wait:.0f} s more"
            return TargetUnreachable(
                f"{what}: Microsoft asks to be left alone{asked}: {fault.told}; {later or _LEAVE_ALONE}"
            )
        case Trouble.BROKEN:
            return TargetUnreachable(f"{what}: Microsoft's service fails: {fault.told}")
    return TargetError(f"{told}; see whether a proxy or a wrong `url` answers instead")


_KINDS: Mapping[Trouble, type[RejectedError]] = {
    Trouble.MISSING: MissingError,
    Trouble.EXISTS: ExistsError,
    Trouble.PAGE_GONE: RejectedError,
    Trouble.REJECTED: RejectedError,
}

_LEAVE_ALONE = (
    "the next run tries again by itself; if it goes on, see what else asks so much of this tenant"
)

NOT_CUSTOMISABLE = (
    "the organization was never customized: an administrator runs Enable-OrganizationCustomization "
    "once, which cannot be undone and takes half an hour or more; exosync never does"
)


def _decoded(body: bytes) -> Mapping[str, Any] | None:
    """A JSON object; None for anything else, such as the NUL bytes of a refusal."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _trouble(status: int, type_: str, text: str) -> Trouble:
    """What type and text say, where they are known, else what the status says."""
    if status >= 500:
        return Trouble.BROKEN
    for part, trouble in _TYPES:
        if part in type_:
            return trouble
    for part, trouble in _TEXTS:
        if part.lower() in text.lower():
            return trouble
    # Of a path that is wrong a 404 says nothing about the object.
    if status == 404 and "couldn't be found" in text:
        return Trouble.MISSING
    if 300 <= status < 400:
        return Trouble.STRANGE
    return _STATUSES.get(status, Trouble.REJECTED)


def _said(value: Mapping[str, Any]) -> tuple[str, str]:
    """The type and the text of an error, from the first place that has any."""
    failed = _mapping(value.get("error"))
    for detail in _details(failed):
        return detail
    inner = _mapping(failed.get("innererror"))
    deepest = _mapping(inner.get("internalexception"))
    for one in (deepest, inner, failed):
        if text := _text(one.get("message")):
            return _text(one.get("type") or one.get("code")), text
    return "", _text(value.get("error_description")) or _text(value.get("error"))


def _details(failed: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """`ExNNNNNN|type|text` or `|type|text`, or the same as JSON; another form is text alone."""
    found = failed.get("details")
    for one in found if isinstance(found, list) else [found]:
        message = _text(_mapping(one).get("message"))
        thrown = _decoded(message.encode("utf-8", "replace")) or {}
        if text := _text(thrown.get("Message")):
            yield _text(thrown.get("TypeName")), text
        elif found_parts := re.fullmatch(r"\w*\|([\w.+`]*)\|(.*)", message, re.DOTALL):
            yield found_parts[1], found_parts[2]
        elif message:
            yield "", message


def _wait(trouble: Trouble, headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds by Retry-After, or until Rate-Limit-Reset, an ISO time; None if neither tells any.

    The latter was seen on answers that were no refusals too; Retry-After never (graph2otel),
    except by Graph. A time that is over says nothing, nor does one in days from now: a clock is
    wrong, or it is none of Microsoft's.
    """
    if trouble not in (Trouble.THROTTLED, Trouble.BROKEN):
        return None
    after = headers.get("retry-after", "").strip()
    if re.fullmatch(r"\d{1,9}", after):
        return float(after)
    until = _date(after)
    if until is None and trouble is Trouble.THROTTLED:
        until = moments.written(headers.get("rate-limit-reset", ""))
    there = _date(headers.get("date", "")) or now
    seconds = 0.0 if until is None else (until - there).total_seconds()
    return seconds if 0 < seconds < _DAY else None


def _date(text: str) -> datetime | None:
    """A date of HTTP."""
    try:
        when = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return when if when.tzinfo else when.replace(tzinfo=UTC)


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _text(value: object) -> str:
    return value.strip() if isinstance(value, str) else ""
