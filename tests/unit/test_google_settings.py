"""The keys of a google_workspace target: what is taken, what is refused, and in which words."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest
from pydantic import ValidationError

from exosync_adapters.google_workspace import GoogleSettings, kind

KEY = {"kind": "key_file", "file": {"file": "/run/secrets/google.json"}}
KEYLESS = {"kind": "keyless", "service_account": "exosync@project.iam.gserviceaccount.com"}
BASIC: dict[str, Any] = {
    "customer": "C01abcdef",
    "admin": "postmaster@example.com",
    "credentials": KEYLESS,
    "setting": "email_allowlist",
}
GATEWAY = {**BASIC, "setting": "inbound_gateway"}


def settings(**keys: Any) -> GoogleSettings:
    """Settings that differ from the basic ones."""
    return GoogleSettings.model_validate({**BASIC, **keys})


def refused(keys: dict[str, Any]) -> str:
    """What is said of settings that are refused."""
    with pytest.raises(ValidationError) as caught:
        GoogleSettings.model_validate(keys)
    return str(caught.value)


def test_what_is_not_said_is_safe() -> None:
    """Nothing is written, nothing is split, the log is read, pages have a pause."""
    chosen = settings()

    assert ("never", None, None, True, False, ()) == (
        chosen.write,
        chosen.split_to,
        chosen.max_entries,
        chosen.audit,
        chosen.mailbox_headers,
        chosen.audit_words,
    )
    assert 1 == chosen.page_pause.total_seconds()


@pytest.mark.parametrize(
    "credentials", [KEY, KEYLESS, {"kind": "default"}, {"kind": "key_file", "file": {"env": "KEY"}}]
)
def test_every_kind_of_credentials_is_taken(credentials: dict[str, Any]) -> None:
    """A key from a file or a variable, none, or what the machine has."""
    assert settings(credentials=credentials).credentials is not None


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ({**BASIC, "setting": ["email_allowlist", "inbound_gateway"]}, "choose one of"),
        ({**BASIC, "setting": ["email_allowlist"]}, "does not add to the email allowlist"),
        ({**BASIC, "setting": "both"}, "inbound_gateway"),
        ({**BASIC, "customer": "example.com"}, "neither a customer id"),
        ({**BASIC, "customer": 'C01" || true'}, "neither a customer id"),
        ({**BASIC, "admin": "postmaster"}, "not an email address"),
        ({**BASIC, "credentials": None}, "are needed"),
        ({**GATEWAY, "credentials": None}, "audit: false"),
        ({**BASIC, "credentials": {"kind": "keyless"}}, "kind keyless needs it"),
        ({**BASIC, "credentials": {"kind": "key_file"}}, "kind key_file needs it"),
        ({**BASIC, "credentials": {**KEYLESS, **KEY}}, "is for kind keyless"),
        ({**BASIC, "credentials": {**KEY, "kind": "default"}}, "is for kind key_file"),
        ({**BASIC, "credentials": {"kind": "key_file", "file": "{}"}}, "not written into"),
        ({**GATEWAY, "write": "probe"}, "no API reads or writes"),
        ({**GATEWAY, "root_unit": "orgUnits/03ph8a2z"}, "is for setting email_allowlist"),
        ({**BASIC, "root_unit": "/"}, "orgUnits/"),
        ({**BASIC, "url": "http://google.example"}, "use https:"),
        ({**BASIC, "url": "https://google.example/?x=1"}, "must be a base address"),
        ({**BASIC, "url": "https://google.example/#x"}, "must be a base address"),
        ({**BASIC, "split_to": 33}, "less than or equal to 32"),
        ({**BASIC, "audit_words": [" "]}, "not empty"),
        ({**BASIC, "subject": "x"}, "Extra inputs"),
    ],
)
def test_what_cannot_be_is_refused_with_the_reason(keys: dict[str, Any], told: str) -> None:
    """A person who reads it knows what to write."""
    assert told in refused(keys)


def test_a_gateway_without_the_log_needs_no_credentials() -> None:
    """Nothing is asked."""
    chosen = GoogleSettings.model_validate({**GATEWAY, "credentials": None, "audit": False})

    assert chosen.credentials is None


def test_looking_into_mailboxes_needs_credentials_in_any_case() -> None:
    """Also where nothing else is asked."""
    keys = {**GATEWAY, "credentials": None, "audit": False, "mailbox_headers": True}
    assert "mailbox_headers does without" in refused(keys)


def test_words_of_the_log_are_compared_in_lower_case() -> None:
    """However they are written."""
    assert ("gate_ips",) == settings(audit_words=["Gate_IPs "]).audit_words


@pytest.mark.parametrize(
    ("one", "other", "told"),
    [
        ({}, {"setting": "inbound_gateway"}, "choose one of"),
        ({"setting": "inbound_gateway"}, {}, "choose one of"),
        ({}, {}, "take each other's ranges out"),
        ({}, {"customer": "my_customer"}, "take each other's ranges out"),
        ({"customer": "my_customer"}, {"customer": "my_customer"}, "take each other's"),
        ({}, {"customer": "C02zzzzzz", "setting": "inbound_gateway"}, None),
        (
            {"customer": "my_customer"},
            {"customer": "my_customer", "admin": "postmaster@example.net"},
            None,
        ),
    ],
)
def test_two_targets_of_one_customer_contradict_each_other(
    one: dict[str, Any], other: dict[str, Any], told: str | None
) -> None:
    """The later one is told, with the key and the reason; other customers are nobody's business."""
    found = list(kind.contradictions({"first": settings(**one), "second": settings(**other)}))

    if told is None:
        assert [] == found
        return
    ((name, key, text),) = found
    assert ("second", "setting") == (name, key)
    assert told in text
    assert "target first" in text


PROGRAM = """\
import json, sys
from pathlib import Path
from exosync.core.target import Context
from exosync_adapters.google_workspace import kind
settings = kind.settings.model_validate(json.loads(sys.argv[1]))
context = Context("exosync", "both", "Worldwide", Path(), lambda _: "", lambda _: None)
target = kind.build("google", settings, context)
target.configuration()
target.observe()
names = ("google.auth", "google_auth_httplib2", "googleapiclient", "httplib2", "requests")
print([name for name in names if name in sys.modules])
"""


def test_nothing_of_googles_is_loaded_before_something_is_asked() -> None:
    """Not for settings, nor for a target that is built, nor for a gateway without the log."""
    keys = json.dumps({**GATEWAY, "credentials": None, "audit": False})

    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, keys],
        capture_output=True,
        check=True,
        text=True,
        env={"PYTHONPATH": ":".join(path or "." for path in sys.path)},
    )

    assert "[]\n" == done.stdout
