"""What an application needs so that it may run a command. Pure."""

from __future__ import annotations

MANAGE = "Exchange.ManageAsApp"
MANAGE_V2 = "Exchange.ManageAsAppV2"
"""Application permissions: for InvokeCommand, and for the published Admin API v2.0."""

_WRITES = {
    "OutboundConnector": "Remote and Accepted Domains",
    "AcceptedDomain": "Remote and Accepted Domains",
    "TransportRule": "Transport Rules",
}


def needed(cmdlet: str) -> str:
    """What an application needs to run a command.

    Roles: Microsoft Learn, "App-only authentication for unattended scripts", for the permission
    and the Entra roles; microsoft/Microsoft365DSC (EXOOutboundConnector, EXOTransportRule) for
    those of Exchange Online. That the latter suffice for an application is likely, not seen.
    """
    verb, _, noun = cmdlet.partition("-")
    if not noun:
        return f"the application needs the permission {MANAGE} with admin consent"
    if verb == "Get":
        role = (
            "View-Only Configuration" if noun in _READ_AS_CONFIGURATION else "View-Only Recipients"
        )
        roles = f"the Entra role Global Reader (or a role group with “{role}”)"
    else:
        role = _WRITES.get(noun, "Organization Configuration")
        roles = (
            f"the Entra role Exchange Administrator (or a role group with “{role}” and "
            "“View-Only Configuration”)"
        )
    return (
        f"to run {cmdlet} the application needs the permission {MANAGE} with admin consent, and "
        f"{roles}; a command that does not exist is refused in the same way"
    )


_READ_AS_CONFIGURATION = frozenset({*_WRITES, "OrganizationConfig"})
