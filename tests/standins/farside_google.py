"""Google Workspace's part in the model of mail flow: Gmail's receiving hosts.

It goes by what `tests.standins.google` holds. Help is support.google.com/a/answer/…:

- Mail that comes by an inbound gateway is judged by the address before it: "automatically detect
  external IP" (60730).
- Mail from an address of the email allowlist is let in (60751); that SPF no longer counts then is
  how CISA reads it (SCuBA GWS.GMAIL.14.1).
- Mail from another address is refused if SPF does not pass (the text as ASPMX.L.GOOGLE.COM gave it
  in bounces), and put off otherwise, as "IP not in whitelist for RCPT domain" (3726730); when
  Gmail gives either reply is not documented.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from datetime import UTC, datetime

from tests.standins.farside_mimecast import is_in
from tests.standins.google import GoogleStandIn
from tests.standins.google_gmail import Kept, Stamp
from tests.standins.mailflow_client import Tls
from tests.standins.mailflow_letter import Hop, Letter, Verdict, domain_of
from tests.standins.mailflow_post import Post
from tests.standins.mailflow_server import TAKEN, is_good

NO_ACCOUNT = (
    "550 5.1.1 The email account that you tried to reach does not exist. Please try "
    "double-checking the recipient's email address for typos or unnecessary spaces."
)
UNAUTHENTICATED = (
    "550 5.7.1 This message does not have authentication information or fails to pass\n"
    "5.7.1 authentication checks. To best protect our users from spam, the\n"
    "5.7.1 message has been blocked."
)
NOT_LISTED = "421 4.7.0 IP not in whitelist for RCPT domain, closing connection."


class GoogleMail:
    """Gmail for a domain. `mailboxes` are those that exist, with what they hold.

    The Gmail API of `account` shows the same mailboxes. What is from a sender in `junk` lands among
    the spam. `back` is a host that mail for others is sent to ("unrecognized / catch-all" routing, help
    12971016): "" for none. `any_address`: an address that is not listed will do if SPF passes.
    """

    name = "google"

    def __init__(
        self,
        post: Post,
        account: GoogleStandIn,
        mailboxes: Iterable[str],
        *,
        address: str = "192.0.2.74",
        host: str = "aspmx.l.google.com",
    ) -> None:
        self.post, self.account = post, account
        self.address, self.host = address, host
        self.mailboxes: dict[str, list[Kept]] = {one.lower(): [] for one in mailboxes}
        account.gmail.mailboxes = self.mailboxes
        self.junk: set[str] = set()
        self.users: dict[str, str] = {}
        self.back = ""
        self.any_address = False

    def at_recipient(self, _letter: Letter, recipient: str) -> str:
        """Mailboxes, or anybody if there is a way back."""
        return TAKEN if self.back or recipient.lower() in self.mailboxes else NO_ACCOUNT

    def at_data(self, letter: Letter) -> str:
        """By the address that it comes from, before the gateway."""
        source, domain = self.external(letter), domain_of(letter.sender)
        if not source or is_in(source, self.account.allowlist or ()):
            return TAKEN
        if self.post.names.spf(source, domain) != "pass":
            return UNAUTHENTICATED
        return TAKEN if self.any_address else NOT_LISTED

    def external(self, letter: Letter) -> str:
        """The last address that is not a gateway's; "" if all are."""
        chain = (letter.source, *letter.sources)
        return next((one for one in chain if not is_in(one, self.account.gateway)), "")

    def forward(self, letter: Letter) -> None:
        """Into the mailbox, or back."""
        for one in letter.to:
            if (box := self.mailboxes.get(one.lower())) is not None:
                box.append(self._kept(letter, one))
                said = "250 2.0.0 OK"
                self.post.note(Hop(letter.id, one, self.name, Verdict.DELIVERED, says=said))
            else:
                self._send_back(letter, one)

    def _kept(self, letter: Letter, recipient: str) -> Kept:
        """The message with Gmail's headers in place of the one that took it in.

        What they tell of SPF behind an inbound gateway is not documented: here, of the address
        before it.
        """
        top, rest = letter.content.split(b"\r\n", 1)
        judged = self.external(letter) or letter.source
        stamp = Stamp(
            at=datetime.now(UTC),
            recipient=recipient,
            source=letter.source,
            name=top.split()[2].decode(),
            judged=judged,
            spf=self.post.names.spf(judged, domain_of(letter.sender)),
            tls=letter.tls,
        )
        fields = {one.name: getattr(letter, one.name) for one in dataclasses.fields(letter)}
        fields["content"] = stamp.headers(letter.sender) + rest
        label = "SPAM" if letter.sender in self.junk else "INBOX"
        return Kept(**fields, at=stamp.at, labels=("UNREAD", label))

    def _send_back(self, letter: Letter, recipient: str) -> None:
        hop = Hop(letter.id, recipient, self.name, Verdict.ROUTED, self.address, host=self.back)
        self.post.note(hop)
        said = self.post.send(
            letter,
            [recipient],
            self.back,
            source=self.address,
            helo=self.host,
            tls=Tls(required=True),
        )
        reply = said.replies[recipient]
        if not is_good(reply):
            self.post.note(Hop(letter.id, recipient, self.name, Verdict.FAILED, says=reply))
