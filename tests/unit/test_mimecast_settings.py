"""The keys of a mimecast target: what is taken, what is refused, and in which words."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from exosync.core.target import Context, Target
from exosync.errors import ConfigError
from exosync_adapters.mimecast import MimecastSettings, kind
from exosync_adapters.mimecast.settings import Setting, is_old_host

SECRETS: dict[str, Any] = {"client_id": {"env": "ID"}, "client_secret": {"file": "secret"}}


def settings(**keys: Any) -> MimecastSettings:
    """Settings that keep one domain's policies right, but for the given keys."""
    chosen: dict[str, Any] = {"domains": ["example.com"], "settings": ["anti_spoofing"]}
    return MimecastSettings.model_validate(SECRETS | chosen | keys)


def refused(**keys: Any) -> str:
    """The words with which settings are refused."""
    with pytest.raises(ValidationError) as caught:
        settings(**keys)
    (error,) = caught.value.errors()
    return str(error["msg"])


def build(owner: str = "exosync", name: str = "mimecast", **keys: Any) -> Target:
    """A target; nothing is read or asked."""
    context = Context(
        owner=owner,
        families="both",
        instance="Worldwide",
        base=Path(),
        reveal=lambda _: pytest.fail("a secret was read"),
        pause=lambda _: None,
    )
    return kind.build(name, settings(**keys), context)


def test_the_shape_of_the_guide_is_taken() -> None:
    """Five keys, the rest has defaults that write as little as can be."""
    found = settings(settings=["anti_spoofing", "permitted_senders"])

    assert ("https://api.services.mimecast.com", "global") == (found.url, found.region)
    assert ("domains", None, 100, None, "disable") == (
        found.senders,
        found.sender_group,
        found.ranges_per_policy,
        found.split_to,
        found.when_empty,
    )


@pytest.mark.parametrize("key", ["app_id", "app_key", "access_key", "secret_key"])
def test_keys_of_api_1_are_answered_with_how_to_move(key: str) -> None:
    """One error, which says what to make and where to enter it."""
    told = refused(**{key: "x"})

    for words in (key, "API 1.0", "no new keys", "Policy Management", "Gateway | Policies | Edit"):
        assert words in told
    assert "https://api.services.mimecast.com" in told


@pytest.mark.parametrize(
    "host", ["api", "eu-api", "de-api", "us-api", "usb-api", "ca-api", "za-api", "au-api", "je-api"]
)
def test_hosts_of_api_1_are_answered_the_same(host: str) -> None:
    """Regional or not."""
    assert "API 1.0" in refused(url=f"https://{host}.mimecast.com")


@pytest.mark.parametrize(
    ("url", "region"),
    [
        ("https://api.services.mimecast.com", "global"),
        ("https://uk-api.services.mimecast.com/", "United Kingdom"),
        ("https://us-api.services.mimecast.com", "United States"),
        ("http://127.0.0.1:8081", "unknown host"),
    ],
)
def test_hosts_of_api_2_tell_the_region(url: str, region: str) -> None:
    """A mirror or a stand-in is taken too."""
    found = settings(url=url)

    assert region == found.region
    assert not found.url.endswith("/")
    assert not is_old_host(url)


@pytest.mark.parametrize("url", [None, 5, "", "http://[", "https://api.mimecast.com.example"])
def test_what_is_no_old_host_is_not_taken_for_one(url: object) -> None:
    """Other checks say what is wrong with it."""
    assert not is_old_host(url)


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"domains": []}, "anti_spoofing needs the company's own domains"),
        ({"domains": [], "settings": ["spf_bypass"]}, "spf_bypass needs the company's own domains"),
        ({"settings": ["permitted_addresses"]}, "needs at least one sender"),
        ({"settings": ["anti_spoofing", "anti_spoofing"]}, "names a setting twice"),
        ({"senders": "everyone", "sender_group": "eNo1"}, "cannot stand too"),
        ({"spf_domains": ["example.com"]}, "is for the setting spf_bypass"),
        ({"snapshot": "x.json"}, "is for the setting permitted_senders"),
        ({"dns": {"timeout": "1s"}}, "is for the setting spf_bypass"),
        (
            {"permitted_addresses": [{"sender": "a@b.example", "to": ["c@d.example"]}]},
            "is for the setting permitted_addresses",
        ),
        ({"settings": ["permitted_senders"], "split_to": 24}, "is for the setting anti_spoofing"),
        ({"url": "https://api.services.mimecast.com/?x"}, "must be a base address"),
    ],
)
def test_keys_must_fit_the_settings(keys: dict[str, Any], words: str) -> None:
    """What would be ignored, and what is missing, is told."""
    assert words in refused(**keys)


@pytest.mark.parametrize(
    ("keys", "senders"),
    [
        ({"domains": ["b.example", "a.example", "b.example"]}, ("b.example", "a.example")),
        ({"domains": [], "senders": "everyone"}, ("everyone",)),
        ({"domains": [], "sender_group": " eNo1 "}, ("group",)),
    ],
)
def test_senders_are_what_the_marks_name(keys: dict[str, Any], senders: tuple[str, ...]) -> None:
    """Domains once each, everyone, or a group."""
    assert senders == settings(**keys).senders_of(Setting.ANTI_SPOOFING)


def test_pairs_are_every_sender_with_every_recipient() -> None:
    """Once each."""
    entries = [
        {"sender": "a@x.example", "to": ["b@y.example", "c@y.example"]},
        {"sender": "a@x.example", "to": ["b@y.example"]},
    ]
    found = settings(settings=["permitted_addresses"], permitted_addresses=entries)

    assert (("a@x.example", "b@y.example"), ("a@x.example", "c@y.example")) == found.pairs


def test_building_reads_no_secret() -> None:
    """Nor does it ask anything."""
    target = build()

    assert ("mimecast", "mimecast", False) == (target.name, target.kind, target.capabilities.ipv6)


def test_building_loads_nothing_that_asks() -> None:
    """Only what reads or writes an account needs requests, only SPF a DNS library."""
    program = (
        "import sys; from tests.unit.test_mimecast_settings import build; build(); "
        "print(sorted({'requests', 'urllib3', 'dns', 'spftrace'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": ":".join(path or "." for path in sys.path)},
    )
    assert "[]" == done.stdout.strip()


def test_a_mark_that_leaves_no_room_is_refused() -> None:
    """A description has to hold it, a number and a few words."""
    with pytest.raises(ConfigError, match="choose a shorter owner or target name"):
        build(owner="o" * 60, name="t" * 60)


def test_configuration_tells_what_changes_plans_and_no_secret() -> None:
    """Where a secret is to be found is nothing that a plan depends on."""
    told = build(settings=["anti_spoofing"], split_to=24).configuration()

    assert (24, ["example.com"], "disable") == (
        told["split_to"],
        told["domains"],
        told["when_empty"],
    )
    assert not {"client_id", "client_secret", "timeout", "deadline", "settle"} & set(told)


def test_two_targets_for_the_same_sender_contradict_each_other() -> None:
    """In one account, for one setting; another account or another domain is another matter."""
    one, other = settings(), settings(domains=["example.org"])
    elsewhere = settings(url="https://uk-api.services.mimecast.com")

    told = list(kind.contradictions({"a": one, "b": one, "c": other, "d": elsewhere}))

    assert [("b", "domains")] == [found[:2] for found in told]
    assert "the target a's already" in told[0][2]
