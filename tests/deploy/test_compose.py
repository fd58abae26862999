"""The compose file: what it mounts is there, and it gives away nothing that is not needed.

`make lint` holds it against the schema of the Compose Specification.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from exosync.config import load
from exosync.config.models import Config
from exosync.core.listen import split_listen

FOLDER = Path(__file__).parents[2] / "deploy" / "compose"
FILE: dict[str, Any] = yaml.safe_load((FOLDER / "compose.yaml").read_text())
SERVICES = sorted(FILE["services"])

Json = dict[str, Any]


def service(name: str) -> Json:
    """One service."""
    found: Json = FILE["services"][name]
    return found


def configuration() -> Config:
    """The configuration that it starts with."""
    return load(FOLDER / "config" / "exosync.yaml", environ={}).config


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_may_do_little(name: str) -> None:
    """No root, no capability, no new privilege, nothing to write but its volumes."""
    told = service(name)
    assert not str(told["user"]).startswith(("0:", "root"))
    assert told["read_only"] is True
    assert ["ALL"] == told["cap_drop"]
    assert ["no-new-privileges:true"] == told["security_opt"]
    assert not {"privileged", "cap_add", "devices", "pid", "network_mode"} & set(told)


@pytest.mark.parametrize("name", SERVICES)
def test_nothing_is_published_beyond_this_machine(name: str) -> None:
    """Every port is on loopback."""
    assert service(name)["ports"]
    assert all(one.startswith("127.0.0.1:") for one in service(name)["ports"])


@pytest.mark.parametrize("name", SERVICES)
def test_what_is_mounted_is_in_the_tree(name: str) -> None:
    """A path leads to a file or folder, read-only; a name is that of a volume or a secret."""
    for source, _, rest in (one.partition(":") for one in service(name)["volumes"]):
        if source.startswith("."):
            assert (FOLDER / source).exists()
            assert rest.endswith(":ro")
        else:
            assert source in FILE["volumes"]
    assert set(service(name)["secrets"]) <= set(FILE["secrets"])


def test_secrets_are_files_that_are_not_in_the_tree() -> None:
    """Each secret is a file of a folder that version control leaves out."""
    assert {"file"} == {key for one in FILE["secrets"].values() for key in one}
    assert {Path("secrets")} == {Path(one["file"]).parent for one in FILE["secrets"].values()}
    assert "*" in (FOLDER / "secrets" / ".gitignore").read_text().splitlines()


def test_only_the_service_itself_runs_unless_asked_for() -> None:
    """Prometheus and Grafana come with the profile `monitoring`."""
    profiles = {name: service(name).get("profiles") for name in SERVICES}
    assert {
        "exosync": None,
        "grafana": ["monitoring"],
        "prometheus": ["monitoring"],
    } == profiles


def test_the_configuration_fits_the_service() -> None:
    """The state is on the volume, the page on the published port, its token among the secrets."""
    told, config = service("exosync"), configuration()
    [port] = told["ports"]
    address, number = split_listen(config.web.listen or "")
    assert address.is_unspecified
    assert str(number) == port.rpartition(":")[2]
    assert config.web.token is not None
    assert [Path("/run/secrets") / one for one in told["secrets"]] == [config.web.token.file]
    assert config.state.startswith("sqlite:////var/lib/exosync/")
    assert "state:/var/lib/exosync" in told["volumes"]
    assert "exosync" in config.web.hosts


def test_there_is_time_to_finish_the_step_in_hand() -> None:
    """Compose waits longer for the end than exosync needs for it."""
    seconds = re.fullmatch(r"(\d+)s", service("exosync")["stop_grace_period"])
    assert seconds is not None
    assert configuration().schedule.stop_within.total_seconds() < int(seconds[1])


def test_prometheus_asks_the_service_with_the_token() -> None:
    """Its target is the service's name and port, its credentials the same secret."""
    path = FOLDER / ".." / "prometheus" / "prometheus.yml"
    [job] = yaml.safe_load(path.read_text())["scrape_configs"]
    [target] = job["static_configs"][0]["targets"]
    assert f"exosync:{split_listen(configuration().web.listen or '')[1]}" == target
    file = Path(job["authorization"]["credentials_file"])
    assert file.name in service("prometheus")["secrets"]
    token = configuration().web.token
    assert token is not None
    assert file == Path(str(token.file))
