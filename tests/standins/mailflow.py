"""A small true model of mail flow: a message really travels, by SMTP on loopback.

    with MailFlow(exchange, mimecast, google, names, domain="example.com") as flow:
        flow.submit("ada@example.com", "grace@example.com")["grace@example.com"].stations

Exchange Online decides by what `tests.standins.exchange` holds, Mimecast and Google let in whom
their stand-ins' accounts know; SPF is evaluated on whatever server `names` asks. Each hop is a real
conversation, with STARTTLS; only the address that a message comes from is told by XCLIENT, as
loopback has no others. What is unknown of the vendors is said where it is decided:
`mailflow_exchange`, `mailflow_rules`, `farside_mimecast` and `farside_google`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Self

from tests.standins.exchange import ExchangeStandIn
from tests.standins.farside_google import GoogleMail
from tests.standins.farside_mimecast import MimecastMail
from tests.standins.google import GoogleStandIn
from tests.standins.mailflow_client import Tls
from tests.standins.mailflow_exchange import ExchangeMail
from tests.standins.mailflow_letter import Journey, Letter, domain_of, read_letter, written
from tests.standins.mailflow_names import Names
from tests.standins.mailflow_post import Post
from tests.standins.mailflow_traces import Traces
from tests.standins.mimecast import MimecastStandIn

OUTSIDE = "198.51.100.20"
"""The address of a mail server that is nobody's here."""

PASSWORD = "the-password-of-everybody"

GOOGLE_HOSTS = ("aspmx.l.google.com", "alt1.aspmx.l.google.com")
SUBMISSION = "smtp.office365.com"


class MailFlow:
    """Exchange Online, Mimecast and Google Workspace of one company.

    `post` has the servers' ports and all that happened. Ordinary mail leaves Exchange Online from
    one of `addresses` after the other. `elsewhere` are the mailboxes at Google.
    """

    def __init__(
        self,
        exchange: ExchangeStandIn,
        mimecast: MimecastStandIn,
        google: GoogleStandIn,
        names: Names,
        *,
        domain: str,
        addresses: Iterable[str],
        elsewhere: Iterable[str] = (),
    ) -> None:
        self.post = Post(names)
        self.domain, self._org = domain, exchange.org
        traces = Traces(lambda: exchange.org, names)
        self.exchange = ExchangeMail(
            self.post,
            lambda: exchange.org,
            lambda: exchange.effective_rules,
            addresses=addresses,
            host=f"{domain.replace('.', '-')}.mail.protection.outlook.com",
            done=traces.add,
        )
        self.google = GoogleMail(self.post, google, elsewhere)
        self.mimecast = MimecastMail(self.post, mimecast, {domain: self.google.host})

    def __enter__(self) -> Self:
        self.post.__enter__()
        self._org.send, self._org.validate = self._by_graph, self.exchange.try_connector
        self.post.open(self.exchange, self.exchange.host, SUBMISSION)
        self.post.open(self.mimecast, self.mimecast.host)
        self.post.open(self.google, *GOOGLE_HOSTS)
        return self

    def __exit__(self, *error: object) -> None:
        self.post.__exit__(*error)

    @property
    def submission(self) -> str:
        """Where a mailbox hands in its mail, as HOST:PORT."""
        return f"127.0.0.1:{self.post.ports[SUBMISSION]}"

    def may_sign_in(self, user: str) -> None:
        """Give a mailbox of Exchange Online its password."""
        self.exchange.users[user] = PASSWORD

    def submit(self, sender: str, *to: str, subject: str = "Lunch") -> Mapping[str, Journey]:
        """Send as a mailbox of Exchange Online does; gives the way to each recipient."""
        self.may_sign_in(sender)
        return self._send(sender, to, subject, source=OUTSIDE, login=(sender, PASSWORD))

    def arrive(
        self, sender: str, *to: str, source: str = OUTSIDE, subject: str = "An offer"
    ) -> Mapping[str, Journey]:
        """Let mail of somebody outside come to Exchange Online; gives the way to each recipient."""
        return self._send(sender, to, subject, source=source, login=None)

    def _by_graph(self, user: str, mime: bytes) -> None:
        """Take what a mailbox sends by Graph. It is under way when Graph has answered."""
        self.may_sign_in(user)
        self._hand_in(read_letter(user, mime), source=OUTSIDE, login=(user, PASSWORD))

    def _send(
        self,
        sender: str,
        to: Iterable[str],
        subject: str,
        *,
        source: str,
        login: tuple[str, str] | None,
    ) -> Mapping[str, Journey]:
        letter = written(sender, to, subject)
        self._hand_in(letter, source=source, login=login)
        self.post.settle()
        return {one: self.post.journey(letter.id, one) for one in letter.to}

    def _hand_in(self, letter: Letter, *, source: str, login: tuple[str, str] | None) -> None:
        self.post.send(
            letter,
            letter.to,
            SUBMISSION if login else self.exchange.host,
            source=source,
            helo=f"mail.{domain_of(letter.sender)}",
            tls=Tls(required=True),
            login=login,
        )
