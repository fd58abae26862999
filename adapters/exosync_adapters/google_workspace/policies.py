"""What the Policy API says of the email allowlist. Pure, but for `read_policies`.

A policy is an explicit value that somebody set at one place; what holds is reduced from all of
them by a rule that is not documented for this setting. Google's help says that the allowlist is
always of the whole domain, so one policy is expected. Where there are several, an address
counts as let in only if each of them holds it.

Several things are not told by Google's pages, so each answer is taken: keys in camelCase (real
answers) and snake_case (the documentation's table); an empty list as a list, or left out; no
policy at all, which is Google's default, an empty list - but only believed if the same answer
holds other settings of Gmail.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from exosync.core.ranges import IpRanges
from exosync.core.target import digest
from exosync.core.words import one_line, plural, short
from exosync.errors import TargetError
from exosync_adapters.google_workspace.entries import Entry, canonical, ranges_of, read_entries
from exosync_adapters.google_workspace.service import Google
from exosync_adapters.google_workspace.settings import OWN_CUSTOMER

ALLOWLIST = "settings/gmail.email_spam_filter_ip_allowlist"
GMAIL = "settings/gmail."
FIELDS = ("allowedIpAddresses", "allowed_ip_addresses")
PAGE_SIZE = 100  # the most that a page holds (discovery document)

SYSTEM = "SYSTEM"


def filter_for(customer: str) -> str:
    """The filter for all of Gmail's settings of a customer, in the form that Google documents.

    Others beside the allowlist are asked for so that "not there" can be told from "not told".
    """
    return (
        f"customer == \"customers/{customer}\" && setting.type.matches('^settings/gmail\\\\..*$')"
    )


@dataclass(frozen=True)
class Listing:
    """The allowlist at one place: the policy as it came, and its entries in their order."""

    policy: Mapping[str, Any]
    key: str
    entries: tuple[Entry, ...]

    @property
    def name(self) -> str:
        """The policy's resource name."""
        return str(self.policy.get("name", ""))

    @property
    def unit(self) -> str:
        """The organizational unit, like orgUnits/…; empty if it names none."""
        return str(_query(self.policy).get("orgUnit") or "")

    @property
    def group(self) -> str:
        """The group, like groups/…; empty if it names none."""
        return str(_query(self.policy).get("group") or "")

    @property
    def is_admins(self) -> bool:
        """Whether people set it; else it is Google's own default."""
        return self.policy.get("type") != SYSTEM

    @property
    def place(self) -> str:
        """Where it holds, in words."""
        return " and ".join(one for one in (self.unit, self.group) if one) or "no place named"

    @cached_property
    def ranges(self) -> IpRanges:
        """The addresses that it lets in."""
        return ranges_of(self.entries)


@dataclass(frozen=True)
class Allowlist:
    """The email allowlist, wherever it is set.

    `root` is the top organizational unit if that is known, `chosen` tells that a person named
    it. `customer` is the id that the answer gives, empty where it holds no policy.
    """

    lists: tuple[Listing, ...]
    root: str = ""
    chosen: bool = False
    customer: str = ""

    @cached_property
    def counting(self) -> tuple[Listing, ...]:
        """The lists that an address must be on: all, or what is at the top if that was chosen."""
        return self.at_top if self.chosen else self.lists

    @cached_property
    def at_top(self) -> tuple[Listing, ...]:
        """The lists of the top organizational unit, for everybody there."""
        if not self.root:
            return ()
        return tuple(one for one in self.lists if one.unit == self.root and not one.group)

    @cached_property
    def ranges(self) -> IpRanges:
        """The addresses that are let in for certain."""
        if not self.counting:
            return IpRanges()
        common = self.counting[0].ranges
        for one in self.counting[1:]:
            common &= one.ranges
        return common

    @cached_property
    def box(self) -> Listing | None:
        """The list that the console's box shows, if there is one and that can be told."""
        shown = self.lists if len(self.lists) == 1 and not self.chosen else self.at_top
        return shown[0] if len(shown) == 1 else None

    @cached_property
    def is_told(self) -> bool:
        """Whether the text of the console's box is known."""
        return self.box is not None or not self.counting

    @cached_property
    def entries(self) -> tuple[Entry, ...]:
        """What the box holds; where that cannot be told, what all lists hold that count."""
        if self.box is not None:
            return self.box.entries
        if not self.counting:
            return ()
        common = set.intersection(*(set(canonical(one.entries)) for one in self.counting))
        return tuple(one for one in self.counting[0].entries if one.canonical in common)

    @cached_property
    def token(self) -> str:
        """A digest of what the lists say that count; order and way of writing mean nothing."""
        if len(self.counting) <= 1:
            return token_of(canonical(self.entries))
        return digest(sorted([one.place, *canonical(one.entries)] for one in self.counting))


def token_of(texts: Sequence[str]) -> str:
    """The digest of one list of canonical texts."""
    return digest(sorted(set(texts)))


def read_policies(google: Google, customer: str) -> list[Mapping[str, Any]]:
    """All policies for Gmail, over all pages. Raises TargetError where they are not whole."""
    wanted = filter_for(customer)

    def page(service: Any, /, *, page_token: str | None) -> Any:
        more = {"pageToken": page_token} if page_token else {}
        return service.policies().list(filter=wanted, pageSize=PAGE_SIZE, **more)

    found: list[Mapping[str, Any]] = []
    for answer in google.pages(google.policies(), page):
        policies = answer.get("policies", [])
        if not isinstance(policies, list) or not all(isinstance(one, dict) for one in policies):
            raise TargetError("the Policy API gave policies in a form that exosync does not know")
        found += policies
    return _each_once(found)


def _each_once(policies: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """What comes in no order over several pages may come twice: a policy is known by its name."""
    names = {str(one.get("name") or f"nameless {at}"): one for at, one in enumerate(policies)}
    return list(names.values())


def allowlist(
    policies: Sequence[Mapping[str, Any]], *, customer: str, root_unit: str | None
) -> Allowlist:
    """The email allowlist out of all policies for Gmail.

    Raises TargetError where it cannot be told for certain what it holds.
    """
    ours = [one for one in policies if _setting(one).get("type") == ALLOWLIST]
    others = [one for one in policies if str(_setting(one).get("type", "")).startswith(GMAIL)]
    if not others:
        raise TargetError(
            "the Policy API told no setting of Gmail at all, so that an empty email allowlist "
            "cannot be told apart from one that is not shown: see whether Gmail is on for the "
            "account, and whether the customer is right"
        )
    found = _customer(policies, customer)
    set_by_people = [one for one in ours if one.get("type") != SYSTEM]
    lists = tuple(_listing(one) for one in set_by_people or ours)
    root = root_unit or _root(policies)
    return Allowlist(lists, root, chosen=root_unit is not None, customer=found)


def _listing(policy: Mapping[str, Any]) -> Listing:
    value = _setting(policy).get("value")
    if not isinstance(value, dict) or set(value) - set(FIELDS) or len(value) > 1:
        keys = sorted(value) if isinstance(value, dict) else type(value).__name__
        raise TargetError(
            f"the Policy API gives the email allowlist in a form that exosync does not know "
            f"({short(one_line(str(keys)))}); nothing is guessed: see whether there is a newer "
            "exosync"
        )
    key = next(iter(value), FIELDS[0])
    texts = value.get(key, [])
    if not isinstance(texts, list) or not all(isinstance(one, str) for one in texts):
        raise TargetError(
            f"the Policy API gives {key} of the email allowlist as something else than a list of "
            "texts; nothing is guessed: see whether there is a newer exosync"
        )
    return Listing(policy, key, read_entries(texts))


def _customer(policies: Sequence[Mapping[str, Any]], customer: str) -> str:
    """The customer that the answer is about. Raises TargetError if it is not the one asked for."""
    told = {str(one["customer"]).rpartition("/")[2] for one in policies if one.get("customer")}
    if len(told) > 1:
        raise TargetError(f"the Policy API answered for {plural(len(told), 'customer')} at once")
    if customer != OWN_CUSTOMER and told - {customer}:
        raise TargetError(
            f"customer: the Policy API answered for {short(one_line(min(told)))}, not for {customer}"
        )
    return next(iter(told), "")


def _root(policies: Sequence[Mapping[str, Any]]) -> str:
    """The top organizational unit: where Google's own defaults are set (ours: inferred)."""
    units = {
        str(_query(one).get("orgUnit") or "")
        for one in policies
        if one.get("type") == SYSTEM and not _query(one).get("group")
    } - {""}
    return units.pop() if len(units) == 1 else ""


def _setting(policy: Mapping[str, Any]) -> Mapping[str, Any]:
    setting = policy.get("setting")
    return setting if isinstance(setting, dict) else {}


def _query(policy: Mapping[str, Any]) -> Mapping[str, Any]:
    query = policy.get("policyQuery")
    return query if isinstance(query, dict) else {}
