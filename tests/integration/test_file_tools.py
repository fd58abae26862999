"""The tools themselves read the files: nft, ipset, Postfix, HAProxy and Terraform.

Each is asked for addresses inside and outside, after the file was loaded, loaded again, and
replaced by one with other ranges. nft and ipset do so in a network namespace of their own.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from exosync.core.desired import Desired
from exosync_adapters.file.settings import TERRAFORM_WORDS, Format
from tests.support.file_child import PATIENCE, namespaces, run
from tests.support.file_targets import NASTY, bring, desired, file_target

INSIDE = ("40.92.0.0", "40.93.255.255", "40.95.3.4", "52.103.255.255", "2a01:111:f400::1")
OUTSIDE = ("40.91.255.255", "40.94.0.0", "10.1.1.1", "52.104.0.0", "2a01:111:f401::", "::1")
LATER = desired("40.92.0.0/16", "2a01:111:f403::/48")
INSIDE_LATER = ("40.92.0.0", "2a01:111:f403::1")
OUTSIDE_LATER = ("40.93.0.0", "40.95.3.4", "2a01:111:f400::1")
EVERYTHING = desired("0.0.0.0/0", "::/0")


def wanted(text: str = "our forwarded mail") -> Desired:
    """Ranges of both families, with a note from a person and one of leaving."""
    return desired(
        "40.92.0.0/15",
        "2a01:111:f400::/48",
        extra=[("40.95.0.0/16", text, text)],
        leaving=["52.100.0.0/14"],
    )


def needs(tool: str) -> str:
    """The path of a tool; the test is skipped where it is not installed."""
    # A plain user's search path often lacks the folders of administration.
    places = [*os.get_exec_path(), "/usr/sbin", "/sbin", "/usr/local/sbin"]
    found = shutil.which(tool, path=os.pathsep.join(places))
    if found is None:
        pytest.skip(f"{tool} is not installed")
    return found


def in_network_namespace() -> list[str]:
    """What to put before a command for a network of its own."""
    words = namespaces("--net")
    if words is None:
        pytest.skip("this machine lets us make no network namespace")
    return words


def script(folder: Path, *lines: str) -> subprocess.CompletedProcess[str]:
    """Run lines of shell in one network namespace, stopping at the first that fails."""
    path = folder / "script.sh"
    path.write_text("set -e\n" + "".join(f"{line}\n" for line in lines))
    return run([*in_network_namespace(), "sh", str(path)])


def write(folder: Path, what: Desired, name: str = "list", **keys: str) -> Path:
    """Bring a file to what is desired."""
    target = file_target(folder, path=name, **keys)
    _, observed = bring(target, what)
    assert target.verify(what, observed).ok
    return target.path


# --- nftables


def nft_asks(nft: str, addresses: Sequence[str], *, held: bool) -> list[str]:
    """Lines of shell that fail unless nft finds (or does not find) each address."""
    lines = []
    for address in addresses:
        name = f"exchange_online_{'v6' if ':' in address else 'v4'}"
        ask = f"{nft} get element inet exosync {name} '{{ {address} }}' >/dev/null 2>&1"
        lines.append(ask if held else f"! {ask} || exit 9")
    return lines


@pytest.mark.parametrize("text", ["our forwarded mail", *NASTY])
def test_nft_loads_the_file_any_number_of_times(tmp_path: Path, text: str) -> None:
    """nft knows the addresses inside and none outside, also after loading a second time."""
    nft = needs("nft")
    file = write(tmp_path, wanted(text), format="nftables")
    asked = [*nft_asks(nft, INSIDE, held=True), *nft_asks(nft, OUTSIDE, held=False)]
    done = script(tmp_path, f"{nft} -c -f {file}", *[f"{nft} -f {file}", *asked] * 2)
    assert (0, "") == (done.returncode, done.stderr)


def test_nft_forgets_what_is_gone(tmp_path: Path) -> None:
    """A later file empties the sets before filling them, and rules that use them stay."""
    nft = needs("nft")
    first = write(tmp_path, wanted(), "first", format="nftables")
    second = write(tmp_path, LATER, "second", format="nftables")
    only_v6 = write(tmp_path, LATER.only("ipv6"), "third", format="nftables")
    done = script(
        tmp_path,
        f"{nft} -f {first}",
        f"{nft} add chain inet exosync input '{{ type filter hook input priority 0; }}'",
        f"{nft} add rule inet exosync input ip saddr @exchange_online_v4 accept",
        f"{nft} -f {second}",
        *nft_asks(nft, INSIDE_LATER, held=True),
        *nft_asks(nft, OUTSIDE_LATER, held=False),
        f"{nft} -f {only_v6}",
        *nft_asks(nft, ["2a01:111:f403::1"], held=True),
        *nft_asks(nft, ["40.92.0.0"], held=False),
        f"{nft} list chain inet exosync input | grep -q @exchange_online_v4",
    )
    assert (0, "") == (done.returncode, done.stderr)


@pytest.mark.parametrize(
    "keys", [{"table": "filter"}, {"table": "a-b.c", "set_name": "x" * 64}, {"set_name": "table"}]
)
def test_nft_takes_the_names_that_settings_allow(tmp_path: Path, keys: dict[str, str]) -> None:
    """Names up to the limits are names for nft too, and so is everything there is."""
    nft = needs("nft")
    file = write(tmp_path, EVERYTHING, format="nftables", **keys)
    done = script(tmp_path, f"{nft} -f {file}", f"{nft} -f {file}")
    assert (0, "") == (done.returncode, done.stderr)


# --- ipset


def ipset_asks(ipset: str, addresses: Sequence[str], *, held: bool) -> list[str]:
    """Lines of shell that fail unless ipset finds (or does not find) each address."""
    lines = []
    for address in addresses:
        name = f"exchange_online_{'v6' if ':' in address else 'v4'}"
        ask = f"{ipset} test {name} {address} >/dev/null 2>&1"
        lines.append(ask if held else f"! {ask} || exit 9")
    return lines


@pytest.mark.parametrize("text", ["our forwarded mail", *NASTY])
def test_ipset_restores_the_file_any_number_of_times(tmp_path: Path, text: str) -> None:
    """ipset knows the addresses inside and none outside, and no third set is left."""
    ipset = needs("ipset")
    file = write(tmp_path, wanted(text), format="ipset")
    asked = [*ipset_asks(ipset, INSIDE, held=True), *ipset_asks(ipset, OUTSIDE, held=False)]
    done = script(
        tmp_path,
        *[f"{ipset} restore -file {file}", *asked] * 2,
        f"{ipset} list -name",
    )
    assert (0, "") == (done.returncode, done.stderr)
    assert ["exchange_online_v4", "exchange_online_v6"] == sorted(done.stdout.split())


def test_ipset_swaps_below_a_rule(tmp_path: Path) -> None:
    """A set in use gets its new content, even after a load that broke off half-way."""
    ipset = needs("ipset")
    first = write(tmp_path, wanted(), "first", format="ipset")
    second = write(tmp_path, LATER, "second", format="ipset")
    half = first.read_text().partition("swap")[0]
    (tmp_path / "half").write_text(half)
    done = script(
        tmp_path,
        f"{ipset} restore -file {first}",
        f"{ipset} create user list:set",
        f"{ipset} add user exchange_online_v4",
        f"{ipset} restore -file {tmp_path / 'half'}",
        *ipset_asks(ipset, INSIDE, held=True),
        f"{ipset} restore -file {second}",
        *ipset_asks(ipset, INSIDE_LATER, held=True),
        *ipset_asks(ipset, OUTSIDE_LATER, held=False),
    )
    assert (0, "") == (done.returncode, done.stderr)


def test_ipset_takes_the_names_that_settings_allow(tmp_path: Path) -> None:
    """The longest name fits with every suffix, and so does everything there is."""
    ipset = needs("ipset")
    file = write(tmp_path, EVERYTHING, format="ipset", set_name="x" * 24)
    done = script(tmp_path, f"{ipset} restore -file {file}", f"{ipset} restore -file {file}")
    assert (0, "") == (done.returncode, done.stderr)


# --- Postfix


@pytest.mark.parametrize("text", ["our forwarded mail", *NASTY])
def test_postfix_answers_for_addresses_inside(tmp_path: Path, text: str) -> None:
    """postmap finds the value for what is inside, nothing for what is outside, and no fault."""
    postmap = needs("postmap")
    (tmp_path / "main.cf").write_text("compatibility_level = 3.6\nmyhostname = mail.example.com\n")
    value = "permit_auth_destination, reject"
    file = write(tmp_path, wanted(text), format="postfix", value=value)
    for one in (tmp_path / "main.cf", file):
        os.utime(one, (0, 0))  # Postfix waits until a file has not changed for two seconds
    query = "".join(f"{address}\n" for address in (*INSIDE, *OUTSIDE))
    done = subprocess.run(
        [postmap, "-c", str(tmp_path), "-q", "-", f"cidr:{file}"],
        input=query,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert "" == done.stderr
    assert [f"{address}\t{value}" for address in INSIDE] == done.stdout.splitlines()


# --- HAProxy


@contextmanager
def haproxy_with(haproxy: str, file: Path) -> Iterator[Path]:
    """HAProxy with a list in use; gives the socket where it can be asked."""
    with TemporaryDirectory(prefix="exo") as short:
        base = Path(short)
        config = base / "haproxy.cfg"
        config.write_text(
            f"global\n  stats socket {base}/ask level admin\n"
            "defaults\n  mode http\n  timeout connect 1s\n  timeout client 1s\n"
            "  timeout server 1s\n"
            f"frontend mail\n  bind unix@{base}/in\n  acl exo src -f {file}\n"
            "  http-request deny unless exo\n"
        )
        checked = run([haproxy, "-c", "-q", "-f", str(config)])
        assert (0, "") == (checked.returncode, checked.stderr)
        with subprocess.Popen([haproxy, "-db", "-f", str(config)]) as process:
            try:
                yield base / "ask"
            finally:
                process.terminate()


def haproxy_says(ask: Path, line: str) -> str:
    """HAProxy's answer to one line on its socket, waiting for it to start."""
    deadline = time.monotonic() + PATIENCE
    while True:
        with closing(socket.socket(socket.AF_UNIX)) as connection:
            try:
                connection.connect(os.fspath(ask))
            except (FileNotFoundError, ConnectionRefusedError):
                assert time.monotonic() < deadline
                time.sleep(0.05)
                continue
            connection.sendall(f"{line}\n".encode())
            return connection.makefile().read()


@pytest.mark.parametrize("text", ["our forwarded mail", NASTY[1], NASTY[-2], NASTY[-1]])
def test_haproxy_matches_addresses_inside(tmp_path: Path, text: str) -> None:
    """HAProxy's list holds the ranges and nothing else."""
    haproxy = needs("haproxy")
    file = write(tmp_path, wanted(text), format="haproxy")
    with haproxy_with(haproxy, file) as ask:
        for address in INSIDE:
            assert "match=yes" in haproxy_says(ask, f"get acl {file} {address}"), address
        for address in OUTSIDE:
            assert "match=no" in haproxy_says(ask, f"get acl {file} {address}"), address
        listed = haproxy_says(ask, f"show acl {file}").split("\n")
    entries = [line.split(" ")[1] for line in listed if line]
    assert sorted(wanted().ranges.cidrs()) == sorted(entries)


# --- Terraform and JSON


def terraform_value(terraform: str, folder: Path, file: Path, variable: str) -> object:
    """What Terraform reads for a variable."""
    (folder / "main.tf").write_text(f'variable "{variable}" {{ type = list(string) }}\n')
    done = subprocess.run(
        [terraform, f"-chdir={folder}", "console", "-no-color", f"-var-file={file}"],
        input=f"jsonencode(var.{variable})\n",
        env={
            **os.environ,
            "CHECKPOINT_DISABLE": "1",
            "TF_IN_AUTOMATION": "1",
            "TF_CLI_CONFIG_FILE": os.devnull,
        },
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert (0, "") == (done.returncode, done.stderr)
    return json.loads(json.loads(done.stdout))


@pytest.mark.parametrize("text", ["our forwarded mail", NASTY[2], NASTY[4], NASTY[6], NASTY[7]])
def test_terraform_reads_the_list(tmp_path: Path, text: str) -> None:
    """Terraform's variable is the list of CIDRs."""
    terraform = needs("terraform")
    file = write(tmp_path, wanted(text), "exo.tfvars", format="terraform", variable="exo-ranges")
    found = terraform_value(terraform, tmp_path, file, "exo-ranges")
    assert list(wanted().ranges.cidrs()) == found


def test_terraform_keeps_the_names_that_settings_refuse(tmp_path: Path) -> None:
    """Every name that is refused is one that Terraform does not accept."""
    terraform = needs("terraform")
    (tmp_path / "main.tf").write_text(
        "".join(f'variable "{name}" {{}}\n' for name in sorted(TERRAFORM_WORDS))
    )
    done = run(
        [terraform, f"-chdir={tmp_path}", "validate", "-json"],
        CHECKPOINT_DISABLE="1",
        TF_CLI_CONFIG_FILE=os.devnull,
    )
    told = json.loads(done.stdout)["diagnostics"]
    assert len(TERRAFORM_WORDS) == sum("reserved" in one["detail"] for one in told)


@pytest.mark.parametrize("tool", ["jq", "python"])
def test_other_programs_read_the_json(tmp_path: Path, tool: str) -> None:
    """A JSON file is read by programs that are not ours."""
    path = sys.executable if tool == "python" else needs(tool)
    file = write(tmp_path, wanted(NASTY[2]), "exo.json", format=Format.JSON)
    words = [path, ".", str(file)] if tool == "jq" else [path, "-m", "json.tool", str(file)]
    done = run(words)
    assert 0 == done.returncode
    assert json.loads(file.read_text()) == json.loads(done.stdout)
