"""The configuration of a whole set-up: `exosync init --scenario split-domain`."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exosync.config import load
from exosync.config.document import parse_document
from exosync.core.target import Mode
from exosync.scenario import SplitDomain, split_domain_text

TENANT = "8a3bd10e-5b2c-4f6d-9a11-0c6f7e2d1b34"
WHOLE = SplitDomain(
    domain="example.com",
    tenant=TENANT,
    client_id=TENANT,
    far_side="mimecast",
    smart_hosts=("eu-smtp-inbound-1.example.net",),
    here="here@example.com",
    recipients=("ada@example.com",),
    mimecast=True,
    google_admin="admin@example.com",
    spf="records",
    alert_to="ops@example.com",
    smtp_host="mail.example.com",
)
LEAST = SplitDomain(
    domain="example.com",
    tenant=TENANT,
    client_id="",
    far_side="google_workspace",
    there="there@example.com",
)
FLAGS = (
    *("--scenario", "split-domain", "--domain", "example.com", "--tenant", TENANT),
    *("--far-side", "google_workspace", "--here", "here@example.com"),
)


def run(folder: Path, *words: str, **more: Any) -> subprocess.CompletedProcess[str]:
    """`exosync init` as a user runs it, with nobody at a terminal."""
    return subprocess.run(
        [sys.executable, "-m", "exosync", "init", *words],
        cwd=folder,
        text=True,
        capture_output=True,
        stdin=subprocess.DEVNULL,
        check=False,
        **more,
    )


@pytest.mark.parametrize("answers", [WHOLE, LEAST])
def test_it_is_valid_and_writes_nothing(answers: SplitDomain, tmp_path: Path) -> None:
    """However much was answered."""
    path = tmp_path / "exosync.yaml"
    path.write_text(split_domain_text(answers))

    targets = load(path, environ={}).config.targets

    kinds = ["exchange", "spf"]
    kinds += ["mimecast", "google_workspace"] if answers is WHOLE else []
    assert kinds == [one.kind for one in targets]
    assert {Mode.PLAN} == {one.mode for one in targets}


def test_a_domain_beyond_ascii_is_one(tmp_path: Path) -> None:
    """What is made of it for its servers, too."""
    path = tmp_path / "exosync.yaml"
    answers = replace(
        WHOLE, domain="BÜCHER.example", recipients=("ada@bücher.example",), smtp_host=""
    )
    path.write_text(split_domain_text(answers))

    config = load(path, environ={}).config

    assert "xn--bcher-kva.example" == config.targets[0].settings.domain
    assert "host='mail.xn--bcher-kva.example'" in str(config.alerts.channels[0])


def test_what_was_answered_stands_in_it(tmp_path: Path) -> None:
    """Whom to route, where to, whom to tell."""
    path = tmp_path / "exosync.yaml"
    path.write_text(split_domain_text(WHOLE))

    config = load(path, environ={}).config

    exchange = config.targets[0].settings
    assert "here@example.com" == exchange.routed.everyone_but
    assert WHOLE.smart_hosts == exchange.hosts
    assert WHOLE.recipients == exchange.validation_recipients
    assert ["mail"] == [one.name for one in config.alerts.channels]


@given(
    st.text(min_size=1).filter(str.isprintable),
    st.text("#:{}[],&*!|>'\"%@`é ", min_size=1),
)
def test_no_answer_can_become_anything_but_its_text(group: str, host: str) -> None:
    """Quotes, brackets and comment signs stay what they are."""
    answers = SplitDomain("example.com", TENANT, "", "other", (host,), here=group)
    values: Any = parse_document(split_domain_text(answers).encode(), name="it").values
    exchange = values["targets"][0]
    assert (group, [host]) == (exchange["routed"]["everyone_but"], exchange["smart_hosts"])


def test_it_is_written_from_options_alone(tmp_path: Path) -> None:
    """As a pipeline does it."""
    done = run(tmp_path, *FLAGS)
    assert (0, "") == (done.returncode, done.stderr)
    assert (
        "example.com"
        == load(tmp_path / "exosync.yaml", environ={}).config.targets[0].settings.domain
    )


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--scenario", "split-domain"), "also needs --domain, --tenant, --far-side, one of"),
        (("--domain", "example.com"), "--domain is an answer for --scenario split-domain"),
        (("--no-mimecast",), "--mimecast is an answer for --scenario"),
        ((*FLAGS, "--kind", "spf"), "--kind and --scenario do not go together"),
        ((*FLAGS, "--there", "x@example.com"), "takes one of --here and --there, not both"),
        ((*FLAGS, "nowhere/x.yaml"), "nowhere is no folder that is there"),
        ((*FLAGS, "--far-side", "other"), "also needs --smart-host"),
        ((*FLAGS, "--smtp-host", "mx.example.com"), "also needs --alert-to, as there is"),
        ((*FLAGS, "--smart-host", "a.example.com:25"), "a smart host has no port"),
        ((*FLAGS, "--tenant", "contoso"), "targets[0].tenant: 'contoso' is not an id"),
        ((*FLAGS, "--alert-to", "a\tb"), "control characters"),
    ],
)
def test_answers_that_do_not_do_are_told(words: tuple[str, ...], told: str, tmp_path: Path) -> None:
    """In words, with exit code 64, and no file is written."""
    done = run(tmp_path, *words)
    assert 64 == done.returncode
    assert told in done.stderr
    assert "Traceback" not in done.stderr
    assert [] == list(tmp_path.iterdir())


def test_a_closed_stdin_is_no_terminal(tmp_path: Path) -> None:
    """As where a supervisor gives a program none."""
    words = [sys.executable, "-m", "exosync", "init", *FLAGS]
    done = subprocess.run(
        ["sh", "-c", 'exec "$@" <&-', "sh", *words],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (0, "") == (done.returncode, done.stderr)


def test_a_file_that_is_there_is_told_before_anything_is_asked(tmp_path: Path) -> None:
    """Nobody answers a dozen questions for nothing."""
    (tmp_path / "exosync.yaml").write_text("mine")

    done = run(tmp_path, "--scenario", "split-domain")

    assert (64, "mine") == (done.returncode, (tmp_path / "exosync.yaml").read_text())
    assert done.stderr.startswith("error: exosync.yaml is there already; it was not touched")


def test_a_dot_at_the_end_of_the_domain_does_no_harm(tmp_path: Path) -> None:
    """The mail server that is taken for the domain's has none."""
    words = ("example.com." if one == "example.com" else one for one in FLAGS)

    done = run(tmp_path, *words, "--alert-to", "ops@example.com", "--spf", "records")

    assert (0, "") == (done.returncode, done.stderr)
    config = load(tmp_path / "exosync.yaml", environ={}).config
    assert "example.com" == config.targets[0].settings.domain
    assert "host='mail.example.com'" in str(config.alerts.channels[0])


def asked(folder: Path, *words: str, answers: tuple[str, ...]) -> list[Any]:
    """The targets and channels of what `exosync init --scenario` writes for somebody at a terminal."""
    ours, theirs = pty.openpty()
    os.write(ours, "".join(f"{one}\n" for one in answers).encode())
    try:
        done = subprocess.run(
            [sys.executable, "-m", "exosync", "init", "--scenario", "split-domain", *words],
            cwd=folder,
            stdin=theirs,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    finally:
        os.close(theirs)
        os.close(ours)
    assert 0 == done.returncode, done.stderr
    config = load(folder / "exosync.yaml", environ={}).config
    return [*config.targets, *config.alerts.channels]


def test_on_a_terminal_it_asks(tmp_path: Path) -> None:
    """For what no option gives; the file then holds the answers."""
    where = ("example.com", TENANT, "", "other", "mx1.example.net mx2.example.net")
    answers = (*where, "", "there@example.com", "ada@example.com", "y", "", "")

    exchange, _, mimecast = asked(tmp_path, answers=answers)

    assert ("mx1.example.net", "mx2.example.net") == exchange.settings.hosts
    assert "there@example.com" == exchange.settings.routed.group
    assert "mimecast" == mimecast.kind


def test_a_wrong_answer_is_asked_for_again(tmp_path: Path) -> None:
    """All the others are kept."""
    where = ("not a domain", "example.com", "contoso", TENANT, "xyz", "", "other")
    who = ("mx1.example.net:25", "mx1.example.net", "", "there", "there@example.com")
    answers = (*where, *who, "ada", "ada@example.com", "n", "pat", "", "me@", "")

    (exchange, _) = asked(tmp_path, answers=answers)

    assert (TENANT, ("mx1.example.net",)) == (exchange.settings.tenant, exchange.settings.hosts)
    assert "there@example.com" == exchange.settings.routed.group
    assert ("ada@example.com",) == exchange.settings.validation_recipients


def test_mimecast_is_looked_after_where_it_is_the_other_side(tmp_path: Path) -> None:
    """Unless somebody says no."""
    words = ["mimecast" if one == "google_workspace" else one for one in FLAGS]

    *_, last = asked(tmp_path, *words, answers=("", "mx1.example.net", "", "", "", ""))

    assert "mimecast" == last.kind


def test_what_an_option_gave_is_offered_further_on(tmp_path: Path) -> None:
    """The mail server that is proposed is one of the domain's."""
    *_, channel = asked(tmp_path, *FLAGS, answers=("", "", "n", "", "ops@example.com", ""))

    assert "mail.example.com" == channel.smtp.host


def test_who_named_a_mail_server_says_who_is_told(tmp_path: Path) -> None:
    """Nobody is no answer then: it is asked for again, and nothing that was said is lost."""
    words = (*FLAGS, "--smtp-host", "mx.example.com")
    *_, channel = asked(tmp_path, *words, answers=("", "", "n", "", "", "ops@example.com"))

    assert "mx.example.com" == channel.smtp.host


def test_an_answer_that_cannot_be_right_is_told_without_a_file(tmp_path: Path) -> None:
    """There is none, so it has no lines."""
    words = ["xyz" if one == TENANT else one for one in FLAGS]
    ended = run(tmp_path, *words)
    told = "targets[0].tenant: 'xyz' is not an id like 8a3bd10e-5b2c-4f6d-9a11-0c6f7e2d1b34"
    assert (64, f"error: these answers make no configuration:\n{told}\n") == (
        ended.returncode,
        ended.stderr,
    )
    assert [] == [*tmp_path.iterdir()]
