"""Microsoft's published endpoint sets as values, read from the answers of its web service.

Strict where it matters (identity, service area, addresses, ports), tolerant elsewhere:
unknown fields and service areas are kept and mean nothing. The shapes are those of
Microsoft Learn, "Microsoft 365 IP Address and URL web service".
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from dataclasses import dataclass, field

from exosync.core.answers import Fields, canonical, is_version, load, one_line, rejected, shown
from exosync.core.ports import Ports
from exosync.core.published import PublishedChange, parse_changes
from exosync.core.ranges import IpRanges
from exosync.errors import FeedRejected, RangeError, UsageError

__all__ = [
    "INSTANCES",
    "EndpointSet",
    "Ports",
    "PublishedChange",
    "Snapshot",
    "instance_name",
    "is_version",
    "parse_changes",
    "parse_endpoints",
    "parse_version",
]

INSTANCES = ("Worldwide", "China", "USGovDoD", "USGovGCCHigh")
"""Microsoft's clouds, as the service spells them; it takes them in any case."""

# Microsoft always writes a prefix length; a bare address or a netmask is something else.
_CIDR = re.compile(r"[0-9A-Fa-f:.]+/[0-9]{1,3}")


@dataclass(frozen=True, slots=True)
class EndpointSet:
    """One set of hosts, addresses and ports.

    `ips` are the CIDRs as published, `ranges` the same as a value. What the service leaves
    out because it is blank is empty or false here.
    """

    id: int
    service_area: str
    urls: tuple[str, ...] = ()
    ips: tuple[str, ...] = ()
    ranges: IpRanges = IpRanges()
    tcp_ports: Ports = field(default_factory=Ports)
    udp_ports: Ports = field(default_factory=Ports)
    category: str = ""
    required: bool = False
    express_route: bool = False
    notes: str = ""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What the service said of one instance at one version.

    `sets` are in the order of their ids. `canonical` is the whole answer as JSON with every
    field, unknown ones too: names sorted, sets in the order of their ids, lists in the order
    given, ASCII alone. `sha256` is the hexadecimal digest of that text.
    """

    instance: str
    version: str
    sets: tuple[EndpointSet, ...]
    canonical: str
    sha256: str


def instance_name(text: str) -> str:
    """The instance as the service spells it, whatever the case. Raises UsageError."""
    found = _instance(text)
    if found is None:
        message = f"there is no instance {shown(text)}: it is one of {', '.join(INSTANCES)}"
        raise UsageError(message)
    return found


def parse_endpoints(body: bytes | str, *, instance: str, version: str, where: str) -> Snapshot:
    """Read an answer of /endpoints/{instance}. `where` says in messages what is being read.

    Raises FeedRejected. Its rule is one of those of `exosync.core.answers.load`, or
    wrong_type, missing_field, duplicate_id, bad_cidr, bad_ports, bad_version, bad_instance.
    """
    if not is_version(version):
        raise rejected("bad_version", where, f"{shown(version)} is no version: it has ten digits")
    name = _instance(instance)
    if name is None:
        what = f"{shown(instance)} is no instance: it is one of {', '.join(INSTANCES)}"
        raise rejected("bad_instance", where, what)
    raw = _list_of_sets(load(body, where), where)
    pairs = [(_endpoint_set(item, index, where), item) for index, item in enumerate(raw)]
    counted = Counter(one.id for one, _ in pairs)
    twice = sorted(number for number, count in counted.items() if count > 1)
    if twice:
        numbers = ", ".join(map(str, twice[:10]))
        raise rejected("duplicate_id", where, f"set {numbers} is there more than once")
    pairs.sort(key=lambda pair: pair[0].id)
    text = canonical([item for _, item in pairs])
    return Snapshot(
        instance=name,
        version=version,
        sets=tuple(one for one, _ in pairs),
        canonical=text,
        sha256=hashlib.sha256(text.encode("ascii")).hexdigest(),
    )


def parse_version(body: bytes | str, *, instance: str) -> str:
    """The newest version in an answer of /version, for one instance or for all of them.

    Raises FeedRejected: those of `load`, wrong_type, missing_field, wrong_instance (the
    answer speaks of other instances), bad_version (not ten ASCII digits).
    """
    where = f"answer of /version for {instance}"
    answer = load(body, where)
    entries = [Fields.of(one, where) for one in (answer if isinstance(answer, list) else [answer])]
    names = [one.text("instance") for one in entries]
    found = [
        one for one, name in zip(entries, names, strict=True) if name.lower() == instance.lower()
    ]
    if len(found) != 1:
        told = ", ".join(names[:10]) or "none"
        what = f"the instances in it are {shown(told)}, where {instance} belongs once"
        raise rejected("wrong_instance", where, what)
    return found[0].version("latest")


def _instance(text: str) -> str | None:
    wanted = text.strip().lower()
    return next((name for name in INSTANCES if name.lower() == wanted), None)


def _list_of_sets(answer: object, where: str) -> list[object]:
    """The answer itself, if it is a list; else a refusal that says what it seems to be."""
    if isinstance(answer, list):
        if any(isinstance(one, dict) and "endpointSetId" in one for one in answer):
            what = "this is an answer of /changes, where one of /endpoints belongs"
            raise rejected("wrong_type", where, what)
        return answer
    what = f"this is {shown(answer)} where a list of endpoint sets belongs"
    if isinstance(answer, dict):
        seems = " of /version" if "latest" in answer else ""
        keys = ", ".join(shown(key) for key in list(answer)[:5])
        what = f"this is an object{seems} ({keys}) where a list of endpoint sets belongs"
    raise rejected("wrong_type", where, what)


def _endpoint_set(item: object, index: int, where: str) -> EndpointSet:
    number = Fields.of(item, f"{where}, entry {index}").integer("id")
    fields = Fields.of(item, f"{where}, set {number}")
    ips = fields.optional_texts("ips")
    return EndpointSet(
        id=number,
        service_area=fields.text("serviceArea"),
        urls=tuple(one_line(one) for one in fields.optional_texts("urls")),
        ips=ips,
        ranges=_ranges(ips, fields.where),
        tcp_ports=_ports(fields, "tcpPorts"),
        udp_ports=_ports(fields, "udpPorts"),
        category=fields.optional_text("category"),
        required=fields.optional_flag("required"),
        express_route=fields.optional_flag("expressRoute"),
        notes=fields.optional_text("notes"),
    )


def _ports(fields: Fields, key: str) -> Ports:
    text = fields.optional_text(key, null=False)
    try:
        return Ports.parse(text)
    except ValueError as error:
        raise rejected("bad_ports", fields.where, f"{key} is {shown(text)}: {error}") from None


def _ranges(cidrs: tuple[str, ...], where: str) -> IpRanges:
    for index, cidr in enumerate(cidrs):
        if not _CIDR.fullmatch(cidr):
            what = f"ips[{index}] is {shown(cidr)}, which is no CIDR like 40.92.0.0/15"
            raise rejected("bad_cidr", where, what)
    try:
        return IpRanges.parse(cidrs)
    except RangeError:
        raise _first_bad(cidrs, where) from None


def _first_bad(cidrs: tuple[str, ...], where: str) -> FeedRejected:
    """The refusal for the first CIDR that cannot be read."""
    for index, cidr in enumerate(cidrs):
        try:
            IpRanges.parse(cidr)
        except RangeError as error:
            return rejected("bad_cidr", where, f"ips[{index}]: {error}")
    raise AssertionError(cidrs)
