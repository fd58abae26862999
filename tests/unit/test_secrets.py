"""Reading secrets, and keeping them out of every text."""

from __future__ import annotations

import json
import os
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from exosync.core.secret import SecretRef
from exosync.errors import ConfigError
from exosync.secrets import Redactor, redact, reveal


def from_file(path: Path | str, base: Path = Path()) -> str:
    """Reveal a secret from a file."""
    return reveal(SecretRef(file=Path(path)), base=base, environ={}, redactor=Redactor())


def test_a_secret_is_read_from_a_file_beside_the_configuration(tmp_path: Path) -> None:
    """A relative path starts at the base, an absolute one stands for itself."""
    (tmp_path / "tsig").write_text("c2VjcmV0\n")
    assert from_file("tsig", tmp_path) == "c2VjcmV0"
    assert from_file(tmp_path / "tsig") == "c2VjcmV0"


@pytest.mark.parametrize(
    ("written", "expected"),
    [("a b\n", "a b"), ("a\n\n", "a\n"), ("a\r\n", "a"), (" a ", " a "), ("ü", "ü")],
)
def test_one_newline_at_the_end_is_dropped_and_nothing_else(
    tmp_path: Path, written: str, expected: str
) -> None:
    """Editors add it; everything else may belong to the secret."""
    (tmp_path / "secret").write_bytes(written.encode())
    assert expected == from_file("secret", tmp_path)


def test_a_secret_is_read_from_a_variable() -> None:
    """As it is."""
    ref = SecretRef(env="TOKEN")
    redactor = Redactor()
    assert reveal(ref, base=Path(), environ={"TOKEN": " t0ken "}, redactor=redactor) == " t0ken "


def test_a_secret_that_cannot_be_had_is_refused(tmp_path: Path) -> None:
    """Each reason has its own words; the place is always named."""
    (tmp_path / "empty").write_text(" \n")
    (tmp_path / "large").write_bytes(b"x" * (64 * 1024 + 1))
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    os.mkfifo(tmp_path / "pipe")
    reasons = {
        "none": "does not exist",
        ".": "is a folder",
        "empty": "is empty",
        "large": "is over 64 KiB",
        "binary": "is not UTF-8 text",
        "pipe": "is no regular file",
        "empty/inside": "cannot be read: Not a directory",
    }
    for name, reason in reasons.items():
        with pytest.raises(ConfigError) as caught:
            from_file(name, tmp_path)
        assert str(caught.value).startswith(f"secret file {tmp_path / name} {reason}")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission_is_refused(tmp_path: Path) -> None:
    """With the system's words."""
    (tmp_path / "closed").write_text("x")
    (tmp_path / "closed").chmod(0)
    with pytest.raises(ConfigError, match="cannot be read: Permission denied"):
        from_file("closed", tmp_path)


@pytest.mark.parametrize(("environ", "told"), [({}, "is not set"), ({"TOKEN": " "}, "is empty")])
def test_a_variable_without_a_secret_is_refused(environ: dict[str, str], told: str) -> None:
    """Its name is told."""
    with pytest.raises(ConfigError, match=f"environment variable TOKEN {told}"):
        reveal(SecretRef(env="TOKEN"), base=Path(), environ=environ)


def test_what_was_revealed_is_masked_everywhere(tmp_path: Path) -> None:
    """The process remembers it without being told."""
    (tmp_path / "secret").write_text("remembered-5f3a\n")
    reveal(SecretRef(file=Path("secret")), base=tmp_path, environ={})
    assert redact("sent remembered-5f3a to the server") == "sent *** to the server"


def test_a_secret_is_found_in_other_spellings() -> None:
    """In JSON, in an address, in the representation of a string."""
    secret = 'pa"ss/wörd\\ é'
    redactor = Redactor()
    redactor.add(secret)
    for text in (secret, json.dumps(secret), quote(secret), quote(secret, safe=""), repr(secret)):
        masked = redactor.redact(f"<{text}>")
        assert masked.replace('"', "").replace("'", "") == "<***>"


def test_a_secret_of_several_lines_is_masked_line_by_line() -> None:
    """A private key is often logged in part."""
    redactor = Redactor()
    redactor.add("-----BEGIN KEY-----\nMIIEvQIBADANBg\nab\n-----END KEY-----\n")
    assert redactor.redact("near MIIEvQIBADANBg: ab") == "near ***: ab"
    assert redactor.redact("-----BEGIN KEY-----\nMIIEvQIBADANBg\nab\n-----END KEY-----") == "***"


def test_a_short_secret_is_masked_as_a_word_alone() -> None:
    """Or every figure would be unreadable."""
    redactor = Redactor()
    redactor.add("42")
    assert redactor.redact("key 42, 142 ranges, 420 hosts, x=42") == (
        "key ***, 142 ranges, 420 hosts, x=***"
    )


def test_a_blank_secret_masks_nothing() -> None:
    """There is nothing to hide in blanks."""
    redactor = Redactor()
    redactor.add(" \n")
    assert redactor.redact("a b\nc") == "a b\nc"


def test_the_longer_of_two_secrets_is_masked_first() -> None:
    """So no rest of it stays behind."""
    redactor = Redactor()
    redactor.add("hunter2")
    redactor.add("hunter2-and-more")
    assert redactor.redact("hunter2-and-more hunter2") == "*** ***"


SECRET = st.text(st.characters(codec="utf-8", exclude_characters="*"), min_size=4, max_size=20)


@given(SECRET, st.text(max_size=20), st.text(max_size=20))
def test_no_secret_survives_wherever_it_stands(secret: str, before: str, after: str) -> None:
    """Whatever its characters and its surroundings, and masking twice changes nothing."""
    assume(secret.strip() and secret == secret.strip())
    redactor = Redactor()
    redactor.add(secret)
    masked = redactor.redact(before + secret + after)
    assert secret not in masked
    assert masked == redactor.redact(masked)
