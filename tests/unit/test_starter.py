"""The configuration that `exosync init` writes."""

from __future__ import annotations

from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from exosync.config import Kinds, installed_kinds, load, schema, shown
from exosync.config.document import parse_document
from exosync.core.target import Mode
from exosync.starter import STARTERS, starter_text
from exosync_adapters.file import kind as file_kind
from exosync_adapters.spf import kind as spf_kind
from tests.unit.config_kit import Loader

KINDS: Kinds = {"file": lambda: file_kind, "spf": lambda: spf_kind}


def test_the_starter_is_valid_and_writes_nothing(tmp_path: Path) -> None:
    """A target of each kind, all of which only plan."""
    path = tmp_path / "exosync.yaml"
    path.write_text(starter_text(), encoding="utf-8")
    targets = load(path, environ={}, kinds=KINDS).config.targets
    assert [("file", Mode.PLAN), ("spf", Mode.PLAN)] == [(one.kind, one.mode) for one in targets]


def test_every_kind_that_comes_along_has_an_example(tmp_path: Path) -> None:
    """All of them at once are valid, and write nothing."""
    path = tmp_path / "exosync.yaml"
    path.write_text(starter_text(kinds=STARTERS), encoding="utf-8")
    targets = load(path, environ={}).config.targets
    assert [(one, Mode.PLAN) for one in STARTERS] == [(one.kind, one.mode) for one in targets]
    assert set(STARTERS) == set(installed_kinds())


def test_the_starter_names_the_defaults_as_they_are(tmp_path: Path) -> None:
    """What it spells out changes nothing: only the targets are its own."""
    path = tmp_path / "exosync.yaml"
    path.write_text(starter_text(), encoding="utf-8")
    written = shown(load(path, environ={}, kinds=KINDS).config)
    default = shown(Loader(tmp_path).config())
    assert default | {"targets": written["targets"]} == written


def test_the_starter_fits_the_schema() -> None:
    """An editor that knows the schema has no complaint."""
    values = parse_document(starter_text().encode(), name="starter").values
    Draft202012Validator(schema(KINDS)).validate(values)


def test_its_comments_are_good_once_they_are_no_comments(tmp_path: Path) -> None:
    """Every example that is commented out is valid when it is let in."""
    path = tmp_path / "exosync.yaml"
    text = starter_text()
    for line in ("proxy:", "ca_bundle:", "families:", "manage:", "dns:"):
        text = text.replace(f"# {line}", line)
    for old, new in (
        ("  extra: []\n  #  - cidr", "  extra:\n    - cidr"),
        ("  #    name", "      name"),
        ("  #    reason", "      reason"),
        ("    #   ", "      "),
    ):
        assert old in text
        text = text.replace(old, new)
    path.write_text(text, encoding="utf-8")
    config = load(path, environ={}, kinds=KINDS).config
    assert config.ranges.extra[0].name == "relay pool"
    assert config.targets[1].settings.dns.key.name == "exosync"


def test_every_line_fits_a_screen() -> None:
    """A hundred columns."""
    assert all(len(line) <= 100 for line in starter_text().splitlines())


@pytest.mark.parametrize(
    "path", ["/etc/postfix/exo.cidr", "with blank: and # more", 'say "hi"', "no", "ü", "@DOMAIN@"]
)
def test_what_is_filled_in_reads_as_it_was_given(path: str) -> None:
    """Whatever it holds."""
    text = starter_text(path=path, domain="example.org", instance="China", kinds=("file",))
    values = parse_document(text.encode(), name="starter").values
    assert values["feed"] == {"instance": "China"}
    assert values["targets"] == [
        {"name": "file", "kind": "file", "mode": "plan", "path": path, "format": "plain"}
    ]


@pytest.mark.parametrize("arguments", [{"kinds": ("ftp",)}, {"kinds": ()}, {"path": "a\nb"}])
def test_what_cannot_be_filled_in_is_refused(arguments: dict[str, object]) -> None:
    """A kind without an example, none, and control characters."""
    with pytest.raises(ValueError, match=r"not of|control characters"):
        starter_text(**arguments)  # type: ignore[arg-type]
