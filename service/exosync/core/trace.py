"""The way of one message, told without sending it.

A *router* is a target that decides where mail goes (Exchange Online's connector and rule). It
tells the way through its own system as stages, in the order that the message passes them; what
receives the message afterwards is told by the other targets. Every stage says how sure it is.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from exosync.core.target import Observed


class Sure(StrEnum):
    """How sure something is: seen there now, as the vendor documents it, or a guess."""

    SEEN = "seen"
    DOCUMENTED = "documented"
    UNPROVEN = "unproven"


class Pool(StrEnum):
    """From which of Exchange Online's addresses a message leaves.

    `MAIL` are the published ranges, `RELAY` is 40.95.0.0/16 (Microsoft Learn, "Outbound delivery
    pools"), `EITHER` depends on what cannot be known beforehand.
    """

    MAIL = "mail"
    RELAY = "relay"
    EITHER = "either"


@dataclass(frozen=True, slots=True)
class Stage:
    """One station of a message.

    `kind` is a stable name (`domain`, `rule`, `connector`, `smart_host`, `source`, `spf`,
    `gateway`, `loop`, `delivery`; of a message that was sent `happened`, `mailbox`, `received`,
    `authentication`), `where` the thing's own name there. `ok` is True if the message passes as
    it should, False if it goes astray or is refused here, None if that cannot be told. `says`
    are sentences for people.
    """

    kind: str
    where: str
    title: str
    ok: bool | None
    sure: Sure
    says: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Way:
    """The way of a message as far as a router decides it.

    `leaves` tells whether it leaves for the other side (None: cannot be told), `hosts` are the
    smart hosts that it leaves to, `pool` the addresses that it leaves from. `families` are those
    in which a host has an address, of `ipv4` and `ipv6`; empty if that is not known. `seen_at` is
    when a run saw what it is told from; None if it was asked for this.
    """

    sender: str
    recipient: str
    stages: tuple[Stage, ...]
    leaves: bool | None
    hosts: tuple[str, ...] = ()
    pool: Pool = Pool.EITHER
    families: tuple[str, ...] = ()
    seen_at: datetime | None = None

    @property
    def ok(self) -> bool | None:
        """False if any stage is wrong, None if one cannot be told, else True."""
        if any(one.ok is False for one in self.stages):
            return False
        return None if any(one.ok is None for one in self.stages) else True


class Router(Protocol):
    """What a target that decides where mail goes can do besides (see `Target`)."""

    def routes(self) -> tuple[tuple[str, str], ...]:
        """The pairs of sender and recipient whose way is to be told by every check."""
        ...

    def trace(self, sender: str, recipient: str, observed: Observed) -> Way:
        """Tell the way of one message. Raises the errors of targets.

        Smart hosts are resolved and tried, and groups and recipients are asked for.
        """
        ...


@dataclass(frozen=True, slots=True)
class Sent:
    """A message that was sent, to see what becomes of it; `message_id` is unlike any other.

    `at` is None where the id is all that is known of it. `is_own`: exosync sent it.
    """

    sender: str
    recipient: str
    message_id: str
    at: datetime | None = None
    is_own: bool = True

    @property
    def again(self) -> str:
        """The command that asks for it again."""
        return ask_again(self.sender, self.recipient, self.message_id)


def ask_again(sender: str, recipient: str, message_id: str) -> str:
    """The command that asks what became of a message, as it can be given to a shell."""
    ident = message_id.removeprefix("<").removesuffix(">")
    return shlex.join(("exosync", "trace", sender, recipient, "--sent", ident))


class Prober(Protocol):
    """What a router can do besides: send, if its configuration lets it, and ask what became."""

    def send(self, sender: str, recipient: str) -> Sent:
        """Send one message. Raises ConfigError, UsageError and the errors of targets."""
        ...

    def known(self, sender: str, recipient: str, message_id: str) -> Sent:
        """What can be told of a message by its id alone. Asks nobody."""
        ...

    def happened(self, sent: Sent, way: Way, *, within: timedelta) -> tuple[Stage, ...]:
        """What became of it, beside what was told before; asked for until that time is over."""
        ...


class Receiver(Protocol):
    """What a target where messages arrive can do besides."""

    def arrived(self, sent: Sent, *, within: timedelta) -> tuple[Stage, ...]:
        """What the recipient's mailbox tells of a message; asked once at least.

        A mailbox is looked into for exosync's own messages alone; of another it is said that it
        was not. Empty if the target's configuration does not let it look. Raises ConfigError and the
        errors of targets.
        """
        ...
