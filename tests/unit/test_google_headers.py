"""What the headers of a message tell: Google's own, among whatever anybody wrote."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exosync.core.target import Knowledge
from exosync.core.trace import Sent, Stage
from exosync_adapters.google_workspace.arrival import missing, stages
from exosync_adapters.google_workspace.headers import Handover, handovers, results
from exosync_adapters.google_workspace.mailbox import Found

ALAN = "alan@example.com"

# In the form of messages of public mailing lists (mx.google.com, 2016 to 2019).
WITHIN = ("Received", "by 2002:a05:6000:2a1:: with SMTP id l1csp1wrb; Thu, 26 Nov 2026 05:57:03")
GATEWAY = (
    "Received",
    (
        "from mail.gateway.example (mail.gateway.example. [192.0.2.61])\r\n        by mx.google.com "
        "with ESMTPS id d71si833482jab.10\r\n        for <alan@example.com>\r\n        "
        "(version=TLS1_2 cipher=ECDHE-RSA-AES128-GCM-SHA256 bits=128/128);\r\n        Thu, 26 Nov 2026"
    ),
)
MICROSOFT = (
    "Received",
    (
        "from EUR05-DB8-obe.outbound.protection.outlook.com "
        "(mail-db8eur05on2083.outbound.protection.outlook.com [40.107.22.83]) "
        "(Using TLS) by relay.gateway.example with ESMTP id eu-1; Thu, 26 Nov 2026"
    ),
)
INSIDE = (
    "Received",
    (
        "from AM0PR01.prod.exchangelabs.example (2603:10a6:208::13) by DB8PR01.example "
        "(2603:10a6:10::7) with Microsoft SMTP Server; Thu, 26 Nov 2026"
    ),
)
JUDGED = (
    "Authentication-Results",
    (
        "mx.google.com;\r\n       dkim=pass header.i=@example.com header.s=selector1 header.b=lhk5;\r\n"
        "       spf=softfail (google.com: domain of transitioning ada@example.com does not designate "
        "192.0.2.61 as permitted sender) smtp.mailfrom=ada@example.com;\r\n"
        "       dmarc=pass (p=NONE sp=NONE dis=NONE) header.from=example.com"
    ),
)


def test_the_way_is_read_from_google_backwards() -> None:
    """Google's own hop within itself tells no address, and is passed over."""
    assert (
        Handover("192.0.2.61", "mail.gateway.example", "mx.google.com"),
        Handover(
            "40.107.22.83", "EUR05-DB8-obe.outbound.protection.outlook.com", "relay.gateway.example"
        ),
        Handover("2603:10a6:208::13", "AM0PR01.prod.exchangelabs.example", "db8pr01.example"),
    ) == handovers([WITHIN, GATEWAY, MICROSOFT, INSIDE])


def test_without_googles_hop_nothing_is_told() -> None:
    """Mail of a user of the same account never came in from outside."""
    assert () == handovers([WITHIN, MICROSOFT, INSIDE])


@pytest.mark.parametrize(
    ("value", "address"),
    [
        # What the client calls itself counts for nothing.
        ("from [40.107.22.83] (evil.example. [203.0.113.5]) by mx.google.com with", "203.0.113.5"),
        ("from x (HELO [10.1.2.3]) (x. [203.0.113.5]) by mx.google.com with", "203.0.113.5"),
        ("from x (x. [IPv6:2a01:111:f403::7]) by mx.google.com with ESMTPS", "2a01:111:f403::7"),
        ("FROM x (x. [2A01:111:F403:0::7])  by\tMX.Google.com id", "2a01:111:f403::7"),
    ],
)
def test_the_address_is_that_of_the_connection(value: str, address: str) -> None:
    """Which the server wrote into the comment (RFC 5321, section 4.4)."""
    (one,) = handovers([("RECEIVED", value)])
    assert address == one.address


@pytest.mark.parametrize(
    "above",
    [
        "from x (x. [unknown]) by mx.google.com with ESMTPS id 1",
        "from x (x. [192.0.2.1]) by relay.example with ESMTP by mx.google.com with ESMTPS",
    ],
)
def test_below_one_that_google_may_have_written_none_is_taken_for_its_own(above: str) -> None:
    """Whoever sends can write headers of Google's, but not above Google's own."""
    forged = "from y (y. [40.107.22.83]) by mx.google.com with ESMTPS id 2"
    assert () == handovers([("Received", above), ("Received", forged)])


@pytest.mark.parametrize(
    "value",
    [
        "",
        "from",
        "from x by mx.google.com",
        "from x (x. [999.1.1.1]) by mx.google.com",
        "from x (x. [192.0.2.1])",
        "by mx.google.com from x (x. [192.0.2.1])",
        "from x (x. [192.0.2.1]) by mx.google.com.evil.example with ESMTP",
    ],
)
def test_what_tells_no_address_or_no_server_is_passed_over(value: str) -> None:
    """Nothing is guessed."""
    assert () == handovers([("Received", value)])


def test_what_google_made_of_the_sender_is_read() -> None:
    """With its comments and properties left out."""
    assert {"dkim": "pass", "spf": "softfail", "dmarc": "pass"} == results([JUDGED])


def test_only_googles_topmost_result_counts() -> None:
    """Another server's, and one that came with the message, are not its word."""
    other = ("Authentication-Results", "relay.gateway.example; spf=pass")
    forged = ("Authentication-Results", "mx.google.com; spf=pass; dkim=pass; dmarc=pass")
    true = ("Authentication-Results", "mx.google.com; spf=fail smtp.mailfrom=x; dmarc=fail")
    assert {"spf": "fail", "dmarc": "fail"} == results([other, true, forged])
    assert {} == results([other])


@pytest.mark.parametrize(
    "value",
    [
        'mx.google.com; spf=fail smtp.mailfrom="; dmarc=pass; spf=pass"',
        "mx.google.com; spf=fail (domain of (x; spf=pass); dmarc=pass) smtp.mailfrom=x",
        r'mx.google.com; spf=fail smtp.mailfrom="\"; dmarc=pass"',
        "mx.google.com; spf=fail smtp.mailfrom=spf=pass; x-dmarc=pass; dmarcs=pass",
    ],
)
def test_what_a_sender_calls_himself_is_no_result(value: str) -> None:
    """In comments and between quotes there is any text."""
    assert {"spf": "fail"} == results([("Authentication-Results", value)])


def test_of_several_signatures_one_that_holds_is_enough() -> None:
    """As DKIM has it (RFC 6376, section 6.1)."""
    value = "mx.google.com; dkim=fail header.i=@list.example; dkim=pass header.i=@example.com"
    assert {"dkim": "pass"} == results([("Authentication-Results", value)])


HOSTILE = st.text(
    st.one_of(st.characters(), st.sampled_from('()[]\\"; =\r\n\t\x1b\u202e.:')), max_size=200
)
PIECES = st.lists(
    st.one_of(
        HOSTILE,
        st.sampled_from(
            ["from ", " by ", "mx.google.com", "; ", "spf=pass", "(x. [192.0.2.1])", "[::1]", "("]
        ),
    ),
    max_size=12,
).map("".join)
HEADERS = st.lists(
    st.tuples(st.sampled_from(["Received", "Authentication-Results", "X"]), PIECES), max_size=8
)


@given(HEADERS)
def test_whatever_stands_there_is_read_without_harm(headers: list[tuple[str, str]]) -> None:
    """An address is one, a result a word, and what is shown is one short line without controls."""
    for one in handovers(headers):
        assert str(ip_address(one.address)) == one.address
    assert all(value.isascii() and value.isalpha() for value in results(headers).values())
    labels = tuple(value for _, value in headers)
    for stage in told(*headers, labels=labels):
        for text in (stage.title, *stage.says):
            assert text.isprintable() or not any(ord(one) < 32 or one == "\u202e" for one in text)
            assert 2000 > len(text)


@given(st.integers(1, 60), st.integers(1, 40_000))
def test_a_header_without_an_end_costs_no_more_than_its_beginning(many: int, long: int) -> None:
    """Of a header's text, and of the headers, some are enough."""
    headers = [("Received", "from x (" * long + "x. [192.0.2.1]) by mx.google.com")] * many
    assert len(handovers(headers)) <= 30


# What is told


def told(
    *headers: tuple[str, str], known: str = "", labels: tuple[str, ...] = ("INBOX",)
) -> list[Stage]:
    """The stages of a message with these headers, where the setting holds one address."""

    def knows(address: str) -> Knowledge:
        says = (f"the list has {address}",) if address == known else ()
        return Knowledge(address == known, says)

    found = Found(labels, datetime(2026, 11, 26, 5, 57, 3, tzinfo=UTC), headers)
    return list(stages(found, ALAN, knows))


def test_an_address_of_the_setting_is_right() -> None:
    """Why, its own words say."""
    _, taken = told(GATEWAY, MICROSOFT, known="192.0.2.61")
    assert (True, ("the list has 192.0.2.61",)) == (taken.ok, taken.says)


def test_behind_a_gateway_the_address_before_it_counts() -> None:
    """What the gateway's header says, as what it is."""
    _, taken = told(GATEWAY, MICROSOFT, known="40.107.22.83")
    assert True is taken.ok
    assert (
        "relay.gateway.example says that it came from 40.107.22.83",
        "the list has 40.107.22.83",
    ) == taken.says


def test_an_address_that_the_setting_lacks_cannot_be_told_right() -> None:
    """It was let in all the same."""
    _, taken = told(GATEWAY, MICROSOFT)
    assert None is taken.ok
    assert "it was let in without" in taken.says[0]


@pytest.mark.parametrize(
    ("value", "ok", "title"),
    [
        ("spf=pass; dkim=pass; dmarc=pass", True, "SPF pass, DKIM pass, DMARC pass"),
        ("spf=fail; dkim=pass; dmarc=pass", True, "SPF fail, DKIM pass, DMARC pass"),
        ("spf=pass; dkim=pass; dmarc=fail", None, "SPF pass, DKIM pass, DMARC fail"),
        ("spf=pass; dmarc=none", True, "SPF pass, DMARC none"),
        ("dkim=none; spf=neutral", None, "SPF neutral, DKIM none"),
        ("dmarc=fail", None, "DMARC fail"),
    ],
)
def test_dmarc_says_it_all_where_there_is_one(value: str, ok: bool | None, title: str) -> None:
    """Else SPF or DKIM will do; none of it is a refusal, since the message is there."""
    _, judged = told(("Authentication-Results", f"mx.google.com; {value}"))
    assert (ok, f"Google says: {title}") == (judged.ok, judged.title)


def test_only_some_labels_are_shown() -> None:
    """A mailbox may have thousands."""
    (place,) = told(labels=("INBOX", *(f"Label_{number}" for number in range(20))))
    assert place.says[-1].endswith("Label_6 and 13 more")


def test_what_was_asked_for_once_was_not_waited_for() -> None:
    """The words say so."""
    stage = missing(
        Sent("ada@example.com", ALAN, "<1@example.com>"), within=timedelta(0), is_whole=True
    )
    assert f"it was not found in the mailbox of {ALAN}" == stage.title
