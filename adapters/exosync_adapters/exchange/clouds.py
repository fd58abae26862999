"""Microsoft's hosts in each of its clouds.

Sources: Exchange Online Admin API (learn.microsoft.com/exchange/reference/
admin-api-get-started) for the hosts of Exchange, "Microsoft Entra authentication & national
clouds" for those that give tokens, "National cloud deployments" for Graph. The same hosts of
Exchange take InvokeCommand worldwide, in GCC High and DoD (CISA, ScubaGear); that the one in
China does is not confirmed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cloud:
    """One cloud: base addresses of Exchange, of tokens and of Graph; `trace`: Graph has it.

    `proven`: somebody has reported that Exchange's host takes commands. `own_hosts` is how the
    names of the cloud's own mail hosts end, those included that take mail from programs alone.
    """

    name: str
    exchange: str
    login: str
    graph: str
    own_hosts: tuple[str, ...]
    trace: bool = False
    proven: bool = True


CLOUDS: Mapping[str, Cloud] = {
    one.name: one
    for one in (
        Cloud(
            "worldwide",
            "https://outlook.office365.com",
            "https://login.microsoftonline.com",
            "https://graph.microsoft.com",
            (
                ".mail.protection.outlook.com",
                ".mail.eo.outlook.com",
                ".mx.microsoft",
                ".office365.com",
            ),
            trace=True,
        ),
        Cloud(
            "gcc_high",
            "https://outlook.office365.us",
            "https://login.microsoftonline.us",
            "https://graph.microsoft.us",
            (".office365.us",),
        ),
        Cloud(
            "dod",
            "https://outlook-dod.office365.us",
            "https://login.microsoftonline.us",
            "https://dod-graph.microsoft.us",
            (".office365.us",),
        ),
        Cloud(
            "china",
            "https://outlook.office365.cn",
            "https://login.partner.microsoftonline.cn",
            "https://microsoftgraph.chinacloudapi.cn",
            (".partner.outlook.cn", ".office365.cn"),
            proven=False,
        ),
    )
}

_OWN_HOSTS = tuple({end for cloud in CLOUDS.values() for end in cloud.own_hosts})


def is_own_host(host: str) -> bool:
    """Whether a name is one of Exchange Online's own mail hosts, in any cloud."""
    return f".{host.lower().rstrip('.')}".endswith(_OWN_HOSTS)


OF_INSTANCE: Mapping[str, str] = {
    "Worldwide": "worldwide",
    "USGovGCCHigh": "gcc_high",
    "USGovDoD": "dod",
    "China": "china",
}
"""The cloud that an instance of the endpoints web service is about."""
