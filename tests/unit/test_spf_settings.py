"""The keys of an spf target: what is taken, what is refused, and in which words."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from exosync.core.target import Context, Target, TargetKind
from exosync.errors import ConfigError
from exosync_adapters.fields import host_and_port
from exosync_adapters.spf import SpfSettings, kind
from exosync_adapters.spf.settings import DnsSettings, KeySettings


def _settings(**keys: Any) -> SpfSettings:
    return SpfSettings.model_validate({"domain": "example.com", **keys})


def _context(**changes: str) -> Context:
    chosen: dict[str, Any] = {"owner": "exosync", "families": "both", "instance": "Worldwide"}
    return Context(**chosen | changes, base=Path(), reveal=lambda _: "", pause=lambda _: None)


def test_needs_nothing_but_the_domain() -> None:
    """Every other key has a default that writes nothing to the domain's own record."""
    settings = _settings()

    assert ("include", "none", "_exo.example.com", 3600, "~all") == (
        settings.method,
        settings.manage,
        settings.leaf,
        settings.ttl,
        settings.default_all,
    )
    assert (timedelta(seconds=5), timedelta(minutes=1)) == (
        settings.dns.timeout,
        settings.dns.settle,
    )


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("Example.COM.", "example.com"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("Straße.example", "xn--strae-oqa.example"),
        ("mail.xn--bcher-kva.example", "mail.xn--bcher-kva.example"),
    ],
)
def test_writes_a_domain_in_one_way(written: str, expected: str) -> None:
    """A-labels, lower case, no dot at the end: so names can be compared."""
    assert expected == _settings(domain=written).domain


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ({"domain": "com"}, "no dot"),
        ({"domain": "exa mple.com"}, "is not a domain name"),
        ({"domain": "a..example.com"}, "is not a domain name"),
        ({"domain": f"{'a' * 64}.example.com"}, "is not a domain name"),
        ({"method": "records", "label": "-exo"}, "is not a domain name"),
        ({"metod": "records"}, "Extra inputs"),
        ({"ttl": 0}, "greater than or equal to 30"),
        ({"default_all": "+all"}, "Input should be"),
        ({"terms": ["include:"]}, "no valid domain name"),
        ({"terms": ["ip4:192.0.2.0/33"]}, "prefix length"),
        ({"terms": ["-include:other.example"]}, "does not name a sender"),
        ({"terms": ["~all"]}, "does not name a sender"),
        ({"terms": ["ptr"]}, "does not name a sender"),
        ({"terms": ["redirect=other.example"]}, "does not name a sender"),
        ({"terms": ["a mx"]}, "not allowed in a term"),
        ({"dns": {"zone": "other.example"}}, "is not in the zone other.example"),
        ({"dns": {"zone": "ample.com"}}, "is not in the zone ample.com"),
        ({"dns": {"servers": ["ns1.example.com:0"]}}, "is not HOST, HOST:PORT"),
        ({"dns": {"servers": ["ns1 example"]}}, "is not HOST, HOST:PORT"),
        ({"dns": {"server": "ns1.example.com:5353"}}, "its port is dns.port"),
        ({"dns": {"settle": "60"}}, "a duration needs its unit"),
        ({"dns": {"timeout": "0s"}}, "greater than or equal to 1 second"),
        ({"dns": {"key": {"name": "k", "secret": "c2VjcmV0"}}}, "a secret is not written"),
        ({"dns": {"key": {"name": "k", "algorithm": "hmac-md5", "secret": {"env": "K"}}}}, "TSIG"),
    ],
)
def test_refuses_what_cannot_work(keys: dict[str, Any], told: str) -> None:
    """Each mistake is told in words that lead to the key."""
    with pytest.raises(ValidationError, match=told):
        _settings(**keys)


def test_never_shows_a_secret_that_was_written_by_mistake() -> None:
    """Not in the error either."""
    with pytest.raises(ValidationError) as caught:
        _settings(dns={"key": {"name": "k", "secret": "c2VjcmV0"}})

    assert "c2VjcmV0" not in str(caught.value)


@pytest.mark.parametrize(
    "term",
    ["include:_spf.example.net", "ip4:192.0.2.0/24", "+a", "mx:example.net/28", "A:x.example"],
)
def test_takes_a_sender_as_a_term(term: str) -> None:
    """Whatever RFC 7208 knows for naming a sender."""
    assert (term,) == _settings(terms=[term]).terms


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ns1.example.com", ("ns1.example.com", 53)),
        ("ns1.example.com:5353", ("ns1.example.com", 5353)),
        ("192.0.2.1:5353", ("192.0.2.1", 5353)),
        ("2001:db8::1", ("2001:db8::1", 53)),
        ("[2001:db8::1]:5353", ("2001:db8::1", 5353)),
    ],
)
def test_reads_a_server_with_or_without_its_port(text: str, expected: tuple[str, int]) -> None:
    """An IPv6 address with a port stands in brackets."""
    assert expected == host_and_port(text)


@pytest.mark.parametrize(
    ("instance", "expected"),
    [
        ("Worldwide", "spf.protection.outlook.com"),
        ("USGovGCCHigh", "spf.protection.office365.us"),
        ("USGovDoD", "spf.protection.office365.us"),
        ("China", "spf.protection.partner.outlook.cn"),
    ],
)
def test_knows_the_name_of_each_cloud(instance: str, expected: str) -> None:
    """The name that Microsoft tells its customers to include."""
    assert (
        expected
        == kind.build("spf", _settings(), _context(instance=instance)).configuration()["include"]
    )


def test_takes_another_name_for_a_cloud_that_it_does_not_know() -> None:
    """A cloud without a known name needs `include`."""
    with pytest.raises(ConfigError, match="give it as `include`"):
        kind.build("spf", _settings(), _context(instance="Moon"))
    kind.build("spf", _settings(include="spf.example.net"), _context(instance="Moon"))


@pytest.mark.parametrize("owner", ["", "a b", "a%b", "a=b c", "-x", "ü", "x" * 64])
def test_refuses_an_owner_that_would_break_the_record(owner: str) -> None:
    """The mark is a part of the record, so its id must be plain."""
    with pytest.raises(ConfigError, match="cannot stand in an SPF record"):
        kind.build("spf", _settings(), _context(owner=owner))


def test_shows_what_a_plan_depends_on_and_no_secret() -> None:
    """Changing the key's file or a timeout makes no plan stale."""
    key = {"name": "exosync", "secret": {"env": "TSIG"}}
    dns = {"server": "ns1.example.com", "key": key, "timeout": "7s"}
    shown = kind.build("spf", _settings(dns=dns), _context()).configuration()

    assert {
        "server": "ns1.example.com",
        "port": 53,
        "zone": None,
        "servers": [],
        "key": "exosync",
    } == (shown["dns"])
    assert "TSIG" not in str(shown)


def test_describes_every_key() -> None:
    """The JSON Schema serves editors and the documentation."""

    def undescribed(model: type[BaseModel]) -> list[str]:
        return [name for name, field in model.model_fields.items() if not field.description]

    schema = SpfSettings.model_json_schema()
    models: list[type[BaseModel]] = [SpfSettings, DnsSettings, KeySettings]

    assert [] == [name for model in models for name in undescribed(model)]
    assert "string" == schema["$defs"]["DnsSettings"]["properties"]["settle"]["type"]


def test_is_a_kind_of_target() -> None:
    """The types agree with the contract."""
    a_kind: TargetKind = kind
    target: Target = a_kind.build("spf", _settings(), _context())

    assert ("spf", "spf", SpfSettings) == (a_kind.name, target.kind, a_kind.settings)
