"""A probe message by SMTP submission, against a real SMTP server on loopback."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import trustme

from exosync.core.secret import SecretRef
from exosync.errors import ConfigError, TargetDenied, TargetError, TargetUnreachable
from exosync_adapters.exchange.admin.faults import UnansweredError
from exosync_adapters.exchange.settings import ProbeSettings
from exosync_adapters.exchange.way.probe import HEADER, message
from exosync_adapters.exchange.way.submission import by_smtp
from tests.standins.smtp import CLOSE, Fault, SmtpStandIn

USER, PASSWORD, THERE = "ada@example.com", "geheim-4711", "gil@example.com"
AT = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """An authority of the tests' own."""
    return trustme.CA()


@pytest.fixture
def server(authority: trustme.CA) -> Iterator[SmtpStandIn]:
    """A server for submission, as Microsoft's: STARTTLS, then signing in."""
    import ssl

    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost").configure_cert(context)
    with SmtpStandIn(starttls=context, users={USER: PASSWORD}) as made:
        yield made


def send(
    server: SmtpStandIn, folder: Path, authority: trustme.CA | None, *, to: str = THERE
) -> str:
    """Send one probe; gives its Message-ID."""
    bundle = None
    if authority is not None:
        bundle = Path("ca.pem")
        authority.cert_pem.write_to_path(folder / bundle)
    (folder / "password").write_text(PASSWORD)
    settings = ProbeSettings(
        kind="smtp",
        user=USER,
        server=f"localhost:{server.port}",
        password=SecretRef(file=Path("password")),
        ca_bundle=bundle,
    )
    mail, sent = message(USER, to, at=AT)
    by_smtp(
        settings,
        mail,
        reveal=lambda ref: (folder / str(ref.file)).read_text(),
        base=folder,
        timeout=60,
    )
    return sent.message_id


def test_it_arrives_secured_and_says_what_it_is(
    server: SmtpStandIn, authority: trustme.CA, tmp_path: Path
) -> None:
    """From the mailbox, to the recipient, with an id of its own, and never answered by a machine."""
    message_id = send(server, tmp_path, authority)
    (mail,) = server.mails
    assert (USER, (THERE,), True, USER) == (mail.sender, mail.to, mail.secured, mail.user)
    assert message_id == mail.message["Message-ID"]
    assert message_id != send(server, tmp_path, authority)
    assert "auto-generated" == mail.message["Auto-Submitted"]
    assert mail.message[HEADER] in message_id


def test_a_server_that_nobody_vouches_for_gets_no_password(
    server: SmtpStandIn, tmp_path: Path
) -> None:
    """Its certificate is of no known authority."""
    with pytest.raises(TargetUnreachable, match="certificate verify failed"):
        send(server, tmp_path, None)
    assert [] == server.mails


@pytest.mark.parametrize(
    ("fault", "kind", "told"),
    [
        (Fault("auth", "535 5.7.139 Authentication unsuccessful"), TargetDenied, "535 5.7.139"),
        (Fault("auth", "550 5.7.30 Basic authentication is not supported"), TargetDenied, "5.7.30"),
        (Fault("mail", "554 5.2.252 SendAsDenied"), TargetError, "5.2.252 SendAsDenied"),
        (Fault("rcpt", "550 5.4.1 Recipient address rejected"), TargetError, "5.4.1 Recipient"),
        (Fault("data", "554 5.2.0 refused"), TargetError, "5.2.0 refused"),
        (Fault("middle", CLOSE), UnansweredError, "cannot be reached"),
        (Fault("dot", CLOSE), UnansweredError, "cannot be reached"),
        (Fault("ehlo", CLOSE), TargetUnreachable, "cannot be reached"),
        (Fault("connect", CLOSE), TargetUnreachable, "cannot be reached"),
    ],
)
def test_what_the_server_says_is_told(
    server: SmtpStandIn,
    authority: trustme.CA,
    tmp_path: Path,
    fault: Fault,
    kind: type[TargetError],
    told: str,
) -> None:
    """As the error that fits, with the server's name, and without the password."""
    server.script(fault)
    with pytest.raises(kind) as caught:
        send(server, tmp_path, authority)
    assert kind is type(caught.value)
    assert told in str(caught.value)
    assert f"localhost:{server.port}" in str(caught.value)
    assert PASSWORD not in str(caught.value)


@pytest.mark.parametrize("reply", [CLOSE, "421 4.3.2 closing", "500 what?"])
def test_a_bad_good_bye_takes_nothing_back(
    server: SmtpStandIn, authority: trustme.CA, tmp_path: Path, reply: str
) -> None:
    """The message was taken before."""
    server.script(Fault("quit", reply))
    message_id = send(server, tmp_path, authority)
    assert [message_id] == [one.message["Message-ID"] for one in server.mails]


def test_a_server_without_tls_gets_no_password(tmp_path: Path, authority: trustme.CA) -> None:
    """STARTTLS is no offer, it is needed."""
    with SmtpStandIn(users={USER: PASSWORD}) as plain:
        with pytest.raises(TargetError, match="STARTTLS"):
            send(plain, tmp_path, authority)
        assert [] == plain.mails


def test_a_port_where_nobody_listens_is_told_in_words(
    authority: trustme.CA, tmp_path: Path
) -> None:
    """Without the number that the system has for it."""
    with SmtpStandIn(users={USER: PASSWORD}) as gone:
        pass
    with pytest.raises(TargetUnreachable) as caught:
        send(gone, tmp_path, authority)
    assert f"localhost:{gone.port} cannot be reached: Connection refused" == str(caught.value)


def test_certificates_that_cannot_be_read_are_told(server: SmtpStandIn, tmp_path: Path) -> None:
    """With the key that names them."""
    (tmp_path / "ca.pem").write_text("no certificate")
    settings = ProbeSettings(
        kind="smtp",
        user=USER,
        server=f"localhost:{server.port}",
        password=SecretRef(env="X"),
        ca_bundle=Path("ca.pem"),
    )
    mail, _ = message(USER, THERE, at=AT)
    with pytest.raises(ConfigError, match=r"probe\.ca_bundle"):
        by_smtp(settings, mail, reveal=lambda _: PASSWORD, base=tmp_path, timeout=60)
