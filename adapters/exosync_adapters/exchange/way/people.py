"""Who people are to the tenant, and who is in which group: asked for the way of a message."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from exosync.core.trace import Stage, Sure
from exosync.errors import TargetError
from exosync_adapters.exchange.admin import listing, reading
from exosync_adapters.exchange.records import Call, Listing, Organisation
from exosync_adapters.exchange.settings import ExchangeSettings
from exosync_adapters.exchange.way.letters import SOMEBODY, STRANGER, Folk, Party, Truth, domain_of
from exosync_adapters.exchange.way.matching import named_groups

_MOST_GROUPS = 50
"""Groups that are asked for one message, those in groups included."""

MOST_MEMBERS = 5000
"""Members of a group that are kept: of a larger one the page does not know who is in it."""


def folk(
    settings: ExchangeSettings,
    admin: listing.Asked,
    organisation: Organisation,
    *,
    most: int = MOST_MEMBERS,
) -> Folk:
    """Who is in the groups that decide, and who the recipients for proofs are, to be remembered.

    What cannot be asked is not in it, nor a group with more than `most` members.
    """
    people = People(admin, organisation, most=most)
    groups = people.groups(_groups_that_decide(settings, organisation), ())
    members = frozenset[str]().union(*groups.values())
    known = {one: people.member(one) for one in members}
    for address in settings.validation_recipients:
        party = people.party(address)
        if party.exists is not None:
            known[address.lower()] = party
    return Folk(groups, known)


def _groups_that_decide(settings: ExchangeSettings, organisation: Organisation) -> Iterator[str]:
    """Those of the configuration, and those that rules which route name."""
    routed = settings.routed
    for one in (routed.group, routed.everyone_but, settings.exceptions.group):
        if one:
            yield one.lower()
    for rule in organisation.rules:
        if rule.connector:
            yield from named_groups(rule)


@dataclass(slots=True)
class People:
    """Asks, and remembers the answers. `troubles` are stages for what could not be told.

    `most` are the members of one group that are asked for: a larger one is not known. None: all.
    """

    admin: listing.Asked
    organisation: Organisation
    most: int | None = None
    troubles: list[Stage] = field(default_factory=list)
    _groups: dict[str, frozenset[str] | None] = field(default_factory=dict)
    _nested: set[str] = field(default_factory=set)
    _mailboxes: dict[str, Truth] = field(default_factory=dict)

    def party(self, address: str) -> Party:
        """What the tenant knows of an address; one that is at no domain of its own is strange."""
        if self.organisation.domain(domain_of(address)) is None:
            whole = Listing.DOMAINS not in self.organisation.incomplete
            return STRANGER if whole else SOMEBODY
        try:
            found = listing.recipient(self.admin, address)
            if found is None:
                return self._by_plus(address)
        except TargetError as error:
            self._cannot(address, f"whether {address} is a recipient here", error)
            return SOMEBODY
        here, group = has_mailbox(found.type), is_group_type(found.type)
        return Party(
            exists=True, mailbox=here, addresses=found.addresses, main=found.address, group=group
        )

    def member(self, address: str) -> Party:
        """What a group tells of one of its members, without asking for it."""
        here = self._mailboxes.get(address)
        return Party(exists=True, mailbox=here, addresses=frozenset({address}), main=address)

    def _by_plus(self, address: str) -> Party:
        """Somebody of whom nobody knows, unless what stands after a plus is to be left out.

        Mail to ada+news@ is ada's unless plus addressing was switched off (Microsoft Learn, "Plus
        Addressing in Exchange Online"); what rules make of such an address is not told there.
        """
        local, _, domain = address.rpartition("@")
        name, plus, _ = local.partition("+")
        if not plus or not name or listing.recipient(self.admin, f"{name}@{domain}") is None:
            return STRANGER
        title = f"{address} is {name}@{domain} if plus addressing is on"
        told = "it is unless somebody switched it off; what rules make of it is not documented"
        self.troubles.append(Stage("domain", address, title, None, Sure.DOCUMENTED, (told,)))
        return SOMEBODY

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
        size = self.most or "Unlimited"
        call = Call("Get-DistributionGroupMember", {"Identity": group, "ResultSize": size})
        try:
            told = self.admin.read(call)
        except TargetError as error:
            self._cannot(group, f"who is in {group}", error)
            return None
        members = {reading.member(one): is_group(one) for one in told.value}
        self._nested |= {address for address, nested in members.items() if nested}
        self._mailboxes |= {reading.member(one): _has_one(one) for one in told.value}
        too_many = self.most is not None and len(members) > self.most
        if told.truncated or told.warnings or _is_hidden(told.value) or too_many:
            why = TargetError("; ".join(told.warnings) or "not all members were told")
            self._cannot(group, f"who is in {group}", why)
            return None
        return frozenset(members) - {""}

    def _cannot(self, where: str, what: str, error: TargetError) -> None:
        title = f"{what} could not be asked"
        self.troubles.append(Stage("rule", where, title, None, Sure.SEEN, (str(error),)))


def has_mailbox(type_: str) -> bool:
    """Whether a recipient of this type (RecipientTypeDetails) has a mailbox in Exchange Online."""
    return type_.endswith("Mailbox") and not type_.startswith("Remote") and type_ != "GroupMailbox"


def _has_one(member: reading.Raw) -> Truth:
    told = _kind(member)
    return has_mailbox(told) if told else None


def _is_hidden(members: Iterable[reading.Raw]) -> bool:
    """Whether somebody may be in a group unseen: a group without an address, or who knows what.

    A person without one, such as a user without a licence, gets no mail.
    """
    return any(not reading.member(one) and (is_group(one) or not _kind(one)) for one in members)


def _kind(raw: reading.Raw) -> str:
    return str(raw.get("RecipientTypeDetails") or raw.get("RecipientType") or "")


def is_group(raw: reading.Raw) -> bool:
    """Whether a member is a group itself, of whatever kind."""
    return any(
        is_group_type(str(raw.get(name))) for name in ("RecipientTypeDetails", "RecipientType")
    )


def is_group_type(type_: str) -> bool:
    """Whether a recipient of this type stands for several people."""
    return "Group" in type_
