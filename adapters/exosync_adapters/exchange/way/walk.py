"""A message on its way through the transport rules, in the order of their priorities. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from exosync.core.trace import Stage, Sure
from exosync.core.words import plural
from exosync_adapters.exchange.records import Listing, Organisation, Rule, folded
from exosync_adapters.exchange.way.letters import ABSENT, Groups, Message, Truth, both, either
from exosync_adapters.exchange.way.matching import applies, doubts, in_force, unmodelled_actions

_WHOM = "whether a rule goes by a group's own address, or by each member's"
"""Nobody has published it."""

_ENDS = {
    "DeleteMessage": "deletes it",
    "Disconnect": "breaks the connection off",
    "Quarantine": "puts it into quarantine",
    "RejectMessageReasonText": "rejects it",
    "RejectMessageEnhancedStatusCode": "rejects it",
    "SmtpRejectMessageRejectStatusCode": "rejects it",
    "SmtpRejectMessageRejectText": "rejects it",
    "RedirectMessageTo": "sends it to somebody else instead",
    "ModerateMessageByUser": "holds it until somebody approves",
    "ModerateMessageByManager": "holds it until somebody approves",
}
"""Actions after which the message does not go its way (New-TransportRule)."""

_HARMLESS = frozenset(
    {
        "addmanagerasrecipienttype",
        "addtorecipient",
        "addtorecipients",
        "applyclassification",
        "applydisclaimer",
        "applydisclaimerwithseparator",
        "applyhtmldisclaimer",
        "applyhtmldisclaimerfallbackaction",
        "applyhtmldisclaimerlocation",
        "applyhtmldisclaimertext",
        "applyome",
        "applyrightsprotectioncustomizationtemplate",
        "applyrightsprotectiontemplate",
        "blindcopyto",
        "copyto",
        "generateincidentreport",
        "generatenotification",
        "incidentreportcontent",
        "incidentreportoriginalmail",
        "logevent",
        "logeventtext",
        "notifysender",
        "prependsubject",
        "removeheader",
        "removeome",
        "removeomev2",
        "removermsattachmentencryption",
        "rightsprotectmessage",
        "routemessageoutboundrequiretls",
        "setauditseverity",
        "setheadername",
        "setheadervalue",
        "setscl",
        "stopruleprocessing",
    }
)
"""Actions, and classes of them, that change the message, or send further ones, and not where it goes."""


@dataclass(slots=True)
class Walk:
    """A message on its way through the rules, in the order of their priorities."""

    message: Message
    ours: str = ""
    reached: Truth = True
    stopped_by: str = ""
    stages: list[Stage] = field(default_factory=list)
    routes: dict[str, tuple[Rule, Truth]] = field(default_factory=dict)
    ends: list[tuple[str, Truth]] = field(default_factory=list)
    besides: int = 0

    def meet(self, rule: Rule, organisation: Organisation, groups: Groups) -> None:
        """Let one rule do what it does."""
        hits = applies(rule, self.message, organisation, groups)
        does = both((self.reached, in_force(rule, self.message.at), hits))
        if does is False:
            self._passes_by(rule, hits)
            return
        end, odd = _end(rule), _odd(rule)
        matters = bool(rule.connector or end or odd or rule.stops)
        unsure = () if hits else doubts(rule, self.message, organisation, groups)
        unsure = (_WHOM,) if unsure and self.message.to.group else unsure
        self._set_headers(rule, does)
        if does is None and not matters:
            self.besides += 1
            return
        self.stages.append(_rule_stage(rule, does, end, odd, unsure))
        self._note(rule, does, end, odd)

    def _note(self, rule: Rule, does: Truth, end: str, odd: tuple[str, ...]) -> None:
        if end or odd:
            told = f"the rule {rule.name} {end}" if end else f"what the rule {rule.name} does"
            self.ends.append((told, does if end else None))
        if rule.connector:
            before = self.routes.get(rule.connector, (rule, False))
            self.routes[rule.connector] = (before[0], either((before[1], does)))
        if rule.stops:
            self.reached = False if does else None
            self.stopped_by = rule.name

    def _set_headers(self, rule: Rule, does: Truth) -> None:
        value = next(iter(rule.actions.get("SetHeaderValue", ())), None)
        for name in rule.actions.get("SetHeaderName", ()):
            self.message = self.message.with_header(name, value if does else None)
        for name in rule.actions.get("RemoveHeader", ()):
            self.message = self.message.with_header(name, ABSENT if does else None)

    def _passes_by(self, rule: Rule, hits: Truth) -> None:
        """Told of a rule that would route the message and does not, and always of our own."""
        ours = folded(rule.name) == self.ours
        if not ours and (hits is False or not rule.connector):
            return
        why = self._why_not(rule, hits)
        ok = not (ours and hits)
        title = f"{rule.name} does nothing here"
        self.stages.append(Stage("rule", rule.name, title, ok, Sure.SEEN, (why,)))

    def _why_not(self, rule: Rule, hits: Truth) -> str:
        if hits is False:
            return "its conditions do not hold, or an exception does"
        if not rule.enabled:
            return "it is disabled"
        if self.reached is False:
            return f"it is not reached: {self.stopped_by} stops processing before it"
        if rule.mode != "Enforce":
            return f"its mode is {rule.mode}: it only reports"
        return "it is not yet, or no longer, in force"

    def rest(self, organisation: Organisation) -> Iterator[Stage]:
        """What is to be said once all rules were met."""
        if self.besides:
            title = f"{plural(self.besides, 'rule')} may act besides"
            says = ("none of them changes where the message goes",)
            yield Stage("rule", "", title, ok=True, sure=Sure.SEEN, says=says)
        certain = [rule for rule, truth in self.routes.values() if truth]
        if len(self.routes) > 1 and certain:
            names = " and ".join(rule.name for rule, _ in self.routes.values())
            title = f"{names} route it to different connectors"
            says = ("which of them wins is not documented",)
            yield Stage("rule", names, title, ok=None, sure=Sure.UNPROVEN, says=says)
        if incomplete := organisation.incomplete.get(Listing.RULES):
            told = (incomplete, "a rule that was not read may send the message elsewhere")
            yield Stage("rule", "", "the list of rules is not whole", None, Sure.SEEN, told)


def _end(rule: Rule) -> str:
    return next((words for name, words in _ENDS.items() if name in rule.actions), "")


def _odd(rule: Rule) -> tuple[str, ...]:
    """Actions that nothing is known of here."""
    known = {*_ENDS, "RouteMessageOutboundConnector"}
    given = (*(one for one in rule.actions if one not in known), *unmodelled_actions(rule))
    return tuple(one for one in given if one.lower() not in _HARMLESS)


def _rule_stage(
    rule: Rule, does: Truth, end: str, odd: tuple[str, ...], unsure: tuple[str, ...]
) -> Stage:
    acts = "acts" if does else "may act"
    title = f"{rule.name} (priority {rule.priority}) {acts}"
    ok = None if does is None or odd else not end
    says = tuple(_effects(rule, end, odd))
    if unsure:
        says = (*says, f"not known: {'; '.join(unsure)}")
    return Stage("rule", rule.name, title, ok, Sure.SEEN, says)


def _effects(rule: Rule, end: str, odd: tuple[str, ...]) -> Iterator[str]:
    if end:
        yield end
    if rule.connector:
        yield f"routes to the connector {rule.connector}"
    if odd:
        yield f"does what exosync does not model: {', '.join(odd)}"
    if rule.stops:
        yield "stops processing of further rules"
