"""Everything of a tenant that decides where mail goes, and how whole each listing is.

Objects are always listed and matched on our side: Get-OutboundConnector, Get-TransportRule and
Get-AcceptedDomain give everything for an identity that does not exist (Microsoft Learn).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Generic, Protocol, TypeVar

from exosync.core.words import plural, short
from exosync.errors import TargetDenied, TargetError
from exosync_adapters.exchange.admin import reading
from exosync_adapters.exchange.admin.answers import TEST_MODE, Answer
from exosync_adapters.exchange.admin.faults import MissingError, RejectedError
from exosync_adapters.exchange.admin.reading import Recipient, UnreadableError
from exosync_adapters.exchange.admin.roles import MANAGE_V2
from exosync_adapters.exchange.records import Call, Connector, Listing, Organisation

Value = TypeVar("Value")
Raw = Mapping[str, Any]

_EVERYTHING: Final = {"ResultSize": "Unlimited"}
_DOMAINS: Final = Call("Get-AcceptedDomain", _EVERYTHING)
_RULES: Final = Call("Get-TransportRule", _EVERYTHING)
_ORGANISATION: Final = Call("Get-OrganizationConfig", {})
_WITH_TEST_MODE: Final = {**_EVERYTHING, "IncludeTestModeConnectors": True}
_FOR_RULES: Final = {"IsTransportRuleScoped": True}


class Asked(Protocol):
    """What a listing is made with: an `Admin`."""

    def read(self, call: Call) -> Answer:
        """What a command gives."""
        ...

    def published(self, endpoint: str, call: Call) -> Answer:
        """The same by the published Admin API."""
        ...

    def roles(self) -> frozenset[str]:
        """The application roles of the token."""
        ...


@dataclass(frozen=True, slots=True)
class Listed(Generic[Value]):
    """What was listed; `why` it may not be the whole, empty if it is."""

    values: tuple[Value, ...]
    why: str = ""


def organisation(admin: Asked) -> Organisation:
    """All listings. Raises the errors of targets where domains, connectors or rules are refused."""
    domains = _read(_published(admin, "AcceptedDomain", _DOMAINS), reading.accepted_domain)
    found = crowd(admin)
    dehydrated = _dehydrated(admin)
    why = {Listing.DOMAINS: domains.why, Listing.ORGANISATION: dehydrated.why}
    return replace(
        found,
        domains=domains.values,
        incomplete={**found.incomplete, **{listing: one for listing, one in why.items() if one}},
        dehydrated=next(iter(dehydrated.values), None),
    )


def crowd(admin: Asked) -> Organisation:
    """Connectors and rules alone: all that decides what may be written to one of them."""
    connectors = _connectors(admin)
    rules = _read(admin.read(_RULES), reading.rule)
    why = {Listing.CONNECTORS: connectors.why, Listing.RULES: rules.why}
    return Organisation(
        connectors=connectors.values,
        rules=tuple(sorted(rules.values, key=lambda one: one.priority)),
        incomplete={listing: one for listing, one in why.items() if one},
    )


def members(admin: Asked, group: str) -> frozenset[str]:
    """The addresses of a group's members, in lower case; nested groups are members like others.

    Raises MissingError if there is no such group, TargetError if not all members were told.
    """
    call = Call("Get-DistributionGroupMember", {"Identity": group, **_EVERYTHING})
    listed = _read(_published(admin, "DistributionGroupMember", call), reading.member)
    if listed.why:
        raise TargetError(f"the members of {group} are not all known: {listed.why}")
    return frozenset(filter(None, listed.values))


def recipient(admin: Asked, address: str) -> Recipient | None:
    """Who has an address; None if nobody has. Raises TargetError if that cannot be concluded."""
    wanted, whys = reading.address(address), []
    for written in _spellings(address):
        try:
            told = admin.read(Call("Get-Recipient", {"Identity": written, **_EVERYTHING}))
        except MissingError:
            continue
        listed = _read(told, reading.recipient)
        found = next((one for one in listed.values if wanted in one.addresses), None)
        if found is not None:
            return found
        whys += [listed.why] if listed.why else []
    if whys:
        raise TargetError(f"whether {address} is known cannot be told: {whys[0]}")
    return None


def _spellings(address: str) -> Iterator[str]:
    """An address as it is given, and in U-labels: in which an identity is found is not told."""
    yield address
    local, _, domain = address.rpartition("@")
    if "xn--" not in domain:
        return
    import idna

    try:
        yield f"{local}@{idna.decode(domain)}"
    except idna.IDNAError:
        return


def _published(admin: Asked, endpoint: str, call: Call) -> Answer:
    """By the published Admin API if the application may ask it, else by InvokeCommand."""
    if MANAGE_V2 in admin.roles():
        try:
            return admin.published(endpoint, call)
        except (TargetDenied, RejectedError):
            pass  # a preview: where it does not serve, the other way is tried, and tells why not
    return admin.read(call)


def _connectors(admin: Asked) -> Listed[Connector]:
    """Every connector, whatever is shown unasked.

    Whether connectors for rules alone are shown to those who do not ask for them, the docs and
    practice disagree; so both are asked for.
    """
    parts = [_with_test_mode(admin, {})]
    try:
        parts.append(_with_test_mode(admin, _FOR_RULES))
    except (TargetDenied, RejectedError) as error:
        parts.append(Listed((), short(str(error))))
    found: dict[str, Connector] = {}
    for part in parts:
        for one in part.values:
            found.setdefault(one.guid, one)
    whys = dict.fromkeys(part.why for part in parts if part.why)
    return Listed(tuple(found.values()), "; ".join(whys))


def _with_test_mode(admin: Asked, more: Mapping[str, Any]) -> Listed[Connector]:
    """Connectors in test mode and others.

    Whether IncludeTestModeConnectors gives the others too, as it does in practice, or not, as the
    docs say, its answer shows: one that is not in test mode. Else the others are asked for.
    """
    why = ""
    told = Answer()
    try:
        told = admin.read(Call("Get-OutboundConnector", {**_WITH_TEST_MODE, **more}))
    except (TargetDenied, RejectedError) as error:
        why = short(str(error))
    listed = _read(told, reading.connector)
    if any(one.get("TestMode") is False for one in told.value):
        return listed
    others = admin.read(Call("Get-OutboundConnector", {**_EVERYTHING, **more}))
    rest = _read(others, reading.connector, passing=TEST_MODE)
    whys = dict.fromkeys(filter(None, (why, listed.why, rest.why)))
    return Listed((*listed.values, *rest.values), "; ".join(whys))


def _dehydrated(admin: Asked) -> Listed[bool | None]:
    """Whether the organisation was never customised. That it was does not prove it is ready."""
    try:
        told = _published(admin, "OrganizationConfig", _ORGANISATION)
    except (TargetDenied, RejectedError) as error:
        return Listed((), short(str(error), 300))
    listed = _read(told, reading.is_dehydrated)
    # Warnings about hundreds of other properties are no matter here.
    return Listed(listed.values) if listed.values else Listed((), listed.why or "nothing was told")


def _read(told: Answer, read: Callable[[Raw], Value], *, passing: str = "") -> Listed[Value]:
    """The records that can be read. A warning that holds `passing` does not count."""
    values: list[Value] = []
    unread: list[str] = []
    for record in told.value:
        try:
            values.append(read(record))
        except UnreadableError as error:
            unread.append(short(str(error)))
    warnings = [one for one in told.warnings if not passing or passing not in one.lower()]
    return Listed(tuple(values), "; ".join(_why(told, warnings, unread)))


def _why(told: Answer, warnings: Iterable[str], unread: list[str]) -> Iterator[str]:
    if told.truncated:
        yield "the answer is cut"
    for one in warnings:
        yield f"Exchange Online warns: {short(one)}"
    if unread:
        yield f"{plural(len(unread), 'record')} cannot be read: {unread[0]}"
