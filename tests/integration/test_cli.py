"""Every command as users meet it: what it prints where, and what it ends with."""

from __future__ import annotations

import json
import os
import pty
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import jsonschema
import pytest
import yaml

from exosync.schemas import run_schema
from exosync.store import RunLock
from tests.standins.dns import DnsStandin
from tests.standins.endpoints import DATA, EndpointsStandIn
from tests.support.cli import Shell
from tests.support.state import AT
from tests.support.zones import WIDE, zone_file

OLD, NARROWED, SHRUNK = "2018102900", "2019010700", "2019022800"
FILE = {"name": "edge", "kind": "file", "mode": "apply", "path": "exo.txt"}


@pytest.fixture
def feed() -> Iterator[EndpointsStandIn]:
    """Microsoft, at a version of late 2018."""
    with EndpointsStandIn(version=OLD) as service:
        yield service


@pytest.fixture
def shell(
    tmp_path: Path,
    feed: EndpointsStandIn,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Shell:
    """One file target that every run writes."""
    monkeypatch.chdir(tmp_path)
    for name in [one for one in os.environ if one.startswith("EXOSYNC_")]:
        monkeypatch.delenv(name)
    made = Shell(tmp_path, capsys)
    made.configure(
        feed={"url": feed.url}, schedule={"feed": "0s"}, ranges={"grace": "0s"}, targets=[FILE]
    )
    return made


def with_mode(shell: Shell, mode: str) -> None:
    """Give the target another mode."""
    settings = yaml.safe_load((shell.folder / "exosync.yaml").read_text())
    settings["targets"][0]["mode"] = mode
    shell.configure(**settings)


def published(version: str, instance: str = "Worldwide") -> str:
    """A saved answer."""
    return str(DATA / instance / f"{version}.json")


class TestRuns:
    """plan, sync, apply, approve, adopt."""

    def test_sync_ends_with_0_and_says_it_on_stdout(self, shell: Shell) -> None:
        """The result on stdout, one summary line of JSON on stderr."""
        ended = shell.run("sync")
        assert 0 == ended.code
        assert "edge  file, mode apply: applied" in ended.out
        assert "\x1b" not in ended.out
        summary = json.loads(ended.err)
        assert ("run", "sync", "applied") == (
            summary["event"],
            summary["command"],
            summary["outcome"],
        )

    @pytest.mark.parametrize(("mode", "code"), [("plan", 2), ("watch", 2)])
    def test_what_is_pending_ends_with_2(self, shell: Shell, mode: str, code: int) -> None:
        """And its JSON has the published shape."""
        with_mode(shell, mode)
        ended = shell.run("sync", "--json")
        assert code == ended.code
        jsonschema.validate(ended.json, run_schema())
        assert ["pending"] == [one["state"] for one in ended.json["targets"]]

    def test_a_refused_plan_ends_with_3_until_it_is_approved(
        self, shell: Shell, feed: EndpointsStandIn
    ) -> None:
        """One approval, for that plan alone."""
        shell.run("sync")
        feed.publish(SHRUNK)
        refused = shell.run("sync", "--json")
        assert 3 == refused.code
        plan = refused.json["targets"][0]["plan"]
        assert 3 == shell.run("apply", plan).code, "not without approval"

        approved = shell.run("approve", plan[:6], "--by", "ada", "--why", "as published")

        assert 0 == approved.code
        assert f"plan {plan} for edge is approved by ada" in approved.out
        again = shell.run("approve", plan)
        assert "was approved by ada" in again.out
        view = shell.json("show", plan)
        assert ("plan", "open", "ada") == (view["type"], view["status"], view["approval"]["by"])
        assert 0 == shell.run("sync").code
        assert "applied" == shell.json("show", plan)["status"]

    def test_a_person_applies_a_plan_once(self, shell: Shell) -> None:
        """A second time there is nothing to do."""
        with_mode(shell, "plan")
        plan = shell.json("plan")["targets"][0]["plan"]
        ended = shell.run("apply", plan, "--json")
        assert (0, plan) == (ended.code, ended.json["targets"][0]["plan"])
        jsonschema.validate(ended.json, run_schema())
        assert (0, True) == (
            (second := shell.run("apply", plan)).code,
            "was applied already" in second.out,
        )
        (shell.folder / "exo.txt").unlink()
        ended = shell.run("apply", plan)
        assert 3 == ended.code
        assert "something else is to be done by now; nothing was written" in ended.err

    def test_a_stale_plan_ends_with_3_by_its_name(
        self, shell: Shell, feed: EndpointsStandIn
    ) -> None:
        """Nothing is written."""
        with_mode(shell, "plan")
        plan = shell.json("plan")["targets"][0]["plan"]
        feed.publish(NARROWED)
        shell.run("plan")
        ended = shell.run("apply", plan)
        assert 3 == ended.code
        assert f"plan {plan} for edge is stale: the snapshot version" in ended.err
        assert not (shell.folder / "exo.txt").exists()
        assert 3 == shell.run("approve", plan).code, "nor can it be approved any more"

    def test_adopt_plans_and_apply_does_it(self, shell: Shell) -> None:
        """A file that somebody else wrote."""
        (shell.folder / "exo.txt").write_text("40.92.0.0/15\n")
        ended = shell.run("sync")
        assert 3 == ended.code
        assert "exosync adopt edge" in ended.out
        adopted = shell.run("adopt", "edge", "--json")
        jsonschema.validate(adopted.json, run_schema())
        plan = adopted.json["targets"][0]["plan"]
        shell.run("approve", plan)
        assert 0 == shell.run("apply", plan).code
        assert 0 == shell.run("sync").code

    def test_adopt_says_if_there_is_nothing_to_take_over(self, shell: Shell) -> None:
        """So that nobody takes it for a plan."""
        shell.run("sync")
        ended = shell.run("adopt", "edge")
        assert (0, True) == (ended.code, "nothing there waits to be taken over" in ended.out)

    def test_a_failed_target_ends_with_4(self, shell: Shell) -> None:
        """And says what to do."""
        (shell.folder / "exo.txt").mkdir()
        ended = shell.run("sync")
        assert 4 == ended.code
        assert "exo.txt" in ended.out

    def test_a_feed_that_fails_ends_with_4(self, shell: Shell) -> None:
        """With JSON on stdout all the same."""
        shell.configure(feed={"url": "http://127.0.0.1:1", "attempts": 1}, targets=[FILE])
        ended = shell.run("sync", "--json")
        assert 4 == ended.code
        assert (None, "failed") == (ended.json["version"], ended.json["outcome"])
        assert "127.0.0.1:1" in ended.json["feed"]["error"]

    def test_a_second_run_ends_with_5(self, shell: Shell) -> None:
        """It says who holds the lock."""
        lock = RunLock(shell.folder / "exosync.db", command="exosync serve")
        with lock.held(at=AT):
            ended = shell.run("sync")
        assert 5 == ended.code
        assert "exosync serve" in ended.err

    @pytest.mark.parametrize("fmt", ["markdown", "html"])
    def test_a_plan_can_be_sent_to_people(self, shell: Shell, fmt: str) -> None:
        """As Markdown for a ticket, as HTML for a mail."""
        ended = shell.run("plan", "--format", fmt)
        assert 2 == ended.code
        assert "40.92.0.0/14" in ended.out
        assert ended.out.startswith({"markdown": "# Exchange", "html": "<!doctype html>"}[fmt])


class TestUsage:
    """What is asked for wrongly ends with 64, and says how to go on."""

    @pytest.mark.parametrize(
        ("words", "told"),
        [
            (("plot",), "plot"),
            (("plan", "--jsn"), "--json"),
            (("apply",), "PLAN"),
            (("apply", "nope"), "exosync history"),
            (("approve", "nope"), "exosync history"),
            (("adopt", "nope"), "configured are: edge"),
            (("show", "r-99"), "exosync history"),
            (("show", "e-99"), "exosync history"),
            (("show", "zzz"), "no plan"),
            (("feed", "show", "2030010100"), "exosync feed versions"),
            (("feed", "diff", "2030010100", "2030010101"), "exosync feed versions"),
            (("feed", "import", "no-such-file"), "--version"),
            (("feed", "import", "no-such-file", "--version", "2019010700"), "cannot be read"),
            (("feed", "import", ".", "--version", "2019010700"), "cannot be read"),
            (("explain", "foo bar"), "neither an address nor a host name"),
            (("--config", "none.yaml", "plan"), "none.yaml"),
            ((), "Commands"),
        ],
    )
    def test_wrong_usage(self, shell: Shell, words: tuple[str, ...], told: str) -> None:
        """Nothing on stdout, no traceback."""
        if words and words[0] == "explain":
            shell.run("sync")
        ended = shell.run(*words)
        assert 64 == ended.code
        assert told in ended.err
        assert "" == ended.out
        assert "Traceback" not in ended.err

    def test_a_configuration_that_is_wrong_names_file_line_and_key(self, shell: Shell) -> None:
        """And the nearest key that exists."""
        (shell.folder / "exosync.yaml").write_text("targets:\n  - {name: a, kind: file, pth: x}\n")
        ended = shell.run("plan")
        assert 64 == ended.code
        assert "exosync.yaml:2: targets[0].pth" in ended.err
        assert "path" in ended.err

    def test_no_configuration_at_all(self, shell: Shell) -> None:
        """It says where it looked and how to begin."""
        (shell.folder / "exosync.yaml").unlink()
        if Path("/etc/exosync/exosync.yaml").exists():
            pytest.skip("this machine has a configuration of its own")
        ended = shell.run("status")
        assert 64 == ended.code
        assert "exosync init" in ended.err

    def test_the_configuration_is_found_in_every_documented_way(
        self, shell: Shell, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Before the command's name, after it, by the environment, in the folder."""
        other = shell.folder / "other.yaml"
        shutil.move(shell.folder / "exosync.yaml", other)
        assert 0 == shell.run("--config", str(other), "status").code
        assert 0 == shell.run("status", "--config", str(other)).code
        monkeypatch.setenv("EXOSYNC_CONFIG", str(other))
        assert 0 == shell.run("status").code

    def test_a_fault_of_our_own_ends_with_1_and_one_line(
        self, shell: Shell, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The traceback is for --debug."""
        monkeypatch.setattr("exosync.views.status.status_view", lambda _: 1 / 0)
        ended = shell.run("status")
        assert 1 == ended.code
        assert "division by zero" in ended.err
        assert "Traceback" not in ended.err
        with pytest.raises(ZeroDivisionError):
            shell.run("--debug", "status")


class TestReading:
    """status, history, show, ranges, explain, feed, config: nothing outside is changed."""

    def test_an_empty_state_is_told_as_such(self, shell: Shell) -> None:
        """Not as an error, but where there is nothing to answer from."""
        assert "no version adopted yet" in shell.run("status").out
        assert "nothing has happened yet" in shell.run("history").out
        assert "no version of Worldwide yet" in shell.run("feed", "versions").out
        assert 4 == shell.run("ranges").code
        assert 4 == shell.run("explain", "40.92.0.1").code

    def test_every_reading_command_has_json(self, shell: Shell) -> None:
        """One value, and nothing else, on stdout."""
        shell.run("sync")
        for words in (
            ["status"], ["history"], ["ranges"], ["show", "r-1"], ["show", "e-1"], ["show", OLD],
            ["feed", "versions"], ["feed", "show", OLD], ["feed", "diff", OLD, OLD],
            ["feed", "changes", OLD], ["config", "show"], ["check"], ["explain", "40.92.0.1"],
        ):  # fmt: skip
            ended = shell.run(*words, "--json")
            assert 0 == ended.code, words
            assert ended.json is not None

    def test_status_ends_as_the_last_run_did_if_asked(self, shell: Shell) -> None:
        """For monitors."""
        with_mode(shell, "plan")
        shell.run("sync")
        assert 0 == shell.run("status").code
        assert 2 == shell.run("status", "--exit-code").code

    def test_history_counts_runs_that_found_nothing_new(self, shell: Shell) -> None:
        """And shows each with the id that `show` takes."""
        for _ in range(4):
            shell.run("sync")
        rows = [one for one in shell.json("history") if one["what"] == "sync"]
        assert [2, 0] == [one["repeats"] for one in rows]
        assert "3 times since" in rows[0]["text"]
        assert "in sync" in shell.run("show", rows[0]["id"]).out
        assert not [line for line in shell.run("history").out.splitlines() if line.endswith(" ")]

    def test_ranges_show_where_each_comes_from(self, shell: Shell) -> None:
        """Extras and exclusions by name; plain for other programs."""
        settings = yaml.safe_load((shell.folder / "exosync.yaml").read_text())
        extra = {"cidr": "40.112.0.0/16", "name": "relay pool", "reason": "ours"}
        out = {"cidr": "65.55.0.0/16", "name": "old", "reason": "unused"}
        settings["ranges"] = {"extra": [extra], "exclude": [out]}
        shell.configure(**settings)
        shell.run("sync")
        said = shell.run("ranges").out
        assert "extra: relay pool (ours)" in said
        assert "excluded: 65.55.0.0/16 (old: unused)" in said
        plain = shell.run("ranges", "--plain", "--families", "ipv6").out.split()
        assert ["2a01:111:f400:7c00::/54", "2a01:111:f403::/48"] == plain

    def test_feed_versions_and_diff_tell_what_changed(
        self, shell: Shell, feed: EndpointsStandIn
    ) -> None:
        """Address by address."""
        shell.run("sync")
        feed.publish(NARROWED)
        shell.run("sync")
        rows = shell.json("feed", "versions")
        assert [OLD, NARROWED] == [one["version"] for one in rows]
        assert (
            "widened 40.107.0.0/17 → 40.107.0.0/16" in shell.run("feed", "diff", OLD, NARROWED).out
        )
        said = shell.run("feed", "changes", OLD).out
        assert f"{NARROWED}  set 10 (Exchange):" in said

    def test_init_writes_a_file_that_works_and_overwrites_none(self, shell: Shell) -> None:
        """Unless forced."""
        assert 0 == shell.run("init", "new.yaml").code
        assert 0 == shell.run("--config", "new.yaml", "config", "show").code
        assert 64 == shell.run("init", "new.yaml").code
        assert 0 == shell.run("init", "new.yaml", "--force").code
        assert shell.run("init", "-").out == (shell.folder / "new.yaml").read_text()

    def test_what_config_show_prints_is_a_configuration(self, shell: Shell) -> None:
        """With the same meaning."""
        shown = shell.run("config", "show").out
        (shell.folder / "again.yaml").write_text(shown)
        assert shell.json("config", "show") == shell.json(
            "--config", "again.yaml", "config", "show"
        )

    def test_config_schema_accepts_the_configuration(self, shell: Shell) -> None:
        """For editors."""
        schema = shell.run("config", "schema").json
        values = yaml.safe_load((shell.folder / "exosync.yaml").read_text())
        jsonschema.validate(values, schema)

    def test_check_ends_with_4_if_anything_is_wrong(self, shell: Shell) -> None:
        """And shows it in its table."""
        assert 0 == shell.run("check").code
        (shell.folder / "exo.txt").mkdir()
        ended = shell.run("check")
        assert 4 == ended.code
        assert "fail" in ended.out


class TestImport:
    """feed import, for places without a way to Microsoft."""

    @pytest.fixture(autouse=True)
    def offline(self, shell: Shell) -> None:
        """Microsoft is never asked."""
        shell.configure(feed={"offline": True}, targets=[FILE])

    def test_an_imported_version_is_used(self, shell: Shell, feed: EndpointsStandIn) -> None:
        """By its file's name, which is its version."""
        assert 0 == shell.run("feed", "import", published(OLD)).code
        ended = shell.run("sync", "--json")
        assert (0, OLD) == (ended.code, ended.json["version"])
        assert [] == feed.requests

    def test_the_same_again_confirms_it(self, shell: Shell) -> None:
        """Which matters to the guard on stale lists."""
        shell.run("feed", "import", published(OLD))
        assert "already; it is confirmed" in shell.run("feed", "import", published(OLD)).out

    @pytest.mark.parametrize(
        ("name", "content", "told"),
        [
            ("2019010700.json", b"garbage", "not JSON"),
            ("2019010700.json", b"<html></html>", "web page"),
            ("2019010700.json", b"[]", "carries TCP port 25"),
            ("2018010100.json", None, "older|newer"),
        ],
    )
    def test_what_is_broken_or_older_is_refused(
        self, shell: Shell, name: str, content: bytes | None, told: str
    ) -> None:
        """Nothing is adopted."""
        shell.run("feed", "import", published(OLD))
        file = shell.folder / name
        file.write_bytes(content if content is not None else Path(published(OLD)).read_bytes())
        ended = shell.run("feed", "import", str(file))
        assert 4 == ended.code
        assert any(one in ended.err for one in told.split("|")), ended.err
        assert OLD == shell.json("status")["version"]

    def test_another_content_under_a_known_version_is_refused(self, shell: Shell) -> None:
        """A version is immutable."""
        shell.run("feed", "import", published(OLD))
        ended = shell.run("feed", "import", published(NARROWED), "--version", OLD)
        assert 4 == ended.code
        assert "another content" in ended.err

    def test_another_cloud_is_kept_apart(self, shell: Shell) -> None:
        """Each instance has its own versions."""
        chinese = published("2024032900", "China")
        assert 0 == shell.run("feed", "import", chinese, "--instance", "china").code
        assert shell.json("status")["version"] is None


class TestExplain:
    """What an address is, and who knows it."""

    @pytest.mark.parametrize(
        ("what", "told"),
        [
            (
                "40.92.1.2",
                "Exchange Online's mail: 40.92.0.0/15 in set 10, since version 2020102800",
            ),
            ("2a01:111:f403::1", "Exchange Online's mail"),
            ("40.92.0.0/16", "Exchange Online's mail"),
            ("40.95.3.4", "relay pool"),
            ("13.107.6.152", "client access: 13.107.6.152/31"),
            ("52.112.0.1", "another service: 52.112.0.0/14"),
            ("10.1.2.3", "(RFC"),
            ("8.8.8.8", "nothing that Microsoft publishes for this cloud"),
            ("mx.mail.protection.outlook.com", "*.mail.protection.outlook.com is in set 10"),
        ],
    )
    def test_an_address_is_told_what_it_is(
        self, shell: Shell, feed: EndpointsStandIn, what: str, told: str
    ) -> None:
        """The most telling first."""
        feed.publish("2020102800")
        shell.run("sync")
        ended = shell.run("explain", what)
        assert 0 == ended.code
        assert told in ended.out

    def test_what_is_leaving_is_told_with_its_date(
        self, shell: Shell, feed: EndpointsStandIn
    ) -> None:
        """And the target still knows it."""
        shell.configure(feed={"url": feed.url}, schedule={"feed": "0s"}, targets=[FILE])
        shell.run("sync")
        feed.publish(SHRUNK)
        shell.run("sync")
        said = shell.run("explain", "157.55.234.1").out
        assert "it is leaving on" in said
        assert "edge knows it" in said

    def test_since_when_is_exact_where_the_state_knows(
        self, shell: Shell, feed: EndpointsStandIn
    ) -> None:
        """The version before did not have it."""
        shell.run("sync")
        feed.publish(NARROWED)
        shell.run("sync")
        said = shell.run("explain", "40.107.200.1").out
        assert f"since version {NARROWED}\n" in said
        assert f"since version {OLD} or earlier" in shell.run("explain", "40.107.1.1").out


class TestTerminal:
    """Colours and progress are for terminals; what comes from outside cannot reach them raw."""

    def test_control_characters_are_shown_as_escapes(self, shell: Shell) -> None:
        """A file that would clear the screen of whoever looks at it."""
        (shell.folder / "exo.txt").write_text("\x1b[2J\x1b]0;owned\x07 40.92.0.0/15\n")
        shell.run("sync")
        plan = shell.json("adopt", "edge")["targets"][0]["plan"]
        for words in (["sync"], ["adopt", "edge"], ["show", plan]):
            assert "\x1b" not in shell.run(*words).out, words
            assert "\x07" not in shell.run(*words).out, words

    def test_on_a_terminal_there_are_colours_unless_unwanted(self, shell: Shell) -> None:
        """NO_COLOR is honoured."""
        coloured = on_a_terminal(shell.folder, {})
        assert b"\x1b[32m" in coloured
        assert b"\x1b[3" not in on_a_terminal(shell.folder, {"NO_COLOR": "1"})

    def test_a_reader_that_has_seen_enough_is_no_error(self, shell: Shell) -> None:
        """`exosync history | head -1`."""
        shell.run("sync")
        line = f"{sys.executable} -m exosync config schema | head -c 1"
        done = subprocess.run(
            ["bash", "-o", "pipefail", "-c", line],
            cwd=shell.folder,
            capture_output=True,
            check=False,
        )
        assert (0, b"") == (done.returncode, done.stderr)

    @pytest.mark.parametrize("name", ["bash", "zsh", "fish"])
    def test_completion_scripts_name_the_program(self, shell: Shell, name: str) -> None:
        """For each shell."""
        assert "_EXOSYNC_COMPLETE" in shell.run("completion", name).out


def on_a_terminal(folder: Path, environ: dict[str, str]) -> bytes:
    """What `exosync sync` shows on a terminal."""
    ours, its = pty.openpty()
    clean = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    with subprocess.Popen(
        [sys.executable, "-m", "exosync", "sync"],
        cwd=folder, stdout=its, stderr=its, stdin=its, env={**clean, "TERM": "xterm", **environ},
    ) as process:  # fmt: skip
        os.close(its)
        shown = b""
        try:
            while part := os.read(ours, 65536):
                shown += part
        except OSError:
            pass  # Linux says so when the other end is closed
        os.close(ours)
        process.wait()
    return shown


def test_a_secret_is_nowhere(shell: Shell, feed: EndpointsStandIn) -> None:
    """Not in what is said, logged or stored, also when the server refuses the key."""
    zone = zone_file("example.test", '@ IN TXT "v=spf1 include:_exo.example.test -all"')
    secret = "c2VjcmV0LW9mLXRoZS10ZXN0cy1ub2JvZHktbWF5LXNlZQ=="
    (shell.folder / "tsig").write_text(secret)
    with DnsStandin({"example.test": zone}, keys=[WIDE]) as dns:
        server = {"server": "127.0.0.1", "port": dns.port, "resolvers": [f"127.0.0.1:{dns.port}"]}
        key = {"name": WIDE.name, "algorithm": "hmac-sha256", "secret": {"file": "tsig"}}
        spf = {"name": "spf", "kind": "spf", "mode": "apply", "domain": "example.test"}
        shell.configure(
            feed={"url": feed.url},
            targets=[{**spf, "method": "records", "dns": {**server, "key": key}}],
        )
        feed.publish("2026081400")
        said = [
            shell.run(*words)
            for words in (
                ["check"], ["sync"], ["--debug", "sync", "--json"], ["config", "show"], ["history"],
            )
        ]  # fmt: skip
    assert [4, 4, 4, 0, 0] == [one.code for one in said]
    stored = b"".join(path.read_bytes() for path in shell.folder.glob("exosync.db*"))
    for text in (*(one.out + one.err for one in said), stored.decode("latin-1")):
        assert secret not in text


def test_help_imports_click_and_nothing_heavy() -> None:
    """So that completion and --help answer at once."""
    code = (
        "import sys; from exosync.cli import run; run(['--help']); "
        "print([one for one in ('pydantic', 'sqlalchemy', 'requests', 'structlog', 'rich', "
        "'yaml', 'dns', 'jinja2', 'alembic') if one in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "[]\n" == done.stderr
