"""The connector and the rule as they should be, and which of those that are there are ours. Pure.

Ours is what carries our mark: the last line of the connector's Comment or the rule's Comments.
The Guid that was remembered tells what became of an object whose mark is gone; a name alone
proves nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from exosync_adapters.exchange.fields import once_each
from exosync_adapters.exchange.records import Connector, Organisation, Rule, folded
from exosync_adapters.exchange.settings import ExchangeSettings

CONNECTOR, RULE, DOMAIN = "connector", "rule", "domain"
"""The resources of a target, and what `ack` and `todo` call the tasks at them."""

LONGEST_COMMENT = 1024
"""Characters of a rule's Comments (New-TransportRule); for a connector nothing is published."""

TLS = {
    "any_certificate": "EncryptionOnly",
    "trusted": "CertificateValidation",
    "name": "DomainValidation",
}
"""TlsSettings of New-OutboundConnector by our setting `tls`."""

_PREFIX = "exosync:owner="

Thing = TypeVar("Thing", Connector, Rule)


@dataclass(frozen=True, slots=True)
class Owned:
    """The connector and the rule that are ours, as far as they are there."""

    connector: Connector | None = None
    rule: Rule | None = None


@dataclass(frozen=True, slots=True)
class Found(Generic[Thing]):
    """What is there of one of our objects.

    `marked` carry our mark; `namesake` does not, and has the name that ours should have, or is
    what ours was (`was_ours`).
    """

    marked: tuple[Thing, ...] = ()
    namesake: Thing | None = None
    was_ours: bool = False

    @property
    def ours(self) -> Thing | None:
        """The one that is ours; None if there is none or if nobody can tell which it is."""
        return self.marked[0] if len(self.marked) == 1 else None


@dataclass(frozen=True, slots=True)
class Holding:
    """What of an organisation is ours, what is not, and what only looks so."""

    connector: Found[Connector]
    rule: Found[Rule]

    @property
    def owned(self) -> Owned:
        """What is ours beyond doubt."""
        return Owned(self.connector.ours, self.rule.ours)


@dataclass(frozen=True, slots=True)
class Aim:
    """What one target wants. `owner` is the installation's, `target` the target's name."""

    settings: ExchangeSettings
    owner: str
    target: str

    @property
    def mark(self) -> str:
        """`exosync:owner=…;target=…`."""
        return f"{_PREFIX}{self.owner};target={self.target}"

    @property
    def connector(self) -> Connector:
        """The connector as it should be: a partner's, for rules that name it alone.

        It has no recipient domains: with `*` it would take all mail (office-docs-powershell#8739).
        """
        settings = self.settings
        return Connector(
            name=settings.connector_name,
            guid="",
            enabled=True,
            type="Partner",
            scoped=True,
            use_mx=False,
            smart_hosts=settings.hosts,
            tls=TLS[settings.tls],
            tls_domain=settings.tls_name or "",
            comment=self.mark,
        )

    @property
    def rule(self) -> Rule:
        """The rule as it should be, once it is switched on.

        It does not stop other rules, which may be somebody's disclaimers or protection.
        """
        return Rule(
            name=self.settings.rule_name,
            guid="",
            priority=self.settings.priority or 0,
            enabled=True,
            mode="Enforce",
            conditions=self._conditions,
            exceptions=self._exceptions,
            actions=self._actions,
            comments=self.mark,
        )

    @property
    def groups(self) -> tuple[str, ...]:
        """The groups that decide whose mail is routed."""
        routed, other = self.settings.routed, self.settings.exceptions.group
        return tuple(one for one in (routed.group, routed.everyone_but, other) if one)

    def find(self, organisation: Organisation, ids: Mapping[str, str]) -> Holding:
        """Which objects are ours. `ids` are the Guids that were remembered."""
        return Holding(
            _found(
                organisation.connectors,
                lambda one: one.comment,
                self.settings.connector_name,
                self.mark,
                ids.get(CONNECTOR, ""),
            ),
            _found(
                organisation.rules,
                lambda one: one.comments,
                self.settings.rule_name,
                self.mark,
                ids.get(RULE, ""),
            ),
        )

    @property
    def _conditions(self) -> dict[str, tuple[str, ...]]:
        routed = self.settings.routed
        members = {"SentToMemberOf": (routed.group,)} if routed.group else {}
        return {"RecipientDomainIs": (self.settings.domain,), **members}

    @property
    def _exceptions(self) -> dict[str, tuple[str, ...]]:
        exceptions, breaker = self.settings.exceptions, self.settings.exceptions.loop_breaker
        given = (self.settings.routed.everyone_but, exceptions.group)
        groups = once_each(tuple(one for one in given if one))
        found = {"ExceptIfSentToMemberOf": groups} if groups else {}
        if breaker is not None:
            found["ExceptIfHeaderContainsMessageHeader"] = (breaker.header,)
            found["ExceptIfHeaderContainsWords"] = breaker.words
        return found

    @property
    def _actions(self) -> dict[str, tuple[str, ...]]:
        breaker = self.settings.exceptions.loop_breaker
        found: dict[str, tuple[str, ...]] = {
            "RouteMessageOutboundConnector": (self.settings.connector_name,)
        }
        if breaker is not None and breaker.stamp:
            found |= {"SetHeaderName": (breaker.header,), "SetHeaderValue": (breaker.words[0],)}
        return found


def is_marked(text: str, mark: str) -> bool:
    """Whether the last line of a comment is exactly this mark."""
    return text.rstrip().rpartition("\n")[2].strip("\r") == mark


def mark_in(text: str) -> str:
    """The mark of whatever exosync a comment ends with; empty for none."""
    last = text.rstrip().rpartition("\n")[2].strip("\r")
    return last if last.startswith(_PREFIX) else ""


def with_mark(text: str, mark: str) -> str:
    """A comment with our mark at its end; what stands in it stays, be it another's mark."""
    kept = text.rstrip()
    return f"{kept}\n{mark}" if kept else mark


def _found(
    things: Iterable[Thing], comment: Callable[[Thing], str], name: str, mark: str, guid: str
) -> Found[Thing]:
    all_ = tuple(things)
    marked = tuple(one for one in all_ if is_marked(comment(one), mark))
    others = [one for one in all_ if one not in marked]
    was = next((one for one in others if guid and one.guid == guid), None)
    named = next((one for one in others if folded(one.name) == folded(name)), None)
    return Found(marked, was or named, was_ours=was is not None)
