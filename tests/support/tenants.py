"""A tenant as exosync wants it, in values: what the tests of a message's way begin with."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from exosync_adapters.exchange.aim import Aim
from exosync_adapters.exchange.records import (
    AcceptedDomain,
    Connector,
    DomainType,
    Organisation,
    Rule,
)
from exosync_adapters.exchange.settings import ExchangeSettings
from exosync_adapters.exchange.way.letters import ABSENT, Groups, Message, Party

AT = datetime(2026, 11, 26, 12, tzinfo=UTC)

HERE = Party(exists=True, mailbox=True)
THERE = Party(exists=True, mailbox=False)
NOBODY = Party(exists=False, mailbox=False)

GROUP = "elsewhere@example.com"
BREAKER = "x-exosync-routed"
GROUPS: Groups = {GROUP: frozenset({"bob@example.com"})}


def settings(**keys: Any) -> ExchangeSettings:
    """Settings of a target; keys replace those that are made up here."""
    made = {
        "tenant": "8a3bd10e-5b2c-4f6d-9a11-0c6f7e2d1b34",
        "domain": "example.com",
        "far_side": "google_workspace",
        "routed": {"group": GROUP},
    }
    return ExchangeSettings.model_validate({**made, **keys})


def organisation(wanted: ExchangeSettings | None = None, **parts: Any) -> Organisation:
    """The tenant as these settings want it, with the rule switched on."""
    aim = Aim(wanted or settings(), owner="exosync", target="exchange")
    made = Organisation(
        domains=(AcceptedDomain("example.com", DomainType.INTERNAL_RELAY, is_default=True),),
        connectors=(aim.connector,),
        rules=(aim.rule,),
    )
    return replace(made, **parts)


def authoritative() -> tuple[AcceptedDomain, ...]:
    """The domain as it is before anything was done."""
    return (AcceptedDomain("example.com", DomainType.AUTHORITATIVE, is_default=True),)


def message(**parts: Any) -> Message:
    """A new message from a mailbox here to bob, who is in the group."""
    made = Message(
        "alice@example.com", "bob@example.com", AT, by=HERE, to=THERE, headers={BREAKER: ABSENT}
    )
    return replace(made, **parts)


def routing(name: str, connector: str, **parts: Any) -> Rule:
    """Somebody's rule that routes the domain."""
    made = Rule(
        name=name,
        guid=name,
        priority=0,
        enabled=True,
        mode="Enforce",
        conditions={"RecipientDomainIs": ("example.com",)},
        actions={"RouteMessageOutboundConnector": (connector,)},
    )
    return replace(made, **parts)


def connecting(name: str, **parts: Any) -> Connector:
    """Somebody's connector, for all who have no rule."""
    made = Connector(
        name=name,
        guid=name,
        enabled=True,
        type="Partner",
        scoped=False,
        use_mx=False,
        smart_hosts=("gate.example.net",),
    )
    return replace(made, **parts)
