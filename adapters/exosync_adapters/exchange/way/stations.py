"""What a message meets once it leaves Exchange Online: connector, hosts, addresses.

Pure: what was found out about hosts is handed in. Sources: New-OutboundConnector for TlsSettings;
"Outbound delivery pools" (learn.microsoft.com) for the relay pool; the texts of 4.4.317 and 4.7.320
are those that administrators report.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from ipaddress import ip_address

from exosync.core.trace import Pool, Stage, Sure
from exosync_adapters.exchange.records import Connector, Listing, Organisation
from exosync_adapters.exchange.way.flow import Exit, Going
from exosync_adapters.exchange.way.host_records import Certificate, Hosts, HostSeen
from exosync_adapters.exchange.way.letters import Truth, domain_of
from exosync_adapters.exchange.way.standing import TRUSTING, Trouble, of_certificate

RELAY_POOL = "40.95.0.0/16"

TLS_WORDS = {
    "": "TLS if it is offered",
    "EncryptionOnly": "TLS always, with any certificate",
    "CertificateValidation": "TLS always, with a certificate of a public authority",
    "DomainValidation": "TLS always, with a certificate for the name given",
}


def connector_stage(one: Exit, organisation: Organisation) -> Stage:
    """The connector that a message is handed to."""
    found = one.connector
    if found is None:
        incomplete = organisation.incomplete.get(Listing.CONNECTORS)
        title = f"{one.name} was not read" if incomplete else f"there is no connector {one.name}"
        why = f"connectors could not all be read: {incomplete}" if incomplete else "it is gone"
        told = (one.why, why, "what becomes of the message then is not documented")
        return Stage("connector", one.name, title, None if incomplete else False, Sure.SEEN, told)
    ok, trouble = _usable(found)
    where = "the MX of the recipient's domain" if found.use_mx else ", ".join(found.smart_hosts)
    title = f"{found.name}, to {where or 'no host'}"
    # What a rule does is told by the rule's own station.
    says = (*trouble, *(() if one.rule else (one.why,)), _tls_words(found))
    return Stage("connector", found.name, title, ok, Sure.SEEN, says)


def _usable(found: Connector) -> tuple[Truth, tuple[str, ...]]:
    if not found.enabled:
        return False, ("it is disabled",)
    if found.test_mode:
        return None, ("it is in test mode: whether mail uses it then is not documented",)
    return True, ()


def _tls_words(found: Connector) -> str:
    words = TLS_WORDS.get(found.tls, found.tls)
    return f"{words}: {found.tls_domain}" if found.tls_domain else words


def hosts_of(one: Exit, domain: str, hosts: Hosts) -> tuple[str, ...]:
    """The hosts that an exit leads to, as far as they are known."""
    if one.going is Going.MX or (one.connector and one.connector.use_mx):
        found = hosts.mx.get(domain)
        return found.hosts if found else ()
    return one.connector.smart_hosts if one.connector else ()


def host_stages(connector: Connector, hosts: Hosts, at: datetime) -> list[Stage]:
    """Each smart host. One that fails is no end while another may take mail.

    A connector that goes by MX may have kept some, and uses none of them.
    """
    if connector.use_mx or not connector.smart_hosts:
        return []
    if not any(one in hosts.seen for one in connector.smart_hosts):
        where = ", ".join(connector.smart_hosts)
        title = where if len(connector.smart_hosts) == 1 else f"one of {where}"
        says = ("no host was looked up or tried for this",)
        return [Stage("smart_host", where, title, None, Sure.UNPROVEN, says)]
    found = {one: hosts.seen.get(one) for one in connector.smart_hosts}
    stages = [
        _host_stage(seen, connector, at) if seen else _unseen(name) for name, seen in found.items()
    ]
    return _with_a_choice(stages)


def _unseen(host: str) -> Stage:
    says = ("it was not looked up or tried for this",)
    return Stage("smart_host", host, host, None, Sure.UNPROVEN, says)


def _with_a_choice(stages: Sequence[Stage]) -> list[Stage]:
    """Hosts of which one that fails is no end while another takes mail, or may."""
    told = {one.ok for one in stages}
    if told <= {False}:
        return [*stages]
    further = "another of the hosts takes mail" if True in told else "another host may take mail"
    return [
        replace(one, ok=None, says=(*one.says, further)) if one.ok is False else one
        for one in stages
    ]


def _host_stage(seen: HostSeen, connector: Connector, at: datetime) -> Stage:
    addresses = [one for one in seen.addresses if one != seen.name]
    title = f"{seen.name} ({', '.join(addresses)})" if addresses else seen.name
    ok, says = _host_told(seen, connector, at)
    sure = Sure.UNPROVEN if ok is None else Sure.SEEN
    return Stage("smart_host", seen.name, title, ok, sure, tuple(says))


def _host_told(seen: HostSeen, connector: Connector, at: datetime) -> tuple[Truth, list[str]]:
    if seen.exists is False:
        return False, ["its name does not resolve"]
    if not seen.answers:
        says = [seen.trouble or "it was not tried on port 25"]
        if seen.answers is False:
            says.append("many networks let nobody out on port 25: Exchange Online may reach it")
        return None, says
    says = [f"answers: {seen.greeting}"]
    if seen.certificate is None:
        return _without_tls(seen, connector, says)
    return _with_tls(seen.certificate, connector, at, says)


def _without_tls(seen: HostSeen, connector: Connector, says: list[str]) -> tuple[Truth, list[str]]:
    if seen.starttls is None:
        return None, [*says, seen.trouble]
    if not connector.tls:
        return True, [*says, seen.trouble]
    gives_up = "Exchange Online gives up: 450 4.4.317 (451 5.7.3 STARTTLS is required)"
    return False, [seen.trouble, gives_up, *says]


def _with_tls(
    shown: Certificate, connector: Connector, at: datetime, says: list[str]
) -> tuple[Truth, list[str]]:
    says.append(_certificate_words(shown))
    if shown.until is None and not shown.trusted:
        return (True if connector.tls in TRUSTING and shown.names else None), says
    trouble = of_certificate(shown, tls=connector.tls, name=connector.tls_domain, at=at)
    if trouble is Trouble.EXPIRED:
        return False, ["its certificate has expired, and the connector looks at it", *says]
    if trouble is Trouble.MISNAMED:
        mismatch = "450 4.7.320 Certificate validation failed (SubjectMismatch)"
        why = f"its certificate is not for {connector.tls_domain}: {mismatch}"
        return False, [why, *says]
    if trouble is Trouble.UNTRUSTED:
        return None, [*says, "this machine does not trust it; Exchange Online may"]
    return True, says


def _certificate_words(shown: Certificate) -> str:
    names = ", ".join(shown.names[:4]) + (", …" if len(shown.names) > 4 else "")
    until = f", until {shown.until:%Y-%m-%d}" if shown.until else ""
    trust = "" if shown.trusted else f", not trusted ({shown.trouble or 'not known why'})"
    return (
        f"STARTTLS with a certificate for {names or 'names that could not be read'}{until}{trust}"
    )


def source_stage(
    organisation: Organisation, sender: str, families: Sequence[str] = ()
) -> tuple[Pool, Stage]:
    """From which of Exchange Online's addresses a message of this sender leaves."""
    domain, by = domain_of(sender), _ONE_FAMILY.get(tuple(families), ())
    if organisation.domain(domain) is not None:
        says = (f"{domain} is an accepted domain, so the relay pool is not used", *by)
        title = "from Exchange Online's ordinary addresses"
        return Pool.MAIL, Stage("source", "ordinary", title, True, Sure.DOCUMENTED, says)
    title = "from Exchange Online's ordinary addresses, or from the relay pool"
    unless = "unless SPF or DKIM passed for it when the message came in, it leaves from"
    why = f"{domain} is no accepted domain: {unless} the relay pool {RELAY_POOL}"
    further = "the relay pool is in no SPF record of Microsoft's"
    told = (why, further, *by)
    return Pool.EITHER, Stage("source", "either", title, None, Sure.DOCUMENTED, told)


_ONE_FAMILY: Mapping[tuple[str, ...], tuple[str, ...]] = {
    ("ipv4",): ("by IPv4 alone: no host that it leaves to has an IPv6 address",),
    ("ipv6",): ("by IPv6 alone: no host that it leaves to has an IPv4 address",),
}


def families_of(exits: Iterable[Exit], hosts: Hosts) -> tuple[str, ...]:
    """The families in which the hosts have addresses; none if that is not known of each."""
    found: set[int] = set()
    for one in exits:
        if one.going in (Going.MX, Going.UNKNOWN):
            return ()
        if one.going is not Going.CONNECTOR:
            continue
        if one.connector is None or one.connector.use_mx:
            return ()
        for name in one.connector.smart_hosts:
            addresses = _addresses(name, hosts)
            if not addresses:
                return ()
            found |= {ip_address(each).version for each in addresses}
    return tuple(f"ipv{version}" for version in sorted(found))


def _addresses(name: str, hosts: Hosts) -> Sequence[str]:
    """All addresses of a host; none if they are not known, or perhaps not all."""
    seen = hosts.seen.get(name)
    if seen is not None:
        return seen.addresses if seen.whole else ()
    try:
        return (str(ip_address(name)),)
    except ValueError:
        return ()
