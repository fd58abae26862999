"""Who may run what: Entra's roles as G2O measured, those of single commands by DSC's settings.json."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from tests.standins.exchange_switches import (
    EXCHANGE_ADMINISTRATOR,
    GLOBAL_READER,
    REMOTE_DOMAINS,
    SECURITY_READER,
    TRANSPORT_RULES,
    VIEW_CONFIGURATION,
    VIEW_RECIPIENTS,
)

_READ_CONFIGURATION = frozenset(
    {
        "Get-AcceptedDomain",
        "Get-OrganizationConfig",
        "Get-OutboundConnector",
        "Get-TransportRule",
    }
)
_READ_RECIPIENTS = frozenset({"Get-DistributionGroupMember", "Get-Recipient"})
_CONNECTORS = frozenset(
    {
        "Get-OutboundConnector",
        "New-OutboundConnector",
        "Set-OutboundConnector",
        "Remove-OutboundConnector",
        "Validate-OutboundConnector",
    }
)
_RULES = frozenset(
    {
        "Get-TransportRule",
        "New-TransportRule",
        "Set-TransportRule",
        "Enable-TransportRule",
        "Disable-TransportRule",
        "Remove-TransportRule",
    }
)
_DOMAINS = frozenset({"Get-AcceptedDomain", "Set-AcceptedDomain"})

CMDLETS: Final = _READ_CONFIGURATION | _READ_RECIPIENTS | _CONNECTORS | _RULES | _DOMAINS

_MAY: Mapping[str, frozenset[str]] = {
    EXCHANGE_ADMINISTRATOR: CMDLETS,
    GLOBAL_READER: _READ_CONFIGURATION | _READ_RECIPIENTS,
    # G2O: no connectors. DSC: rules. What else it reads is unknown.
    SECURITY_READER: frozenset({"Get-TransportRule"}),
    REMOTE_DOMAINS: _CONNECTORS | _DOMAINS,
    TRANSPORT_RULES: _RULES,
    VIEW_CONFIGURATION: _READ_CONFIGURATION,
    VIEW_RECIPIENTS: _READ_RECIPIENTS,
}


def commands(roles: Iterable[str]) -> frozenset[str]:
    """The commands that an application with these roles may run."""
    return frozenset().union(*(_MAY.get(role, frozenset()) for role in roles))
