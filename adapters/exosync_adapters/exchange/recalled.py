"""The way of one message as the last run saw the tenant; nobody is asked. Pure but for the clock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from exosync.core.trace import Stage, Sure, Way
from exosync_adapters.exchange.findings.hosts import TOLD_AS
from exosync_adapters.exchange.memory import Memory
from exosync_adapters.exchange.records import Listing, Organisation, Rule
from exosync_adapters.exchange.settings import ExchangeSettings
from exosync_adapters.exchange.way.host_records import Hosts, HostSeen
from exosync_adapters.exchange.way.letters import SOMEBODY, STRANGER, Party, domain_of
from exosync_adapters.exchange.way.looks import HOSTS, LOOKS, recalled
from exosync_adapters.exchange.way.matching import FROM_MEMBERS, TO_MEMBERS, named_groups
from exosync_adapters.exchange.way.standing import HostStanding, Standing
from exosync_adapters.exchange.way.tracing import message_of, on_peoples_word, way

_MUTE = "no smart host ever answered this machine on port 25, so it tries once a day"


def remembered_way(
    settings: ExchangeSettings, remembered: Mapping[str, Any], sender: str, recipient: str
) -> Way | None:
    """The way as the last run saw the tenant, its groups and the smart hosts; nobody is asked.

    None if no run has read the tenant that the configuration names.
    """
    memory = Memory.read(remembered)
    if memory.organisation is None or _is_of_another(memory, settings):
        return None
    at = memory.at or datetime.now(UTC)
    by, to = (_party(memory, one) for one in (sender, recipient))
    message = message_of(settings, memory.organisation, sender, recipient, at, by=by, to=to)
    looks = recalled(remembered.get(LOOKS))
    told = way(
        settings, memory.organisation, message, groups=memory.folk.groups, hosts=Hosts(looks)
    )
    standing = Standing.read(remembered.get(HOSTS))
    stages = tuple(_as_seen(one, looks, standing) for one in told.stages)
    told = replace(told, stages=stages, seen_at=memory.at)
    if settings.credentials is None:
        return on_peoples_word(told)
    strange = {TO_MEMBERS: (recipient, to), FROM_MEMBERS: (sender, by)}
    return replace(told, stages=tuple(_by_main(one, strange, memory) for one in told.stages))


def _is_of_another(memory: Memory, settings: ExchangeSettings) -> bool:
    return memory.terms is not None and memory.terms.tenant != settings.tenant


def _party(memory: Memory, address: str) -> Party:
    """Who has an address, as far as that is remembered; nobody is taken for a second name."""
    organisation = memory.organisation or Organisation()
    if organisation.domain(domain_of(address)) is None:
        return SOMEBODY if Listing.DOMAINS in organisation.incomplete else STRANGER
    return memory.folk.people.get(address.lower(), Party(alone=True))


def _as_seen(stage: Stage, looks: Mapping[str, HostSeen], standing: Standing) -> Stage:
    """A smart host as a run saw it then; what one look shows is no surer than what runs tell."""
    seen = looks.get(stage.where) if stage.kind == "smart_host" else None
    if seen is None or seen.at is None:
        return stage
    doubt = _doubt(stage, standing.hosts.get(seen.name, HostStanding()))
    if doubt:
        stage = replace(stage, ok=None, sure=Sure.UNPROVEN, says=(*stage.says, doubt))
    mute = (_MUTE,) if seen.answers is None and standing.is_mute else ()
    return replace(stage, says=(*stage.says, *mute, f"as seen at {seen.at:%Y-%m-%d %H:%M} UTC"))


def _doubt(stage: Stage, told: HostStanding) -> str:
    """Where the last look alone differs from what is told of a host, by findings too."""
    if stage.ok and told.trouble:
        return f"runs tell {TOLD_AS[told.trouble]} of it, until two of them have seen otherwise"
    if stage.ok is False and not told.trouble and told.turning is not None:
        return (
            "one look showed it so, and those before did not: the next run tells whether it lasts"
        )
    return ""


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
