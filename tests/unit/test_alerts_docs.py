"""What the pages about alerts say is so."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from exosync.alerts.delays import AFTER_REFUSAL, DELAYS
from exosync.alerts.kinds import KINDS
from exosync.alerts.rendering import FILTERS, NAMES, Pages
from exosync.alerts.signing import headers
from exosync.core.units import duration_text

DOCS = Path(__file__).parents[2] / "docs"
GUIDE = (DOCS / "guides" / "alerts.md").read_text("utf-8")
REFERENCE = (DOCS / "reference" / "alerts.md").read_text("utf-8")
EVENTS = (DOCS / "reference" / "events.md").read_text("utf-8")
SCHEMA = json.loads(files("exosync.schemas").joinpath("alert.schema.json").read_text("utf-8"))


def blocks(page: str, language: str) -> list[str]:
    """The fenced blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", page, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("name", sorted(KINDS))
def test_every_kind_is_documented_with_its_severity(name: str) -> None:
    """And belongs to a conversation that is documented."""
    row = re.search(rf"^\| `{name}` \| ([a-z ]+) \|", EVENTS, re.MULTILINE)
    assert row, name
    assert row[1].startswith(KINDS[name].severity)
    first = re.split(r"[{:]", KINDS[name].thread)[0]
    assert f"`{first}" in REFERENCE


def test_every_documented_kind_is_known() -> None:
    """So that it has its conversation and its advice."""
    table = EVENTS.split("## Events")[1].split("The `body`")[0]
    assert set(re.findall(r"^\| `([a-z_]+)` \|", table, re.MULTILINE)) == set(KINDS)


def test_the_example_is_as_published() -> None:
    """By the schema that the page names."""
    (block,) = blocks(REFERENCE, "json")
    jsonschema.validate(json.loads(block), SCHEMA, format_checker=jsonschema.FormatChecker())


def test_every_key_of_a_message_is_explained() -> None:
    """In the table below the example."""
    table = REFERENCE.split("| key | holds |")[1].split("\n\n")[0]
    assert [] == [key for key in SCHEMA["properties"] if not re.search(rf"`{key}\b", table)]


def test_the_published_schema_is_the_one_that_is_shipped() -> None:
    """The page's copy is no other."""
    copy = (DOCS / "reference" / "alert.schema.json").read_text("utf-8")
    assert SCHEMA == json.loads(copy)


def test_the_receiver_of_the_guide_verifies_what_is_signed() -> None:
    """And refuses what is old, changed or signed by another."""
    (block,) = blocks(GUIDE, "python")
    names: dict[str, Any] = {}
    exec(block, names)
    verified: Callable[..., Any] = names["verified"]
    secret = "whsec_" + b64encode(b"k" * 24).decode()
    now, body = int(datetime.now(UTC).timestamp()), b'{"title": "x"}'
    signed = headers(secret, key="msg_1", timestamp=now, payload=body)
    assert {"title": "x"} == verified(secret, signed, body)
    other = "whsec_" + b64encode(b"x" * 24).decode()
    old = headers(secret, key="msg_1", timestamp=now - 600, payload=body)
    for wrong in ((secret, signed, b"{}"), (other, signed, body), (secret, old, body)):
        with pytest.raises(ValueError, match=r"signed with another secret|too old"):
            verified(*wrong)


def test_the_template_of_the_guide_can_be_filled(tmp_path: Path) -> None:
    """With the example of the reference."""
    (block,) = blocks(GUIDE, "jinja")
    (tmp_path / "mail.txt").write_text(block)
    (example,) = blocks(REFERENCE, "json")
    text, fault = Pages(tmp_path).render("mail.txt", json.loads(example))
    assert "" == fault
    assert "phone 1234" in text


def test_what_templates_can_use_is_documented() -> None:
    """Every template by its name, and every filter."""
    assert [] == [name for name in NAMES if f"`{name}`" not in GUIDE]
    assert [] == [name for name in FILTERS if not re.search(rf"`{name}[`(]", REFERENCE)]


def test_the_documented_waits_are_those_of_the_code() -> None:
    """Between tries, and after a refusal for good."""
    told = ", ".join(duration_text(one) for one in DELAYS)
    assert f"{told}, then every 6h" in REFERENCE
    refused = ", ".join(duration_text(one) for one in DELAYS[AFTER_REFUSAL:-1])
    assert f"{refused}, then every 6h" in REFERENCE
