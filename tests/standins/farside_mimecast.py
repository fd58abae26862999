"""Mimecast's part in the model of mail flow: what it lets in, and where it sends it.

It goes by what the account of `tests.standins.mimecast` holds. Sources: ZD, numbers as in
`tests.standins.mimecast_switches`; the replies are those of Mimecast's list of SMTP error codes
(community.mimecast.com, "Mimecast SMTP Error Codes"), but for the SPF one, whose wording is ours.

- Mail that claims to come from one of the account's own domains is refused, unless a policy with
  "Take no action" holds for its source, or a bypass by SPF does (ZD 34000743640851).
- Mail whose SPF fails is refused, and so is mail whose record is broken (RFC 7208, section 8.7:
  "MAY").
- A source without a good name is put off, unless the sender or the source is permitted: permitted
  senders are spared spam scanning, greylisting and reputation alone (ZD 42979302935955).

One policy of a kind counts for a message, the most specific one (ZD 34000430148627); here all that
take no action are alike, and any of them will do.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from ipaddress import ip_address, ip_network
from typing import Any

from tests.standins.mailflow_client import Tls
from tests.standins.mailflow_exchange import RELAY_POOL
from tests.standins.mailflow_letter import Hop, Letter, Verdict, domain_of
from tests.standins.mailflow_post import Post
from tests.standins.mailflow_server import TAKEN, is_good
from tests.standins.mimecast import MimecastStandIn, Policy

SPOOFED = "550 Anti-Spoofing policy - Inbound not allowed"
SPF_FAILS = "550 SPF check failed"
PUT_OFF = "451 Internal resource temporarily unavailable"
NOBODY = "550 Invalid Recipient"


class MimecastMail:
    """A gateway in front of some domains. `routes` map each to the host that has its mailboxes.

    `poor` are sources without a good name, `permitted` the ranges of a Permitted Senders policy,
    which only a person in the console can write. `addresses` are those it sends from.
    """

    name = "mimecast"

    def __init__(
        self,
        post: Post,
        account: MimecastStandIn,
        routes: Mapping[str, str],
        *,
        address: str = "192.0.2.61",
        host: str = "eu-smtp-inbound-1.mimecast.com",
    ) -> None:
        self.post, self.account, self.routes = post, account, routes
        self.address, self.host = address, host
        self.users: dict[str, str] = {}
        self.permitted: list[str] = []
        self.poor: list[str] = [RELAY_POOL]

    def at_recipient(self, _letter: Letter, recipient: str) -> str:
        """Only the domains that it is in front of."""
        return TAKEN if domain_of(recipient) in self.routes else NOBODY

    def at_data(self, letter: Letter) -> str:
        """By the address that it comes from, for each recipient alike."""
        own = letter.author_domain in self.routes or domain_of(letter.sender) in self.routes
        if own and not self._may_spoof(letter):
            return SPOOFED
        if self.post.names.spf(letter.source, domain_of(letter.sender)) in ("fail", "permerror"):
            return SPF_FAILS
        if is_in(letter.source, self.poor) and not self._is_permitted(letter):
            return PUT_OFF
        return TAKEN

    def forward(self, letter: Letter) -> None:
        """Send it on to where the mailboxes are."""
        for domain in {domain_of(one) for one in letter.to}:
            recipients = [one for one in letter.to if domain_of(one) == domain]
            self._send(letter, recipients, self.routes[domain])

    def _send(self, letter: Letter, recipients: Sequence[str], host: str) -> None:
        for one in recipients:
            hop = Hop(letter.id, one, self.name, Verdict.ROUTED, source=self.address, host=host)
            self.post.note(hop)
        said = self.post.send(
            letter, recipients, host, source=self.address, helo=self.host, tls=Tls(required=True)
        )
        for one, reply in said.replies.items():
            if not is_good(reply):
                verdict = Verdict.DEFERRED if reply.startswith("4") else Verdict.FAILED
                self.post.note(Hop(letter.id, one, self.name, verdict, says=reply))

    def _may_spoof(self, letter: Letter) -> bool:
        by_address = self.account.policies["anti-spoofing"]
        by_spf = self.account.policies["anti-spoofing-bypass"]
        return any(
            one.enabled
            and one.option == "no_action"
            and self._suits(one, letter)
            # Without any range it holds for every source.
            and (not one.source_ips or is_in(letter.source, one.source_ips))
            for one in by_address
        ) or any(
            one.enabled
            and one.option == "enable_bypass"
            and self._suits(one, letter)
            and self._sent_by(letter.source, one.fields["spfDomains"])
            for one in by_spf
        )

    def _sent_by(self, source: str, domains: Iterable[str]) -> bool:
        return any(self.post.names.spf(source, one) == "pass" for one in domains)

    def _suits(self, policy: Policy, letter: Letter) -> bool:
        senders = {letter.author_domain, domain_of(letter.sender)}
        recipients = {domain_of(one) for one in letter.to}
        return self._is_party(policy.fields["from"], senders) and self._is_party(
            policy.fields["to"], recipients
        )

    def _is_party(self, party: Mapping[str, Any], domains: set[str]) -> bool:
        inside = bool(domains & set(self.routes))
        match party["type"]:
            case "everyone":
                return True
            case "internal_addresses":
                return inside
            case "external_addresses":
                return not inside
            case "email_domain":
                return party["domain"].lower() in domains
        return False

    def _is_permitted(self, letter: Letter) -> bool:
        pairs = {
            (one.sender, one.to) for one in self.account.managed_senders if one.action == "permit"
        }
        named = any((letter.sender, to) in pairs for to in letter.to)
        return named or is_in(letter.source, self.permitted)


def is_in(address: str, ranges: Iterable[str]) -> bool:
    """Whether an address is in one of these ranges, as a console shows them."""
    own = ip_address(address)
    return any(own in ip_network(one, strict=False) for one in ranges)
