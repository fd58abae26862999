"""The desired ranges, and where each comes from."""

from __future__ import annotations

from typing import Any

from exosync.core.desired import Desired
from exosync.views.moments import iso

Json = dict[str, Any]


def ranges_view(desired: Desired, families: str = "both") -> Json:
    """What is desired, range by range: Microsoft's, extras, and what is leaving."""
    return {
        "instance": desired.instance,
        "version": desired.version,
        "ranges": [
            {
                "cidr": one.cidr,
                "origin": one.origin.value,
                "name": one.name,
                "reason": one.reason,
                "until": iso(one.until),
            }
            for one in desired.only(families).entries()
        ],
        "excluded": [
            {"cidrs": list(one.ranges.cidrs()), "name": one.name, "reason": one.reason}
            for one in desired.exclusions
        ],
    }
