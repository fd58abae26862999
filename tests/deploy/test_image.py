"""The container image: what is in it, and how it behaves where it may do as little as possible."""

from __future__ import annotations

import http.client
import json
import re
import stat
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

import exosync
from tests.deploy import container
from tests.deploy.container import BUILD, CONFIG, STATE, Container, Image
from tests.standins.dns import DnsStandin
from tests.standins.endpoints import EndpointsStandIn
from tests.standins.google import GoogleStandIn
from tests.standins.mimecast import MimecastStandIn
from tests.support.ports import refusing_port
from tests.support.zones import WIDE, zone_file

pytestmark = pytest.mark.slow

VERSION = "2024073100"
INSTANCE = "USGovGCCHigh"
ADDED = "52.244.65.13"
ZONE = zone_file("example.test", '@ IN TXT "v=spf1 include:_exo.example.test -all"')
PYTHON = "/opt/exosync/bin/python3"
ARBITRARY = 1_000_700_000
"""A user as OpenShift gives one to a pod: unknown to the image, in group 0."""

Json = dict[str, Any]


@pytest.fixture(scope="module")
def image() -> Image:
    """The image of this tree."""
    return container.built()


@pytest.fixture
def feed() -> Iterator[EndpointsStandIn]:
    """Microsoft's web service."""
    with EndpointsStandIn(instance=INSTANCE, version=VERSION) as service:
        yield service


@pytest.fixture
def vendors() -> Iterator[tuple[DnsStandin, MimecastStandIn, GoogleStandIn]]:
    """The company's name server, its Mimecast account and its Google Workspace."""
    with (
        DnsStandin({"example.test": ZONE}, keys=[WIDE], grants={WIDE.name: ("*",)}) as dns,
        MimecastStandIn() as mail,
        GoogleStandIn() as google,
    ):
        google.set_allowlist(["203.0.113.9"])
        yield dns, mail, google


def settings(feed: EndpointsStandIn, *targets: Json, **more: Any) -> str:
    """A configuration as a container has it, with the state on the volume."""
    edge = {"name": "edge", "kind": "file", "mode": "apply", "path": f"{STATE}/exo.txt"}
    whole = {
        "feed": {"url": feed.url, "instance": INSTANCE},
        "state": f"sqlite:///{STATE}/exosync.db",
        **more,
        "targets": [edge, *targets],
    }
    return yaml.safe_dump(whole)


def figure(name: str, value: str) -> None:
    """Write a figure down where .ci/run shows it."""
    path = BUILD / "figures.txt"
    kept = path.read_text().splitlines() if path.exists() else []
    kept = [one for one in kept if not one.startswith(f"{name} ")]
    path.write_text("\n".join([*kept, f"{name:<9} {value}"]) + "\n")


@pytest.fixture
def port() -> Iterator[int]:
    """A port that nobody listens on."""
    with refusing_port() as one:
        yield one


def answered(port: int, path: str) -> int | None:
    """The status of an answer, if there is one."""
    asked = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        asked.request("GET", path)
        return asked.getresponse().status
    except OSError:
        return None
    finally:
        asked.close()


def wait_for(port: int, path: str) -> float:
    """Ask until the answer is 200; gives the seconds that it took."""
    began = time.monotonic()
    while time.monotonic() < began + 120:
        if answered(port, path) == 200:
            return time.monotonic() - began
        time.sleep(0.05)
    raise TimeoutError(path)


def test_the_image_says_how_it_is_run(image: Image) -> None:
    """Not as root, without a shell, with one volume and a health check; and what it is."""
    config = image.config
    assert "65532:65532" == config["User"]
    assert ["exosync"] == config["Entrypoint"]
    assert ["serve"] == config["Cmd"]
    assert {STATE: {}} == config["Volumes"]
    assert STATE == config["WorkingDir"]
    assert ["CMD", "exosync", "serve", "--health"] == config["Healthcheck"]["Test"]
    assert f"EXOSYNC_CONFIG={CONFIG}/exosync.yaml" in config["Env"]
    labels = {name.rpartition(".")[2]: text for name, text in config["Labels"].items()}
    assert ("exosync", "MIT", exosync.__version__) == (
        labels["title"],
        labels["licenses"],
        labels["version"],
    )


def test_the_image_holds_nothing_to_break_out_with(image: Image) -> None:
    """No shell, no installer, nothing that gives rights, nothing that its user could change."""
    programs = {one.name for one in image.root.glob("usr/*bin/*")}
    programs |= {one.name for one in image.root.glob("opt/exosync/bin/*")}
    assert {"exosync", "python", "python3"} <= programs
    assert set() == {"sh", "bash", "dash", "busybox", "apt-get", "dpkg", "pip", "pip3"} & programs
    assert [] == list(image.root.glob("opt/exosync/lib/*/site-packages/pip"))
    for path in image.root.rglob("*"):
        status = path.lstat()
        if not stat.S_ISLNK(status.st_mode) and path != image.root / "tmp":
            assert 0 == status.st_mode & (stat.S_ISUID | stat.S_ISGID | stat.S_IWOTH), path
        assert status.st_uid == 0 or path == image.root / STATE.strip("/"), path


def test_all_of_exosync_is_in_the_image(image: Image, tmp_path: Path) -> None:
    """Extras, time zones, Google's three descriptions, and the code ready compiled."""
    one = Container(image=image, folder=tmp_path)
    one.prepare("")
    told = one.run(
        PYTHON,
        "-c",
        "import apprise, googleapiclient.discovery_cache as cache, importlib.util, msal, zoneinfo\n"
        "zoneinfo.ZoneInfo('Europe/Berlin')\n"
        "assert cache.get_static_doc('cloudidentity', 'v1')\n"
        "assert cache.get_static_doc('admin', 'reports_v1')\n"
        "assert cache.get_static_doc('gmail', 'v1')\n"
        "print(importlib.util.find_spec('exosync').cached)",
        entry=False,
    )
    assert (0, "") == (told.returncode, told.stderr)
    assert (image.root / told.stdout.strip().lstrip("/")).is_file()


@pytest.mark.parametrize(("uid", "gid"), [(65532, 65532), (ARBITRARY, 0)])
def test_a_sync_needs_neither_root_nor_a_root_that_can_be_written(
    image: Image,
    tmp_path: Path,
    feed: EndpointsStandIn,
    vendors: tuple[DnsStandin, MimecastStandIn, GoogleStandIn],
    uid: int,
    gid: int,
) -> None:
    """A run against every kind of target writes on the volume and at the vendors only."""
    dns, mail, google = vendors
    one = Container(image=image, folder=tmp_path, uid=uid, gid=gid)
    server = {"server": "127.0.0.1", "port": dns.port, "resolvers": [f"127.0.0.1:{dns.port}"]}
    key = {"name": WIDE.name, "algorithm": WIDE.algorithm, "secret": {"file": "tsig"}}
    one.prepare(
        settings(
            feed,
            {"name": "spf", "kind": "spf", "mode": "apply", "domain": "example.test"}
            | {"method": "records", "dns": server | {"key": key}},
            {"name": "mimecast", "kind": "mimecast", "mode": "apply", "url": mail.url}
            | {"client_id": {"file": "id"}, "client_secret": {"file": "secret"}}
            | {"domains": ["example.test"], "settings": ["anti_spoofing"]},
            {"name": "google", "kind": "google_workspace", "mode": "apply", "url": google.url}
            | {"customer": "C01abcdef", "admin": "postmaster@example.com"}
            | {"credentials": {"kind": "key_file", "file": {"file": "key"}}}
            | {"setting": "email_allowlist"},
        )
    )
    (one.config / "tsig").write_text(WIDE.secret)
    (one.config / "id").write_text("the-id")
    (one.config / "secret").write_text("the-secret-of-mimecast")
    google.key_file(one.config).rename(one.config / "key")
    told = one.run("sync", "--json")
    assert 2 == told.returncode, told.stderr  # Google's list waits for a person
    outcomes = {one["name"]: one["state"] for one in json.loads(told.stdout)["targets"]}
    assert {"applied"} == {outcomes[name] for name in ("edge", "spf", "mimecast")}
    assert ADDED in (one.state / "exo.txt").read_text()
    assert {(uid, gid)} == {(it.stat().st_uid, it.stat().st_gid) for it in one.state.iterdir()}


def test_the_root_cannot_be_written(image: Image, tmp_path: Path) -> None:
    """The way the tests above run it is as strict as they say."""
    one = Container(image=image, folder=tmp_path)
    one.prepare("")
    told = one.run(PYTHON, "-c", "open('/opt/exosync/x', 'w')", entry=False)
    assert "Read-only file system" in told.stderr
    told = one.run(PYTHON, "-c", "print(open('/proc/self/status').read())", entry=False)
    assert "0" * 16 == re.findall(r"^CapBnd:\s*(\w+)", told.stdout, re.MULTILINE)[0]
    assert "1" == re.findall(r"^NoNewPrivs:\s*(\d)", told.stdout, re.MULTILINE)[0]


def test_the_service_lives_and_ends_when_it_is_told_to(
    image: Image, tmp_path: Path, feed: EndpointsStandIn, port: int
) -> None:
    """As the first process it gets ready, passes its health check, and ends with 0 on SIGTERM."""
    one = Container(image=image, folder=tmp_path)
    one.prepare(settings(feed, web={"listen": f"127.0.0.1:{port}"}))
    with one.started(*image.config["Cmd"]) as (process, name):
        alive = wait_for(port, "/livez")
        ready = alive + wait_for(port, "/readyz")
        health = container.entered(name, *image.config["Healthcheck"]["Test"][1:])
        assert (0, "") == (health.returncode, health.stderr)
        began = time.monotonic()
        container.signalled(name, image.config["StopSignal"])
        _, said = process.communicate(timeout=60)
        ended = time.monotonic() - began
    assert 0 == process.returncode, said
    assert ADDED in (one.state / "exo.txt").read_text()
    figure("start-up", f"{alive:.1f} s to /livez, {ready:.1f} s to /readyz with the first run done")
    figure("end", f"{ended:.1f} s from SIGTERM to the end")
