"""What a command must not load: start-up is most of a short command's time and memory."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.standins.dns import DnsStandin
from tests.standins.endpoints import EndpointsStandIn
from tests.support.zones import WIDE, zone_file

Loaded = Callable[..., set[str]]

LIBRARIES = {
    "alembic",
    "dns",
    "jinja2",
    "pydantic",
    "pydantic_settings",
    "requests",
    "rich",
    "spftrace",
    "sqlalchemy",
    "stamina",
    "structlog",
    "urllib3",
    "yaml",
}
"""Everything that takes longer to load than click, which the command line is made of."""

NEVER_TO_READ = {
    "alembic",
    "jinja2",
    "pydantic_settings",
    "sqlalchemy.dialects.mysql",
    "sqlalchemy.dialects.postgresql",
    "sqlalchemy.ext.asyncio",
    "sqlalchemy.orm",
    "stamina",
}
"""What neither reading the configuration nor reading the state needs."""

CONFIG = """\
feed: {{url: "{feed}"}}
schedule: {{feed: 0s}}
targets:
  - name: spf
    kind: spf
    mode: apply
    domain: example.test
    method: records
    include: spf.example.test
    dns:
      server: 127.0.0.1
      port: {port}
      resolvers: ["127.0.0.1:{port}"]
      key: {{name: {key.name}, algorithm: {key.algorithm}, secret: {{file: tsig}}}}
"""

ZONE = zone_file(
    "example.test",
    '@ IN TXT "v=spf1 include:_exo.example.test -all"',
    'spf IN TXT "v=spf1 ip4:40.92.0.0/15 -all"',
)

PROGRAM = """\
import json, sys
from exosync.cli import run
code = run(sys.argv[2:])
with open(sys.argv[1], "w") as stream:
    json.dump([code, [name for name, module in sys.modules.items() if module]], stream)
"""


@pytest.fixture
def loaded(tmp_path: Path) -> Loaded:
    """Run a command in a process of its own; gives the modules that it has loaded."""

    def run(*words: str) -> set[str]:
        told = tmp_path / "told"
        subprocess.run(
            [sys.executable, "-c", PROGRAM, str(told), *words],
            capture_output=True,
            check=True,
            env={"PYTHONPATH": ":".join(path or "." for path in sys.path)},
        )
        code, modules = json.loads(told.read_text())
        assert 0 == code
        return set(modules)

    return run


@pytest.fixture
def feed() -> Iterator[EndpointsStandIn]:
    """Microsoft."""
    with EndpointsStandIn() as service:
        yield service


@pytest.fixture
def dns() -> Iterator[DnsStandin]:
    """The zone's server."""
    with DnsStandin({"example.test": ZONE}, keys=[WIDE], grants={WIDE.name: ("*",)}) as server:
        yield server


@pytest.fixture
def config(tmp_path: Path, feed: EndpointsStandIn, dns: DnsStandin) -> str:
    """One SPF target."""
    path = tmp_path / "exosync.yaml"
    path.write_text(CONFIG.format(feed=feed.url, port=dns.port, key=WIDE))
    (tmp_path / "tsig").write_text(WIDE.secret)
    return str(path)


def test_help_loads_nothing_but_the_command_line(loaded: Loaded) -> None:
    """click, and the names of the commands."""
    assert set() == LIBRARIES & loaded("--help")


def test_the_version_loads_nothing_either(loaded: Loaded) -> None:
    """It stands in the package."""
    assert set() == LIBRARIES & loaded("--version")


def test_status_loads_nothing_that_asks_or_evaluates(loaded: Loaded, config: str) -> None:
    """It reads the configuration and the state, and asks nobody; only its table needs rich."""
    loaded("--config", config, "sync")

    table, plain = (loaded("--config", config, "status", *more) for more in ((), ("--json",)))

    outside = {"dns", "requests", "spftrace", "structlog", "urllib3"}
    assert set() == (NEVER_TO_READ | outside) & (table | plain)
    assert set() == {"rich", "pygments"} & plain


def test_a_sync_without_changes_loads_only_what_it_uses(loaded: Loaded, config: str) -> None:
    """It asks, reads, evaluates, remembers and logs a line; it draws no table."""
    loaded("--config", config, "sync")

    modules = loaded("--config", config, "sync")

    assert {"dns", "requests", "spftrace", "sqlalchemy", "structlog"} <= modules
    drawing = {"attr", "attrs", "pygments", "rich"}
    unused = {"dns.asyncresolver", "dns.query", "dns.zone", "exosync_adapters.file.target"}
    assert set() == (NEVER_TO_READ | drawing | unused) & modules


def test_a_sync_without_changes_asks_for_everything_once(
    loaded: Loaded, config: str, feed: EndpointsStandIn, dns: DnsStandin
) -> None:
    """One request to Microsoft, and no name of DNS twice."""
    loaded("--config", config, "sync")
    feed.requests.clear()
    dns.asked.clear()

    loaded("--config", config, "sync")

    assert ["/version/Worldwide"] == feed.paths()
    asked = [one for one in dns.asked if not one[0].startswith("exosync-")]
    assert sorted(set(asked)) == sorted(asked)
    assert len(asked) == len(dns.asked) - 1, "and one name that cannot be there, for wildcards"


def test_within_the_hour_nothing_is_loaded_to_ask_microsoft(loaded: Loaded, config: str) -> None:
    """The web service is not asked, so requests is not loaded."""
    path = Path(config)
    path.write_text(path.read_text().replace("{feed: 0s}", "{feed: 1h}"))
    loaded("--config", config, "sync")

    assert set() == {"requests", "urllib3"} & loaded("--config", config, "sync")


def test_rich_is_there_for_tables_after_a_line_was_logged() -> None:
    """structlog is loaded without it; nobody else has to do without."""
    program = (
        "import sys; from exosync.log import get_logger; get_logger(); "
        "print('rich' in sys.modules); import rich.table; print(rich.table.Table.__name__)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": ":".join(path or "." for path in sys.path)},
    )
    assert ["False", "Table"] == done.stdout.split()
