"""Texts as PowerShell literals: whatever a text is, it is that text and nothing else."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from exosync_adapters.exchange.person.powershell import text as quoted
from exosync_adapters.exchange.person.powershell import value
from tests.standins.powershell import faults, parse

# Whatever somebody may call a thing, quotation marks and signs of PowerShell above all.
signs = st.sampled_from(list("'\"`$#@(){};|&\u2018\u2019\u201a\u201b\u201c\u201d\n\r\t\0\u202e"))
texts = st.text(st.one_of(signs, st.characters()), max_size=30)


def literal(code: str) -> str:
    """What PowerShell makes of a text literal that code begins with; it must be all of the code.

    After ScanStringLiteral of PowerShell's tokenizer: any of five signs ends the text, and two of
    them in a row are the second one.
    """
    quotes = "'\u2018\u2019\u201a\u201b"
    assert code[0] in quotes
    found, at = "", 1
    while True:
        if code[at] in quotes:
            if at + 1 == len(code):
                return found
            at += 1
            assert code[at] in quotes, "the literal ends before the code does"
        found += code[at]
        at += 1


def meant(code: str) -> str:
    """What a text as code stands for: a literal, or literals and numbers of signs in brackets."""
    if not code.startswith("("):
        return literal(code)
    units = []
    for part in code[1:-1].split(" + "):
        if part.startswith("[char] "):
            units.append(int(part.removeprefix("[char] "), 16).to_bytes(2))
        else:
            units.append(literal(part).encode("utf-16-be", "surrogatepass"))
    return b"".join(units).decode("utf-16-be", "surrogatepass")


@given(texts.filter(lambda one: " + " not in one))
@example("'\u2018\u2019\u201a\u201b'")
@example("\u2018; Remove-Item x #")
def test_every_text_stands_for_itself_and_for_nothing_else(plain: str) -> None:
    """Whatever is in it: no quotation mark ends it, nothing in it is expanded."""
    assert plain == meant(quoted(plain))


@given(texts)
@example("\u202egnp.exe\u2028\u2029\x85\x1b[0m")
def test_every_text_is_one_line_that_no_console_takes_for_a_key(plain: str) -> None:
    """Line breaks, tabs and marks of direction are written by number."""
    assert set() == {unicodedata.category(one) for one in quoted(plain)} & {"Cc", "Cf", "Cs"}
    assert 1 == len(quoted(plain).splitlines())


@given(st.text(signs, max_size=12))
def test_a_parser_takes_every_text_for_one_value(plain: str) -> None:
    """The grammar knows ASCII's apostrophe alone, which is why the others are judged above."""
    tree = parse(f"$x = {quoted(plain)}\n")

    assert [] == list(faults(tree))
    assert 1 == tree.named_child_count
    assert "pipeline" == tree.named_children[0].named_children[0].type


def test_plain_texts_are_written_plainly() -> None:
    """Names of other languages can be read in the script."""
    assert "'Verschlüsselung – 暗号化'" == quoted("Verschlüsselung – 暗号化")
    assert "'O''Neil'" == quoted("O'Neil")
    assert "('' + 'a' + [char] 0x000A + 'b')" == quoted("a\nb")


def test_values_are_those_of_json() -> None:
    """What JSON does not have is refused."""
    given = value(["a", True, False, None, 3, ()])
    assert "@('a', $true, $false, $null, 3, @())" == given
    with pytest.raises(TypeError, match="float"):
        value(1.5)
