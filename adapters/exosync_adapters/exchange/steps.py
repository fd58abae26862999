"""How a change becomes a step: calls, the texts that people compare, and who does it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from exosync.core.target import ABSENT, Action, Actor, Phase, Step
from exosync.core.tasks import Confirmation, Task
from exosync.core.words import one_line
from exosync_adapters.exchange import compare
from exosync_adapters.exchange.aim import CONNECTOR, DOMAIN, RULE, Aim
from exosync_adapters.exchange.compare import ROUTE, Parameters
from exosync_adapters.exchange.person import words
from exosync_adapters.exchange.person.step import ScriptStep, What
from exosync_adapters.exchange.records import Call, DomainType, Rule

_RESOURCES = {"OutboundConnector": CONNECTOR, "TransportRule": RULE, "AcceptedDomain": DOMAIN}
_OF_A_PARTNER = (
    *("Name", "ConnectorType", "Enabled", "IsTransportRuleScoped", "UseMXRecord"),
    *("SmartHosts", "TlsSettings", "TlsDomain"),
)
"""What a partner's connector is given: what is only for the other type is refused (CIPP#3873)."""

_SUMMARIES = {
    What.CREATE_CONNECTOR: "make the connector “{}”",
    What.CHANGE_CONNECTOR: "set the connector “{}” right",
    What.CREATE_RULE: "make the rule “{}”, switched off",
    What.CHANGE_RULE: "set the rule “{}” right",
    What.SWITCH_RULE_ON: "switch the rule “{}” on",
    What.SWITCH_RULE_OFF: "switch the rule “{}” off",
    What.REMOVE_RULE: "remove the rule “{}”",
    What.SWITCH_CONNECTOR_OFF: "switch the connector “{}” off",
    What.REMOVE_CONNECTOR: "remove the connector “{}”",
    What.MARK: "mark the {} “{}” as exosync's",
    What.INTERNAL_RELAY: "make the domain {} an internal relay",
}


@dataclass(frozen=True, slots=True)
class Object:
    """What a step is about: its name and Guid ("" if not known), and how it is now.

    `seen` is None for what is not there, or cannot be read; `note` is told with it. `read` is
    the rule that it was read from.
    """

    name: str
    guid: str = ""
    seen: Parameters | None = None
    note: str = ""
    read: Rule | None = None

    @property
    def identity(self) -> str:
        """What a command calls it: by its Guid, since names change."""
        return self.guid or self.name


@dataclass(frozen=True, slots=True)
class Maker:
    """Makes the steps of one target. `blind`: nothing can be read back."""

    aim: Aim
    blind: bool = False

    def create_connector(self, wanted: Parameters, *, expects: str = ABSENT) -> Step:
        """A new connector with our mark.

        ValidationRecipients and IsValidated are for Set alone.
        """
        name = str(wanted["Name"])
        given = {one: wanted[one] for one in _OF_A_PARTNER if wanted[one] is not None}
        call = Call("New-OutboundConnector", {**given, "Comment": self.aim.mark})
        return self._step(What.CREATE_CONNECTOR, Object(name), wanted, call, expects=expects)

    def change_connector(self, one: Object, wanted: Parameters, *, expects: str) -> Step:
        """The parameters that differ, and no other; all of them where nothing can be read."""
        names = _OF_A_PARTNER if one.seen is None else compare.differing(wanted, one.seen)
        given = {name: wanted[name] for name in names}
        call = Call("Set-OutboundConnector", {"Identity": one.identity, **given})
        return self._step(What.CHANGE_CONNECTOR, one, wanted, call, expects=expects)

    def create_rule(self, wanted: Parameters, connector: Object, *, expects: str = ABSENT) -> Step:
        """A new rule with our mark, switched off."""
        off = {**wanted, "Enabled": False}
        given = {name: value for name, value in off.items() if value is not None}
        given |= {ROUTE: connector.identity, "Comments": self.aim.mark}
        return self._step(
            What.CREATE_RULE,
            Object(str(wanted["Name"])),
            off,
            Call("New-TransportRule", given),
            expects=expects,
            connector=connector.identity,
        )

    def change_rule(
        self, one: Object, wanted: Parameters, connector: Object, *, expects: str
    ) -> Step:
        """The parameters that differ, and always the connector.

        A rule that is set without its action has none (CIPP#5379). `wanted` holds the state that
        it keeps.
        """
        names = wanted if one.seen is None else compare.differing(wanted, one.seen)
        given = {name: wanted[name] for name in names if name != "Enabled"} | {
            ROUTE: connector.identity
        }
        call = Call("Set-TransportRule", {"Identity": one.identity, **given})
        return self._step(
            What.CHANGE_RULE, one, wanted, call, expects=expects, connector=connector.identity
        )

    def switch_rule_on(
        self, one: Object, off: Parameters, connector: Object, *, expects: str, since: str = ""
    ) -> Step:
        """From now on mail goes another way. `since` tells when it was last seen on."""
        note = f"\n({since})" if since else ""
        return self._step(
            What.SWITCH_RULE_ON,
            replace(one, seen=off, note=note),
            {**off, "Enabled": True},
            Call("Enable-TransportRule", {"Identity": one.identity}),
            expects=expects,
            connector=connector.identity,
            planned=off,
        )

    def switch_rule_off(self, one: Object, on: Parameters, *, expects: str) -> Step:
        """Mail goes as if the rule were not there."""
        return self._step(
            What.SWITCH_RULE_OFF,
            Object(one.name, one.guid, on),
            {**on, "Enabled": False},
            Call("Disable-TransportRule", {"Identity": one.identity, "Confirm": False}),
            expects=expects,
        )

    def remove_rule(self, one: Object, off: Parameters, *, expects: str) -> Step:
        """Only what is off."""
        call = Call("Remove-TransportRule", {"Identity": one.identity, "Confirm": False})
        now = Object(one.name, one.guid, off)
        return self._step(What.REMOVE_RULE, now, None, call, expects=expects)

    def switch_connector_off(self, one: Object, on: Parameters, *, expects: str) -> Step:
        """Once no rule names it."""
        call = Call("Set-OutboundConnector", {"Identity": one.identity, "Enabled": False})
        now, off = Object(one.name, one.guid, on), {**on, "Enabled": False}
        return self._step(What.SWITCH_CONNECTOR_OFF, now, off, call, expects=expects)

    def remove_connector(self, one: Object, off: Parameters, *, expects: str) -> Step:
        """Only what is off."""
        call = Call("Remove-OutboundConnector", {"Identity": one.identity, "Confirm": False})
        now = Object(one.name, one.guid, off)
        return self._step(What.REMOVE_CONNECTOR, now, None, call, expects=expects)

    def mark(self, resource: str, one: Object, comment: tuple[str, str], *, gives: str) -> Step:
        """The mark at the end of a comment, and nothing else. `comment` is before and after.

        `gives` is its token once it is ours, and so is the connector that a rule names.
        """
        assert one.seen is not None, "what is marked was read"
        before, after = comment
        noun, key = (
            ("OutboundConnector", "Comment")
            if resource == CONNECTOR
            else ("TransportRule", "Comments")
        )
        return self._step(
            What.MARK,
            Object(one.name, one.guid, {**one.seen, key: before}),
            {**one.seen, key: after},
            Call(f"Set-{noun}", {"Identity": one.identity, key: after}),
            expects=ABSENT,
            gives=gives,
        )

    def internal_relay(self, domain: str, seen: DomainType, *, expects: str, gives: str) -> Step:
        """By a person always: it changes what is refused at the edge."""
        wanted = {"DomainType": DomainType.INTERNAL_RELAY.value}
        return self._step(
            What.INTERNAL_RELAY,
            Object(domain, seen={"DomainType": seen.value}),
            wanted,
            Call("Set-AcceptedDomain", {"Identity": domain, **wanted}),
            expects=expects,
            gives=gives,
        )

    def _step(
        self,
        what: What,
        one: Object,
        after: Parameters | None,
        call: Call,
        *,
        expects: str,
        gives: str = "",
        connector: str = "",
        planned: Parameters = MappingProxyType({}),
    ) -> Step:
        resource = _RESOURCES[call.cmdlet.partition("-")[2]]
        by_exosync = self.aim.settings.write == "rest" and resource != DOMAIN
        task = None if by_exosync else self._task(what, one, call, connector, planned)
        return Step(
            resource=resource,
            phase=_PHASES.get(what, Phase.ADD),
            action=_ACTIONS.get(what, Action.UPDATE),
            summary=_summary(what, resource, one.name),
            before=(compare.text(one.seen) if one.seen else "") + one.note,
            after=compare.text(after) + one.note if after else "",
            expects=expects,
            gives=gives or (compare.token(after) if after else ABSENT),
            by=Actor.EXOSYNC if by_exosync else Actor.PERSON,
            task=task,
            opens=what is What.SWITCH_RULE_ON,
            detail=(call,),
        )

    def _task(
        self, what: What, one: Object, call: Call, connector: str, planned: Parameters
    ) -> Task:
        step = ScriptStep(
            what=what,
            calls=(call,),
            name=one.name,
            guid=one.guid,
            mark=self.aim.mark,
            connector=connector,
            tenant=self.aim.settings.tenant,
            domain=self.aim.settings.domain,
            planned=planned,
            read=one.read,
        )
        confirmation = Confirmation.ACKNOWLEDGED if self.blind else Confirmation.READ
        return words.task(step, settings=self.aim.settings, confirmation=confirmation)


def _summary(what: What, resource: str, name: str) -> str:
    told = (resource, name) if what is What.MARK else (name,)
    return _SUMMARIES[what].format(*map(one_line, told))


_ACTIONS: Mapping[What, Action] = {
    What.CREATE_CONNECTOR: Action.CREATE,
    What.CREATE_RULE: Action.CREATE,
    What.REMOVE_RULE: Action.DELETE,
    What.REMOVE_CONNECTOR: Action.DELETE,
}
_PHASES: Mapping[What, Phase] = dict.fromkeys(
    (
        What.SWITCH_RULE_OFF,
        What.REMOVE_RULE,
        What.SWITCH_CONNECTOR_OFF,
        What.REMOVE_CONNECTOR,
    ),
    Phase.REMOVE,
)
