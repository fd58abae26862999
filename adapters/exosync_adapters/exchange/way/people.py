"""Who people are to the tenant, and who is in which group: asked for the way of a message."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from exosync.core.trace import Stage, Sure
from exosync.errors import TargetError
from exosync_adapters.exchange.admin import listing, reading
from exosync_adapters.exchange.records import Call, Listing, Organisation
from exosync_adapters.exchange.way.letters import SOMEBODY, STRANGER, Party, domain_of

_MOST_GROUPS = 50
"""Groups that are asked for one message, those in groups included."""


@dataclass(slots=True)
class People:
    """Asks, and remembers the answers. `troubles` are stages for what could not be asked."""

    admin: listing.Asked
    organisation: Organisation
    troubles: list[Stage] = field(default_factory=list)
    _groups: dict[str, frozenset[str] | None] = field(default_factory=dict)
    _nested: set[str] = field(default_factory=set)

    def party(self, address: str) -> Party:
        """What the tenant knows of an address; one that is at no domain of its own is strange."""
        if self.organisation.domain(domain_of(address)) is None:
            whole = Listing.DOMAINS not in self.organisation.incomplete
            return STRANGER if whole else SOMEBODY
        try:
            found = listing.recipient(self.admin, address)
        except TargetError as error:
            self._cannot(address, f"whether {address} is a recipient here", error)
            return SOMEBODY
        if found is None:
            return STRANGER
        return Party(exists=True, mailbox=has_mailbox(found.type), addresses=found.addresses)

    def groups(self, names: Iterable[str], parties: Iterable[Party]) -> dict[str, frozenset[str]]:
        """The members of groups, those of groups in them included.

        A group that could not be read whole is left out, unless one of these people is seen in it.
        """
        wanted = frozenset(address for one in parties for address in one.addresses)
        found = {}
        for name in dict.fromkeys(names):
            members, whole = self._everybody(name)
            if whole or members & wanted:
                found[name] = members
        return found

    def _everybody(self, group: str) -> tuple[frozenset[str], bool]:
        """All members that can be read, and whether these are all."""
        seen: set[str] = set()
        left, members, whole = [group], set[str](), True
        while left:
            name = left.pop()
            if name in seen:
                continue
            seen.add(name)
            direct = self._direct(name)
            if direct is None:
                whole = False
                continue
            members |= direct
            left += [one for one in direct if one in self._nested]
        return frozenset(members), whole

    def _direct(self, group: str) -> frozenset[str] | None:
        if group not in self._groups:
            self._groups[group] = self._ask(group)
        return self._groups[group]

    def _ask(self, group: str) -> frozenset[str] | None:
        if len(self._groups) >= _MOST_GROUPS:
            return None
        call = Call("Get-DistributionGroupMember", {"Identity": group, "ResultSize": "Unlimited"})
        try:
            told = self.admin.read(call)
        except TargetError as error:
            self._cannot(group, f"who is in {group}", error)
            return None
        members = {reading.member(one): is_group(one) for one in told.value}
        self._nested |= {address for address, nested in members.items() if nested}
        if told.truncated or told.warnings or "" in members:
            why = TargetError("; ".join(told.warnings) or "not all members were told")
            self._cannot(group, f"who is in {group}", why)
            return None
        return frozenset(members)

    def _cannot(self, where: str, what: str, error: TargetError) -> None:
        title = f"{what} could not be asked"
        self.troubles.append(Stage("rule", where, title, None, Sure.SEEN, (str(error),)))


def has_mailbox(type_: str) -> bool:
    """Whether a recipient of this type (RecipientTypeDetails) has a mailbox in Exchange Online."""
    return type_.endswith("Mailbox") and not type_.startswith("Remote") and type_ != "GroupMailbox"


def is_group(raw: reading.Raw) -> bool:
    """Whether a member is a group itself, of whatever kind."""
    return any("Group" in str(raw.get(name)) for name in ("RecipientTypeDetails", "RecipientType"))
