"""What Exchange Online's message trace tells of the mail that went through the model.

Names of events are those of Get-MessageTraceDetail (learn.microsoft.com). That the pool which a
message left from is told as OutboundIpPoolName stands in "Outbound delivery pools" there; where in
a detail it stands, and the pools' names here, are ours.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from tests.standins.exchange_graph import add_trace, detail
from tests.standins.exchange_org import Org
from tests.standins.farside_mimecast import is_in
from tests.standins.mailflow_exchange import RELAY_POOL
from tests.standins.mailflow_letter import Hop, Letter, Verdict
from tests.standins.mailflow_names import Names
from tests.standins.mailflow_rules import Ruling

_STATUS = {
    Verdict.DELIVERED: "delivered",
    Verdict.ROUTED: "delivered",
    Verdict.FAILED: "failed",
    Verdict.DEFERRED: "pending",
}
_EVENTS = {
    Verdict.DELIVERED: "Deliver",
    Verdict.ROUTED: "Send external",
    Verdict.FAILED: "Fail",
    Verdict.DEFERRED: "Defer",
}


class Traces:
    """Fills the traces of a tenant."""

    def __init__(self, org: Callable[[], Org], names: Names) -> None:
        self._org, self._names = org, names

    def add(self, letter: Letter, recipient: str, ruling: Ruling, hops: Sequence[Hop]) -> None:
        """Note what became of a message for one of its recipients."""
        now = datetime.now(UTC)
        sent = next((one for one in hops if one.verdict is Verdict.ROUTED), None)
        add_trace(
            self._org(),
            letter.sender,
            recipient,
            message_id=f"<{letter.id}>",
            received=now,
            status=_STATUS[hops[-1].verdict],
            subject=str(letter.message.get("Subject", "")),
            fromIP=letter.source,
            toIP=self._names.address(sent.host) if sent else None,
            details=[
                detail("Receive", now, text=f"Received from {letter.source}"),
                *(detail("Transport rule", now, data=one) for one in ruling.fired),
                *(_event(one, now) for one in hops),
            ],
        )


def _event(hop: Hop, now: datetime) -> dict[str, Any]:
    if hop.verdict is not Verdict.ROUTED:
        return detail(_EVENTS[hop.verdict], now, text=hop.says)
    pool = "RelayPool" if is_in(hop.source, [RELAY_POOL]) else "DefaultPool"
    told = f"OutboundIpPoolName={pool};Connector={hop.via};SourceIp={hop.source};Tls={hop.tls}"
    return detail("Send external", now, data=told, text=f"Sent to {hop.host}")
