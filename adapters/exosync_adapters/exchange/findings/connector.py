"""What is unusual about the connector that is ours, and about its smart hosts. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from exosync.core.ranges import IpRanges
from exosync.core.special import special
from exosync.core.target import Finding, Severity
from exosync.core.words import one_line, short
from exosync.errors import RangeError
from exosync_adapters.exchange.clouds import is_own_host
from exosync_adapters.exchange.records import Connector
from exosync_adapters.exchange.settings import GOOGLE_HOSTS, ExchangeSettings

PLAN_MENDS = "exosync plan sets it right"
"""How what is ours is mended."""

_FEW = 6
_LONG = 80
_SIDES = {
    "google_workspace": (".google.com", ".gmail.com"),
    "mimecast": (".mimecast.com",),
}
"""How names of hosts end that are surely one side's; of others nothing is told."""

_PRIVATE = ("private", "shared (carrier-grade NAT)", "unique local")
GOOGLE_RELAY = "smtp-relay.gmail.com"


def quoted(name: str) -> str:
    """A name of somebody's choice, short, in one line and in quotation marks."""
    return f"“{short(one_line(name), _LONG)}”"


def few(names: list[str]) -> str:
    """The first of some names, and how many more there are."""
    more = f" and {len(names) - _FEW:,} more" if len(names) > _FEW else ""
    return ", ".join(names[:_FEW]) + more


def of_connector(ours: Connector, settings: ExchangeSettings) -> Iterator[Finding]:
    """What is unusual about the connector that is ours."""
    name = f"the connector {quoted(ours.name)}"
    yield from _of_use(ours, name)
    yield from _of_flags(ours, name)
    own = [host for host in ours.smart_hosts if is_own_host(host)]
    if own:
        yield Finding(
            "loop_possible",
            f"{name} sends to {few(own)}, which is Exchange Online itself: mail comes back until "
            f"it is refused (554 5.4.14); {PLAN_MENDS}",
        )
    strangers = _of_another_side(ours.smart_hosts, settings.far_side)
    if strangers and set(ours.smart_hosts) != set(settings.hosts):
        yield _other_side(f"{name} sends to", strangers, settings, PLAN_MENDS)


def _of_use(ours: Connector, name: str) -> Iterator[Finding]:
    if not ours.scoped:
        yield Finding(
            "connector_not_scoped",
            f"{name} is not for rules alone (IsTransportRuleScoped is off): it takes mail by "
            f"recipient domains, without the rule and its exceptions; {PLAN_MENDS}",
        )
    if "*" in ours.recipient_domains:
        yield Finding(
            "connector_catches_all",
            f"{name} has * as a recipient domain: such a connector was seen to take all mail "
            f"that leaves (MicrosoftDocs/office-docs-powershell#8739); {PLAN_MENDS}",
        )
    if not ours.enabled:
        yield Finding(
            "connector_disabled",
            f"{name} is disabled, so no mail leaves by it, whatever the rule says; {PLAN_MENDS}",
        )
    if ours.test_mode:
        yield Finding(
            "connector_test_mode",
            f"{name} is in test mode: listings leave it out, and whether it carries mail is not "
            f"published; {PLAN_MENDS}",
        )
    if ours.use_mx:
        yield Finding(
            "connector_uses_mx",
            f"{name} looks up the MX record in place of its smart hosts: where MX leads to "
            f"Exchange Online, mail comes back and is refused (554 5.4.14); {PLAN_MENDS}",
        )


def _of_flags(ours: Connector, name: str) -> Iterator[Finding]:
    if ours.is_validated:
        when = f" at {one_line(ours.validated_at)}" if ours.validated_at else ""
        yield Finding(
            "is_validated",
            f"{name} is marked as validated{when}: a flag that anyone can set by "
            "Set-OutboundConnector, and that a validation does not set; it proves nothing",
            Severity.INFO,
        )
    if ours.others.get("SmtpDaneMode", "").lower() == "mandatory":
        yield Finding(
            "connector_may_wait",
            f"{name} makes DANE mandatory (SmtpDaneMode): mail can wait for a day where the DNS of a "
            "smart host does not bear it out; exosync leaves it as it is: whoever set it says "
            "whether it is meant",
        )
    more = {key: one for key, one in ours.others.items() if key != "SmtpDaneMode"}
    if more:
        told = few([f"{one_line(key)}: {short(one_line(one), _LONG)}" for key, one in more.items()])
        yield Finding(
            "connector_has_more",
            f"{name} has settings that a new one has not, and that exosync neither writes nor "
            f"takes away: {told}; whoever set them says whether they are meant",
            Severity.INFO,
        )


def of_hosts(settings: ExchangeSettings) -> Iterator[Finding]:
    """What is unusual about the smart hosts that the configuration wants."""
    strangers = _of_another_side(settings.hosts, settings.far_side)
    if strangers:
        mend = "far_side or smart_hosts is wrong in the configuration"
        yield _other_side("the configuration sends to", strangers, settings, mend)
    private = [host for host in settings.hosts if _is_private(host)]
    if private:
        yield Finding(
            "host_private",
            f"{few(private)} is in private address space, which Exchange Online does not reach, whatever "
            "answers there from where exosync runs: give the name or address that the Internet knows in "
            "smart_hosts",
        )
    preset = [host for host in settings.hosts if host in GOOGLE_HOSTS]
    if preset:
        yield Finding(
            "google_hosts_unproven",
            f"Google's receiving hosts are the smart hosts ({few(preset)}): nothing published "
            "shows them in this use; send a message to a mailbox there before people rely on it",
            Severity.INFO,
        )
    if GOOGLE_RELAY in settings.hosts:
        yield Finding(
            "google_relay",
            f"{GOOGLE_RELAY} is Google's relay for mail that leaves: it takes mail only from "
            "whom its settings allow, and is not where Google receives; leave smart_hosts out for "
            "Google's receiving hosts, or see that the relay lets this tenant in",
        )


def _is_private(host: str) -> bool:
    """Whether a smart host is an address that only a company's own network knows."""
    try:
        found = special(IpRanges.parse(host))
    except RangeError:
        return False
    return any(name in _PRIVATE for _, name, _ in found)


def _of_another_side(hosts: tuple[str, ...], far_side: str) -> list[str]:
    others = tuple(end for side, ends in _SIDES.items() if side != far_side for end in ends)
    return [host for host in hosts if f".{host}".endswith(others)] if far_side in _SIDES else []


def _other_side(begins: str, hosts: list[str], settings: ExchangeSettings, mend: str) -> Finding:
    return Finding(
        "far_side_differs",
        f"{begins} {few(hosts)}, which by the name is not {settings.far_side}'s: the mailboxes "
        f"may not be known there; {mend}",
    )
