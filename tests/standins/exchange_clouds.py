"""Microsoft's clouds as the stand-in plays them: which hosts a tenant of each has.

All of them answer at the stand-in's one address; what tells them apart is what is named in
answers, in scopes and in assertions. Hosts: learn.microsoft.com, "Exchange Online Admin API"
(Exchange), "Microsoft Entra authentication & national clouds" (tokens), "National cloud
deployments" (Graph; it lists message traces for the global service alone).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

CloudName = Literal["worldwide", "gcc_high", "dod", "china"]


@dataclass(frozen=True, slots=True)
class Hosts:
    """The hosts of one cloud; `traces`: its Graph has message traces."""

    login: str
    exchange: str
    graph: str
    traces: bool = False


CLOUDS: Final[Mapping[CloudName, Hosts]] = {
    "worldwide": Hosts(
        "login.microsoftonline.com", "outlook.office365.com", "graph.microsoft.com", traces=True
    ),
    "gcc_high": Hosts("login.microsoftonline.us", "outlook.office365.us", "graph.microsoft.us"),
    "dod": Hosts("login.microsoftonline.us", "outlook-dod.office365.us", "dod-graph.microsoft.us"),
    "china": Hosts(
        "login.partner.microsoftonline.cn",
        "outlook.office365.cn",
        "microsoftgraph.chinacloudapi.cn",
    ),
}
