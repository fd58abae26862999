"""The kinds of value that the section `alerts` holds, as pydantic reads and writes them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from email.utils import parseaddr
from fnmatch import fnmatchcase
from typing import Annotated, Any

from pydantic import AfterValidator, PlainSerializer, PlainValidator, WithJsonSchema

from exosync.config import types
from exosync.core.secret import SecretRef
from exosync.core.urls import check_http_url, check_proxy_url, has_credentials

EVENT_KINDS = (
    "acknowledged",
    "applied",
    "approved",
    "channel_down",
    "channel_up",
    "config_changed",
    "config_refused",
    "credential_ending",
    "drift",
    "drift_repaired",
    "feed_adopted",
    "feed_back",
    "feed_refused",
    "feed_stale",
    "heartbeat",
    "paused",
    "person_needed",
    "plan_waits",
    "ranges_changed",
    "refused",
    "resumed",
    "run_interrupted",
    "service_started",
    "step_dropped",
    "step_overdue",
    "step_seen",
    "still_failing",
    "target_back",
    "target_failed",
    "target_recovered",
    "target_slow",
    "target_stale",
)
"""Every kind of event that there is, so that a channel cannot be deaf by a typing error."""

_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9.-]{1,253}")
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?|\[?[0-9A-Fa-f:.]{2,45}\]?")


def _event(pattern: str) -> str:
    if not any(fnmatchcase(kind, pattern) for kind in EVENT_KINDS):
        raise ValueError(f"there is no event {pattern!r}: docs/reference/events.md has them all")
    return pattern


def _address(text: str) -> str:
    if not _ADDRESS.fullmatch(text) or ".." in text:
        raise ValueError("must be an address like ops@example.com")
    return text


def _sender(text: str) -> str:
    _address(parseaddr(text)[1])
    if not text.isprintable():
        raise ValueError("must be one line without control characters")
    return text


def _host(text: str) -> str:
    if not _HOST.fullmatch(text):
        raise ValueError("must be the name or address of a host, without a port")
    return text.strip("[]")


def _proxy(text: str) -> str:
    check_proxy_url(text)
    if has_credentials(text):
        raise ValueError("a password is not written into the file: give the proxy by HTTPS_PROXY")
    return text


def _place(value: object) -> str | SecretRef:
    if isinstance(value, SecretRef):
        return value
    if isinstance(value, str):
        return check_http_url(value)
    if isinstance(value, Mapping):
        return SecretRef.model_validate(value)
    raise ValueError("must be an https address, or where it stands: {file: PATH} or {env: NAME}")


def _plain_place(value: str | SecretRef) -> Any:
    return value if isinstance(value, str) else value.model_dump(mode="json", exclude_none=True)


_PLACE_SCHEMA: dict[str, Any] = {
    "anyOf": [
        {"type": "string", "minLength": 1},
        {
            "type": "object",
            "additionalProperties": False,
            "properties": {"file": {"type": "string"}, "env": {"type": "string", "minLength": 1}},
            "oneOf": [{"required": ["file"]}, {"required": ["env"]}],
        },
    ]
}

EventPattern = Annotated[str, AfterValidator(_event), types.Told("kind of event, or pattern")]
MailAddress = Annotated[str, AfterValidator(_address), types.Told("mail address")]
Sender = Annotated[str, AfterValidator(_sender), types.Told("mail address")]
Host = Annotated[str, AfterValidator(_host), types.Told("host")]
Place = Annotated[
    str | SecretRef,
    PlainValidator(_place),
    PlainSerializer(_plain_place),
    WithJsonSchema(_PLACE_SCHEMA),
    types.Told("https address, or secret reference, {file: PATH} or {env: NAME}"),
]
Proxy = Annotated[str, AfterValidator(_proxy), types.Told("address of a proxy")]
