"""The kinds of value that a configuration holds, as pydantic reads and writes them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BeforeValidator,
    PlainSerializer,
    PlainValidator,
    WithJsonSchema,
)

from exosync.core import units
from exosync.core.listen import check_listen
from exosync.core.pace import CRON_PATTERN, Pace
from exosync.core.ranges import IpRanges
from exosync.core.urls import check_http_url, check_proxy_url
from exosync.core.windows import WINDOW_PATTERN, Window

INSTANCES = ("Worldwide", "China", "USGovDoD", "USGovGCCHigh")
"""Microsoft's clouds, as the endpoints web service spells them."""

MOST_CIDRS = 10_000
_ANY_DAY = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Told:
    """The words by which the documentation calls a type."""

    words: str


def _duration(value: object) -> timedelta:
    if isinstance(value, timedelta):
        return value
    return units.parse_duration(_text(value, "a duration", "30d"))


def _share(value: object) -> units.Share:
    if isinstance(value, units.Share):
        return value
    return units.Share.parse(_text(value, "a share", "10%"))


def _part(value: object) -> units.Share:
    share = _share(value)
    if share > units.Share(Fraction(1)):
        raise ValueError("must be at most 100%: nothing shrinks by more")
    return share


def _size(value: object) -> int:
    # Already parsed is only what a default holds; defaults are not validated.
    return units.parse_size(_text(value, "a size", "8MiB"))


def _pace(value: object) -> Pace:
    if isinstance(value, Pace):
        return value
    pace = Pace.parse(_text(value, "an interval or a cron expression", "1h"))
    if pace.cron is not None:
        # What each field may hold is what the scheduler takes; it is slow to import.
        from apscheduler.triggers.cron import CronTrigger

        if CronTrigger(**pace.fields(), timezone=UTC).get_next_fire_time(None, _ANY_DAY) is None:
            raise ValueError("there is no such day in any year")
    return pace


def _windows(value: object) -> tuple[Window, ...]:
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, list | tuple):
        raise ValueError("must be a list of windows like Mon-Fri 09:00-17:00 Europe/Berlin")
    return tuple(one if isinstance(one, Window) else _window(one) for one in texts)


def _window(value: object) -> Window:
    return Window.parse(_text(value, "a window", "Mon-Fri 09:00-17:00 Europe/Berlin"))


def _text(value: object, what: str, example: str) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, str):
        return value
    raise ValueError(f"{what} is written as text, like {example}")


def _instance(value: object) -> object:
    if isinstance(value, str):
        return next((name for name in INSTANCES if name.lower() == value.strip().lower()), value)
    return value


def _lower(value: object) -> object:
    return value.strip().lower() if isinstance(value, str) else value


def _one_line(value: str) -> str:
    text = value.strip()
    if not text:
        raise ValueError("must not be empty")
    if not text.isprintable():
        raise ValueError("must be one line without control characters")
    return text


def _cidrs(value: object) -> IpRanges:
    if isinstance(value, IpRanges):
        return value
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, list | tuple) or not all(isinstance(text, str) for text in texts):
        raise ValueError("must be a CIDR like 40.95.0.0/16, or a list of them")
    if not 0 < len(texts) <= MOST_CIDRS:
        raise ValueError(f"holds {len(texts):,} CIDRs; 1 to {MOST_CIDRS:,} are accepted")
    return IpRanges.parse([text.strip() for text in texts])


def _state(value: str) -> str:
    if re.fullmatch(r"sqlite:(//)?/?(:memory:.*)?", value):
        raise ValueError("the state must outlive the process: write sqlite:///FILE")
    if not re.match(r"[a-z][a-z0-9+]*://.", value):
        raise ValueError("the state is written as sqlite:///FILE")
    return value


def _matching(pattern: str, words: str) -> AfterValidator:
    def check(value: str) -> str:
        if not re.fullmatch(pattern, value):
            raise ValueError(f"must be {words}")
        return value

    return AfterValidator(check)


def _schema_text(pattern: str) -> WithJsonSchema:
    return WithJsonSchema({"anyOf": [{"type": "string", "pattern": pattern}, {"const": 0}]})


_LIST_OF_CIDRS: dict[str, Any] = {
    "anyOf": [
        {"type": "string", "minLength": 1},
        {"type": "array", "items": {"type": "string", "minLength": 1}, "minItems": 1},
    ]
}

Duration = Annotated[
    timedelta,
    PlainValidator(_duration),
    PlainSerializer(units.duration_text, return_type=str),
    _schema_text(units.DURATION_PATTERN),
    Told("duration"),
]
Share = Annotated[
    units.Share,
    PlainValidator(_share),
    PlainSerializer(str, return_type=str),
    _schema_text(units.SHARE_PATTERN),
    Told("share"),
]
PartShare = Annotated[
    units.Share,
    PlainValidator(_part),
    PlainSerializer(str, return_type=str),
    _schema_text(units.SHARE_PATTERN),
    Told("share"),
]
Size = Annotated[
    int,
    PlainValidator(_size),
    PlainSerializer(units.size_text, return_type=str),
    _schema_text(units.SIZE_PATTERN),
    Told("size"),
]
PaceText = Annotated[
    Pace,
    PlainValidator(_pace),
    PlainSerializer(str, return_type=str),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "pattern": units.DURATION_PATTERN},
                {"type": "string", "pattern": CRON_PATTERN},
                {"enum": ["@hourly", "@daily", "@weekly"]},
            ]
        }
    ),
    Told("duration, or cron expression"),
]
WindowTexts = Annotated[
    tuple[Window, ...],
    PlainValidator(_windows),
    PlainSerializer(lambda windows: [one.text for one in windows], return_type=list[str]),
    WithJsonSchema({"type": "array", "items": {"type": "string", "pattern": WINDOW_PATTERN}}),
    Told("list of windows"),
]
Cidrs = Annotated[
    IpRanges,
    PlainValidator(_cidrs),
    PlainSerializer(lambda ranges: list(ranges.cidrs()), return_type=list[str]),
    WithJsonSchema(_LIST_OF_CIDRS),
    Told("CIDR, or list of CIDRs"),
]
HttpUrl = Annotated[str, AfterValidator(check_http_url), Told("https address")]
ProxyUrl = Annotated[str, AfterValidator(check_proxy_url), Told("address of a proxy")]
StateUrl = Annotated[str, AfterValidator(_state), Told("address of a database")]
Listen = Annotated[str, AfterValidator(check_listen), Told("address and port")]
OneLine = Annotated[str, AfterValidator(_one_line), Told("text of one line")]
Owner = Annotated[
    str,
    _matching(r"[a-z0-9][a-z0-9-]{0,31}", "1 to 32 of a-z, 0-9 and -, not starting with -"),
    Told("text"),
]
TargetName = Annotated[
    str,
    _matching(
        r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}",
        "1 to 63 letters, digits, _, . and -, starting with a letter or digit",
    ),
    Told("text"),
]
ANY_CASE = BeforeValidator(_lower)
ANY_CASE_INSTANCE = BeforeValidator(_instance)
