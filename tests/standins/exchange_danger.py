"""States of a tenant in which mail goes astray, whoever made them: no write may lead into one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.standins.exchange_org import Org
from tests.standins.exchange_predicates import CONDITIONS

Record = dict[str, Any]


def dangers(org: Org) -> Iterator[str]:
    """What is dangerous now, a line for each."""
    for rule in org.rules:
        if rule["State"] == "Enabled" and rule["Mode"] == "Enforce":
            yield from _of_rule(org, rule)
    for one in org.connectors:
        catches_all = "*" in one["RecipientDomains"] and not one["IsTransportRuleScoped"]
        if one["Enabled"] and catches_all:
            yield f"the connector {one['Name']!r} takes all mail"


def _of_rule(org: Org, rule: Record) -> Iterator[str]:
    route = rule.get("RouteMessageOutboundConnector")
    if not route:
        return
    if not any(rule.get(name) for name in CONDITIONS):
        yield f"the rule {rule['Name']!r} routes all mail"
    connector = org.routed(rule)
    if connector is None:
        yield f"the rule {rule['Name']!r} routes to {route!r}, which is gone"
    elif not connector["Enabled"]:
        yield f"the rule {rule['Name']!r} routes to {route!r}, which is off"
