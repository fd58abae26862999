"""Mail, by a server that speaks SMTP, in good and in bad days."""

from __future__ import annotations

import ssl
from base64 import b64encode
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from exosync.alerts.channel import Message
from exosync.alerts.composing import compose
from exosync.alerts.mail import MailChannel, SmtpWay
from exosync.alerts.rendering import Pages
from exosync.errors import AlertError, ConfigError
from exosync.secrets import REDACTOR
from tests.alerts.kit import KEY, event, scene
from tests.standins.smtp import HANG, Authority, Fault, SmtpStandIn, authority
from tests.support.ports import refusing_port

PASSWORD = "pa55-w0rd-of-the-server"
TO = ("ada@example.com", "bob@example.com")
MESSAGE = Message(compose([event("target_failed", title="edge failed: no answer")], scene()))

Make = Callable[..., MailChannel]


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """An authority of our own, and a server's certificate by it."""
    return authority(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def server() -> Iterator[SmtpStandIn]:
    """A server without TLS."""
    with SmtpStandIn() as one:
        yield one


def channel(server: SmtpStandIn, way: str = "plain", **options: Any) -> MailChannel:
    """A channel by this server."""
    to = options.pop("to", TO)
    known: dict[str, Any] = {"host": "127.0.0.1", "port": server.port, "way": way, "seconds": 20}
    return MailChannel(to, "exosync@example.com", SmtpWay(**{**known, **options}), Pages())


def refusal(one: MailChannel, message: Message = MESSAGE) -> AlertError:
    """What sending comes to."""
    with pytest.raises(AlertError) as caught:
        one.send(message)
    return caught.value


def test_a_mail_arrives_as_it_was_made(server: SmtpStandIn) -> None:
    """At all recipients, in one conversation."""
    channel(server).send(MESSAGE)
    (mail,) = server.mails
    assert ("exosync@example.com", TO) == (mail.sender, mail.to)
    assert f"<{KEY}@example.com>" == mail.message["Message-ID"]
    assert "[exosync] edge failed: no answer" == mail.message["Subject"]
    assert "edge failed: no answer" in mail.part("plain")
    assert "<h1" in mail.part("html")
    assert mail.content.isascii()


def test_lines_that_begin_with_a_dot_arrive_whole(server: SmtpStandIn) -> None:
    """RFC 5321 section 4.5.2."""
    alert = {**MESSAGE.alert, "title": ". x"}
    channel(server).send(Message(alert))
    assert "[exosync] . x" == server.mails[0].message["Subject"]
    assert server.mails[0].part("plain").startswith(". x\n")


def test_tls_is_asked_for_after_the_greeting(ours: Authority) -> None:
    """STARTTLS, with the certificate checked by the bundle."""
    with SmtpStandIn(starttls=ours.server) as server:
        channel(server, "starttls", ca_bundle=ours.bundle).send(MESSAGE)
        assert server.mails[0].secured


def test_tls_may_come_first(ours: Authority) -> None:
    """And so does signing in."""
    with SmtpStandIn(tls=ours.server, users={"exosync": PASSWORD}) as server:
        one = channel(
            server, "tls", ca_bundle=ours.bundle, user="exosync", password=lambda: PASSWORD
        )
        one.send(MESSAGE)
        assert (True, "exosync") == (server.mails[0].secured, server.mails[0].user)


@pytest.mark.parametrize("way", ["tls", "starttls"])
def test_a_certificate_that_nobody_vouches_for_is_not_trusted(ours: Authority, way: str) -> None:
    """Nothing is sent."""
    tls, starttls = (ours.server, None) if way == "tls" else (None, ours.server)
    with SmtpStandIn(tls=tls, starttls=starttls) as server:
        error = refusal(channel(server, way))
        assert "cannot be trusted" in str(error)
        assert not error.permanent
        assert [] == server.mails


def test_a_certificate_of_another_name_is_not_trusted(tmp_path: Path) -> None:
    """Though its authority is known."""
    other = authority(tmp_path, "mail.example.com")
    with SmtpStandIn(starttls=other.server) as server:
        error = refusal(channel(server, "starttls", ca_bundle=other.bundle))
        assert "cannot be trusted" in str(error)
        assert "127.0.0.1" in str(error)


def test_without_starttls_nothing_is_sent(server: SmtpStandIn) -> None:
    """Somebody on the way may have taken it out."""
    assert "offers no STARTTLS" in str(refusal(channel(server, "starttls")))
    assert [] == server.mails


def test_a_wrong_password_is_told_without_the_password(ours: Authority) -> None:
    """A refusal for good, with the server's words."""
    with SmtpStandIn(starttls=ours.server, users={"exosync": "another"}) as server:
        one = channel(
            server, "starttls", ca_bundle=ours.bundle, user="exosync", password=lambda: PASSWORD
        )
        error = refusal(one)
    assert error.permanent
    assert "does not let exosync sign in: 535" in str(error)
    assert PASSWORD not in str(error)


def test_a_server_that_says_the_password_back_is_not_quoted(ours: Authority) -> None:
    """Not even as it goes over the line."""
    line = b64encode(f"\0exosync\0{PASSWORD}".encode()).decode()
    REDACTOR.add(PASSWORD)
    with SmtpStandIn(starttls=ours.server, users={"exosync": PASSWORD}) as server:
        server.script(Fault("auth", f"535 5.7.8 no: {line} {PASSWORD}"))
        one = channel(
            server, "starttls", ca_bundle=ours.bundle, user="exosync", password=lambda: PASSWORD
        )
        error = refusal(one)
    assert line not in str(error)
    assert PASSWORD not in str(error)


def test_a_password_that_smtp_cannot_carry_is_told(server: SmtpStandIn) -> None:
    """Without a part of it."""
    one = channel(server, user="exosync", password=lambda: "käse")
    with pytest.raises(ConfigError, match="must be ASCII") as caught:
        one.send(MESSAGE)
    assert "ä" not in str(caught.value)


def test_a_server_where_nobody_can_sign_in_is_told(server: SmtpStandIn) -> None:
    """A user is configured, so something is wrong."""
    one = channel(server, user="exosync", password=lambda: PASSWORD)
    assert "offers no way to sign in" in str(refusal(one))


@pytest.mark.parametrize(
    ("fault", "permanent", "told"),
    [
        (Fault("connect", "421 4.3.2 too busy"), False, "421 4.3.2 too busy"),
        (Fault("connect", "554 5.7.1 go away"), True, "554 5.7.1 go away"),
        (Fault("connect"), False, "cannot be used"),
        (Fault("ehlo"), False, "cannot be used"),
        (Fault("mail", "450 4.7.1 greylisted"), False, "refuses the sender exosync@example.com: 450"),
        (Fault("mail", "550 5.7.1 not you"), True, "refuses the sender exosync@example.com: 550"),
        (Fault("rcpt", "451 4.7.1 greylisted"), False, "ada@example.com: 451 4.7.1 greylisted"),
        (Fault("rcpt", "550 5.1.1 unknown"), True, "bob@example.com: 550 5.1.1 unknown"),
        (Fault("data", "452 4.3.1 full"), False, "452 4.3.1 full"),
        (Fault("data", "552 5.3.4 too big"), True, "552 5.3.4 too big"),
        (Fault("middle"), False, "cannot be used"),
        (Fault("dot", "451 4.3.0 try again"), False, "refuses the mail: 451 4.3.0 try again"),
        (Fault("dot", "554 5.6.0 spam"), True, "refuses the mail: 554 5.6.0 spam"),
        (Fault("dot"), False, "cannot be used"),
    ],
    ids=lambda value: f"{value.at} {value.reply[:3]}" if isinstance(value, Fault) else None,
)  # fmt: skip
def test_what_a_server_refuses_is_told_and_the_next_try_works(
    server: SmtpStandIn, fault: Fault, told: str, *, permanent: bool
) -> None:
    """What begins with 4 may pass, what begins with 5 will not."""
    server.script(fault)
    error = refusal(channel(server))
    assert told in str(error)
    assert permanent == error.permanent
    assert () == error.done
    channel(server).send(MESSAGE)
    assert f"<{KEY}@example.com>" == server.mails[-1].message["Message-ID"]


@pytest.mark.parametrize("at", ["connect", "ehlo", "mail", "rcpt", "data", "dot"])
def test_a_server_that_hangs_is_left(server: SmtpStandIn, at: str) -> None:
    """After the time that one try may take, all in all."""
    # On a busy machine a short time may be over before the conversation comes to that place.
    for seconds in (0.3, 3.0, 30.0):
        server.script(Fault(at, HANG))
        error = refusal(channel(server, seconds=seconds))
        assert f"did not take the mail within {seconds:g} s" in str(error)
        assert not error.permanent
        if server.hanging.is_set():
            return
    pytest.fail(f"it never came to {at}")


def test_a_server_that_is_not_there_is_told(server: SmtpStandIn) -> None:
    """By its name and port."""
    with refusing_port() as port:
        error = refusal(channel(server, port=port))
    assert f"127.0.0.1:{port} cannot be used: Connection refused" in str(error)


def test_who_is_refused_does_not_keep_the_others_from_their_mail(server: SmtpStandIn) -> None:
    """They have it, and only who is left is tried again."""
    server.refuse["bob@example.com"] = "550 5.1.1 no such user"
    error = refusal(channel(server))
    assert (("ada@example.com",), True) == (error.done, error.permanent)
    assert "bob@example.com: 550 5.1.1 no such user" in str(error)
    assert [("ada@example.com",)] == [one.to for one in server.mails]

    again = refusal(channel(server), Message(MESSAGE.alert, done=error.done))
    assert ("ada@example.com",) == again.done
    assert 1 == len(server.mails), "nobody gets it twice"

    server.refuse.clear()
    channel(server).send(Message(MESSAGE.alert, done=error.done))
    assert ("bob@example.com",) == server.mails[-1].to


def test_one_refusal_that_may_pass_makes_all_of_them_pass(server: SmtpStandIn) -> None:
    """So the next try is soon."""
    server.refuse["ada@example.com"] = "550 5.1.1 no such user"
    server.refuse["bob@example.com"] = "451 4.7.1 greylisted"
    assert not refusal(channel(server)).permanent


def test_check_signs_in_and_sends_nothing(ours: Authority) -> None:
    """It tells when the server's certificate ends."""
    with SmtpStandIn(starttls=ours.server, users={"exosync": PASSWORD}) as server:
        known = {"ca_bundle": ours.bundle, "user": "exosync", "password": lambda: PASSWORD}
        (check,) = channel(server, "starttls", **known).check()
        assert [] == server.mails
    assert check.ok
    assert "signed in as exosync" in check.message
    assert "its certificate ends in 89 days" in check.message or "90 days" in check.message


def test_check_warns_of_a_certificate_that_ends_soon(tmp_path: Path) -> None:
    """While there is time."""
    soon = authority(tmp_path, days=5)
    with SmtpStandIn(tls=soon.server) as server:
        (check,) = channel(server, "tls", ca_bundle=soon.bundle).check()
    assert check.ok is None
    assert "renewed" in check.remedy


def test_check_says_what_is_wrong(server: SmtpStandIn) -> None:
    """As sending would."""
    server.script(None, Fault("connect", "554 go away"))
    (good,) = channel(server).check()
    (bad,) = channel(server).check()
    assert ("no TLS" in good.message, True) == (True, good.ok)
    assert bad.ok is False
    assert "554 go away" in bad.message


def test_the_greeting_names_the_machine(server: SmtpStandIn) -> None:
    """By its name, or its address as RFC 5321 section 4.1.3 writes it."""
    channel(server, helo="mail.example.com").send(MESSAGE)
    channel(server).send(MESSAGE)
    first, second = server.greetings
    assert "mail.example.com" == first
    assert "." in second


def test_a_secret_is_read_at_every_try(ours: Authority) -> None:
    """So it can be rotated without a restart."""
    given = iter(["old", PASSWORD])
    with SmtpStandIn(starttls=ours.server, users={"exosync": PASSWORD}) as server:
        known = {"ca_bundle": ours.bundle, "user": "exosync", "password": lambda: next(given)}
        one = channel(server, "starttls", **known)
        assert refusal(one).permanent
        one.send(MESSAGE)
        assert 1 == len(server.mails)


def test_a_bundle_that_is_not_there_is_told(server: SmtpStandIn, tmp_path: Path) -> None:
    """Not taken for a server that is down."""
    error = refusal(channel(server, "tls", ca_bundle=tmp_path / "nothing.pem"))
    assert "No such file" in str(error)
    assert not isinstance(error.__cause__, ssl.SSLError)
