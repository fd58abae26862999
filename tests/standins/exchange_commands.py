"""Runs commands: who may, with which parameters, on what is seen, and how much comes at once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import uuid4

from tests.standins.exchange_org import Org
from tests.standins.exchange_reading import READING, Outcome
from tests.standins.exchange_records import read_back
from tests.standins.exchange_replies import DEHYDRATED, Refused, success
from tests.standins.exchange_requests import Command
from tests.standins.exchange_switches import Switches
from tests.standins.exchange_types import bound
from tests.standins.exchange_writing import WRITING
from tests.standins.web import Reply

Record = dict[str, Any]

_EXPIRED = "Expired or Invalid pagination request. Default Expiry time is 00:30:00"  # G2O
_DEHYDRATED = (
    "The command you tried to run isn't currently allowed in your organization. To run this "
    "command, you first need to run the command: Enable-OrganizationCustomization."
)
_DELAYED = "Micro delay applied. Actual delayed: 21956 msecs, Enforced: True"


class Commands:
    """The tenant as commands see it: what was read lately, pages, the rules that mail is under."""

    def __init__(self, org: Org, now: Callable[[], datetime]) -> None:
        self.org = org
        self._now = now
        self._pages: dict[str, Outcome] = {}
        self._stale: tuple[Org, int] | None = None
        self._former: list[tuple[datetime, list[Record]]] = []

    def run(self, command: Command, base: str, switches: Switches) -> Reply:
        """The answer to a command that the caller may run. Raises Refused."""
        if command.cmdlet in READING:
            return self._paged(self._read(command, switches), base, switches)
        outcome = self._write(command, switches)
        shown = [read_back(one, switches) for one in outcome.value]
        return success(base, shown, [*outcome.warnings, *_held_back(switches)])

    def next_page(self, token: str, base: str, switches: Switches) -> Reply:
        """The answer to the address of a next page. Raises Refused."""
        outcome = self._pages.pop(token, None)
        if outcome is None or switches.next_link == "fails":
            raise Refused("", _EXPIRED)
        return self._paged(outcome, base, switches)

    def catch_up(self) -> None:
        """Readings show from now on what is there."""
        self._stale = None

    def effective_rules(self, switches: Switches) -> list[Record]:
        """The rules that mail is handled by: as they were before what is too new to count."""
        since = self._now() - switches.rule_delay
        return next((rules for when, rules in list(self._former) if when > since), self.org.rules)

    def _read(self, command: Command, switches: Switches) -> Outcome:
        read, kinds = READING[command.cmdlet]
        given = bound(command.cmdlet, command.parameters, kinds, denied=switches.denied_parameters)
        return read(self._seen(), given, switches)

    def _seen(self) -> Org:
        if self._stale is None:
            return self.org
        seen, left = self._stale
        self._stale = (seen, left - 1) if left > 1 else None
        return seen

    def _write(self, command: Command, switches: Switches) -> Outcome:
        write, kinds = WRITING[command.cmdlet]
        given = bound(command.cmdlet, command.parameters, kinds, denied=switches.denied_parameters)
        if switches.dehydrated != "no" and command.is_write:
            raise Refused(DEHYDRATED, _DEHYDRATED)
        before = self.org.copied()
        if given.get("WhatIf"):
            write(before, given, switches)
            return Outcome()
        outcome = write(self.org, given, switches)
        if command.is_write:
            self._stale = (before, switches.stale_reads) if switches.stale_reads else None
            self._former.append((self._now(), before.rules))
        return outcome

    def _paged(self, outcome: Outcome, base: str, switches: Switches) -> Reply:
        sizes = [outcome.size]
        if outcome.size is not None or switches.result_size_ignored:
            sizes.append(switches.page_size)
        size = min((one for one in sizes if one is not None), default=len(outcome.value))
        shown = [read_back(one, switches) for one in outcome.value[:size]]
        rest, warnings, link = outcome.value[size:], [*outcome.warnings, *_held_back(switches)], ""
        if rest:
            warnings.append(
                f"By default, only the first {size} items are returned. Use the ResultSize "
                "parameter to specify the number of items returned."
            )
        if rest and switches.next_link != "absent":
            token = uuid4().hex
            self._pages[token] = Outcome(rest, size=outcome.size)
            link = f"{base}/InvokeCommand?$skiptoken={token}"
        return success(base, shown, warnings, link)


def _held_back(switches: Switches) -> list[str]:
    return [_DELAYED] if switches.micro_delay else []
