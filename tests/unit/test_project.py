"""The project as a whole: its version, packaging, pins, and what must not stand in its files."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import sys
import tomllib
import zipfile
from email import message_from_bytes
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import exosync

ROOT = Path(__file__).parents[2]
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^ ;\\]+)", re.MULTILINE)

# Written in pieces, so that this file does not hold what it looks for.
REGISTRIES = (
    "py" + "pi.org",
    "python" + "hosted.org",
    "registry." + "npmjs.org",
    "deb." + "debian.org",
)
UNFINISHED = re.compile(r"\b(TO" + "DO|FIX" + "ME|X" + "XX|HA" + "CK)\b", re.IGNORECASE)
INDEX_OPTION = re.compile(r"^\s*(--|-)(extra-index-url|index-url|find-links|trusted-host|i|f)\b")


def texts() -> dict[str, str]:
    """The text files that are, or would be, under version control, by path."""
    git = shutil.which("git")
    if git is None or not (ROOT / ".git").exists():
        pytest.skip("needs git and a checkout to know which files belong to the project")
    command = [git, "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    found = {}
    for name in filter(None, names.split("\0")):
        try:
            found[name] = (ROOT / name).read_text(encoding="utf-8")
        except (UnicodeDecodeError, FileNotFoundError, IsADirectoryError):
            continue
    return found


def pins(name: str) -> dict[str, list[str]]:
    """The versions that a requirement file pins, by package; several where they differ by Python."""
    found: dict[str, list[str]] = {}
    for package, version in PIN.findall((ROOT / "requirements" / f"{name}.txt").read_text()):
        found.setdefault(canonicalize_name(package), []).append(version)
    return found


def group(name: str) -> list[str]:
    """A dependency group of pyproject.toml, with the groups that it includes."""
    found: list[str] = []
    for one in PROJECT["dependency-groups"][name]:
        found += [one] if isinstance(one, str) else group(one["include-group"])
    return found


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """The wheel, built from this tree."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [
        sys.executable,
        "-m",
        "hatchling",
        "build",
        "--target",
        "wheel",
        "--directory",
        str(folder),
    ]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    [path] = folder.glob("exosync-*.whl")
    return zipfile.ZipFile(path)


def test_the_version_stands_in_one_place() -> None:
    """What is installed says the version of the package's own module, and no other file sets one."""
    assert exosync.__version__ == metadata.version("exosync")
    assert "version" in PROJECT["project"]["dynamic"]


def test_the_changelog_knows_the_version() -> None:
    """The changelog has a heading for the current version, or one for what is unreleased."""
    headings = re.findall(r"^## \[([^\]]+)\]", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert {exosync.__version__, "Unreleased"} & set(headings)


@pytest.mark.parametrize("where", ["console_scripts", "exosync.targets"])
def test_entry_points_can_be_loaded(where: str) -> None:
    """The command, and every kind of target that is shipped, is where the metadata says."""
    ours = [
        one for one in metadata.entry_points(group=where) if one.dist and one.dist.name == "exosync"
    ]
    assert ours
    for entry in ours:
        assert entry.load() is not None


def test_no_address_of_a_package_registry_stands_in_the_tree() -> None:
    """Pins and files work with whatever registry a machine is set up for."""
    found = [
        f"{name}: {line.strip()}"
        for name, text in texts().items()
        for line in text.splitlines()
        if any(host in line for host in REGISTRIES)
        or (name.startswith("requirements/") and INDEX_OPTION.match(line))
    ]
    assert [] == found


def test_no_path_of_this_machine_stands_in_the_tree() -> None:
    """Nothing depends on where the tree happens to lie."""
    assert [] == [name for name, text in texts().items() if f"{ROOT}/" in text]


def test_no_mark_of_unfinished_work_stands_in_the_tree() -> None:
    """What is not done is written down where work is planned, not in the code."""
    found = [
        f"{name}:{number}: {line.strip()}"
        for name, text in texts().items()
        for number, line in enumerate(text.splitlines(), start=1)
        if not name.startswith("requirements/") and UNFINISHED.search(line)
    ]
    assert [] == found


def test_every_skipped_rule_is_named() -> None:
    """A linter or type checker is only told to look away from a rule by its name."""
    nameless = re.compile(r"#\s*(noqa(?!: ?[A-Z]+[0-9])|type: ignore(?!\[))")
    found = [
        f"{name}: {line.strip()}"
        for name, text in texts().items()
        for line in text.splitlines()
        if name.endswith(".py") and nameless.search(line)
    ]
    assert [] == found


@pytest.mark.parametrize(
    ("file", "wanted"),
    [
        ("runtime", PROJECT["project"]["dependencies"]),
        ("build", group("build")),
        ("test", PROJECT["project"]["dependencies"] + group("test")),
        ("dev", PROJECT["project"]["dependencies"] + group("test") + group("lint") + group("docs")),
        ("bench", PROJECT["project"]["dependencies"] + group("bench")),
    ],
)
def test_pins_are_what_the_project_asks_for(file: str, wanted: list[str]) -> None:
    """Each dependency is pinned, to versions that its range allows; else `make requirements`."""
    pinned = pins(file)
    for requirement in map(Requirement, wanted):
        versions = pinned.get(canonicalize_name(requirement.name), [])
        assert versions, f"{requirement} is not pinned in requirements/{file}.txt"
        assert all(requirement.specifier.contains(one) for one in versions), requirement


@pytest.mark.parametrize("file", ["build", "runtime", "test", "dev", "bench"])
def test_every_pin_has_a_hash(file: str) -> None:
    """pip refuses a package whose contents are not those that were pinned."""
    text = (ROOT / "requirements" / f"{file}.txt").read_text()
    for entry in re.split(r"^(?=[A-Za-z0-9])", text, flags=re.MULTILINE)[1:]:
        assert "--hash=sha256:" in entry, entry


@pytest.mark.parametrize("file", ["build", "runtime", "test", "bench"])
def test_what_is_pinned_in_several_files_is_pinned_alike(file: str) -> None:
    """What is tested is what runs."""
    everything = pins("dev")
    for package, versions in pins(file).items():
        if package in everything:
            assert set(versions) <= set(everything[package]), package


def test_the_wheel_carries_all_that_the_packages_need(wheel: zipfile.ZipFile) -> None:
    """Every file of the two packages is in the wheel: types, templates and migrations too."""
    expected = {
        path.relative_to(root).as_posix()
        for root in (ROOT / "service", ROOT / "adapters")
        for path in root.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert {"exosync/py.typed", "exosync_adapters/py.typed"} <= expected
    assert expected == {name for name in wheel.namelist() if ".dist-info/" not in name}


def test_the_wheel_says_what_it_is(wheel: zipfile.ZipFile) -> None:
    """Name, version, licence, Python and dependencies are those of the project."""
    [name] = [one for one in wheel.namelist() if one.endswith(".dist-info/METADATA")]
    told = message_from_bytes(wheel.read(name))
    assert "exosync" == told["Name"]
    assert exosync.__version__ == told["Version"]
    assert "MIT" == told["License-Expression"]
    assert ">=3.11" == told["Requires-Python"]
    needed = list(PROJECT["project"]["dependencies"])
    for extra, ones in PROJECT["project"]["optional-dependencies"].items():
        needed += [f'{one}; extra == "{extra}"' for one in ones]
    assert {Requirement(one) for one in needed} == {
        Requirement(one) for one in told.get_all("Requires-Dist", [])
    }
    assert any(one.endswith("licenses/LICENSE") for one in wheel.namelist())


def test_the_commands_that_the_readme_names_exist() -> None:
    """Every `make …` of the README and of CONTRIBUTING.md is a target of the Makefile."""
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    told = "".join((ROOT / name).read_text() for name in ("README.md", "CONTRIBUTING.md"))
    assert {"demo", "test"} <= set(re.findall(r"\bmake ([a-z-]+)\b", told))
    assert set(re.findall(r"^(?:\$ )?make ([a-z-]+)\b", told, re.MULTILINE)) <= targets


@pytest.mark.parametrize("address", ["192.0.2.1", "2001:db8::1"])
def test_a_test_cannot_leave_this_machine(address: str) -> None:
    """Whatever a test connects to by mistake, nothing but loopback is reached."""
    with pytest.raises((RuntimeError, UserWarning), match=re.escape(address)):
        socket.create_connection((address, 443), timeout=0.1)


def test_no_property_is_judged_by_how_fast_its_examples_come() -> None:
    """A test's own list of health checks takes the place of that in conftest.py: it names it too."""
    lists = {
        path.name: re.findall(r"suppress_health_check=\[(.*?)\]", path.read_text(), re.DOTALL)
        for path in (ROOT / "tests").rglob("*.py")
    }
    assert {} == {
        name: found for name, found in lists.items() if not all("too_slow" in one for one in found)
    }
    assert any(lists.values())
