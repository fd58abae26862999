"""What a request to the stand-in of Exchange Online asks for."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from tests.standins.web import Request

Json = Any

READING_VERBS = ("Get-", "Validate-", "Test-")

_ADMIN = re.compile(
    r"/adminapi/(?P<version>[^/]+)/(?P<tenant>[^/]+)/(?P<endpoint>[^/]+)", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class AdminPath:
    """A path of the admin interface."""

    version: str
    tenant: str
    endpoint: str


@dataclass(frozen=True, slots=True)
class Command:
    """A command as its request gives it."""

    cmdlet: str
    parameters: Mapping[str, Json]

    @property
    def is_write(self) -> bool:
        """Whether it is there to change something."""
        return not self.cmdlet.startswith(READING_VERBS)


def admin_path(request: Request) -> AdminPath | None:
    """The parts of the path; None for another interface."""
    found = _ADMIN.fullmatch(unquote(request.path))
    return AdminPath(**found.groupdict()) if found else None


def command_of(request: Request) -> Command | None:
    """The command of a body; None if there is none that can be read."""
    try:
        told = json.loads(request.body)["CmdletInput"]
        name, parameters = told["CmdletName"], told["Parameters"]
    except (ValueError, LookupError, TypeError):
        return None
    is_command = isinstance(name, str) and isinstance(parameters, dict)
    return Command(name, parameters) if is_command else None


def is_write(request: Request) -> bool:
    """Whether a request asks for a change."""
    command = command_of(request) if admin_path(request) else None
    return command is not None and command.is_write


def header(request: Request, name: str) -> str:
    """A header's value; empty if it is not there."""
    wanted = name.lower()
    return next((value for key, value in request.headers.items() if key.lower() == wanted), "")
