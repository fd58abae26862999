"""What stands for the state of a tenant that nobody reads. Pure."""

from __future__ import annotations

from dataclasses import replace

from exosync.core.tasks import Asserted, Known, TaskRules
from exosync_adapters.exchange.memory import Memory
from exosync_adapters.exchange.records import DomainType, Listing

UNREAD = "exosync has no credentials for this tenant, so nothing in it is read"
LAST_READING = "exosync's last reading"
"""Whose word it is that what was read last still is so."""

_AGAIN = TaskRules()


def asserted(known: Known, before: Memory) -> dict[str, Asserted]:
    """By resource what was said, or read, last."""
    found = of_people(known, before)
    for name, (token, at) in before.last_read.items():
        if name not in found or found[name].at < at:
            again = _AGAIN.is_due_again(known.now, at)
            found[name] = Asserted(name, LAST_READING, at, due_again=again, gives=token)
    return found


def of_people(known: Known, before: Memory) -> dict[str, Asserted]:
    """What people acknowledged of the tenant that the configuration names."""
    begun = before.begun
    return {
        name: replace(one, gives=_named(one.gives, before))
        for name, one in known.acknowledged.items()
        if begun is None or one.at >= begun
    }


def was_blind(before: Memory) -> bool:
    """Whether the last look read nothing."""
    found = before.organisation
    return found is not None and found.incomplete == dict.fromkeys(Listing, UNREAD)


def domain_token(name: str, kind: DomainType) -> str:
    """The token of an accepted domain: its type, for it is all that a step changes."""
    return f"{unnamed_token(kind)}:{name}"


def unnamed_token(kind: DomainType) -> str:
    """The same as it was before it named the domain, and no terms were remembered."""
    return f"type:{kind.value.lower()}"


def _named(token: str, before: Memory) -> str:
    """A token that does not name its domain yet, as that of the one which was configured then."""
    for kind in DomainType:
        if token == unnamed_token(kind) and before.terms is not None:
            return domain_token(before.terms.domain, kind)
    return token
