"""Variables and secret files over the file's values."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exosync.config import shown
from exosync.config.sources import variables
from exosync.errors import ConfigError
from exosync.secrets import redact
from tests.unit.config_kit import Loader


@pytest.fixture
def loader(tmp_path: Path) -> Loader:
    """Loads a configuration that a test writes."""
    return Loader(tmp_path)


@pytest.fixture
def secrets(tmp_path: Path) -> Path:
    """A folder for secret files."""
    folder = tmp_path / "secrets"
    folder.mkdir()
    return folder


def problems(loader: Loader, text: str = "", **environ: str) -> list[str]:
    """The lines that say what is wrong."""
    with pytest.raises(ConfigError) as caught:
        loader(text, **environ)
    return str(caught.value).splitlines()


def test_a_variable_is_stronger_than_the_file(loader: Loader) -> None:
    """Key by key: its neighbours stay as the file has them."""
    config = loader.config(
        "feed: {instance: China, attempts: 5}\nowner: by-file\n",
        EXOSYNC_FEED__ATTEMPTS="7",
        EXOSYNC_OWNER="by-variable",
        EXOSYNC_RANGES__GRACE="5d",
        EXOSYNC_GUARDS__MAX_SHRINK="25%",
        EXOSYNC_FEED__OFFLINE="true",
    )
    assert ("China", 7, True) == (config.feed.instance, config.feed.attempts, config.feed.offline)
    assert config.owner == "by-variable"
    assert config.ranges.grace == timedelta(days=5)
    assert str(config.guards.max_shrink) == "25%"


def test_names_of_variables_are_read_in_any_case(loader: Loader) -> None:
    """As pydantic-settings does it."""
    assert loader.config(exosync_owner="lower").owner == "lower"


def test_lists_and_sections_are_given_as_json(loader: Loader) -> None:
    """A list replaces the file's as a whole; a section is laid over it."""
    targets = [{"name": "json", "kind": "zone", "domain": "example.com", "dns": {"port": 5353}}]
    config = loader.config(
        "ranges: {grace: 7d, exclude: [{cidr: 10.0.0.0/8, name: a, reason: b}]}\n",
        EXOSYNC_TARGETS=json.dumps(targets),
        EXOSYNC_RANGES='{"exclude": []}',
        EXOSYNC_FEED='{"attempts": 2, "instance": "China"}',
        EXOSYNC_FEED__ATTEMPTS="4",
    )
    assert [target.name for target in config.targets] == ["json"]
    assert config.targets[0].settings.dns.port == 5353
    assert (timedelta(days=7), ()) == (config.ranges.grace, config.ranges.exclude)
    assert ("China", 4) == (config.feed.instance, config.feed.attempts)


def test_an_empty_variable_counts_as_not_set(loader: Loader) -> None:
    """Compose files pass on what is not set as empty."""
    assert loader.config("owner: me\n", EXOSYNC_OWNER="").owner == "me"


def test_an_unknown_variable_is_refused_with_the_nearest_known(loader: Loader) -> None:
    """All of them at once, together with what is wrong in the file."""
    assert problems(
        loader,
        "ownerx: x\n",
        EXOSYNC_FEDE__URL="x",
        EXOSYNC_TARGETS__0__NAME="x",
        EXOSYNC_ZZZ="x",
        EXOSYNC_TAGRETS="[]",
    ) == [
        f"{loader.path}:1: ownerx: unknown key; did you mean 'owner'?",
        "EXOSYNC_FEDE__URL: unknown variable; did you mean EXOSYNC_FEED__URL?",
        "EXOSYNC_TAGRETS: unknown variable; did you mean EXOSYNC_TARGETS?",
        (
            "EXOSYNC_TARGETS__0__NAME: unknown variable; targets are given as a whole, "
            "as JSON in EXOSYNC_TARGETS"
        ),
        "EXOSYNC_ZZZ: unknown variable; unset it",
    ]


def test_variables_that_are_no_settings_are_left_alone(loader: Loader) -> None:
    """Ours, the shell completion's, and those of a Kubernetes service called exosync."""
    loader(
        EXOSYNC_CONFIG="elsewhere.yaml",
        EXOSYNC_SECRETS_DIR="",
        _EXOSYNC_COMPLETE="bash_source",
        EXOSYNC_SERVICE_HOST="10.0.0.1",
        EXOSYNC_SERVICE_PORT="80",
        EXOSYNC_SERVICE_PORT_HTTP="80",
        EXOSYNC_PORT="tcp://10.0.0.1:80",
        EXOSYNC_PORT_80_TCP="tcp://10.0.0.1:80",
        EXOSYNC_PORT_80_TCP_ADDR="10.0.0.1",
        HOME="/",
    )


def test_a_problem_in_a_variable_names_it(loader: Loader) -> None:
    """And the key that it stands for; JSON's inner keys too."""
    assert problems(
        loader,
        "feed: {attempts: 5, max_size: 8}\n",
        EXOSYNC_FEED__ATTEMPTS="many",
        EXOSYNC_RANGES='{"grace": 5}',
        EXOSYNC_TARGETS='[{"name": "a", "kind": "list", "pat": "x"}]',
        EXOSYNC_GUARDS="[broken",
    ) == [
        f"{loader.path}:1: feed.max_size: a size needs its unit: write 8MiB, 8KiB or 8B",
        "EXOSYNC_FEED__ATTEMPTS: feed.attempts: must be a whole number, not 'many'",
        "EXOSYNC_GUARDS: starts like JSON but is none: mind the quotes and brackets",
        "EXOSYNC_RANGES: ranges.grace: a duration needs its unit: write 5d, 5h, 5m or 5s",
        "EXOSYNC_TARGETS: targets[0].path: is required",
        "EXOSYNC_TARGETS: targets[0].pat: unknown key; did you mean 'path'?",
    ]


def test_text_where_a_section_or_list_is_wanted_is_refused(loader: Loader) -> None:
    """A variable that is no JSON is told as what it is: text."""
    assert problems(loader, EXOSYNC_FEED="x", EXOSYNC_TARGETS="a,b") == [
        "EXOSYNC_FEED: feed: must be keys and values (key: value), not 'x'",
        "EXOSYNC_TARGETS: targets: must be a list (- item), not 'a,b'",
    ]


def test_a_variable_may_hold_a_password_which_is_then_masked(loader: Loader) -> None:
    """In what is shown and in whatever is logged afterwards."""
    config = loader.config(
        EXOSYNC_FEED__PROXY="http://user:pass%2Bword-1@proxy:3128",
        EXOSYNC_STATE="postgresql://exosync:pass-word-2@db/exosync",
    )
    assert config.feed.proxy == "http://user:pass%2Bword-1@proxy:3128"
    assert shown(config)["feed"]["proxy"] == "http://***@proxy:3128"
    assert shown(config)["state"] == "postgresql://***@db/exosync"
    assert redact("cannot log in with pass+word-1 or pass%2Bword-1") == (
        "cannot log in with *** or ***"
    )
    assert "pass-word-2" not in redact("bad password pass-word-2")


def test_secret_files_stand_between_variables_and_the_file(loader: Loader, secrets: Path) -> None:
    """Files that are no settings lie beside them: keys of targets."""
    (secrets / "exosync_feed__proxy").write_text("http://u:p-in-a-file@proxy:1\n")
    (secrets / "exosync_owner").write_text("by-secret-file\n")
    (secrets / "EXOSYNC_FEED__ATTEMPTS").write_text("9")
    (secrets / "tsig").write_text("key of a target")
    (secrets / "exosync_tsig").write_text("key of another target")
    config = loader.config(
        "owner: by-file\nfeed: {attempts: 2}\n",
        EXOSYNC_SECRETS_DIR=str(secrets),
        EXOSYNC_FEED__ATTEMPTS="3",
    )
    assert config.feed.proxy == "http://u:p-in-a-file@proxy:1"
    assert (config.owner, config.feed.attempts) == ("by-secret-file", 3)


def test_a_problem_in_a_secret_file_names_it(loader: Loader, secrets: Path) -> None:
    """A file that is nearly a setting is a mistake, too."""
    (secrets / "exosync_feed__attempts").write_text("many")
    (secrets / "exosync_feed__prox").write_text("http://u:hunter2@proxy:1")
    lines = problems(loader, EXOSYNC_SECRETS_DIR=str(secrets))
    assert lines == [
        f"{secrets}/exosync_feed__attempts: feed.attempts: must be a whole number, not 'many'",
        f"{secrets}/exosync_feed__prox: unknown setting; did you mean exosync_feed__proxy?",
    ]


def test_a_folder_of_secrets_that_cannot_be_read_is_refused(loader: Loader, secrets: Path) -> None:
    """What is meant to be a folder must exist, be one, and hold text."""
    assert "does not exist" in problems(loader, EXOSYNC_SECRETS_DIR=str(secrets / "no"))[0]
    (secrets / "exosync_owner").write_bytes(b"\xff\xfe")
    assert "is not UTF-8 text" in problems(loader, EXOSYNC_SECRETS_DIR=str(secrets))[0]
    told = problems(loader, EXOSYNC_SECRETS_DIR=str(secrets / "exosync_owner"))[0]
    assert told.startswith("EXOSYNC_SECRETS_DIR: ")


def test_every_setting_of_the_service_has_its_variable() -> None:
    """Those within lists have none."""
    names = list(variables())
    assert {"EXOSYNC_STATE", "EXOSYNC_FEED", "EXOSYNC_FEED__URL", "EXOSYNC_TARGETS"} <= set(names)
    assert not [
        name for name in names if name.startswith(("EXOSYNC_TARGETS_", "EXOSYNC_RANGES__EXTRA_"))
    ]


def test_pydantic_settings_is_imported_only_where_it_is_used(loader: Loader) -> None:
    """It costs as much as all the rest of loading; a file alone does without."""
    loader()
    program = (
        "import sys; from pathlib import Path; from exosync.config import load; "
        "from tests.unit.config_kit import KINDS; "
        "load(Path(sys.argv[1]), environ={'HOME': '/'}, kinds=KINDS); "
        "print(sorted({'pydantic_settings', 'requests', 'sqlalchemy', 'structlog'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(loader.path)],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": ":".join(path or "." for path in sys.path)},
    )
    assert done.stdout.strip() == "[]"


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    max_examples=25,
)
@given(name=st.sampled_from(sorted(variables())), value=st.text(max_size=20))
def test_whatever_a_variable_holds_nothing_but_a_config_error_is_raised(
    loader: Loader, name: str, value: str
) -> None:
    """And its message names a variable or a line."""
    told = ""
    try:
        loader(**{name: value.replace("\0", "")})
    except ConfigError as error:
        told = str(error)
    assert all(line.startswith((name, str(loader.path))) for line in told.splitlines())
