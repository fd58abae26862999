"""What a file target refuses and finds, and the words for it. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from exosync.core.ranges import IpRanges
from exosync.core.target import Finding, Refusal
from exosync.core.words import plural
from exosync_adapters.file.mark import Mark
from exosync_adapters.file.reading import Reading

EMPTY = Refusal(
    "empty",
    "no range of the address families that this target gets is desired",
    seen="0 ranges",
    limit="1",
    setting="families",
)
"""A list without any range means "everybody" to one program and "nobody" to the next."""

_FEW = 4


def foreign_owner(path: Path, mark: Mark, reading: Reading) -> Refusal:
    """The file is somebody else's."""
    words = reading.owner_words
    return Refusal(
        "foreign_owner",
        f"{path} is not this target's file ({words}): take it over with "
        f"`exosync adopt {mark.target}`, or choose another path",
        seen=words,
        limit=f"the mark of owner={mark.owner}, target={mark.target}",
    )


def markless(template: Path | None) -> Refusal:
    """The text that a template makes would be foreign as soon as it is written."""
    return Refusal(
        "template_mark",
        f"{template} does not print {{{{ mark }}}}, so exosync could not tell that the file is "
        "its own: put it into a comment of the template",
        seen="no mark of this target alone",
        limit="the mark",
        setting="template",
    )


def unreadable(template: Path | None, wanted: IpRanges, found: IpRanges) -> Iterator[Finding]:
    """Other ranges are read from the text than are desired: only a template can do that."""
    if wanted - found:
        yield Finding(
            "template_ranges",
            f"the text that {template} makes shows no CIDR for {few(wanted - found)}: the guards "
            "cannot measure what they do not see",
        )
    if found - wanted:
        told = f"the text that {template} makes holds {few(found - wanted)} besides"
        yield Finding("template_ranges", told)


def described(reading: Reading) -> str:
    """A foreign file in words. Its text is not repeated: it could be anything, secrets too."""
    lines = plural(len(reading.text.split("\n")) - reading.text.endswith("\n"), "line")
    return f"{lines}, {plural(len(reading.ranges), 'range')}, {reading.owner_words}"


def difference(before: IpRanges, after: IpRanges) -> str:
    """What happens to the ranges, in a few words."""
    added, removed = after - before, before - after
    parts = [f"add {few(added)}"] if added else []
    parts += [f"remove {few(removed)}"] if removed else []
    return "; ".join(parts) or "the same ranges, other text"


def few(ranges: IpRanges) -> str:
    """The first of the ranges, and how many more there are."""
    cidrs = ranges.cidrs()
    if not cidrs:
        return "nothing"
    more = f" and {len(cidrs) - _FEW:,} more" if len(cidrs) > _FEW else ""
    return ", ".join(cidrs[:_FEW]) + more
