"""The configuration as in force, as JSON Schema, and as a list of settings."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from exosync.config import describe_settings, schema, shown
from tests.unit.config_kit import KINDS, Loader

FULL = """\
feed:
  instance: China
  url: http://127.0.0.1:8080/
  connect_timeout: 1s
  read_timeout: 2s
  deadline: 1h30m
  attempts: 2
  max_size: 500kB
  proxy: http://proxy:3128
  ca_bundle: ca.pem
  offline: true
state: sqlite:////var/lib/exosync.db
owner: site-2
ranges:
  grace: 2w
  extra:
    - {cidr: [40.95.0.0/16, "2001:db8::/32"], name: relay pool, reason: forwarded mail}
  exclude:
    - {cidr: 10.0.0.0/8, name: ten, reason: ours}
guards:
  min_ranges: 1
  max_shrink: 0.5%
  max_growth: 200%
  max_shrink_ranges: 3
  max_growth_ranges: 0
  widest_ipv4: 8
  widest_ipv6: 16
  max_feed_age: 90d
schedule: {feed: 0}
log: {level: debug, format: json}
"""

TARGETS = """\
targets:
  - {name: edge, kind: list, mode: apply, families: ipv4, path: out.txt, format: postfix, value: OK}
  - name: zone
    kind: zone
    domain: example.com
    terms: [a, mx]
    dns: {server: ns1, port: 5353, key: {name: k, secret: {file: tsig}}}
    login: {token: {env: TOKEN}}
"""


@pytest.fixture
def loader(tmp_path: Path) -> Loader:
    """Loads a configuration that a test writes."""
    return Loader(tmp_path)


@pytest.fixture(scope="module")
def validator() -> Draft202012Validator:
    """The JSON Schema, as an editor would use it."""
    made = schema(KINDS)
    Draft202012Validator.check_schema(made)
    return Draft202012Validator(made)


def test_the_smallest_configuration_is_shown_with_all_defaults(loader: Loader) -> None:
    """Durations, shares and sizes as people write them."""
    values = shown(loader.config())
    assert values["guards"] == {
        "min_ranges": 4,
        "max_shrink": "10%",
        "max_growth": "50%",
        "max_shrink_ranges": None,
        "max_growth_ranges": None,
        "widest_ipv4": 13,
        "widest_ipv6": 32,
        "max_feed_age": "45d",
    }
    assert (values["feed"]["deadline"], values["feed"]["max_size"]) == ("2m", "8MiB")
    assert values["targets"] == [
        {
            "name": "edge",
            "kind": "list",
            "mode": "plan",
            "families": "both",
            "schedule": "1h",
            "windows": [],
            "labels": [],
            "path": "out.txt",
            "format": "plain",
            "value": None,
        }
    ]


def test_what_is_shown_is_a_configuration_that_shows_the_same(loader: Loader) -> None:
    """Nothing is lost or changed on the way out."""
    values = shown(loader.config(FULL, targets=TARGETS))
    assert json.loads(json.dumps(values)) == values
    assert values == shown(loader.config(yaml.safe_dump(values), targets=""))


def test_secrets_are_shown_as_references(loader: Loader) -> None:
    """Where they are, never what they are."""
    zone = shown(loader.config(targets=TARGETS))["targets"][1]
    assert zone["dns"]["key"]["secret"] == {"file": "tsig"}
    assert zone["login"] == {"token": {"env": "TOKEN"}}


def test_the_schema_accepts_what_is_right(validator: Draft202012Validator) -> None:
    """With everything given, and with the least."""
    validator.validate(yaml.safe_load(FULL + TARGETS))
    validator.validate({"targets": [{"name": "a", "kind": "list", "path": "x"}]})


@pytest.mark.parametrize(
    "change",
    [
        {"ownerx": "x"},
        {"feed": {"instance": "Mars"}},
        {"feed": {"read_timeout": 30}},
        {"feed": {"read_timeout": ""}},
        {"guards": {"max_shrink": 0.1}},
        {"guards": {"widest_ipv4": 33}},
        {"ranges": {"extra": [{"cidr": "10.0.0.0/8"}]}},
        {"targets": []},
        {"targets": [{"name": "a", "kind": "ftp"}]},
        {"targets": [{"name": "a", "kind": "list"}]},
        {"targets": [{"name": "a", "kind": "list", "path": "x", "domain": "example.com"}]},
        {"targets": [{"name": "a", "kind": "list", "path": "x", "mode": "go"}]},
        {"targets": [{"name": "a", "kind": "zone", "domain": "x", "dns": {"port": 0}}]},
        {
            "targets": [
                {"name": "a", "kind": "zone", "domain": "x", "login": {"token": "plain text"}}
            ]
        },
        {
            "targets": [
                {
                    "name": "a",
                    "kind": "zone",
                    "domain": "x",
                    "login": {"token": {"file": "a", "env": "B"}},
                }
            ]
        },
    ],
)
def test_the_schema_refuses_what_is_wrong(
    validator: Draft202012Validator, change: dict[str, Any]
) -> None:
    """So an editor shows it while it is being written."""
    values = yaml.safe_load(FULL + TARGETS) | change
    assert not validator.is_valid(values)


def test_the_schema_says_which_dialect_it_is_and_describes_every_key() -> None:
    """Editors show the descriptions."""
    made = schema(KINDS)
    assert made["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    for name, section in made["$defs"].items():
        for key, inner in section.get("properties", {}).items():
            assert inner.get("description") or name.endswith("SecretRef"), f"{name}: {key}"


def test_every_setting_is_described() -> None:
    """The reference in the documentation is made of these."""
    settings = describe_settings(KINDS)
    assert all(one.description and one.type for one in settings)
    assert len(settings) == len({(one.key, one.kind) for one in settings})


def test_a_setting_tells_its_type_and_default() -> None:
    """In the words of the documentation."""
    found = {(one.kind, one.key): (one.type, one.default) for one in describe_settings(KINDS)}
    expected = {
        ("", "feed.url"): ("https address", "https://endpoints.office.com"),
        ("", "feed.deadline"): ("duration", "2m"),
        ("", "feed.max_size"): ("size", "8MiB"),
        ("", "feed.ca_bundle"): ("path", "not set"),
        ("", "feed.offline"): ("true or false", "false"),
        ("", "guards.max_shrink"): ("share", "10%"),
        ("", "guards.max_shrink_ranges"): ("whole number", "not set"),
        ("", "ranges"): ("keys and values", ""),
        ("", "ranges.extra"): ("list of keys and values", "[]"),
        ("", "ranges.extra[].cidr"): ("CIDR, or list of CIDRs", None),
        ("", "targets[].mode"): ("one of watch, plan, apply", "plan"),
        ("list", "targets[].path"): ("path", None),
        ("zone", "targets[].terms"): ("list of text", "[]"),
        ("zone", "targets[].dns.port"): ("whole number", "53"),
        ("zone", "targets[].dns.key.secret"): (
            "secret reference, {file: PATH} or {env: NAME}",
            None,
        ),
        ("zone", "targets[].login.password"): (
            "secret reference, {file: PATH} or {env: NAME}",
            None,
        ),
    }
    assert expected == {key: found[key] for key in expected}
