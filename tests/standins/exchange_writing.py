"""The commands that change something, as the stand-in of Exchange Online answers them."""

from __future__ import annotations

from collections.abc import Callable

from tests.standins.exchange_org import Org
from tests.standins.exchange_reading import Outcome, Parameters
from tests.standins.exchange_switches import Switches
from tests.standins.exchange_types import Kind

Writing = Callable[[Org, Parameters, Switches], Outcome]

WRITING: dict[str, tuple[Writing, dict[str, Kind]]] = {}
