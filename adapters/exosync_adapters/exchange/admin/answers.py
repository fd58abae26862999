"""What a command gave: its records without the types beside them, and its warnings. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

NEXT = "@odata.nextLink"
WARNINGS = "@adminapi.warnings"

TEST_MODE = "test mode connector"
"""A part of the warning that a listing of connectors leaves some out (DLConversionV2#159)."""

_DELAYED = "micro delay applied"
"""That an answer was held back, since much was asked: Microsoft Support says to ignore it ("Micro
delay applied" warning or delays occur in Exchange Online, 2881759)."""

_CUT = re.compile(
    r"not (?:included|returned)|more results|only the first|result ?size", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Answer:
    """The records of a command, and what Exchange Online warns of.

    `truncated`: more is there than was given, or a part of it is no record. That connectors in
    test mode are left out, as they are unless they are asked for, is a warning alone.
    """

    value: tuple[Mapping[str, Any], ...] = ()
    warnings: tuple[str, ...] = ()
    truncated: bool = False


def answer(body: Mapping[str, Any], headers: Mapping[str, str]) -> Answer:
    """One page of an answer. The address of a further page makes it truncated.

    A `value` of null is no empty list: nobody has seen it.
    """
    found = body.get("value")
    listed = found if isinstance(found, list) else [] if found is None else [found]
    records = tuple(stripped(one) for one in listed if isinstance(one, Mapping))
    warnings = tuple(dict.fromkeys((*_warnings(body), *_headed(headers))))
    cut = (
        bool(body.get(NEXT))
        or found is None
        or len(records) < len(listed)
        or any(_CUT.search(one) and TEST_MODE not in one.lower() for one in warnings)
    )
    return Answer(records, warnings, cut)


def joined(pages: list[Answer], *, whole: bool) -> Answer:
    """The pages of an answer as one. `whole`: the last of them was the last there is.

    What an earlier page warns of as missing is then on the next.
    """
    last = len(pages) - 1
    warnings = [
        text
        for number, page in enumerate(pages)
        for text in page.warnings
        if not (whole and number < last and _CUT.search(text))
    ]
    return Answer(
        tuple(record for page in pages for record in page.value),
        tuple(dict.fromkeys(warnings)),
        not whole or pages[-1].truncated,
    )


def stripped(record: Mapping[str, Any]) -> dict[str, Any]:
    """A record without the sidecars that tell the types of its properties (`Name@data.type`)."""
    return {name: _plain(value) for name, value in record.items() if "@" not in name}


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return stripped(value)
    return [_plain(one) for one in value] if isinstance(value, list) else value


def _warnings(body: Mapping[str, Any]) -> Iterator[str]:
    found = body.get(WARNINGS)
    yield from _texts(found if isinstance(found, list) else [found])


def _headed(headers: Mapping[str, str]) -> Iterator[str]:
    """The header X-Warnings, whose form no source tells: a list in JSON, or a text."""
    text = headers.get("x-warnings", "").strip()
    try:
        found = json.loads(text)
    except ValueError:
        found = text
    yield from _texts(found if isinstance(found, list) else [found])


def _texts(found: list[Any]) -> Iterator[str]:
    for one in found:
        if isinstance(one, str) and one.strip() and _DELAYED not in one.lower():
            yield one.strip()
