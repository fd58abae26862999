"""A message whose way is asked for, who sends it and who is to get it, and three-valued logic. Pure.

Of whatever is not known the truth is None: it may be so or not.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

Truth = bool | None

Groups = Mapping[str, frozenset[str]]
"""The members of groups, all by address in lower case; a group that is not in it is not known."""

ABSENT = ""
"""The value of a header that a message certainly does not have."""


@dataclass(frozen=True, slots=True)
class Party:
    """What the tenant knows of an address.

    `exists`: it is a recipient of the tenant's; `mailbox`: it has a mailbox here. None: not
    asked, or not told. `addresses` are all that it has, in lower case, and `main` the primary one.
    `alone`: nobody was asked, and it is taken for somebody's only address. `group`: it stands for
    several people, who each get what is sent to it.
    """

    exists: Truth = None
    mailbox: Truth = None
    addresses: frozenset[str] = frozenset()
    main: str = ""
    alone: bool = False
    group: bool = False

    @property
    def told(self) -> bool:
        """Whether its addresses are all known, or taken to be."""
        return self.alone or self.exists is not None


SOMEBODY = Party()
"""Somebody of whom nothing was asked."""

STRANGER = Party(exists=False, mailbox=False)
"""Somebody whom the tenant does not know."""


@dataclass(frozen=True, slots=True)
class Folk:
    """Who is in which group, and who people are, all by address in lower case."""

    groups: Groups = field(default_factory=dict)
    people: Mapping[str, Party] = field(default_factory=dict)


NOBODY = Folk()
"""Where nobody was asked for."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message to one recipient, before it has passed any rule.

    `inside`: a mailbox of the tenant's, or a program that signed in, sends it. `headers` are by
    name in lower case: a text, ABSENT, or None for what is not known; so is each that is not in
    it. `at` is when it is sent (UTC).
    """

    sender: str
    recipient: str
    at: datetime
    inside: Truth = True
    by: Party = SOMEBODY
    to: Party = SOMEBODY
    headers: Mapping[str, str | None] = field(default_factory=dict)

    @property
    def domain(self) -> str:
        """The recipient's domain."""
        return domain_of(self.recipient)

    def with_header(self, name: str, value: str | None) -> Message:
        """The same message once a rule has set a header."""
        return replace(self, headers={**self.headers, name.lower(): value})

    def sent_back(self) -> Message:
        """The same message as it would come back from the other side."""
        return replace(self, inside=False)


def domain_of(address: str) -> str:
    """The domain of an address, in lower case."""
    return address.rpartition("@")[2].lower()


def is_member(group: str, groups: Groups, address: str, party: Party) -> Truth:
    """Whether somebody is in a group; only a recipient of the tenant's can be."""
    members = groups.get(group.lower())
    if members is None:
        return False if party.exists is False else None
    if members & {address.lower(), *party.addresses}:
        return True
    return False if party.told else None


def both(truths: Iterable[Truth]) -> Truth:
    """Whether all hold."""
    found = list(truths)
    if False in found:
        return False
    return None if None in found else True


def either(truths: Iterable[Truth]) -> Truth:
    """Whether any holds."""
    found = list(truths)
    if True in found:
        return True
    return None if None in found else False


def negated(truth: Truth) -> Truth:
    """Whether it does not hold."""
    return None if truth is None else not truth


def agreed(truths: Iterable[Truth]) -> Truth:
    """What all of them say; None where they differ, or if there are none."""
    found = list(dict.fromkeys(truths))
    return found[0] if len(found) == 1 else None
