"""Kinds of target, found by their entry points."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest
from pydantic import BaseModel

from exosync.config import installed_kinds, load, load_kind
from exosync.errors import ConfigError
from tests.unit.config_kit import Kind, Loader

MODULE = """
from pydantic import BaseModel, Field

class Settings(BaseModel):
    size: int = Field(default=1, description="How large.")

class Kind:
    name = "{name}"
    settings = Settings

kind = Kind()
"""


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder on the path with a third party's package in it, kinds `alpha` to `gone`."""
    offer(tmp_path, "third_party", alpha="third_alpha:kind", broken="third_broken:kind")
    offer(tmp_path, "another", twice="third_alpha:kind", gone="third_alpha:nothing")
    offer(tmp_path, "yet_another", twice="third_alpha:other")
    (tmp_path / "third_alpha.py").write_text(MODULE.format(name="alpha"))
    (tmp_path / "third_broken.py").write_text("import a_library_that_is_missing")
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


def offer(folder: Path, distribution: str, **points: str) -> None:
    """Write what pip leaves behind for a package with entry points."""
    info = folder / f"{distribution}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n")
    lines = [f"{name} = {value}" for name, value in points.items()]
    (info / "entry_points.txt").write_text("\n".join(["[exosync.targets]", *lines, ""]))


def test_a_third_partys_kind_is_found_by_its_entry_point(installed: Path) -> None:
    """Nothing else is needed: no registration, no import by name."""
    kinds = installed_kinds()
    assert {"alpha", "broken", "gone", "twice"} <= set(kinds)
    assert load_kind("alpha", kinds).name == "alpha"


def test_only_the_kinds_that_are_configured_are_imported(installed: Path) -> None:
    """Another package that is broken hinders nobody."""
    path = installed / "exosync.yaml"
    path.write_text("targets: [{name: a, kind: alpha, size: 3}]\n")
    (target,) = load(path, environ={}).config.targets
    assert target.settings.size == 3


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        ("broken", "cannot be loaded: No module named 'a_library_that_is_missing'"),
        ("gone", "kind gone (third_alpha:nothing) cannot be loaded"),
        ("twice", "is offered twice, by third_alpha:kind and third_alpha:other: remove one"),
        ("alphaa", "there is no kind 'alphaa'; did you mean 'alpha'? installed are: alpha, "),
    ],
)
def test_a_kind_that_cannot_be_had_is_told_at_its_line(
    installed: Path, kind: str, told: str
) -> None:
    """With the package's place, and what exists."""
    path = installed / "exosync.yaml"
    path.write_text(dedent(f"targets:\n  - name: a\n    kind: {kind}\n"))
    with pytest.raises(ConfigError) as caught:
        load(path, environ={})
    assert str(caught.value).startswith(f"{path}:3: targets[0].kind: ")
    assert told in str(caught.value)


def test_a_kind_tells_what_is_wrong_among_its_targets(tmp_path: Path) -> None:
    """At the line of the target that it names; other kinds have no say in it."""
    two = """\
        targets:
          - {name: a, kind: list, path: same.txt}
          - {name: b, kind: list, path: other.txt}
          - {name: c, kind: list, path: same.txt}
    """
    with pytest.raises(ConfigError) as caught:
        Loader(tmp_path)(targets=two)
    assert f"{tmp_path}/exosync.yaml:4: targets[2].path: another target writes this file" == str(
        caught.value
    )


def test_a_kind_must_not_use_a_key_of_every_target() -> None:
    """It could never be given a value."""

    class Settings(BaseModel):
        mode: str = ""

    with pytest.raises(ConfigError, match="its own key 'mode' is every target's already"):
        load_kind("own", {"own": lambda: Kind("own", Settings)})


def test_without_any_kind_the_message_says_so() -> None:
    """As when the source is run without being installed."""
    with pytest.raises(ConfigError, match="none \\(is exosync installed as a package\\?\\)"):
        load_kind("file", {})
