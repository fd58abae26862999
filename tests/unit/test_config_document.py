"""YAML as plain values with lines: what is read, what is refused, and in which words."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from exosync.config.document import parse_document, read_document
from exosync.errors import ConfigError


def values(text: str) -> object:
    """The values of a document."""
    return parse_document(text.encode(), name="F").values


def refusal(data: bytes) -> str:
    """What is said of a document that is refused."""
    with pytest.raises(ConfigError) as caught:
        parse_document(data, name="F")
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("no", "no"),
        ("on", "on"),
        ("Yes", "Yes"),
        ("0123", "0123"),
        ("0o17", "0o17"),
        ("0x1f", "0x1f"),
        ("1_000", "1_000"),
        ("+5", "+5"),
        ("1.10", "1.10"),
        ("1e3", "1e3"),
        (".inf", ".inf"),
        ("1:30", "1:30"),
        ("2024-07-31", "2024-07-31"),
        ("10%", "10%"),
        ("'true'", "true"),
        ('"5"', "5"),
        ("9" * 30, "9" * 30),
        ("5", 5),
        ("-5", -5),
        ("0", 0),
        ("true", True),
        ("False", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("!!str plain", "plain"),
    ],
)
def test_a_scalar_is_what_it_looks_like(text: str, expected: object) -> None:
    """Only null, true, false and plain decimal integers are more than text."""
    assert {"key": expected} == values(f"key: {text}\n")


def test_every_key_and_item_has_its_line() -> None:
    """Lines count from 1; what an alias stands for is told where its anchor is."""
    document = parse_document(b"a:\n  b: 1\nc:\n  - x\n  - d: &d\n      e: 2\n  - *d\n", name="F")
    assert document.values == {"a": {"b": 1}, "c": ["x", {"d": {"e": 2}}, {"e": 2}]}
    assert document.lines == {
        ("a",): 1,
        ("a", "b"): 2,
        ("c",): 3,
        ("c", 0): 4,
        ("c", 1): 5,
        ("c", 1, "d"): 5,
        ("c", 1, "d", "e"): 6,
        ("c", 2): 5,
        ("c", 2, "e"): 6,
    }


def test_nothing_at_all_is_an_empty_configuration() -> None:
    """An empty file and one of comments alone hold no keys; a byte order mark is no matter."""
    assert values("") == values("# only a comment\n") == values("\ufeff---\n{}\n") == {}


BOMB = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 8)
)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a: 1\nb: 2\na: 3\n", "F:3: a: stands twice: first in line 1; remove one"),
        ("a: {b: 1, b: 2}\n", "F:1: a.b: stands twice: first in line 1"),
        ("- a\n", "F:1: must be keys and values"),
        ("hello\n", "F:1: must be keys and values"),
        ("a:\n\tb: 1\n", "F:2: a tab stands where YAML wants blanks"),
        ("a: @x\n", "F:1: a text without quotes cannot begin like this"),
        ("a: b: c\n", "F:1: is not YAML"),
        ("x: 1\na: 'never closed\n", "(begun in line 2)"),
        ("a: 1\n---\nb: 1\n", "F:2: a second document begins"),
        ("a: !!python/name:os.system\n", "F:1: a: YAML tags (!) are not read"),
        ("a: !env x\n", "F:1: a: YAML tags (!) are not read"),
        ("a: !x!y z\n", "F:1: YAML tags (!) are not read"),
        ("a: *nowhere\n", "F:1: an alias (*) or anchor (&) is wrong"),
        ("a: &a [*a]\n", "F:1: an alias (*) or anchor (&) is wrong"),
        ("a: !x&y z\n", "F:1: a: YAML tags (!) are not read"),
        ("? [a]\n: b\n", "F:1: a key must be plain text"),
        ("ok: 1\nx: a\x1bb\n", "F:2: holds a control character"),
        ("a: " + "[" * 100_000, "F:1: is nested too deeply"),
        ("{a: " * 100_000, "F:1: is nested too deeply"),
        (BOMB, "is too large with its aliases"),
    ],
)
def test_bad_yaml_is_refused_with_its_line(text: str, told: str) -> None:
    """Each message names the line and what is wrong there."""
    assert told in refusal(text.encode())


@pytest.mark.parametrize(
    "text",
    [
        "secret: *hunter2\n",
        "secret: !hunter2 x\n",
        "secret: !hunter2!x y\n",
        "secret: %hunter2\n",
        "secret: @hunter2\n",
        "secret: `hunter2\n",
        "secret: 'hunter2\n",
        'secret: "\\q hunter2"\n',
        "secret: [hunter2\n",
        "secret: {hunter2\n",
        "secret: a: hunter2\n",
        "secret: hunter2\n bad: x\n",
        "secret:\n\t- hunter2\n",
        "secret: hunter2\x07\n",
    ],
)
def test_no_message_shows_a_text_of_the_file(text: str) -> None:
    """What the parser stumbles over could be a password."""
    assert "hunter2" not in refusal(text.encode())


def test_all_repeated_keys_are_told_at_once() -> None:
    """One look at the messages is enough to correct them all."""
    assert len(refusal(b"a: 1\na: 2\nb: {c: 1, c: 2}\n").splitlines()) == 2


def test_a_file_that_is_not_utf8_is_refused_with_its_line() -> None:
    """Latin-1 is a common accident."""
    assert "F:2: is not UTF-8 text" in refusal("a: 1\nb: Zürich\n".encode("latin-1"))


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    """A folder and a missing file are told apart by the system's words."""
    with pytest.raises(ConfigError, match="cannot be read: Is a directory"):
        read_document(tmp_path)
    with pytest.raises(ConfigError, match="cannot be read: No such file"):
        read_document(tmp_path / "none.yaml")


def test_a_file_without_end_is_refused() -> None:
    """Only so much is read."""
    with pytest.raises(ConfigError, match="is over 4 MiB"):
        read_document(Path("/dev/zero"))


@given(
    st.one_of(st.binary(max_size=60), st.text(max_size=60).map(lambda text: text.encode("utf-8")))
)
def test_whatever_the_bytes_are_nothing_but_a_config_error_is_raised(data: bytes) -> None:
    """A broken file ends in a message, never in a traceback."""
    with suppress(ConfigError):
        parse_document(data, name="F")


PLAIN = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(10**17), 10**17), st.text(max_size=12)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(st.dictionaries(st.text(max_size=8), PLAIN, max_size=4))
def test_what_another_program_writes_is_read(tree: dict[str, object]) -> None:
    """JSON-like values written by PyYAML come back as they were."""
    text = yaml.safe_dump(tree)
    assert tree == parse_document(text.encode(), name="F").values
