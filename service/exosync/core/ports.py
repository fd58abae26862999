"""TCP and UDP ports as the endpoints web service writes them: `143, 587, 993-995`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

_PART = re.compile(r"([0-9]{1,5})(?:\s*-\s*([0-9]{1,5}))?")


@dataclass(frozen=True, slots=True)
class Ports:
    """A set of ports. `spans` are its ranges (first, last), in order, none touching the next."""

    spans: tuple[tuple[int, int], ...] = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read one text with commas, blanks and ranges in it; a blank text is no port.

        Raises ValueError if a part is neither a port nor a range of ports (1 to 65535).
        """
        parts = (part.strip() for part in text.split(","))
        return cls(_merged(_span(part) for part in parts if part))

    def __contains__(self, port: object) -> bool:
        return isinstance(port, int) and any(first <= port <= last for first, last in self.spans)

    def __bool__(self) -> bool:
        return bool(self.spans)

    def __str__(self) -> str:
        return ", ".join(
            str(first) if first == last else f"{first}-{last}" for first, last in self.spans
        )


def _span(part: str) -> tuple[int, int]:
    found = _PART.fullmatch(part)
    if not found:
        raise ValueError(f"{part[:40]!a} is neither a port nor a range of ports")
    first, last = int(found[1]), int(found[2] or found[1])
    if not 1 <= first <= last <= 65_535:
        raise ValueError(f"{part!a} is not within 1 to 65535, in order")
    return first, last


def _merged(spans: Iterable[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    found: list[tuple[int, int]] = []
    for first, last in sorted(spans):
        if found and first <= found[-1][1] + 1:
            found[-1] = (found[-1][0], max(last, found[-1][1]))
        else:
            found.append((first, last))
    return tuple(found)
