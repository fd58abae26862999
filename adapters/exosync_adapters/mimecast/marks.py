"""The mark of ownership: how the description of a policy of ours begins. Pure.

    exosync OWNER/TARGET SENDER N: Exchange Online may send as this domain

People see it in the console, and Mimecast keeps it with every message that the policy touches
(integrations.mimecast.com), so it is short and holds neither a hash nor a time. All up to the
colon is the mark; what follows may be edited.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Self
from urllib.parse import quote, unquote

LONGEST = 128
"""Characters of a description. The vendor's limit is unknown; this one is ours."""

_MARK = re.compile(
    r"\s*exosync ([^\s/]{1,300})/([^\s/:]{1,300}) ([^\s:]{1,253}) ([1-9][0-9]{0,4}):"
)


@dataclass(frozen=True, slots=True, order=True)
class Mark:
    """Whose a policy is, for which sender, and which of that sender's policies."""

    owner: str
    target: str
    sender: str
    number: int

    def __str__(self) -> str:
        owner, target = quote(self.owner, safe=""), quote(self.target, safe="")
        return f"exosync {owner}/{target} {self.sender} {self.number}:"

    @classmethod
    def read(cls, description: str) -> Self | None:
        """The mark that a description begins with, if it does."""
        found = _MARK.match(description)
        if found is None:
            return None
        return cls(unquote(found[1]), unquote(found[2]), found[3].lower(), int(found[4]))

    def describe(self, words: str) -> str:
        """A whole description: the mark, and as much of the words as there is room for."""
        line = " ".join(words.split())
        return f"{self} {line}"[:LONGEST].rstrip()

    def belongs_to(self, owner: str, target: str) -> bool:
        """Whether it is of this owner and target."""
        return (self.owner, self.target) == (owner, target)


def words_of(description: str) -> str:
    """What a person wrote: the description without any mark that it begins with."""
    found = _MARK.match(description)
    return (description[found.end() :] if found else description).strip()


def described(mark: Mark, found: str | None, words: str) -> str:
    """The description that a policy gets: what people wrote behind the mark stays.

    `found` is the one that it has, `words` are for a policy without any.
    """
    if found is None:
        return mark.describe(words)
    return found if Mark.read(found) == mark else mark.describe(words_of(found) or words)


def is_damaged(description: str, owner: str, target: str) -> bool:
    """Whether a description looks like a mark of ours that was edited so that it is none."""
    opening = str(Mark(owner, target, "", 1)).split(" ")
    words = description.casefold().split()
    return words[:2] == [one.casefold() for one in opening[:2]] and Mark.read(description) is None


def fits(owner: str, target: str, sender: str) -> bool:
    """Whether there is room for a mark, its number and a few words."""
    return len(str(Mark(owner, target, sender, 9999))) <= LONGEST
