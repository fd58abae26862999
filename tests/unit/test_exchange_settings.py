"""The keys of an exchange target: what is taken, what is refused, and in which words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from exosync.core.target import Context
from exosync.errors import ConfigError
from exosync_adapters.exchange import ExchangeSettings, kind
from exosync_adapters.exchange.aim import Aim
from exosync_adapters.exchange.fields import LONGEST_NAME
from exosync_adapters.exchange.settings import GOOGLE_HOSTS

SECRET = {"kind": "secret", "secret": {"env": "SECRET"}}
LEAST: dict[str, Any] = {
    "tenant": "8A3BD10E-5b2c-4f6d-9a11-0c6f7e2d1b34",
    "domain": "Example.com",
    "far_side": "other",
    "smart_hosts": ["Mail.Far.example."],
    "routed": {"group": "there@example.com"},
}
APPLICATION = {"client_id": "2f9c1d77-4e0a-4c53-8f0e-6f1f5a9b7c21", "credentials": SECRET}


def made(**keys: Any) -> ExchangeSettings:
    """The least that is needed, but for the given keys; None takes a key away."""
    given = {name: value for name, value in (LEAST | keys).items() if value is not None}
    return ExchangeSettings.model_validate(given)


def refused(**keys: Any) -> str:
    """The words in which settings are refused."""
    with pytest.raises(ValidationError) as told:
        made(**keys)
    return "; ".join(one["msg"] for one in told.value.errors())


def build(settings: ExchangeSettings, *, instance: str = "Worldwide", name: str = "x") -> Any:
    """A target as the service makes it; nothing may be revealed meanwhile."""

    def reveal(_: object) -> str:
        raise AssertionError("no secret is read before something is asked")

    context = Context("exosync", "both", instance, Path(), reveal, lambda _: None)
    return kind.build(name, settings, context)


def test_the_least_that_is_needed_reads_nothing_and_asks_a_person() -> None:
    """Names are made alike, and what is not given has the harmless default."""
    settings = made()

    assert ("example.com", ("mail.far.example",)) == (settings.domain, settings.hosts)
    assert ("script", None, "any_certificate") == (
        settings.write,
        settings.credentials,
        settings.tls,
    )
    assert ("exosync example.com", "exosync example.com") == (
        settings.connector_name,
        settings.rule_name,
    )
    assert {"read": False, "write": False} == {
        name: getattr(build(settings).capabilities, name) for name in ("read", "write")
    }


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"tenant": "example.onmicrosoft.com"}, "is not an id like"),
        ({"smart_hosts": ["a.example:587"]}, "a smart host has no port"),
        ({"smart_hosts": ["192.0.2"]}, "is neither an address"),
        ({"smart_hosts": ["192.0.2.07"]}, "is neither an address"),
        ({"smart_hosts": ["192.0.2.7/24"]}, "nor a range like 192.0.2.0/24"),
        ({"smart_hosts": ["example-com.mail.protection.outlook.com"]}, "Exchange Online itself"),
        ({"smart_hosts": ["tenant.mail.protection.office365.us"]}, "Exchange Online itself"),
        ({"smart_hosts": ["MAIL.Protection.Outlook.com."]}, "Exchange Online itself"),
        ({"smart_hosts": ["[example-com.mail.eo.outlook.com]"]}, "Exchange Online itself"),
        ({"smart_hosts": ["example-com.o-v1.mx.microsoft"]}, "Exchange Online itself"),
        ({"smart_hosts": ["smtp.office365.com"]}, "name the hosts of the other side"),
        ({"smart_hosts": ["smtp.partner.outlook.cn"]}, "Exchange Online itself"),
        ({"smart_hosts": ["0.0.0.0/0"]}, "no host has an address in 0.0.0.0/8"),
        ({"smart_hosts": ["224.0.0.1"]}, "which is multicast space"),
        ({"smart_hosts": ["::/0"]}, "which is unspecified space"),
        ({"smart_hosts": ["fe80::1"]}, "which is link-local space"),
        ({"smart_hosts": ["fe80::1%eth0"]}, "a zone (%)"),
        ({"smart_hosts": ["::ffff:192.0.2.1"]}, "which is IPv4-mapped space"),
        ({"smart_hosts": ["0x7f.1"]}, "none ends in a number"),
        ({"domain": "192.0.2.1"}, "none ends in a number"),
        ({"tls": "name", "tls_name": "192.0.2.1"}, "none ends in a number"),
        ({"priority": True}, "must be a whole number"),
        (
            {"routed": {"group": "a@example.com"}, "exceptions": {"group": "A@example.com"}},
            "exceptions.group: A@example.com is the group that is routed",
        ),
        ({"connector": "😀" * 33}, "1 to 64 characters"),
        ({"exceptions": {"loop_breaker": {"header": "Subject"}}}, "write over the Subject"),
        (
            {"exceptions": {"loop_breaker": {"header": "X-MS-Exchange-Organization-SCL"}}},
            "header firewall",
        ),
        ({"smart_hosts": None}, "smart_hosts: are needed"),
        ({"smart_hosts": None, "far_side": "mimecast"}, "Mimecast publishes no list"),
        ({"routed": {}}, "exactly one of group and everyone_but"),
        (
            {"routed": {"group": "a@example.com", "everyone_but": "b@example.com"}},
            "exactly one of group and everyone_but",
        ),
        ({"routed": {"whole_domain": True}}, "acknowledged"),
        ({"write": "rest"}, "write: rest needs credentials"),
        ({"credentials": SECRET}, "client_id: is needed with credentials"),
        ({"validate_connector": True}, "validate_connector: needs credentials"),
        ({"validate_connector": True, **APPLICATION}, "needs validation_recipients"),
        ({"validation_recipients": ["a@elsewhere.example"]}, "is not at example.com"),
        ({"tls": "name"}, "tls_name: is needed for tls: name"),
        ({"tls_name": "far.example"}, "tls_name: is needed for tls: name"),
        ({"connector": "x" * (LONGEST_NAME + 1)}, "1 to 64 characters"),
        ({"rule": "all*"}, "without *"),
        ({"exceptions": {"loop_breaker": {"header": "X Routed"}}}, "is not the name of a header"),
        ({"exceptions": {"loop_breaker": {"words": ["a\r\nBcc: b"]}}}, "must be printable ASCII"),
        ({"exceptions": {"loop_breaker": {"words": [" "]}}}, "more than spaces"),
        (
            {**APPLICATION, "credentials": {**SECRET, "assertion": {"env": "A"}}},
            "assertion: is for kind federated, not for secret",
        ),
        (
            {**APPLICATION, "credentials": {"kind": "certificate"}},
            "certificate: kind certificate needs it",
        ),
    ],
)
def test_what_cannot_be_meant_is_refused_in_words(keys: dict[str, Any], words: str) -> None:
    """Before anything is asked or planned."""
    assert words in refused(**keys)


def test_googles_hosts_are_a_preset_and_mimecasts_are_never_guessed() -> None:
    """Whatever is given goes before the preset."""
    assert GOOGLE_HOSTS == made(smart_hosts=None, far_side="google_workspace").hosts
    assert ("mail.far.example",) == made(far_side="google_workspace").hosts


def test_a_smart_host_may_be_an_address_or_a_network() -> None:
    """As New-OutboundConnector takes them."""
    settings = made(smart_hosts=["[192.0.2.1]", "198.51.100.0/24"])

    assert ("192.0.2.1", "198.51.100.0/24") == settings.hosts


def test_an_address_is_no_network_and_a_network_no_address() -> None:
    """Of IPv6, too."""
    settings = made(smart_hosts=["[2001:db8::1]", "2001:db8::/32", "192.0.2.7/32"])

    assert ("2001:db8::1", "2001:db8::/32", "192.0.2.7") == settings.hosts


def test_a_host_that_is_given_twice_is_one() -> None:
    """However it is written."""
    settings = made(
        smart_hosts=["Mail.Far.example", "192.0.2.1", "mail.far.example.", "[192.0.2.1]"]
    )

    assert ("mail.far.example", "192.0.2.1") == settings.hosts


def test_what_is_given_twice_counts_once() -> None:
    """Words, addresses and groups, whatever their case; blanks around a word are no part of it."""
    breaker = {"words": [" exosync ", "seen", "Exosync"], "stamp": False, "header": "Subject"}
    settings = made(
        validation_recipients=["Grace@example.com", "grace@EXAMPLE.com"],
        routed={"everyone_but": "here@example.com"},
        exceptions={"group": "HERE@example.com", "loop_breaker": breaker},
    )

    assert settings.exceptions.loop_breaker is not None
    assert ("exosync", "seen") == settings.exceptions.loop_breaker.words
    assert ("Grace@example.com",) == settings.validation_recipients
    assert ("here@example.com",) == Aim(settings, "exosync", "x").rule.exceptions[
        "ExceptIfSentToMemberOf"
    ]


def test_the_cloud_is_that_of_the_ranges_unless_it_is_given() -> None:
    """An instance that is of no known cloud needs it."""
    assert "gcc_high" == build(made(), instance="USGovGCCHigh")._cloud.name
    assert "dod" == build(made(cloud="dod"))._cloud.name
    with pytest.raises(ConfigError, match="cloud: is needed"):
        build(made(), instance="Germany")


def test_two_targets_that_would_write_the_same_are_told() -> None:
    """By the names of connector and rule in any case, and by the domain."""
    told = list(
        kind.contradictions(
            {
                "one": made(),
                "two": made(),
                "three": made(domain="example.org", connector="EXOSYNC example.com"),
                "elsewhere": made(tenant="11111111-5b2c-4f6d-9a11-0c6f7e2d1b34"),
                "four": made(domain="example.net", rule="Zürich"),
                "five": made(domain="example.edu", rule="ZU\u0308RICH"),
            }
        )
    )

    assert [
        ("two", "domain"),
        ("two", "connector"),
        ("two", "rule"),
        ("three", "connector"),
        ("five", "rule"),
    ] == [(name, key) for name, key, _ in told]
    assert all("the target one's already" in words for _, _, words in told[:-1])


def test_what_a_plan_depends_on_holds_no_credentials_and_no_patience() -> None:
    """So that another secret or time-out makes no plan stale."""
    one = build(made(**APPLICATION)).configuration()
    other = build(made(**APPLICATION, timeout="5s", settle="1s")).configuration()

    assert one == other
    assert "SECRET" not in str(one)
    assert one != build(made(**APPLICATION, tls="trusted")).configuration()


def test_a_tenant_is_the_account_that_is_asked_one_target_at_a_time() -> None:
    """Exchange Online counts requests by tenant."""
    assert made().tenant == kind.account(made())
