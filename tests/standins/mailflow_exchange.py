"""Exchange Online's part in the model: edge, recipients, rules, connectors, the way out.

Sources are named as in `tests.standins.exchange_switches`. In the order of a message:

- directory-based edge blocking refuses unknown recipients of an authoritative domain before any
  rule sees them (A15); who has signed in is told by a non-delivery report instead
  (learn.microsoft.com, "Fix NDR error 5.1.10"; that this too comes before the rules is ours);
- rules route by connector, whether a mailbox is here or not (A15);
- else a mailbox here gets it, and what is unknown or outside goes by the first connector for its
  domain, or to its mail exchanger (A11).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Literal

from tests.standins.exchange_org import Org, Record
from tests.standins.mailflow_client import Said, Tls
from tests.standins.mailflow_letter import (
    Hop,
    Letter,
    Verdict,
    domain_of,
    with_headers,
    written,
)
from tests.standins.mailflow_post import Post
from tests.standins.mailflow_rules import Ruling, accepted, rule_on
from tests.standins.mailflow_server import TAKEN, is_good

RELAY_POOL = "40.95.0.0/16"
RELAY_ADDRESS = "40.95.54.7"
"""Of the relay pool (A16)."""

BLOCKED = "550 5.4.1 Recipient address rejected: Access denied"
NO_RELAY = "550 5.7.64 TenantAttribution; Relay Access Denied"
UNKNOWN = "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup"
LOOP = "554 5.4.14 Hop count exceeded - possible mail loop ATTR34"
NO_WAY = "no host to send to"
"""The replies are those that non-delivery reports quote; where the text has no code, it is ours."""

HOP_LIMIT = 12
"""Servers that a message may have passed. The real number is unknown."""

Done = Callable[[Letter, str, Ruling, Sequence[Hop]], None]
"""What is told once the way of a message for one recipient is known here."""


class ExchangeMail:
    """The mail servers of Exchange Online.

    `org` and `rules` give the tenant and the rules as they are in force by now. `addresses` are
    those that ordinary mail leaves from, in turn. `mixed` is what a rule does to a message whose
    recipients it suits in part: each for itself, or all as one (C4: unknown). `signed` are
    domains whose DKIM signature holds.
    """

    name = "exchange"

    def __init__(
        self,
        post: Post,
        org: Callable[[], Org],
        rules: Callable[[], list[Record]],
        *,
        addresses: Iterable[str],
        host: str = "example-com.mail.protection.outlook.com",
        done: Done | None = None,
    ) -> None:
        self.post, self._org, self._rules, self._done = post, org, rules, done
        self.host = host
        self.addresses = list(addresses)
        self.users: dict[str, str] = {}
        self.mailboxes: dict[str, list[Letter]] = {}
        self.signed: set[str] = set()
        self.mixed: Literal["each", "whole"] = "each"

    # What it takes

    def at_recipient(self, letter: Letter, recipient: str) -> str:
        """Unknown recipients of an authoritative domain are blocked at the edge."""
        domain = accepted(self._org(), domain_of(recipient))
        if letter.user:
            return TAKEN
        if domain is None:
            return NO_RELAY
        known = self._org().recipient(recipient)
        return BLOCKED if domain["DomainType"] == "Authoritative" and not known else TAKEN

    def at_data(self, letter: Letter) -> str:
        """A message that has passed too many servers goes round in a circle."""
        return LOOP if letter.hops >= HOP_LIMIT else TAKEN

    # What it does with it

    def forward(self, letter: Letter) -> None:
        """Let the rules look at it, and bring it on its way."""
        org = self._org()
        relayed = self._is_relayed(letter, org)
        there, lost = _parted(letter.to, lambda one: self._exists(org, one))
        for one in lost:
            self._tell(letter, one, Ruling(), [self._hop(letter, one, Verdict.FAILED, UNKNOWN)])
        for ruling, recipients in self._lots(letter, there, org):
            self._handle(letter, ruling, recipients, org, relayed=relayed)

    def _exists(self, org: Org, recipient: str) -> bool:
        domain = accepted(org, domain_of(recipient))
        authoritative = domain is not None and domain["DomainType"] == "Authoritative"
        return not authoritative or org.recipient(recipient) is not None

    def _lots(
        self, letter: Letter, recipients: Sequence[str], org: Org
    ) -> Iterator[tuple[Ruling, list[str]]]:
        """The rulings on a message, and for whom each is."""
        rules = self._rules()
        if self.mixed == "whole" and recipients:
            yield rule_on(letter, recipients, org, rules), list(recipients)
            return
        lots: dict[Ruling, list[str]] = {}
        for one in recipients:
            lots.setdefault(rule_on(letter, [one], org, rules), []).append(one)
        yield from lots.items()

    def _handle(
        self, letter: Letter, ruling: Ruling, recipients: list[str], org: Org, *, relayed: bool
    ) -> None:
        sent_on = replace(letter, content=with_headers(letter.content, ruling.headers))
        if ruling.rejected:
            self._fail(
                letter,
                recipients,
                ruling,
                f"550 5.7.1 TRANSPORT.RULES.RejectMessage; {ruling.rejected}",
            )
        elif ruling.connector:
            connector = org.connector(ruling.connector)
            if connector is None or not connector["Enabled"]:
                self._fail(letter, recipients, ruling, f"no connector {ruling.connector}")
            else:
                self._send(sent_on, recipients, ruling, connector, relayed=relayed)
        else:
            for one in recipients:
                self._usual(sent_on, one, ruling, org, relayed=relayed)

    def _usual(
        self, letter: Letter, recipient: str, ruling: Ruling, org: Org, *, relayed: bool
    ) -> None:
        """The way that no rule has changed."""
        known = org.recipient(recipient)
        if known is not None and known["RecipientTypeDetails"] not in ("MailUser", "MailContact"):
            self.mailboxes.setdefault(recipient.lower(), []).append(letter)
            said = "250 2.1.5 delivered to the mailbox"
            self._tell(
                letter, recipient, ruling, [self._hop(letter, recipient, Verdict.DELIVERED, said)]
            )
            return
        self._send(letter, [recipient], ruling, _connector_for(org, recipient), relayed=relayed)

    def _fail(self, letter: Letter, recipients: Iterable[str], ruling: Ruling, why: str) -> None:
        for one in recipients:
            self._tell(letter, one, ruling, [self._hop(letter, one, Verdict.FAILED, why)])

    # The way out

    def _send(
        self,
        letter: Letter,
        recipients: Sequence[str],
        ruling: Ruling,
        connector: Record | None,
        *,
        relayed: bool,
    ) -> None:
        source = RELAY_ADDRESS if relayed else self._next_address()
        hosts = self._hosts(connector, recipients[0])
        if not hosts:
            self._fail(letter, recipients, ruling, NO_WAY)
        for host in hosts:
            routed = [
                replace(
                    self._hop(letter, one, Verdict.ROUTED, ", ".join(ruling.fired)),
                    source=source,
                    host=host,
                    via=connector["Name"] if connector else "",
                )
                for one in recipients
            ]
            for hop in routed:
                self.post.note(hop)
            said = self.post.send(
                letter, recipients, host, source=source, helo=self.host, tls=_tls(connector, ruling)
            )
            if not said.is_retried or host == hosts[-1]:
                self._sent(letter, routed, ruling, said)
                return

    def _sent(self, letter: Letter, routed: Sequence[Hop], ruling: Ruling, said: Said) -> None:
        for hop in routed:
            reply = said.replies[hop.recipient]
            told = [replace(hop, tls=said.tls)]
            if not is_good(reply):
                verdict = Verdict.DEFERRED if reply.startswith("4") else Verdict.FAILED
                end = self._hop(letter, hop.recipient, verdict, reply)
                self.post.note(end)
                told.append(end)
            if self._done is not None:
                self._done(letter, hop.recipient, ruling, told)

    def _hosts(self, connector: Record | None, recipient: str) -> list[str]:
        if connector is not None and not connector["UseMXRecord"]:
            return [str(one).lower().rstrip(".") for one in connector["SmartHosts"]]
        return self.post.names.exchangers(domain_of(recipient))

    def _is_relayed(self, letter: Letter, org: Org) -> bool:
        """Whether it leaves from the relay pool: neither of ours, nor proven by SPF or DKIM."""
        domain = domain_of(letter.sender)
        if accepted(org, domain) is not None or domain in self.signed:
            return False
        return self.post.names.spf(letter.source, domain) != "pass"

    def _next_address(self) -> str:
        self.addresses.append(self.addresses.pop(0))
        return self.addresses[-1]

    def try_connector(self, connector: Record, recipients: Sequence[str]) -> list[tuple[str, bool]]:
        """What Validate-OutboundConnector does: a real message through the connector (A13).

        Its sender is fixed, and no rule sees it. The tasks' names are ours.
        """
        sender = f"O365ConnectorValidation@{self._org().initial_domain}"
        letter = written(sender, recipients, "Test email for connector validation")
        hosts = self._hosts(connector, recipients[0])
        done, arrived = [], set()
        for host in hosts:
            replies = self._spoken_to(host, letter, connector)
            reached = not all(one.startswith("450 4.") for one in replies.values())
            done.append((f"Check connectivity to '{host}'", reached))
            arrived |= {one for one, reply in replies.items() if is_good(reply)}
        return [*done, *((f"Send test email to '{one}'", one in arrived) for one in recipients)]

    def _spoken_to(self, host: str, letter: Letter, connector: Record) -> Mapping[str, str]:
        said = self.post.send(
            letter,
            letter.to,
            host,
            source=self._next_address(),
            helo=self.host,
            tls=_tls(connector, Ruling()),
        )
        return said.replies

    # What is told

    def _hop(self, letter: Letter, recipient: str, verdict: Verdict, says: str) -> Hop:
        return Hop(letter.id, recipient, self.name, verdict, says=says)

    def _tell(self, letter: Letter, recipient: str, ruling: Ruling, hops: Sequence[Hop]) -> None:
        for hop in hops:
            self.post.note(hop)
        if self._done is not None:
            self._done(letter, recipient, ruling, hops)


def _connector_for(org: Org, recipient: str) -> Record | None:
    """The connector for a domain that no rule has to name; the most specific one."""
    usable = [
        one
        for one in org.connectors
        if one["Enabled"] and not one["IsTransportRuleScoped"] and not one["TestMode"]
    ]
    domain = domain_of(recipient)
    names = [domain, *(f"*.{domain.split('.', at)[at]}" for at in range(1, domain.count(".") + 1))]
    for name in [*names, "*"]:
        for one in usable:
            if name in [str(given).lower() for given in one["RecipientDomains"]]:
                return one
    covered = accepted(org, domain) is not None
    return next((one for one in usable if covered and one["AllAcceptedDomains"]), None)


def _tls(connector: Record | None, ruling: Ruling) -> Tls:
    """TlsSettings (A11); without them TLS is used where it is offered."""
    kind = str((connector or {}).get("TlsSettings") or "")
    return Tls(
        required=bool(kind) or ruling.needs_tls,
        trusted=kind in ("CertificateValidation", "DomainValidation"),
        name=str((connector or {}).get("TlsDomain") or "") if kind == "DomainValidation" else "",
    )


def _parted(all_: Iterable[str], belongs: Callable[[str], bool]) -> tuple[list[str], list[str]]:
    found = {one: belongs(one) for one in all_}
    return [one for one in found if found[one]], [one for one in found if not found[one]]
