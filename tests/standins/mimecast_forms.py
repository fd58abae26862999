"""How a policy is written and how it reads: the two differ, and reading differs by account."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from tests.standins.mimecast_policies import FAMILIES, LISTS, Fields, Policy
from tests.standins.mimecast_ranges import read_back, wrong_ranges
from tests.standins.mimecast_replies import Wrong
from tests.standins.mimecast_switches import Switches, TimeFormat

Json = Any

TARGETS = {  # POR
    "everyone": None,
    "internal_addresses": None,
    "external_addresses": None,
    "email_domain": "domain",
    "profile_group": "groupId",
    "address_attribute_value": "attribute",
    "individual_email_address": "emailAddress",
}

_FROM_PARTS = ("envelope_from", "header_from", "both")  # VEL; POR: the bypass knows "both" alone
_PLAIN = ("description", "option", "definitionId", "fromPart")
_FLAGS = ("enabled", "enforced", "override", "bidirectional", "fromEternal", "toEternal")
_TIMES = ("fromDateTime", "toDateTime")

# DEM's data of a real account, of the 1.0 policy; whether this API gives them too is unknown.
_ETERNAL = {
    "fromDateTime": datetime(1900, 1, 1, tzinfo=UTC),
    "toDateTime": datetime(2100, 1, 1, 23, 59, 59, tzinfo=UTC),
}

_TIME_FORMATS: Mapping[TimeFormat, str] = {
    "offset": "%Y-%m-%dT%H:%M:%S%z",
    "zulu": "%Y-%m-%dT%H:%M:%SZ",
    "date": "%Y-%m-%d",
}


def taken(family: str, body: Fields) -> Fields:
    """The fields of a written policy that its family has; the rest is passed over (ours)."""
    known = (*_PLAIN, "from", "to", *_FLAGS, *_TIMES, *LISTS.get(family, ()))
    found = {name: body[name] for name in known if name in body and body[name] is not None}
    return {
        name: _target(value) if name in ("from", "to") else value for name, value in found.items()
    }


def wrongs(family: str, body: Fields, switches: Switches) -> Iterator[Wrong]:
    """What is wrong with a written policy. The codes are ours."""
    options, option = FAMILIES[family], body.get("option")
    if option is not None and options and option not in options:
        yield Wrong("err_validation_option", f"must be one of {', '.join(options)}", "option")
    if body.get("fromPart", "both") not in _from_parts(family):
        yield Wrong("err_validation_from_part", "is not a part of a message", "fromPart")
    most, description = switches.max_description, str(body.get("description", ""))
    if most is not None and len(description) > most:
        yield Wrong("err_validation_length", f"at most {most} characters", "description")
    for side in ("from", "to"):
        if side in body:
            yield from _wrong_target(side, body[side])
    for name in _TIMES:
        if name in body and _time(body[name]) is None:
            yield Wrong("err_validation_date", "is not a time", name)
    if "sourceIPs" in LISTS.get(family, ()):
        yield from wrong_ranges(body.get("sourceIPs") or (), switches)


def as_read(policy: Policy, switches: Switches, turn: int) -> Json:
    """A policy as an answer shows it."""
    found: dict[str, Json] = {"id": policy.id}
    for name, value in policy.fields.items():
        if isinstance(value, list):
            found.update(_list(name, value, switches, turn))
        elif name not in _TIMES:
            found[name] = value
    for name, eternal in _ETERNAL.items():
        since = _time(policy.fields.get(name)) or eternal
        found[name] = since.strftime(_TIME_FORMATS[switches.time_format])
    return found


def _list(name: str, value: list[str], switches: Switches, turn: int) -> Mapping[str, Json]:
    if value:
        return {name: read_back(value, switches, turn)}
    shown: Mapping[str, Mapping[str, Json]] = {
        "[]": {name: []},
        "null": {name: None},
        "absent": {},
    }
    return shown[switches.empty_as]


def _target(written: Json) -> Json:
    """POR: `groupId` when it is written reads as `group`."""
    if "groupId" not in written:
        return dict(written)
    rest = {name: value for name, value in written.items() if name != "groupId"}
    return {**rest, "group": {"id": written["groupId"]}}


def _wrong_target(side: str, target: Json) -> Iterator[Wrong]:
    kind = target.get("type") if isinstance(target, dict) else None
    if kind not in TARGETS:
        yield Wrong("err_validation_target", "is not a type of target", f"{side}.type")
        return
    needed = TARGETS[kind]
    if needed and not target.get(needed):
        yield Wrong("err_validation_target", f"{kind} needs it", f"{side}.{needed}")


def _from_parts(family: str) -> tuple[str, ...]:
    return ("both",) if family == "anti-spoofing-bypass" else _FROM_PARTS


def _time(text: Json) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
