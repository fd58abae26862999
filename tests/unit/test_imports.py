"""What a command must not load: start-up is most of a short command's time and memory."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from exosync.cli import run as run_here
from tests.bench.vendor_requests import asked, calls
from tests.bench.vendors import (
    CASES,
    EXCHANGE_CASES,
    LIST,
    REST,
    SPOOFING,
    Case,
    Company,
    company,
)
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

GOOGLES = {
    "cryptography",
    "google",
    "google_auth_httplib2",
    "googleapiclient",
    "httplib2",
    "pyparsing",
    "uritemplate",
}
"""Google's client with what it brings along."""

ENTRAS = {"cryptography", "jwt", "msal"}
"""msal with what it brings along."""

HTTP = {"requests", "urllib3"}

VENDORS = {
    "exosync_adapters.exchange",
    "exosync_adapters.google_workspace",
    "exosync_adapters.mimecast",
}

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

MIMECASTS = "exosync_adapters.mimecast"

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

    def run(*words: str, expect: int = 0) -> set[str]:
        told = tmp_path / "told"
        subprocess.run(
            [sys.executable, "-c", PROGRAM, str(told), *words],
            capture_output=True,
            check=True,
            env={"PYTHONPATH": ":".join(path or "." for path in sys.path)},
        )
        code, modules = json.loads(told.read_text())
        assert expect == code
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


# Vendors


@pytest.fixture
def outside(tmp_path: Path) -> Iterator[Company]:
    """All vendors."""
    folder = tmp_path / "outside"
    folder.mkdir()
    with company(folder, [SPOOFING, LIST, REST]) as made:
        yield made


def case(title: str) -> Case:
    """The case of that title."""
    return next(one for one in (*CASES, *EXCHANGE_CASES) if title == one.title)


def test_no_vendor_is_loaded_where_no_target_is_theirs(
    loaded: Loaded, config: str, outside: Company
) -> None:
    """Not by a run with other targets, though all kinds are installed."""
    of_files = str(outside.configure("exosync.yaml", edge=True))

    for modules in (loaded("--config", one, "sync") for one in (config, of_files)):
        assert set() == (ENTRAS | GOOGLES | VENDORS) & modules


@pytest.mark.parametrize("command", ["status", "todo", "config show"])
def test_nothing_that_asks_is_loaded_where_nothing_is_asked(
    loaded: Loaded, outside: Company, command: str
) -> None:
    """Targets of all vendors are read from the configuration, and that is all."""
    config = str(outside.configure("exosync.yaml", SPOOFING, LIST, REST))

    modules = loaded("--config", config, *command.split())

    assert modules >= VENDORS
    assert set() == (ENTRAS | GOOGLES | HTTP) & modules


def test_help_loads_nothing_of_vendors(loaded: Loaded) -> None:
    """However heavy they are."""
    assert set() == (ENTRAS | GOOGLES | HTTP | VENDORS) & loaded("--help")


def test_a_mimecast_run_loads_requests_and_nothing_of_google(
    loaded: Loaded, outside: Company
) -> None:
    """Nor what only other settings than its own need: DNS and the evaluation of SPF."""
    config = str(outside.configure("exosync.yaml", SPOOFING))
    run_here(["--config", config, "sync"])

    modules = loaded("--config", config, "sync")

    assert modules >= HTTP | {"exosync_adapters.wire"}
    unused = {"dns", "spftrace", "exosync_adapters.dns.live", *VENDORS} - {MIMECASTS}
    assert set() == (ENTRAS | GOOGLES | unused) & modules


def test_a_mimecast_target_that_only_people_change_loads_nothing_that_asks(
    loaded: Loaded, outside: Company
) -> None:
    """No published call reads or writes permitted senders, so none is prepared for."""
    run_here(["--config", str(outside.configure("exosync.yaml", edge=True)), "sync"])
    config = str(outside.configure("exosync.yaml", case("permitted_senders")))

    assert set() == (GOOGLES | HTTP) & loaded("--config", config, "sync", expect=2)
    assert [] == outside.asked()


def test_a_google_run_loads_its_client_and_nothing_of_mimecast(
    loaded: Loaded, outside: Company
) -> None:
    """The client comes with httplib2, so requests is not loaded; nor are parts for other work."""
    run_here(["--config", str(outside.configure("exosync.yaml", edge=True)), "sync"])
    config = str(outside.configure("exosync.yaml", LIST))

    modules = loaded("--config", config, "sync", expect=2)

    assert modules >= GOOGLES
    unused = {
        "exosync_adapters.google_workspace.check",
        "exosync_adapters.google_workspace.probe",
        "exosync_adapters.mimecast",
        "google.auth.compute_engine",
        "google.auth.impersonated_credentials",
        "google.auth.transport.requests",
        "google.protobuf",
        "googleapiclient.discovery_cache.file_cache",
    }
    assert set() == (HTTP | unused) & modules


def test_an_inbound_gateway_without_the_audit_log_loads_nothing_of_google(
    loaded: Loaded, outside: Company
) -> None:
    """No API reads it, so nobody is asked."""
    run_here(["--config", str(outside.configure("exosync.yaml", edge=True)), "sync"])
    config = str(outside.configure("exosync.yaml", case("inbound_gateway, `audit: false`")))

    assert set() == (GOOGLES | HTTP) & loaded("--config", config, "sync", expect=2)
    assert [] == outside.asked()


def test_a_run_at_exchange_online_loads_msal_and_nothing_of_others(
    loaded: Loaded, outside: Company
) -> None:
    """Nor what checks, what sends, and what signs: that is for certificates."""
    config = str(outside.configure("exosync.yaml", REST))
    run_here(["--config", config, "sync"])

    modules = loaded("--config", config, "sync", expect=3)

    assert modules >= HTTP | {"msal", "exosync_adapters.exchange.admin.tokens"}
    unused = {
        "exosync_adapters.exchange.admin.graph",
        "exosync_adapters.exchange.check",
        "exosync_adapters.exchange.way.sending",
        *(ENTRAS - {"msal"}),
        *GOOGLES,
        *(VENDORS - {"exosync_adapters.exchange"}),
    }
    assert set() == unused & modules


def test_without_credentials_nothing_that_asks_exchange_online_is_loaded(
    loaded: Loaded, outside: Company
) -> None:
    """People do everything, and their word counts."""
    run_here(["--config", str(outside.configure("exosync.yaml", edge=True)), "sync"])
    config = str(outside.configure("exosync.yaml", case("without credentials")))

    assert set() == (ENTRAS | GOOGLES | HTTP) & loaded("--config", config, "sync", expect=2)
    assert [] == outside.asked()


LACKING = """\
import sys
from importlib.abc import MetaPathFinder

class Lacking(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"msal", "jwt", "cryptography"}:
            raise ModuleNotFoundError(f"No module named '{name}'", name=name)

sys.meta_path.insert(0, Lacking())
from exosync.cli import run
sys.exit(run(sys.argv[1:]))
"""


def test_without_the_extra_it_is_said_what_to_install(outside: Company) -> None:
    """By a run and by the check, each for its target alone; commands that ask nobody still work."""
    config = str(outside.configure("exosync.yaml", REST, edge=True))

    def lacking(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", LACKING, "--config", config, *words],
            capture_output=True,
            text=True,
            check=False,
            env={"PYTHONPATH": ":".join(path or "." for path in sys.path)},
        )

    run, check, status = lacking("sync", "--json"), lacking("check"), lacking("status")

    told = {one["name"]: one for one in json.loads(run.stdout)["targets"]}
    assert ("applied", "failed") == (told["edge"]["state"], told["exchange"]["state"])
    assert "pip install 'exosync[exchange]'" in told["exchange"]["error"]
    assert "pip install 'exosync[exchange]'" in " ".join(check.stdout.split())
    for one in (run, check, status):
        assert "Traceback" not in one.stdout + one.stderr
    assert [] == outside.asked()


_TOKEN = "POST /oauth/token"
_SPOOFING = "GET /policy-management/cloud-gateway/v1/anti-spoofing/policies"
_BYPASS = "GET /policy-management/cloud-gateway/v1/anti-spoofing-bypass/policies"
_OUTBOUND = "GET /email/cloud-gateway/v1/outbound-ip-addresses"
_SIGN = "POST /v1/projects/-/serviceAccounts/exosync@project.iam.gserviceaccount.com:signJwt"
_AUDIT = "GET /admin/reports/v1/activity/users/all/applications/admin"


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("anti_spoofing", [_TOKEN, _SPOOFING]),
        ("spf_bypass", [_TOKEN, _BYPASS]),
        ("permitted_senders", []),
        ("permitted_addresses", []),
        ("authorized_outbounds", [_TOKEN, _OUTBOUND]),
        ("all five settings", [_TOKEN, _SPOOFING, _BYPASS, _OUTBOUND]),
        ("email_allowlist", ["POST /token", "GET /v1/policies"]),
        ("email_allowlist, keyless", ["POST /token", _SIGN, "POST /token", "GET /v1/policies"]),
        ("email_allowlist, three pages", ["POST /token", *["GET /v1/policies"] * 3]),
        ("email_allowlist, `write: probe` that works", ["POST /token", "GET /v1/policies"]),
        ("inbound_gateway", ["POST /token", _AUDIT]),
        ("inbound_gateway, `audit: false`", []),
    ],
)
def test_a_run_without_changes_asks_a_vendor_for_everything_once(
    tmp_path: Path, title: str, expected: list[str]
) -> None:
    """One token, and each list once; the audit log only while it may still lag."""
    with asked(case(title), tmp_path) as one:
        assert list(one.settled())

        assert [expected] == [calls(run) for run in one.settled()]


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        (
            "anti_spoofing",
            {"check": [3], "first": [6], "change": [6], "removal": [6], "later": [2]},
        ),
        (
            "anti_spoofing, 1,000 policies of others",
            {"check": [12], "first": [34], "change": [26], "removal": [26], "later": [12]},
        ),
        (
            "all five settings",
            {"check": [6], "first": [14, 4], "change": [10, 4], "removal": [10, 4], "later": [4]},
        ),
        (
            "email_allowlist",
            {"check": [4], "first": [2, 4], "change": [2, 4], "removal": [2, 4], "later": [2]},
        ),
        (
            "email_allowlist, keyless",
            {"check": [8], "first": [4, 8], "change": [4, 8], "removal": [4, 8], "later": [4]},
        ),
        (
            "email_allowlist, `write: probe` that works",
            {"check": [4], "first": [6], "change": [6], "removal": [6], "later": [2]},
        ),
        (
            "email_allowlist, `write: probe` that is declined",
            {"check": [4], "first": [5, 4], "change": [5, 4], "removal": [5, 4], "later": [2]},
        ),
        (
            "inbound_gateway",
            {"check": [2], "first": [0, 2], "change": [2, 2], "removal": [2, 2], "later": [0]},
        ),
        (
            "`write: rest`",
            {"check": [12], "first": [34, 23, 9], "none": [9], "change": [23], "removal": [48]},
        ),
        (
            "`write: script`",
            {"check": [12], "first": [11, 9, 9, 9], "none": [9], "change": [9, 9], "later": [11]},
        ),
        (
            "without credentials",
            {"check": [0], "first": [0, 0, 0, 0], "none": [0], "change": [0, 0], "later": [0]},
        ),
    ],
)
def test_a_run_asks_a_vendor_no_oftener_than_it_did(
    tmp_path: Path, title: str, expected: dict[str, list[int]]
) -> None:
    """Requests of each run; between two runs of a stage a person does what was asked for."""
    with asked(case(title), tmp_path) as one:
        found = {stage: [len(run) for run in runs] for stage, runs in one.stages()}

    assert expected == {stage: runs for stage, runs in found.items() if stage in expected}
