"""What a script does: one step of a plan, with what has to be so that it may be done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import idna

from exosync.core.words import one_line
from exosync_adapters.exchange.records import Call, Rule


class What(StrEnum):
    """What a step does."""

    CREATE_CONNECTOR = "create_connector"
    CHANGE_CONNECTOR = "change_connector"
    CREATE_RULE = "create_rule"
    CHANGE_RULE = "change_rule"
    SWITCH_RULE_ON = "switch_rule_on"
    SWITCH_RULE_OFF = "switch_rule_off"
    REMOVE_RULE = "remove_rule"
    SWITCH_CONNECTOR_OFF = "switch_connector_off"
    REMOVE_CONNECTOR = "remove_connector"
    MARK = "mark"
    INTERNAL_RELAY = "internal_relay"


@dataclass(frozen=True, slots=True)
class ScriptStep:
    """One step: its calls, and what has to be so that they may be done.

    `name` is what the object is called, `guid` its Guid ("" if it is not known), `mark` the line
    that makes it ours, `connector` the name or Guid of the connector that a rule needs ("" for
    none). `planned` are the parameters that a rule has which is to act ({} where nobody says), and
    `read` is that rule as it was read (None where nobody reads). Identity and Confirm in the calls
    are left to the script.
    """

    what: What
    calls: tuple[Call, ...]
    name: str
    mark: str
    tenant: str
    domain: str
    guid: str = ""
    connector: str = ""
    planned: Mapping[str, object] = field(default_factory=dict)
    read: Rule | None = None

    @property
    def routes_to(self) -> str:
        """The connector that the step's rule routes to, by name or Guid; empty for none."""
        route = "RouteMessageOutboundConnector"
        given = next((one.parameters[route] for one in self.calls if route in one.parameters), "")
        return self.connector or str(given or "")

    @property
    def spellings(self) -> tuple[str, ...]:
        """The domain in A-labels and, if it is another, as people write it.

        In which of the two a console shows a name is not told.
        """
        if "xn--" not in self.domain:
            return (self.domain,)
        try:
            return (self.domain, idna.decode(self.domain))
        except idna.IDNAError:
            return (self.domain,)

    @property
    def noun(self) -> str:
        """The kind of object in the calls: OutboundConnector, TransportRule, AcceptedDomain."""
        return self.calls[0].cmdlet.partition("-")[2]

    @property
    def thing(self) -> str:
        """The same for people, with its name."""
        return f"{THINGS[self.noun]} “{one_line(self.name)}”"

    @property
    def title(self) -> str:
        """What the step does, for people."""
        return _TITLES[self.what].format(self.thing)

    def has(self, verb: str) -> bool:
        """Whether a call has this verb."""
        return any(one.cmdlet.startswith(f"{verb}-") for one in self.calls)

    def sets(self, name: str, wanted: object) -> bool:
        """Whether a call sets a parameter to this."""
        return any(one.parameters.get(name) == wanted for one in self.calls)


THINGS = {
    "OutboundConnector": "the outbound connector",
    "TransportRule": "the mail flow rule",
    "AcceptedDomain": "the accepted domain",
}
_TITLES = {
    What.CREATE_CONNECTOR: "create {}",
    What.CHANGE_CONNECTOR: "change {}",
    What.CREATE_RULE: "create {}, disabled",
    What.CHANGE_RULE: "change {}",
    What.SWITCH_RULE_ON: "switch {} on",
    What.SWITCH_RULE_OFF: "switch {} off",
    What.REMOVE_RULE: "remove {}",
    What.SWITCH_CONNECTOR_OFF: "switch {} off",
    What.REMOVE_CONNECTOR: "remove {}",
    What.MARK: "mark {} as exosync's",
    What.INTERNAL_RELAY: "make {} an internal relay",
}
