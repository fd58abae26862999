"""A person's console that is connected to the stand-in's tenant, and runs scripts of exosync's.

Console(exchange.org).run(task.box)
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from tests.standins.exchange_commands import Commands
from tests.standins.exchange_org import Org
from tests.standins.exchange_replies import Refused
from tests.standins.exchange_requests import Command
from tests.standins.exchange_switches import Switches
from tests.standins.powershell import Shell, Thing, Thrown

TENANT = "8a3bd10e-5b2c-4f6d-9a11-0c6f7e2d1b34"
FUNCTION = "Invoke-ExosyncStep"


class Console:
    """A console that is connected to a tenant; `writes` are the commands that changed it."""

    def __init__(self, org: Org, *, tenants: tuple[str, ...] = (TENANT,), **switches: Any) -> None:
        self.org, self.writes = org, list[str]()
        self._tenants = tenants
        self._switches = Switches(**switches)
        self._commands = Commands(org, lambda: datetime.now(UTC))
        self.shell = Shell(self._cmdlet)

    def run(self, script: str, *, what_if: bool = False) -> list[Any]:
        """Paste a script and call its function; gives what it puts out. Raises Thrown."""
        self.shell = Shell(self._cmdlet)
        self.shell.load(script)
        return self.shell.run(FUNCTION, what_if=what_if)

    def _cmdlet(self, name: str, parameters: dict[str, Any]) -> list[Any]:
        if name == "Get-ConnectionInformation":
            common = {"State": "Connected", "IsEopSession": False}
            return [Thing({**common, "TenantID": one}) for one in self._tenants]
        if not name.startswith("Get-"):
            assert parameters["Confirm"] is False
            self.writes.append(name)
        try:
            reply = self._commands.run(Command(name, parameters), "https://x", self._switches)
        except Refused as refused:
            raise Thrown(refused.text) from refused
        return [Thing(one) for one in json.loads(reply.body)["value"]]
