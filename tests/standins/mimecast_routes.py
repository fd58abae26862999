"""The routes of the stand-in of Mimecast, and what an application needs for each."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import unquote

from tests.standins.mimecast_compat import FUNCTIONS
from tests.standins.mimecast_policies import FAMILIES
from tests.standins.mimecast_switches import (
    ACCOUNT_EDIT,
    ACCOUNT_READ,
    CLOUD_GATEWAY,
    POLICIES_EDIT,
    POLICIES_READ,
    POLICY_MANAGEMENT,
    SENDERS_EDIT,
)
from tests.standins.web import Request


@dataclass(frozen=True, slots=True)
class Route:
    """A function or a family of policies, what TF's ledger says that it needs, and what of it."""

    name: str
    product: str = ""
    role: str = ""
    wanted: str = ""


def find_route(request: Request) -> Route | None:
    """The route of a request: an id must be quoted, or its slashes lead elsewhere."""
    reads = request.method == "GET"
    match [request.method, *map(unquote, request.path.strip("/").split("/"))]:
        case ["POST", "oauth", "token"]:
            return Route("token")
        case ["POST", "api", "managedsender", "permit-or-block-sender"]:
            return Route("managed-senders", CLOUD_GATEWAY, SENDERS_EDIT)
        case ["POST", "api", "policy", "antispoofing-bypass", function] if function in FUNCTIONS:
            role = POLICIES_READ if function == "get-policy" else POLICIES_EDIT
            return Route("compat", POLICY_MANAGEMENT, role, function)
        case ["GET" | "PUT" | "DELETE", "email", "cloud-gateway", "v1", "outbound-ip-addresses"]:
            return Route("outbound", CLOUD_GATEWAY, ACCOUNT_READ if reads else ACCOUNT_EDIT)
        case [_, "policy-management", "cloud-gateway", "v1", family, "policies", *rest]:
            if family in FAMILIES and _is_known(request.method, rest):
                role = POLICIES_READ if reads else POLICIES_EDIT
                return Route(family, POLICY_MANAGEMENT, role, *rest)
    return None


def _is_known(method: str, rest: list[str]) -> bool:
    match rest:
        case []:
            return method in ("GET", "POST")
        case [_]:
            return method in ("GET", "PATCH", "DELETE")
    return False
