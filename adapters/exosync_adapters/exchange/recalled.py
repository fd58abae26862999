"""The way of one message as the last run saw the tenant; nobody is asked. Pure but for the clock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from exosync.core.trace import Stage, Sure, Way
from exosync_adapters.exchange.memory import Memory
from exosync_adapters.exchange.records import Listing, Organisation, Rule
from exosync_adapters.exchange.settings import ExchangeSettings
from exosync_adapters.exchange.way.letters import SOMEBODY, STRANGER, Party, domain_of
from exosync_adapters.exchange.way.matching import FROM_MEMBERS, TO_MEMBERS, named_groups
from exosync_adapters.exchange.way.tracing import message_of, on_peoples_word, way


def remembered_way(
    settings: ExchangeSettings, remembered: Mapping[str, Any], sender: str, recipient: str
) -> Way | None:
    """The way as the last run saw the tenant and its groups; nobody is asked, nor any host."""
    memory = Memory.read(remembered)
    if memory.organisation is None:
        return None
    at = memory.at or datetime.now(UTC)
    by, to = (_party(memory, one) for one in (sender, recipient))
    message = message_of(settings, memory.organisation, sender, recipient, at, by=by, to=to)
    told = way(settings, memory.organisation, message, groups=memory.folk.groups)
    if settings.credentials is None:
        return on_peoples_word(told)
    strange = {TO_MEMBERS: (recipient, to), FROM_MEMBERS: (sender, by)}
    return replace(told, stages=tuple(_by_main(one, strange, memory) for one in told.stages))


def _party(memory: Memory, address: str) -> Party:
    """Who has an address, as far as that is remembered; nobody is taken for a second name."""
    organisation = memory.organisation or Organisation()
    if organisation.domain(domain_of(address)) is None:
        return SOMEBODY if Listing.DOMAINS in organisation.incomplete else STRANGER
    return memory.folk.people.get(address.lower(), Party(alone=True))


def _by_main(stage: Stage, strange: Mapping[str, tuple[str, Party]], memory: Memory) -> Stage:
    """A rule that was judged by who is in a group knows nobody by another name than the main one."""
    rule = next((one for one in _rules(memory) if one.name == stage.where), None)
    if stage.kind != "rule" or rule is None:
        return stage
    says = [
        f"no group that was read lists {address}; other addresses of its members are not remembered"
        for parameter, (address, party) in strange.items()
        if party.alone and {*named_groups(rule, parameter)} & memory.folk.groups.keys()
    ]
    return replace(stage, sure=Sure.UNPROVEN, says=(*stage.says, *says)) if says else stage


def _rules(memory: Memory) -> tuple[Rule, ...]:
    return memory.organisation.rules if memory.organisation else ()
