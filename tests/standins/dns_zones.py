"""Zones in memory for the DNS stand-in: answers (RFC 1034) and updates (RFC 2136).

Only what an SPF target meets: one class, no DNSSEC, no transfers, no glue.
"""

from __future__ import annotations

import copy
import threading
from collections.abc import Mapping
from typing import cast

import dns.flags
import dns.message
import dns.name
import dns.node
import dns.rcode
import dns.rdataclass
import dns.rdataset
import dns.rdatatype
import dns.rdtypes.ANY.SOA
import dns.rrset
import dns.update
import dns.zone

ANY, NONE = dns.rdataclass.ANY, dns.rdataclass.NONE
_LONGEST_CHAIN = 16


class Rejected(Exception):
    """An update that ends with this code and changes nothing."""

    def __init__(self, rcode: dns.rcode.Rcode) -> None:
        super().__init__(dns.rcode.to_text(rcode))
        self.rcode = rcode


class Zones:
    """Some zones, and who may change what in them.

    `files` maps each apex to its zone file. `grants` maps the name of a TSIG key to the names
    where it may change TXT records; the name `*` stands for every name and every type.
    Thread-safe.
    """

    def __init__(self, files: Mapping[str, str], grants: Mapping[str, tuple[str, ...]]) -> None:
        self._lock = threading.Lock()
        self._grants = {dns.name.from_text(key): _names(granted) for key, granted in grants.items()}
        self._zones = {
            dns.name.from_text(apex): dns.zone.from_text(
                text, dns.name.from_text(apex), relativize=False
            )
            for apex, text in files.items()
        }

    def copy(self) -> Zones:
        """The same zones as they are now, to go back to later."""
        twin = Zones({}, {})
        with self._lock:
            twin._grants = dict(self._grants)
            twin._zones = copy.deepcopy(self._zones)
        return twin

    def serial(self, apex: str) -> int:
        """The serial of a zone."""
        with self._lock:
            return int(_soa(self._zones[dns.name.from_text(apex)])[0].serial)

    def answer(self, query: dns.message.Message, response: dns.message.Message) -> None:
        """Fill the response to a query."""
        question = query.question[0]
        with self._lock:
            self._answer(question.name, question.rdtype, response, _LONGEST_CHAIN)

    def _answer(
        self,
        name: dns.name.Name,
        rdtype: dns.rdatatype.RdataType,
        response: dns.message.Message,
        links: int,
    ) -> None:
        zone = self._zone_of(name)
        if zone is None or zone.origin is None:
            if not response.answer:
                response.set_rcode(dns.rcode.REFUSED)
            return
        if (cut := _delegation(zone, name)) is not None:
            response.authority.append(cut)
            return
        response.flags |= dns.flags.AA
        node = _node(zone, name)
        found = _rrset(node, name, rdtype)
        alias = _rrset(node, name, dns.rdatatype.CNAME)
        if found is not None:
            response.answer.append(found)
        elif alias is not None:
            response.answer.append(alias)
            if links:
                self._answer(alias[0].target, rdtype, response, links - 1)
        else:
            response.authority.append(_soa(zone))
            if node is None and not _has_below(zone, name):
                response.set_rcode(dns.rcode.NXDOMAIN)

    def _zone_of(self, name: dns.name.Name) -> dns.zone.Zone | None:
        for depth in range(len(name.labels), 0, -1):
            zone = self._zones.get(name.split(depth)[1])
            if zone is not None:
                return zone
        return None

    def update(self, message: dns.update.UpdateMessage, key: dns.name.Name | None) -> bool:
        """Carry out a whole update or nothing; whether anything changed. Raises Rejected.

        Permissions come before prerequisites, as with BIND since 9.18.11.
        """
        with self._lock:
            zone = self._zones.get(message.zone[0].name)
            if zone is None:
                raise Rejected(dns.rcode.NOTAUTH)
            for rrset in (*message.prerequisite, *message.update):
                if self._zone_of(rrset.name) is not zone:
                    raise Rejected(dns.rcode.NOTZONE)
            if key is None or not all(self._may(key, rrset) for rrset in message.update):
                raise Rejected(dns.rcode.REFUSED)
            _require(zone, message.prerequisite)
            return _carry_out(zone, message.update)

    def _may(self, key: dns.name.Name, rrset: dns.rrset.RRset) -> bool:
        granted = self._grants.get(key, frozenset())
        return dns.name.from_text("*") in granted or (
            rrset.name in granted and rrset.rdtype == dns.rdatatype.TXT
        )


def _names(texts: tuple[str, ...]) -> frozenset[dns.name.Name]:
    return frozenset(dns.name.from_text(text) for text in texts)


def _soa(zone: dns.zone.Zone) -> dns.rrset.RRset:
    assert zone.origin is not None
    return zone.find_rrset(zone.origin, dns.rdatatype.SOA)


def _rrset(
    node: dns.node.Node | None, name: dns.name.Name, rdtype: dns.rdatatype.RdataType
) -> dns.rrset.RRset | None:
    rdataset = node.get_rdataset(dns.rdataclass.IN, rdtype) if node else None
    return dns.rrset.from_rdata_list(name, rdataset.ttl, list(rdataset)) if rdataset else None


def _node(zone: dns.zone.Zone, name: dns.name.Name) -> dns.node.Node | None:
    """The node of a name, or that of the wildcard which stands for it (RFC 4592)."""
    if (node := zone.get_node(name)) is not None or _has_below(zone, name):
        return node
    encloser = name.parent()
    while zone.get_node(encloser) is None and not _has_below(zone, encloser):
        encloser = encloser.parent()
    return zone.get_node(dns.name.Name((b"*", *encloser.labels)))


def _has_below(zone: dns.zone.Zone, name: dns.name.Name) -> bool:
    return any(other != name and other.is_subdomain(name) for other in zone)


def _delegation(zone: dns.zone.Zone, name: dns.name.Name) -> dns.rrset.RRset | None:
    """The NS set of the child zone that holds a name, if one does."""
    while name != zone.origin:
        if (cut := _rrset(zone.get_node(name), name, dns.rdatatype.NS)) is not None:
            return cut
        name = name.parent()
    return None


def _require(zone: dns.zone.Zone, prerequisites: list[dns.rrset.RRset]) -> None:
    """RFC 2136, section 3.2."""
    exact: dict[tuple[dns.name.Name, dns.rdatatype.RdataType], set[object]] = {}
    for rrset in prerequisites:
        if rrset.ttl:
            raise Rejected(dns.rcode.FORMERR)
        if rrset.deleting is None:
            exact.setdefault((rrset.name, rrset.rdtype), set()).update(rrset)
        else:
            _require_use(zone, rrset)
    for (name, rdtype), records in exact.items():
        found = _rrset(zone.get_node(name), name, rdtype)
        if found is None or set(found) != records:
            raise Rejected(dns.rcode.NXRRSET)


def _require_use(zone: dns.zone.Zone, rrset: dns.rrset.RRset) -> None:
    node = zone.get_node(rrset.name)
    if rrset.rdtype == dns.rdatatype.ANY:
        exists, lacking, present = bool(node), dns.rcode.NXDOMAIN, dns.rcode.YXDOMAIN
    else:
        exists = _rrset(node, rrset.name, rrset.rdtype) is not None
        lacking, present = dns.rcode.NXRRSET, dns.rcode.YXRRSET
    if rrset.deleting == ANY and not exists:
        raise Rejected(lacking)
    if rrset.deleting == NONE and exists:
        raise Rejected(present)


def _carry_out(zone: dns.zone.Zone, changes: list[dns.rrset.RRset]) -> bool:
    """RFC 2136, section 3.4.2; the serial goes up by one if anything is another than before."""
    before = {rrset.name: _contents(zone, rrset.name) for rrset in changes}
    for rrset in changes:
        _change(zone, rrset)
    changed = any(_contents(zone, name) != contents for name, contents in before.items())
    if changed:
        _bump(zone)
    return changed


def _contents(zone: dns.zone.Zone, name: dns.name.Name) -> frozenset[object]:
    node = zone.get_node(name)
    return frozenset((r.rdtype, r.ttl, frozenset(r)) for r in node) if node else frozenset()


def _change(zone: dns.zone.Zone, rrset: dns.rrset.RRset) -> None:
    held = (dns.rdatatype.SOA, dns.rdatatype.NS) if rrset.name == zone.origin else ()
    if rrset.deleting is None:
        _add(zone, rrset)
    elif rrset.rdtype == dns.rdatatype.ANY:
        for rdataset in list(zone.get_node(rrset.name) or ()):
            if rdataset.rdtype not in held:
                zone.delete_rdataset(rrset.name, rdataset.rdtype)
    elif rrset.deleting == ANY and rrset.rdtype not in held:
        zone.delete_rdataset(rrset.name, rrset.rdtype)
    elif rrset.deleting == NONE:
        _remove(zone, rrset)


def _add(zone: dns.zone.Zone, rrset: dns.rrset.RRset) -> None:
    """An addition beside a CNAME is left out without a word (section 3.4.2.2)."""
    node = zone.get_node(rrset.name)
    there = {rdataset.rdtype for rdataset in node} if node else set()
    is_alias = rrset.rdtype == dns.rdatatype.CNAME
    if (dns.rdatatype.CNAME in there) != is_alias and there:
        return
    old = _rrset(node, rrset.name, rrset.rdtype)
    records = [*(old or ()), *rrset] if not is_alias else list(rrset)
    zone.replace_rdataset(rrset.name, dns.rdataset.from_rdata_list(rrset.ttl, records))


def _remove(zone: dns.zone.Zone, rrset: dns.rrset.RRset) -> None:
    old = _rrset(zone.get_node(rrset.name), rrset.name, rrset.rdtype)
    if old is None:
        return
    left = [record for record in old if record not in rrset]
    if left:
        zone.replace_rdataset(rrset.name, dns.rdataset.from_rdata_list(old.ttl, left))
    else:
        zone.delete_rdataset(rrset.name, rrset.rdtype)


def _bump(zone: dns.zone.Zone) -> None:
    soa = _soa(zone)
    old = cast("dns.rdtypes.ANY.SOA.SOA", soa[0])
    new = old.replace(serial=(old.serial + 1) % 2**32 or 1)
    assert zone.origin is not None
    zone.replace_rdataset(zone.origin, dns.rdataset.from_rdata_list(soa.ttl, [new]))
