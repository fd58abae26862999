"""What exosync does at a Mimecast account: typed calls, and no others.

There is no call that writes outbound addresses, none that blocks, and none for the policies
that block. A policy without its condition would hold for every source, so what would make one
is refused here before it is sent, whoever asks for it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from exosync.errors import TargetError
from exosync_adapters.mimecast.client import Client
from exosync_adapters.mimecast.faults import OUTBOUND, POLICIES, SENDERS, MissingError
from exosync_adapters.mimecast.paging import read_all
from exosync_adapters.mimecast.policy import BYPASS, SPOOFING, Policy
from exosync_adapters.mimecast.reading import read_policy

OPTIONS = {SPOOFING: "no_action", BYPASS: "enable_bypass"}
"""The one option of each family that exosync ever writes: both let mail through."""

CONDITIONS = {SPOOFING: "sourceIPs", BYPASS: "spfDomains"}
"""The list of each family without which a policy holds for every source."""

MOST_SENDERS = 100
"""Managed senders in one call (scraped developer portal)."""

NOBODY = "exosync-check-no-such-policy"
"""An id that no policy has: the vendor's are opaque and start with eNo1 (demisto/content)."""

_SENDERS = "/api/managedsender/permit-or-block-sender"
_OUTBOUND = "/email/cloud-gateway/v1/outbound-ip-addresses"


class Account:
    """One account, over one client."""

    def __init__(self, client: Client) -> None:
        self.client = client

    def policies(self, family: str) -> tuple[Policy, ...]:
        """Every policy of a family, from all pages. Raises what `Client.read` raises."""
        path = _path(family)
        items = read_all(
            lambda query: self.client.read(path, query, needs=POLICIES),
            self.client.called("GET", path),
        )
        return tuple(read_policy(one) for one in items)

    def policy(self, family: str, policy_id: str) -> Policy | None:
        """One policy by its id, or None if there is none. Raises what `Client.read` raises."""
        path = _path(family, policy_id)
        try:
            body = self.client.read(path, needs=POLICIES)
        except MissingError:
            return None
        item = _one(body)
        if item is None:
            raise TargetError(f"{self.client.called('GET', path)}: the answer is no policy")
        return read_policy({**item, "id": item.get("id") or policy_id})

    def create(self, family: str, body: Mapping[str, Any]) -> str:
        """Make a policy; gives its id, empty where the answer does not tell it.

        Raises what `Client.write` raises.
        """
        _guard(family, body)
        if not body.get(CONDITIONS[family]):
            raise _unsafe(f"a policy without {CONDITIONS[family]}")
        answer = _one(self.client.write("POST", _path(family), body, needs=POLICIES)) or {}
        return str(answer.get("id") or answer.get("policyId") or "")

    def update(self, family: str, policy_id: str, body: Mapping[str, Any]) -> None:
        """Change fields of a policy; the others stay. Raises what `Client.write` raises."""
        _guard(family, body)
        self.client.write("PATCH", _path(family, policy_id), body, needs=POLICIES)

    def delete(self, family: str, policy_id: str) -> None:
        """Delete a policy. Raises what `Client.write` raises."""
        self.client.write("DELETE", _path(family, policy_id), None, needs=POLICIES)

    def try_to_write(self, family: str) -> None:
        """Ask to change a policy that does not exist, so that nothing can change.

        Raises MissingError or RejectedError where permission was not what it failed for.
        """
        self.client.write("PATCH", _path(family, NOBODY), {"description": NOBODY}, needs=POLICIES)

    def permit(self, pairs: Sequence[tuple[str, str]]) -> Any:
        """Permit senders for recipients, at most a hundred pairs a call; gives the answer.

        Raises what `Client.write` raises.
        """
        if not 1 <= len(pairs) <= MOST_SENDERS:
            raise ValueError(f"1 to {MOST_SENDERS} pairs a call, not {len(pairs)}")
        items = [{"action": "permit", "sender": sender, "to": to} for sender, to in pairs]
        return self.client.write("POST", _SENDERS, {"data": items}, needs=SENDERS)

    def outbound_addresses(self) -> tuple[str, ...]:
        """The account's authorized outbound addresses, as texts. Raises what `Client.read` raises."""
        body = self.client.read(_OUTBOUND, needs=OUTBOUND)
        entries = body.get("outboundIpAddresses", body) if isinstance(body, Mapping) else body
        if not isinstance(entries, (list, type(None))):
            raise TargetError(f"{self.client.called('GET', _OUTBOUND)}: the answer is no list")
        found = [
            one.get("outboundIpAddress") if isinstance(one, Mapping) else one
            for one in entries or ()
        ]
        return tuple(str(one) for one in found if one)


def _path(family: str, policy_id: str = "") -> str:
    base = f"/policy-management/cloud-gateway/v1/{family}/policies"
    return f"{base}/{quote(policy_id, safe='')}" if policy_id else base


def _one(body: Any) -> Mapping[str, Any] | None:
    """The one object of an answer, bare or in a wrapper."""
    if isinstance(body, list):
        return _one(body[0]) if len(body) == 1 else None
    if not isinstance(body, Mapping):
        return None
    for name in ("data", "policy", "definition"):
        if isinstance(body.get(name), (list, Mapping)):
            return _one(body[name])
    return body


def _guard(family: str, body: Mapping[str, Any]) -> None:
    """Nothing that blocks, and no list of conditions that is empty."""
    if body.get("option", OPTIONS[family]) != OPTIONS[family]:
        raise _unsafe(f"a policy with option {body['option']!r}")
    if not body.get(CONDITIONS[family], True):
        raise _unsafe(f"an empty {CONDITIONS[family]}")


def _unsafe(what: str) -> TargetError:
    return TargetError(f"{what} would not be for Exchange Online alone: nothing was sent")
